//! SPEC §9.2: the reference model of both sides. They differ in who speaks first and in which frames go which way.

use std::time::Duration;

use crate::{
    frames::{
        layout::{Come, Value},
        messages::{CONTROL, Message, only_body_is_missing, open, seal},
    },
    sessions::{
        host::{Model, Said},
        limits,
    },
};

/// Kinds of frames (§6.2.1).
pub(crate) mod kind {
    pub(crate) const HELLO: u8 = 1;
    pub(crate) const WELCOME: u8 = 2;
    pub(crate) const ASK: u8 = 3;
    pub(crate) const ANSWER: u8 = 4;
    pub(crate) const DIAL: u8 = 5;
    pub(crate) const REVOKE: u8 = 6;
    pub(crate) const LEAVE: u8 = 7;
    pub(crate) const PING: u8 = 8;
    pub(crate) const PONG: u8 = 9;
}

/// The role that a master has on the wire.
pub(crate) const MASTER: u64 = 1;

/// Which side.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    Edge,
    Backend,
}

/// What an owner says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Command {
    /// Say this frame: `Welcome`, `Ask`, `Dial` and `Leave` of an edge; `Answer`, `Revoke` and `Leave` of a backend.
    Say(Message),
    /// The peer's proof holds (a backend says it with this, an edge with `Welcome`).
    Trust,
    /// It does not.
    Distrust,
    /// End now: superseded at the edge, left at the backend.
    End,
}

/// What an owner hears is a frame.
pub(crate) type Event = Message;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Close {
    Finished,
    HandshakeTimeout,
    NotProved,
    Violation,
    Silent,
    Superseded,
    Left,
}

/// §9.2.1
enum State {
    /// The peer's first frame.
    Handshake,
    /// The owner's word on the proof in it.
    Proving,
    Up {
        spoke: Duration,
        heard: Duration,
    },
    Over(Close),
}

pub(crate) struct ControlModel {
    side: Side,
    /// The backend's role, its own or as it said.
    role: u64,
    began: Duration,
    state: State,
    frame: Vec<u8>,
    left: bool,
    peer_left: bool,
    said: Vec<Said<Event, Close>>,
}

impl ControlModel {
    /// The edge's side.
    pub(crate) fn edge(began: Duration) -> Self {
        Self::new(Side::Edge, 0, began)
    }

    /// The backend's side, which says this hello.
    pub(crate) fn backend(hello: Message, began: Duration) -> Self {
        let mut model = Self::new(Side::Backend, hello.values[0].number(), began);
        model.said.push(Said::Send(seal(CONTROL, &hello)));
        model
    }

    fn new(side: Side, role: u64, began: Duration) -> Self {
        let state = State::Handshake;
        Self { side, role, began, state, frame: Vec::new(), left: false, peer_left: false, said: Vec::new() }
    }

    pub(crate) fn is_up(&self) -> bool {
        matches!(self.state, State::Up { .. })
    }

    fn close(&mut self, reason: Close) {
        self.state = State::Over(reason);
        self.frame.clear();
    }

    /// Says a frame; §9.2.3 counts quiet from it.
    fn say(&mut self, frame: &Message, now: Duration) {
        self.said.push(Said::Send(seal(CONTROL, frame)));
        if let State::Up { spoke, .. } = &mut self.state {
            *spoke = now;
        }
    }

    /// §9.2.2, by the table of 6.2.1: whether the peer may begin a frame of this kind now.
    fn may_begin(&self, kind: u8) -> bool {
        let first = match self.side {
            Side::Edge => kind::HELLO,
            Side::Backend => kind::WELCOME,
        };
        let master = self.role == MASTER;
        match self.state {
            State::Handshake => kind == first,
            State::Proving | State::Over(_) => false,
            State::Up { .. } => match (self.side, kind) {
                (_, kind::LEAVE | kind::PING | kind::PONG) => true,
                (Side::Edge, kind::ANSWER | kind::REVOKE) => master,
                (Side::Backend, kind::ASK) => master,
                (Side::Backend, kind::DIAL) => true,
                (Side::Edge | Side::Backend, _) => false,
            },
        }
    }

