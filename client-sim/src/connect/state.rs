//! The folder in which a device keeps what it is: key, identity, pins, edges, and whether it is halted.
//!
//! ```text
//! DIR/            0700
//!   device.key    0600  the device's private key, PKCS#8 PEM
//!   state.toml    0600  everything else
//!   roots.pem     0600  the roots, if they came from a file
//!   lock                held while a process uses the folder
//! ```

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
};

use relay_trust::{DeviceKey, PinSet, RootSource, read_secret_file, write_secret_file};
use relay_wire::{Platform, ids::BackendName};
use serde::{Deserialize, Serialize};

use crate::{error::Error, target::EdgeAddress};

const KEY: &str = "device.key";
const STATE: &str = "state.toml";
const ROOTS: &str = "roots.pem";
const LOCK: &str = "lock";
/// Bytes of a state file or a root file at most; ours have a few hundred, a root store a few hundred thousand.
const FILE_BYTES_MAX: u64 = 4 << 20;

/// Why and when a device halted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Halted {
    /// Who it claimed to be.
    pub peer: String,
    /// What was wrong.
    pub reason: String,
    /// When, in seconds since 1970.
    pub at_unix_s: u64,
}

/// What `state.toml` holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Saved {
    /// The platform's name.
    pub platform: String,
    /// The device id, spelled as the platform spells it.
    pub id: String,
    /// Decides the facts that the device states about itself.
    pub seed: u64,
    /// Whose device it is.
    pub user: Option<String>,
    /// The edges, tried in order.
    pub edges: Vec<String>,
    /// The name that their certificates must carry.
    pub server_name: String,
    /// The edge's pins.
    pub pins: Vec<String>,
    /// `system`, `mozilla`, or `file` for `roots.pem` beside this file.
    pub roots: String,
    /// The master's pins.
    pub master_pins: Vec<String>,
    /// The storage node.
    pub node: Option<String>,
    /// The path that requests name.
    pub path: Option<String>,
    /// The master's public key (DER, hex), learned when the device enrolled. Absent: not enrolled yet.
    pub master_key: Option<String>,
    /// The same, from when the device was about to enrol until it knows that it is: the master may have its key already.
    pub pending_master_key: Option<String>,
    /// Present: halted.
    pub halted: Option<Halted>,
}

impl Saved {
    /// The platform.
    ///
    /// # Errors
    /// [`Error::Usage`] if the file names none.
    pub fn platform(&self) -> Result<Platform, Error> {
        Platform::from_name(&self.platform).ok_or_else(|| damaged("platform", &self.platform))
    }

    /// The edges.
    ///
    /// # Errors
    /// [`Error::Usage`] if one is no address.
    pub fn edges(&self) -> Result<Vec<EdgeAddress>, Error> {
        self.edges.iter().map(|edge| edge.parse().map_err(|_| damaged("edges", edge))).collect()
    }

    /// The edge's pins.
    ///
    /// # Errors
    /// [`Error::Usage`] if one is no pin, or there is none.
    pub fn pins(&self) -> Result<PinSet, Error> {
        let text = self.pins.join(",");
        text.parse().map_err(|_| damaged("pins", &text))
    }

    /// The master's pins.
    ///
    /// # Errors
    /// [`Error::Usage`] if one is no pin, or there is none.
    pub fn master_pins(&self) -> Result<PinSet, Error> {
        let text = self.master_pins.join(",");
        text.parse().map_err(|_| damaged("master_pins", &text))
    }

    /// The storage node.
    ///
    /// # Errors
    /// [`Error::Usage`] if it is no name, or none is known.
    pub fn node(&self) -> Result<BackendName, Error> {
        let node = self
            .node
            .as_deref()
            .ok_or_else(|| Error::Usage("--node NAME is needed: the storage node that offers the services".into()))?;
        node.parse().map_err(|_| damaged("node", node))
    }

    /// The master's public key, of an enrolled device or of one that may be.
    ///
    /// # Errors
    /// [`Error::Usage`] if it is not hex.
    pub fn master_key(&self) -> Result<Option<Vec<u8>>, Error> {
        let key = self.master_key.as_deref().or(self.pending_master_key.as_deref());
        key.map(|key| crate::hex::decode(key).ok_or_else(|| damaged("master_key", key))).transpose()
    }
}

