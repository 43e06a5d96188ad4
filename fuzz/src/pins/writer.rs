//! The spellings of a digest, written with another crate than the one that reads them.

use data_encoding::{BASE64, BASE64_NOPAD, Encoding, HEXLOWER, HEXUPPER};
use relay_trust::PinKind;

/// 64 digits, lower case.
pub(super) fn hex(digest: &[u8; 32]) -> String {
    HEXLOWER.encode(digest)
}

/// 44 characters.
pub(super) fn base64(digest: &[u8; 32]) -> String {
    BASE64.encode(digest)
}

/// How 32 bytes are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Digits {
    Lower,
    Upper,
    ColonsLower,
    ColonsUpper,
    Base64,
    Unpadded,
    TwoParts,
}

/// A spelling: its kind, what stands before the digits, how these are written, and what follows them.
pub(super) struct Spelling(PinKind, &'static str, Digits, &'static str);

/// Every documented spelling, in the cases that people write.
pub(super) const SPELLINGS: [Spelling; 27] = [
    Spelling(PinKind::Leaf, "", Digits::Lower, ""),
    Spelling(PinKind::Leaf, "", Digits::Upper, ""),
    Spelling(PinKind::Leaf, "", Digits::ColonsUpper, ""),
    Spelling(PinKind::Leaf, "", Digits::ColonsLower, ""),
    Spelling(PinKind::Leaf, "leaf:", Digits::Lower, ""),
    Spelling(PinKind::Leaf, " LEAF:", Digits::ColonsUpper, "\n"),
    Spelling(PinKind::Leaf, "sha256 Fingerprint=", Digits::ColonsUpper, ""),
    Spelling(PinKind::Leaf, "SHA256 Fingerprint=", Digits::Lower, ""),
    Spelling(PinKind::Spki, "spki:", Digits::Lower, ""),
    Spelling(PinKind::Spki, "SPKI:", Digits::ColonsUpper, ""),
    Spelling(PinKind::Spki, "spki:", Digits::Base64, ""),
    Spelling(PinKind::Spki, "\tspki:", Digits::Base64, "\r\n"),
    Spelling(PinKind::Spki, "sha256//", Digits::Base64, ""),
    Spelling(PinKind::Spki, "SHA256//", Digits::Base64, ""),
    Spelling(PinKind::Spki, "sha256/", Digits::Base64, ""),
    Spelling(PinKind::Spki, "Sha256/", Digits::Base64, ""),
    Spelling(PinKind::Spki, "pin-sha256=\"", Digits::Base64, "\""),
    Spelling(PinKind::Spki, "Pin-SHA256=", Digits::Base64, ""),
    Spelling(PinKind::Spki, "pin-sha256:", Digits::Base64, ""),
    Spelling(PinKind::Spki, "", Digits::Base64, ""),
    Spelling(PinKind::Spki, "SHA256:", Digits::Unpadded, ""),
    Spelling(PinKind::Leaf, "SHA256: ", Digits::ColonsUpper, ""),
    Spelling(PinKind::Leaf, "sha256:", Digits::Lower, ""),
    Spelling(PinKind::Spki, "3 1 1 ", Digits::Lower, ""),
    Spelling(PinKind::Spki, "_443._tcp.x. IN TLSA 1 1 1 ", Digits::TwoParts, ""),
    Spelling(PinKind::Leaf, "3 0 1 ", Digits::Upper, " "),
    Spelling(PinKind::Leaf, "tlsa\t1  0 1\n", Digits::TwoParts, ""),
];

impl Spelling {
    /// What it says to pin.
    pub(super) const fn kind(&self) -> PinKind {
        self.0
    }

    /// This digest in this spelling.
    pub(super) fn write(&self, digest: &[u8; 32]) -> String {
        let Self(_, before, digits, after) = self;
        let mut text = String::with_capacity(128);
        text.push_str(before);
        match digits {
            Digits::Lower => HEXLOWER.encode_append(digest, &mut text),
            Digits::Upper => HEXUPPER.encode_append(digest, &mut text),
            Digits::ColonsLower => colons(&HEXLOWER, digest, &mut text),
            Digits::ColonsUpper => colons(&HEXUPPER, digest, &mut text),
            Digits::Base64 => BASE64.encode_append(digest, &mut text),
            Digits::Unpadded => BASE64_NOPAD.encode_append(digest, &mut text),
            // As dig prints a long record.
            Digits::TwoParts => {
                HEXUPPER.encode_append(&digest[..28], &mut text);
                text.push(' ');
                HEXUPPER.encode_append(&digest[28..], &mut text);
            }
        }
        text.push_str(after);
        text
    }
}

fn colons(hex: &Encoding, digest: &[u8; 32], text: &mut String) {
    for (place, byte) in digest.iter().enumerate() {
        if place > 0 {
            text.push(':');
        }
        hex.encode_append(std::slice::from_ref(byte), text);
    }
}

/// The words of the dictionary: prefixes, separators, what looks like them.
#[must_use]
pub fn words() -> Vec<&'static [u8]> {
    WORDS.iter().map(|word| word.as_bytes()).collect()
}

pub(super) const WORDS: [&str; 38] = [
    "leaf:",
    "spki:",
    "sha256//",
    "sha256/",
    "pin-sha256=",
    "pin-sha256=\"",
    "sha256 Fingerprint=",
    "SHA256 Fingerprint=",
    "LEAF:",
    "sha512/",
    "sha1/",
    "md5:",
    "SHA1 Fingerprint=",
    "sha384//",
    "SHA256:",
    "SHA256: ",
    "pin-sha256:",
    "3 1 1 ",
    "1 0 1 ",
    "2 1 1 ",
    "3 1 2 ",
    " IN TLSA ",
    "root:",
    "\"",
    ":",
    "/",
    "=",
    "==",
    ",",
    ";",
    "0x",
    "-",
    "_",
    // What some functions take for white space, or for a letter.
    "\u{a0}",
    "\u{200b}",
    "\u{200e}",
    "\u{17f}",
    "\u{212a}",
];
