//! The hand-made edge, and a device that speaks TLS over the data connections which it hands over.

use std::{io, net::SocketAddr, path::PathBuf, sync::Arc, time::Duration};

use relay_backend::{Backend, Config, InitOptions, InitReport, Observer, init};
use relay_runtime::{
    clock::Clock,
    drain::Drain,
    driver::{Owner, drive},
    handover::{RecordIo, hand_over_with},
    listen::peek_hello,
    mailbox::{Sender, mailbox},
    tasks::Tasks,
};
use relay_trust::{
    DeviceKey, Identity, Pin, PinSet, SharedKey, TlsProfile, client_config, pinned_verifier, server_config,
};
use relay_wire::{
    builtin,
    frame::{control::Welcome, data::Remote},
    grant::{self, Grant, NodePin, ServiceScope, SignedGrant},
    ids::{BackendName, DeviceId, Exporter, RequestId, Role, ServiceName},
    proof::{self, Speaker, alpn, exporter_label},
    request::{OperationName, Platform},
    session::{
        control::{EdgeCommand as Control, EdgeEvent as ControlEvent, EdgeSide as ControlSide},
        data::{DataClose, EdgeCommand as Data, EdgeEvent as DataEvent, EdgeSide as DataSide},
    },
    time::WallTime,
};
use rustls::pki_types::ServerName;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::{mpsc, oneshot},
    time::timeout,
};
use tokio_rustls::{TlsConnector, client::TlsStream as DeviceTls, server::TlsStream};

/// No wait of a test is longer.
pub const PATIENCE: Duration = Duration::from_secs(20);
/// What the edge tells backends about spares.
pub const SPARES_MAX: u16 = 8;

pub async fn soon<T>(what: &str, future: impl Future<Output = T>) -> T {
    timeout(PATIENCE, future).await.unwrap_or_else(|_| panic!("{what} took too long"))
}

/// A connection of the backend that has proved itself.
pub enum Arrival {
    Control(ControlLink),
    Data(ParkedLink),
}

/// A control connection, served in a task.
pub struct ControlLink {
    pub role: Role,
    pub commands: Sender<Control>,
    pub events: mpsc::UnboundedReceiver<ControlEvent>,
}

impl ControlLink {
    pub async fn event(&mut self) -> ControlEvent {
        soon("an event of the control connection", self.events.recv()).await.expect("the control connection stands")
    }

    pub async fn ended(&mut self) {
        soon("the end of the control connection", async { while self.events.recv().await.is_some() {} }).await;
    }

    /// Asks the master and waits for its answer.
    pub async fn ask(
        &mut self,
        number: u64,
        exporter: Exporter,
        request: Vec<u8>,
    ) -> relay_wire::frame::control::Verdict {
        let id = RequestId(number);
        self.commands.try_send(Control::Ask { id, exporter, request }).unwrap();
        loop {
            if let ControlEvent::Answer { id: answered, verdict } = self.event().await {
                assert_eq!(answered, id);
                return verdict;
            }
        }
    }
}

type DataTls = TlsStream<RecordIo<TcpStream>>;

/// A parked data connection, driven in a task until it is assigned or closed; dropping this closes it.
pub struct ParkedLink {
    commands: Sender<Data>,
    closed: Option<oneshot::Receiver<(io::Result<DataClose>, DataTls)>>,
}

impl ParkedLink {
    async fn closed(&mut self) -> (io::Result<DataClose>, DataTls) {
        let closed = self.closed.take().expect("waited for once");
        soon("the end of the data session", closed).await.unwrap()
    }

    /// Assigns it and does the edge's half of the hand-over; the error if the backend does not do its own.
    pub async fn assign(mut self, grant: SignedGrant) -> io::Result<TcpStream> {
        let address = "203.0.113.7".parse::<std::net::Ipv4Addr>().unwrap().to_ipv6_mapped().octets();
        self.commands.try_send(Data::Assign { grant, remote: Remote { address, port: 4_711 } }).unwrap();
        let (close, tls) = self.closed().await;
        assert_eq!(close?, DataClose::HandOver);
        hand_over_with(tls, &[]).await
    }

