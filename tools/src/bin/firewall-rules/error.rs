//! What can end a command before it did what was asked.

use std::{io, path::PathBuf};

use thiserror::Error;

/// Why a command ended without a result. Each names its remedy.
#[derive(Debug, Error)]
pub enum Error {
    /// The user can put it right: an option, an address, a file.
    #[error("{0}")]
    Usage(String),
    /// A configuration is wrong, or two of them do not fit together.
    #[error("{}", .0.join("\nfirewall-rules: "))]
    Wrong(Vec<String>),
    /// A file could not be read or written.
    #[error("cannot {action} {}: {source}", path.display())]
    File {
        /// `read`, `write`, `create`.
        action: &'static str,
        /// Which file or folder.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// A service of the operating system failed.
    #[error("cannot {action}: {source}")]
    System {
        /// What was tried.
        action: &'static str,
        /// What the operating system said.
        source: io::Error,
    },
    /// This program is wrong.
    #[error("a defect of firewall-rules, please report it: {0}")]
    Defect(String),
}

impl Error {
    /// For `map_err`: what was tried on which file.
    pub fn file(action: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::File { action, path, source }
    }
}
