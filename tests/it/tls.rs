//! Which TLS gets through, what it gets, and that no proof outlives its connection.

use std::sync::Arc;

use client_sim::{
    Device, Failure,
    device::{Step, dial},
    profiles::Persona,
};
use relay_runtime::clock::Clock;
use relay_trust::{DeviceKey, TlsProfile, client_config, shared_key_verifier};
use relay_wire::{Platform, proof::alpn, request::Operation};
use rustls::{ClientConfig, HandshakeKind, pki_types::ServerName};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};
use tokio_rustls::{TlsConnector, client::TlsStream};

use crate::kit::{
    site::{NODE, Options, Site, back_up, enrolled, metric, restore},
    soon,
};

/// Enough for several records in either direction.
const BYTES: u64 = 200_000;

async fn everything_works_with(site: &Site, platform: Platform, index: u32, profile: &'static TlsProfile) {
    let mut persona = Persona::generate(platform, index, 7);
    persona.tls = profile;
    let device = Device::new(persona, Arc::new(site.target()), DeviceKey::generate(), None, Clock::system()).unwrap();
    let (device, mut link) = enrolled(device, &site.secret(1).await, &site.master_pins()).await;
    device.ping(&mut link).await.unwrap();
    back_up(&device, &mut link, NODE, 1, BYTES).await.unwrap();
    restore(&device, &mut link, NODE, 2, BYTES).await.unwrap();
    link.close().await;
}

#[tokio::test]
async fn tls_1_2_only_and_tls_1_3_only_devices_work_from_registration_to_restore() {
    let site = Site::start(Options::default()).await;
    for (index, name) in (0..).zip(["tls12-only", "tls13-only"]) {
        let profile = TlsProfile::by_name(name).unwrap();
        assert_eq!(profile.versions().len(), 1);
        everything_works_with(&site, Platform::Linux, index, profile).await;
    }
}

#[tokio::test]
async fn every_tls_stack_of_the_table_works_from_registration_to_restore() {
    let site = Site::start(Options::default()).await;
    for (index, profile) in (0..).zip(TlsProfile::ALL) {
        everything_works_with(&site, Platform::Windows, index, profile).await;
    }
}

#[tokio::test]
async fn windows_phone_works_with_the_one_suite_that_it_shares_with_the_relay() {
    let site = Site::start(Options::default()).await;
    let profile = TlsProfile::default_for(Platform::WindowsPhone.as_str()).unwrap();
    assert_eq!((profile.name, profile.suites.len()), ("wp-8.1", 1));
    everything_works_with(&site, Platform::WindowsPhone, 0, profile).await;
}

/// A ClientHello with an old version, otherwise as old stacks write it or, `acceptable`, such that nothing but the version is wrong.
fn old_hello(record: [u8; 2], hello: [u8; 2], with_alpn: bool, acceptable: bool) -> Vec<u8> {
    let mut body = hello.to_vec();
    body.extend_from_slice(&[0x5a; 32]);
    body.push(0);
    // ECDHE with AES-CBC or with AES-GCM, then RSA with AES-CBC.
    let ecdhe = if acceptable { 0x2b } else { 0x09 };
    let suites: [u8; 8] = [0xc0, ecdhe, 0xc0, 0x13, 0x00, 0x2f, 0x00, 0x35];
    body.extend_from_slice(&[0, 8]);
    body.extend_from_slice(&suites);
    body.extend_from_slice(&[1, 0]);
    // supported_groups: P-256; ec_point_formats: uncompressed.
    let mut extensions = vec![0, 10, 0, 4, 0, 2, 0, 23, 0, 11, 0, 2, 1, 0];
    if acceptable {
        // signature_algorithms: ecdsa_secp256r1_sha256; extended_master_secret.
        extensions.extend_from_slice(&[0, 13, 0, 4, 0, 2, 4, 3, 0, 23, 0, 0]);
    }
    if with_alpn {
        let length = u8::try_from(alpn::DEVICE.len()).unwrap();
        extensions.extend_from_slice(&[0, 16, 0, length + 3, 0, length + 1, length]);
        extensions.extend_from_slice(alpn::DEVICE);
    }
    body.extend_from_slice(&u16::try_from(extensions.len()).unwrap().to_be_bytes());
    body.extend_from_slice(&extensions);
    let mut handshake = vec![1, 0];
    handshake.extend_from_slice(&u16::try_from(body.len()).unwrap().to_be_bytes());
    handshake.extend_from_slice(&body);
    let mut bytes = vec![22, record[0], record[1]];
    bytes.extend_from_slice(&u16::try_from(handshake.len()).unwrap().to_be_bytes());
    bytes.extend_from_slice(&handshake);
    bytes
}

