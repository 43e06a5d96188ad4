//! A device's key pair: ECDSA P-256, made on the device, whose public half the master registers at enrolment.

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair, UnparsedPublicKey,
};
use rustls_pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use zeroize::Zeroizing;

use crate::certificate::{p256_point, p256_spki};
use crate::pem;

pub use crate::crypto::{random, sha256};

/// Why a text is not a device key. It never quotes the text.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a device key: {0}; a device key is an ECDSA P-256 key in PEM (PKCS#8, `BEGIN PRIVATE KEY`)")]
pub struct DeviceKeyError(pub(crate) String);

/// An ECDSA P-256 private key. No `Debug`, no `Clone`; its PKCS#8 form is wiped when dropped.
pub struct DeviceKey {
    pkcs8: Zeroizing<Vec<u8>>,
    pair: EcdsaKeyPair,
}

impl DeviceKey {
    /// A new random key.
    ///
    /// # Panics
    /// When the operating system has neither memory nor random bytes to make one.
    #[must_use]
    pub fn generate() -> Self {
        let made = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING)
            .and_then(|pair| Ok((Zeroizing::new(pair.to_pkcs8v1()?.as_ref().to_vec()), pair)));
        let (pkcs8, pair) = made.expect("the operating system gives random bytes");
        Self { pkcs8, pair }
    }

    /// Reads [`Self::to_pkcs8_pem`].
    ///
    /// # Errors
    /// [`DeviceKeyError`] for anything but one P-256 private key in PEM.
    pub fn from_pkcs8_pem(text: &str) -> Result<Self, DeviceKeyError> {
        let key = pem::private_key(text.as_bytes()).map_err(|error| DeviceKeyError(error.to_string()))?;
        Self::from_der(&key)
    }

    /// The key pair of a P-256 key in PKCS#8 or SEC1.
    pub(crate) fn from_der(key: &PrivateKeyDer<'_>) -> Result<Self, DeviceKeyError> {
        let pair = EcdsaKeyPair::from_private_key_der(&ECDSA_P256_SHA256_FIXED_SIGNING, key.secret_der())
            .map_err(|_| DeviceKeyError("the key is of another kind than P-256".to_owned()))?;
        let pkcs8 = pair.to_pkcs8v1().map_err(|_| DeviceKeyError("the key cannot be encoded".to_owned()))?;
        Ok(Self { pkcs8: Zeroizing::new(pkcs8.as_ref().to_vec()), pair })
    }

    /// The key in PEM, for a file of mode 0600.
    #[must_use]
    pub fn to_pkcs8_pem(&self) -> Zeroizing<String> {
        pem::encode("PRIVATE KEY", &self.pkcs8)
    }

    /// The public key as `SubjectPublicKeyInfo` in DER, 91 bytes.
    #[must_use]
    pub fn spki(&self) -> Vec<u8> {
        p256_spki(self.pair.public_key().as_ref())
    }

    /// ECDSA over the SHA-256 of `message`: r then s, 32 bytes each, big-endian.
    ///
    /// # Panics
    /// When the operating system has no random bytes.
    #[must_use]
    pub fn sign(&self, message: &[u8]) -> [u8; 64] {
        sign_fixed(&self.pair, message).expect("signing with a valid key fails only without random bytes")
    }

    pub(crate) fn pkcs8_der(&self) -> PrivateKeyDer<'static> {
        PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(self.pkcs8.to_vec()))
    }
}

/// ECDSA P-256 with SHA-256 in the fixed form; `None` only when the system fails.
pub(crate) fn sign_fixed(pair: &EcdsaKeyPair, message: &[u8]) -> Option<[u8; 64]> {
    let signature = pair.sign(&SystemRandom::new(), message).ok()?;
    signature.as_ref().try_into().ok()
}

/// Whether `signature` (r then s, 32 bytes each) over the SHA-256 of `message` was made by the owner of this P-256 key.
///
/// False for a key of another kind or curve, and for a point that is not on the curve.
#[must_use]
pub fn verify_p256(spki_der: &[u8], message: &[u8], signature: &[u8; 64]) -> bool {
    p256_point(spki_der)
        .is_some_and(|point| UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point).verify(message, signature).is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sign_and_verify() {
        let key = DeviceKey::generate();
        let spki = key.spki();
        assert_eq!(spki.len(), 91);
        let mut signature = key.sign(b"message");
        assert!(verify_p256(&spki, b"message", &signature));
        assert!(!verify_p256(&spki, b"massage", &signature));
        assert!(!verify_p256(&DeviceKey::generate().spki(), b"message", &signature));
        assert!(!verify_p256(&spki[..90], b"message", &signature));
        assert!(!verify_p256(&[], b"message", &signature));
        signature[63] ^= 1;
        assert!(!verify_p256(&spki, b"message", &signature));
        // r = s = 0 is valid for no message (FIPS 186-5 section 6.4.2).
        assert!(!verify_p256(&spki, b"message", &[0; 64]));
        let mut off_curve = spki.clone();
        off_curve[90] ^= 1;
        assert!(!verify_p256(&off_curve, b"message", &key.sign(b"message")));
    }

    #[test]
    fn pem_round_trip_and_refusals() {
        let key = DeviceKey::generate();
        let text = key.to_pkcs8_pem();
        let again = DeviceKey::from_pkcs8_pem(&text).ok().unwrap();
        assert_eq!(again.spki(), key.spki());
        let other = rcgen::KeyPair::generate_for(&rcgen::PKCS_ED25519).unwrap().serialize_pem();
        let p384 = rcgen::KeyPair::generate_for(&rcgen::PKCS_ECDSA_P384_SHA384).unwrap().serialize_pem();
        for wrong in ["", "hello", &other, &p384, &format!("{}{}", *text, *text), &text[..60]] {
            let error = DeviceKey::from_pkcs8_pem(wrong).err().unwrap().to_string();
            assert!(error.contains("P-256"), "{error}");
        }
    }
}
