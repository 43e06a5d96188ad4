//! The data connection up to its hand-over: the edge's side, the backend's side, and both joined.

use std::time::Duration;

use relay_wire::{session::data::EdgeSide, time::Timestamp};

use super::{
    control::model::Side,
    host::{Host, Kind, Model},
    ops::{self, Op},
    wire::Wire,
};
use crate::{
    frames::{
        layout::Value,
        messages::{DATA, Message, seal},
    },
    run::finding,
};

pub(crate) mod kinds;
pub(crate) mod model;
mod seeds;

pub use seeds::seeds;

use kinds::{BackendKind, EdgeKind};
use model::{Close, Command, DataModel, kind};

const ORACLE: &str = "data_session";
const BEGAN: Duration = Duration::from_secs(1_000);

/// Operations by their code.
mod code {
    /// How many; what is none of the others calls the timer, early or late.
    pub(super) const COUNT: u8 = 10;
    /// A frame: a kind and delivery, b and c its values.
    pub(super) const FRAME: u8 = 0;
    /// A frame with the byte at b changed by c.
    pub(super) const CHANGED: u8 = 1;
    /// The operation's own bytes.
    pub(super) const RAW: u8 = 2;
    /// Offers what has come.
    pub(super) const DELIVER: u8 = 3;
    /// The owner says a frame or a word: a which, b and c its values.
    pub(super) const SAY: u8 = 4;
    /// The same; joined, it is the backend's owner.
    pub(super) const SAY_TOO: u8 = 5;
    /// The end of the peer's stream.
    pub(super) const END: u8 = 6;
    /// The clock; told to the session unless a is over 127.
    pub(super) const TIME: u8 = 7;
}

/// A frame of kind `a`, with values by `b` and `c`.
fn frame(a: u8, b: u8, c: u8) -> Message {
    let kind = kind::HELLO + a % 3;
    let values = match kind {
        kind::HELLO => {
            let name = ["head", "node-eu-02", "a", "n0"][usize::from(b) % 4];
            let generation = Value::Number(u64::from(b) << (8 * (c % 8)));
            vec![Value::Number(1 + u64::from(c & 1)), generation, name.into(), Value::Bytes(vec![c; 32])]
        }
        kind::PARKED => vec![Value::Bytes(vec![b; 32])],
        _ => {
            let grant = Value::Bytes(vec![b; 1 + usize::from(c)]);
            let port = Value::Number(u64::from(b) << (c & 8));
            vec![Value::Bytes(vec![c; 16]), port, grant, Value::Bytes(vec![b ^ c; 64])]
        }
    };
    Message::new(kind, values)
}

/// Runs an input.
pub(crate) fn run(data: &[u8]) {
    let Some(([mode, settings], ops)) = ops::parse(data) else { return };
    let parked = |first| [Op::new(code::FRAME, first, 4, 1), Op::new(code::SAY, 2, 7, 40)];
    match mode % 4 {
        0 => Alone::new(edge(), settings).run(&ops::begun(mode, &parked(0), ops), Side::Edge),
        1 => {
            if let Some(host) = backend(settings) {
                let ops = ops::begun(mode, &parked(1), ops);
                Alone::new(host, settings).run(&ops, Side::Backend);
            }
        }
        _ => joined(settings, &ops),
    }
}

fn edge() -> Host<EdgeKind> {
    Host::new(ORACLE, EdgeKind, EdgeSide::new(Timestamp::from_origin(BEGAN)), DataModel::edge(BEGAN))
}

fn backend(settings: u8) -> Option<Host<BackendKind>> {
    let hello = frame(0, settings >> 1, settings);
    let real = kinds::backend(&hello, Timestamp::from_origin(BEGAN))?;
    Some(Host::new(ORACLE, BackendKind, real, DataModel::backend(&hello, BEGAN)))
}

/// What an owner of this side would say by an operation.
fn command(op: &Op, side: Side) -> Command {
    match (side, op.a % 8) {
        (_, 0) => Command::Close,
        (_, 1) => Command::Distrust,
        (Side::Backend, _) => Command::Trust,
        (Side::Edge, 2..=4) => Command::Say(frame(1, op.b, op.c)),
        (Side::Edge, _) => Command::Say(frame(2, op.b, op.c)),
    }
}

