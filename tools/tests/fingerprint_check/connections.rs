//! Ways to a server, and what stands in them.

use std::{io::Write, time::Instant};

use rustls::{ServerConnection, version::TLS12};

use crate::{
    kit::{AT, Outcome, certificate, run, run_with},
    servers::{
        Server,
        Step::{self, Hear, Say},
        Tls, closed_port, http_proxy, on_ipv6, serve, socks_proxy,
    },
};

const ROOT: &str = "certificates/ca-false.pem";

fn look(target: &str, more: &[&str]) -> Outcome {
    run(&[&["host", target, "--pin", ROOT, "--roots", ROOT, "--at", AT], more].concat())
}

fn connects(target: &str, more: &[&str]) {
    let outcome = look(target, more);
    assert_eq!((outcome.code, outcome.stderr.as_str()), (0, ""), "{target}: {}", outcome.stdout);
}

fn fails(target: &str, more: &[&str], code: &str, words: &str) {
    let outcome = look(target, more);
    assert_eq!(outcome.code, 3, "{target}: {}", outcome.stdout);
    assert!(outcome.stdout.contains(code) && outcome.stdout.contains(words), "{words}: {}", outcome.stdout);
}

const SMTP: &[Step] = &[
    Say(b"220-mail.example.org\r\n220 ready\r\n"),
    Hear(b"EHLO [127.0.0.1]\r\n"),
    Say(b"250-mail.example.org\r\n250-SIZE 100\r\n250 STARTTLS\r\n"),
    Hear(b"STARTTLS\r\n"),
    Say(b"220 go ahead\r\n"),
];
const IMAP: &[Step] = &[Say(b"* OK ready\r\n"), Hear(b"a STARTTLS\r\n"), Say(b"* CAPABILITY x\r\na OK begin\r\n")];
const LDAP: &[Step] = &[
    Hear(b"\x30\x1d\x02\x01\x01\x77\x18\x80\x161.3.6.1.4.1.1466.20037"),
    Say(b"\x30\x0c\x02\x01\x01\x78\x07\x0a\x01\x00\x04\x00\x04\x00"),
];
/// As Active Directory writes lengths.
const LDAP_LONG: &[Step] = &[
    Hear(b"\x30\x1d\x02\x01\x01\x77\x18\x80\x161.3.6.1.4.1.1466.20037"),
    Say(b"\x30\x84\x00\x00\x00\x10\x02\x01\x01\x78\x84\x00\x00\x00\x07\x0a\x01\x00\x04\x00\x04\x00"),
];
const POSTGRES: &[Step] = &[Hear(b"\x00\x00\x00\x08\x04\xd2\x16\x2f"), Say(b"S")];
const MYSQL: &[Step] = &[
    Say(b"\x4a\x00\x00\x00\x0a8.0.36\x00\x08\x00\x00\x00abcdefgh\x00\xff\xff\x2d\x02\x00\xff\xdf\x15\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00ijklmnopqrst\x00caching_sha2_password\x00"),
    Hear(b"\x20\x00\x00\x01\x01\x8a\x00\x00\x00\x00\x00\x01\x2d\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"),
];

#[test]
fn each_plaintext_protocol_leads_to_tls() {
    for (name, script) in
        [("smtp", SMTP), ("imap", IMAP), ("ldap", LDAP), ("ldap", LDAP_LONG), ("postgres", POSTGRES), ("mysql", MYSQL)]
    {
        let server = Server::behind(script, "ca-false");
        connects(&server.address(), &["--starttls", name]);
        connects(&format!("{name}://{}", server.address()), &[]);
        assert_eq!(server.accepted(), 2, "{name}");
    }
}

