//! macOS and Windows Phone: fields found by their tags, whatever stands between them.

use std::borrow::Cow;

use super::{
    Document, Field, Platform, escape, find, rfind,
    table::{HEADER_FIELDS, slot_of, slots},
    trimmed,
};

const KEY: &[u8] = b"<key>";
const ITEM: &[u8] = b"<Item>";
const ITEM_END: &[u8] = b"</Item>";

pub(super) fn decode_plist(body: &[u8]) -> Document<'_> {
    let last = rfind(body, b"</dict>").unwrap_or(body.len());
    let start = find(body, KEY, 0).unwrap_or(last);
    let end = if last >= start { last } else { body.len() };
    let mut document = Document {
        platform: Platform::MacOs,
        head: Cow::Borrowed(&body[..start]),
        fields: Vec::with_capacity(24),
        tail: Cow::Borrowed(&body[end..]),
        miscount: 0,
    };
    let (mut at, mut near) = (start, 0);
    while at < end {
        let next = find(body, KEY, at + 1).map_or(end, |next| next.min(end));
        let field = read_pair(&body[at..next], near);
        near = field.slot.unwrap_or(near);
        document.fields.push(field);
        at = next;
    }
    document
}

fn read_pair(piece: &[u8], near: usize) -> Field<'_> {
    let Some(end) = find(piece, b"</key>", 0) else { return Field::raw(piece) };
    let name = escape::xml_plain(&piece[KEY.len()..end]);
    let slot = slot_of(Platform::MacOs, &name, near);
    Field::new(name, trimmed(piece, end + 6..piece.len()), slot).standing(piece)
}

/// The elements directly inside an array, as they stand.
pub(super) fn elements(array: &[u8]) -> Vec<Cow<'_, [u8]>> {
    let end = rfind(array, b"</array>").unwrap_or(array.len());
    let mut at = array.iter().position(|byte| *byte == b'>').map_or(end, |at| at + 1);
    let mut elements = Vec::new();
    while at < end {
        let closed = find(array, b"</", at).and_then(|close| find(array, b">", close));
        let next = closed.map_or(end, |close| (close + 1).min(end));
        elements.push(Cow::Borrowed(trimmed(array, at..next)));
        at = next;
    }
    elements
}

pub(super) fn write_pair(field: &Field<'_>, out: &mut Vec<u8>) {
    out.extend_from_slice(KEY);
    escape::xml_text(&field.name, out);
    out.extend_from_slice(b"</key>");
    out.extend_from_slice(&field.value);
}

/// The tags that lead to each field of the header, one behind the other.
const HEADER: [&[&[u8]]; HEADER_FIELDS] = [
    &[b"<SessionID>"],
    &[b"<MsgID>"],
    &[b"<Target>", b"<LocURI>"],
    &[b"<Source>", b"<LocURI>"],
    &[b"<Cred>", b"<Data>"],
];

pub(super) fn decode_syncml(body: &[u8]) -> Document<'_> {
    let items = find(body, ITEM, 0).or_else(|| find(body, b"</Replace>", 0)).unwrap_or(body.len());
    let mut document = Document {
        platform: Platform::WindowsPhone,
        head: Cow::Borrowed(&body[..items]),
        fields: Vec::with_capacity(32),
        tail: Cow::Borrowed(b""),
        miscount: 0,
    };
    read_header(&body[..items], &mut document);
    let end = rfind(body, ITEM_END).map_or(items, |end| end + ITEM_END.len()).max(items);
    document.tail = Cow::Borrowed(&body[end..]);
    let (mut at, mut near) = (items, HEADER_FIELDS);
    while at < end {
        let next = find(body, ITEM, at + 1).map_or(end, |next| next.min(end));
        let field = read_item(&body[at..next], near);
        near = field.slot.unwrap_or(near);
        document.fields.push(field);
        at = next;
    }
    document
}

fn read_header<'a>(header: &'a [u8], document: &mut Document<'a>) {
    let mut cursor = 0;
    for (slot, tags) in HEADER.iter().enumerate() {
        let behind_tags = tags.iter().try_fold(cursor, |from, tag| find(header, tag, from).map(|at| at + tag.len()));
        let Some(start) = behind_tags else { continue };
        let end = find(header, b"<", start).unwrap_or(header.len());
        // What stands before this value ends what belongs to the field before.
        match document.fields.last_mut() {
            Some(before) => before.behind = Cow::Borrowed(&header[cursor..start]),
            None => document.head = Cow::Borrowed(&header[..start]),
        }
        document.fields.push(Field::new(
            slots(Platform::WindowsPhone)[slot].name.as_bytes(),
            &header[start..end],
            Some(slot),
        ));
        cursor = end;
    }
    if let Some(last) = document.fields.last_mut() {
        last.behind = Cow::Borrowed(&header[cursor..]);
    }
}

fn read_item(piece: &[u8], near: usize) -> Field<'_> {
    let item = || {
        let start = find(piece, b"<LocURI>", 0)? + 8;
        let end = find(piece, b"</LocURI>", start)?;
        let data = find(piece, b"<Data", end)?;
        let close = rfind(piece, ITEM_END).filter(|close| *close > data).unwrap_or(piece.len());
        let name = escape::xml_plain(&piece[start..end]);
        let slot = slot_of(Platform::WindowsPhone, &name, near);
        Some(Field::new(name, trimmed(piece, data..close), slot).standing(piece))
    };
    item().unwrap_or_else(|| Field::raw(piece))
}

pub(super) fn write_item(field: &Field<'_>, out: &mut Vec<u8>) {
    if field.slot.is_some_and(|slot| slot < HEADER_FIELDS) && !field.name.starts_with(b".") {
        out.extend_from_slice(&field.value);
        out.extend_from_slice(&field.behind);
        return;
    }
    out.extend_from_slice(b"<Item><Source><LocURI>");
    escape::xml_text(&field.name, out);
    out.extend_from_slice(b"</LocURI></Source>");
    out.extend_from_slice(&field.value);
    out.extend_from_slice(ITEM_END);
}
