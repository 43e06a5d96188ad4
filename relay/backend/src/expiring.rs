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

    /// How many more fit in.
    #[must_use]
    pub fn free(&self) -> usize {
        self.bound.saturating_sub(self.keys.len())
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

/// The nonces of good requests, per owner, for as long as their requests' times would still be accepted.
///
/// An owner may have as many nonces in as there are places free, and no more: a forwarder that opens a hundred tunnels a
/// second lives well in an empty cache, one that floods gets half of it at most, and *n* of them together leave one part
/// in *n* + 1 to everybody else.
///
/// An owner is its hash under a key drawn at start: 24 bytes per nonce, about 70 with the tables.
pub struct NonceCache {
    seen: ExpiringSet<(u64, [u8; 16])>,
    per_owner: HashMap<u64, u32>,
    hasher: RandomState,
}

impl NonceCache {
    /// An empty cache for at most `bound` nonces.
    #[must_use]
    pub fn new(bound: usize) -> Self {
        Self { seen: ExpiringSet::new(bound), per_owner: HashMap::new(), hasher: RandomState::new() }
    }

    /// Remembers the nonce of a request until `expires_at`. `owner` is whom it counts against: a device, or whatever else
    /// made the proof.
    pub fn insert(&mut self, owner: &str, nonce: Nonce, expires_at: WallTime, now: WallTime) -> Insertion {
        let per_owner = &mut self.per_owner;
        self.seen.expire(now, |(owner, _)| {
            if let Some(count) = per_owner.get_mut(&owner) {
                *count -= 1;
                if *count == 0 {
                    per_owner.remove(&owner);
                }
            }
        });
        let owner = self.hasher.hash_one(owner);
        let key = (owner, *nonce.bytes());
        if self.seen.keys.contains(&key) {
            return Insertion::Present;
        }
        let mine = self.per_owner.get(&owner).map_or(0, |count| usize::try_from(*count).unwrap_or(usize::MAX));
        if mine >= self.seen.free() {
            return Insertion::Full;
        }
        let insertion = self.seen.insert(key, expires_at);
        if insertion == Insertion::Inserted {
            *self.per_owner.entry(owner).or_default() += 1;
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
        assert_eq!(cache.per_owner.len(), 1);
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
    fn nobody_can_fill_it_for_all() {
        let mut cache = NonceCache::new(1_200);
        let later = WallTime::MIN.plus(Duration::from_secs(5));
        let mut fill = |owner| {
            (0..)
                .take_while(|n| matches!(cache.insert(owner, nonce(*n), later, WallTime::MIN), Insertion::Inserted))
                .count()
        };
        assert_eq!(fill("a"), 600);
        assert_eq!(fill("b"), 300);
        assert_eq!(cache.insert("a", nonce(600), later, WallTime::MIN), Insertion::Full);
        assert_eq!(cache.insert("a", nonce(1), later, WallTime::MIN), Insertion::Present);
        assert_eq!(cache.insert("c", nonce(1), later, WallTime::MIN), Insertion::Inserted);
    }
}