#[test]
fn a_server_that_does_not_begin_tls_says_why() {
    for (name, script, words) in [
        ("smtp", &[Say(b"554 go away\r\n")][..], "554 go away"),
        ("smtp", &[Say(b"SSH-2.0-x\r\n")], "is not SMTP"),
        ("imap", &[Say(b"* BYE full\r\n")], "* BYE full"),
        ("imap", &[Say(b"* OK\r\n"), Hear(b"a STARTTLS\r\n"), Say(b"a NO\r\n")], "\"a NO\""),
        ("ldap", &[Say(b"\x30\x0c\x02\x01\x01\x78\x07\x0a\x01\x35\x04\x00\x04\x00")], "result code 53"),
        ("postgres", &[Say(b"N")], "\"N\""),
        ("postgres", &[Say(b"E")], "no answer"),
        ("mysql", &[Say(b"\x0a\x00\x00\x00\xff\x69\x04blocked")], "blocked"),
        ("mysql", &[Say(b"\x03\x00\x00\x00\x09ab")], "not MySQL"),
    ] {
        let server = Server::of(move |mut stream| {
            for step in script {
                if let Say(bytes) = step {
                    stream.write_all(bytes).unwrap();
                }
            }
            // Open until the client goes.
            let _ = std::io::copy(&mut stream, &mut std::io::sink());
        });
        fails(&server.address(), &["--starttls", name], "FC-STARTTLS", words);
    }
}

#[test]
fn plaintext_behind_the_agreement_is_an_injection() {
    const INJECTED: &[Step] = &[
        Say(b"220 ready\r\n"),
        Hear(b"EHLO [127.0.0.1]\r\n"),
        Say(b"250 STARTTLS\r\n"),
        Hear(b"STARTTLS\r\n"),
        Say(b"220 go ahead\r\n250 RSET\r\n"),
    ];
    let server = Server::behind(INJECTED, "ca-false");
    fails(&server.address(), &["--starttls", "smtp"], "FC-STARTTLS-INJECTION", "250 RSET");
}

#[test]
fn what_is_no_tls_is_recognised() {
    for (greeting, words) in [
        (&b"SSH-2.0-OpenSSH_9.2\r\n"[..], "it speaks SSH"),
        (b"220 mail.example.org ESMTP\r\n", "--starttls smtp"),
        (b"* OK IMAP4rev1\r\n", "--starttls imap"),
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", "HTTP in plaintext"),
        (b"\x4a\x00\x00\x00\x0a8.0.36\x00", "--starttls mysql"),
        (b"hello there\r\n", "hello there"),
    ] {
        let server = Server::of(move |mut stream| {
            stream.write_all(greeting).unwrap();
            let _ = std::io::copy(&mut stream, &mut std::io::sink());
        });
        fails(&server.address(), &[], "FC-TLS-NOT-TLS", words);
    }
}

#[test]
fn alerts_are_explained() {
    for (alert, code, words) in [
        (40, "FC-TLS-HANDSHAKE", "no suite, group or signature in common"),
        (70, "FC-TLS-VERSION", "neither TLS 1.2 nor 1.3"),
        (112, "FC-TLS-NAME", "--sni"),
        (80, "FC-TLS-HANDSHAKE", "InternalError"),
    ] {
        let server = Server::of(move |mut stream| {
            let _ = stream.write_all(&[0x15, 3, 3, 0, 2, 2, alert]);
            let _ = std::io::copy(&mut stream, &mut std::io::sink());
        });
        fails(&server.address(), &[], code, words);
    }
}

#[test]
fn proxies_of_both_kinds() {
    let server = Server::tls("ca-false");
    let http = http_proxy();
    let socks = socks_proxy();
    let target = server.address();
    let with = |scheme: &str, credentials: &str, proxy: &Server| format!("{scheme}://{credentials}{}", proxy.address());
    connects(&target, &["--proxy", &with("http", "user:secret@", &http)]);
    connects(&target, &["--proxy", &with("socks5", "", &socks)]);
    connects(&target, &["--proxy", &with("socks5h", "", &socks)]);
    // The proxy looks the name up: this machine does not know it.
    let named = format!("edge.invalid:{}", server.port);
    connects(&named, &["--proxy", &with("socks5h", "", &socks), "--name", "localhost"]);
    connects(&named, &["--proxy", &with("http", "user:secret@", &http), "--name", "localhost"]);
    fails(&named, &["--proxy", &with("socks5", "", &socks)], "FC-NAME-UNKNOWN", "edge.invalid");
    fails(&target, &["--proxy", &with("http", "", &http)], "FC-PROXY", "407");
    let closed = format!("127.0.0.1:{}", closed_port());
    fails(&closed, &["--proxy", &with("http", "user:secret@", &http)], "FC-PROXY", "502");
    fails(&closed, &["--proxy", &with("socks5", "", &socks)], "FC-PROXY", "refused");
    let outcome = look(&target, &["--proxy", &format!("http://user:secret@{closed}")]);
    assert!(outcome.code == 3 && !outcome.stdout.contains("secret"), "{}", outcome.stdout);
}

