//! SPEC §9.3: the edge's side of a data connection.

use core::fmt;

use super::{DataClose, EdgeCommand, EdgeEvent};
use crate::{
    frame::data::{DataFrame, kind},
    limits,
    session::{Outbox, Output, Session, deframer::Deframer},
    time::Timestamp,
};

/// The edge's side of a data connection.
///
/// A parked connection has no deadline here: a dead peer is found by TCP keep-alive, and the owner rotates its spares.
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
    },
    /// For a tunnel.
    Parked,
    Over(DataClose),
}

impl EdgeSide {
    /// A session whose TCP connection was accepted at `accepted`.
    #[must_use]
    pub fn new(accepted: Timestamp) -> Self {
        let state = State::AwaitHello { until: accepted + limits::FIRST_FRAME };
        Self { state, deframer: Deframer::new(), outbox: Outbox::new() }
    }

    fn close(&mut self, reason: DataClose) {
        self.deframer = Deframer::new();
        self.state = State::Over(reason);
    }

    /// Takes bytes up to the end of the hello; returns how many.
    fn greet(&mut self, bytes: &[u8], until: Timestamp) -> usize {
        // Judged at the first byte, before a body is held.
        if self.deframer.first(bytes).is_some_and(|first| first != kind::HELLO) {
            self.close(DataClose::Violation("frame before hello"));
            return bytes.len();
        }
        let (taken, frame) = self.deframer.take(bytes);
        match frame {
            Ok(None) => {}
            Ok(Some(DataFrame::Hello { role, name, generation, proof })) => {
                self.state = State::Proving { until };
                self.outbox.event(EdgeEvent::Prove { role, name, generation, proof });
            }
            Ok(Some(DataFrame::Parked { .. } | DataFrame::Assign { .. })) => {
                self.close(DataClose::Violation("frame before hello"));
            }
            Err(malformed) => self.close(DataClose::Violation(malformed.field)),
        }
        taken
    }
}

impl Session for EdgeSide {
    type Event = EdgeEvent;
    type Command = EdgeCommand;
    type Close = DataClose;

    fn handle_input(&mut self, bytes: &[u8], now: Timestamp) -> usize {
        self.handle_timeout(now);
        let mut taken = 0;
        while let Some(rest) = bytes.get(taken..).filter(|rest| !rest.is_empty()) {
            match self.state {
                State::AwaitHello { until } => taken += self.greet(rest, until),
                // SPEC §7.3.3: a backend says nothing behind its hello.
                State::Proving { .. } | State::Parked => self.close(DataClose::Violation("bytes behind hello")),
                State::Over(_) => break,
            }
        }
        taken
    }

    fn handle_end(&mut self, now: Timestamp) {
        self.handle_timeout(now);
        match self.state {
            State::Over(_) => {}
            State::AwaitHello { .. } | State::Proving { .. } | State::Parked => {
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
            State::AwaitHello { until } | State::Proving { until } => {
                if until <= now {
                    self.close(DataClose::HandshakeTimeout);
                }
            }
            State::Parked | State::Over(_) => {}
        }
    }

    fn handle_command(&mut self, command: EdgeCommand, now: Timestamp) {
        self.handle_timeout(now);
        match (command, self.state) {
            (_, State::Over(_)) => {}
            (EdgeCommand::Park { proof }, State::Proving { .. }) => {
                self.outbox.send(DataFrame::Parked { proof }.encode());
                self.state = State::Parked;
            }
            (EdgeCommand::Reject, State::Proving { .. }) => self.close(DataClose::NotProved),
            (EdgeCommand::Assign { grant, remote }, State::Parked) => {
                self.outbox.send(DataFrame::Assign { grant, remote }.encode());
                self.close(DataClose::HandOver);
            }
            (EdgeCommand::Close, State::AwaitHello { .. } | State::Proving { .. } | State::Parked) => {
                self.close(DataClose::Left);
            }
            (EdgeCommand::Park { .. } | EdgeCommand::Reject, State::AwaitHello { .. } | State::Parked)
            | (EdgeCommand::Assign { .. }, State::AwaitHello { .. } | State::Proving { .. }) => {}
        }
    }

    fn poll_output(&mut self) -> Output<EdgeEvent, DataClose> {
        let state = self.state;
        self.outbox.next(|| match state {
            State::AwaitHello { until } | State::Proving { until } => Output::Wait(Some(until)),
            State::Parked => Output::Wait(None),
            State::Over(reason) => Output::Close(reason),
        })
    }

    fn wants_input(&self) -> bool {
        match self.state {
            State::AwaitHello { .. } | State::Proving { .. } | State::Parked => true,
            State::Over(_) => false,
        }
    }
}

impl fmt::Debug for EdgeSide {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EdgeSide").finish_non_exhaustive()
    }
}
