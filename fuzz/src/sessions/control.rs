//! The control connection: the edge's side, the backend's side, and both joined.

use std::time::Duration;

use relay_wire::{session::control::EdgeSide, time::Timestamp};

use super::{
    host::{Host, Kind, Model},
    ops::{self, Op},
    wire::Wire,
};
use crate::{
    frames::{
        layout::Value,
        messages::{CONTROL, Message, seal},
        times::millis,
    },
    run::finding,
};

pub(crate) mod kinds;
pub(crate) mod model;
mod seeds;

pub use seeds::seeds;

use kinds::{BackendKind, EdgeKind};
use model::{Close, Command, ControlModel, Side, kind};

const ORACLE: &str = "control_session";
const BEGAN: Duration = Duration::from_secs(1_000);

/// Operations by their code.
mod code {
    /// How many; what is none of the others calls the timer, early or late.
    pub(super) const COUNT: u8 = 12;
    /// A frame: a kind, b and c its values.
    pub(super) const FRAME: u8 = 0;
    /// The same, delivered as b says.
    pub(super) const FRAME_TOO: u8 = 1;
    /// A frame with the byte at b changed by c.
    pub(super) const CHANGED: u8 = 2;
    /// The operation's own bytes.
    pub(super) const RAW: u8 = 3;
    /// Offers what has come.
    pub(super) const DELIVER: u8 = 4;
    /// The owner says a frame: a kind, b and c its values.
    pub(super) const SAY: u8 = 5;
    /// The same.
    pub(super) const SAY_TOO: u8 = 6;
    /// The owner's word on the proof, or the end.
    pub(super) const OWNER: u8 = 7;
    /// The end of the peer's stream.
    pub(super) const END: u8 = 8;
    /// The clock; told to the session unless a is over 127.
    pub(super) const TIME: u8 = 9;
    /// The same.
    pub(super) const TIME_TOO: u8 = 10;
}

/// A frame of kind `a`, with values by `b` and `c`.
fn frame(a: u8, b: u8, c: u8) -> Message {
    let kind = 1 + a % 9;
    let proof = || Value::Bytes(vec![b; 32]);
    let id = Value::Number(u64::from(b) << (8 * (c % 8)));
    let values = match kind {
        kind::HELLO => {
            let name = ["head", "node-eu-02", "a", "n0"][usize::from(b) % 4];
            vec![Value::Number(1 + u64::from(c & 1)), id, name.into(), proof()]
        }
        kind::WELCOME => vec![proof(), Value::Number(u64::from(c))],
        kind::ASK => vec![id, proof(), Value::Bytes(vec![c; 1 + usize::from(c)])],
        kind::ANSWER => match c % 4 {
            0 | 1 => vec![id, Value::Number(1 + u64::from(c % 4))],
            2 => vec![id, Value::Number(3), millis(Duration::from_millis(u64::from(c) << (b % 16))).into()],
            _ => vec![id, Value::Number(4), Value::Bytes(vec![b; 1 + usize::from(c)]), Value::Bytes(vec![c; 64])],
        },
        kind::DIAL => vec![Value::Number(u64::from(b) << (c & 8))],
        kind::REVOKE => {
            let id = ["00c1d27be8643f5a", "c1d27be8643f5a", "x", "Ä"][usize::from(c) % 4];
            vec![Value::Number(1 + u64::from(b % 6)), id.into()]
        }
        _ => Vec::new(),
    };
    Message::new(kind, values)
}

/// The hello of a backend by the settings of an input.
fn hello(settings: u8) -> Message {
    frame(kind::HELLO - 1, settings >> 1, settings)
}