#[test]
fn ipv6() {
    let Some(server) = on_ipv6("ca-false") else {
        eprintln!("this machine has no IPv6 on loopback: not tested");
        return;
    };
    let target = format!("[::1]:{}", server.port);
    connects(&target, &["--name", "localhost"]);
    connects(&target, &["-6", "--name", "localhost"]);
}

#[test]
fn names_and_sni_are_independent() {
    let (names, seen) = std::sync::mpsc::channel();
    let config = Tls::of("ca-false").config();
    let server = Server::of(move |mut stream| {
        let mut acceptor = rustls::server::Acceptor::default();
        let accepted = loop {
            acceptor.read_tls(&mut stream).unwrap();
            if let Some(accepted) = acceptor.accept().unwrap() {
                break accepted;
            }
        };
        names.send(accepted.client_hello().server_name().map(str::to_owned)).unwrap();
        let mut connection = accepted.into_connection(config.clone()).unwrap();
        let _ = connection.complete_io(&mut stream);
    });
    let by_name = format!("localhost:{}", server.port);
    for (target, more, expected) in [
        (&by_name, &[][..], Some("localhost")),
        (&by_name, &["--name", "other.example.org"], Some("localhost")),
        (&by_name, &["--sni", "a.example.org"], Some("a.example.org")),
        (&by_name, &["--sni", "none"], None),
        (&server.address(), &[], None),
        (&server.address(), &["--sni", "b.example.org"], Some("b.example.org")),
    ] {
        let outcome = look(target, &[&["-4"], more].concat());
        assert_eq!(outcome.code, if more.contains(&"--name") { 4 } else { 0 }, "{more:?}: {}", outcome.stdout);
        assert_eq!(seen.recv().unwrap().as_deref(), expected, "{more:?}");
    }
}

#[test]
fn a_silent_server_costs_no_more_than_the_timeout() {
    let silent = Server::of(|mut stream| {
        let _ = std::io::copy(&mut stream, &mut std::io::sink());
    });
    let started = Instant::now();
    fails(&silent.address(), &["--timeout", "300ms"], "FC-TIMEOUT", "within --timeout");
    assert!(started.elapsed().as_secs() < 5);
}

#[test]
fn a_certificate_that_was_seen_is_judged_whatever_comes_after_it() {
    // The server's whole first flight, then the end of the connection instead of the handshake's.
    let config = Tls { versions: vec![&TLS12], ..Tls::of("ca-true") }.config();
    let server = Server::of(move |mut stream| {
        let mut connection = ServerConnection::new(config.clone()).unwrap();
        connection.read_tls(&mut stream).unwrap();
        connection.process_new_packets().unwrap();
        while connection.wants_write() {
            connection.write_tls(&mut stream).unwrap();
        }
        stream.shutdown(std::net::Shutdown::Write).unwrap();
        let _ = std::io::copy(&mut stream, &mut std::io::sink());
    });
    let outcome = look(&server.address(), &["--retries", "3"]);
    assert_eq!(outcome.code, 1, "{}", outcome.stdout);
    for words in ["FC-PIN-MISMATCH", "possession   ok", "FC-TLS-BROKEN"] {
        assert!(outcome.stdout.contains(words), "{words}: {}", outcome.stdout);
    }
    assert_eq!(server.accepted(), 1, "a certificate that was seen is not asked for again");
}

