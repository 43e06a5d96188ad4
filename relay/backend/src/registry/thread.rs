//! The one thread that touches the registry's file while the daemon runs.
//!
//! Orders come through a bounded queue; a full queue is an answer (`later`), never a wait. Between orders the thread looks
//! once a second whether another process has written (`PRAGMA data_version`), takes over what changed, and tells
//! [`Revocations`] which devices have ended. It also notes, in batches, when devices were last seen.

use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
        mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel},
    },
    time::{Duration, Instant},
};

use relay_trust::secret::MassSecret;
use tokio::sync::oneshot;

use super::{
    NewDevice, Registry, RegistryError, UnixSeconds,
    cache::{Cache, Standing},
    devices::EnrolRefusal,
    sightings::Sightings,
};
use crate::revocations::Revocations;

/// Orders that may wait. An enrolment takes about a millisecond (one fsync), so the last of these waits a second.
const QUEUE: usize = 1_024;
/// Enrolments that share one commit.
const ROW: usize = 256;
/// How often the file is looked at: what an administrator writes takes effect within about this time.
const POLL: Duration = Duration::from_secs(1);
/// Devices whose last sight is written per look: about 20 ms of work.
const SEEN_PER_POLL: usize = 2_000;

enum Order {
    Enrol(EnrolOrder),
    AddSecret {
        label: String,
        secret: MassSecret,
        uses: u64,
        lifetime: Duration,
        reply: oneshot::Sender<Result<(), RegistryError>>,
    },
    AddDevice {
        device: NewDevice,
        reply: oneshot::Sender<Result<(), RegistryError>>,
    },
    Revoke {
        key: String,
        reply: oneshot::Sender<Result<(), RegistryError>>,
    },
    Stop,
}

struct EnrolOrder {
    label: String,
    device: NewDevice,
    reply: oneshot::Sender<Result<Result<(), EnrolRefusal>, RegistryError>>,
}

/// Why the registry thread gave no answer.
#[derive(Debug, thiserror::Error)]
pub enum Unavailable {
    /// The queue is full.
    #[error("the registry has more to do than it can take; try again in a moment")]
    Busy,
    /// The thread has ended.
    #[error("the registry is closed: this backend is shutting down")]
    Closed,
    /// The registry said no.
    #[error(transparent)]
    Registry(#[from] RegistryError),
}

/// Sends orders to the registry thread and reads its cache. Cheap to clone.
#[derive(Clone)]
pub struct RegistryHandle {
    orders: SyncSender<Order>,
    cache: Arc<Cache>,
    sightings: Arc<Sightings>,
    healthy: Arc<AtomicBool>,
}

impl RegistryHandle {
    /// What is in the registry, from memory.
    #[must_use]
    pub fn cache(&self) -> &Cache {
        &self.cache
    }

    /// Whether the last look at the file succeeded.
    #[must_use]
    pub fn is_healthy(&self) -> bool {
        self.healthy.load(Ordering::Relaxed)
    }

    /// Enrols a device with the secret `label` ([`Registry::enrol`]).
    ///
    /// # Errors
    /// Outer: [`Unavailable`]. Inner: the refusal.
    pub async fn enrol(&self, label: String, device: NewDevice) -> Result<Result<(), EnrolRefusal>, Unavailable> {
        self.ask(|reply| Order::Enrol(EnrolOrder { label, device, reply })).await
    }

    /// Files a secret ([`Registry::add_secret`]); it counts at once.
    ///
    /// # Errors
    /// [`Unavailable`].
    pub async fn add_secret(
        &self,
        label: String,
        secret: MassSecret,
        uses: u64,
        lifetime: Duration,
    ) -> Result<(), Unavailable> {
        self.ask(|reply| Order::AddSecret { label, secret, uses, lifetime, reply }).await
    }

    /// Adds a device with its key ([`Registry::add_device`]); it counts at once.
    ///
    /// # Errors
    /// [`Unavailable`].
    pub async fn add_device(&self, device: NewDevice) -> Result<(), Unavailable> {
        self.ask(|reply| Order::AddDevice { device, reply }).await
    }

    /// Revokes a device ([`Registry::revoke_device`]); its sessions and tunnels are ended at once.
    ///
    /// # Errors
    /// [`Unavailable`].
    pub async fn revoke_device(&self, key: String) -> Result<(), Unavailable> {
        self.ask(|reply| Order::Revoke { key, reply }).await
    }

