//! A TLS 1.2 and 1.3 server on a blocking connection, which writes down what the client does.

use std::{
    io::{Read, Write},
    sync::{Arc, OnceLock},
    time::{Duration, Instant},
};

use rustls::{
    Error, ServerConfig, ServerConnection,
    server::{NoServerSessionStorage, ProducesTickets, ResolvesServerCert, StoresServerSessions},
    sign::{CertifiedKey, SingleCertAndKey},
    version::{TLS12, TLS13},
};

use super::{
    Seam, Tls, Versions,
    hello::{ClientHello, version_name},
    seams,
    wire::{Came, Wire},
};
use crate::seen::{End, Seen, alert_name};

/// How long a client that has completed the handshake may say nothing before that counts as waiting for the server.
const SILENCE: Duration = Duration::from_secs(1);
/// A pause in what the client sends after which the server answers, or ends the connection.
const PAUSE: Duration = Duration::from_millis(250);
/// How long the server listens after its own end, for alerts and for what still leaks.
const LINGER: Duration = Duration::from_millis(500);
/// Between two bytes of a slow handshake.
const PACE: Duration = Duration::from_millis(200);
/// Application data is read up to here.
const DATA_MAX: u64 = 16 << 20;
/// The beginning of the application data that is kept, to see whether it asks for an answer.
const REQUEST_MAX: usize = 16 * 1024;
const HTTP: &[u8] = b"http/1.1";
const ANSWER: &[u8] =
    b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 3\r\nConnection: close\r\n\r\nok\n";

/// What connections of one trial share.
#[derive(Default)]
pub struct Prepared {
    resuming: OnceLock<Resuming>,
}

/// Where sessions are kept, and who makes tickets.
struct Resuming {
    storage: Arc<dyn StoresServerSessions>,
    ticketer: Option<Arc<dyn ProducesTickets>>,
}

impl Prepared {
    fn config(&self, tls: &Tls, hello: &ClientHello) -> Result<ServerConfig, Error> {
        let provider = seams::arm(tls.seam);
        let versions: &[_] = match tls.versions {
            Versions::Both => &[&TLS13, &TLS12],
            Versions::Only12 => &[&TLS12],
            Versions::Only13 => &[&TLS13],
        };
        let identity = CertifiedKey::new(tls.chain.clone(), Arc::clone(&tls.key));
        let resolver: Arc<dyn ResolvesServerCert> = Arc::new(SingleCertAndKey::from(identity));
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_protocol_versions(versions)?
            .with_no_client_auth()
            .with_cert_resolver(resolver);
        // Whatever the client speaks, this server speaks it too; HTTP/1.1 it can even answer.
        let spoken = hello.alpn.iter().find(|protocol| *protocol == HTTP).or(hello.alpn.first());
        config.alpn_protocols = spoken.cloned().into_iter().collect();
        config.max_early_data_size = 0;
        if tls.tickets {
            let resuming = self.resuming.get_or_init(|| Resuming {
                storage: rustls::server::ServerSessionMemoryCache::new(64),
                ticketer: rustls::crypto::aws_lc_rs::Ticketer::new().ok(),
            });
            config.session_storage = Arc::clone(&resuming.storage);
            if let Some(ticketer) = &resuming.ticketer {
                config.ticketer = Arc::clone(ticketer);
            }
        } else {
            config.session_storage = Arc::new(NoServerSessionStorage {});
            config.send_tls13_tickets = 0;
        }
        Ok(config)
    }
}

/// Serves one connection whose ClientHello is in `received`. `finished` is called when the client has completed the handshake.
pub fn serve(
    wire: &mut Wire,
    tls: &Tls,
    prepared: &Prepared,
    hello: &ClientHello,
    received: &[u8],
    seen: &mut Seen,
    finished: &dyn Fn(),
) {
    let connection = prepared.config(tls, hello).and_then(|config| ServerConnection::new(Arc::new(config)));
    let mut connection = match connection {
        Ok(connection) => connection,
        Err(error) => {
            seen.server = Some(error.to_string());
            return;
        }
    };
    let mut session = Session { wire, connection: &mut connection, seen, request: Vec::new(), broken: false, finished };
    session.feed(received);
    session.flush(tls.slow);
    session.seen.end = session.run();
    // A spoiled part is for this connection only.
    seams::arm(Seam::Sound);
}

struct Session<'a> {
    wire: &'a mut Wire,
    connection: &'a mut ServerConnection,
    seen: &'a mut Seen,
    /// The beginning of what the client said.
    request: Vec<u8>,
    /// TLS is at its end: an alert came, or what came made no sense.
    broken: bool,
    finished: &'a dyn Fn(),
}

