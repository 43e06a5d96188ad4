//! What can end a command before it did what was asked.

use std::{io, path::PathBuf};

use thiserror::Error;

/// Why a command ended without a verdict. Each names its remedy.
#[derive(Debug, Error)]
pub enum Error {
    /// The user can put it right: an option, a file, an input.
    #[error("{0}")]
    Usage(String),
    /// A file could not be read or written.
    #[error("cannot {action} {}: {source}", path.display())]
    File {
        /// `read`, `write`, `create`, `remove`, `lock`.
        action: &'static str,
        /// Which file or folder.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// Something has to be installed; the text has the command that does it.
    #[error("{0}")]
    Missing(String),
    /// A program that this one uses did not do its part.
    #[error("{0}")]
    Tool(String),
    /// A service of the operating system failed.
    #[error("cannot {action}: {source}")]
    System {
        /// What was tried.
        action: String,
        /// What the operating system said.
        source: io::Error,
    },
    /// A signal came before there was anything to report.
    #[error("ended by a signal")]
    Stopped,
}

impl Error {
    /// For `map_err`: what was tried on which file.
    pub fn file(action: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::File { action, path, source }
    }
}
