//! Which backends there are, and the shared keys by which they are known: one file per backend, `NAME.toml`.
//!
//! A key belongs to one backend; two may be active while one replaces the other. The files are read whole at start and on
//! SIGHUP; what is in memory is never written to a log.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs, io,
    path::{Path, PathBuf},
};

use relay_trust::{SecretFileError, SharedKey, read_secret_file, write_secret_file_of_folder};
use relay_wire::{
    ids::{BackendName, Exporter, Generation, Role},
    proof::{self, Speaker},
};
use serde::{Deserialize, Deserializer};
use zeroize::Zeroizing;

/// Active keys of one backend at most: the one in use, and the one that replaces it.
pub const KEYS_MAX: usize = 2;
/// Backends at most; more is a folder that holds something else.
const BACKENDS_MAX: usize = 4_096;

/// What is wrong with the folder of keys, or with one of its files. Never holds a key.
#[derive(Debug, thiserror::Error)]
pub enum KeyStoreError {
    /// The folder.
    #[error("cannot read the folder of backend keys {}: {source}; create it with `relay-edge init`, or correct `keys`", path.display())]
    Folder {
        /// The folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Others could add a backend of their own.
    #[error("the folder of backend keys {} can be changed by others (mode {mode:04o}); run `chmod 700 {}`", path.display(), path.display())]
    FolderOpen {
        /// The folder.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// Too many files.
    #[error("{} holds more than {BACKENDS_MAX} backends; give each edge a folder of its own", path.display())]
    TooMany {
        /// The folder.
        path: PathBuf,
    },
    /// A file that cannot be read or written, or that others can read.
    #[error(transparent)]
    File(#[from] SecretFileError),
    /// A file with the wrong content.
    #[error("{}: {reason}", path.display())]
    Content {
        /// The file.
        path: PathBuf,
        /// What is wrong and what to do.
        reason: String,
    },
    /// A file could not be put in its place.
    #[error("cannot {operation} {}: {source}", path.display())]
    Write {
        /// What was tried.
        operation: &'static str,
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The change that was asked for is not possible.
    #[error("{0}")]
    Refused(String),
}

/// Which of a backend's keys a connection was proved with; says nothing about the key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyId([u8; 32]);

impl KeyId {
    fn of(key: &SharedKey) -> Self {
        // No proof is over this text: each begins with its label.
        Self(key.mac(b"which key"))
    }
}

/// A backend's proof holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Proved {
    /// The edge's own proof.
    pub answer: [u8; 32],
    /// The key of both.
    pub key: KeyId,
}

struct Entry {
    role: Role,
    /// 1 to [`KEYS_MAX`], in the order of the file.
    keys: Vec<SharedKey>,
}

/// A backend as `key list` shows it.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct KeyLine {
    /// The backend's name.
    pub name: String,
    /// Its role.
    pub role: &'static str,
    /// The first 8 hexadecimal digits of the SHA-256 of each of its keys.
    pub fingerprints: Vec<String>,
}

/// What a backend claims to be; its proof is over all of it and over the connection.
#[derive(Clone, Copy)]
pub struct Claim<'a> {
    /// The exporter of the connection.
    pub exporter: &'a Exporter,
    /// Its role.
    pub role: Role,
    /// Its name.
    pub name: &'a BackendName,
    /// Its life.
    pub generation: Generation,
}

impl Claim<'_> {
    fn message(&self, speaker: Speaker) -> Vec<u8> {
        proof::backhaul(speaker, self.exporter, self.role, self.name, self.generation)
    }
}

/// The keys of all backends.
pub struct KeyStore {
    backends: BTreeMap<BackendName, Entry>,
    /// Proofs of names that do not exist are checked against this, so that they cost what others cost.
    decoy: SharedKey,
}

impl KeyStore {
    /// Reads every `NAME.toml` in `folder`.
    ///
    /// # Errors
    /// All problems at once.
    pub fn load(folder: &Path) -> Result<Self, Vec<KeyStoreError>> {
        let mut backends = BTreeMap::new();
        let mut problems = Vec::new();
        match files(folder) {
            Ok(files) => {
                for (path, name) in files {
                    match name.and_then(|name| Ok((name, read(&path)?))) {
                        Ok((name, entry)) => drop(backends.insert(name, entry)),
                        Err(problem) => problems.push(problem),
                    }
                }
            }
            Err(problem) => problems.push(problem),
        }
        if problems.is_empty() { Ok(Self { backends, decoy: SharedKey::generate() }) } else { Err(problems) }
    }

