//! `rogue-edge`: a hostile server for testing clients. It presents one bad certificate or handshake after another, and reports
//! which of them the client under test refused, how, and how many bytes it leaked.

mod cli;
mod client;
mod error;
mod judge;
mod list;
mod report;
mod seen;
mod serve;
mod server;
mod trial;
mod world;

use std::process::ExitCode;

use clap::Parser;
use tools::exit;

use crate::{
    cli::{Cli, Command},
    error::Error,
    report::Overall,
};

/// The client was right wherever it could be judged, and that was not everywhere.
const INCOMPLETE: u8 = 3;

fn main() -> ExitCode {
    let cli = Cli::parse();
    ExitCode::from(match execute(cli) {
        Ok(Overall::Right) => exit::OK,
        Ok(Overall::Wrong) => exit::FAILED,
        Ok(Overall::Incomplete) => INCOMPLETE,
        Err(error) => {
            eprintln!("rogue-edge: {error}");
            exit::USAGE
        }
    })
}

fn execute(cli: Cli) -> Result<Overall, Error> {
    match cli.command {
        Command::Serve(arguments) => serve::execute(&arguments),
        Command::Trials(arguments) => list::trials(&arguments),
        Command::Explain(arguments) => list::explain(arguments.trial),
        Command::Table(arguments) => report::table::execute(&arguments),
    }
}
