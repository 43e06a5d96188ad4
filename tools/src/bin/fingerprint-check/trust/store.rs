//! The store's file: where it lies, who may read it, and how it changes as a whole or not at all.

use std::{
    env,
    fs::{self, File, OpenOptions, TryLockError},
    io::{self, Read, Write},
    path::{Path, PathBuf},
    thread,
    time::{Duration, Instant},
};

use relay_trust::{TrustStore, trust_store::MAX_STORE_BYTES};

use crate::error::Error;

/// The variable that names another file.
pub const VARIABLE: &str = "SALLYPORT_TRUST_STORE";
/// Until another process must have let go of the store.
const LOCK_MAX: Duration = Duration::from_secs(5);
/// Between tries.
const LOCK_PAUSE: Duration = Duration::from_millis(20);

/// The file that an option, the environment or the user's folder names.
///
/// # Errors
/// [`Error::Usage`] where nothing names one.
pub fn path(option: Option<&Path>) -> Result<PathBuf, Error> {
    if let Some(path) = option {
        return Ok(path.to_owned());
    }
    let set = |name: &str| env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    if let Some(path) = set(VARIABLE) {
        return Ok(path);
    }
    let folder = set("XDG_CONFIG_HOME").or_else(|| set("APPDATA")).or_else(|| Some(set("HOME")?.join(".config")));
    let folder = folder.ok_or_else(|| {
        Error::Usage(format!("there is no home folder for the trust store; give --store FILE, or set {VARIABLE}"))
    })?;
    Ok(folder.join("sallyport").join("trust"))
}

/// The store in a file; an empty one where there is no file.
///
/// # Errors
/// [`Error`] where others can read or change it, it is too large, or no store.
pub fn read(path: &Path) -> Result<TrustStore, Error> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(TrustStore::default()),
        Err(error) => return Err(Error::file("read", path)(error)),
    };
    refuse_others(path, &file)?;
    let mut bytes = Vec::new();
    file.take(MAX_STORE_BYTES + 1).read_to_end(&mut bytes).map_err(Error::file("read", path))?;
    let wrong = |reason: &dyn std::fmt::Display| Error::Usage(format!("the trust store {}: {reason}", path.display()));
    if bytes.len() as u64 > MAX_STORE_BYTES {
        return Err(wrong(&format!("it is larger than {MAX_STORE_BYTES} bytes, so it is none; give another file")));
    }
    let text = String::from_utf8(bytes).map_err(|_| wrong(&"it is no text in UTF-8; give another file"))?;
    text.parse().map_err(|error| wrong(&error))
}

/// Changes the store: locked against other processes, written beside it and put in its place.
///
/// # Errors
/// Those of [`read`] and of `change`, after which the file is as it was; [`Error`] where it cannot be locked or written.
pub fn change<T>(path: &Path, change: impl FnOnce(&mut TrustStore) -> Result<T, Error>) -> Result<T, Error> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    fs::create_dir_all(folder).map_err(Error::file("create", folder))?;
    // Through a link the file that it names is changed; the link put aside would leave two stores that differ.
    let path = &fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let _lock = lock(path)?;
    let mut store = read(path)?;
    let before = store.clone();
    let outcome = change(&mut store)?;
    if store != before {
        // Only its owner reads and writes such a file, from the first moment.
        let written = tempfile::NamedTempFile::new_in(folder).and_then(|mut file| {
            file.write_all(store.to_string().as_bytes())?;
            file.as_file().sync_all()?;
            file.persist(path).map_err(|error| error.error)?;
            // The new name is on the disk when its folder is; where folders cannot be opened, the system sees to it.
            File::open(folder).and_then(|folder| folder.sync_all()).or(Ok(()))
        });
        written.map_err(Error::file("write", path))?;
    }
    Ok(outcome)
}

/// The lock beside the store, held until it is dropped. The file stays: removing it would let two in.
fn lock(path: &Path) -> Result<File, Error> {
    let mut name = path.as_os_str().to_owned();
    name.push(".lock");
    let name = PathBuf::from(name);
    let mut options = OpenOptions::new();
    options.create(true).truncate(false).write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let file = options.open(&name).map_err(Error::file("create", &name))?;
    let until = Instant::now() + LOCK_MAX;
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(file),
            Err(TryLockError::WouldBlock) if Instant::now() < until => thread::sleep(LOCK_PAUSE),
            Err(TryLockError::WouldBlock) => {
                return Err(Error::Usage(format!(
                    "the trust store {} is locked by another process; try again when that one is done",
                    path.display()
                )));
            }
            Err(TryLockError::Error(error)) => return Err(Error::file("lock", &name)(error)),
        }
    }
}

#[cfg(unix)]
fn refuse_others(path: &Path, file: &File) -> Result<(), Error> {
    use std::os::unix::fs::PermissionsExt;
    let mode = file.metadata().map_err(Error::file("read", path))?.permissions().mode() & 0o7777;
    if mode & 0o077 == 0 {
        return Ok(());
    }
    let path = path.display();
    Err(Error::Usage(format!(
        "the trust store {path} can be read or changed by others (mode {mode:04o}); look through it with `cat`, then run \
         `chmod 600 {path}`"
    )))
}

#[cfg(not(unix))]
fn refuse_others(_path: &Path, _file: &File) -> Result<(), Error> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use relay_trust::{Pin, PinKind, TrustEntry};

    use super::*;

    fn entry(digest: u8) -> TrustEntry {
        TrustEntry::new("a:1", Pin::new(PinKind::Leaf, [digest; 32]), 0, 1, "test").unwrap()
    }

    #[test]
    fn it_is_made_for_its_owner_alone_and_changes_as_a_whole() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("new/trust");
        assert_eq!(read(&path).unwrap(), TrustStore::default());
        let add = |digest| change(&path, |store| store.add(entry(digest)).map_err(|e| Error::Usage(e.to_string())));
        add(1).unwrap();
        assert!(add(1).is_err());
        assert_eq!(read(&path).unwrap().iter().count(), 1);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o7777, 0o600);
            fs::set_permissions(&path, PermissionsExt::from_mode(0o640)).unwrap();
            let said = read(&path).unwrap_err().to_string();
            assert!(said.contains("mode 0640") && said.contains("chmod 600"), "{said}");
        }
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            fs::set_permissions(&path, PermissionsExt::from_mode(0o600)).unwrap();
            let link = folder.path().join("link");
            std::os::unix::fs::symlink(&path, &link).unwrap();
            change(&link, |store| store.add(entry(2)).map_err(|e| Error::Usage(e.to_string()))).unwrap();
            assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
            assert_eq!(read(&path).unwrap().iter().count(), 2);
        }
        let left: Vec<_> = fs::read_dir(folder.path().join("new")).unwrap().map(|e| e.unwrap().file_name()).collect();
        assert_eq!(left.len(), 2, "the store and its lock: {left:?}");
    }

    #[test]
    fn writers_wait_for_each_other_and_nothing_is_lost() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("trust");
        thread::scope(|scope| {
            for digest in 0..8 {
                let path = &path;
                scope.spawn(move || {
                    change(path, |store| store.add(entry(digest)).map_err(|e| Error::Usage(e.to_string()))).unwrap();
                });
            }
        });
        assert_eq!(read(&path).unwrap().iter().count(), 8);
    }
}
