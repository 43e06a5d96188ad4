//! Conversations of a control connection, rule by rule.

use super::{code, model::kind};
use crate::sessions::ops::{self, Op, input};

/// A frame that is delivered at once.
const fn frame(kind: u8, b: u8, c: u8) -> Op {
    Op::new(code::FRAME, kind - 1, b, c)
}

/// A frame that waits for the next one.
const fn kept(kind: u8, b: u8, c: u8) -> Op {
    Op::new(code::FRAME_TOO, kind - 1, b | 3, c)
}

const fn say(word: u8, b: u8, c: u8) -> Op {
    Op::new(code::SAY, word, b, c)
}

const fn time(how: u8, step: u8) -> Op {
    Op::new(code::TIME, how, step, 0)
}

const TRUST: Op = Op::new(code::OWNER, 2, 4, 4);
const DISTRUST: Op = Op::new(code::OWNER, 1, 0, 0);
const OVER: Op = Op::new(code::OWNER, 0, 0, 0);
const END: Op = Op::new(code::END, 0, 0, 0);
const BEFORE: Op = time(0, 0);
const DUE: Op = time(1, 0);
const FLUSH: Op = Op::new(code::DELIVER, 0, 1, 0);

/// Both sides' conversations begin so; `first` is the frame that the peer begins with.
fn openings(first: u8) -> Vec<Vec<Op>> {
    let hello = frame(first, 8, 4);
    let up = |ops: &[Op]| [vec![hello.clone(), TRUST], ops.to_vec()].concat();
    let part = Op { c: 3, bytes: vec![kind::PING, 0, 0], ..Op::new(code::RAW, 0, 0, 0) };
    let mut all = vec![
        vec![hello.clone(), DISTRUST],
        vec![BEFORE, hello.clone(), DUE],
        vec![DUE],
        vec![frame(kind::PING, 0, 0)],
        vec![kept(first, 8, 4), kept(kind::PING, 0, 0), FLUSH, TRUST],
        vec![hello.clone(), frame(kind::PING, 0, 0), TRUST],
        vec![hello.clone(), END],
        up(&[frame(kind::PING, 0, 0), frame(kind::PONG, 0, 0), BEFORE, DUE, DUE, DUE, DUE]),
        up(&[DUE, frame(kind::PONG, 0, 0), DUE, DUE, frame(kind::PING, 0, 0), BEFORE, DUE]),
        // Bytes alone are no life sign, and move no deadline.
        up(&[time(3, 2), part.clone(), DUE, DUE, DUE, DUE]),
        vec![time(3, 2), kept(first, 8, 4), Op::new(code::DELIVER, 9, 1, 0), time(3, 2), DUE],
        up(&[frame(kind::LEAVE, 0, 0), frame(kind::PING, 0, 0), frame(kind::LEAVE, 0, 0)]),
        up(&[say(2, 0, 0), say(2, 0, 0), say(0, 1, 1), END]),
        up(&[say(0, 1, 3), say(1, 2, 0), say(0, 2, 1), say(0, 3, 2), say(1, 0, 0), OVER]),
        up(std::slice::from_ref(&hello)),
        up(&[part, END]),
        up(&[Op::new(code::CHANGED, kind::PING - 1, 4, 1)]),
        vec![OVER],
    ];
    for kind in 1..=9 {
        all.push(up(&[frame(kind, 5, 6), frame(kind, 6, 7), DUE]));
        all.push(up(&[kept(kind, 4, 2), kept(kind::PING, 0, 0), FLUSH]));
        all.push(vec![frame(kind, 1, 1)]);
    }
    all
}

/// Both sides joined: sayings of the edge and of the backend, and the clock.
fn joined() -> Vec<Vec<Op>> {
    let to_both = |c| Op::new(code::OWNER, 2, 4, c);
    let up = vec![FLUSH, to_both(0), to_both(1)];
    let back = |word, b, c| Op::new(code::SAY_TOO, word, b, c);
    let then = |ops: &[Op]| [up.clone(), ops.to_vec()].concat();
    vec![
        then(&[say(0, 1, 4), back(0, 1, 3), say(1, 2, 0), back(1, 4, 0), DUE, DUE, DUE, DUE, DUE]),
        then(&[say(2, 0, 0), back(2, 0, 0), say(0, 0, 1), back(0, 0, 0), Op::new(code::OWNER, 0, 0, 0)]),
        then(&[say(0, 3, 9), back(0, 3, 2), Op::new(code::DELIVER, 7, 1, 9), say(0, 0, 1), END]),
    ]
}

/// Real inputs to begin with.
#[must_use]
pub fn seeds() -> Vec<Vec<u8>> {
    let mut seeds = Vec::new();
    for ops in openings(kind::HELLO) {
        seeds.push(input([0, 0], &ops));
        seeds.push(input([ops::BEGUN, 0], &ops));
    }
    for ops in openings(kind::WELCOME) {
        // A storage node, and a master that takes again what it could not.
        seeds.push(input([1, 1], &ops));
        seeds.push(input([1, 0x80], &ops));
        seeds.push(input([ops::BEGUN + 1, 0], &ops));
    }
    for ops in joined() {
        seeds.push(input([2, 0], &ops));
        seeds.push(input([2, 1], &ops));
    }
    seeds
}
