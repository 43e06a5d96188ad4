//! From plain values to what stands on the wire, in the plainest spelling, and back, leniently.
//!
//! A plain value is bytes: UTF-8 for text, where a lone surrogate is its three bytes as if it were a character; UTF-16 and
//! JSON can write those.

use std::borrow::Cow;

use super::Wire;

/// `plain` as it stands on the wire in a row that is written so.
#[must_use]
pub fn wire(wire: Wire, plain: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(plain.len() + 24);
    match wire {
        Wire::Binary | Wire::Line | Wire::Literal | Wire::Object => out.extend_from_slice(plain),
        Wire::Text16 => utf16(plain, &mut out),
        Wire::Element(name) => element(name, plain, &mut out),
        Wire::Array => {
            out.extend_from_slice(b"<array>");
            element("string", plain, &mut out);
            out.extend_from_slice(b"</array>");
        }
        Wire::Flag => {
            out.push(b'<');
            out.extend_from_slice(plain);
            out.extend_from_slice(b"/>");
        }
        Wire::Percent => percent(plain, |byte| matches!(byte, 0x21..=0x7E) && byte != b'%', &mut out),
        Wire::Form => form(plain, &mut out),
        Wire::Quoted => quoted(plain, &mut out),
        Wire::List => {
            out.push(b'[');
            quoted(plain, &mut out);
            out.push(b']');
        }
        Wire::Header => xml_text(plain, &mut out),
        Wire::Data => element("Data", plain, &mut out),
    }
    out
}

/// The wire form of one path: an element of the list, or the value.
#[must_use]
pub fn wire_path(wire_of_row: Wire, plain: &[u8]) -> Vec<u8> {
    wire(wire_of_row.element(), plain)
}

/// The plain value of what stands on the wire; what is no escape stays as it stands.
#[must_use]
pub fn plain(wire: Wire, bytes: &[u8]) -> Cow<'_, [u8]> {
    match wire {
        Wire::Binary | Wire::Line | Wire::Literal | Wire::Object => Cow::Borrowed(bytes),
        Wire::Text16 => Cow::Owned(from_utf16(bytes)),
        Wire::Element(_) | Wire::Array | Wire::Data => xml_plain(inside(bytes)),
        Wire::Flag => Cow::Borrowed(
            bytes.get(1..).and_then(|rest| rest.split(|byte| !byte.is_ascii_alphabetic()).next()).unwrap_or_default(),
        ),
        Wire::Header => xml_plain(bytes),
        Wire::Percent => Cow::Owned(from_percent(bytes, false)),
        Wire::Form => Cow::Owned(from_percent(bytes, true)),
        Wire::Quoted | Wire::List => {
            let start = bytes.iter().position(|byte| *byte == b'"').map_or(bytes.len(), |at| at + 1);
            let end = bytes.iter().rposition(|byte| *byte == b'"').unwrap_or(bytes.len()).max(start);
            json_plain(&bytes[start..end])
        }
    }
}

fn element(name: &str, plain: &[u8], out: &mut Vec<u8>) {
    out.push(b'<');
    out.extend_from_slice(name.as_bytes());
    out.push(b'>');
    xml_text(plain, out);
    out.extend_from_slice(b"</");
    out.extend_from_slice(name.as_bytes());
    out.push(b'>');
}

/// What stands between the first tag and the last.
fn inside(element: &[u8]) -> &[u8] {
    let start = element.iter().position(|byte| *byte == b'>').map_or(element.len(), |at| at + 1);
    let end = element.iter().rposition(|byte| *byte == b'<').unwrap_or(element.len()).max(start);
    &element[start..end]
}

/// XML text with its three necessary entities.
pub(super) fn xml_text(plain: &[u8], out: &mut Vec<u8>) {
    for byte in plain {
        match byte {
            b'&' => out.extend_from_slice(b"&amp;"),
            b'<' => out.extend_from_slice(b"&lt;"),
            b'>' => out.extend_from_slice(b"&gt;"),
            _ => out.push(*byte),
        }
    }
}

/// XML text with the five entities resolved.
pub(super) fn xml_plain(text: &[u8]) -> Cow<'_, [u8]> {
    const ENTITIES: [(&[u8], u8); 5] =
        [(b"&amp;", b'&'), (b"&lt;", b'<'), (b"&gt;", b'>'), (b"&quot;", b'"'), (b"&apos;", b'\'')];
    if !text.contains(&b'&') {
        return Cow::Borrowed(text);
    }
    let mut plain = Vec::with_capacity(text.len());
    let mut at = 0;
    while at < text.len() {
        let entity = ENTITIES.iter().find(|(entity, _)| text[at..].starts_with(entity));
        plain.push(entity.map_or(text[at], |(_, byte)| *byte));
        at += entity.map_or(1, |(entity, _)| entity.len());
    }
    Cow::Owned(plain)
}

fn quoted(plain: &[u8], out: &mut Vec<u8>) {
    out.push(b'"');
    json_text(plain, out);
    out.push(b'"');
}

/// The inside of a JSON string with only the necessary escapes; a lone surrogate is one too.
pub(super) fn json_text(plain: &[u8], out: &mut Vec<u8>) {
    let mut at = 0;
    while let Some(byte) = plain.get(at) {
        match byte {
            b'"' | b'\\' => out.extend_from_slice(&[b'\\', *byte]),
            0..=0x1F => out.extend_from_slice(format!("\\u{byte:04x}").as_bytes()),
            0xED if surrogate(&plain[at..]).is_some() => {
                let unit = surrogate(&plain[at..]).unwrap_or_default();
                out.extend_from_slice(format!("\\u{unit:04x}").as_bytes());
                at += 2;
            }
            _ => out.push(*byte),
        }
        at += 1;
    }
}

