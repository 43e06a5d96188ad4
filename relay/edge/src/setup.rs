//! `init`: a folder with everything that an edge needs, and the words that others need from it.

use std::{
    fs::{self, DirBuilder},
    io::Write,
    net::SocketAddr,
    path::{Path, PathBuf},
};

use base64::{Engine, engine::general_purpose::STANDARD};
use relay_trust::{Fingerprints, Identity, Pin, PinKind};
use serde::Serialize;

use crate::{config::EXAMPLE, error::CommandError};

/// How long the certificate that `init` makes is valid: the most that clients accept.
pub const CERTIFICATE_DAYS: u32 = 825;
/// The line of the example that `--listen` replaces.
const LISTEN_LINE: &str = "listen = [\"0.0.0.0:8443\"]";

/// What `init` shall make.
#[derive(Clone, Debug)]
pub struct Init {
    /// The folder; made if it is not there.
    pub folder: PathBuf,
    /// Where the edge listens; `None`: the default.
    pub listen: Option<SocketAddr>,
    /// The names and addresses by which devices and backends reach the edge; empty: this machine only.
    pub names: Vec<String>,
}

/// A certificate's fingerprints in the spellings that people paste.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Pins {
    /// SHA-256 of the certificate, as this project writes it.
    pub leaf: String,
    /// SHA-256 of its public key, as this project writes it.
    pub spki: String,
    /// The certificate's, as `openssl x509 -fingerprint -sha256` and browsers show it.
    pub openssl: String,
    /// The key's, as `curl --pinnedpubkey` takes it.
    pub curl: String,
    /// The key's, as OkHttp takes it.
    pub okhttp: String,
}

impl Pins {
    /// The spellings of these fingerprints.
    #[must_use]
    pub fn new(fingerprints: &Fingerprints) -> Self {
        let hex: Vec<_> = fingerprints.leaf.iter().map(|byte| format!("{byte:02X}")).collect();
        let base64 = STANDARD.encode(fingerprints.spki);
        Self {
            leaf: Pin::new(PinKind::Leaf, fingerprints.leaf).to_string(),
            spki: Pin::new(PinKind::Spki, fingerprints.spki).to_string(),
            openssl: hex.join(":"),
            curl: format!("sha256//{base64}"),
            okhttp: format!("sha256/{base64}"),
        }
    }
}

/// What `init` has made.
#[derive(Clone, Debug, Serialize)]
pub struct Made {
    /// The configuration.
    pub config: PathBuf,
    /// The certificate.
    pub certificate: PathBuf,
    /// Its key.
    pub key: PathBuf,
    /// The folder of backend keys.
    pub keys: PathBuf,
    /// The certificate's fingerprints.
    pub pins: Pins,
}

/// Makes the folder's content. Nothing is overwritten, and what was begun is taken back when something fails.
///
/// # Errors
/// [`CommandError`]: something is there already, or cannot be made.
pub fn init(order: &Init) -> Result<Made, CommandError> {
    let folder = &order.folder;
    let [config, certificate, key, keys] = ["edge.toml", "edge.crt", "edge.key", "keys"].map(|name| folder.join(name));
    if let Some(path) = [&config, &certificate, &key, &keys].into_iter().find(|path| path.symlink_metadata().is_ok()) {
        return Err(CommandError::Exists(path.clone()));
    }
    let names = if order.names.is_empty() { local_names() } else { order.names.clone() };
    let identity = Identity::self_signed(&names, CERTIFICATE_DAYS)?;
    let mut undo = Undo::default();
    if !folder.is_dir() {
        make_folder(folder)?;
        undo.folders.push(folder.clone());
    }
    make_folder(&keys)?;
    undo.folders.push(keys.clone());
    identity.write(&certificate, &key)?;
    undo.files.extend([certificate.clone(), key.clone()]);
    write_config(&config, order.listen)?;
    undo.done();
    Ok(Made { config, certificate, key, keys, pins: Pins::new(&identity.fingerprints()) })
}

/// The names of an edge that is only tried out on this machine.
fn local_names() -> Vec<String> {
    ["localhost", "127.0.0.1", "::1"].map(str::to_owned).to_vec()
}

fn make_folder(path: &Path) -> Result<(), CommandError> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path).map_err(|source| CommandError::Write { operation: "make", path: path.to_owned(), source })
}

/// The example with the listening address put in.
fn config_text(listen: Option<SocketAddr>) -> String {
    match listen {
        Some(address) => EXAMPLE.replacen(LISTEN_LINE, &format!("listen = [\"{address}\"]"), 1),
        None => EXAMPLE.to_owned(),
    }
}

fn write_config(path: &Path, listen: Option<SocketAddr>) -> Result<(), CommandError> {
    let error = |source| CommandError::Write { operation: "write", path: path.to_owned(), source };
    let mut file = fs::File::create_new(path).map_err(error)?;
    file.write_all(config_text(listen).as_bytes()).and_then(|()| file.sync_all()).map_err(|source| {
        let _ = fs::remove_file(path);
        error(source)
    })
}

/// Takes back what was made, unless all of it was.
#[derive(Default)]
struct Undo {
    files: Vec<PathBuf>,
    folders: Vec<PathBuf>,
}

impl Undo {
    fn done(mut self) {
        self.files.clear();
        self.folders.clear();
    }
}

impl Drop for Undo {
    fn drop(&mut self) {
        // Best effort: the error that matters is the one being reported. A folder goes only if it is empty.
        for file in &self.files {
            let _ = fs::remove_file(file);
        }
        for folder in self.folders.iter().rev() {
            let _ = fs::remove_dir(folder);
        }
    }
}

#[cfg(test)]
mod tests {
    use relay_trust::PinSet;

    use super::*;
    use crate::{Config, server::Material};

    fn order(folder: PathBuf) -> Init {
        Init { folder, listen: Some("127.0.0.1:0".parse().unwrap()), names: Vec::new() }
    }

    #[test]
    fn what_init_makes_is_a_whole_configuration() {
        let folder = tempfile::tempdir().unwrap();
        let made = init(&order(folder.path().join("edge"))).unwrap();
        let config = Config::load(&made.config).unwrap();
        assert_eq!(config.listen, ["127.0.0.1:0".parse().unwrap()]);
        let material = Material::load(&config).unwrap();
        assert_eq!(material.warnings().len(), 1, "only that there is no master");
        for pin in [&made.pins.leaf, &made.pins.spki, &made.pins.openssl, &made.pins.curl, &made.pins.okhttp] {
            assert!(pin.parse::<PinSet>().unwrap().matches(material.identity.leaf()), "{pin}");
        }
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
            assert_eq!((mode(&made.key), mode(&made.keys)), (0o600, 0o700));
        }
    }

    #[test]
    fn nothing_is_overwritten_and_nothing_half_made_stays() {
        let folder = tempfile::tempdir().unwrap();
        let here = folder.path().to_owned();
        fs::write(here.join("edge.key"), "mine").unwrap();
        assert!(matches!(init(&order(here.clone())), Err(CommandError::Exists(path)) if path.ends_with("edge.key")));
        assert_eq!(fs::read_dir(&here).unwrap().count(), 1);
        let names = vec!["not a name".to_owned()];
        let new = here.join("new");
        assert!(init(&Init { names, ..order(new.clone()) }).is_err());
        assert!(!new.exists());
    }
}
