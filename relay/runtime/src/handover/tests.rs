use std::{
    io,
    pin::Pin,
    task::{Context, Poll},
};

use rustls::SupportedProtocolVersion;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, DuplexStream, ReadBuf, duplex};
use tokio_rustls::{TlsAcceptor, TlsConnector};

use super::*;
use crate::test_tls::{VERSIONS, certified_key, client_config, server_config, server_name, tcp_pair};

/// Gives and takes at most so many bytes at a time.
#[derive(Debug)]
struct Trickle<IO> {
    io: IO,
    bytes: usize,
}

impl<IO: AsyncRead + Unpin> AsyncRead for Trickle<IO> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let room = self.bytes.min(buf.remaining());
        let mut part = ReadBuf::new(buf.initialize_unfilled_to(room));
        ready!(Pin::new(&mut self.io).poll_read(cx, &mut part))?;
        let read = part.filled().len();
        buf.advance(read);
        Poll::Ready(Ok(()))
    }
}

impl<IO: AsyncWrite + Unpin> AsyncWrite for Trickle<IO> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let end = self.bytes.min(buf.len());
        Pin::new(&mut self.io).poll_write(cx, &buf[..end])
    }
    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(cx)
    }
    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(cx)
    }
}

type Edge<IO> = tokio_rustls::server::TlsStream<RecordIo<IO>>;
type Backend<IO> = tokio_rustls::client::TlsStream<RecordIo<IO>>;

async fn handshake<IO: AsyncRead + AsyncWrite + Unpin>(
    (edge, backend): (IO, IO),
    versions: &[&'static SupportedProtocolVersion],
) -> (Edge<IO>, Backend<IO>) {
    let key = certified_key();
    let client = client_config(&key.cert, versions);
    let server = server_config(crate::tls::ReloadableIdentity::new(key));
    let (edge, backend) = tokio::join!(
        TlsAcceptor::from(server).accept(RecordIo::new(edge)),
        TlsConnector::from(client).connect(server_name(), RecordIo::new(backend))
    );
    (edge.unwrap(), backend.unwrap())
}

/// The bytes of a device behind close_notify, chosen so that they look like TLS records, as they do in earnest.
fn device_bytes() -> Vec<u8> {
    let mut bytes = vec![22, 3, 1, 2, 0];
    bytes.extend((0..=255_u8).chain(0..=255));
    bytes
}

/// Writes `bytes` and reads as many as are expected, at the same time: neither side waits for the other to read.
async fn talk<IO: AsyncRead + AsyncWrite + Unpin>(raw: IO, bytes: &[u8], expected: usize) -> (IO, Vec<u8>) {
    let (mut read, mut write) = tokio::io::split(raw);
    let mut got = vec![0; expected];
    let (written, read_done) = tokio::join!(write.write_all(bytes), read.read_exact(&mut got));
    written.unwrap();
    read_done.unwrap();
    (read.unsplit(write), got)
}

/// Hands a connection over and checks every byte that went raw, in both directions.
async fn hand_over_and_check<IO: AsyncRead + AsyncWrite + Unpin>(mut edge: Edge<IO>, mut backend: Backend<IO>) {
    let hello = device_bytes();
    let on_edge = async {
        edge.write_all(b"assign").await.unwrap();
        edge.flush().await.unwrap();
        let raw = hand_over_with(edge, &hello).await.unwrap();
        talk(raw, b"device to backend", hello.len() + 3).await
    };
    let on_backend = async {
        let mut assign = [0; 6];
        backend.read_exact(&mut assign).await.unwrap();
        assert_eq!(&assign, b"assign");
        let raw = hand_over(backend).await.unwrap();
        talk(raw, &[&hello[..], b"end"].concat(), hello.len() + 17).await
    };
    let ((edge, at_edge), (backend, at_backend)) = tokio::join!(on_edge, on_backend);
    assert_eq!(at_edge, [&hello[..], b"end"].concat());
    assert_eq!(at_backend, [&hello[..], b"device to backend"].concat());
    // No FIN was sent by ending TLS: both directions still work.
    let (mut edge, mut backend) = (edge, backend);
    edge.write_all(b"x").await.unwrap();
    assert_eq!(backend.read_u8().await.unwrap(), b'x');
    backend.write_all(b"y").await.unwrap();
    assert_eq!(edge.read_u8().await.unwrap(), b'y');
}

#[tokio::test]
async fn no_byte_is_lost_over_tcp() {
    for versions in VERSIONS {
        let (edge, backend) = handshake(tcp_pair().await, versions).await;
        hand_over_and_check(edge, backend).await;
    }
}

#[tokio::test]
async fn no_byte_is_lost_in_whatever_pieces_they_come() {
    for versions in VERSIONS {
        for bytes in [1, 2, 5, 6, 7, 100, usize::MAX] {
            // A TLS 1.3 client does not read on before its 6 bytes of change_cipher_spec are gone, and the server not
            // before its flight is: with less room than that both would wait in the handshake.
            for buffer in [6, 64, 1024 * 1024] {
                let (edge, backend) = duplex(buffer);
                let pair = (Trickle { io: edge, bytes }, Trickle { io: backend, bytes });
                let (edge, backend) = handshake(pair, versions).await;
                hand_over_and_check(edge, backend).await;
            }
        }
    }
}

/// Everything one side ever sends is there before the other reads: Assign, close_notify and raw bytes in one piece.
#[tokio::test]
async fn raw_bytes_coalesced_behind_close_notify_are_kept() {
    for versions in VERSIONS {
        let (mut edge, mut backend) = handshake(duplex(1024 * 1024), versions).await;
        edge.write_all(b"assign").await.unwrap();
        edge.shutdown().await.unwrap();
        edge.get_mut().0.get_mut().write_all(b"raw behind").await.unwrap();
        // One read with room for everything sees Assign and close_notify, and leaves what is behind.
        let mut all = vec![0; 4096];
        assert_eq!(backend.read(&mut all).await.unwrap(), 6);
        backend.shutdown().await.unwrap();
        backend.get_mut().0.get_mut().write_all(b"raw back").await.unwrap();
        let mut backend = hand_over(backend).await.unwrap();
        let mut raw = [0; 10];
        backend.read_exact(&mut raw).await.unwrap();
        assert_eq!(&raw, b"raw behind");
        let mut edge = hand_over_with(edge, b"").await.unwrap();
        let mut raw = [0; 8];
        edge.read_exact(&mut raw).await.unwrap();
        assert_eq!(&raw, b"raw back");
    }
}

#[tokio::test]
async fn large_data_goes_through_record_by_record() {
    for versions in VERSIONS {
        let (mut edge, mut backend) = handshake(duplex(10_000), versions).await;
        let sent: Vec<u8> = (0..=252_u8).cycle().take(300_000).collect();
        let (sent, got) = tokio::join!(
            async {
                edge.write_all(&sent).await.unwrap();
                edge.flush().await.unwrap();
                sent
            },
            async {
                let mut got = vec![0; 300_000];
                backend.read_exact(&mut got).await.unwrap();
                got
            }
        );
        assert_eq!(sent, got);
        hand_over_and_check(edge, backend).await;
    }
}

#[tokio::test]
async fn application_data_where_close_notify_belongs_is_an_error() {
    for versions in VERSIONS {
        let (edge, mut backend) = handshake(duplex(4096), versions).await;
        backend.write_all(b"?").await.unwrap();
        backend.flush().await.unwrap();
        let error = hand_over_with(edge, b"raw").await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::InvalidData);
    }
}

