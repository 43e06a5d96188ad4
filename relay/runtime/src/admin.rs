//! The admin address: `/healthz`, `/readyz`, `/metrics`, `/status` over HTTP/1.1.
//!
//! It has no authentication, so it belongs on loopback (the default) or on a network of the operator's own. It shows
//! counts and names, never a key, a token or a device's data.

use std::{
    convert::Infallible,
    io,
    net::{Ipv4Addr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use http_body_util::Full;
use hyper::{
    Method, Request, Response, StatusCode,
    body::{Body, Bytes},
    header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE, HeaderValue},
    server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::{TokioIo, TokioTimer};
use prometheus_client::registry::Registry;
use tokio::{net::TcpStream, sync::Semaphore, time::timeout};

use crate::{
    drain::Watch,
    listen::{BoundSocket, ListenError, Listener, TcpOptions},
    tasks::Tasks,
};

/// Where the admin address is unless the operator says otherwise: loopback, reachable from this machine alone.
pub const DEFAULT_HOST: Ipv4Addr = Ipv4Addr::LOCALHOST;
/// Connections at a time; more are closed unanswered. A probe, a scraper, an operator and some spare. Worst case with the
/// buffers below: 512 KiB.
const CONNECTIONS_MAX: usize = 32;
/// From the connection, or from the answer before, to the end of the next request's header.
const HEADER_DEADLINE: Duration = Duration::from_secs(5);
/// How long one connection may be used; a scraper connects again.
const CONNECTION_DEADLINE: Duration = Duration::from_secs(300);
/// Bytes that one connection buffers at most.
const BUFFER_BYTES_MAX: usize = 16 * 1024;
/// How long answers under way may take when the process stops.
const CLOSE_WAIT: Duration = Duration::from_secs(1);

const TEXT: HeaderValue = HeaderValue::from_static("text/plain; charset=utf-8");
const JSON: HeaderValue = HeaderValue::from_static("application/json");
const OPEN_METRICS: HeaderValue =
    HeaderValue::from_static("application/openmetrics-text; version=1.0.0; charset=utf-8");

/// What the admin address reports.
pub trait AdminSource: Send + Sync + 'static {
    /// Whether new work is welcome; otherwise why not, in a few words.
    ///
    /// # Errors
    /// The reason, shown with status 503.
    fn ready(&self) -> Result<(), String>;
    /// The state in numbers and names, as a JSON object. No secrets.
    fn status(&self) -> serde_json::Value;
    /// Called before metrics are read: the moment to set gauges that are costly to keep (memory, descriptors).
    fn refresh_metrics(&self) {}
}

/// The admin server, bound.
pub struct Admin {
    listener: Listener,
    registry: Arc<Registry>,
    source: Arc<dyn AdminSource>,
}

impl std::fmt::Debug for Admin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Admin").field("listener", &self.listener).finish_non_exhaustive()
    }
}

impl Admin {
    /// Listens on `address`, inside a tokio runtime.
    ///
    /// # Errors
    /// [`ListenError`] with what to do about it.
    pub fn bind(
        address: SocketAddr,
        registry: Arc<Registry>,
        source: Arc<dyn AdminSource>,
    ) -> Result<Self, ListenError> {
        Self::serve(Self::socket(address)?, registry, source)
    }

    /// Only the socket for it, which [`Self::serve`] takes.
    ///
    /// # Errors
    /// [`ListenError`] with what to do about it.
    pub fn socket(address: SocketAddr) -> Result<BoundSocket, ListenError> {
        BoundSocket::bind(address, TcpOptions { backlog: 128, ..TcpOptions::default() })
    }

    /// Serves a socket that is bound, inside a tokio runtime.
    ///
    /// # Errors
    /// [`ListenError`] if the runtime cannot watch it.
    pub fn serve(
        socket: BoundSocket,
        registry: Arc<Registry>,
        source: Arc<dyn AdminSource>,
    ) -> Result<Self, ListenError> {
        let listener = Listener::serve(socket)?;
        if let Ok(address) = listener.local_addr()
            && !address.ip().is_loopback()
        {
            tracing::warn!(%address, "the admin address is not loopback and has no authentication: keep it behind a firewall");
        }
        Ok(Self { listener, registry, source })
    }

    /// Where it listens, with the port that the system chose.
    ///
    /// # Errors
    /// What the operating system says.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// Answers until the process stops; while it drains, probes still get their answer.
    pub async fn run(self, mut watch: Watch) {
        let tasks = Tasks::new();
        let permits = Arc::new(Semaphore::new(CONNECTIONS_MAX));
        loop {
            let (stream, peer) = tokio::select! {
                () = watch.stopped() => break,
                accepted = self.listener.accept() => accepted,
            };
            let Ok(permit) = Arc::clone(&permits).try_acquire_owned() else {
                tracing::warn!(%peer, "too many connections to the admin address");
                continue;
            };
            let (registry, source) = (Arc::clone(&self.registry), Arc::clone(&self.source));
            tasks.spawn("admin connection", async move {
                serve(stream, registry, source).await;
                drop(permit);
            });
        }
        tasks.shutdown(CLOSE_WAIT).await;
    }
}

async fn serve(stream: TcpStream, registry: Arc<Registry>, source: Arc<dyn AdminSource>) {
    let service = service_fn(move |request: Request<hyper::body::Incoming>| {
        let response = answer(&request, &registry, source.as_ref());
        async move { Ok::<_, Infallible>(response) }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADER_DEADLINE)
        .max_buf_size(BUFFER_BYTES_MAX)
        .serve_connection(TokioIo::new(stream), service);
    match timeout(CONNECTION_DEADLINE, connection).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::debug!(%error, "admin connection"),
        Err(_) => tracing::debug!("admin connection used for long enough"),
    }
}

fn answer<B: Body>(request: &Request<B>, registry: &Registry, source: &dyn AdminSource) -> Response<Full<Bytes>> {
    let known = matches!(request.uri().path(), "/healthz" | "/readyz" | "/metrics" | "/status");
    if !known {
        return response(StatusCode::NOT_FOUND, TEXT, "here are /healthz /readyz /metrics /status\n");
    }
    // hyper leaves the body out of an answer to HEAD.
    if request.method() != Method::GET && request.method() != Method::HEAD {
        let mut refused = response(StatusCode::METHOD_NOT_ALLOWED, TEXT, "GET or HEAD\n");
        refused.headers_mut().insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
        return refused;
    }
    match request.uri().path() {
        "/healthz" => response(StatusCode::OK, TEXT, "ok\n"),
        "/readyz" => match source.ready() {
            Ok(()) => response(StatusCode::OK, TEXT, "ready\n"),
            Err(reason) => response(StatusCode::SERVICE_UNAVAILABLE, TEXT, format!("not ready: {reason}\n")),
        },
        "/status" => response(StatusCode::OK, JSON, format!("{:#}\n", source.status())),
        _ => {
            source.refresh_metrics();
            let mut text = String::new();
            match prometheus_client::encoding::text::encode(&mut text, registry) {
                Ok(()) => response(StatusCode::OK, OPEN_METRICS, text),
                Err(error) => response(StatusCode::INTERNAL_SERVER_ERROR, TEXT, format!("{error}\n")),
            }
        }
    }
}

fn response(status: StatusCode, content: HeaderValue, body: impl Into<Bytes>) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(body.into()));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, content);
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

#[cfg(test)]
mod tests;
