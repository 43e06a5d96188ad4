//! SPEC §2.4: the two kinds of time. Both are inputs; nothing here reads a clock.

use core::time::Duration;

/// A point on the owner's monotonic clock: the time since an origin that the owner chose.
///
/// Sessions compare and add these; they never learn what time of day it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(Duration);

impl Timestamp {
    /// The owner's origin.
    pub const ORIGIN: Self = Self(Duration::ZERO);

    /// The point `since_origin` after the owner's origin.
    #[must_use]
    pub const fn from_origin(since_origin: Duration) -> Self {
        Self(since_origin)
    }

    /// The time since the owner's origin.
    #[must_use]
    pub const fn since_origin(self) -> Duration {
        self.0
    }

    /// The time since `earlier`; zero if `earlier` is later.
    #[must_use]
    pub const fn since(self, earlier: Self) -> Duration {
        self.0.saturating_sub(earlier.0)
    }
}

impl core::ops::Add<Duration> for Timestamp {
    type Output = Self;
    fn add(self, rhs: Duration) -> Self {
        Self(self.0.saturating_add(rhs))
    }
}

/// A time of day: ticks of 100 ns since 1970-01-01T00:00:00Z, the finest unit that any of the six formats carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct WallTime(u64);

impl WallTime {
    /// Ticks in a second.
    pub const TICKS_PER_SECOND: u64 = 10_000_000;
    /// 2012-01-01T00:00:00Z, the first time a request may carry.
    pub const MIN: Self = Self(1_325_376_000 * Self::TICKS_PER_SECOND);
    /// 2100-01-01T00:00:00Z, the first time a request may no longer carry.
    pub const END: Self = Self(4_102_444_800 * Self::TICKS_PER_SECOND);

    /// The time `ticks` of 100 ns after 1970-01-01T00:00:00Z.
    #[must_use]
    pub const fn from_ticks(ticks: u64) -> Self {
        Self(ticks)
    }

    /// The time `since_epoch` after 1970-01-01T00:00:00Z, cut to whole ticks; saturates in the year 60,000.
    #[must_use]
    pub const fn from_unix(since_epoch: Duration) -> Self {
        Self(
            since_epoch
                .as_secs()
                .saturating_mul(Self::TICKS_PER_SECOND)
                .saturating_add(since_epoch.subsec_nanos() as u64 / 100),
        )
    }

    /// Ticks of 100 ns since 1970-01-01T00:00:00Z.
    #[must_use]
    pub const fn ticks(self) -> u64 {
        self.0
    }

    /// Whole seconds since 1970-01-01T00:00:00Z.
    #[must_use]
    pub const fn unix_seconds(self) -> u64 {
        self.0 / Self::TICKS_PER_SECOND
    }

    /// The distance to `other`, whichever is later.
    #[must_use]
    pub const fn distance(self, other: Self) -> Duration {
        let ticks = self.0.abs_diff(other.0);
        Duration::new(ticks / Self::TICKS_PER_SECOND, (ticks % Self::TICKS_PER_SECOND) as u32 * 100)
    }

    /// This time and `later` more.
    #[must_use]
    pub const fn plus(self, later: Duration) -> Self {
        Self(self.0.saturating_add(Self::from_unix(later).0))
    }

    /// Whether a request may carry this time (shared grammar TIME).
    #[must_use]
    pub const fn is_in_range(self) -> bool {
        self.0 >= Self::MIN.0 && self.0 < Self::END.0
    }
}
