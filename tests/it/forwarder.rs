//! `client-sim connect` under local programs that know nothing of the relay.

use std::{
    fs,
    io::{ErrorKind, Read, Write},
    net::{Shutdown, SocketAddr},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use rustix::process::Signal;
use tests::{
    process::{Process, command, free_address, run, wait_until},
    relay::{Forwarder, Options, Relay, text},
    upstream::{HttpClient, Upstream, connect, content, reset},
};

fn relay_with(services: &[(&str, SocketAddr)]) -> (Relay, Forwarder) {
    let relay = Relay::start(&Options { services, ..Options::default() });
    let names: Vec<&str> = services.iter().map(|(name, _)| *name).collect();
    let forwarder = relay.connect("laptop", "node-a", &names);
    (relay, forwarder)
}

#[test]
fn http_with_keep_alive_and_many_short_connections() {
    const SHORT: u64 = 1_000;
    const AT_A_TIME: u64 = 8;
    let http = Upstream::http();
    let (relay, forwarder) = relay_with(&[("web", http.address)]);
    let address = forwarder.addresses[0];
    let mut kept = HttpClient::connect(address).unwrap();
    for (seed, length) in (0..).zip([0, 1, 100, 16_384, 16_385, 1_000_000, 3]) {
        assert!(kept.get(seed, length).unwrap() == content(seed, length), "{length} bytes");
    }
    assert_eq!(http.served(), 1, "one connection, kept");
    let started = Instant::now();
    std::thread::scope(|scope| {
        for thread in 0..AT_A_TIME {
            scope.spawn(move || {
                for seed in (0..SHORT).filter(|seed| seed % AT_A_TIME == thread) {
                    let body = HttpClient::connect(address).and_then(|mut client| client.get(seed, 700));
                    assert!(body.unwrap() == content(seed, 700), "short connection {seed}");
                }
            });
        }
    });
    let took = started.elapsed();
    assert_eq!(http.served(), 1 + SHORT);
    eprintln!("{SHORT} short connections, {AT_A_TIME} at a time: {took:?}");
    assert!(kept.get(9, 5).unwrap() == content(9, 5), "the first connection still stands");
    drop(kept);
    wait_until("every tunnel has ended", || relay.edge.status()["tunnels"] == 0);
    assert_eq!(relay.edge.metric("sallyport_edge_tunnels_closed_total", &["broken"]), 0.0);
}

#[test]
fn a_long_download_and_a_long_upload_arrive_whole() {
    const LENGTH: usize = 64 << 20;
    let (http, digest) = (Upstream::http(), Upstream::digest());
    let (relay, forwarder) = relay_with(&[("web", http.address), ("digest", digest.address)]);
    let expected = content(1, LENGTH);
    let started = Instant::now();
    let mut client = HttpClient::connect(forwarder.addresses[0]).unwrap();
    let body = client.get(1, LENGTH).unwrap();
    let down = started.elapsed();
    assert_eq!(relay_trust::sha256(&body), relay_trust::sha256(&expected));
    drop(body);

    let started = Instant::now();
    let mut upload = connect(forwarder.addresses[1]).unwrap();
    upload.write_all(&expected).unwrap();
    // The digest comes only after the end: the half-close has travelled.
    upload.shutdown(Shutdown::Write).unwrap();
    let mut answer = Vec::new();
    upload.read_to_end(&mut answer).unwrap();
    let up = started.elapsed();
    let whole = [&(LENGTH as u64).to_be_bytes()[..], &relay_trust::sha256(&expected)].concat();
    assert_eq!(answer, whole);
    let moved = relay.edge.metric("sallyport_edge_relayed_bytes_total", &[]);
    assert!(moved > 2.0 * LENGTH as f64, "{moved}");
    eprintln!("64 MiB down in {down:?}, up in {up:?}");
}

#[test]
fn ends_travel_as_ends_and_resets_as_resets() {
    let heard = Arc::new(AtomicU64::new(0));
    let (farewell, resetting, cut) = (
        Upstream::farewell(Arc::clone(&heard)),
        Upstream::resetting(),
        Upstream::start({
            let heard = Arc::clone(&heard);
            move |mut stream| {
                let mut all = Vec::new();
                let error = stream.read_to_end(&mut all).expect_err("a reset, not an end");
                assert_eq!(error.kind(), ErrorKind::ConnectionReset);
                heard.store(1, Ordering::Release);
                Ok(())
            }
        }),
    );
    let nobody = free_address();
    let services =
        [("farewell", farewell.address), ("resetting", resetting.address), ("cut", cut.address), ("nobody", nobody)];
    let (_relay, forwarder) = relay_with(&services);

    // The upstream ends its direction first; ours stays open.
    let mut stream = connect(forwarder.addresses[0]).unwrap();
    let mut greeting = Vec::new();
    stream.read_to_end(&mut greeting).unwrap();
    assert_eq!(greeting, b"greeting");
    for _ in 0..10 {
        stream.write_all(&[7; 10_000]).unwrap();
    }
    drop(stream);
    wait_until("all was heard after the upstream's own end", || heard.swap(0, Ordering::AcqRel) == 100_000);

    // A reset of the upstream is no end to the local program.
    let mut stream = connect(forwarder.addresses[1]).unwrap();
    stream.write_all(b"x").unwrap();
    let error = stream.read_to_end(&mut Vec::new()).expect_err("a reset");
    assert_eq!(error.kind(), ErrorKind::ConnectionReset);

    // A reset of the local program is no end to the upstream.
    let mut stream = connect(forwarder.addresses[2]).unwrap();
    stream.write_all(&[1; 5_000]).unwrap();
    wait_until("the upstream has the connection", || cut.served() == 1);
    reset(stream).unwrap();
    wait_until("the upstream saw the reset", || heard.swap(0, Ordering::AcqRel) == 1);

    // An upstream that does not listen: a reset at once, and a reason in the log.
    let started = Instant::now();
    let mut stream = connect(forwarder.addresses[3]).unwrap();
    let error = stream.read_to_end(&mut Vec::new()).expect_err("a reset");
    assert_eq!(error.kind(), ErrorKind::ConnectionReset);
    assert!(started.elapsed() < Duration::from_secs(5), "{:?}", started.elapsed());
    let _ = forwarder.process.wait_for_line("upstream did not accept");
}

#[test]
fn a_wrong_pin_halts_for_good_until_a_person_resets_it() {
    let http = Upstream::http();
    let (relay, mut forwarder) = relay_with(&[("web", http.address)]);
    let state = forwarder.state.clone();
    // SIGTERM: drained.
    forwarder.process.signal(Signal::TERM);
    assert_eq!(forwarder.process.wait().code(), Some(0));
    let start = |more: &[&str]| {
        let mut again = command("client-sim");
        again.args(["connect", "--state", text(&state), "--forward", "127.0.0.1:0=web"]).args(more);
        Process::start("again", again)
    };
    let admitted = || relay.edge.metric("sallyport_edge_admitted_total", &[]);
    let ends_halted = |mut process: Process, words: &str| {
        let status = process.wait();
        let lines = process.lines().join("\n");
        assert_eq!(status.code(), Some(3), "{lines}");
        assert!(lines.contains("halted") && lines.contains(words), "{lines}");
    };
    let other = format!("spki:{}", "ab".repeat(32));
    ends_halted(start(&["--pin", &other]), "pin");
    assert!(fs::read_to_string(state.join("state.toml")).unwrap().contains("[halted]"));
    // Not even the right pin helps now, and the edge is not so much as connected to.
    let before = admitted();
    ends_halted(start(&["--pin", &relay.edge_pin]), "--reset-halt");
    ends_halted(start(&[]), "--reset-halt");
    assert_eq!(admitted(), before);
    let reset = run("client-sim", ["connect", "--state", text(&state), "--reset-halt"]);
    assert!(reset.status.success(), "{}", String::from_utf8_lossy(&reset.stderr));
    let process = start(&["--pin", &relay.edge_pin]);
    let line = process.wait_for_line("listening on ");
    let address = line.split(' ').nth(2).and_then(|address| address.parse().ok()).unwrap();
    let mut client = HttpClient::connect(address).unwrap();
    assert_eq!(client.get(1, 10).unwrap(), content(1, 10));
    assert_eq!(relay.master.status()["registry"]["devices"], 1, "it is the same device");
}
