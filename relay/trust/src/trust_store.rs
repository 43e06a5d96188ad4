//! What a person decided to trust: a text file of pins, each with the server, the day, the source and an end.
//!
//! One entry a line, so that it can be read, compared and reviewed:
//!
//! ```text
//! # sallyport trust store 1
//! edge.example.org:8443 spki:HEX added=2026-11-22T09:30:00Z expires=2027-11-22T09:30:00Z source=console of edge 1
//! ```
//!
//! This module reads and writes the text and answers questions about it; files, permissions and locks are up to its user.

use std::fmt;
use std::str::FromStr;
use std::time::{Duration, SystemTime};

use crate::certificate::Fingerprints;
use crate::pin::{Pin, PinError};

/// The first line.
const HEADER: &str = "# sallyport trust store 1";
/// Entries of a store at most.
pub const MAX_ENTRIES: usize = 10_000;
/// Bytes of a store at most: [`MAX_ENTRIES`] of the longest lines.
pub const MAX_STORE_BYTES: u64 = 8 << 20;
/// Pins of one server at most: current and next certificate, with room.
pub const MAX_PINS_PER_TARGET: usize = 8;
/// Bytes of a `HOST:PORT` at most: the longest DNS name, a colon, a port.
const MAX_TARGET: usize = 253 + 6;
/// Characters of a source at most.
const MAX_SOURCE: usize = 200;
/// The end of the year 9999, the last that four digits write.
const MAX_TIME: u64 = 253_402_300_799;

/// One pin of one server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrustEntry {
    target: String,
    pin: Pin,
    added: u64,
    expires: u64,
    source: String,
}

impl TrustEntry {
    /// An entry. `target` is `HOST:PORT` or `[IPV6]:PORT`, kept in lower case; `added` and `expires` are seconds since 1970;
    /// `source` says where the pin is known from.
    ///
    /// # Errors
    /// [`TrustStoreError`] where one of them cannot be written in a line, or the end is not behind the beginning.
    pub fn new(target: &str, pin: Pin, added: u64, expires: u64, source: &str) -> Result<Self, TrustStoreError> {
        let target = target.to_ascii_lowercase();
        if !is_target(&target) {
            return Err(TrustStoreError::Target);
        }
        if added > MAX_TIME || expires > MAX_TIME {
            return Err(TrustStoreError::Time);
        }
        if expires <= added {
            return Err(TrustStoreError::Ends);
        }
        if !is_source(source) {
            return Err(TrustStoreError::Source);
        }
        Ok(Self { target, pin, added, expires, source: source.to_owned() })
    }

    /// The server, `HOST:PORT`.
    #[must_use]
    pub fn target(&self) -> &str {
        &self.target
    }

    /// Its pin.
    #[must_use]
    pub const fn pin(&self) -> &Pin {
        &self.pin
    }

    /// When it was added, seconds since 1970.
    #[must_use]
    pub const fn added(&self) -> u64 {
        self.added
    }

    /// Its end, seconds since 1970: from this second on it counts no longer.
    #[must_use]
    pub const fn expires(&self) -> u64 {
        self.expires
    }

    /// Where the pin is known from, in the words of who added it.
    #[must_use]
    pub fn source(&self) -> &str {
        &self.source
    }
}

/// A host, a colon, a port without leading zeros; nothing that would not be itself in a line.
fn is_target(text: &str) -> bool {
    let Some((host, port)) = text.rsplit_once(':') else { return false };
    let port_is_right = port.parse::<u16>().is_ok_and(|number| number > 0 && number.to_string() == port);
    let address = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    let host_is_right = match address {
        Some(address) => address.parse::<std::net::Ipv6Addr>().is_ok(),
        None => !host.is_empty() && host.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_')),
    };
    text.len() <= MAX_TARGET && port_is_right && host_is_right
}

fn is_source(text: &str) -> bool {
    !text.is_empty()
        && text.trim() == text
        && text.chars().count() <= MAX_SOURCE
        && !text
            .chars()
            .any(|c| c.is_control() || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{feff}'))
}

impl fmt::Display for TrustEntry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { target, pin, added, expires, source } = self;
        write!(f, "{target} {pin} added={} expires={} source={source}", rfc3339(*added), rfc3339(*expires))
    }
}

