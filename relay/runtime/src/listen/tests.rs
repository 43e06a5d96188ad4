use std::{sync::Arc, time::Duration};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, duplex},
    net::TcpStream,
    time::Instant,
};
use tokio_rustls::TlsConnector;

use super::{hello::HelloError, *};
use crate::{
    handover::{hand_over, hand_over_with},
    test_tls::{NAME, VERSIONS, certified_key, client_config, server_config, server_name, tcp_pair},
    tls::ReloadableIdentity,
};

fn soon() -> Instant {
    Instant::now() + Duration::from_secs(10)
}

async fn peek(bytes: &[u8]) -> HelloError {
    let (mut client, accepted) = tcp_pair().await;
    client.write_all(bytes).await.unwrap();
    client.shutdown().await.unwrap();
    peek_hello(accepted, soon()).await.unwrap_err()
}

/// The first flight of a real client.
async fn client_hello() -> Vec<u8> {
    let config = client_config(&certified_key().cert, VERSIONS[1]);
    let (near, mut far) = duplex(64 * 1024);
    let connect = TlsConnector::from(config).connect(server_name(), near);
    tokio::select! {
        _ = connect => panic!("nobody answered"),
        header = async {
            let mut header = [0; 5];
            far.read_exact(&mut header).await.unwrap();
            let mut record = vec![0; usize::from(u16::from_be_bytes([header[3], header[4]]))];
            far.read_exact(&mut record).await.unwrap();
            [&header[..], &record].concat()
        } => header,
    }
}

#[tokio::test]
async fn an_accepted_connection_has_the_options() {
    let options = TcpOptions::default();
    let listener = Listener::bind("127.0.0.1:0".parse().unwrap(), options).unwrap();
    let _client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
    let (stream, peer) = listener.accept().await;
    assert!(peer.ip().is_loopback());
    let socket = SockRef::from(&stream);
    assert!(socket.tcp_nodelay().unwrap() && socket.keepalive().unwrap());
    assert_eq!(socket.tcp_keepalive_time().unwrap(), Duration::from_secs(60));
    assert_eq!(socket.tcp_keepalive_interval().unwrap(), Duration::from_secs(15));
    assert_eq!(socket.tcp_keepalive_retries().unwrap(), 4);
    #[cfg(target_os = "linux")]
    assert_eq!(socket.tcp_user_timeout().unwrap(), Some(Duration::from_secs(120)));
}

#[tokio::test]
async fn a_taken_port_says_what_to_do() {
    let first = Listener::bind("127.0.0.1:0".parse().unwrap(), TcpOptions::default()).unwrap();
    let address = first.local_addr().unwrap();
    let error = Listener::bind(address, TcpOptions::default()).unwrap_err().to_string();
    assert!(error.contains(&address.to_string()) && error.contains("another program"), "{error}");
}

#[tokio::test]
async fn the_hello_is_read_and_tls_goes_on() {
    for versions in VERSIONS {
        for for_good in [false, true] {
            let key = certified_key();
            let client = client_config(&key.cert, versions);
            let server = server_config(ReloadableIdentity::new(key));
            let (near, far) = tcp_pair().await;
            let (client, server) = tokio::join!(TlsConnector::from(client).connect(server_name(), near), async {
                let hello = peek_hello(far, soon()).await.unwrap();
                assert_eq!(hello.server_name(), Some(NAME));
                assert_eq!(hello.alpn().collect::<Vec<_>>(), [b"sallyport/data"]);
                assert!(hello.stream().peer_addr().is_ok());
                if for_good { hello.into_tls_for_good(server).await } else { hello.into_tls(server).await }
            });
            let (mut client, mut server) = (client.unwrap(), server.unwrap());
            client.write_all(b"request").await.unwrap();
            let mut got = [0; 7];
            server.read_exact(&mut got).await.unwrap();
            assert_eq!(&got, b"request");
        }
    }
}

