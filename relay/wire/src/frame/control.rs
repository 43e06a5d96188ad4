//! SPEC §6.2: frames of a control connection. Kind u8, body length u32, body of at most
//! [`crate::limits::BACKHAUL_BYTES_MAX`] bytes.

use alloc::vec::Vec;
use core::time::Duration;

use crate::{
    codec::Malformed,
    grant::SignedGrant,
    ids::{BackendName, DeviceId, Exporter, Generation, RequestId, Role},
};

/// What a backend says first on a control connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hello {
    /// Its role.
    pub role: Role,
    /// Its name.
    pub name: BackendName,
    /// Its life.
    pub generation: Generation,
    /// HMAC-SHA256 of [`crate::proof::backhaul`] with [`crate::proof::Speaker::ControlBackend`].
    pub proof: [u8; 32],
}

/// What the edge answers to a [`Hello`] that it believes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Welcome {
    /// HMAC-SHA256 of [`crate::proof::backhaul`] with [`crate::proof::Speaker::ControlEdge`].
    pub proof: [u8; 32],
    /// How many spare data connections this backend may park at the edge.
    pub spares_max: u16,
}

/// The master's verdict on a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// 1: `auth` is good.
    Accepted,
    /// 2: no. The reason stays in the master's log.
    Refused,
    /// 3: not now (the master is overloaded); ask again after this time.
    Later(Duration),
    /// 4: a tunnel is granted.
    Granted(SignedGrant),
}

/// A frame of a control connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ControlFrame {
    /// 0x01, backend to edge, first.
    Hello(Hello),
    /// 0x02, edge to backend, first.
    Welcome(Welcome),
    /// 0x03, edge to master: judge this request.
    Ask {
        /// Joins it with its answer.
        id: RequestId,
        /// The exporter of the device-edge connection.
        exporter: Exporter,
        /// [`crate::canonical::encode`] of the checked request.
        request: Vec<u8>,
    },
    /// 0x04, master to edge.
    Answer {
        /// The question's number.
        id: RequestId,
        /// The verdict.
        verdict: Verdict,
    },
    /// 0x05, edge to backend: open this many data connections now.
    Dial {
        /// 1..=u16::MAX.
        count: u16,
    },
    /// 0x06, master to edge: this device is no longer; end its sessions and tunnels.
    Revoke {
        /// The device.
        device_id: DeviceId,
    },
    /// 0x07, either way: the sender is going away; nothing new to it, what runs may finish.
    Leave,
    /// 0x08, either way: are you there?
    Ping,
    /// 0x09, either way: yes.
    Pong,
}

impl ControlFrame {
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
