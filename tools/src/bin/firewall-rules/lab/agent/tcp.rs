//! Probes over TCP.

use std::{
    io::{self, Read, Write},
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream},
    sync::Arc,
    time::{Duration, Instant},
};

use relay_trust::{
    PinSet,
    tls::provider,
    verifier::{pinned_verifier, refusal},
};
use rustls::{ClientConfig, ClientConnection};
use rustls_pki_types::ServerName;
use socket2::{Domain, Protocol, Socket, Type};

use super::{Answer, met};

/// The largest page that is read.
const PAGE_MAX: u64 = 1 << 20;

/// Any local address of the same protocol, with this port.
pub fn local(to: SocketAddr, port: u16) -> SocketAddr {
    match to {
        SocketAddr::V4(_) => SocketAddr::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), port),
        SocketAddr::V6(_) => SocketAddr::new(IpAddr::V6(Ipv6Addr::UNSPECIFIED), port),
    }
}

fn open(to: SocketAddr, from_port: Option<u16>, wait: Duration) -> Result<TcpStream, Answer> {
    let Some(port) = from_port else { return TcpStream::connect_timeout(&to, wait).map_err(|error| met(&error)) };
    let made = Socket::new(Domain::for_address(to), Type::STREAM, Some(Protocol::TCP)).and_then(|socket| {
        socket.set_reuse_address(true)?;
        socket.bind(&local(to, port).into())?;
        Ok(socket)
    });
    let socket = made.map_err(|error| Answer::Failed { reason: format!("bind to port {port}: {error}") })?;
    socket.connect_timeout(&to.into(), wait).map_err(|error| met(&error))?;
    Ok(socket.into())
}

/// Whether a connection can be opened.
pub fn connect(to: SocketAddr, from_port: Option<u16>, wait: Duration) -> Answer {
    match open(to, from_port, wait) {
        Ok(stream) => {
            // Reset at its end, so that nothing of it is left when sockets are listed.
            let _ = socket2::SockRef::from(&stream).set_linger(Some(Duration::ZERO));
            Answer::Open { detail: stream.local_addr().map(|from| from.to_string()).unwrap_or_default() }
        }
        Err(answer) => answer,
    }
}

/// Sets both deadlines of a stream to what is left.
fn limit(stream: &TcpStream, until: Instant) -> io::Result<()> {
    let left = until.saturating_duration_since(Instant::now()).max(Duration::from_millis(1));
    stream.set_read_timeout(Some(left))?;
    stream.set_write_timeout(Some(left))
}

/// Whether the server with this pin completes a handshake for this protocol.
pub fn handshake(to: SocketAddr, alpn: &str, pin: &str, wait: Duration) -> Answer {
    let until = Instant::now() + wait;
    let mut connection = match client(to, alpn, pin) {
        Ok(connection) => connection,
        Err(reason) => return Answer::Failed { reason },
    };
    let mut stream = match open(to, None, wait) {
        Ok(stream) => stream,
        Err(answer) => return answer,
    };
    let from = stream.local_addr().map(|from| from.to_string()).unwrap_or_default();
    while connection.is_handshaking() {
        if let Err(error) = limit(&stream, until).and_then(|()| connection.complete_io(&mut stream).map(drop)) {
            let refused = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>()).and_then(refusal);
            return match refused {
                Some(verdict) => Answer::Wrong { reason: format!("another certificate: {verdict:?}") },
                None if Instant::now() >= until => Answer::Silent,
                None => Answer::Wrong { reason: error.to_string() },
            };
        }
    }
    if connection.alpn_protocol() != Some(alpn.as_bytes()) {
        return Answer::Wrong { reason: format!("the server does not speak {alpn}") };
    }
    connection.send_close_notify();
    let _ = connection.complete_io(&mut stream);
    Answer::Open { detail: from }
}

fn client(to: SocketAddr, alpn: &str, pin: &str) -> Result<ClientConnection, String> {
    let pins = PinSet::from_argument(pin).map_err(|error| error.to_string())?;
    let mut config = ClientConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?
        .dangerous()
        .with_custom_certificate_verifier(pinned_verifier(pins))
        .with_no_client_auth();
    config.alpn_protocols = vec![alpn.as_bytes().to_vec()];
    ClientConnection::new(Arc::new(config), ServerName::IpAddress(to.ip().into())).map_err(|error| error.to_string())
}

/// Fetches a page.
pub fn page(from: SocketAddr, path: &str, wait: Duration) -> Answer {
    let until = Instant::now() + wait;
    let mut stream = match open(from, None, wait) {
        Ok(stream) => stream,
        Err(answer) => return answer,
    };
    let mut answer = Vec::new();
    let read = limit(&stream, until)
        .and_then(|()| write!(stream, "GET {path} HTTP/1.1\r\nHost: {from}\r\nConnection: close\r\n\r\n"))
        .and_then(|()| stream.take(PAGE_MAX).read_to_end(&mut answer));
    if let Err(error) = read {
        return met(&error);
    }
    let text = String::from_utf8_lossy(&answer);
    let status = text.split(' ').nth(1).and_then(|status| status.parse().ok());
    match (status, text.split_once("\r\n\r\n")) {
        (Some(status), Some((_, body))) => Answer::Page { status, body: body.to_owned() },
        _ => Answer::Wrong { reason: "no HTTP answer".to_owned() },
    }
}

/// A connection through which bytes came back alike.
pub fn hold(to: SocketAddr, bytes: u32, wait: Duration) -> Result<TcpStream, Answer> {
    let until = Instant::now() + wait;
    let mut stream = open(to, None, wait)?;
    let sent: Vec<u8> = std::iter::repeat_with(|| fastrand::u8(..)).take(bytes as usize).collect();
    let mut got = vec![0; sent.len()];
    let talk = limit(&stream, until).and_then(|()| stream.write_all(&sent)).and_then(|()| stream.read_exact(&mut got));
    match talk {
        Ok(()) if got == sent => Ok(stream),
        Ok(()) => Err(Answer::Wrong { reason: "other bytes came back".to_owned() }),
        Err(error) => Err(met(&error)),
    }
}
