//! `fuzz-campaign`: all fuzz targets with one command, and what belongs to that: replay, seeds, minimising, merging,
//! coverage, and the ledger of planted defects.

mod build;
mod cli;
mod coverage;
mod error;
mod instrument;
mod judge;
mod ledger;
mod libfuzzer;
mod merge;
mod minimize;
mod process;
mod replay;
mod report;
mod run;
mod seeds;
mod shrink;
mod targets;

use std::process::ExitCode;

use clap::Parser;
use tools::{exit, stop};

use crate::{
    cli::{Cli, Command},
    error::Error,
    stop::Stop,
    targets::Workspace,
};

/// How a command ended that did what was asked of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Nothing was found; every planted defect was.
    Clean,
    /// A finding; a planted defect that was missed.
    Findings,
}

fn main() -> ExitCode {
    if let Some(code) = instrument::stand_in() {
        return code;
    }
    let _ = process::this_program();
    let cli = Cli::parse();
    ExitCode::from(match execute(cli) {
        Ok(Verdict::Clean) => exit::OK,
        Ok(Verdict::Findings) => exit::FAILED,
        Err(error) => {
            eprintln!("fuzz-campaign: {error}");
            exit::USAGE
        }
    })
}

/// What oracles measure memory by, where they run in this program.
#[global_allocator]
static ALLOCATOR: peak_alloc::PeakAlloc = fuzz::run::ALLOCATOR;

fn execute(cli: Cli) -> Result<Verdict, Error> {
    if let Command::Judge { target } = &cli.command {
        return judge::serve(target);
    }
    let stop =
        Stop::on_signals().map_err(|source| Error::System { action: "listen for signals".to_owned(), source })?;
    if let Command::Merge(arguments) = &cli.command {
        return merge::execute(arguments, &stop);
    }
    let workspace = Workspace::find(cli.workspace.as_deref())?;
    match cli.command {
        Command::Run(arguments) => run::execute(&arguments, &workspace, &stop),
        Command::Coverage(arguments) => coverage::execute(&arguments, &workspace, &stop),
        Command::Ledger(arguments) => ledger::execute(&arguments, &workspace, &stop),
        Command::Replay(arguments) => replay::execute(&arguments, &workspace, &stop),
        Command::Seeds(arguments) => seeds::execute(&arguments, &workspace, &stop),
        Command::Minimize(arguments) => minimize::execute(&arguments, &workspace, &stop),
        // These need no source tree and have returned above.
        Command::Merge(arguments) => merge::execute(&arguments, &stop),
        Command::Judge { target } => judge::serve(&target),
    }
}
