//! A man in the middle: a TLS server that keeps what reaches it, raw and decrypted.

use std::{
    io,
    net::SocketAddr,
    pin::Pin,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll},
};

use relay_runtime::tasks::Tasks;
use relay_trust::{Identity, TlsVersion, server_config};
use rustls::{ServerConfig, sign::CertifiedKey};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, ReadBuf},
    net::{TcpListener, TcpStream},
};
use tokio_rustls::TlsAcceptor;

use super::soon;

/// What reached the man in the middle.
#[derive(Default)]
pub struct Catch {
    /// Every byte of the connections, as they came.
    raw: Mutex<Vec<u8>>,
    /// Bytes of application data after decryption.
    decrypted: AtomicUsize,
    handshakes: AtomicUsize,
    connections: AtomicUsize,
    ended: AtomicUsize,
}

impl Catch {
    pub fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }

    pub fn handshakes(&self) -> usize {
        self.handshakes.load(Ordering::SeqCst)
    }

    /// One connection came and ended, no handshake was completed on it, and not a byte of application data came: the records
    /// are handshake, change_cipher_spec and alert, in TLS 1.3 the last one encrypted.
    pub async fn nothing_was_sent(&self, versions: &[TlsVersion]) {
        soon(async {
            while self.ended.load(Ordering::SeqCst) == 0 {
                tokio::task::yield_now().await;
            }
        })
        .await;
        assert_eq!(self.connections(), 1, "connections");
        assert_eq!(self.handshakes(), 0, "handshakes completed");
        assert_eq!(self.decrypted.load(Ordering::SeqCst), 0, "bytes of application data");
        let raw = self.raw.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let mut records = Vec::new();
        let mut rest = &raw[..];
        while let Some(header) = rest.first_chunk::<5>() {
            let length = usize::from(u16::from_be_bytes([header[3], header[4]]));
            records.push((header[0], length));
            rest = rest.get(5 + length..).expect("whole records");
        }
        assert!(rest.is_empty(), "whole records");
        assert_eq!(records.first().map(|record| record.0), Some(22), "a ClientHello: {records:?}");
        let encrypted: Vec<usize> = records.iter().filter(|(kind, _)| *kind == 23).map(|(_, length)| *length).collect();
        assert!(records.iter().all(|(kind, _)| matches!(kind, 20..=23)), "{records:?}");
        if versions.contains(&TlsVersion::Tls13) {
            // Two bytes of alert, one of type, sixteen of tag (RFC 8446, section 5.2): no room for anything else.
            assert!(encrypted.iter().all(|length| *length == 19) && encrypted.len() <= 1, "{records:?}");
        } else {
            assert!(encrypted.is_empty(), "{records:?}");
        }
    }
}

/// Reads what was read before and then the connection, keeping a copy of all of it.
pub struct Caught {
    before: Vec<u8>,
    stream: TcpStream,
    catch: Arc<Catch>,
}

impl AsyncRead for Caught {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let start = buf.filled().len();
        let polled = if self.before.is_empty() {
            Pin::new(&mut self.stream).poll_read(cx, buf)
        } else {
            let count = self.before.len().min(buf.remaining());
            buf.put_slice(&self.before[..count]);
            self.before.drain(..count);
            Poll::Ready(Ok(()))
        };
        self.catch.raw.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(&buf.filled()[start..]);
        polled
    }
}

impl AsyncWrite for Caught {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

/// A certificate that anybody can copy, with a key that is not its own.
pub fn without_its_key(certificate: &Identity, key: &Identity) -> Arc<CertifiedKey> {
    let (shown, own) = (certificate.certified_key(), key.certified_key());
    Arc::new(CertifiedKey { cert: shown.cert.clone(), key: Arc::clone(&own.key), ocsp: None })
}

/// Takes one connection to its end: TLS if the peer goes along, and all that it sends. `before` was read from it already.
pub async fn take(stream: TcpStream, before: Vec<u8>, config: ServerConfig, catch: Arc<Catch>) {
    catch.connections.fetch_add(1, Ordering::SeqCst);
    let caught = Caught { before, stream, catch: Arc::clone(&catch) };
    let mut rest = Vec::new();
    match soon(TlsAcceptor::from(Arc::new(config)).accept(caught).into_fallible()).await {
        Ok(mut tls) => {
            catch.handshakes.fetch_add(1, Ordering::SeqCst);
            let _ = soon(tls.read_to_end(&mut rest)).await;
            catch.decrypted.fetch_add(rest.len(), Ordering::SeqCst);
        }
        Err((_, mut caught)) => {
            let _ = soon(caught.read_to_end(&mut rest)).await;
        }
    }
    catch.ended.fetch_add(1, Ordering::SeqCst);
}

/// A listener that is somebody else with this key.
pub async fn listen(tasks: &Tasks, key: Arc<CertifiedKey>, alpn: &'static [u8]) -> (SocketAddr, Arc<Catch>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let catch = Arc::new(Catch::default());
    let caught = Arc::clone(&catch);
    tasks.spawn("man in the middle", async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            take(stream, Vec::new(), server_config(Arc::clone(&key), Some(alpn)), Arc::clone(&caught)).await;
        }
    });
    (address, catch)
}
