//! The device connection: the edge's side, the device's side, and both joined.

use std::{
    sync::{Arc, LazyLock},
    time::Duration,
};

use relay_wire::{
    Validator,
    grant::SignedGrant,
    ids::Token,
    session::device::{self as real, DeviceSide, EdgeSide},
    time::Timestamp,
};

use super::{
    host::{Host, Model},
    ops::{self, Op},
    wire::Wire,
};
use crate::frames::{
    layout::{Come, Value},
    messages::{Message, open_reply, opening, seal_reply},
};

pub(crate) mod bodies;
pub(crate) mod client;
pub(crate) mod edge;
pub(crate) mod edge_kind;
mod joined;
mod seeds;

pub use seeds::seeds;

use client::{ClientKind, ClientModel};
use edge::{Answer, EdgeModel};
use edge_kind::EdgeKind;
use joined::joined;

const ORACLE: &str = "device_session";
/// When a connection is accepted: nothing starts at the clock's origin.
const ACCEPTED: Duration = Duration::from_secs(1_000);

static VALIDATOR: LazyLock<Arc<Validator>> = LazyLock::new(|| Arc::new(Validator::default()));

/// An answer in relay-wire's words.
fn answer(answer: &Answer) -> real::Answer {
    match answer {
        Answer::Accepted => real::Answer::Accepted,
        Answer::Refused => real::Answer::Refused,
        Answer::Later(after) => real::Answer::Later(*after),
        Answer::Granted { grant, signature, token } => real::Answer::Granted {
            grant: SignedGrant { grant: grant.clone(), signature: *signature },
            token: Token::new(*token),
        },
    }
}

/// A reply in a word.
fn reply_word(bytes: &[u8]) -> String {
    match open_reply(bytes) {
        Come::Whole(reply, length) if length == bytes.len() => {
            let words = ["", "Accepted", "Refused", "Later", "Tunnel", "Draining"];
            words.get(usize::from(reply.kind)).copied().unwrap_or_default().to_owned()
        }
        Come::Whole(..) | Come::Part | Come::Wrong => "what is no reply".to_owned(),
    }
}

/// Operations by their code.
mod code {
    /// How many; what is none of the others calls the timer, early or late.
    pub(super) const COUNT: u8 = 13;
    /// A valid request: a operation and id, b nonce, c delivery.
    pub(super) const REQUEST: u8 = 0;
    /// The same.
    pub(super) const REQUEST_TOO: u8 = 1;
    /// A refused body, a request in another platform's format, or a long body.
    pub(super) const REFUSED: u8 = 2;
    /// A valid request with the byte at b changed by c.
    pub(super) const CHANGED: u8 = 3;
    /// The operation's own bytes.
    pub(super) const RAW: u8 = 4;
    /// Offers what has come: a bytes (0: all), in one piece or byte by byte (b odd).
    pub(super) const DELIVER: u8 = 5;
    /// The owner's answer: a what, b to which question, c its numbers.
    pub(super) const ANSWER: u8 = 6;
    /// Revoke or drain.
    pub(super) const LEAVE: u8 = 7;
    /// The end of the peer's stream.
    pub(super) const END: u8 = 8;
    /// The clock; told to the session unless a is over 127.
    pub(super) const TIME: u8 = 9;
    /// The same.
    pub(super) const TIME_TOO: u8 = 10;
    /// Many questions in a row, each answered: for counters that wrap.
    pub(super) const MANY: u8 = 11;
}

/// A device that authenticates, and is accepted.
const SIGNED_IN: [Op; 2] = [Op::new(code::REQUEST, 1, 39, 0), Op::new(code::ANSWER, 0, 0, 0)];

/// Runs an input.
pub(crate) fn run(data: &[u8]) {
    let Some(([mode, settings], ops)) = ops::parse(data) else { return };
    let platform = 1 + settings % 6;
    let ops = ops::begun(mode, &SIGNED_IN, ops);
    match mode % 4 {
        0 | 1 => EdgeRun::new(platform, settings & 0x80 != 0).run(&ops),
        2 => device_alone(platform, &ops),
        _ => joined(platform, &ops),
    }
}

