//! The master's registry: which devices it knows, and which mass-deployment secrets still enrol new ones.
//!
//! SQLite in WAL mode, so that `relay-backend device ...` and `secret ...` work while the daemon runs. This file opens
//! and migrates the database; [`devices`], [`secrets`] and [`import`] hold the operations, all blocking and without a
//! clock (the time is an argument). The daemon reaches them through the one registry thread ([`thread`]) and answers
//! from its cache ([`cache`]).

use std::{
    fs, io,
    path::{Path, PathBuf},
    time::Duration,
};

use rusqlite::{Connection, OpenFlags, Transaction, TransactionBehavior};

pub mod cache;
pub mod devices;
pub mod entry;
pub mod import;
pub mod secrets;
mod sightings;
pub mod thread;

pub use devices::{Device, DeviceState, NewDevice};
pub use secrets::{SecretInfo, SecretState};

/// Secrets that may be live at once. A `register` tries every one of them, so this bounds what a stranger's guess costs:
/// 64 HMACs over a few hundred bytes, about 50 microseconds.
pub const SECRETS_LIVE_MAX: usize = 64;

/// How long a statement waits for another process's write: longer than any transaction here takes (an import of 100,000
/// devices is about two seconds), shorter than a person waits.
const BUSY_TIMEOUT: Duration = Duration::from_secs(10);

/// Schema changes in order; `PRAGMA user_version` counts how many a file has had. Never edit one: append.
const MIGRATIONS: &[&str] = &["
    CREATE TABLE revision (only_row INTEGER PRIMARY KEY CHECK (only_row = 1), value INTEGER NOT NULL) STRICT;
    INSERT INTO revision VALUES (1, 0);
    CREATE TABLE device (
        registry_key TEXT PRIMARY KEY,
        platform     TEXT NOT NULL,
        id           TEXT NOT NULL,
        user         TEXT NOT NULL,
        name         TEXT NOT NULL,
        spki         BLOB,
        status       TEXT NOT NULL CHECK (status IN ('active', 'revoked', 'reset')),
        enrolled_at  INTEGER,
        revoked_at   INTEGER,
        last_seen_at INTEGER,
        revision     INTEGER NOT NULL,
        CHECK ((status = 'active') <= (spki IS NOT NULL))
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX device_by_revision ON device (revision);
    CREATE TABLE secret (
        label      TEXT PRIMARY KEY,
        secret     TEXT NOT NULL CHECK (length(secret) = 64),
        created_at INTEGER NOT NULL,
        expires_at INTEGER NOT NULL,
        uses       INTEGER NOT NULL,
        uses_left  INTEGER NOT NULL CHECK (uses_left BETWEEN 0 AND uses),
        revoked_at INTEGER
    ) STRICT;
    CREATE TABLE enrolment (
        registry_key TEXT NOT NULL REFERENCES device (registry_key),
        secret       TEXT NOT NULL REFERENCES secret (label),
        at           INTEGER NOT NULL
    ) STRICT;
"];

/// Seconds since 1970-01-01T00:00:00Z.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UnixSeconds(pub u64);

impl UnixSeconds {
    /// The system's time of day.
    #[must_use]
    pub fn now() -> Self {
        Self(std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).map_or(0, |since| since.as_secs()))
    }

    /// This time and `later` more; the end of time if there is no such time.
    #[must_use]
    pub const fn plus(self, later: Duration) -> Self {
        Self(self.0.saturating_add(later.as_secs()))
    }

    /// As SQLite holds it; times beyond its range are its last.
    pub(crate) fn to_sql(self) -> i64 {
        i64::try_from(self.0).unwrap_or(i64::MAX)
    }

    pub(crate) fn from_sql(value: i64) -> Self {
        Self(u64::try_from(value).unwrap_or(0))
    }
}

impl std::fmt::Display for UnixSeconds {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match std::time::UNIX_EPOCH.checked_add(Duration::from_secs(self.0)) {
            // Beyond the year 9999 humantime cannot write a date.
            Some(time) if self.0 < 253_402_300_800 => write!(f, "{}", humantime::format_rfc3339_seconds(time)),
            _ => f.write_str("never"),
        }
    }
}

