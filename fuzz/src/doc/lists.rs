//! Linux: lines. Android: pairs. Both are what stands between separators, so nothing can be lost.

use std::borrow::Cow;

use super::{Document, Field, Platform, table::slot_of};

/// What a Linux body begins with, before the operation.
pub const GREETING: &[u8] = b"EDGE-AGENT/1 ";

pub(super) fn decode_lines(body: &[u8]) -> Document<'_> {
    let (head, rest) = match body.strip_prefix(GREETING) {
        Some(rest) => (&body[..GREETING.len()], rest),
        None => (&body[..0], body),
    };
    let mut document = empty(Platform::Linux, head);
    let mut near = 0;
    for (at, line) in rest.split(|byte| *byte == b'\n').enumerate() {
        let field = if at == 0 && !head.is_empty() {
            Field::new(&b"op"[..], line, Some(0)).standing(line)
        } else {
            pair(Platform::Linux, line, &mut near)
        };
        document.fields.push(field);
    }
    document
}

pub(super) fn decode_form(body: &[u8]) -> Document<'_> {
    let mut document = empty(Platform::Android, b"");
    let mut near = 0;
    for piece in body.split(|byte| *byte == b'&') {
        document.fields.push(pair(Platform::Android, piece, &mut near));
    }
    document
}

fn empty(platform: Platform, head: &[u8]) -> Document<'_> {
    Document {
        platform,
        head: Cow::Borrowed(head),
        fields: Vec::with_capacity(32),
        tail: Cow::Borrowed(b""),
        miscount: 0,
    }
}

fn pair<'a>(platform: Platform, piece: &'a [u8], near: &mut usize) -> Field<'a> {
    let Some(at) = piece.iter().position(|byte| *byte == b'=') else { return Field::raw(piece) };
    let slot = slot_of(platform, &piece[..at], *near);
    *near = slot.unwrap_or(*near);
    Field::new(&piece[..at], &piece[at + 1..], slot).standing(piece)
}

pub(super) fn write_line(field: &Field<'_>, out: &mut Vec<u8>) {
    if field.slot == Some(0) && &*field.name == b"op" {
        out.extend_from_slice(&field.value);
    } else {
        write_pair(field, out);
    }
}

pub(super) fn write_pair(field: &Field<'_>, out: &mut Vec<u8>) {
    out.extend_from_slice(&field.name);
    out.push(b'=');
    out.extend_from_slice(&field.value);
}
