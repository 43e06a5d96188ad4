//! SPEC §9.3: the reference model of both sides.

use std::time::Duration;

use crate::{
    frames::{
        layout::Come,
        messages::{DATA, Message, only_body_is_missing, open, seal},
    },
    sessions::{
        control::model::Side,
        host::{Model, Said},
        limits,
    },
};

/// Kinds of frames (§7.3.1).
pub(crate) mod kind {
    pub(crate) const HELLO: u8 = 0x11;
    pub(crate) const PARKED: u8 = 0x12;
    pub(crate) const ASSIGN: u8 = 0x13;
}

/// What an owner says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Command {
    /// `Parked` and `Assign`, of an edge.
    Say(Message),
    /// The peer's proof holds; of a backend.
    Trust,
    /// It does not.
    Distrust,
    /// Close it unused.
    Close,
}

/// What an owner hears is a frame.
pub(crate) type Event = Message;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Close {
    Finished,
    HandshakeTimeout,
    NotProved,
    Violation,
    Left,
    HandOver,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Handshake,
    Proving,
    Parked,
    Over(Close),
}

pub(crate) struct DataModel {
    side: Side,
    began: Duration,
    state: State,
    frame: Vec<u8>,
    said: Vec<Said<Event, Close>>,
}

impl DataModel {
    /// The edge's side.
    pub(crate) fn edge(began: Duration) -> Self {
        Self { side: Side::Edge, began, state: State::Handshake, frame: Vec::new(), said: Vec::new() }
    }

    /// The backend's side, which says this hello.
    pub(crate) fn backend(hello: &Message, began: Duration) -> Self {
        let said = vec![Said::Send(seal(DATA, hello))];
        Self { side: Side::Backend, began, state: State::Handshake, frame: Vec::new(), said }
    }

    fn close(&mut self, reason: Close) {
        self.state = State::Over(reason);
        self.frame.clear();
    }

    /// §7.3.1, §7.3.3: the one kind of frame that the peer may say now.
    fn expected(&self) -> Option<u8> {
        match (self.side, self.state) {
            (Side::Edge, State::Handshake) => Some(kind::HELLO),
            (Side::Backend, State::Handshake) => Some(kind::PARKED),
            (Side::Backend, State::Parked) => Some(kind::ASSIGN),
            (Side::Edge, State::Proving | State::Parked) | (Side::Backend, State::Proving) => None,
            (Side::Edge | Side::Backend, State::Over(_)) => None,
        }
    }
}

impl Model for DataModel {
    type Command = Command;
    type Event = Event;
    type Close = Close;

    fn wants(&self) -> bool {
        match self.state {
            State::Handshake | State::Parked => true,
            State::Proving => self.side == Side::Edge,
            State::Over(_) => false,
        }
    }

    fn byte(&mut self, byte: u8, last: bool, _now: Duration) {
        if self.frame.is_empty() && self.expected() != Some(byte) {
            return self.close(Close::Violation);
        }
        self.frame.push(byte);
        if only_body_is_missing(&self.frame, 5) {
            return;
        }
        match open(DATA, &self.frame) {
            Come::Part => {}
            Come::Wrong => self.close(Close::Violation),
            Come::Whole(frame, _) => {
                self.frame.clear();
                if self.state == State::Handshake {
                    self.state = State::Proving;
                    self.said.push(Said::Event(frame));
                } else if last {
                    self.said.push(Said::Event(frame));
                    self.close(Close::HandOver);
                } else {
                    // §9.3.2: offered together with the last byte of Assign.
                    self.close(Close::Violation);
                }
            }
        }
    }

    fn end(&mut self) {
        match self.state {
            State::Over(_) => {}
            State::Handshake | State::Proving | State::Parked => {
                self.close(if self.frame.is_empty() { Close::Finished } else { Close::Violation });
            }
        }
    }

    fn tick(&mut self, now: Duration) {
        if self.deadline().is_some_and(|deadline| deadline <= now) {
            self.close(Close::HandshakeTimeout);
        }
    }

    fn command(&mut self, command: Command, _now: Duration) {
        match (command, self.state) {
            (_, State::Over(_)) => {}
            (Command::Close, _) => self.close(Close::Left),
            (Command::Distrust, State::Proving) => self.close(Close::NotProved),
            (Command::Trust, State::Proving) if self.side == Side::Backend => self.state = State::Parked,
            (Command::Say(frame), State::Proving) if (self.side, frame.kind) == (Side::Edge, kind::PARKED) => {
                self.said.push(Said::Send(seal(DATA, &frame)));
                self.state = State::Parked;
            }
            (Command::Say(frame), State::Parked) if (self.side, frame.kind) == (Side::Edge, kind::ASSIGN) => {
                self.said.push(Said::Send(seal(DATA, &frame)));
                self.close(Close::HandOver);
            }
            (Command::Say(_) | Command::Trust | Command::Distrust, _) => {}
        }
    }

    fn said(&mut self) -> Vec<Said<Event, Close>> {
        std::mem::take(&mut self.said)
    }

    /// §7.3.2: parked it has none.
    fn deadline(&self) -> Option<Duration> {
        match self.state {
            State::Handshake | State::Proving => Some(self.began + limits::FIRST_FRAME),
            State::Parked | State::Over(_) => None,
        }
    }

    fn closed(&self) -> Option<Close> {
        match self.state {
            State::Over(reason) => Some(reason),
            State::Handshake | State::Proving | State::Parked => None,
        }
    }

    fn held(&self) -> usize {
        self.frame.len()
    }
}
