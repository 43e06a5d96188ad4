//! Pins: the fingerprint of a certificate or of its key that a client was given beforehand, and the spellings in which
//! people paste one.

use std::fmt;
use std::str::FromStr;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::certificate::{Fingerprints, fingerprints};
use crate::hex;

mod argument;

pub use argument::PinArgumentError;

/// The most pins a [`PinSet`] holds: current and next certificate of a few edges, with room.
pub const MAX_PINS: usize = 64;

/// What a pin is the SHA-256 of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum PinKind {
    /// The whole certificate in DER.
    Leaf,
    /// Its `SubjectPublicKeyInfo` in DER (RFC 7469 section 2.4).
    Spki,
}

impl PinKind {
    /// The word before the colon in our own spelling.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Leaf => "leaf",
            Self::Spki => "spki",
        }
    }
}

/// One pin: a kind and a SHA-256. Compared whole, always.
///
/// Written `leaf:HEX` or `spki:HEX`. Read in these spellings, white space around them ignored, prefixes in either case.
/// `HEX` is 64 digits in either case, or the same with a colon between every two; `BASE64` is the 44 characters of the
/// standard alphabet with padding (RFC 4648 section 4) that an encoder writes for 32 bytes.
///
/// | spelling | kind | who writes it |
/// |---|---|---|
/// | `leaf:HEX`, `spki:HEX` | as named | this project |
/// | `HEX` | leaf | browsers, `openssl x509 -fingerprint -sha256` |
/// | `sha256 Fingerprint=HEX` | leaf | `openssl x509 -fingerprint -sha256`, whole line |
/// | `sha256//BASE64` | SPKI | curl `--pinnedpubkey` |
/// | `sha256/BASE64` | SPKI | OkHttp `CertificatePinner` |
/// | `pin-sha256="BASE64"`, `pin-sha256=BASE64` | SPKI | HTTP public key pinning (RFC 7469) |
/// | `spki:BASE64` | SPKI | by hand |
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Pin {
    kind: PinKind,
    digest: [u8; 32],
}

impl Pin {
    /// A pin of that kind and SHA-256.
    #[must_use]
    pub const fn new(kind: PinKind, digest: [u8; 32]) -> Self {
        Self { kind, digest }
    }

    /// What it is the SHA-256 of.
    #[must_use]
    pub const fn kind(&self) -> PinKind {
        self.kind
    }

    /// The SHA-256.
    #[must_use]
    pub const fn digest(&self) -> &[u8; 32] {
        &self.digest
    }

    /// Whether this certificate (DER) is the pinned one. False for bytes that are no certificate.
    #[must_use]
    pub fn matches(&self, cert_der: &[u8]) -> bool {
        fingerprints(cert_der).is_ok_and(|presented| self.matches_fingerprints(&presented))
    }

    /// The same for fingerprints that are at hand.
    #[must_use]
    pub fn matches_fingerprints(&self, presented: &Fingerprints) -> bool {
        match self.kind {
            PinKind::Leaf => self.digest == presented.leaf,
            PinKind::Spki => self.digest == presented.spki,
        }
    }
}

impl fmt::Display for Pin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.kind.as_str(), hex::encode(&self.digest))
    }
}

/// Why a text is not a pin.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PinError {
    /// Nothing between the commas, or an empty text.
    #[error("a pin is empty; write leaf:HEX or spki:HEX (`relay-edge fingerprint` prints both)")]
    Empty,
    /// A fingerprint by another hash.
    #[error(
        "the pin `{text}` looks like {hash}, which is not accepted; take the SHA-256 (`relay-edge fingerprint`, or \
         `openssl x509 -noout -fingerprint -sha256 -in FILE`)"
    )]
    OtherHash {
        /// What was given, shortened.
        text: String,
        /// The name of that hash.
        hash: &'static str,
    },
    /// Not 32 bytes of hexadecimal or base64.
    #[error(
        "the pin `{text}` is not a SHA-256: after the prefix there must be exactly 64 hexadecimal digits (colons \
         between every two are fine), or 44 characters of base64 for sha256//, sha256/, pin-sha256= and spki:"
    )]
    Malformed {
        /// What was given, shortened.
        text: String,
    },
    /// A word before the colon that is neither `leaf` nor `spki`.
    #[error("the pin `{text}` begins with an unknown kind; the kinds are `leaf:` (certificate) and `spki:` (its key)")]
    UnknownKind {
        /// What was given, shortened.
        text: String,
    },
    /// More than [`MAX_PINS`].
    #[error("{count} pins are more than {MAX_PINS}; give the pins of the edges in use and their successors only")]
    TooMany {
        /// How many were given.
        count: usize,
    },
}