fn damaged(key: &str, value: &str) -> Error {
    Error::Usage(format!(
        "{STATE}: {key} = {value:?} cannot be used; start over with another --state folder, or put it right"
    ))
}

/// A state folder that this process alone uses.
pub struct Folder {
    path: PathBuf,
    _lock: File,
}

impl Folder {
    /// Opens the folder, which is made if it does not exist, and locks it.
    ///
    /// # Errors
    /// [`Error::Usage`] if others can read it or another process uses it; [`Error::File`] if it cannot be used.
    pub fn open(path: &Path) -> Result<Self, Error> {
        let failed = |action| move |source| Error::File { action, path: path.to_owned(), source };
        if !path.exists() {
            fs::DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(failed("create"))?;
        }
        let found = fs::metadata(path).map_err(failed("read"))?;
        if !found.is_dir() {
            return Err(Error::Usage(format!(
                "--state {}: not a folder; give one of the device's own",
                path.display()
            )));
        }
        if found.permissions().mode() & 0o077 != 0 {
            // A folder of somebody else's, such as /tmp, must not be closed to others: that advice is for ours alone.
            let remedy = if path.join(KEY).exists() {
                format!("run `chmod 700 {}`", path.display())
            } else {
                "give the device a folder of its own; one that does not exist is made".to_owned()
            };
            return Err(Error::Usage(format!(
                "--state {}: others can look into this folder; {remedy}",
                path.display()
            )));
        }
        let lock = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .mode(0o600)
            .open(path.join(LOCK))
            .map_err(failed("create"))?;
        match lock.try_lock() {
            Ok(()) => Ok(Self { path: path.to_owned(), _lock: lock }),
            Err(fs::TryLockError::WouldBlock) => Err(Error::Usage(format!(
                "--state {}: another client-sim uses this folder; one device is one process",
                path.display()
            ))),
            Err(fs::TryLockError::Error(source)) => Err(failed("lock")(source)),
        }
    }

    /// What was saved; `None` at the first start.
    ///
    /// # Errors
    /// [`Error::File`] if it cannot be read, [`Error::Usage`] if it is not what this program writes.
    pub fn load(&self) -> Result<Option<Saved>, Error> {
        let path = self.path.join(STATE);
        let text = match bounded(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(source) => return Err(Error::File { action: "read", path, source }),
        };
        toml::from_str(&text).map(Some).map_err(|error| Error::Usage(format!("{}: {error}", path.display())))
    }

    /// Saves, so that a crash at any moment leaves the old or the new state.
    ///
    /// # Errors
    /// [`Error::File`] if it cannot be written.
    pub fn save(&self, saved: &Saved) -> Result<(), Error> {
        let path = self.path.join(STATE);
        let failed = |source| Error::File { action: "write", path: path.clone(), source };
        let text = toml::to_string(saved).map_err(|error| failed(io::Error::other(error)))?;
        self.replace(STATE, text.as_bytes()).map_err(failed)
    }

    /// Writes beside, then moves into place.
    fn replace(&self, name: &str, bytes: &[u8]) -> io::Result<()> {
        let new = self.path.join(format!("{name}.new"));
        let mut file = OpenOptions::new().create(true).truncate(true).write(true).mode(0o600).open(&new)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(&new, self.path.join(name))?;
        File::open(&self.path)?.sync_all()
    }

    /// The device's key, which is made if there is none.
    ///
    /// # Errors
    /// [`Error::Usage`] if the file is no key or others can read it.
    pub fn key(&self) -> Result<DeviceKey, Error> {
        let path = self.path.join(KEY);
        if !path.exists() {
            let key = DeviceKey::generate();
            write_secret_file(&path, &key.to_pkcs8_pem()).map_err(|error| Error::Usage(error.to_string()))?;
            return Ok(key);
        }
        let text = read_secret_file(&path).map_err(|error| Error::Usage(error.to_string()))?;
        DeviceKey::from_pkcs8_pem(&text).map_err(|error| Error::Usage(format!("{}: {error}", path.display())))
    }

