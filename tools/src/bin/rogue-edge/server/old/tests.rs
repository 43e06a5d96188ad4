//! A client of TLS 1.0 and 1.1 that does what old ones do, against the server over a socket.

use std::{
    net::{TcpListener, TcpStream},
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use rustls_pki_types::CertificateDer;

use super::{
    keys::{Master, Suite},
    records::{ALERT, APPLICATION_DATA, CHANGE_CIPHER_SPEC, HANDSHAKE, Heard, Records},
    *,
};
use crate::{
    server::hello::{First, first},
    world::rsa_keys::RsaKey,
};

const REQUEST: &[u8] = b"GET / HTTP/1.0\r\n\r\n";

fn wire(stream: TcpStream) -> Wire {
    Wire::new(stream, Instant::now() + Duration::from_secs(30), Arc::default()).unwrap()
}

/// A ClientHello that offers this version and these suites.
fn client_hello(version: OldVersion, suites: &[u16], random: [u8; 32]) -> Vec<u8> {
    let mut body = version.number().to_be_bytes().to_vec();
    body.extend(random);
    body.push(0);
    body.extend(u16::try_from(2 * suites.len()).unwrap().to_be_bytes());
    body.extend(suites.iter().flat_map(|suite| suite.to_be_bytes()));
    body.extend([1, 0]);
    message(1, &body)
}

/// What a client does: it speaks `version`, and spoils its Finished if it is told so. Returns what the server answered.
fn speak(stream: TcpStream, version: OldVersion, key: &RsaKey, suite: Suite, spoil: bool) -> Option<Vec<u8>> {
    let mut wire = wire(stream);
    let mut records = Records::new(&mut wire, version);
    let random = [5; 32];
    let hello = client_hello(version, &[suite.number()], random);
    records.send(HANDSHAKE, &hello);
    let mut transcript = hello;
    let Heard::Record(HANDSHAKE, flight) = records.next(None) else { return None };
    let server_random: [u8; 32] = flight[6..38].try_into().unwrap();
    assert_eq!(flight[4..6], version.number().to_be_bytes());
    assert_eq!(flight[39..41], suite.number().to_be_bytes());
    transcript.extend(flight);
    let premaster = [[3, 1].as_slice(), &[9; 46]].concat();
    let encrypted = key.encrypt(&premaster);
    let length = u16::try_from(encrypted.len()).unwrap().to_be_bytes();
    let exchange = message(CLIENT_KEY_EXCHANGE, &[length.as_slice(), &encrypted].concat());
    transcript.extend_from_slice(&exchange);
    records.send(HANDSHAKE, &exchange);
    let master = Master::new(&premaster, &random, &server_random);
    let (client, server) = master.halves(suite, &random, &server_random);
    records.send(CHANGE_CIPHER_SPEC, &[1]);
    records.encrypt_with(client);
    let mut verify_data = master.verify_data(b"client finished", &transcript);
    verify_data[0] ^= u8::from(spoil);
    let finished = message(FINISHED, &verify_data);
    transcript.extend_from_slice(&finished);
    records.send(HANDSHAKE, &finished);
    let Heard::Record(CHANGE_CIPHER_SPEC, _) = records.next(None) else { return None };
    records.decrypt_with(server);
    let Heard::Record(HANDSHAKE, finished) = records.next(None) else { return None };
    assert_eq!(finished[4..], master.verify_data(b"server finished", &transcript));
    // As clients of TLS 1.0 split their records against BEAST.
    records.send(APPLICATION_DATA, &REQUEST[..1]);
    records.send(APPLICATION_DATA, &REQUEST[1..]);
    let Heard::Record(APPLICATION_DATA, answer) = records.next(None) else { return None };
    let Heard::Record(ALERT, _) = records.next(None) else { return None };
    Some(answer)
}

/// Serves one connection, and returns what was seen and what the client got.
fn meet(offered: OldVersion, version: OldVersion, suite: Suite, spoil: bool) -> (Seen, Option<Vec<u8>>) {
    let key = RsaKey::generate_short().unwrap();
    let old = Old { version, chain: vec![CertificateDer::from(vec![0x30; 700])], key: Arc::clone(&key) };
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let client = thread::spawn(move || speak(TcpStream::connect(address).unwrap(), offered, &key, suite, spoil));
    let mut wire = wire(listener.accept().unwrap().0);
    let mut received = Vec::new();
    let hello = loop {
        let mut buffer = [0; 4096];
        match (first(&received), wire.read(&mut buffer, None)) {
            (First::Hello(hello), _) => break hello,
            (First::Part, crate::server::wire::Came::Bytes(count)) => {
                received.extend_from_slice(&buffer[..count]);
                if let First::Hello(hello) = first(&received) {
                    break hello;
                }
            }
            _ => panic!("no hello"),
        }
    };
    let mut seen = Seen::default();
    serve(&mut wire, &old, &hello, &received, &mut seen);
    drop(wire);
    (seen, client.join().unwrap())
}

#[test]
fn an_old_client_is_served_and_what_it_leaks_is_counted() {
    for version in [OldVersion::Tls10, OldVersion::Tls11] {
        for suite in [Suite::Aes128, Suite::Aes256] {
            let (seen, answer) = meet(version, version, suite, false);
            assert_eq!((seen.finished, seen.application_bytes), (true, REQUEST.len() as u64), "{seen:?}");
            assert_eq!(seen.begins, "GET / HTTP/1.0····");
            assert!(answer.unwrap().starts_with(b"HTTP/1.1 200"));
        }
    }
}

#[test]
fn a_client_whose_finished_is_wrong_or_that_offers_less_is_not() {
    let (seen, answer) = meet(OldVersion::Tls10, OldVersion::Tls10, Suite::Aes128, true);
    assert_eq!((seen.finished, answer), (false, None));
    assert_eq!(seen.server.as_deref(), Some("the client's Finished is wrong"));
    let (seen, answer) = meet(OldVersion::Tls10, OldVersion::Tls11, Suite::Aes128, false);
    assert_eq!((seen.certificate_sent, answer), (false, None));
    assert_eq!(seen.server.as_deref(), Some("the client offers TLS 1.0 at most"));
}
