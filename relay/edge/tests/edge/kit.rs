//! An edge on loopback, and hand-made peers for it: every frame they send and read is written out here.

use std::{net::SocketAddr, path::PathBuf, sync::Arc, time::Duration};

use relay_edge::{
    Config, Edge, keystore,
    setup::{self, Init},
};
use relay_runtime::{
    drain::Drain,
    handover::{RecordIo, hand_over},
    tasks::Tasks,
};
use relay_trust::{
    ExpectedKey, Identity, PinSet, SharedKey, TlsProfile, client_config, fingerprints, pinned_verifier,
    shared_key_verifier, tunnel_server_config,
};
use relay_wire::{
    Operation, Platform, Proof, Request, Validator,
    frame::{
        control::{ControlFrame, Hello, Verdict},
        data::DataFrame,
        opening::Header,
        reply::{Offer, Reply},
    },
    grant::SignedGrant,
    ids::{BackendName, Exporter, Generation, Nonce, RequestId, Role, Token},
    proof::{self, Speaker, alpn, exporter_label},
    request::TransferKind,
};
use rustls::pki_types::ServerName;
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};
use tokio_rustls::{TlsAcceptor, TlsConnector, client::TlsStream, server};

/// Longer than anything here takes; a test that waits for it has failed.
const PATIENCE: Duration = Duration::from_secs(20);
/// A good request of a Linux device.
const LINUX: &[u8] = include_bytes!("../../../wire/vectors/linux/V1.ok");

pub const MASTER: &str = "hq";
pub const NODE: &str = "vault";

/// Waits for what must happen soon.
pub async fn soon<T>(future: impl Future<Output = T>) -> T {
    timeout(PATIENCE, future).await.expect("it takes too long")
}

pub fn name(text: &str) -> BackendName {
    BackendName::new(text).unwrap()
}

/// An edge that runs, with keys for a master and a node.
pub struct TestEdge {
    pub address: SocketAddr,
    pub admin: SocketAddr,
    pub drain: Drain,
    pub pins: PinSet,
    pub config: PathBuf,
    pub keys: PathBuf,
    pub master_key: SharedKey,
    pub node_key: SharedKey,
    tasks: Tasks,
    _folder: tempfile::TempDir,
}

impl TestEdge {
    pub fn start() -> Self {
        Self::start_with(|_| {})
    }

    pub fn start_with(change: impl FnOnce(&mut Config)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let listen = Some(SocketAddr::from(([127, 0, 0, 1], 0)));
        let made = setup::init(&Init { folder: folder.path().join("edge"), listen, names: Vec::new() }).unwrap();
        let [master_key, node_key] = [(MASTER, Role::Master), (NODE, Role::StorageNode)].map(|(text, role)| {
            let key = SharedKey::generate();
            let same = SharedKey::from_hex(&key.to_hex()).unwrap_or_else(|error| panic!("{error}"));
            keystore::add(&made.keys, &name(text), role, same).unwrap();
            key
        });
        let mut config = Config::load(&made.config).unwrap();
        config.admin = Some(SocketAddr::from(([127, 0, 0, 1], 0)));
        change(&mut config);
        let edge = Edge::bind(config).unwrap();
        let (address, admin) = (edge.local_addr(), edge.admin_addr().unwrap());
        let drain = Drain::new();
        let tasks = Tasks::new();
        tasks.spawn("edge", edge.run(drain.clone()));
        Self {
            address,
            admin,
            drain,
            pins: made.pins.leaf.parse().unwrap(),
            config: made.config,
            keys: made.keys,
            master_key,
            node_key,
            tasks,
            _folder: folder,
        }
    }

    /// Waits until `run` has returned.
    pub async fn ended(&self) {
        soon(self.tasks.idle()).await;
    }

    pub async fn tcp(&self) -> TcpStream {
        TcpStream::connect(self.address).await.unwrap()
    }

    /// Status line and body of an answer of the admin address.
    pub async fn admin(&self, path: &str) -> (String, String) {
        let mut stream = TcpStream::connect(self.admin).await.unwrap();
        let request = format!("GET {path} HTTP/1.1\r\nhost: edge\r\nconnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut text = String::new();
        soon(stream.read_to_string(&mut text)).await.unwrap();
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        (head.lines().next().unwrap().to_owned(), body.to_owned())
    }

    pub async fn status(&self) -> serde_json::Value {
        serde_json::from_str(&self.admin("/status").await.1).unwrap()
    }

    /// The value of a metric's series, 0 if there is none.
    pub async fn metric(&self, series: &str) -> u64 {
        let (_, text) = self.admin("/metrics").await;
        let value = text.lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' ')?.parse().ok());
        value.unwrap_or(0)
    }

    /// Asks again and again until the metric has this value.
    pub async fn metric_becomes(&self, series: &str, value: u64) {
        soon(async {
            while self.metric(series).await != value {
                tokio::task::yield_now().await;
            }
        })
        .await;
    }

    pub async fn master(&self, generation: u64) -> Option<Control> {
        Control::login(self, MASTER, Role::Master, &self.master_key, generation).await
    }

    pub async fn node(&self, generation: u64) -> Option<Control> {
        Control::login(self, NODE, Role::StorageNode, &self.node_key, generation).await
    }

    /// A data connection of the node, parked.
    pub async fn park(&self, generation: u64) -> Option<Data> {
        Data::park(self, NODE, Role::StorageNode, &self.node_key, generation).await
    }
}

