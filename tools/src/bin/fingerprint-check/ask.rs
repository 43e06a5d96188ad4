//! What is asked about servers and files alike: the options, and the judgement that they lead to.

use std::{
    io::IsTerminal,
    path::Path,
    time::{SystemTime, UNIX_EPOCH},
};

use clap::Args;
use relay_trust::{PinKind, RootSource, Roots};
use rustls_pki_types::ServerName;

use crate::{
    error::Error,
    evidence::{Certificate, Evidence},
    file,
    input::{self, CERTIFICATE_BYTES_MAX},
    output::{Format, Style},
    pins::{Given, pin_of},
    platforms::{self, Judged},
    record::Record,
    target::server_name,
    verdict::{self, NamedRoots, Questions},
};

/// Roots of one file that are kept to recognise their fingerprints.
const NAMED_ROOTS_MAX: usize = 64;
/// Pins of one target at most.
const PINS_MAX: usize = relay_trust::pin::MAX_PINS;

/// Options of every command that judges a certificate.
#[derive(Debug, Args)]
pub struct AskArgs {
    /// A pin that clients have, in any spelling, or the certificate's file; several with commas, or the option again. Any of
    /// them may match.
    #[arg(long = "pin", value_name = "PIN", help_heading = "What is judged")]
    pins: Vec<String>,
    /// The roots that clients have: `system`, `mozilla`, or a PEM file. Again for several sets, each judged by itself
    /// [default: system].
    #[arg(long, value_name = "system|mozilla|FILE", help_heading = "What is judged")]
    roots: Vec<String>,
    /// The name that clients ask for [default: the target's host].
    #[arg(long, value_name = "NAME", value_parser = server_name, help_heading = "What is judged")]
    name: Option<ServerName<'static>>,
    /// Judge for this time: 2027-01-31, 2027-01-31T12:00:00Z or @SECONDS since 1970 [default: now].
    #[arg(long, value_name = "TIME", value_parser = time, help_heading = "What is judged")]
    at: Option<i64>,
    /// Fewer days left than this are a warning.
    #[arg(long, value_name = "DAYS", default_value_t = 30, help_heading = "What is judged")]
    warn_days: u32,
    /// Fewer days left than this are a failure of the time verdict.
    #[arg(long, value_name = "DAYS", default_value_t = 7, help_heading = "What is judged")]
    crit_days: u32,
    /// Platforms that must connect, with commas; `fingerprint-check platforms` lists them [default: all].
    #[arg(long = "platform", value_name = "NAME,...", value_delimiter = ',', help_heading = "What is judged")]
    platforms: Vec<String>,
    /// Exit with 5 if there are only warnings.
    #[arg(long, help_heading = "Output")]
    strict: bool,
    /// The form of the result.
    #[arg(long, value_enum, default_value_t, help_heading = "Output")]
    format: Format,
}

/// The same, read and checked.
#[derive(Debug)]
pub struct Asked {
    /// The pins; `None`: not asked. Never empty.
    pub pins: Option<Vec<Given>>,
    /// The name; `None`: the target's own.
    pub name: Option<ServerName<'static>>,
    /// The time, seconds since 1970.
    pub at: i64,
    /// The form of the result.
    pub style: Style,
    roots: Vec<NamedRoots>,
    platforms: Vec<&'static str>,
}

impl AskArgs {
    /// Reads what they name.
    ///
    /// # Errors
    /// [`Error::Usage`] that names the option and what is wrong with it.
    pub fn read(&self) -> Result<Asked, Error> {
        if self.crit_days > self.warn_days {
            return Err(Error::Usage(format!(
                "--crit-days {} is more than --warn-days {}: give at most as many",
                self.crit_days, self.warn_days
            )));
        }
        let pins = (!self.pins.is_empty())
            .then(|| pins(self.pins.iter().flat_map(|text| text.split([',', ';']))))
            .transpose()
            .map_err(|reason| Error::Usage(format!("--pin: {reason}")))?;
        let roots = if self.roots.is_empty() { &["system".to_owned()][..] } else { &self.roots };
        Ok(Asked {
            pins,
            name: self.name.clone(),
            at: self.at.unwrap_or_else(now),
            style: self.style(),
            roots: roots.iter().map(|source| load(source)).collect::<Result<_, _>>()?,
            platforms: self.selected()?,
        })
    }

    fn style(&self) -> Style {
        let no_colour = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        Style {
            format: self.format,
            colour: !no_colour && std::io::stdout().is_terminal(),
            strict: self.strict,
            warn_days: self.warn_days,
            crit_days: self.crit_days,
        }
    }

    fn selected(&self) -> Result<Vec<&'static str>, Error> {
        if self.platforms.is_empty() {
            return Ok(platforms::names());
        }
        let mut selected = Vec::new();
        for name in &self.platforms {
            let known = platforms::find(name);
            let known = known.ok_or_else(|| Error::Usage(format!("--platform: {}", platforms::unknown(name))))?;
            if !selected.contains(&known) {
                selected.push(known);
            }
        }
        Ok(selected)
    }
}

impl Asked {
    /// Judges what was seen of a target. `pins` and `name` are this target's own.
    pub fn judge(
        &self,
        target: String,
        evidence: &Evidence,
        pins: Option<&[Given]>,
        name: Option<&ServerName<'static>>,
    ) -> Record {
        self.judge_at(target, evidence, pins, name, self.at)
    }

