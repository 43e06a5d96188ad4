//! PEM in and out, with the usual mistakes named: the wrong file, an encrypted key, DER instead of PEM.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rustls_pki_types::pem::{self, PemObject, SectionKind};
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use zeroize::Zeroizing;

/// What is wrong with a PEM text. It never quotes the text.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PemError {
    /// A certificate was expected, a private key was found.
    #[error("this file holds a private key, not a certificate; give the certificate chain here, and the key at `key`")]
    KeyForCertificate,
    /// A private key was expected, a certificate was found.
    #[error(
        "this file holds a certificate, not a private key; give the file that begins with `-----BEGIN PRIVATE KEY`"
    )]
    CertificateForKey,
    /// A section of a kind that belongs in neither.
    #[error("this file holds {found}, not {expected}")]
    OtherKind {
        /// What was found.
        found: &'static str,
        /// What was expected.
        expected: &'static str,
    },
    /// The key needs a passphrase.
    #[error("the private key is encrypted; decrypt it with `openssl pkcs8 -topk8 -nocrypt -in FILE -out NEW`")]
    Encrypted,
    /// Binary, not text.
    #[error("this is DER (binary), not PEM; convert it with `openssl {tool} -inform DER -in FILE -out NEW`")]
    Der {
        /// The openssl command that converts it.
        tool: &'static str,
    },
    /// No PEM section at all.
    #[error("there is no PEM section in it; {expected} in PEM begins with `-----BEGIN`")]
    Nothing {
        /// What was expected.
        expected: &'static str,
    },
    /// More keys than one.
    #[error("there are several private keys in it; leave only the one that belongs to the certificate")]
    SeveralKeys,
    /// More certificates than a chain has.
    #[error("there are more than {limit} certificates in it; a chain has its own and its intermediates only")]
    TooMany {
        /// The bound.
        limit: usize,
    },
    /// The sections themselves are broken.
    #[error("the PEM text is damaged ({0}); copy the file again")]
    Damaged(String),
}

impl PemError {
    /// What the reader of PEM says, without the line itself.
    pub(crate) fn of(error: &pem::Error) -> Self {
        Self::Damaged(describe(error).to_owned())
    }
}

/// The most certificates in one chain. Real chains have two to four.
pub(crate) const MAX_CHAIN: usize = 16;

/// A certificate chain: at least one certificate, at most [`MAX_CHAIN`]. A key in the same file is refused.
pub(crate) fn chain(text: &[u8]) -> Result<Vec<CertificateDer<'static>>, PemError> {
    let certificates = certificates(text)?;
    if certificates.len() > MAX_CHAIN { Err(PemError::TooMany { limit: MAX_CHAIN }) } else { Ok(certificates) }
}

/// Any number of certificates, at least one; nothing else.
pub(crate) fn certificates(text: &[u8]) -> Result<Vec<CertificateDer<'static>>, PemError> {
    let mut found = Vec::new();
    for section in sections(text)? {
        match section {
            (SectionKind::Certificate, der) => found.push(CertificateDer::from(der)),
            (SectionKind::PrivateKey | SectionKind::RsaPrivateKey | SectionKind::EcPrivateKey, der) => {
                drop(Zeroizing::new(der));
                return Err(PemError::KeyForCertificate);
            }
            (kind, _) => return Err(PemError::OtherKind { found: name(kind), expected: "a certificate" }),
        }
    }
    if !found.is_empty() {
        return Ok(found);
    }
    Err(if looks_like_der(text) {
        PemError::Der { tool: "x509" }
    } else if encrypted(text) {
        PemError::KeyForCertificate
    } else {
        PemError::Nothing { expected: "a certificate" }
    })
}

