//! Who is trusted, and how it is proved: pins, chains, verifiers, identities, secrets and TLS configurations.

mod certificate;
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
mod verdict;
pub mod verifier;

pub use certificate::{CertificateError, Fingerprints, fingerprints, peer_spki};
pub use chain::{ChainError, verify_server_chain};
pub use crypto::{random, sha256};
pub use device_key::{DeviceKey, DeviceKeyError, verify_p256};
pub use files::SecretFileError;
pub use identity::{Finding, Identity, IdentityError};
pub use pem::PemError;
pub use pin::{EmptyPinSet, Pin, PinError, PinKind, PinSet, PinSetError};
pub use profile::{Evidence, TlsProfile, TlsVersion};
pub use roots::{RootSource, Roots, RootsError};
pub use secret::{MassSecret, SecretError, SharedKey, read_secret_file, write_secret_file};
pub use tls::{ServerIdentity, TlsConfigError, client_config, provider, server_config, tunnel_server_config};
pub use verdict::{LastVerdict, Verdict};
pub use verifier::{
    DeviceKeyRefusal, ExpectedKey, device_key_verifier, edge_verifier, pinned_verifier, refusal, shared_key_verifier,
};
