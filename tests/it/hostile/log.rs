//! Strangers cause log lines. Nobody reads them, or the reader is slow: the edge works on.

use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
    process::{Child, Stdio},
    sync::Arc,
    time::Duration,
};

use relay_trust::{TlsProfile, client_config, shared_key_verifier};
use relay_wire::{ids::Token, proof::alpn};
use rustls::{ClientConnection, pki_types::ServerName};
use tests::{
    http,
    process::{command, free_address, run_ok, wait_until},
    relay::replace,
};

/// Refusals: with more than 150 bytes of log each, more than a pipe holds.
const REFUSED: usize = 600;

struct Unheard(Child);

impl Drop for Unheard {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A ClientHello that claims a tunnel which was never offered.
fn hello() -> Vec<u8> {
    let profile = TlsProfile::by_name("linux").unwrap();
    let config = client_config(profile, shared_key_verifier(), None, alpn::TUNNEL).unwrap();
    let name = ServerName::try_from(Token::new([7; 16]).server_name()).unwrap();
    let mut connection = ClientConnection::new(Arc::new(config), name).unwrap();
    let mut bytes = Vec::new();
    connection.write_tls(&mut bytes).unwrap();
    bytes
}

fn is_refused(edge: SocketAddr, hello: &[u8]) {
    let mut stream = TcpStream::connect(edge).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    stream.write_all(hello).unwrap();
    // A reset is as good as an end; a byte, or silence, is not.
    match stream.read(&mut [0; 1]) {
        Ok(0) => {}
        Err(error) if error.kind() == std::io::ErrorKind::ConnectionReset => {}
        other => panic!("the edge does not close: {other:?}"),
    }
}

#[test]
fn an_edge_whose_log_nobody_reads_works_on() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("edge");
    let (edge, admin) = (free_address(), free_address());
    run_ok("relay-edge", ["init", "--dir", dir.to_str().unwrap(), "--listen", &edge.to_string()]);
    let config = dir.join("edge.toml");
    replace(&config, "admin =", &format!("admin = \"{admin}\""));
    let child = command("relay-edge")
        .args(["run", "--config", config.to_str().unwrap()])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let _unheard = Unheard(child);
    wait_until("the edge answers", || http::get(admin, "/healthz").is_some_and(|(status, _)| status == 200));
    let hello = hello();
    for _ in 0..REFUSED {
        is_refused(edge, &hello);
    }
    let (status, _) = http::get(admin, "/healthz").expect("the edge answers still");
    assert_eq!(status, 200);
    let (_, metrics) = http::get(admin, "/metrics").unwrap();
    #[allow(clippy::cast_precision_loss, reason = "a few hundred")]
    let expected = REFUSED as f64;
    assert!(http::metric(&metrics, "sallyport_edge_tunnels_closed_total", &["reason=\"token\""]) >= expected);
}
