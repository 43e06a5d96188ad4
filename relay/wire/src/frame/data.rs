//! SPEC §7.3: frames of a data connection until its hand-over. Kind u8, body length u32, body.

use alloc::vec::Vec;
use core::ops::RangeInclusive;

use crate::{
    codec::{Malformed, Reader, Writer},
    frame::{
        control::read_name,
        envelope::{self, Opened, SIGNED_GRANT_BYTES_MAX, SIGNED_GRANT_BYTES_MIN},
    },
    grant::SignedGrant,
    ids::{BackendName, Generation, Role},
};

/// The first byte of each frame.
pub(crate) mod kind {
    /// [`super::DataFrame::Hello`]
    pub const HELLO: u8 = 0x11;
    /// [`super::DataFrame::Parked`]
    pub const PARKED: u8 = 0x12;
    /// [`super::DataFrame::Assign`]
    pub const ASSIGN: u8 = 0x13;
}

/// The device's address as the edge sees it, for the upstream's PROXY header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Remote {
    /// Address: IPv4 as IPv4-mapped IPv6 (RFC 4291 section 2.5.5.2).
    pub address: [u8; 16],
    /// Port.
    pub port: u16,
}

/// A frame of a data connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DataFrame {
    /// 0x11, backend to edge, first.
    Hello {
        /// Its role.
        role: Role,
        /// Its name.
        name: BackendName,
        /// The life of the control connection that this belongs to.
        generation: Generation,
        /// HMAC-SHA256 of [`crate::proof::backhaul`] with [`crate::proof::Speaker::DataBackend`].
        proof: [u8; 32],
    },
    /// 0x12, edge to backend: parked.
    Parked {
        /// HMAC-SHA256 of [`crate::proof::backhaul`] with [`crate::proof::Speaker::DataEdge`].
        proof: [u8; 32],
    },
    /// 0x13, edge to backend, last before close_notify: this connection is now that tunnel.
    Assign {
        /// The master's word.
        grant: SignedGrant,
        /// The device's address.
        remote: Remote,
    },
}

impl DataFrame {
    const fn kind(&self) -> u8 {
        match self {
            Self::Hello { .. } => kind::HELLO,
            Self::Parked { .. } => kind::PARKED,
            Self::Assign { .. } => kind::ASSIGN,
        }
    }

    /// How long the body of each kind may be.
    fn bounds(kind: u8) -> Option<RangeInclusive<usize>> {
        const HELLO_FIXED: usize = 1 + 8 + 2 + 32;
        const ASSIGN_FIXED: usize = 16 + 2;
        match kind {
            kind::HELLO => Some(HELLO_FIXED + 1..=HELLO_FIXED + BackendName::BYTES_MAX),
            kind::PARKED => Some(32..=32),
            kind::ASSIGN => Some(ASSIGN_FIXED + SIGNED_GRANT_BYTES_MIN..=ASSIGN_FIXED + SIGNED_GRANT_BYTES_MAX),
            _ => None,
        }
    }

    /// The frame's bytes, header included.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut body = Writer::new();
        match self {
            Self::Hello { role, name, generation, proof } => {
                body.u8(role.number()).u64(generation.0).bounded16(name.as_str().as_bytes()).raw(proof);
            }
            Self::Parked { proof } => {
                body.raw(proof);
            }
            Self::Assign { grant, remote } => {
                body.raw(&remote.address).u16(remote.port);
                envelope::write_grant(&mut body, grant);
            }
        }
        envelope::seal(self.kind(), body)
    }

    /// The bytes of the frame whose first bytes are `come`, header included: `None` if more are needed to know.
    pub(crate) fn measure(come: &[u8]) -> Result<Option<usize>, Malformed> {
        envelope::measure(come, Self::bounds)
    }

    /// The frame at the start of `bytes` and how many bytes it takes; `None` if more bytes are needed.
    ///
    /// # Errors
    /// [`Malformed`] as soon as the header cannot be one (its length is bounded by its kind), or once the body is there
    /// and is not one.
    pub fn decode(bytes: &[u8]) -> Result<Option<(Self, usize)>, Malformed> {
        let Some(Opened { kind, body, total }) = envelope::open(bytes, Self::bounds)? else { return Ok(None) };
        let mut body = Reader::new(body);
        let frame = match kind {
            kind::HELLO => Self::Hello {
                role: Role::from_number(body.u8("role")?).ok_or(Malformed { field: "role" })?,
                generation: Generation(body.u64("generation")?),
                name: read_name(&mut body)?,
                proof: body.array("proof")?,
            },
            kind::PARKED => Self::Parked { proof: body.array("proof")? },
            kind::ASSIGN => Self::Assign {
                remote: Remote { address: body.array("address")?, port: body.u16("port")? },
                grant: envelope::read_grant(&mut body)?,
            },
            _ => return Err(Malformed { field: "kind" }),
        };
        body.finish("end of frame")?;
        Ok(Some((frame, total)))
    }
}
