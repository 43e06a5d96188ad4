//! A monitoring plugin's output: one line with performance data, details below, and exit codes of its own.

use std::fmt::Write as _;

use super::Style;
use crate::{
    platforms::PlatformVerdict,
    record::{Outcome, Record, Shown, Summary},
    verdict::{Finding, Level},
};

/// The states of the Nagios plugin API.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum State {
    Ok,
    Warning,
    Critical,
}

impl State {
    const fn word(self) -> &'static str {
        match self {
            Self::Ok => "OK",
            Self::Warning => "WARNING",
            Self::Critical => "CRITICAL",
        }
    }
}

fn state(record: &Record) -> State {
    match record.outcome {
        Outcome::Connects => State::Ok,
        Outcome::Warnings if heaviest(record).is_some_and(|finding| finding.level == Level::Fail) => State::Critical,
        Outcome::Warnings => State::Warning,
        Outcome::Refused | Outcome::Unreachable | Outcome::Unproved => State::Critical,
    }
}

/// What to say of a target that is not as it should be.
fn heaviest(record: &Record) -> Option<&Finding> {
    let Shown::Seen(seen) = &record.shown else { return None };
    // One set of roots that accepts is enough, so the chain counts only where none does.
    let accepted = seen.verdicts.chain_refusal().is_none();
    let verdicts = seen.verdicts.all().into_iter().filter(|question| !(accepted && question.roots.is_some()));
    let findings = verdicts.flat_map(|question| &question.answer.findings);
    let all = findings.chain(seen.platforms.iter().flat_map(PlatformVerdict::plain));
    let heavy: Vec<&Finding> = all.filter(|finding| finding.level >= Level::Warn).collect();
    // Of equals the last one wins, so the first comes last.
    heavy.into_iter().rev().max_by_key(|finding| finding.level)
}

pub fn exit_code(records: &[Record]) -> u8 {
    match records.iter().map(state).max() {
        None | Some(State::Ok) => 0,
        Some(State::Warning) => 1,
        Some(State::Critical) => 2,
    }
}

pub fn status(records: &[Record], summary: &Summary, style: &Style) -> String {
    let worst = records.iter().map(state).max().unwrap_or(State::Ok);
    let headline = match records {
        [one] => format!("{}: {}", one.target, says(one)),
        _ => {
            let wrong = records.iter().filter(|record| state(record) > State::Ok).count();
            format!("{wrong} of {} targets need attention", summary.targets)
        }
    };
    let mut text = format!("FINGERPRINT {} - {} |", worst.word(), plain(&headline));
    for record in records {
        if let Shown::Seen(seen) = &record.shown {
            let days = seen.certificate.days_left;
            let _ = write!(text, " '{}'={days};{}:;{}:", plain(&record.target), style.warn_days, style.crit_days);
        }
    }
    text.push('\n');
    if records.len() > 1 {
        for record in records.iter().filter(|record| state(record) > State::Ok) {
            let _ = writeln!(text, "{} {}: {}", state(record).word(), plain(&record.target), plain(&says(record)));
        }
    }
    text
}

fn says(record: &Record) -> String {
    match &record.shown {
        Shown::Failed { failure } => format!("{} ({})", failure.text, failure.code),
        Shown::Seen(seen) => match heaviest(record) {
            Some(finding) => format!("{} ({})", finding.text, finding.code),
            None => format!("every selected platform connects, {} days left", seen.certificate.days_left),
        },
    }
}

/// Bars and quotes have a meaning of their own in this format.
fn plain(text: &str) -> String {
    text.replace('|', "/").replace('\'', "")
}