impl FromStr for TrustEntry {
    type Err = TrustStoreError;

    /// A line of the store.
    fn from_str(line: &str) -> Result<Self, TrustStoreError> {
        let mut fields = line.splitn(5, ' ');
        let mut field = |name: &'static str| {
            let field = fields.next().ok_or(TrustStoreError::Missing(name))?;
            field.strip_prefix(name).ok_or(TrustStoreError::Missing(name))
        };
        let (target, pin) = (field("")?, field("")?);
        let (added, expires) = (field("added=")?, field("expires=")?);
        let source = field("source=")?;
        let pin: Pin = pin.parse()?;
        let entry = Self::new(target, pin, seconds(added)?, seconds(expires)?, source)?;
        // One way to write an entry: what a person reads is what counts.
        if entry.to_string() == line { Ok(entry) } else { Err(TrustStoreError::Form) }
    }
}

fn rfc3339(seconds: u64) -> String {
    humantime::format_rfc3339_seconds(SystemTime::UNIX_EPOCH + Duration::from_secs(seconds.min(MAX_TIME))).to_string()
}

fn seconds(text: &str) -> Result<u64, TrustStoreError> {
    let time = humantime::parse_rfc3339(text).map_err(|_| TrustStoreError::Time)?;
    let since = time.duration_since(SystemTime::UNIX_EPOCH).map_err(|_| TrustStoreError::Time)?;
    Ok(since.as_secs())
}

/// What is wrong with an entry or a store.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TrustStoreError {
    /// The first line is another.
    #[error("it does not begin with `{HEADER}`, so it is no trust store of this version; give another file")]
    Header,
    /// More than [`MAX_ENTRIES`], or more than [`MAX_PINS_PER_TARGET`] of one server.
    #[error("there are more than {limit} {of}; remove those that are no longer needed")]
    TooMany {
        /// The bound.
        limit: usize,
        /// Of what.
        of: &'static str,
    },
    /// The same pin twice.
    #[error("{target} has this pin already")]
    Twice {
        /// The server.
        target: String,
    },
    /// A line that is no entry.
    #[error("line {number}: {source}")]
    Line {
        /// Counted from 1.
        number: usize,
        /// What is wrong with it.
        source: Box<TrustStoreError>,
    },
    /// A field that is not there.
    #[error("{} missing; a line is `HOST:PORT PIN added=TIME expires=TIME source=TEXT`", if .0.is_empty() { "the server or its pin is".to_owned() } else { format!("`{}` is", .0) })]
    Missing(&'static str),
    /// Not `HOST:PORT`.
    #[error("the server must be written HOST:PORT or [IPV6]:PORT")]
    Target,
    /// Not a pin.
    #[error(transparent)]
    Pin(#[from] PinError),
    /// Not a time.
    #[error("times are written like 2026-11-22T09:30:00Z, from 1970 to 9999")]
    Time,
    /// It would never count.
    #[error("the entry would end before it begins; give a later end")]
    Ends,
    /// No source, or one that cannot stand in a line.
    #[error("the source must be 1 to {MAX_SOURCE} printable characters in one line, without spaces at its ends")]
    Source,
    /// Another form of the same.
    #[error("the line is not as this program writes it; remove it and add the pin again")]
    Form,
}

/// How a store judges what a server presents.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Trust<'a> {
    /// A pin names it, and counts.
    Trusted(&'a TrustEntry),
    /// A pin names it, but has come to its end.
    Expired(&'a TrustEntry),
    /// Pins of this server that count, and none names it. These are they.
    Mismatch(Vec<&'a TrustEntry>),
    /// Pins of this server that all have come to their end, and none names it.
    ExpiredMismatch(Vec<&'a TrustEntry>),
    /// The server is not in the store.
    Unknown,
}

/// Pins of servers.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TrustStore(Vec<TrustEntry>);

impl TrustStore {
    /// All entries, by server.
    pub fn iter(&self) -> std::slice::Iter<'_, TrustEntry> {
        self.0.iter()
    }

    /// The entries of one server, given as in [`TrustEntry::new`].
    pub fn of<'a>(&'a self, target: &str) -> impl Iterator<Item = &'a TrustEntry> {
        let target = target.to_ascii_lowercase();
        self.0.iter().filter(move |entry| entry.target == target)
    }

    /// Adds an entry.
    ///
    /// # Errors
    /// [`TrustStoreError::Twice`], [`TrustStoreError::TooMany`].
    pub fn add(&mut self, entry: TrustEntry) -> Result<(), TrustStoreError> {
        let place = self.0.partition_point(|other| other.target <= entry.target);
        let same = self.0[..place].iter().rev().take_while(|other| other.target == entry.target);
        let (mut count, mut twice) = (0, false);
        for other in same {
            count += 1;
            twice |= other.pin == entry.pin;
        }
        if twice {
            return Err(TrustStoreError::Twice { target: entry.target });
        }
        if count >= MAX_PINS_PER_TARGET {
            return Err(TrustStoreError::TooMany { limit: MAX_PINS_PER_TARGET, of: "pins of one server" });
        }
        if self.0.len() >= MAX_ENTRIES {
            return Err(TrustStoreError::TooMany { limit: MAX_ENTRIES, of: "entries" });
        }
        self.0.insert(place, entry);
        Ok(())
    }

    /// Removes the entries of a server, or the one with this pin; gives back what was removed.
    pub fn remove(&mut self, target: &str, pin: Option<&Pin>) -> Vec<TrustEntry> {
        let target = target.to_ascii_lowercase();
        let goes = |entry: &TrustEntry| entry.target == target && pin.is_none_or(|pin| entry.pin == *pin);
        self.0.extract_if(.., |entry| goes(entry)).collect()
    }

    /// What the store says of a server that presents a certificate with these fingerprints at `at`, seconds since 1970.
    #[must_use]
    pub fn judge(&self, target: &str, presented: &Fingerprints, at: u64) -> Trust<'_> {
        let entries: Vec<&TrustEntry> = self.of(target).collect();
        let naming = || entries.iter().copied().filter(|entry| entry.pin.matches_fingerprints(presented));
        if let Some(entry) = naming().find(|entry| at < entry.expires) {
            return Trust::Trusted(entry);
        }
        if let Some(entry) = naming().next() {
            return Trust::Expired(entry);
        }
        if entries.is_empty() {
            Trust::Unknown
        } else if entries.iter().any(|entry| at < entry.expires) {
            Trust::Mismatch(entries)
        } else {
            Trust::ExpiredMismatch(entries)
        }
    }
}