impl FromStr for Pin {
    type Err = PinError;

    fn from_str(text: &str) -> Result<Self, PinError> {
        let text = text.trim();
        if text.is_empty() {
            return Err(PinError::Empty);
        }
        if let Some(base64) = strip_prefix_ignoring_case(text, "pin-sha256=") {
            let quoted = base64.strip_prefix('"').map(|rest| rest.strip_suffix('"'));
            let base64 = match quoted {
                Some(inner) => inner.ok_or_else(|| malformed(text))?,
                None => base64,
            };
            return spki_of_base64(base64, text);
        }
        if let Some(base64) = strip_prefix_ignoring_case(text, "sha256/") {
            // A second slash is curl's, unless 44 characters begin with it: one pin in 64 begins with a slash.
            let base64 = base64.strip_prefix('/').filter(|_| base64.len() != 44).unwrap_or(base64);
            return spki_of_base64(base64, text);
        }
        if let Some(digits) = strip_prefix_ignoring_case(text, "sha256 fingerprint=") {
            return of_hex(PinKind::Leaf, digits, text);
        }
        if let Some(digits) = strip_prefix_ignoring_case(text, "leaf:") {
            return of_hex(PinKind::Leaf, digits, text);
        }
        if let Some(value) = strip_prefix_ignoring_case(text, "spki:") {
            // 44 characters are the base64 of 32 bytes and no length that hexadecimal could have.
            return if value.len() == 44 { spki_of_base64(value, text) } else { of_hex(PinKind::Spki, value, text) };
        }
        if let Some((kind, _)) = text.split_once(':')
            && !kind.bytes().all(|byte| byte.is_ascii_hexdigit())
        {
            return Err(PinError::UnknownKind { text: shortened(text) });
        }
        of_hex(PinKind::Leaf, text, text)
    }
}

fn strip_prefix_ignoring_case<'a>(text: &'a str, prefix: &str) -> Option<&'a str> {
    let head = text.get(..prefix.len())?;
    head.eq_ignore_ascii_case(prefix).then(|| &text[prefix.len()..])
}

fn of_hex(kind: PinKind, digits: &str, whole: &str) -> Result<Pin, PinError> {
    let plain = if digits.contains(':') { hex::without_colons(digits) } else { Some(digits.to_owned()) };
    let plain = plain.ok_or_else(|| malformed(whole))?;
    if let Some(digest) = hex::decode_32(plain.as_bytes()) {
        return Ok(Pin::new(kind, digest));
    }
    let all_hex = plain.bytes().all(|byte| byte.is_ascii_hexdigit());
    let hash = match plain.len() {
        32 if all_hex => "an MD5 fingerprint",
        40 if all_hex => "a SHA-1 fingerprint",
        96 if all_hex => "a SHA-384 fingerprint",
        128 if all_hex => "a SHA-512 fingerprint",
        _ => return Err(malformed(whole)),
    };
    Err(PinError::OtherHash { text: shortened(whole), hash })
}

fn spki_of_base64(base64: &str, whole: &str) -> Result<Pin, PinError> {
    let bytes = STANDARD.decode(base64).map_err(|_| malformed(whole))?;
    let digest = <[u8; 32]>::try_from(bytes).map_err(|_| malformed(whole))?;
    Ok(Pin::new(PinKind::Spki, digest))
}

fn malformed(text: &str) -> PinError {
    PinError::Malformed { text: shortened(text) }
}

