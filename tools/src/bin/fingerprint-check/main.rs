//! `fingerprint-check`: looks at a server as each kind of client would, on one connection, and says what to change.

mod ask;
mod cli;
mod codes;
mod connect;
mod error;
mod evidence;
mod explain;
mod file;
mod host;
mod input;
#[path = "../../shared/made.rs"]
mod made;
mod output;
mod pins;
mod platforms;
mod record;
mod rotate;
mod target;
mod trust;
mod verdict;

use std::{io::Write, process::ExitCode};

use clap::{
    Parser,
    error::{ContextKind, ContextValue, ErrorKind},
};
use tools::exit;

use crate::{
    cli::{Cli, Command},
    error::Error,
};

/// Of the Nagios plugin API: the state is unknown.
const UNKNOWN: u8 = 3;

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            let error = with_tip(error);
            // Whoever reads standard error may be gone.
            let _ = error.print();
            return ExitCode::from(if error.use_stderr() { wrong_usage() } else { exit::OK });
        }
    };
    ExitCode::from(execute(cli).unwrap_or_else(|error| {
        let _ = writeln!(std::io::stderr(), "fingerprint-check: {error}");
        wrong_usage()
    }))
}

/// With the command that was left out, where a target stands in its place.
fn with_tip(mut error: clap::Error) -> clap::Error {
    let word = match (error.kind(), error.get(ContextKind::InvalidSubcommand)) {
        (ErrorKind::InvalidSubcommand, Some(ContextValue::String(word))) if word.contains(['.', ':']) => word.clone(),
        _ => return error,
    };
    let command = if std::path::Path::new(&word).is_file() { "file" } else { "host" };
    let tip = format!("a command comes first: fingerprint-check {command} {word}");
    error.insert(ContextKind::Suggested, ContextValue::StyledStrs(vec![tip.into()]));
    error
}

/// The exit code of wrong usage: 2, which would mean "critical" where a plugin's output was asked for.
fn wrong_usage() -> u8 {
    let words: Vec<_> = std::env::args_os().collect();
    let nagios = words.iter().any(|word| word == "--format=nagios")
        || words.windows(2).any(|pair| pair[0] == "--format" && pair[1] == "nagios");
    if nagios { UNKNOWN } else { exit::USAGE }
}

fn execute(cli: Cli) -> Result<u8, Error> {
    if cli.print_schema {
        cli::print(record::SCHEMA)?;
        return Ok(exit::OK);
    }
    match cli.command {
        Some(Command::Host(arguments)) => host::execute(&arguments),
        Some(Command::File(arguments)) => file::execute(&arguments),
        Some(Command::Pins(command)) => pins::execute(&command),
        Some(Command::Trust(command)) => trust::execute(&command),
        Some(Command::Rotate(arguments)) => rotate::execute(&arguments),
        Some(Command::Completions(arguments)) => made::completions(&arguments),
        Some(Command::Man(arguments)) => made::man(&arguments),
        Some(Command::Platforms(arguments)) => platforms::execute(&arguments),
        Some(Command::Explain(arguments)) => explain::execute(&arguments),
        None => Err(Error::Usage("no command is given; --help lists them".to_owned())),
    }
}
