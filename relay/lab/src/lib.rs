//! A whole relay on loopback in one process: an edge, a master and storage nodes, with ports chosen by the system and keys made
//! on the spot.
//!
//! Nothing is simulated: the parts are the same libraries that the binaries run, they talk over TCP, and their files lie in
//! a temporary folder that goes with the [`Lab`]. For tests, benchmarks, and `client-sim run` without arguments.

mod folder;

use std::{collections::BTreeMap, net::SocketAddr, path::Path, time::Duration};

use relay_backend::{Backend, Observer};
use relay_edge::{Edge, config::Limits};
use relay_runtime::{config::Problems, drain::Drain, tasks::Tasks};
use relay_trust::{Identity, MassSecret, Pin, PinKind, PinSet};
use relay_wire::ids::BackendName;
use rustls_pki_types::CertificateDer;

/// How long the parts may take to find each other.
const START: Duration = Duration::from_secs(20);
/// How long the parts may take to end before they are aborted.
const STOP: Duration = Duration::from_secs(10);

/// What a lab shall be.
#[derive(Clone, Debug)]
pub struct LabOptions {
    /// The storage nodes, at least one.
    pub nodes: Vec<BackendName>,
    /// Services of every node besides the built-in ones: name and target (`tcp://127.0.0.1:80`).
    pub services: BTreeMap<String, String>,
    /// The edge's bounds. The default suits many devices on one address, which is what a lab has.
    pub limits: Limits,
    /// Lines of the nodes' `[pool]` table, such as `min = 0`; empty: the defaults.
    pub pool: String,
}

impl Default for LabOptions {
    fn default() -> Self {
        let everything = Limits::default();
        Self {
            nodes: BackendName::new("node-a").into_iter().collect(),
            services: BTreeMap::new(),
            limits: Limits {
                connections_per_address: everything.connections,
                handshakes_per_address: everything.handshakes,
                early_refusal_from: everything.handshakes,
                ..everything
            },
            pool: String::new(),
        }
    }
}