/// At most 100 characters of a text that a person gave, printable only.
fn shortened(text: &str) -> String {
    text.chars().take(100).map(|c| if c.is_control() { '?' } else { c }).collect()
}

/// At least one pin; any of them may match. An empty set cannot be made, so "no pin" never means "every certificate".
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PinSet(Vec<Pin>);

/// A [`PinSet`] was to be made of nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("no pin is given; at least one is needed (`relay-edge fingerprint --config FILE` prints them)")]
pub struct EmptyPinSet;

/// Why a text is not a set of pins.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PinSetError {
    /// No pin at all.
    #[error(transparent)]
    EmptySet(#[from] EmptyPinSet),
    /// One of them is wrong.
    #[error(transparent)]
    Pin(#[from] PinError),
}

impl PinSet {
    /// A set of these pins; repeated ones count once.
    ///
    /// # Errors
    /// [`EmptyPinSet`] when there is none.
    pub fn new(pins: Vec<Pin>) -> Result<Self, EmptyPinSet> {
        let mut unique: Vec<Pin> = Vec::with_capacity(pins.len());
        for pin in pins {
            if !unique.contains(&pin) {
                unique.push(pin);
            }
        }
        if unique.is_empty() { Err(EmptyPinSet) } else { Ok(Self(unique)) }
    }

    /// Whether any pin names this certificate (DER).
    #[must_use]
    pub fn matches(&self, cert_der: &[u8]) -> bool {
        fingerprints(cert_der).is_ok_and(|presented| self.matches_fingerprints(&presented))
    }

    /// The same for fingerprints that are at hand.
    #[must_use]
    pub fn matches_fingerprints(&self, presented: &Fingerprints) -> bool {
        self.0.iter().any(|pin| pin.matches_fingerprints(presented))
    }

    /// The pins, in the order given.
    pub fn iter(&self) -> std::slice::Iter<'_, Pin> {
        self.0.iter()
    }
}

impl From<Pin> for PinSet {
    fn from(pin: Pin) -> Self {
        Self(vec![pin])
    }
}

impl<'a> IntoIterator for &'a PinSet {
    type Item = &'a Pin;
    type IntoIter = std::slice::Iter<'a, Pin>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.iter()
    }
}

impl FromStr for PinSet {
    type Err = PinSetError;

    /// Pins separated by commas.
    fn from_str(text: &str) -> Result<Self, PinSetError> {
        if text.trim().is_empty() {
            return Err(EmptyPinSet.into());
        }
        let count = text.split(',').count();
        if count > MAX_PINS {
            return Err(PinError::TooMany { count }.into());
        }
        let pins = text.split(',').map(Pin::from_str).collect::<Result<Vec<_>, _>>()?;
        Ok(Self::new(pins)?)
    }
}