#[tokio::test]
async fn a_lost_connection_is_an_error() {
    for versions in VERSIONS {
        let (edge, backend) = handshake(duplex(4096), versions).await;
        drop(edge);
        assert_eq!(hand_over(backend).await.unwrap_err().kind(), io::ErrorKind::UnexpectedEof);
    }
}

#[tokio::test]
async fn raw_bytes_instead_of_close_notify_are_an_error() {
    for versions in VERSIONS {
        let (mut edge, backend) = handshake(duplex(4096), versions).await;
        edge.get_mut().0.get_mut().write_all(&device_bytes()).await.unwrap();
        assert_eq!(hand_over(backend).await.unwrap_err().kind(), io::ErrorKind::InvalidData);
    }
}

#[tokio::test(start_paused = true)]
async fn a_silent_peer_is_given_up() {
    let start = tokio::time::Instant::now();
    let (edge, _backend) = handshake(duplex(64), VERSIONS[1]).await;
    // More raw bytes than fit, and nobody who reads them.
    assert_eq!(hand_over_with(edge, &[0; 1000]).await.unwrap_err().kind(), io::ErrorKind::TimedOut);
    let (_edge, backend) = handshake(duplex(4096), VERSIONS[1]).await;
    assert_eq!(hand_over(backend).await.unwrap_err().kind(), io::ErrorKind::TimedOut);
    assert_eq!(start.elapsed().as_secs(), 2 * limits::HAND_OVER.as_secs());
}

async fn records(bytes: &[u8]) -> (RecordIo<DuplexStream>, DuplexStream) {
    let (near, mut far) = duplex(256 * 1024);
    far.write_all(bytes).await.unwrap();
    (RecordIo::new(near), far)
}

#[tokio::test]
async fn no_read_goes_past_a_record_of_any_size() {
    for length in [0_u16, 1, 2, 16_384, 16_384 + 256, 18_433, u16::MAX] {
        let [high, low] = length.to_be_bytes();
        let mut bytes = vec![23, 3, 3, high, low];
        bytes.extend(vec![7; usize::from(length)]);
        bytes.extend_from_slice(&[21, 3, 3, 0, 2, 1, 0]);
        bytes.extend_from_slice(b"behind");
        let (mut io, _far) = records(&bytes).await;
        let mut scratch = vec![0; 128 * 1024];
        let mut header = [0; 5];
        io.read_exact(&mut header).await.unwrap();
        let mut body = 0;
        while body < usize::from(length) {
            body += io.read(&mut scratch).await.unwrap();
        }
        assert_eq!(body, usize::from(length));
        assert_eq!(io.read(&mut scratch).await.unwrap(), 5);
        assert_eq!(io.read(&mut scratch).await.unwrap(), 2);
        let mut inner = io.into_inner().unwrap();
        assert_eq!(inner.read(&mut scratch).await.unwrap(), 6);
        assert_eq!(&scratch[..6], b"behind");
    }
}

#[tokio::test]
async fn a_record_cut_short_cannot_be_left() {
    for have in [1, 4, 5, 6] {
        let (mut io, _far) = records(&[23, 3, 3, 0, 2, 1, 1]).await;
        let mut scratch = vec![0; have];
        io.read_exact(&mut scratch).await.unwrap();
        assert_eq!(io.into_inner().unwrap_err().kind(), io::ErrorKind::InvalidData, "after {have} bytes");
    }
    let (near, _far) = duplex(64);
    assert!(RecordIo::unbounded(near).into_inner().is_err());
}

#[tokio::test]
async fn an_unbounded_stream_reads_what_there_is() {
    let (near, mut far) = duplex(64);
    far.write_all(&[23, 3, 3, 0, 1, 1, 23, 3]).await.unwrap();
    let mut io = RecordIo::unbounded(near);
    let mut scratch = [0; 64];
    assert_eq!(io.read(&mut scratch).await.unwrap(), 8);
}
