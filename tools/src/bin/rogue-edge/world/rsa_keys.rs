//! RSA keys that do what the TLS provider's refuse to: 1,024 bits, and signatures with SHA-1 and MD5.

use std::{fmt, sync::Arc};

use md5::Md5;
use rcgen::{KeyPair, PKCS_RSA_SHA256, PublicKeyData, RsaKeySize, SignatureAlgorithm as IssueAlgorithm};
use rsa::{
    Pkcs1v15Encrypt, Pkcs1v15Sign, RsaPrivateKey,
    pkcs1::EncodeRsaPublicKey,
    pkcs8::DecodePrivateKey,
    rand_core::{CryptoRng, RngCore},
    traits::SignatureScheme as _,
};
use rustls::{
    SignatureAlgorithm, SignatureScheme,
    sign::{Signer, SigningKey},
};
use sha1::Sha1;
use sha2::{Digest, Sha256};

use super::der::Parts;
use crate::error::Error;

/// With which hash something is signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hash {
    /// Broken since 2004.
    Md5,
    /// Broken since 2017.
    Sha1,
    /// Right.
    Sha256,
}

impl Hash {
    /// The last byte of the object identifier of "this hash with RSA", 1.2.840.113549.1.1.x (RFC 8017 appendix C).
    const fn identifier(self) -> u8 {
        match self {
            Self::Md5 => 4,
            Self::Sha1 => 5,
            Self::Sha256 => 11,
        }
    }

    /// In TLS 1.2 (RFC 5246 section 7.4.1.4.1).
    const fn scheme(self) -> SignatureScheme {
        match self {
            Self::Md5 => SignatureScheme::Unknown(0x0101),
            Self::Sha1 => SignatureScheme::RSA_PKCS1_SHA1,
            Self::Sha256 => SignatureScheme::RSA_PKCS1_SHA256,
        }
    }
}

/// 1.2.840.113549.1.1 in DER, and the last part follows.
const RSA_WITH: [u8; 10] = [0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01];

/// An RSA key.
pub struct RsaKey {
    key: RsaPrivateKey,
    /// Its public half, as certificates carry it.
    public: Vec<u8>,
}

impl fmt::Debug for RsaKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RsaKey")
    }
}

impl RsaKey {
    /// A new key of 2,048 bits.
    pub fn generate() -> Result<Arc<Self>, Error> {
        let pair = KeyPair::generate_rsa_for(&PKCS_RSA_SHA256, RsaKeySize::_2048);
        let pair = pair.map_err(Error::making("an RSA key"))?;
        Self::of(RsaPrivateKey::from_pkcs8_der(&pair.serialize_der()).map_err(Error::making("an RSA key"))?)
    }

    /// A new key of 1,024 bits.
    pub fn generate_short() -> Result<Arc<Self>, Error> {
        Self::of(RsaPrivateKey::new(&mut SystemRandom, 1024).map_err(Error::making("an RSA key of 1,024 bits"))?)
    }

    fn of(key: RsaPrivateKey) -> Result<Arc<Self>, Error> {
        let public = key.to_public_key().to_pkcs1_der().map_err(Error::making("an RSA key"))?.as_bytes().to_vec();
        Ok(Arc::new(Self { key, public }))
    }

    /// PKCS #1 v1.5 (RFC 8017 section 8.2).
    pub fn sign(&self, hash: Hash, message: &[u8]) -> Result<Vec<u8>, rsa::Error> {
        match hash {
            Hash::Md5 => self.key.sign(Pkcs1v15Sign::new::<Md5>(), &Md5::digest(message)),
            Hash::Sha1 => self.key.sign(Pkcs1v15Sign::new::<Sha1>(), &Sha1::digest(message)),
            Hash::Sha256 => self.key.sign(Pkcs1v15Sign::new::<Sha256>(), &Sha256::digest(message)),
        }
    }

    /// What a client of TLS 1.1 or older encrypted for this key; `None` if it is nothing of the kind.
    pub fn decrypt(&self, encrypted: &[u8]) -> Option<Vec<u8>> {
        self.key.decrypt(Pkcs1v15Encrypt, encrypted).ok()
    }

    /// What a client of TLS 1.1 or older sends.
    #[cfg(test)]
    pub fn encrypt(&self, secret: &[u8]) -> Vec<u8> {
        self.key.to_public_key().encrypt(&mut SystemRandom, Pkcs1v15Encrypt, secret).unwrap()
    }