    /// Notes that a device was seen (`Sightings::note`); takes no room in the queue.
    pub fn seen(&self, key: String, at: UnixSeconds) {
        self.sightings.note(key, at);
    }

    async fn ask<T>(
        &self,
        order: impl FnOnce(oneshot::Sender<Result<T, RegistryError>>) -> Order,
    ) -> Result<T, Unavailable> {
        let (reply, answer) = oneshot::channel();
        match self.orders.try_send(order(reply)) {
            Ok(()) => {}
            Err(TrySendError::Full(_)) => return Err(Unavailable::Busy),
            Err(TrySendError::Disconnected(_)) => return Err(Unavailable::Closed),
        }
        match answer.await {
            Ok(result) => result.map_err(Unavailable::Registry),
            Err(_) => Err(Unavailable::Closed),
        }
    }
}

/// Owns the thread. It ends by [`RegistryThread::stop`], or when this and every [`RegistryHandle`] are gone.
pub struct RegistryThread {
    orders: SyncSender<Order>,
    thread: std::thread::JoinHandle<()>,
}

impl RegistryThread {
    /// Opens the registry at `path`, loads the cache and starts the thread.
    ///
    /// # Errors
    /// [`RegistryError`] if the file cannot be opened or read, or the system gives no thread.
    pub fn start(path: &Path, revocations: Arc<Revocations>) -> Result<(Self, RegistryHandle), RegistryError> {
        let registry = Registry::open(path)?;
        let cache = Arc::new(Cache::default());
        let sightings = Arc::new(Sightings::default());
        let healthy = Arc::new(AtomicBool::new(true));
        let (orders, queue) = sync_channel(QUEUE);
        let mut keeper = Keeper {
            registry,
            cache: Arc::clone(&cache),
            healthy: Arc::clone(&healthy),
            revocations,
            revision: 0,
            version: None,
            sightings: Arc::clone(&sightings),
        };
        keeper.load()?;
        let thread = std::thread::Builder::new()
            .name("registry".to_owned())
            .spawn(move || keeper.run(&queue))
            .map_err(RegistryError::Thread)?;
        Ok((Self { orders: orders.clone(), thread }, RegistryHandle { orders, cache, sightings, healthy }))
    }

    /// Has the thread finish what is in its queue and write what it noted, and waits for it; blocking. Handles that are
    /// still there hear that the registry is closed.
    ///
    /// # Errors
    /// If the thread panicked.
    pub fn stop(self) -> std::thread::Result<()> {
        let Self { orders, thread } = self;
        // It fails only when the thread has ended already.
        let _ = orders.send(Order::Stop);
        thread.join()
    }
}

struct Keeper {
    registry: Registry,
    cache: Arc<Cache>,
    healthy: Arc<AtomicBool>,
    revocations: Arc<Revocations>,
    /// The newest device revision in the cache.
    revision: i64,
    /// `PRAGMA data_version` when the file was last read.
    version: Option<i64>,
    /// What is not written yet.
    sightings: Arc<Sightings>,
}

impl Keeper {
    fn run(mut self, queue: &Receiver<Order>) {
        let mut next_poll = Instant::now() + POLL;
        loop {
            match queue.recv_timeout(next_poll.saturating_duration_since(Instant::now())) {
                Ok(Order::Stop) | Err(RecvTimeoutError::Disconnected) => break,
                Ok(Order::Enrol(first)) => {
                    if self.enrol_with_those_behind(first, queue) {
                        break;
                    }
                }
                Ok(order) => self.obey(order),
                Err(RecvTimeoutError::Timeout) => {}
            }
            if Instant::now() >= next_poll {
                self.poll();
                next_poll = Instant::now() + POLL;
            }
        }
        while matches!(self.write_seen(), Ok(1..)) {}
    }

    fn obey(&mut self, order: Order) {
        let now = UnixSeconds::now();
        // A reply that nobody waits for any more is no error: the tunnel or the caller is gone.
        match order {
            Order::Enrol(order) => self.enrol(vec![order]),
            Order::Stop => {}
            Order::AddSecret { label, secret, uses, lifetime, reply } => {
                let result = self.registry.add_secret(&label, &secret, uses, lifetime, now);
                let _ = reply.send(result.and_then(|()| self.refresh()));
            }
            Order::AddDevice { device, reply } => {
                let result = self.registry.add_device(&device, now);
                let _ = reply.send(result.and_then(|_| self.refresh()));
            }
            Order::Revoke { key, reply } => {
                let result = self.registry.revoke_device(&key, now);
                let _ = reply.send(result.and_then(|()| self.refresh()));
            }
        }
    }

