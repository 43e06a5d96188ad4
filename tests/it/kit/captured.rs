//! A captured edge: hand-made from frames, with the certificate, its key and the backends' shared keys that its captor found. It
//! keeps every byte that it ever sees in clear, and does what the test tells it.

use std::{
    collections::{BTreeMap, VecDeque},
    net::SocketAddr,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use relay_runtime::{
    handover::{RecordIo, hand_over_with},
    listen::peek_hello,
    tasks::{Spawner, Tasks},
};
use relay_trust::{Identity, SharedKey, server_config};
use relay_wire::{
    Platform, Request, Validator, canonical,
    frame::{
        control::{ControlFrame, Verdict, Welcome},
        data::{DataFrame, Remote},
        opening::Header,
        reply::{Offer, Reply},
    },
    grant::{Grant, SignedGrant},
    ids::{Exporter, RequestId, Token},
    limits,
    proof::{self, Speaker, alpn, exporter_label},
};
use rustls::ServerConnection;
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadHalf, WriteHalf, split},
    net::{TcpListener, TcpStream},
    sync::Notify,
    time::Instant,
};
use tokio_rustls::server::TlsStream;

use super::{site::Other, soon};

type EdgeTls = TlsStream<RecordIo<TcpStream>>;

/// The captor's edge.
#[derive(Clone)]
pub struct CapturedEdge {
    pub address: SocketAddr,
    pub identity: Arc<Identity>,
    inner: Arc<Inner>,
}

struct Inner {
    keys: Mutex<BTreeMap<String, SharedKey>>,
    held: Mutex<Vec<u8>>,
    devices: Queue<DeviceEnd>,
    masters: Queue<ControlEnd>,
    parked: Queue<DataEnd>,
    tunnels: Queue<TunnelEnd>,
    next: AtomicU64,
}

/// What came in and waits for the test.
struct Queue<T> {
    waiting: Mutex<VecDeque<T>>,
    more: Notify,
}

impl<T> Default for Queue<T> {
    fn default() -> Self {
        Self { waiting: Mutex::default(), more: Notify::new() }
    }
}

impl<T> Queue<T> {
    fn put(&self, item: T) {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner).push_back(item);
        self.more.notify_waiters();
    }

    /// The oldest that `wanted` takes.
    async fn take(&self, wanted: impl Fn(&T) -> bool) -> T {
        soon(async {
            loop {
                let more = self.more.notified();
                {
                    let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
                    if let Some(found) = waiting.iter().position(&wanted) {
                        return waiting.remove(found).unwrap();
                    }
                }
                more.await;
            }
        })
        .await
    }
}

/// The edge's end of a device's connection: everything in clear.
pub struct DeviceEnd {
    pub exporter: Exporter,
    tls: EdgeTls,
    buffer: Vec<u8>,
    inner: Arc<Inner>,
}

/// The edge's end of the master's control connection.
pub struct ControlEnd {
    read: ReadHalf<EdgeTls>,
    write: WriteHalf<EdgeTls>,
    buffer: Vec<u8>,
    inner: Arc<Inner>,
}

/// The edge's end of a parked data connection.
pub struct DataEnd {
    pub backend: String,
    tls: EdgeTls,
    inner: Arc<Inner>,
}

/// A device's tunnel connection, its ClientHello read.
pub struct TunnelEnd {
    pub token: Option<Token>,
    pub recorded: Vec<u8>,
    pub stream: TcpStream,
}

impl Inner {
    fn hold(&self, bytes: &[u8]) {
        self.held.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
    }

    async fn read_more<IO: AsyncRead + Unpin>(&self, io: &mut IO, buffer: &mut Vec<u8>) -> bool {
        let mut part = [0; 4_096];
        match soon(io.read(&mut part)).await {
            Ok(0) | Err(_) => false,
            Ok(read) => {
                self.hold(&part[..read]);
                buffer.extend_from_slice(&part[..read]);
                true
            }
        }
    }

    /// A frame of whatever kind; `None`: the other side has ended the connection.
    async fn frame<IO: AsyncRead + Unpin, F, E: std::fmt::Debug>(
        &self,
        io: &mut IO,
        buffer: &mut Vec<u8>,
        decode: impl Fn(&[u8]) -> Result<Option<(F, usize)>, E>,
    ) -> Option<F> {
        loop {
            if let Some((frame, taken)) = decode(buffer).unwrap() {
                buffer.drain(..taken);
                return Some(frame);
            }
            if !self.read_more(io, buffer).await {
                return None;
            }
        }
    }

