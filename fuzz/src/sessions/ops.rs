//! Inputs as lists of operations: two bytes of settings, then four bytes each, some with bytes of their own behind them.
//!
//! Fixed widths and a mutator that moves whole operations keep the meaning of what is not changed.

use std::time::Duration;

use fastrand::Rng;

const SETTINGS: usize = 2;
/// Operations that are looked at; more only cost time.
const OPS_MAX: usize = 160;
/// An operation with this bit carries bytes, as many as its last parameter says.
pub(crate) const CARRIES: u8 = 0x80;

/// One operation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Op {
    pub(crate) code: u8,
    pub(crate) a: u8,
    pub(crate) b: u8,
    pub(crate) c: u8,
    pub(crate) bytes: Vec<u8>,
}

impl Op {
    pub(crate) const fn new(code: u8, a: u8, b: u8, c: u8) -> Self {
        Self { code, a, b, c, bytes: Vec::new() }
    }
}

/// The settings and the operations of an input.
pub(crate) fn parse(data: &[u8]) -> Option<([u8; SETTINGS], Vec<Op>)> {
    let (settings, mut rest) = data.split_first_chunk::<SETTINGS>()?;
    let mut ops = Vec::new();
    while let Some(([code, a, b, c], behind)) = rest.split_first_chunk::<4>() {
        let length = if code & CARRIES == 0 { 0 } else { usize::from(*c).min(behind.len()) };
        let (bytes, behind) = behind.split_at(length);
        ops.push(Op { code: code & !CARRIES, a: *a, b: *b, c: *c, bytes: bytes.to_vec() });
        rest = behind;
        if ops.len() == OPS_MAX {
            break;
        }
    }
    Some((*settings, ops))
}

/// The input of settings and operations.
pub(crate) fn input(settings: [u8; SETTINGS], ops: &[Op]) -> Vec<u8> {
    let mut input = settings.to_vec();
    for op in ops {
        if op.bytes.is_empty() {
            input.extend([op.code, op.a, op.b, op.c]);
        } else {
            let length = u8::try_from(op.bytes.len()).unwrap_or(u8::MAX);
            input.extend([op.code | CARRIES, op.a, op.b, length]);
            input.extend_from_slice(&op.bytes[..usize::from(length)]);
        }
    }
    input
}

/// The bit of the first setting by which a conversation begins behind its handshake: what is said then has another meaning,
/// and few mutations of a handshake are one.
pub(crate) const BEGUN: u8 = 0x04;

/// The operations, behind `prelude` if the settings say so.
pub(crate) fn begun(mode: u8, prelude: &[Op], ops: Vec<Op>) -> Vec<Op> {
    if mode & BEGUN == 0 { ops } else { [prelude.to_vec(), ops].concat() }
}

/// Changes whole operations or one parameter; leaves some to libFuzzer.
pub(crate) fn mutate(data: &[u8], max_len: usize, chance: &mut Rng) -> Option<Vec<u8>> {
    let (mut settings, mut ops) = parse(data)?;
    if chance.u8(..) < 24 {
        return None;
    }
    for _ in 0..=chance.u8(..4) {
        if chance.u8(..) < 8 {
            settings[chance.usize(..SETTINGS)] = chance.u8(..);
        } else {
            edit(&mut ops, chance);
        }
    }
    let changed = input(settings, &ops);
    (changed.len() <= max_len).then_some(changed)
}

fn edit(ops: &mut Vec<Op>, chance: &mut Rng) {
    let any = |chance: &mut Rng| Op::new(chance.u8(..32), chance.u8(..), chance.u8(..), chance.u8(..));
    let place = chance.usize(..=ops.len());
    if ops.is_empty() {
        ops.push(any(chance));
        return;
    }
    let at = place.min(ops.len() - 1);
    let end = at + chance.usize(1..=8.min(ops.len() - at));
    match chance.u8(..12) {
        0 | 1 => ops.insert(place, any(chance)),
        2 => drop(ops.drain(at..end)),
        3 => {
            let piece = ops[at..end].to_vec();
            ops.splice(place..place, piece);
        }
        4 => {
            let piece: Vec<Op> = ops.drain(at..end).collect();
            let place = chance.usize(..=ops.len());
            ops.splice(place..place, piece);
        }
        5 => {
            let other = chance.usize(..ops.len());
            ops.swap(at, other);
        }
        6 => ops.truncate(at + 1),
        7 => {
            // The same again with one thing different: what a rule about two frames needs.
            let mut again = ops[at].clone();
            edit_op(&mut again, chance);
            ops.insert(at + 1, again);
        }
        _ => edit_op(&mut ops[at], chance),
    }
}

fn edit_op(op: &mut Op, chance: &mut Rng) {
    let code = op.code;
    let parameter = match chance.u8(..8) {
        0 => &mut op.code,
        1..=3 => &mut op.a,
        4 | 5 => &mut op.b,
        6 => &mut op.c,
        _ => match op.bytes.len() {
            0 => &mut op.c,
            length => &mut op.bytes[chance.usize(..length)],
        },
    };
    *parameter = match chance.u8(..4) {
        0 => parameter.wrapping_add(1),
        1 => parameter.wrapping_sub(1),
        2 => *parameter ^ 1 << chance.u32(..8),
        _ => chance.u8(..),
    };
    if op.code & CARRIES != 0 {
        op.code = code;
    }
}

/// Steps of the clock that rules are about, in milliseconds.
const STEPS: [u64; 16] = [
    1, 999, 1_000, 4_999, 5_000, 9_999, 10_000, 14_999, 15_000, 30_000, 45_000, 59_999, 60_000, 600_000, 2_099_999,
    2_100_000,
];

/// The time after an operation about time: around the next deadline, or a step ahead. Whether the session is told is the
/// caller's: it must not matter.
pub(crate) fn later(op: &Op, now: Duration, deadline: Option<Duration>) -> Duration {
    let deadline = deadline.unwrap_or(now + Duration::from_secs(1));
    let least = Duration::from_nanos(1);
    let later = match op.a % 8 {
        0 => deadline.saturating_sub(least),
        1 => deadline,
        2 => deadline + least,
        3 | 4 => now + Duration::from_millis(STEPS[usize::from(op.b) % STEPS.len()]),
        5 => now + Duration::from_secs(u64::from(op.b)),
        6 => deadline.saturating_sub(Duration::from_millis(u64::from(op.b))),
        _ => deadline + Duration::from_millis(u64::from(op.b) * u64::from(op.c)),
    };
    later.max(now)
}

/// A duration as an owner may give it: with parts of a millisecond, and longer than the wire can say.
pub(crate) fn duration(a: u8, b: u8) -> Duration {
    match a % 4 {
        0 => Duration::from_millis(u64::from(b)),
        1 => Duration::from_secs(u64::from(b)),
        2 => Duration::from_micros(1_000 * u64::from(b) + 999),
        _ => Duration::from_secs(u64::from(b) << 16),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_input_is_its_operations_again() {
        let carrying = Op { bytes: vec![9; 7], c: 7, ..Op::new(4, 1, 2, 0) };
        let ops = vec![Op::new(1, 2, 3, 4), carrying, Op::new(0, 0, 0, 0)];
        assert_eq!(parse(&input([7, 8], &ops)), Some(([7, 8], ops)));
    }
}
