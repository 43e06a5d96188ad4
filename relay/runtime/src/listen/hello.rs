//! The ClientHello, read and recorded before anything is decided (SPEC §2.3).

use std::{fmt, io, sync::Arc};

use rustls::{
    ServerConfig,
    server::{Accepted, Acceptor},
};
use tokio::{
    io::AsyncReadExt,
    net::TcpStream,
    time::{Instant, timeout_at},
};
use tokio_rustls::{Accept, StartHandshake};

use crate::handover::{RECORD_HEADER_BYTES, RecordIo};

/// Bytes of a ClientHello with its record headers at most: one full record (RFC 8446, section 5.1). Real ones, with a
/// post-quantum key share and a long list of extensions, have up to 2,000.
pub const RECORDED_BYTES_MAX: usize = 16_384 + RECORD_HEADER_BYTES;

/// Why there is no ClientHello.
#[derive(Debug, thiserror::Error)]
pub enum HelloError {
    /// The peer ended the connection before its ClientHello was complete; `0` bytes is a port scan or a health check.
    #[error("the connection ended after {0} bytes")]
    Ended(usize),
    /// The ClientHello was not complete at the deadline.
    #[error("no complete ClientHello in time, {0} bytes came")]
    TimedOut(usize),
    /// What came is not a TLS ClientHello; seen at the first byte that is wrong.
    #[error("not a TLS ClientHello: byte {at} is {byte:#04x}")]
    NotTls {
        /// Which byte, from 0.
        at: usize,
        /// Its value.
        byte: u8,
    },
    /// It is larger than [`RECORDED_BYTES_MAX`].
    #[error("the ClientHello is larger than {RECORDED_BYTES_MAX} bytes")]
    TooLarge,
    /// It is a TLS record, but its ClientHello is broken. The peer was sent the alert.
    #[error("broken ClientHello: {0}")]
    Broken(rustls::Error),
    /// The connection failed.
    #[error("reading the ClientHello: {0}")]
    Io(#[from] io::Error),
}

/// A ClientHello, whole and in order.
pub struct ClientHello {
    accepted: Accepted,
    server_name: Option<Box<str>>,
    recorded: Vec<u8>,
}

impl ClientHello {
    /// The protocols that the client offers by ALPN, in its order; none if it sent no such extension.
    pub fn alpn(&self) -> impl Iterator<Item = &[u8]> {
        self.accepted.client_hello().alpn().into_iter().flatten()
    }

    /// The host name that the client asks for, in lower case; it is a valid DNS name.
    #[must_use]
    pub fn server_name(&self) -> Option<&str> {
        self.server_name.as_deref()
    }

    /// The raw bytes, with their record headers. Nothing after them has been taken.
    #[must_use]
    pub fn recorded(&self) -> &[u8] {
        &self.recorded
    }
}

impl fmt::Debug for ClientHello {
    // The server name may carry a tunnel token.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientHello").field("recorded", &self.recorded.len()).finish_non_exhaustive()
    }
}

/// A ClientHello that is being read: it judges bytes as they come and says how many it may take next. It does no I/O.
#[derive(Default)]
pub struct ClientHelloReader {
    recorded: Vec<u8>,
    /// Where the record under way begins.
    start: usize,
    acceptor: Acceptor,
    alert: Vec<u8>,
}

impl ClientHelloReader {
    /// How many bytes may be taken next: what is missing of the header, or of the record under way. Never 0.
    #[must_use]
    pub fn wants(&self) -> usize {
        self.end() - self.recorded.len()
    }

    /// Where the header under way ends, or the record once its header is there.
    fn end(&self) -> usize {
        let header = self.start + RECORD_HEADER_BYTES;
        match self.recorded.get(header - 2..header) {
            Some([high, low]) => header + usize::from(u16::from_be_bytes([*high, *low])),
            _ => header,
        }
    }

    /// Takes bytes, at most as many as are wanted; the ClientHello once it is whole. Neither is called again after that, or
    /// after an error.
    ///
    /// # Errors
    /// [`HelloError::NotTls`] at the first byte that is wrong, [`HelloError::TooLarge`] as soon as a length says so,
    /// [`HelloError::Broken`] when what came is no ClientHello; [`Self::alert`] then says so to the peer.
    pub fn take(&mut self, bytes: &[u8]) -> Result<Option<ClientHello>, HelloError> {
        let have = self.recorded.len();
        self.recorded.extend_from_slice(bytes);
        self.judge(have)
    }

    /// What to send to the peer after [`HelloError::Broken`]: a TLS alert in its record, or nothing.
    #[must_use]
    pub fn alert(&self) -> &[u8] {
        &self.alert
    }

    /// Judges what has come behind the first `have` bytes.
    fn judge(&mut self, have: usize) -> Result<Option<ClientHello>, HelloError> {
        let header = self.start + RECORD_HEADER_BYTES;
        for (at, byte) in self.recorded.iter().enumerate().skip(have) {
            check_byte(at - self.start, self.start == 0, *byte, at)?;
        }
        let end = self.end();
        if end > RECORDED_BYTES_MAX {
            return Err(HelloError::TooLarge);
        }
        if self.recorded.len() < header {
            return Ok(None);
        }
        if end == header {
            return Err(HelloError::NotTls { at: header - 1, byte: 0 });
        }
        if self.recorded.len() < end {
            return Ok(None);
        }
        self.whole_record()
    }

