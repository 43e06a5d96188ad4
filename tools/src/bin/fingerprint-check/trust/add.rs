//! `trust add`: by a pin, by a file, or on first use.

use std::{path::PathBuf, time::Duration};

use clap::Args;
use relay_trust::{Pin, PinKind, TrustEntry, TrustStore};

use super::{StoreArgs, look, reached, runtime, shown, signed, store};
use crate::{
    ask,
    cli::print,
    connect::ConnectArgs,
    error::Error,
    evidence::{Certificate, date},
    file, input,
    pins::pin_of,
};

/// How long an entry counts if nobody says otherwise, seconds.
const LIFETIME: u64 = 365 * 86_400;

/// Options of `trust add`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  fingerprint-check trust add edge.example.org:8443 --pin 'sha256//47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=' --source 'label on the rack'
  fingerprint-check trust add edge.example.org:8443 --from edge.crt
  fingerprint-check trust add edge.example.org:8443
  fingerprint-check trust add edge.example.org:8443 --from next.crt --also --expires 30d

Without --pin and --from the server is looked at once and trusted as it presents itself: trust on first use. Compare the pin
that is printed with what the server's console shows. A server that is in the store already keeps its pins: another pin is
refused, unless --also adds it beside them.

Exit codes:
  0  added
  1  the server is in the store with other pins, or did not prove that it has its key; nothing was changed
  2  wrong usage; standard error says what to do
  3  the server could not be reached")]
pub struct AddArgs {
    #[arg(help = "HOST, HOST:PORT or [IPV6]:PORT; without a port, 443", value_name = "TARGET")]
    target: String,
    /// The pin, in any spelling.
    #[arg(long, value_name = "PIN", conflicts_with = "from")]
    pin: Option<Pin>,
    /// Make the pin of the certificate in this file: PEM, DER, PKCS#7; `-`: standard input.
    #[arg(long, value_name = "FILE|-")]
    from: Option<PathBuf>,
    /// What is pinned of a certificate: spki (its key) or leaf (all of it).
    #[arg(long, value_name = "spki|leaf", default_value = "spki", value_parser = crate::pins::kind, conflicts_with = "pin")]
    kind: PinKind,
    /// Where the pin is known from, in a few words [default: how it was added].
    #[arg(long, value_name = "TEXT")]
    source: Option<String>,
    /// The end: a duration such as 90d, or a date [default: 365d, and never later than the certificate's].
    #[arg(long, value_name = "TIME")]
    expires: Option<String>,
    /// Add it beside the pins that the server has, for the time of a rotation.
    #[arg(long)]
    also: bool,
    #[command(flatten)]
    store: StoreArgs,
    #[command(flatten)]
    connect: ConnectArgs,
}

/// What is to be trusted, before the store was asked.
struct Wanted {
    pin: Pin,
    /// The certificate that it was made of.
    certificate: Option<Box<Certificate>>,
    source: String,
}

/// Runs `trust add`; returns its exit code.
///
/// # Errors
/// [`Error`] for wrong usage and a store that cannot be used.
pub fn execute(arguments: &AddArgs) -> Result<u8, Error> {
    let target = reached(&arguments.target, &arguments.connect)?.to_string();
    let path = arguments.store.path()?;
    // A store that cannot be used is told of before anybody connects.
    store::read(&path)?;
    let wanted = match wanted(arguments)? {
        Ok(wanted) => wanted,
        Err((code, why)) => {
            eprintln!("fingerprint-check: {target}: {why}; nothing was changed");
            return Ok(code);
        }
    };
    let at = arguments.store.at();
    let expires = end(arguments, wanted.certificate.as_deref(), at)?;
    let source = arguments.source.as_deref().unwrap_or(&wanted.source);
    let entry =
        TrustEntry::new(&target, wanted.pin, at, expires, source).map_err(|error| Error::Usage(error.to_string()))?;
    let line = shown(&entry, at);
    let refused = store::change(&path, |store| {
        if !arguments.also
            && let Some(why) = known_otherwise(store, &entry)
        {
            return Ok(Some(why));
        }
        store.add(entry).map_err(|error| Error::Usage(format!("{}: {error}", path.display())))?;
        Ok(None)
    })?;
    if let Some(why) = refused {
        eprintln!("fingerprint-check: {why}; nothing was changed");
        return Ok(tools::exit::FAILED);
    }
    print(&line)?;
    Ok(tools::exit::OK)
}

