//! The sandbox, in processes that do their work in it. A kernel that lacks a part makes the tests say so and judge the rest.

use std::{
    collections::BTreeMap,
    fs,
    io::{Read, Write},
    os::unix::fs::{PermissionsExt, symlink},
    path::Path,
    process::Command,
    sync::atomic::{AtomicBool, AtomicU64, Ordering},
};

use relay_runtime::sandbox::Mode;
use seccompiler::{BpfProgram, SeccompAction, SeccompFilter, apply_filter};
use serde_json::Value;
use tests::{
    process::{Process, command, run, wait_until},
    relay::{Options, Part, Relay, replace},
    upstream::{Upstream, connect, content},
};

/// Whether this kernel has all that the sandbox wants.
fn is_whole(status: &Value) -> bool {
    let layers = status["sandbox"]["layers"].as_array().map_or(&[][..], Vec::as_slice);
    assert_eq!(layers.len(), 7, "{status:#}");
    // Tests may run as root.
    let missing: Vec<_> = layers.iter().filter(|held| held["holds"] != true && held["layer"] != "user").collect();
    if !missing.is_empty() {
        eprintln!("this kernel cannot: {missing:?}; what depends on it is not judged");
    }
    missing.is_empty()
}

#[test]
fn everything_forbidden_is_refused_by_the_kernel_while_tunnels_run() {
    let echo = Upstream::echo();
    let mut relay = Relay::prepare(&Options { services: &[("echo-tcp", echo.address)], ..Options::default() });
    let mut edge = Command::new(env!("CARGO_BIN_EXE_sandboxed-edge"));
    edge.arg(&relay.edge.config);
    relay.edge.start_as(edge);
    relay.master.start();
    relay.nodes[0].start();
    relay.wait_ready();
    let forwarder = relay.connect("laptop", "node-a", &["echo-tcp"]);
    let (rounds, done) = (AtomicU64::new(0), AtomicBool::new(false));
    let sent = content(7, 50_000);
    std::thread::scope(|scope| {
        let tunnels: Vec<_> = (0..4)
            .map(|_| {
                let mut tunnel = connect(forwarder.addresses[0]).unwrap();
                let (sent, done, rounds) = (&sent, &done, &rounds);
                scope.spawn(move || {
                    let mut heard = vec![0; sent.len()];
                    while !done.load(Ordering::Relaxed) {
                        tunnel.write_all(sent).unwrap();
                        tunnel.read_exact(&mut heard).unwrap();
                        assert!(heard == *sent, "the tunnel changed bytes");
                        rounds.fetch_add(1, Ordering::Relaxed);
                    }
                })
            })
            .collect();
        wait_until("tunnels move bytes", || rounds.load(Ordering::Relaxed) >= 8);
        relay.edge.process().signal(rustix::process::Signal::USR1);
        let line = relay.edge.process().wait_for_line("\"attempts\"");
        let before = rounds.load(Ordering::Relaxed);
        wait_until("tunnels still move bytes", || rounds.load(Ordering::Relaxed) >= before + 8);
        done.store(true, Ordering::Relaxed);
        tunnels.into_iter().for_each(|tunnel| tunnel.join().unwrap());
        let tried: Value = serde_json::from_str(&line).unwrap();
        let tried = tried["attempts"].as_array().unwrap();
        assert!(tried.len() >= 35, "{tried:#?}");
        if is_whole(&relay.edge.status()) {
            let passed: Vec<_> = tried.iter().filter(|attempt| attempt["outcome"] != "refused").collect();
            assert!(passed.is_empty(), "{passed:#?}");
        }
    });
    // And it still takes new tunnels.
    assert!(connect(forwarder.addresses[0]).is_ok());
}

