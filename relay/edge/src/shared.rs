//! What every connection of one edge works with.

use std::{
    net::SocketAddr,
    sync::{Arc, PoisonError, RwLock},
};

use relay_runtime::{
    clock::Clock,
    splice::{Meter, Pipes},
};
use relay_wire::{Validator, ids::Exporter, time::Timestamp};
use rustls::ServerConnection;

use crate::{admission::Permit, config::Limits, hub::Hub, keystore::KeyStore, metrics::Metrics};

/// The parts of one edge that its connections share.
pub struct Shared {
    /// Who is here, what is asked, what is granted.
    pub hub: Arc<Hub>,
    /// The metrics.
    pub metrics: Arc<Metrics>,
    /// The clock of every session.
    pub clock: Clock,
    /// What judges requests.
    pub validator: Arc<Validator>,
    /// The bounds.
    pub limits: Limits,
    /// What bytes of tunnels are in while they are under way.
    pub pipes: Pipes,
    /// Counts them.
    pub meter: Meter,
    keys: RwLock<Arc<KeyStore>>,
}

/// Unused pipes that are kept, of two descriptors each: as many as a busy machine's cores can use at once, with room.
const PIPES_KEPT: usize = 64;

impl Shared {
    /// The shared parts of an edge that starts.
    #[must_use]
    pub fn new(limits: Limits, validator: Validator, keys: KeyStore, metrics: Arc<Metrics>) -> Arc<Self> {
        metrics.backends(keys.names());
        Arc::new(Self {
            hub: Hub::new(&limits, Arc::clone(&metrics)),
            metrics,
            clock: Clock::system(),
            validator: Arc::new(validator),
            limits,
            pipes: Pipes::new(PIPES_KEPT),
            meter: Meter::new(),
            keys: RwLock::new(Arc::new(keys)),
        })
    }

    /// The backends' keys as they are now.
    #[must_use]
    pub fn keys(&self) -> Arc<KeyStore> {
        Arc::clone(&self.keys.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Exchanges the backends' keys, and ends the connections that were proved with a key which is gone.
    pub fn set_keys(&self, keys: KeyStore) {
        let keys = Arc::new(keys);
        self.metrics.backends(keys.names());
        *self.keys.write().unwrap_or_else(PoisonError::into_inner) = Arc::clone(&keys);
        for name in self.hub.backends.retain(|name, role, key| keys.holds(name, role, key)) {
            tracing::warn!(backend = name.as_str(), "the key of this backend's connection is gone: it was ended");
        }
    }
}

/// The peer of an admitted connection.
pub struct Peer {
    /// Its address.
    pub remote: SocketAddr,
    /// When it was accepted: a stranger's deadlines count from there.
    pub accepted: Timestamp,
    /// Its place.
    pub permit: Permit,
}

/// The exporter of a connection under one of [`relay_wire::proof::exporter_label`]; `None` before its handshake is done.
#[must_use]
pub fn exporter(connection: &ServerConnection, label: &[u8]) -> Option<Exporter> {
    connection.export_keying_material([0; 32], label, None).ok().map(Exporter)
}
