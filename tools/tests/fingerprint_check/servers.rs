//! Servers of this process: TLS with any certificate and key, behind any plaintext, and proxies.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
    time::Duration,
};

use relay_trust::provider;
use rustls::{
    ServerConfig, ServerConnection, SupportedProtocolVersion,
    sign::{CertifiedKey, SingleCertAndKey},
    version::{TLS12, TLS13},
};
use rustls_pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject};

use crate::kit::certificate;

/// No test waits longer for a client.
const PATIENCE: Duration = Duration::from_secs(20);

/// A server that answers for as long as the process lives.
pub struct Server {
    pub port: u16,
    accepted: Arc<AtomicUsize>,
}

impl Server {
    /// One that does this with every connection.
    pub fn of(each: impl Fn(TcpStream) + Send + Sync + 'static) -> Self {
        Self::on((Ipv4Addr::LOCALHOST, 0).into(), each)
    }

    /// The same on an address.
    pub fn on(address: SocketAddr, each: impl Fn(TcpStream) + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind(address).unwrap();
        let port = listener.local_addr().unwrap().port();
        let accepted = Arc::new(AtomicUsize::new(0));
        let (count, each) = (Arc::clone(&accepted), Arc::new(each));
        thread::spawn(move || {
            for stream in listener.incoming() {
                let (stream, each) = (stream.unwrap(), Arc::clone(&each));
                stream.set_read_timeout(Some(PATIENCE)).unwrap();
                count.fetch_add(1, Ordering::SeqCst);
                thread::spawn(move || each(stream));
            }
        });
        Self { port, accepted }
    }

    /// TLS with one of the fixed certificates.
    pub fn tls(name: &str) -> Self {
        let config = Tls::of(name).config();
        Self::of(move |stream| serve(stream, &config))
    }

    /// TLS behind this plaintext.
    pub fn behind(script: &'static [Step], name: &str) -> Self {
        let config = Tls::of(name).config();
        Self::of(move |mut stream| {
            if play(&mut stream, script) {
                serve(stream, &config);
            }
        })
    }

    /// Where it listens.
    pub fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// How many connections came.
    pub fn accepted(&self) -> usize {
        self.accepted.load(Ordering::SeqCst)
    }
}

/// Whether this machine has IPv6 on loopback, and a server there.
pub fn on_ipv6(name: &str) -> Option<Server> {
    let address = SocketAddr::from((Ipv6Addr::LOCALHOST, 0));
    TcpListener::bind(address).ok()?;
    let config = Tls::of(name).config();
    Some(Server::on(address, move |stream| serve(stream, &config)))
}

/// What a TLS server presents and speaks.
pub struct Tls {
    pub chain: Vec<CertificateDer<'static>>,
    pub key: PrivateKeyDer<'static>,
    pub versions: Vec<&'static SupportedProtocolVersion>,
}

impl Tls {
    /// A fixed certificate with its key.
    pub fn of(name: &str) -> Self {
        Self {
            chain: chain(&format!("{name}.pem")),
            key: PrivateKeyDer::from_pem_file(certificate(&format!("{name}.key"))).unwrap(),
            versions: vec![&TLS13, &TLS12],
        }
    }

    /// The same, presenting the chain of another.
    pub fn presenting(self, chain: Vec<CertificateDer<'static>>) -> Self {
        Self { chain, ..self }
    }

    /// As rustls takes it. Certificate and key need not fit.
    pub fn config(self) -> Arc<ServerConfig> {
        let key = provider().key_provider.load_private_key(self.key).unwrap();
        let resolver = SingleCertAndKey::from(CertifiedKey::new(self.chain, key));
        let builder = ServerConfig::builder_with_provider(provider()).with_protocol_versions(&self.versions).unwrap();
        Arc::new(builder.with_no_client_auth().with_cert_resolver(Arc::new(resolver)))
    }
}

/// The certificates of a file.
pub fn chain(file: &str) -> Vec<CertificateDer<'static>> {
    CertificateDer::pem_file_iter(certificate(file)).unwrap().collect::<Result<_, _>>().unwrap()
}

