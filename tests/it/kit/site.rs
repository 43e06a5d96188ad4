//! A whole relay of real parts in one process, made with `init` as an operator makes one, each part with its admin address.

use std::{
    collections::BTreeMap,
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use client_sim::{
    Device, Failure,
    device::{Granted, Link, work},
    profiles::Persona,
    target::{EdgeAddress, EdgeTarget},
};
use relay_backend::{
    Backend, Config, InitOptions, Observer,
    config::{EdgeConfig, RoleConfig},
    init,
};
use relay_edge::{
    Edge,
    config::Limits,
    keystore,
    setup::{self, Init},
};
use relay_runtime::{buffers::Buffers, clock::Clock, drain::Drain, tasks::Tasks};
use relay_trust::{DeviceKey, MassSecret, Pin, PinKind, PinSet, Roots, SharedKey};
use relay_wire::{
    Platform,
    ids::{BackendName, Role, ServiceName},
    request::TransferKind,
};
use rustls::pki_types::{CertificateDer, ServerName};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use super::{captured::CapturedEdge, soon};

/// The name of every site's master.
pub const MASTER: &str = "master";
/// The name of the first storage node.
pub const NODE: &str = "node-a";

/// What a site shall be.
pub struct Options {
    /// Real edges.
    pub edges: usize,
    /// Edges that the test itself is.
    pub others: Vec<Other>,
    pub nodes: Vec<&'static str>,
    pub limits: Limits,
    /// What backends have otherwise than by default.
    pub change: fn(&mut Config),
    /// Whether to wait until all backends are connected everywhere.
    pub wait: bool,
}

/// An edge that the test itself is, as backends are told of it.
#[derive(Clone)]
pub struct Other {
    pub address: SocketAddr,
    pub pin: Option<Pin>,
    /// Who finds the backends' shared keys.
    pub captor: Option<CapturedEdge>,
}

impl Default for Options {
    fn default() -> Self {
        Self { edges: 1, others: Vec::new(), nodes: vec![NODE], limits: Limits::default(), change: |_| {}, wait: true }
    }
}

pub struct SiteEdge {
    pub address: SocketAddr,
    pub admin: SocketAddr,
    pub certificate: CertificateDer<'static>,
    pub drain: Drain,
}

pub struct SiteBackend {
    pub observer: Observer,
    pub admin: SocketAddr,
    pub config: PathBuf,
}

pub struct Site {
    pub edges: Vec<SiteEdge>,
    pub backends: BTreeMap<String, SiteBackend>,
    tasks: Vec<Tasks>,
    _folder: tempfile::TempDir,
}

pub fn name(text: &str) -> BackendName {
    BackendName::new(text).unwrap()
}

pub fn service(text: &str) -> ServiceName {
    ServiceName::new(text).unwrap()
}

pub fn loopback() -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], 0))
}

pub fn pin_of(certificate: &[u8]) -> Pin {
    Pin::new(PinKind::Leaf, relay_trust::fingerprints(certificate).unwrap().leaf)
}

/// The text of an answer of an admin address.
pub async fn admin(address: SocketAddr, path: &str) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nhost: relay\r\nconnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut text = String::new();
    soon(stream.read_to_string(&mut text)).await.unwrap();
    text
}

/// The sum of a metric's samples that have all of `labels`.
pub async fn metric(address: SocketAddr, name: &str, labels: &[&str]) -> u64 {
    let text = admin(address, "/metrics").await;
    let samples = text.lines().filter_map(|line| line.rsplit_once(' '));
    let mine = samples.filter(|(series, _)| {
        series.split('{').next() == Some(name) && labels.iter().all(|label| series.contains(label))
    });
    mine.filter_map(|(_, value)| value.parse::<u64>().ok()).sum()
}

/// Asks again and again until the metric has this value.
pub async fn metric_becomes(address: SocketAddr, name: &str, labels: &[&str], value: u64) {
    metric_until(address, name, labels, |now| now == value).await;
}

/// Asks again and again until the metric is at least this.
pub async fn metric_reaches(address: SocketAddr, name: &str, labels: &[&str], value: u64) {
    metric_until(address, name, labels, |now| now >= value).await;
}

