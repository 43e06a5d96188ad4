//! `host`: one server, or thousands.

use clap::Args;

use crate::error::Error;

/// Options of `host`.
#[derive(Debug, Args)]
pub struct HostArgs {
    /// HOST, HOST:PORT or [IPV6]:PORT; without a port, 443.
    #[arg(value_name = "TARGET")]
    pub targets: Vec<String>,
}

/// Runs `host`; returns its exit code.
///
/// # Errors
/// [`Error`] for wrong usage.
pub fn execute(arguments: &HostArgs) -> Result<u8, Error> {
    Err(Error::Usage(format!("{} targets cannot be looked at yet", arguments.targets.len())))
}
