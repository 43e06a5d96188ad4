//! SPEC §4.2: what the edge says to a device. Magic `EDR1`, kind u8, version u8 = 1, flags u16 = 0, body length u32, body.

use alloc::vec::Vec;
use core::{ops::RangeInclusive, time::Duration};

use crate::{
    codec::{Malformed, Reader, Writer},
    frame::envelope::{self, SIGNED_GRANT_BYTES_MAX, SIGNED_GRANT_BYTES_MIN},
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
    const VERSION: u8 = 1;

    const fn kind(&self) -> u8 {
        match self {
            Self::Accepted => 1,
            Self::Refused => 2,
            Self::Later(_) => 3,
            Self::Tunnel(_) => 4,
            Self::Draining(_) => 5,
        }
    }

    /// How long the body of each kind may be.
    fn bounds(kind: u8) -> Option<RangeInclusive<usize>> {
        const FIXED: usize = 16 + 4;
        match kind {
            1 | 2 => Some(0..=0),
            3 | 5 => Some(4..=4),
            4 => Some(FIXED + SIGNED_GRANT_BYTES_MIN..=FIXED + SIGNED_GRANT_BYTES_MAX),
            _ => None,
        }
    }

    /// The reply's bytes, header included. Durations lose parts of a millisecond.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut body = Writer::new();
        match self {
            Self::Accepted | Self::Refused => {}
            Self::Later(after) | Self::Draining(after) => {
                body.u32(envelope::millis(*after));
            }
            Self::Tunnel(offer) => {
                body.raw(offer.token.bytes()).u32(envelope::millis(offer.lifetime));
                envelope::write_grant(&mut body, &offer.grant);
            }
        }
        let body = body.into_bytes();
        let mut reply = Writer::new();
        reply.raw(&MAGIC).u8(self.kind()).u8(Self::VERSION).u16(0);
        reply.raw(&envelope::length_of(&body)).raw(&body);
        reply.into_bytes()
    }

    /// The bytes of the reply whose first bytes are `come`, header included: `None` if more are needed to know.
    pub(crate) fn measure(come: &[u8]) -> Result<Option<usize>, Malformed> {
        let mut bounds = None;
        for (index, byte) in come.iter().take(8).enumerate() {
            let (good, field) = match index {
                0..4 => (MAGIC.get(index) == Some(byte), "magic"),
                4 => {
                    bounds = Self::bounds(*byte);
                    (bounds.is_some(), "kind")
                }
                5 => (*byte == Self::VERSION, "version"),
                _ => (*byte == 0, "flags"),
            };
            if !good {
                return Err(Malformed { field });
            }
        }
        let (Some(bounds), Some(length)) = (bounds, come.get(8..)) else { return Ok(None) };
        Ok(envelope::body_bytes(length, bounds)?.map(|body| HEADER_BYTES + body))
    }

    /// The reply at the start of `bytes` and how many bytes it takes; `None` if more bytes are needed.
    ///
    /// # Errors
    /// [`Malformed`] as soon as the header cannot be one (its length bounded by the kind, and so by
    /// [`crate::limits::REPLY_BYTES_MAX`]), or once the body is there and is not one.
    pub fn decode(bytes: &[u8]) -> Result<Option<(Self, usize)>, Malformed> {
        let Some(total) = Self::measure(bytes)? else { return Ok(None) };
        let (Some(kind), Some(body)) = (bytes.get(4), bytes.get(HEADER_BYTES..total)) else { return Ok(None) };
        let mut body = Reader::new(body);
        let reply = match kind {
            1 => Self::Accepted,
            2 => Self::Refused,
            3 => Self::Later(envelope::read_millis(&mut body, "later")?),
            4 => Self::Tunnel(Offer {
                token: Token::new(body.array("token")?),
                lifetime: envelope::read_millis(&mut body, "lifetime")?,
                grant: envelope::read_grant(&mut body)?,
            }),
            5 => Self::Draining(envelope::read_millis(&mut body, "draining")?),
            _ => return Err(Malformed { field: "kind" }),
        };
        body.finish("end of reply")?;
        Ok(Some((reply, total)))
    }
}