    fn whole(&mut self, frame: Message, now: Duration) {
        match &mut self.state {
            State::Handshake => {
                if self.side == Side::Edge {
                    self.role = frame.values[0].number();
                }
                self.state = State::Proving;
                self.said.push(Said::Event(frame));
            }
            State::Up { heard, .. } => {
                *heard = now;
                match frame.kind {
                    kind::PING => self.say(&Message::bare(kind::PONG), now),
                    kind::PONG => {}
                    kind::LEAVE if self.peer_left => self.close(Close::Violation),
                    kind => {
                        self.peer_left |= kind == kind::LEAVE;
                        self.said.push(Said::Event(frame));
                    }
                }
            }
            State::Proving | State::Over(_) => {}
        }
    }
}

impl Model for ControlModel {
    type Command = Command;
    type Event = Event;
    type Close = Close;

    /// §9.2.1: a backend takes nothing while the proof is checked; an edge does, for there nothing may come.
    fn wants(&self) -> bool {
        match self.state {
            State::Handshake | State::Up { .. } => true,
            State::Proving => self.side == Side::Edge,
            State::Over(_) => false,
        }
    }

    fn byte(&mut self, byte: u8, _last: bool, now: Duration) {
        if self.frame.is_empty() && !self.may_begin(byte) {
            return self.close(Close::Violation);
        }
        self.frame.push(byte);
        if only_body_is_missing(&self.frame, 5) {
            return;
        }
        match open(CONTROL, &self.frame) {
            Come::Part => {}
            Come::Wrong => self.close(Close::Violation),
            Come::Whole(frame, _) => {
                self.frame.clear();
                self.whole(frame, now);
            }
        }
    }

    fn end(&mut self) {
        match self.state {
            State::Over(_) => {}
            State::Handshake | State::Proving | State::Up { .. } => {
                self.close(if self.frame.is_empty() { Close::Finished } else { Close::Violation });
            }
        }
    }

    /// §9.2.3
    fn tick(&mut self, now: Duration) {
        match self.state {
            State::Handshake | State::Proving if now >= self.began + limits::FIRST_FRAME => {
                self.close(Close::HandshakeTimeout);
            }
            State::Up { heard, .. } if now >= heard + limits::HEARTBEAT_SILENCE => self.close(Close::Silent),
            State::Up { spoke, .. } if now >= spoke + limits::HEARTBEAT => self.say(&Message::bare(kind::PING), now),
            State::Handshake | State::Proving | State::Up { .. } | State::Over(_) => {}
        }
    }

    /// §9.2.4: what does not fit is ignored.
    fn command(&mut self, command: Command, now: Duration) {
        let up = State::Up { spoke: now, heard: now };
        let master = self.role == MASTER;
        match (command, &self.state) {
            (_, State::Over(_)) => {}
            (Command::End, _) => self.close(match self.side {
                Side::Edge => Close::Superseded,
                Side::Backend => Close::Left,
            }),
            (Command::Trust, State::Proving) if self.side == Side::Backend => self.state = up,
            (Command::Distrust, State::Proving) => self.close(Close::NotProved),
            (Command::Say(frame), State::Proving) if (self.side, frame.kind) == (Side::Edge, kind::WELCOME) => {
                self.state = up;
                self.say(&frame, now);
            }
            (Command::Say(frame), State::Up { .. }) => {
                let fits = match (self.side, frame.kind) {
                    (_, kind::LEAVE) => !std::mem::replace(&mut self.left, true),
                    (Side::Edge, kind::ASK) | (Side::Backend, kind::ANSWER | kind::REVOKE) => master,
                    (Side::Edge, kind::DIAL) => frame.values != [Value::Number(0)],
                    (Side::Edge | Side::Backend, _) => false,
                };
                if fits {
                    self.say(&frame, now);
                }
            }
            (Command::Say(_) | Command::Trust | Command::Distrust, _) => {}
        }
    }

    fn said(&mut self) -> Vec<Said<Event, Close>> {
        std::mem::take(&mut self.said)
    }

    fn deadline(&self) -> Option<Duration> {
        match self.state {
            State::Handshake | State::Proving => Some(self.began + limits::FIRST_FRAME),
            State::Up { spoke, heard } => Some((spoke + limits::HEARTBEAT).min(heard + limits::HEARTBEAT_SILENCE)),
            State::Over(_) => None,
        }
    }

    fn closed(&self) -> Option<Close> {
        match self.state {
            State::Over(reason) => Some(reason),
            State::Handshake | State::Proving | State::Up { .. } => None,
        }
    }

    fn held(&self) -> usize {
        self.frame.len()
    }
}