/// Runs an input.
pub(crate) fn run(data: &[u8]) {
    let Some(([mode, settings], ops)) = ops::parse(data) else { return };
    let up = |first| [Op::new(code::FRAME, first, 8, settings), Op::new(code::OWNER, 2, 4, 4)];
    match mode % 4 {
        0 => Alone::new(edge(), settings).run(&ops::begun(mode, &up(kind::HELLO - 1), ops), Side::Edge),
        1 => {
            if let Some(host) = backend(settings) {
                let ops = ops::begun(mode, &up(kind::WELCOME - 1), ops);
                Alone::new(host, settings).run(&ops, Side::Backend);
            }
        }
        _ => {
            let trust = |side| Op::new(code::OWNER, 2, 4, side);
            let up = [Op::new(code::DELIVER, 255, 0, 255), trust(0), trust(1)];
            joined(settings, &ops::begun(mode, &up, ops));
        }
    }
}

fn edge() -> Host<EdgeKind> {
    Host::new(ORACLE, EdgeKind, EdgeSide::new(Timestamp::from_origin(BEGAN)), ControlModel::edge(BEGAN))
}

fn backend(settings: u8) -> Option<Host<BackendKind>> {
    let hello = hello(settings);
    let real = kinds::backend(&hello, Timestamp::from_origin(BEGAN))?;
    Some(Host::new(ORACLE, BackendKind, real, ControlModel::backend(hello, BEGAN)))
}

/// What an owner of this side would say by an operation.
fn command(op: &Op, side: Side) -> Command {
    let word = match op.code % code::COUNT {
        code::OWNER => op.a % 8,
        _ => 7,
    };
    match (side, word) {
        (_, 0) => Command::End,
        (_, 1) => Command::Distrust,
        (Side::Backend, 2..=6) => Command::Trust,
        (Side::Edge, 2..=6) => Command::Say(frame(kind::WELCOME - 1, op.b, op.c)),
        (Side::Edge, _) => {
            let kind = [kind::ASK, kind::DIAL, kind::LEAVE, kind::WELCOME][usize::from(op.a) % 4];
            Command::Say(frame(kind - 1, op.b, op.c))
        }
        (Side::Backend, _) => {
            let kind = [kind::ANSWER, kind::REVOKE, kind::LEAVE, kind::ANSWER][usize::from(op.a) % 4];
            Command::Say(frame(kind - 1, op.b, op.c))
        }
    }
}

/// One side alone.
struct Alone<K: Kind<Model = ControlModel>> {
    host: Host<K>,
    wire: Wire,
    now: Duration,
    /// Untaken bytes are offered again after every call.
    eager: bool,
}

impl<K: Kind<Model = ControlModel>> Alone<K> {
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
                self.wire.put(&seal(CONTROL, &frame(op.a, op.b, op.c)));
                self.wire.deliver(&mut self.host, 0, now);
            }
            code::FRAME_TOO => {
                self.wire.put(&seal(CONTROL, &frame(op.a, op.b, op.c)));
                self.wire.deliver(&mut self.host, op.b, now);
            }
            code::CHANGED => {
                let mut bytes = seal(CONTROL, &frame(op.a, op.c, op.b));
                let place = usize::from(op.b) % bytes.len();
                bytes[place] ^= op.c;
                self.wire.put(&bytes);
                self.wire.deliver(&mut self.host, op.a >> 4, now);
            }
            code::RAW => {
                self.wire.put(&op.bytes);
                self.wire.deliver(&mut self.host, op.b, now);
            }
            code::DELIVER => {
                let count = if op.a == 0 { usize::MAX } else { usize::from(op.a) };
                self.wire.offer(&mut self.host, count, op.b & 1 == 1, now);
            }
            code::SAY | code::SAY_TOO | code::OWNER => self.host.command(&command(op, side), now),
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
            _ => self.host.timeout(now),
        }
    }
}

/// Both sides and the bytes between them.
struct Joined {
    edge: Host<EdgeKind>,
    backend: Host<BackendKind>,
    to_edge: Wire,
    to_backend: Wire,
    now: Duration,
    cut: bool,
    /// What each said and the other has not heard yet.
    from_edge: Vec<Message>,
    from_backend: Vec<Message>,
}

