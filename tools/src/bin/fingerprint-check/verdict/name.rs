//! Whether the certificate is for the name that clients ask for.

use relay_trust::{ChainError, verify_name};
use rustls_pki_types::ServerName;

use super::{Answer, Finding};
use crate::{codes::Code, evidence::Certificate};

/// Names of a certificate that a text lists.
const LISTED: usize = 5;

pub fn judge(leaf: &Certificate, name: Option<&ServerName<'static>>) -> Answer {
    let Some(name) = name else {
        return Finding::not_asked(Code::NAME_NOT_ASKED, "no name was given").into();
    };
    let asked = name.to_str();
    let finding = match verify_name(&leaf.der, name) {
        Ok(()) => Finding::ok(Code::NAME_OK, format!("it is for {asked}")),
        Err(_) if leaf.names.is_empty() => Finding::fail(
            Code::NAME_NONE,
            format!("it has no subjectAltName, so it is not for {asked}"),
            format!("reissue it with the subjectAltName {asked}"),
        ),
        Err(ChainError::WrongName { .. }) => Finding::fail(
            Code::NAME_MISMATCH,
            format!("it is not for {asked} but for {}", listed(&leaf.names)),
            format!("connect by one of its names (--name), or reissue it with {asked}"),
        ),
        Err(error) => Finding::fail(
            Code::NAME_MISMATCH,
            format!("its names cannot be compared with {asked}: {error}"),
            "reissue it with a current tool",
        ),
    };
    finding.into()
}

fn listed(names: &[String]) -> String {
    let mut text = names.iter().take(LISTED).map(String::as_str).collect::<Vec<_>>().join(", ");
    if names.len() > LISTED {
        text.push_str(&format!(" and {} more", names.len() - LISTED));
    }
    text
}
