//! One certificate, read once into the facts that verdicts speak of.
//!
//! Two libraries read it, as in `relay_trust`: the key that counts is the one that webpki checks handshake signatures with,
//! and x509-parser, which gives names and dates, must see the same one.

use std::{fmt, net::IpAddr};

use relay_trust::{CertificateError, Fingerprints, fingerprints, peer_spki, sha256};
use rustls_pki_types::CertificateDer;
use x509_parser::{
    der_parser::Oid,
    prelude::{FromDer, GeneralName, ParsedExtension, X509Certificate},
    public_key::PublicKey,
    signature_algorithm::SignatureAlgorithm,
    x509::{AlgorithmIdentifier, SubjectPublicKeyInfo, X509Name},
};

/// Characters of a text that a certificate carries which are kept: whoever issued it chose them.
const TEXT_MAX: usize = 256;
/// Names of one certificate that are kept.
const NAMES_MAX: usize = 1000;

/// What a certificate says of itself.
#[derive(Debug, Clone)]
pub struct Certificate {
    /// The bytes.
    pub der: CertificateDer<'static>,
    /// How its public key is known.
    pub key_reading: KeyReading,
    /// Its `SubjectPublicKeyInfo` in DER.
    pub spki: Vec<u8>,
    /// What pins name.
    pub fingerprints: Fingerprints,
    /// 1 to 3.
    pub version: u32,
    /// Whom it is for, as people write it.
    pub subject: String,
    /// Who issued it, as people write it.
    pub issuer: String,
    /// Subject and issuer are the same, byte for byte.
    pub self_issued: bool,
    /// The serial number in hexadecimal.
    pub serial: String,
    /// DNS names and IP addresses of its subjectAltName.
    pub names: Vec<String>,
    /// The first second of its validity, since 1970.
    pub not_before: i64,
    /// The last second of its validity, since 1970.
    pub not_after: i64,
    /// The `CA` of its basicConstraints; `None`: it has none.
    pub ca: Option<bool>,
    /// Whether its extended key usage lists serverAuth; `None`: it has none.
    pub server_auth: Option<bool>,
    /// Its key.
    pub key: Key,
    /// How its issuer signed it.
    pub signature_hash: SignatureHash,
}

/// How the public key of a certificate is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeyReading {
    /// webpki, which checks handshake signatures, and x509-parser read the same one.
    Agreed,
    /// webpki refuses such certificates (version 1, for instance), for this reason; x509-parser read the key, and handshake
    /// signatures are checked with exactly that one.
    OneReader(String),
}

/// A public key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Key {
    /// RSA with a modulus of that many bits.
    Rsa {
        /// Bits.
        bits: usize,
    },
    /// ECDSA on P-256.
    P256,
    /// ECDSA on P-384.
    P384,
    /// ECDSA on P-521.
    P521,
    /// Ed25519.
    Ed25519,
    /// Ed448.
    Ed448,
    /// Anything else, by its object identifier.
    Other(String),
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rsa { bits } => write!(f, "RSA-{bits}"),
            Self::P256 => f.write_str("ECDSA P-256"),
            Self::P384 => f.write_str("ECDSA P-384"),
            Self::P521 => f.write_str("ECDSA P-521"),
            Self::Ed25519 => f.write_str("Ed25519"),
            Self::Ed448 => f.write_str("Ed448"),
            Self::Other(oid) => write!(f, "a key of kind {oid}"),
        }
    }
}

/// The hash under the signature of a certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SignatureHash {
    /// Broken.
    Md5,
    /// Broken.
    Sha1,
    /// Sound.
    Sha256,
    /// Sound.
    Sha384,
    /// Sound.
    Sha512,
    /// Ed25519 and Ed448 have theirs built in.
    BuiltIn,
    /// Anything else, by the object identifier of the signature.
    Other(String),
}

impl SignatureHash {
    /// Whether forgeries are feasible.
    pub const fn is_broken(&self) -> bool {
        match self {
            Self::Md5 | Self::Sha1 => true,
            Self::Sha256 | Self::Sha384 | Self::Sha512 | Self::BuiltIn | Self::Other(_) => false,
        }
    }
}

