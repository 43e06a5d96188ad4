//! Pins as users give them, the commands that only handle pins, and what a pin that does not match is the digest of.

mod commands;
mod diagnose;
mod material;
mod side;

use relay_trust::{OtherHash, Pin, PinError};

pub use commands::{PinsCommand, execute, kind, listed, pin_of};
pub use diagnose::diagnose;

/// A pin as it was given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Given {
    /// One that can match.
    Pin(Pin),
    /// A digest by another hash. It never matches; it is kept for telling the user what it is the digest of.
    Other {
        /// The hash, by its name or by the digest's length.
        hash: OtherHash,
        /// The digest.
        digest: Vec<u8>,
    },
}

impl Given {
    /// A pin in any spelling, or a digest by another hash.
    ///
    /// # Errors
    /// [`PinError`] for anything that is neither.
    pub fn read(text: &str) -> Result<Self, PinError> {
        match text.parse() {
            Ok(pin) => Ok(Self::Pin(pin)),
            Err(PinError::OtherHash { hash, digest, .. }) => Ok(Self::Other { hash, digest }),
            Err(error) => Err(error),
        }
    }

    /// The digest, of whatever hash.
    pub fn digest(&self) -> &[u8] {
        match self {
            Self::Pin(pin) => pin.digest(),
            Self::Other { digest, .. } => digest,
        }
    }
}
