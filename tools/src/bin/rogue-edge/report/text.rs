//! The report as a table.

use std::fmt::Write;

use super::{NOT_RUN, Report, TrialReport};
use crate::{judge::Verdict, trial::Expected};

const GREEN: &str = "\x1b[32m";
const RED: &str = "\x1b[31m";
const YELLOW: &str = "\x1b[33m";
const PLAIN: &str = "\x1b[0m";

/// Wrong answers that are explained in full.
const EXPLAINED: usize = 6;
/// Lines of what the client said in a control that failed.
const SAID: usize = 3;

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

/// The end of what the client said, for a control that failed: the reason is mostly there.
fn said(control: &TrialReport) -> String {
    let text = if control.stderr.trim().is_empty() { &control.stdout } else { &control.stderr };
    let lines: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty()).collect();
    let mut out = String::new();
    for line in &lines[lines.len().saturating_sub(SAID)..] {
        let _ = writeln!(out, "       in {} the client said: {}", control.name, line.replace(char::is_control, "?"));
    }
    out
}

/// The report for a terminal.
pub fn render(report: &Report, colour: bool) -> String {
    let header = ["trial", "expected", "bytes", "connections", "command", "outcome"].map(str::to_owned);
    // A control that failed is one mistake and not as many as there are trials behind it.
    let not_run = report.trials.iter().rev().take_while(|trial| trial.judgement.how == NOT_RUN).count();
    let hidden = if not_run > 1 { not_run } else { 0 };
    let shown = &report.trials[..report.trials.len() - hidden];
    let rows: Vec<[String; 6]> = [header].into_iter().chain(shown.iter().map(cells)).collect();
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
    if hidden > 0 {
        let _ = writeln!(out, "-      the other {hidden} trials were {NOT_RUN}");
    }
    if let Some(control) = shown.last().filter(|_| not_run > 0) {
        out.push_str(&said(control));
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
