//! Edge, master and storage node as an operator starts them.

use std::{fs, io::Read, os::unix::fs::PermissionsExt, path::Path, time::Duration};

use relay_trust::Identity;
use tests::{
    peer,
    process::{PATIENCE, Process, wait_until},
    relay::{Options, Part, Relay, fleet_report},
    upstream::{Upstream, connect, content},
};

#[test]
fn a_fleet_is_served_by_three_processes_that_then_drain() {
    let mut relay = Relay::start(&Options::default());
    let secret = relay.mass_secret("fleet", 100);
    let fleet = relay.fleet("node-a", &secret, &["--devices", "60", "--bytes", "64KiB"]);
    let (status, report) = fleet_report(&mut Process::start("fleet", fleet), PATIENCE * 2);
    assert!(status.success() && report["passed"] == true, "{status}: {report:#}");
    assert_eq!((&report["devices"], &report["wrong"]), (&60.into(), &0.into()), "{report:#}");
    // Six platforms of ten devices, four of each for faults: the other 36 moved 64 KiB twice.
    assert_eq!(report["bytes_checked"], 36 * 2 * 65_536, "{report:#}");
    assert_eq!(relay.edge.metric("sallyport_edge_tunnels_opened_total", &[]), 36.0 * 3.0);
    assert!(relay.edge.metric("sallyport_edge_rejections_total", &[]) >= 6.0, "wrong parameters are counted");
    for part in [&mut relay.edge, &mut relay.master].into_iter().chain(&mut relay.nodes) {
        let (status, lines) = part.terminate();
        assert_eq!(status.code(), Some(0), "{}", lines.join("\n"));
        assert!(!lines.iter().any(|line| line.contains("ERROR")), "{}", lines.join("\n"));
    }
}

/// A certificate for the same key, with another serial number and so another fingerprint, in place of the edge's.
fn renew(chain: &Path, key: &Path) {
    let names = ["localhost".to_owned(), "127.0.0.1".to_owned()];
    let renewed = Identity::load(chain, key).and_then(|old| old.reissue(&names, 100)).unwrap();
    fs::write(chain, renewed.chain_pem()).unwrap();
}

#[test]
fn sighup_reloads_the_certificate_and_nothing_in_flight_drops() {
    let echo = Upstream::echo();
    let relay = Relay::start(&Options { services: &[("echo-tcp", echo.address)], ..Options::default() });
    let forwarder = relay.connect("laptop", "node-a", &["echo-tcp"]);
    let mut running = connect(forwarder.addresses[0]).unwrap();
    let mut say = |seed: u64| {
        let sent = content(seed, 100_000);
        let mut writer = running.try_clone().unwrap();
        let heard = std::thread::scope(|scope| {
            scope.spawn(|| std::io::Write::write_all(&mut writer, &sent).unwrap());
            let mut heard = vec![0; sent.len()];
            running.read_exact(&mut heard).unwrap();
            heard
        });
        assert!(heard == sent, "the tunnel changed bytes");
    };
    let reloads = |outcome| relay.edge.metric("sallyport_edge_reloads_total", &[outcome]);
    let (chain, key) = (relay.edge.folder().join("edge.crt"), relay.edge.folder().join("edge.key"));
    let first = peer::certificate(relay.address).unwrap();
    say(1);

    renew(&chain, &key);
    relay.edge.reload();
    wait_until("the certificate is read again", || reloads("done") == 1.0);
    let second = peer::certificate(relay.address).unwrap();
    assert_ne!(first, second);
    assert_eq!(relay_trust::peer_spki(&first).unwrap(), relay_trust::peer_spki(&second).unwrap());
    say(2);

    // Three bad files, one after another: each is refused aloud and the good one stays.
    let (good_chain, good_key) = (fs::read(&chain).unwrap(), fs::read(&key).unwrap());
    let mode = |mode| fs::set_permissions(&key, fs::Permissions::from_mode(mode)).unwrap();
    let other = Identity::self_signed(&["localhost".to_owned()], 10).unwrap();
    let breaks: [(&str, &dyn Fn()); 3] = [
        ("no PEM", &|| fs::write(&chain, "not a certificate").unwrap()),
        ("of another key", &|| fs::write(&chain, other.chain_pem()).unwrap()),
        ("a key that others can read", &|| mode(0o644)),
    ];
    for (count, (what, spoil)) in (1..).zip(breaks) {
        spoil();
        relay.edge.reload();
        wait_until("the bad file is refused", || reloads("refused") == f64::from(count));
        assert_eq!(peer::certificate(relay.address).unwrap(), second, "{what}");
        fs::write(&chain, &good_chain).unwrap();
        fs::write(&key, &good_key).unwrap();
        mode(0o600);
    }
    // A line comes a little later than its metric.
    wait_until("the log names each", || relay.edge.log().matches("reload refused").count() == 3);
    say(3);

    relay.edge.reload();
    wait_until("good files are read again", || reloads("done") == 2.0);
    let secret = String::from_utf8(good_key).unwrap();
    assert!(!secret.lines().any(|line| !line.contains("---") && relay.edge.log().contains(line)), "no key in the log");
    // The backends and the device never noticed.
    assert_eq!(relay.edge.metric("sallyport_edge_backend_logins_total", &[]), 2.0);
    assert_eq!(relay.edge.metric("sallyport_edge_tunnels_closed_total", &["broken"]), 0.0);
    say(4);
}

