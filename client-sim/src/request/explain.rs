//! A body taken apart for a reader: which field stands where, and what it says.
//!
//! This is no parser of the formats (the validator is): it finds fields by their look, also in bodies that are wrong, so that
//! one can be looked at, or one value in it exchanged.

use std::ops::Range;

use relay_wire::Platform;
use serde::Serialize;

mod json;
mod xml;

/// One field of a body.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FieldSpan {
    /// Where its value begins, in bytes from the body's start.
    pub offset: usize,
    /// Bytes of its value.
    pub length: usize,
    /// Its name in the platform's table; the second and later ones of a repeated field have `[1]`, `[2]`... behind it.
    pub name: String,
    /// Its value, decoded for reading.
    pub value: String,
}

impl FieldSpan {
    fn new(name: impl Into<String>, range: Range<usize>, value: impl Into<String>) -> Self {
        Self { offset: range.start, length: range.len(), name: name.into(), value: value.into() }
    }

    /// Where its value stands.
    #[must_use]
    pub const fn range(&self) -> Range<usize> {
        self.offset..self.offset + self.length
    }
}

/// The fields of a body, in the order in which they stand. What cannot be recognised is left out.
#[must_use]
pub fn fields(platform: Platform, body: &[u8]) -> Vec<FieldSpan> {
    let mut fields = match platform {
        Platform::Windows => windows(body),
        Platform::MacOs => xml::property_list(body),
        Platform::Linux => linux(body),
        Platform::Ios => json::members(body),
        Platform::Android => android(body),
        Platform::WindowsPhone => xml::sync_ml(body),
    };
    number_repeats(&mut fields);
    fields
}

fn number_repeats(fields: &mut [FieldSpan]) {
    let names: Vec<String> = fields.iter().map(|field| field.name.clone()).collect();
    for (place, field) in fields.iter_mut().enumerate() {
        let before = names[..place].iter().filter(|name| **name == names[place]).count();
        if before > 0 {
            field.name = format!("{}[{before}]", names[place]);
        }
    }
}

/// `body` with another value in the field `name`: `value` is written in the platform's encoding, or as it is if `raw`.
///
/// # Errors
/// A text that names the fields that are there.
pub fn replace(platform: Platform, body: &[u8], name: &str, value: Value<'_>) -> Result<Vec<u8>, String> {
    let fields = fields(platform, body);
    let Some(field) = fields.iter().find(|field| field.name == name) else {
        let names: Vec<&str> = fields.iter().map(|field| field.name.as_str()).collect();
        return Err(format!("there is no field {name:?} in this request; its fields are {}", names.join(", ")));
    };
    let old = &body[field.range()];
    let new = match value {
        Value::Raw(bytes) => bytes.to_vec(),
        Value::Text(text) => match platform {
            Platform::Windows => windows_value(name, old.len(), text)?,
            Platform::MacOs => xml::plist_value(old, text),
            Platform::Linux => linux_value(name, text),
            Platform::Ios => json::value(old, text),
            Platform::Android => form_encoded(text).into_bytes(),
            Platform::WindowsPhone => xml::escape(text).into_bytes(),
        },
    };
    let mut out = body.to_vec();
    if platform == Platform::Windows {
        // The length stands in the two bytes before the value.
        let length = u16::try_from(new.len()).map_err(|_| format!("the value of {name} is longer than 65535 bytes"))?;
        out[field.offset - 2..field.offset].copy_from_slice(&length.to_le_bytes());
    }
    out.splice(field.range(), new);
    Ok(out)
}

/// A value to put into a field.
#[derive(Clone, Copy, Debug)]
pub enum Value<'a> {
    /// Text, to be encoded as the platform does.
    Text(&'a str),
    /// Bytes, to be written as they are.
    Raw(&'a [u8]),
}

/// The names of the tags of FORMATS §1, by number.
const WINDOWS_NAMES: [&str; 18] = [
    "op",
    "machineGuid",
    "MASS",
    "DEV",
    "USER",
    "computerName",
    "osVersion",
    "arch",
    "appVersion",
    "locale",
    "timeZone",
    "sentAt",
    "nonce",
    "ifType",
    "power",
    "node",
    "path",
    "estimate",
];

fn is_windows_text(tag: usize) -> bool {
    matches!(tag, 0x02..=0x07 | 0x0a | 0x0b | 0x10 | 0x11)
}

fn windows(body: &[u8]) -> Vec<FieldSpan> {
    let word = |at: usize| body.get(at..at + 2).map(|pair| usize::from(u16::from_le_bytes([pair[0], pair[1]])));
    let mut fields = Vec::new();
    let mut at = 2;
    while let (Some(tag), Some(length)) = (word(at), word(at + 2)) {
        let range = at + 4..at + 4 + length;
        let Some(value) = body.get(range.clone()) else { break };
        let name = tag.checked_sub(1).and_then(|place| WINDOWS_NAMES.get(place));
        let name = name.map_or_else(|| format!("tag {tag:#06x}"), |name| (*name).to_owned());
        let shown = if is_windows_text(tag) {
            let units: Vec<u16> = value.chunks_exact(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]])).collect();
            String::from_utf16_lossy(&units)
        } else if matches!(length, 2 | 4 | 8) && !matches!(tag, 0x09 | 0x0f) {
            value.iter().rev().fold(0_u64, |number, byte| number << 8 | u64::from(*byte)).to_string()
        } else {
            crate::hex::encode(value)
        };
        at = range.end;
        fields.push(FieldSpan::new(name, range, shown));
    }
    fields
}