impl fmt::Display for TrustStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{HEADER}")?;
        self.0.iter().try_for_each(|entry| writeln!(f, "{entry}"))
    }
}

impl FromStr for TrustStore {
    type Err = TrustStoreError;

    /// The text of a store. Its lines may stand in any order.
    fn from_str(text: &str) -> Result<Self, TrustStoreError> {
        let mut lines = text.strip_suffix('\n').unwrap_or(text).split('\n');
        if lines.next() != Some(HEADER) {
            return Err(TrustStoreError::Header);
        }
        let mut store = Self::default();
        for (place, line) in lines.enumerate() {
            let added = line.parse().and_then(|entry| store.add(entry));
            added.map_err(|source| TrustStoreError::Line { number: place + 2, source: Box::new(source) })?;
        }
        Ok(store)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pin::PinKind;

    const DAY: u64 = 86_400;

    fn entry(target: &str, digest: u8, expires: u64) -> TrustEntry {
        TrustEntry::new(target, Pin::new(PinKind::Spki, [digest; 32]), 0, expires, "by hand").unwrap()
    }

    fn presented(spki: u8) -> Fingerprints {
        Fingerprints { leaf: [0xee; 32], spki: [spki; 32] }
    }

    #[test]
    fn a_store_is_read_as_it_was_written_whatever_the_order() {
        let mut store = TrustStore::default();
        for (target, digest) in [("b:1", 1), ("a:2", 2), ("[::1]:65535", 3), ("a:2", 4)] {
            store.add(entry(target, digest, DAY)).unwrap();
        }
        let text = store.to_string();
        assert!(text.contains("\na:2 spki:0202") && text.contains(" added=1970-01-01T00:00:00Z expires=1970-01-02T"));
        assert_eq!(text.parse(), Ok(store));
        let mut lines: Vec<&str> = text.lines().collect();
        lines[1..].reverse();
        let again: TrustStore = lines.join("\n").parse().unwrap();
        assert_eq!(again.iter().count(), 4);
        assert_eq!(format!("{HEADER}\n").parse(), Ok(TrustStore::default()));
    }

    #[test]
    fn what_is_not_as_written_is_refused_with_its_line() {
        let line = entry("a:1", 7, DAY).to_string();
        let digits = "07".repeat(32);
        for (line, words) in [
            (String::new(), "line 2: the server or its pin is missing"),
            ("a:1".to_owned(), "the server or its pin is missing"),
            (line.replace(" added=", " since="), "`added=` is missing"),
            (line.replace(" expires=", "  expires="), "`expires=` is missing"),
            (line.replace("by hand", ""), "the source must be"),
            (line.replace("by hand", "by\u{1b}hand"), "the source must be"),
            (line.replace("a:1", "A:1"), "not as this program writes it"),
            (line.replace("spki:", "leaf:SPKI:"), "not a SHA-256"),
            (line.replace(&digits, &digits.to_uppercase().replace("07", "AB")), "not as this program writes it"),
            (line.replace("a:1", "a"), "HOST:PORT"),
            (line.replace("a:1", "a:01"), "HOST:PORT"),
            (line.replace("a:1", "a:0"), "HOST:PORT"),
            (line.replace("a:1", "[::g]:1"), "HOST:PORT"),
            (line.replace("expires=1970-01-02T00:00:00Z", "expires=1970-01-02"), "times are written"),
            (line.replace("expires=1970-01-02T00:00:00Z", "expires=1970-01-02T00:00:00.5Z"), "not as this program"),
            (line.replace("expires=1970-01-02", "expires=1970-01-01"), "end before it begins"),
            (format!("{line}\n{line}"), "line 3: a:1 has this pin already"),
        ] {
            let error = format!("{HEADER}\n{line}\n").parse::<TrustStore>().unwrap_err().to_string();
            assert!(error.starts_with("line ") && error.contains(words), "{words}: {error}");
        }
        for text in ["", "\n", "# sallyport trust store 2\n", "a:1 spki:00"] {
            assert_eq!(text.parse::<TrustStore>(), Err(TrustStoreError::Header));
        }
    }

    #[test]
    fn the_number_of_pins_is_bounded() {
        let mut store = TrustStore::default();
        for digest in 0..8 {
            store.add(entry("a:1", digest, DAY)).unwrap();
        }
        assert!(matches!(store.add(entry("a:1", 9, DAY)), Err(TrustStoreError::TooMany { limit: 8, .. })));
        assert!(matches!(store.add(entry("a:1", 1, DAY)), Err(TrustStoreError::Twice { .. })));
        assert_eq!(store.remove("A:1", Some(&Pin::new(PinKind::Spki, [3; 32]))).len(), 1);
        assert_eq!(store.remove("a:1", None).len(), 7);
        assert!(store.remove("a:1", None).is_empty());
    }

    #[test]
    fn every_judgement() {
        let mut store = TrustStore::default();
        store.add(entry("a:1", 1, DAY)).unwrap();
        store.add(entry("a:1", 2, 2 * DAY)).unwrap();
        assert!(matches!(store.judge("A:1", &presented(1), DAY - 1), Trust::Trusted(_)));
        assert!(matches!(store.judge("a:1", &presented(1), DAY), Trust::Expired(_)));
        assert!(matches!(store.judge("a:1", &presented(2), DAY), Trust::Trusted(_)));
        assert!(matches!(store.judge("a:1", &presented(9), DAY), Trust::Mismatch(all) if all.len() == 2));
        assert!(matches!(store.judge("a:1", &presented(9), 2 * DAY), Trust::ExpiredMismatch(_)));
        assert_eq!(store.judge("a:2", &presented(1), 0), Trust::Unknown);
    }
}