/// A connection is peeked at, ends TLS, and carries another client's TLS from then on: the life of a data connection.
#[tokio::test]
async fn from_hello_to_hand_over() {
    for versions in VERSIONS {
        let key = certified_key();
        let client = client_config(&key.cert, versions);
        let server = server_config(ReloadableIdentity::new(key));
        let recorded = client_hello().await;
        let (near, far) = tcp_pair().await;
        let backend = async {
            let connector = TlsConnector::from(client);
            let tls = connector.connect(server_name(), crate::handover::RecordIo::new(near)).await.unwrap();
            let raw = hand_over(tls).await.unwrap();
            let hello = peek_hello(raw, soon()).await.unwrap();
            assert_eq!(hello.server_name(), Some(NAME));
            hello.recorded().to_vec()
        };
        let edge = async {
            let tls = peek_hello(far, soon()).await.unwrap().into_tls(server).await.unwrap();
            hand_over_with(tls, &recorded).await.unwrap()
        };
        let (seen, _edge) = tokio::join!(backend, edge);
        assert_eq!(seen, recorded);
    }
}

#[tokio::test]
async fn nothing_behind_the_hello_is_taken() {
    let hello = client_hello().await;
    let (mut client, accepted) = tcp_pair().await;
    client.write_all(&[&hello[..], b"behind"].concat()).await.unwrap();
    let peeked = peek_hello(accepted, soon()).await.unwrap();
    assert!(!format!("{peeked:?}").contains(NAME), "the name may carry a token");
    let (mut raw, recorded) = peeked.into_raw();
    assert_eq!(recorded, hello);
    let mut rest = [0; 6];
    raw.read_exact(&mut rest).await.unwrap();
    assert_eq!(&rest, b"behind");
}

#[tokio::test]
async fn a_hello_in_many_pieces_and_records_is_read() {
    let hello = client_hello().await;
    let mut records = Vec::new();
    for part in hello[5..].chunks(50) {
        records.extend_from_slice(&[22, 3, 1, 0, u8::try_from(part.len()).unwrap()]);
        records.extend_from_slice(part);
    }
    let (mut client, accepted) = tcp_pair().await;
    client.set_nodelay(true).unwrap();
    let (peeked, ()) = tokio::join!(peek_hello(accepted, soon()), async {
        for byte in &records {
            client.write_all(&[*byte]).await.unwrap();
            tokio::task::yield_now().await;
        }
    });
    let peeked = peeked.unwrap();
    assert_eq!((peeked.recorded(), peeked.server_name()), (&records[..], Some(NAME)));
}

#[tokio::test]
async fn what_is_not_tls_is_seen_at_its_first_wrong_byte() {
    for (bytes, at) in [
        (&b"GET / HTTP/1.1\r\n"[..], 0),
        (b"SSH-2.0-x\r\n", 0),
        (&[0x80, 0x2e, 1, 3, 1], 0),
        (&[22, 2], 1),
        (&[22, 3, 4], 2),
        (&[22, 3, 1, 0, 0], 4),
        (&[22, 3, 1, 0, 5, 2], 5),
        (&[23, 3, 3, 0, 5], 0),
    ] {
        let error = peek(bytes).await;
        assert!(matches!(error, HelloError::NotTls { at: found, byte } if found == at && byte == bytes[at]), "{error}");
    }
    // Not at the end of the connection, but as soon as the byte is there.
    let (mut client, accepted) = tcp_pair().await;
    client.write_all(b"G").await.unwrap();
    assert!(matches!(peek_hello(accepted, soon()).await, Err(HelloError::NotTls { at: 0, byte: b'G' })));
}

#[tokio::test]
async fn ends_and_broken_hellos_are_told_apart() {
    assert!(matches!(peek(b"").await, HelloError::Ended(0)));
    let hello = client_hello().await;
    assert!(matches!(peek(&hello[..100]).await, HelloError::Ended(100)));
    let broken = peek(&[22, 3, 1, 0, 6, 1, 0, 0, 2, 3, 3]).await;
    assert!(matches!(broken, HelloError::Broken(_)), "{broken}");
    // A second record of another kind.
    let error = peek(&[22, 3, 1, 0, 4, 1, 0, 1, 0, 23, 3, 1, 0, 1, 0]).await;
    assert!(matches!(error, HelloError::NotTls { at: 9, byte: 23 }), "{error}");
}

