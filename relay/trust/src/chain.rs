//! Whether a server's certificate chains to a root that is trusted: what webpki says, as rustls asks it.

use std::sync::Arc;

use rustls::client::danger::ServerCertVerifier;
use rustls::client::{WebPkiServerVerifier, verify_server_cert_signed_by_trust_anchor, verify_server_name};
use rustls::server::ParsedCertificate;
use rustls::{CertificateError as TlsCertificateError, Error as TlsError, RootCertStore};
use rustls_pki_types::{CertificateDer, CertificateRevocationListDer, ServerName, UnixTime};

use crate::roots::Roots;
use crate::tls;

/// Why a chain was not accepted, with what to do about it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ChainError {
    /// After its last day.
    #[error("the certificate expired {} ago; reissue it (`relay-edge init` makes one for at most 825 days)", span(*.seconds))]
    Expired {
        /// How long ago, seconds.
        seconds: u64,
    },
    /// Before its first day.
    #[error("the certificate is valid only {} from now; check the clocks of both machines", span(*.seconds))]
    NotYetValid {
        /// In how many seconds it will be.
        seconds: u64,
    },
    /// No path to a root.
    #[error(
        "the certificate was not issued by a trusted root; trust its issuer, or for a self-signed certificate trust the \
         certificate itself"
    )]
    UnknownIssuer,
    /// Another name than the one connected to.
    #[error("the certificate is not for `{expected}` but for {}; connect by that name, or reissue it with this one", listed(.presented))]
    WrongName {
        /// The name that was connected to.
        expected: String,
        /// The names in the certificate.
        presented: Vec<String>,
    },
    /// `CA:TRUE` in a server's own certificate: what `openssl req -x509` makes when not told otherwise.
    #[error("the certificate says CA:TRUE, so it may not identify a server; reissue with CA:FALSE")]
    CaAsServer,
    /// `CA:FALSE` in an issuer.
    #[error("a certificate of the chain was issued by one that is no certification authority; reissue the chain")]
    IssuerIsNoCa,
    /// Extended key usage without serverAuth.
    #[error("the certificate is not meant for servers; reissue with the extended key usage serverAuth")]
    WrongPurpose,
    /// A signature in the chain does not fit the key of the issuer that was found by name.
    #[error(
        "the chain is not signed by the trusted root of that name: the root was replaced (update the roots: a self-signed \
         certificate that was reissued is its own new root), or the certificate was altered"
    )]
    BadSignature,
    /// SHA-1, MD5, short RSA keys...
    #[error(
        "the chain is signed with an algorithm that is no longer accepted; reissue it with ECDSA P-256 and SHA-256"
    )]
    WeakSignature,
    /// Not a certificate.
    #[error("the certificate cannot be read ({0}); reissue it with a current tool")]
    Malformed(String),
    /// Revoked, or its state is not told by the lists given.
    #[error(
        "the certificate is revoked, or the revocation lists given do not tell ({0}); take another, or newer lists"
    )]
    Revoked(String),
    /// Anything else webpki refuses, in its words.
    #[error("the chain was refused: {0}")]
    Other(String),
}