async fn metric_until(address: SocketAddr, name: &str, labels: &[&str], good: impl Fn(u64) -> bool) {
    let mut last = 0;
    let becomes = async {
        loop {
            last = metric(address, name, labels).await;
            if good(last) {
                return;
            }
            tokio::task::yield_now().await;
        }
    };
    let in_time = tokio::time::timeout(super::PATIENCE, becomes).await.is_ok();
    assert!(in_time, "{name} {labels:?} stays {last}\n{}", admin(address, "/metrics").await);
}

fn prepare(folder: &Path, who: &str, role: Role, master: Option<&Path>) -> relay_backend::InitReport {
    let options = InitOptions {
        role,
        name: name(who),
        dir: folder.join(who),
        edge: "127.0.0.1:1".parse().unwrap(),
        edge_pin: None,
        master_certificate: master.map(Path::to_owned),
        registry: None,
        services: Vec::new(),
    };
    init(&options).unwrap()
}

fn key(file: &Path) -> SharedKey {
    SharedKey::load(file).unwrap_or_else(|error| panic!("{error}"))
}

impl Site {
    pub async fn start(options: Options) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let master = prepare(folder.path(), MASTER, Role::Master, None);
        let mut made = vec![(MASTER, Role::Master, master.clone())];
        for node in &options.nodes {
            let report = prepare(folder.path(), node, Role::StorageNode, Some(&master.certificate));
            made.push((node, Role::StorageNode, report));
        }
        let pins: Vec<(BackendName, Pin)> =
            made[1..].iter().map(|(node, _, report)| (name(node), report.pin.parse().unwrap())).collect();

        let tasks = Tasks::new();
        let mut edges = Vec::new();
        for number in 0..options.edges {
            let dir = folder.path().join(format!("edge-{number}"));
            edges.push(start_edge(&dir, &made, options.limits, &tasks));
        }
        let mut ways: Vec<Other> = edges
            .iter()
            .map(|edge| Other { address: edge.address, pin: Some(pin_of(&edge.certificate)), captor: None })
            .collect();
        ways.extend(options.others);

        let mut site = Self { edges, backends: BTreeMap::new(), tasks: vec![tasks], _folder: folder };
        for (who, _, report) in made {
            let mut config = Config::load(&report.config).unwrap();
            config.admin = Some(loopback());
            for captor in ways.iter().filter_map(|way| way.captor.as_ref()) {
                captor.steal(who, &report.shared_key);
            }
            config.edges = ways
                .iter()
                .map(|way| EdgeConfig {
                    address: way.address.to_string().parse().unwrap(),
                    pin: way.pin,
                    key_file: report.shared_key.clone(),
                    key: Arc::new(key(&report.shared_key)),
                })
                .collect();
            (options.change)(&mut config);
            if let RoleConfig::Master(master) = &mut config.role {
                master.nodes.clone_from(&pins);
            }
            let backend = Backend::start(config).unwrap();
            let (observer, admin) = (backend.observer(), backend.admin_addr().unwrap());
            let tasks = Tasks::new();
            tasks.spawn("backend", backend.run(Drain::new()));
            site.tasks.push(tasks);
            let running = SiteBackend { observer, admin, config: report.config };
            site.backends.insert(who.to_owned(), running);
        }
        if options.wait {
            for backend in site.backends.values() {
                soon(backend.observer.connected()).await;
            }
        }
        site
    }

    pub fn master(&self) -> &SiteBackend {
        &self.backends[MASTER]
    }

    pub fn node(&self) -> &SiteBackend {
        &self.backends[NODE]
    }

    pub fn edge(&self) -> &SiteEdge {
        &self.edges[0]
    }

    /// What devices of this site know of its edges.
    pub fn target(&self) -> EdgeTarget {
        let certificates: Vec<_> = self.edges.iter().map(|edge| edge.certificate.clone()).collect();
        let addresses: Vec<_> = self.edges.iter().map(|edge| edge.address).collect();
        target(&addresses, &certificates)
    }

    pub fn master_pins(&self) -> PinSet {
        PinSet::from(pin_of(self.master().observer.identity().leaf()))
    }

    /// A new mass-deployment secret.
    pub async fn secret(&self, uses: u64) -> MassSecret {
        self.secret_for(uses, Duration::from_secs(3_600)).await
    }

    pub async fn secret_for(&self, uses: u64, lifetime: Duration) -> MassSecret {
        let secret = MassSecret::generate();
        let copy = MassSecret::from_hex(&secret.to_hex()).unwrap_or_else(|error| panic!("{error}"));
        let registry = self.master().observer.registry().unwrap();
        registry.add_secret(secret.fingerprint(), copy, uses, lifetime).await.unwrap();
        secret
    }

    /// A device that has not been here before.
    pub fn device(&self, platform: Platform, index: u32) -> Device {
        device(platform, index, self.target())
    }

    /// A device that is enrolled and authenticated.
    pub async fn enrolled(&self, platform: Platform, index: u32) -> (Device, Link) {
        enrolled(self.device(platform, index), &self.secret(1).await, &self.master_pins()).await
    }
}

