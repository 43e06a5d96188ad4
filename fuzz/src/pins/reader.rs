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

static LEAF: LazyLock<Regex> = LazyLock::new(|| pattern(&format!("(?:leaf:|sha256 fingerprint=)?{HEX}")));
static SPKI: LazyLock<Regex> = LazyLock::new(|| pattern(&format!("spki:{HEX}")));
static SPKI_BASE64: LazyLock<Regex> =
    LazyLock::new(|| pattern(&format!("(?:spki:|sha256/|sha256//|pin-sha256=){BASE64_TEXT}")));
static SPKI_QUOTED: LazyLock<Regex> = LazyLock::new(|| pattern(&format!("pin-sha256=\"{BASE64_TEXT}\"")));
/// A fingerprint of 16, 20, 48 or 64 bytes: MD5, SHA-1, SHA-384, SHA-512.
static OTHER_HASH: LazyLock<Regex> = LazyLock::new(|| {
    let pairs = |count: usize| {
        format!("(?:[0-9A-Fa-f]{{2}}){{{count}}}|[0-9A-Fa-f]{{2}}(?::[0-9A-Fa-f]{{2}}){{{}}}", count - 1)
    };
    let any = [16, 20, 48, 64].map(pairs).join("|");
    pattern(&format!("(?:leaf:|spki:|sha256 fingerprint=)?(?:{any})"))
});
static KNOWN_KIND: LazyLock<Regex> =
    LazyLock::new(|| compiled("^(?:leaf:|spki:|sha256 fingerprint=|sha256/|pin-sha256=)"));
/// Something before the first colon that is not hexadecimal.
static SOME_KIND: LazyLock<Regex> = LazyLock::new(|| compiled("^[^:]*[^:0-9A-Fa-f][^:]*:"));

/// The whole text, white space around it aside; prefixes in either case, of ASCII alone.
fn pattern(inner: &str) -> Regex {
    compiled(&format!(r"^(?:{inner})$"))
}

fn compiled(pattern: &str) -> Regex {
    // Without the flag, `ſ` would be an `s`.
    let ascii_prefixes = pattern
        .replace("leaf:", "(?i-u:leaf:)")
        .replace("spki:", "(?i-u:spki:)")
        .replace("sha256 fingerprint=", "(?i-u:sha256 fingerprint=)")
        .replace("pin-sha256=", "(?i-u:pin-)(?i-u:sha256)=")
        .replace("sha256/", "(?i-u:sha256)/");
    Regex::new(&ascii_prefixes).unwrap_or_else(|error| panic!("a pattern of the second reader: {error}"))
}

/// What the text says by the documentation.
pub(super) fn read(text: &str) -> Result<Pin, Refusal> {
    let text = text.trim_matches(char::is_whitespace);
    if text.is_empty() {
        return Err(Refusal::Empty);
    }
    for (kind, hex) in [(PinKind::Leaf, &LEAF), (PinKind::Spki, &SPKI)] {
        if let Some(found) = hex.captures(text) {
            let digits = found[1].replace(':', "");
            return pin(kind, HEXLOWER_PERMISSIVE.decode(digits.as_bytes()).ok());
        }
    }
    for base64 in [&SPKI_BASE64, &SPKI_QUOTED] {
        if let Some(found) = base64.captures(text) {
            return pin(PinKind::Spki, BASE64.decode(found[1].as_bytes()).ok());
        }
    }
    Err(if OTHER_HASH.is_match(text) {
        Refusal::OtherHash
    } else if !KNOWN_KIND.is_match(text) && SOME_KIND.is_match(text) {
        Refusal::UnknownKind
    } else {
        Refusal::Malformed
    })
}

fn pin(kind: PinKind, bytes: Option<Vec<u8>>) -> Result<Pin, Refusal> {
    let digest = bytes.and_then(|bytes| bytes.try_into().ok()).ok_or(Refusal::Malformed)?;
    Ok(Pin::new(kind, digest))
}