fn edge_host() -> Host<EdgeKind> {
    let real = EdgeSide::new(Arc::clone(&VALIDATOR), Timestamp::from_origin(ACCEPTED));
    let model = EdgeModel::new(Arc::clone(&VALIDATOR), ACCEPTED);
    Host::new(ORACLE, EdgeKind::default(), real, model)
}

/// A frame with a valid body of operation and id `a` and nonce `b`.
fn request(platform: u8, a: u8, b: u8) -> Vec<u8> {
    let operation = usize::from(a) % bodies::OPERATIONS.len();
    let id = match usize::from(a) / bodies::OPERATIONS.len() {
        // Most requests are the first device's.
        0..=24 => 0,
        other => other % bodies::IDS,
    };
    framed(platform, &bodies::valid(platform, operation, id, 1 + b % 40))
}

fn framed(platform: u8, body: &[u8]) -> Vec<u8> {
    let mut frame = opening(platform, u32::try_from(body.len()).unwrap_or(u32::MAX)).to_vec();
    frame.extend_from_slice(body);
    frame
}

/// What an answer operation means; if it says so, what fits the question.
fn answer_of(op: &Op, asked: Option<bool>) -> Answer {
    let kind = match asked {
        Some(auth) if op.a >= 128 => u8::from(!auth),
        Some(_) | None => op.a % 4,
    };
    match kind {
        0 => Answer::Accepted,
        1 => Answer::Granted {
            grant: vec![op.c; 1 + usize::from(op.b)],
            signature: [op.c ^ 1; 64],
            token: [op.c ^ 2; 16],
        },
        2 => Answer::Refused,
        _ => Answer::Later(ops::duration(op.a >> 2, op.c)),
    }
}

/// Which question: mostly the last, else one of those before, or one that was never asked.
fn question_of(op: &Op, asked: usize) -> usize {
    match op.b % 8 {
        0..=4 => asked.wrapping_sub(1),
        5 => asked.wrapping_sub(2),
        6 => 0,
        _ => asked + usize::from(op.b / 8),
    }
}

/// The edge's side alone.
struct EdgeRun {
    host: Host<EdgeKind>,
    wire: Wire,
    now: Duration,
    platform: u8,
    /// What could not be taken is offered again after every call, as the driver does it.
    eager: bool,
}

impl EdgeRun {
    fn new(platform: u8, eager: bool) -> Self {
        Self { host: edge_host(), wire: Wire::default(), now: ACCEPTED, platform, eager }
    }

    fn run(&mut self, ops: &[Op]) {
        let mut after_close = 0;
        for op in ops {
            self.step(op);
            if self.eager && self.host.model.wants() && op.c % 4 != 3 {
                self.wire.deliver(&mut self.host, 0, self.now);
            }
            after_close += u32::from(self.host.model.closed().is_some());
            // A few calls to one that is over: it says its close again and nothing else.
            if after_close > 4 {
                return;
            }
        }
    }