async fn tls<IO: AsyncRead + AsyncWrite + Unpin>(edge: &TestEdge, io: IO, alpn: &[u8], pinned: bool) -> TlsStream<IO> {
    let verifier = if pinned { pinned_verifier(edge.pins.clone()) } else { shared_key_verifier() };
    let config = client_config(&TlsProfile::ALL[0], verifier, None, alpn).unwrap();
    let name = ServerName::try_from("edge.test").unwrap();
    soon(TlsConnector::from(Arc::new(config)).connect(name, io)).await.unwrap()
}

fn exporter<IO>(stream: &TlsStream<IO>, label: &[u8]) -> Exporter {
    Exporter(stream.get_ref().1.export_keying_material([0; 32], label, None).unwrap())
}

/// A frame of whatever kind: `decode` says when one is whole. `None`: the edge has ended the connection.
async fn read_frame<IO: AsyncRead + Unpin, F, E: std::fmt::Debug>(
    io: &mut IO,
    buffer: &mut Vec<u8>,
    decode: impl Fn(&[u8]) -> Result<Option<(F, usize)>, E>,
) -> Option<F> {
    loop {
        if let Some((frame, taken)) = decode(buffer).unwrap() {
            buffer.drain(..taken);
            return Some(frame);
        }
        let mut part = [0; 2048];
        match soon(io.read(&mut part)).await {
            Ok(0) | Err(_) => return None,
            Ok(read) => buffer.extend_from_slice(&part[..read]),
        }
    }
}

/// A backend's control connection.
pub struct Control {
    tls: TlsStream<TcpStream>,
    buffer: Vec<u8>,
}

impl Control {
    pub async fn login(edge: &TestEdge, who: &str, role: Role, key: &SharedKey, generation: u64) -> Option<Self> {
        let tls = tls(edge, edge.tcp().await, alpn::CONTROL, false).await;
        let exporter = exporter(&tls, exporter_label::CONTROL);
        let (who, generation) = (name(who), Generation(generation));
        let message = |speaker| proof::backhaul(speaker, &exporter, role, &who, generation);
        let proof = key.mac(&message(Speaker::ControlBackend));
        let mut control = Self { tls, buffer: Vec::new() };
        control.send(&ControlFrame::Hello(Hello { role, name: who.clone(), generation, proof })).await;
        match control.next().await? {
            ControlFrame::Welcome(welcome) => {
                assert!(key.verify(&message(Speaker::ControlEdge), &welcome.proof));
                Some(control)
            }
            other => panic!("{other:?} instead of a welcome"),
        }
    }

    pub async fn send(&mut self, frame: &ControlFrame) {
        soon(self.tls.write_all(&frame.encode())).await.unwrap();
        soon(self.tls.flush()).await.unwrap();
    }

    /// The next frame but heartbeats.
    pub async fn next(&mut self) -> Option<ControlFrame> {
        loop {
            match read_frame(&mut self.tls, &mut self.buffer, ControlFrame::decode).await? {
                ControlFrame::Ping => self.send(&ControlFrame::Pong).await,
                ControlFrame::Pong => {}
                frame => return Some(frame),
            }
        }
    }

    /// The next question: its number and its operation.
    pub async fn asked(&mut self) -> (RequestId, Request) {
        match self.next().await {
            Some(ControlFrame::Ask { id, request, .. }) => {
                (id, Validator::default().check_canonical(&request).unwrap().into_inner())
            }
            other => panic!("{other:?} instead of a question"),
        }
    }

    /// Answers the next question.
    pub async fn answer(&mut self, verdict: Verdict) -> Request {
        let (id, request) = self.asked().await;
        self.send(&ControlFrame::Answer { id, verdict }).await;
        request
    }
}

pub fn grant(number: u8) -> SignedGrant {
    SignedGrant { grant: vec![number; 200], signature: [number; 64] }
}

/// A data connection that is parked.
pub struct Data {
    tls: TlsStream<RecordIo<TcpStream>>,
    buffer: Vec<u8>,
}

impl Data {
    pub async fn park(edge: &TestEdge, who: &str, role: Role, key: &SharedKey, generation: u64) -> Option<Self> {
        let mut tls = tls(edge, RecordIo::new(edge.tcp().await), alpn::DATA, false).await;
        let exporter = exporter(&tls, exporter_label::DATA);
        let (name, generation) = (name(who), Generation(generation));
        let message = |speaker| proof::backhaul(speaker, &exporter, role, &name, generation);
        let proof = key.mac(&message(Speaker::DataBackend));
        let hello = DataFrame::Hello { role, name: name.clone(), generation, proof };
        soon(tls.write_all(&hello.encode())).await.unwrap();
        soon(tls.flush()).await.unwrap();
        // The assignment may come right behind.
        let mut buffer = Vec::new();
        match read_frame(&mut tls, &mut buffer, DataFrame::decode).await? {
            DataFrame::Parked { proof } => {
                assert!(key.verify(&message(Speaker::DataEdge), &proof));
                Some(Self { tls, buffer })
            }
            other => panic!("{other:?} instead of parked"),
        }
    }

