//! Mutations that keep a message a message: a field changed and all lengths right, or one length wrong.

use fastrand::Rng;

use super::{
    Family,
    layout::{Come, Field, Value, bounds, read_all, write},
    messages::{self, CONTROL, DATA, ENROL, GRANT_FIELDS, Message, REPLY},
};

/// Numbers at which something changes.
const NUMBERS: [u64; 12] = [0, 1, 2, 3, 15, 16, 17, 0xff, 0x100, 0xffff, 0xffff_ffff, u64::MAX];
/// Bytes at which a name, a text or a flag changes.
const BYTES: &[u8] = b"-az09AZ_.\0\x7f\x80\xc0\xed\xff";

/// Changes one thing about the message, keeping its lengths right more often than not; leaves a third to libFuzzer.
#[must_use]
pub fn mutate(input: &[u8], max_len: usize, chance: &mut Rng) -> Option<Vec<u8>> {
    let (first, message) = input.split_first()?;
    if chance.u8(..) < 80 {
        return None;
    }
    let family = Family::of(*first);
    let changed = match family {
        Family::Reply => framed(messages::open_reply(message), REPLY, messages::seal_reply, 8, message, chance),
        Family::Control => {
            let seal = |message: &Message| messages::seal(CONTROL, message);
            framed(messages::open(CONTROL, message), CONTROL, seal, 1, message, chance)
        }
        Family::Data => {
            let seal = |message: &Message| messages::seal(DATA, message);
            framed(messages::open(DATA, message), DATA, seal, 1, message, chance)
        }
        Family::Grant => fields(GRANT_FIELDS, message, chance),
        Family::Enrol => fields(ENROL, message, chance),
        Family::Opening | Family::Preface | Family::Builtins | Family::Names | Family::Proofs | Family::Times => {
            let mut bytes = message.to_vec();
            edit_bytes(&mut bytes, chance);
            bytes
        }
    };
    let mut input = vec![*first];
    input.extend(changed);
    (input.len() <= max_len).then_some(input)
}

/// A frame: one value changed and sealed again, or its body changed and its length (at `place`) put right.
fn framed(
    come: Come<Message>,
    table: &messages::Table,
    seal: impl Fn(&Message) -> Vec<u8>,
    place: usize,
    bytes: &[u8],
    chance: &mut Rng,
) -> Vec<u8> {
    if let Come::Whole(mut message, length) = come
        && chance.u8(..) < 160
    {
        if chance.u8(..) < 16 {
            message = any(table, chance);
        }
        edit_values(&mut message.values, chance);
        let mut sealed = seal(&message);
        if chance.bool() {
            sealed.extend_from_slice(&bytes[length..]);
        }
        return sealed;
    }
    let mut changed = bytes.to_vec();
    if chance.u8(..) < 32 {
        announce(table, place, &mut changed, chance);
        return changed;
    }
    edit_bytes(&mut changed, chance);
    if let Some(body) = changed.len().checked_sub(place + 4)
        && chance.u8(..) < 192
    {
        let length =
            u32::try_from(body).unwrap_or(0).wrapping_add(if chance.u8(..) < 32 { chance.u32(..3) } else { 0 });
        changed[place..place + 4].copy_from_slice(&length.to_be_bytes());
    }
    changed
}

/// A header alone that announces as much as its kind may have, or one more or less.
fn announce(table: &messages::Table, place: usize, bytes: &mut Vec<u8>, chance: &mut Rng) {
    let (kind, fields) = table[chance.usize(..table.len())];
    let (least, most) = bounds(fields);
    let length = [least, least.wrapping_sub(1), most, most + 1][chance.usize(..4)];
    bytes.resize(place, 0);
    if let Some(at) = bytes.get_mut(if place == 1 { 0 } else { 4 }) {
        *at = kind;
    }
    bytes.extend(u32::try_from(length).unwrap_or(u32::MAX).to_be_bytes());
}

/// A message of any kind, with short values.
fn any(table: &messages::Table, chance: &mut Rng) -> Message {
    let (kind, fields) = table[chance.usize(..table.len())];
    let mut values = Vec::new();
    make(fields, chance, &mut values);
    Message::new(kind, values)
}

/// Values that `fields` allow.
pub(crate) fn make(fields: &[Field], chance: &mut Rng, values: &mut Vec<Value>) {
    let name = |chance: &mut Rng| Value::Bytes(std::iter::repeat_with(|| chance.lowercase() as u8).take(3).collect());
    for field in fields {
        match *field {
            Field::Number { least, most, .. } => values.push(Value::Number(chance.u64(least..=most))),
            Field::Fixed(bytes) => values.push(Value::Bytes(vec![chance.u8(..); bytes])),
            Field::Bytes { least, most } => {
                let length = chance.usize(least..=most.min(least + 40));
                values.push(Value::Bytes(vec![chance.u8(..); length]));
            }
            Field::Text { least, most } => {
                let length = chance.usize(least..=most.min(least + 40));
                values.push(Value::Bytes(vec![chance.u8(0x20..0x7f); length]));
            }
            Field::Name => values.push(name(chance)),
            Field::Choice(choices) => {
                let (tag, fields) = choices[chance.usize(..choices.len())];
                values.push(Value::Number(tag.into()));
                make(fields, chance, values);
            }
            Field::Names => {
                let mut names: Vec<Value> = (0..chance.u64(1..5)).map(|_| name(chance)).collect();
                names.sort_by(|a, b| a.bytes().cmp(b.bytes()));
                values.push(Value::Number(names.len() as u64));
                values.extend(names);
            }
        }
    }
}

