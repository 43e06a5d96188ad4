//! Somebody else at the other end: in front of devices, inside tunnels, and in front of backends. Not a byte of application data
//! reaches them.

use std::{fs, sync::Arc};

use client_sim::{
    Device, Failure,
    device::Step,
    profiles::Persona,
    target::{EdgeAddress, EdgeTarget},
};
use relay_runtime::{clock::Clock, tasks::Tasks};
use relay_trust::{DeviceKey, Identity, MassSecret, PinSet, Roots, TlsProfile, TlsVersion, server_config};
use relay_wire::{Platform, proof::alpn, request::TransferKind};
use rustls::{ServerConfig, sign::CertifiedKey};
use tests::process;
use tokio::net::TcpListener;

use crate::kit::{
    captured::{CapturedEdge, ControlEnd, DeviceEnd},
    log::Log,
    middle::{Catch, listen, take, without_its_key},
    site::{self, NODE, Options, Other, Site, metric, metric_reaches, pin_of, service},
    soon,
};

fn identity(name: &str) -> Identity {
    Identity::self_signed(&[name.to_owned(), "127.0.0.1".to_owned()], 30).unwrap()
}

/// The true edge, known by these devices, and who stands in its place.
struct Places {
    edge: Identity,
    rogue: Identity,
}

impl Places {
    fn new() -> Self {
        Self { edge: identity("localhost"), rogue: identity("localhost") }
    }

    /// What devices know: the true edge's pin. Both certificates lead to a root, so that the pin alone decides.
    fn target(&self, addresses: &[std::net::SocketAddr]) -> EdgeTarget {
        let roots = [self.edge.leaf().clone(), self.rogue.leaf().clone()];
        let mut target = site::target(addresses, &roots);
        target.pins = PinSet::from(pin_of(self.edge.leaf()));
        target
    }
}

fn device(platform: Platform, profile: &'static TlsProfile, target: EdgeTarget) -> Device {
    let mut persona = Persona::generate(platform, 0, 11);
    persona.tls = profile;
    Device::new(persona, Arc::new(target), DeviceKey::generate(), None, Clock::system()).unwrap()
}

/// Every platform with each TLS stack that its devices have.
fn stacks() -> Vec<(Platform, &'static TlsProfile)> {
    let mut stacks = Vec::new();
    for platform in Platform::ALL {
        for index in 0..60 {
            let profile = Persona::generate(platform, index, 1).tls;
            if !stacks
                .iter()
                .any(|(other, stack): &(Platform, &TlsProfile)| (*other, stack.name) == (platform, profile.name))
            {
                stacks.push((platform, profile));
            }
        }
    }
    assert!(stacks.len() >= 10);
    stacks
}

/// Devices of every stack meet `key` at the first of their two edges: each halts there.
async fn all_halt_at(places: &Places, key: &Arc<CertifiedKey>, reason: &str) {
    for (platform, profile) in stacks() {
        let tasks = Tasks::new();
        let (address, catch) = listen(&tasks, Arc::clone(key), alpn::DEVICE).await;
        // Another edge stands ready: a device that halts does not look for a better one.
        let second = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let target = places.target(&[address, second.local_addr().unwrap()]);
        let device = device(platform, profile, target);
        let failure = device.connect().await.err().expect("somebody else is no edge");
        assert!(failure.halts() && !failure.is_passing(), "{platform} {}: {failure}", profile.name);
        assert!(failure.to_string().contains(reason), "{platform} {}: {failure}", profile.name);
        catch.nothing_was_sent(profile.versions).await;
        let tried = tokio::time::timeout(std::time::Duration::ZERO, second.accept()).await;
        assert!(tried.is_err(), "{platform} {}: it tried the second edge", profile.name);
    }
}

#[tokio::test]
async fn another_certificate_halts_every_device_and_receives_nothing() {
    let places = Places::new();
    all_halt_at(&places, &places.rogue.certified_key(), "pin").await;
}

#[tokio::test]
async fn the_right_certificate_without_its_key_halts_every_device_and_receives_nothing() {
    let places = Places::new();
    all_halt_at(&places, &without_its_key(&places.edge, &places.rogue), "key").await;
}

#[tokio::test]
async fn the_right_pin_on_a_broken_chain_is_refused_and_receives_nothing() {
    let places = Places::new();
    for (platform, profile) in stacks() {
        let tasks = Tasks::new();
        let (address, catch) = listen(&tasks, places.edge.certified_key(), alpn::DEVICE).await;
        let mut target = places.target(&[address]);
        target.roots = Roots::from_der(std::slice::from_ref(places.rogue.leaf())).unwrap();
        let failure = device(platform, profile, target).connect().await.err().expect("no chain, no connection");
        assert!(matches!(failure, Failure::Tls { step: Step::Tls, .. }), "{failure}");
        catch.nothing_was_sent(profile.versions).await;
    }
}