    /// Enrols `first` and the enrolments that wait right behind it; then obeys the order that ended their row. Returns
    /// whether that was to stop.
    fn enrol_with_those_behind(&mut self, first: EnrolOrder, queue: &Receiver<Order>) -> bool {
        let mut row = vec![first];
        let mut next = None;
        while row.len() < ROW {
            match queue.try_recv() {
                Ok(Order::Enrol(order)) => row.push(order),
                Ok(other) => {
                    next = Some(other);
                    break;
                }
                Err(_) => break,
            }
        }
        self.enrol(row);
        match next {
            Some(Order::Stop) => true,
            Some(order) => {
                self.obey(order);
                false
            }
            None => false,
        }
    }

    fn enrol(&mut self, row: Vec<EnrolOrder>) {
        let orders: Vec<_> = row.iter().map(|order| (order.label.as_str(), &order.device)).collect();
        match self.registry.enrol_all(&orders, UnixSeconds::now()) {
            Ok(outcomes) => {
                // They are enrolled, whether or not it can be read back now; the next look at the file tries again.
                if let Err(error) = self.refresh() {
                    tracing::error!(%error, "enrolled devices cannot be read back yet");
                    self.version = None;
                }
                for (order, outcome) in row.into_iter().zip(outcomes) {
                    let _ = order.reply.send(Ok(outcome));
                }
            }
            Err(error) => {
                tracing::error!(%error, devices = row.len(), "enrolments failed");
                let mut replies = row.into_iter().map(|order| order.reply);
                if let Some(first) = replies.next() {
                    let _ = first.send(Err(error));
                }
                // The others hear that nobody answers: refused, and the device comes back.
                drop(replies);
            }
        }
    }

    /// Fills the cache for the first time; devices that are revoked already are told to every edge once, because an edge
    /// may still hold their sessions from before this process started.
    fn load(&mut self) -> Result<(), RegistryError> {
        self.version = Some(self.registry.data_version()?);
        self.refresh()?;
        let cache = Arc::clone(&self.cache);
        let revocations = Arc::clone(&self.revocations);
        self.registry.for_each_changed(0, |device| {
            if cache.device(&device.id.registry_key()).is_some_and(|known| known.standing == Standing::Revoked) {
                revocations.push(device.id);
            }
        })
    }

    fn poll(&mut self) {
        let looked = self.look();
        if let Err(error) = &looked {
            tracing::error!(%error, "the registry cannot be read; judging by what was last read");
        }
        let wrote = self.write_seen();
        if let Err(error) = &wrote {
            tracing::error!(%error, "the registry cannot be written");
        }
        self.healthy.store(looked.is_ok() && wrote.is_ok(), Ordering::Relaxed);
    }

    fn look(&mut self) -> Result<(), RegistryError> {
        let version = self.registry.data_version()?;
        if self.version != Some(version) {
            self.refresh()?;
            self.version = Some(version);
        }
        Ok(())
    }

    /// Takes over what changed since the last time: cost proportional to the changes.
    fn refresh(&mut self) -> Result<(), RegistryError> {
        let Self { registry, cache, revocations, revision, .. } = self;
        registry.for_each_changed(*revision, |device| {
            *revision = (*revision).max(device.revision);
            if let Some(ended) = cache.apply(device) {
                tracing::info!(device = %ended, "device ended: revoked, reset or enrolled anew");
                revocations.push(ended);
            }
        })?;
        let secrets = registry.tried_secrets(UnixSeconds::now())?;
        cache.replace_secrets(secrets);
        Ok(())
    }

    /// Writes a batch of sights; gives how many.
    fn write_seen(&mut self) -> Result<usize, RegistryError> {
        let batch = self.sightings.take(SEEN_PER_POLL);
        if !batch.is_empty() {
            self.registry.note_seen(&batch)?;
        }
        Ok(batch.len())
    }
}

#[cfg(test)]
mod tests;
