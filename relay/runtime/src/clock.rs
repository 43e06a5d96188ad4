//! The one place where protocol time and time of day come from.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use relay_wire::time::{Timestamp, WallTime};
use tokio::time::Instant;

/// A monotonic clock whose origin is the moment it was made, and the time of day.
///
/// It is a copy of two numbers: give every task its own. Timestamps of two clocks compare only if one is a copy of the
/// other, so a process makes one and copies it. Monotonic time is tokio's, so a test that pauses tokio's time pauses it.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    origin: Instant,
    /// The time of day at the origin; `None`: ask the operating system each time.
    wall: Option<WallTime>,
}

impl Clock {
    /// A clock whose origin is now and whose time of day is the operating system's.
    ///
    /// Must be called within a tokio runtime if its time is paused.
    #[must_use]
    pub fn system() -> Self {
        Self { origin: Instant::now(), wall: None }
    }

    /// A clock on which it is `wall` now and whose time of day moves with tokio's time: for tests.
    #[must_use]
    pub fn starting_at(wall: WallTime) -> Self {
        Self { origin: Instant::now(), wall: Some(wall) }
    }

    /// The protocol's now.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        Timestamp::from_origin(self.origin.elapsed())
    }

    /// The time of day; 1970-01-01 on a machine whose clock is before that.
    #[must_use]
    pub fn wall(&self) -> WallTime {
        match self.wall {
            Some(wall) => wall.plus(self.origin.elapsed()),
            None => WallTime::from_unix(SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO)),
        }
    }

    /// The moment in tokio's time that `timestamp` of this clock names; a moment beyond its range is `None`.
    #[must_use]
    pub fn instant(&self, timestamp: Timestamp) -> Option<Instant> {
        self.origin.checked_add(timestamp.since_origin())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn follows_paused_time() {
        let clock = Clock::starting_at(WallTime::MIN);
        tokio::time::advance(Duration::from_secs(7)).await;
        assert_eq!(clock.now(), Timestamp::from_origin(Duration::from_secs(7)));
        assert_eq!(clock.wall(), WallTime::MIN.plus(Duration::from_secs(7)));
        assert_eq!(clock.instant(clock.now()), Some(Instant::now()));
    }

    #[test]
    fn knows_the_time_of_day() {
        assert!(Clock::system().wall().is_in_range());
    }
}
