//! The names by which a client asks for a server.

use std::net::IpAddr;

use rcgen::SanType;
use rustls_pki_types::{CertificateDer, DnsName};
use x509_parser::prelude::{FromDer, GeneralName, X509Certificate};

use crate::error::Error;

/// Names of a certificate that are looked at.
const NAMES_MAX: usize = 100;

/// The DNS names and addresses of a certificate; wildcards are no names that a client could ask for.
pub fn of_certificate(certificate: &CertificateDer<'_>) -> Vec<String> {
    let Ok((_, parsed)) = X509Certificate::from_der(certificate) else { return Vec::new() };
    let Ok(Some(names)) = parsed.subject_alternative_name() else { return Vec::new() };
    let text = |name: &GeneralName<'_>| {
        if let GeneralName::DNSName(name) = name {
            return DnsName::try_from(*name).is_ok().then(|| (*name).to_owned());
        }
        let GeneralName::IPAddress(bytes) = name else { return None };
        let four = <[u8; 4]>::try_from(*bytes).map(IpAddr::from);
        let address = four.or_else(|_| <[u8; 16]>::try_from(*bytes).map(IpAddr::from));
        address.ok().map(|address| address.to_string())
    };
    names.value.general_names.iter().filter_map(text).take(NAMES_MAX).collect()
}

/// # Errors
/// A name that is neither an address nor a DNS name.
pub fn check(names: &[String]) -> Result<(), Error> {
    match names.iter().find(|name| name.parse::<IpAddr>().is_err() && DnsName::try_from(name.as_str()).is_err()) {
        Some(name) => Err(Error::Usage(format!("--name {name:?} is neither a host name nor an IP address"))),
        None => Ok(()),
    }
}

/// As a certificate carries them.
///
/// # Errors
/// A name that is not ASCII.
pub fn alternative(names: &[String]) -> Result<Vec<SanType>, Error> {
    let one = |name: &String| match name.parse::<IpAddr>() {
        Ok(address) => Ok(SanType::IpAddress(address)),
        Err(_) => name.clone().try_into().map(SanType::DnsName).map_err(Error::making("a name")),
    };
    names.iter().map(one).collect()
}
