//! FORMATS §5: `name=value&...`, values as `java.net.URLEncoder` writes them.

use std::borrow::Cow;

use super::{Platform, Refusal, Value, fields::Fields, refusal, row::place, rows};

/// API levels and their releases.
const RELEASES: &[(u64, &[&str])] = &[
    (21, &["5.0", "5.0.1", "5.0.2"]),
    (22, &["5.1", "5.1.1"]),
    (23, &["6.0", "6.0.1"]),
    (24, &["7.0"]),
    (25, &["7.1", "7.1.1", "7.1.2"]),
    (26, &["8.0.0"]),
    (27, &["8.1.0"]),
    (28, &["9"]),
    (29, &["10"]),
    (30, &["11"]),
    (31, &["12"]),
    (32, &["12"]),
    (33, &["13"]),
    (34, &["14"]),
    (35, &["15"]),
    (36, &["16"]),
];

pub(super) fn fields(body: &[u8]) -> Result<Fields<'_>, Refusal> {
    const SYNTAX: Refusal = refusal("E_SYNTAX", "pair");
    if !body.iter().fold(true, |all, byte| all & matches!(byte, 0x21..=0x7E)) {
        return Err(refusal("E_ENCODING", "body"));
    }
    let body = std::str::from_utf8(body).map_err(|_| refusal("E_ENCODING", "body"))?;
    let mut pairs = Vec::with_capacity(32);
    for pair in body.split('&') {
        let (name, value) = pair.split_once('=').ok_or(SYNTAX)?;
        let good_name =
            (2..=12).contains(&name.len()) && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
        if !good_name || value.contains('=') {
            return Err(SYNTAX);
        }
        pairs.push((name, value));
    }
    let table = rows(Platform::Android);
    let mut named = Vec::with_capacity(pairs.len());
    let mut near = 0;
    for (name, value) in pairs {
        let decoded = decoded(value).ok_or(refusal("E_ENCODING", "value"))?;
        let place = place(table, near, |row| row.name == name);
        near = place.unwrap_or(near);
        named.push((place, Value::Text(decoded)));
    }
    Fields::named(Platform::Android, named)
}

/// As is, in `java.net.URLEncoder`'s words.
fn plain(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'*' | b'_')
}

/// The text that `URLEncoder` writes so.
fn decoded(value: &str) -> Option<Cow<'_, str>> {
    if value.bytes().fold(true, |all, byte| all & plain(byte)) {
        return Some(Cow::Borrowed(value));
    }
    let mut bytes = Vec::with_capacity(value.len());
    let mut rest = value.as_bytes();
    while let [first, behind @ ..] = rest {
        rest = behind;
        match first {
            b'+' => bytes.push(b' '),
            b'%' => {
                let digits = std::str::from_utf8(behind.get(..2)?).ok()?;
                bytes.push(u8::from_str_radix(digits, 16).ok()?);
                rest = &behind[2..];
            }
            other => bytes.push(*other),
        }
    }
    let text = String::from_utf8(bytes).ok()?;
    (encoded(&text) == value).then_some(Cow::Owned(text))
}

/// As `URLEncoder` writes it in UTF-8.
fn encoded(text: &str) -> String {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    let mut encoded = String::with_capacity(text.len() * 3);
    for byte in text.bytes() {
        match byte {
            b' ' => encoded.push('+'),
            byte if plain(byte) => encoded.push(char::from(byte)),
            byte => {
                encoded.push('%');
                encoded.push(char::from(DIGITS[usize::from(byte >> 4)]));
                encoded.push(char::from(DIGITS[usize::from(byte & 15)]));
            }
        }
    }
    encoded
}

pub(super) fn conflicts(fields: &Fields<'_>) -> Result<(), Refusal> {
    let sdk = fields.get("sdk").and_then(Value::number).unwrap_or_default();
    let release = fields.text("release");
    if sdk < 37 && !RELEASES.iter().any(|(level, releases)| *level == sdk && releases.contains(&release)) {
        return Err(refusal("E_CONFLICT", "release"));
    }
    if (sdk >= 23) != fields.get("patch").is_some() {
        return Err(refusal("E_CONFLICT", "patch"));
    }
    Ok(())
}
