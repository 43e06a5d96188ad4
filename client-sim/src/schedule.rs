//! Who arrives when, and as what: fixed by a seed before the first device moves.
//!
//! The schedule is open-loop: arrivals do not wait for answers. A relay that slows down gets the same load, and the time a
//! device waits for its turn counts in its latency from the intended start.

use std::time::Duration;

use rand_chacha::ChaCha8Rng;
use rand_core::{RngCore, SeedableRng};
use relay_wire::Platform;

/// What a device of the fleet is there to show.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Part {
    /// Does everything right: must be served.
    Honest,
    /// Sends a request that breaks a rule of its format: must be refused.
    WrongParameter,
    /// Claims the id of an enrolled device, first with a key of its own, then with a good secret: must be refused.
    StolenId,
    /// Registers with a secret that the master does not know: must be refused.
    UnknownSecret,
    /// Was given another edge's pin: must halt before it sends a byte.
    WrongPin,
}

impl Part {
    /// Every part, in the order of tables.
    pub const ALL: [Self; 5] =
        [Self::Honest, Self::WrongParameter, Self::StolenId, Self::UnknownSecret, Self::WrongPin];

    /// The part's name in reports.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Honest => "honest",
            Self::WrongParameter => "wrong-parameter",
            Self::StolenId => "stolen-id",
            Self::UnknownSecret => "unknown-secret",
            Self::WrongPin => "wrong-pin",
        }
    }
}

/// One device of the fleet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Arrival {
    /// Its platform.
    pub platform: Platform,
    /// Its number among the devices of its platform.
    pub index: u32,
    /// What it is there to show.
    pub part: Part,
    /// For [`Part::StolenId`]: the place in [`Schedule::arrivals`] of the honest device whose id it claims.
    pub victim: Option<usize>,
    /// When it starts, from the start of the run.
    pub at: Duration,
}

/// All devices of a run, by time of arrival.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Schedule {
    /// The devices.
    pub arrivals: Vec<Arrival>,
}

/// The share of a platform's devices that each faulty part takes: one in this many.
const ONE_FAULT_IN: u32 = 50;
/// The fewest devices of a platform that include faulty ones: one of each kind, and as many honest ones.
const FAULTS_FROM: u32 = 8;

impl Schedule {
    /// The schedule of `devices` devices that arrive over `ramp`, equal parts of each platform (the first platforms get what
    /// does not divide).
    ///
    /// Arrival times are uniform over the ramp and independent, which is a Poisson process of that many arrivals.
    #[must_use]
    pub fn new(seed: u64, devices: u32, ramp: Duration) -> Self {
        let mut chance = ChaCha8Rng::seed_from_u64(seed ^ 0x5c4e_d01e);
        let mut arrivals = Vec::with_capacity(usize::try_from(devices).unwrap_or_default());
        for platform in Platform::ALL {
            let place = u32::from(platform.number() - 1);
            let count = devices / 6 + u32::from(place < devices % 6);
            let mut parts = parts(count);
            shuffle(&mut parts, &mut chance);
            for (index, part) in (0..count).zip(parts) {
                let at = ramp.mul_f64(unit(&mut chance));
                arrivals.push(Arrival { platform, index, part, victim: None, at });
            }
        }
        arrivals.sort_by_key(|arrival| (arrival.at, arrival.platform, arrival.index));
        let mut schedule = Self { arrivals };
        schedule.choose_victims();
        schedule
    }

    /// Gives each thief the honest device of its platform that arrives first (several thieves: the next ones).
    fn choose_victims(&mut self) {
        for platform in Platform::ALL {
            let honest: Vec<usize> = self.places(platform, Part::Honest).collect();
            let thieves: Vec<usize> = self.places(platform, Part::StolenId).collect();
            for (thief, victim) in thieves.into_iter().zip(honest) {
                self.arrivals[thief].victim = Some(victim);
            }
        }
    }

    fn places(&self, platform: Platform, part: Part) -> impl Iterator<Item = usize> {
        self.arrivals
            .iter()
            .enumerate()
            .filter(move |(_, arrival)| arrival.platform == platform && arrival.part == part)
            .map(|(place, _)| place)
    }
}

/// The parts of `count` devices of one platform, in no particular order.
fn parts(count: u32) -> Vec<Part> {
    let each = if count < FAULTS_FROM { 0 } else { (count / ONE_FAULT_IN).max(1) };
    (0..count)
        .map(|number| match number.checked_div(each) {
            Some(0) => Part::WrongParameter,
            Some(1) => Part::StolenId,
            Some(2) => Part::UnknownSecret,
            Some(3) => Part::WrongPin,
            Some(_) | None => Part::Honest,
        })
        .collect()
}

/// A number in 0..1 with 53 random bits.
fn unit(chance: &mut impl RngCore) -> f64 {
    #[allow(clippy::cast_precision_loss, reason = "53 bits are exact in a double")]
    let numerator = (chance.next_u64() >> 11) as f64;
    numerator / 9_007_199_254_740_992.0
}

/// Fisher-Yates.
fn shuffle<T>(items: &mut [T], chance: &mut impl RngCore) {
    for last in (1..items.len()).rev() {
        let bound = u64::try_from(last).unwrap_or(u64::MAX).saturating_add(1);
        let other = usize::try_from(chance.next_u64() % bound).unwrap_or(0);
        items.swap(last, other);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_decides_everything() {
        let ramp = Duration::from_secs(15);
        assert_eq!(Schedule::new(7, 600, ramp), Schedule::new(7, 600, ramp));
        assert_ne!(Schedule::new(7, 600, ramp), Schedule::new(8, 600, ramp));
    }

    #[test]
    fn every_platform_has_its_share_and_every_part_in_it() {
        let schedule = Schedule::new(1, 600, Duration::from_secs(15));
        for platform in Platform::ALL {
            assert_eq!(Part::ALL.map(|part| schedule.places(platform, part).count()), [92, 2, 2, 2, 2]);
        }
        assert!(schedule.arrivals.is_sorted_by_key(|arrival| arrival.at));
        assert!(schedule.arrivals.iter().all(|arrival| arrival.at < Duration::from_secs(15)));
    }

    #[test]
    fn every_thief_has_an_honest_victim_of_its_platform() {
        for devices in [48, 49, 600, 5_000] {
            let schedule = Schedule::new(3, devices, Duration::from_secs(1));
            assert_eq!(schedule.arrivals.len(), usize::try_from(devices).unwrap());
            for thief in schedule.arrivals.iter().filter(|arrival| arrival.part == Part::StolenId) {
                let victim = schedule.arrivals[thief.victim.unwrap()];
                assert_eq!((victim.platform, victim.part), (thief.platform, Part::Honest));
            }
        }
    }

    #[test]
    fn a_handful_of_devices_is_all_honest() {
        let schedule = Schedule::new(1, 7, Duration::ZERO);
        assert!(schedule.arrivals.iter().all(|arrival| arrival.part == Part::Honest));
    }
}
