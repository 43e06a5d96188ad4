//! The files that a configuration names; read at start and again at every reload.

use std::{path::Path, sync::Arc};

use relay_trust::{Identity, peer_spki};
use relay_wire::ids::Role;
use rustls::pki_types::{CertificateDer, pem::PemObject};

use super::CertificateFiles;
use crate::registry::entry::is_p256;

/// Bytes of a certificate file at most.
const CERTIFICATE_BYTES_MAX: u64 = 65_536;

/// Reads this backend's identity; a master's must be able to sign grants.
///
/// # Errors
/// What is wrong, and what to do.
pub fn read_identity(files: &CertificateFiles, role: Role) -> Result<Arc<Identity>, (String, &'static str)> {
    let identity = Identity::load(&files.chain, &files.key)
        .map_err(|error| (error.to_string(), "make both with `relay-backend init`"))?;
    if role == Role::Master && !is_p256(&identity.spki()) {
        let problem = "the master signs grants with this key, and it is not ECDSA P-256".to_owned();
        return Err((problem, "make a P-256 key and certificate, for example with `relay-backend init`"));
    }
    Ok(Arc::new(identity))
}

/// Reads the master's public key (SubjectPublicKeyInfo, DER) from a file with its certificate.
///
/// # Errors
/// What is wrong, and what to do.
pub fn read_master_spki(file: &Path) -> Result<Vec<u8>, (String, &'static str)> {
    let remedy = "copy the master's certificate (its backend.crt) here";
    let metadata = std::fs::metadata(file).map_err(|error| (format!("cannot be read: {error}"), remedy))?;
    // A pipe or a device has no length and may have no end.
    if !metadata.is_file() {
        return Err(("is not a regular file".to_owned(), remedy));
    }
    if metadata.len() > CERTIFICATE_BYTES_MAX {
        return Err((format!("is larger than {CERTIFICATE_BYTES_MAX} bytes, which no certificate is"), remedy));
    }
    let certificate =
        CertificateDer::from_pem_file(file).map_err(|error| (format!("holds no PEM certificate: {error}"), remedy))?;
    let spki = peer_spki(&certificate).map_err(|error| (error.to_string(), remedy))?;
    if is_p256(&spki) {
        Ok(spki)
    } else {
        Err(("holds a key that is not ECDSA P-256, so no master's".to_owned(), remedy))
    }
}