    /// The edge's own proof and the key, if the backend's proof holds: [`Speaker::ControlEdge`] for a control connection, [`Speaker::DataEdge`]
    /// for a data connection. An unknown name, a wrong role and a wrong key are the same refusal, at the same cost.
    #[must_use]
    pub fn prove(&self, claim: Claim<'_>, kind: ConnectionKind, proof: &[u8; 32]) -> Option<Proved> {
        let (theirs, ours) = match kind {
            ConnectionKind::Control => (Speaker::ControlBackend, Speaker::ControlEdge),
            ConnectionKind::Data => (Speaker::DataBackend, Speaker::DataEdge),
        };
        let message = claim.message(theirs);
        let entry = self.backends.get(claim.name).filter(|entry| entry.role == claim.role);
        let keys = entry.map(|entry| entry.keys.as_slice()).unwrap_or_default();
        let mut matching = None;
        for place in 0..KEYS_MAX {
            let key = keys.get(place);
            let holds = key.unwrap_or(&self.decoy).verify(&message, proof);
            matching = matching.or(key.filter(|_| holds));
        }
        matching.map(|key| Proved { answer: key.mac(&claim.message(ours)), key: KeyId::of(key) })
    }

    /// Whether this backend is known in this role, and this key is still one of its keys.
    #[must_use]
    pub fn holds(&self, name: &BackendName, role: Role, key: KeyId) -> bool {
        let entry = self.backends.get(name).filter(|entry| entry.role == role);
        entry.is_some_and(|entry| entry.keys.iter().any(|known| KeyId::of(known) == key))
    }

    /// Whether any backend has this role.
    #[must_use]
    pub fn has_role(&self, role: Role) -> bool {
        self.backends.values().any(|entry| entry.role == role)
    }

    /// Every backend's name.
    #[must_use]
    pub fn names(&self) -> BTreeSet<BackendName> {
        self.backends.keys().cloned().collect()
    }

    /// Every backend, without its keys.
    #[must_use]
    pub fn list(&self) -> Vec<KeyLine> {
        let line = |(name, entry): (&BackendName, &Entry)| KeyLine {
            name: name.as_str().to_owned(),
            role: entry.role.as_str(),
            fingerprints: entry.keys.iter().map(SharedKey::fingerprint).collect(),
        };
        self.backends.iter().map(line).collect()
    }
}

/// On which kind of connection a backend proves itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConnectionKind {
    /// Its control connection.
    Control,
    /// A data connection.
    Data,
}

/// Adds a key of a backend to its file, and makes the file if there is none. The file is replaced at once or not at all.
///
/// # Errors
/// [`KeyStoreError`]; nothing is changed then.
pub fn add(folder: &Path, name: &BackendName, role: Role, key: SharedKey) -> Result<PathBuf, KeyStoreError> {
    check_folder(folder)?;
    let path = path_of(folder, name);
    let mut keys = Vec::new();
    if path.exists() {
        let entry = read(&path)?;
        if entry.role != role {
            let is = entry.role;
            return Err(KeyStoreError::Refused(format!("{name} is known as {is}; use another name for a {role}")));
        }
        if entry.keys.iter().any(|known| known.fingerprint() == key.fingerprint()) {
            return Err(KeyStoreError::Refused(format!(
                "{name} has this key already; for a further one give another --key-file, or none to have one made"
            )));
        }
        if entry.keys.len() >= KEYS_MAX {
            return Err(KeyStoreError::Refused(format!(
                "{name} has {KEYS_MAX} active keys; remove the old one first: relay-edge key remove --name {name} \
                 --fingerprint {}",
                entry.keys[0].fingerprint(),
            )));
        }
        keys = entry.keys;
    }
    // A key is one backend's own: with the same one, a captured node could log in as the master.
    let fingerprint = key.fingerprint();
    for (file, other) in files(folder)? {
        if let (Ok(other), Ok(entry)) = (other, read(&file))
            && other != *name
            && entry.keys.iter().any(|known| known.fingerprint() == fingerprint)
        {
            return Err(KeyStoreError::Refused(format!(
                "{other} has this key; every backend has its own: give the shared.key of {name}"
            )));
        }
    }
    keys.push(key);
    write(&path, role, &keys)?;
    Ok(path)
}

/// Removes a backend's key; with its last key the backend is gone.
///
/// # Errors
/// [`KeyStoreError`]; nothing is changed then.
pub fn remove(folder: &Path, name: &BackendName, fingerprint: &str) -> Result<(), KeyStoreError> {
    check_folder(folder)?;
    let path = path_of(folder, name);
    let Entry { role, mut keys } = read(&path)?;
    let before = keys.len();
    keys.retain(|key| !key.fingerprint().eq_ignore_ascii_case(fingerprint));
    if keys.len() == before {
        return Err(KeyStoreError::Refused(format!(
            "{name} has no key with fingerprint {fingerprint}; `relay-edge key list` shows them"
        )));
    }
    if keys.is_empty() {
        return fs::remove_file(&path).map_err(|source| KeyStoreError::Write { operation: "remove", path, source });
    }
    write(&path, role, &keys)
}