    /// Waits until the backend has closed it.
    pub async fn closed_by_backend(mut self) {
        assert!(matches!(self.closed().await.0, Ok(DataClose::Finished)));
    }
}

impl Drop for ParkedLink {
    fn drop(&mut self) {
        let _ = self.commands.try_send(Data::Close);
    }
}

/// What proves a connection, on the edge's side: answers `Prove` and reports the rest.
struct Prover {
    key: Arc<SharedKey>,
    exporter: Exporter,
    honest: bool,
    events: mpsc::UnboundedSender<ControlEvent>,
    proved: Option<mpsc::UnboundedSender<Role>>,
}

impl Owner<ControlSide> for Prover {
    fn on_event(&mut self, event: ControlEvent, commands: &mut Vec<Control>) {
        match event {
            ControlEvent::Prove(hello) => {
                let message =
                    |speaker| proof::backhaul(speaker, &self.exporter, hello.role, &hello.name, hello.generation);
                if !self.key.verify(&message(Speaker::ControlBackend), &hello.proof) {
                    commands.push(Control::Reject);
                    return;
                }
                let mut proof = self.key.mac(&message(Speaker::ControlEdge));
                if !self.honest {
                    proof[0] ^= 1;
                }
                commands.push(Control::Welcome(Welcome { proof, spares_max: SPARES_MAX }));
                if let Some(proved) = self.proved.take() {
                    let _ = proved.send(hello.role);
                }
            }
            other @ (ControlEvent::Answer { .. } | ControlEvent::Revoke(_) | ControlEvent::Leaving) => {
                let _ = self.events.send(other);
            }
        }
    }
}

/// The edge: a listener, an identity, and one shared key for everybody.
pub struct HandMadeEdge {
    listener: TcpListener,
    identity: Identity,
    key: Arc<SharedKey>,
    /// Whether it proves that it knows the shared key.
    pub honest: bool,
    pub tasks: Tasks,
}

impl HandMadeEdge {
    pub async fn bind() -> Self {
        Self {
            listener: TcpListener::bind("127.0.0.1:0").await.unwrap(),
            identity: Identity::self_signed(&["localhost".to_owned()], 30).unwrap(),
            key: Arc::new(SharedKey::generate()),
            honest: true,
            tasks: Tasks::new(),
        }
    }

    pub fn address(&self) -> SocketAddr {
        self.listener.local_addr().unwrap()
    }

    pub fn pin(&self) -> Pin {
        Pin::new(relay_trust::PinKind::Spki, self.identity.fingerprints().spki)
    }

    /// The next connection that proves itself.
    pub async fn next(&self) -> Arrival {
        soon("a connection of the backend", self.accept()).await
    }

    /// The next connection, which must be a control connection.
    pub async fn control(&self) -> ControlLink {
        loop {
            if let Arrival::Control(control) = self.next().await {
                return control;
            }
        }
    }

    /// The next connection, which must be a data connection.
    pub async fn data(&self) -> ParkedLink {
        match self.next().await {
            Arrival::Data(data) => data,
            Arrival::Control(_) => panic!("a data connection was expected"),
        }
    }

    async fn accept(&self) -> Arrival {
        loop {
            let (stream, _) = self.listener.accept().await.unwrap();
            let Ok(hello) = peek_hello(stream, tokio::time::Instant::now() + PATIENCE).await else { continue };
            let is_control = hello.alpn().any(|protocol| protocol == alpn::CONTROL);
            let (protocol, label) =
                if is_control { (alpn::CONTROL, exporter_label::CONTROL) } else { (alpn::DATA, exporter_label::DATA) };
            let config = Arc::new(server_config(&self.identity, Some(protocol)));
            let Ok(tls) = hello.into_tls(config).await else { continue };
            let exporter = Exporter(tls.get_ref().1.export_keying_material([0; 32], label, None).unwrap());
            let arrived = if is_control { self.welcome(tls, exporter).await } else { self.park(tls, exporter).await };
            if let Some(arrived) = arrived {
                return arrived;
            }
        }
    }

