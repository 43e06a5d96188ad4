//! `client-sim`: simulated and real devices for a Sallyport relay.

use std::process::ExitCode;

use clap::Parser;
use client_sim::{cli::Cli, execute};

fn main() -> ExitCode {
    let cli = Cli::parse();
    match execute(cli) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            if !error.is_silent() {
                eprintln!("client-sim: {error}");
            }
            ExitCode::from(error.exit_code())
        }
    }
}
