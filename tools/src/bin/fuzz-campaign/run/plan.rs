//! The options of `run`, and the numbers that follow from them.

use std::{path::PathBuf, str::FromStr, time::Duration};

use clap::Args;

use crate::{
    build::Sanitizer,
    cli::{self, EXIT_CODES, Format},
    error::Error,
};

const EXAMPLES: &str = "\
Examples:
  fuzz-campaign run                                 all targets, ten minutes in all, on every core
  fuzz-campaign run --budget 8h --out night         a night's campaign; its report is night/report.html
  fuzz-campaign run --runs 20000000 --target linux_specification --target ios_specification
                                                    two targets, so many executions each
  fuzz-campaign run --sanitizer address             with AddressSanitizer (needs nightly Rust)
  fuzz-campaign run --corpus night/corpus           beginning also with the inputs that a campaign found
  fuzz-campaign run --shard 3/8 --seed 7 --out s3   one of eight machines; `merge` joins them

A finding does not end a campaign: its class is passed over from then on, its input is minimised. Nothing of the source tree is
changed; new inputs are in DIR/corpus, those of findings in DIR/findings.";

/// The options of `run`.
#[derive(Args, Clone, Debug)]
#[command(after_help = format!("{EXAMPLES}\n\n{EXIT_CODES}"))]
pub struct RunArgs {
    /// Time for the whole campaign, divided among the targets; builds do not count [default: 10m, without --runs].
    #[arg(long, value_name = "DURATION", value_parser = cli::duration)]
    pub budget: Option<Duration>,
    /// Executions of each target; with --budget whichever ends first.
    #[arg(long, value_name = "N", value_parser = cli::runs)]
    pub runs: Option<u64>,
    /// Targets at work at one time [default: one per core].
    #[arg(long, value_name = "N", value_parser = cli::jobs)]
    pub jobs: Option<usize>,
    /// Only this target; repeat it for more [default: all of fuzz/targets.toml].
    #[arg(long = "target", value_name = "NAME")]
    pub targets: Vec<String>,
    /// Everything drawn follows from it [default: drawn; the report has it].
    #[arg(long, value_name = "N")]
    pub seed: Option<u64>,
    /// What watches memory beside the oracles.
    #[arg(long, value_enum, default_value_t)]
    pub sanitizer: Sanitizer,
    /// This is part I of N that run elsewhere with the same --seed: each draws otherwise.
    #[arg(long, value_name = "I/N")]
    pub shard: Option<Shard>,
    /// More inputs to begin with: DIR/TARGET/*, as in fuzz/corpus and in `corpus` of an earlier --out.
    #[arg(long, value_name = "DIR")]
    pub corpus: Vec<PathBuf>,
    /// The folder for report, manifest, corpus and findings; new or empty [default: target/fuzz/runs/TIME].
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// The form of the result on standard output.
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
}

/// A part of a campaign on several machines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shard {
    /// From 1.
    index: u32,
    /// How many.
    of: u32,
}

impl FromStr for Shard {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong = "give I/N, I from 1 to N, for example 3/8";
        let (index, of) = text.split_once('/').ok_or(wrong)?;
        let shard = Self { index: index.parse().map_err(|_| wrong)?, of: of.parse().map_err(|_| wrong)? };
        if (1..=shard.of).contains(&shard.index) { Ok(shard) } else { Err(wrong) }
    }
}

impl std::fmt::Display for Shard {
    fn fmt(&self, to: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(to, "{}/{}", self.index, self.of)
    }
}

/// What each target may do.
#[derive(Clone, Copy, Debug)]
pub struct Slot {
    /// Time, restarts and minimising included.
    pub time: Duration,
    /// Executions, `None`: no bound but the time.
    pub runs: Option<u64>,
    /// Whether the executions are what was asked for, and the time only ends what hangs.
    pub runs_alone: bool,
}

/// The time of a campaign that was told nothing.
const BUDGET: Duration = Duration::from_secs(600);
/// With --runs alone: a target slower than this many executions per second hangs.
const SLOW: u64 = 50;
/// libFuzzer counts whole seconds.
const LEAST: Duration = Duration::from_secs(1);

impl Slot {
    /// From the options, for so many targets and jobs.
    ///
    /// # Errors
    /// If the budget is too small to be divided.
    pub fn new(arguments: &RunArgs, targets: usize, jobs: usize) -> Result<Self, Error> {
        let rounds = u32::try_from(targets.div_ceil(jobs.max(1)).max(1)).unwrap_or(u32::MAX);
        let budget = match (arguments.budget, arguments.runs) {
            (None, None) => Some(BUDGET),
            (budget, _) => budget,
        };
        let time = match budget {
            Some(budget) => budget / rounds,
            None => Duration::from_secs(600 + arguments.runs.unwrap_or_default() / SLOW),
        };
        if time < LEAST {
            return Err(Error::Usage(format!(
                "--budget: {targets} targets, {jobs} at a time, need at least {}; give more, or choose with --target",
                humantime::format_duration(LEAST * rounds)
            )));
        }
        Ok(Self { time, runs: arguments.runs, runs_alone: arguments.runs.is_some() && arguments.budget.is_none() })
    }
}

/// libFuzzer's seed for a target's process; never 0, for which libFuzzer draws one.
pub fn derive_seed(seed: u64, shard: Option<Shard>, target: &str, process: u32) -> u32 {
    let mut state: u64 = 0;
    let mut take = |word: u64| {
        // SplitMix64's finaliser: near seeds must not give near sequences.
        state = state.wrapping_add(word).wrapping_add(0x9e37_79b9_7f4a_7c15);
        state = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        state = (state ^ (state >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        state ^= state >> 31;
    };
    take(seed);
    target.bytes().for_each(|byte| take(u64::from(byte)));
    take(shard.map_or(0, |shard| u64::from(shard.index)));
    take(u64::from(process));
    u32::try_from(state >> 32).unwrap_or_default().max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shards_are_one_based() {
        assert_eq!("3/8".parse::<Shard>(), Ok(Shard { index: 3, of: 8 }));
        for wrong in ["0/8", "9/8", "3/2", "1", "a/b", "1/0", "/", "1/2/3", "-1/2"] {
            assert!(wrong.parse::<Shard>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn seeds_differ_by_all_that_they_come_from() {
        let shard = |text: &str| Some(text.parse().unwrap());
        let seeds = [
            derive_seed(1, None, "a", 0),
            derive_seed(2, None, "a", 0),
            derive_seed(1, shard("1/2"), "a", 0),
            derive_seed(1, shard("2/2"), "a", 0),
            derive_seed(1, None, "b", 0),
            derive_seed(1, None, "a", 1),
        ];
        let distinct: std::collections::BTreeSet<u32> = seeds.into_iter().collect();
        assert_eq!(distinct.len(), seeds.len());
        assert_eq!(derive_seed(1, None, "a", 0), seeds[0]);
    }
}