/// A deployed device as a process of its own: it halts, says so, and stays halted over restarts until a person resets it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_forwarder_halts_and_does_not_come_back_by_itself() {
    let places = Places::new();
    let tasks = Tasks::new();
    let (address, catch) = listen(&tasks, places.rogue.certified_key(), alpn::DEVICE).await;
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str| folder.path().join(name).display().to_string();
    fs::write(file("roots.crt"), format!("{}{}", places.edge.chain_pem(), places.rogue.chain_pem())).unwrap();
    let secret = MassSecret::generate();
    relay_trust::write_secret_file(file("mass.secret").as_ref(), &secret.to_hex()).unwrap();
    let first: Vec<String> = [
        "connect",
        "--state",
        &file("state"),
        "--edge",
        &EdgeAddress::from(address).to_string(),
        "--server-name",
        "localhost",
        "--pin",
        &pin_of(places.edge.leaf()).to_string(),
        "--roots",
        &file("roots.crt"),
        "--master-pin",
        &pin_of(places.edge.leaf()).to_string(),
        "--mass-secret-file",
        &file("mass.secret"),
        "--user",
        "ana@example.com",
        "--node",
        NODE,
        "--listen",
        "127.0.0.1:0",
        "--service",
        "echo",
    ]
    .map(str::to_owned)
    .to_vec();
    let later: Vec<String> =
        ["connect", "--state", &file("state"), "--node", NODE, "--listen", "127.0.0.1:0", "--service", "echo"]
            .map(str::to_owned)
            .to_vec();
    for arguments in [first, later.clone(), later] {
        let output = tokio::task::spawn_blocking(move || process::run("client-sim", arguments)).await.unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(3), "{said}");
        assert!(said.contains("halted"), "{said}");
        assert_eq!(catch.connections(), 1, "one attempt, before the halt was known");
    }
    catch.nothing_was_sent(&[TlsVersion::Tls12, TlsVersion::Tls13]).await;
}

/// A device that asked for a tunnel through an edge that brings it to somebody else.
struct Detour {
    edge: CapturedEdge,
    site: Site,
    master: ControlEnd,
    secret: MassSecret,
    _tasks: Tasks,
}

impl Detour {
    async fn start() -> Self {
        let tasks = Tasks::new();
        let edge = CapturedEdge::start(&tasks).await;
        let nodes = vec![NODE, "node-b"];
        let site = Site::start(Options { edges: 0, others: vec![edge.as_other()], nodes, ..Options::default() }).await;
        let secret = site.secret(100).await;
        let master = edge.master().await;
        Self { edge, site, master, secret, _tasks: tasks }
    }

    fn device(&self, platform: Platform, profile: &'static TlsProfile) -> Device {
        device(platform, profile, site::target(&[self.edge.address], &[self.edge.identity.leaf().clone()]))
    }

    async fn enrolled(&mut self, device: Device) -> (Device, client_sim::device::Link, DeviceEnd) {
        let pins = self.site.master_pins();
        let captor = async {
            let mut end = self.edge.device().await;
            let registered = self.edge.pass(&mut end, &mut self.master).await.unwrap();
            let tunnel = self.edge.tunnel().await;
            self.edge.join(tunnel, &registered.grant()).await;
            self.edge.pass(&mut end, &mut self.master).await.unwrap();
            end
        };
        let ((device, link), end) = tokio::join!(site::enrolled(device, &self.secret, &pins), captor);
        (device, link, end)
    }
}

/// The next tunnel ends at this server instead of the backend.
async fn swallow(edge: &CapturedEdge, config: ServerConfig) -> Arc<Catch> {
    let tunnel = edge.tunnel().await;
    let catch = Arc::new(Catch::default());
    take(tunnel.stream, tunnel.recorded, config, Arc::clone(&catch)).await;
    catch
}

#[tokio::test]
async fn another_node_in_the_tunnel_receives_nothing() {
    let mut detour = Detour::start().await;
    let right = detour.site.node().observer.identity().certified_key();
    let other = detour.site.backends["node-b"].observer.identity();
    let own = identity("captor");
    let keys = [
        ("a certificate of the captor's", own.certified_key()),
        ("a captured node's certificate and key", other.certified_key()),
        ("the right certificate with another key", without_its_key(detour.site.node().observer.identity(), &own)),
    ];
    for (index, profile) in ["windows-11", "wp-8.1"].into_iter().enumerate() {
        let profile = TlsProfile::by_name(profile).unwrap();
        let platform = [Platform::Windows, Platform::WindowsPhone][index];
        let device = detour.device(platform, profile);
        let (device, mut link, mut end) = detour.enrolled(device).await;
        for (what, key) in &keys {
            let tunnel = async {
                let granted = site::ask(&device, &mut link, TransferKind::Backup, NODE).await.unwrap();
                device.open(granted, &service("sink")).await.err()
            };
            let captor = async {
                detour.edge.pass(&mut end, &mut detour.master).await.unwrap();
                swallow(&detour.edge, server_config(Arc::clone(key), Some(alpn::TUNNEL))).await
            };
            let (failure, catch) = tokio::join!(tunnel, captor);
            let failure = failure.expect("the node is somebody else");
            assert!(!matches!(failure, Failure::Service { .. }), "{what}: {failure}");
            if !what.contains("another key") {
                assert!(matches!(failure, Failure::WrongBackend(_)), "{what}: {failure}");
            }
            catch.nothing_was_sent(profile.versions).await;
        }
    }
    // The same detour to the right key gets further: it was the key that decided.
    let profile = TlsProfile::by_name("linux").unwrap();
    let device = detour.device(Platform::Linux, profile);
    let (device, mut link, mut end) = detour.enrolled(device).await;
    let tunnel = async {
        let granted = site::ask(&device, &mut link, TransferKind::Backup, NODE).await.unwrap();
        soon(device.open(granted, &service("sink"))).await.err()
    };
    let captor = async {
        detour.edge.pass(&mut end, &mut detour.master).await.unwrap();
        swallow(&detour.edge, server_config(right, Some(alpn::TUNNEL))).await
    };
    let (_, catch) = tokio::join!(tunnel, captor);
    assert_eq!(catch.handshakes(), 1);
}