/// Why a registry operation failed.
#[derive(Debug, thiserror::Error)]
pub enum RegistryError {
    /// The file cannot be made.
    #[error("cannot create the registry {path}: {source}; choose a folder that this user may write to")]
    Create {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The file is not there, or cannot be looked at.
    #[error("cannot open the registry {path}: {source}; `relay-backend init --role master` makes one")]
    Missing {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Others may read the file, and it holds secrets.
    #[error("the registry {path} has mode {mode:04o}: others could read its secrets; run `chmod 600 {path}`")]
    Permissions {
        /// The file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// The file is there and nothing is in it: what was in it is lost, the revocations too.
    #[error(
        "the registry {path} is empty, so every device and every revocation in it is lost; restore it from a backup"
    )]
    Empty {
        /// The file.
        path: PathBuf,
    },
    /// The file was made by a later release.
    #[error("the registry {path} has schema {found}, this program knows up to {known}; use the newer relay-backend")]
    TooNew {
        /// The file.
        path: PathBuf,
        /// Its schema.
        found: i64,
        /// Ours.
        known: usize,
    },
    /// SQLite said no.
    #[error("the registry {path} could not {operation}: {source}")]
    Sqlite {
        /// The file.
        path: PathBuf,
        /// What was being done.
        operation: &'static str,
        /// Why not.
        source: rusqlite::Error,
    },
    /// No device of this id.
    #[error("there is no device {0} in the registry; `relay-backend device list` shows those there are")]
    UnknownDevice(String),
    /// A device of this id is there already.
    #[error("the device {0} is already in the registry; `relay-backend device reset` lets it enrol again")]
    DeviceExists(String),
    /// No secret of this label.
    #[error("there is no mass secret {0:?} in the registry; `relay-backend secret list` shows those there are")]
    UnknownSecret(String),
    /// A secret of this label is there already.
    #[error("there is a mass secret {0:?} already; choose another label")]
    SecretExists(String),
    /// Too many live secrets.
    #[error("{SECRETS_LIVE_MAX} mass secrets are live, which is the most; revoke one that is no longer needed")]
    TooManySecrets,
    /// The system gave no thread.
    #[error("cannot start the registry thread: {0}; raise this user's process limit")]
    Thread(io::Error),
    /// A stored value that this program would not have written.
    #[error("the registry {path} holds an unreadable {what} for {subject}; restore the file from a backup")]
    Corrupt {
        /// The file.
        path: PathBuf,
        /// Which value.
        what: &'static str,
        /// Of what.
        subject: String,
    },
}

/// An open registry. Blocking: the daemon uses it on the registry thread only.
pub struct Registry {
    connection: Connection,
    path: PathBuf,
}

impl Registry {
    /// Makes a new, empty registry at `path`, readable by its owner only.
    ///
    /// # Errors
    /// [`RegistryError::Create`] if there is a file already, or none can be made.
    pub fn create(path: &Path) -> Result<Self, RegistryError> {
        let mut options = fs::OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        options.open(path).map_err(|source| RegistryError::Create { path: path.to_owned(), source })?;
        Self::open_as(path, true)
    }

    /// Opens the registry at `path` and brings its schema up to date.
    ///
    /// # Errors
    /// [`RegistryError`] if the file is missing, empty, readable by others, from a later release, or no database.
    pub fn open(path: &Path) -> Result<Self, RegistryError> {
        Self::open_as(path, false)
    }

