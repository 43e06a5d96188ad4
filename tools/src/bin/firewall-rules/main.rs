//! `firewall-rules`: what firewalls must let pass for the relay, and nothing else, in the language of each of them.

mod cli;
mod error;
mod format;
mod needs;
mod network;
mod rules;

use std::{io::Write, process::ExitCode};

use clap::Parser;
use tools::exit;

use crate::cli::Cli;

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // Whoever reads standard error may be gone.
            let _ = error.print();
            return ExitCode::from(if error.use_stderr() { exit::USAGE } else { exit::OK });
        }
    };
    ExitCode::from(cli.print.execute().unwrap_or_else(|error| {
        let _ = writeln!(std::io::stderr(), "firewall-rules: {error}");
        exit::USAGE
    }))
}
