//! Windows: the count, the lengths, what is behind them.

use fastrand::Rng;

use super::put;

/// The places of the length of each field.
fn lengths(body: &[u8]) -> Vec<usize> {
    let mut places = Vec::new();
    let mut at = 2;
    while let Some([_, _, low, high]) = body.get(at..at + 4) {
        places.push(at + 2);
        at += 4 + usize::from(u16::from_le_bytes([*low, *high]));
    }
    places
}

/// One change of a written body.
pub(super) fn change(body: &mut Vec<u8>, chance: &mut Rng) {
    let places = lengths(body);
    let last = places.last().copied().unwrap_or(0);
    let any = chance.choice(&places).copied().unwrap_or(0);
    let (at, step) = match chance.u8(..8) {
        // The count: one off, and off by what a narrow counter would not see.
        0 => (0, [1, u16::MAX, 256, 0x8000, 2][chance.usize(..5)]),
        1 => (any, [1, u16::MAX, 2, u16::MAX - 1, 256, 0x8000, 4][chance.usize(..7)]),
        // The last value shorter than said, longer than said, and bytes behind it.
        2 => (last, [1, u16::MAX, 2, 256, 0x8000][chance.usize(..5)]),
        3 => return body.extend_from_slice(&[0; 4][..chance.usize(1..=4)]),
        4 => return put(body, any.saturating_sub(2), 0, &[0x13, 0, 0, 0]),
        5 => return body.truncate(last + chance.usize(..3)),
        6 => return put(body, any + 2, 2, b""),
        _ => return put(body, any, 2, b"\xFF\xFF"),
    };
    if let Some([low, high]) = body.get(at..at + 2).map(|pair| [pair[0], pair[1]]) {
        let changed = u16::from_le_bytes([low, high]).wrapping_add(step).to_le_bytes();
        put(body, at, 2, &changed);
    }
}