/// Why a lab did not start.
#[derive(Debug, thiserror::Error)]
pub enum LabError {
    /// A file of the lab could not be written.
    #[error("cannot write the lab's files: {0}; check that the temporary folder is writable and has room")]
    Files(#[from] std::io::Error),
    /// A key or certificate could not be made or written.
    #[error("cannot make the lab's keys: {0}")]
    Keys(String),
    /// A configuration that the lab wrote was refused: an option has a value that it may not have.
    #[error("the lab's configuration was refused:\n{0}")]
    Config(Problems),
    /// The edge did not start.
    #[error("the lab's edge does not start: {0}")]
    Edge(#[from] relay_edge::EdgeError),
    /// A backend did not start.
    #[error("a backend of the lab does not start: {0}")]
    Backend(#[from] relay_backend::Error),
    /// The backends did not reach the edge.
    #[error("the lab's backends did not reach its edge within {START:?}; is the machine overloaded?")]
    NotConnected,
    /// The registry did not answer.
    #[error("the lab's registry does not take orders: {0}")]
    Registry(String),
    /// The options name no node.
    #[error("a lab needs at least one storage node; name one in `nodes`")]
    NoNodes,
}

/// A running relay. Dropping it ends everything at once; [`Lab::stop`] lets it drain.
pub struct Lab {
    edge_addr: SocketAddr,
    edge_admin: Option<SocketAddr>,
    edge_certificate: CertificateDer<'static>,
    edge_pins: PinSet,
    master_pin: Pin,
    nodes: Vec<BackendName>,
    master: Observer,
    backends: Vec<(BackendName, Observer, Drain)>,
    edge_drain: Drain,
    // Tasks before the folder: what runs ends before its files go.
    tasks: Tasks,
    folder: tempfile::TempDir,
}

impl Lab {
    /// Starts a relay and waits until every backend is connected.
    ///
    /// # Errors
    /// [`LabError`], with what to do.
    pub async fn start(options: LabOptions) -> Result<Self, LabError> {
        let Some(_) = options.nodes.first() else { return Err(LabError::NoNodes) };
        let folder = tempfile::Builder::new().prefix("sallyport-lab-").tempdir()?;
        let identity = folder::edge(folder.path())?;
        let edge_pins = PinSet::from(pin(&identity));
        let edge_certificate = identity.leaf().clone().into_owned();
        let keys = folder.path().join("keys");
        let master_name = folder::master_name();
        let mut key_files = BTreeMap::new();
        for (name, role) in folder::backends(&master_name, &options.nodes) {
            key_files.insert(name.clone(), folder::shared_key(folder.path(), &keys, &name, role)?);
        }
        let tasks = Tasks::new();
        let edge = Edge::bind(folder::edge_config(folder.path(), options.limits))?;
        let (edge_addr, edge_admin) = (edge.local_addr(), edge.admin_addr());
        let edge_drain = Drain::new();
        tasks.spawn("lab edge", edge.run(edge_drain.clone()));

        let relay =
            folder::Relay { folder: folder.path(), edge: edge_addr, edge_pin: pin(&identity), key_files: &key_files };
        let identities = relay.identities(&master_name, &options.nodes)?;
        let master_pin = identities.get(&master_name).map(pin).ok_or(LabError::NoNodes)?;
        let pins: Vec<(BackendName, Pin)> =
            options.nodes.iter().filter_map(|name| Some((name.clone(), pin(identities.get(name)?)))).collect();
        let master = Backend::start(relay.master_config(&master_name, &pins)?)?;
        let master_observer = master.observer();
        let mut backends = vec![run(&tasks, master_name.clone(), master)];
        for name in &options.nodes {
            let config = relay.node_config(name, &master_name, &options.services, &options.pool)?;
            backends.push(run(&tasks, name.clone(), Backend::start(config)?));
        }
        let lab = Self {
            edge_addr,
            edge_admin,
            edge_certificate,
            edge_pins,
            master_pin,
            nodes: options.nodes,
            master: master_observer,
            backends,
            edge_drain,
            tasks,
            folder,
        };
        lab.connected().await?;
        Ok(lab)
    }

    /// Waits until every backend is connected to the edge.
    ///
    /// # Errors
    /// [`LabError::NotConnected`] after 20 seconds.
    pub async fn connected(&self) -> Result<(), LabError> {
        let all = async {
            for (_, observer, _) in &self.backends {
                observer.connected().await;
            }
        };
        tokio::time::timeout(START, all).await.map_err(|_| LabError::NotConnected)
    }

    /// Where devices and backends reach the edge.
    #[must_use]
    pub const fn edge_addr(&self) -> SocketAddr {
        self.edge_addr
    }

    /// The edge's admin address.
    #[must_use]
    pub const fn edge_admin(&self) -> Option<SocketAddr> {
        self.edge_admin
    }

    /// The edge's certificate, which is its own root. Its names are `localhost`, `127.0.0.1` and `::1`.
    #[must_use]
    pub const fn edge_certificate(&self) -> &CertificateDer<'static> {
        &self.edge_certificate
    }

    /// The edge's pin.
    #[must_use]
    pub const fn edge_pins(&self) -> &PinSet {
        &self.edge_pins
    }

    /// The master's pin, as a device's deployment package carries it.
    #[must_use]
    pub const fn master_pin(&self) -> &Pin {
        &self.master_pin
    }

    /// The storage nodes.
    #[must_use]
    pub fn nodes(&self) -> &[BackendName] {
        &self.nodes
    }

    /// The first storage node.
    #[must_use]
    pub fn node_name(&self) -> &BackendName {
        // `start` refuses options without a node.
        &self.nodes[0]
    }

    /// A new mass-deployment secret that the master knows from now on.
    ///
    /// # Errors
    /// [`LabError::Registry`].
    pub async fn mass_secret(&self, uses: u64, lifetime: Duration) -> Result<MassSecret, LabError> {
        let secret = MassSecret::generate();
        let copy = MassSecret::from_hex(&secret.to_hex()).map_err(|error| LabError::Keys(error.to_string()))?;
        let registry = self.master.registry().ok_or_else(|| LabError::Registry("there is none".to_owned()))?;
        let label = format!("lab-{}", secret.fingerprint());
        registry
            .add_secret(label, copy, uses, lifetime)
            .await
            .map_err(|error| LabError::Registry(error.to_string()))?;
        Ok(secret)
    }

    /// A view of the master: its registry and status.
    #[must_use]
    pub const fn master(&self) -> &Observer {
        &self.master
    }

    /// A view of the backend `name`.
    #[must_use]
    pub fn backend(&self, name: &BackendName) -> Option<&Observer> {
        self.backends.iter().find(|(other, ..)| other == name).map(|(_, observer, _)| observer)
    }

    /// The folder that holds the lab's files.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The edge's phase: to drain it, or to make it read its files again.
    #[must_use]
    pub const fn edge_drain(&self) -> &Drain {
        &self.edge_drain
    }

    /// Drains everything, devices first, and ends it; what does not end in ten seconds is aborted.
    pub async fn stop(self) {
        self.edge_drain.drain();
        for (_, _, drain) in &self.backends {
            drain.drain();
        }
        self.tasks.shutdown(STOP).await;
    }
}

fn pin(identity: &Identity) -> Pin {
    Pin::new(PinKind::Spki, identity.fingerprints().spki)
}

fn run(tasks: &Tasks, name: BackendName, backend: Backend) -> (BackendName, Observer, Drain) {
    let observer = backend.observer();
    let drain = Drain::new();
    tasks.spawn("lab backend", backend.run(drain.clone()));
    (name, observer, drain)
}