#[tokio::test]
async fn a_broken_hello_is_answered_with_an_alert() {
    let (mut client, accepted) = tcp_pair().await;
    client.write_all(&[22, 3, 1, 0, 6, 1, 0, 0, 2, 3, 3]).await.unwrap();
    peek_hello(accepted, soon()).await.unwrap_err();
    let mut alert = Vec::new();
    client.read_to_end(&mut alert).await.unwrap();
    assert_eq!((alert.len(), alert[0]), (7, 21));
}

#[tokio::test]
async fn an_endless_hello_is_cut_off() {
    // One message of 60,000 bytes, announced in full-sized records.
    let mut bytes = vec![22, 3, 1, 0x40, 0, 1, 0, 0xea, 0x60];
    bytes.resize(RECORDED_BYTES_MAX, 0);
    bytes.extend_from_slice(&[22, 3, 1, 0x40, 0]);
    let error = peek(&bytes).await;
    assert!(matches!(error, HelloError::TooLarge), "{error}");
    // One byte in each record.
    let mut bytes = vec![22, 3, 1, 0, 4, 1, 0, 0xea, 0x60];
    while bytes.len() < RECORDED_BYTES_MAX + 10 {
        bytes.extend_from_slice(&[22, 3, 1, 0, 1, 0]);
    }
    let error = peek(&bytes).await;
    assert!(matches!(error, HelloError::TooLarge), "{error}");
}

#[tokio::test(start_paused = true)]
async fn a_silent_or_slow_stranger_is_gone_at_the_deadline() {
    let (_client, accepted) = tcp_pair().await;
    let start = Instant::now();
    let error = peek_hello(accepted, start + Duration::from_secs(10)).await.unwrap_err();
    assert!(matches!(error, HelloError::TimedOut(0)), "{error}");
    assert_eq!(start.elapsed().as_secs(), 10);

    let (mut client, accepted) = tcp_pair().await;
    let drip = async {
        loop {
            if client.write_all(&[22]).await.is_err() {
                return;
            }
            tokio::time::sleep(Duration::from_secs(60)).await;
        }
    };
    let (error, ()) = tokio::join!(
        async { peek_hello(accepted, Instant::now() + Duration::from_secs(10)).await.unwrap_err() },
        async { drop(tokio::time::timeout(Duration::from_secs(30), drip).await) }
    );
    assert!(matches!(error, HelloError::TimedOut(1)), "{error}");
}

#[tokio::test]
async fn a_changed_certificate_is_used_from_the_next_handshake_on() {
    let (old, new) = (certified_key(), certified_key());
    let identity = ReloadableIdentity::new(Arc::clone(&old));
    let client = client_config(&[old.cert[0].clone(), new.cert[0].clone()], VERSIONS[1]);
    let server = server_config(Arc::clone(&identity) as Arc<dyn rustls::server::ResolvesServerCert>);
    let connect = || async {
        let (near, far) = tcp_pair().await;
        let accept = async { peek_hello(far, soon()).await.unwrap().into_tls(Arc::clone(&server)).await };
        let (client, accepted) =
            tokio::join!(TlsConnector::from(Arc::clone(&client)).connect(server_name(), near), accept);
        (client.unwrap(), accepted.unwrap())
    };
    let seen = |stream: &tokio_rustls::client::TlsStream<TcpStream>| {
        stream.get_ref().1.peer_certificates().unwrap()[0].clone()
    };
    let (mut first, mut first_accepted) = connect().await;
    let before = identity.replace(Arc::clone(&new));
    assert!(Arc::ptr_eq(&before, &old));
    let (second, _second_accepted) = connect().await;
    assert_eq!((seen(&first), seen(&second)), (old.cert[0].clone(), new.cert[0].clone()));
    // The old connection lives on.
    first.write_all(b"x").await.unwrap();
    assert_eq!(first_accepted.read_u8().await.unwrap(), b'x');
    assert_eq!(format!("{identity:?}"), "ReloadableIdentity(..)");
}
