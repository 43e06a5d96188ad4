//! Conversations of a data connection, rule by rule.

use super::code;
use crate::sessions::ops::{Op, input};

const HELLO: u8 = 0;
const PARKED: u8 = 1;
const ASSIGN: u8 = 2;

/// A frame that is delivered at once.
const fn frame(kind: u8, b: u8, c: u8) -> Op {
    Op::new(code::FRAME, kind, b, c)
}

/// A frame that waits for the next one.
const fn kept(kind: u8) -> Op {
    Op::new(code::FRAME, kind + 9, 5, 9)
}

const fn say(word: u8) -> Op {
    Op::new(code::SAY, word, 7, 40)
}

const END: Op = Op::new(code::END, 0, 0, 0);
const DUE: Op = Op::new(code::TIME, 1, 0, 0);
const BEFORE: Op = Op::new(code::TIME, 0, 0, 0);
const WHOLE: Op = Op::new(code::DELIVER, 0, 0, 0);
const BYTES: Op = Op::new(code::DELIVER, 0, 1, 0);
const RAW: Op = Op { code: code::RAW, a: 0, b: 0, c: 1, bytes: Vec::new() };

fn edge() -> Vec<Vec<Op>> {
    let hello = frame(HELLO, 4, 1);
    vec![
        vec![hello.clone(), say(2), BEFORE, DUE, say(5)],
        vec![hello.clone(), say(1)],
        vec![hello.clone(), say(5), say(2), say(2), say(0)],
        vec![BEFORE, hello.clone(), DUE],
        vec![hello.clone(), END],
        vec![hello.clone(), say(2), END],
        vec![hello.clone(), frame(HELLO, 0, 0), say(2)],
        vec![kept(HELLO), Op { bytes: vec![0], ..RAW }, WHOLE],
        vec![hello, say(2), Op { bytes: vec![0x17], ..RAW }, say(5)],
        vec![frame(PARKED, 0, 0)],
        vec![frame(ASSIGN, 0, 0)],
        vec![kept(HELLO), Op::new(code::DELIVER, 30, 1, 0), END],
        vec![kept(HELLO), BEFORE, Op::new(code::DELIVER, 30, 1, 0), DUE],
        vec![Op::new(code::CHANGED, HELLO, 5, 3)],
    ]
}

fn backend() -> Vec<Vec<Op>> {
    let parked = frame(PARKED, 4, 1);
    vec![
        vec![parked.clone(), say(2), DUE, frame(ASSIGN, 9, 200)],
        vec![parked.clone(), say(1)],
        vec![kept(PARKED), kept(ASSIGN), WHOLE, say(2), WHOLE],
        vec![parked.clone(), say(2), kept(ASSIGN), Op { bytes: vec![0x16], ..RAW }, WHOLE],
        vec![parked.clone(), say(2), kept(ASSIGN), BYTES, Op { bytes: vec![0x16], ..RAW }],
        vec![parked.clone(), say(2), kept(ASSIGN), Op::new(code::DELIVER, 20, 0, 0), END],
        vec![parked.clone(), frame(PARKED, 4, 1), say(2), WHOLE],
        vec![parked.clone(), say(2), frame(HELLO, 0, 0)],
        vec![frame(ASSIGN, 1, 1)],
        vec![BEFORE, parked.clone(), DUE],
        vec![kept(PARKED), BEFORE, Op::new(code::DELIVER, 30, 1, 0), DUE],
        vec![parked.clone(), say(2), END],
        vec![parked, say(2), Op::new(code::CHANGED, ASSIGN, 24, 8)],
    ]
}

fn joined() -> Vec<Vec<Op>> {
    let trust = Op::new(code::SAY_TOO, 2, 0, 0);
    vec![
        vec![WHOLE, WHOLE, say(2), WHOLE, trust.clone(), DUE, say(5), WHOLE],
        vec![BYTES, Op::new(code::DELIVER, 9, 1, 1), say(2), Op::new(code::DELIVER, 0, 1, 1), trust, say(7), BYTES],
    ]
}

/// Real inputs to begin with.
#[must_use]
pub fn seeds() -> Vec<Vec<u8>> {
    let mut seeds: Vec<Vec<u8>> = edge().iter().map(|ops| input([0, 0], ops)).collect();
    for ops in backend() {
        seeds.push(input([1, 1], &ops));
        seeds.push(input([1, 0x80], &ops));
    }
    seeds.extend(joined().iter().map(|ops| input([2, 2], ops)));
    seeds
}