/// What holds between two honest sides: neither finds a violation, and each hears exactly what the other's owner said.
fn joined(settings: u8, ops: &[Op]) {
    let Some(backend) = backend(settings) else { return };
    let mut both = Joined {
        edge: edge(),
        backend,
        to_edge: Wire::default(),
        to_backend: Wire::default(),
        now: BEGAN,
        cut: false,
        from_edge: Vec::new(),
        from_backend: vec![hello(settings)],
    };
    for op in ops {
        both.step(op);
        both.carry();
        both.judge();
    }
}

impl Joined {
    fn step(&mut self, op: &Op) {
        let now = self.now;
        match op.code % code::COUNT {
            code::SAY | code::FRAME => self.say_edge(op),
            code::SAY_TOO | code::FRAME_TOO | code::CHANGED => self.say_backend(op),
            code::OWNER if op.c & 1 == 0 => self.say_edge(op),
            code::OWNER => self.say_backend(op),
            code::END => {
                self.cut = true;
                self.edge.end(now);
                self.backend.end(now);
            }
            code::TIME | code::TIME_TOO => {
                let next = self.edge.model.deadline().into_iter().chain(self.backend.model.deadline()).min();
                self.now = ops::later(op, now, next);
                self.edge.timeout(self.now);
                self.backend.timeout(self.now);
            }
            code::RAW | code::DELIVER => {
                let (count, one_by_one) = (usize::from(op.a), op.b & 1 == 1);
                self.to_edge.offer(&mut self.edge, count, one_by_one, now);
                self.to_backend.offer(&mut self.backend, usize::from(op.c), one_by_one, now);
                return;
            }
            _ => self.edge.timeout(now),
        }
        self.carry();
        if op.b % 4 != 3 {
            self.to_edge.offer(&mut self.edge, usize::MAX, op.b % 4 == 2, self.now);
            self.carry();
            self.to_backend.offer(&mut self.backend, usize::MAX, op.b % 4 == 2, self.now);
        }
    }

    fn say_edge(&mut self, op: &Op) {
        let command = command(op, Side::Edge);
        let sent = self.edge.sent.len();
        self.edge.command(&command, self.now);
        note(&command, &self.edge.sent[sent..], &mut self.from_edge);
    }

    fn say_backend(&mut self, op: &Op) {
        let command = command(op, Side::Backend);
        let sent = self.backend.sent.len();
        self.backend.command(&command, self.now);
        note(&command, &self.backend.sent[sent..], &mut self.from_backend);
    }

    fn carry(&mut self) {
        self.to_edge.put(&std::mem::take(&mut self.backend.sent));
        self.to_backend.put(&std::mem::take(&mut self.edge.sent));
    }

    fn judge(&mut self) {
        heard("edge", &mut self.edge.events, &mut self.from_backend);
        heard("backend", &mut self.backend.events, &mut self.from_edge);
        for (side, close) in [("edge", self.edge.model.closed()), ("backend", self.backend.model.closed())] {
            if close == Some(Close::Violation) && !self.cut {
                finding(ORACLE, format_args!("joined: the {side} finds a violation in what the other side said"), "");
            }
        }
        let over = self.edge.model.closed().is_some() || self.backend.model.closed().is_some();
        let still = self.to_edge.bytes.is_empty() && self.to_backend.bytes.is_empty();
        let lost = !self.from_edge.is_empty() || !self.from_backend.is_empty();
        if !over && still && self.edge.model.is_up() && self.backend.model.is_up() && lost {
            finding(ORACLE, "joined: what an owner said was never heard", format_args!("{:?}", self.from_edge));
        }
    }
}

/// Notes what an owner said, if it was sent.
fn note(command: &Command, sent: &[u8], said: &mut Vec<Message>) {
    if let Command::Say(frame) = command
        && !sent.is_empty()
        && sent.ends_with(&seal(CONTROL, frame))
    {
        said.push(frame.clone());
    }
}

/// What was heard is the beginning of what was said.
fn heard(side: &str, events: &mut Vec<Message>, said: &mut Vec<Message>) {
    for event in events.drain(..) {
        if said.is_empty() || said.remove(0) != event {
            finding(ORACLE, format_args!("joined: the {side} hears what nobody said"), format_args!("{event:?}"));
        }
    }
}
