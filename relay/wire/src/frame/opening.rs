//! FORMATS §0: the opening frame's header, judged byte by byte as it arrives.

use crate::{
    error::{Code, Rejection},
    limits,
    request::Platform,
};

/// The first four bytes of every request.
pub const MAGIC: [u8; 4] = *b"EDG1";
/// The only format version.
pub const VERSION: u8 = 1;

/// A header that is in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// The format of the body.
    pub platform: Platform,
    /// Bytes of the body: 1..=[`limits::BODY_BYTES_MAX`].
    pub body_bytes: usize,
}

impl Header {
    /// The header in 12 bytes.
    ///
    /// # Errors
    /// [`Code::Frame`] for a wrong magic, platform, version, flag or length.
    pub fn decode(bytes: &[u8; limits::DEVICE_HEADER_BYTES]) -> Result<Self, Rejection> {
        let [m0, m1, m2, m3, platform, version, f0, f1, l0, l1, l2, l3] = *bytes;
        if [m0, m1, m2, m3] != MAGIC {
            return Err(Rejection::new(Code::Frame, "magic"));
        }
        let platform = Platform::from_number(platform).ok_or(Rejection::new(Code::Frame, "platform"))?;
        if version != VERSION {
            return Err(Rejection::new(Code::Frame, "version"));
        }
        if [f0, f1] != [0, 0] {
            return Err(Rejection::new(Code::Frame, "flags"));
        }
        match usize::try_from(u32::from_be_bytes([l0, l1, l2, l3])) {
            Ok(body_bytes @ 1..=limits::BODY_BYTES_MAX) => Ok(Self { platform, body_bytes }),
            _ => Err(Rejection::new(Code::Frame, "body length")),
        }
    }

    /// The 12 bytes of a header for a body of `body_bytes`; the length is written as given, in range or not.
    #[must_use]
    pub fn encode(platform: Platform, body_bytes: u32) -> [u8; limits::DEVICE_HEADER_BYTES] {
        let [l0, l1, l2, l3] = body_bytes.to_be_bytes();
        let [m0, m1, m2, m3] = MAGIC;
        [m0, m1, m2, m3, platform.number(), VERSION, 0, 0, l0, l1, l2, l3]
    }
}
