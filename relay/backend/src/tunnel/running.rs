//! Tunnels that run, by device.

use std::{
    collections::HashMap,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use tokio::sync::oneshot;

/// Tunnels that run, so that those of a revoked device can be ended.
#[derive(Default)]
pub(super) struct Running {
    /// By registry key: every tunnel's number and what ends it.
    tunnels: Mutex<HashMap<String, Vec<Ending>>>,
    next: AtomicU64,
}

type Ending = (u64, oneshot::Sender<()>);

/// A tunnel's place among those that run.
pub(super) struct Place<'a> {
    running: &'a Running,
    key: String,
    number: u64,
}

impl Running {
    /// Takes a place for a tunnel of the device; the receiver hears when it is to end.
    pub(super) fn enter(&self, key: String) -> (Place<'_>, oneshot::Receiver<()>) {
        let (end, ended) = oneshot::channel();
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let mut tunnels = self.tunnels.lock().unwrap_or_else(PoisonError::into_inner);
        tunnels.entry(key.clone()).or_default().push((number, end));
        drop(tunnels);
        (Place { running: self, key, number }, ended)
    }

    /// Ends all tunnels of a device; returns how many.
    pub(super) fn end(&self, key: &str) -> usize {
        let ended = self.tunnels.lock().unwrap_or_else(PoisonError::into_inner).remove(key).unwrap_or_default();
        let count = ended.len();
        for (_, end) in ended {
            // A tunnel that has just ended does not listen any more.
            let _ = end.send(());
        }
        count
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        let mut tunnels = self.running.tunnels.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(of_device) = tunnels.get_mut(&self.key) {
            of_device.retain(|(number, _)| *number != self.number);
            if of_device.is_empty() {
                tunnels.remove(&self.key);
            }
        }
    }
}
