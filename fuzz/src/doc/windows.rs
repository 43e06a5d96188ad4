//! Windows: a count, then fields of tag, length and value.

use std::borrow::Cow;

use super::{Document, Field, Platform, slots};

pub(super) fn decode(body: &[u8]) -> Document<'_> {
    let mut document = Document {
        platform: Platform::Windows,
        head: Cow::Borrowed(b""),
        fields: Vec::with_capacity(24),
        tail: Cow::Borrowed(body),
        miscount: 0,
    };
    let [low, high, fields @ ..] = body else { return document };
    let mut rest = fields;
    let mut found = 0_u16;
    while let Some((field, behind)) = split_field(rest) {
        document.fields.push(field);
        found = found.wrapping_add(1);
        rest = behind;
    }
    document.miscount = u16::from_le_bytes([*low, *high]).wrapping_sub(found);
    document.head = Cow::Borrowed(&body[..2]);
    document.tail = Cow::Borrowed(rest);
    document
}

fn split_field(bytes: &[u8]) -> Option<(Field<'_>, &[u8])> {
    let (header, rest) = bytes.split_at_checked(4)?;
    let length = u16::from_le_bytes([header[2], header[3]]);
    let (value, rest) = rest.split_at_checked(usize::from(length))?;
    let tag = usize::from(u16::from_le_bytes([header[0], header[1]]));
    let slot = tag.checked_sub(1).filter(|slot| *slot < slots(Platform::Windows).len());
    Some((Field::new(&header[..2], value, slot), rest))
}

pub(super) fn encode(document: &Document<'_>, out: &mut Vec<u8>) {
    // Without a head there was not even a count.
    if !document.head.is_empty() {
        let fields = u16::try_from(document.fields.len()).unwrap_or(u16::MAX);
        out.extend_from_slice(&fields.wrapping_add(document.miscount).to_le_bytes());
    }
    for field in &document.fields {
        let length = u16::try_from(field.value.len()).unwrap_or(u16::MAX);
        out.extend_from_slice(&field.name);
        out.extend_from_slice(&length.to_le_bytes());
        out.extend_from_slice(&field.value);
    }
    out.extend_from_slice(&document.tail);
}
