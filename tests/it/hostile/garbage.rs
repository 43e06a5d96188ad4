//! Peers that say something else.

use std::{net::SocketAddr, time::Duration};

use relay_wire::proof::alpn;
use tests::{
    peer,
    process::wait_until,
    relay::{Options, Relay},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::{Instant, timeout},
};

use super::{Legitimate, all_is_well, unproved};

/// What is wrong at its first bytes is closed by then.
const AT_ONCE: Duration = Duration::from_secs(3);
/// Short connections in all, and at one time.
const SHORT: usize = 3_000;
const SHORT_AT_A_TIME: usize = 50;

/// Sends `bytes`, and expects the connection to be closed at once, without one byte in answer but TLS's.
async fn closed_after(edge: SocketAddr, what: &str, bytes: &[u8]) {
    let mut stream = TcpStream::connect(edge).await.unwrap();
    stream.write_all(bytes).await.unwrap();
    let mut answer = Vec::new();
    // A reset is as good as an end: unread bytes cause it.
    let _ = timeout(AT_ONCE, stream.read_to_end(&mut answer)).await.unwrap_or_else(|_| panic!("{what} is not closed"));
    assert!(answer.is_empty() || answer[0] == 21, "{what} was answered {answer:?}");
}

/// The same inside TLS: not one byte of an answer.
async fn closed_in_tls(edge: SocketAddr, what: &str, protocol: &[u8], bytes: &[u8], ends: bool) {
    let tcp = TcpStream::connect(edge).await.unwrap();
    let mut tls = peer::handshake(tcp, protocol, "localhost").await.unwrap_or_else(|error| panic!("{what}: {error}"));
    let _ = tls.write_all(bytes).await;
    let _ = if ends { tls.shutdown().await } else { tls.flush().await };
    let mut answer = Vec::new();
    let _ = timeout(AT_ONCE, tls.read_to_end(&mut answer)).await.unwrap_or_else(|_| panic!("{what} is not closed"));
    assert!(answer.is_empty(), "{what} was answered {answer:?}");
}

async fn garbage(edge: SocketAddr) {
    let random: [u8; 512] = relay_trust::random();
    // The first byte decides; this one is no TLS record for certain.
    let random = [&[0xff], &random[..]].concat();
    let too_large = [&[22, 3, 1, 0xff, 0xff][..], &[1; 40]].concat();
    let raw: [(&str, &[u8]); 6] = [
        ("HTTP", b"GET / HTTP/1.1\r\nHost: edge\r\n\r\n"),
        ("an opening frame without TLS", b"EDG1\x03\x01\x00\x00\x00\x00\x00\x01x"),
        ("SSH", b"SSH-2.0-OpenSSH_9.9\r\n"),
        ("random bytes", &random),
        ("a record that is too large", &too_large),
        ("an alert", &[21, 3, 3, 0, 2, 2, 40]),
    ];
    for (what, bytes) in raw {
        closed_after(edge, what, bytes).await;
    }
    let inside: [(&str, &[u8], &[u8], bool); 7] = [
        ("an unknown ALPN", b"h2", b"", false),
        ("no opening frame", alpn::DEVICE, b"GET / HTTP/1.1\r\n\r\n", false),
        ("an unknown platform", alpn::DEVICE, b"EDG1\x09\x01\x00\x00\x00\x00\x00\x01x", false),
        ("a body that is too long", alpn::DEVICE, b"EDG1\x03\x01\x00\x00\x00\x00\x40\x01", false),
        ("half a frame", alpn::DEVICE, b"EDG1\x03\x01\x00\x00\x00\x00\x02\x00SALLY", true),
        ("no control frame", alpn::CONTROL, &[0xee; 64], false),
        ("no data frame", alpn::DATA, &[0xee; 64], false),
    ];
    for (what, protocol, bytes, ends) in inside {
        closed_in_tls(edge, what, protocol, bytes, ends).await;
    }
    let stranger = format!("{}.tunnel.sallyport", "0123456789abcdef".repeat(2));
    for name in [stranger.as_str(), "short.tunnel.sallyport", "localhost"] {
        let tcp = TcpStream::connect(edge).await.unwrap();
        let result = timeout(AT_ONCE, peer::handshake(tcp, alpn::TUNNEL, name)).await.expect("closed at once");
        assert!(result.is_err(), "a tunnel without a token: {name}");
    }
}

/// Connections that end before, in or right after their handshake.
async fn short(edge: SocketAddr, number: usize) {
    let Ok(mut tcp) = TcpStream::connect(edge).await else { panic!("the edge does not accept") };
    match number % 4 {
        0 => {}
        1 => tcp.set_zero_linger().unwrap(),
        2 => {
            let _ = tcp.write_all(&[22, 3, 1, 2]).await;
        }
        _ => drop(peer::handshake(tcp, alpn::DEVICE, "localhost").await.unwrap()),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn garbage_is_closed_at_once_and_leaves_nothing_behind() {
    let relay = Relay::start(&Options::default());
    let target = relay.target("node-a", &relay.mass_secret("fleet", 100_000));
    let legitimate = Legitimate::start(&target, 2);
    for _ in 0..5 {
        garbage(relay.address).await;
    }
    let (edge, started) = (relay.address, Instant::now());
    for first in (0..SHORT).step_by(SHORT_AT_A_TIME) {
        let some = first..first + SHORT_AT_A_TIME;
        tokio::task::JoinSet::from_iter(some.map(|number| short(edge, number))).join_all().await;
    }
    let took = started.elapsed();
    let (visits, longest) = legitimate.finish().await;
    wait_until("every connection is gone from the edge's books", || unproved(&relay) == 0);
    let tokens = relay.edge.metric("sallyport_edge_tunnels_closed_total", &["token"]);
    assert_eq!(tokens, 15.0, "three wrong tokens, five times");
    assert!(relay.edge.metric("sallyport_edge_handshake_failures_total", &["not-tls"]) >= 15.0);
    assert!(relay.edge.metric("sallyport_edge_rejections_total", &["E_FRAME"]) >= 20.0);
    assert!(visits > 5, "{visits}");
    eprintln!("{SHORT} short connections in {took:?}; {visits} legitimate visits meanwhile, longest {longest:?}");
    all_is_well(&relay);
}
