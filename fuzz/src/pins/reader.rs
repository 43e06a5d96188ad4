//! The second reader: one pattern for each row of the table, and for each way to be refused.

use std::sync::LazyLock;

use data_encoding::{BASE64, HEXLOWER_PERMISSIVE};
use regex::Regex;
use relay_trust::{Pin, PinKind};

use super::Refusal;

/// 32 bytes in hexadecimal: digits alone, or a colon between every two.
const HEX: &str = "((?:[0-9A-Fa-f]{64})|(?:[0-9A-Fa-f]{2}(?::[0-9A-Fa-f]{2}){31}))";
/// 32 bytes in base64; whether the spare bits of the last character are zero, the decoder sees.
const BASE64_TEXT: &str = "([A-Za-z0-9+/]{43}=)";

static LEAF: LazyLock<Regex> = LazyLock::new(|| pattern(&format!(r"(?:leaf:|sha256 fingerprint=|sha256:\s*)?{HEX}")));
static SPKI: LazyLock<Regex> = LazyLock::new(|| pattern(&format!("spki:{HEX}")));
static SPKI_BASE64: LazyLock<Regex> =
    LazyLock::new(|| pattern(&format!("(?:spki:|sha256/|sha256//|pin-sha256=|pin-sha256:)?{BASE64_TEXT}")));
static SPKI_QUOTED: LazyLock<Regex> = LazyLock::new(|| pattern(&format!("pin-sha256=\"{BASE64_TEXT}\"")));
static SPKI_UNPADDED: LazyLock<Regex> = LazyLock::new(|| pattern(r"sha256:\s*([A-Za-z0-9+/]{43})"));
/// The zone's words, if the text has any, then the data of the record.
static TLSA: LazyLock<Regex> = LazyLock::new(|| pattern(r"(?s)(?:\S+\s+){0,3}?(?i-u:tlsa)(?:\s+(.*))?"));
static TLSA_NUMBERS: LazyLock<Regex> = LazyLock::new(|| pattern(r"(?s)([0-9])\s+([0-9])\s+([0-9])(?:\s+(.*))?"));
/// A fingerprint of 16, 20, 48 or 64 bytes: MD5, SHA-1, SHA-384, SHA-512.
static OTHER_HASH: LazyLock<Regex> = LazyLock::new(|| {
    let any = [16, 20, 48, 64].map(|size| format!("(?:{})", hex_of(size))).join("|");
    pattern(&format!(r"(?:leaf:|spki:|sha256 fingerprint=|sha256:\s*)?(?:{any})"))
});
/// The name of another hash, and what follows it.
static LABEL: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"(?s)((?i-u:md5|sha1|sha384|sha512))(?://|/|:|(?i-u: fingerprint=))\s*(.*)"));
static KNOWN_KIND: LazyLock<Regex> =
    LazyLock::new(|| compiled("^(?:leaf:|spki:|sha256 fingerprint=|sha256/|sha256:|pin-sha256=|pin-sha256:)"));
/// Something before the first colon that is not hexadecimal.
static SOME_KIND: LazyLock<Regex> = LazyLock::new(|| compiled("^[^:]*[^:0-9A-Fa-f][^:]*:"));
/// Hexadecimal of any whole number of bytes.
static PAIRS: LazyLock<Regex> =
    LazyLock::new(|| compiled("^(?:(?:[0-9A-Fa-f]{2})+|[0-9A-Fa-f]{2}(?::[0-9A-Fa-f]{2})*)$"));
/// What no screen shows.
static INVISIBLE: LazyLock<Regex> = LazyLock::new(|| compiled(r"[\u{200b}-\u{200f}\u{202a}-\u{202e}\u{2060}\u{feff}]"));

/// So many bytes in hexadecimal: digits alone, or a colon between every two.
fn hex_of(size: usize) -> String {
    format!("(?:[0-9A-Fa-f]{{2}}){{{size}}}|[0-9A-Fa-f]{{2}}(?::[0-9A-Fa-f]{{2}}){{{}}}", size - 1)
}

/// The whole text, white space around it aside; prefixes in either case, of ASCII alone.
fn pattern(inner: &str) -> Regex {
    compiled(&format!(r"^(?:{inner})$"))
}