    fn step(&mut self, op: &Op) {
        let now = self.now;
        match op.code % code::COUNT {
            code::REQUEST | code::REQUEST_TOO => {
                self.wire.put(&request(self.platform, op.a, op.b));
                self.wire.deliver(&mut self.host, op.c, now);
            }
            code::REFUSED => {
                let frame = match op.a {
                    0..192 => framed(self.platform, bodies::refused(self.platform, usize::from(op.a))),
                    192..240 => request(1 + op.b % 6, op.a, op.b),
                    240.. => {
                        let operation = usize::from(op.a) % bodies::OPERATIONS.len();
                        let which = usize::from(op.b / 40);
                        framed(self.platform, &bodies::long(self.platform, operation, 1 + op.b % 40, which))
                    }
                };
                self.wire.put(&frame);
                self.wire.deliver(&mut self.host, op.c, now);
            }
            code::CHANGED => {
                let mut frame = request(self.platform, op.a, op.a);
                let body = frame.len() - 12;
                let place = usize::from(op.b);
                // The header byte by byte; the body in as many steps as are left.
                let place = if place < 12 { place } else { 12 + (place - 12) * body / 244 };
                frame[place] ^= op.c;
                self.wire.put(&frame);
                self.wire.deliver(&mut self.host, 0, now);
            }
            code::RAW => {
                self.wire.put(&op.bytes);
                self.wire.deliver(&mut self.host, op.b, now);
            }
            code::DELIVER => {
                let count = if op.a == 0 { usize::MAX } else { usize::from(op.a) };
                self.wire.offer(&mut self.host, count, op.b & 1 == 1, now);
            }
            code::ANSWER => {
                let question = question_of(op, self.host.model.asked);
                let answer = answer_of(op, self.host.model.asks_auth());
                self.host.command(&edge::Command::Answer { question, answer }, now);
            }
            code::LEAVE => {
                let drain = edge::Command::Drain(ops::duration(op.b, op.c));
                self.host.command(if op.a.is_multiple_of(4) { &edge::Command::Revoke } else { &drain }, now);
            }
            code::END => {
                self.wire.ended = true;
                self.host.end(now);
            }
            code::TIME | code::TIME_TOO => {
                self.now = ops::later(op, now, self.host.model.deadline());
                if op.a < 128 {
                    self.host.timeout(self.now);
                }
            }
            code::MANY => {
                for round in 0..=op.a % 64 {
                    self.wire.put(&request(self.platform, 1, op.b.wrapping_add(round)));
                    self.wire.deliver(&mut self.host, 0, now);
                    let question = self.host.model.asked.wrapping_sub(1);
                    self.host.command(&edge::Command::Answer { question, answer: Answer::Accepted }, now);
                }
            }
            _ => self.host.timeout(now),
        }
    }
}

/// A reply that an edge might send, of kind `a`; or one that none would.
fn reply_of(op: &Op) -> Vec<u8> {
    let values = match op.a % 5 {
        0 | 1 => Vec::new(),
        2 | 4 => vec![Value::Number(u64::from(op.b) << (op.c % 25))],
        _ => {
            let grant = Value::Bytes(vec![op.b; 1 + usize::from(op.c)]);
            vec![Value::Bytes(vec![op.c; 16]), Value::Number(30_000), grant, Value::Bytes(vec![op.b ^ 1; 64])]
        }
    };
    let mut reply = seal_reply(&Message::new(1 + op.a % 5, values));
    if op.a >= 200 {
        let place = usize::from(op.b) % reply.len();
        reply[place] ^= op.c;
    }
    reply
}

/// The device's side alone.
fn device_alone(platform: u8, ops: &[Op]) {
    let mut host = Host::new(ORACLE, ClientKind, DeviceSide::new(), ClientModel::new());
    let (mut wire, mut now) = (Wire::default(), ACCEPTED);
    for op in ops {
        match op.code % code::COUNT {
            code::REQUEST | code::REQUEST_TOO => {
                let body = vec![op.b; usize::from(op.a)];
                host.command(&client::Command::Send { platform, body }, now);
            }
            code::REFUSED | code::CHANGED | code::ANSWER => {
                wire.put(&reply_of(op));
                wire.deliver(&mut host, if op.code % code::COUNT == code::ANSWER { 0 } else { op.c }, now);
            }
            code::RAW => {
                wire.put(&op.bytes);
                wire.deliver(&mut host, op.b, now);
            }
            code::DELIVER => wire.offer(&mut host, usize::from(op.a).wrapping_sub(1), op.b & 1 == 1, now),
            code::LEAVE if op.a % 4 == 0 => host.command(&client::Command::Close, now),
            code::END => {
                wire.ended = true;
                host.end(now);
            }
            code::TIME | code::TIME_TOO => {
                now = ops::later(op, now, host.model.deadline());
                if op.a < 128 {
                    host.timeout(now);
                }
            }
            _ => host.timeout(now),
        }
    }
}