    /// The record under way is there.
    fn whole_record(&mut self) -> Result<Option<ClientHello>, HelloError> {
        let mut record = &self.recorded[self.start..];
        while !record.is_empty() {
            self.acceptor.read_tls(&mut record)?;
        }
        self.start = self.recorded.len();
        match self.acceptor.accept() {
            Ok(Some(accepted)) => {
                let server_name = accepted.client_hello().server_name().map(|name| name.to_ascii_lowercase().into());
                Ok(Some(ClientHello { accepted, server_name, recorded: std::mem::take(&mut self.recorded) }))
            }
            Ok(None) if self.end() > RECORDED_BYTES_MAX => Err(HelloError::TooLarge),
            Ok(None) => Ok(None),
            Err((error, mut alert)) => {
                // Writing to memory does not fail.
                let _ = alert.write_all(&mut self.alert);
                Err(HelloError::Broken(error))
            }
        }
    }
}

impl fmt::Debug for ClientHelloReader {
    // What came may carry a tunnel token.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientHelloReader").field("recorded", &self.recorded.len()).finish_non_exhaustive()
    }
}

/// A connection whose ClientHello has been read.
pub struct Hello {
    stream: TcpStream,
    hello: ClientHello,
}

impl Hello {
    /// What the client said.
    #[must_use]
    pub fn client_hello(&self) -> &ClientHello {
        &self.hello
    }

    /// The protocols that the client offers by ALPN, in its order; none if it sent no such extension.
    pub fn alpn(&self) -> impl Iterator<Item = &[u8]> {
        self.hello.alpn()
    }

    /// The host name that the client asks for, in lower case; it is a valid DNS name.
    #[must_use]
    pub fn server_name(&self) -> Option<&str> {
        self.hello.server_name()
    }

    /// The raw bytes of the ClientHello, with their record headers. Nothing after them has been read.
    #[must_use]
    pub fn recorded(&self) -> &[u8] {
        self.hello.recorded()
    }

    /// The connection, for its addresses and options.
    #[must_use]
    pub fn stream(&self) -> &TcpStream {
        &self.stream
    }

    /// Goes on with TLS on this side, reading record by record, so that the connection can be handed over later.
    ///
    /// The future ends when the handshake has; it has no deadline of its own.
    pub fn into_tls(self, config: Arc<ServerConfig>) -> Accept<RecordIo<TcpStream>> {
        StartHandshake::from_parts(self.hello.accepted, RecordIo::new(self.stream)).into_stream(config)
    }

    /// As [`Hello::into_tls`], for a connection that is never handed over: fewer system calls.
    pub fn into_tls_for_good(self, config: Arc<ServerConfig>) -> Accept<RecordIo<TcpStream>> {
        StartHandshake::from_parts(self.hello.accepted, RecordIo::unbounded(self.stream)).into_stream(config)
    }

    /// Leaves TLS to someone else: the connection, and the bytes that were taken from it.
    #[must_use]
    pub fn into_raw(self) -> (TcpStream, Vec<u8>) {
        (self.stream, self.hello.recorded)
    }
}

impl fmt::Debug for Hello {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.hello.fmt(f)
    }
}

/// Reads the ClientHello of a new connection until `deadline`, and not one byte more.
///
/// # Errors
/// [`HelloError`]; the connection is closed then.
pub async fn peek_hello(mut stream: TcpStream, deadline: Instant) -> Result<Hello, HelloError> {
    let mut reader = ClientHelloReader::default();
    loop {
        let have = reader.recorded.len();
        let mut limited = (&mut stream).take(reader.wants() as u64);
        // Straight into what is recorded: dropping the future keeps what came.
        match timeout_at(deadline, limited.read_buf(&mut reader.recorded)).await {
            Ok(read) => {
                if read? == 0 {
                    return Err(HelloError::Ended(have));
                }
            }
            Err(_) => return Err(HelloError::TimedOut(have)),
        }
        match reader.judge(have) {
            Ok(Some(hello)) => return Ok(Hello { stream, hello }),
            Ok(None) => {}
            Err(error) => {
                // The alert is a courtesy: what the socket does not take at once is dropped.
                let _ = stream.try_write(reader.alert());
                return Err(error);
            }
        }
    }
}

/// A handshake record of SSL 3 to TLS 1.3 (whose record says 1.0 or 1.2), the first of which begins with a ClientHello.
fn check_byte(position: usize, first: bool, byte: u8, at: usize) -> Result<(), HelloError> {
    let right = match position {
        0 => byte == 22,
        1 => byte == 3,
        2 => byte <= 3,
        5 if first => byte == 1,
        _ => true,
    };
    if right { Ok(()) } else { Err(HelloError::NotTls { at, byte }) }
}
