//! The few primitives that the crates above need: random bytes, SHA-256.

use sha2::{Digest, Sha256};

/// `N` bytes from the operating system's random source: tokens, nonces, keys.
///
/// # Panics
/// When the operating system has no random source. Nothing that a peer, a file or a user controls leads here, and
/// going on without one would make guessable keys.
#[must_use]
pub fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    aws_lc_rs::rand::fill(&mut bytes).expect("the operating system gives random bytes");
    bytes
}

/// The SHA-256 of `bytes` (FIPS 180-4).
#[must_use]
pub fn sha256(bytes: &[u8]) -> [u8; 32] {
    Sha256::digest(bytes).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sha256_of_the_standard_example() {
        let expected = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(crate::hex::encode(&sha256(b"abc")), expected);
    }

    #[test]
    fn random_bytes_differ() {
        assert_ne!(random::<32>(), random::<32>());
    }
}
