//! `fingerprint-check`: looks at a server as each kind of client would, on one connection, and says what to change.

mod cli;
mod codes;
mod connect;
mod error;
mod evidence;
mod host;
mod pins;
mod platforms;
mod target;
mod verdict;

use std::process::ExitCode;

use clap::Parser;
use tools::exit;

use crate::{
    cli::{Cli, Command},
    error::Error,
};

fn main() -> ExitCode {
    let cli = Cli::parse();
    ExitCode::from(execute(cli).unwrap_or_else(|error| {
        eprintln!("fingerprint-check: {error}");
        exit::USAGE
    }))
}

fn execute(cli: Cli) -> Result<u8, Error> {
    match cli.command {
        Command::Host(arguments) => host::execute(&arguments),
    }
}
