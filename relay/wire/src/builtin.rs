//! SPEC §8: what device and backend say inside a tunnel, end to end under TLS: the preface that names a service, and the
//! built-in services.
//!
//! Preface: the device writes version u8 = 1 and the service (u8 length, name). The backend writes one status byte.
//! After [`Status::Ready`] the stream belongs to the service.

use alloc::vec::Vec;

use crate::{
    codec::{Malformed, Reader, Writer},
    frame::control::read_device_id,
    ids::{DeviceId, ServiceName},
    limits,
    request::Platform,
};

/// The backend's answer to a preface.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Status {
    /// 0: the service is at the other end.
    Ready,
    /// 1: the grant does not allow it, or the backend does not offer it.
    NotAllowed,
    /// 2: the upstream did not accept the connection.
    Unreachable,
}

impl Status {
    /// The status byte.
    #[must_use]
    pub const fn number(self) -> u8 {
        match self {
            Self::Ready => 0,
            Self::NotAllowed => 1,
            Self::Unreachable => 2,
        }
    }

    /// The status of a byte.
    #[must_use]
    pub const fn from_number(number: u8) -> Option<Self> {
        match number {
            0 => Some(Self::Ready),
            1 => Some(Self::NotAllowed),
            2 => Some(Self::Unreachable),
            _ => None,
        }
    }
}

const PREFACE_VERSION: u8 = 1;
/// Bytes of the longest preface: nobody needs to hold more before it is judged.
pub const PREFACE_BYTES_MAX: usize = 2 + ServiceName::BYTES_MAX;

/// The preface for `service`.
#[must_use]
pub fn preface(service: &ServiceName) -> Vec<u8> {
    let name = service.as_str().as_bytes();
    let length = u8::try_from(name.len()).unwrap_or(u8::MAX);
    let mut writer = Writer::new();
    writer.u8(PREFACE_VERSION).u8(length).raw(name);
    writer.into_bytes()
}

/// The service of the preface at the start of `bytes` and the preface's length; `None` if more bytes are needed.
///
/// # Errors
/// [`Malformed`] if it cannot be the start of a preface: version and length are judged as they arrive, the name when it
/// is there.
pub fn decode_preface(bytes: &[u8]) -> Result<Option<(ServiceName, usize)>, Malformed> {
    let field = "service";
    let Some((version, rest)) = bytes.split_first() else { return Ok(None) };
    if *version != PREFACE_VERSION {
        return Err(Malformed { field: "version" });
    }
    let Some((length, rest)) = rest.split_first() else { return Ok(None) };
    let length = usize::from(*length);
    if !(1..=ServiceName::BYTES_MAX).contains(&length) {
        return Err(Malformed { field });
    }
    let Some(name) = rest.get(..length) else { return Ok(None) };
    let name = core::str::from_utf8(name).map_err(|_| Malformed { field })?;
    let service = ServiceName::new(name).map_err(|_| Malformed { field })?;
    Ok(Some((service, 2 + length)))
}

/// `sink`: swallows all until end of stream, then answers with this (u64 bytes, SHA-256) and ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SinkReceipt {
    /// Bytes swallowed.
    pub bytes: u64,
    /// Their SHA-256.
    pub sha256: [u8; 32],
}

impl SinkReceipt {
    /// Bytes of a receipt.
    pub const BYTES: usize = 40;

    /// The receipt's bytes.
    #[must_use]
    pub fn encode(&self) -> [u8; Self::BYTES] {
        let mut bytes = [0; Self::BYTES];
        bytes[..8].copy_from_slice(&self.bytes.to_be_bytes());
        bytes[8..].copy_from_slice(&self.sha256);
        bytes
    }

    /// The receipt of these bytes.
    #[must_use]
    pub fn decode(bytes: &[u8; Self::BYTES]) -> Self {
        let (count, sha256) = bytes.split_at(8);
        Self {
            bytes: u64::from_be_bytes(count.try_into().unwrap_or_default()),
            sha256: sha256.try_into().unwrap_or_default(),
        }
    }
}

/// `source`: the device asks with this (u64 seed, u64 bytes) and gets that many bytes of [`Content`], then end of stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SourceOrder {
    /// The seed.
    pub seed: u64,
    /// How many bytes, at most [`SourceOrder::BYTES_MAX`].
    pub bytes: u64,
}

impl SourceOrder {
    /// Bytes of an order.
    pub const BYTES: usize = 16;
    /// The largest order: 1 TiB.
    pub const BYTES_MAX: u64 = 1 << 40;

