//! Device connections: all of them (to tell them of a drain), and by device (to end them on a revocation).

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use relay_runtime::mailbox::Sender;
use relay_wire::{ids::DeviceId, session::device::EdgeCommand};

/// The number of a device's session, never used twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SessionId(pub u64);

struct Entry {
    mailbox: Sender<EdgeCommand>,
    /// Under which the session is filed in `by_device`, once it is authenticated.
    device: Option<Box<str>>,
}

#[derive(Default)]
struct State {
    next: u64,
    all: HashMap<SessionId, Entry>,
    by_device: HashMap<Box<str>, Vec<SessionId>>,
    draining: Option<Duration>,
}

/// The table of device sessions.
pub struct Sessions {
    per_device: usize,
    state: Mutex<State>,
}

impl Sessions {
    /// An empty table that keeps at most `per_device` sessions of one device.
    #[must_use]
    pub fn new(per_device: usize) -> Self {
        Self { per_device, state: Mutex::default() }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Files a session. One that comes while the edge drains is told at once.
    pub fn insert(&self, mailbox: Sender<EdgeCommand>) -> SessionId {
        let mut state = self.state();
        state.next += 1;
        let id = SessionId(state.next);
        if let Some(retry_after) = state.draining {
            let _ = mailbox.try_send(EdgeCommand::Drain(spread(retry_after)));
        }
        state.all.insert(id, Entry { mailbox, device: None });
        id
    }

    /// The session belongs to this device from now on. Returns the mailboxes of the oldest sessions of the device that are
    /// too many now: a device that comes back need not wait until its half-open older connections are noticed.
    #[must_use]
    pub fn bind(&self, id: SessionId, device: &DeviceId) -> Vec<Sender<EdgeCommand>> {
        let key = device.registry_key().into_boxed_str();
        let mut state = self.state();
        let State { all, by_device, .. } = &mut *state;
        let Some(entry) = all.get_mut(&id) else { return Vec::new() };
        if entry.device.as_ref() == Some(&key) {
            return Vec::new();
        }
        // The wire session refuses requests of another device once it has heard that it is authenticated. An acceptance
        // that came a moment too late it has not heard, and then the next one says whose it is.
        let before = entry.device.replace(key.clone());
        if let Some(before) = before {
            unfile(by_device, &before, id);
        }
        let sessions = by_device.entry(key).or_default();
        sessions.push(id);
        let surplus = sessions.len().saturating_sub(self.per_device);
        sessions[..surplus].iter().filter_map(|old| all.get(old)).map(|old| old.mailbox.clone()).collect()
    }

    /// Whether this session still stands.
    #[must_use]
    pub fn contains(&self, id: SessionId) -> bool {
        self.state().all.contains_key(&id)
    }

    /// The mailboxes of a device's sessions.
    #[must_use]
    pub fn of_device(&self, key: &str) -> Vec<Sender<EdgeCommand>> {
        let state = self.state();
        let sessions = state.by_device.get(key).map(Vec::as_slice).unwrap_or_default();
        sessions.iter().filter_map(|id| state.all.get(id)).map(|entry| entry.mailbox.clone()).collect()
    }

    /// Removes a session.
    pub fn remove(&self, id: SessionId) {
        let mut state = self.state();
        let Some(Entry { device: Some(key), .. }) = state.all.remove(&id) else { return };
        unfile(&mut state.by_device, &key, id);
        // Memory goes back after a burst, in few steps.
        if state.all.capacity() > 4_096 && state.all.len() * 4 < state.all.capacity() {
            let keep = state.all.len() * 2;
            state.all.shrink_to(keep);
            let keep = state.by_device.len() * 2;
            state.by_device.shrink_to(keep);
        }
    }

    /// Tells every session, and every later one, that the edge goes away.
    pub fn drain(&self, retry_after: Duration) {
        let mut state = self.state();
        state.draining = Some(retry_after);
        for entry in state.all.values() {
            let _ = entry.mailbox.try_send(EdgeCommand::Drain(spread(retry_after)));
        }
    }

    /// How many sessions there are, and how many devices among them are authenticated.
    #[must_use]
    pub fn len(&self) -> (usize, usize) {
        let state = self.state();
        (state.all.len(), state.by_device.len())
    }
}

/// Takes a session from under a device.
fn unfile(by_device: &mut HashMap<Box<str>, Vec<SessionId>>, key: &str, id: SessionId) {
    if let Some(sessions) = by_device.get_mut(key) {
        sessions.retain(|other| *other != id);
        if sessions.is_empty() {
            by_device.remove(key);
        }
    }
}

/// A time between `floor` and twice `floor`, at random.
fn spread(floor: Duration) -> Duration {
    let share = f64::from(u32::from_be_bytes(relay_trust::random())) / f64::from(u32::MAX);
    floor + floor.mul_f64(share)
}

#[cfg(test)]
mod tests {
    use relay_runtime::mailbox::mailbox;
    use relay_wire::Platform;

    use super::*;

    fn device(text: &str) -> DeviceId {
        DeviceId::new(Platform::Android, text.to_owned())
    }

    #[test]
    fn a_device_is_found_under_either_spelling_until_its_session_ends() {
        let sessions = Sessions::new(4);
        let (mailbox, _commands) = mailbox(4);
        let id = sessions.insert(mailbox);
        assert!(sessions.bind(id, &device("1")).is_empty());
        assert!(sessions.bind(id, &device("1")).is_empty());
        assert_eq!(sessions.of_device(&device("0000000000000001").registry_key()).len(), 1);
        sessions.remove(id);
        assert!(sessions.of_device(&device("1").registry_key()).is_empty());
        assert_eq!(sessions.len(), (0, 0));
    }

    #[test]
    fn a_session_is_found_under_the_device_that_it_was_bound_to_last() {
        let sessions = Sessions::new(4);
        let (mailbox, _commands) = mailbox(4);
        let id = sessions.insert(mailbox);
        assert!(sessions.bind(id, &device("1")).is_empty());
        assert!(sessions.bind(id, &device("2")).is_empty());
        assert!(sessions.of_device(&device("1").registry_key()).is_empty());
        assert_eq!(sessions.of_device(&device("2").registry_key()).len(), 1);
    }

    #[test]
    fn the_oldest_sessions_of_a_device_make_room() {
        let sessions = Sessions::new(2);
        let mut kept = Vec::new();
        let mut surplus = Vec::new();
        for _ in 0..3 {
            let (sender, commands) = mailbox(4);
            let id = sessions.insert(sender);
            surplus.extend(sessions.bind(id, &device("1")));
            kept.push((id, commands));
        }
        assert_eq!(surplus.len(), 1);
        assert!(sessions.bind(SessionId(99), &device("1")).is_empty());
    }

    #[test]
    fn drained_devices_come_back_spread_over_time() {
        for _ in 0..32 {
            let wait = spread(Duration::from_secs(4));
            assert!((Duration::from_secs(4)..=Duration::from_secs(8)).contains(&wait));
        }
    }
}
