//! SPEC §9.2: the edge's side of a control connection.

use core::fmt;

use super::{
    ControlClose, EdgeCommand, EdgeEvent,
    pulse::{Beat, Pulse},
};
use crate::{
    frame::control::{ControlFrame, kind},
    ids::Role,
    limits,
    session::{Outbox, Output, Session, deframer::Deframer},
    time::Timestamp,
};

/// The edge's side of a control connection.
///
/// What it has to send is bounded by its commands: one frame for each, and one pong for each ping taken. The owner's
/// mailbox bounds the commands.
pub struct EdgeSide {
    state: State,
    deframer: Deframer,
    outbox: Outbox<EdgeEvent>,
}

#[derive(Clone, Copy)]
enum State {
    /// For the backend's hello.
    AwaitHello {
        until: Timestamp,
    },
    /// For the owner to check the backend's proof.
    Proving {
        until: Timestamp,
        role: Role,
    },
    Up {
        role: Role,
        pulse: Pulse,
    },
    Over(ControlClose),
}

impl EdgeSide {
    /// A session whose TCP connection was accepted at `accepted`.
    #[must_use]
    pub fn new(accepted: Timestamp) -> Self {
        let state = State::AwaitHello { until: accepted + limits::FIRST_FRAME };
        Self { state, deframer: Deframer::new(), outbox: Outbox::new() }
    }

    fn close(&mut self, reason: ControlClose) {
        self.deframer = Deframer::new();
        self.state = State::Over(reason);
    }

    fn violation(&mut self, what: &'static str) {
        self.close(ControlClose::Violation(what));
    }

    /// Sends on a connection that is up; before that nobody may speak, so nothing happens.
    fn send(&mut self, frame: &ControlFrame, now: Timestamp) {
        if let State::Up { pulse, .. } = &mut self.state {
            pulse.sent(now);
            self.outbox.send(frame.encode());
        }
    }

    /// SPEC §9.2.2: why a frame of this kind is forbidden now. Judged at its first byte, before its body is held.
    fn forbidden(&self, kind: u8) -> Option<&'static str> {
        match self.state {
            State::AwaitHello { .. } => (kind != kind::HELLO).then_some("frame before hello"),
            State::Proving { .. } => Some("frame before welcome"),
            State::Up { role, .. } => match (kind, role) {
                (kind::HELLO, _) => Some("hello twice"),
                (kind::WELCOME | kind::ASK | kind::DIAL, _) => Some("frame of an edge"),
                (kind::ANSWER | kind::REVOKE, Role::StorageNode) => Some("frame of a master"),
                (_, Role::Master | Role::StorageNode) => None,
            },
            State::Over(_) => None,
        }
    }

    fn hear(&mut self, frame: ControlFrame, now: Timestamp) {
        if let State::Up { pulse, .. } = &mut self.state {
            pulse.heard(now);
        }
        match (frame, &mut self.state) {
            (ControlFrame::Hello(hello), State::AwaitHello { until }) => {
                self.state = State::Proving { until: *until, role: hello.role };
                self.outbox.event(EdgeEvent::Prove(hello));
            }
            (ControlFrame::Answer { id, verdict }, State::Up { role: Role::Master, .. }) => {
                self.outbox.event(EdgeEvent::Answer { id, verdict });
            }
            (ControlFrame::Revoke { device_id }, State::Up { role: Role::Master, .. }) => {
                self.outbox.event(EdgeEvent::Revoke(device_id));
            }
            (ControlFrame::Leave, State::Up { pulse, .. }) => match pulse.peer_leaves() {
                Ok(()) => self.outbox.event(EdgeEvent::Leaving),
                Err(what) => self.violation(what),
            },
            (ControlFrame::Ping, State::Up { .. }) => self.send(&ControlFrame::Pong, now),
            (ControlFrame::Pong, State::Up { .. }) => {}
            (
                ControlFrame::Hello(_)
                | ControlFrame::Welcome(_)
                | ControlFrame::Ask { .. }
                | ControlFrame::Answer { .. }
                | ControlFrame::Dial { .. }
                | ControlFrame::Revoke { .. }
                | ControlFrame::Leave
                | ControlFrame::Ping
                | ControlFrame::Pong,
                _,
            ) => self.violation("frame out of place"),
        }
    }
}

