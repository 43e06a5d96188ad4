//! Whether key and signature are strong.

use super::{Answer, Finding};
use crate::{
    codes::Code,
    evidence::{Certificate, Key, SignatureHash},
};

/// Bits of an RSA modulus at least (NIST SP 800-57: 112 bits of security); the TLS libraries of clients agree.
const RSA_BITS_MIN: usize = 2048;

pub fn judge(leaf: &Certificate) -> Answer {
    let findings = [key(&leaf.key), hash(&leaf.signature_hash)].into_iter().flatten().collect();
    Answer::of(findings, || {
        Finding::ok(Code::STRENGTH_OK, format!("{}, signed with {}", leaf.key, leaf.signature_hash))
    })
}

/// Whether this is an RSA key that can be broken.
pub const fn is_short(key: &Key) -> bool {
    matches!(key, Key::Rsa { bits } if *bits < RSA_BITS_MIN)
}

fn key(key: &Key) -> Option<Finding> {
    match key {
        Key::Rsa { bits } if *bits < RSA_BITS_MIN => Some(Finding::fail(
            Code::STRENGTH_RSA,
            format!("the key is RSA of {bits} bits"),
            "take ECDSA P-256, or RSA of 2,048 bits or more",
        )),
        Key::Ed448 | Key::Other(_) => {
            Some(Finding::warn(Code::STRENGTH_UNKNOWN, format!("few clients know {key}"), "take ECDSA P-256"))
        }
        Key::Rsa { .. } | Key::P256 | Key::P384 | Key::P521 | Key::Ed25519 => None,
    }
}

fn hash(hash: &SignatureHash) -> Option<Finding> {
    match hash {
        SignatureHash::Md5 | SignatureHash::Sha1 => {
            Some(Finding::fail(Code::STRENGTH_HASH, format!("it is signed with {hash}"), "reissue it with SHA-256"))
        }
        SignatureHash::Other(oid) => Some(Finding::warn(
            Code::STRENGTH_UNKNOWN,
            format!("it is signed with {oid}, which few clients know"),
            "reissue it with ECDSA P-256 and SHA-256",
        )),
        SignatureHash::Sha256 | SignatureHash::Sha384 | SignatureHash::Sha512 | SignatureHash::BuiltIn => None,
    }
}
