//! TCP and TLS, each with its deadline.

use std::{io, net::SocketAddr, sync::Arc, time::Duration};

use relay_runtime::buffers::{Buffers, ReadAhead};
use relay_trust::{Identity, LastVerdict, PinSet, TlsProfile, client_config, edge_verifier};
use relay_wire::{
    ids::{Exporter, Token},
    limits,
    proof::{alpn, exporter_label},
};
use rustls::{
    client::danger::ServerCertVerifier,
    pki_types::{CertificateDer, ServerName},
};
use tokio::{
    net::{TcpStream, lookup_host},
    time::{Instant, timeout, timeout_at},
};
use tokio_rustls::{TlsConnector, client::TlsStream};

use super::{Failure, Step, Tunnel};
use crate::target::{EdgeAddress, EdgeTarget};

/// From the first packet to a connected socket, over all addresses of one edge: a TCP handshake with three losses.
pub const CONNECT: Duration = Duration::from_secs(10);
/// From a tunnel's hello to the end of its TLS handshake: the edge may have to ask the backend for a data connection.
pub const TUNNEL: Duration = limits::TUNNEL_MATCH.saturating_add(limits::TUNNEL_HANDSHAKE);

/// A TLS connection to an edge.
pub struct EdgeConnection {
    /// The stream.
    pub stream: TlsStream<TcpStream>,
    /// The edge's address, to which tunnels go too.
    pub address: SocketAddr,
    /// What binds proofs to this connection.
    pub exporter: Exporter,
    /// How long TCP took, name resolution included.
    pub connect_time: Duration,
    /// How long TLS took.
    pub tls_time: Duration,
}

/// Connects to the first edge of `target` that can be reached, and accepts only a certificate that matches a pin AND whose
/// chain leads to a root.
///
/// # Errors
/// [`Failure::Halted`] at once for a wrong pin or missing possession, whichever edge it was; otherwise the failure of the
/// last edge.
pub async fn edge(target: &EdgeTarget, profile: &TlsProfile) -> Result<EdgeConnection, Failure> {
    let mut failure = Failure::Local("no edge address is given".into());
    for address in &target.edges {
        match one_edge(target, address, profile).await {
            Ok(connection) => return Ok(connection),
            Err(halted @ Failure::Halted { .. }) => return Err(halted),
            Err(other) => failure = other,
        }
    }
    Err(failure)
}

async fn one_edge(target: &EdgeTarget, edge: &EdgeAddress, profile: &TlsProfile) -> Result<EdgeConnection, Failure> {
    let started = Instant::now();
    let (tcp, address) = connect(edge, Step::Connect).await?;
    let connected = Instant::now();
    let verdict = Arc::new(LastVerdict::default());
    let verifier = edge_verifier(target.pins.clone(), Some(target.roots.clone()), Arc::clone(&verdict));
    let connector = connector(profile, verifier, None, alpn::DEVICE)?;
    let name = target.server_name.clone();
    let stream = match timeout(limits::FIRST_FRAME, connector.connect(name, tcp)).await {
        Err(_) => return Err(Failure::Timeout { step: Step::Tls, after: limits::FIRST_FRAME }),
        Ok(Ok(stream)) => stream,
        Ok(Err(error)) => return Err(edge_failure(&verdict, edge, error)),
    };
    if stream.get_ref().1.alpn_protocol() != Some(alpn::DEVICE) {
        return Err(Failure::Violation {
            step: Step::Tls,
            what: "the edge did not choose the protocol sallyport/device",
        });
    }
    let exporter = exporter(&stream, exporter_label::DEVICE)?;
    let tls_time = connected.elapsed();
    Ok(EdgeConnection { stream, address, exporter, connect_time: connected - started, tls_time })
}

fn edge_failure(verdict: &LastVerdict, edge: &EdgeAddress, error: io::Error) -> Failure {
    let verdict = verdict.get();
    if verdict.halts() {
        return Failure::Halted { peer: "the edge", reason: verdict.to_string() };
    }
    if verdict.refuses() {
        return Failure::Tls { step: Step::Tls, peer: edge.to_string(), reason: verdict.to_string() };
    }
    tls_failure(Step::Tls, edge.to_string(), error)
}

/// Tells a broken connection from a broken handshake.
fn tls_failure(step: Step, peer: String, source: io::Error) -> Failure {
    match source.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>()) {
        Some(reason) => Failure::Tls { step, peer, reason: reason.to_string() },
        None => Failure::Unreachable { step, peer, source },
    }
}

