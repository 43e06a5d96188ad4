//! Devices whose standing has ended, in the order in which that was learned, for everybody who must act on it: every edge's
//! control connection, and the tunnels of this backend. A reader keeps the number of what it has dealt with, so one
//! that was away (a control connection that broke) misses nothing.

use std::{
    collections::VecDeque,
    sync::{Mutex, PoisonError},
};

use relay_wire::ids::DeviceId;
use tokio::sync::watch;

/// Entries kept, about 100 bytes each. An edge that is away for longer than this many revocations misses the oldest:
/// its devices are still refused by the master at their next request.
const KEPT: usize = 10_000;

/// The list. The registry thread writes it.
pub struct Revocations {
    entries: Mutex<VecDeque<(u64, DeviceId)>>,
    newest: watch::Sender<u64>,
}

impl Default for Revocations {
    fn default() -> Self {
        Self { entries: Mutex::default(), newest: watch::Sender::new(0) }
    }
}

impl Revocations {
    /// Appends a device that has ended.
    pub fn push(&self, device_id: DeviceId) {
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        if entries.len() == KEPT {
            entries.pop_front();
        }
        let number = *self.newest.borrow() + 1;
        entries.push_back((number, device_id));
        self.newest.send_replace(number);
    }

    /// Up to `count` entries with numbers above `number`, oldest first.
    #[must_use]
    pub fn after(&self, number: u64, count: usize) -> Vec<(u64, DeviceId)> {
        let entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        let start = entries.partition_point(|(entry, _)| *entry <= number);
        entries.iter().skip(start).take(count).cloned().collect()
    }

    /// The newest number, to wait on.
    #[must_use]
    pub fn watch(&self) -> watch::Receiver<u64> {
        self.newest.subscribe()
    }
}

#[cfg(test)]
mod tests {
    use relay_wire::Platform;

    use super::*;

    fn device(text: &str) -> DeviceId {
        DeviceId::new(Platform::Linux, text.to_owned())
    }

    #[test]
    fn a_reader_that_was_away_gets_what_it_missed_in_order() {
        let revocations = Revocations::default();
        let watch = revocations.watch();
        for text in ["a", "b", "c"] {
            revocations.push(device(text));
        }
        assert_eq!(*watch.borrow(), 3);
        assert_eq!(revocations.after(1, 10), [(2, device("b")), (3, device("c"))]);
        assert_eq!(revocations.after(0, 2), [(1, device("a")), (2, device("b"))]);
        assert!(revocations.after(3, 10).is_empty());
    }

    #[test]
    fn the_list_is_bounded_and_keeps_the_newest() {
        let revocations = Revocations::default();
        for _ in 0..KEPT + 5 {
            revocations.push(device("x"));
        }
        let kept = revocations.after(0, KEPT * 2);
        assert_eq!(kept.len(), KEPT);
        assert_eq!(kept.first().map(|(number, _)| *number), Some(6));
    }
}
