//! Fields as such: dropped, doubled, swapped, moved, renamed, made up.

use std::borrow::Cow;

use fastrand::Rng;

use super::{parts, values::pool};
use crate::{
    doc::{Document, Field, Platform, Wire, escape, slots, table::wire_name},
    spec::rows,
};

/// One change. What it does not find to change it leaves.
pub fn change(document: &mut Document<'_>, chance: &mut Rng) {
    if document.platform == Platform::Ios && chance.u8(..3) == 0 {
        let objects: Vec<usize> = slots(Platform::Ios)
            .iter()
            .enumerate()
            .filter(|(_, slot)| slot.wire == Wire::Object)
            .map(|(at, _)| at)
            .collect();
        let parent = objects[chance.usize(..objects.len())];
        document.change_object(parent, |inner| change_flat(inner, Some(parent), chance));
        return;
    }
    change_flat(document, None, chance);
}

fn change_flat(document: &mut Document<'_>, parent: Option<usize>, chance: &mut Rng) {
    let kind = chance.u8(..14);
    let Some(at) = field_at(document, chance) else {
        insert(document, parent, chance);
        return;
    };
    match kind {
        0 | 1 => drop(document.fields.remove(at)),
        2 | 3 => {
            let mut twin = document.fields[at].clone();
            if document.platform == Platform::Ios && chance.bool() {
                twin.respell(escaped_member(&twin, chance));
            }
            let to = if kind == 2 { at } else { chance.usize(..=document.fields.len()) };
            document.fields.insert(to, twin);
        }
        4 => {
            // The same name with another value, before or behind.
            let mut twin = document.fields[at].clone();
            if let Some(slot) = twin.slot {
                let pool = pool(document.platform, slot);
                twin.set_value(if chance.bool() { pool.good(chance) } else { pool.near(chance) });
            }
            document.fields.insert(at + chance.usize(..2), twin);
        }
        5 if at + 1 < document.fields.len() => document.fields.swap(at, at + 1),
        6 => {
            let other = field_at(document, chance).unwrap_or(at);
            document.fields.swap(at, other);
        }
        5 | 7 => {
            let field = document.fields.remove(at);
            document.fields.insert(chance.usize(..=document.fields.len()), field);
        }
        8 | 9 => rename(document, at, chance),
        10 => {
            let other = field_at(document, chance).unwrap_or(at);
            let value = document.fields[other].value.clone();
            document.fields[at].set_value(value);
        }
        _ => insert(document, parent, chance),
    }
}

/// A field by chance; not one of the header of SyncML, whose markup would fall apart, but rarely.
fn field_at(document: &Document<'_>, chance: &mut Rng) -> Option<usize> {
    if document.fields.is_empty() {
        return None;
    }
    let at = chance.usize(..document.fields.len());
    let is_header = |at: usize| {
        let slot = document.fields[at].slot;
        slot.is_some_and(|slot| slots(document.platform)[slot].wire == Wire::Header)
    };
    Some(if is_header(at) && chance.u8(..8) > 0 { chance.usize(at..document.fields.len()) } else { at })
}

/// Inserts a field of the table, or one that the table lacks.
fn insert(document: &mut Document<'_>, parent: Option<usize>, chance: &mut Rng) {
    let platform = document.platform;
    let slots = slots(platform);
    let candidates: Vec<usize> =
        (0..slots.len()).filter(|slot| slots[*slot].parent == parent && slots[*slot].wire != Wire::Header).collect();
    let slot = candidates[chance.usize(..candidates.len())];
    let value = pool(platform, slot).good(chance);
    let mut field = Field::new(wire_name(platform, slot), value, Some(slot));
    if chance.u8(..3) == 0 {
        let name = odd_name(platform, &field.name, chance);
        field.set_name(name);
        field.slot = None;
    }
    let at = if chance.bool() { document.place_for(slot) } else { chance.usize(..=document.fields.len()) };
    document.fields.insert(at.min(document.fields.len()), field);
}

fn rename(document: &mut Document<'_>, at: usize, chance: &mut Rng) {
    let platform = document.platform;
    let field = &mut document.fields[at];
    if platform == Platform::Ios && chance.bool() {
        // The same name, spelled with an escape.
        field.respell(escaped_member(field, chance));
        return;
    }
    let name = if chance.u8(..4) == 0 {
        let rows = rows(platform).len();
        wire_name(platform, chance.usize(..rows)).into_owned()
    } else {
        odd_name(platform, &field.name, chance)
    };
    field.set_name(name);
    field.slot = None;
}

/// The same member, its name spelled with an escape.
fn escaped_member(field: &Field<'_>, chance: &mut Rng) -> Vec<u8> {
    [b"\"", escaped_name(&field.name, chance).as_slice(), b"\":", &field.value].concat()
}

/// `name` with one character as `\u`, in either case of its digits.
fn escaped_name(name: &[u8], chance: &mut Rng) -> Vec<u8> {
    let at = chance.usize(..name.len().max(1)).min(name.len());
    let Some(byte) = name.get(at) else { return Vec::new() };
    let escape = if chance.bool() { format!("\\u{byte:04x}") } else { format!("\\u{byte:04X}") };
    [&name[..at], escape.as_bytes(), &name[at + 1..]].concat()
}

