//! The certificates of `fuzz/seeds/certificates`; a README beside them says how they were made.

use std::{collections::BTreeSet, sync::LazyLock};

use super::{pem_of, view};

macro_rules! certificates {
    ($($name:ident: $file:literal),+ $(,)?) => {
        $(pub(super) const $name: &[u8] = include_bytes!(concat!("../../seeds/certificates/", $file, ".der"));)+
        /// All of them.
        pub(super) const ALL: &[&[u8]] = &[$($name),+];
    };
}

certificates! {
    SERVER: "server",
    DEVICE: "device",
    ED25519: "ed25519",
    RSA2048: "rsa2048",
    P384: "p384",
    COMPRESSED: "compressed",
    VERSION1: "version1",
    AUTHORITY: "authority",
    ISSUED: "issued",
    ODD: "odd",
    CRITICAL: "critical",
}

/// A root that has issued none of them.
pub(super) const STRANGER: &[u8] = include_bytes!("../../seeds/certificates/stranger.der");

/// The key of [`SERVER`], and of others with a P-256 key.
pub(super) const P256_KEY: &[u8] = include_bytes!("../../seeds/certificates/p256.key");

/// Its public half.
pub(super) static P256_SPKI: LazyLock<Vec<u8>> =
    LazyLock::new(|| view::of(SERVER).map(|view| view.spki.to_vec()).unwrap_or_default());

/// What the signatures of the seeds are over.
pub(super) static SIGNED: LazyLock<BTreeSet<&[u8]>> =
    LazyLock::new(|| ALL.iter().filter_map(|der| view::of(der)).map(|view| view.signed).collect());

/// Real inputs to begin with: each certificate, and a file of two.
#[must_use]
pub fn seeds() -> Vec<Vec<u8>> {
    let mut seeds: Vec<Vec<u8>> = ALL.iter().map(|der| der.to_vec()).collect();
    seeds.push(format!("{}{}", pem_of(SERVER), pem_of(AUTHORITY)).into_bytes());
    seeds.push(b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n".to_vec());
    seeds
}
