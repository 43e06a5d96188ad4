//! Why a backend does not start or a command fails, and with which exit code.

use std::path::PathBuf;

use relay_runtime::{config::Problems, exit, listen::ListenError, sandbox::SandboxError};

use crate::{
    edge::EdgeError,
    registry::{RegistryError, entry::EntryError, import::ImportError, thread::Unavailable},
};

/// All that a command can fail with.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Mistakes in the configuration.
    #[error(transparent)]
    Config(#[from] Problems),
    /// The registry.
    #[error(transparent)]
    Registry(#[from] RegistryError),
    /// The registry, through its thread.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
    /// The description of a device.
    #[error(transparent)]
    Entry(#[from] EntryError),
    /// An import file.
    #[error(transparent)]
    Import(#[from] ImportError),
    /// The admin address.
    #[error(transparent)]
    Listen(#[from] ListenError),
    /// The sandbox cannot be entered.
    #[error(transparent)]
    Sandbox(#[from] SandboxError),
    /// TLS towards an edge.
    #[error(transparent)]
    Edge(#[from] EdgeError),
    /// A certificate could not be made.
    #[error("cannot make a certificate: {0}")]
    Identity(#[from] relay_trust::IdentityError),
    /// A secret file.
    #[error(transparent)]
    SecretFile(#[from] relay_trust::SecretFileError),
    /// A file that is to be written is there already.
    #[error("{0} exists already, and nothing is overwritten; choose another --dir, or remove it")]
    Exists(PathBuf),
    /// A file could not be read or written.
    #[error("cannot {operation} {path}: {source}")]
    File {
        /// `read`, `write`, `create`.
        operation: &'static str,
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A value on the command line.
    #[error("{option} {value:?}: {problem}; {remedy}")]
    Option {
        /// The option.
        option: &'static str,
        /// What was given.
        value: String,
        /// What is wrong with it.
        problem: String,
        /// What to do.
        remedy: &'static str,
    },
    /// The system refused what a running process needs.
    #[error("{0}")]
    System(#[source] std::io::Error),
}

impl Error {
    /// The exit code of a process that fails with this.
    #[must_use]
    pub const fn exit_code(&self) -> u8 {
        match self {
            Self::Config(_) | Self::Entry(_) | Self::Exists(_) | Self::Option { .. } => exit::USAGE,
            // What the system refuses is of the moment; everything else is about the file that was given.
            Self::SecretFile(relay_trust::SecretFileError::Io { .. }) => exit::FAILED,
            Self::SecretFile(_) => exit::USAGE,
            Self::Import(ImportError::Lines { .. } | ImportError::TooMany) => exit::USAGE,
            Self::Import(ImportError::Read(_) | ImportError::Registry(_))
            | Self::Registry(_)
            | Self::Unavailable(_)
            | Self::Listen(_)
            | Self::Sandbox(_)
            | Self::Edge(_)
            | Self::Identity(_)
            | Self::File { .. }
            | Self::System(_) => exit::FAILED,
        }
    }
}