/// Writes the pin of the edge that a backend shall take from now on, or none.
fn set_pin(part: &Part, pin: Option<&str>) {
    let line = pin.map_or("# pin = ".to_owned(), |pin| format!("pin = \"{pin}\""));
    let text = fs::read_to_string(&part.config).unwrap();
    let old = text.lines().find(|line| line.starts_with("pin = ") || *line == "# pin = ").expect("a line with the pin");
    fs::write(&part.config, text.replacen(old, &line, 1)).unwrap();
    let before = part.process().line_count();
    part.reload();
    let _ = part.process().wait_for_line_after(before, "reloaded");
}

#[test]
fn the_edge_takes_another_key_without_a_restart_of_its_backends() {
    let echo = Upstream::echo();
    let mut relay = Relay::start(&Options { services: &[("echo-tcp", echo.address)], ..Options::default() });
    let forwarder = relay.connect("laptop", "node-a", &["echo-tcp"]);
    let mut running = connect(forwarder.addresses[0]).unwrap();
    let mut exchange = || {
        std::io::Write::write_all(&mut running, b"ping").unwrap();
        let mut heard = [0; 4];
        running.read_exact(&mut heard).unwrap();
        assert_eq!(&heard, b"ping");
    };
    exchange();
    // For the time of the change the shared key alone tells the edge.
    for part in [&relay.master, &relay.nodes[0]] {
        set_pin(part, None);
    }
    let new = Identity::self_signed(&["localhost".to_owned(), "127.0.0.1".to_owned()], 100).unwrap();
    fs::write(relay.edge.folder().join("edge.crt"), new.chain_pem()).unwrap();
    fs::write(relay.edge.folder().join("edge.key"), &*new.key_pem()).unwrap();
    relay.edge.reload();
    wait_until("the key is another", || peer::certificate(relay.address).unwrap() == new.leaf().as_ref());
    exchange();
    let spki = relay_trust::Pin::new(relay_trust::PinKind::Spki, new.fingerprints().spki).to_string();
    for part in [&relay.master, &relay.nodes[0]] {
        set_pin(part, Some(&spki));
    }
    exchange();
    // And every connection from now on is made under the new pin.
    relay.edge.kill();
    relay.edge.start();
    relay.wait_ready();
    set_pin(&relay.nodes[0], Some(&relay.edge_pin));
    relay.edge.kill();
    relay.edge.start();
    wait_until("the old pin is of no use", || {
        relay.nodes[0].metric("sallyport_backend_control_connection_ends_total", &["how=\"tls\""]) > 0.0
    });
}

#[test]
fn sigterm_lets_a_tunnel_finish_and_refuses_what_is_new() {
    let echo = Upstream::echo();
    let mut relay = Relay::start(&Options { services: &[("echo-tcp", echo.address)], ..Options::default() });
    let forwarder = relay.connect("laptop", "node-a", &["echo-tcp"]);
    let mut running = connect(forwarder.addresses[0]).unwrap();
    let mut exchange = || {
        std::io::Write::write_all(&mut running, b"ping").unwrap();
        let mut heard = [0; 4];
        running.read_exact(&mut heard).unwrap();
        assert_eq!(&heard, b"ping");
    };
    exchange();
    relay.edge.process().signal(rustix::process::Signal::TERM);
    wait_until("the edge no longer accepts", || connect(relay.address).is_err());
    exchange();
    assert!(!relay.edge.is_ready());
    drop(running);
    // With its last tunnel the edge ends, long before the drain's deadline of 30 s.
    let started = std::time::Instant::now();
    let (status, lines) = relay.edge.wait();
    assert_eq!(status.code(), Some(0), "{}", lines.join("\n"));
    assert!(started.elapsed() < Duration::from_secs(10), "{:?}", started.elapsed());
}
