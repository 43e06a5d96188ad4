//! A running backend: its parts, wired.

use std::{
    net::SocketAddr,
    sync::Arc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use relay_runtime::{
    admin::{Admin, AdminSource},
    clock::Clock,
    drain::Drain,
    listen::BoundSocket,
    sandbox::Report,
    tasks::Tasks,
    tls::ReloadableIdentity,
};
use relay_trust::Identity;
use relay_wire::{Validator, ids::Generation};
use tokio::sync::watch;

use crate::{
    config::{Config, MasterConfig, RoleConfig},
    control::Link,
    edge::{Credentials, Edge},
    error::Error,
    grants::{Signer, Verifier},
    judge::{Judge, Rules},
    metrics::Metrics,
    registry::{
        UnixSeconds,
        thread::{RegistryHandle, RegistryThread},
    },
    revocations::Revocations,
    status::{RegistryStatus, Status},
    tunnel::{Host, HostParts},
};

/// How long answers of the admin address may take at the end.
const ADMIN_END: Duration = Duration::from_secs(2);

/// A backend that is ready to run: files read, registry open, admin address bound. Nothing is dialled before
/// [`Backend::run`]. Several can live in one process.
pub struct Backend {
    shared: Arc<Shared>,
    admin: Option<Admin>,
    registry_thread: Option<RegistryThread>,
}

/// What the parts of a backend share.
pub(crate) struct Shared {
    pub(crate) config: Config,
    pub(crate) me: Credentials,
    pub(crate) edges: Vec<Arc<Edge>>,
    pub(crate) host: Arc<Host>,
    pub(crate) master: Option<Master>,
    pub(crate) identity: Arc<ReloadableIdentity>,
    pub(crate) metrics: Metrics,
    pub(crate) revocations: Arc<Revocations>,
    /// What the process has given up.
    pub(crate) sandbox: Report,
}

/// What only a master has.
pub(crate) struct Master {
    pub(crate) registry: RegistryHandle,
    pub(crate) judge: Arc<Judge>,
    pub(crate) signer: Arc<Signer>,
}

/// A view of a backend that outlives the call of [`Backend::run`]: for tests, and for programs that embed one.
#[derive(Clone)]
pub struct Observer {
    shared: Arc<Shared>,
}

impl Backend {
    /// Opens the registry (a master's), makes the parts and binds the admin address, inside a tokio runtime.
    ///
    /// # Errors
    /// [`Error`], with what to do.
    pub fn start(config: Config) -> Result<Self, Error> {
        let admin = Self::bind(&config)?;
        Self::serve(config, admin, Report::default())
    }

    /// Binds the admin address alone, which [`Self::serve`] takes: before the process gives up binding.
    ///
    /// # Errors
    /// [`Error::Listen`], with what to do.
    pub fn bind(config: &Config) -> Result<Option<BoundSocket>, Error> {
        Ok(config.admin.map(Admin::socket).transpose()?)
    }

    /// As [`Self::start`], on an admin address that is bound; `sandbox` is what `/status` shows of what the process has given
    /// up.
    ///
    /// # Errors
    /// [`Error`], with what to do.
    pub fn serve(config: Config, admin: Option<BoundSocket>, sandbox: Report) -> Result<Self, Error> {
        let metrics = Metrics::default();
        metrics.set_certificate_expiry(config.identity.expires_at().unwrap_or_default());
        let revocations = Arc::new(Revocations::default());
        let identity = ReloadableIdentity::new(config.identity.certified_key());
        let (registry_thread, master, master_spki) = match &config.role {
            RoleConfig::Master(master) => {
                let (thread, registry) = RegistryThread::start(&master.registry, Arc::clone(&revocations))?;
                let signer = Arc::new(Signer::new(Arc::clone(&config.identity)));
                let judge = Arc::new(Judge::new(
                    rules(&config, master),
                    registry.clone(),
                    Arc::clone(&signer),
                    metrics.clone(),
                ));
                (Some(thread), Some(Master { registry, judge, signer }), config.identity.spki())
            }
            RoleConfig::StorageNode(node) => (None, None, node.master_spki.clone()),
        };
        let host = Arc::new(Host::new(HostParts {
            verifier: Verifier::new(master_spki, config.name.clone()),
            identity: Arc::clone(&identity),
            services: config.services.clone(),
            registry: master.as_ref().map(|master| master.registry.clone()),
            metrics: metrics.clone(),
            clock: Clock::system(),
            tunnels_max: config.tunnels_max,
            idle: config.tunnel_idle,
        }));
        let edges = config.edges.iter().map(|edge| Edge::new(edge).map(Arc::new)).collect::<Result<Vec<_>, _>>()?;
        let me = Credentials { role: config.role(), name: config.name.clone(), generation: generation() };
        let shared = Arc::new(Shared { config, me, edges, host, master, identity, metrics, revocations, sandbox });
        let admin = admin.map(|socket| serve_admin(socket, &shared)).transpose()?;
        Ok(Self { shared, admin, registry_thread })
    }

    /// Where the admin address is, with the port that the system chose; `None` if it is off.
    #[must_use]
    pub fn admin_addr(&self) -> Option<SocketAddr> {
        self.admin.as_ref().and_then(|admin| admin.local_addr().ok())
    }

    /// A view that stays usable while and after the backend runs.
    #[must_use]
    pub fn observer(&self) -> Observer {
        Observer { shared: Arc::clone(&self.shared) }
    }

    /// Keeps control connections to every edge and serves, until the process drains and its tunnels have ended or their
    /// time is over. Reads files again whenever `drain` asks for it.
    pub async fn run(self, drain: Drain) {
        let Self { shared, admin, registry_thread } = self;
        let tunnels = Tasks::new();
        let links = Tasks::new();
        let admins = Tasks::new();
        // These have no end of their own.
        let watchers = Tasks::new();
        for edge in &shared.edges {
            let link = Link {
                edge: Arc::clone(edge),
                me: shared.me.clone(),
                judge: shared.master.as_ref().map(|master| Arc::clone(&master.judge)),
                revocations: Arc::clone(&shared.revocations),
                host: Arc::clone(&shared.host),
                pool: shared.config.pool,
                reconnect_max: shared.config.reconnect_max,
                tasks: tunnels.spawner(),
            };
            links.spawn("control connection", link.run(drain.watch()));
        }
        watchers.spawn("ending of revoked devices", end_revoked(Arc::clone(&shared)));
        watchers.spawn("reload", reloads(Arc::clone(&shared), drain.clone()));
        if let Some(admin) = admin {
            admins.spawn("admin", admin.run(drain.watch()));
        }
        let mut phase = drain.watch();
        phase.draining().await;
        let deadline = shared.config.drain;
        let aborted = tokio::select! {
            aborted = async {
                links.idle().await;
                tunnels.shutdown(deadline).await
            } => aborted,
            () = phase.stopped() => 0,
        };
        if aborted > 0 {
            tracing::warn!(tunnels = aborted, ?deadline, "tunnels cut off at the drain deadline");
        }
        drain.stop();
        drop((links, watchers));
        admins.shutdown(ADMIN_END).await;
        drop(shared);
        if let Some(thread) = registry_thread {
            join_registry(thread).await;
        }
        tracing::info!("stopped");
    }
}

impl Observer {
    /// Waits until the control connections to all configured edges stand at the same moment.
    pub async fn connected(&self) {
        let mut watches: Vec<watch::Receiver<bool>> = self.shared.edges.iter().map(|edge| edge.connected()).collect();
        loop {
            for watch in &mut watches {
                // An error means that the edge is gone, and this holds it.
                let _ = watch.wait_for(|connected| *connected).await;
            }
            if watches.iter().all(|watch| *watch.borrow()) {
                return;
            }
        }
    }

    /// The state in numbers and names.
    #[must_use]
    pub fn status(&self) -> Status {
        Status::of(&self.shared)
    }

    /// The state in one line, for a service manager. It takes the locks that every tunnel needs.
    #[must_use]
    pub fn figures(&self) -> String {
        let Status { edges, tunnels, registry, .. } = self.status();
        let connected = edges.iter().filter(|edge| edge.connected).count();
        let registry = match registry {
            Some(RegistryStatus { healthy: false, .. }) => ", the registry cannot be read or written".to_owned(),
            Some(RegistryStatus { devices, .. }) => format!(", {devices} devices in the registry"),
            None => String::new(),
        };
        format!("{connected} of {} edges connected, {tunnels} tunnels{registry}", edges.len())
    }

    /// The registry; a master has one. It is closed once the backend has run.
    #[must_use]
    pub fn registry(&self) -> Option<&RegistryHandle> {
        self.shared.master.as_ref().map(|master| &master.registry)
    }

    /// This backend's identity inside tunnels: the fingerprints of it are what devices pin.
    #[must_use]
    pub fn identity(&self) -> &Identity {
        &self.shared.config.identity
    }
}

fn serve_admin(socket: BoundSocket, shared: &Arc<Shared>) -> Result<Admin, Error> {
    let mut registry = prometheus_client::registry::Registry::default();
    shared.metrics.register(&mut registry);
    let source: Arc<dyn AdminSource> = Arc::new(Observer { shared: Arc::clone(shared) });
    Ok(Admin::serve(socket, Arc::new(registry), source)?)
}

impl AdminSource for Observer {
    /// Ready means that this backend can do its work for somebody: at least one edge is connected and, at a master, the
    /// registry can be read and written. `/status` and `sallyport_backend_edge_connected` tell the edges apart.
    fn ready(&self) -> Result<(), String> {
        if !self.shared.edges.iter().any(|edge| *edge.connected().borrow()) {
            return Err("no edge is connected".to_owned());
        }
        match &self.shared.master {
            Some(master) if !master.registry.is_healthy() => Err("the registry cannot be read or written".to_owned()),
            Some(_) | None => Ok(()),
        }
    }

    fn status(&self) -> serde_json::Value {
        serde_json::to_value(Status::of(&self.shared)).unwrap_or_default()
    }

    fn refresh_metrics(&self) {
        if let Some(master) = &self.shared.master {
            let cache = master.registry.cache();
            self.shared.metrics.set_registry(cache.devices(), cache.secrets_live(UnixSeconds::now()));
        }
    }
}

/// Ends this backend's own tunnels of devices that have ended.
async fn end_revoked(shared: Arc<Shared>) {
    let mut newest = shared.revocations.watch();
    let mut dealt = 0;
    loop {
        for (number, device_id) in shared.revocations.after(dealt, usize::MAX) {
            shared.host.end_device(&device_id.registry_key());
            dealt = number;
        }
        if newest.wait_for(|newest| *newest > dealt).await.is_err() {
            return;
        }
    }
}

async fn reloads(shared: Arc<Shared>, drain: Drain) {
    let mut reloads = drain.reloads();
    loop {
        let reload = reloads.next().await;
        let shared = Arc::clone(&shared);
        // Reading files blocks; it is done in a moment, and only on an administrator's word.
        match tokio::task::spawn_blocking(move || crate::reload::reload(&shared)).await {
            Ok(true) => reload.done(),
            Ok(false) | Err(_) => drop(reload),
        }
    }
}

async fn join_registry(thread: RegistryThread) {
    if !matches!(tokio::task::spawn_blocking(move || thread.stop()).await, Ok(Ok(()))) {
        tracing::error!("the registry thread panicked; this is a bug in the relay, please report it");
    }
}

pub(crate) fn rules(config: &Config, master: &MasterConfig) -> Rules {
    Rules {
        validator: Validator::new(master.releases.clone()),
        master: config.name.clone(),
        nodes: master.nodes.iter().cloned().collect(),
        policy: master.policy.clone(),
        clock_skew: master.clock_skew,
        grant_lifetime: master.grant_lifetime,
    }
}

/// Unix time in nanoseconds: a process that starts later supersedes an earlier one of the same name.
fn generation() -> Generation {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Generation(u64::try_from(since.as_nanos()).unwrap_or(u64::MAX))
}