    /// Waits for `Assign`; the grant, and what follows is close_notify. `None`: the edge has ended the connection.
    pub async fn assigned(&mut self) -> Option<SignedGrant> {
        match read_frame(&mut self.tls, &mut self.buffer, DataFrame::decode).await? {
            DataFrame::Assign { grant, remote } => {
                assert_eq!(remote.address[10..], [0xff, 0xff, 127, 0, 0, 1]);
                Some(grant)
            }
            other => panic!("{other:?} instead of an assignment"),
        }
    }

    /// Hands over and lets the device in.
    pub async fn let_in(self, identity: &Identity) -> server::TlsStream<TcpStream> {
        let raw = soon(hand_over(self.tls)).await.unwrap();
        let config = tunnel_server_config(identity, ExpectedKey::AnyP256);
        soon(TlsAcceptor::from(Arc::new(config)).accept(raw)).await.unwrap()
    }
}

/// What a device asks for.
#[derive(Clone, Copy)]
pub enum Ask {
    Register,
    Auth,
    Ping,
    Backup,
}

/// A device's persistent connection.
pub struct Device {
    tls: TlsStream<TcpStream>,
    buffer: Vec<u8>,
    requests: u8,
}

impl Device {
    pub async fn connect(edge: &TestEdge) -> Self {
        let tls = tls(edge, edge.tcp().await, alpn::DEVICE, true).await;
        Self { tls, buffer: Vec::new(), requests: 0 }
    }

    fn body(&mut self, ask: Ask) -> Vec<u8> {
        let mut request = Validator::default().check(Platform::Linux, LINUX).unwrap().into_inner();
        self.requests += 1;
        request.content.nonce = Nonce::new([self.requests; 16]).unwrap();
        request.content.operation = match ask {
            Ask::Register => {
                request.proof = Proof::Mass([1; 32]);
                Operation::Register { user: "ops@example.com".to_owned() }
            }
            Ask::Auth => Operation::Auth,
            Ask::Ping => Operation::Ping,
            Ask::Backup => {
                Operation::Transfer { kind: TransferKind::Backup, node: name(NODE), paths: vec![b"/home".to_vec()] }
            }
        };
        request.to_body()
    }

    pub async fn send(&mut self, ask: Ask) {
        let body = self.body(ask);
        self.send_body(&body).await;
    }

    pub async fn send_body(&mut self, body: &[u8]) {
        let mut frame = Header::encode(Platform::Linux, u32::try_from(body.len()).unwrap()).to_vec();
        frame.extend_from_slice(body);
        soon(self.tls.write_all(&frame)).await.unwrap();
        soon(self.tls.flush()).await.unwrap();
    }

    /// The next reply; `None`: the edge has ended the connection.
    pub async fn reply(&mut self) -> Option<Reply> {
        read_frame(&mut self.tls, &mut self.buffer, Reply::decode).await
    }

    /// Authenticates with the help of the master.
    pub async fn authenticate(&mut self, master: &mut Control) {
        self.send(Ask::Auth).await;
        master.answer(Verdict::Accepted).await;
        assert!(matches!(self.reply().await, Some(Reply::Accepted)));
    }

    /// Asks for a tunnel that the master grants.
    pub async fn offer(&mut self, master: &mut Control, number: u8) -> Offer {
        self.send(Ask::Backup).await;
        master.answer(Verdict::Granted(grant(number))).await;
        match self.reply().await {
            Some(Reply::Tunnel(offer)) => offer,
            _ => panic!("no tunnel was offered"),
        }
    }
}

/// The device's end of a tunnel: TLS with the node, through the edge.
pub async fn open_tunnel(edge: &TestEdge, token: Token, node: &Identity) -> std::io::Result<TlsStream<TcpStream>> {
    open_tunnel_to(edge, &token.server_name(), node).await
}

pub async fn open_tunnel_to(
    edge: &TestEdge,
    server_name: &str,
    node: &Identity,
) -> std::io::Result<TlsStream<TcpStream>> {
    let leaf = fingerprints(node.leaf()).unwrap();
    let pin = relay_trust::Pin::new(relay_trust::PinKind::Leaf, leaf.leaf);
    let verifier = pinned_verifier(PinSet::new(vec![pin]).unwrap());
    let device = Identity::device("device").unwrap();
    let config = client_config(&TlsProfile::ALL[0], verifier, Some(&device), alpn::TUNNEL).unwrap();
    let name = ServerName::try_from(server_name.to_owned()).unwrap();
    soon(TlsConnector::from(Arc::new(config)).connect(name, edge.tcp().await)).await
}
