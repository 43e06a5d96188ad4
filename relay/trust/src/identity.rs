//! An identity: a certificate chain and the private key that belongs to its leaf; loading, making and writing one.

mod finding;
mod issue;
mod load;

use std::path::Path;
use std::sync::Arc;

use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair};
use rustls::sign::CertifiedKey;
use rustls_pki_types::{CertificateDer, PrivateKeyDer, UnixTime};
use zeroize::Zeroizing;

use crate::certificate::{CertificateError, Fingerprints, fingerprints, peer_spki};
use crate::device_key::{DeviceKey, sign_fixed};
use crate::files::{self, SecretFileError};
use crate::pem;

pub use finding::Finding;
pub use issue::{MAX_DAYS, MAX_NAMES};
pub use load::IdentityError;

/// A certificate chain with the private key of its leaf. No `Debug`, no `Clone`; the key is wiped when dropped.
pub struct Identity {
    certified: Arc<CertifiedKey>,
    key: Zeroizing<PrivateKeyDer<'static>>,
    /// Present for P-256 keys, which are the only ones that [`Identity::sign`] uses.
    signing: Option<EcdsaKeyPair>,
    fingerprints: Fingerprints,
    spki: Vec<u8>,
}

impl Identity {
    /// Loads a PEM chain (leaf first) and its key (PKCS#8, SEC1 or PKCS#1) from two files.
    ///
    /// An expired certificate loads, with a [`Finding`]: whether that matters depends on who looks at it.
    ///
    /// # Errors
    /// [`IdentityError`]: a file cannot be read, is too large or is the wrong one, others can read the key, the key
    /// belongs to another certificate.
    pub fn load(chain_pem: &Path, key_pem: &Path) -> Result<Self, IdentityError> {
        load::load(chain_pem, key_pem)
    }

    /// The same of two texts that are at hand; errors call them `chain` and `key`.
    ///
    /// # Errors
    /// As [`Self::load`], apart from the files.
    pub fn from_pem(chain: &[u8], key: &[u8]) -> Result<Self, IdentityError> {
        load::of_texts((Path::new("chain"), chain), (Path::new("key"), key))
    }

    /// A new key with a self-signed server certificate: ECDSA P-256, `CA:FALSE`, serverAuth, these names (DNS names and
    /// IP addresses told apart), valid from one hour ago for `days`.
    ///
    /// # Errors
    /// [`IdentityError`] for no names, a name that is neither a DNS name nor an address, or days outside 1 to 825.
    pub fn self_signed(names: &[String], days: u32) -> Result<Self, IdentityError> {
        issue::server(&DeviceKey::generate(), names, days)
    }

    /// A new self-signed server certificate for the key that this identity has: SPKI pins stay valid, leaf pins do not.
    ///
    /// # Errors
    /// As [`Self::self_signed`], and when this identity's key is not P-256.
    pub fn reissue(&self, names: &[String], days: u32) -> Result<Self, IdentityError> {
        let key = DeviceKey::from_der(&self.key).map_err(|_| IdentityError::NotP256)?;
        issue::server(&key, names, days)
    }

    /// A new key with a self-signed client certificate that names `common_name` (cut to 64 characters).
    ///
    /// # Errors
    /// [`IdentityError::Issue`] when the certificate cannot be made.
    pub fn device(common_name: &str) -> Result<Self, IdentityError> {
        issue::client(&DeviceKey::generate(), common_name)
    }

    /// A self-signed client certificate for a device's key. The name in it means nothing: its key is what counts.
    ///
    /// # Errors
    /// [`IdentityError::Issue`] when the certificate cannot be made.
    pub fn from_device_key(key: &DeviceKey) -> Result<Self, IdentityError> {
        issue::client(key, "device")
    }

    /// The chain, leaf first.
    #[must_use]
    pub fn chain(&self) -> &[CertificateDer<'static>] {
        &self.certified.cert
    }

    /// The certificate that the key belongs to.
    #[must_use]
    pub fn leaf(&self) -> &CertificateDer<'static> {
        &self.certified.cert[0]
    }

    /// Chain and key as rustls takes them; shared, not copied.
    #[must_use]
    pub fn certified_key(&self) -> Arc<CertifiedKey> {
        Arc::clone(&self.certified)
    }

    /// The chain in PEM.
    #[must_use]
    pub fn chain_pem(&self) -> String {
        self.chain().iter().map(|certificate| pem::encode("CERTIFICATE", certificate).to_string()).collect()
    }

    /// The key in PEM, for a file of mode 0600.
    #[must_use]
    pub fn key_pem(&self) -> Zeroizing<String> {
        pem::encode_key(&self.key)
    }

    /// Both fingerprints of the leaf.
    #[must_use]
    pub const fn fingerprints(&self) -> Fingerprints {
        self.fingerprints
    }

    /// The leaf's public key as `SubjectPublicKeyInfo` in DER.
    #[must_use]
    pub fn spki(&self) -> Vec<u8> {
        self.spki.clone()
    }

    /// ECDSA over the SHA-256 of `message`: r then s, 32 bytes each. The master signs grants with it.
    ///
    /// # Errors
    /// [`IdentityError::NotP256`] for a key of another kind.
    pub fn sign(&self, message: &[u8]) -> Result<[u8; 64], IdentityError> {
        let pair = self.signing.as_ref().ok_or(IdentityError::NotP256)?;
        sign_fixed(pair, message).ok_or(IdentityError::Signing)
    }

    /// What an administrator should know about the leaf at `at`, the gravest first.
    #[must_use]
    pub fn findings(&self, at: UnixTime) -> Vec<Finding> {
        Finding::of(self.leaf(), at)
    }

    /// [`Self::findings`] at this moment, as sentences.
    #[must_use]
    pub fn warnings(&self) -> Vec<String> {
        self.findings(UnixTime::now()).iter().map(ToString::to_string).collect()
    }

    /// The end of the leaf's validity, in seconds since 1970; `None` if the leaf cannot be read or ended before that.
    #[must_use]
    pub fn expires_at(&self) -> Option<u64> {
        finding::end_of_validity(self.leaf())
    }

    /// Writes the chain (mode 0644) and the key (mode 0600) into two new files. Existing ones are left alone, and when
    /// the second cannot be written the first is taken back.
    ///
    /// # Errors
    /// [`SecretFileError`], with the path and what to do.
    pub fn write(&self, chain_pem: &Path, key_pem: &Path) -> Result<(), SecretFileError> {
        files::write_new(key_pem, &self.key_pem(), files::SECRET_MODE, files::Owner::Process)?;
        files::write_new(chain_pem, &self.chain_pem(), files::PUBLIC_MODE, files::Owner::Process).inspect_err(|_| {
            // Best effort: the error that matters is the one being reported.
            let _ = std::fs::remove_file(key_pem);
        })
    }

    fn assemble(certified: CertifiedKey, key: Zeroizing<PrivateKeyDer<'static>>) -> Result<Self, CertificateError> {
        let leaf = certified.cert.first().ok_or_else(|| CertificateError::Malformed("no certificate".to_owned()))?;
        let (fingerprints, spki) = (fingerprints(leaf)?, peer_spki(leaf)?);
        let signing = EcdsaKeyPair::from_private_key_der(&ECDSA_P256_SHA256_FIXED_SIGNING, key.secret_der()).ok();
        Ok(Self { certified: Arc::new(certified), key, signing, fingerprints, spki })
    }
}
