//! What a run measured: a histogram per platform and phase, and the matrix of what was expected and what happened.

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use hdrhistogram::Histogram;
use relay_wire::Platform;

use crate::schedule::Part;

/// A phase of a device's work.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Phase {
    /// From the intended start to the actual one: what the simulator itself, or its bound on concurrency, made wait.
    Wait,
    /// TCP.
    Connect,
    /// TLS with the edge.
    Tls,
    /// `register` and the `enrol` tunnel.
    Enrol,
    /// `auth`.
    Auth,
    /// `ping`.
    Ping,
    /// From asking for a tunnel to the service at its other end.
    Tunnel,
    /// The bytes of one backup or restore.
    Transfer,
    /// All of an honest device's work, from its actual start.
    Total,
    /// The same from its intended start.
    TotalIntended,
}

impl Phase {
    /// Every phase, in the order of tables.
    pub const ALL: [Self; 10] = [
        Self::Wait,
        Self::Connect,
        Self::Tls,
        Self::Enrol,
        Self::Auth,
        Self::Ping,
        Self::Tunnel,
        Self::Transfer,
        Self::Total,
        Self::TotalIntended,
    ];

    /// The phase's name in reports.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Wait => "wait",
            Self::Connect => "connect",
            Self::Tls => "tls",
            Self::Enrol => "enrol",
            Self::Auth => "auth",
            Self::Ping => "ping",
            Self::Tunnel => "tunnel",
            Self::Transfer => "transfer",
            Self::Total => "total",
            Self::TotalIntended => "total-intended",
        }
    }
}

/// What a device got.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Outcome {
    /// All it asked for, every byte right.
    Served,
    /// A refusal.
    Refused,
    /// It halted before it sent a byte.
    Halted,
    /// "Later", more often than it retries.
    Later,
    /// No connection, a broken one, or TLS that failed for another reason than the pin.
    Unreachable,
    /// No answer within a deadline.
    Timeout,
    /// A peer broke the protocol, or showed a grant or a certificate that cannot be trusted.
    Violation,
    /// Wrong bytes.
    Corrupt,
}

impl Outcome {
    /// Every outcome, in the order of tables.
    pub const ALL: [Self; 8] = [
        Self::Served,
        Self::Refused,
        Self::Halted,
        Self::Later,
        Self::Unreachable,
        Self::Timeout,
        Self::Violation,
        Self::Corrupt,
    ];

    /// The outcome's name in reports.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Served => "served",
            Self::Refused => "refused",
            Self::Halted => "halted",
            Self::Later => "later",
            Self::Unreachable => "unreachable",
            Self::Timeout => "timeout",
            Self::Violation => "violation",
            Self::Corrupt => "corrupt",
        }
    }

    /// What a device of this part must get.
    #[must_use]
    pub const fn expected(part: Part) -> Self {
        match part {
            Part::Honest => Self::Served,
            Part::WrongParameter | Part::StolenId | Part::UnknownSecret => Self::Refused,
            Part::WrongPin => Self::Halted,
        }
    }
}

/// Longest time that a histogram holds; longer ones count as this.
const LONGEST_US: u64 = 3_600_000_000;
/// Significant digits of a histogram.
const DIGITS: u8 = 3;
/// Wrong outcomes that are kept with their reason, for the report.
const SURPRISES_MAX: usize = 20;

/// A device that did not get what it should.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Surprise {
    /// Its platform.
    pub platform: Platform,
    /// Its number among the devices of its platform.
    pub index: u32,
    /// What it was there to show.
    pub part: Part,
    /// What it got.
    pub outcome: Outcome,
    /// Why, in words.
    pub reason: String,
}

#[derive(Default)]
struct State {
    times: BTreeMap<(Platform, Phase), Histogram<u64>>,
    matrix: BTreeMap<(Platform, Part, Outcome), u64>,
    surprises: Vec<Surprise>,
    bytes: u64,
    retries: u64,
}

/// Collects what devices report; shared by all of them.
#[derive(Default)]
pub struct Recorder(Mutex<State>);

/// The middle and the end of a distribution.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Quantiles {
    /// How many were measured.
    pub count: u64,
    /// Half were faster.
    pub p50: Duration,
    /// 99 of 100 were faster.
    pub p99: Duration,
    /// The slowest.
    pub max: Duration,
}

impl Recorder {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds the time that one device took for one phase.
    pub fn time(&self, platform: Platform, phase: Phase, time: Duration) {
        let micros = u64::try_from(time.as_micros()).unwrap_or(LONGEST_US).clamp(1, LONGEST_US);
        let mut state = self.state();
        let histogram = state.times.entry((platform, phase)).or_insert_with(empty);
        histogram.saturating_record(micros);
    }

    /// Adds one device's outcome; `reason` is kept if it is not the expected one.
    pub fn outcome(&self, platform: Platform, index: u32, part: Part, outcome: Outcome, reason: &str) {
        let mut state = self.state();
        *state.matrix.entry((platform, part, outcome)).or_default() += 1;
        if outcome != Outcome::expected(part) && state.surprises.len() < SURPRISES_MAX {
            state.surprises.push(Surprise { platform, index, part, outcome, reason: reason.to_owned() });
        }
    }

    /// Adds bytes that were moved and checked.
    pub fn moved(&self, bytes: u64) {
        self.state().bytes += bytes;
    }

    /// Adds one retry after "later".
    pub fn retried(&self) {
        self.state().retries += 1;
    }

