//! Loading an identity from an administrator's files, with the usual mistakes named.

use std::path::{Path, PathBuf};

use rustls::sign::CertifiedKey;
use rustls::{Error as TlsError, InconsistentKeys};

use crate::certificate::CertificateError;
use crate::files::{self, SecretFileError};
use crate::identity::Identity;
use crate::pem::{self, PemError};
use crate::tls;

/// The largest chain file, bytes: sixteen certificates of 4 KiB in base64, rounded up.
const MAX_CHAIN_FILE: u64 = 256 << 10;
/// The largest key file, bytes: an RSA key of 8192 bits in base64 is 6.4 KiB.
const MAX_KEY_FILE: u64 = 32 << 10;

/// Why an identity could not be loaded, made or used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum IdentityError {
    /// A file could not be read.
    #[error(transparent)]
    File(#[from] SecretFileError),
    /// A file is not the PEM file that belongs there.
    #[error("cannot use {}: {source}", path.display())]
    Pem {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: PemError,
    },
    /// A certificate of the chain cannot be used.
    #[error("cannot use certificate {index} of {}: {source}", path.display())]
    Certificate {
        /// The file.
        path: PathBuf,
        /// Which one, counted from 1.
        index: usize,
        /// What is wrong with it.
        source: CertificateError,
    },
    /// The key is of a kind that TLS cannot use here.
    #[error("cannot use the key in {}: {reason}; make an ECDSA P-256 key", path.display())]
    Key {
        /// The file.
        path: PathBuf,
        /// What rustls said; never the key.
        reason: String,
    },
    /// The key belongs to another certificate.
    #[error(
        "the key in {} does not belong to the first certificate in {}; give the key that was used to request it, or put \
         the server's own certificate first and its intermediates after it",
        key.display(), chain.display()
    )]
    Mismatch {
        /// The chain file.
        chain: PathBuf,
        /// The key file.
        key: PathBuf,
    },
    /// No name for a server certificate.
    #[error("a server certificate needs at least one name; give the DNS names and addresses that devices connect to")]
    NoNames,
    /// More names than [`super::MAX_NAMES`].
    #[error("{count} names are more than a certificate of this project holds ({limit})")]
    TooManyNames {
        /// How many were given.
        count: usize,
        /// The bound.
        limit: usize,
    },
    /// Neither a DNS name nor an address.
    #[error("`{name}` is neither a DNS name nor an IP address; write it without scheme, port or path")]
    BadName {
        /// The name, shortened.
        name: String,
    },
    /// Longer or shorter than a certificate may live.
    #[error("{days} days are outside 1 to {limit}: Apple's systems refuse server certificates that live longer")]
    BadDays {
        /// What was asked for.
        days: u32,
        /// The bound.
        limit: u32,
    },
    /// The certificate could not be made.
    #[error("the certificate could not be made: {0}")]
    Issue(String),
    /// Signing and reissuing need a P-256 key.
    #[error("this needs an ECDSA P-256 key; make one with `init`, or load a P-256 certificate and key")]
    NotP256,
    /// The system failed to sign.
    #[error("signing failed: the operating system gave no random bytes")]
    Signing,
}

pub(super) fn load(chain_path: &Path, key_path: &Path) -> Result<Identity, IdentityError> {
    let chain = files::read_public(chain_path, MAX_CHAIN_FILE)?;
    let key = files::read_secret(key_path, MAX_KEY_FILE)?;
    of_texts((chain_path, &chain), (key_path, key.as_bytes()))
}

/// An identity of two PEM texts, each with the name that errors call it by.
pub(super) fn of_texts(
    (chain_path, chain): (&Path, &[u8]),
    (key_path, key): (&Path, &[u8]),
) -> Result<Identity, IdentityError> {
    let chain = pem::chain(chain).map_err(|source| IdentityError::Pem { path: chain_path.to_owned(), source })?;
    let key = pem::private_key(key).map_err(|source| IdentityError::Pem { path: key_path.to_owned(), source })?;
    let bad_key = |error: TlsError| IdentityError::Key { path: key_path.to_owned(), reason: error.to_string() };
    for (index, certificate) in chain.iter().enumerate() {
        crate::certificate::fingerprints(certificate).map_err(|source| bad_certificate(chain_path, index, source))?;
    }
    let signing = tls::shared_provider().key_provider.load_private_key(key.clone_key()).map_err(bad_key)?;
    let certified = CertifiedKey::new(chain, signing);
    match certified.keys_match() {
        Ok(()) => {}
        Err(TlsError::InconsistentKeys(InconsistentKeys::KeyMismatch)) => {
            return Err(IdentityError::Mismatch { chain: chain_path.to_owned(), key: key_path.to_owned() });
        }
        Err(error) => return Err(bad_key(error)),
    }
    Identity::assemble(certified, key).map_err(|source| bad_certificate(chain_path, 0, source))
}

fn bad_certificate(path: &Path, index: usize, source: CertificateError) -> IdentityError {
    IdentityError::Certificate { path: path.to_owned(), index: index + 1, source }
}
