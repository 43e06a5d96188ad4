//! Reading what a certificate says: its fingerprints and its public key.
//!
//! Two libraries read every certificate: webpki (which also verifies chains and handshake signatures) and x509-parser
//! (which gives the names and dates that people see). The public key that counts is the one that webpki saw, because a
//! handshake signature is checked with that one; a certificate in which the two libraries see different keys is refused.

use rustls_pki_types::CertificateDer;
use x509_parser::prelude::{FromDer, X509Certificate};

use crate::crypto::sha256;

/// The fixed part of a P-256 `SubjectPublicKeyInfo` with an uncompressed point (RFC 5480 section 2): the algorithm
/// id-ecPublicKey, the curve prime256v1, and the head of the bit string. 65 bytes of point follow.
const P256_SPKI_HEAD: [u8; 26] = [
    0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce,
    0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00,
];

/// Why a certificate could not be used at all.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CertificateError {
    /// The bytes are not an X.509 v3 certificate in DER.
    #[error("this is not an X.509 version 3 certificate in DER ({0}); reissue it with a current tool")]
    Malformed(String),
    /// webpki and x509-parser read different public keys: the certificate was made to be read in two ways.
    #[error("two libraries read different public keys from this certificate; do not use it, reissue it")]
    Ambiguous,
}

/// The two digests that a pin can name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Fingerprints {
    /// SHA-256 of the whole certificate in DER: changes with every reissue.
    pub leaf: [u8; 32],
    /// SHA-256 of the `SubjectPublicKeyInfo` in DER: stays when a certificate is reissued for the same key.
    pub spki: [u8; 32],
}

/// Both fingerprints of a certificate.
///
/// # Errors
/// [`CertificateError`] when the bytes are not one certificate that both libraries read alike.
pub fn fingerprints(cert_der: &[u8]) -> Result<Fingerprints, CertificateError> {
    let spki = peer_spki(cert_der)?;
    Ok(Fingerprints { leaf: sha256(cert_der), spki: sha256(&spki) })
}

/// The public key of a certificate as `SubjectPublicKeyInfo` in DER: the one with which webpki checks handshake
/// signatures, and equal to what x509-parser reads.
///
/// # Errors
/// As [`fingerprints`].
pub fn peer_spki(cert_der: &[u8]) -> Result<Vec<u8>, CertificateError> {
    let certificate = CertificateDer::from(cert_der);
    let verifying = webpki::EndEntityCert::try_from(&certificate)
        .map_err(|error| CertificateError::Malformed(error.to_string()))?
        .subject_public_key_info();
    let parsed = parse(cert_der)?;
    if parsed.tbs_certificate.subject_pki.raw != verifying.as_ref() {
        return Err(CertificateError::Ambiguous);
    }
    Ok(verifying.as_ref().to_vec())
}

/// x509-parser's reading of exactly one certificate.
pub(crate) fn parse(cert_der: &[u8]) -> Result<X509Certificate<'_>, CertificateError> {
    match X509Certificate::from_der(cert_der) {
        Ok(([], certificate)) => Ok(certificate),
        Ok((rest, _)) => Err(CertificateError::Malformed(format!("{} bytes follow the certificate", rest.len()))),
        Err(error) => Err(CertificateError::Malformed(error.to_string())),
    }
}

/// The uncompressed point of a P-256 `SubjectPublicKeyInfo`; `None` for any other kind or encoding of key.
pub(crate) fn p256_point(spki_der: &[u8]) -> Option<&[u8]> {
    let point = spki_der.strip_prefix(&P256_SPKI_HEAD)?;
    (point.len() == 65 && point[0] == 4).then_some(point)
}

/// The `SubjectPublicKeyInfo` of an uncompressed P-256 point.
pub(crate) fn p256_spki(point: &[u8]) -> Vec<u8> {
    [&P256_SPKI_HEAD, point].concat()
}
