//! SPEC §9.2.3: heartbeats and leave-taking, the same on both sides of a control connection.

use crate::{limits, time::Timestamp};

/// The life signs of a connection that is up.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pulse {
    /// When this side has been quiet for so long that it sends a ping.
    ping_at: Timestamp,
    /// When the other side has been quiet for so long that it is gone.
    silent_at: Timestamp,
    /// This side has said that it goes away.
    left: bool,
    /// The other side has.
    peer_left: bool,
}

/// What the clock asks for.
pub(super) enum Beat {
    Nothing,
    Ping,
    Silent,
}

impl Pulse {
    pub(super) fn start(now: Timestamp) -> Self {
        Self {
            ping_at: now + limits::HEARTBEAT,
            silent_at: now + limits::HEARTBEAT_SILENCE,
            left: false,
            peer_left: false,
        }
    }

    /// A frame was sent.
    pub(super) fn sent(&mut self, now: Timestamp) {
        self.ping_at = now + limits::HEARTBEAT;
    }

    /// A whole frame was heard. Bytes alone do not count, so a frame under way has the silence as its deadline.
    pub(super) fn heard(&mut self, now: Timestamp) {
        self.silent_at = now + limits::HEARTBEAT_SILENCE;
    }

    pub(super) fn deadline(&self) -> Timestamp {
        self.ping_at.min(self.silent_at)
    }

    pub(super) fn at(&self, now: Timestamp) -> Beat {
        if self.silent_at <= now {
            Beat::Silent
        } else if self.ping_at <= now {
            Beat::Ping
        } else {
            Beat::Nothing
        }
    }

    /// This side goes away; whether it has yet to be said.
    pub(super) fn leave(&mut self) -> bool {
        !core::mem::replace(&mut self.left, true)
    }

    /// The other side goes away.
    ///
    /// # Errors
    /// The violation, if it has said so before.
    pub(super) fn peer_leaves(&mut self) -> Result<(), &'static str> {
        if core::mem::replace(&mut self.peer_left, true) { Err("leave twice") } else { Ok(()) }
    }
}