/// One side alone.
struct Alone<K: Kind<Model = DataModel>> {
    host: Host<K>,
    wire: Wire,
    now: Duration,
    eager: bool,
}

impl<K: Kind<Model = DataModel>> Alone<K> {
    fn new(host: Host<K>, settings: u8) -> Self {
        Self { host, wire: Wire::default(), now: BEGAN, eager: settings & 0x80 != 0 }
    }

    fn run(&mut self, ops: &[Op], side: Side) {
        let mut after_close = 0;
        for op in ops {
            self.step(op, side);
            if self.eager {
                self.wire.deliver(&mut self.host, 0, self.now);
            }
            after_close += u32::from(self.host.model.closed().is_some());
            if after_close > 4 {
                return;
            }
        }
    }

    fn step(&mut self, op: &Op, side: Side) {
        let now = self.now;
        match op.code % code::COUNT {
            code::FRAME => {
                self.wire.put(&seal(DATA, &frame(op.a, op.b, op.c)));
                self.wire.deliver(&mut self.host, op.a / 3, now);
            }
            code::CHANGED => {
                let mut bytes = seal(DATA, &frame(op.a, op.c, op.b));
                let place = usize::from(op.b) % bytes.len();
                bytes[place] ^= op.c;
                self.wire.put(&bytes);
                self.wire.deliver(&mut self.host, op.a / 3, now);
            }
            code::RAW => {
                self.wire.put(&op.bytes);
                self.wire.deliver(&mut self.host, op.b, now);
            }
            code::DELIVER => {
                let count = if op.a == 0 { usize::MAX } else { usize::from(op.a) };
                self.wire.offer(&mut self.host, count, op.b & 1 == 1, now);
            }
            code::SAY | code::SAY_TOO => self.host.command(&command(op, side), now),
            code::END => {
                self.wire.ended = true;
                self.host.end(now);
            }
            code::TIME => {
                self.now = ops::later(op, now, self.host.model.deadline());
                if op.a < 128 {
                    self.host.timeout(self.now);
                }
            }
            _ => self.host.timeout(now),
        }
    }
}

/// What holds between two honest sides: neither finds a violation, both hand over or neither, and the grant and address that
/// arrive are those that were sent.
fn joined(settings: u8, ops: &[Op]) {
    let Some(mut backend) = backend(settings) else { return };
    let (mut edge, mut to_edge, mut to_backend) = (edge(), Wire::default(), Wire::default());
    let (mut now, mut cut, mut said) = (BEGAN, false, Vec::new());
    for op in ops {
        match op.code % code::COUNT {
            code::SAY => {
                let command = command(op, Side::Edge);
                edge.command(&command, now);
                if let Command::Say(frame) = command
                    && edge.sent.ends_with(&seal(DATA, &frame))
                {
                    said.push(frame);
                }
            }
            code::SAY_TOO => backend.command(&command(op, Side::Backend), now),
            code::END => {
                cut = true;
                edge.end(now);
                backend.end(now);
            }
            code::TIME => {
                now = ops::later(op, now, edge.model.deadline().or(backend.model.deadline()));
                edge.timeout(now);
                backend.timeout(now);
            }
            _ => {
                let count = if op.a == 0 { usize::MAX } else { usize::from(op.a) };
                to_edge.offer(&mut edge, count, op.b & 1 == 1, now);
                to_backend.offer(&mut backend, count, op.c & 1 == 1, now);
            }
        }
        to_edge.put(&std::mem::take(&mut backend.sent));
        to_backend.put(&std::mem::take(&mut edge.sent));
        for event in backend.events.drain(..) {
            if said.is_empty() || said.remove(0) != event {
                finding(ORACLE, "joined: the backend hears what nobody said", format_args!("{event:?}"));
            }
        }
        let closes = [("edge", edge.model.closed()), ("backend", backend.model.closed())];
        for (side, close) in closes {
            if close == Some(Close::Violation) && !cut {
                finding(ORACLE, format_args!("joined: the {side} finds a violation in what the other side said"), "");
            }
        }
        if backend.model.closed() == Some(Close::HandOver) && edge.model.closed() != Some(Close::HandOver) {
            finding(ORACLE, "joined: the backend hands over alone", "");
        }
    }
}
