//! SPEC §2.1.4: the envelope of control and data frames (kind u8, body length u32, body), and what all lengths share.

use alloc::vec::Vec;
use core::{ops::RangeInclusive, time::Duration};

use crate::{
    codec::{Malformed, Reader, Writer},
    grant::SignedGrant,
    limits,
};

/// Bytes of the envelope's header.
const HEADER_BYTES: usize = 5;

/// The body length in what has come of its four bytes: `None` if more are needed.
///
/// Judged byte by byte: a length that can no longer come to lie within `bounds` is malformed at once.
pub(super) fn body_bytes(come: &[u8], bounds: RangeInclusive<usize>) -> Result<Option<usize>, Malformed> {
    let mut least = [0; 4];
    let mut most = [0xff; 4];
    for (index, byte) in come.iter().take(4).enumerate() {
        least[index] = *byte;
        most[index] = *byte;
    }
    let malformed = Malformed { field: "length" };
    let as_usize = |bytes| usize::try_from(u32::from_be_bytes(bytes)).map_err(|_| malformed);
    let (least, most) = (as_usize(least)?, as_usize(most)?);
    if most < *bounds.start() || least > *bounds.end() {
        Err(malformed)
    } else if come.len() < 4 {
        Ok(None)
    } else {
        Ok(Some(least))
    }
}

/// The bytes of the frame whose first bytes are `come`, header included: `None` if more are needed to know.
///
/// `bounds` says how long the body of each kind may be, `None` for a kind that there is not.
pub(super) fn measure(
    come: &[u8],
    bounds: impl FnOnce(u8) -> Option<RangeInclusive<usize>>,
) -> Result<Option<usize>, Malformed> {
    let Some((kind, length)) = come.split_first() else { return Ok(None) };
    let bounds = bounds(*kind).ok_or(Malformed { field: "kind" })?;
    Ok(body_bytes(length, bounds)?.map(|body| HEADER_BYTES + body))
}

/// A frame whose envelope is open.
pub(super) struct Opened<'a> {
    pub(super) kind: u8,
    pub(super) body: &'a [u8],
    /// Bytes of the frame, header included.
    pub(super) total: usize,
}

/// The frame at the start of `come`; `None` if more bytes are needed.
pub(super) fn open(
    come: &[u8],
    bounds: impl FnOnce(u8) -> Option<RangeInclusive<usize>>,
) -> Result<Option<Opened<'_>>, Malformed> {
    let Some(total) = measure(come, bounds)? else { return Ok(None) };
    let (Some(kind), Some(body)) = (come.first(), come.get(HEADER_BYTES..total)) else { return Ok(None) };
    Ok(Some(Opened { kind: *kind, body, total }))
}

/// A frame of this kind and body.
pub(super) fn seal(kind: u8, body: Writer) -> Vec<u8> {
    let body = body.into_bytes();
    let mut frame = Vec::with_capacity(HEADER_BYTES + body.len());
    frame.push(kind);
    frame.extend_from_slice(&length_of(&body));
    frame.extend_from_slice(&body);
    frame
}

/// The four length bytes of `body`. A body over 4 GiB cannot come about; it would be refused by its reader.
pub(super) fn length_of(body: &[u8]) -> [u8; 4] {
    u32::try_from(body.len()).unwrap_or(u32::MAX).to_be_bytes()
}

/// Bytes of the shortest signed grant: one byte of grant.
pub(super) const SIGNED_GRANT_BYTES_MIN: usize = 2 + 1 + 64;
/// Bytes of the longest signed grant.
pub(super) const SIGNED_GRANT_BYTES_MAX: usize = 2 + limits::GRANT_BYTES_MAX + 64;

/// Writes a signed grant: u16 length, grant, 64 bytes of signature.
pub(super) fn write_grant(body: &mut Writer, signed: &SignedGrant) {
    body.bounded16(&signed.grant).raw(&signed.signature);
}

/// Reads what [`write_grant`] writes.
pub(super) fn read_grant(body: &mut Reader<'_>) -> Result<SignedGrant, Malformed> {
    let grant = body.bytes16_within(1..=limits::GRANT_BYTES_MAX, "grant")?.to_vec();
    Ok(SignedGrant { grant, signature: body.array("signature")? })
}

/// A duration as u32 milliseconds: parts of a millisecond are dropped, what is too long saturates at 49 days.
pub(super) fn millis(duration: Duration) -> u32 {
    u32::try_from(duration.as_millis()).unwrap_or(u32::MAX)
}

/// Reads what [`millis`] gives.
pub(super) fn read_millis(body: &mut Reader<'_>, field: &'static str) -> Result<Duration, Malformed> {
    body.u32(field).map(|millis| Duration::from_millis(u64::from(millis)))
}
