//! Pins: the fingerprint of a certificate or of its key that a client was given beforehand, and the spellings in which
//! people paste one.

use std::fmt;
use std::str::FromStr;

use crate::certificate::{Fingerprints, fingerprints};
use crate::hex;

mod argument;
mod error;
mod spelling;

pub use argument::PinArgumentError;
pub use error::{OtherHash, PinError, PinMistake};
pub use spelling::Spelling;

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
/// standard alphabet with padding (RFC 4648 section 4) that an encoder writes for 32 bytes. [`Spelling`] writes them.
///
/// | spelling | kind | who writes it |
/// |---|---|---|
/// | `leaf:HEX`, `spki:HEX` | as named | this project |
/// | `HEX` | leaf | browsers |
/// | `sha256 Fingerprint=HEX` | leaf | `openssl x509 -fingerprint -sha256`, whole line |
/// | `SHA256:HEX`, white space before the digits ignored | leaf | Java's `keytool`; GnuTLS |
/// | `BASE64` | SPKI | Android, iOS |
/// | `sha256//BASE64` | SPKI | curl `--pinnedpubkey` |
/// | `sha256/BASE64` | SPKI | OkHttp `CertificatePinner` |
/// | `pin-sha256="BASE64"`, `pin-sha256=BASE64` | SPKI | HTTP public key pinning (RFC 7469) |
/// | `pin-sha256:BASE64` | SPKI | `gnutls-cli`, `certtool` |
/// | `spki:BASE64` | SPKI | by hand |
/// | `SHA256:` and 43 characters of base64, no padding | SPKI | OpenSSH |
/// | `1 1 1 DIGITS`, `3 1 1 DIGITS` | SPKI | TLSA records (RFC 6698): 64 digits with white space anywhere; the words of the zone's line may stand before, the last of them `TLSA` |
/// | `1 0 1 DIGITS`, `3 0 1 DIGITS` | leaf | the same |
///
/// 44 characters of base64 with one `=` at the end are always read as `BASE64`, whatever they begin with.
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

    /// Pins separated by commas, or as curl does, by semicolons.
    fn from_str(text: &str) -> Result<Self, PinSetError> {
        if text.trim().is_empty() {
            return Err(EmptyPinSet.into());
        }
        let count = separated(text).count();
        if count > MAX_PINS {
            return Err(PinError::TooMany { count }.into());
        }
        let pins = separated(text).map(Pin::from_str).collect::<Result<Vec<_>, _>>()?;
        Ok(Self::new(pins)?)
    }
}

/// The parts of a text of several pins.
fn separated(text: &str) -> impl Iterator<Item = &str> {
    text.split([',', ';'])
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
            format!("SHA256: {COLONS}"),
            format!("sha256:{HEX}"),
            format!("3 0 1 {HEX}"),
            format!("_443._tcp.example.org. 300 IN TLSA 1 0 1 {} {}", &HEX[..56], &HEX[56..]),
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
            format!("pin-sha256:{BASE64}"),
            BASE64.to_owned(),
            format!("SHA256:{}", BASE64.trim_end_matches('=')),
            format!("3 1 1 {}", HEX.to_uppercase()),
            format!("tlsa 1 1 1 {HEX}"),
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
            format!("spki:{}", BASE64.trim_end_matches('=')),
            format!("SHA256:{BASE64}"),
            format!("3 1 1 {HEX} 00"),
            format!("3 1 2 {HEX}"),
            format!("2 1 1 {HEX}"),
            format!("3 1 0 {HEX}"),
            format!("3 1 1 {COLONS}"),
            format!("\u{200e}{HEX}"),
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
        assert!(matches!(HEX[..40].parse::<Pin>(), Err(PinError::OtherHash { hash: OtherHash::Sha1, .. })));
        for text in [
            format!("spki:{}", &HEX[..32]),
            format!("SHA1 Fingerprint={}", &COLONS[..59]),
            format!("sha1/{}", "A".repeat(27) + "="),
            format!("MD5:{}", &COLONS[..47]),
            format!("SHA512:{HEX}{HEX}"),
            format!("3 1 2 {HEX} {HEX}"),
        ] {
            assert!(
                matches!(text.parse::<Pin>(), Err(PinError::OtherHash { .. })),
                "{text}: {:?}",
                text.parse::<Pin>()
            );
        }
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
    fn each_mistake_has_its_own_words() {
        for (text, words) in [
            (HEX[..62].to_owned(), "62 hexadecimal digits where 64"),
            (HEX.replace('f', "g"), "`g` is not a hexadecimal digit"),
            (COLONS.replacen(':', "", 1), "colons are not between"),
            (format!("leaf:{BASE64}"), "write spki:BASE64"),
            (format!("sha256//{HEX}"), "write spki:HEX"),
            (format!("sha256//{}", BASE64.trim_end_matches('=')), "`=` at its end is missing"),
            (format!("sha256//{}", BASE64.replace("8=", "9=")), "altered"),
            (format!("sha256//{}", BASE64.replace('/', "_")), "base64 for URLs"),
            (format!("sha256//{}", BASE64.replace('/', "!")), "`!` is not a character of base64"),
            ("sha256//QUJD".to_owned(), "holds 3 bytes where 32"),
            (format!("pin-sha256=\"{BASE64}"), "closing quotation mark"),
            (format!("\u{200e}{HEX}"), "invisible character (U+200E)"),
            ("sha1/ABC".to_owned(), "sha1 is neither accepted"),
            (format!("2 1 1 {HEX}"), "name an issuer"),
            ("3 1 0 3059".to_owned(), "whole certificate"),
            (format!("3 2 1 {HEX}"), "`3 1 1`"),
        ] {
            let error = text.parse::<Pin>().unwrap_err().to_string();
            assert!(error.contains(words), "{text}: {error}");
        }
    }

    #[test]
    fn what_is_written_is_read_as_the_same_pin() {
        for first in [0x00, 0x7f, 0xff] {
            for kind in [PinKind::Leaf, PinKind::Spki] {
                let pin = Pin::new(kind, [first; 32]);
                let written: Vec<String> = Spelling::ALL.iter().filter_map(|spelling| spelling.write(&pin)).collect();
                assert!(written.len() >= 7);
                for text in written {
                    assert_eq!(text.parse(), Ok(pin), "{text}");
                }
            }
        }
        for spelling in Spelling::ALL {
            assert_eq!(Spelling::by_name(spelling.name()), Some(spelling));
            assert!(!spelling.used_by().is_empty());
        }
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
        let set: PinSet = format!("{HEX}, spki:{BASE64};leaf:{HEX}").parse().unwrap();
        assert_eq!(set.iter().count(), 2);
        assert_eq!(set.to_string(), format!("leaf:{HEX},spki:{HEX}"));
        assert_eq!(set.to_string().parse::<PinSet>().unwrap(), set);
    }
}
