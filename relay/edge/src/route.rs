//! SPEC §1: one connection, from accept to its end. The ClientHello decides what it is.

use std::{sync::Arc, time::Duration};

use relay_runtime::{
    handover::RecordIo,
    listen::{Hello, HelloError, peek_hello},
    tls::ReloadableIdentity,
};
use relay_trust::{ServerIdentity, server_config};
use relay_wire::{limits, proof::alpn};
use rustls::{ServerConfig, server::ResolvesServerCert};
use tokio::{
    io::AsyncWriteExt,
    net::TcpStream,
    time::{Instant, timeout, timeout_at},
};
use tokio_rustls::server::TlsStream;

use crate::{
    control, data, device,
    metrics::Kind,
    shared::{Peer, Shared},
    tunnel,
};

/// How long close_notify may take to leave: a peer that takes nothing is not waited for.
const CLOSE: Duration = Duration::from_secs(1);

/// One TLS configuration for each kind of connection that ends here; all present the same certificate.
pub struct TlsConfigs {
    device: Arc<ServerConfig>,
    control: Arc<ServerConfig>,
    data: Arc<ServerConfig>,
    other: Arc<ServerConfig>,
}

impl TlsConfigs {
    /// The configurations for a certificate that can be exchanged.
    #[must_use]
    pub fn new(identity: &Arc<ReloadableIdentity>) -> Self {
        let resolver: Arc<dyn ResolvesServerCert> = Arc::<ReloadableIdentity>::clone(identity);
        let identity = ServerIdentity::from(resolver);
        let config = |alpn| Arc::new(server_config(identity.clone(), alpn));
        Self {
            device: config(Some(alpn::DEVICE)),
            control: config(Some(alpn::CONTROL)),
            data: config(Some(alpn::DATA)),
            other: config(None),
        }
    }
}

/// What a ClientHello asks for: the first protocol of ours in its list.
fn kind(hello: &Hello) -> Kind {
    let known = [
        (alpn::DEVICE, Kind::Device),
        (alpn::CONTROL, Kind::Control),
        (alpn::DATA, Kind::Data),
        (alpn::TUNNEL, Kind::Tunnel),
    ];
    hello
        .alpn()
        .find_map(|offered| known.iter().find(|(name, _)| *name == offered).map(|(_, kind)| *kind))
        .unwrap_or(Kind::Other)
}

/// Serves one admitted connection until it ends. `accepted` is the same moment as the peer's, by tokio's clock.
///
/// Each kind's future is boxed, so that an idle device does not hold the room that a tunnel would need.
pub async fn serve(shared: Arc<Shared>, tls: Arc<TlsConfigs>, stream: TcpStream, peer: Peer, accepted: Instant) {
    let deadline = accepted + limits::FIRST_FRAME;
    let hello = match Box::pin(peek_hello(stream, deadline)).await {
        Ok(hello) => hello,
        Err(error) => {
            shared.metrics.handshake_failure(hello_failure(&error));
            tracing::debug!(remote = %peer.remote, %error, "no ClientHello");
            return;
        }
    };
    let kind = kind(&hello);
    let open = shared.metrics.connection(kind);
    match kind {
        Kind::Tunnel => {
            let name = hello.server_name().map(str::to_owned);
            let (stream, recorded) = hello.into_raw();
            Box::pin(tunnel::serve(&shared, stream, recorded, name.as_deref(), peer)).await;
        }
        Kind::Data => {
            let config = Arc::clone(&tls.data);
            let Some(stream) = handshake(&shared, hello, config, &peer, deadline).await else { return };
            if let Some(mut stream) = Box::pin(data::serve(shared, stream, peer, open)).await {
                close(&mut stream).await;
            }
        }
        Kind::Device => {
            let config = Arc::clone(&tls.device);
            let Some(mut stream) = handshake(&shared, hello, config, &peer, deadline).await else { return };
            Box::pin(device::serve(shared, &mut stream, peer)).await;
            close(&mut stream).await;
        }
        Kind::Control => {
            let config = Arc::clone(&tls.control);
            let Some(mut stream) = handshake(&shared, hello, config, &peer, deadline).await else { return };
            Box::pin(control::serve(shared, &mut stream, peer)).await;
            close(&mut stream).await;
        }
        Kind::Other => {
            let config = Arc::clone(&tls.other);
            let Some(mut stream) = handshake(&shared, hello, config, &peer, deadline).await else { return };
            tracing::debug!(remote = %peer.remote, "no protocol of ours was asked for: certificate shown, closed");
            close(&mut stream).await;
        }
    }
}

/// The TLS handshake, to the deadline of the first frame.
async fn handshake(
    shared: &Shared,
    hello: Hello,
    config: Arc<ServerConfig>,
    peer: &Peer,
    deadline: Instant,
) -> Option<TlsStream<RecordIo<TcpStream>>> {
    let for_data = config.alpn_protocols.first().is_some_and(|name| name == alpn::DATA);
    let accept = if for_data { hello.into_tls(config) } else { hello.into_tls_for_good(config) };
    match timeout_at(deadline, Box::pin(accept)).await {
        Ok(Ok(stream)) => Some(stream),
        Ok(Err(error)) => {
            shared.metrics.handshake_failure("tls");
            tracing::debug!(remote = %peer.remote, %error, "TLS handshake failed");
            None
        }
        Err(_) => {
            shared.metrics.handshake_failure("timeout");
            tracing::debug!(remote = %peer.remote, "TLS handshake not finished in time");
            None
        }
    }
}

/// Says close_notify, if the peer takes it.
async fn close(stream: &mut TlsStream<RecordIo<TcpStream>>) {
    let _ = timeout(CLOSE, stream.shutdown()).await;
}

/// The failure as the metric spells it.
const fn hello_failure(error: &HelloError) -> &'static str {
    match error {
        HelloError::Ended(_) => "ended",
        HelloError::TimedOut(_) => "timeout",
        HelloError::NotTls { .. } => "not-tls",
        HelloError::TooLarge => "too-large",
        HelloError::Broken(_) => "broken-hello",
        HelloError::Io(_) => "io",
    }
}
