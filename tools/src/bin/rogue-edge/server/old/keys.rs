//! The key schedule of TLS 1.0 and 1.1 (RFC 2246 section 5 and 6.3).

use md5::Md5;
use sha1::{Digest, Sha1};

/// Bytes of an HMAC-SHA1 and of its key.
pub const MAC: usize = 20;
/// Bytes of an AES block.
pub const BLOCK: usize = 16;
/// Bytes that the two hashes' HMACs work on.
const HASH_BLOCK: usize = 64;

/// A suite of RFC 3268: RSA key exchange, AES-CBC, SHA-1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Suite {
    /// TLS_RSA_WITH_AES_128_CBC_SHA.
    Aes128,
    /// TLS_RSA_WITH_AES_256_CBC_SHA.
    Aes256,
}

impl Suite {
    /// Its number.
    pub const fn number(self) -> u16 {
        match self {
            Self::Aes128 => 0x002f,
            Self::Aes256 => 0x0035,
        }
    }

    /// Bytes of its key.
    pub const fn key(self) -> usize {
        match self {
            Self::Aes128 => 16,
            Self::Aes256 => 32,
        }
    }

    /// The one that the client offered; the first one if it offered neither, which it will not like.
    pub fn choose(offered: &[u16]) -> Self {
        if !offered.contains(&Self::Aes128.number()) && offered.contains(&Self::Aes256.number()) {
            Self::Aes256
        } else {
            Self::Aes128
        }
    }
}

/// HMAC (RFC 2104) with one of the two old hashes.
pub fn hmac<D: Digest>(key: &[u8], parts: &[&[u8]]) -> Vec<u8> {
    let mut block = [0; HASH_BLOCK];
    if key.len() > HASH_BLOCK {
        let short = D::digest(key);
        block[..short.len()].copy_from_slice(&short);
    } else {
        block[..key.len()].copy_from_slice(key);
    }
    let mut inner = D::new_with_prefix(block.map(|byte| byte ^ 0x36));
    for part in parts {
        inner.update(part);
    }
    D::new_with_prefix(block.map(|byte| byte ^ 0x5c)).chain_update(inner.finalize()).finalize().to_vec()
}

fn p_hash<D: Digest>(secret: &[u8], seed: &[u8], count: usize) -> Vec<u8> {
    let mut out = Vec::with_capacity(count + MAC);
    let mut a = hmac::<D>(secret, &[seed]);
    while out.len() < count {
        out.extend(hmac::<D>(secret, &[&a, seed]));
        a = hmac::<D>(secret, &[&a]);
    }
    out.truncate(count);
    out
}

/// RFC 2246 section 5: both hashes, each with one half of the secret.
pub fn prf(secret: &[u8], label: &[u8], seed: &[&[u8]], count: usize) -> Vec<u8> {
    let half = secret.len().div_ceil(2);
    let seed = [&[label], seed].concat().concat();
    let md5 = p_hash::<Md5>(&secret[..half], &seed, count);
    let sha1 = p_hash::<Sha1>(&secret[secret.len() - half..], &seed, count);
    md5.iter().zip(sha1).map(|(left, right)| left ^ right).collect()
}

/// What one direction is encrypted with.
pub struct Half {
    /// For HMAC-SHA1.
    pub mac_key: Vec<u8>,
    /// For AES.
    pub key: Vec<u8>,
    /// The first vector under TLS 1.0; TLS 1.1 sends one with every record.
    pub vector: [u8; BLOCK],
    /// Records so far.
    pub sequence: u64,
}

/// The master secret.
pub struct Master(Vec<u8>);

impl Master {
    /// Of what the client sent encrypted.
    pub fn new(premaster: &[u8], client_random: &[u8; 32], server_random: &[u8; 32]) -> Self {
        Self(prf(premaster, b"master secret", &[client_random, server_random], 48))
    }

    /// What the client encrypts with, and what the server does.
    pub fn halves(&self, suite: Suite, client_random: &[u8; 32], server_random: &[u8; 32]) -> (Half, Half) {
        let count = 2 * (MAC + suite.key() + BLOCK);
        let block = prf(&self.0, b"key expansion", &[server_random, client_random], count);
        let (macs, rest) = block.split_at(2 * MAC);
        let (keys, vectors) = rest.split_at(2 * suite.key());
        let half = |which: usize| {
            let mut vector = [0; BLOCK];
            vector.copy_from_slice(&vectors[which * BLOCK..(which + 1) * BLOCK]);
            Half {
                mac_key: macs[which * MAC..(which + 1) * MAC].to_vec(),
                key: keys[which * suite.key()..(which + 1) * suite.key()].to_vec(),
                vector,
                sequence: 0,
            }
        };
        (half(0), half(1))
    }

    /// What a Finished message says (section 7.4.9).
    pub fn verify_data(&self, label: &[u8], transcript: &[u8]) -> [u8; 12] {
        let hashes: [&[u8]; 2] = [&Md5::digest(transcript), &Sha1::digest(transcript)];
        let mut out = [0; 12];
        out.copy_from_slice(&prf(&self.0, label, &hashes, 12));
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 2202, test case 2 of each.
    #[test]
    fn hmac_of_the_standard_examples() {
        let data: &[u8] = b"what do ya want for nothing?";
        let hex = |bytes: Vec<u8>| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
        assert_eq!(hex(hmac::<Md5>(b"Jefe", &[data])), "750c783e6ab0b503eaa86e310a5db738");
        assert_eq!(hex(hmac::<Sha1>(b"Jefe", &[data])), "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79");
        assert_eq!(hmac::<Sha1>(b"Jefe", &[&data[..5], &data[5..]]), hmac::<Sha1>(b"Jefe", &[data]));
    }

    /// A known answer that circulates since RFC 2246 was a draft (secret 0xab * 48, seed 0xcd * 64, label "PRF Testvector").
    #[test]
    fn the_pseudorandom_function_of_the_known_vector() {
        let out = prf(&[0xab; 48], b"PRF Testvector", &[&[0xcd; 64]], 104);
        assert_eq!(out[..8], [0xd3, 0xd4, 0xd1, 0xe3, 0x49, 0xb5, 0xd5, 0x15]);
        assert_eq!(out.len(), 104);
    }
}
