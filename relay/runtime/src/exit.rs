//! The exit codes of the programs, in one table; each program's `--help` documents them.

/// Everything asked for was done, and is as it should be.
pub const OK: u8 = 0;
/// Failed at run time: an address is taken, a file cannot be written.
pub const FAILED: u8 = 1;
/// The command line, the configuration, or a file that the user gave is wrong.
pub const USAGE: u8 = 2;
