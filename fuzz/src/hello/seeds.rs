//! ClientHellos as clients send them, from a writer of our own.

use super::layout::{ALPN, Message, SERVER_NAME, SIGNATURE_ALGORITHMS, alpn, records, server_name};

/// A hello that offers these protocols; `modern` with what a TLS 1.3 client says beside.
pub(crate) fn hello(names: &[&[u8]], host: Option<&str>, modern: bool) -> Message {
    let mut extensions = Vec::new();
    if let Some(host) = host {
        extensions.push((SERVER_NAME, server_name(host.as_bytes())));
    }
    extensions.push((SIGNATURE_ALGORITHMS, vec![0, 2, 4, 3]));
    if !names.is_empty() {
        extensions.push((ALPN, alpn(names)));
    }
    if modern {
        // Groups, point formats, extended master secret, versions, key share (X25519), psk modes, GREASE.
        extensions.push((10, vec![0, 6, 0x0a, 0x0a, 0, 29, 0, 23]));
        extensions.push((11, vec![1, 0]));
        extensions.push((23, Vec::new()));
        extensions.push((43, vec![4, 3, 4, 3, 3]));
        extensions.push((51, [vec![0, 36, 0, 29, 0, 32], vec![9; 32]].concat()));
        extensions.push((45, vec![1, 1]));
        extensions.push((0x2a2a, vec![0]));
    }
    Message {
        version: [3, 3],
        random: [7; 32],
        session: if modern { vec![5; 32] } else { Vec::new() },
        suites: if modern { vec![0x13, 1, 0x13, 2, 0xc0, 0x2b] } else { vec![0xc0, 0x2b] },
        compressions: vec![0],
        extensions: Some(extensions),
    }
}

/// Real inputs to begin with.
#[must_use]
pub fn seeds() -> Vec<Vec<u8>> {
    let token = format!("{}.tunnel.sallyport", "0123456789abcdef".repeat(2));
    let ours: [&[u8]; 4] = [b"sallyport/device", b"sallyport/control", b"sallyport/data", b"sallyport/tunnel"];
    let mut streams = Vec::new();
    for modern in [false, true] {
        for name in ours {
            streams.push(records(&hello(&[name], Some("edge.example.com"), modern).write(), 1, 16_384));
            streams.push(records(&hello(&[name], Some(&token), modern).write(), 3, 40));
        }
        streams.push(records(&hello(&[b"h2", b"http/1.1"], Some("edge.example.com"), modern).write(), 1, 16_384));
        streams.push(records(&hello(&[b"h2", ours[2], ours[3]], None, modern).write(), 1, 16_384));
        streams.push(records(&hello(&[], None, modern).write(), 1, 16_384));
    }
    let tunnel = |host: &str| records(&hello(&[ours[3]], Some(host), false).write(), 3, 16_384);
    streams.push(tunnel(&token.to_ascii_uppercase()));
    streams.push(tunnel(&token[1..]));
    streams.push(tunnel("192.0.2.7"));
    let mut bare = hello(&[], None, false);
    bare.extensions = None;
    streams.push(records(&bare.write(), 1, 16_384));
    streams.push([tunnel(&token), vec![23, 3, 3, 0, 1, 9]].concat());
    streams.push(tunnel(&token)[..60].to_vec());
    streams.push(vec![22, 3, 1, 0x40, 1]);
    streams.push(vec![22, 3, 1, 0, 0]);
    streams.push(b"GET / HTTP/1.1\r\n\r\n".to_vec());
    (0_u8..).zip(streams).map(|(cut, stream)| [vec![cut.wrapping_mul(5)], stream].concat()).collect()
}
