//! `trials` and `explain`.

use std::fmt::Write;

use serde::Serialize;

use crate::{
    cli::{ListFormat, TrialsArgs, print},
    error::Error,
    report::Overall,
    trial::{Check, ClientChain, ClientPins, Declared, Expected, Trial, all},
};

/// A trial as the list has it.
#[derive(Serialize)]
struct Listed {
    name: &'static str,
    presents: &'static str,
    noticed_by: &'static [Check],
    correct: &'static str,
    mistake: &'static str,
    source: &'static str,
}

impl From<&Trial> for Listed {
    fn from(trial: &Trial) -> Self {
        let Trial { name, presents, noticed_by, correct, mistake, source, .. } = *trial;
        Self { name, presents, noticed_by, correct, mistake, source }
    }
}

/// Lists the trials.
///
/// # Errors
/// If standard output cannot be written.
pub fn trials(arguments: &TrialsArgs) -> Result<Overall, Error> {
    let text = match arguments.format {
        ListFormat::Text => text(),
        ListFormat::Json => {
            let all: Vec<Listed> = all().map(Listed::from).collect();
            serde_json::to_string_pretty(&all).map_err(Error::making("JSON"))? + "\n"
        }
        ListFormat::Markdown => markdown(),
    };
    print(&text)?;
    Ok(Overall::Right)
}

fn text() -> String {
    let width = all().map(|trial| trial.name.len()).max().unwrap_or_default();
    let mut out = String::new();
    for trial in all() {
        // Writing to a string cannot fail, here and below.
        let _ = writeln!(out, "{:<width$}  {}", trial.name, trial.presents);
        let _ = writeln!(out, "{:<width$}    a correct client {}", "", trial.correct);
        let _ = writeln!(out, "{:<width$}    {} ({})", "", trial.mistake, trial.source);
    }
    out
}

fn markdown() -> String {
    let mut out =
        "| trial | the server presents | a correct client | reproduces | source |\n|---|---|---|---|---|\n".to_owned();
    for trial in all() {
        let cells = [trial.presents, trial.correct, trial.mistake, trial.source].map(|cell| cell.replace('|', "\\|"));
        let _ = writeln!(out, "| `{}` | {} |", trial.name, cells.join(" | "));
    }
    out
}

/// Says all about one trial.
///
/// # Errors
/// If standard output cannot be written.
pub fn explain(trial: &Trial) -> Result<Overall, Error> {
    let mut out = format!(
        "{}\n\nThe server presents {}.\nA correct client {}.\nIt reproduces: {}.\nSource: {}.\n\n",
        trial.name, trial.presents, trial.correct, trial.mistake, trial.source
    );
    out.push_str("What is expected of a client that\n");
    for (chain, checks) in [(ClientChain::Checked, "checks the chain"), (ClientChain::Ignored, "ignores the chain")] {
        for (pins, what) in [
            (ClientPins::Leaf, "pins the certificate"),
            (ClientPins::Spki, "pins the key"),
            (ClientPins::None, "pins nothing"),
        ] {
            let expected = match trial.expected(Declared { pins, chain }) {
                Expected::Refuse => "refuse",
                Expected::Accept => "accept",
                Expected::Either => "either: it claims no check that would notice",
            };
            let _ = writeln!(out, "  {:<42}  {expected}", format!("{what} and {checks}"));
        }
    }
    let _ = writeln!(out, "\nTry it: rogue-edge serve --trial {} --verbose -- COMMAND", trial.name);
    print(&out)?;
    Ok(Overall::Right)
}
