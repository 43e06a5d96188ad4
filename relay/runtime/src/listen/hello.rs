//! The ClientHello, read and recorded before anything is decided (SPEC §2.3).

use std::{io, sync::Arc};

use rustls::{
    ServerConfig,
    server::{Accepted, AcceptedAlert, Acceptor},
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

/// A connection whose ClientHello has been read.
pub struct Hello {
    stream: TcpStream,
    accepted: Accepted,
    server_name: Option<Box<str>>,
    recorded: Vec<u8>,
}

impl Hello {
    /// The protocols that the client offers by ALPN, in its order; none if it sent no such extension.
    pub fn alpn(&self) -> impl Iterator<Item = &[u8]> {
        self.accepted.client_hello().alpn().into_iter().flatten()
    }

    /// The host name that the client asks for, in lower case; it is a valid DNS name.
    #[must_use]
    pub fn server_name(&self) -> Option<&str> {
        self.server_name.as_deref()
    }

    /// The raw bytes of the ClientHello, with their record headers. Nothing after them has been read.
    #[must_use]
    pub fn recorded(&self) -> &[u8] {
        &self.recorded
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
        StartHandshake::from_parts(self.accepted, RecordIo::new(self.stream)).into_stream(config)
    }

    /// As [`Hello::into_tls`], for a connection that is never handed over: fewer system calls.
    pub fn into_tls_for_good(self, config: Arc<ServerConfig>) -> Accept<RecordIo<TcpStream>> {
        StartHandshake::from_parts(self.accepted, RecordIo::unbounded(self.stream)).into_stream(config)
    }

    /// Leaves TLS to someone else: the connection, and the bytes that were taken from it.
    #[must_use]
    pub fn into_raw(self) -> (TcpStream, Vec<u8>) {
        (self.stream, self.recorded)
    }
}

impl std::fmt::Debug for Hello {
    // The server name may carry a tunnel token.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Hello").field("recorded", &self.recorded.len()).finish_non_exhaustive()
    }
}

/// Reads the ClientHello of a new connection until `deadline`, and not one byte more.
///
/// # Errors
/// [`HelloError`]; the connection is closed then.
pub async fn peek_hello(mut stream: TcpStream, deadline: Instant) -> Result<Hello, HelloError> {
    let mut recorded = Vec::new();
    let mut acceptor = Acceptor::default();
    loop {
        let start = recorded.len();
        match timeout_at(deadline, read_record(&mut stream, &mut recorded)).await {
            Ok(done) => done?,
            Err(_) => return Err(HelloError::TimedOut(recorded.len())),
        }
        let mut record = &recorded[start..];
        while !record.is_empty() {
            acceptor.read_tls(&mut record)?;
        }
        match acceptor.accept() {
            Ok(Some(accepted)) => {
                let server_name = accepted.client_hello().server_name().map(|name| name.to_ascii_lowercase().into());
                return Ok(Hello { stream, accepted, server_name, recorded });
            }
            Ok(None) => {}
            Err((error, alert)) => {
                send_alert(&stream, alert);
                return Err(HelloError::Broken(error));
            }
        }
    }
}

/// The alert is a courtesy: what the socket does not take at once is dropped.
fn send_alert(stream: &TcpStream, mut alert: AcceptedAlert) {
    let mut bytes = Vec::new();
    if alert.write_all(&mut bytes).is_ok() {
        let _ = stream.try_write(&bytes);
    }
}

/// Appends the next record to `recorded`. Dropping the future keeps what came.
async fn read_record(stream: &mut TcpStream, recorded: &mut Vec<u8>) -> Result<(), HelloError> {
    let start = recorded.len();
    let mut end = start + RECORD_HEADER_BYTES;
    while recorded.len() < end {
        if end > RECORDED_BYTES_MAX {
            return Err(HelloError::TooLarge);
        }
        let have = recorded.len();
        let mut limited = (&mut *stream).take((end - have) as u64);
        if limited.read_buf(recorded).await? == 0 {
            return Err(HelloError::Ended(have));
        }
        for (at, byte) in recorded.iter().enumerate().skip(have) {
            check_byte(at - start, start == 0, *byte, at)?;
        }
        if recorded.len() - start >= RECORD_HEADER_BYTES {
            let length = u16::from_be_bytes([recorded[start + 3], recorded[start + 4]]);
            if length == 0 {
                return Err(HelloError::NotTls { at: start + 4, byte: 0 });
            }
            end = start + RECORD_HEADER_BYTES + usize::from(length);
        }
    }
    Ok(())
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
