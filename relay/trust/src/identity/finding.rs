//! What an administrator should know about a server certificate.

use std::fmt;
use std::net::IpAddr;

use rustls_pki_types::{CertificateDer, ServerName, UnixTime};
use x509_parser::der_parser::Oid;
use x509_parser::oid_registry::{
    OID_X509_EXT_BASIC_CONSTRAINTS, OID_X509_EXT_EXTENDED_KEY_USAGE, OID_X509_EXT_SUBJECT_ALT_NAME,
};
use x509_parser::prelude::{GeneralName, ParsedExtension, X509Certificate};
use x509_parser::public_key::PublicKey;

use crate::certificate;
use crate::chain::{self, ChainError};
use crate::identity::{MAX_DAYS, MAX_NAMES};

/// A certificate that expires within this many days gets a warning.
const SOON_DAYS: i64 = 30;

/// One thing about a certificate, with what to do.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Finding {
    /// After its last day.
    Expired {
        /// How many whole days ago.
        days: i64,
    },
    /// Before its first day.
    NotYetValid {
        /// In how many whole days it will be.
        days: i64,
    },
    /// `CA:TRUE` in a server's own certificate.
    CaTrue,
    /// No DNS name or IP address by which anybody could ask for it.
    NoNames,
    /// An extended key usage without serverAuth.
    NotForServers,
    /// An extension that matters to devices and is not what its standard says. Readers differ about the rest.
    Unreadable {
        /// Its name.
        extension: &'static str,
    },
    /// Anything else for which the verification of a chain refuses it, whatever its issuer.
    Refused {
        /// What the verification said.
        reason: ChainError,
    },
    /// It expires within 30 days.
    ExpiresSoon {
        /// In how many whole days.
        days: i64,
    },
    /// It lives longer than 825 days.
    LivesTooLong {
        /// How long, days.
        days: i64,
    },
    /// An RSA key.
    Rsa {
        /// Its size.
        bits: usize,
    },
    /// No extended key usage at all.
    NoPurpose,
}

impl Finding {
    /// The findings about one certificate (DER) at `at`, the gravest first; none for one that cannot be read, which is
    /// reported elsewhere.
    #[must_use]
    pub fn of(certificate: &CertificateDer<'_>, at: UnixTime) -> Vec<Self> {
        let Ok(parsed) = certificate::parse(certificate) else { return Vec::new() };
        let mut found = Vec::new();
        dates(&parsed, i64::try_from(at.as_secs()).unwrap_or(i64::MAX), &mut found);
        extensions(certificate, &parsed, &mut found);
        // Whatever is read here: what devices verify with has the last word.
        if let Some(reason) = chain::refused_by_everyone(certificate, at)
            && !found.iter().any(|finding| finding.devices_refuse() && *finding != Self::NoNames)
        {
            found.push(Self::Refused { reason });
        }
        if let Ok(PublicKey::RSA(key)) = parsed.public_key().parsed() {
            found.push(Self::Rsa { bits: key.key_size() });
        }
        found.sort_by_key(|finding| !finding.devices_refuse());
        found
    }

    /// Whether devices refuse the certificate because of it; the others are advice, or concern some platforms only.
    ///
    /// Nothing here matters to those who know a certificate by its pin alone, as in tunnels.
    #[must_use]
    pub const fn devices_refuse(&self) -> bool {
        match self {
            Self::Expired { .. }
            | Self::NotYetValid { .. }
            | Self::CaTrue
            | Self::NoNames
            | Self::NotForServers
            | Self::Unreadable { .. }
            | Self::Refused { .. } => true,
            Self::ExpiresSoon { .. } | Self::LivesTooLong { .. } | Self::Rsa { .. } | Self::NoPurpose => false,
        }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Expired { days } => write!(f, "the certificate expired {days} days ago; reissue it"),
            Self::NotYetValid { days } => {
                write!(f, "the certificate is valid only in {days} days; check this machine's clock, or reissue it")
            }
            Self::CaTrue => f.write_str(
                "the certificate says CA:TRUE, which devices refuse in a server's own certificate; reissue with \
                 CA:FALSE (openssl: -addext basicConstraints=critical,CA:FALSE)",
            ),
            Self::NoNames => f.write_str(
                "the certificate has no usable DNS name or address (subjectAltName); reissue it with the names that devices \
                 connect to",
            ),
            Self::NotForServers => f.write_str(
                "the certificate's extended key usage lacks serverAuth, so devices refuse it; reissue it with serverAuth",
            ),
            Self::Unreadable { extension } => {
                write!(f, "the certificate's {extension} cannot be read; reissue it with a current tool")
            }
            Self::Refused { reason } => reason.fmt(f),
            Self::ExpiresSoon { days } => write!(
                f,
                "the certificate expires in {days} days; reissue it, with the same key if devices have SPKI pins"
            ),
            Self::LivesTooLong { days } => write!(
                f,
                "the certificate lives {days} days; macOS and iOS refuse more than {MAX_DAYS}: reissue it for less"
            ),
            Self::Rsa { bits } => write!(
                f,
                "the key is RSA ({bits} bits); Windows 8.1 and Windows Phone 8.1 cannot connect with it: take ECDSA P-256"
            ),
            Self::NoPurpose => f.write_str(
                "the certificate has no extended key usage; macOS and iOS refuse it: reissue it with serverAuth",
            ),
        }
    }
}

