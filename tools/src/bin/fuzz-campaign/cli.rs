//! The command line: what can be asked for, with examples in every help text.

use std::path::PathBuf;

use clap::{Parser, Subcommand, ValueEnum};

use crate::{coverage::CoverageArgs, ledger::LedgerArgs};

/// The exit codes of every command, as `--help` prints them.
pub const EXIT_CODES: &str = "\
Exit codes:
  0  done, and nothing was found
  1  findings: an oracle or a panic stopped an input; `ledger`: a planted defect was missed
  2  wrong usage, a missing prerequisite, or a command that could not be carried out; standard error says what to do";

/// Fuzzes the relay: all targets with one command, reports, replay, coverage and the ledger of planted defects.
#[derive(Debug, Parser)]
#[command(name = "fuzz-campaign", version, about, after_help = EXIT_CODES)]
pub struct Cli {
    /// The source tree: the folder that holds `fuzz/targets.toml` [default: found upwards from the current folder].
    #[arg(long, global = true, value_name = "DIR")]
    pub workspace: Option<PathBuf>,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Which of our own lines the committed inputs reach.
    Coverage(CoverageArgs),
    /// Whether the kit finds planted defects, and how fast.
    Ledger(LedgerArgs),
}

/// The form of a result on standard output.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// Tables.
    #[default]
    Text,
    /// One JSON object.
    Json,
}