fn path_of(folder: &Path, name: &BackendName) -> PathBuf {
    folder.join(format!("{name}.toml"))
}

fn check_folder(folder: &Path) -> Result<(), KeyStoreError> {
    let error = |source| KeyStoreError::Folder { path: folder.to_owned(), source };
    let metadata = fs::metadata(folder).map_err(error)?;
    if !metadata.is_dir() {
        return Err(error(io::ErrorKind::NotADirectory.into()));
    }
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = metadata.permissions().mode() & 0o7777;
        if mode & 0o022 != 0 {
            return Err(KeyStoreError::FolderOpen { path: folder.to_owned(), mode });
        }
    }
    Ok(())
}

type NamedFile = (PathBuf, Result<BackendName, KeyStoreError>);

/// The files of the store, in the order of their names.
fn files(folder: &Path) -> Result<Vec<NamedFile>, KeyStoreError> {
    check_folder(folder)?;
    let error = |source| KeyStoreError::Folder { path: folder.to_owned(), source };
    let mut files = Vec::new();
    for item in fs::read_dir(folder).map_err(error)? {
        let path = item.map_err(error)?.path();
        if path.extension().is_none_or(|extension| extension != "toml") {
            continue;
        }
        if files.len() >= BACKENDS_MAX {
            return Err(KeyStoreError::TooMany { path: folder.to_owned() });
        }
        let stem = path.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
        let name = BackendName::new(stem).map_err(|error| KeyStoreError::Content {
            path: path.clone(),
            reason: format!("the file's name is {error}; rename it to NAME.toml, or move it elsewhere"),
        });
        files.push((path, name));
    }
    files.sort_by(|(one, _), (other, _)| one.cmp(other));
    Ok(files)
}

/// A key's text, wiped when dropped.
struct HexKey(Zeroizing<String>);

impl<'de> Deserialize<'de> for HexKey {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(|text| Self(Zeroizing::new(text)))
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawEntry {
    role: String,
    keys: Vec<HexKey>,
}

fn read(path: &Path) -> Result<Entry, KeyStoreError> {
    let content = |reason: String| KeyStoreError::Content { path: path.to_owned(), reason };
    let text = read_secret_file(path)?;
    // Only the message: the parser's own display quotes the line, and the line may be a key.
    let raw: RawEntry = toml::from_str(&text).map_err(|error| {
        content(format!(
            "{}; a file of keys holds `role` and `keys`, as `relay-edge key add` writes it",
            error.message()
        ))
    })?;
    let role = [Role::Master, Role::StorageNode]
        .into_iter()
        .find(|role| role.as_str() == raw.role)
        .ok_or_else(|| content("`role` must be \"master\" or \"storage-node\"".to_owned()))?;
    if raw.keys.is_empty() || raw.keys.len() > KEYS_MAX {
        return Err(content(format!("`keys` must hold 1 or {KEYS_MAX} keys, not {}", raw.keys.len())));
    }
    let keys = raw.keys.iter().enumerate().map(|(place, key)| {
        SharedKey::from_hex(&key.0).map_err(|error| content(format!("key {} of `keys`: {error}", place + 1)))
    });
    Ok(Entry { role, keys: keys.collect::<Result<_, _>>()? })
}

fn write(path: &Path, role: Role, keys: &[SharedKey]) -> Result<(), KeyStoreError> {
    // Sized beforehand: a text that grows would leave copies of a key behind.
    let mut text = Zeroizing::new(String::with_capacity(512));
    text.push_str("# The shared keys by which this edge knows one backend: keep them secret. `relay-edge key` writes this file.\n");
    text.push_str("role = \"");
    text.push_str(role.as_str());
    text.push_str("\"\nkeys = [\n");
    for key in keys {
        text.push_str("    \"");
        text.push_str(&key.to_hex());
        text.push_str("\",\n");
    }
    text.push_str("]\n");
    let suffix = u64::from_be_bytes(relay_trust::random());
    let new = path.with_extension(format!("toml.{suffix:016x}.new"));
    // The edge reads it as its own user, also when root gave the command.
    write_secret_file_of_folder(&new, &text)?;
    fs::rename(&new, path).map_err(|source| {
        let _ = fs::remove_file(&new);
        KeyStoreError::Write { operation: "replace", path: path.to_owned(), source }
    })
}

#[cfg(test)]
mod tests;