#[test]
fn every_part_says_what_holds_and_proves_it() {
    let relay = Relay::start(&Options::default());
    for part in [&relay.edge, &relay.master, &relay.nodes[0]] {
        let status = part.status();
        let whole = is_whole(&status);
        for thread in threads(part) {
            for line in ["NoNewPrivs:\t1", "Seccomp:\t2", "CapEff:\t0000000000000000", "CapBnd:\t0000000000000000"] {
                // Only root can empty the bounding set, and nobody else needs to.
                assert!(
                    thread.contains(line) || line.starts_with("CapBnd") && !is_root(),
                    "{line} is not in\n{thread}"
                );
            }
        }
        let binary = if part.config.ends_with("edge.toml") { "relay-edge" } else { "relay-backend" };
        // The admin address is taken by the one that runs; the self-test needs none.
        let config = part.config.to_str().unwrap();
        let checked = run(binary, ["check", "--sandbox", "--format", "json", "--config", config]);
        if whole {
            let stderr = String::from_utf8_lossy(&checked.stderr);
            assert!(checked.status.success(), "{stderr}");
            let trial: Value = serde_json::from_slice(&checked.stdout).unwrap();
            let attempts = trial["attempts"].as_array().unwrap();
            assert!(
                attempts.len() >= 25 && attempts.iter().all(|attempt| attempt["outcome"] == "refused"),
                "{trial:#}"
            );
        }
    }
}

fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

/// What the kernel says of every thread of a process (proc(5)).
fn threads(part: &Part) -> Vec<String> {
    let tasks = format!("/proc/{}/task", part.process().id());
    let threads: Vec<_> = fs::read_dir(tasks)
        .unwrap()
        .filter_map(|thread| fs::read_to_string(thread.unwrap().path().join("status")).ok())
        .collect();
    assert!(threads.len() > 2, "{}", threads.len());
    threads
}

#[test]
fn started_as_root_it_becomes_the_user_that_is_named() {
    const NOBODY: u32 = 65_534;
    let passwd = fs::read_to_string("/etc/passwd").unwrap_or_default();
    if !is_root() || !passwd.lines().any(|line| line.starts_with("nobody:x:65534:")) {
        eprintln!("not root, or there is no user `nobody`: not judged");
        return;
    }
    let mut relay = Relay::prepare(&Options::default());
    replace(&relay.edge.config, "# user = ", "user = \"nobody\"");
    // Its files are still root's: it must say so, and not go on as root.
    relay.edge.start();
    let (status, said) = relay.edge.wait();
    assert_eq!(status.code(), Some(1), "{said:#?}");
    assert!(said.join("\n").contains("let this user read it"), "{said:#?}");

    let mode = fs::Permissions::from_mode(0o755);
    fs::set_permissions(relay.folder(), mode).unwrap();
    give(relay.edge.folder(), NOBODY);
    relay.edge.start();
    let _ = relay.edge.process().wait_for_line("edge runs");
    for thread in threads(&relay.edge) {
        assert!(
            thread.contains("Uid:\t65534\t65534\t65534\t65534") && thread.contains("Groups:\t65534 \n"),
            "{thread}"
        );
    }
    relay.edge.reload();
    let _ = relay.edge.process().wait_for_line("certificate and keys read again");
}

#[test]
fn certificates_that_a_link_switches_are_reloaded() {
    let mut relay = Relay::prepare(&Options::default());
    let folder = relay.edge.folder().to_owned();
    for release in ["1", "2"] {
        let release = folder.join("releases").join(release);
        fs::create_dir_all(&release).unwrap();
        for file in ["edge.crt", "edge.key"] {
            fs::copy(folder.join(file), release.join(file)).unwrap();
        }
    }
    let current = folder.join("releases/current");
    symlink("1", &current).unwrap();
    replace(&relay.edge.config, "chain = ", "chain = \"releases/current/edge.crt\"");
    replace(&relay.edge.config, "key = ", "key = \"releases/current/edge.key\"");
    relay.edge.start();
    let _ = relay.edge.process().wait_for_line("edge runs");
    symlink("2", folder.join("releases/next")).unwrap();
    fs::rename(folder.join("releases/next"), &current).unwrap();
    fs::remove_dir_all(folder.join("releases/1")).unwrap();
    relay.edge.reload();
    let _ = relay.edge.process().wait_for_line("certificate and keys read again");
}

fn give(path: &Path, user: u32) {
    std::os::unix::fs::chown(path, Some(user), Some(user)).unwrap();
    if path.is_dir() {
        fs::read_dir(path).unwrap().for_each(|entry| give(&entry.unwrap().path(), user));
    }
}