    fn open_as(path: &Path, new: bool) -> Result<Self, RegistryError> {
        let metadata = fs::metadata(path).map_err(|source| RegistryError::Missing { path: path.to_owned(), source })?;
        check_permissions(path, &metadata)?;
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let failed = |operation| move |source| RegistryError::Sqlite { path: path.to_owned(), operation, source };
        let connection = Connection::open_with_flags(path, flags).map_err(failed("be opened"))?;
        connection.busy_timeout(BUSY_TIMEOUT).map_err(failed("set its busy timeout"))?;
        // SQLite's own files beside this one (-wal, -shm) get this file's mode.
        connection.pragma_update(None, "journal_mode", "WAL").map_err(failed("switch to WAL"))?;
        connection.pragma_update(None, "synchronous", "FULL").map_err(failed("set durability"))?;
        connection.pragma_update(None, "foreign_keys", true).map_err(failed("turn foreign keys on"))?;
        // A crafted database must not make this program run functions or write schemas of its choice.
        connection.pragma_update(None, "trusted_schema", false).map_err(failed("distrust schemas"))?;
        // What is deleted or overwritten (a revoked secret) is wiped from the file as well.
        connection.pragma_update(None, "secure_delete", true).map_err(failed("turn secure delete on"))?;
        let mut registry = Self { connection, path: path.to_owned() };
        registry.migrate(new)?;
        Ok(registry)
    }

    fn migrate(&mut self, new: bool) -> Result<(), RegistryError> {
        let path = self.path.clone();
        let transaction = self.begin("migrate")?;
        let failed = |source| RegistryError::Sqlite { path: path.clone(), operation: "migrate", source };
        let found: i64 = transaction.pragma_query_value(None, "user_version", |row| row.get(0)).map_err(failed)?;
        // To SQLite an empty file is a good, new database. Here it would bring every revoked device back.
        if found == 0 && !new {
            return Err(RegistryError::Empty { path: path.clone() });
        }
        let pending = usize::try_from(found).ok().and_then(|done| MIGRATIONS.get(done..));
        let Some(pending) = pending else {
            return Err(RegistryError::TooNew { path: path.clone(), found, known: MIGRATIONS.len() });
        };
        if pending.is_empty() {
            return Ok(());
        }
        for migration in pending {
            transaction.execute_batch(migration).map_err(failed)?;
        }
        let version = i64::try_from(MIGRATIONS.len()).unwrap_or(i64::MAX);
        transaction.pragma_update(None, "user_version", version).map_err(failed)?;
        transaction.commit().map_err(failed)
    }

    /// The file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// A number that changes when ANOTHER connection has committed (`PRAGMA data_version`); cheap to read.
    ///
    /// # Errors
    /// [`RegistryError::Sqlite`].
    pub fn data_version(&self) -> Result<i64, RegistryError> {
        self.connection
            .pragma_query_value(None, "data_version", |row| row.get(0))
            .map_err(|source| self.failed("read its version", source))
    }

    /// Begins a transaction that holds the write lock from its start, so that what it reads stays true until it commits.
    fn begin(&mut self, operation: &'static str) -> Result<Transaction<'_>, RegistryError> {
        let path = &self.path;
        self.connection
            .transaction_with_behavior(TransactionBehavior::Immediate)
            .map_err(|source| RegistryError::Sqlite { path: path.clone(), operation, source })
    }

    fn failed(&self, operation: &'static str, source: rusqlite::Error) -> RegistryError {
        RegistryError::Sqlite { path: self.path.clone(), operation, source }
    }
}

/// The next revision, for a row that this transaction changes: readers find what changed by asking for larger ones.
fn next_revision(transaction: &Transaction<'_>) -> rusqlite::Result<i64> {
    transaction.query_row("UPDATE revision SET value = value + 1 RETURNING value", [], |row| row.get(0))
}

#[cfg(unix)]
fn check_permissions(path: &Path, metadata: &fs::Metadata) -> Result<(), RegistryError> {
    let mode = std::os::unix::fs::PermissionsExt::mode(&metadata.permissions()) & 0o7777;
    if mode & 0o077 == 0 { Ok(()) } else { Err(RegistryError::Permissions { path: path.to_owned(), mode }) }
}

#[cfg(not(unix))]
fn check_permissions(_path: &Path, _metadata: &fs::Metadata) -> Result<(), RegistryError> {
    Ok(())
}

#[cfg(test)]
mod tests;
