//! What is not TLS, or only begins like it.

use std::time::Duration;

use super::{
    hello::ClientHello,
    wire::{Came, Wire},
};
use crate::seen::{End, Seen};

/// How long the server listens to what comes.
const LISTENING: Duration = Duration::from_secs(1);
/// While it sends, it looks for words of the client's for this long.
const GLANCE: Duration = Duration::from_millis(1);
const CHUNK: usize = 16 * 1024;
/// The largest handshake message there can be: its length has three bytes.
const MESSAGE: usize = (1 << 24) - 1;
/// Suites of TLS 1.2 of which the client is told one that it offered: ECDHE with AES-GCM or ChaCha20-Poly1305.
const SUITES: [u16; 6] = [0xc02b, 0xc02f, 0xc02c, 0xc030, 0xcca9, 0xcca8];

/// Listens to a client that does not speak TLS.
pub fn listen(wire: &mut Wire) -> End {
    let mut buffer = [0; CHUNK];
    loop {
        match wire.read(&mut buffer, Some(LISTENING)) {
            Came::Bytes(_) => {}
            Came::Quiet => return End::ByServer,
            Came::Gone(end) => return end,
        }
    }
}

/// Answers a ClientHello with HTTP.
pub fn plaintext(wire: &mut Wire, seen: &mut Seen) {
    const ANSWER: &[u8] = b"HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain\r\nContent-Length: 48\r\n\r\n\
        This is a plain HTTP server; please speak HTTP.\n";
    wire.write(ANSWER);
    seen.end = listen(wire);
}

/// Answers with a sound ServerHello of TLS 1.2 and a Certificate message that does not end.
pub fn huge_chain(wire: &mut Wire, hello: &ClientHello, seen: &mut Seen) {
    let suite = SUITES.iter().find(|suite| hello.suites.contains(suite)).copied().unwrap_or(SUITES[0]);
    let mut opening = record(&server_hello(0x0303, suite, hello));
    // The message's head, the list's length, and the first certificate's length.
    let mut head = vec![11];
    head.extend(length(MESSAGE));
    head.extend(length(MESSAGE - 3));
    head.extend(length(MESSAGE - 6));
    opening.extend(record(&head));
    seen.certificate_sent = true;
    seen.version = Some("TLS 1.2");
    if !wire.write(&opening) {
        seen.end = listen(wire);
        return;
    }
    let chunk = record(&[0x30; CHUNK]);
    let mut buffer = [0; CHUNK];
    let mut left = MESSAGE - 6;
    while left > 0 {
        match wire.read(&mut buffer, Some(GLANCE)) {
            Came::Quiet | Came::Bytes(_) if wire.plain_alert().is_none() => {}
            Came::Quiet | Came::Bytes(_) => {
                seen.end = End::ByServer;
                return;
            }
            Came::Gone(end) => {
                seen.end = end;
                return;
            }
        }
        let part = left.min(CHUNK);
        let bytes = if part == CHUNK { chunk.clone() } else { record(&vec![0x30; part]) };
        if !wire.write(&bytes) {
            seen.end = listen(wire);
            return;
        }
        left -= part;
    }
    seen.end = listen(wire);
}

/// A ServerHello (RFC 5246 section 7.4.1.3) with the extensions without which clients leave at once.
pub fn server_hello(version: u16, suite: u16, hello: &ClientHello) -> Vec<u8> {
    let mut extensions = Vec::new();
    if hello.renegotiation_info {
        extensions.extend([0xff, 0x01, 0x00, 0x01, 0x00]);
    }
    if hello.extended_master_secret && version == 0x0303 {
        extensions.extend([0x00, 0x17, 0x00, 0x00]);
    }
    let mut body = version.to_be_bytes().to_vec();
    body.extend(relay_trust::random::<32>());
    body.push(0);
    body.extend(suite.to_be_bytes());
    body.push(0);
    if !extensions.is_empty() {
        body.extend(u16::try_from(extensions.len()).unwrap_or_default().to_be_bytes());
        body.extend(extensions);
    }
    message(2, &body)
}

/// A handshake message.
pub fn message(kind: u8, body: &[u8]) -> Vec<u8> {
    let mut out = vec![kind];
    out.extend(length(body.len()));
    out.extend_from_slice(body);
    out
}

/// Three bytes of length.
pub fn length(length: usize) -> [u8; 3] {
    let [.., a, b, c] = length.to_be_bytes();
    [a, b, c]
}

/// A handshake record of at most 16 KiB, under TLS 1.2's number.
fn record(fragment: &[u8]) -> Vec<u8> {
    let mut out = vec![22, 3, 3];
    out.extend(u16::try_from(fragment.len()).unwrap_or_default().to_be_bytes());
    out.extend_from_slice(fragment);
    out
}
