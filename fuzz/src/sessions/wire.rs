//! What stands between two sessions, or between a fuzzer and one.

use std::time::Duration;

use super::host::{Host, Kind};

/// Bytes that are offered one by one at the start and at the end of what is.
const HEAD: usize = 14;
const TAIL: usize = 2;

/// Bytes on their way to a host.
#[derive(Default)]
pub(crate) struct Wire {
    pub(crate) bytes: Vec<u8>,
    pub(crate) ended: bool,
}

impl Wire {
    pub(crate) fn put(&mut self, bytes: &[u8]) {
        if !self.ended {
            self.bytes.extend_from_slice(bytes);
        }
    }

    /// Offers the first `count` bytes, all at once or one by one; what is not taken stays.
    pub(crate) fn offer<K: Kind>(&mut self, host: &mut Host<K>, count: usize, one_by_one: bool, now: Duration) {
        let mut left = count.min(self.bytes.len());
        let mut offered = 0;
        while left > 0 {
            // One by one where something is decided; what lies between is `stream_delivery`'s.
            let piece = match one_by_one {
                false => left,
                true if offered < HEAD || left <= TAIL => 1,
                true => left - TAIL,
            };
            offered += piece;
            let taken = host.input(&self.bytes[..piece], now);
            self.bytes.drain(..taken);
            left -= piece;
            if taken < piece {
                return;
            }
        }
    }

    /// How an operation's `c` says that bytes are delivered.
    pub(crate) fn deliver<K: Kind>(&mut self, host: &mut Host<K>, how: u8, now: Duration) {
        let all = self.bytes.len();
        match how % 4 {
            0 | 1 => self.offer(host, all, false, now),
            2 => self.offer(host, all - all.min(usize::from(how >> 2)), true, now),
            // Kept: several frames come in one piece then.
            _ => {}
        }
    }
}