async fn connect(edge: &EdgeAddress, step: Step) -> Result<(TcpStream, SocketAddr), Failure> {
    let deadline = Instant::now() + CONNECT;
    let late = || Failure::Timeout { step, after: CONNECT };
    let unreachable = |source| Failure::Unreachable { step, peer: edge.to_string(), source };
    let addresses: Vec<SocketAddr> = timeout_at(deadline, lookup_host((edge.host(), edge.port())))
        .await
        .map_err(|_| late())?
        .map_err(unreachable)?
        .collect();
    let mut failure = io::Error::new(io::ErrorKind::NotFound, "the name has no address");
    for address in addresses {
        match timeout_at(deadline, TcpStream::connect(address)).await {
            Err(_) => return Err(late()),
            Ok(Ok(tcp)) => {
                tcp.set_nodelay(true).map_err(unreachable)?;
                return Ok((tcp, address));
            }
            Ok(Err(error)) => failure = error,
        }
    }
    Err(unreachable(failure))
}

fn connector(
    profile: &TlsProfile,
    verifier: Arc<dyn ServerCertVerifier>,
    identity: Option<&Identity>,
    alpn: &[u8],
) -> Result<TlsConnector, Failure> {
    let config = client_config(profile, verifier, identity, alpn).map_err(|error| Failure::Local(error.to_string()))?;
    Ok(TlsConnector::from(Arc::new(config)))
}

fn exporter<IO>(stream: &TlsStream<IO>, label: &[u8]) -> Result<Exporter, Failure> {
    let bytes = stream
        .get_ref()
        .1
        .export_keying_material([0; 32], label, None)
        .map_err(|error| Failure::Local(format!("exporter: {error}")))?;
    Ok(Exporter(bytes))
}

/// A tunnel's TLS connection to a backend, before its preface.
pub struct TunnelConnection {
    /// The stream.
    pub stream: Tunnel,
    /// What binds proofs to this connection.
    pub exporter: Exporter,
    /// The backend's certificate, which matched a pin.
    pub certificate: CertificateDer<'static>,
}

/// Claims the tunnel of `token` at the edge and speaks TLS with the backend behind it, reading into `buffers`.
///
/// # Errors
/// [`Failure::WrongBackend`] if its certificate matches no pin; otherwise a matter of reach.
pub async fn tunnel(
    edge: SocketAddr,
    buffers: &Buffers,
    token: &Token,
    pins: PinSet,
    identity: &Identity,
    profile: &TlsProfile,
    step: Step,
) -> Result<TunnelConnection, Failure> {
    let unreachable = |source| Failure::Unreachable { step, peer: edge.to_string(), source };
    let tcp = timeout(CONNECT, TcpStream::connect(edge))
        .await
        .map_err(|_| Failure::Timeout { step, after: CONNECT })?
        .map_err(unreachable)?;
    tcp.set_nodelay(true).map_err(unreachable)?;
    let verdict = Arc::new(LastVerdict::default());
    // The pin alone: a backend's certificate has no chain, and its name means nothing here. As for an edge, the verdict is
    // kept, so that a wrong peer is told from a broken connection.
    let verifier = edge_verifier(pins, None, Arc::clone(&verdict));
    let name = ServerName::try_from(token.server_name()).map_err(|error| Failure::Local(error.to_string()))?;
    let connector = connector(profile, verifier, Some(identity), alpn::TUNNEL)?;
    let tcp = ReadAhead::new(tcp, buffers.clone());
    let stream = match timeout(TUNNEL, connector.connect(name, tcp)).await {
        Err(_) => return Err(Failure::Timeout { step, after: TUNNEL }),
        Ok(Ok(stream)) => stream,
        Ok(Err(error)) => return Err(backend_failure(&verdict, edge, step, error)),
    };
    let certificate = stream.get_ref().1.peer_certificates().and_then(|chain| chain.first()).cloned();
    let certificate = certificate.ok_or(Failure::Violation { step, what: "the backend showed no certificate" })?;
    let exporter = exporter(&stream, exporter_label::TUNNEL)?;
    Ok(TunnelConnection { stream, exporter, certificate: certificate.into_owned() })
}

fn backend_failure(verdict: &LastVerdict, edge: SocketAddr, step: Step, error: io::Error) -> Failure {
    let verdict = verdict.get();
    if verdict.halts() {
        return Failure::WrongBackend(verdict.to_string());
    }
    tls_failure(step, edge.to_string(), error)
}
