//! What can go wrong with a whole edge or with a command, and the exit code of each.

use std::{io, path::PathBuf, process::ExitCode};

use relay_runtime::{activation::ActivationError, config::Problems, exit, listen::ListenError, sandbox::SandboxError};
use relay_trust::{IdentityError, SecretFileError};

use crate::keystore::KeyStoreError;

/// Why an edge does not start.
#[derive(Debug, thiserror::Error)]
pub enum EdgeError {
    /// The configuration, or files that it names.
    #[error("{0}")]
    Config(#[from] Problems),
    /// An address.
    #[error(transparent)]
    Listen(#[from] ListenError),
    /// What the service manager hands over cannot be used.
    #[error(transparent)]
    Activation(#[from] ActivationError),
    /// The service manager hands over other ports than the configuration has.
    #[error(
        "the service manager hands over sockets of port {passed}, and `{setting}` says {configured}; make them the same, in \
         the socket unit or in the configuration"
    )]
    Ports {
        /// The setting.
        setting: &'static str,
        /// The ports of the sockets.
        passed: String,
        /// The ports of the setting.
        configured: String,
    },
    /// A bound socket does not say where it is bound.
    #[error("cannot read the address of a listening socket: {0}")]
    Address(#[source] io::Error),
}

/// Why a command failed.
#[derive(Debug, thiserror::Error)]
pub enum CommandError {
    /// The edge.
    #[error(transparent)]
    Edge(#[from] EdgeError),
    /// The folder of keys.
    #[error(transparent)]
    Keys(#[from] KeyStoreError),
    /// The folder of keys has several problems.
    #[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))]
    KeyStore(Vec<KeyStoreError>),
    /// A certificate cannot be made or read.
    #[error(transparent)]
    Identity(#[from] IdentityError),
    /// A file of secrets cannot be written or read.
    #[error(transparent)]
    File(#[from] SecretFileError),
    /// `init` would overwrite something.
    #[error("{} exists already and nothing is overwritten; give another --dir, or move it away", .0.display())]
    Exists(PathBuf),
    /// A file or folder cannot be made.
    #[error("cannot {operation} {}: {source}", path.display())]
    Write {
        /// What was tried.
        operation: &'static str,
        /// On what.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The process cannot do what a server must.
    #[error("cannot {operation}: {source}")]
    Process {
        /// What was tried.
        operation: &'static str,
        /// What the system said.
        source: io::Error,
    },
    /// The sandbox cannot be entered.
    #[error(transparent)]
    Sandbox(#[from] SandboxError),
    /// The result cannot be written to standard output.
    #[error("cannot write to standard output: {0}")]
    Output(#[source] io::Error),
}

impl CommandError {
    /// The exit code.
    #[must_use]
    pub fn exit_code(&self) -> ExitCode {
        ExitCode::from(match self {
            Self::Edge(EdgeError::Config(_) | EdgeError::Activation(_) | EdgeError::Ports { .. })
            | Self::Keys(_)
            | Self::KeyStore(_)
            | Self::Identity(_)
            | Self::File(_)
            | Self::Exists(_) => exit::USAGE,
            Self::Edge(EdgeError::Listen(_) | EdgeError::Address(_))
            | Self::Write { .. }
            | Self::Process { .. }
            | Self::Sandbox(_)
            | Self::Output(_) => exit::FAILED,
        })
    }
}

impl From<Problems> for CommandError {
    fn from(problems: Problems) -> Self {
        Self::Edge(EdgeError::Config(problems))
    }
}

impl From<Vec<KeyStoreError>> for CommandError {
    fn from(errors: Vec<KeyStoreError>) -> Self {
        Self::KeyStore(errors)
    }
}