/// Why a server that is in the store is not added again.
fn known_otherwise(store: &TrustStore, entry: &TrustEntry) -> Option<String> {
    let known: Vec<&TrustEntry> = store.of(entry.target()).collect();
    let first = known.first().filter(|_| known.iter().all(|other| other.pin() != entry.pin()))?;
    Some(format!(
        "{} is trusted with {} since {} (source: {}), and this is {}; if it was replaced on purpose, run `trust remove` \
         first, or give --also for the time of the change; otherwise somebody is in between",
        entry.target(),
        if known.len() == 1 { first.pin().to_string() } else { format!("{} other pins", known.len()) },
        date(signed(first.added())),
        first.source(),
        entry.pin()
    ))
}

type Refused = (u8, String);

fn wanted(arguments: &AddArgs) -> Result<Result<Wanted, Refused>, Error> {
    if let Some(pin) = arguments.pin {
        return Ok(Ok(Wanted { pin, certificate: None, source: "given as a pin".to_owned() }));
    }
    let of = |leaf: Certificate, source: String| Wanted {
        pin: pin_of(&leaf, arguments.kind),
        certificate: Some(Box::new(leaf)),
        source,
    };
    if let Some(path) = &arguments.from {
        let name = input::name(path);
        return Ok(Ok(of(file::chain(path)?.leaf, format!("file {}", line_of(&name)))));
    }
    let target = reached(&arguments.target, &arguments.connect)?;
    let means = arguments.connect.read()?;
    let seen = match runtime()?.block_on(look(&target, &means)) {
        Ok(seen) => seen,
        Err(failure) => return Ok(Err((3, format!("{}; {}", failure.text, failure.remedy)))),
    };
    let Some(connection) = &seen.connection else {
        return Ok(Err((tools::exit::FAILED, "there was no handshake".to_owned())));
    };
    if let Some(why) = connection.tls.broken() {
        return Ok(Err((tools::exit::FAILED, format!("no handshake came to its end: {why}"))));
    }
    Ok(match connection.possession.doubt() {
        None => Ok(of(seen.chain.leaf, "first connection".to_owned())),
        Some(why) => Err((tools::exit::FAILED, format!("the server did not prove that it has its key: {why}"))),
    })
}

/// A name that fits into a line of the store.
fn line_of(name: &str) -> String {
    let plain: String = name.chars().filter(|c| !c.is_control()).take(150).collect();
    if plain.trim().is_empty() { "without a name".to_owned() } else { plain.trim().to_owned() }
}

/// The end of the entry, seconds since 1970.
fn end(arguments: &AddArgs, certificate: Option<&Certificate>, at: u64) -> Result<u64, Error> {
    let asked = match &arguments.expires {
        None => at.saturating_add(LIFETIME),
        Some(text) => expires(text, at)?,
    };
    let Some(certificate) = certificate else { return Ok(asked) };
    let last = u64::try_from(certificate.not_after).unwrap_or(0).saturating_add(1);
    if last <= at {
        let ended = date(certificate.not_after);
        return Err(Error::Usage(format!("the certificate expired on {ended}; trust the one that replaced it")));
    }
    match &arguments.expires {
        Some(_) if asked > last => Err(Error::Usage(format!(
            "--expires is later than the certificate's last day, {}; give an earlier time, or the pin alone with --pin",
            date(certificate.not_after)
        ))),
        _ => Ok(asked.min(last)),
    }
}

fn expires(text: &str, at: u64) -> Result<u64, Error> {
    if let Ok(seconds) = ask::time(text) {
        return u64::try_from(seconds).map_err(|_| Error::Usage("--expires is before 1970".to_owned()));
    }
    let parsed = humantime::parse_duration(text).ok().filter(|duration| *duration >= Duration::from_secs(1));
    let duration = parsed.ok_or_else(|| {
        Error::Usage(format!("--expires {text:?} is neither a duration (90d, 12h) nor a date (2027-01-31)"))
    })?;
    Ok(at.saturating_add(duration.as_secs()))
}
