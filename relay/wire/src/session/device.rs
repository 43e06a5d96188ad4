//! SPEC §9.1: a device's persistent connection, from both sides.

use core::time::Duration;

use crate::{
    error::Rejection,
    frame::reply::Offer,
    grant::SignedGrant,
    ids::{DeviceId, Token},
    request::{Platform, Request},
    validator::Checked,
};

mod client;
mod edge;

pub use client::DeviceSide;
pub use edge::EdgeSide;

/// Why the edge ended a device's connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EdgeClose {
    /// The device ended it between two frames.
    Finished,
    /// [`crate::Code::Frame`]: no reply is sent.
    BadFrame(Rejection),
    /// Not authenticated in time.
    Unauthenticated,
    /// Refused too often, or a stranger refused once.
    Refused,
    /// Silent for too long.
    Idle,
    /// The device was revoked.
    Revoked,
    /// The edge is going away.
    Draining,
}

/// What the edge must do for a device's session. It may hold a token, so it has no `Debug`.
#[derive(PartialEq, Eq)]
pub enum EdgeEvent {
    /// Ask the master about this request; answer with [`EdgeCommand::Answer`] under the same number.
    Ask {
        /// Joins the question with its answer.
        question: QuestionId,
        /// The request.
        request: Checked<Request>,
    },
    /// The owner did not answer this question in time ([`crate::limits::ANSWER`]): the device was told
    /// "later", and an answer that still comes is ignored.
    Unanswered(QuestionId),
    /// The device authenticated: from now on a revocation of this id ends the session.
    Authenticated(DeviceId),
    /// A tunnel was offered under this token for this grant (bound to this session: void when it ends).
    Offered {
        /// The token, drawn by the owner.
        token: Token,
        /// The grant.
        grant: SignedGrant,
        /// The request that led to it.
        request: Checked<Request>,
    },
    /// A request was refused by the validator: one log line, one metric.
    Rejected {
        /// Whose format it claimed.
        platform: Platform,
        /// Why.
        rejection: Rejection,
    },
    /// A request was refused for another reason than its format: `reason` is a fixed word for log and metric.
    Refused {
        /// `master`, `unauthenticated`, `other-device`, `nonce-reused`.
        reason: &'static str,
    },
    /// A ping was answered.
    Pinged,
}

/// The number of a question that a session asked; unique within the session, so that a late answer to one question is
/// never taken for the answer to the next.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct QuestionId(pub u32);

/// The answer to a question.
#[derive(Clone, PartialEq, Eq)]
pub enum Answer {
    /// The master accepted `auth`.
    Accepted,
    /// The master refused.
    Refused,
    /// The master cannot be asked, or is overloaded; or the node is away.
    Later(Duration),
    /// The master granted a tunnel; `token` was drawn at random by the owner.
    Granted {
        /// The master's word.
        grant: SignedGrant,
        /// The token to offer.
        token: Token,
    },
}

/// What the owner tells the edge's side.
pub enum EdgeCommand {
    /// The answer to [`EdgeEvent::Ask`]. Ignored if that question is not open (it can be late), or if the answer is none
    /// to this request (a tunnel for `auth`, or `Accepted` for anything else).
    Answer {
        /// The question's number.
        question: QuestionId,
        /// The answer.
        answer: Answer,
    },
    /// The device was revoked: end now.
    Revoke,
    /// The edge goes away: tell the device to come back after this time, finish the answer under way, close.
    Drain(Duration),
}

/// Why a device's side ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeviceClose {
    /// The edge ended it.
    Finished,
    /// The edge sent something that is no reply, or one that was not asked for.
    Violation,
    /// No reply within [`crate::limits::REPLY`].
    Timeout,
    /// This side is done.
    Left,
}

/// What happened on a device's side.
#[derive(PartialEq, Eq)]
pub enum DeviceEvent {
    /// `auth` or `ping` succeeded.
    Accepted,
    /// Refused.
    Refused,
    /// Try again after this time.
    Later(Duration),
    /// A tunnel was offered.
    Tunnel(Offer),
    /// The edge goes away; connect again after this time. A request under way was not answered and will not be.
    Draining(Duration),
}

/// What the owner tells a device's side.
pub enum DeviceCommand {
    /// Send this request: platform and body as they are (valid or not), one at a time. Ignored while a reply is awaited.
    Send {
        /// The platform of the opening frame.
        platform: Platform,
        /// The body.
        body: alloc::vec::Vec<u8>,
    },
    /// Close.
    Close,
}
