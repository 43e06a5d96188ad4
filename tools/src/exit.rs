//! The exit codes that every program of this repository uses, in one table.

/// What a program's end means to a script.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Exit {
    /// Everything asked for was done, and is as it should be.
    Success = 0,
    /// It was done, and something is not as it should be.
    Failure = 1,
    /// It could not be begun: a mistake in the command line or a configuration file.
    Usage = 2,
}

impl From<Exit> for std::process::ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}
