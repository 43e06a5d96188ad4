//! The result of a run, once as values and then as text, JSON and a page.

use std::time::Duration;

use relay_wire::Platform;
use serde::Serialize;

use crate::{
    cpu::Cpu,
    record::{Outcome, Phase, Quantiles, Record},
    schedule::Part,
};

pub mod html;
pub mod json;
pub mod text;

/// The phases that the tables show, in their order.
pub const SHOWN: [Phase; 6] =
    [Phase::Connect, Phase::Tls, Phase::Auth, Phase::Tunnel, Phase::Transfer, Phase::TotalIntended];
/// How late the simulator's own clock ticks may come before its figures say more about it than about the relay.
const LAG_MAX: Duration = Duration::from_millis(250);
/// How long half of the devices may wait for their turn before the same holds.
const WAIT_MAX: Duration = Duration::from_millis(250);

/// How a run went, besides what devices recorded.
#[derive(Clone, Copy, Debug)]
pub struct Run {
    /// What decided devices, faults, arrivals and contents.
    pub seed: u64,
    /// Whether the relay was embedded.
    pub embedded: bool,
    /// From the first arrival to the last outcome.
    pub elapsed: Duration,
    /// How late the simulator's clock ticks came at worst.
    pub lag: Duration,
    /// Processor time, where the system says it.
    pub cpu: Option<Cpu>,
    /// The hold, if there was one.
    pub held: Option<Held>,
}

/// What was seen while devices were held connected and idle.
#[derive(Clone, Copy, Debug)]
pub struct Held {
    /// How long.
    pub time: Duration,
    /// Devices at its start.
    pub devices: u64,
    /// Devices that lost their connection.
    pub lost: u64,
    /// Resident memory of this process at its end: with an embedded relay that of all sides together.
    pub resident_bytes: Option<u64>,
}

/// A run's result.
#[derive(Clone, Debug, Serialize)]
pub struct Summary {
    /// Whether every device got what it should, and none was lost while it was held.
    pub passed: bool,
    /// What decided devices, faults, arrivals and contents.
    pub seed: u64,
    /// Whether the relay was embedded in this process.
    pub embedded: bool,
    /// Devices in all.
    pub devices: u64,
    /// Devices that did not get what they should.
    pub wrong: u64,
    /// From the first arrival to the last outcome, in seconds.
    pub elapsed_s: f64,
    /// Bytes moved, every one checked by SHA-256.
    pub bytes_checked: u64,
    /// Times a device asked again after "later".
    pub retries: u64,
    /// Processor time of the simulator, in seconds.
    pub simulator_cpu_s: Option<f64>,
    /// Processor time of the embedded relay, in seconds.
    pub relay_cpu_s: Option<f64>,
    /// How late the simulator's clock ticks came at worst, in milliseconds.
    pub lag_ms: f64,
    /// Why the simulator, and not the relay, may have set the pace.
    pub bottleneck: Option<String>,
    /// The hold, if there was one.
    pub held: Option<HeldSummary>,
    /// One row per platform, and one for all.
    pub rows: Vec<Row>,
    /// What was expected against what was observed.
    pub matrix: Vec<Cell>,
    /// The first devices that did not get what they should.
    pub surprises: Vec<SurpriseSummary>,
}

/// [`Held`] for a report.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct HeldSummary {
    /// How long, in seconds.
    pub seconds: f64,
    /// Devices at its start.
    pub devices: u64,
    /// Devices that lost their connection.
    pub lost: u64,
    /// Resident memory of this process at its end, in bytes.
    pub resident_bytes: Option<u64>,
}

/// One platform's figures.
#[derive(Clone, Debug, Serialize)]
pub struct Row {
    /// The platform, or `all`.
    pub platform: &'static str,
    /// Expected and observed counts by outcome; outcomes that are neither are left out.
    pub counts: Vec<Count>,
    /// Times by phase.
    pub phases: Vec<PhaseSummary>,
}

/// Devices with one outcome.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Count {
    /// The outcome.
    pub outcome: &'static str,
    /// Devices that should have it.
    pub expected: u64,
    /// Devices that had it.
    pub observed: u64,
}

/// The times of one phase, in microseconds.
#[derive(Clone, Debug, Serialize)]
pub struct PhaseSummary {
    /// The phase.
    pub phase: &'static str,
    /// How many were measured.
    pub count: u64,
    /// Half were faster.
    pub p50_us: u64,
    /// 99 of 100 were faster.
    pub p99_us: u64,
    /// The slowest.
    pub max_us: u64,
}

/// One cell of the matrix.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Cell {
    /// What the devices were there to show.
    pub part: &'static str,
    /// What they should get.
    pub expected: &'static str,
    /// What they got.
    pub observed: &'static str,
    /// How many.
    pub devices: u64,
}

/// A device that did not get what it should.
#[derive(Clone, Debug, Serialize)]
pub struct SurpriseSummary {
    /// Its platform.
    pub platform: &'static str,
    /// Its number.
    pub index: u32,
    /// What it was there to show.
    pub part: &'static str,
    /// What it got.
    pub observed: &'static str,
    /// Why.
    pub reason: String,
}