    async fn say<IO: AsyncWrite + Unpin>(&self, io: &mut IO, bytes: &[u8]) {
        self.hold(bytes);
        let _ = soon(io.write_all(bytes)).await;
        let _ = soon(io.flush()).await;
    }

    /// The proof for which this backend takes the edge, if the key was found.
    fn mac(&self, name: &str, message: &[u8]) -> [u8; 32] {
        let keys = self.keys.lock().unwrap_or_else(PoisonError::into_inner);
        keys.get(name).map_or([0; 32], |key| key.mac(message))
    }
}

fn exporter(tls: &ServerConnection, label: &[u8]) -> Exporter {
    Exporter(tls.export_keying_material([0; 32], label, None).unwrap())
}

impl CapturedEdge {
    /// An edge with the certificate that devices pin.
    pub async fn start(tasks: &Tasks) -> Self {
        let names = ["localhost".to_owned(), "127.0.0.1".to_owned()];
        Self::with(Arc::new(Identity::self_signed(&names, 30).unwrap()), tasks).await
    }

    pub async fn with(identity: Arc<Identity>, tasks: &Tasks) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let inner = Arc::new(Inner {
            keys: Mutex::default(),
            held: Mutex::default(),
            devices: Queue::default(),
            masters: Queue::default(),
            parked: Queue::default(),
            tunnels: Queue::default(),
            next: AtomicU64::new(1),
        });
        let edge = Self { address: listener.local_addr().unwrap(), identity, inner };
        let (accepting, spawner) = (edge.clone(), tasks.spawner());
        tasks.spawn("captured edge", async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let edge = accepting.clone();
                let inside = spawner.clone();
                spawner.spawn("captured connection", async move { edge.take_in(stream, &inside).await });
            }
        });
        edge
    }

    /// This edge as backends are told of it.
    pub fn as_other(&self) -> Other {
        let pin = Some(super::site::pin_of(self.identity.leaf()));
        Other { address: self.address, pin, captor: Some(self.clone()) }
    }

    /// The captor has found a backend's key.
    pub fn steal(&self, backend: &str, file: &std::path::Path) {
        let key = SharedKey::load(file).unwrap_or_else(|error| panic!("{error}"));
        self.inner.keys.lock().unwrap_or_else(PoisonError::into_inner).insert(backend.to_owned(), key);
    }

    /// A copy of every byte that it ever held.
    pub fn held(&self) -> Vec<u8> {
        self.inner.held.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    async fn take_in(&self, stream: TcpStream, spawner: &Spawner) {
        let Ok(hello) = peek_hello(stream, Instant::now() + Duration::from_secs(10)).await else { return };
        let protocol = hello.alpn().next().unwrap_or_default().to_vec();
        if protocol == alpn::TUNNEL {
            let token = hello.server_name().and_then(Token::from_server_name);
            let (stream, recorded) = hello.into_raw();
            self.inner.hold(&recorded);
            self.inner.tunnels.put(TunnelEnd { token, recorded, stream });
            return;
        }
        let config = Arc::new(server_config(&*self.identity, Some(&protocol)));
        let Ok(tls) = hello.into_tls(config).await else { return };
        let inner = Arc::clone(&self.inner);
        match &*protocol {
            alpn::DEVICE => {
                let exporter = exporter(tls.get_ref().1, exporter_label::DEVICE);
                self.inner.devices.put(DeviceEnd { exporter, tls, buffer: Vec::new(), inner });
            }
            alpn::CONTROL => self.control(tls, spawner).await,
            alpn::DATA => self.data(tls).await,
            _ => {}
        }
    }

    async fn control(&self, mut tls: EdgeTls, spawner: &Spawner) {
        let exporter = exporter(tls.get_ref().1, exporter_label::CONTROL);
        let mut buffer = Vec::new();
        let Some(ControlFrame::Hello(hello)) = self.inner.frame(&mut tls, &mut buffer, ControlFrame::decode).await
        else {
            return;
        };
        let message = proof::backhaul(Speaker::ControlEdge, &exporter, hello.role, &hello.name, hello.generation);
        let proof = self.inner.mac(hello.name.as_str(), &message);
        self.inner.say(&mut tls, &ControlFrame::Welcome(Welcome { proof, spares_max: 64 }).encode()).await;
        let (read, write) = split(tls);
        let mut end = ControlEnd { read, write, buffer, inner: Arc::clone(&self.inner) };
        if hello.role == relay_wire::ids::Role::Master {
            self.inner.masters.put(end);
        } else {
            // A node says nothing but heartbeats.
            spawner.spawn("a node's control connection", async move { while end.next().await.is_some() {} });
        }
    }

    async fn data(&self, mut tls: EdgeTls) {
        let exporter = exporter(tls.get_ref().1, exporter_label::DATA);
        let mut buffer = Vec::new();
        let Some(DataFrame::Hello { role, name, generation, .. }) =
            self.inner.frame(&mut tls, &mut buffer, DataFrame::decode).await
        else {
            return;
        };
        let message = proof::backhaul(Speaker::DataEdge, &exporter, role, &name, generation);
        let proof = self.inner.mac(name.as_str(), &message);
        self.inner.say(&mut tls, &DataFrame::Parked { proof }.encode()).await;
        self.inner.parked.put(DataEnd { backend: name.to_string(), tls, inner: Arc::clone(&self.inner) });
    }

    /// The next device that connects.
    pub async fn device(&self) -> DeviceEnd {
        self.inner.devices.take(|_| true).await
    }

    /// The master's control connection.
    pub async fn master(&self) -> ControlEnd {
        self.inner.masters.take(|_| true).await
    }

    /// A parked data connection of this backend.
    pub async fn data_of(&self, backend: &str) -> DataEnd {
        self.inner.parked.take(|data| data.backend == backend).await
    }

    /// The next tunnel connection of a device.
    pub async fn tunnel(&self) -> TunnelEnd {
        self.inner.tunnels.take(|_| true).await
    }

    fn number(&self) -> u64 {
        self.inner.next.fetch_add(1, Ordering::Relaxed)
    }

    pub fn token(&self) -> Token {
        let mut bytes = [0; 16];
        bytes[..8].copy_from_slice(&self.number().to_be_bytes());
        Token::new(bytes)
    }

    /// Asks the master, as if a device with this exporter had sent these canonical bytes.
    pub async fn ask(&self, master: &mut ControlEnd, exporter: Exporter, request: Vec<u8>) -> Verdict {
        let id = RequestId(self.number());
        let frame = ControlFrame::Ask { id, exporter, request };
        master.inner.say(&mut master.write, &frame.encode()).await;
        loop {
            match master.next().await.expect("the master keeps its connection") {
                ControlFrame::Answer { id: answered, verdict } if answered == id => return verdict,
                _ => {}
            }
        }
    }

    /// Takes the next request of a device to the master, and the answer back: what an honest edge does. Returns both.
    /// `None`: the device has ended its connection.
    pub async fn pass(&self, device: &mut DeviceEnd, master: &mut ControlEnd) -> Option<Passed> {
        let request = device.request().await?;
        let encoded = canonical::encode(&request).unwrap();
        let verdict = self.ask(master, device.exporter, encoded.clone()).await;
        let mut token = None;
        let reply = match &verdict {
            Verdict::Accepted => Reply::Accepted,
            Verdict::Refused => Reply::Refused,
            Verdict::Later(after) => Reply::Later(*after),
            Verdict::Granted(grant) => {
                let drawn = self.token();
                token = Some(drawn);
                Reply::Tunnel(Offer { token: drawn, lifetime: limits::TOKEN, grant: grant.clone() })
            }
        };
        device.reply(&reply).await;
        Some(Passed { request, encoded, verdict, token })
    }

    /// Assigns a data connection of `backend` under `grant`, with `from` as the device's port, and gives the raw connection.
    /// `Err`: the backend closed it.
    pub async fn assign(
        &self,
        backend: &str,
        grant: &SignedGrant,
        from: u16,
        recorded: &[u8],
    ) -> std::io::Result<TcpStream> {
        let DataEnd { mut tls, inner, .. } = self.data_of(backend).await;
        let mut address = [0; 16];
        address[10..].copy_from_slice(&[0xff, 0xff, 192, 0, 2, 7]);
        let assign = DataFrame::Assign { grant: grant.clone(), remote: Remote { address, port: from } };
        inner.say(&mut tls, &assign.encode()).await;
        inner.hold(recorded);
        soon(hand_over_with(tls, recorded)).await
    }

    /// Joins a device's tunnel to the backend of the grant, keeping a copy of what moves, to the end of both directions.
    pub async fn join(&self, tunnel: TunnelEnd, grant: &SignedGrant) {
        let node = Grant::decode(&grant.grant).unwrap().node;
        let from = tunnel.stream.peer_addr().unwrap().port();
        let backend = self.assign(node.as_str(), grant, from, &tunnel.recorded).await.unwrap();
        let (mut device_in, mut device_out) = tunnel.stream.into_split();
        let (mut backend_in, mut backend_out) = backend.into_split();
        tokio::join!(self.copy(&mut device_in, &mut backend_out), self.copy(&mut backend_in, &mut device_out));
    }

    async fn copy<R: AsyncRead + Unpin, W: AsyncWrite + Unpin>(&self, from: &mut R, to: &mut W) {
        let mut part = vec![0; 65_536];
        loop {
            match soon(from.read(&mut part)).await {
                Ok(0) | Err(_) => break,
                Ok(read) => {
                    self.inner.hold(&part[..read]);
                    if soon(to.write_all(&part[..read])).await.is_err() {
                        break;
                    }
                }
            }
        }
        let _ = soon(to.shutdown()).await;
    }

    /// Serves the next device honestly to its end: each of its requests, each tunnel.
    pub async fn serve(&self, master: &mut ControlEnd) {
        let mut device = self.device().await;
        while let Some(passed) = self.pass(&mut device, master).await {
            if let Verdict::Granted(grant) = &passed.verdict {
                let tunnel = self.tunnel().await;
                assert!(tunnel.token == passed.token);
                self.join(tunnel, grant).await;
            }
        }
    }
}