impl Session for EdgeSide {
    type Event = EdgeEvent;
    type Command = EdgeCommand;
    type Close = ControlClose;

    fn handle_input(&mut self, bytes: &[u8], now: Timestamp) -> usize {
        self.handle_timeout(now);
        let mut taken = 0;
        while self.wants_input()
            && let Some(rest) = bytes.get(taken..)
            && let Some(kind) = rest.first().and_then(|_| self.deframer.first(rest))
        {
            if let Some(what) = self.forbidden(kind) {
                self.violation(what);
                break;
            }
            let (length, frame) = self.deframer.take(rest);
            taken += length;
            match frame {
                Ok(Some(frame)) => self.hear(frame, now),
                Ok(None) => {}
                Err(malformed) => self.violation(malformed.field),
            }
        }
        taken
    }

    fn handle_end(&mut self, now: Timestamp) {
        self.handle_timeout(now);
        match self.state {
            State::Over(_) => {}
            State::AwaitHello { .. } | State::Proving { .. } | State::Up { .. } => {
                if self.deframer.is_empty() {
                    self.close(ControlClose::Finished);
                } else {
                    self.violation("end inside a frame");
                }
            }
        }
    }

    fn handle_timeout(&mut self, now: Timestamp) {
        match self.state {
            State::AwaitHello { until } | State::Proving { until, .. } => {
                if until <= now {
                    self.close(ControlClose::HandshakeTimeout);
                }
            }
            State::Up { pulse, .. } => match pulse.at(now) {
                Beat::Nothing => {}
                Beat::Ping => self.send(&ControlFrame::Ping, now),
                Beat::Silent => self.close(ControlClose::Silent),
            },
            State::Over(_) => {}
        }
    }

    fn handle_command(&mut self, command: EdgeCommand, now: Timestamp) {
        self.handle_timeout(now);
        match (command, &mut self.state) {
            (_, State::Over(_)) => {}
            (EdgeCommand::Welcome(welcome), State::Proving { role, .. }) => {
                self.state = State::Up { role: *role, pulse: Pulse::start(now) };
                self.send(&ControlFrame::Welcome(welcome), now);
            }
            (EdgeCommand::Reject, State::Proving { .. }) => self.close(ControlClose::NotProved),
            (EdgeCommand::Ask { id, exporter, request }, State::Up { role: Role::Master, .. }) => {
                self.send(&ControlFrame::Ask { id, exporter, request }, now);
            }
            (EdgeCommand::Dial(count), State::Up { .. }) if count > 0 => {
                self.send(&ControlFrame::Dial { count }, now);
            }
            (EdgeCommand::Leave, State::Up { pulse, .. }) => {
                if pulse.leave() {
                    self.send(&ControlFrame::Leave, now);
                }
            }
            (EdgeCommand::Supersede, _) => self.close(ControlClose::Superseded),
            (
                EdgeCommand::Welcome(_)
                | EdgeCommand::Reject
                | EdgeCommand::Ask { .. }
                | EdgeCommand::Dial(_)
                | EdgeCommand::Leave,
                _,
            ) => {}
        }
    }

    fn poll_output(&mut self) -> Output<EdgeEvent, ControlClose> {
        let state = self.state;
        self.outbox.next(|| match state {
            State::AwaitHello { until } | State::Proving { until, .. } => Output::Wait(Some(until)),
            State::Up { pulse, .. } => Output::Wait(Some(pulse.deadline())),
            State::Over(reason) => Output::Close(reason),
        })
    }

    fn wants_input(&self) -> bool {
        match self.state {
            State::AwaitHello { .. } | State::Proving { .. } | State::Up { .. } => true,
            State::Over(_) => false,
        }
    }
}

impl fmt::Debug for EdgeSide {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EdgeSide").finish_non_exhaustive()
    }
}
