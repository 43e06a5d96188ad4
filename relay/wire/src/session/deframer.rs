//! Bytes in, frames out, wherever the bytes are cut.

use alloc::vec::Vec;

use crate::{
    codec::Malformed,
    frame::{control::ControlFrame, data::DataFrame, reply::Reply},
};

/// A message with a header that tells its length.
pub(super) trait Frame: Sized {
    /// The frame's length in all; `None` while the header is not there. Judges what has come of the header.
    fn measure(come: &[u8]) -> Result<Option<usize>, Malformed>;
    /// The frame at the start of `bytes` and its length; `None` if more bytes are needed.
    fn decode(bytes: &[u8]) -> Result<Option<(Self, usize)>, Malformed>;
}

macro_rules! frame {
    ($($frame:ty),*) => {$(
        impl Frame for $frame {
            fn measure(come: &[u8]) -> Result<Option<usize>, Malformed> {
                Self::measure(come)
            }
            fn decode(bytes: &[u8]) -> Result<Option<(Self, usize)>, Malformed> {
                Self::decode(bytes)
            }
        }
    )*};
}

frame!(ControlFrame, DataFrame, Reply);

/// The frame under way. Holds no memory between frames, and never more than one frame and what has come of it.
#[derive(Debug, Default)]
pub(super) struct Deframer {
    partial: Vec<u8>,
}

impl Deframer {
    pub(super) const fn new() -> Self {
        Self { partial: Vec::new() }
    }

    /// Whether no frame is under way.
    pub(super) const fn is_empty(&self) -> bool {
        self.partial.is_empty()
    }

    /// The first byte of the frame under way, when `bytes` come next.
    pub(super) fn first(&self, bytes: &[u8]) -> Option<u8> {
        self.partial.first().or(bytes.first()).copied()
    }

    /// Takes bytes up to the end of one frame: how many were taken, and the frame once it is whole.
    pub(super) fn take<F: Frame>(&mut self, bytes: &[u8]) -> (usize, Result<Option<F>, Malformed>) {
        if self.partial.is_empty() {
            match F::decode(bytes) {
                Ok(Some((frame, length))) => return (length, Ok(Some(frame))),
                Ok(None) => {}
                Err(malformed) => return (bytes.len(), Err(malformed)),
            }
        }
        let mut taken = 0;
        while let Some(rest) = bytes.get(taken..).filter(|rest| !rest.is_empty()) {
            // Without a whole header the next byte alone is safe to take: it cannot lie behind the frame's end.
            let want = match F::measure(&self.partial) {
                Ok(Some(total)) => total,
                Ok(None) => self.partial.len() + 1,
                Err(malformed) => return (taken, Err(malformed)),
            };
            taken += append(&mut self.partial, rest, want);
            match F::measure(&self.partial) {
                Ok(Some(total)) if self.partial.len() == total => {
                    let whole = core::mem::take(&mut self.partial);
                    let frame = F::decode(&whole).map(|frame| frame.map(|(frame, _)| frame));
                    return (taken, frame);
                }
                Ok(_) => {}
                Err(malformed) => return (taken, Err(malformed)),
            }
        }
        (taken, Ok(None))
    }
}

/// Appends to a buffer that shall come to hold `want` bytes; returns how many were taken.
///
/// The capacity doubles as bytes come, but never beyond `want`: a length that a peer merely announces costs nothing.
pub(super) fn append(buffer: &mut Vec<u8>, bytes: &[u8], want: usize) -> usize {
    let taken = bytes.len().min(want.saturating_sub(buffer.len()));
    let (taken_bytes, _) = bytes.split_at(taken);
    let needed = buffer.len() + taken;
    if needed > buffer.capacity() {
        let capacity = needed.max(want.min(buffer.capacity() * 2));
        buffer.reserve_exact(capacity - buffer.len());
    }
    buffer.extend_from_slice(taken_bytes);
    taken
}