/// The inside of a JSON string with its escapes resolved.
pub(super) fn json_plain(text: &[u8]) -> Cow<'_, [u8]> {
    if !text.contains(&b'\\') {
        return Cow::Borrowed(text);
    }
    let mut units: Vec<u8> = Vec::with_capacity(text.len());
    let mut at = 0;
    while let Some(byte) = text.get(at) {
        at += 1;
        if *byte != b'\\' {
            units.push(*byte);
            continue;
        }
        let escaped = text.get(at).copied().unwrap_or(b'\\');
        at += 1;
        match escaped {
            b'n' => units.push(b'\n'),
            b't' => units.push(b'\t'),
            b'r' => units.push(b'\r'),
            b'b' => units.push(8),
            b'f' => units.push(12),
            b'u' => {
                let (unit, next) = unit_at(text, at);
                at = next;
                let low = unit_at(text, at + 2);
                let is_pair = (0xD800..0xDC00).contains(&unit)
                    && text[at.min(text.len())..].starts_with(b"\\u")
                    && (0xDC00..0xE000).contains(&low.0);
                if is_pair {
                    at = low.1;
                    push_code(0x1_0000 + ((u32::from(unit) - 0xD800) << 10) + (u32::from(low.0) - 0xDC00), &mut units);
                } else {
                    push_code(u32::from(unit), &mut units);
                }
            }
            other => units.push(other),
        }
    }
    Cow::Owned(units)
}

/// Up to four hex digits from `at` on, and where they end.
fn unit_at(text: &[u8], at: usize) -> (u16, usize) {
    let digits = text.get(at..).unwrap_or_default().iter().take(4);
    let values = digits.map_while(|byte| char::from(*byte).to_digit(16)).collect::<Vec<_>>();
    let unit = values.iter().fold(0_u16, |unit, digit| unit << 4 | u16::try_from(*digit).unwrap_or_default());
    (unit, at + values.len())
}

/// The surrogate that these bytes write as if it were a character.
fn surrogate(bytes: &[u8]) -> Option<u16> {
    match bytes {
        [0xED, second @ 0xA0..=0xBF, third @ 0x80..=0xBF, ..] => {
            Some(0xD000 | u16::from(second & 0x3F) << 6 | u16::from(third & 0x3F))
        }
        _ => None,
    }
}

/// Appends a code point, a surrogate too.
pub(crate) fn push_code(code: u32, out: &mut Vec<u8>) {
    match char::from_u32(code) {
        Some(char) => out.extend_from_slice(char.encode_utf8(&mut [0; 4]).as_bytes()),
        None => out.extend([0xED, 0x80 | (code >> 6 & 0x3F), 0x80 | (code & 0x3F)].map(low_byte)),
    }
}

fn low_byte(value: u32) -> u8 {
    value.to_le_bytes()[0]
}

/// UTF-16LE of text; a byte that is no UTF-8 becomes a lone surrogate.
fn utf16(plain: &[u8], out: &mut Vec<u8>) {
    let mut rest = plain;
    while !rest.is_empty() {
        if let Some(unit) = surrogate(rest) {
            out.extend_from_slice(&unit.to_le_bytes());
            rest = &rest[3..];
            continue;
        }
        let length = if rest[0] < 0x80 { 1 } else { (rest[0].leading_ones() as usize).clamp(1, 4).min(rest.len()) };
        match std::str::from_utf8(&rest[..length]).ok().and_then(|text| text.chars().next()) {
            Some(char) => {
                for unit in char.encode_utf16(&mut [0; 2]) {
                    out.extend_from_slice(&unit.to_le_bytes());
                }
                rest = &rest[length..];
            }
            None => {
                out.extend_from_slice(&(0xDC00 | u16::from(rest[0])).to_le_bytes());
                rest = &rest[1..];
            }
        }
    }
}

fn from_utf16(bytes: &[u8]) -> Vec<u8> {
    let units = bytes.chunks_exact(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]]));
    let mut plain = Vec::with_capacity(bytes.len());
    for char in char::decode_utf16(units) {
        match char {
            Ok(char) => plain.extend_from_slice(char.encode_utf8(&mut [0; 4]).as_bytes()),
            Err(lone) => push_code(u32::from(lone.unpaired_surrogate()), &mut plain),
        }
    }
    plain
}

const HEX: &[u8; 16] = b"0123456789ABCDEF";

fn push_escape(byte: u8, out: &mut Vec<u8>) {
    out.extend_from_slice(&[b'%', HEX[usize::from(byte >> 4)], HEX[usize::from(byte & 15)]]);
}

pub(crate) fn percent(plain: &[u8], stands: impl Fn(u8) -> bool, out: &mut Vec<u8>) {
    for byte in plain {
        if stands(*byte) {
            out.push(*byte);
        } else {
            push_escape(*byte, out);
        }
    }
}

fn form(plain: &[u8], out: &mut Vec<u8>) {
    for byte in plain {
        match byte {
            b' ' => out.push(b'+'),
            b'.' | b'-' | b'*' | b'_' => out.push(*byte),
            byte if byte.is_ascii_alphanumeric() => out.push(*byte),
            byte => push_escape(*byte, out),
        }
    }
}

fn from_percent(bytes: &[u8], is_form: bool) -> Vec<u8> {
    let digit = |at: usize| bytes.get(at).and_then(|byte| char::from(*byte).to_digit(16)).map(low_byte);
    let mut plain = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        match (byte, digit(at + 1), digit(at + 2)) {
            (b'%', Some(high), Some(low)) => {
                plain.push(high << 4 | low);
                at += 2;
            }
            (b'+', _, _) if is_form => plain.push(b' '),
            (byte, _, _) => plain.push(*byte),
        }
        at += 1;
    }
    plain
}
