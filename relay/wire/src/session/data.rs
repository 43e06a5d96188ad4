//! SPEC §9.3: a data connection until its hand-over, from both sides. Proofs are made and checked by the owner.

use crate::{
    frame::data::Remote,
    grant::SignedGrant,
    ids::{BackendName, Generation, Role},
};

mod backend;
mod edge;

pub use backend::BackendSide;
pub use edge::EdgeSide;

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
