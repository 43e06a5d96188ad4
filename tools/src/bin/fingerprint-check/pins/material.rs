//! What people hash by mistake when they make a pin, and with what.

use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, SHA256, SHA384, SHA512};
use base64::{Engine, engine::general_purpose::STANDARD};
use md5::{Digest, Md5};
use rsa::pkcs1::DecodeRsaPublicKey;
use rsa::{RsaPublicKey, traits::PublicKeyParts};
use x509_parser::prelude::{FromDer, ParsedExtension, X509Certificate};

use crate::evidence::{Certificate, Key};

/// Bytes of a certificate, in the words of a sentence that goes on "of the server's certificate".
pub struct Material {
    /// What it is: `the PEM text`.
    pub what: &'static str,
    /// The bytes.
    pub bytes: Vec<u8>,
}

/// Everything in and around a certificate that somebody might have hashed, the plausible first. The certificate in DER and
/// its key in DER, which pins name, come before all others.
pub fn of(certificate: &Certificate) -> Vec<Material> {
    let der: &[u8] = &certificate.der;
    let spki = certificate.spki.as_slice();
    let mut all =
        vec![Material { what: CERTIFICATE, bytes: der.to_vec() }, Material { what: KEY, bytes: spki.to_vec() }];
    let mut add = |what, bytes: Vec<u8>| all.push(Material { what, bytes });
    for text in pem_texts("CERTIFICATE", der) {
        add("the PEM text", text.into_bytes());
    }
    for text in pem_texts("PUBLIC KEY", spki) {
        add("the PEM text of the public key", text.into_bytes());
    }
    for (what, bytes) in [("the base64", der), ("the base64 of the public key", spki)] {
        let text = STANDARD.encode(bytes);
        add(what, format!("{text}\n").into_bytes());
        add(what, text.into_bytes());
    }
    for digest in [certificate.fingerprints.leaf, certificate.fingerprints.spki] {
        let text = hex(&digest);
        let upper = colons(&text);
        for again in [text.clone(), format!("{text}\n"), upper.clone(), format!("{upper}\n")] {
            add("the text of a fingerprint", again.into_bytes());
        }
        add("the bytes of a fingerprint", digest.to_vec());
        let base64 = STANDARD.encode(digest);
        add("the text of a fingerprint", format!("{base64}\n").into_bytes());
        add("the text of a fingerprint", base64.into_bytes());
    }
    if let Ok((_, parsed)) = X509Certificate::from_der(der) {
        add("the signed part", parsed.tbs_certificate.as_ref().to_vec());
        add("the public key without the name of its algorithm", parsed.public_key().subject_public_key.data.to_vec());
    }
    if let Some(blob) = ssh_blob(certificate) {
        add("the public key as SSH encodes it", blob);
    }
    all
}

/// The bytes that a `leaf:` pin names.
pub const CERTIFICATE: &str = "the certificate";
/// The bytes that an `spki:` pin names.
pub const KEY: &str = "the public key";

/// Values of a certificate that are taken for a fingerprint because they look like one.
pub fn look_alikes(certificate: &Certificate) -> Vec<Material> {
    let Ok((_, parsed)) = X509Certificate::from_der(&certificate.der) else { return Vec::new() };
    let mut all = vec![Material { what: "the serial number", bytes: parsed.raw_serial().to_vec() }];
    for extension in parsed.iter_extensions() {
        if let ParsedExtension::SubjectKeyIdentifier(identifier) = extension.parsed_extension() {
            all.push(Material { what: "the subject key identifier", bytes: identifier.0.to_vec() });
        }
    }
    all
}

/// The digest of `bytes` by the hash whose digests have that many bytes, and the name of the hash.
pub fn digest(bytes: &[u8], size: usize) -> Option<(&'static str, Vec<u8>)> {
    let (name, hash) = match size {
        16 => return Some(("MD5", Md5::digest(bytes).to_vec())),
        20 => ("SHA-1", &SHA1_FOR_LEGACY_USE_ONLY),
        32 => ("SHA-256", &SHA256),
        48 => ("SHA-384", &SHA384),
        64 => ("SHA-512", &SHA512),
        _ => return None,
    };
    Some((name, aws_lc_rs::digest::digest(hash, bytes).as_ref().to_vec()))
}

/// As files have it: with a line feed at the end, without, with carriage returns.
fn pem_texts(label: &str, der: &[u8]) -> [String; 3] {
    let lines: String = der.chunks(48).map(|line| STANDARD.encode(line) + "\n").collect();
    let text = format!("-----BEGIN {label}-----\n{lines}-----END {label}-----\n");
    [text.trim_end().to_owned(), text.replace('\n', "\r\n"), text]
}

pub fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn colons(digits: &str) -> String {
    let upper = digits.to_uppercase();
    let pairs: Vec<&str> = upper.as_bytes().chunks(2).filter_map(|pair| std::str::from_utf8(pair).ok()).collect();
    pairs.join(":")
}

/// The public key as `ssh-keygen` hashes it (RFC 4253 section 6.6, RFC 5656 section 3.1, RFC 8709 section 4).
fn ssh_blob(certificate: &Certificate) -> Option<Vec<u8>> {
    let (_, parsed) = X509Certificate::from_der(&certificate.der).ok()?;
    let bits: &[u8] = &parsed.public_key().subject_public_key.data;
    let elliptic = |curve: &str| [format!("ecdsa-sha2-{curve}").into_bytes(), curve.as_bytes().to_vec(), bits.to_vec()];
    let fields: Vec<Vec<u8>> = match &certificate.key {
        Key::P256 => elliptic("nistp256").into(),
        Key::P384 => elliptic("nistp384").into(),
        Key::P521 => elliptic("nistp521").into(),
        Key::Ed25519 => vec![b"ssh-ed25519".to_vec(), bits.to_vec()],
        Key::Rsa { .. } => {
            let key = RsaPublicKey::from_pkcs1_der(bits).ok()?;
            vec![b"ssh-rsa".to_vec(), unsigned(&key.e().to_bytes_be()), unsigned(&key.n().to_bytes_be())]
        }
        Key::Ed448 | Key::Other(_) => return None,
    };
    let mut blob = Vec::new();
    for field in fields {
        blob.extend(u32::try_from(field.len()).ok()?.to_be_bytes());
        blob.extend(field);
    }
    Some(blob)
}

/// A number that is not negative, as SSH writes it: a zero before a leading one bit.
fn unsigned(bytes: &[u8]) -> Vec<u8> {
    let zero: &[u8] = if bytes.first().is_some_and(|byte| byte & 0x80 != 0) { &[0] } else { &[] };
    [zero, bytes].concat()
}