impl fmt::Display for SignatureHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Md5 => "MD5",
            Self::Sha1 => "SHA-1",
            Self::Sha256 => "SHA-256",
            Self::Sha384 => "SHA-384",
            Self::Sha512 => "SHA-512",
            Self::BuiltIn => "built-in hash",
            Self::Other(oid) => oid,
        })
    }
}

/// Why there is nothing to judge.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unreadable {
    /// A server with an empty list, a file with nothing in it.
    #[error("no certificate was presented; configure one at the server")]
    Nothing,
    /// Not a certificate.
    #[error("the certificate cannot be read ({0}); reissue it with a current tool")]
    Malformed(String),
    /// Two libraries read different keys: the certificate was made to be read in two ways.
    #[error("two libraries read different public keys from this certificate; do not use it, reissue it")]
    Ambiguous,
}

impl Certificate {
    /// Reads one.
    ///
    /// # Errors
    /// [`Unreadable`] when x509-parser cannot read it, or webpki reads another key.
    pub fn read(der: CertificateDer<'static>) -> Result<Self, Unreadable> {
        let (fingerprints, spki, key_reading) = keys(&der)?;
        let parsed = parse(&der)?;
        let mut facts = Extensions::default();
        for extension in parsed.iter_extensions() {
            facts.note(extension.parsed_extension());
        }
        Ok(Self {
            key_reading,
            spki,
            fingerprints,
            version: parsed.version().0.saturating_add(1),
            subject: shown(parsed.subject()),
            issuer: shown(parsed.issuer()),
            self_issued: parsed.subject().as_raw() == parsed.issuer().as_raw(),
            serial: bounded(&parsed.raw_serial_as_string()),
            names: facts.names,
            not_before: parsed.validity().not_before.timestamp(),
            not_after: parsed.validity().not_after.timestamp(),
            ca: facts.ca,
            server_auth: facts.server_auth,
            key: key(parsed.public_key()),
            signature_hash: signature_hash(&parsed.signature_algorithm),
            der: der.clone(),
        })
    }
}

fn keys(der: &CertificateDer<'_>) -> Result<(Fingerprints, Vec<u8>, KeyReading), Unreadable> {
    match (fingerprints(der), peer_spki(der)) {
        (Ok(both), Ok(spki)) => Ok((both, spki, KeyReading::Agreed)),
        (Err(CertificateError::Ambiguous), _) | (_, Err(CertificateError::Ambiguous)) => Err(Unreadable::Ambiguous),
        (Err(CertificateError::Malformed(reason)), _) | (_, Err(CertificateError::Malformed(reason))) => {
            let spki = parse(der)?.public_key().raw.to_vec();
            let both = Fingerprints { leaf: sha256(der), spki: sha256(&spki) };
            Ok((both, spki, KeyReading::OneReader(bounded(&reason))))
        }
    }
}

fn parse<'a>(der: &'a CertificateDer<'_>) -> Result<X509Certificate<'a>, Unreadable> {
    match X509Certificate::from_der(der) {
        Ok(([], certificate)) => Ok(certificate),
        Ok((rest, _)) => Err(Unreadable::Malformed(format!("{} bytes follow it", rest.len()))),
        Err(error) => Err(Unreadable::Malformed(bounded(&error.to_string()))),
    }
}

/// What the extensions say that anybody here asks for.
#[derive(Default)]
struct Extensions {
    names: Vec<String>,
    ca: Option<bool>,
    server_auth: Option<bool>,
}

impl Extensions {
    #[expect(clippy::wildcard_enum_match_arm, reason = "x509-parser's enums: all others are of no concern here")]
    fn note(&mut self, extension: &ParsedExtension<'_>) {
        match extension {
            ParsedExtension::BasicConstraints(constraints) => self.ca = Some(constraints.ca),
            ParsedExtension::ExtendedKeyUsage(usage) => self.server_auth = Some(usage.server_auth || usage.any),
            ParsedExtension::SubjectAlternativeName(list) => {
                self.names.extend(list.general_names.iter().take(NAMES_MAX).filter_map(|name| match name {
                    GeneralName::DNSName(name) => Some(bounded(name)),
                    GeneralName::IPAddress(octets) => address(octets),
                    _ => None,
                }));
            }
            _ => {}
        }
    }
}