impl Summary {
    /// The result of a run.
    #[must_use]
    pub fn new(record: &Record, run: Run) -> Self {
        let (devices, wrong) = record.devices_and_wrong();
        let lost = run.held.map_or(0, |held| held.lost);
        let mut rows: Vec<Row> = Platform::ALL.into_iter().map(|platform| row(record, Some(platform))).collect();
        rows.push(row(record, None));
        Self {
            passed: devices > 0 && wrong == 0 && lost == 0,
            seed: run.seed,
            embedded: run.embedded,
            devices,
            wrong,
            elapsed_s: run.elapsed.as_secs_f64(),
            bytes_checked: record.bytes,
            retries: record.retries,
            simulator_cpu_s: run.cpu.map(|cpu| cpu.simulator.as_secs_f64()),
            relay_cpu_s: run.cpu.filter(|_| run.embedded).map(|cpu| cpu.relay.as_secs_f64()),
            lag_ms: run.lag.as_secs_f64() * 1_000.0,
            bottleneck: bottleneck(record, run.lag),
            held: run.held.map(|held| HeldSummary {
                seconds: held.time.as_secs_f64(),
                devices: held.devices,
                lost: held.lost,
                resident_bytes: held.resident_bytes,
            }),
            rows,
            matrix: matrix(record),
            surprises: surprises(record),
        }
    }
}

fn bottleneck(record: &Record, lag: Duration) -> Option<String> {
    let waited = record.quantiles(None, Phase::Wait).p50;
    if waited > WAIT_MAX {
        return Some(format!(
            "half of the devices waited {} or longer for their turn: raise --concurrency or --ramp",
            text::duration(waited)
        ));
    }
    (lag > LAG_MAX).then(|| {
        format!("the simulator's own clock came up to {} late: it had too little processor time", text::duration(lag))
    })
}

fn row(record: &Record, platform: Option<Platform>) -> Row {
    let counts = Outcome::ALL.into_iter().filter_map(|outcome| {
        let (expected, observed) = record.expected_and_observed(platform, outcome);
        (expected + observed > 0).then(|| Count { outcome: outcome.as_str(), expected, observed })
    });
    let phases = Phase::ALL.into_iter().map(|phase| {
        let Quantiles { count, p50, p99, max } = record.quantiles(platform, phase);
        PhaseSummary { phase: phase.as_str(), count, p50_us: micros(p50), p99_us: micros(p99), max_us: micros(max) }
    });
    Row { platform: platform.map_or("all", Platform::as_str), counts: counts.collect(), phases: phases.collect() }
}

impl Row {
    /// The times of a phase, if it was measured.
    #[must_use]
    pub fn phase(&self, phase: Phase) -> Option<&PhaseSummary> {
        self.phases.iter().find(|summary| summary.phase == phase.as_str() && summary.count > 0)
    }
}

fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}

fn matrix(record: &Record) -> Vec<Cell> {
    let mut cells = Vec::new();
    for part in Part::ALL {
        for outcome in Outcome::ALL {
            let devices = record.count(None, part, outcome);
            if devices > 0 {
                let expected = Outcome::expected(part).as_str();
                cells.push(Cell { part: part.as_str(), expected, observed: outcome.as_str(), devices });
            }
        }
    }
    cells
}

fn surprises(record: &Record) -> Vec<SurpriseSummary> {
    let surprises = record.surprises.iter().map(|surprise| SurpriseSummary {
        platform: surprise.platform.as_str(),
        index: surprise.index,
        part: surprise.part.as_str(),
        observed: surprise.outcome.as_str(),
        reason: surprise.reason.clone(),
    });
    surprises.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::Recorder;

    fn summary(last: Outcome) -> Summary {
        let recorder = Recorder::default();
        for platform in Platform::ALL {
            for phase in Phase::ALL {
                recorder.time(platform, phase, Duration::from_micros(1_234));
            }
            recorder.outcome(platform, 0, Part::Honest, Outcome::Served, "");
            recorder.outcome(platform, 1, Part::WrongPin, Outcome::Halted, "");
        }
        recorder.outcome(Platform::Linux, 2, Part::StolenId, last, "because of <x> & \"y\"");
        let run = Run {
            seed: 3,
            embedded: true,
            elapsed: Duration::from_secs(2),
            lag: Duration::ZERO,
            cpu: Some(Cpu { simulator: Duration::from_secs(1), relay: Duration::from_secs(2) }),
            held: None,
        };
        Summary::new(&recorder.finish(), run)
    }

    #[test]
    fn a_device_that_got_something_else_fails_the_run() {
        assert!(summary(Outcome::Refused).passed);
        let failed = summary(Outcome::Served);
        assert!(!failed.passed);
        assert_eq!((failed.devices, failed.wrong, failed.surprises.len()), (13, 1, 1));
    }

    #[test]
    fn no_devices_are_no_success() {
        let run = Run { seed: 0, embedded: false, elapsed: Duration::ZERO, lag: Duration::ZERO, cpu: None, held: None };
        assert!(!Summary::new(&Recorder::default().finish(), run).passed);
    }

    #[test]
    fn text_says_the_verdict_and_what_went_wrong() {
        let text = text::render(&summary(Outcome::Refused));
        assert!(text.contains("every device got what it should"), "{text}");
        let text = text::render(&summary(Outcome::Timeout));
        assert!(text.contains("1 of 13 devices"), "{text}");
        assert!(text.contains("stolen-id, timeout: linux 2: because of <x>"), "{text}");
    }

    #[test]
    fn json_is_json_and_the_page_escapes_what_it_quotes() {
        let failed = summary(Outcome::Timeout);
        let value: serde_json::Value = serde_json::from_str(&json::render(&failed).unwrap()).unwrap();
        assert_eq!(value["passed"], false);
        assert_eq!(value["rows"].as_array().unwrap().len(), 7);
        let page = html::render(&failed);
        assert!(page.contains("because of &lt;x&gt; &amp; &quot;y&quot;"), "{page}");
        assert!(!page.contains("http"), "a page without outside resources");
    }
}
