//! `explain`: what a code means, and what to do.

use std::fmt::Write as _;

use clap::Args;
use serde::Serialize;

use crate::{
    cli::{Form, json, print},
    codes::{self, Explanation},
    error::Error,
    platforms::{self, RuleRecord},
};

/// Options of `explain`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  fingerprint-check explain FC-CHAIN-CA-AS-SERVER
  fingerprint-check explain pin-mismatch
  fingerprint-check explain

Exit codes:
  0  the code is known
  2  it is not; standard error names those that come close")]
pub struct ExplainArgs {
    /// Codes, with or without the leading FC-, in either case; without one, all are listed.
    #[arg(value_name = "CODE")]
    codes: Vec<String>,
    /// The form of the result.
    #[arg(long, value_enum, default_value_t)]
    format: Form,
}

/// What there is to say about a code, for machines.
#[derive(Debug, Serialize)]
struct Explained {
    code: codes::Code,
    title: &'static str,
    text: &'static str,
    /// The rules of platforms that carry the code.
    rules: Vec<RuleRecord>,
}

/// Runs `explain`; returns its exit code.
///
/// # Errors
/// [`Error::Usage`] for a code that is unknown.
pub fn execute(arguments: &ExplainArgs) -> Result<u8, Error> {
    let all = arguments.codes.is_empty();
    let wanted: Vec<&Explanation> = if all {
        codes::ALL.iter().collect()
    } else {
        arguments.codes.iter().map(|code| find(code)).collect::<Result<_, _>>()?
    };
    match arguments.format {
        Form::Json => print(&json(&wanted.iter().map(|one| explained(one)).collect::<Vec<_>>())?)?,
        Form::Text if all => print(&list(&wanted))?,
        Form::Text => print(&wanted.iter().map(|one| text(one)).collect::<Vec<_>>().join("\n"))?,
    }
    Ok(tools::exit::OK)
}

fn find(code: &str) -> Result<&'static Explanation, Error> {
    let found = codes::find(code).or_else(|| codes::find(&format!("FC-{code}")));
    found.ok_or_else(|| {
        let wanted = code.to_ascii_uppercase();
        let words: Vec<&str> = wanted.split('-').filter(|word| word.len() > 2).collect();
        let near: Vec<&str> = codes::ALL
            .iter()
            .map(|known| known.code.as_str())
            .filter(|known| words.iter().any(|word| known.contains(word)))
            .take(8)
            .collect();
        let hint = if near.is_empty() { "`explain` without a code lists all".to_owned() } else { near.join(", ") };
        Error::Usage(format!("there is no code {code:?}; did you mean one of these: {hint}?"))
    })
}

fn explained(one: &Explanation) -> Explained {
    Explained { code: one.code, title: one.title, text: one.text, rules: platforms::rules_of(one.code) }
}

fn list(all: &[&Explanation]) -> String {
    let width = all.iter().map(|one| one.code.as_str().len()).max().unwrap_or_default();
    all.iter().fold(String::new(), |mut text, one| {
        let _ = writeln!(text, "{:width$}  {}", one.code.as_str(), one.title);
        text
    })
}

fn text(one: &Explanation) -> String {
    let mut text = format!("{}: {}\n\n", one.code, one.title);
    for line in textwrapped(one.text) {
        let _ = writeln!(text, "{line}");
    }
    for rule in platforms::rules_of(one.code) {
        let _ = write!(
            text,
            "\n{}: {}\n  {}: {}\n",
            rule.platforms.join(", "),
            rule.effect,
            rule.basis.as_str(),
            rule.source
        );
    }
    text
}

/// Lines of at most 100 characters.
fn textwrapped(text: &str) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
        let last = lines.len() - 1;
        if lines[last].is_empty() {
            lines[last].push_str(word);
        } else if lines[last].chars().count() + 1 + word.chars().count() <= 100 {
            lines[last].push(' ');
            lines[last].push_str(word);
        } else {
            lines.push(word.to_owned());
        }
    }
    lines
}