    /// Retries after "later" so far.
    #[must_use]
    pub fn retries(&self) -> u64 {
        self.state().retries
    }

    /// Devices of `platform` that are done, and how many of them got what they should.
    #[must_use]
    pub fn progress(&self, platform: Platform) -> (u64, u64) {
        let state = self.state();
        let done = state.matrix.iter().filter(|((of, _, _), _)| *of == platform);
        done.fold((0, 0), |(all, right), ((_, part, outcome), count)| {
            (all + count, right + if *outcome == Outcome::expected(*part) { *count } else { 0 })
        })
    }

    /// All that was recorded.
    #[must_use]
    pub fn finish(&self) -> Record {
        let state = self.state();
        Record {
            times: state.times.clone(),
            matrix: state.matrix.clone(),
            surprises: state.surprises.clone(),
            bytes: state.bytes,
            retries: state.retries,
        }
    }
}

fn empty() -> Histogram<u64> {
    // The bounds are constants that hdrhistogram accepts; its default is the same with fewer buckets to start with.
    Histogram::new_with_bounds(1, LONGEST_US, DIGITS).unwrap_or_else(|_| unreachable!("constant bounds"))
}

/// What a run measured.
#[derive(Clone, Debug)]
pub struct Record {
    times: BTreeMap<(Platform, Phase), Histogram<u64>>,
    matrix: BTreeMap<(Platform, Part, Outcome), u64>,
    /// The first devices that did not get what they should.
    pub surprises: Vec<Surprise>,
    /// Bytes moved and checked.
    pub bytes: u64,
    /// Retries after "later".
    pub retries: u64,
}

impl Record {
    /// How many devices of `platform` (all: `None`) with `part` had `outcome`.
    #[must_use]
    pub fn count(&self, platform: Option<Platform>, part: Part, outcome: Outcome) -> u64 {
        let wanted = self.matrix.iter().filter(|((of, with, had), _)| {
            platform.is_none_or(|platform| platform == *of) && *with == part && *had == outcome
        });
        wanted.map(|(_, count)| count).sum()
    }

    /// How many devices of `platform` (all: `None`) were expected to have `outcome`, and how many did.
    #[must_use]
    pub fn expected_and_observed(&self, platform: Option<Platform>, outcome: Outcome) -> (u64, u64) {
        let of_platform = self.matrix.iter().filter(|((of, _, _), _)| platform.is_none_or(|platform| platform == *of));
        of_platform.fold((0, 0), |(expected, observed), ((_, part, had), count)| {
            (
                expected + if Outcome::expected(*part) == outcome { *count } else { 0 },
                observed + if *had == outcome { *count } else { 0 },
            )
        })
    }

    /// Devices in all, and those that did not get what they should.
    #[must_use]
    pub fn devices_and_wrong(&self) -> (u64, u64) {
        self.matrix.iter().fold((0, 0), |(all, wrong), ((_, part, outcome), count)| {
            (all + count, wrong + if *outcome == Outcome::expected(*part) { 0 } else { *count })
        })
    }

    /// The times of `phase` on `platform` (all: `None`).
    #[must_use]
    pub fn quantiles(&self, platform: Option<Platform>, phase: Phase) -> Quantiles {
        let mut sum = empty();
        for ((of, in_phase), histogram) in &self.times {
            if platform.is_none_or(|platform| platform == *of) && *in_phase == phase {
                // Same bounds on both sides, so this cannot fail.
                let _ = sum.add(histogram);
            }
        }
        if sum.is_empty() {
            return Quantiles::default();
        }
        Quantiles {
            count: sum.len(),
            p50: Duration::from_micros(sum.value_at_quantile(0.5)),
            p99: Duration::from_micros(sum.value_at_quantile(0.99)),
            max: Duration::from_micros(sum.max()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_quantiles_and_surprises() {
        let recorder = Recorder::default();
        for millis in 1..=100 {
            recorder.time(Platform::Linux, Phase::Tls, Duration::from_millis(millis));
        }
        recorder.outcome(Platform::Linux, 0, Part::Honest, Outcome::Served, "");
        recorder.outcome(Platform::Linux, 1, Part::WrongPin, Outcome::Halted, "");
        recorder.outcome(Platform::Ios, 0, Part::StolenId, Outcome::Served, "let in");
        assert_eq!(recorder.progress(Platform::Linux), (2, 2));
        assert_eq!(recorder.progress(Platform::Ios), (1, 0));
        let record = recorder.finish();
        assert_eq!(record.devices_and_wrong(), (3, 1));
        assert_eq!(record.expected_and_observed(None, Outcome::Served), (1, 2));
        assert_eq!(record.expected_and_observed(Some(Platform::Ios), Outcome::Refused), (1, 0));
        assert_eq!(record.count(None, Part::WrongPin, Outcome::Halted), 1);
        assert_eq!(record.surprises.len(), 1);
        let tls = record.quantiles(None, Phase::Tls);
        assert_eq!(tls.count, 100);
        assert_eq!(tls.p50.as_millis(), 50);
        assert_eq!(tls.p99.as_millis(), 99);
        assert_eq!(record.quantiles(None, Phase::Auth), Quantiles::default());
    }

    #[test]
    fn endless_times_are_cut_and_not_lost() {
        let recorder = Recorder::default();
        recorder.time(Platform::Linux, Phase::Total, Duration::MAX);
        recorder.time(Platform::Linux, Phase::Total, Duration::ZERO);
        assert_eq!(recorder.finish().quantiles(None, Phase::Total).count, 2);
    }
}
