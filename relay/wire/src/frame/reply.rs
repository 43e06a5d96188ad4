//! SPEC §4.2: what the edge says to a device. Magic `EDR1`, kind u8, version u8 = 1, flags u16 = 0, body length u32, body.

use core::time::Duration;

use alloc::vec::Vec;

use crate::{
    codec::Malformed,
    grant::SignedGrant,
    ids::Token,
};

/// The first four bytes of every reply.
pub const MAGIC: [u8; 4] = *b"EDR1";
/// Bytes of a reply's header.
pub const HEADER_BYTES: usize = 12;

/// A reply of the edge to a device.
#[derive(Clone, PartialEq, Eq)]
pub enum Reply {
    /// Kind 1: done (`auth`, `ping`). Empty body.
    Accepted,
    /// Kind 2: no, for whatever reason. Empty body: a stranger learns nothing from it.
    Refused,
    /// Kind 3: not now; ask again after this time (u32 milliseconds).
    Later(Duration),
    /// Kind 4: a tunnel stands ready (`register`, `backup`, `restore`, `sync`).
    Tunnel(Offer),
    /// Kind 5, unasked: the edge is going away; connect again after this time (u32 milliseconds).
    Draining(Duration),
}

/// A tunnel that a device may claim: token 16 bytes, lifetime u32 milliseconds, grant u16 length and bytes, signature 64.
#[derive(Clone, PartialEq, Eq)]
pub struct Offer {
    /// What claims it.
    pub token: Token,
    /// How long the token may be used, from now.
    pub lifetime: Duration,
    /// The master's word: which backend, which certificate, which services.
    pub grant: SignedGrant,
}

impl Reply {
    /// The reply's bytes, header included.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        todo!()
    }

    /// The reply at the start of `bytes` and how many bytes it takes; `None` if more bytes are needed.
    ///
    /// # Errors
    /// [`Malformed`] as soon as the bytes cannot be the start of a reply (length over
    /// [`crate::limits::REPLY_BYTES_MAX`] included).
    pub fn decode(_bytes: &[u8]) -> Result<Option<(Self, usize)>, Malformed> {
        todo!()
    }
}
