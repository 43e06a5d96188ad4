//! Whether the server has the private key of the certificate that it presents.

use super::{Answer, Finding};
use crate::{
    codes::Code,
    evidence::{Connection, Possession},
};

pub fn judge(connection: Option<&Connection>) -> Answer {
    let Some(connection) = connection else {
        return Finding::not_asked(Code::POSSESSION_NOT_ASKED, "a file proves nothing").into();
    };
    let possession = &connection.possession;
    let doubt = possession.doubt().unwrap_or_default();
    let weak = |remedy: &str| Finding::warn(Code::POSSESSION_WEAK, doubt, remedy);
    match possession {
        Possession::Proved => {
            let scheme = connection.tls.scheme.map_or_else(String::new, |scheme| format!(" with {scheme:?}"));
            Finding::ok(Code::POSSESSION_PROVED, format!("the server signed the handshake{scheme}"))
        }
        Possession::ProvedByWeakKey => weak("issue a certificate with an ECDSA P-256 key"),
        Possession::ProvedUnread => weak("reissue it with a current tool"),
        Possession::NotProved(_) => Finding::fail(
            Code::POSSESSION_NOT_PROVED,
            doubt,
            "somebody may be in between; otherwise give the server the key that belongs to its certificate",
        ),
    }
    .into()
}
