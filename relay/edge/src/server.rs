//! One edge: bound, run, drained. No globals: several fit into one process.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use relay_runtime::{
    admin::Admin,
    config::Problems,
    drain::{Drain, Phase, Reloads, Watch},
    listen::Listener,
    sandbox,
    tasks::{Spawner, Tasks},
    tls::ReloadableIdentity,
};
use relay_trust::Identity;
use relay_wire::{Validator, ids::Role};
use tokio::time::{Instant, MissedTickBehavior, interval, timeout};

use crate::{
    admission::Admission,
    config::{Config, Limits},
    error::EdgeError,
    keystore::KeyStore,
    metrics::Metrics,
    route::{self, TlsConfigs},
    shared::{Peer, Shared},
    sockets::Sockets,
    status::Status,
};

/// How often what has expired is dropped.
const TIDY: Duration = Duration::from_secs(1);
/// How often a draining edge looks whether anything is left.
const LOOK: Duration = Duration::from_millis(20);

/// Certificate and keys, read from their files.
pub struct Material {
    /// The certificate and its key.
    pub identity: Identity,
    /// The backends' keys.
    pub keys: KeyStore,
}

impl Material {
    /// Reads the files that `config` names.
    ///
    /// # Errors
    /// Every problem with them.
    pub fn load(config: &Config) -> Result<Self, Problems> {
        let mut problems = Problems::new();
        let identity = Identity::load(&config.certificate.chain, &config.certificate.key).map_err(|error| {
            problems.add("certificate", error.to_string(), "correct `chain` and `key`, or make new ones with `init`");
        });
        let keys = KeyStore::load(&config.keys).map_err(|errors| {
            for error in errors {
                problems.add("keys", error.to_string(), "`relay-edge key` writes these files");
            }
        });
        match (identity, keys) {
            (Ok(identity), Ok(keys)) => Ok(Self { identity, keys }),
            (Ok(_) | Err(()), Ok(_) | Err(())) => Err(problems),
        }
    }

    /// What works but should be looked at.
    #[must_use]
    pub fn warnings(&self) -> Vec<String> {
        let mut warnings = self.identity.warnings();
        if !self.keys.has_role(Role::Master) {
            warnings
                .push("no backend with role master has a key, so no device can be let in: `relay-edge key add`".into());
        }
        warnings
    }
}

/// An edge that is bound and not running yet.
pub struct Edge {
    config: Config,
    shared: Arc<Shared>,
    identity: Arc<ReloadableIdentity>,
    listeners: Vec<Listener>,
    addresses: Vec<SocketAddr>,
    admission: Arc<Admission>,
    admin: Option<Admin>,
    status: Arc<Status>,
    /// How many descriptors the process may have open, if there is a bound.
    descriptors: Option<u64>,
    /// This edge's own phases: others that share the caller's may still be draining when this one has stopped.
    phases: Drain,
}

impl Edge {
    /// Reads the files that the configuration names and binds every address, inside a tokio runtime.
    ///
    /// # Errors
    /// [`EdgeError`]: every problem with the files, or the address that cannot be bound.
    pub fn bind(config: Config) -> Result<Self, EdgeError> {
        let sockets = Sockets::bind(&config)?;
        Self::serve(config, sockets, sandbox::Report::default())
    }

    /// An edge on addresses that are bound already, inside a tokio runtime; reads the files that the configuration names.
    /// `sandbox` is what `/status` shows of what the process has given up.
    ///
    /// # Errors
    /// [`EdgeError`]: every problem with the files.
    pub fn serve(config: Config, sockets: Sockets, sandbox: sandbox::Report) -> Result<Self, EdgeError> {
        let material = Material::load(&config)?;
        for warning in material.warnings() {
            tracing::warn!("{warning}");
        }
        let mut limits = config.limits;
        let descriptors = fit_descriptors(&mut limits);
        let mut listeners = Vec::new();
        let mut addresses = Vec::new();
        for socket in sockets.listeners {
            let listener = Listener::serve(socket)?;
            addresses.push(listener.local_addr().map_err(EdgeError::Address)?);
            listeners.push(listener);
        }
        let (metrics, registry) = Metrics::new();
        metrics.certificate_expiry(&material.identity);
        let validator = Validator::new(config.releases.clone());
        let shared = Shared::new(limits, validator, material.keys, metrics);
        let identity = ReloadableIdentity::new(material.identity.certified_key());
        let admission = Admission::new(limits.admission());
        let phases = Drain::new();
        let status =
            Status::new(Arc::clone(&shared), Arc::clone(&admission), addresses.clone(), phases.watch(), sandbox);
        let status = Arc::new(status);
        let admin = match sockets.admin {
            Some(socket) => Some(Admin::serve(socket, Arc::new(registry), Arc::<Status>::clone(&status))?),
            None => None,
        };
        Ok(Self { config, shared, identity, listeners, addresses, admission, admin, status, descriptors, phases })
    }

