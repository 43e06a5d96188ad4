//! The report: one record behind every form.

pub mod html;
pub mod junit;
pub mod table;
pub mod text;

use std::path::Path;

use serde::Serialize;

use crate::{
    client::Exit,
    error::Error,
    judge::{Judgement, Outcome, Verdict},
    seen::Seen,
    trial::{Declared, Trial},
};

/// The version of the record: raised when a field changes its meaning or goes.
pub const SCHEMA: u32 = 1;

/// Why a trial was left out when the control failed.
pub const NOT_RUN: &str = "not run: the client did not accept the right server in the control";

/// A form of the report.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// A table for people.
    #[default]
    Text,
    /// One JSON object with everything that was seen.
    Json,
    /// JUnit XML: one test case per trial.
    Junit,
    /// One self-contained page.
    Html,
}

impl Format {
    /// The form that a file's name asks for.
    #[must_use]
    pub fn of(path: &Path) -> Option<Self> {
        Some(match path.extension()?.to_str()? {
            "txt" => Self::Text,
            "json" => Self::Json,
            "xml" => Self::Junit,
            "html" => Self::Html,
            _ => return None,
        })
    }
}

/// One trial.
#[derive(Debug, Serialize)]
pub struct TrialReport {
    /// Its name.
    pub name: &'static str,
    /// What the server presented.
    pub presents: &'static str,
    /// What a correct client does.
    pub correct: &'static str,
    /// The mistake that it reproduces.
    pub mistake: &'static str,
    /// Where that is known from.
    pub source: &'static str,
    /// The judgement.
    #[serde(flatten)]
    pub judgement: Judgement,
    /// Bytes of the client's that the server could read.
    pub leaked_bytes: u64,
    /// Connections to the hostile server.
    pub connections: usize,
    /// Those beyond one for each run of the command.
    pub retries: usize,
    /// How the command ended; the last run counts.
    pub exit: Option<Exit>,
    /// The end of what it wrote to standard output.
    pub stdout: String,
    /// The end of what it wrote to standard error.
    pub stderr: String,
    /// Every connection.
    pub seen: Vec<Seen>,
    /// How long the trial took.
    pub milliseconds: u64,
}

impl TrialReport {
    /// Of a trial and its judgement; the rest is filled in by whoever ran it.
    #[must_use]
    pub fn new(trial: &Trial, judgement: Judgement) -> Self {
        Self {
            name: trial.name,
            presents: trial.presents,
            correct: trial.correct,
            mistake: trial.mistake,
            source: trial.source,
            judgement,
            leaked_bytes: 0,
            connections: 0,
            retries: 0,
            exit: None,
            stdout: String::new(),
            stderr: String::new(),
            seen: Vec::new(),
            milliseconds: 0,
        }
    }
}

/// The whole.
#[derive(Debug, Serialize)]
pub struct Report {
    /// The version of this record.
    pub schema: u32,
    /// Who was tried.
    pub label: String,
    /// The command, as it was given; empty when the client came by itself.
    pub command: Vec<String>,
    /// What the client claims to check.
    pub declared: Declared,
    /// Whether every trial was run: nobody interrupted.
    pub complete: bool,
    /// The trials, in their order.
    pub trials: Vec<TrialReport>,
}

/// How a run ended, for the exit code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Overall {
    /// The client was right in every trial.
    Right,
    /// It was wrong in at least one.
    Wrong,
    /// It was right wherever it could be judged, and that was not everywhere.
    Incomplete,
}

impl Report {
    /// How many trials have this verdict.
    #[must_use]
    pub fn count(&self, verdict: Verdict) -> usize {
        self.trials.iter().filter(|trial| trial.judgement.verdict == verdict).count()
    }

    /// The whole in one word.
    #[must_use]
    pub fn overall(&self) -> Overall {
        match (self.count(Verdict::Wrong), self.count(Verdict::NotJudged), self.complete) {
            (1.., _, _) => Overall::Wrong,
            (0, 0, true) => Overall::Right,
            (0, _, _) => Overall::Incomplete,
        }
    }

    /// One sentence on the whole.
    #[must_use]
    pub fn sentence(&self) -> String {
        let (right, wrong, open) =
            (self.count(Verdict::Right), self.count(Verdict::Wrong), self.count(Verdict::NotJudged));
        let mut text = format!("{}: right in {right} of {} trials", self.label, self.trials.len());
        if wrong > 0 {
            text += &format!(", wrong in {wrong}");
        }
        if open > 0 {
            text += &format!(", {open} not judged");
        }
        if !self.complete {
            text += "; interrupted before the end";
        }
        let leaked: u64 = self.leaks().map(|trial| trial.leaked_bytes).sum();
        if leaked > 0 {
            text += &format!("; {leaked} bytes went to servers that it had to refuse");
        }
        text
    }

    /// Trials in which the client had to refuse and sent something.
    pub fn leaks(&self) -> impl Iterator<Item = &TrialReport> {
        self.trials.iter().filter(|trial| {
            trial.leaked_bytes > 0
                && trial.judgement.verdict == Verdict::Wrong
                && trial.judgement.outcome == Outcome::Accepted
        })
    }

    /// In the form asked for.
    ///
    /// # Errors
    /// If JSON cannot be made of it.
    pub fn render(&self, format: Format, colour: bool) -> Result<String, Error> {
        Ok(match format {
            Format::Text => text::render(self, colour),
            Format::Json => serde_json::to_string_pretty(self).map_err(Error::making("JSON"))? + "\n",
            Format::Junit => junit::render(self),
            Format::Html => html::render(self),
        })
    }
}

/// Text as XML and HTML show it, in elements and in quoted attributes. XML has no way to write most control characters.
pub fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\n' | '\t' => out.push(character),
            '\r' => {}
            other if other.is_control() || matches!(other, '\u{fffe}' | '\u{ffff}') => out.push('\u{fffd}'),
            other => out.push(other),
        }
    }
    out
}