/// Checks that `leaf` chains over `intermediates` to one of `roots`, is valid at `at`, for servers and for `name`.
///
/// The same calls in the same order as rustls' own `WebPkiServerVerifier` without revocation lists, so the same result.
/// A self-signed `CA:FALSE` certificate that is itself among the roots passes.
///
/// # Errors
/// [`ChainError`], the first thing that is wrong.
pub fn verify_server_chain(
    leaf: &CertificateDer<'_>,
    intermediates: &[CertificateDer<'_>],
    roots: &Roots,
    name: &ServerName<'_>,
    at: UnixTime,
) -> Result<(), ChainError> {
    let certificate = read(leaf)?;
    path(&certificate, intermediates, roots, at)?;
    named(&certificate, name)
}

/// The first half of [`verify_server_chain`]: whether `leaf` chains to one of `roots` and is valid at `at` for servers,
/// whatever its names. For tools that tell "wrong chain" from "wrong name".
///
/// # Errors
/// [`ChainError`], the first thing that is wrong.
pub fn verify_path(
    leaf: &CertificateDer<'_>,
    intermediates: &[CertificateDer<'_>],
    roots: &Roots,
    at: UnixTime,
) -> Result<(), ChainError> {
    path(&read(leaf)?, intermediates, roots, at)
}

/// The second half of [`verify_server_chain`]: whether `name` is one of the names in `leaf`.
///
/// # Errors
/// [`ChainError::WrongName`] with the names that it has, [`ChainError::Malformed`].
pub fn verify_name(leaf: &CertificateDer<'_>, name: &ServerName<'_>) -> Result<(), ChainError> {
    named(&read(leaf)?, name)
}

fn read<'a>(leaf: &'a CertificateDer<'a>) -> Result<ParsedCertificate<'a>, ChainError> {
    ParsedCertificate::try_from(leaf).map_err(|error| ChainError::from_tls(&error))
}

fn path(
    leaf: &ParsedCertificate<'_>,
    intermediates: &[CertificateDer<'_>],
    roots: &Roots,
    at: UnixTime,
) -> Result<(), ChainError> {
    let algorithms = tls::shared_provider().signature_verification_algorithms;
    verify_server_cert_signed_by_trust_anchor(leaf, &roots.0, intermediates, at, algorithms.all)
        .map_err(|error| ChainError::from_tls(&error))
}

fn named(leaf: &ParsedCertificate<'_>, name: &ServerName<'_>) -> Result<(), ChainError> {
    verify_server_name(leaf, name).map_err(|error| ChainError::from_tls(&error))
}

/// Whether the names in this certificate cover `name`.
pub(crate) fn is_for(leaf: &CertificateDer<'_>, name: &ServerName<'_>) -> bool {
    ParsedCertificate::try_from(leaf).is_ok_and(|certificate| verify_server_name(&certificate, name).is_ok())
}

/// Why no client accepts this certificate at `at`, whatever roots it has and whatever name it asks for.
pub(crate) fn refused_by_everyone(leaf: &CertificateDer<'_>, at: UnixTime) -> Option<ChainError> {
    let verdict = ParsedCertificate::try_from(leaf).and_then(|certificate| {
        let algorithms = tls::shared_provider().signature_verification_algorithms;
        let nobody = RootCertStore::empty();
        verify_server_cert_signed_by_trust_anchor(&certificate, &nobody, &[], at, algorithms.all)
    });
    // Without roots it gets no further than to its issuer.
    verdict.err().map(|error| ChainError::from_tls(&error)).filter(|error| *error != ChainError::UnknownIssuer)
}

/// [`verify_server_chain`] with certificate revocation lists: every certificate of the path must be covered by one of
/// them and not be listed. For tools; the relay's own connections have pins.
///
/// # Errors
/// As [`verify_server_chain`], [`ChainError::Revoked`], and [`ChainError::Malformed`] for a list that cannot be read.
pub fn verify_server_chain_with_crls(
    leaf: &CertificateDer<'_>,
    intermediates: &[CertificateDer<'_>],
    roots: &Roots,
    name: &ServerName<'_>,
    at: UnixTime,
    crls: &[CertificateRevocationListDer<'_>],
) -> Result<(), ChainError> {
    let verifier = WebPkiServerVerifier::builder_with_provider(Arc::clone(&roots.0), tls::provider())
        .with_crls(crls.iter().map(|crl| CertificateRevocationListDer::from(crl.to_vec())))
        .build()
        .map_err(|error| ChainError::Malformed(error.to_string()))?;
    match verifier.verify_server_cert(leaf, intermediates, name, &[], at) {
        Ok(_) => Ok(()),
        Err(error) => Err(ChainError::from_tls(&error)),
    }
}

impl ChainError {
    fn from_tls(error: &TlsError) -> Self {
        if let TlsError::InvalidCertificate(inner) = error {
            Self::from_certificate_error(inner)
        } else {
            Self::Other(error.to_string())
        }
    }

    #[expect(clippy::wildcard_enum_match_arm, reason = "rustls' enum: what it adds is refused too, in its own words")]
    fn from_certificate_error(error: &TlsCertificateError) -> Self {
        match error {
            TlsCertificateError::ExpiredContext { time, not_after } => {
                Self::Expired { seconds: time.as_secs().saturating_sub(not_after.as_secs()) }
            }
            TlsCertificateError::NotValidYetContext { time, not_before } => {
                Self::NotYetValid { seconds: not_before.as_secs().saturating_sub(time.as_secs()) }
            }
            TlsCertificateError::UnknownIssuer => Self::UnknownIssuer,
            TlsCertificateError::NotValidForNameContext { expected, presented } => {
                Self::WrongName { expected: expected.to_str().into_owned(), presented: presented.clone() }
            }
            TlsCertificateError::InvalidPurpose | TlsCertificateError::InvalidPurposeContext { .. } => {
                Self::WrongPurpose
            }
            // The second: a root of the issuer's name whose key is of another kind than the signature.
            TlsCertificateError::BadSignature
            | TlsCertificateError::UnsupportedSignatureAlgorithmForPublicKeyContext { .. } => Self::BadSignature,
            TlsCertificateError::Revoked | TlsCertificateError::UnknownRevocationStatus => {
                Self::Revoked(error.to_string())
            }
            TlsCertificateError::UnsupportedSignatureAlgorithmContext { .. } => Self::WeakSignature,
            TlsCertificateError::BadEncoding => Self::Malformed("bad encoding".to_owned()),
            TlsCertificateError::Other(other) => match other.0.downcast_ref::<webpki::Error>() {
                Some(webpki::Error::CaUsedAsEndEntity) => Self::CaAsServer,
                Some(webpki::Error::EndEntityUsedAsCa) => Self::IssuerIsNoCa,
                Some(error @ (webpki::Error::UnsupportedCertVersion | webpki::Error::MalformedExtensions)) => {
                    Self::Malformed(error.to_string())
                }
                Some(error) => Self::Other(error.to_string()),
                None => Self::Other(other.to_string()),
            },
            other => Self::Other(other.to_string()),
        }
    }
}

/// A length of time in its largest unit.
fn span(seconds: u64) -> String {
    match seconds {
        0..=119 => format!("{seconds} seconds"),
        120..=7199 => format!("{} minutes", seconds / 60),
        7200..=172_799 => format!("{} hours", seconds / 3600),
        _ => format!("{} days", seconds / 86_400),
    }
}

/// At most five of the names in a certificate, printable only: a peer chose them.
fn listed(names: &[String]) -> String {
    if names.is_empty() {
        return "no name at all (it has no subjectAltName)".to_owned();
    }
    let mut text = names
        .iter()
        .take(5)
        .map(|name| name.chars().take(80).map(|c| if c.is_control() { '?' } else { c }).collect::<String>())
        .collect::<Vec<_>>()
        .join(", ");
    if names.len() > 5 {
        text.push_str(" and others");
    }
    text
}
