//! `relay-backend`: see `relay-backend --help`.

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    relay_backend::cli::main(relay_backend::cli::Cli::parse())
}