/// The last second of a certificate's validity.
pub(super) fn end_of_validity(certificate: &CertificateDer<'_>) -> Option<u64> {
    let parsed = certificate::parse(certificate).ok()?;
    u64::try_from(parsed.validity().not_after.timestamp()).ok()
}

fn dates(certificate: &X509Certificate<'_>, now: i64, found: &mut Vec<Finding>) {
    const DAY: i64 = 86_400;
    let (start, end) = (certificate.validity().not_before.timestamp(), certificate.validity().not_after.timestamp());
    if now > end {
        found.push(Finding::Expired { days: (now - end) / DAY });
    } else if now < start {
        found.push(Finding::NotYetValid { days: (start - now) / DAY });
    } else if end - now < SOON_DAYS * DAY {
        found.push(Finding::ExpiresSoon { days: (end - now) / DAY });
    }
    // Both ends count as valid.
    let days = (end - start + 1).div_euclid(DAY) + i64::from((end - start + 1).rem_euclid(DAY) > 0);
    if days > i64::from(MAX_DAYS) {
        found.push(Finding::LivesTooLong { days });
    }
}

/// The extensions that a device looks at, by their identifiers (RFC 5280 section 4.2.1).
const LOOKED_AT: [(Oid<'static>, &str); 3] = [
    (OID_X509_EXT_BASIC_CONSTRAINTS, "basicConstraints"),
    (OID_X509_EXT_SUBJECT_ALT_NAME, "subjectAltName"),
    (OID_X509_EXT_EXTENDED_KEY_USAGE, "extendedKeyUsage"),
];

/// A name by which a client could ask for a server that has this one; a wildcard is filled in.
#[expect(clippy::wildcard_enum_match_arm, reason = "x509-parser's enum: clients ask for no other kind")]
fn asked_for(name: &GeneralName<'_>) -> Option<ServerName<'static>> {
    match name {
        GeneralName::DNSName(name) => {
            let name = name.strip_prefix("*.").map_or_else(|| (*name).to_owned(), |rest| format!("label.{rest}"));
            ServerName::try_from(name).ok()
        }
        GeneralName::IPAddress(octets) => {
            let v4 = <[u8; 4]>::try_from(*octets).map(IpAddr::from);
            let address = v4.or_else(|_| <[u8; 16]>::try_from(*octets).map(IpAddr::from)).ok()?;
            Some(address.into())
        }
        _ => None,
    }
}

#[expect(clippy::wildcard_enum_match_arm, reason = "x509-parser's enum: all other extensions are of no concern here")]
fn extensions(der: &CertificateDer<'_>, certificate: &X509Certificate<'_>, found: &mut Vec<Finding>) {
    let (mut names, mut purpose) = (false, false);
    for extension in certificate.iter_extensions() {
        match extension.parsed_extension() {
            ParsedExtension::BasicConstraints(constraints) if constraints.ca => found.push(Finding::CaTrue),
            ParsedExtension::BasicConstraints(_) => {}
            ParsedExtension::SubjectAlternativeName(list) => {
                let asked = list.general_names.iter().filter_map(asked_for).take(MAX_NAMES);
                names = asked.into_iter().any(|name| chain::is_for(der, &name));
            }
            ParsedExtension::ExtendedKeyUsage(usage) => {
                purpose = true;
                if !usage.server_auth {
                    found.push(Finding::NotForServers);
                }
            }
            _ => {
                if let Some((oid, name)) = LOOKED_AT.iter().find(|(oid, _)| extension.oid == *oid) {
                    found.push(Finding::Unreadable { extension: name });
                    names |= *oid == OID_X509_EXT_SUBJECT_ALT_NAME;
                    purpose |= *oid == OID_X509_EXT_EXTENDED_KEY_USAGE;
                }
            }
        }
    }
    if !names {
        found.push(Finding::NoNames);
    }
    if !purpose {
        found.push(Finding::NoPurpose);
    }
}