    /// Where devices and backends connect; the first, if there are several. Ports are those the system chose.
    #[must_use]
    pub fn local_addr(&self) -> SocketAddr {
        self.addresses[0]
    }

    /// All addresses where devices and backends connect.
    #[must_use]
    pub fn local_addrs(&self) -> &[SocketAddr] {
        &self.addresses
    }

    /// The admin address, if there is one.
    #[must_use]
    pub fn admin_addr(&self) -> Option<SocketAddr> {
        self.admin.as_ref().and_then(|admin| admin.local_addr().ok())
    }

    /// Says in one line how things are, also while the edge runs.
    pub fn figures(&self) -> impl Fn() -> String + Send + Sync + 'static {
        let status = Arc::clone(&self.status);
        move || status.figures()
    }

    /// Serves until `drain` says to drain (running tunnels may then finish to the configured deadline) or to stop.
    /// Every task it started has ended when it returns.
    pub async fn run(self, drain: Drain) {
        let Self { config, shared, identity, listeners, addresses, admission, admin, descriptors, phases, .. } = self;
        let services = Tasks::new();
        let connections = Tasks::new();
        if let Some(admin) = admin {
            services.spawn("admin", admin.run(phases.watch()));
        }
        services.spawn("tidy", tidy(Arc::clone(&shared), Arc::clone(&admission), descriptors));
        services.spawn("reload", reload(drain.reloads(), config.clone(), Arc::clone(&shared), Arc::clone(&identity)));
        let tls = Arc::new(TlsConfigs::new(&identity));
        for listener in listeners {
            let acceptor = Acceptor {
                listener,
                admission: Arc::clone(&admission),
                shared: Arc::clone(&shared),
                tls: Arc::clone(&tls),
                connections: connections.spawner(),
            };
            services.spawn("accept", acceptor.run(phases.watch()));
        }
        tracing::info!(listen = ?addresses, "edge runs");
        let mut watch = drain.watch();
        watch.draining().await;
        phases.drain();
        shared.hub.drain(config.drain.retry_after);
        tokio::select! {
            () = watch.stopped() => {}
            _ = timeout(config.drain.deadline, idle(&shared)) => {}
        }
        let (_, tunnels) = shared.hub.tunnels.len();
        if tunnels > 0 {
            tracing::warn!(tunnels, "these tunnels are cut: the drain's deadline has come, or a second signal");
        }
        phases.stop();
        connections.shutdown(Duration::ZERO).await;
        // Two of them never end by themselves, and the rest have ended with the phase.
        drop(services);
        tracing::info!("edge stopped");
    }
}

/// Descriptors that are not connections: listeners, files, the runtime's own, the places reserved for backends, and some
/// pipes of busy tunnels.
const DESCRIPTORS_RESERVED: u64 = 256;
/// As many of them as no pipe may take.
const DESCRIPTORS_NOT_PIPES: u64 = 192;

/// Raises the bound on descriptors and lowers that on connections to what they suffice for; the bound, if there is one.
fn fit_descriptors(limits: &mut Limits) -> Option<u64> {
    let now = match relay_runtime::resources::raise_descriptor_limit() {
        Ok(bound) => bound.now?,
        Err(error) => {
            tracing::warn!(%error, "the limit on open files cannot be raised");
            return None;
        }
    };
    let fits = usize::try_from(connections_for(now)).unwrap_or(usize::MAX);
    if fits < limits.connections {
        tracing::warn!(
            configured = limits.connections,
            effective = fits,
            "fewer connections than configured: raise the limit on open files (LimitNOFILE, ulimit -n)"
        );
        limits.connections = fits;
    }
    Some(now)
}

