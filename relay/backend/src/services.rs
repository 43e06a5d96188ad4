//! What a backend offers inside a tunnel: upstreams by name, and the built-in services.

use std::{collections::BTreeMap, io, net::SocketAddr, time::Duration};

use relay_runtime::{
    buffers::{Buffers, ReadAhead},
    config::HostPort,
};
use relay_wire::{
    builtin::Status,
    frame::data::Remote,
    grant::Grant,
    ids::{Exporter, ServiceName},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

mod builtin;
pub mod copy;
pub mod enrol;
pub mod proxy_protocol;
pub mod upstream;

pub use builtin::{echo, sink, source};

/// The name of the service that enrols devices, at the master only.
pub const ENROL: &str = "enrol";

/// How long the device may take to end its side after ours has ended, and how much it may still send: without waiting,
/// what was sent last could be lost to a reset.
const LINGER: Duration = Duration::from_secs(5);
const LINGER_BYTES_MAX: usize = 1 << 20;

/// A tunnel on which TLS stands.
pub type TunnelStream = tokio_rustls::server::TlsStream<ReadAhead<TcpStream>>;

/// A service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Service {
    /// An upstream.
    Tcp(Upstream),
    /// Swallows all, answers with count and SHA-256.
    Sink,
    /// Sends what a seed decides.
    Source,
    /// Sends back what it gets.
    Echo,
    /// Registers a device's key.
    Enrol,
}

/// An upstream and how it is reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Upstream {
    /// Where.
    pub target: HostPort,
    /// Whether it is told who is at the other end (PROXY protocol v2).
    pub proxy_protocol: bool,
    /// How long it may take to accept the connection.
    pub connect_timeout: Duration,
}

/// The services of a backend, by name.
pub type Services = BTreeMap<ServiceName, Service>;

/// Who is at the other end of a tunnel, proved.
pub struct Peer {
    /// The master's word, verified.
    pub grant: Grant,
    /// The device's address, by the edge's word.
    pub remote: Remote,
    /// This tunnel's exporter.
    pub exporter: Exporter,
    /// The device's public key (SubjectPublicKeyInfo, DER), possession proved in the handshake.
    pub spki: Vec<u8>,
}

impl Peer {
    /// The device's address.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        proxy_protocol::remote_address(&self.remote)
    }
}

/// What every service may use.
#[derive(Clone)]
pub struct Means {
    /// Buffers for bytes on their way.
    pub buffers: Buffers,
    /// Counts.
    pub metrics: crate::metrics::Metrics,
    /// No byte either way for this long ends a tunnel.
    pub idle: Duration,
}

/// Writes the answer to the preface.
///
/// # Errors
/// What writing gave.
pub async fn say(tunnel: &mut TunnelStream, status: Status) -> io::Result<()> {
    tunnel.write_all(&[status.number()]).await?;
    tunnel.flush().await
}

/// Ends our side of a tunnel and waits a moment for the device to end its own.
pub async fn finish(tunnel: &mut TunnelStream) {
    let ending = async {
        tunnel.shutdown().await?;
        let mut scratch = [0; 4_096];
        let mut swallowed = 0;
        while swallowed < LINGER_BYTES_MAX {
            match tunnel.read(&mut scratch).await? {
                0 => break,
                count => swallowed += count,
            }
        }
        io::Result::Ok(())
    };
    // However this ends, the tunnel is over: there is nobody to tell.
    let _ = timeout(LINGER, ending).await;
}

/// Ends a tunnel so that the device cannot take what came for the whole: no close_notify, and a reset instead of a FIN.
pub fn abort(tunnel: &TunnelStream) {
    let _ = tunnel.get_ref().0.get_ref().set_zero_linger();
}