/// What went through the edge with one request.
pub struct Passed {
    pub request: Request,
    pub encoded: Vec<u8>,
    pub verdict: Verdict,
    pub token: Option<Token>,
}

impl Passed {
    /// The grant in the answer.
    pub fn grant(&self) -> SignedGrant {
        match &self.verdict {
            Verdict::Granted(grant) => grant.clone(),
            other => panic!("{other:?} instead of a grant for {:?}", self.request.content.operation.name()),
        }
    }
}

impl DeviceEnd {
    /// The next request, which must be valid; `None`: the device has ended the connection.
    pub async fn request(&mut self) -> Option<Request> {
        let decode = |bytes: &[u8]| {
            let Some(head) = bytes.first_chunk() else { return Ok(None) };
            let Header { platform, body_bytes } = Header::decode(head)?;
            let total = limits::DEVICE_HEADER_BYTES + body_bytes;
            let body = bytes.get(limits::DEVICE_HEADER_BYTES..total);
            Ok::<_, relay_wire::Rejection>(body.map(|body| ((platform, body.to_vec()), total)))
        };
        let (platform, body): (Platform, Vec<u8>) = self.inner.frame(&mut self.tls, &mut self.buffer, decode).await?;
        Some(Validator::default().check(platform, &body).unwrap().into_inner())
    }

    pub async fn reply(&mut self, reply: &Reply) {
        self.inner.say(&mut self.tls, &reply.encode()).await;
    }

    /// A tunnel that the captor made up.
    pub async fn offer(&mut self, token: Token, grant: SignedGrant) {
        self.reply(&Reply::Tunnel(Offer { token, lifetime: limits::TOKEN, grant })).await;
    }
}

impl ControlEnd {
    /// The next frame but heartbeats.
    pub async fn next(&mut self) -> Option<ControlFrame> {
        loop {
            // A quiet backend pings well within the patience of the reader.
            match self.inner.frame(&mut self.read, &mut self.buffer, ControlFrame::decode).await? {
                ControlFrame::Ping => self.inner.say(&mut self.write, &ControlFrame::Pong.encode()).await,
                ControlFrame::Pong => {}
                frame => return Some(frame),
            }
        }
    }
}

/// What the master would sign, signed by somebody else.
pub fn forge(signer: &Identity, grant: &Grant) -> SignedGrant {
    let encoded = grant.encode().unwrap();
    let signature = signer.sign(&proof::grant(&encoded)).unwrap();
    SignedGrant { grant: encoded, signature }
}