fn fields(table: &[Field], bytes: &[u8], chance: &mut Rng) -> Vec<u8> {
    let values = read_all(table, bytes).filter(|_| chance.u8(..) < 200);
    let Some(mut values) = values else {
        let mut changed = bytes.to_vec();
        edit_bytes(&mut changed, chance);
        return changed;
    };
    if chance.u8(..) < 32 {
        values.clear();
        make(table, chance, &mut values);
    }
    if chance.u8(..) < 16 {
        fill(&mut values, table, chance);
    } else if values.len() >= GRANT_FIELDS.len() && chance.u8(..) < 64 {
        edit_services(&mut values, chance);
    } else {
        edit_values(&mut values, chance);
    }
    let mut changed = Vec::new();
    write(table, &mut values.into_iter(), &mut changed);
    if chance.u8(..) < 16 {
        changed.push(chance.u8(..));
    }
    changed
}

/// A grant's services: one more, one less, one twice or in another place, and the count right.
fn edit_services(values: &mut Vec<Value>, chance: &mut Rng) {
    // Behind the device's key, if there is one, stand the user and the operation.
    let scope = 4 + usize::from(values[4] == Value::Number(1)) + 3;
    if values[scope] != Value::Number(1) {
        values[scope] = Value::Number(1);
        values.insert(scope + 1, Value::Number(0));
    }
    let first = scope + 2;
    let count = usize::try_from(values[scope + 1].number()).unwrap_or(0);
    let mut names: Vec<Value> = values.drain(first..(first + count).min(values.len())).collect();
    let place = chance.usize(..=names.len());
    let name = Value::Bytes(vec![chance.u8(b'a'..=b'z'), chance.u8(b'0'..=b'9')]);
    match chance.u8(..5) {
        0 => names.insert(place, name),
        1 => {
            names.push(name);
            names.sort_by(|a, b| a.bytes().cmp(b.bytes()));
        }
        2 if place < names.len() => drop(names.remove(place)),
        3 if place < names.len() => names.insert(place, names[place].clone()),
        _ => names.reverse(),
    }
    values[scope + 1] = Value::Number(names.len() as u64);
    values.splice(first..first, names);
}

/// Lengthens one value until the whole is as long as a grant may be, or one byte more.
fn fill(values: &mut [Value], table: &[Field], chance: &mut Rng) {
    let mut whole = Vec::new();
    write(table, &mut values.iter().cloned(), &mut whole);
    let room = (messages::GRANT_BYTES_MAX + chance.usize(..2)).saturating_sub(whole.len());
    let place = chance.usize(..values.len());
    match values.iter_mut().skip(place).find(|value| !value.bytes().is_empty()) {
        Some(Value::Bytes(bytes)) => bytes.resize(bytes.len() + room, b'a'),
        Some(Value::Number(_)) | None => {}
    }
}

fn edit_values(values: &mut Vec<Value>, chance: &mut Rng) {
    if values.is_empty() {
        return;
    }
    let place = chance.usize(..values.len());
    match chance.u8(..16) {
        0 => values.insert(place, values[chance.usize(..values.len())].clone()),
        1 => drop(values.remove(place)),
        // The same twice: what is forbidden of names in a row.
        2 | 3 => {
            let other = chance.usize(..values.len());
            values[place] = values[other].clone();
        }
        4 => {
            let other = chance.usize(..values.len());
            values.swap(place, other);
        }
        _ => match &mut values[place] {
            Value::Number(number) => *number = edit_number(*number, chance),
            Value::Bytes(bytes) => edit_bytes(bytes, chance),
        },
    }
}

fn edit_number(number: u64, chance: &mut Rng) -> u64 {
    match chance.u8(..5) {
        0 => number.wrapping_add(1),
        1 => number.wrapping_sub(1),
        2 => number ^ 1 << chance.u32(..64),
        3 => NUMBERS[chance.usize(..NUMBERS.len())],
        _ => chance.u64(..) >> chance.u32(..64),
    }
}

/// Changes, lengthens or shortens; the lengths it aims at are those of §3.1.
pub(crate) fn edit_bytes(bytes: &mut Vec<u8>, chance: &mut Rng) {
    let place = chance.usize(..=bytes.len());
    let byte = if chance.bool() { BYTES[chance.usize(..BYTES.len())] } else { chance.u8(..) };
    match chance.u8(..9) {
        0 => bytes.insert(place, byte),
        1 if place < bytes.len() => drop(bytes.remove(place)),
        2 => {
            let length = [0, 1, 16, 32, 63, 64, 255, 256, 2_048, 2_049][chance.usize(..10)];
            let last = bytes.last().copied().unwrap_or(b'a');
            bytes.resize(length, last);
        }
        3 => bytes.truncate(place),
        4 if place < bytes.len() => bytes[place] ^= 1 << chance.u32(..8),
        5 if place < bytes.len() => bytes[place] = bytes[place].wrapping_add(if chance.bool() { 1 } else { 255 }),
        6 => {
            let end = (place + chance.usize(..8)).min(bytes.len());
            let piece = bytes[place..end].to_vec();
            bytes.splice(place..place, piece);
        }
        7 => {
            // One letter's case, or that of all from there on.
            let end = if chance.bool() { bytes.len() } else { (place + 1).min(bytes.len()) };
            for letter in bytes[place..end].iter_mut().filter(|byte| byte.is_ascii_alphabetic()) {
                *letter ^= 0x20;
            }
        }
        _ => match bytes.get_mut(place) {
            Some(at) => *at = byte,
            None => bytes.push(byte),
        },
    }
}