/// All that the edge says to `bytes` until it closes.
async fn answer_to(site: &Site, bytes: &[u8]) -> Vec<u8> {
    let mut stream = TcpStream::connect(site.edge().address).await.unwrap();
    stream.write_all(bytes).await.unwrap();
    let mut answer = Vec::new();
    // What it has not read of ours makes its close a reset.
    let _ = soon(stream.read_to_end(&mut answer)).await;
    answer
}

#[tokio::test]
async fn tls_1_1_and_older_get_an_alert_and_nothing_more() {
    let site = Site::start(Options::default()).await;
    for (with_alpn, acceptable) in [(true, true), (true, false), (false, true), (false, false)] {
        for (record, hello) in [([3, 1], [3, 2]), ([3, 2], [3, 2]), ([3, 1], [3, 1])] {
            let answer = answer_to(&site, &old_hello(record, hello, with_alpn, acceptable)).await;
            // One record: alert, fatal, protocol_version or handshake_failure (RFC 5246, section 7.2.2).
            let description = if acceptable { 70 } else { 40 };
            assert_eq!(
                (answer[0], &answer[3..]),
                (21, &[0, 2, 2, description][..]),
                "{record:?} {hello:?}: {answer:?}"
            );
        }
    }
    assert_eq!(metric(site.edge().admin, "sallyport_edge_handshake_failures_total", &[]).await, 12);
    // The same bytes with version 1.2 get a ServerHello: it was the version.
    let mut stream = TcpStream::connect(site.edge().address).await.unwrap();
    stream.write_all(&old_hello([3, 1], [3, 3], true, true)).await.unwrap();
    let mut answer = [0; 6];
    soon(stream.read_exact(&mut answer)).await.unwrap();
    assert_eq!((answer[0], answer[5]), (22, 2));
}

#[tokio::test]
async fn ssl_and_what_only_looks_like_tls_get_at_most_an_alert() {
    let site = Site::start(Options::default()).await;
    // An SSLv2 hello that offers SSLv3, as scanners send it.
    let mut ssl2 = vec![0x80, 0x2e, 0x01, 0x03, 0x00, 0x00, 0x15, 0x00, 0x00, 0x00, 0x10];
    ssl2.extend_from_slice(&[0x33; 37]);
    // A record of the wrong kind, one that claims more than a record may hold, and an empty handshake record.
    let others = [vec![23, 3, 3, 0, 2, 1, 1], vec![22, 3, 1, 0xff, 0xff, 1], vec![22, 3, 1, 0, 0, 22, 3, 1, 0, 0]];
    let mut torn = old_hello([3, 1], [3, 3], true, true);
    // A session id longer than the whole hello.
    torn[43] = 0xff;
    for bytes in [ssl2, torn, old_hello([3, 0], [3, 0], true, false)].iter().chain(&others) {
        let mut stream = TcpStream::connect(site.edge().address).await.unwrap();
        stream.write_all(bytes).await.unwrap();
        stream.shutdown().await.unwrap();
        let mut answer = Vec::new();
        let _ = soon(stream.read_to_end(&mut answer)).await;
        assert!(answer.is_empty() || (answer[0] == 21 && answer.len() == 7), "{bytes:02x?}: {answer:02x?}");
    }
    assert_eq!(metric(site.edge().admin, "sallyport_edge_handshake_failures_total", &[]).await, 6);
}

async fn connect(site: &Site, config: ClientConfig) -> TlsStream<TcpStream> {
    let tcp = TcpStream::connect(site.edge().address).await.unwrap();
    let name = ServerName::try_from("localhost").unwrap();
    soon(TlsConnector::from(Arc::new(config)).connect(name, tcp)).await.unwrap()
}

