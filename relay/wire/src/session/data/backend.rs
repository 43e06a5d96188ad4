//! SPEC §9.3: the backend's side of a data connection.

use core::fmt;

use super::{BackendCommand, BackendEvent, DataClose};
use crate::{
    frame::data::{DataFrame, kind},
    ids::{BackendName, Generation, Role},
    limits,
    session::{Outbox, Output, Session, deframer::Deframer},
    time::Timestamp,
};

/// The backend's side of a data connection.
///
/// A parked connection has no deadline here: a dead peer is found by TCP keep-alive, and the owner rotates its spares.
pub struct BackendSide {
    state: State,
    deframer: Deframer,
    outbox: Outbox<BackendEvent>,
}

#[derive(Clone, Copy)]
enum State {
    /// For the edge's proof.
    AwaitParked {
        until: Timestamp,
    },
    /// For the owner to check it. No input is taken: an assignment may stand right behind it.
    Proving {
        until: Timestamp,
    },
    /// For an assignment, of which bytes may have come.
    Parked,
    Over(DataClose),
}

impl BackendSide {
    /// A session on a TLS connection that stands; its first output is the hello with `proof`.
    #[must_use]
    pub fn new(role: Role, name: BackendName, generation: Generation, proof: [u8; 32], now: Timestamp) -> Self {
        let mut outbox = Outbox::new();
        outbox.send(DataFrame::Hello { role, name, generation, proof }.encode());
        let state = State::AwaitParked { until: now + limits::FIRST_FRAME };
        Self { state, deframer: Deframer::new(), outbox }
    }

    fn close(&mut self, reason: DataClose) {
        self.deframer = Deframer::new();
        self.state = State::Over(reason);
    }

    /// Takes bytes up to the end of one frame, which must be of kind `expected`; returns how many.
    fn take(&mut self, bytes: &[u8], expected: u8) -> usize {
        // Judged at the first byte, before a body is held.
        if self.deframer.first(bytes).is_some_and(|first| first != expected) {
            self.close(DataClose::Violation("frame out of place"));
            return bytes.len();
        }
        let (taken, frame) = self.deframer.take(bytes);
        match (frame, self.state) {
            (Ok(None), _) => {}
            (Ok(Some(DataFrame::Parked { proof })), State::AwaitParked { until }) => {
                self.state = State::Proving { until };
                self.outbox.event(BackendEvent::Prove { proof });
            }
            (Ok(Some(DataFrame::Assign { grant, remote })), State::Parked) => {
                if taken < bytes.len() {
                    self.close(DataClose::Violation("bytes behind assign"));
                } else {
                    self.outbox.event(BackendEvent::Assigned { grant, remote });
                    self.close(DataClose::HandOver);
                }
            }
            (Ok(Some(DataFrame::Hello { .. } | DataFrame::Parked { .. } | DataFrame::Assign { .. })), _) => {
                self.close(DataClose::Violation("frame out of place"));
            }
            (Err(malformed), _) => self.close(DataClose::Violation(malformed.field)),
        }
        taken
    }
}

impl Session for BackendSide {
    type Event = BackendEvent;
    type Command = BackendCommand;
    type Close = DataClose;

    fn handle_input(&mut self, bytes: &[u8], now: Timestamp) -> usize {
        self.handle_timeout(now);
        let mut taken = 0;
        while let Some(rest) = bytes.get(taken..).filter(|rest| !rest.is_empty()) {
            match self.state {
                State::AwaitParked { .. } => taken += self.take(rest, kind::PARKED),
                State::Parked => taken += self.take(rest, kind::ASSIGN),
                State::Proving { .. } | State::Over(_) => break,
            }
        }
        taken
    }

    fn handle_end(&mut self, now: Timestamp) {
        self.handle_timeout(now);
        match self.state {
            State::Over(_) => {}
            State::AwaitParked { .. } | State::Proving { .. } | State::Parked => {
                let reason = if self.deframer.is_empty() {
                    DataClose::Finished
                } else {
                    DataClose::Violation("end inside a frame")
                };
                self.close(reason);
            }
        }
    }

    fn handle_timeout(&mut self, now: Timestamp) {
        match self.state {
            State::AwaitParked { until } | State::Proving { until } => {
                if until <= now {
                    self.close(DataClose::HandshakeTimeout);
                }
            }
            State::Parked | State::Over(_) => {}
        }
    }

    fn handle_command(&mut self, command: BackendCommand, now: Timestamp) {
        self.handle_timeout(now);
        match (command, self.state) {
            (_, State::Over(_)) => {}
            (BackendCommand::Trust, State::Proving { .. }) => self.state = State::Parked,
            (BackendCommand::Distrust, State::Proving { .. }) => self.close(DataClose::NotProved),
            (BackendCommand::Close, State::AwaitParked { .. } | State::Proving { .. } | State::Parked) => {
                self.close(DataClose::Left);
            }
            (BackendCommand::Trust | BackendCommand::Distrust, State::AwaitParked { .. } | State::Parked) => {}
        }
    }

    fn poll_output(&mut self) -> Output<BackendEvent, DataClose> {
        let state = self.state;
        self.outbox.next(|| match state {
            State::AwaitParked { until } | State::Proving { until } => Output::Wait(Some(until)),
            State::Parked => Output::Wait(None),
            State::Over(reason) => Output::Close(reason),
        })
    }

    fn wants_input(&self) -> bool {
        match self.state {
            State::AwaitParked { .. } | State::Parked => true,
            State::Proving { .. } | State::Over(_) => false,
        }
    }
}

impl fmt::Debug for BackendSide {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BackendSide").finish_non_exhaustive()
    }
}
