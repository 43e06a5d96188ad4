//! Names: what webpki says that a certificate is for, against the names that the third reader sees in it.

use std::net::Ipv6Addr;

use rustls_pki_types::{DnsName, IpAddr, ServerName};

use super::{ORACLE, view::View};
use crate::finding;

/// Names that are asked for whatever the certificate says.
const ASKED: [&str; 7] = [
    "localhost",
    "edge.example.org",
    "a.devices.example.org",
    "a.b.devices.example.org",
    "issued.example.org",
    "192.0.2.7",
    "2001:db8::7",
];
/// Names of the certificate that are asked for at most.
const OWN_MAX: usize = 100;

/// A name that is always one.
pub(super) fn localhost() -> ServerName<'static> {
    ServerName::IpAddress(IpAddr::V4([127, 0, 0, 1].into()))
}

/// Every name to ask for: those of the list, and what the certificate itself says, also with its wildcard filled in.
pub(super) fn candidates(view: &View<'_>) -> Vec<ServerName<'static>> {
    let own = view.dns.iter().filter_map(|name| {
        let name = std::str::from_utf8(name).ok()?;
        let name = name.strip_prefix("*.").map_or_else(|| name.to_owned(), |rest| format!("any.{rest}"));
        DnsName::try_from(name).ok().map(ServerName::DnsName)
    });
    let addresses = view.addresses.iter().filter_map(|address| {
        let v4 = <[u8; 4]>::try_from(*address).map(|octets| IpAddr::V4(octets.into()));
        let v6 = <[u8; 16]>::try_from(*address).map(|octets| IpAddr::V6(Ipv6Addr::from(octets).into()));
        Some(ServerName::IpAddress(v4.or(v6).ok()?))
    });
    let asked = ASKED.iter().filter_map(|name| ServerName::try_from(*name).ok());
    asked.chain(own.take(OWN_MAX)).chain(addresses.take(OWN_MAX)).collect()
}

/// Whether webpki takes the certificate for any of the names.
pub(super) fn any_fits(webpki: &webpki::EndEntityCert<'_>, view: &View<'_>) -> bool {
    candidates(view).iter().any(|name| webpki.verify_is_valid_for_subject_name(name).is_ok())
}

/// What webpki takes the certificate for stands in it.
pub(super) fn agree(webpki: &webpki::EndEntityCert<'_>, view: &View<'_>) {
    for name in candidates(view) {
        if webpki.verify_is_valid_for_subject_name(&name).is_ok() && !stands_in(view, &name) {
            finding(ORACLE, "a name that does not stand in the certificate", format_args!("{name:?}"));
        }
    }
}

fn stands_in(view: &View<'_>, name: &ServerName<'_>) -> bool {
    match name {
        ServerName::DnsName(name) => view.dns.iter().any(|presented| covers(presented, name.as_ref().as_bytes())),
        ServerName::IpAddress(address) => {
            let octets: &[u8] = match address {
                IpAddr::V4(address) => address.as_ref(),
                IpAddr::V6(address) => address.as_ref(),
            };
            view.addresses.contains(&octets)
        }
        _ => false,
    }
}

/// Equal in either case; `*` stands for one whole label, the leftmost (RFC 9525 section 6.3).
fn covers(presented: &[u8], asked: &[u8]) -> bool {
    let asked = asked.strip_suffix(b".").unwrap_or(asked);
    match presented.strip_prefix(b"*") {
        Some(rest) => asked
            .iter()
            .position(|byte| *byte == b'.')
            .is_some_and(|dot| dot > 0 && asked[dot..].eq_ignore_ascii_case(rest)),
        None => presented.eq_ignore_ascii_case(asked),
    }
}
