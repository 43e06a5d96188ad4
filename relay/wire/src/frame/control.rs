//! SPEC §6.2: frames of a control connection. Kind u8, body length u32, body of at most
//! [`crate::limits::BACKHAUL_BYTES_MAX`] bytes.

use alloc::{string::String, vec::Vec};
use core::{ops::RangeInclusive, time::Duration};

use crate::{
    codec::{Malformed, Reader, Writer},
    frame::envelope::{self, Opened, SIGNED_GRANT_BYTES_MAX},
    grant::SignedGrant,
    ids::{BackendName, DeviceId, Exporter, Generation, RequestId, Role},
    limits,
    request::Platform,
};

/// The first byte of each frame.
pub(crate) mod kind {
    /// [`super::ControlFrame::Hello`]
    pub const HELLO: u8 = 0x01;
    /// [`super::ControlFrame::Welcome`]
    pub const WELCOME: u8 = 0x02;
    /// [`super::ControlFrame::Ask`]
    pub const ASK: u8 = 0x03;
    /// [`super::ControlFrame::Answer`]
    pub const ANSWER: u8 = 0x04;
    /// [`super::ControlFrame::Dial`]
    pub const DIAL: u8 = 0x05;
    /// [`super::ControlFrame::Revoke`]
    pub const REVOKE: u8 = 0x06;
    /// [`super::ControlFrame::Leave`]
    pub const LEAVE: u8 = 0x07;
    /// [`super::ControlFrame::Ping`]
    pub const PING: u8 = 0x08;
    /// [`super::ControlFrame::Pong`]
    pub const PONG: u8 = 0x09;
}

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
    const fn kind(&self) -> u8 {
        match self {
            Self::Hello(_) => kind::HELLO,
            Self::Welcome(_) => kind::WELCOME,
            Self::Ask { .. } => kind::ASK,
            Self::Answer { .. } => kind::ANSWER,
            Self::Dial { .. } => kind::DIAL,
            Self::Revoke { .. } => kind::REVOKE,
            Self::Leave => kind::LEAVE,
            Self::Ping => kind::PING,
            Self::Pong => kind::PONG,
        }
    }

    /// How long the body of each kind may be.
    fn bounds(kind: u8) -> Option<RangeInclusive<usize>> {
        const HELLO_FIXED: usize = 1 + 8 + 2 + 32;
        const ASK_FIXED: usize = 8 + 32 + 2;
        match kind {
            kind::HELLO => Some(HELLO_FIXED + 1..=HELLO_FIXED + BackendName::BYTES_MAX),
            kind::WELCOME => Some(34..=34),
            kind::ASK => Some(ASK_FIXED + 1..=ASK_FIXED + limits::CANONICAL_BYTES_MAX),
            kind::ANSWER => Some(9..=9 + SIGNED_GRANT_BYTES_MAX),
            kind::DIAL => Some(2..=2),
            kind::REVOKE => Some(3 + 1..=3 + limits::DEVICE_ID_BYTES_MAX),
            kind::LEAVE | kind::PING | kind::PONG => Some(0..=0),
            _ => None,
        }
    }

    /// The frame's bytes, header included. A [`Verdict::Later`] loses parts of a millisecond.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut body = Writer::new();
        match self {
            Self::Hello(Hello { role, name, generation, proof }) => {
                body.u8(role.number()).u64(generation.0).bounded16(name.as_str().as_bytes()).raw(proof);
            }
            Self::Welcome(Welcome { proof, spares_max }) => {
                body.raw(proof).u16(*spares_max);
            }
            Self::Ask { id, exporter, request } => {
                body.u64(id.0).raw(&exporter.0).bounded16(request);
            }
            Self::Answer { id, verdict } => {
                body.u64(id.0);
                verdict.write(&mut body);
            }
            Self::Dial { count } => {
                body.u16(*count);
            }
            Self::Revoke { device_id } => {
                body.u8(device_id.platform().number()).bounded16(device_id.text().as_bytes());
            }
            Self::Leave | Self::Ping | Self::Pong => {}
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
            kind::HELLO => Self::Hello(Hello::read(&mut body)?),
            kind::WELCOME => Self::Welcome(Welcome { proof: body.array("proof")?, spares_max: body.u16("spares")? }),
            kind::ASK => Self::Ask {
                id: RequestId(body.u64("id")?),
                exporter: Exporter(body.array("exporter")?),
                request: body.bytes16_within(1..=limits::CANONICAL_BYTES_MAX, "request")?.to_vec(),
            },
            kind::ANSWER => Self::Answer { id: RequestId(body.u64("id")?), verdict: Verdict::read(&mut body)? },
            kind::DIAL => match body.u16("count")? {
                0 => return Err(Malformed { field: "count" }),
                count => Self::Dial { count },
            },
            kind::REVOKE => Self::Revoke { device_id: read_device_id(&mut body)? },
            kind::LEAVE => Self::Leave,
            kind::PING => Self::Ping,
            kind::PONG => Self::Pong,
            _ => return Err(Malformed { field: "kind" }),
        };
        body.finish("end of frame")?;
        Ok(Some((frame, total)))
    }
}

impl Hello {
    fn read(body: &mut Reader<'_>) -> Result<Self, Malformed> {
        let role = Role::from_number(body.u8("role")?).ok_or(Malformed { field: "role" })?;
        let generation = Generation(body.u64("generation")?);
        let name = read_name(body)?;
        Ok(Self { role, name, generation, proof: body.array("proof")? })
    }
}

impl Verdict {
    fn write(&self, body: &mut Writer) {
        match self {
            Self::Accepted => {
                body.u8(1);
            }
            Self::Refused => {
                body.u8(2);
            }
            Self::Later(after) => {
                body.u8(3).u32(envelope::millis(*after));
            }
            Self::Granted(grant) => {
                body.u8(4);
                envelope::write_grant(body, grant);
            }
        }
    }

    fn read(body: &mut Reader<'_>) -> Result<Self, Malformed> {
        match body.u8("verdict")? {
            1 => Ok(Self::Accepted),
            2 => Ok(Self::Refused),
            3 => envelope::read_millis(body, "later").map(Self::Later),
            4 => envelope::read_grant(body).map(Self::Granted),
            _ => Err(Malformed { field: "verdict" }),
        }
    }
}

/// A backend's name: u16 length, text.
pub(super) fn read_name(body: &mut Reader<'_>) -> Result<BackendName, Malformed> {
    BackendName::new(body.text16("name")?).map_err(|_| Malformed { field: "name" })
}

/// A device id: platform u8, u16 length, text.
pub(crate) fn read_device_id(body: &mut Reader<'_>) -> Result<DeviceId, Malformed> {
    let platform = Platform::from_number(body.u8("platform")?).ok_or(Malformed { field: "platform" })?;
    let field = "device id";
    let text = body.bytes16_within(1..=limits::DEVICE_ID_BYTES_MAX, field)?;
    let text = core::str::from_utf8(text).map_err(|_| Malformed { field })?;
    Ok(DeviceId::new(platform, String::from(text)))
}
