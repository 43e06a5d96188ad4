//! What TLS agreed on. Only versions 1.2 and 1.3 with ephemeral keys and authenticated encryption are ever offered.

use super::{Answer, Finding};
use crate::{
    codes::Code,
    evidence::{Connection, Tls},
};

pub fn judge(connection: Option<&Connection>) -> Answer {
    let Some(Connection { tls, .. }) = connection else {
        return Finding::not_asked(Code::TLS_NOT_ASKED, "a file says nothing about TLS").into();
    };
    let mut findings = Vec::new();
    if let Some(ended) = &tls.ended {
        let text = format!("the certificate was seen, then {}", ended.why);
        findings.push(if ended.for_a_certificate {
            let remedy = "the server asks for a client certificate: clients that have one get further";
            Finding::warn(Code::TLS_ENDED, text, remedy)
        } else {
            // A wrong Finished says that somebody changed what the two ends said: nobody connects.
            Finding::fail(Code::TLS_BROKEN, text, "look into the server's log; somebody may be in between")
        });
    } else if !tls.extended_master_secret {
        findings.push(Finding::warn(
            Code::TLS_NO_EMS,
            format!("{} without the extended master secret", agreed(tls)),
            "update the server's TLS library, or switch TLS 1.3 on",
        ));
    }
    Answer::of(findings, || Finding::ok(Code::TLS_OK, agreed(tls)))
}

/// `TLS 1.3, TLS_AES_256_GCM_SHA384, X25519`.
fn agreed(tls: &Tls) -> String {
    let suite = tls.suite_name();
    let group = tls.group.map(|group| format!("{group:?}"));
    [Some(tls.version_name()), suite, group].into_iter().flatten().collect::<Vec<_>>().join(", ")
}
