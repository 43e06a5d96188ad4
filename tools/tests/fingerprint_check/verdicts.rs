//! What each certificate leads to, in-process: those that rustls can serve.

use rustls::version::{TLS12, TLS13};

use crate::{
    kit::{AT, Outcome, run, settled, snapshot},
    servers::{Server, Tls, chain, serve},
};

/// `host` against a server on `port` with this certificate, pinned and as its own root.
fn look(port: u16, name: &str, roots: &str) -> Outcome {
    let target = format!("127.0.0.1:{port}");
    let pin = format!("certificates/{name}.pem");
    let roots = format!("certificates/{roots}.pem");
    run(&["host", &target, "--pin", &pin, "--roots", &roots, "--at", AT])
}

fn kept(name: &str, outcome: &Outcome, port: u16) {
    assert_eq!(outcome.stderr, "", "{name}");
    let text = format!("{}exit {}\n", settled(&outcome.stdout, &[(port, "PORT")]), outcome.code);
    snapshot(&format!("verdicts/{name}.txt"), &text);
}

#[test]
fn each_certificate_has_its_verdicts() {
    for (name, roots, code) in [
        ("ca-true", "ca-true", 4),
        ("ca-false", "ca-false", 0),
        ("chain", "root", 0),
        ("expired", "expired", 4),
        ("rsa-2048", "rsa-2048", 4),
        ("sha1", "sha1", 4),
        ("wrong-name", "wrong-name", 4),
        ("ed25519", "ed25519", 4),
        ("p-384", "p-384", 0),
        ("v1", "v1", 4),
    ] {
        let server = Server::tls(name);
        let outcome = look(server.port, name, roots);
        assert_eq!(outcome.code, code, "{name}: {}", outcome.stdout);
        assert_eq!(server.accepted(), 1, "{name}: one connection gives every verdict");
        kept(name, &outcome, server.port);
    }
}

#[test]
fn the_right_certificate_without_its_key_is_found_out() {
    // The pinned certificate, presented by somebody who has another key: under both versions.
    for version in [&TLS12, &TLS13] {
        let config = Tls { versions: vec![version], ..Tls::of("expired").presenting(chain("ca-false.pem")) }.config();
        let server = Server::of(move |stream| serve(stream, &config));
        let outcome = look(server.port, "ca-false", "ca-false");
        assert_eq!(outcome.code, 1, "{}", outcome.stdout);
        assert!(outcome.stdout.contains("pin          ok"), "none hides another: {}", outcome.stdout);
        assert!(outcome.stdout.contains("FC-POSSESSION-NOT-PROVED"), "{}", outcome.stdout);
        assert!(!outcome.stdout.contains(" connects"), "no platform connects: {}", outcome.stdout);
    }
}

#[test]
fn a_pin_of_an_appended_certificate_does_not_count() {
    // An attacker's own certificate and key, with the pinned certificate behind it.
    let mut presented = chain("expired.pem");
    presented.extend(chain("ca-false.pem"));
    let config = Tls::of("expired").presenting(presented).config();
    let server = Server::of(move |stream| serve(stream, &config));
    let outcome = look(server.port, "ca-false", "ca-false");
    assert_eq!(outcome.code, 1, "{}", outcome.stdout);
    kept("appended", &outcome, server.port);
}

#[test]
fn what_is_wrong_in_several_ways_is_told_in_all_of_them() {
    let server = Server::tls("expired");
    let target = server.address();
    let outcome = run(&[
        "host",
        &target,
        "--pin",
        &"ab".repeat(32),
        "--roots",
        "certificates/root.pem",
        "--roots",
        "mozilla",
        "--name",
        "edge.example.org",
        "--at",
        AT,
    ]);
    assert_eq!(outcome.code, 1);
    for code in ["FC-PIN-MISMATCH", "FC-CHAIN-SELF-SIGNED", "FC-NAME-MISMATCH", "FC-TIME-EXPIRED"] {
        assert!(outcome.stdout.contains(code), "{code}: {}", outcome.stdout);
    }
    kept("everything", &outcome, server.port);
}

#[test]
fn warnings_count_under_strict_only() {
    let server = Server::tls("p-384");
    let target = server.address();
    let common = ["host", &target, "--roots", "certificates/p-384.pem", "--platform", "linux"];
    let with = |more: &[&str]| run(&[&common, more].concat()).code;
    assert_eq!(with(&["--at", AT, "--strict"]), 0);
    assert_eq!(with(&["--at", "2027-12-15"]), 0);
    assert_eq!(with(&["--at", "2027-12-15", "--strict"]), 5);
    assert_eq!(with(&["--at", "2027-12-15", "--strict", "--warn-days", "10"]), 0);
    assert_eq!(with(&["--at", "2028-01-02"]), 4);
    assert_eq!(with(&["--at", "2025-12-31"]), 4);
}

#[test]
fn a_missing_intermediate_is_told_from_a_strange_issuer() {
    let config = Tls::of("chain").presenting(chain("chain.pem")[..1].to_vec()).config();
    let server = Server::of(move |stream| serve(stream, &config));
    let outcome = look(server.port, "chain", "root");
    assert_eq!(outcome.code, 4);
    assert!(outcome.stdout.contains("FC-CHAIN-INCOMPLETE"), "{}", outcome.stdout);
    let server = Server::tls("chain");
    let outcome = look(server.port, "chain", "ca-false");
    assert!(outcome.stdout.contains("FC-CHAIN-UNKNOWN-ISSUER"), "{}", outcome.stdout);
}