fn compiled(pattern: &str) -> Regex {
    // Without the flag, `ſ` would be an `s`.
    let ascii_prefixes = pattern
        .replace("leaf:", "(?i-u:leaf:)")
        .replace("spki:", "(?i-u:spki:)")
        .replace("pin-sha256", "(?i-u:pin-sha)256")
        .replace("sha256", "(?i-u:sha256)")
        .replace("(?i-u:sha256) fingerprint=", "(?i-u:sha256 fingerprint=)");
    Regex::new(&ascii_prefixes).unwrap_or_else(|error| panic!("a pattern of the second reader: {error}"))
}

/// What the text says by the documentation.
pub(super) fn read(text: &str) -> Result<Pin, Refusal> {
    let text = text.trim_matches(char::is_whitespace);
    if text.is_empty() {
        return Err(Refusal::Empty);
    }
    if INVISIBLE.is_match(text) {
        return Err(Refusal::Malformed);
    }
    if let Some(found) = TLSA.captures(text) {
        return tlsa(found.get(1).map_or("", |data| data.as_str()));
    }
    if TLSA_NUMBERS.is_match(text) {
        return tlsa(text);
    }
    for (kind, hex) in [(PinKind::Leaf, &LEAF), (PinKind::Spki, &SPKI)] {
        if let Some(found) = hex.captures(text) {
            return pin(kind, digits(&found[1]));
        }
    }
    for base64 in [&SPKI_BASE64, &SPKI_QUOTED] {
        if let Some(found) = base64.captures(text) {
            return pin(PinKind::Spki, BASE64.decode(found[1].as_bytes()).ok());
        }
    }
    if let Some(found) = SPKI_UNPADDED.captures(text) {
        return pin(PinKind::Spki, BASE64.decode(format!("{}=", &found[1]).as_bytes()).ok());
    }
    if let Some(found) = LABEL.captures(text) {
        return Err(labelled(&found[1], &found[2]));
    }
    Err(if OTHER_HASH.is_match(text) {
        Refusal::OtherHash
    } else if !KNOWN_KIND.is_match(text) && SOME_KIND.is_match(text) {
        Refusal::UnknownKind
    } else {
        Refusal::Malformed
    })
}

/// The data of a TLSA record: only what names the server's own certificate or key by its SHA-256.
fn tlsa(data: &str) -> Result<Pin, Refusal> {
    let found = TLSA_NUMBERS.captures(data).ok_or(Refusal::Malformed)?;
    let kind = match (&found[1], &found[2]) {
        ("1" | "3", "0") => PinKind::Leaf,
        ("1" | "3", "1") => PinKind::Spki,
        _ => return Err(Refusal::Malformed),
    };
    let hexadecimal: String = found.get(4).map_or("", |rest| rest.as_str()).split_whitespace().collect();
    let bytes = HEXLOWER_PERMISSIVE.decode(hexadecimal.as_bytes()).map_err(|_| Refusal::Malformed)?;
    match (&found[3], bytes.len()) {
        ("1", 32) => pin(kind, Some(bytes)),
        ("1" | "2", 16 | 20 | 48 | 64) => Err(Refusal::OtherHash),
        _ => Err(Refusal::Malformed),
    }
}

/// What follows the name of another hash is one of its digests, or nothing.
fn labelled(label: &str, value: &str) -> Refusal {
    let size = match label.to_ascii_lowercase().as_str() {
        "md5" => 16,
        "sha1" => 20,
        "sha384" => 48,
        _ => 64,
    };
    let bytes = if PAIRS.is_match(value) { digits(value) } else { BASE64.decode(value.as_bytes()).ok() };
    match bytes {
        Some(bytes) if bytes.len() == size => Refusal::OtherHash,
        Some(_) | None => Refusal::Malformed,
    }
}

fn digits(text: &str) -> Option<Vec<u8>> {
    HEXLOWER_PERMISSIVE.decode(text.replace(':', "").as_bytes()).ok()
}

fn pin(kind: PinKind, bytes: Option<Vec<u8>>) -> Result<Pin, Refusal> {
    let digest = bytes.and_then(|bytes| bytes.try_into().ok()).ok_or(Refusal::Malformed)?;
    Ok(Pin::new(kind, digest))
}
