//! Programs under a service manager: what they tell it, and the sockets that it hands over. All of it in the sandbox.

use std::{
    fs,
    net::TcpListener,
    os::unix::net::UnixListener,
    process::{Command, Stdio},
    time::Duration,
};

use rustix::{
    process::Signal,
    time::{ClockId, clock_gettime},
};
use tests::{
    manager::{Manager, handing_over},
    peer,
    process::{PATIENCE, Process, binaries, wait_until},
    relay::{Options, Part, Relay, fleet_report, replace},
    upstream::{Upstream, connect},
};

/// Long for a program that lives, even on a busy machine, and short for a test that waits for silence.
const WATCHDOG: Duration = Duration::from_millis(400);

fn start(part: &mut Part, manager: &Manager) {
    let mut command = part.command();
    manager.watch(&mut command, WATCHDOG);
    part.start_as(command);
}

fn monotonic_usec() -> u64 {
    let now = clock_gettime(ClockId::Monotonic);
    u64::try_from(now.tv_sec).unwrap() * 1_000_000 + u64::try_from(now.tv_nsec).unwrap() / 1_000
}

/// What a manager of `Type=notify-reload` waits for, before it says that a reload is done.
fn reload(part: &Part, manager: &Manager) {
    let asked = monotonic_usec();
    part.reload();
    let told = manager.wait_for("RELOADING=1");
    let usec = told.lines().find_map(|line| line.strip_prefix("MONOTONIC_USEC=")).expect(&told);
    assert!(usec.parse::<u64>().unwrap() >= asked, "{told}");
    assert_eq!(manager.wait_for("READY=1"), "READY=1");
}

#[test]
fn every_part_tells_its_life() {
    let mut relay = Relay::prepare(&Options::default());
    let (edge, master, node) = (Manager::abstract_name(), Manager::at_path(), Manager::abstract_name());
    start(&mut relay.edge, &edge);
    // Ready is the first word: addresses are bound, signals are taken.
    let first = edge.next_within(PATIENCE);
    assert_eq!(first.as_deref(), Some("READY=1"), "{}", relay.edge.log());
    assert!(connect(relay.address).is_ok());
    let status = edge.wait_for("STATUS=");
    assert!(status.contains("STATUS=running: no master is connected; 0 of 2 backends"), "{status}");
    start(&mut relay.master, &master);
    start(&mut relay.nodes[0], &node);
    for manager in [&master, &node] {
        assert_eq!(manager.wait_for("READY=1"), "READY=1");
        let _ = manager.wait_for("STATUS=running: 1 of 1 edges connected, 0 tunnels");
    }
    let _ = edge.wait_for("STATUS=running: 2 of 2 backends");

    for (part, manager) in [(&relay.edge, &edge), (&relay.master, &master), (&relay.nodes[0], &node)] {
        reload(part, manager);
        // Who is stuck says nothing, and who is no longer stuck does.
        part.freeze();
        let silent = |_| manager.next_within(WATCHDOG * 2).is_none();
        assert!((0..8).any(silent), "it says that it lives, and stands still");
        part.thaw();
        let _ = manager.wait_for("WATCHDOG=1");
    }

    let (certificate, config) = (relay.edge.folder().join("edge.crt"), &relay.master.config);
    fs::write(certificate, "not a certificate").unwrap();
    replace(config, "role = ", "role = \"king\"");
    for (part, manager) in [(&relay.edge, &edge), (&relay.master, &master)] {
        reload(part, manager);
        let _ = manager.wait_for("STATUS=running: the last reload was refused, see the log; ");
    }

    for (part, manager) in [(&mut relay.nodes[0], &node), (&mut relay.master, &master), (&mut relay.edge, &edge)] {
        part.process().signal(Signal::TERM);
        let _ = manager.wait_for("STOPPING=1");
        let (status, lines) = part.wait();
        assert_eq!(status.code(), Some(0), "{}", lines.join("\n"));
    }
}

#[test]
fn a_drain_asks_for_the_time_that_it_takes() {
    let echo = Upstream::echo();
    let mut relay = Relay::prepare(&Options { services: &[("echo-tcp", echo.address)], ..Options::default() });
    let manager = Manager::at_path();
    start(&mut relay.edge, &manager);
    relay.master.start();
    relay.nodes[0].start();
    relay.wait_ready();
    let forwarder = relay.connect("laptop", "node-a", &["echo-tcp"]);
    let running = connect(forwarder.addresses[0]).unwrap();
    wait_until("the tunnel runs", || relay.edge.status()["tunnels"] == 1);
    relay.edge.process().signal(Signal::TERM);
    let _ = manager.wait_for("STOPPING=1");
    let _ = manager.wait_for("STATUS=draining: ");
    for _ in 0..3 {
        let _ = manager.wait_for("EXTEND_TIMEOUT_USEC=");
    }
    drop(running);
    assert_eq!(relay.edge.wait().0.code(), Some(0));
}