    /// The order's bytes.
    #[must_use]
    pub fn encode(&self) -> [u8; Self::BYTES] {
        let mut bytes = [0; Self::BYTES];
        bytes[..8].copy_from_slice(&self.seed.to_be_bytes());
        bytes[8..].copy_from_slice(&self.bytes.to_be_bytes());
        bytes
    }

    /// The order of these bytes; `None` if it is too large.
    #[must_use]
    pub fn decode(bytes: &[u8; Self::BYTES]) -> Option<Self> {
        let (seed, count) = bytes.split_at(8);
        let seed = u64::from_be_bytes(seed.try_into().ok()?);
        let bytes = u64::from_be_bytes(count.try_into().ok()?);
        (bytes <= Self::BYTES_MAX).then_some(Self { seed, bytes })
    }
}

/// The content of `source` and of simulated backups: a stream of bytes that a seed decides (SplitMix64, big-endian words).
///
/// Both ends compute it, so that every byte of a fleet run can be checked without being stored.
#[derive(Clone, Debug)]
pub struct Content {
    state: u64,
    word: [u8; 8],
    used: usize,
}

impl Content {
    /// The stream of `seed`, from its start.
    #[must_use]
    pub const fn new(seed: u64) -> Self {
        Self { state: seed, word: [0; 8], used: 8 }
    }

    const fn next_word(&mut self) -> [u8; 8] {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)).to_be_bytes()
    }

    /// Fills `out` with the next bytes of the stream.
    pub fn fill(&mut self, out: &mut [u8]) {
        let pending = self.word.len() - self.used;
        let (head, rest) = out.split_at_mut(pending.min(out.len()));
        head.copy_from_slice(&self.word[self.used..self.used + head.len()]);
        self.used += head.len();
        let mut words = rest.chunks_exact_mut(8);
        for chunk in &mut words {
            chunk.copy_from_slice(&self.next_word());
        }
        let tail = words.into_remainder();
        if !tail.is_empty() {
            self.word = self.next_word();
            tail.copy_from_slice(&self.word[..tail.len()]);
            self.used = tail.len();
        }
    }
}

/// `enrol`: what the device writes after the preface: platform u8, id (u16 length, text), MASS proof 32 bytes
/// ([`crate::proof::mass_enrol`]). The key to enrol is that of the client certificate of this tunnel's TLS.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EnrolOrder {
    /// The device, as in its `register`.
    pub device_id: DeviceId,
    /// The MASS proof over this tunnel's exporter, the device id and the key.
    pub proof: [u8; 32],
}

/// `enrol`: what the master answers in one byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EnrolReceipt {
    /// 0: the key is registered.
    Enrolled,
    /// 1: it is not.
    Refused,
}

impl EnrolReceipt {
    /// The receipt's byte.
    #[must_use]
    pub const fn number(self) -> u8 {
        match self {
            Self::Enrolled => 0,
            Self::Refused => 1,
        }
    }

    /// The receipt of a byte.
    #[must_use]
    pub const fn from_number(number: u8) -> Option<Self> {
        match number {
            0 => Some(Self::Enrolled),
            1 => Some(Self::Refused),
            _ => None,
        }
    }
}

impl EnrolOrder {
    /// Bytes of the longest order: nobody needs to hold more before it is judged.
    pub const BYTES_MAX: usize = 3 + limits::DEVICE_ID_BYTES_MAX + 32;

    /// The order's bytes.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut writer = Writer::new();
        writer.u8(self.device_id.platform().number()).bounded16(self.device_id.text().as_bytes()).raw(&self.proof);
        writer.into_bytes()
    }

    /// The order at the start of `bytes` and its length; `None` if more bytes are needed.
    ///
    /// # Errors
    /// [`Malformed`] if it cannot be the start of an order (an id over 255 bytes included): platform and length are
    /// judged as they arrive, the id when the order is there.
    pub fn decode(bytes: &[u8]) -> Result<Option<(Self, usize)>, Malformed> {
        let Some((platform, rest)) = bytes.split_first() else { return Ok(None) };
        Platform::from_number(*platform).ok_or(Malformed { field: "platform" })?;
        let length = match rest {
            [] | [0] => return Ok(None),
            [0, length, ..] if *length > 0 => usize::from(*length),
            _ => return Err(Malformed { field: "device id" }),
        };
        let total = 3 + length + 32;
        let Some(order) = bytes.get(..total) else { return Ok(None) };
        let mut order = Reader::new(order);
        let device_id = read_device_id(&mut order)?;
        let proof = order.array("proof")?;
        order.finish("end of order")?;
        Ok(Some((Self { device_id, proof }, total)))
    }
}

#[cfg(test)]
mod tests;
