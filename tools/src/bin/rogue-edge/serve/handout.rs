//! What the client is handed: roots, the certificate that it knows, its pins, and where the server is.

use std::{
    fs,
    net::{IpAddr, SocketAddr},
    path::{Path, PathBuf},
};

use base64::Engine;
use rustls_pki_types::CertificateDer;
use tempfile::TempDir;
use x509_parser::prelude::{FromDer, X509Certificate};

use crate::{
    client::Facts,
    error::Error,
    world::{World, pem},
};

/// The folder with it. One that was made for the run goes with it.
pub struct Handout {
    _made: Option<TempDir>,
    folder: PathBuf,
    address: SocketAddr,
}

impl Handout {
    /// Writes the roots, and the certificate that the client knows.
    ///
    /// # Errors
    /// If the folder cannot be made or written.
    pub fn prepare(wanted: Option<&Path>, world: &World, address: SocketAddr) -> Result<Self, Error> {
        let (made, folder) = match wanted {
            Some(folder) => {
                fs::create_dir_all(folder).map_err(|error| {
                    Error::Usage(format!("--dir {}: no folder can be made here: {error}", folder.display()))
                })?;
                (None, fs::canonicalize(folder).map_err(Error::file("find", folder))?)
            }
            None => {
                let made = tempfile::Builder::new().prefix("rogue-edge-").tempdir();
                let made = made.map_err(|source| Error::System { action: "make a folder".to_owned(), source })?;
                let folder = made.path().to_owned();
                (Some(made), folder)
            }
        };
        let handout = Self { _made: made, folder, address };
        handout.write("roots.pem", &world.roots_pem())?;
        Ok(handout)
    }

    fn write(&self, name: &str, text: &str) -> Result<PathBuf, Error> {
        let path = self.folder.join(name);
        fs::write(&path, text).map_err(Error::file("write", &path))?;
        Ok(path)
    }

    /// What the client is told in a trial in which it knows `pinned`.
    ///
    /// # Errors
    /// If the certificate cannot be written or read.
    pub fn told(&self, world: &World, pinned: &CertificateDer<'_>, trial: &str) -> Result<Facts, Error> {
        // Not by the relay's own reader: it refuses some of what is pinned here.
        let (_, parsed) = X509Certificate::from_der(pinned).map_err(Error::making("a pin"))?;
        let spki = relay_trust::sha256(parsed.public_key().raw);
        let certificate = self.write("cert.pem", &pem(pinned))?;
        let hex = |digest: &[u8; 32]| digest.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
        let (leaf, key) = (hex(&relay_trust::sha256(pinned)), hex(&spki));
        // Whoever listens everywhere is reached here.
        let host = match self.address.ip() {
            IpAddr::V4(ip) if ip.is_unspecified() => "127.0.0.1".to_owned(),
            IpAddr::V6(ip) if ip.is_unspecified() => "::1".to_owned(),
            ip @ (IpAddr::V4(_) | IpAddr::V6(_)) => ip.to_string(),
        };
        let port = self.address.port();
        let address = if host.contains(':') { format!("[{host}]:{port}") } else { format!("{host}:{port}") };
        let text = |path: &Path| path.display().to_string();
        Ok(Facts(vec![
            ("address", address),
            ("host", host),
            ("port", port.to_string()),
            ("name", world.name.clone()),
            ("roots", text(&self.folder.join("roots.pem"))),
            ("cert", text(&certificate)),
            ("pin-leaf", format!("leaf:{leaf}")),
            ("pin-spki", format!("spki:{key}")),
            ("pin-curl", format!("sha256//{}", base64::engine::general_purpose::STANDARD.encode(spki))),
            ("leaf-sha256", leaf),
            ("spki-sha256", key),
            ("trial", trial.to_owned()),
            ("dir", text(&self.folder)),
        ]))
    }
}
