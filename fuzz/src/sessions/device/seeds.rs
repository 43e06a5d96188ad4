//! Conversations, rule by rule.

use super::code;
use crate::sessions::ops::{self, Op, input};

/// Operations as bodies count them.
const REGISTER: u8 = 0;
const AUTH: u8 = 1;
const BACKUP: u8 = 2;
const RESTORE: u8 = 3;
const PING: u8 = 4;
const SYNC: u8 = 5;

const ACCEPTED: Op = Op::new(code::ANSWER, 0, 0, 0);
const GRANTED: Op = Op::new(code::ANSWER, 1, 64, 7);
const REFUSED: Op = Op::new(code::ANSWER, 2, 0, 0);
const LATER: Op = Op::new(code::ANSWER, 3, 0, 9);

/// A request of the first device with this nonce.
const fn ask(operation: u8, nonce: u8) -> Op {
    Op::new(code::REQUEST, operation, nonce, 0)
}

/// A request of another device, or of the first in another spelling.
const fn of(id: u8, operation: u8, nonce: u8) -> Op {
    Op::new(code::REQUEST, 6 * (30 + id) + operation, nonce, 0)
}

/// The clock, by [`crate::sessions::ops::later`].
const fn time(how: u8, step: u8) -> Op {
    Op::new(code::TIME, how, step, 0)
}

const BAD: Op = Op::new(code::REFUSED, 1, 0, 0);
/// A ping as long as a body may be, in pieces.
const LONG: Op = Op::new(code::REFUSED, 244, 201, 2);
const END: Op = Op::new(code::END, 0, 0, 0);
const TO_DEADLINE: Op = time(1, 0);
const BEFORE_DEADLINE: Op = time(0, 0);

fn conversations() -> Vec<Vec<Op>> {
    let signed_in = || vec![ask(AUTH, 0), ACCEPTED];
    let then = |ops: &[Op]| [signed_in(), ops.to_vec()].concat();
    let mut many = signed_in();
    many.extend((1..=8).map(|nonce| ask(PING, nonce)));
    let evicted = [many.clone(), vec![ask(PING, 8), ask(PING, 1), ask(PING, 0), ask(PING, 1), ask(PING, 2)]].concat();
    let mut refusals = signed_in();
    for round in 0..3 {
        refusals.extend([BAD, of(1, PING, 2), ask(SYNC, 10 + round), REFUSED, ask(PING, 20 + round)]);
    }
    let kept = Op { c: 3, ..ask(PING, 1) };
    let pieces = Op { c: 2 | 40 << 2, ..ask(AUTH, 3) };
    let some = Op::new(code::DELIVER, 9, 1, 3);
    let late = Op { b: 5, ..ACCEPTED };
    let drain = Op::new(code::LEAVE, 1, 0, 200);
    vec![
        then(&[ask(PING, 1), ask(BACKUP, 2), GRANTED, ask(RESTORE, 3), LATER, ask(SYNC, 4), REFUSED, END]),
        vec![ask(REGISTER, 0), GRANTED, ask(AUTH, 1), ACCEPTED, ask(PING, 2), Op::new(code::LEAVE, 0, 0, 0)],
        vec![
            ask(REGISTER, 0),
            LATER,
            ask(REGISTER, 1),
            GRANTED,
            ask(AUTH, 2),
            LATER,
            ask(AUTH, 3),
            ACCEPTED,
            ask(PING, 4),
        ],
        then(&[Op::new(code::MANY, 9, 1, 0), ask(BACKUP, 30), Op { b: 6, ..GRANTED }, Op { b: 5, ..REFUSED }]),
        vec![ask(PING, 0)],
        vec![ask(BACKUP, 0)],
        vec![ask(REGISTER, 0), LATER, ask(BACKUP, 1)],
        then(&[of(1, PING, 1), of(2, PING, 2), of(3, BACKUP, 3), of(2, AUTH, 4), ACCEPTED, of(4, AUTH, 5)]),
        then(&[ask(PING, 0)]),
        [many, vec![ask(PING, 0), ask(PING, 3), ask(BACKUP, 9), GRANTED, ask(PING, 9)]].concat(),
        evicted,
        refusals,
        then(&[ask(AUTH, 1), TO_DEADLINE, late.clone(), ask(AUTH, 2), late, ACCEPTED]),
        then(&[ask(BACKUP, 1), ACCEPTED, GRANTED, GRANTED, ask(AUTH, 2), GRANTED, ACCEPTED]),
        then(&[ask(BACKUP, 1), Op::new(code::ANSWER, 1, 7, 1), Op::new(code::ANSWER, 1, 6, 1), GRANTED]),
        vec![kept.clone(), Op { c: 3, ..ask(AUTH, 0) }, Op::new(code::DELIVER, 0, 0, 0)],
        then(&[kept.clone(), Op { c: 3, ..ask(AUTH, 2) }, kept, Op::new(code::DELIVER, 0, 1, 0), ACCEPTED]),
        vec![pieces.clone(), TO_DEADLINE],
        // Bytes alone move no deadline.
        vec![time(3, 2), pieces.clone(), time(3, 2), some.clone(), TO_DEADLINE],
        then(&[time(3, 2), pieces.clone(), time(3, 2), some, TO_DEADLINE]),
        then(&[pieces.clone(), BEFORE_DEADLINE, Op::new(code::DELIVER, 0, 1, 0), LATER]),
        then(&[pieces, TO_DEADLINE]),
        then(&[BEFORE_DEADLINE, ask(PING, 1), BEFORE_DEADLINE, ask(PING, 2), TO_DEADLINE]),
        vec![time(3, 5), ask(REGISTER, 0), GRANTED, time(3, 10), ask(AUTH, 1), time(3, 3), LATER, TO_DEADLINE],
        vec![ask(REGISTER, 0), GRANTED, time(5, 57), ask(AUTH, 1), TO_DEADLINE],
        vec![ask(REGISTER, 0), GRANTED, time(5, 57), Op { c: 2 | 9 << 2, ..ask(AUTH, 1) }, TO_DEADLINE],
        then(&[ask(BACKUP, 1), drain.clone(), GRANTED]),
        then(&[ask(BACKUP, 1), END, drain.clone(), REFUSED]),
        then(&[ask(BACKUP, 1), END, GRANTED]),
        then(&[ask(PING, 1), drain.clone()]),
        then(&[ask(BACKUP, 1), drain, TO_DEADLINE]),
        then(&[Op::new(code::REFUSED, 200, 3, 0)]),
        then(&[LONG, Op { b: 200, ..LONG }, Op { b: 120, c: 2 | 63 << 2, ..LONG }, Op::new(code::DELIVER, 0, 0, 0)]),
        then(&[Op::new(code::CHANGED, PING, 3, 1)]),
        then(&[Op::new(code::CHANGED, PING, 90, 1), ask(PING, 2)]),
        vec![Op { bytes: b"GET / HTTP/1.1\r\n".to_vec(), c: 16, ..Op::new(code::RAW, 0, 0, 0) }],
        then(&[Op { bytes: b"EDG1\x02\x01\0\0\0\0\x40\0".to_vec(), c: 12, ..Op::new(code::RAW, 0, 0, 0) }, END]),
    ]
}

