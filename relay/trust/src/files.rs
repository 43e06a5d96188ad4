//! Reading and writing files with bounds and permissions: secrets 0600, certificates 0644, nothing overwritten.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

/// Only the owner reads and writes.
pub(crate) const SECRET_MODE: u32 = 0o600;
/// Everybody may read.
pub(crate) const PUBLIC_MODE: u32 = 0o644;

/// Why a file of secrets (or a certificate beside it) could not be read or written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SecretFileError {
    /// The operating system said no.
    #[error("cannot {operation} {}: {source}{}", path.display(), whose(source))]
    Io {
        /// `read`, `create` or `write`.
        operation: &'static str,
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A file of that name is there already.
    #[error("{} exists already and is not overwritten; move it away first, or give another name", path.display())]
    Exists {
        /// The file.
        path: PathBuf,
    },
    /// A folder, pipe or device.
    #[error("{} is not a regular file; give the path of a file", path.display())]
    NotAFile {
        /// The path.
        path: PathBuf,
    },
    /// Larger than such a file can be.
    #[error("{} is larger than {limit} bytes, so it is not the file that belongs here", path.display())]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// The bound, bytes.
        limit: u64,
    },
    /// Others than its owner can read or change it.
    #[error("{} can be read or changed by others (mode {mode:04o}); run `chmod 600 {}`", path.display(), path.display())]
    TooOpen {
        /// The file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// Not text.
    #[error("{} is not a text file; {expected}", path.display())]
    NotText {
        /// The file.
        path: PathBuf,
        /// What belongs there.
        expected: &'static str,
    },
    /// Text of the wrong form.
    #[error("{}: {reason}", path.display())]
    Content {
        /// The file.
        path: PathBuf,
        /// What is wrong and what to do; never the content.
        reason: String,
    },
}

/// What to do when the system names no way out: commands are often given by root, for a program that is not root.
fn whose(source: &io::Error) -> &'static str {
    if source.kind() == io::ErrorKind::PermissionDenied {
        "; the file and the folders above it must be open to the user of this process"
    } else {
        ""
    }
}

/// Whose a new file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Owner {
    /// The user's of this process.
    Process,
    /// If root makes it: the folder's owner's, whom root acts for.
    Folder,
}

/// A secret text file of at most `limit` bytes that only its owner can open.
pub(crate) fn read_secret(path: &Path, limit: u64) -> Result<Zeroizing<String>, SecretFileError> {
    let file = open_regular(path)?;
    refuse_open_permissions(path, &file)?;
    let bytes = read_bounded(path, file, limit)?;
    match std::str::from_utf8(&bytes) {
        Ok(text) => Ok(Zeroizing::new(text.to_owned())),
        Err(_) => {
            Err(SecretFileError::NotText { path: path.to_owned(), expected: "a secret or a PEM key belongs here" })
        }
    }
}

/// A file without secrets, of at most `limit` bytes.
pub(crate) fn read_public(path: &Path, limit: u64) -> Result<Zeroizing<Vec<u8>>, SecretFileError> {
    read_bounded(path, open_regular(path)?, limit)
}

/// Writes a new file of that mode, down to the disk; an existing one is left alone, a failed one removed.
pub(crate) fn write_new(path: &Path, text: &str, mode: u32, owner: Owner) -> Result<(), SecretFileError> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    with_mode(&mut options, mode);
    let mut file = options.open(path).map_err(|source| {
        if source.kind() == io::ErrorKind::AlreadyExists {
            SecretFileError::Exists { path: path.to_owned() }
        } else {
            SecretFileError::Io { operation: "create", path: path.to_owned(), source }
        }
    })?;
    let written = set_mode(&file, mode)
        .and_then(|()| if owner == Owner::Folder { give_to_folders_owner(path, &file) } else { Ok(()) })
        .and_then(|()| file.write_all(text.as_bytes()))
        .and_then(|()| file.sync_all());
    written.map_err(|source| {
        // Best effort: the error that matters is the one being reported.
        let _ = std::fs::remove_file(path);
        SecretFileError::Io { operation: "write", path: path.to_owned(), source }
    })
}

fn open_regular(path: &Path) -> Result<File, SecretFileError> {
    let io = |source| SecretFileError::Io { operation: "read", path: path.to_owned(), source };
    // Looked at before opening, because opening a pipe waits for a writer.
    if !std::fs::metadata(path).map_err(io)?.is_file() {
        return Err(SecretFileError::NotAFile { path: path.to_owned() });
    }
    let file = File::open(path).map_err(io)?;
    if !file.metadata().map_err(io)?.is_file() {
        return Err(SecretFileError::NotAFile { path: path.to_owned() });
    }
    Ok(file)
}

fn read_bounded(path: &Path, file: File, limit: u64) -> Result<Zeroizing<Vec<u8>>, SecretFileError> {
    // Sized beforehand: a vector that grows would leave copies of a secret behind.
    let capacity = usize::try_from(limit.saturating_add(1)).unwrap_or(usize::MAX);
    let mut bytes = Zeroizing::new(Vec::with_capacity(capacity));
    file.take(limit.saturating_add(1)).read_to_end(&mut bytes).map_err(|source| SecretFileError::Io {
        operation: "read",
        path: path.to_owned(),
        source,
    })?;
    if bytes.len() >= capacity { Err(SecretFileError::TooLarge { path: path.to_owned(), limit }) } else { Ok(bytes) }
}