#[tokio::test]
async fn another_master_in_the_enrol_tunnel_halts_the_device_and_receives_nothing() {
    let mut detour = Detour::start().await;
    for (platform, profile) in stacks() {
        let mut device = detour.device(platform, profile);
        let pins = detour.site.master_pins();
        let (mut link, _) = device.connect().await.unwrap();
        let mut end = detour.edge.device().await;
        let captor = async {
            detour.edge.pass(&mut end, &mut detour.master).await.unwrap();
            let config = server_config(&*detour.edge.identity, Some(alpn::TUNNEL));
            swallow(&detour.edge, config).await
        };
        let (enrolled, catch) = tokio::join!(device.enrol(&mut link, &detour.secret, &pins), captor);
        let failure = enrolled.expect_err("the master is somebody else");
        assert!(failure.halts(), "{platform}: {failure}");
        catch.nothing_was_sent(profile.versions).await;
    }
    assert_eq!(detour.site.master().observer.status().registry.unwrap().devices, 0);
}

#[tokio::test]
async fn a_backend_with_a_pin_says_nothing_to_an_edge_with_another() {
    let log = Log::capture();
    let tasks = Tasks::new();
    // It even has the shared keys.
    let rogue = CapturedEdge::start(&tasks).await;
    let pin = Some(pin_of(identity("localhost").leaf()));
    let other = Other { pin, ..rogue.as_other() };
    let site = Site::start(Options { edges: 0, others: vec![other], wait: false, ..Options::default() }).await;
    for backend in [site.master(), site.node()] {
        metric_reaches(backend.admin, "sallyport_backend_control_connection_ends_total", &["tls"], 1).await;
        assert_eq!(metric(backend.admin, "sallyport_backend_edge_connected", &[]).await, 0);
        assert_eq!(metric(backend.admin, "sallyport_backend_data_connection_dials_total", &[]).await, 0);
    }
    assert!(rogue.held().is_empty(), "no TLS, no byte");
    assert!(log.count(&["not connected to the edge", "how=\"tls\""]) >= 2);
}

#[tokio::test]
async fn a_backend_without_a_pin_believes_no_edge_without_its_key() {
    let log = Log::capture();
    let tasks = Tasks::new();
    let rogue = CapturedEdge::start(&tasks).await;
    let other = Other { address: rogue.address, pin: None, captor: None };
    let site = Site::start(Options { edges: 0, others: vec![other], wait: false, ..Options::default() }).await;
    for backend in [site.master(), site.node()] {
        metric_reaches(backend.admin, "sallyport_backend_control_connection_ends_total", &["edge-not-proved"], 1).await;
        assert_eq!(metric(backend.admin, "sallyport_backend_edge_connected", &[]).await, 0);
        assert_eq!(metric(backend.admin, "sallyport_backend_data_connection_dials_total", &[]).await, 0);
    }
    // The master answers no question of it: the connection is over.
    let mut master = rogue.master().await;
    assert!(master.next().await.is_none());
    assert!(log.count(&["not connected to the edge", "how=\"edge-not-proved\""]) >= 2);
}

/// A captured node has its own key: it cannot be another backend.
#[tokio::test]
async fn a_captured_node_is_no_other_backend() {
    let log = Log::capture();
    let site = Site::start(Options { nodes: vec![NODE, "node-b"], ..Options::default() }).await;
    let mut config = relay_backend::Config::load(&site.backends["node-b"].config).unwrap();
    config.name = site::name(NODE);
    config.admin = None;
    config.edges[0].address = site.edge().address.to_string().parse().unwrap();
    let tasks = Tasks::new();
    let pretender = relay_backend::Backend::start(config).unwrap();
    tasks.spawn("captured node", pretender.run(relay_runtime::drain::Drain::new()));
    let edge = site.edge().admin;
    metric_reaches(edge, "sallyport_edge_backend_refusals_total", &["control-not-proved"], 1).await;
    assert!(log.count(&["WARN", "backend refused", "control-not-proved", NODE]) >= 1);
    // The true node kept its place.
    let (device, mut link) = site.enrolled(Platform::Linux, 0).await;
    site::back_up(&device, &mut link, NODE, 1, 10_000).await.unwrap();
}
