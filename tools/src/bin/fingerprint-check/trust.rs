//! `trust`: a strict store of what a person decided to trust. Nothing in it changes because a server changed.

mod add;
mod check;
mod store;

use std::path::PathBuf;

use clap::{Args, Subcommand};
use relay_trust::{PinKind, TrustEntry};
use serde::Serialize;

use crate::{
    ask,
    cli::{Form, json, print},
    connect::{ConnectArgs, Means},
    error::Error,
    evidence::{date, rfc3339},
    target::Target,
};

/// Commands about the store.
#[derive(Debug, Subcommand)]
pub enum TrustCommand {
    /// Trust a server: by a pin, by its certificate's file, or as it presents itself now.
    Add(Box<add::AddArgs>),
    /// What is trusted, since when, from where, and until when.
    List(ListArgs),
    /// Trust no longer.
    Remove(RemoveArgs),
    /// Compare servers with what is trusted.
    Check(Box<check::CheckArgs>),
}

/// Which store.
#[derive(Debug, Args)]
pub struct StoreArgs {
    /// The store's file [default: SALLYPORT_TRUST_STORE, or sallyport/trust in the user's configuration folder].
    #[arg(long, value_name = "FILE")]
    store: Option<PathBuf>,
    /// The time that counts: 2027-01-31, 2027-01-31T12:00:00Z or @SECONDS since 1970 [default: now].
    #[arg(long, value_name = "TIME", value_parser = ask::time)]
    at: Option<i64>,
}

impl StoreArgs {
    fn path(&self) -> Result<PathBuf, Error> {
        store::path(self.store.as_deref())
    }

    /// Seconds since 1970.
    fn at(&self) -> u64 {
        u64::try_from(self.at.unwrap_or_else(ask::now)).unwrap_or(0)
    }
}

/// Options of `trust list`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  fingerprint-check trust list
  fingerprint-check trust list edge.example.org:8443 --format json
  fingerprint-check trust list --at 2027-06-01

Exit codes:
  0  done
  2  wrong usage, or a store that cannot be read")]
pub struct ListArgs {
    /// Servers; without one, all.
    #[arg(value_name = "TARGET")]
    targets: Vec<String>,
    #[command(flatten)]
    store: StoreArgs,
    /// The form of the result.
    #[arg(long, value_enum, default_value_t)]
    format: Form,
}

/// Options of `trust remove`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  fingerprint-check trust remove edge.example.org:8443
  fingerprint-check trust remove edge.example.org:8443 --pin spki:…

Exit codes:
  0  removed
  2  wrong usage, or there was nothing to remove")]
pub struct RemoveArgs {
    #[arg(help = "HOST, HOST:PORT or [IPV6]:PORT; without a port, 443", value_name = "TARGET")]
    target: String,
    /// Only this pin of the server, in any spelling.
    #[arg(long, value_name = "PIN")]
    pin: Option<relay_trust::Pin>,
    #[command(flatten)]
    store: StoreArgs,
}

/// An entry, for machines.
#[derive(Debug, Serialize)]
pub struct EntryRecord {
    target: String,
    pin: String,
    kind: &'static str,
    added: String,
    expires: String,
    expired: bool,
    source: String,
}

impl EntryRecord {
    fn of(entry: &TrustEntry, at: u64) -> Self {
        Self {
            target: entry.target().to_owned(),
            pin: entry.pin().to_string(),
            kind: match entry.pin().kind() {
                PinKind::Leaf => "leaf",
                PinKind::Spki => "spki",
            },
            added: rfc3339(signed(entry.added())),
            expires: rfc3339(signed(entry.expires())),
            expired: at >= entry.expires(),
            source: entry.source().to_owned(),
        }
    }
}

fn signed(seconds: u64) -> i64 {
    i64::try_from(seconds).unwrap_or(i64::MAX)
}

/// Runs `trust`; returns its exit code.
///
/// # Errors
/// [`Error`] for wrong usage and a store that cannot be used.
pub fn execute(command: &TrustCommand) -> Result<u8, Error> {
    match command {
        TrustCommand::Add(arguments) => add::execute(arguments),
        TrustCommand::List(arguments) => list(arguments),
        TrustCommand::Remove(arguments) => remove(arguments),
        TrustCommand::Check(arguments) => check::execute(arguments),
    }
}

fn list(arguments: &ListArgs) -> Result<u8, Error> {
    let path = arguments.store.path()?;
    let (store, at) = (store::read(&path)?, arguments.store.at());
    let wanted = arguments.targets.iter().map(|text| target(text)).collect::<Result<Vec<_>, _>>()?;
    let entries: Vec<&TrustEntry> = store
        .iter()
        .filter(|entry| wanted.is_empty() || wanted.iter().any(|target| entry.target() == target.to_string()))
        .collect();
    print(&match arguments.format {
        Form::Json => json(&entries.iter().map(|entry| EntryRecord::of(entry, at)).collect::<Vec<_>>())?,
        Form::Text => entries.iter().map(|entry| shown(entry, at)).collect(),
    })?;
    if entries.is_empty() && arguments.format == Form::Text {
        eprintln!("nothing is trusted{} ({})", if wanted.is_empty() { "" } else { " of these" }, path.display());
    }
    Ok(tools::exit::OK)
}

fn remove(arguments: &RemoveArgs) -> Result<u8, Error> {
    let path = arguments.store.path()?;
    let target = target(&arguments.target)?.to_string();
    let removed = store::change(&path, |store| Ok(store.remove(&target, arguments.pin.as_ref())))?;
    if removed.is_empty() {
        let what = if arguments.pin.is_some() { "this pin of " } else { "" };
        return Err(Error::Usage(format!(
            "{what}{target} is not in {}, so there is nothing to remove; `trust list` shows what is",
            path.display()
        )));
    }
    let at = arguments.store.at();
    print(&removed.iter().map(|entry| format!("removed {}", shown(entry, at))).collect::<String>())?;
    Ok(tools::exit::OK)
}

/// An entry for people.
fn shown(entry: &TrustEntry, at: u64) -> String {
    let (added, expires) = (date(signed(entry.added())), date(signed(entry.expires())));
    let until = if at < entry.expires() { format!("until {expires}") } else { format!("EXPIRED on {expires}") };
    format!("{} {}\n  {until}, added on {added}, source: {}\n", entry.target(), entry.pin(), entry.source())
}

/// A server as the store names it: host and port in lower case, whatever is spoken before TLS.
fn target(text: &str) -> Result<Target, Error> {
    let target = Target::parse(&text.to_ascii_lowercase(), None);
    target.map_err(Error::Usage)
}

/// A server that is connected to.
fn reached(text: &str, connect: &ConnectArgs) -> Result<Target, Error> {
    Target::parse(&text.to_ascii_lowercase(), connect.starttls).map_err(Error::Usage)
}

/// What a server shows on one connection.
async fn look(target: &Target, means: &Means) -> Result<crate::evidence::Evidence, crate::connect::Failure> {
    let name = target.host.server_name().map_err(|reason| crate::connect::Failure {
        code: crate::codes::Code::NAME_UNKNOWN,
        text: reason,
        remedy: "give a DNS name or an address".to_owned(),
        transient: false,
    })?;
    crate::connect::look(&means.route(target, &name)).await
}

/// A runtime for the connections of one command.
fn runtime() -> Result<tokio::runtime::Runtime, Error> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    runtime.map_err(|source| Error::System { action: "start threads", source })
}