/// Exactly one private key in PKCS#8, SEC1 or PKCS#1, not encrypted.
pub(crate) fn private_key(text: &[u8]) -> Result<Zeroizing<PrivateKeyDer<'static>>, PemError> {
    if encrypted(text) {
        return Err(PemError::Encrypted);
    }
    let mut found = None;
    for (kind, der) in sections(text)? {
        let key = match kind {
            SectionKind::PrivateKey => PrivateKeyDer::Pkcs8(der.into()),
            SectionKind::RsaPrivateKey => PrivateKeyDer::Pkcs1(der.into()),
            SectionKind::EcPrivateKey => PrivateKeyDer::Sec1(der.into()),
            SectionKind::Certificate => return Err(PemError::CertificateForKey),
            kind @ (SectionKind::PublicKey | SectionKind::Crl | SectionKind::Csr | _) => {
                return Err(PemError::OtherKind { found: name(kind), expected: "a private key" });
            }
        };
        if found.replace(Zeroizing::new(key)).is_some() {
            return Err(PemError::SeveralKeys);
        }
    }
    match found {
        Some(key) => Ok(key),
        None if looks_like_der(text) => Err(PemError::Der { tool: "pkey" }),
        None => Err(PemError::Nothing { expected: "a private key" }),
    }
}

/// The PEM text of a private key, labelled by its encoding.
pub(crate) fn encode_key(key: &PrivateKeyDer<'_>) -> Zeroizing<String> {
    let label = match key {
        PrivateKeyDer::Pkcs1(_) => "RSA PRIVATE KEY",
        PrivateKeyDer::Sec1(_) => "EC PRIVATE KEY",
        PrivateKeyDer::Pkcs8(_) | _ => "PRIVATE KEY",
    };
    encode(label, key.secret_der())
}

/// The PEM text of one section, lines of 64 characters (RFC 7468).
pub(crate) fn encode(label: &str, der: &[u8]) -> Zeroizing<String> {
    // Sized beforehand: a text that grows would leave copies of a key behind.
    let lines = der.len().div_ceil(48);
    let mut text = String::with_capacity(lines * 65 + 2 * label.len() + 40);
    text.push_str("-----BEGIN ");
    text.push_str(label);
    text.push_str("-----\n");
    for line in der.chunks(48) {
        STANDARD.encode_string(line, &mut text);
        text.push('\n');
    }
    text.push_str("-----END ");
    text.push_str(label);
    text.push_str("-----\n");
    Zeroizing::new(text)
}

fn sections(text: &[u8]) -> Result<Vec<(SectionKind, Vec<u8>)>, PemError> {
    <(SectionKind, Vec<u8>)>::pem_slice_iter(text)
        .collect::<Result<Vec<_>, pem::Error>>()
        .map_err(|error| PemError::of(&error))
}

/// What is wrong, without the line itself: it may be part of a key.
fn describe(error: &pem::Error) -> &'static str {
    match error {
        pem::Error::MissingSectionEnd { .. } => "a section has no END line",
        pem::Error::IllegalSectionStart { .. } => "a BEGIN line is malformed",
        pem::Error::Base64Decode(_) => "a section is not base64",
        pem::Error::SectionTooLarge => "a section is too large",
        pem::Error::Io(_) | pem::Error::NoItemsFound | _ => "it cannot be read",
    }
}

pub(crate) fn name(kind: SectionKind) -> &'static str {
    match kind {
        SectionKind::Certificate => "a certificate",
        SectionKind::PublicKey => "a public key",
        SectionKind::RsaPrivateKey | SectionKind::PrivateKey | SectionKind::EcPrivateKey => "a private key",
        SectionKind::Crl => "a revocation list",
        SectionKind::Csr => "a certificate signing request",
        SectionKind::EchConfigList | _ => "something else",
    }
}

pub(crate) fn encrypted(text: &[u8]) -> bool {
    let has = |needle: &[u8]| text.windows(needle.len()).any(|window| window == needle);
    has(b"BEGIN ENCRYPTED PRIVATE KEY") || has(b"Proc-Type: 4,ENCRYPTED")
}

/// A DER certificate or key is a SEQUENCE with a long length.
fn looks_like_der(text: &[u8]) -> bool {
    matches!(text, [0x30, 0x81..=0x84, ..])
}