impl fmt::Display for PinSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, pin) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_str(",")?;
            }
            pin.fmt(f)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEX: &str = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";
    const COLONS: &str =
        "00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF:00:11:22:33:44:55:66:77:88:99:aa:bb:cc:dd:ee:ff";
    const BASE64: &str = "ABEiM0RVZneImaq7zN3u/wARIjNEVWZ3iJmqu8zd7v8=";

    fn kind_of(text: &str) -> PinKind {
        let pin: Pin = text.parse().unwrap_or_else(|error| panic!("{text}: {error}"));
        assert_eq!(hex::encode(pin.digest()), HEX, "{text}");
        let again: Pin = pin.to_string().parse().unwrap();
        assert_eq!(again, pin, "{text}");
        pin.kind()
    }

    #[test]
    fn every_spelling_gives_the_same_digest() {
        for text in [
            HEX.to_owned(),
            HEX.to_uppercase(),
            COLONS.to_owned(),
            format!("leaf:{HEX}"),
            format!(" LEAF:{COLONS}\n"),
            format!("sha256 Fingerprint={COLONS}"),
            format!("SHA256 Fingerprint={COLONS}"),
        ] {
            assert_eq!(kind_of(&text), PinKind::Leaf);
        }
        for text in [
            format!("spki:{HEX}"),
            format!("spki:{COLONS}"),
            format!("spki:{BASE64}"),
            format!("sha256//{BASE64}"),
            format!("sha256/{BASE64}"),
            format!("pin-sha256=\"{BASE64}\""),
            format!("pin-sha256={BASE64}"),
        ] {
            assert_eq!(kind_of(&text), PinKind::Spki);
        }
    }

    /// One key in 64 has such a pin, and OkHttp's spelling of it looks like the beginning of curl's.
    #[test]
    fn a_base64_that_begins_with_a_slash_is_read_in_both_spellings() {
        let base64 = format!("/{}", &BASE64[1..]);
        let pin: Pin = format!("spki:{base64}").parse().unwrap();
        assert_eq!(format!("sha256/{base64}").parse(), Ok(pin));
        assert_eq!(format!("sha256//{base64}").parse(), Ok(pin));
        assert!(format!("sha256///{base64}").parse::<Pin>().is_err());
    }

    #[test]
    fn near_misses_are_refused() {
        let short = &HEX[..62];
        for text in [
            short.to_owned(),
            format!("{HEX}00"),
            format!("leaf:{BASE64}"),
            format!("leaf: {HEX}"),
            format!("sha256//{HEX}"),
            format!("sha256///{BASE64}"),
            format!("sha256//{}", BASE64.trim_end_matches('=')),
            // The last character's spare bits are not zero: not the one encoding of these bytes.
            format!("sha256//{}", BASE64.replace("8=", "9=")),
            format!("sha256//{}", BASE64.replace('/', "_")),
            format!("pin-sha256=\"{BASE64}"),
            COLONS.replacen(':', "", 1),
            format!("{COLONS}:"),
            HEX.replace('f', "g"),
            format!("{HEX} {HEX}"),
        ] {
            assert!(
                matches!(text.parse::<Pin>(), Err(PinError::Malformed { .. })),
                "{text}: {:?}",
                text.parse::<Pin>()
            );
        }
        assert!(matches!(format!("root:{HEX}").parse::<Pin>(), Err(PinError::UnknownKind { .. })));
        assert!(matches!(HEX[..40].parse::<Pin>(), Err(PinError::OtherHash { hash: "a SHA-1 fingerprint", .. })));
        assert!(matches!(format!("spki:{}", &HEX[..32]).parse::<Pin>(), Err(PinError::OtherHash { .. })));
        assert_eq!("  ".parse::<Pin>(), Err(PinError::Empty));
    }

    #[test]
    fn hostile_text_never_panics_and_is_shortened() {
        for text in ["é", "sha256é/", "leaf:é", "pin-sha256=\"", "pin-sha256=\"\"", ":", "::", "\u{0}\u{7}"] {
            assert!(text.parse::<Pin>().is_err(), "{text:?}");
        }
        let long = "x".repeat(1 << 16);
        assert!(long.parse::<Pin>().unwrap_err().to_string().len() < 500);
    }

    #[test]
    fn a_set_is_never_empty() {
        assert_eq!(PinSet::new(Vec::new()), Err(EmptyPinSet));
        for text in ["", "  ", "\n"] {
            assert_eq!(text.parse::<PinSet>(), Err(PinSetError::EmptySet(EmptyPinSet)));
        }
        assert_eq!(",".parse::<PinSet>(), Err(PinSetError::Pin(PinError::Empty)));
        assert_eq!(format!("{HEX},").parse::<PinSet>(), Err(PinSetError::Pin(PinError::Empty)));
        let many = vec![HEX; MAX_PINS + 1].join(",");
        assert!(matches!(many.parse::<PinSet>(), Err(PinSetError::Pin(PinError::TooMany { .. }))));
    }

    #[test]
    fn a_set_reads_what_it_writes() {
        let set: PinSet = format!("{HEX}, spki:{BASE64},leaf:{HEX}").parse().unwrap();
        assert_eq!(set.iter().count(), 2);
        assert_eq!(set.to_string(), format!("leaf:{HEX},spki:{HEX}"));
        assert_eq!(set.to_string().parse::<PinSet>().unwrap(), set);
    }
}
