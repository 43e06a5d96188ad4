//! What the admin address says: `/status` and `/readyz`, and the gauges that are read only when somebody asks.

use std::{
    net::SocketAddr,
    sync::Arc,
    time::{SystemTime, UNIX_EPOCH},
};

use relay_runtime::{
    admin::AdminSource,
    drain::{Phase, Watch},
    sandbox::Report,
};
use serde_json::{Value, json};
use tokio::time::Instant;

use crate::{admission::Admission, config::Limits, hub::backends::BackendStatus, shared::Shared};

/// The source of the admin address.
pub struct Status {
    shared: Arc<Shared>,
    admission: Arc<Admission>,
    listen: Vec<SocketAddr>,
    started: Instant,
    watch: Watch,
    sandbox: Report,
}

impl Status {
    /// The status of an edge that is bound, and whose phases are these.
    #[must_use]
    pub fn new(
        shared: Arc<Shared>,
        admission: Arc<Admission>,
        listen: Vec<SocketAddr>,
        watch: Watch,
        sandbox: Report,
    ) -> Self {
        Self { shared, admission, listen, started: Instant::now(), watch, sandbox }
    }

    /// The state in one line, for a service manager. It takes the locks that every connection needs.
    #[must_use]
    pub fn figures(&self) -> String {
        let hub = &self.shared.hub;
        let ((_, devices), (_, tunnels)) = (hub.sessions.len(), hub.tunnels.len());
        let backends = hub.backends.status().iter().filter(|backend| backend.since.is_some()).count();
        let known = self.shared.keys().names().len();
        let master = if hub.backends.has_master() { "" } else { "no master is connected; " };
        let (connections, _) = self.admission.in_use();
        format!(
            "{master}{backends} of {known} backends, {connections} connections, {devices} devices, {tunnels} tunnels"
        )
    }
}

impl AdminSource for Status {
    fn ready(&self) -> Result<(), String> {
        match self.watch.phase() {
            Phase::Running if self.shared.hub.backends.has_master() => Ok(()),
            Phase::Running => Err("no master is connected".to_owned()),
            phase @ (Phase::Draining | Phase::Stopped) => Err(phase.as_str().to_owned()),
        }
    }

    fn status(&self) -> Value {
        let hub = &self.shared.hub;
        let (connections, handshakes) = self.admission.in_use();
        let (sessions, devices) = hub.sessions.len();
        let (tokens, tunnels) = hub.tunnels.len();
        let moved = self.shared.meter.read();
        json!({
            "version": env!("CARGO_PKG_VERSION"),
            "phase": self.watch.phase().as_str(),
            "uptime_seconds": self.started.elapsed().as_secs(),
            "listen": self.listen,
            "connections": connections,
            "connections_unproved": handshakes,
            "device_connections": sessions,
            "devices": devices,
            "tunnels": tunnels,
            "tokens_pending": tokens,
            "asks_pending": hub.asks_pending(),
            "relayed_bytes": { "to_backend": moved.a_to_b, "to_device": moved.b_to_a },
            "master": hub.backends.master().map(|master| master.name.as_str().to_owned()),
            "backends": hub.backends.status().iter().map(backend).collect::<Vec<_>>(),
            "sandbox": self.sandbox,
            "limits": limits(&self.shared.limits),
        })
    }

    fn refresh_metrics(&self) {
        self.shared.metrics.moved(self.shared.meter.read());
    }
}

fn backend(backend: &BackendStatus) -> Value {
    let since = backend.since.and_then(|since| since.duration_since(UNIX_EPOCH).ok()).map(|since| since.as_secs());
    let up = backend.since.and_then(|since| SystemTime::now().duration_since(since).ok()).map(|up| up.as_secs());
    json!({
        "name": backend.name.as_str(),
        "role": backend.role.as_str(),
        // As text: JSON numbers are not exact at this size.
        "generation": backend.generation.0.to_string(),
        "connected": backend.since.is_some(),
        "since_unix_seconds": since,
        "connected_seconds": up,
        "leaving": backend.leaving,
        "spares": backend.spares,
        "tunnels_waiting": backend.waiting,
    })
}

fn limits(limits: &Limits) -> Value {
    limits.pairs().into_iter().map(|(name, value)| (name.to_owned(), json!(value))).collect()
}