#[test]
fn a_reload_asks_for_no_port_that_the_sandbox_does_not_have() {
    let (echo, other) = (Upstream::echo(), Upstream::echo());
    let relay = Relay::start(&Options { services: &[("echo-tcp", echo.address)], ..Options::default() });
    let node = &relay.nodes[0];
    let forwarder = relay.connect("laptop", "node-a", &["echo-tcp"]);
    let text = fs::read_to_string(&node.config).unwrap();
    fs::write(&node.config, text.replace(&echo.address.to_string(), &other.address.to_string())).unwrap();
    node.reload();
    let line = node.process().wait_for_line("the services stay as they were");
    assert!(line.contains("ERROR") && line.contains("restart"), "{line}");
    // The old one still serves.
    let mut tunnel = connect(forwarder.addresses[0]).unwrap();
    tunnel.write_all(b"still there").unwrap();
    let mut heard = [0; 11];
    tunnel.read_exact(&mut heard).unwrap();
    assert_eq!(&heard, b"still there");
}

#[test]
fn an_edge_that_is_named_is_found_from_inside_the_sandbox() {
    let mut relay = Relay::prepare(&Options::default());
    relay.edge.start();
    let address = format!("address = \"localhost:{}\"", relay.address.port());
    replace(&relay.master.config, "address = ", &address);
    relay.master.start();
    relay.master.wait_ready();
    let status = relay.master.status();
    let sandbox = status["sandbox"].to_string();
    assert!(sandbox.contains("TCP, UDP and local ones"), "{sandbox}");
    assert!(sandbox.contains("/etc") || !is_whole(&status), "{sandbox}");
    // One that has addresses alone looks no name up, and may do nothing of the kind.
    relay.nodes[0].start();
    relay.nodes[0].wait_ready();
    let sandbox = relay.nodes[0].status()["sandbox"].to_string();
    assert!(sandbox.contains("no socket but TCP, and none listens") && !sandbox.contains("/etc"), "{sandbox}");
}

/// As if the kernel had been built without Landlock: what this thread starts cannot ask for it.
fn without_landlock<T: Send>(work: impl FnOnce() -> T + Send) -> T {
    let filter = || {
        let calls = BTreeMap::from([(libc::SYS_landlock_create_ruleset, Vec::new())]);
        let refuse = SeccompAction::Errno(libc::ENOSYS.unsigned_abs());
        let arch = std::env::consts::ARCH.try_into().unwrap();
        let filter = SeccompFilter::new(calls, SeccompAction::Allow, refuse, arch).unwrap();
        let program: BpfProgram = filter.try_into().unwrap();
        apply_filter(&program).unwrap();
    };
    std::thread::scope(|scope| {
        let thread = scope.spawn(|| {
            filter();
            work()
        });
        thread.join().unwrap()
    })
}

#[test]
fn without_landlock_prefer_says_what_is_missing_and_require_does_not_start() {
    for (mode, starts) in [(Mode::Prefer, true), (Mode::Require, false)] {
        let relay = Relay::prepare(&Options { sandbox: Some(mode), ..Options::default() });
        let mut edge = command("relay-edge");
        edge.arg("run").arg("--config").arg(&relay.edge.config);
        let mut edge = without_landlock(|| Process::start("edge", edge));
        if starts {
            let _ = edge.wait_for_line("edge runs");
            for layer in ["files", "tcp", "scope"] {
                let line = edge.wait_for_line(&format!("layer={layer}"));
                assert!(line.contains("WARN") && line.contains("MISSING: this kernel"), "{line}");
            }
            let line = edge.wait_for_line("layer=syscalls");
            assert!(line.contains("INFO") && !line.contains("MISSING"), "{line}");
        } else {
            assert_eq!(edge.wait().code(), Some(1));
            let said = edge.lines().join("\n");
            assert!(said.contains("sandbox = \"require\", and this system cannot: files"), "{said}");
            assert!(said.contains("Linux 6.7") && !said.contains("edge runs"), "{said}");
        }
    }
}

#[test]
fn off_gives_nothing_up_and_says_so() {
    let mut relay = Relay::prepare(&Options { sandbox: Some(Mode::Off), ..Options::default() });
    relay.edge.start();
    let line = relay.edge.process().wait_for_line("the sandbox is off");
    assert!(line.contains("WARN"), "{line}");
    let _ = relay.edge.process().wait_for_line("edge runs");
    assert_eq!(relay.edge.status()["sandbox"], serde_json::json!({ "mode": "off", "layers": [] }));
}
