//! Mutations that keep a ClientHello one: a field changed and all lengths right, or the records cut anew.

use fastrand::Rng;

use super::{
    layout::{ALPN, HEADER, Message, Read, SERVER_NAME, alpn, host_name, protocols, read, records, server_name},
    seeds::hello,
};
use crate::frames::edit_bytes;

const NAMES: [&[u8]; 7] = [
    b"sallyport/device",
    b"sallyport/control",
    b"sallyport/data",
    b"sallyport/tunnel",
    b"sallyport/devic",
    b"Sallyport/device",
    b"h2",
];

/// Changes one thing about the hello; leaves a third to libFuzzer.
#[must_use]
pub fn mutate(input: &[u8], max_len: usize, chance: &mut Rng) -> Option<Vec<u8>> {
    let (cut, stream) = input.split_first()?;
    if chance.u8(..) < 80 {
        return None;
    }
    let Read::Message { message, end } = read(stream) else { return None };
    let behind = &stream[end..];
    let version = stream.get(2).copied().unwrap_or(1);
    let mut size = usize::from(u16::from_be_bytes([stream[3], stream[4]]));
    let mut message = Message::parse(&message)
        .map(|mut message| {
            edit(&mut message, chance);
            message.write()
        })
        .unwrap_or(message);
    match chance.u8(..16) {
        0 => size = chance.usize(1..64),
        1 => size = 16_384,
        2 => edit_bytes(&mut message, chance),
        3 => message = hello(&[NAMES[chance.usize(..NAMES.len())]], None, chance.bool()).write(),
        _ => {}
    }
    let mut stream = records(&message, version, size);
    if !stream.is_empty() && chance.u8(..) < 32 {
        let place = chance.usize(..stream.len().min(HEADER * 4));
        stream[place] = stream[place].wrapping_add(chance.u8(1..4));
    }
    stream.extend_from_slice(behind);
    if chance.u8(..) < 16 {
        stream.extend(std::iter::repeat_n(chance.u8(..), chance.usize(..40)));
    }
    let mut input = vec![if chance.bool() { *cut } else { chance.u8(..) }];
    input.extend(stream);
    (input.len() <= max_len).then_some(input)
}

fn edit(message: &mut Message, chance: &mut Rng) {
    match chance.u8(..12) {
        0 => edit_bytes(&mut message.session, chance),
        1 => edit_bytes(&mut message.suites, chance),
        2 => edit_bytes(&mut message.compressions, chance),
        3 => message.extensions = None,
        4 => {
            let at = chance.usize(..2);
            message.version[at] = chance.u8(..);
        }
        _ => edit_extensions(message.extensions.get_or_insert_default(), chance),
    }
}

fn edit_extensions(extensions: &mut Vec<(u16, Vec<u8>)>, chance: &mut Rng) {
    let Some(place) = (!extensions.is_empty()).then(|| chance.usize(..extensions.len())) else {
        extensions.push((ALPN, alpn(&[NAMES[chance.usize(..NAMES.len())]])));
        return;
    };
    match chance.u8(..10) {
        0 => drop(extensions.remove(place)),
        1 => {
            let again = extensions[chance.usize(..extensions.len())].clone();
            extensions.insert(place, again);
        }
        2 => {
            let other = chance.usize(..extensions.len());
            extensions.swap(place, other);
        }
        3 => extensions[place].0 = chance.u16(..64),
        4 => edit_bytes(&mut extensions[place].1, chance),
        5 | 6 => {
            let host = extensions.iter().position(|(kind, _)| *kind == SERVER_NAME);
            let place = host.unwrap_or(place);
            let name = host_name(&extensions[place].1).unwrap_or_default();
            extensions[place] = (SERVER_NAME, server_name(&edit_name(name, chance)));
        }
        _ => {
            let offer = extensions.iter().position(|(kind, _)| *kind == ALPN);
            let place = offer.unwrap_or(place);
            let mut names = protocols(&extensions[place].1).unwrap_or_default();
            edit_names(&mut names, chance);
            let names: Vec<&[u8]> = names.iter().map(Vec::as_slice).collect();
            extensions[place] = (ALPN, alpn(&names));
        }
    }
}

fn edit_name(mut name: Vec<u8>, chance: &mut Rng) -> Vec<u8> {
    match chance.u8(..4) {
        0 => {
            let digits = std::iter::repeat_with(|| char::from(b"0123456789abcdefABCDEFg"[chance.usize(..23)])).take(32);
            (digits.collect::<String>() + ".tunnel.sallyport").into_bytes()
        }
        1 => name.to_ascii_uppercase(),
        _ => {
            edit_bytes(&mut name, chance);
            name
        }
    }
}

fn edit_names(names: &mut Vec<Vec<u8>>, chance: &mut Rng) {
    let place = chance.usize(..=names.len());
    let mut any = NAMES[chance.usize(..NAMES.len())].to_vec();
    match chance.u8(..4) {
        0 => any.push(b"2/\0e"[chance.usize(..4)]),
        1 => any.insert(0, b"/sx"[chance.usize(..3)]),
        _ => {}
    }
    match chance.u8(..5) {
        0 | 1 => names.insert(place, any),
        2 if place < names.len() => drop(names.remove(place)),
        3 if place < names.len() => edit_bytes(&mut names[place], chance),
        _ => names.reverse(),
    }
}
