//! The roots that a client trusts: the operating system's, Mozilla's, or a file's.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;

use rustls::RootCertStore;
use rustls_pki_types::CertificateDer;

use crate::files::{self, SecretFileError};
use crate::pem::{self, PemError};

pub use crate::chain::{ChainError, verify_name, verify_path, verify_server_chain, verify_server_chain_with_crls};

/// The largest file of roots that is read, bytes. A distribution's whole bundle is a quarter of a megabyte.
const MAX_ROOTS_FILE: u64 = 4 << 20;

/// Where roots come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RootSource {
    /// The operating system's store. `SSL_CERT_FILE` and `SSL_CERT_DIR` take its place, as with OpenSSL.
    System,
    /// Mozilla's list, compiled in.
    Mozilla,
    /// A PEM file; a self-signed edge certificate may be its own root.
    File(PathBuf),
}

impl FromStr for RootSource {
    type Err = std::convert::Infallible;

    /// `system`, `mozilla`, or the path of a file.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(match text {
            "system" => Self::System,
            "mozilla" => Self::Mozilla,
            path => Self::File(path.into()),
        })
    }
}

impl fmt::Display for RootSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::System => f.write_str("system"),
            Self::Mozilla => f.write_str("mozilla"),
            Self::File(path) => path.display().fmt(f),
        }
    }
}

/// Why no roots could be loaded.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RootsError {
    /// The file could not be read.
    #[error("cannot load the roots: {0}")]
    File(#[from] SecretFileError),
    /// It is not a PEM file of certificates.
    #[error("cannot load the roots from {}: {source}", path.display())]
    Pem {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: PemError,
    },
    /// Nothing usable in it.
    #[error("there is no usable root certificate in {from}; give a PEM file with at least one (`roots = \"FILE\"`)")]
    Empty {
        /// Where they were looked for.
        from: String,
    },
}

/// Trusted roots, at least one; cheap to clone.
#[derive(Debug, Clone)]
pub struct Roots(pub(crate) Arc<RootCertStore>);

impl Roots {
    /// Loads them. Certificates in a bundle that cannot be read are left out, as every TLS library does.
    ///
    /// # Errors
    /// [`RootsError`] when the file cannot be read, or no usable certificate is left.
    pub fn load(source: &RootSource) -> Result<Self, RootsError> {
        match source {
            RootSource::System => {
                let found = rustls_native_certs::load_native_certs();
                let mut from = "the operating system's store".to_owned();
                if let Some(error) = found.errors.first() {
                    from = format!("{from} ({error})");
                }
                Self::of(found.certs, from)
            }
            RootSource::Mozilla => Ok(Self(Arc::new(webpki_roots::TLS_SERVER_ROOTS.iter().cloned().collect()))),
            RootSource::File(path) => Self::of(read_file(path)?, path.display().to_string()),
        }
    }

    /// Exactly these certificates as roots, for instance a self-signed one as its own.
    ///
    /// # Errors
    /// [`RootsError::Empty`] when none of them can be read.
    pub fn from_der(certificates: &[CertificateDer<'_>]) -> Result<Self, RootsError> {
        Self::of(certificates.iter().cloned(), "the certificates given".to_owned())
    }

    /// How many there are.
    #[must_use]
    pub fn count(&self) -> usize {
        self.0.len()
    }

    fn of<'a>(certificates: impl IntoIterator<Item = CertificateDer<'a>>, from: String) -> Result<Self, RootsError> {
        let mut store = RootCertStore::empty();
        store.add_parsable_certificates(certificates);
        if store.is_empty() { Err(RootsError::Empty { from }) } else { Ok(Self(Arc::new(store))) }
    }
}

fn read_file(path: &Path) -> Result<Vec<CertificateDer<'static>>, RootsError> {
    let text = files::read_public(path, MAX_ROOTS_FILE)?;
    pem::certificates(&text).map_err(|source| RootsError::Pem { path: path.to_owned(), source })
}
