//! Peers of an edge that go only as far as a test wants them to.

use std::{
    io,
    net::{SocketAddr, TcpStream},
    sync::Arc,
    time::Duration,
};

use relay_trust::{TlsProfile, client_config, shared_key_verifier};
use rustls::{ClientConnection, StreamOwned, pki_types::ServerName};

/// TLS as a client.
pub type Tls = StreamOwned<ClientConnection, TcpStream>;

/// Connects and finishes a real TLS handshake with whatever certificate the other side has.
///
/// # Errors
/// What the system or TLS says.
pub fn tls(address: SocketAddr, alpn: &[u8]) -> io::Result<Tls> {
    tls_named(address, alpn, "localhost")
}

/// As [`tls`], with another server name in the ClientHello.
///
/// # Errors
/// As [`tls`].
pub fn tls_named(address: SocketAddr, alpn: &[u8], name: &str) -> io::Result<Tls> {
    let profile = TlsProfile::default_for("linux").ok_or_else(|| io::Error::other("no profile"))?;
    let config = client_config(profile, shared_key_verifier(), None, alpn).map_err(io::Error::other)?;
    let name = ServerName::try_from(name.to_owned()).map_err(io::Error::other)?;
    let connection = ClientConnection::new(Arc::new(config), name).map_err(io::Error::other)?;
    let stream = TcpStream::connect_timeout(&address, Duration::from_secs(10))?;
    stream.set_read_timeout(Some(Duration::from_secs(20)))?;
    stream.set_write_timeout(Some(Duration::from_secs(20)))?;
    let mut tls = StreamOwned::new(connection, stream);
    tls.conn.complete_io(&mut tls.sock)?;
    Ok(tls)
}

/// The certificate that an edge presents.
///
/// # Errors
/// As [`tls`].
pub fn certificate(address: SocketAddr) -> io::Result<Vec<u8>> {
    let tls = tls(address, b"certificate")?;
    let chain = tls.conn.peer_certificates().and_then(|chain| chain.first());
    chain.map(|leaf| leaf.as_ref().to_vec()).ok_or_else(|| io::Error::other("no certificate"))
}