fn start_edge(dir: &Path, made: &[(&str, Role, relay_backend::InitReport)], limits: Limits, tasks: &Tasks) -> SiteEdge {
    let paths = setup::init(&Init { folder: dir.to_owned(), listen: Some(loopback()), names: Vec::new() }).unwrap();
    for (who, role, report) in made {
        keystore::add(&paths.keys, &name(who), *role, key(&report.shared_key)).unwrap();
    }
    let mut config = relay_edge::Config::load(&paths.config).unwrap();
    config.admin = Some(loopback());
    config.limits = limits;
    let identity = relay_trust::Identity::load(&paths.certificate, &paths.key).unwrap();
    let edge = Edge::bind(config).unwrap();
    let (address, admin) = (edge.local_addr(), edge.admin_addr().unwrap());
    let drain = Drain::new();
    tasks.spawn("edge", edge.run(drain.clone()));
    SiteEdge { address, admin, certificate: identity.leaf().clone(), drain }
}

/// What a device knows of edges with these addresses and certificates.
pub fn target(addresses: &[SocketAddr], certificates: &[CertificateDer<'static>]) -> EdgeTarget {
    EdgeTarget {
        edges: addresses.iter().copied().map(EdgeAddress::from).collect(),
        server_name: ServerName::try_from("localhost").unwrap(),
        pins: PinSet::new(certificates.iter().map(|certificate| pin_of(certificate)).collect()).unwrap(),
        roots: Roots::from_der(certificates).unwrap(),
        buffers: Buffers::default(),
    }
}

pub fn device(platform: Platform, index: u32, target: EdgeTarget) -> Device {
    let persona = Persona::generate(platform, index, 20_261);
    Device::new(persona, Arc::new(target), DeviceKey::generate(), None, Clock::system()).unwrap()
}

pub async fn enrolled(mut device: Device, secret: &MassSecret, master: &PinSet) -> (Device, Link) {
    let (mut link, _) = device.connect().await.unwrap();
    device.enrol(&mut link, secret, master).await.unwrap();
    device.authenticate(&mut link).await.unwrap();
    (device, link)
}

/// Asks for a tunnel to `node`.
pub async fn ask(device: &Device, link: &mut Link, kind: TransferKind, node: &str) -> Result<Granted, Failure> {
    device.request_tunnel(link, kind, &name(node), device.persona().paths(), Some(1)).await
}

/// A backup of `bytes` bytes of a seed's content to `node`, checked at its far end.
pub async fn back_up(device: &Device, link: &mut Link, node: &str, seed: u64, bytes: u64) -> Result<(), Failure> {
    let granted = ask(device, link, TransferKind::Backup, node).await?;
    work::backup(device.open(granted, &service("sink")).await?, seed, bytes).await
}

/// A restore, compared with the seed's content.
pub async fn restore(device: &Device, link: &mut Link, node: &str, seed: u64, bytes: u64) -> Result<(), Failure> {
    let granted = ask(device, link, TransferKind::Restore, node).await?;
    work::restore(device.open(granted, &service("source")).await?, seed, bytes).await
}
