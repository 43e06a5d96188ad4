//! The binary `relay-edge`: arguments in, exit code out.

use std::process::ExitCode;

use clap::Parser;
use relay_edge::cli::{Cli, execute};

fn main() -> ExitCode {
    execute(Cli::parse())
}