    async fn welcome(&self, mut tls: TlsStream<RecordIo<TcpStream>>, exporter: Exporter) -> Option<Arrival> {
        let (commands, mut mailbox) = mailbox(64);
        let (send, events) = mpsc::unbounded_channel();
        let (proved, mut proofs) = mpsc::unbounded_channel();
        let mut owner =
            Prover { key: Arc::clone(&self.key), exporter, honest: self.honest, events: send, proved: Some(proved) };
        self.tasks.spawn("control connection", async move {
            let clock = Clock::system();
            let mut session = ControlSide::new(clock.now());
            let _ = drive(&mut tls, &mut session, &mut mailbox, &mut owner, &clock).await;
        });
        let role = proofs.recv().await?;
        Some(Arrival::Control(ControlLink { role, commands, events }))
    }

    async fn park(&self, mut tls: DataTls, exporter: Exporter) -> Option<Arrival> {
        let (commands, mut mailbox) = mailbox(64);
        let (parked, mut parks) = mpsc::unbounded_channel();
        let (ended, closed) = oneshot::channel();
        let key = Arc::clone(&self.key);
        self.tasks.spawn("data connection", async move {
            let clock = Clock::system();
            let mut session = DataSide::new(clock.now());
            let mut owner = move |event: DataEvent, commands: &mut Vec<Data>| {
                let DataEvent::Prove { role, name, generation, proof } = event;
                let message = |speaker| proof::backhaul(speaker, &exporter, role, &name, generation);
                assert!(key.verify(&message(Speaker::DataBackend), &proof), "the backend proves the shared key");
                commands.push(Data::Park { proof: key.mac(&message(Speaker::DataEdge)) });
                let _ = parked.send(());
            };
            let close = drive(&mut tls, &mut session, &mut mailbox, &mut owner, &clock).await;
            let _ = ended.send((close, tls));
        });
        parks.recv().await?;
        Some(Arrival::Data(ParkedLink { commands, closed: Some(closed) }))
    }
}

/// A backend that runs until this is dropped.
pub struct Running {
    pub observer: Observer,
    pub report: InitReport,
    pub admin: SocketAddr,
    pub drain: Drain,
    pub tasks: Tasks,
    /// Its files, for as long as it runs.
    _folder: tempfile::TempDir,
}

/// A master or a node in a folder of its own, running.
pub fn start(
    edge: &HandMadeEdge,
    role: Role,
    master: Option<&Running>,
    change: impl FnOnce(String) -> String,
) -> Running {
    let folder = tempfile::tempdir().unwrap();
    let options = InitOptions {
        role,
        name: BackendName::new(if role == Role::Master { "hq" } else { "node-1" }).unwrap(),
        dir: folder.path().join("backend"),
        edge: edge.address().into(),
        edge_pin: Some(edge.pin()),
        master_certificate: master.map(|master| master.report.certificate.clone()),
        registry: None,
        services: Vec::new(),
    };
    let report = init(&options).unwrap();
    let key = edge.key.to_hex();
    std::fs::write(&report.shared_key, key.as_bytes()).unwrap();
    let text = std::fs::read_to_string(&report.config).unwrap();
    let text = text.replace("[pool]\n", "[pool]\nmin = 2\nmax = 4\n").replacen("# admin = ", "admin = ", 1);
    let port = text.find("127.0.0.1:960").unwrap();
    let text = change(format!("{}127.0.0.1:0{}", &text[..port], &text[port + "127.0.0.1:9601".len()..]));
    std::fs::write(&report.config, text).unwrap();
    let backend = Backend::start(Config::load(&report.config).unwrap()).unwrap();
    let (observer, admin) = (backend.observer(), backend.admin_addr().unwrap());
    let drain = Drain::new();
    let tasks = Tasks::new();
    tasks.spawn("backend", backend.run(drain.clone()));
    Running { observer, report, admin, drain, tasks, _folder: folder }
}

