//! A client and a server of rustls joined together in memory, without sockets or clocks.

use std::io::{Read, Write};
use std::sync::Arc;

use rustls::{ClientConfig, ClientConnection, Error, ProtocolVersion, ServerConfig, ServerConnection};
use rustls_pki_types::ServerName;

/// What the client wants to send as soon as it may.
pub const REQUEST: &[u8] = b"a request that only the right server may read";

/// What came of one handshake.
pub struct Outcome {
    pub client_error: Option<Error>,
    pub server_error: Option<Error>,
    /// Application data that the server could read.
    pub received: Vec<u8>,
    /// Bytes that the client put on the wire after its ClientHello.
    pub client_bytes_after_hello: usize,
    pub version: Option<ProtocolVersion>,
    pub suite: Option<rustls::CipherSuite>,
    pub alpn: Option<Vec<u8>>,
    pub client_handshaking: bool,
    pub server_handshaking: bool,
}

impl Outcome {
    /// The client went through with it, and its request arrived.
    pub fn assert_accepted(&self) {
        assert_eq!(self.client_error, None);
        assert_eq!(self.server_error, None);
        assert!(!self.client_handshaking && !self.server_handshaking);
        assert_eq!(self.received, REQUEST);
    }

    /// The client refused, and nothing but an alert left it.
    pub fn assert_client_refused(&self) {
        assert!(self.client_error.is_some(), "the client did not refuse");
        assert_eq!(self.received, b"", "the server received application data");
        // A change_cipher_spec record (6) and an encrypted alert (24) at most.
        assert!(self.client_bytes_after_hello <= 30, "{} bytes left the client", self.client_bytes_after_hello);
    }

    /// The server refused, and read nothing.
    pub fn assert_server_refused(&self) {
        assert!(self.server_error.is_some(), "the server did not refuse");
        assert!(self.server_handshaking, "the server took the handshake for complete");
        assert_eq!(self.received, b"", "the server received application data");
    }
}

/// Runs one handshake to its end. The request is queued before the handshake begins, so it leaves the client at the first
/// moment that rustls lets it.
pub fn run(client: ClientConfig, server: ServerConfig, name: &str) -> Outcome {
    run_shared(&Arc::new(client), &Arc::new(server), name)
}

/// The same with configurations that are used again.
pub fn run_shared(client: &Arc<ClientConfig>, server: &Arc<ServerConfig>, name: &str) -> Outcome {
    let name = ServerName::try_from(name.to_owned()).expect("a server name");
    let mut client = ClientConnection::new(Arc::clone(client), name).expect("a client");
    let mut server = ServerConnection::new(Arc::clone(server)).expect("a server");
    client.writer().write_all(REQUEST).expect("the request is queued");

    let (mut client_error, mut server_error) = (None, None);
    let (mut hello, mut after) = (None, 0);
    loop {
        let mut to_server = Vec::new();
        while client.wants_write() {
            client.write_tls(&mut to_server).expect("memory");
        }
        match hello {
            None => hello = Some(to_server.len()),
            Some(_) => after += to_server.len(),
        }
        let mut unread = to_server.as_slice();
        while !unread.is_empty() && server_error.is_none() {
            server.read_tls(&mut unread).expect("memory");
            server_error = server.process_new_packets().err();
        }

        let mut to_client = Vec::new();
        while server.wants_write() {
            server.write_tls(&mut to_client).expect("memory");
        }
        let mut unread = to_client.as_slice();
        while !unread.is_empty() && client_error.is_none() {
            client.read_tls(&mut unread).expect("memory");
            client_error = client.process_new_packets().err();
        }
        if to_server.is_empty() && to_client.is_empty() {
            break;
        }
    }

    let mut received = Vec::new();
    // The end of what is there is `WouldBlock`, which is no failure here.
    let _ = server.reader().read_to_end(&mut received);
    Outcome {
        client_error,
        server_error,
        received,
        client_bytes_after_hello: after,
        version: client.protocol_version(),
        suite: client.negotiated_cipher_suite().map(|suite| suite.suite()),
        alpn: client.alpn_protocol().map(<[u8]>::to_vec),
        client_handshaking: client.is_handshaking(),
        server_handshaking: server.is_handshaking(),
    }
}
