//! What a person sees while a campaign runs: a bar per target on a terminal, lines off it. All on standard error.

use std::{
    io::{self, IsTerminal, Write},
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::{
    libfuzzer::Figures,
    report::{Status, text},
};

/// How often bars move.
pub const TICK: Duration = Duration::from_millis(200);
/// How often lines are written off a terminal.
const LINES: Duration = Duration::from_secs(10);
/// A bar's length in parts.
const PARTS: u64 = 1000;

/// What all targets do now; targets report here from their own threads.
pub struct Board {
    rows: Vec<Mutex<Row>>,
    face: Face,
    started: Instant,
    told: Mutex<Instant>,
}

/// What one target does now.
#[derive(Clone, Debug)]
pub struct Row {
    name: String,
    /// `None`: its turn has not come.
    began: Option<Instant>,
    ended: Option<Status>,
    figures: Figures,
    rate: f64,
    share: f64,
    last_edge: Option<Instant>,
    findings: usize,
    doing: &'static str,
}

enum Face {
    Bars { group: MultiProgress, bars: Vec<ProgressBar> },
    Lines,
}

impl Board {
    /// For these targets.
    pub fn new<'a>(names: impl IntoIterator<Item = &'a str>) -> Self {
        let rows: Vec<Row> = names
            .into_iter()
            .map(|name| Row {
                name: name.to_owned(),
                began: None,
                ended: None,
                figures: Figures::default(),
                rate: 0.0,
                share: 0.0,
                last_edge: None,
                findings: 0,
                doing: "",
            })
            .collect();
        let face = if io::stderr().is_terminal() { bars(&rows) } else { Face::Lines };
        let started = Instant::now();
        Self { rows: rows.into_iter().map(Mutex::new).collect(), face, started, told: Mutex::new(started) }
    }

    fn row(&self, place: usize) -> MutexGuard<'_, Row> {
        // A row is whole at every moment.
        self.rows[place].lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A target's turn has come.
    pub fn began(&self, place: usize) {
        self.row(place).began = Some(Instant::now());
    }

    /// New figures: all executions so far, how many a second, and how much of its time or runs is gone (0 to 1).
    pub fn figures(&self, place: usize, figures: Figures, rate: f64, share: f64) {
        let mut row = self.row(place);
        if figures.edges > row.figures.edges {
            row.last_edge = Some(Instant::now());
        }
        (row.figures, row.rate, row.share) = (figures, rate, share);
    }

    /// What a target does when it does not fuzz.
    pub fn doing(&self, place: usize, what: &'static str) {
        self.row(place).doing = what;
    }

    /// A new class of finding.
    pub fn found(&self, place: usize, class: &str) {
        let (name, executions) = {
            let mut row = self.row(place);
            row.findings += 1;
            (row.name.clone(), row.figures.executions)
        };
        self.say(&format!("FINDING in {name} after {} executions: {class}", text::count(executions)));
    }

    /// A target is through.
    pub fn ended(&self, place: usize, status: Status) {
        let mut row = self.row(place);
        (row.ended, row.share, row.doing) = (Some(status), 1.0, "");
        if let Face::Lines = self.face {
            // Nobody may be reading; the result goes to standard output.
            let _ = writeln!(io::stderr(), "{}", line(&row, self.started.elapsed()));
        }
    }

    /// Shows what there is; call it every [`TICK`].
    pub fn draw(&self) {
        match &self.face {
            Face::Bars { bars, .. } => {
                for (place, bar) in bars.iter().enumerate() {
                    let row = self.row(place).clone();
                    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 to PARTS")]
                    bar.set_position((share(&row) * PARTS as f64) as u64);
                    bar.set_message(message(&row));
                }
            }
            Face::Lines => {
                let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
                if told.elapsed() >= LINES {
                    *told = Instant::now();
                    for row in &self.rows {
                        let row = row.lock().unwrap_or_else(PoisonError::into_inner);
                        if row.began.is_some() && row.ended.is_none() {
                            let _ = writeln!(io::stderr(), "{}", line(&row, self.started.elapsed()));
                        }
                    }
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
            Face::Lines => {
                let _ = writeln!(io::stderr(), "{line}");
            }
        }
    }

    /// Shows the last state and lets the terminal go.
    pub fn finish(&self) {
        self.draw();
        if let Face::Bars { bars, .. } = &self.face {
            for bar in bars {
                bar.abandon();
            }
        }
    }
}

fn share(row: &Row) -> f64 {
    row.share.clamp(0.0, 1.0)
}

/// What a row says behind its name.
fn message(row: &Row) -> String {
    let Some(began) = row.began else { return "waits".to_owned() };
    let figures = row.figures;
    let mut message = format!(
        "{:>7}/s  {} edges  {} features  corpus {}",
        text::rate(row.rate),
        text::count(figures.edges),
        text::count(figures.features),
        text::count(figures.corpus)
    );
    match (row.ended, row.last_edge) {
        (Some(Status::Done), _) => {}
        (Some(status), _) => message.push_str(&format!("  {}", status.as_str())),
        (None, Some(last)) => {
            message.push_str(&format!("  new edge {} ago", text::seconds(last.elapsed().as_secs_f64())))
        }
        (None, None) => message.push_str(&format!("  no edge in {}", text::seconds(began.elapsed().as_secs_f64()))),
    }
    match row.findings {
        0 => {}
        1 => message.push_str("  1 FINDING"),
        many => message.push_str(&format!("  {many} FINDINGS")),
    }
    if !row.doing.is_empty() {
        message.push_str(&format!("  {}", row.doing));
    }
    message
}

fn line(row: &Row, at: Duration) -> String {
    let executions = text::count(row.figures.executions);
    let ended = if row.ended == Some(Status::Done) { "  done" } else { "" };
    format!("{:>6.0} s  {:<22} {executions:>13} executions {}{ended}", at.as_secs_f64(), row.name, message(row))
}

fn bars(rows: &[Row]) -> Face {
    let group = MultiProgress::with_draw_target(ProgressDrawTarget::stderr());
    let width = rows.iter().map(|row| row.name.len()).max().unwrap_or_default();
    let style = ProgressStyle::with_template(&format!("{{prefix:>{width}}} [{{bar:16}}] {{wide_msg}}"))
        .unwrap_or_else(|_| ProgressStyle::default_bar())
        .progress_chars("=> ");
    let bars = rows
        .iter()
        .map(|row| {
            let bar = group.add(ProgressBar::new(PARTS).with_style(style.clone()));
            bar.set_prefix(row.name.clone());
            bar.set_message(message(row));
            bar
        })
        .collect();
    Face::Bars { group, bars }
}
