//! When devices were last seen, until the registry thread writes it.
//!
//! They are kept apart from the thread's orders: devices are seen at every request, also while the thread waits for another
//! process's lock on the file, and must not take the room of an enrolment or a revocation.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use super::UnixSeconds;

/// Devices that are remembered at most: some 8 MiB, and half a minute of writing. When there are as many, further devices
/// are not noted: it is a convenience for people.
pub const DEVICES_MAX: usize = 65_536;

/// The newest sight of each device that is not written yet. Shared by the handles and the thread; no lock is held for longer
/// than it takes to move a batch.
#[derive(Default)]
pub struct Sightings {
    newest: Mutex<HashMap<String, UnixSeconds>>,
}

impl Sightings {
    /// Notes that the device `key` was seen.
    pub fn note(&self, key: String, at: UnixSeconds) {
        let mut newest = self.newest.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = newest.get_mut(&key) {
            *known = (*known).max(at);
        } else if newest.len() < DEVICES_MAX {
            newest.insert(key, at);
        }
    }

    /// Takes up to `count` of them out, in no order.
    pub fn take(&self, count: usize) -> Vec<(String, UnixSeconds)> {
        let mut newest = self.newest.lock().unwrap_or_else(PoisonError::into_inner);
        if newest.len() <= count {
            // All of them, and the room that they took.
            return std::mem::take(&mut *newest).into_iter().collect();
        }
        let keys: Vec<String> = newest.keys().take(count).cloned().collect();
        keys.into_iter().filter_map(|key| newest.remove_entry(&key)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_sight_counts_and_at_the_bound_new_devices_are_left_out() {
        let sightings = Sightings::default();
        for number in 0..DEVICES_MAX + 10 {
            sightings.note(number.to_string(), UnixSeconds(5));
        }
        for at in [9, 7] {
            sightings.note("0".to_owned(), UnixSeconds(at));
        }
        let mut all = sightings.take(100);
        assert_eq!(all.len(), 100);
        sightings.note("new".to_owned(), UnixSeconds(1));
        while let batch = sightings.take(1_000)
            && !batch.is_empty()
        {
            all.extend(batch);
        }
        assert_eq!(all.len(), DEVICES_MAX + 1);
        assert!(all.contains(&("new".to_owned(), UnixSeconds(1))));
        assert!(all.contains(&("0".to_owned(), UnixSeconds(9))));
    }
}
