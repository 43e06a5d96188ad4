//! SPEC §9.2: a control connection, from both sides. Proofs are made and checked by the owner.

use alloc::vec::Vec;

use crate::{
    frame::control::{Hello, Verdict, Welcome},
    ids::{DeviceId, Exporter, RequestId},
};

mod backend;
mod edge;
mod pulse;

pub use backend::BackendSide;
pub use edge::EdgeSide;

/// Why a control connection ended, on either side.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ControlClose {
    /// The peer ended it.
    Finished,
    /// No hello or welcome in time ([`crate::limits::FIRST_FRAME`]).
    HandshakeTimeout,
    /// The proof did not hold.
    NotProved,
    /// The peer sent what the protocol forbids; the word says what.
    Violation(&'static str),
    /// Nothing heard for [`crate::limits::HEARTBEAT_SILENCE`].
    Silent,
    /// A newer life of this backend took over.
    Superseded,
    /// This side is done.
    Left,
}

/// What the edge must do.
#[derive(Debug, PartialEq, Eq)]
pub enum EdgeEvent {
    /// Check this proof; answer with [`EdgeCommand::Welcome`] or [`EdgeCommand::Reject`].
    Prove(Hello),
    /// The master's verdict on a question.
    Answer {
        /// The question.
        id: RequestId,
        /// The verdict.
        verdict: Verdict,
    },
    /// The master revoked a device.
    Revoke(DeviceId),
    /// The backend goes away: nothing new to it.
    Leaving,
}

/// What the owner tells the edge's side.
#[derive(Debug, PartialEq, Eq)]
pub enum EdgeCommand {
    /// The proof holds.
    Welcome(Welcome),
    /// It does not.
    Reject,
    /// Ask the master.
    Ask {
        /// The question's number, unique on this connection.
        id: RequestId,
        /// The exporter of the device-edge connection.
        exporter: Exporter,
        /// [`crate::canonical::encode`] of a checked request.
        request: Vec<u8>,
    },
    /// Ask the backend for data connections.
    Dial(u16),
    /// The edge goes away: tell the backend, keep the connection until it closes.
    Leave,
    /// A newer life took over: end now.
    Supersede,
}

/// What a backend must do.
#[derive(Debug, PartialEq, Eq)]
pub enum BackendEvent {
    /// Check the edge's proof; answer with [`BackendCommand::Trust`] or [`BackendCommand::Distrust`].
    Prove(Welcome),
    /// Judge this request (master only); answer with [`BackendCommand::Answer`].
    Ask {
        /// The question's number.
        id: RequestId,
        /// The exporter of the device-edge connection.
        exporter: Exporter,
        /// A canonical request, not yet checked on this side.
        request: Vec<u8>,
    },
    /// Open this many data connections now.
    Dial(u16),
    /// The edge goes away: connect again after it has closed.
    Leaving,
}

/// What the owner tells the backend's side.
#[derive(Debug, PartialEq, Eq)]
pub enum BackendCommand {
    /// The edge's proof holds: the connection is up.
    Trust,
    /// It does not.
    Distrust,
    /// The verdict on a question.
    Answer {
        /// The question.
        id: RequestId,
        /// The verdict.
        verdict: Verdict,
    },
    /// A device was revoked.
    Revoke(DeviceId),
    /// This backend goes away.
    Leave,
    /// End now.
    Close,
}
