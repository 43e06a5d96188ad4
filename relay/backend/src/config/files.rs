//! The files that a configuration names; read at start and again at every reload.

use std::{path::Path, sync::Arc};

use relay_runtime::config::{Problems, beside};
use relay_trust::{Identity, SharedKey, peer_spki};
use relay_wire::ids::Role;
use rustls::pki_types::{CertificateDer, pem::PemObject};

use super::{CertificateFiles, raw::Raw, resolve::registry_file};
use crate::registry::entry::is_p256;

/// Bytes of a certificate file at most.
const CERTIFICATE_BYTES_MAX: u64 = 65_536;

/// What the files hold that a configuration names.
pub(super) struct Material {
    /// This backend's identity.
    pub(super) identity: Arc<Identity>,
    /// The keys shared with the edges, in their order.
    pub(super) keys: Vec<Arc<SharedKey>>,
    /// At a storage node, the master's public key.
    pub(super) master_spki: Option<Vec<u8>>,
}

impl Material {
    /// Reads every file that `raw` names, whatever else is wrong with it. With an unknown role, those that any backend
    /// has.
    pub(super) fn read(raw: &Raw, role: Option<Role>, file: &Path, problems: &mut Problems) -> Option<Self> {
        let master_spki = match role {
            Some(Role::Master) => {
                let registry = registry_file(raw, file);
                if let Err(error) = crate::registry::Registry::open(&registry) {
                    problems.add_value("registry", registry.display(), error.to_string(), "mend or replace the file");
                }
                None
            }
            Some(Role::StorageNode) => raw.master_certificate.as_ref().and_then(|path| {
                let path = beside(file, Path::new(path));
                told("master_certificate", &path, read_master_spki(&path), problems)
            }),
            None => None,
        };
        let identity = raw.certificate.as_ref().and_then(|raw| {
            let files = CertificateFiles::beside(file, raw);
            let read = read_identity(&files, role.unwrap_or(Role::StorageNode));
            told("certificate", &files.chain, read, problems)
        });
        let mut keys = Vec::new();
        for (at, edge) in raw.edge.iter().enumerate() {
            let path = beside(file, Path::new(&edge.key_file));
            let remedy = "put the key there that `relay-edge key add` wrote, with mode 0600";
            let key = SharedKey::load(&path).map_err(|error| (error.to_string(), remedy));
            keys.extend(told(&format!("edge[{at}].key_file"), &path, key, problems).map(Arc::new));
        }
        Some(Self { identity: identity?, keys, master_spki })
    }
}

/// What was read; or `None`, and a mistake on the list.
fn told<T>(place: &str, path: &Path, read: Result<T, (String, &'static str)>, problems: &mut Problems) -> Option<T> {
    read.map_err(|(problem, remedy)| problems.add_value(place, path.display(), problem, remedy)).ok()
}

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
    let remedy = "copy the master's certificate (its backend.crt) here, where this user can read it";
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
