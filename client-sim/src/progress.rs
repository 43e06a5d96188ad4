//! What a person sees while a fleet runs: a bar per platform on a terminal, a line per second off it. All on standard error.

use std::{
    io::{self, IsTerminal, Write},
    sync::Arc,
    time::Duration,
};

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};
use relay_wire::Platform;
use tokio::time::{Instant, MissedTickBehavior, interval};

use crate::{record::Recorder, schedule::Schedule};

/// How often bars move.
const BARS: Duration = Duration::from_millis(100);
/// How often a line is written.
const LINES: Duration = Duration::from_secs(1);

/// Shows the progress of a run until it is dropped or [`Progress::finish`] is called.
pub struct Progress {
    recorder: Arc<Recorder>,
    expected: [u64; 6],
    started: Instant,
    face: Face,
}

enum Face {
    Bars { group: MultiProgress, bars: [ProgressBar; 6] },
    Lines { last: String },
}

impl Progress {
    /// Progress of the devices of `schedule`, which report to `recorder`.
    #[must_use]
    pub fn new(recorder: Arc<Recorder>, schedule: &Schedule) -> Self {
        let expected = Platform::ALL
            .map(|platform| schedule.arrivals.iter().filter(|arrival| arrival.platform == platform).count() as u64);
        let face = if io::stderr().is_terminal() { bars(&expected) } else { Face::Lines { last: String::new() } };
        Self { recorder, expected, started: Instant::now(), face }
    }

    /// Keeps showing. Returns how late its own clock ticks came at worst: how starved the simulator was.
    pub async fn show(&mut self, lag: &mut Duration) {
        let period = match self.face {
            Face::Bars { .. } => BARS,
            Face::Lines { .. } => LINES,
        };
        let mut ticks = interval(period);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let due = ticks.tick().await;
            *lag = (*lag).max(due.elapsed());
            self.draw();
        }
    }

    /// Shows the last state and lets the terminal go.
    pub fn finish(&mut self) {
        self.draw();
        if let Face::Bars { bars, .. } = &self.face {
            for bar in bars {
                bar.abandon();
            }
        }
    }

    fn draw(&mut self) {
        let states = Platform::ALL.map(|platform| self.recorder.progress(platform));
        match &mut self.face {
            Face::Bars { bars, .. } => {
                for (bar, (done, right)) in bars.iter().zip(states) {
                    bar.set_position(done);
                    bar.set_message(wrong(done - right));
                }
                if let (Some(bar), Some((done, right))) = (bars.last(), states.last()) {
                    bar.set_message(wrong(done - right) + &later(self.recorder.retries()));
                }
            }
            Face::Lines { last } => {
                let mut line = String::new();
                for ((platform, (done, _)), expected) in Platform::ALL.into_iter().zip(states).zip(self.expected) {
                    line.push_str(&format!("  {platform} {done}/{expected}"));
                }
                let missing: u64 = states.iter().map(|(done, right)| done - right).sum();
                line.push_str(&wrong(missing));
                line.push_str(&later(self.recorder.retries()));
                if line != *last {
                    // Nobody may be reading; the result goes to standard output.
                    let _ = writeln!(io::stderr(), "{:5.1} s{line}", self.started.elapsed().as_secs_f64());
                    *last = line;
                }
            }
        }
    }

    /// Says something between the bars.
    pub fn say(&self, line: &str) {
        match &self.face {
            Face::Bars { group, .. } => {
                let _ = group.println(line);
            }
            Face::Lines { .. } => {
                let _ = writeln!(io::stderr(), "{line}");
            }
        }
    }
}

fn wrong(count: u64) -> String {
    if count == 0 { String::new() } else { format!("  {count} not as expected") }
}

/// Without this a relay whose master is away would look like a simulator that hangs.
fn later(retries: u64) -> String {
    if retries == 0 { String::new() } else { format!("  \"later\" {retries} times") }
}

fn bars(expected: &[u64; 6]) -> Face {
    let group = MultiProgress::with_draw_target(ProgressDrawTarget::stderr());
    let style = ProgressStyle::with_template("{prefix:>8} [{bar:40}] {pos:>6}/{len:<6} {elapsed_precise}{msg}")
        .unwrap_or_else(|_| ProgressStyle::default_bar())
        .progress_chars("=> ");
    let bars = std::array::from_fn(|place| {
        let bar = group.add(ProgressBar::new(expected[place]).with_style(style.clone()));
        bar.set_prefix(Platform::ALL[place].as_str());
        bar
    });
    Face::Bars { group, bars }
}
