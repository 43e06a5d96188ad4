//! Files and standard input, bounded.

use std::{
    fs::File,
    io::{self, Read},
    path::Path,
};

use relay_trust::{CertificateFile, read_certificates};

use crate::error::Error;

/// Bytes of a certificate file at most; a distribution's whole bundle of roots is a quarter of a megabyte.
pub const CERTIFICATE_BYTES_MAX: u64 = 4 << 20;

/// What messages call a path: `-` is standard input.
pub fn name(path: &Path) -> String {
    if path == Path::new("-") { "standard input".to_owned() } else { path.display().to_string() }
}

/// All bytes of a file, or of standard input for `-`.
///
/// # Errors
/// [`Error::File`], or [`Error::Usage`] for more than `limit` bytes.
pub fn read(path: &Path, limit: u64) -> Result<Vec<u8>, Error> {
    let mut bytes = Vec::new();
    let outcome = if path == Path::new("-") {
        io::stdin().lock().take(limit + 1).read_to_end(&mut bytes)
    } else {
        File::open(path).and_then(|file| file.take(limit + 1).read_to_end(&mut bytes))
    };
    outcome.map_err(Error::file("read", name(path)))?;
    if bytes.len() as u64 > limit {
        let name = name(path);
        return Err(Error::Usage(format!(
            "{name} is larger than {limit} bytes, so it is not the file that belongs here"
        )));
    }
    Ok(bytes)
}

/// The same as text.
///
/// # Errors
/// As [`read`], and [`Error::Usage`] where it is no UTF-8.
pub fn text(path: &Path, limit: u64, expected: &str) -> Result<String, Error> {
    let bytes = read(path, limit)?;
    String::from_utf8(bytes).map_err(|_| Error::Usage(format!("{} is no text in UTF-8; {expected}", name(path))))
}

/// The certificates in bytes that were read from `path`: PEM, DER or PKCS#7.
///
/// # Errors
/// [`Error::Usage`] where there are none.
pub fn certificates(path: &Path, bytes: &[u8]) -> Result<CertificateFile, Error> {
    read_certificates(bytes).map_err(|error| Error::Usage(format!("{}: {error}", name(path))))
}
