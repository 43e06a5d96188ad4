//! SPEC §8: preface, enrol, sink and source.

use relay_wire::builtin::{
    Content, EnrolOrder, EnrolReceipt, PREFACE_BYTES_MAX, SinkReceipt, SourceOrder, Status, decode_preface,
    preface as make,
};

use super::{
    ALLOWANCE, FACTOR, ORACLE, compare, disagree,
    layout::{Come, Value, is_name, read_all, write},
    messages::ENROL,
};
use crate::run::bounded;

/// §8.1.1, on what has come: version and length are judged as they arrive.
fn open_preface(come: &[u8]) -> Come<&[u8]> {
    let (version, length, name) = match come {
        [] => return Come::Part,
        [version] => (*version, 1, &[][..]),
        [version, length, name @ ..] => (*version, usize::from(*length), name),
    };
    if version != 1 || length == 0 || length > 63 {
        return Come::Wrong;
    }
    match name.get(..length) {
        None => Come::Part,
        Some(name) if is_name(name) => Come::Whole(name, 2 + length),
        Some(_) => Come::Wrong,
    }
}

pub(crate) fn preface(message: &[u8]) {
    for length in (0..=message.len().min(3)).chain([message.len()]) {
        let come = &message[..length];
        match (decode_preface(come), open_preface(come)) {
            (Ok(None), Come::Part) | (Err(_), Come::Wrong) => {}
            (Ok(Some((service, used))), Come::Whole(name, expected)) => {
                if (service.as_str().as_bytes(), used) != (name, expected) {
                    disagree("preface", "", "another meaning", "this meaning", (service, name));
                } else if make(&service) != come[..expected] || expected > PREFACE_BYTES_MAX {
                    disagree("preface", "", "another encoding", "one encoding", come);
                }
            }
            (theirs, ours) => disagree("preface", "", "another verdict", "this verdict", (theirs, ours)),
        }
    }
}

/// §8.4.1, on what has come.
fn open_enrol(come: &[u8]) -> Come<Vec<Value>> {
    match come {
        [platform, ..] if *platform == 0 || *platform > 6 => return Come::Wrong,
        [_, high, ..] if *high != 0 => return Come::Wrong,
        [_, _, 0, ..] => return Come::Wrong,
        _ => {}
    }
    let Some(length) = come.get(2) else { return Come::Part };
    let total = 3 + usize::from(*length) + 32;
    match come.get(..total).map(|order| read_all(ENROL, order)) {
        None => Come::Part,
        Some(None) => Come::Wrong,
        Some(Some(values)) => Come::Whole(values, total),
    }
}

pub(crate) fn enrol(message: &[u8]) {
    for length in (0..=message.len().min(4)).chain([message.len()]) {
        let come = &message[..length];
        let theirs = bounded(ORACLE, come.len(), FACTOR, ALLOWANCE, || EnrolOrder::decode(come));
        match (theirs, open_enrol(come)) {
            (Ok(None), Come::Part) | (Err(_), Come::Wrong) => {}
            (Ok(Some((order, used))), Come::Whole(values, expected)) => {
                let mut said = compare::device_id(&order.device_id).to_vec();
                said.push(order.proof.as_slice().into());
                let mut ours = Vec::new();
                write(ENROL, &mut values.iter().cloned(), &mut ours);
                if said != values || used != expected {
                    disagree("enrol", "", "another meaning", "this meaning", (said, values));
                } else if order.encode() != come[..expected] || ours != come[..expected] {
                    disagree("enrol", "", "another encoding", "one encoding", come);
                }
            }
            (theirs, ours) => disagree("enrol", "", "another verdict", "this verdict", (theirs, ours)),
        }
    }
}

/// One-byte answers, the sink's receipt, the source's order and content.
pub(crate) fn numbers(message: &[u8]) {
    let Some((byte, rest)) = message.split_first() else { return };
    let status = match byte {
        0 => Some(Status::Ready),
        1 => Some(Status::NotAllowed),
        2 => Some(Status::Unreachable),
        _ => None,
    };
    if Status::from_number(*byte) != status || status.is_some_and(|status| status.number() != *byte) {
        disagree("status", "", "another meaning", "this meaning", byte);
    }
    let receipt = match byte {
        0 => Some(EnrolReceipt::Enrolled),
        1 => Some(EnrolReceipt::Refused),
        _ => None,
    };
    if EnrolReceipt::from_number(*byte) != receipt || receipt.is_some_and(|receipt| receipt.number() != *byte) {
        disagree("enrol receipt", "", "another meaning", "this meaning", byte);
    }
    if let Some(bytes) = rest.first_chunk::<40>() {
        let decoded = SinkReceipt::decode(bytes);
        if decoded.bytes != big_endian(&bytes[..8]) || decoded.sha256 != bytes[8..] || decoded.encode() != *bytes {
            disagree("sink receipt", "", "another meaning", "this meaning", bytes);
        }
    }
    let Some(bytes) = rest.first_chunk::<16>() else { return };
    let (seed, length) = (big_endian(&bytes[..8]), big_endian(&bytes[8..]));
    let ours = (length <= 1 << 40).then_some((seed, length));
    let theirs = SourceOrder::decode(bytes);
    if theirs.map(|order| (order.seed, order.bytes)) != ours || theirs.is_some_and(|order| order.encode() != *bytes) {
        disagree("source order", "", "another meaning", "this meaning", bytes);
    }
    content(seed, &rest[16..]);
}

fn big_endian(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0, |sum, byte| sum << 8 | u64::from(*byte))
}

/// §8.3.2: word by word, in 128 bits. The pieces that it is taken in are the input's.
fn content(seed: u64, pieces: &[u8]) {
    let modulo = |wide: u128| u64::try_from(wide & u128::from(u64::MAX)).unwrap_or(0);
    let times = |a: u64, b: u64| modulo(u128::from(a) * u128::from(b));
    let word = |index: u64| {
        let s = modulo(u128::from(seed) + u128::from(times(index + 1, 0x9e37_79b9_7f4a_7c15)));
        let z = times(s ^ s >> 30, 0xbf58_476d_1ce4_e5b9);
        let z = times(z ^ z >> 27, 0x94d0_49bb_1331_11eb);
        z ^ z >> 31
    };
    let mut stream = Content::new(seed);
    let mut place = 0_u64;
    for piece in pieces.iter().take(8) {
        let mut bytes = vec![0; usize::from(*piece)];
        stream.fill(&mut bytes);
        for byte in bytes {
            let ours = word(place / 8).to_be_bytes()[usize::try_from(place % 8).unwrap_or(0)];
            if byte != ours {
                disagree("content", "", "another byte", "this byte", (seed, place));
            }
            place += 1;
        }
    }
}
