//! `diff`: a saved rule set against what the configurations need.

use std::{fmt::Write as _, path::PathBuf};

use clap::Args;
use serde::Serialize;

use crate::{
    cli::{Form, json, print, talk},
    error::Error,
    needs::{self, Stated, arguments::NeedsArgs},
    print::{OUTPUT, PlaceArg},
    rules::{Place, RuleSet},
};

mod compare;
mod expression;
mod flatten;
mod need;
mod saved;
mod space;
mod words;

use compare::{Comparison, Finding, Kind};
use saved::Saved;

/// The exit code where rules differ.
const DIFFERENT: u8 = 1;
/// The exit code where nothing differs, but not everything was understood.
const UNREAD: u8 = 3;

/// Options of `diff`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  nft -j list ruleset > saved.json
  firewall-rules diff saved.json --place firewall-1 --config edge.toml --config hq/backend.toml --master 10.0.0.11
  nft -j list ruleset | firewall-rules diff - --place edge-host --edge 192.0.2.10 --master 10.0.0.11 --node 10.0.0.12
  firewall-rules diff saved.json --place firewall-2 --edge 192.0.2.10 --master 10.0.0.11 --format json

Exit codes:
  0  the saved rules let pass what is needed, and nothing else
  1  something is missing, superfluous, or wider than needed
  2  wrong usage, or a file that cannot be read; standard error says what to do
  3  no difference was found, but there are rules that could not be judged")]
pub struct DiffArgs {
    /// What `nft -j list ruleset` wrote at the place; - reads standard input.
    #[arg(value_name = "SAVED")]
    saved: PathBuf,
    /// Where it was saved: firewall-1, firewall-2, edge-host, or edge-host=NAME for one of several edges.
    #[arg(long)]
    place: PlaceArg,
    #[command(flatten)]
    needs: NeedsArgs,
    /// The form of the result.
    #[arg(long, value_enum, default_value_t, help_heading = OUTPUT)]
    format: Form,
}

/// Runs `diff`; returns its exit code.
///
/// # Errors
/// [`Error`] where the needs are not stated, or the rule set cannot be read.
pub fn execute(arguments: &DiffArgs) -> Result<u8, Error> {
    let Stated { needs, notes } = needs::combine(&arguments.needs)?;
    let sets = PlaceArg::select(Some(&arguments.place), &needs)?;
    let [set] = sets.as_slice() else {
        let names: Vec<String> = sets.iter().map(|set| edge_name(&set.place)).collect();
        let problem = format!("--place: which edge's host is it? write edge-host={}", names.join(" or edge-host="));
        return Err(Error::Usage(problem));
    };
    let saved = Saved::read(&arguments.saved)?;
    let comparison = compare::compare(&saved, set).map_err(|error| Error::Usage(error.to_string()))?;
    talk(&notes);
    match arguments.format {
        Form::Text => print(&text(set, &comparison))?,
        Form::Json => print(&json(&record(set, &comparison))?)?,
    }
    Ok(match (comparison.findings.is_empty(), comparison.unread.is_empty()) {
        (false, _) => DIFFERENT,
        (true, false) => UNREAD,
        (true, true) => tools::exit::OK,
    })
}

/// What `nft -j list ruleset` wrote against the rules that shall be there: a sentence for each difference, and for each rule
/// that cannot be judged.
///
/// # Errors
/// Why it cannot be compared.
pub fn differences(listed: &str, set: &RuleSet) -> Result<Vec<String>, String> {
    let comparison = compare::compare(&Saved::parse(listed.as_bytes())?, set).map_err(|error| error.to_string())?;
    let described = comparison.findings.iter().map(|finding| {
        let mut text = String::new();
        describe(&mut text, finding);
        text.split_whitespace().collect::<Vec<_>>().join(" ")
    });
    let unread = comparison.unread.iter().map(|(at, what)| format!("not judged: {}: {what}", words::location(at)));
    Ok(described.chain(unread).collect())
}

