//! SPEC §9.2: the backend's side of a control connection.

use core::fmt;

use super::{
    BackendCommand, BackendEvent, ControlClose,
    pulse::{Beat, Pulse},
};
use crate::{
    frame::control::{ControlFrame, Hello, kind},
    ids::{BackendName, Generation, Role},
    limits,
    session::{Outbox, Output, Session, deframer::Deframer},
    time::Timestamp,
};

/// The backend's side of a control connection.
///
/// What it has to send is bounded by its commands: one frame for each, and one pong for each ping taken. The owner's
/// mailbox bounds the commands.
pub struct BackendSide {
    role: Role,
    state: State,
    deframer: Deframer,
    outbox: Outbox<BackendEvent>,
}

#[derive(Clone, Copy)]
enum State {
    /// For the edge's welcome.
    AwaitWelcome {
        until: Timestamp,
    },
    /// For the owner to check the edge's proof. No input is taken: the edge speaks right behind its welcome.
    Proving {
        until: Timestamp,
    },
    Up {
        pulse: Pulse,
    },
    Over(ControlClose),
}

impl BackendSide {
    /// A session on a TLS connection that stands; its first output is the hello with `proof`.
    #[must_use]
    pub fn new(role: Role, name: BackendName, generation: Generation, proof: [u8; 32], now: Timestamp) -> Self {
        let mut outbox = Outbox::new();
        outbox.send(ControlFrame::Hello(Hello { role, name, generation, proof }).encode());
        let state = State::AwaitWelcome { until: now + limits::FIRST_FRAME };
        Self { role, state, deframer: Deframer::new(), outbox }
    }

    fn close(&mut self, reason: ControlClose) {
        self.deframer = Deframer::new();
        self.state = State::Over(reason);
    }

    fn violation(&mut self, what: &'static str) {
        self.close(ControlClose::Violation(what));
    }

    /// Sends on a connection that is up; before that only the hello is said, so nothing happens.
    fn send(&mut self, frame: &ControlFrame, now: Timestamp) {
        if let State::Up { pulse } = &mut self.state {
            pulse.sent(now);
            self.outbox.send(frame.encode());
        }
    }

    /// SPEC §9.2.2: why a frame of this kind is forbidden now. Judged at its first byte, before its body is held.
    fn forbidden(&self, kind: u8) -> Option<&'static str> {
        match self.state {
            State::AwaitWelcome { .. } => (kind != kind::WELCOME).then_some("frame before welcome"),
            State::Up { .. } => match (kind, self.role) {
                (kind::WELCOME, _) => Some("welcome twice"),
                (kind::HELLO | kind::ANSWER | kind::REVOKE, _) => Some("frame of a backend"),
                (kind::ASK, Role::StorageNode) => Some("frame for a master"),
                (_, Role::Master | Role::StorageNode) => None,
            },
            State::Proving { .. } | State::Over(_) => None,
        }
    }

    fn hear(&mut self, frame: ControlFrame, now: Timestamp) {
        if let State::Up { pulse } = &mut self.state {
            pulse.heard(now);
        }
        match (frame, &mut self.state) {
            (ControlFrame::Welcome(welcome), State::AwaitWelcome { until }) => {
                self.state = State::Proving { until: *until };
                self.outbox.event(BackendEvent::Prove(welcome));
            }
            (ControlFrame::Ask { id, exporter, request }, State::Up { .. }) if self.role == Role::Master => {
                self.outbox.event(BackendEvent::Ask { id, exporter, request });
            }
            (ControlFrame::Dial { count }, State::Up { .. }) => self.outbox.event(BackendEvent::Dial(count)),
            (ControlFrame::Leave, State::Up { pulse }) => match pulse.peer_leaves() {
                Ok(()) => self.outbox.event(BackendEvent::Leaving),
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

impl Session for BackendSide {
    type Event = BackendEvent;
    type Command = BackendCommand;
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
            State::AwaitWelcome { .. } | State::Proving { .. } | State::Up { .. } => {
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
            State::AwaitWelcome { until } | State::Proving { until } => {
                if until <= now {
                    self.close(ControlClose::HandshakeTimeout);
                }
            }
            State::Up { pulse } => match pulse.at(now) {
                Beat::Nothing => {}
                Beat::Ping => self.send(&ControlFrame::Ping, now),
                Beat::Silent => self.close(ControlClose::Silent),
            },
            State::Over(_) => {}
        }
    }

    fn handle_command(&mut self, command: BackendCommand, now: Timestamp) {
        self.handle_timeout(now);
        match (command, &mut self.state) {
            (_, State::Over(_)) => {}
            (BackendCommand::Trust, State::Proving { .. }) => self.state = State::Up { pulse: Pulse::start(now) },
            (BackendCommand::Distrust, State::Proving { .. }) => self.close(ControlClose::NotProved),
            (BackendCommand::Answer { id, verdict }, State::Up { .. }) if self.role == Role::Master => {
                self.send(&ControlFrame::Answer { id, verdict }, now);
            }
            (BackendCommand::Revoke(device_id), State::Up { .. }) if self.role == Role::Master => {
                self.send(&ControlFrame::Revoke { device_id }, now);
            }
            (BackendCommand::Leave, State::Up { pulse }) => {
                if pulse.leave() {
                    self.send(&ControlFrame::Leave, now);
                }
            }
            (BackendCommand::Close, _) => self.close(ControlClose::Left),
            (
                BackendCommand::Trust
                | BackendCommand::Distrust
                | BackendCommand::Answer { .. }
                | BackendCommand::Revoke(_)
                | BackendCommand::Leave,
                _,
            ) => {}
        }
    }

    fn poll_output(&mut self) -> Output<BackendEvent, ControlClose> {
        let state = self.state;
        self.outbox.next(|| match state {
            State::AwaitWelcome { until } | State::Proving { until } => Output::Wait(Some(until)),
            State::Up { pulse } => Output::Wait(Some(pulse.deadline())),
            State::Over(reason) => Output::Close(reason),
        })
    }

    fn wants_input(&self) -> bool {
        match self.state {
            State::AwaitWelcome { .. } | State::Up { .. } => true,
            State::Proving { .. } | State::Over(_) => false,
        }
    }
}

impl fmt::Debug for BackendSide {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BackendSide").field("role", &self.role).finish_non_exhaustive()
    }
}