/// The device's side: requests and the replies to them.
fn replies() -> Vec<Vec<Op>> {
    let send = Op::new(code::REQUEST, 30, 7, 0);
    let reply = |kind: u8| Op::new(code::ANSWER, kind - 1, 90, 0);
    let reply_part = Op { c: 3, ..Op::new(code::REFUSED, 3, 9, 3) };
    let changed = |kind: u8, place, by| Op::new(code::ANSWER, 200 + kind - 1, place, by);
    vec![
        [1, 2, 3, 4].iter().flat_map(|kind| [send.clone(), reply(*kind)]).chain([reply(5)]).collect(),
        vec![reply(1)],
        vec![send.clone(), reply(5), reply(1)],
        vec![send.clone(), reply(1), reply(1)],
        vec![send.clone(), send.clone(), reply(2), END],
        vec![send.clone(), BEFORE_DEADLINE, reply(4), send.clone(), TO_DEADLINE],
        vec![send.clone(), time(3, 2), reply_part, Op::new(code::DELIVER, 6, 1, 0), time(3, 2), TO_DEADLINE],
        vec![send.clone(), changed(3, 7, 1)],
        vec![send.clone(), Op { c: 3, ..Op::new(code::REFUSED, 2, 9, 3) }, Op::new(code::DELIVER, 5, 1, 0), END],
        vec![send, Op::new(code::LEAVE, 0, 0, 0)],
    ]
}

/// Real inputs to begin with.
#[must_use]
pub fn seeds() -> Vec<Vec<u8>> {
    let mut seeds = Vec::new();
    for (number, ops) in (0_u8..).zip(conversations()) {
        seeds.push(input([0, 0x80 | (number % 6)], &ops));
        // Android has two spellings of one device.
        seeds.push(input([0, 4], &ops));
        seeds.push(input([3, number % 6], &ops));
        // The same, said by one that has authenticated already.
        seeds.push(input([ops::BEGUN, number % 6], &ops));
    }
    // More questions than a byte counts.
    let many = [vec![Op::new(code::MANY, 63, 0, 0); 4], vec![ask(AUTH, 39), Op { b: 6, ..ACCEPTED }]].concat();
    seeds.push(input([0, 2], &many));
    seeds.extend(replies().iter().map(|ops| input([2, 1], ops)));
    seeds
}
