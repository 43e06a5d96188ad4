//! The command line: what can be asked for, with examples in every help text.

use std::time::Duration;

use clap::{Parser, Subcommand, ValueEnum};
use serde::Serialize;

use crate::error::Error;

/// The exit codes of every command that looks at a server or a file, as `--help` prints them.
#[macro_export]
macro_rules! exit_codes {
    () => {
        "\
Exit codes:
  0  every selected platform connects
  1  a pin does not match, or the server did not prove that it has its key
  2  wrong usage; standard error says what to do
  3  a target could not be reached, or no TLS connection came about
  4  the pin matches (or none was given), but a selected platform refuses
  5  warnings only, under --strict
Of several targets the worst counts: 1, then 3, 4, 5, 0.
With --format nagios: 0 OK, 1 WARNING, 2 CRITICAL, 3 UNKNOWN (wrong usage)."
    };
}

/// Looks at a server as each kind of client would: pin, possession, chain, name, time, strength and TLS, on one connection.
#[derive(Debug, Parser)]
#[command(name = "fingerprint-check", version, arg_required_else_help = true, after_help = crate::exit_codes!())]
pub struct Cli {
    /// Print the JSON schema of `--format json` and stop.
    #[arg(long, exclusive = true)]
    pub print_schema: bool,
    /// What to do.
    #[command(subcommand)]
    pub command: Option<Command>,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Look at servers.
    Host(Box<crate::host::HostArgs>),
    /// Look at certificates in files: PEM, DER, PKCS#7.
    File(Box<crate::file::FileArgs>),
    /// Read, make and compare pins.
    #[command(subcommand)]
    Pins(crate::pins::PinsCommand),
    /// A store of what was decided to trust, with date, source and end.
    #[command(subcommand)]
    Trust(crate::trust::TrustCommand),
    /// Whether clients survive the change from one certificate to the next.
    Rotate(Box<crate::rotate::RotateArgs>),
    /// Which platforms there are, what they offer and what they refuse.
    Platforms(crate::platforms::PlatformsArgs),
    /// What a code means, and what to do.
    Explain(crate::explain::ExplainArgs),
    /// Write completions for a shell.
    Completions(crate::made::CompletionsArgs),
    /// Write the manual's pages.
    Man(crate::made::ManArgs),
}

/// The form of a result that is not about servers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Form {
    /// For people.
    #[default]
    Text,
    /// JSON.
    Json,
}

/// A value as JSON, indented, with a line feed behind it.
///
/// # Errors
/// [`Error::Defect`]: these values can all be written.
pub fn json(value: &impl Serialize) -> Result<String, Error> {
    let text = serde_json::to_string_pretty(value).map_err(|error| Error::Defect(error.to_string()))?;
    Ok(text + "\n")
}

/// A duration that is not zero.
///
/// # Errors
/// A text that says what is accepted.
pub fn duration(text: &str) -> Result<Duration, String> {
    let parsed = humantime::parse_duration(text).ok().filter(|duration| !duration.is_zero() && *duration <= LONGEST);
    parsed.ok_or_else(|| "give a duration such as 500ms, 5s or 2m, an hour at most".to_owned())
}

/// No wait is longer.
const LONGEST: Duration = Duration::from_secs(3600);

/// Writes a result to standard output. A reader that has seen enough (`| head`) is no failure.
///
/// # Errors
/// If it cannot be written.
pub fn print(text: &str) -> Result<(), Error> {
    tools::stdout::print(text).map_err(|source| Error::System { action: "write to standard output", source })
}
