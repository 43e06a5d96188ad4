//! `trust check`: servers, or a file, against the store.

use std::{path::PathBuf, sync::Arc};

use clap::Args;
use relay_trust::{Pin, PinKind, Trust, TrustEntry, TrustStore};
use serde::Serialize;
use tokio::task::JoinSet;

use super::{EntryRecord, StoreArgs, look, reached, runtime, signed, store};
use crate::{
    cli::{Form, json, print},
    connect::ConnectArgs,
    error::Error,
    evidence::{Chain, Connection, Evidence, date},
    file,
    pins::{Given, diagnose},
    target::Target,
};

/// Servers at once.
const CONCURRENCY: usize = 64;
/// The exit code for a server that was not reached.
const UNREACHABLE: u8 = 3;

/// Options of `trust check`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  fingerprint-check trust check edge.example.org:8443
  fingerprint-check trust check --all --format json
  fingerprint-check trust check edge.example.org:8443 --from edge.crt

A server that is not in the store is not trusted: `trust add` is a decision of its own. An entry that has come to its end no
longer counts.

Exit codes:
  0  every server is trusted
  1  one is unknown, has another certificate, did not prove that it has its key, or its entry has expired
  2  wrong usage; standard error says what to do
  3  one could not be reached, and nothing worse")]
pub struct CheckArgs {
    #[arg(
        help = "HOST, HOST:PORT or [IPV6]:PORT; without a port, 443",
        value_name = "TARGET",
        required_unless_present = "all"
    )]
    targets: Vec<String>,
    /// Every server of the store.
    #[arg(long, conflicts_with_all = ["targets", "from"])]
    all: bool,
    /// Do not connect: compare the certificate in this file. PEM, DER, PKCS#7; `-`: standard input.
    #[arg(long, value_name = "FILE|-")]
    from: Option<PathBuf>,
    #[command(flatten)]
    store: StoreArgs,
    #[command(flatten)]
    connect: ConnectArgs,
    /// The form of the result.
    #[arg(long, value_enum, default_value_t)]
    format: Form,
}

