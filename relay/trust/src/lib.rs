//! Who is trusted, and how it is proved: pins, chains, verifiers, identities, secrets and TLS configurations.
//!
//! This crate knows nothing of the relay's own protocol. It answers three questions for everybody else: *is this peer the
//! one I was told about?*, *what do I present myself?*, and *what does a TLS connection of this project look like?*
//!
//! # Map
//!
//! | module | holds |
//! |---|---|
//! | [`pin`] | [`Pin`], [`PinSet`] and the spellings in which people paste a fingerprint |
//! | [`roots`] | [`Roots`]: the system's, Mozilla's, or a file's; [`verify_server_chain`], which judges as rustls does |
//! | [`verifier`] | what rustls calls during a handshake: [`edge_verifier`] (pin and chain), [`pinned_verifier`], [`shared_key_verifier`], [`device_key_verifier`]; and the [`Verdict`] that tells "halt" from "try again" |
//! | [`identity`] | [`Identity`]: a chain with its key, made, loaded, written; [`Finding`]s about a certificate |
//! | [`device_key`] | [`DeviceKey`]: ECDSA P-256, and [`verify_p256`] |
//! | [`secret`] | [`SharedKey`], [`MassSecret`]: HMAC-SHA256; secret files |
//! | [`trust_store`] | [`TrustStore`]: pins that a person decided to trust, as a text |
//! | [`tls`] | [`TlsProfile`]s (what the stacks of real devices offer) and the server and client configurations |
//!
//! # What always holds
//!
//! - **Possession is always proved.** Every verifier hands every handshake signature to the provider; none asserts one.
//! - **A pin names the server's own certificate**, never one somewhere in the chain, and is compared whole. A set of pins
//!   is never empty.
//! - **The key that is pinned is the key that signs**: the public key is the one webpki reads, and a certificate in which
//!   x509-parser reads another is refused.
//! - **A failed pin or possession halts**: [`Verdict::halts`]. A failed chain refuses, and may be tried again.
//! - **Every TLS 1.2 connection has the extended master secret**, no session is ever resumed, no key is logged.
//! - **Secrets** have no `Debug`, are wiped when dropped, and are read only from files that nobody else can open.
//! - **Errors** name what was tried, on what, and what to do; they never quote a secret.
//!
//! # A device connects
//!
//! ```
//! use std::sync::Arc;
//! use relay_trust::{Identity, LastVerdict, PinSet, Roots, TlsProfile, client_config, edge_verifier};
//!
//! # let edge = Identity::self_signed(&["edge.example.org".to_owned()], 825)?;
//! # let (pin_text, leaf) = (format!("leaf:{}", "00".repeat(32)), edge.leaf().clone());
//! let pins: PinSet = pin_text.parse()?;
//! let roots = Roots::from_der(&[leaf])?; // a self-signed certificate may be its own root
//! let reason = LastVerdict::new(); // one for every connection
//! let verifier = edge_verifier(pins, Some(roots), Arc::clone(&reason));
//! let profile = TlsProfile::default_for("windows").ok_or("no such platform")?;
//! let config = client_config(profile, verifier, None, b"sallyport/device")?;
//! // ... the handshake; if it fails:
//! if reason.halts() {
//!     eprintln!("halted: {}", reason.get());
//! }
//! # let _ = config;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod certificate;
mod certificate_file;
mod chain;
mod crypto;
pub mod device_key;
mod files;
mod hex;
pub mod identity;
mod pem;
pub mod pin;
mod profile;
pub mod roots;
pub mod secret;
pub mod tls;
pub mod trust_store;
mod verdict;
pub mod verifier;

pub use certificate::{CertificateError, Fingerprints, fingerprints, peer_spki};
pub use certificate_file::{
    CertificateEncoding, CertificateFile, CertificateFileError, MAX_CERTIFICATES, read_certificates,
};
pub use chain::{ChainError, verify_name, verify_path, verify_server_chain, verify_server_chain_with_crls};
pub use crypto::{random, sha256};
pub use device_key::{DeviceKey, DeviceKeyError, verify_p256};
pub use files::SecretFileError;
pub use identity::{Finding, Identity, IdentityError};
pub use pem::PemError;
pub use pin::{
    EmptyPinSet, OtherHash, Pin, PinArgumentError, PinError, PinKind, PinMistake, PinSet, PinSetError, Spelling,
};
pub use profile::{Evidence, TlsProfile, TlsVersion};
pub use roots::{RootSource, Roots, RootsError};
pub use secret::{
    MassSecret, SecretError, SharedKey, read_secret_file, write_secret_file, write_secret_file_of_folder,
};
pub use tls::{ServerIdentity, TlsConfigError, client_config, provider, server_config, tunnel_server_config};
pub use trust_store::{Trust, TrustEntry, TrustStore, TrustStoreError};
pub use verdict::{LastVerdict, Verdict};
pub use verifier::{
    DeviceKeyRefusal, ExpectedKey, device_key_verifier, edge_verifier, pinned_verifier, refusal, shared_key_verifier,
};