    /// Takes the roots in: a file is copied, so that the state does not depend on where it lay.
    ///
    /// # Errors
    /// [`Error::File`] if it cannot be copied.
    pub fn adopt_roots(&self, source: &RootSource) -> Result<String, Error> {
        match source {
            RootSource::System => Ok("system".into()),
            RootSource::Mozilla => Ok("mozilla".into()),
            RootSource::File(file) => {
                let text =
                    bounded(file).map_err(|source| Error::File { action: "read", path: file.clone(), source })?;
                self.replace(ROOTS, text.as_bytes()).map_err(|source| Error::File {
                    action: "write",
                    path: self.path.join(ROOTS),
                    source,
                })?;
                Ok("file".into())
            }
        }
    }

    /// Where the roots of a state come from.
    ///
    /// # Errors
    /// [`Error::Usage`] if the state names something else.
    pub fn roots(&self, saved: &Saved) -> Result<RootSource, Error> {
        match saved.roots.as_str() {
            "system" => Ok(RootSource::System),
            "mozilla" => Ok(RootSource::Mozilla),
            "file" => Ok(RootSource::File(self.path.join(ROOTS))),
            other => Err(damaged("roots", other)),
        }
    }
}

fn bounded(path: &Path) -> io::Result<String> {
    use std::io::Read;
    let file = File::open(path)?;
    let mut text = String::new();
    file.take(FILE_BYTES_MAX + 1).read_to_string(&mut text)?;
    if text.len() as u64 > FILE_BYTES_MAX {
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, "larger than 4 MiB"));
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn saved() -> Saved {
        Saved {
            platform: "linux".into(),
            id: "9d1f6e02b7c84a35b2e07d5c41f98a06".into(),
            seed: u64::MAX >> 1,
            user: Some("ana@example.com".into()),
            edges: vec!["[2001:db8::7]:443".into()],
            server_name: "edge.example.com".into(),
            pins: vec![format!("spki:{}", "ab".repeat(32))],
            roots: "system".into(),
            master_pins: vec![format!("leaf:{}", "cd".repeat(32))],
            node: Some("node-a".into()),
            path: None,
            master_key: Some("00ff".into()),
            pending_master_key: None,
            halted: Some(Halted { peer: "the edge".into(), reason: "a \"wrong\" pin".into(), at_unix_s: 1 }),
        }
    }

    #[test]
    fn what_is_saved_comes_back_and_only_its_owner_can_read_it() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("state");
        let folder = Folder::open(&path).unwrap();
        assert_eq!(folder.load().unwrap(), None);
        folder.save(&saved()).unwrap();
        assert_eq!(folder.load().unwrap(), Some(saved()));
        let spki = folder.key().unwrap().spki();
        assert_eq!(folder.key().unwrap().spki(), spki);
        for name in [STATE, KEY] {
            assert_eq!(fs::metadata(path.join(name)).unwrap().permissions().mode() & 0o777, 0o600, "{name}");
        }
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o700);
    }

    #[test]
    fn one_process_at_a_time() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("state");
        let first = Folder::open(&path).unwrap();
        let error = Folder::open(&path).err().unwrap();
        assert!(error.to_string().contains("another client-sim"), "{error}");
        drop(first);
        Folder::open(&path).unwrap();
    }

    #[test]
    fn an_open_folder_and_a_damaged_state_are_refused() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("state");
        fs::create_dir(&path).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        let refusal = Folder::open(&path).err().unwrap().to_string();
        assert!(refusal.contains("of its own") && !refusal.contains("chmod"), "{refusal}");
        fs::write(path.join(KEY), "").unwrap();
        assert!(Folder::open(&path).err().unwrap().to_string().contains("chmod 700"));
        assert!(Folder::open(&path.join(KEY)).err().unwrap().to_string().contains("not a folder"));
        fs::set_permissions(&path, fs::Permissions::from_mode(0o700)).unwrap();
        let folder = Folder::open(&path).unwrap();
        fs::write(path.join(STATE), "platform = 3\n").unwrap();
        let error = folder.load().unwrap_err();
        assert!(error.exit_code() == 2 && error.to_string().contains("line 1"), "{error}");
        assert!(Saved { pins: vec![], ..saved() }.pins().is_err());
        assert!(Saved { node: None, ..saved() }.node().unwrap_err().to_string().contains("--node"));
    }
}
