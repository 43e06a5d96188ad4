//! Why a device did not get what it asked for, as types: whether to come back, when, or never.

use std::{fmt, io, time::Duration};

use relay_wire::{builtin::Status, ids::ServiceName};
use thiserror::Error;

/// What a device was doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Step {
    /// TCP to the edge, name resolution included.
    Connect,
    /// TLS with the edge.
    Tls,
    /// `register`.
    Register,
    /// The `enrol` tunnel with the master.
    Enrol,
    /// `auth`.
    Authenticate,
    /// `ping`.
    Ping,
    /// `backup`, `restore` or `sync`, up to the offer of a tunnel.
    Request,
    /// TCP, TLS and preface of a tunnel.
    Tunnel,
    /// Bytes in a tunnel.
    Transfer,
}

impl Step {
    /// The step's name in reports.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Connect => "connect",
            Self::Tls => "tls",
            Self::Register => "register",
            Self::Enrol => "enrol",
            Self::Authenticate => "authenticate",
            Self::Ping => "ping",
            Self::Request => "request",
            Self::Tunnel => "tunnel",
            Self::Transfer => "transfer",
        }
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Why a device did not get what it asked for.
#[derive(Debug, Error)]
pub enum Failure {
    /// The peer's certificate matches none of the deployed pins, or the peer could not prove that it holds the key. The
    /// device stops here: not one byte was sent to that peer, and it does not come back until a person has looked.
    #[error("halted: {peer}: {reason}; nothing was sent to it, and this device does not retry")]
    Halted {
        /// Who it claimed to be: the edge, or the master in the enrol tunnel.
        peer: &'static str,
        /// What was wrong.
        reason: String,
    },
    /// The relay said no. A stranger learns no reason; the edge's log has it.
    #[error("{step} was refused; the reason is in the log of the edge or of the master")]
    Refused {
        /// What was refused.
        step: Step,
    },
    /// The relay said: not now.
    #[error("{step}: the relay asks to try again in {after:?}")]
    Later {
        /// What was put off.
        step: Step,
        /// When to ask again.
        after: Duration,
    },
    /// The edge goes away, or has ended the connection.
    #[error("{step}: the edge ended the connection")]
    Ended {
        /// What was under way.
        step: Step,
    },
    /// No connection, or it broke.
    #[error("{step}: {peer}: {source}")]
    Unreachable {
        /// What was under way.
        step: Step,
        /// The address.
        peer: String,
        /// What the operating system said.
        source: io::Error,
    },
    /// TLS failed for a reason that is neither pin nor possession (chain, name, version, a server that speaks no TLS).
    #[error("{step}: TLS with {peer}: {reason}")]
    Tls {
        /// What was under way.
        step: Step,
        /// The address.
        peer: String,
        /// What was wrong.
        reason: String,
    },
    /// A deadline passed.
    #[error("{step}: no answer within {after:?}")]
    Timeout {
        /// What was under way.
        step: Step,
        /// The deadline.
        after: Duration,
    },
    /// The peer said something that the protocol does not allow.
    #[error("{step}: the peer broke the protocol: {what}")]
    Violation {
        /// What was under way.
        step: Step,
        /// The rule it broke.
        what: &'static str,
    },
    /// The grant that came with an offer is not one that this device may trust.
    #[error("the grant cannot be trusted: {0}; nothing was sent to the backend that it names")]
    Grant(&'static str),
    /// The backend in the tunnel does not hold the certificate that the master's grant names.
    #[error("the backend's certificate is not the one that the master's grant names ({0}); nothing was sent")]
    WrongBackend(String),
    /// The backend would not join the tunnel to the service.
    #[error("service {service}: {}", status_text(*status))]
    Service {
        /// The service.
        service: ServiceName,
        /// The backend's answer.
        status: Status,
    },
    /// Bytes came out other than they went in.
    #[error("content: {0}")]
    Corrupt(String),
    /// Something on this side: a key that cannot sign, a value that does not encode.
    #[error("{0}")]
    Local(String),
}

const fn status_text(status: Status) -> &'static str {
    match status {
        Status::Ready => "ready",
        Status::NotAllowed => "not allowed by the grant, or not offered by this backend",
        Status::Unreachable => "its upstream did not accept the connection",
    }
}

impl Failure {
    /// Whether the device must stop until a person has looked.
    #[must_use]
    pub const fn halts(&self) -> bool {
        matches!(self, Self::Halted { .. })
    }

    /// When the relay wants the device back, if it said so.
    #[must_use]
    pub const fn retry_after(&self) -> Option<Duration> {
        if let Self::Later { after, .. } = self { Some(*after) } else { None }
    }

    /// Whether the same attempt may succeed later without anyone doing anything: a matter of reach, not of trust.
    #[must_use]
    pub const fn is_passing(&self) -> bool {
        match self {
            Self::Later { .. }
            | Self::Ended { .. }
            | Self::Unreachable { .. }
            | Self::Timeout { .. }
            | Self::Tls { .. }
            | Self::Violation { .. } => true,
            Self::Halted { .. }
            | Self::Refused { .. }
            | Self::Grant(_)
            | Self::WrongBackend(_)
            | Self::Service { .. }
            | Self::Corrupt(_)
            | Self::Local(_) => false,
        }
    }
}
