//! One side of a comparison: pins, a file of pins, or a certificate.

use std::{fmt, path::Path};

use relay_trust::{Fingerprints, Pin, PinKind};

use super::commands::{LIST_BYTES_MAX, counts, is_path, parts};
use crate::{error::Error, evidence::Certificate, file, input};

/// Pins of one side at most: each is compared with each.
const COUNT_MAX: usize = 10_000;

/// A pin, or a certificate that pins name.
#[derive(Debug, PartialEq, Eq)]
pub enum Item {
    /// A pin.
    Pin(Pin),
    /// The fingerprints of a certificate.
    Certificate(Fingerprints),
}

impl Item {
    fn is(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Pin(one), Self::Pin(other)) => one == other,
            (Self::Pin(pin), Self::Certificate(prints)) | (Self::Certificate(prints), Self::Pin(pin)) => {
                pin.matches_fingerprints(prints)
            }
            (Self::Certificate(one), Self::Certificate(other)) => one.spki == other.spki,
        }
    }
}

impl fmt::Display for Item {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Pin(pin) => pin.fmt(f),
            Self::Certificate(prints) => {
                let (leaf, spki) = (Pin::new(PinKind::Leaf, prints.leaf), Pin::new(PinKind::Spki, prints.spki));
                write!(f, "{spki} ({leaf})")
            }
        }
    }
}

/// What one side has, without repetitions.
#[derive(Debug)]
pub struct Side(Vec<Item>);

impl Side {
    /// Reads a side as the command line gives it; `name` is its name in messages.
    ///
    /// # Errors
    /// [`Error`] for what is neither pins nor such a file, and for an empty set.
    pub fn read(name: &str, text: &str) -> Result<Self, Error> {
        let mut items = Vec::new();
        let mut add = |item: Item| {
            if !items.contains(&item) {
                items.push(item);
            }
        };
        let parts: Vec<&str> = if is_path(text) { vec![text] } else { parts(text).collect() };
        for part in parts {
            if is_path(part) {
                match of_file(Path::new(part))? {
                    Content::Certificate(leaf) => add(Item::Certificate(leaf.fingerprints)),
                    Content::Pins(pins) => pins.into_iter().for_each(|pin| add(Item::Pin(pin))),
                }
            } else {
                let pin = part.parse().map_err(|error| {
                    Error::Usage(format!("{name}: {error}; a file of that name is not there either"))
                })?;
                add(Item::Pin(pin));
            }
        }
        match items.len() {
            0 => Err(Error::Usage(format!(
                "{name}: {} holds no pin; an empty set of pins is never right",
                input::name(Path::new(text))
            ))),
            1..=COUNT_MAX => Ok(Self(items)),
            count => Err(Error::Usage(format!("{name}: {count} pins are more than {COUNT_MAX}"))),
        }
    }

    /// What it has.
    pub fn items(&self) -> &[Item] {
        &self.0
    }

    /// Whether it has this one too.
    pub fn has(&self, item: &Item) -> bool {
        self.0.iter().any(|other| other.is(item))
    }
}

enum Content {
    Certificate(Box<Certificate>),
    Pins(Vec<Pin>),
}

/// A file is a certificate if it begins like one, otherwise a list of pins.
fn of_file(path: &Path) -> Result<Content, Error> {
    let bytes = input::read(path, LIST_BYTES_MAX)?;
    let is_certificate =
        bytes.first() == Some(&0x30) && !bytes.is_ascii() || bytes.windows(11).any(|window| window == b"-----BEGIN ");
    if is_certificate {
        return Ok(Content::Certificate(Box::new(file::chain_of(path, &bytes)?.leaf)));
    }
    let name = input::name(path);
    let text = String::from_utf8(bytes)
        .map_err(|_| Error::Usage(format!("{name} is neither a certificate nor a text of pins in UTF-8")))?;
    let mut pins = Vec::new();
    for (place, line) in text.lines().enumerate().filter(|(_, line)| counts(line)) {
        for part in parts(line) {
            pins.push(part.parse().map_err(|error| Error::Usage(format!("{name}, line {}: {error}", place + 1)))?);
        }
    }
    Ok(Content::Pins(pins))
}
