//! The command line: what can be asked for, with examples in every help text.

use clap::{Parser, Subcommand};

/// The exit codes of every command that looks at a server, as `--help` prints them.
pub const EXIT_CODES: &str = "\
Exit codes:
  0  every selected platform connects
  1  a pin does not match, or the server did not prove that it has its key
  2  wrong usage; standard error says what to do
  3  a target could not be reached, or no TLS connection came about
  4  the pin matches (or none was given), but a selected platform refuses
  5  warnings only, under --strict
Of several targets the worst counts: 1, then 3, 4, 5, 0. With --format nagios: 0 OK, 1 WARNING, 2 CRITICAL, 3 UNKNOWN.";

/// Looks at a server as each kind of client would: pin, possession, chain, name, time, strength and TLS on one connection.
#[derive(Debug, Parser)]
#[command(name = "fingerprint-check", version, about, after_help = EXIT_CODES)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Look at servers.
    Host(crate::host::HostArgs),
}