#[test]
fn a_manager_that_is_not_there_is_no_reason_to_stay_away() {
    let mut relay = Relay::prepare(&Options::default());
    let mut command = relay.edge.command();
    command.env("NOTIFY_SOCKET", "/nowhere/at/all");
    relay.edge.start_as(command);
    let line = relay.edge.process().wait_for_line("the service manager is told nothing");
    assert!(line.contains("/nowhere/at/all"), "{line}");
    wait_until("the edge accepts", || connect(relay.address).is_ok());
}

/// Starts the edge with its port handed over.
fn start_on(relay: &mut Relay, listener: &TcpListener, name: &str) {
    let (mut command, input) = handing_over(listener, name, &binaries().join("relay-edge"));
    command.arg("run").arg("--config").arg(&relay.edge.config);
    relay.edge.start_reading(command, input);
}

#[test]
fn a_port_that_was_handed_over_outlives_the_edge() {
    let mut relay = Relay::prepare(&Options::default());
    // The manager holds it all the time, so the edge could not bind it.
    let listener = TcpListener::bind(relay.address).unwrap();
    start_on(&mut relay, &listener, "listen");
    relay.master.start();
    relay.nodes[0].start();
    relay.wait_ready();
    let first = peer::certificate(relay.address).unwrap();

    relay.edge.kill();
    let address = relay.address;
    let waiting = std::thread::spawn(move || peer::certificate(address));
    start_on(&mut relay, &listener, "sallyport-edge.socket");
    // Who came in between was kept, and is served by the next edge.
    assert_eq!(waiting.join().unwrap().unwrap(), first);
    relay.wait_ready();
    let secret = relay.mass_secret("fleet", 100);
    let fleet = relay.fleet("node-a", &secret, &["--devices", "30", "--bytes", "64KiB"]);
    let (status, report) = fleet_report(&mut Process::start("fleet", fleet), PATIENCE * 2);
    assert!(status.success() && report["passed"] == true, "{status}: {report:#}");
    let (status, lines) = relay.edge.terminate();
    assert_eq!(status.code(), Some(0), "{}", lines.join("\n"));
}

#[test]
fn the_admin_address_can_be_handed_over() {
    let mut relay = Relay::prepare(&Options::default());
    let config = fs::read_to_string(&relay.edge.config).unwrap();
    let admin = config.lines().find_map(|line| line.strip_prefix("admin = \"")?.strip_suffix('"')).unwrap();
    let listener = TcpListener::bind(admin).unwrap();
    start_on(&mut relay, &listener, "admin");
    wait_until("the edge answers", || tests::http::get(listener.local_addr().unwrap(), "/healthz").is_some());
    assert!(connect(relay.address).is_ok(), "what was not handed over is bound");
}

#[test]
fn sockets_that_do_not_fit_end_the_start_with_one_clear_error() {
    let mut relay = Relay::prepare(&Options::default());
    let refused = |part: &mut Part, expected: &str| {
        let (status, lines) = part.wait();
        assert_eq!(status.code(), Some(2), "{}", lines.join("\n"));
        assert!(lines.len() == 1 && lines[0].contains(expected), "{}", lines.join("\n"));
    };
    let other = TcpListener::bind("127.0.0.1:0").unwrap();
    start_on(&mut relay, &other, "listen");
    refused(&mut relay.edge, "make them the same, in the socket unit or in the configuration");

    let unix = UnixListener::bind(relay.folder().join("socket")).unwrap();
    let (mut command, _) = handing_over(&other, "listen", &binaries().join("relay-edge"));
    command.arg("run").arg("--config").arg(&relay.edge.config);
    relay.edge.start_reading(command, Stdio::from(std::os::fd::OwnedFd::from(unix)));
    refused(&mut relay.edge, "is not one that listens for TCP");
}

/// As `deploy/systemd` has it: the edge sees no network at all.
#[test]
#[ignore = "needs root: a network namespace"]
fn an_edge_in_an_empty_network_namespace_serves_on_the_port_that_it_was_handed() {
    let mut relay = Relay::prepare(&Options::default());
    replace(&relay.edge.config, "admin = ", "admin = \"off\"");
    let listener = TcpListener::bind(relay.address).unwrap();
    let (plain, input) = handing_over(&listener, "listen", &binaries().join("relay-edge"));
    let mut command = Command::new("unshare");
    command.arg("--net").arg(plain.get_program()).args(plain.get_args());
    command.envs(plain.get_envs().filter_map(|(name, value)| Some((name, value?))));
    command.arg("run").arg("--config").arg(&relay.edge.config);
    relay.edge.start_reading(command, input);
    relay.master.start();
    relay.nodes[0].start();
    relay.master.wait_ready();
    relay.nodes[0].wait_ready();
    let own = fs::read_link("/proc/self/ns/net").unwrap();
    let edges = fs::read_link(format!("/proc/{}/ns/net", relay.edge.process().id())).unwrap();
    assert_ne!(own, edges);
    let secret = relay.mass_secret("fleet", 100);
    let fleet = relay.fleet("node-a", &secret, &["--devices", "30", "--bytes", "64KiB"]);
    let (status, report) = fleet_report(&mut Process::start("fleet", fleet), PATIENCE * 2);
    assert!(status.success() && report["passed"] == true, "{status}: {report:#}");
}
