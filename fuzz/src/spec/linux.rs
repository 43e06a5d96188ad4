//! FORMATS §3: lines.

use std::borrow::Cow;

use super::{Platform, Refusal, Value, fields::Fields, refusal, row::place, rows, value::text};

pub(super) fn fields(body: &[u8]) -> Result<Fields<'_>, Refusal> {
    const SYNTAX: Refusal = refusal("E_SYNTAX", "line");
    if !body.iter().fold(true, |all, byte| all & matches!(byte, 0x20..=0x7E | b'\n' | b'\r')) {
        return Err(refusal("E_ENCODING", "body"));
    }
    let body = std::str::from_utf8(body).map_err(|_| refusal("E_ENCODING", "body"))?;
    if body.as_bytes().contains(&b'\r') {
        return Err(SYNTAX);
    }
    let lines = body.strip_suffix("\nEND\n").ok_or(SYNTAX)?.split('\n');
    let table = rows(Platform::Linux);
    let mut named = Vec::with_capacity(32);
    let mut near = 0;
    for (number, line) in lines.enumerate() {
        if number == 0 {
            let op = line.strip_prefix("EDGE-AGENT/1 ").ok_or(SYNTAX)?;
            if !(1..=16).contains(&op.len()) || !op.bytes().all(|byte| byte.is_ascii_lowercase()) {
                return Err(SYNTAX);
            }
            named.push((Some(0), text(op)));
            continue;
        }
        let (key, value) = line.split_once('=').ok_or(SYNTAX)?;
        let good_key =
            (2..=16).contains(&key.len()) && key.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'_');
        if !good_key || value.as_bytes().contains(&b' ') {
            return Err(SYNTAX);
        }
        let place = place(table, near, |row| row.name == key);
        near = place.unwrap_or(near);
        named.push((place, text(value)));
    }
    for (place, value) in &mut named {
        if place.is_some_and(|place| table[place].name == "PATH") {
            let bytes = unescaped(value.as_text().unwrap_or_default()).ok_or(refusal("E_ENCODING", "PATH"))?;
            *value = Value::Bytes(Cow::Owned(bytes));
        }
    }
    Fields::named(Platform::Linux, named)
}

/// The bytes of a path: `%XX` for every byte outside 0x21..0x7E and for `%`, nothing else escaped.
fn unescaped(text: &str) -> Option<Vec<u8>> {
    let mut parts = text.split('%');
    let mut bytes = parts.next().unwrap_or_default().as_bytes().to_vec();
    for part in parts {
        let (digits, behind) = part.split_at_checked(2)?;
        if !digits.bytes().all(|digit| matches!(digit, b'0'..=b'9' | b'A'..=b'F')) {
            return None;
        }
        let byte = u8::from_str_radix(digits, 16).ok()?;
        if matches!(byte, 0x21..=0x7E) && byte != b'%' {
            return None;
        }
        bytes.push(byte);
        bytes.extend_from_slice(behind.as_bytes());
    }
    Some(bytes)
}
