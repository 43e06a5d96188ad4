//! What was seen already and must not be seen again until a time: nonces at the master, grant ids at every backend.

use std::{
    collections::{BTreeMap, HashMap, HashSet, hash_map::RandomState},
    hash::{BuildHasher, Hash},
};

use relay_wire::{ids::Nonce, time::WallTime};

/// What [`ExpiringSet::insert`] found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Insertion {
    /// New; it is in now.
    Inserted,
    /// It was in.
    Present,
    /// New, but the set is full of entries that have not expired.
    Full,
}

/// A bounded set whose entries leave at their time, to the second. Both operations cost amortised constant time.
pub struct ExpiringSet<K> {
    keys: HashSet<K>,
    /// By the second in which they may leave.
    leaving: BTreeMap<u64, Vec<K>>,
    bound: usize,
}

impl<K: Copy + Eq + Hash> ExpiringSet<K> {
    /// An empty set for at most `bound` entries; it allocates as it fills.
    #[must_use]
    pub fn new(bound: usize) -> Self {
        Self { keys: HashSet::new(), leaving: BTreeMap::new(), bound }
    }

    /// How many are in.
    #[must_use]
    pub fn len(&self) -> usize {
        self.keys.len()
    }

    /// Whether none is in.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// Lets those leave whose time is over, and tells `left` of each.
    pub fn expire(&mut self, now: WallTime, mut left: impl FnMut(K)) {
        while let Some(first) = self.leaving.first_entry().filter(|first| *first.key() < now.unix_seconds()) {
            for key in first.remove() {
                self.keys.remove(&key);
                left(key);
            }
        }
        // After a burst the table is given back.
        if self.keys.capacity() > 4_096 && self.keys.len() < self.keys.capacity() / 8 {
            self.keys.shrink_to_fit();
        }
    }

    /// Puts `key` in until `expires_at`. The caller has let those leave whose time is over.
    pub fn insert(&mut self, key: K, expires_at: WallTime) -> Insertion {
        if self.keys.contains(&key) {
            return Insertion::Present;
        }
        if self.keys.len() >= self.bound {
            return Insertion::Full;
        }
        self.keys.insert(key);
        self.leaving.entry(expires_at.unix_seconds()).or_default().push(key);
        Insertion::Inserted
    }
}

/// Nonces of one device that are remembered; more in one window is no device's normal life, and one device must not fill
/// the cache for all.
const NONCES_PER_DEVICE: u32 = 4_096;

/// The nonces of good requests, per device, for as long as their requests' times would still be accepted.
///
/// A device is its hash under a key drawn at start: 24 bytes per nonce, about 70 with the tables.
pub struct NonceCache {
    seen: ExpiringSet<(u64, [u8; 16])>,
    per_device: HashMap<u64, u32>,
    hasher: RandomState,
}

impl NonceCache {
    /// An empty cache for at most `bound` nonces.
    #[must_use]
    pub fn new(bound: usize) -> Self {
        Self { seen: ExpiringSet::new(bound), per_device: HashMap::new(), hasher: RandomState::new() }
    }

    /// Remembers the nonce of a device's request until `expires_at`.
    pub fn insert(&mut self, registry_key: &str, nonce: Nonce, expires_at: WallTime, now: WallTime) -> Insertion {
        let per_device = &mut self.per_device;
        self.seen.expire(now, |(device, _)| {
            if let Some(count) = per_device.get_mut(&device) {
                *count -= 1;
                if *count == 0 {
                    per_device.remove(&device);
                }
            }
        });
        let device = self.hasher.hash_one(registry_key);
        let insertion = match per_device.get(&device) {
            Some(&count) if count >= NONCES_PER_DEVICE && !self.seen.keys.contains(&(device, *nonce.bytes())) => {
                Insertion::Full
            }
            Some(_) | None => self.seen.insert((device, *nonce.bytes()), expires_at),
        };
        if insertion == Insertion::Inserted {
            *per_device.entry(device).or_default() += 1;
        }
        insertion
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn nonce(n: u32) -> Nonce {
        let mut bytes = [1; 16];
        bytes[..4].copy_from_slice(&n.to_be_bytes());
        Nonce::new(bytes).unwrap()
    }

    #[test]
    fn a_nonce_counts_once_per_device_until_it_expires() {
        let mut cache = NonceCache::new(10);
        let now = WallTime::MIN;
        let later = now.plus(Duration::from_secs(60));
        assert_eq!(cache.insert("linux:a", nonce(1), later, now), Insertion::Inserted);
        assert_eq!(cache.insert("linux:a", nonce(1), later, now), Insertion::Present);
        assert_eq!(cache.insert("linux:b", nonce(1), later, now), Insertion::Inserted);
        assert_eq!(cache.insert("linux:a", nonce(1), later, later), Insertion::Present);
        let over = later.plus(Duration::from_secs(1));
        assert_eq!(cache.insert("linux:a", nonce(1), over, over), Insertion::Inserted);
        assert_eq!(cache.seen.len(), 1);
        assert_eq!(cache.per_device.len(), 1);
    }

    #[test]
    fn a_full_cache_says_so_and_frees_itself() {
        let mut cache = NonceCache::new(2);
        let now = WallTime::MIN;
        let later = now.plus(Duration::from_secs(5));
        assert_eq!(cache.insert("a", nonce(1), later, now), Insertion::Inserted);
        assert_eq!(cache.insert("b", nonce(2), later, now), Insertion::Inserted);
        assert_eq!(cache.insert("c", nonce(3), later, now), Insertion::Full);
        let over = later.plus(Duration::from_secs(1));
        assert_eq!(cache.insert("c", nonce(3), over, over), Insertion::Inserted);
    }

    #[test]
    fn one_device_cannot_fill_it() {
        let mut cache = NonceCache::new(1_000_000);
        let later = WallTime::MIN.plus(Duration::from_secs(5));
        for n in 0..NONCES_PER_DEVICE {
            assert_eq!(cache.insert("a", nonce(n), later, WallTime::MIN), Insertion::Inserted);
        }
        assert_eq!(cache.insert("a", nonce(NONCES_PER_DEVICE), later, WallTime::MIN), Insertion::Full);
        assert_eq!(cache.insert("a", nonce(1), later, WallTime::MIN), Insertion::Present);
        assert_eq!(cache.insert("b", nonce(1), later, WallTime::MIN), Insertion::Inserted);
    }
}