impl Session<'_> {
    /// Until somebody ends the connection.
    fn run(&mut self) -> End {
        loop {
            let quiet = match (self.broken, self.seen.finished, self.seen.application_bytes) {
                (true, _, _) => Some(LINGER),
                (false, false, _) => None,
                (false, true, 0) => Some(SILENCE),
                (false, true, _) => Some(PAUSE),
            };
            let mut buffer = [0; 16 * 1024];
            match self.wire.read(&mut buffer, quiet) {
                Came::Bytes(count) => {
                    if !self.broken {
                        self.feed(&buffer[..count]);
                        self.flush(false);
                    }
                    if self.seen.application_bytes >= DATA_MAX {
                        return self.close();
                    }
                }
                Came::Quiet if self.broken => return End::ByServer,
                Came::Quiet if self.seen.application_bytes == 0 => {
                    self.seen.waited = true;
                    return self.close();
                }
                Came::Quiet => {
                    if is_http(&self.request) {
                        // A client that is gone gets no answer.
                        let _ = self.connection.writer().write_all(ANSWER);
                    }
                    return self.close();
                }
                // It may have said goodbye before.
                Came::Gone(_) if self.seen.end == End::CloseNotify => return End::CloseNotify,
                Came::Gone(end) => return end,
            }
            if self.broken && self.seen.alert.is_some() && self.seen.server.is_none() {
                return End::ByServer;
            }
            if self.seen.end == End::CloseNotify {
                return self.close();
            }
        }
    }

    /// Says goodbye, and listens a little longer.
    fn close(&mut self) -> End {
        let end = self.seen.end;
        self.connection.send_close_notify();
        self.flush(false);
        self.wire.finish();
        let until = Instant::now() + LINGER;
        let mut buffer = [0; 16 * 1024];
        while !self.broken && Instant::now() < until && self.seen.application_bytes < DATA_MAX {
            match self.wire.read(&mut buffer, Some(LINGER)) {
                Came::Bytes(count) => self.feed(&buffer[..count]),
                Came::Quiet | Came::Gone(_) => break,
            }
        }
        end
    }

    /// Hands bytes of the client's to rustls, and counts what comes out.
    fn feed(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() && !self.broken {
            if !matches!(self.connection.read_tls(&mut bytes), Ok(1..)) {
                self.broken = true;
                return;
            }
            match self.connection.process_new_packets() {
                Ok(state) => {
                    let mut plaintext = vec![0; state.plaintext_bytes_to_read()];
                    if let Ok(count) = self.connection.reader().read(&mut plaintext) {
                        self.count(&plaintext[..count]);
                    }
                    if state.peer_has_closed() {
                        self.seen.end = End::CloseNotify;
                    }
                }
                Err(Error::AlertReceived(alert)) => {
                    self.seen.alert = Some(alert_name(u8::from(alert)));
                    self.broken = true;
                }
                Err(error) => {
                    self.seen.server = Some(error.to_string());
                    self.broken = true;
                }
            }
            self.note();
        }
    }

    fn count(&mut self, plaintext: &[u8]) {
        self.seen.application(plaintext);
        let room = REQUEST_MAX.saturating_sub(self.request.len());
        self.request.extend(plaintext.iter().take(room));
    }

    /// Writes down how far the handshake is.
    fn note(&mut self) {
        self.seen.version = self.connection.protocol_version().map(|version| version_name(u16::from(version)));
        if !self.connection.is_handshaking() && !self.seen.finished {
            self.seen.finished = true;
            (self.finished)();
        }
    }

    /// Sends what rustls has to say. A handshake under way holds the certificate.
    fn flush(&mut self, slow: bool) {
        let mut out = Vec::new();
        while self.connection.wants_write() {
            if self.connection.write_tls(&mut out).is_err() {
                self.broken = true;
                return;
            }
        }
        if out.is_empty() {
            return;
        }
        let sent = if slow { self.drip(&out) } else { self.wire.write(&out) };
        if sent && !self.broken && self.connection.negotiated_cipher_suite().is_some() {
            self.seen.certificate_sent = true;
        }
    }

    /// Sends one byte at a time for as long as the client stays; what it says meanwhile is looked at by the wire.
    fn drip(&mut self, out: &[u8]) -> bool {
        let mut early = Vec::new();
        for byte in out {
            if !self.wire.write(std::slice::from_ref(byte)) {
                return false;
            }
            let mut buffer = [0; 4096];
            match self.wire.read(&mut buffer, Some(PACE)) {
                Came::Quiet => {}
                Came::Bytes(count) => early.extend_from_slice(&buffer[..count]),
                Came::Gone(end) => {
                    self.seen.end = end;
                    return false;
                }
            }
        }
        self.feed(&early);
        true
    }
}

/// Whether this is a request that wants an answer.
fn is_http(request: &[u8]) -> bool {
    let methods: [&[u8]; 4] = [b"GET ", b"HEAD ", b"POST ", b"PUT "];
    methods.iter().any(|method| request.starts_with(method))
}
