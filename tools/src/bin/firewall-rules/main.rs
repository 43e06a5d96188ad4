//! `firewall-rules`: what firewalls must let pass for the relay, and nothing else, in the language of each of them.

mod cli;
mod diff;
mod error;
mod explain;
mod format;
mod lab;
#[path = "../../shared/made.rs"]
mod made;
mod needs;
mod network;
mod print;
mod rules;

use std::{io::Write, process::ExitCode};

use clap::Parser;
use tools::exit;

use crate::{
    cli::{Cli, Command},
    error::Error,
};

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // Whoever reads standard error may be gone.
            let _ = error.print();
            return ExitCode::from(if error.use_stderr() { exit::USAGE } else { exit::OK });
        }
    };
    ExitCode::from(execute(cli).unwrap_or_else(|error| {
        let _ = writeln!(std::io::stderr(), "firewall-rules: {error}");
        exit::USAGE
    }))
}

fn execute(cli: Cli) -> Result<u8, Error> {
    match cli.command {
        None => cli.print.execute(),
        Some(Command::Explain(arguments)) => explain::execute(&arguments),
        Some(Command::Diff(arguments)) => diff::execute(&arguments),
        Some(Command::Completions(arguments)) => made::completions(&arguments),
        Some(Command::Man(arguments)) => made::man(&arguments),
        Some(Command::Lab(arguments)) => lab::execute(&arguments),
        Some(Command::LabAgent) => {
            let served = lab::agent::serve();
            served.map(|()| exit::OK).map_err(|source| Error::System { action: "read questions", source })
        }
        Some(Command::LabExec(arguments)) => {
            Err(Error::System { action: "start a process of the lab", source: arguments.execute() })
        }
    }
}
