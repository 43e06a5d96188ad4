//! The report as a table.

use std::fmt::Write;

use super::{Report, TrialReport};
use crate::{judge::Verdict, trial::Expected};

const GREEN: &str = "\x1b[32m";
const RED: &str = "\x1b[31m";
const YELLOW: &str = "\x1b[33m";
const PLAIN: &str = "\x1b[0m";

/// Wrong answers that are explained in full.
const EXPLAINED: usize = 6;

/// What a trial asked of the client.
#[must_use]
pub const fn expected(expected: Expected) -> &'static str {
    match expected {
        Expected::Refuse => "refuse",
        Expected::Accept => "accept",
        Expected::Either => "either",
    }
}

/// A verdict as one word.
#[must_use]
pub const fn verdict(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Right => "right",
        Verdict::Wrong => "WRONG",
        Verdict::NotJudged => "-",
    }
}

fn cells(trial: &TrialReport) -> [String; 6] {
    let judgement = &trial.judgement;
    [
        trial.name.to_owned(),
        expected(judgement.expected).to_owned(),
        trial.leaked_bytes.to_string(),
        trial.connections.to_string(),
        trial.exit.map_or_else(|| "-".to_owned(), |exit| exit.to_string()),
        format!("{}: {}", judgement.outcome.as_str(), judgement.how),
    ]
}

/// The report for a terminal.
pub fn render(report: &Report, colour: bool) -> String {
    let header = ["trial", "expected", "bytes", "connections", "command", "outcome"].map(str::to_owned);
    let rows: Vec<[String; 6]> = [header].into_iter().chain(report.trials.iter().map(cells)).collect();
    let widths: [usize; 6] =
        std::array::from_fn(|column| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or_default());
    let mut out = String::new();
    for (number, row) in rows.iter().enumerate() {
        let trial = number.checked_sub(1).map(|place| &report.trials[place]);
        let word = trial.map_or("", |trial| verdict(trial.judgement.verdict));
        let paint = match trial.map(|trial| trial.judgement.verdict) {
            Some(Verdict::Right) => GREEN,
            Some(Verdict::Wrong) => RED,
            Some(Verdict::NotJudged) => YELLOW,
            None => "",
        };
        let (before, after) = if colour && !paint.is_empty() { (paint, PLAIN) } else { ("", "") };
        // Writing to a string cannot fail, here and below.
        let _ = write!(out, "{before}{word:<5}{after}  {:<1$}", row[0], widths[0]);
        let _ = write!(out, "  {:<1$}", row[1], widths[1]);
        for column in [2, 3] {
            let _ = write!(out, "  {:>1$}", row[column], widths[column]);
        }
        let _ = writeln!(out, "  {:<1$}  {2}", row[4], widths[4], row[5]);
        if let Some(note) = trial.and_then(|trial| trial.judgement.note.as_ref()) {
            let _ = writeln!(out, "       {note}");
        }
    }
    let wrong: Vec<&TrialReport> =
        report.trials.iter().filter(|trial| trial.judgement.verdict == Verdict::Wrong).collect();
    for trial in wrong.iter().take(EXPLAINED) {
        let _ = writeln!(out, "\n{} presented {}.", trial.name, trial.presents);
        let _ = writeln!(out, "  A correct client {}.", trial.correct);
        let _ = writeln!(out, "  This one: {}: {}.", trial.judgement.outcome.as_str(), trial.judgement.how);
        let _ = writeln!(out, "  Known as: {} ({}).", trial.mistake, trial.source);
    }
    if wrong.len() > EXPLAINED {
        let _ = writeln!(out, "\n`rogue-edge explain TRIAL` says the same of the other {}.", wrong.len() - EXPLAINED);
    }
    let _ = writeln!(out, "\n{}.", report.sentence());
    out
}