/// Shakes hands and waits for the end. Whatever application data came is a failure of the whole test process.
pub fn serve(mut stream: TcpStream, config: &Arc<ServerConfig>) {
    let mut connection = ServerConnection::new(Arc::clone(config)).unwrap();
    while connection.is_handshaking() {
        if connection.complete_io(&mut stream).is_err() {
            return;
        }
    }
    let mut tls = rustls::Stream::new(&mut connection, &mut stream);
    let mut byte = [0];
    if matches!(tls.read(&mut byte), Ok(1..)) {
        eprintln!("fingerprint-check sent application data");
        std::process::abort();
    }
}

/// One step of a plaintext protocol.
pub enum Step {
    /// The server says this.
    Say(&'static [u8]),
    /// The client says exactly this.
    Hear(&'static [u8]),
}

/// Whether the client kept to the script.
fn play(stream: &mut TcpStream, script: &[Step]) -> bool {
    script.iter().all(|step| match step {
        Step::Say(bytes) => stream.write_all(bytes).is_ok(),
        Step::Hear(bytes) => {
            let mut heard = vec![0; bytes.len()];
            stream.read_exact(&mut heard).is_ok() && heard == *bytes
        }
    })
}

/// A port on which nothing listens.
pub fn closed_port() -> u16 {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port()
}

/// An HTTP proxy that asks for `user:secret` and sends every name to this machine.
pub fn http_proxy() -> Server {
    Server::of(|stream| {
        let mut reader = BufReader::new(stream.try_clone().unwrap());
        let mut request = String::new();
        while !request.ends_with("\r\n\r\n") {
            if reader.read_line(&mut request).unwrap_or(0) == 0 {
                return;
            }
        }
        let mut stream = stream;
        // "user:secret" in base64.
        if !request.contains("Proxy-Authorization: Basic dXNlcjpzZWNyZXQ=\r\n") {
            let _ = stream.write_all(b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n");
            return;
        }
        let port = request.split(' ').nth(1).and_then(|place| place.rsplit(':').next()?.parse().ok());
        tunnel(stream, port.unwrap_or(0), b"HTTP/1.1 200 Connected\r\nVia: test\r\n\r\n");
    })
}

/// A SOCKS5 proxy without authentication that sends every name to this machine.
pub fn socks_proxy() -> Server {
    Server::of(|mut stream| {
        let mut greeting = [0; 3];
        if stream.read_exact(&mut greeting).is_err() || greeting != [5, 1, 0] || stream.write_all(&[5, 0]).is_err() {
            return;
        }
        let mut request = [0; 4];
        if stream.read_exact(&mut request).is_err() {
            return;
        }
        let length = match request[3] {
            1 => 4,
            4 => 16,
            _ => {
                let mut length = [0];
                stream.read_exact(&mut length).unwrap();
                usize::from(length[0])
            }
        };
        let mut place = vec![0; length + 2];
        stream.read_exact(&mut place).unwrap();
        let port = u16::from_be_bytes([place[length], place[length + 1]]);
        tunnel(stream, port, &[5, 0, 0, 1, 127, 0, 0, 1, 0, 0]);
    })
}

fn tunnel(mut client: TcpStream, port: u16, agreed: &[u8]) {
    let Ok(mut server) = TcpStream::connect((Ipv4Addr::LOCALHOST, port)) else {
        let _ = client.write_all(if agreed[0] == 5 {
            &[5, 5, 0, 1, 0, 0, 0, 0, 0, 0]
        } else {
            b"HTTP/1.1 502 Bad Gateway\r\n\r\n"
        });
        return;
    };
    client.write_all(agreed).unwrap();
    let (mut from, mut to) = (client.try_clone().unwrap(), server.try_clone().unwrap());
    thread::spawn(move || std::io::copy(&mut from, &mut to));
    let _ = std::io::copy(&mut server, &mut client);
}