/// What the store says of one server, for machines.
#[derive(Debug, Serialize)]
struct Checked {
    target: String,
    trusted: bool,
    /// `trusted`, `expired`, `mismatch`, `unknown`, `not-proved` or `unreachable`.
    state: State,
    text: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    remedy: Option<String>,
    /// The pins that the certificate would need.
    #[serde(skip_serializing_if = "Option::is_none")]
    presented: Option<[String; 2]>,
    /// What the store has of the server.
    entries: Vec<EntryRecord>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
enum State {
    Trusted,
    Expired,
    Mismatch,
    Unknown,
    NotProved,
    Unreachable,
}

/// Runs `trust check`; returns its exit code.
///
/// # Errors
/// [`Error`] for wrong usage and a store that cannot be used.
pub fn execute(arguments: &CheckArgs) -> Result<u8, Error> {
    let path = arguments.store.path()?;
    let (store, at) = (store::read(&path)?, arguments.store.at());
    let targets = if arguments.all {
        let mut names: Vec<&str> = store.iter().map(TrustEntry::target).collect();
        names.dedup();
        names.into_iter().map(|name| reached(name, &arguments.connect)).collect::<Result<Vec<_>, _>>()?
    } else {
        arguments.targets.iter().map(|text| reached(text, &arguments.connect)).collect::<Result<Vec<_>, _>>()?
    };
    if targets.is_empty() {
        return Err(Error::Usage(format!(
            "{} is empty, so there is nothing to check; `trust add` adds",
            path.display()
        )));
    }
    let checked = match &arguments.from {
        Some(from) => {
            let evidence = Evidence { chain: file::chain(from)?, connection: None };
            targets.iter().map(|target| judge(target, &evidence, &store, at)).collect()
        }
        None => all(targets, arguments, store, at)?,
    };
    print(&match arguments.format {
        Form::Json => json(&checked)?,
        Form::Text => checked.iter().map(text).collect(),
    })?;
    let state = |wanted: &[State]| checked.iter().any(|one| wanted.contains(&one.state));
    Ok(if state(&[State::Expired, State::Mismatch, State::Unknown, State::NotProved]) {
        tools::exit::FAILED
    } else if state(&[State::Unreachable]) {
        UNREACHABLE
    } else {
        tools::exit::OK
    })
}

/// Every server once, so many at once, in the order given.
fn all(targets: Vec<Target>, arguments: &CheckArgs, store: TrustStore, at: u64) -> Result<Vec<Checked>, Error> {
    let (means, store) = (Arc::new(arguments.connect.read()?), Arc::new(store));
    let runtime = runtime()?;
    let outcome = runtime.block_on(async {
        let mut running = JoinSet::new();
        let mut checked: Vec<(usize, Checked)> = Vec::with_capacity(targets.len());
        let mut waiting = targets.into_iter().enumerate();
        loop {
            while running.len() < CONCURRENCY
                && let Some((place, target)) = waiting.next()
            {
                let (means, store) = (Arc::clone(&means), Arc::clone(&store));
                running.spawn(async move {
                    let outcome = look(&target, &means).await;
                    (
                        place,
                        outcome
                            .map_or_else(|failure| failed(&target, &failure), |seen| judge(&target, &seen, &store, at)),
                    )
                });
            }
            let Some(ended) = running.join_next().await else { break };
            checked.push(ended.map_err(|error| Error::Defect(error.to_string()))?);
        }
        checked.sort_by_key(|(place, _)| *place);
        Ok(checked.into_iter().map(|(_, one)| one).collect())
    });
    // A resolver that still waits would hold the program up.
    runtime.shutdown_background();
    outcome
}

fn failed(target: &Target, failure: &crate::connect::Failure) -> Checked {
    Checked {
        target: target.to_string(),
        trusted: false,
        state: State::Unreachable,
        text: failure.text.clone(),
        remedy: Some(failure.remedy.clone()),
        presented: None,
        entries: Vec::new(),
    }
}

fn judge(target: &Target, seen: &Evidence, store: &TrustStore, at: u64) -> Checked {
    let target = target.to_string();
    let leaf = &seen.chain.leaf;
    let presented = [(PinKind::Leaf, leaf.fingerprints.leaf), (PinKind::Spki, leaf.fingerprints.spki)]
        .map(|(kind, digest)| Pin::new(kind, digest).to_string());
    let (mut state, mut text, mut remedy) = match store.judge(&target, &leaf.fingerprints, at) {
        Trust::Trusted(entry) => {
            (State::Trusted, format!("{} names it, since {}", entry.pin(), date(signed(entry.added()))), None)
        }
        Trust::Expired(entry) => (
            State::Expired,
            format!("{} names it, but counts no longer since {}", entry.pin(), date(signed(entry.expires()))),
            Some("find out whether it is still right, then `trust remove` and `trust add`".to_owned()),
        ),
        Trust::Mismatch(entries) | Trust::ExpiredMismatch(entries) => mismatch(&seen.chain, &entries, &presented),
        Trust::Unknown => (
            State::Unknown,
            "it is not in the store".to_owned(),
            Some("if it should be trusted, `trust add`".to_owned()),
        ),
    };
    if let Some(why) = seen.connection.as_ref().and_then(|connection| connection.tls.broken())
        && state == State::Trusted
    {
        (state, text) = (State::NotProved, format!("{text}, but no handshake came to its end: {why}"));
        remedy = Some("somebody may be in between".to_owned());
    }
    if let Some(Connection { possession, .. }) = &seen.connection
        && let Some(why) = possession.doubt()
        && state == State::Trusted
    {
        (state, text) = (State::NotProved, format!("{text}, but the server did not prove that it has its key: {why}"));
        remedy = Some("somebody may be in between".to_owned());
    }
    Checked {
        entries: store.of(&target).map(|entry| EntryRecord::of(entry, at)).collect(),
        trusted: state == State::Trusted,
        presented: Some(presented),
        target,
        state,
        text,
        remedy,
    }
}

fn mismatch(chain: &Chain, entries: &[&TrustEntry], presented: &[String; 2]) -> (State, String, Option<String>) {
    let [leaf, spki] = presented;
    let text = match entries {
        [one] => format!("it presents {leaf} and {spki}, and {} is trusted", one.pin()),
        all => format!("it presents {leaf} and {spki}, and none of {} trusted pins names that", all.len()),
    };
    let found = entries.iter().find_map(|entry| diagnose(&Given::Pin(*entry.pin()), chain, &[]));
    let other = "if it was replaced on purpose, `trust remove` and `trust add`; otherwise somebody is in between";
    let (text, remedy) = match found {
        Some(found) => (format!("{text}; {}", found.text), found.remedy),
        None => (text, None),
    };
    (State::Mismatch, text, remedy.or_else(|| Some(other.to_owned())))
}

fn text(one: &Checked) -> String {
    let word = match one.state {
        State::Trusted => "trusted",
        State::Expired => "EXPIRED",
        State::Mismatch => "MISMATCH",
        State::Unknown => "UNKNOWN",
        State::NotProved => "NOT PROVED",
        State::Unreachable => "unreachable",
    };
    let remedy = one.remedy.as_ref().map(|remedy| format!("  fix: {remedy}\n")).unwrap_or_default();
    format!("{}: {word}: {}\n{remedy}", one.target, one.text)
}
