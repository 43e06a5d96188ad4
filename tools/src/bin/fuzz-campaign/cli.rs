//! The command line: what can be asked for, with examples in every help text.

use std::{path::PathBuf, time::Duration};

use clap::{Parser, Subcommand, ValueEnum};

use crate::{
    coverage::CoverageArgs, error::Error, ledger::LedgerArgs, merge::MergeArgs, minimize::MinimizeArgs,
    replay::ReplayArgs, run::RunArgs, seeds::SeedsArgs,
};

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
    /// Fuzz all targets within one budget.
    Run(Box<RunArgs>),
    /// Judge kept inputs, or files, without a fuzzer.
    Replay(ReplayArgs),
    /// Write the inputs that fuzzing begins with, or pack them.
    Seeds(SeedsArgs),
    /// Make one input as small as it gets with the same class of finding.
    Minimize(MinimizeArgs),
    /// Join the results of several campaigns.
    Merge(MergeArgs),
    /// Which of our own lines the committed inputs reach.
    Coverage(CoverageArgs),
    /// Whether the kit finds planted defects, and how fast.
    Ledger(LedgerArgs),
    /// Judge inputs from standard input; what `replay` and minimising run in a process of its own.
    #[command(hide = true)]
    Judge {
        /// The target.
        target: String,
    },
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

/// A duration that is not zero and that libFuzzer, which counts seconds in 31 bits, can be told.
///
/// # Errors
/// A text that says what is accepted.
pub fn duration(text: &str) -> Result<Duration, String> {
    const LONGEST: Duration = Duration::from_secs(3650 * 24 * 3600);
    let parsed = humantime::parse_duration(text).ok().filter(|duration| !duration.is_zero() && *duration <= LONGEST);
    parsed.ok_or_else(|| "give a duration such as 30s, 10m or 8h, at most 3650d".to_owned())
}

/// Executions that libFuzzer, which counts them in 31 bits, can be told: a larger number would mean another one, or no bound.
///
/// # Errors
/// A text that says what is accepted.
pub fn runs(text: &str) -> Result<u64, String> {
    let parsed = text.parse().ok().filter(|number| (1..=i32::MAX as u64).contains(number));
    parsed.ok_or_else(|| format!("give a whole number, at least 1 and at most {}", i32::MAX))
}

/// A number that is not zero.
///
/// # Errors
/// A text that says what is accepted.
pub fn at_least_one(text: &str) -> Result<u64, String> {
    let parsed = text.parse().ok().filter(|number| *number > 0);
    parsed.ok_or_else(|| "give a whole number, at least 1".to_owned())
}

/// Processes at once.
///
/// # Errors
/// A text that says what is accepted.
pub fn jobs(text: &str) -> Result<usize, String> {
    let parsed = text.parse().ok().filter(|number| (1..=1024).contains(number));
    parsed.ok_or_else(|| "give a whole number from 1 to 1024".to_owned())
}

/// Writes a result to standard output. A reader that has seen enough (`| head`) is no failure.
///
/// # Errors
/// If it cannot be written.
pub fn print(text: &str) -> Result<(), Error> {
    tools::stdout::print(text).map_err(|source| Error::System { action: "write to standard output".to_owned(), source })
}