fn edge_name(place: &Place) -> String {
    match place {
        Place::EdgeHost(name) => name.to_string(),
        Place::Firewall1 | Place::Firewall2 => place.slug(),
    }
}

fn text(set: &RuleSet, comparison: &Comparison) -> String {
    let mut text = String::new();
    // Writing to a string cannot fail, here and below.
    for finding in &comparison.findings {
        describe(&mut text, finding);
    }
    for (at, what) in &comparison.unread {
        let _ = writeln!(text, "NOT JUDGED   {}\n             {what}", words::location(at));
    }
    for note in &comparison.notes {
        let _ = writeln!(text, "note         {note}");
    }
    let count = |kind: Kind| comparison.findings.iter().filter(|finding| finding.kind == kind).count();
    let title = set.place.title();
    let _ = if comparison.findings.is_empty() && comparison.unread.is_empty() {
        writeln!(text, "{title}: what is needed passes, and nothing else.")
    } else {
        let [missing, superfluous, wider] = [Kind::Missing, Kind::Superfluous, Kind::Wider].map(count);
        let unread = comparison.unread.len();
        writeln!(
            text,
            "{title}: {missing} missing, {superfluous} superfluous, {wider} wider than needed, {unread} not judged."
        )
    };
    text
}

fn describe(text: &mut String, finding: &Finding) {
    let word = match finding.kind {
        Kind::Missing => "MISSING",
        Kind::Superfluous => "SUPERFLUOUS",
        Kind::Wider => "WIDER",
    };
    let saved = finding.saved.as_ref().map(words::location);
    let subject = finding.needed.clone().or_else(|| saved.clone()).unwrap_or_else(|| "the whole rule set".to_owned());
    let _ = writeln!(text, "{word:12} {subject}");
    for detail in &finding.details {
        let _ = writeln!(text, "             {detail}");
    }
    if let (Some(_), Some(saved)) = (&finding.needed, &saved) {
        let _ = writeln!(text, "             dropped by {saved}");
    }
    if let Some(example) = &finding.example {
        let _ = writeln!(text, "             for example {example}");
    }
}

/// The result for machines.
#[derive(Serialize)]
struct Record<'a> {
    place: &'a Place,
    /// `same`, `different` or `not-judged`.
    result: &'static str,
    findings: Vec<FindingRecord<'a>>,
    not_judged: Vec<UnreadRecord<'a>>,
    notes: &'a [String],
}

#[derive(Serialize)]
struct FindingRecord<'a> {
    kind: Kind,
    needed: Option<&'a str>,
    saved: Option<LocationRecord<'a>>,
    details: &'a [String],
    example: Option<&'a str>,
}

#[derive(Serialize)]
struct LocationRecord<'a> {
    chain: &'a str,
    handle: Option<u64>,
    comment: Option<&'a str>,
}

#[derive(Serialize)]
struct UnreadRecord<'a> {
    saved: LocationRecord<'a>,
    what: &'a str,
}

fn record<'a>(set: &'a RuleSet, comparison: &'a Comparison) -> Record<'a> {
    fn location(at: &flatten::Location) -> LocationRecord<'_> {
        LocationRecord { chain: &at.chain, handle: at.handle, comment: at.comment.as_deref() }
    }
    let findings = comparison.findings.iter().map(|finding| FindingRecord {
        kind: finding.kind,
        needed: finding.needed.as_deref(),
        saved: finding.saved.as_ref().map(location),
        details: &finding.details,
        example: finding.example.as_deref(),
    });
    Record {
        place: &set.place,
        result: match (comparison.findings.is_empty(), comparison.unread.is_empty()) {
            (false, _) => "different",
            (true, false) => "not-judged",
            (true, true) => "same",
        },
        findings: findings.collect(),
        not_judged: comparison.unread.iter().map(|(at, what)| UnreadRecord { saved: location(at), what }).collect(),
        notes: &comparison.notes,
    }
}
