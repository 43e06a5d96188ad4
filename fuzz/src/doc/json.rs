//! iOS: the members of one object, split at the commas of its own level.

use std::borrow::Cow;

use super::{Document, Field, Platform, escape, slots, table::slot_of};

/// Reads an object; `parent` is the name of the row that it is the value of, empty for the body itself.
pub(super) fn decode<'a>(bytes: &'a [u8], parent: &str) -> Document<'a> {
    let start = bytes.iter().position(|byte| *byte == b'{').map_or(bytes.len(), |at| at + 1);
    let mut document = Document {
        platform: Platform::Ios,
        head: Cow::Borrowed(&bytes[..start]),
        fields: Vec::with_capacity(24),
        tail: Cow::Borrowed(b""),
        miscount: 0,
    };
    let (pieces, end) = split(bytes, start);
    document.tail = Cow::Borrowed(&bytes[end..]);
    let mut near = 0;
    for piece in pieces {
        let field = read_member(piece, parent, near);
        near = field.slot.unwrap_or(near);
        document.fields.push(field);
    }
    document
}

/// The pieces between the commas from `start` to the bracket that ends this level, and where that is.
fn split(bytes: &[u8], start: usize) -> (Vec<&[u8]>, usize) {
    let mut pieces = Vec::with_capacity(24);
    let (mut piece, mut depth, mut in_text, mut at) = (start, 0_usize, false, start);
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'\\' if in_text => at += 1,
            b'"' => in_text = !in_text,
            _ if in_text => {}
            b'{' | b'[' => depth += 1,
            b'}' | b']' if depth > 0 => depth -= 1,
            b'}' | b']' => break,
            b',' if depth == 0 => {
                pieces.push(&bytes[piece..at]);
                piece = at + 1;
            }
            _ => {}
        }
        at += 1;
    }
    let end = at.min(bytes.len());
    if !pieces.is_empty() || !bytes[piece..end].trim_ascii().is_empty() {
        pieces.push(&bytes[piece..end]);
        return (pieces, end);
    }
    (pieces, piece)
}

fn read_member<'a>(piece: &'a [u8], parent: &str, near: usize) -> Field<'a> {
    let member = || {
        let inner = piece.trim_ascii().strip_prefix(b"\"")?;
        let length = text_length(inner)?;
        let value = inner[length + 1..].trim_ascii_start().strip_prefix(b":")?.trim_ascii();
        let name = escape::json_plain(&inner[..length]);
        let slot = if parent.is_empty() {
            slot_of(Platform::Ios, &name, near).filter(|slot| slots(Platform::Ios)[*slot].parent.is_none())
        } else {
            slot_of(Platform::Ios, &[parent.as_bytes(), b".", &name].concat(), near)
        };
        Some(Field::new(name, value, slot).standing(piece))
    };
    member().unwrap_or_else(|| Field::raw(piece))
}

/// How many bytes stand before the quotation mark that ends a text.
fn text_length(inner: &[u8]) -> Option<usize> {
    let mut at = 0;
    loop {
        match inner.get(at)? {
            b'"' => return Some(at),
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
}

/// The elements of a list, as they stand.
pub(super) fn elements(list: &[u8]) -> Vec<Cow<'_, [u8]>> {
    let start = list.iter().position(|byte| *byte == b'[').map_or(list.len(), |at| at + 1);
    split(list, start).0.into_iter().map(Cow::Borrowed).collect()
}

pub(super) fn write_member(field: &Field<'_>, out: &mut Vec<u8>) {
    out.push(b'"');
    escape::json_text(&field.name, out);
    out.extend_from_slice(b"\":");
    out.extend_from_slice(&field.value);
}