    /// The same for another time, seconds since 1970.
    pub fn judge_at(
        &self,
        target: String,
        evidence: &Evidence,
        pins: Option<&[Given]>,
        name: Option<&ServerName<'static>>,
        at: i64,
    ) -> Record {
        let Style { warn_days, crit_days, .. } = self.style;
        let questions = Questions { pins, roots: &self.roots, name, at, warn_days, crit_days };
        let verdicts = verdict::judge(evidence, &questions);
        let judged = Judged { verdicts: &verdicts };
        let platforms = platforms::judge(evidence, judged, &self.platforms);
        Record::seen(target, at, evidence, (verdicts, platforms))
    }
}

/// Pins in any spelling, or files of certificates. Never empty.
///
/// # Errors
/// What is wrong with which one.
pub fn pins<'a>(texts: impl Iterator<Item = &'a str>) -> Result<Vec<Given>, String> {
    let pins = texts.map(pin).collect::<Result<Vec<_>, _>>()?;
    match pins.len() {
        0 => Err("no pin is given; at least one is needed".to_owned()),
        1..=PINS_MAX => Ok(pins),
        count => {
            Err(format!("{count} pins are more than {PINS_MAX}; give those of the servers in use and their successors"))
        }
    }
}

fn pin(text: &str) -> Result<Given, String> {
    let text = text.trim();
    match Given::read(text) {
        Ok(given) => Ok(given),
        Err(error) if !Path::new(text).exists() => Err(if text.contains(['/', '.']) && !text.starts_with("sha256/") {
            format!("there is no file {}, and it is no pin in any spelling either: {error}", quoted(text))
        } else {
            error.to_string()
        }),
        Err(_) => of_file(Path::new(text)).map_err(|error| error.to_string()),
    }
}

/// A text of the user's or of a list's in a message: printable, and its beginning alone.
pub fn quoted(text: &str) -> String {
    const SHOWN: usize = 120;
    let mut quoted: String = text.chars().take(SHOWN).flat_map(char::escape_debug).collect();
    if text.chars().nth(SHOWN).is_some() {
        quoted.push('…');
    }
    quoted
}

/// The pin of the key of the server's own certificate in a file: the first, or in PKCS#7 the one that issued no other.
fn of_file(path: &Path) -> Result<Given, Error> {
    Ok(Given::Pin(pin_of(&file::chain(path)?.leaf, PinKind::Spki)))
}

fn load(source: &str) -> Result<NamedRoots, Error> {
    let wrong = |error: &dyn std::fmt::Display| Error::Usage(format!("--roots {source}: {error}"));
    let parsed = source.parse::<RootSource>().map_err(|never| wrong(&never))?;
    let roots = Roots::load(&parsed).map_err(|error| wrong(&error))?;
    let named = match &parsed {
        RootSource::File(path) => named(path),
        RootSource::System | RootSource::Mozilla => Vec::new(),
    };
    Ok(NamedRoots { name: source.to_owned(), roots, named })
}

/// The certificates of a file that has just been read as roots.
fn named(path: &Path) -> Vec<Certificate> {
    let bytes = input::read(path, CERTIFICATE_BYTES_MAX);
    let found = bytes.and_then(|bytes| input::certificates(path, &bytes)).map(|file| file.certificates);
    let first = found.unwrap_or_default().into_iter().take(NAMED_ROOTS_MAX);
    first.filter_map(|der| Certificate::read(der).ok()).collect()
}

/// Seconds since 1970.
pub fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
}

/// The last second of the year 9999: certificates know no later one.
const TIME_MAX: i64 = 253_402_300_799;

/// A point in time, as seconds since 1970.
pub fn time(text: &str) -> Result<i64, String> {
    let wrong = || "give a date (2027-01-31), a time in UTC (2027-01-31T12:00:00Z) or @SECONDS since 1970".to_owned();
    if let Some(seconds) = text.strip_prefix('@') {
        return seconds.parse().ok().filter(|seconds| (0..=TIME_MAX).contains(seconds)).ok_or_else(wrong);
    }
    let whole = if text.len() == "2027-01-31".len() { format!("{text}T00:00:00Z") } else { text.to_owned() };
    let parsed = humantime::parse_rfc3339_weak(&whole).map_err(|_| wrong())?;
    let since = parsed.duration_since(UNIX_EPOCH).map_err(|_| wrong())?;
    i64::try_from(since.as_secs()).map_err(|_| wrong())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times() {
        assert_eq!(time("2027-01-31"), Ok(1_801_353_600));
        assert_eq!(time("2027-01-31T12:00:00Z"), Ok(1_801_396_800));
        assert_eq!(time("2027-01-31 12:00:00"), Ok(1_801_396_800));
        assert_eq!(time("@1801353600"), Ok(1_801_353_600));
        for wrong in [
            "",
            "tomorrow",
            "@",
            "@-1",
            "@253402300800",
            "@9223372036854775807",
            "31.1.2027",
            "2027-02-30",
            "1969-01-01",
        ] {
            assert!(time(wrong).is_err(), "{wrong}");
        }
    }
}