fn windows_value(name: &str, old_length: usize, text: &str) -> Result<Vec<u8>, String> {
    let base = name.split('[').next().unwrap_or(name);
    let tag = WINDOWS_NAMES.iter().position(|known| *known == base).map_or(0, |place| place + 1);
    if is_windows_text(tag) {
        return Ok(text.encode_utf16().flat_map(u16::to_le_bytes).collect());
    }
    if matches!(old_length, 2 | 4 | 8) && !matches!(tag, 0x09 | 0x0f) {
        let number: u64 =
            text.parse().map_err(|_| format!("{name} is a number; {text:?} is none (or use --field-hex)"))?;
        return Ok(number.to_le_bytes()[..old_length].to_vec());
    }
    crate::hex::decode(text).ok_or_else(|| format!("{name} is binary; give its value as hex"))
}

fn linux(body: &[u8]) -> Vec<FieldSpan> {
    let mut fields = Vec::new();
    let mut at = 0;
    for line in body.split(|byte| *byte == b'\n') {
        let (name, from) = match line.iter().position(|byte| *byte == if at == 0 { b' ' } else { b'=' }) {
            Some(split) if at == 0 => ("op".to_owned(), split + 1),
            Some(split) => (String::from_utf8_lossy(&line[..split]).into_owned(), split + 1),
            None => (String::new(), 0),
        };
        if !name.is_empty() {
            let value = &line[from..];
            let shown =
                if name == "PATH" { percent_decoded(value) } else { String::from_utf8_lossy(value).into_owned() };
            fields.push(FieldSpan::new(name, at + from..at + line.len(), shown));
        }
        at += line.len() + 1;
    }
    fields
}

fn linux_value(name: &str, text: &str) -> Vec<u8> {
    if !name.starts_with("PATH") {
        return text.as_bytes().to_vec();
    }
    let mut out = String::new();
    for byte in text.bytes() {
        if (0x21..=0x7e).contains(&byte) && byte != b'%' {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out.into_bytes()
}

fn android(body: &[u8]) -> Vec<FieldSpan> {
    let mut fields = Vec::new();
    let mut at = 0;
    for pair in body.split(|byte| *byte == b'&') {
        if let Some(split) = pair.iter().position(|byte| *byte == b'=') {
            let name = String::from_utf8_lossy(&pair[..split]).into_owned();
            let value: Vec<u8> =
                pair[split + 1..].iter().map(|byte| if *byte == b'+' { b' ' } else { *byte }).collect();
            fields.push(FieldSpan::new(name, at + split + 1..at + pair.len(), percent_decoded(&value)));
        }
        at += pair.len() + 1;
    }
    fields
}

/// As `java.net.URLEncoder` writes it.
fn form_encoded(text: &str) -> String {
    let mut out = String::new();
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'.' | b'-' | b'*' | b'_' => out.push(char::from(byte)),
            b' ' => out.push('+'),
            other => out.push_str(&format!("%{other:02X}")),
        }
    }
    out
}

/// Percent escapes resolved; what is none stays as it is, and what is not UTF-8 is shown with replacement characters.
fn percent_decoded(value: &[u8]) -> String {
    let mut out = Vec::with_capacity(value.len());
    let mut rest = value;
    while let Some((first, after)) = rest.split_first() {
        let escaped = match (first, after) {
            (b'%', [high, low, ..]) => crate::hex::digit(*high).zip(crate::hex::digit(*low)),
            _ => None,
        };
        if let Some((high, low)) = escaped {
            out.push(high << 4 | low);
            rest = &after[2..];
        } else {
            out.push(*first);
            rest = after;
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

#[cfg(test)]
mod tests;