fn address(octets: &[u8]) -> Option<String> {
    let v4 = <[u8; 4]>::try_from(octets).map(IpAddr::from);
    v4.or_else(|_| <[u8; 16]>::try_from(octets).map(IpAddr::from)).ok().map(|address| address.to_string())
}

fn key(spki: &SubjectPublicKeyInfo<'_>) -> Key {
    if let Ok(PublicKey::RSA(rsa)) = spki.parsed() {
        let modulus = rsa.modulus.iter().position(|byte| *byte != 0).map_or(&[][..], |first| &rsa.modulus[first..]);
        let unused = modulus.first().map_or(0, |byte| byte.leading_zeros() as usize);
        return Key::Rsa { bits: modulus.len() * 8 - unused };
    }
    let algorithm = oid(&spki.algorithm.algorithm);
    match algorithm.as_str() {
        "1.3.101.112" => Key::Ed25519,
        "1.3.101.113" => Key::Ed448,
        "1.2.840.10045.2.1" => curve(&spki.algorithm),
        _ => Key::Other(algorithm),
    }
}

fn curve(algorithm: &AlgorithmIdentifier<'_>) -> Key {
    let curve = algorithm.parameters.as_ref().and_then(|any| any.as_oid().ok());
    let name = curve.map_or_else(|| "explicit".to_owned(), |curve| oid(&curve));
    match name.as_str() {
        "1.2.840.10045.3.1.7" => Key::P256,
        "1.3.132.0.34" => Key::P384,
        "1.3.132.0.35" => Key::P521,
        _ => Key::Other(format!("elliptic curve {name}")),
    }
}

fn signature_hash(algorithm: &AlgorithmIdentifier<'_>) -> SignatureHash {
    if let Ok(SignatureAlgorithm::RSASSA_PSS(parameters)) = SignatureAlgorithm::try_from(algorithm) {
        return by_oid(oid(parameters.hash_algorithm_oid()));
    }
    by_oid(oid(&algorithm.algorithm))
}

/// Hashes and the signatures over them (RFC 3279, 4055, 5758, 8410).
fn by_oid(oid: String) -> SignatureHash {
    match oid.as_str() {
        "1.2.840.113549.1.1.4" | "1.3.14.3.2.25" => SignatureHash::Md5,
        "1.2.840.113549.1.1.5" | "1.3.14.3.2.29" | "1.2.840.10045.4.1" | "1.2.840.10040.4.3" | "1.3.14.3.2.26" => {
            SignatureHash::Sha1
        }
        "1.2.840.113549.1.1.11" | "1.2.840.10045.4.3.2" | "2.16.840.1.101.3.4.2.1" => SignatureHash::Sha256,
        "1.2.840.113549.1.1.12" | "1.2.840.10045.4.3.3" | "2.16.840.1.101.3.4.2.2" => SignatureHash::Sha384,
        "1.2.840.113549.1.1.13" | "1.2.840.10045.4.3.4" | "2.16.840.1.101.3.4.2.3" => SignatureHash::Sha512,
        "1.3.101.112" | "1.3.101.113" => SignatureHash::BuiltIn,
        _ => SignatureHash::Other(oid),
    }
}

fn oid(oid: &Oid<'_>) -> String {
    bounded(&oid.to_id_string())
}

fn shown(name: &X509Name<'_>) -> String {
    bounded(&name.to_string())
}

/// A stranger's text: printable, and not longer than anybody reads.
fn bounded(text: &str) -> String {
    text.chars().take(TEXT_MAX).map(|c| if c.is_control() || turns(c) { '?' } else { c }).collect()
}

/// Characters that change the direction of what follows, so that a name would be shown as another.
pub const fn turns(character: char) -> bool {
    matches!(character, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}
