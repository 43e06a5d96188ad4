//! FORMATS §1: `count`, then `tag | byte length | value`.

use std::borrow::Cow;

use super::{Kind, Platform, Refusal, Value, fields::Fields, refusal, row::place, rows};

pub(super) fn fields(body: &[u8]) -> Result<Fields<'_>, Refusal> {
    let mut raw = Vec::with_capacity(32);
    let mut rest = body;
    let count = take_number(&mut rest)?;
    for _ in 0..count {
        let tag = take_number(&mut rest)?;
        let length = take_number(&mut rest)?;
        raw.push((tag, take(&mut rest, usize::from(length))?));
    }
    if !rest.is_empty() {
        return Err(refusal("E_SYNTAX", "body"));
    }
    let table = rows(Platform::Windows);
    let mut named = Vec::with_capacity(raw.len());
    let mut near = 0;
    for (tag, bytes) in raw {
        let place = place(table, near, |row| row.tag == tag);
        near = place.unwrap_or(near);
        let row = place.map(|place| &table[place]);
        let value = match row {
            Some(row) if row.kind == Kind::Text => {
                Value::Text(Cow::Owned(text(bytes).ok_or(refusal("E_ENCODING", row.name))?))
            }
            Some(_) | None => Value::Bytes(Cow::Borrowed(bytes)),
        };
        named.push((place, value));
    }
    Fields::named(Platform::Windows, named)
}

fn take<'a>(rest: &mut &'a [u8], length: usize) -> Result<&'a [u8], Refusal> {
    let (taken, behind) = rest.split_at_checked(length).ok_or(refusal("E_SYNTAX", "body"))?;
    *rest = behind;
    Ok(taken)
}

fn take_number(rest: &mut &[u8]) -> Result<u16, Refusal> {
    let bytes = take(rest, 2)?;
    Ok(u16::from(bytes[0]) | u16::from(bytes[1]) << 8)
}

/// UTF-16LE without U+0000, without U+FEFF in front.
fn text(bytes: &[u8]) -> Option<String> {
    let (pairs, []) = bytes.as_chunks::<2>() else { return None };
    let units = pairs.iter().map(|pair| u16::from_le_bytes(*pair));
    let text: String = char::decode_utf16(units).collect::<Result<_, _>>().ok()?;
    (!text.contains('\0') && !text.starts_with('\u{FEFF}')).then_some(text)
}