/// A name near `name` that no table has.
fn odd_name(platform: Platform, name: &[u8], chance: &mut Rng) -> Vec<u8> {
    if platform == Platform::Windows {
        let tag =
            u16::from_le_bytes([name.first().copied().unwrap_or_default(), name.get(1).copied().unwrap_or_default()]);
        let tags = [
            0,
            0x13,
            0x14,
            tag | 0x100,
            tag.swap_bytes(),
            tag | 0x8000,
            u16::MAX,
            0x1100,
            tag.wrapping_add(0x12),
            0xFF,
        ];
        return tags[chance.usize(..tags.len())].to_le_bytes().to_vec();
    }
    let text = String::from_utf8_lossy(name).into_owned();
    let without_last: String = text.chars().take(text.chars().count().saturating_sub(1)).collect();
    let forms = [
        text.to_uppercase(),
        text.to_lowercase(),
        format!("{text}s"),
        format!("{text} "),
        format!(" {text}"),
        without_last,
        format!("x{text}"),
        String::new(),
        format!("{text}\0"),
        format!("{text}.x"),
        "jailbroken".into(),
        "X_Y".into(),
        text.replace(['_', '.'], ""),
        format!("{text}_"),
        "__proto__".into(),
        text.replace('/', "//"),
        format!("./{text}"),
        text.trim_start_matches("./").to_owned(),
        "x".into(),
        format!("\u{FEFF}{text}"),
        text.replace('i', "\u{131}"),
        "END".into(),
        "system.name".into(),
    ];
    forms[chance.usize(..forms.len())].clone().into_bytes()
}

/// Takes what is at one row and writes it in other ways, or wrongly; the name stays.
pub fn respell(document: &mut Document<'_>, chance: &mut Rng) {
    let Some(at) = (0..4).find_map(|_| field_at(document, chance).filter(|at| document.fields[*at].slot.is_some()))
    else {
        return;
    };
    let platform = document.platform;
    let field = &mut document.fields[at];
    let Some(slot) = field.slot else { return };
    let wire = slots(platform)[slot].wire;
    if wire == Wire::Object {
        document.change_object(slot, |inner| respell_flat(inner, chance));
    } else {
        let value = crate::doc::respell::value(wire, &field.value, chance);
        field.set_value(value);
    }
}

/// Writes a value in another way that stands for the same, where there is one.
pub fn respell_same(document: &mut Document<'_>, chance: &mut Rng) {
    let platform = document.platform;
    for _ in 0..4 {
        let Some(at) = field_at(document, chance) else { return };
        let Some(slot) = document.fields[at].slot else { continue };
        let value = crate::doc::respell::same(slots(platform)[slot].wire, &document.fields[at].value, chance);
        if value != *document.fields[at].value {
            document.fields[at].set_value(value);
            return;
        }
    }
}

fn respell_flat(document: &mut Document<'_>, chance: &mut Rng) {
    if let Some(at) = field_at(document, chance) {
        let wire = document.fields[at].slot.map_or(Wire::Literal, |slot| slots(document.platform)[slot].wire);
        let value = crate::doc::respell::value(wire, &document.fields[at].value, chance);
        document.fields[at].set_value(value);
    }
}

/// Puts an odd character into a text, or takes one out.
pub fn disturb(document: &mut Document<'_>, chance: &mut Rng) {
    let Some(at) = field_at(document, chance) else { return };
    let Some(slot) = document.fields[at].slot else { return };
    let wire = slots(document.platform)[slot].wire;
    let plain = escape::plain(wire, &document.fields[at].value).into_owned();
    let changed = if chance.bool() { parts::change(&plain, chance) } else { characters(&plain, chance) };
    document.fields[at].set_value(Cow::Owned(escape::wire(wire, &changed)));
}

/// `plain` with one character more, less, or another.
fn characters(plain: &[u8], chance: &mut Rng) -> Vec<u8> {
    let oddities = super::texts::oddities();
    let ascii = [chance.u8(0x20..=0x7E)];
    let odd: &[u8] = if chance.bool() { &ascii } else { &oddities[chance.usize(..oddities.len())] };
    let place = match chance.u8(..4) {
        0 => 0,
        1 => plain.len(),
        _ => chance.usize(..=plain.len()),
    };
    let Some(byte) = plain.get(place).copied() else { return [plain, odd].concat() };
    let (before, behind) = (&plain[..place], &plain[place + 1..]);
    match chance.u8(..6) {
        0 => [before, behind].concat(),
        1 => [before, &[byte, byte], behind].concat(),
        2 => [before, &[byte ^ 0x20], behind].concat(),
        3 => [before, &[byte.wrapping_add(1)], behind].concat(),
        4 => [before, odd, behind].concat(),
        _ => [before, odd, &plain[place..]].concat(),
    }
}
