//! Peers of an edge that go only as far as a test wants them to.

use std::{
    io,
    net::{SocketAddr, TcpStream},
    sync::Arc,
    time::Duration,
};

use relay_trust::{TlsProfile, client_config, shared_key_verifier};
use rustls::{ClientConfig, ClientConnection, pki_types::ServerName};
use tokio_rustls::{TlsConnector, client::TlsStream};

/// How long a test waits for one step of a handshake.
const STEP: Duration = Duration::from_secs(20);

fn config(alpn: &[u8]) -> io::Result<Arc<ClientConfig>> {
    let profile = TlsProfile::default_for("linux").ok_or_else(|| io::Error::other("no profile"))?;
    client_config(profile, shared_key_verifier(), None, alpn).map(Arc::new).map_err(io::Error::other)
}

fn server_name(name: &str) -> io::Result<ServerName<'static>> {
    ServerName::try_from(name.to_owned()).map_err(io::Error::other)
}

/// A whole TLS handshake with whatever certificate the other side has, for this protocol and server name.
///
/// # Errors
/// What the system or TLS says.
pub async fn handshake(
    stream: tokio::net::TcpStream,
    alpn: &[u8],
    name: &str,
) -> io::Result<TlsStream<tokio::net::TcpStream>> {
    TlsConnector::from(config(alpn)?).connect(server_name(name)?, stream).await
}

/// The certificate that an edge presents to somebody who asks for no protocol of ours.
///
/// # Errors
/// What the system or TLS says.
pub fn certificate(address: SocketAddr) -> io::Result<Vec<u8>> {
    let mut tls =
        ClientConnection::new(config(b"certificate")?, server_name("localhost")?).map_err(io::Error::other)?;
    let mut stream = TcpStream::connect_timeout(&address, STEP)?;
    stream.set_read_timeout(Some(STEP))?;
    stream.set_write_timeout(Some(STEP))?;
    while tls.is_handshaking() {
        tls.complete_io(&mut stream)?;
    }
    let chain = tls.peer_certificates().and_then(|chain| chain.first());
    chain.map(|leaf| leaf.as_ref().to_vec()).ok_or_else(|| io::Error::other("no certificate"))
}
