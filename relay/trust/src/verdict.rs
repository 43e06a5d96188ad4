//! What a client concluded about a server, typed, so that it can tell "halt until a person looks" from "try again".

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use crate::certificate::{CertificateError, Fingerprints};
use crate::chain::ChainError;
use crate::hex;

/// What became of a server's certificate in one handshake.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// The handshake did not come as far as a certificate. Says nothing about the server.
    NotReached,
    /// The certificate is right, the proof that the server has its key has not come (yet).
    Unproved,
    /// The certificate is right and the server has its key.
    Accepted,
    /// None of the pins names this certificate.
    PinMismatch {
        /// What the server presented instead.
        presented: Fingerprints,
    },
    /// The certificate could not be read, so that no pin could be confirmed.
    Unreadable(CertificateError),
    /// The pin is right, but the chain, the dates or the name are not.
    Chain(ChainError),
    /// The certificate is right, but the server could not prove that it has the key: it is somebody else.
    Possession,
}

impl Verdict {
    /// Whether the client must stop until a person resets it: not one byte of a request, no retry.
    ///
    /// True for every failure of a pin or of possession. A broken chain (say, an expired certificate) is refused too,
    /// but trying again later is harmless and may succeed once it was reissued.
    #[must_use]
    pub const fn halts(&self) -> bool {
        match self {
            Self::PinMismatch { .. } | Self::Unreadable(_) | Self::Possession => true,
            Self::NotReached | Self::Unproved | Self::Accepted | Self::Chain(_) => false,
        }
    }

    /// Whether the server was refused.
    #[must_use]
    pub const fn refuses(&self) -> bool {
        match self {
            Self::PinMismatch { .. } | Self::Unreadable(_) | Self::Possession | Self::Chain(_) => true,
            Self::NotReached | Self::Unproved | Self::Accepted => false,
        }
    }

    /// One word for reports and metrics.
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::NotReached => "not-reached",
            Self::Unproved => "unproved",
            Self::Accepted => "accepted",
            Self::PinMismatch { .. } => "pin-mismatch",
            Self::Unreadable(_) => "unreadable",
            Self::Chain(_) => "chain",
            Self::Possession => "possession",
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotReached => f.write_str("the connection ended before a certificate was seen"),
            Self::Unproved => f.write_str("the connection ended before the server proved that it has its key"),
            Self::Accepted => f.write_str("the server is the expected one"),
            Self::PinMismatch { presented } => write!(
                f,
                "the server is not the pinned one: it presented leaf:{} spki:{}; if its certificate was replaced on \
                 purpose, update the pin, otherwise somebody is in between",
                hex::encode(&presented.leaf),
                hex::encode(&presented.spki),
            ),
            Self::Unreadable(error) => error.fmt(f),
            Self::Chain(error) => error.fmt(f),
            Self::Possession => f.write_str(
                "the server presented the pinned certificate but could not prove that it has the key: somebody is in \
                 between",
            ),
        }
    }
}

impl std::error::Error for Verdict {}

/// Where the verifier of one connection writes its verdict. Make one for every connection.
#[derive(Debug)]
pub struct LastVerdict(Mutex<Verdict>);

impl LastVerdict {
    /// An empty one: [`Verdict::NotReached`].
    #[must_use]
    pub fn new() -> Arc<Self> {
        Arc::new(Self(Mutex::new(Verdict::NotReached)))
    }

    /// The verdict so far.
    #[must_use]
    pub fn get(&self) -> Verdict {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Whether the verdict so far halts the client: [`Verdict::halts`].
    #[must_use]
    pub fn halts(&self) -> bool {
        self.get().halts()
    }

    pub(crate) fn set(&self, verdict: Verdict) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = verdict;
    }
}

impl Default for LastVerdict {
    fn default() -> Self {
        Self(Mutex::new(Verdict::NotReached))
    }
}