impl Running {
    /// The value of a counter or gauge; 0 if it was never touched.
    pub async fn metric(&self, line: &str) -> u64 {
        let mut stream = TcpStream::connect(self.admin).await.unwrap();
        stream.write_all(b"GET /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").await.unwrap();
        let mut text = String::new();
        stream.read_to_string(&mut text).await.unwrap();
        let name = format!("sallyport_backend_{line} ");
        text.lines().find_map(|line| line.strip_prefix(&name)?.trim().parse().ok()).unwrap_or(0)
    }

    /// Waits until a metric has this value.
    pub async fn reaches(&self, line: &str, value: u64) {
        soon(line, async {
            while self.metric(line).await != value {
                tokio::task::yield_now().await;
            }
        })
        .await;
    }

    pub fn registry_path(&self) -> PathBuf {
        self.report.registry.clone().unwrap()
    }
}

/// A device with its key.
pub struct Device {
    pub id: DeviceId,
    pub key: DeviceKey,
}

impl Device {
    pub fn new() -> Self {
        let id = DeviceId::new(Platform::Linux, "9d1f6e02b7c84a35b2e07d5c41f98a06".to_owned());
        Self { id, key: DeviceKey::generate() }
    }

    /// The device's TLS in a tunnel; `Err` if the backend does not let it in.
    pub async fn open(&self, tcp: TcpStream, backend: &Running) -> io::Result<Tunnel> {
        let pins = PinSet::new(vec![backend.report.pin.parse().unwrap()]).unwrap();
        let identity = Identity::from_device_key(&self.key).unwrap();
        let profile = TlsProfile::default_for("linux").unwrap();
        let config = client_config(profile, pinned_verifier(pins), Some(&identity), alpn::TUNNEL).unwrap();
        let name = ServerName::try_from("00112233445566778899aabbccddeeff.tunnel.sallyport").unwrap();
        soon("the tunnel's TLS", TlsConnector::from(Arc::new(config)).connect(name, tcp)).await
    }
}

pub type Tunnel = DeviceTls<TcpStream>;

/// Names a service and reads the status.
pub async fn ask_for(tunnel: &mut Tunnel, service: &str) -> io::Result<builtin::Status> {
    tunnel.write_all(&builtin::preface(&ServiceName::new(service).unwrap())).await?;
    tunnel.flush().await?;
    let status = soon("the status byte", tunnel.read_u8()).await?;
    Ok(builtin::Status::from_number(status).expect("a status"))
}

/// A grant that lets `device` do anything at `node-1` for a minute.
pub fn grant_for(device: &Device, id: u8) -> Grant {
    Grant {
        id: [id; 16],
        device_id: device.id.clone(),
        device_key: grant::DeviceKey::Spki(relay_trust::sha256(&device.key.spki())),
        user: "ana@example.com".to_owned(),
        operation: OperationName::Backup,
        services: ServiceScope::Any,
        node: BackendName::new("node-1").unwrap(),
        node_pin: NodePin { kind: grant::PinKind::Spki, digest: [0; 32] },
        expires_at: Clock::system().wall().plus(Duration::from_secs(60)),
    }
}

/// Signs it with the master's own key.
pub fn sign(grant: &Grant, master: &Running) -> SignedGrant {
    let encoded = grant.encode().unwrap();
    let signature = master.observer.identity().sign(&proof::grant(&encoded)).unwrap();
    SignedGrant { grant: encoded, signature }
}

pub fn now() -> WallTime {
    Clock::system().wall()
}
