//! Peers that prove nothing.

use std::sync::Arc;

use relay_trust::{TlsProfile, client_config, shared_key_verifier};
use relay_wire::frame::reply::Reply;
use rustls::pki_types::{CertificateDer, ServerName};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio_rustls::TlsConnector;

use crate::kit::{Ask, Device, TestEdge, soon};

/// The certificate that a client sees which offers no protocol, as `openssl s_client` does.
pub async fn certificate(edge: &TestEdge) -> CertificateDer<'static> {
    let mut config = client_config(&TlsProfile::ALL[0], shared_key_verifier(), None, b"").unwrap();
    config.alpn_protocols.clear();
    let name = ServerName::try_from("edge.test").unwrap();
    let mut tls = soon(TlsConnector::from(Arc::new(config)).connect(name, edge.tcp().await)).await.unwrap();
    let mut rest = Vec::new();
    soon(tls.read_to_end(&mut rest)).await.unwrap();
    assert!(rest.is_empty());
    tls.get_ref().1.peer_certificates().unwrap()[0].clone().into_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_scanner_sees_the_certificate_and_is_closed() {
    let edge = TestEdge::start();
    assert!(edge.pins.matches(&certificate(&edge).await));
    edge.metric_becomes("sallyport_edge_connections_open{kind=\"other\"}", 0).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_not_tls_is_closed_at_its_first_wrong_byte() {
    let edge = TestEdge::start();
    let mut stream = edge.tcp().await;
    stream.write_all(b"GET / HTTP/1.1\r\n\r\n").await.unwrap();
    let mut rest = Vec::new();
    // Bytes that were not read make the close a reset.
    let _ = soon(stream.read_to_end(&mut rest)).await;
    assert!(rest.is_empty());
    edge.metric_becomes("sallyport_edge_handshake_failures_total{reason=\"not-tls\"}", 1).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_silent_do_not_keep_others_out() {
    let edge = TestEdge::start();
    let mut silent = Vec::new();
    for _ in 0..200 {
        silent.push(edge.tcp().await);
    }
    let mut fallen_silent = Vec::new();
    for _ in 0..20 {
        fallen_silent.push(Device::connect(&edge).await);
    }
    let mut master = edge.master(1).await.unwrap();
    let mut device = Device::connect(&edge).await;
    device.authenticate(&mut master).await;
    assert!(edge.status().await["connections_unproved"].as_u64().unwrap() >= 220);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn at_a_limit_a_connection_is_closed_at_once_and_counted() {
    let edge = TestEdge::start_with(|config| config.limits.handshakes_per_address = 3);
    let mut held = Vec::new();
    for _ in 0..3 {
        held.push(edge.tcp().await);
    }
    edge.metric_becomes("sallyport_edge_admitted_total", 3).await;
    let mut refused = edge.tcp().await;
    let mut rest = Vec::new();
    let _ = soon(refused.read_to_end(&mut rest)).await;
    assert_eq!(edge.metric("sallyport_edge_not_admitted_total{reason=\"handshakes-per-address\"}").await, 1);
    held.pop();
    while edge.status().await["connections_unproved"] != 2 {
        tokio::task::yield_now().await;
    }
    drop(Device::connect(&edge).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_malformed_request_is_refused_with_its_code_in_the_metric_only() {
    let edge = TestEdge::start();
    let mut device = Device::connect(&edge).await;
    device.send_body(b"EDGE-AGENT/1 ping\nEND\n").await;
    assert!(matches!(device.reply().await, Some(Reply::Refused)));
    assert!(device.reply().await.is_none());
    edge.metric_becomes("sallyport_edge_rejections_total{code=\"E_MISSING\",platform=\"linux\"}", 1).await;
    let mut device = Device::connect(&edge).await;
    device.send(Ask::Ping).await;
    assert!(matches!(device.reply().await, Some(Reply::Refused)), "a stranger may not ping");
    assert_eq!(edge.metric("sallyport_edge_refusals_total{reason=\"unauthenticated\"}").await, 1);
}
