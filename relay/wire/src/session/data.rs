//! SPEC §9.3: a data connection until its hand-over, from both sides. Proofs are made and checked by the owner.

use crate::{
    frame::data::Remote,
    grant::SignedGrant,
    ids::{BackendName, Generation, Role},
    session::{Output, Session},
    time::Timestamp,
};

/// Why a data connection ended before its hand-over, on either side.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DataClose {
    /// The peer ended it.
    Finished,
    /// No hello or answer in time.
    HandshakeTimeout,
    /// The proof did not hold.
    NotProved,
    /// The peer sent what the protocol forbids; the word says what.
    Violation(&'static str),
    /// This side is done with it.
    Left,
    /// Not an error: `Assign` is sent (edge) or received (backend). What follows on this TLS connection is close_notify,
    /// and behind it raw bytes.
    HandOver,
}

/// What the edge must do.
#[derive(Debug, PartialEq, Eq)]
pub enum EdgeEvent {
    /// Check this proof; answer with [`EdgeCommand::Park`] or [`EdgeCommand::Reject`].
    Prove {
        /// Role.
        role: Role,
        /// Name.
        name: BackendName,
        /// Generation.
        generation: Generation,
        /// Proof.
        proof: [u8; 32],
    },
}

/// What the owner tells the edge's side.
#[derive(Debug, PartialEq, Eq)]
pub enum EdgeCommand {
    /// The proof holds; here is ours.
    Park {
        /// With [`crate::proof::Speaker::DataEdge`].
        proof: [u8; 32],
    },
    /// It does not hold.
    Reject,
    /// This connection is now that tunnel: sends `Assign`, then closes with [`DataClose::HandOver`].
    Assign {
        /// The master's word.
        grant: SignedGrant,
        /// The device's address.
        remote: Remote,
    },
    /// Close it unused.
    Close,
}

/// The edge's side of a data connection.
#[derive(Debug)]
pub struct EdgeSide {
    _private: (),
}

impl EdgeSide {
    /// A session whose TCP connection was accepted at `accepted`.
    #[must_use]
    pub fn new(_accepted: Timestamp) -> Self {
        todo!()
    }
}

impl Session for EdgeSide {
    type Event = EdgeEvent;
    type Command = EdgeCommand;
    type Close = DataClose;

    fn handle_input(&mut self, _bytes: &[u8], _now: Timestamp) -> usize {
        todo!()
    }
    fn handle_end(&mut self, _now: Timestamp) {
        todo!()
    }
    fn handle_timeout(&mut self, _now: Timestamp) {
        todo!()
    }
    fn handle_command(&mut self, _command: EdgeCommand, _now: Timestamp) {
        todo!()
    }
    fn poll_output(&mut self) -> Output<EdgeEvent, DataClose> {
        todo!()
    }
    fn wants_input(&self) -> bool {
        todo!()
    }
}

/// What a backend must do.
#[derive(Debug, PartialEq, Eq)]
pub enum BackendEvent {
    /// Check the edge's proof; answer with [`BackendCommand::Trust`] or [`BackendCommand::Distrust`].
    Prove {
        /// With [`crate::proof::Speaker::DataEdge`].
        proof: [u8; 32],
    },
    /// The connection was assigned; a [`DataClose::HandOver`] follows.
    Assigned {
        /// The master's word, not yet verified on this side.
        grant: SignedGrant,
        /// The device's address as the edge sees it.
        remote: Remote,
    },
}

/// What the owner tells the backend's side.
#[derive(Debug, PartialEq, Eq)]
pub enum BackendCommand {
    /// The edge's proof holds: the connection is parked.
    Trust,
    /// It does not.
    Distrust,
    /// Close it unused.
    Close,
}

/// The backend's side of a data connection.
#[derive(Debug)]
pub struct BackendSide {
    _private: (),
}

impl BackendSide {
    /// A session on a TLS connection that stands; its first output is the hello with `proof`.
    #[must_use]
    pub fn new(_role: Role, _name: BackendName, _generation: Generation, _proof: [u8; 32], _now: Timestamp) -> Self {
        todo!()
    }
}

impl Session for BackendSide {
    type Event = BackendEvent;
    type Command = BackendCommand;
    type Close = DataClose;

    fn handle_input(&mut self, _bytes: &[u8], _now: Timestamp) -> usize {
        todo!()
    }
    fn handle_end(&mut self, _now: Timestamp) {
        todo!()
    }
    fn handle_timeout(&mut self, _now: Timestamp) {
        todo!()
    }
    fn handle_command(&mut self, _command: BackendCommand, _now: Timestamp) {
        todo!()
    }
    fn poll_output(&mut self) -> Output<BackendEvent, DataClose> {
        todo!()
    }
    fn wants_input(&self) -> bool {
        todo!()
    }
}
