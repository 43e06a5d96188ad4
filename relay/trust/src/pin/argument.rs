//! Pins as command-line options give them: in any spelling, or as the certificate itself.
//!
//! Where the certificate lies at hand, naming its file saves copying a fingerprint, and a mistake in it. Only options read
//! files this way: a configuration holds the pin, so that what is trusted does not change with a file.

use std::path::{Path, PathBuf};

use super::{Pin, PinError, PinKind, PinSet, PinSetError};
use crate::{CertificateError, PemError, SecretFileError, certificate::fingerprints, files, pem};

/// Bytes of a certificate file at most.
const FILE_BYTES_MAX: u64 = 256 * 1024;

/// Why an option names no pin.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PinArgumentError {
    /// Neither a pin nor the name of a file.
    #[error("{0}; the path of a certificate file (PEM) is accepted as well, but no such file is there")]
    Pin(#[from] PinError),
    /// A pin set without pins.
    #[error(transparent)]
    Set(#[from] PinSetError),
    /// The file cannot be read.
    #[error(transparent)]
    File(#[from] SecretFileError),
    /// The file holds no certificate in PEM.
    #[error("{}: {source}", path.display())]
    Pem {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        source: PemError,
    },
    /// The certificate cannot be read.
    #[error("{}: {source}", path.display())]
    Certificate {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        source: CertificateError,
    },
}

impl Pin {
    /// A pin in one of its spellings, or of the key of the first certificate in the file that `text` names.
    ///
    /// # Errors
    /// [`PinArgumentError`].
    pub fn from_argument(text: &str) -> Result<Self, PinArgumentError> {
        let spelled = match text.parse() {
            Ok(pin) => return Ok(pin),
            Err(error) => error,
        };
        let path = Path::new(text);
        if path.exists() { of_certificate(path) } else { Err(spelled.into()) }
    }
}

impl PinSet {
    /// Pins separated by commas, each as [`Pin::from_argument`] takes it.
    ///
    /// # Errors
    /// [`PinArgumentError`].
    pub fn from_argument(text: &str) -> Result<Self, PinArgumentError> {
        let count = text.split(',').count();
        if count > super::MAX_PINS {
            return Err(PinError::TooMany { count }.into());
        }
        let pins = text.split(',').map(Pin::from_argument).collect::<Result<Vec<_>, _>>()?;
        Self::new(pins).map_err(|empty| PinSetError::from(empty).into())
    }
}

fn of_certificate(path: &Path) -> Result<Pin, PinArgumentError> {
    let bytes = files::read_public(path, FILE_BYTES_MAX)?;
    let pem = |source| PinArgumentError::Pem { path: path.to_owned(), source };
    let certificates = pem::certificates(&bytes).map_err(pem)?;
    let first = certificates.first().ok_or_else(|| pem(PemError::Nothing { expected: "a certificate" }))?;
    let prints =
        fingerprints(first).map_err(|source| PinArgumentError::Certificate { path: path.to_owned(), source })?;
    Ok(Pin::new(PinKind::Spki, prints.spki))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Identity;

    #[test]
    fn a_certificate_stands_for_the_pin_of_its_key() {
        let folder = tempfile::tempdir().unwrap();
        let (chain, key) = (folder.path().join("edge.crt"), folder.path().join("edge.key"));
        let identity = Identity::self_signed(&["localhost".to_owned()], 1).unwrap();
        identity.write(&chain, &key).unwrap();
        let expected = Pin::new(PinKind::Spki, identity.fingerprints().spki);
        let file = chain.to_str().unwrap();
        assert_eq!(Pin::from_argument(file).unwrap(), expected);
        let other = format!("leaf:{}", "ab".repeat(32));
        let set = PinSet::from_argument(&format!("{file},{other}")).unwrap();
        assert_eq!(set.iter().copied().collect::<Vec<_>>(), [expected, other.parse().unwrap()]);
        let error = Pin::from_argument(key.to_str().unwrap()).unwrap_err();
        assert!(matches!(error, PinArgumentError::Pem { source: PemError::KeyForCertificate, .. }), "{error}");
    }

    #[test]
    fn neither_pin_nor_file_says_both() {
        for text in ["/nowhere/edge.crt", "", "spki:12"] {
            let error = Pin::from_argument(text).unwrap_err().to_string();
            assert!(error.contains("no such file"), "{error}");
        }
        assert!(PinSet::from_argument("").is_err());
    }
}
