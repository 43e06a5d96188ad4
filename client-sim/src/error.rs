//! What can end a command, and the exit code that each end has.

use std::{io, path::PathBuf};

use thiserror::Error;

use crate::device::Failure;

/// The exit codes of every command, as `--help` prints them.
pub const EXIT_CODES: &str = "\
Exit codes:
  0  done; `run`: every device got what it should; `connect`: drained after a signal
  1  it ran and did not succeed: a device got something else, the edge refused or could not be reached
  2  wrong usage: an option, a file, a state folder or an input line that cannot be used
  3  halted: the edge showed a certificate that does not match the pins. Not one byte of a request was sent. \
`connect` stays halted until a person runs `connect --reset-halt`";

/// Why a command ended without success.
#[derive(Debug, Error)]
pub enum Error {
    /// The user can put it right: an option, a file, an input.
    #[error("{0}")]
    Usage(String),
    /// A file of the user's could not be read or written.
    #[error("cannot {action} {}: {source}", path.display())]
    File {
        /// `read`, `write`, `create`.
        action: &'static str,
        /// Which file.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// Standard output could not be written.
    #[error("cannot write to standard output: {0}")]
    Output(#[source] io::Error),
    /// A device's work failed.
    #[error("{0}")]
    Device(#[from] Failure),
    /// The embedded relay could not be started or stopped.
    #[error("the embedded relay: {0}")]
    Lab(String),
    /// A service of the operating system failed (runtime, signal handler, local socket).
    #[error("cannot {action}: {source}")]
    System {
        /// What was tried.
        action: String,
        /// What the operating system said.
        source: io::Error,
    },
    /// `run`: at least one device did not get what it should; the report says which.
    #[error("not every device got what it should")]
    Verdict,
    /// `request check --fail`: at least one body was refused; the verdicts are on standard output.
    #[error("at least one request was refused")]
    Refusals,
}

impl Error {
    /// The exit code: one place, every variant.
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        match self {
            // A reader that has seen enough (`| head`) is no failure.
            Self::Output(error) if error.kind() == io::ErrorKind::BrokenPipe => 0,
            Self::Device(failure) if failure.halts() => 3,
            Self::Usage(_) | Self::File { .. } => 2,
            Self::Output(_) | Self::Device(_) | Self::Lab(_) | Self::System { .. } | Self::Verdict | Self::Refusals => {
                1
            }
        }
    }

    /// Whether there is anything to tell the user: not for a closed pipe.
    #[must_use]
    pub fn is_silent(&self) -> bool {
        matches!(self, Self::Output(error) if error.kind() == io::ErrorKind::BrokenPipe)
    }
}
