//! Pauses between attempts: exponential, with full jitter, so that a thousand backends which lost their edge in the same
//! moment do not come back in the same moment.

use std::time::Duration;

/// The state of one series of attempts.
#[derive(Clone, Debug)]
pub struct Backoff {
    first: Duration,
    max: Duration,
    failures: u32,
}

impl Backoff {
    /// Pauses of up to `first`, doubling with every failure up to `max`.
    #[must_use]
    pub const fn new(first: Duration, max: Duration) -> Self {
        Self { first, max, failures: 0 }
    }

    /// An attempt succeeded: the next failure counts as the first.
    pub const fn reset(&mut self) {
        self.failures = 0;
    }

    /// The pause after another failure; `random` decides where between zero and the bound.
    pub fn next(&mut self, random: u64) -> Duration {
        let bound = self.first.saturating_mul(1 << self.failures.min(20)).min(self.max);
        self.failures = self.failures.saturating_add(1);
        let bound_nanos = u64::try_from(bound.as_nanos()).unwrap_or(u64::MAX);
        Duration::from_nanos(random % bound_nanos.saturating_add(1).max(1))
    }

    /// [`Self::next`] with a number from the operating system.
    pub fn pause(&mut self) -> Duration {
        self.next(u64::from_be_bytes(relay_trust::random()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bound_doubles_to_the_maximum_and_resets() {
        let ms = Duration::from_millis;
        let mut backoff = Backoff::new(ms(200), Duration::from_secs(30));
        for expected in [200, 400, 800, 1_600, 3_200, 6_400, 12_800, 25_600, 30_000, 30_000] {
            // The largest pause there can be: one less than the modulus.
            let mut same = backoff.clone();
            assert_eq!(same.next(expected * 1_000_000), ms(expected));
            assert!(backoff.next(u64::MAX) <= ms(expected));
        }
        backoff.reset();
        assert_eq!(backoff.next(0), Duration::ZERO);
        assert_eq!(backoff.next(400_000_000), ms(400));
    }
}
