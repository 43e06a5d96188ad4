//! SPEC §2.3: one connection, from accept to its end. The ClientHello decides what it is.

use std::{sync::Arc, time::Duration};

use relay_runtime::{
    handover::RecordIo,
    listen::{HelloError, peek_hello},
    tls::ReloadableIdentity,
};
use relay_trust::{ServerIdentity, server_config};
use relay_wire::{ids::Token, limits, proof::alpn};
use rustls::{ServerConfig, server::ResolvesServerCert};
use tokio::{
    io::AsyncWriteExt,
    net::TcpStream,
    time::{Instant, timeout, timeout_at},
};
use tokio_rustls::{Accept, server::TlsStream};

use crate::{
    control,
    data::{self, DataTls},
    device,
    metrics::{Kind, OpenGuard},
    shared::{Peer, Shared},
    tunnel::{self, TunnelHello},
};

/// TLS that ends at the edge.
type EdgeTls = TlsStream<RecordIo<TcpStream>>;

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

/// Where a connection goes. It may hold a token, so it has no `Debug`.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Route {
    /// A device's connection: TLS ends here.
    Device,
    /// A control connection: TLS ends here.
    Control,
    /// A data connection: TLS ends here, until the hand-over.
    Data,
    /// A tunnel: TLS ends at the backend. `None`: the server name holds no token.
    Tunnel(Option<Token>),
    /// None of ours: it is shown the certificate.
    Other,
}

impl Route {
    /// What a ClientHello asks for: the first protocol of ours among those that it offers; and a tunnel's token, from the server
    /// name (in lower case, as [`relay_runtime::listen::ClientHello::server_name`] gives it).
    #[must_use]
    pub fn of<'a>(mut offered: impl Iterator<Item = &'a [u8]>, server_name: Option<&str>) -> Self {
        offered
            .find_map(|name| match name {
                alpn::DEVICE => Some(Self::Device),
                alpn::CONTROL => Some(Self::Control),
                alpn::DATA => Some(Self::Data),
                alpn::TUNNEL => Some(Self::Tunnel(server_name.and_then(Token::from_server_name))),
                _ => None,
            })
            .unwrap_or(Self::Other)
    }

    const fn kind(self) -> Kind {
        match self {
            Self::Device => Kind::Device,
            Self::Control => Kind::Control,
            Self::Data => Kind::Data,
            Self::Tunnel(_) => Kind::Tunnel,
            Self::Other => Kind::Other,
        }
    }
}

/// A connection whose kind is known, and whose TLS stands if it ends here.
struct Arrived {
    leg: Leg,
    open: OpenGuard,
}

/// Boxed: while a connection is idle, its task holds the room of what it is and not of what it could have been.
enum Leg {
    Device(Box<EdgeTls>),
    Control(Box<EdgeTls>),
    Data(Box<DataTls>),
    Tunnel(TunnelHello),
    Other(Box<EdgeTls>),
}

/// Serves one admitted connection until it ends. `accepted` is the same moment as the peer's, by tokio's clock.
pub async fn serve(shared: Arc<Shared>, tls: Arc<TlsConfigs>, stream: TcpStream, peer: Peer, accepted: Instant) {
    let deadline = accepted + limits::FIRST_FRAME;
    let Some(Arrived { leg, open }) = Box::pin(arrive(&shared, tls, stream, &peer, deadline)).await else { return };
    match leg {
        Leg::Device(mut stream) => {
            Box::pin(device::serve(shared, &mut stream, peer)).await;
            close(&mut stream).await;
        }
        Leg::Control(mut stream) => {
            Box::pin(control::serve(shared, &mut stream, peer)).await;
            close(&mut stream).await;
        }
        Leg::Data(stream) => {
            if let Some(mut stream) = Box::pin(data::serve(shared, stream, peer, open)).await {
                close(&mut stream).await;
            }
            return;
        }
        Leg::Tunnel(hello) => Box::pin(tunnel::serve(shared, hello, peer)).await,
        Leg::Other(mut stream) => {
            tracing::debug!(remote = %peer.remote, "no protocol of ours was asked for: certificate shown, closed");
            close(&mut stream).await;
        }
    }
    drop(open);
}

/// From accept to what the connection is.
async fn arrive(
    shared: &Shared,
    tls: Arc<TlsConfigs>,
    stream: TcpStream,
    peer: &Peer,
    deadline: Instant,
) -> Option<Arrived> {
    let hello = match peek_hello(stream, deadline).await {
        Ok(hello) => hello,
        Err(error) => {
            shared.metrics.handshake_failure(hello_failure(&error));
            tracing::debug!(remote = %peer.remote, %error, "no ClientHello");
            return None;
        }
    };
    let route = Route::of(hello.alpn(), hello.server_name());
    let open = shared.metrics.connection(route.kind());
    let (config, leg): (_, fn(Box<EdgeTls>) -> Leg) = match route {
        Route::Device => (&tls.device, Leg::Device),
        Route::Control => (&tls.control, Leg::Control),
        Route::Data => (&tls.data, Leg::Data),
        Route::Other => (&tls.other, Leg::Other),
        Route::Tunnel(token) => {
            let (device, recorded) = hello.into_raw();
            return Some(Arrived { leg: Leg::Tunnel(TunnelHello { device, recorded, token }), open });
        }
    };
    // Only a data connection is handed over; the others may read as much as there is.
    let config = Arc::clone(config);
    let accept = if route == Route::Data { hello.into_tls(config) } else { hello.into_tls_for_good(config) };
    let stream = handshake(shared, accept, peer, deadline).await?;
    Some(Arrived { leg: leg(Box::new(stream)), open })
}

/// The TLS handshake, to the deadline of the first frame.
async fn handshake(
    shared: &Shared,
    accept: Accept<RecordIo<TcpStream>>,
    peer: &Peer,
    deadline: Instant,
) -> Option<EdgeTls> {
    match timeout_at(deadline, accept).await {
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
async fn close(stream: &mut EdgeTls) {
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

#[cfg(test)]
mod tests {
    use super::*;

    /// Bytes of the future that `of` makes.
    const fn size<A, B, C, D, E, F>(_of: fn(A, B, C, D, E) -> F) -> usize {
        size_of::<F>()
    }

    const fn device_size<'a, F>(_of: fn(Arc<Shared>, &'a mut EdgeTls, Peer) -> F) -> usize {
        size_of::<F>()
    }

    /// Every idle device holds both; what only other kinds of connections need must not be in them.
    #[test]
    fn an_idle_device_holds_a_small_task() {
        assert!(size(serve) <= 640, "{}", size(serve));
        let device = device_size(device::serve::<RecordIo<TcpStream>>);
        assert!(device <= 1_024, "{device}");
    }
}
