//! A TLS server that is wrong in one place: rustls with one part of its cryptography exchanged.
//!
//! What is to be spoiled is armed for the thread that serves the connection: rustls computes on the thread that calls it, and
//! the parts are shared by all connections.

use std::{
    cell::Cell,
    sync::{Arc, LazyLock},
};

use rustls::{
    Error, SupportedCipherSuite, Tls12CipherSuite, Tls13CipherSuite,
    crypto::{
        ActiveKeyExchange, CryptoProvider, GetRandomFailed, SecureRandom, hmac,
        tls12::Prf,
        tls13::{Hkdf, HkdfExpander, OkmBlock},
    },
};

use super::Seam;

thread_local! {
    static ARMED: Cell<Seam> = const { Cell::new(Seam::Sound) };
}

/// The last eight bytes of the server's random when it could do TLS 1.3 (RFC 8446 section 4.1.3).
const DOWNGRADE_TO_TLS12: [u8; 8] = *b"DOWNGRD\x01";
const RANDOM_BYTES: usize = 32;

/// The provider for a connection of this thread that is wrong in `seam`.
pub fn arm(seam: Seam) -> Arc<CryptoProvider> {
    static SPOILED: LazyLock<Arc<CryptoProvider>> = LazyLock::new(spoiled);
    ARMED.set(seam);
    match seam {
        Seam::Sound => relay_trust::provider(),
        Seam::BadFinished | Seam::DowngradeMarker => Arc::clone(&SPOILED),
    }
}

fn spoiled() -> Arc<CryptoProvider> {
    let mut provider = CryptoProvider::clone(&relay_trust::provider());
    provider.secure_random = &MarkedRandom;
    // Leaked once in the life of the process: rustls wants suites that live for ever.
    for suite in &mut provider.cipher_suites {
        *suite = match *suite {
            SupportedCipherSuite::Tls12(sound) => SupportedCipherSuite::Tls12(Box::leak(Box::new(Tls12CipherSuite {
                common: common(&sound.common),
                prf_provider: Box::leak(Box::new(SpoiledPrf(sound.prf_provider))),
                kx: sound.kx,
                sign: sound.sign,
                aead_alg: sound.aead_alg,
            }))),
            SupportedCipherSuite::Tls13(sound) => SupportedCipherSuite::Tls13(Box::leak(Box::new(Tls13CipherSuite {
                common: common(&sound.common),
                hkdf_provider: Box::leak(Box::new(SpoiledHkdf(sound.hkdf_provider))),
                aead_alg: sound.aead_alg,
                quic: None,
            }))),
        };
    }
    Arc::new(provider)
}

fn common(sound: &rustls::crypto::CipherSuiteCommon) -> rustls::crypto::CipherSuiteCommon {
    rustls::crypto::CipherSuiteCommon {
        suite: sound.suite,
        hash_provider: sound.hash_provider,
        confidentiality_limit: sound.confidentiality_limit,
    }
}

/// Makes the server's Finished of TLS 1.2 wrong.
struct SpoiledPrf(&'static dyn Prf);

impl Prf for SpoiledPrf {
    fn for_key_exchange(
        &self,
        output: &mut [u8; 48],
        exchange: Box<dyn ActiveKeyExchange>,
        peer: &[u8],
        label: &[u8],
        seed: &[u8],
    ) -> Result<(), Error> {
        self.0.for_key_exchange(output, exchange, peer, label, seed)
    }

    fn for_secret(&self, output: &mut [u8], secret: &[u8], label: &[u8], seed: &[u8]) {
        self.0.for_secret(output, secret, label, seed);
        if label == b"server finished" && ARMED.get() == Seam::BadFinished {
            output[0] ^= 1;
        }
    }
}

/// Makes the server's Finished of TLS 1.3 wrong: without resumption it is the first HMAC of a handshake; the next one is what
/// the client's Finished is compared with.
struct SpoiledHkdf(&'static dyn Hkdf);

impl Hkdf for SpoiledHkdf {
    fn extract_from_zero_ikm(&self, salt: Option<&[u8]>) -> Box<dyn HkdfExpander> {
        self.0.extract_from_zero_ikm(salt)
    }

    fn extract_from_secret(&self, salt: Option<&[u8]>, secret: &[u8]) -> Box<dyn HkdfExpander> {
        self.0.extract_from_secret(salt, secret)
    }

    fn extract_from_kx_shared_secret(
        &self,
        salt: Option<&[u8]>,
        exchange: Box<dyn ActiveKeyExchange>,
        peer: &[u8],
    ) -> Result<Box<dyn HkdfExpander>, Error> {
        self.0.extract_from_kx_shared_secret(salt, exchange, peer)
    }

    fn expander_for_okm(&self, okm: &OkmBlock) -> Box<dyn HkdfExpander> {
        self.0.expander_for_okm(okm)
    }

    fn hmac_sign(&self, key: &OkmBlock, message: &[u8]) -> hmac::Tag {
        let tag = self.0.hmac_sign(key, message);
        if ARMED.get() != Seam::BadFinished {
            return tag;
        }
        ARMED.set(Seam::Sound);
        let mut wrong = tag.as_ref().to_vec();
        wrong[0] ^= 1;
        hmac::Tag::new(&wrong)
    }
}

/// Says in the server's random that it could do TLS 1.3.
#[derive(Debug)]
struct MarkedRandom;

impl SecureRandom for MarkedRandom {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), GetRandomFailed> {
        relay_trust::provider().secure_random.fill(bytes)?;
        if bytes.len() == RANDOM_BYTES && ARMED.get() == Seam::DowngradeMarker {
            bytes[RANDOM_BYTES - DOWNGRADE_TO_TLS12.len()..].copy_from_slice(&DOWNGRADE_TO_TLS12);
        }
        Ok(())
    }
}
