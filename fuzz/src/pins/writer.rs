//! The spellings of a digest, written with another crate than the one that reads them.

use data_encoding::{BASE64, HEXLOWER};
use relay_trust::PinKind;

/// 64 digits, lower case.
pub(super) fn hex(digest: &[u8; 32]) -> String {
    HEXLOWER.encode(digest)
}

/// 44 characters.
pub(super) fn base64(digest: &[u8; 32]) -> String {
    BASE64.encode(digest)
}

fn colons(digest: &[u8; 32]) -> String {
    digest.map(|byte| format!("{byte:02X}")).join(":")
}

/// Every documented spelling of this digest, with the kind that it says.
pub(super) fn spellings(digest: &[u8; 32]) -> Vec<(PinKind, String)> {
    let (hex, colons, base64) = (hex(digest), colons(digest), base64(digest));
    let leaf = [
        hex.clone(),
        hex.to_uppercase(),
        colons.clone(),
        colons.to_lowercase(),
        format!("leaf:{hex}"),
        format!(" LEAF:{colons}\n"),
        format!("sha256 Fingerprint={colons}"),
        format!("SHA256 Fingerprint={hex}"),
    ];
    let spki = [
        format!("spki:{hex}"),
        format!("SPKI:{colons}"),
        format!("spki:{base64}"),
        format!("\tspki:{base64}\r\n"),
        format!("sha256//{base64}"),
        format!("SHA256//{base64}"),
        format!("sha256/{base64}"),
        format!("Sha256/{base64}"),
        format!("pin-sha256=\"{base64}\""),
        format!("Pin-SHA256={base64}"),
    ];
    let leaf = leaf.into_iter().map(|text| (PinKind::Leaf, text));
    leaf.chain(spki.into_iter().map(|text| (PinKind::Spki, text))).collect()
}

/// The words of the dictionary: prefixes, separators, what looks like them.
#[must_use]
pub fn words() -> Vec<&'static [u8]> {
    WORDS.iter().map(|word| word.as_bytes()).collect()
}

pub(super) const WORDS: [&str; 26] = [
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
    "\u{17f}",
    "\u{212a}",
];