fn config(versions: &str) -> ClientConfig {
    let profile = TlsProfile::by_name(versions).unwrap();
    client_config(profile, shared_key_verifier(), None, alpn::DEVICE).unwrap()
}

#[tokio::test]
async fn a_client_without_our_protocols_reads_the_certificate_and_is_closed() {
    let site = Site::start(Options::default()).await;
    for protocols in [vec![], vec![b"h2".to_vec(), b"http/1.1".to_vec()]] {
        for versions in ["tls12-only", "tls13-only"] {
            let mut config = config(versions);
            config.alpn_protocols.clone_from(&protocols);
            let mut stream = connect(&site, config).await;
            // A request meets the end of the connection, not an answer.
            let _ = stream.write_all(b"GET / HTTP/1.1\r\nhost: localhost\r\n\r\n").await;
            let mut answer = Vec::new();
            let _ = soon(stream.read_to_end(&mut answer)).await;
            assert!(answer.is_empty(), "{answer:?}");
            let shown = stream.get_ref().1.peer_certificates().unwrap();
            assert_eq!(shown[0], site.edge().certificate);
        }
    }
}

#[tokio::test]
async fn nothing_is_resumed() {
    let site = Site::start(Options::default()).await;
    for versions in ["tls12-only", "tls13-only"] {
        let mut config = config(versions);
        config.resumption = rustls::client::Resumption::in_memory_sessions(8);
        for _ in 0..3 {
            let mut stream = connect(&site, config.clone()).await;
            // A bad frame, so that the edge closes and all that it may have sent behind its handshake has come.
            stream.write_all(b"none").await.unwrap();
            let _ = soon(stream.read_to_end(&mut Vec::new())).await;
            let tls = stream.get_ref().1;
            assert_eq!(tls.handshake_kind(), Some(HandshakeKind::Full), "{versions}");
            assert_eq!(tls.tls13_tickets_received(), 0, "{versions}");
        }
    }
}

#[tokio::test]
async fn a_proof_is_worth_nothing_on_another_connection() {
    let site = Site::start(Options::default()).await;
    let secret = site.secret(5).await;
    for (index, versions) in (0..).zip(["tls12-only", "tls13-only"]) {
        let mut persona = Persona::generate(Platform::MacOs, index, 8);
        persona.tls = TlsProfile::by_name(versions).unwrap();
        let platform = persona.platform();
        let target = Arc::new(site.target());
        let device = Device::new(persona, target, DeviceKey::generate(), None, Clock::system()).unwrap();

        // First contact: made for one connection, sent on another.
        let (first, _) = device.connect().await.unwrap();
        let content = device.content(Operation::Register { user: device.persona().user.clone() }, None);
        let request = Device::introduced(first.exporter(), content, &secret).unwrap();
        let (mut second, _) = device.connect().await.unwrap();
        let answer = second.request(Step::Register, platform, request.to_body()).await;
        assert!(matches!(answer, Err(Failure::Refused { .. })));

        let (device, mut link) = enrolled(device, &secret, &site.master_pins()).await;
        let signed = device.signed(first.exporter(), device.content(Operation::Auth, None)).unwrap();
        let (mut third, _) = device.connect().await.unwrap();
        let answer = third.request(Step::Authenticate, platform, signed.to_body()).await;
        assert!(matches!(answer, Err(Failure::Refused { .. })));
        // And the connection that it was made for takes it: it was good.
        let mut first = first;
        assert!(first.request(Step::Authenticate, platform, signed.to_body()).await.is_ok());
        device.ping(&mut link).await.unwrap();
    }
    let master = site.master().admin;
    for reason in ["unknown-secret", "bad-proof"] {
        assert_eq!(metric(master, "sallyport_backend_requests_refused_total", &[reason]).await, 2, "{reason}");
    }
}

#[tokio::test]
async fn exporters_differ_between_connections_of_the_same_device() {
    let site = Site::start(Options::default()).await;
    let device = site.device(Platform::Ios, 0);
    let target = site.target();
    let one = dial::edge(&target, device.persona().tls).await.unwrap();
    let two = dial::edge(&target, device.persona().tls).await.unwrap();
    assert_ne!(one.exporter, two.exporter);
}
