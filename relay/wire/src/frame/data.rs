//! SPEC §7.3: frames of a data connection until its hand-over. Kind u8, body length u32, body.

use alloc::vec::Vec;

use crate::{
    codec::Malformed,
    grant::SignedGrant,
    ids::{BackendName, Generation, Role},
};

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
    /// The frame's bytes, header included.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        todo!()
    }

    /// The frame at the start of `bytes` and how many bytes it takes; `None` if more bytes are needed.
    ///
    /// # Errors
    /// [`Malformed`] as soon as the bytes cannot be the start of a frame.
    pub fn decode(_bytes: &[u8]) -> Result<Option<(Self, usize)>, Malformed> {
        todo!()
    }
}