#[test]
fn a_server_whose_handshake_never_ends_rightly_is_one_that_nobody_connects_to() {
    // The whole first flight of a right server, then its Finished with one bit changed.
    let config = Tls { versions: vec![&TLS12], ..Tls::of("ca-false") }.config();
    let server = Server::of(move |mut stream| {
        let mut connection = ServerConnection::new(config.clone()).unwrap();
        while connection.is_handshaking() {
            connection.read_tls(&mut stream).unwrap();
            connection.process_new_packets().unwrap();
            let mut bytes = Vec::new();
            while connection.wants_write() {
                connection.write_tls(&mut bytes).unwrap();
            }
            if !connection.is_handshaking() {
                *bytes.last_mut().unwrap() ^= 1;
            }
            stream.write_all(&bytes).unwrap();
        }
        let _ = std::io::copy(&mut stream, &mut std::io::sink());
    });
    let outcome = look(&server.address(), &[]);
    assert_eq!(outcome.code, 4, "{}", outcome.stdout);
    for words in ["pin          ok", "possession   ok", "FC-TLS-BROKEN"] {
        assert!(outcome.stdout.contains(words), "{words}: {}", outcome.stdout);
    }
    let folder = tempfile::tempdir().unwrap();
    let store = folder.path().join("trust");
    let store = store.to_str().unwrap();
    let target = server.address();
    assert_eq!(run(&["trust", "add", &target, "--store", store, "--at", AT]).code, 1);
    assert_eq!(run(&["trust", "add", &target, "--from", ROOT, "--store", store, "--at", AT]).code, 0);
    let outcome = run(&["trust", "check", &target, "--store", store, "--at", AT]);
    assert!(outcome.code == 1 && outcome.stdout.contains("NOT PROVED"), "{outcome:?}");
}

#[test]
fn unreached_targets_are_tried_again_and_seen_ones_never() {
    let closing = Server::of(drop);
    fails(&closing.address(), &["--retries", "2"], "FC-TLS-HANDSHAKE", "connection");
    assert_eq!(closing.accepted(), 3);
    let other = Server::tls("ca-true");
    assert_eq!(look(&other.address(), &["--retries", "2"]).code, 1);
    assert_eq!(other.accepted(), 1, "a pin that does not match is never tried again");
}

#[test]
fn lists_with_pins_of_their_own() {
    let (one, two) = (Server::tls("ca-false"), Server::tls("rsa-2048"));
    let list = format!(
        "# two of them\n\n{}\n  {}   {} , {}\n",
        one.address(),
        two.address(),
        "ab".repeat(32),
        certificate("rsa-2048.pem"),
    );
    let common = ["host", "-f", "-", "--pin", ROOT, "--roots", "certificates/rsa-2048.pem", "--roots", ROOT];
    let outcome = run_with(&[&common[..], &["--at", AT, "--platform", "linux", "--format", "csv"]].concat(), &list);
    assert_eq!((outcome.code, outcome.stderr.as_str()), (0, ""), "{}", outcome.stdout);
    assert_eq!(outcome.stdout.lines().count(), 3);
    // The line's own pins stand in the place of the command line's: they are never joined.
    let crossed = format!("{} {}\n", one.address(), "ab".repeat(32));
    let outcome = run_with(&[&common[..], &["--at", AT]].concat(), &crossed);
    assert_eq!(outcome.code, 1, "{}", outcome.stdout);
}

#[test]
fn hundreds_of_targets_at_once() {
    let server = Server::tls("ca-false");
    let list = format!("{}\n", server.address()).repeat(300);
    let arguments = [
        "host",
        "-f",
        "-",
        "--roots",
        ROOT,
        "--at",
        AT,
        "--platform",
        "linux",
        "--format",
        "jsonl",
        "--concurrency",
        "50",
    ];
    let outcome = run_with(&arguments, &list);
    assert_eq!((outcome.code, outcome.stderr.as_str()), (0, ""));
    assert_eq!(outcome.stdout.lines().count(), 300);
    assert_eq!(server.accepted(), 300);
}

#[test]
fn tls12_without_the_extended_master_secret_is_told() {
    // rustls servers always have it, so that its absence is read from a captured hello by a unit test; here: it is there.
    let config = Tls { versions: vec![&TLS12], ..Tls::of("ca-false") }.config();
    let server = Server::of(move |stream| serve(stream, &config));
    let outcome = look(&server.address(), &["--format", "json"]);
    let document: serde_json::Value = serde_json::from_str(&outcome.stdout).unwrap();
    let connection = &document["targets"][0]["connection"];
    assert_eq!(connection["version"], "TLS 1.2");
    assert_eq!(connection["extended_master_secret"], true);
}