#[cfg(unix)]
fn refuse_open_permissions(path: &Path, file: &File) -> Result<(), SecretFileError> {
    use std::os::unix::fs::{MetadataExt, PermissionsExt};
    let metadata =
        file.metadata().map_err(|source| SecretFileError::Io { operation: "read", path: path.to_owned(), source })?;
    let mode = metadata.permissions().mode() & 0o7777;
    if is_secret(mode, metadata.uid(), metadata.gid()) {
        Ok(())
    } else {
        Err(SecretFileError::TooOpen { path: path.to_owned(), mode })
    }
}

/// Whether a file of that mode and owner is its owner's alone; or a credential as systemd hands it over: root's, with one
/// more reader in its access control list, whose mask stands where the group's permissions are.
#[cfg(unix)]
fn is_secret(mode: u32, user: u32, group: u32) -> bool {
    mode & 0o077 == 0 || (mode == 0o440 && user == 0 && group == 0)
}

#[cfg(not(unix))]
fn refuse_open_permissions(_path: &Path, _file: &File) -> Result<(), SecretFileError> {
    Ok(())
}

#[cfg(unix)]
fn with_mode(options: &mut OpenOptions, mode: u32) {
    use std::os::unix::fs::OpenOptionsExt;
    options.mode(mode);
}

#[cfg(not(unix))]
fn with_mode(_options: &mut OpenOptions, _mode: u32) {}

/// The mode asked for whatever the umask: a certificate is to be readable, a key never more than 0600.
#[cfg(unix)]
fn set_mode(file: &File, mode: u32) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    file.set_permissions(std::fs::Permissions::from_mode(mode))
}

#[cfg(not(unix))]
fn set_mode(_file: &File, _mode: u32) -> io::Result<()> {
    Ok(())
}

/// By the open file and not by its name, at which the folder's owner could have put another by now.
#[cfg(unix)]
fn give_to_folders_owner(path: &Path, file: &File) -> io::Result<()> {
    use std::os::unix::fs::{MetadataExt, fchown};
    let Some(folder) = path.parent() else { return Ok(()) };
    let folder = std::fs::metadata(if folder.as_os_str().is_empty() { Path::new(".") } else { folder })?;
    if file.metadata()?.uid() == 0 && folder.uid() != 0 {
        fchown(file, Some(folder.uid()), Some(folder.gid()))?;
    }
    Ok(())
}

#[cfg(not(unix))]
fn give_to_folders_owner(_path: &Path, _file: &File) -> io::Result<()> {
    Ok(())
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn mode_of(path: &Path) -> u32 {
        std::fs::metadata(path).unwrap().permissions().mode() & 0o7777
    }

    #[test]
    fn a_secret_is_written_once_with_0600() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("shared.key");
        write_new(&path, "first\n", SECRET_MODE, Owner::Process).unwrap();
        assert_eq!(mode_of(&path), 0o600);
        assert!(matches!(
            write_new(&path, "second\n", SECRET_MODE, Owner::Process),
            Err(SecretFileError::Exists { .. })
        ));
        assert_eq!(*read_secret(&path, 100).unwrap(), "first\n");
    }

    #[test]
    fn what_root_writes_for_a_folders_owner_is_that_owners() {
        use std::os::unix::fs::{MetadataExt, chown};
        let folder = tempfile::tempdir().unwrap();
        let (own, given) = (folder.path().join("own"), folder.path().join("given"));
        let is_root = chown(folder.path(), Some(4_711), Some(4_712)).is_ok();
        write_new(&own, "x", SECRET_MODE, Owner::Process).unwrap();
        write_new(&given, "x", SECRET_MODE, Owner::Folder).unwrap();
        let owner = |path: &Path| (std::fs::metadata(path).unwrap().uid(), std::fs::metadata(path).unwrap().gid());
        if is_root {
            assert_eq!((owner(&own).0, owner(&given)), (0, (4_711, 4_712)));
        } else {
            assert_eq!(owner(&own), owner(&given), "nobody else can give files away");
        }
        assert_eq!(mode_of(&given), 0o600);
    }

    #[test]
    fn any_permission_of_others_is_refused_with_the_remedy() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("shared.key");
        write_new(&path, "x", SECRET_MODE, Owner::Process).unwrap();
        for mode in [0o640, 0o604, 0o620, 0o601, 0o644, 0o777] {
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
            let error = read_secret(&path, 100).unwrap_err();
            assert!(matches!(error, SecretFileError::TooOpen { .. }), "{mode:o}");
            assert!(error.to_string().contains("chmod 600"), "{error}");
        }
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o400)).unwrap();
        assert_eq!(*read_secret(&path, 100).unwrap(), "x");
    }

    #[test]
    fn a_credential_of_systemd_is_a_secret() {
        assert!(is_secret(0o440, 0, 0) && is_secret(0o400, 0, 0) && is_secret(0o600, 1_000, 1_000));
        assert!(!is_secret(0o440, 1_000, 0) && !is_secret(0o440, 0, 1_000), "the group is somebody");
        assert!(!is_secret(0o640, 0, 0) && !is_secret(0o444, 0, 0));
    }

    #[test]
    fn bounds_kinds_and_absence_are_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        write_new(&path, "12345", SECRET_MODE, Owner::Process).unwrap();
        assert_eq!(*read_secret(&path, 5).unwrap(), "12345");
        assert!(matches!(read_secret(&path, 4), Err(SecretFileError::TooLarge { .. })));
        assert!(matches!(read_secret(folder.path(), 4), Err(SecretFileError::NotAFile { .. })));
        let absent = folder.path().join("absent");
        let error = read_secret(&absent, 4).unwrap_err().to_string();
        assert!(error.contains("absent"), "{error}");
    }
}