/// Connections that so many descriptors suffice for. Of few, half.
const fn connections_for(descriptors: u64) -> u64 {
    let reserved = if DESCRIPTORS_RESERVED < descriptors / 2 { DESCRIPTORS_RESERVED } else { descriptors / 2 };
    let connections = descriptors - reserved;
    if connections > 0 { connections } else { 1 }
}

/// Pipes that may be open beside so many connections: what is left, two descriptors each, and a tenth of it for the
/// connections that come until the next look.
fn pipes_for(descriptors: u64, connections: usize) -> usize {
    let left = descriptors.saturating_sub(DESCRIPTORS_NOT_PIPES).saturating_sub(connections as u64);
    usize::try_from((left - left / 10) / 2).unwrap_or(usize::MAX)
}

/// Resolves when no tunnel and no device connection is left.
async fn idle(shared: &Shared) {
    let mut ticks = interval(LOOK);
    loop {
        ticks.tick().await;
        let ((_, tunnels), (sessions, _)) = (shared.hub.tunnels.len(), shared.hub.sessions.len());
        if tunnels == 0 && sessions == 0 {
            return;
        }
    }
}

/// Drops what has expired, and bounds the pipes to what connections leave, for as long as the edge runs.
async fn tidy(shared: Arc<Shared>, admission: Arc<Admission>, descriptors: Option<u64>) {
    let mut ticks = interval(TIDY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        shared.hub.tidy(Instant::now());
        if let Some(descriptors) = descriptors {
            let (connections, _) = admission.in_use();
            shared.pipes.bound(pipes_for(descriptors, connections));
        }
    }
}

/// Reads certificate and keys again whenever that is asked for. What is bad stays outside.
async fn reload(mut reloads: Reloads, config: Config, shared: Arc<Shared>, identity: Arc<ReloadableIdentity>) {
    loop {
        let reload = reloads.next().await;
        match Material::load(&config) {
            Ok(material) => {
                for warning in material.warnings() {
                    tracing::warn!("{warning}");
                }
                shared.metrics.certificate_expiry(&material.identity);
                identity.replace(material.identity.certified_key());
                shared.set_keys(material.keys);
                shared.metrics.reload("done");
                reload.done();
                tracing::info!("certificate and keys read again");
            }
            Err(problems) => {
                shared.metrics.reload("refused");
                for problem in &problems {
                    tracing::error!(%problem, "reload refused: certificate and keys stay as they were");
                }
                drop(reload);
            }
        }
    }
}

struct Acceptor {
    listener: Listener,
    admission: Arc<Admission>,
    shared: Arc<Shared>,
    tls: Arc<TlsConfigs>,
    connections: Spawner,
}

impl Acceptor {
    /// Accepts until the edge drains; the listener closes then.
    async fn run(self, mut watch: Watch) {
        while watch.phase() == Phase::Running {
            let (stream, remote) = tokio::select! {
                biased;
                () = watch.draining() => return,
                accepted = self.listener.accept() => accepted,
            };
            match self.admission.admit(remote.ip(), || u32::from_be_bytes(relay_trust::random())) {
                Ok(permit) => {
                    self.shared.metrics.admitted();
                    let peer = Peer { remote, accepted: self.shared.clock.now(), permit };
                    let (shared, tls) = (Arc::clone(&self.shared), Arc::clone(&self.tls));
                    let serving = route::serve(shared, tls, stream, peer, Instant::now());
                    self.connections.spawn("connection", serving);
                }
                Err(reason) => {
                    self.shared.metrics.not_admitted(reason);
                    tracing::debug!(%remote, reason = reason.as_str(), "connection not admitted");
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_descriptors_are_shared_between_connections_and_the_rest() {
        for (descriptors, connections) in [(0, 1), (1, 1), (256, 128), (1_024, 768), (20_000, 19_744)] {
            assert_eq!(connections_for(descriptors), connections, "{descriptors}");
        }
        assert_eq!(pipes_for(256, 128), 0);
        assert_eq!(pipes_for(20_000, 0), 8_914);
        assert_eq!(pipes_for(20_000, 19_744), 29);
    }
}