    /// The certificate, which this key has signed with SHA-256, renamed and signed with `hash`; `None` for another one.
    pub fn sign_again(&self, hash: Hash, certificate: &[u8]) -> Option<Vec<u8>> {
        let mut parts = Parts::of(certificate)?;
        for names in [&mut parts.signed, &mut parts.algorithm] {
            let at = names.windows(RSA_WITH.len()).position(|window| window == RSA_WITH)?;
            let last = names.get_mut(at + RSA_WITH.len())?;
            if *last != Hash::Sha256.identifier() {
                return None;
            }
            *last = hash.identifier();
        }
        parts.signature = self.sign(hash, &parts.signed).ok()?;
        Some(parts.certificate())
    }
}

impl PublicKeyData for RsaKey {
    fn der_bytes(&self) -> &[u8] {
        &self.public
    }

    fn algorithm(&self) -> &'static IssueAlgorithm {
        &PKCS_RSA_SHA256
    }
}

/// A key that issues certificates.
pub struct Issuing(pub Arc<RsaKey>);

impl PublicKeyData for Issuing {
    fn der_bytes(&self) -> &[u8] {
        self.0.der_bytes()
    }

    fn algorithm(&self) -> &'static IssueAlgorithm {
        PublicKeyData::algorithm(&*self.0)
    }
}

impl rcgen::SigningKey for Issuing {
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, rcgen::Error> {
        self.0.sign(Hash::Sha256, message).map_err(|_| rcgen::Error::RemoteKeyError)
    }
}

/// Signs handshakes with a key of any size and one hash, whether the client offered it or not.
#[derive(Clone, Debug)]
pub struct Handshakes {
    key: Arc<RsaKey>,
    /// `None`: as the client likes, with SHA-256.
    hash: Option<Hash>,
}

impl Handshakes {
    /// As the client likes.
    pub fn proper(key: &Arc<RsaKey>) -> Arc<dyn SigningKey> {
        Arc::new(Self { key: Arc::clone(key), hash: None })
    }

    /// With this hash, always.
    pub fn with(key: &Arc<RsaKey>, hash: Hash) -> Arc<dyn SigningKey> {
        Arc::new(Self { key: Arc::clone(key), hash: Some(hash) })
    }
}

impl SigningKey for Handshakes {
    fn choose_scheme(&self, offered: &[SignatureScheme]) -> Option<Box<dyn Signer>> {
        let proper = [SignatureScheme::RSA_PSS_SHA256, SignatureScheme::RSA_PKCS1_SHA256];
        let scheme = match self.hash {
            Some(hash) => hash.scheme(),
            None => *proper.iter().find(|scheme| offered.contains(scheme))?,
        };
        Some(Box::new(OneHandshake { key: Arc::clone(&self.key), scheme, hash: self.hash.unwrap_or(Hash::Sha256) }))
    }

    fn algorithm(&self) -> SignatureAlgorithm {
        SignatureAlgorithm::RSA
    }
}

#[derive(Debug)]
struct OneHandshake {
    key: Arc<RsaKey>,
    scheme: SignatureScheme,
    hash: Hash,
}

impl Signer for OneHandshake {
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, rustls::Error> {
        let signed = if self.scheme == SignatureScheme::RSA_PSS_SHA256 {
            let digest = Sha256::digest(message);
            rsa::Pss::new::<Sha256>().sign(Some(&mut SystemRandom), &self.key.key, &digest)
        } else {
            self.key.sign(self.hash, message)
        };
        signed.map_err(|error| rustls::Error::General(error.to_string()))
    }

    fn scheme(&self) -> SignatureScheme {
        self.scheme
    }
}

/// The operating system's random bytes, in the shape that `rsa` wants.
struct SystemRandom;

impl RngCore for SystemRandom {
    fn next_u32(&mut self) -> u32 {
        u32::from_le_bytes(relay_trust::random())
    }

    fn next_u64(&mut self) -> u64 {
        u64::from_le_bytes(relay_trust::random())
    }

    fn fill_bytes(&mut self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(32) {
            chunk.copy_from_slice(&relay_trust::random::<32>()[..chunk.len()]);
        }
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), rsa::rand_core::Error> {
        self.fill_bytes(bytes);
        Ok(())
    }
}

impl CryptoRng for SystemRandom {}
