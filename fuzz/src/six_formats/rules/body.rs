//! Rules of names and of the body as a whole.

use super::{BYTES, Broken, DUPLICATE, FRAME, MISSING, ORDER, SYNTAX, UNKNOWN};
use crate::{
    doc::{
        Document, Field, Platform, Wire, slots,
        table::{HEADER_FIELDS, path_slot},
    },
    six_formats::{BODY_MAX, request::Abstract},
    spec::{When, rows},
};

pub(super) fn unknown_name(document: &mut Document<'_>, _: &Abstract, detail: u8) -> Option<Broken> {
    let (name, value): (&[u8], &[u8]) = match document.platform {
        Platform::Windows => (&[[0x13, 0], [0, 0], [1, 1], [0xFF, 0xFF]][usize::from(detail) % 4], b"x"),
        Platform::MacOs => (b"Jailbroken", b"<true/>"),
        Platform::Linux => (b"JAILBROKEN", b"no"),
        Platform::Ios => (b"jailbroken", b"false"),
        Platform::Android => (b"jailbroken", b"0"),
        Platform::WindowsPhone => (b"./Edge/Jailbroken", b"<Data>no</Data>"),
    };
    let first = if document.platform == Platform::WindowsPhone { HEADER_FIELDS } else { 1 };
    let at = first + usize::from(detail) % 8;
    document.fields.insert(at, Field::new(name.to_vec(), value.to_vec(), None));
    Broken::new(UNKNOWN, "E_UNKNOWN", &[])
}

/// Places of fields that may stand twice, change places or be missing: with a row of their own, in no header, no path.
fn movable(document: &Document<'_>) -> Vec<usize> {
    let platform = document.platform;
    let is_movable = |field: &Field<'_>| {
        field.slot.is_some_and(|slot| {
            let is_greeting = platform == Platform::Linux && slot == 0;
            slots(platform)[slot].wire != Wire::Header && slot != path_slot(platform) && !is_greeting
        })
    };
    document.fields.iter().enumerate().filter(|(_, field)| is_movable(field)).map(|(at, _)| at).collect()
}

pub(super) fn duplicate_name(document: &mut Document<'_>, _: &Abstract, detail: u8) -> Option<Broken> {
    let places = movable(document);
    let at = *places.get(usize::from(detail) % places.len().max(1))?;
    let twin = document.fields[at].clone();
    let slot = twin.slot.unwrap_or_default();
    document.fields.insert(at + 1, twin);
    Broken::new(DUPLICATE, "E_DUPLICATE", &[slot])
}

pub(super) fn other_order(document: &mut Document<'_>, _: &Abstract, detail: u8) -> Option<Broken> {
    if document.platform == Platform::Ios {
        return None;
    }
    let places = movable(document);
    let at = usize::from(detail) % places.len().saturating_sub(1).max(1);
    let (first, second) = (*places.get(at)?, *places.get(at + 1)?);
    let touched = [document.fields[first].slot?, document.fields[second].slot?];
    document.fields.swap(first, second);
    Broken::new(ORDER, "E_ORDER", &touched)
}

pub(super) fn missing_name(document: &mut Document<'_>, _: &Abstract, detail: u8) -> Option<Broken> {
    let platform = document.platform;
    let mut places = movable(document);
    places.retain(|at| document.fields[*at].slot.is_some_and(|slot| rows(platform)[slot].when == When::Required));
    let at = *places.get(usize::from(detail) % places.len().max(1))?;
    let slot = document.fields.remove(at).slot?;
    Broken::new(MISSING, "E_MISSING", &[slot])
}

pub(super) fn trailing_byte(document: &mut Document<'_>, _: &Abstract, _: u8) -> Option<Broken> {
    let afterwards: fn(&mut Vec<u8>) = match document.platform {
        Platform::Linux => |body| body.extend_from_slice(b"x\n"),
        Platform::Android => |body| body.push(b'&'),
        Platform::Windows | Platform::MacOs | Platform::Ios | Platform::WindowsPhone => |body| body.push(b'x'),
    };
    Broken::of_body(SYNTAX, "E_SYNTAX", afterwards)
}

pub(super) fn byte_order_mark(document: &mut Document<'_>, _: &Abstract, _: u8) -> Option<Broken> {
    if document.platform == Platform::Windows {
        return None;
    }
    Broken::of_body(BYTES, "E_ENCODING", |body| drop(body.splice(..0, *b"\xEF\xBB\xBF")))
}

pub(super) fn long_body(_: &mut Document<'_>, _: &Abstract, detail: u8) -> Option<Broken> {
    // Rarely: it is long.
    if detail >= 16 {
        return None;
    }
    Broken::of_body(FRAME, "E_FRAME", |body| body.resize(body.len().max(BODY_MAX + 1), b' '))
}
