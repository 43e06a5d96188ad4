//! What users do wrong: each mistake gets an error that says what to do, and its exit code, and nothing is lost.

use std::{
    fs,
    net::TcpListener,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

use tests::{
    process::run,
    relay::{Options, Relay, refused, replace, text},
};

/// Wrong usage, a wrong file.
const USAGE: i32 = 2;
/// Failed at run time.
const FAILED: i32 = 1;

/// A command that must fail: with which code, and which words on standard error.
fn fails(binary: &str, arguments: &[&str], code: i32, words: &[&str]) {
    let (found, said) = refused(binary, arguments);
    assert_eq!(found, code, "{binary} {arguments:?}: {said}");
    for word in words {
        assert!(said.contains(word), "{binary} {arguments:?} does not say {word:?}: {said}");
    }
    assert!(!said.contains("panicked") && !said.contains("backtrace"), "{said}");
}

fn mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

/// All files below a folder with their contents.
fn contents(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut all = Vec::new();
    for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
        let path = entry.path();
        if path.is_dir() {
            all.extend(contents(&path));
        } else {
            all.push((path.clone(), fs::read(&path).unwrap()));
        }
    }
    all.sort();
    all
}

#[test]
fn a_second_init_overwrites_nothing() {
    let relay = Relay::prepare(&Options::default());
    let before = contents(relay.folder());
    let edge = text(relay.edge.folder());
    fails("relay-edge", &["init", "--dir", edge], USAGE, &["edge.toml exists already", "another --dir"]);
    for (part, role) in [(&relay.master, "master"), (&relay.nodes[0], "storage-node")] {
        let dir = text(part.folder());
        let certificate = relay.master.folder().join("backend.crt");
        let mut arguments = vec!["init", "--role", role, "--name", "x", "--dir", dir, "--edge", "127.0.0.1:1"];
        if role == "storage-node" {
            arguments.extend(["--master-cert", text(&certificate)]);
        }
        fails("relay-backend", &arguments, USAGE, &["exists already", "choose another --dir"]);
    }
    // One file of it is enough, and nothing is left beside it.
    let (other, key) = (relay.folder().join("other"), relay.folder().join("other/edge.key"));
    fs::create_dir(&other).unwrap();
    fs::write(&key, "precious").unwrap();
    fails("relay-edge", &["init", "--dir", text(&other)], USAGE, &["edge.key exists already"]);
    assert_eq!(contents(&other), [(key, b"precious".to_vec())]);
    fs::remove_dir_all(&other).unwrap();
    assert_eq!(contents(relay.folder()), before);
}

#[test]
fn an_edge_says_what_is_wrong_with_its_files() {
    let relay = Relay::prepare(&Options::default());
    let (config, folder) = (text(&relay.edge.config), relay.edge.folder());
    let (chain, key) = (folder.join("edge.crt"), folder.join("edge.key"));
    for command in ["run", "check"] {
        fails("relay-edge", &[command, "--config", "nothing.toml"], USAGE, &["nothing.toml", "--config", "init"]);
    }
    for command in ["run", "check", "fingerprint"] {
        let certificate = fs::read(&chain).unwrap();
        fs::remove_file(&chain).unwrap();
        fails("relay-edge", &[command, "--config", config], USAGE, &["edge.crt", "No such file"]);
        fs::copy(relay.master.folder().join("backend.crt"), &chain).unwrap();
        fails("relay-edge", &[command, "--config", config], USAGE, &["edge.key", "does not belong", "edge.crt"]);
        fs::write(&chain, certificate).unwrap();
        mode(&key, 0o640);
        fails("relay-edge", &[command, "--config", config], USAGE, &["mode 0640", "chmod 600"]);
        mode(&key, 0o600);
    }
    let stored = folder.join("keys/hq.toml");
    mode(&stored, 0o644);
    fails("relay-edge", &["check", "--config", config], USAGE, &["hq.toml", "chmod 600"]);
    mode(&stored, 0o600);
    let taken = TcpListener::bind(relay.address).unwrap();
    fails(
        "relay-edge",
        &["run", "--config", config],
        FAILED,
        &["cannot listen on", "already in use", "another program"],
    );
    drop(taken);
    // A backend's configuration instead: the line is named.
    fails("relay-edge", &["check", "--config", text(&relay.master.config)], USAGE, &["backend.toml:", "unknown field"]);
    // What is printed is a configuration, the same one, wherever it lies.
    let printed = run("relay-edge", ["check", "--config", config, "--print"]).stdout;
    let elsewhere = relay.folder().join("everything.toml");
    fs::write(&elsewhere, &printed).unwrap();
    assert_eq!(run("relay-edge", ["check", "--config", text(&elsewhere), "--print"]).stdout, printed);
    let shown = String::from_utf8(printed).unwrap();
    for setting in ["retry_after = \"5s\"", "pending_asks = 8192", "[[releases.windows]]", "keys = \"/"] {
        assert!(shown.contains(setting), "{setting} in\n{shown}");
    }
    let before = fs::read_to_string(config).unwrap();
    replace(&relay.edge.config, "admin = ", "adnim = \"off\"");
    for command in ["run", "check"] {
        fails("relay-edge", &[command, "--config", config], USAGE, &["edge.toml:", "`adnim`", "`admin`"]);
    }
    fs::write(config, before).unwrap();
    // Every mistake at once.
    replace(&relay.edge.config, "listen = ", "listen = [\"nowhere\"]");
    replace(&relay.edge.config, "format = ", "format = \"xml\"");
    replace(&relay.edge.config, "deadline = ", "deadline = \"soon\"");
    replace(&relay.edge.config, "handshakes = ", "handshakes = 0");
    mode(&key, 0o644);
    let all = ["listen[0]", "\"nowhere\"", "IP:PORT", "log.format", "drain.deadline", "limits.handshakes", "chmod 600"];
    fails("relay-edge", &["check", "--config", config], USAGE, &all);
    let json = run("relay-edge", ["check", "--config", config, "--format", "json"]);
    let json: serde_json::Value = serde_json::from_slice(&json.stdout).unwrap();
    assert_eq!(json["problems"].as_array().unwrap().len(), 5, "{json:#}");
}

#[test]
fn the_keys_of_an_edge_are_not_lost_or_mixed_up() {
    let relay = Relay::prepare(&Options::default());
    let config = text(&relay.edge.config);
    let key_add = |name: &str, role: &str, file: &Path, words: &[&str]| {
        let file = text(file);
        let add = ["key", "add", "--config", config, "--name", name, "--role", role, "--key-file", file];
        fails("relay-edge", &add, USAGE, words);
    };
    let shared = relay.master.folder().join("shared.key");
    let before = contents(relay.edge.folder());
    key_add("hq", "master", &shared, &["this key already"]);
    key_add("hq", "storage-node", &shared, &["hq is known as master"]);
    key_add("new", "storage-node", &relay.folder().join("absent"), &["absent", "No such file"]);
    let bad = relay.folder().join("bad.key");
    fs::write(&bad, "abcd\n").unwrap();
    mode(&bad, 0o600);
    key_add("new", "storage-node", &bad, &["64 hexadecimal digits"]);
    mode(&bad, 0o604);
    key_add("new", "storage-node", &bad, &["mode 0604", "chmod 600"]);
    key_add("No_Name", "storage-node", &shared, &["--name", "a-z, 0-9"]);
    let remove = ["key", "remove", "--config", config, "--name", "hq", "--fingerprint", "00000000"];
    fails("relay-edge", &remove, USAGE, &["hq"]);
    assert_eq!(contents(relay.edge.folder()), before);
}

#[test]
fn a_backend_says_what_is_wrong_with_its_files() {
    let relay = Relay::prepare(&Options::default());
    let (master, node) = (text(&relay.master.config), text(&relay.nodes[0].config));
    fails("relay-backend", &["run", "--config", "nothing.toml"], USAGE, &["nothing.toml", "--config"]);
    fails("relay-backend", &["run", "--config", text(&relay.edge.config)], USAGE, &["edge.toml:", "unknown field"]);
    for command in [&["secret", "list"][..], &["device", "list"]] {
        let arguments = [command, &["--config", node]].concat();
        fails("relay-backend", &arguments, USAGE, &["storage node has no registry", "master's configuration"]);
    }
    let pin = "ab".repeat(32);
    let add = ["node", "add", "--config", node, "--name", "b", "--pin", &pin];
    fails("relay-backend", &add, USAGE, &["storage node knows no other nodes"]);
    let before = fs::read(master).unwrap();
    let add = ["node", "add", "--config", master, "--name", "node-a", "--pin", &pin];
    fails("relay-backend", &add, USAGE, &["node-a", "already"]);
    let add = ["node", "add", "--config", master, "--name", "b", "--pin", "abc"];
    fails("relay-backend", &add, USAGE, &["`abc`", "3 hexadecimal digits where 64 are needed"]);
    assert_eq!(fs::read(master).unwrap(), before);

    let device = ["device", "revoke", "--config", master, "linux:9d1f6e02b7c84a35b2e07d5c41f98a06"];
    fails("relay-backend", &device, FAILED, &["no device", "device list"]);
    let device = ["device", "revoke", "--config", master, "linux:nonsense"];
    fails("relay-backend", &device, USAGE, &["nonsense", "32 lower-case hex digits"]);
    let secret = relay.folder().join("kept.secret");
    fs::write(&secret, "precious").unwrap();
    let (config, out) = (["--config", master], ["--out", text(&secret)]);
    let secret_add = |more: &[&str], words: &[&str]| {
        fails("relay-backend", &[&["secret", "add"], &config[..], &out, more].concat(), USAGE, words);
    };
    secret_add(&["--uses", "1", "--expires", "1h"], &["kept.secret exists already", "not overwritten"]);
    secret_add(&["--uses", "0", "--expires", "1h"], &["--uses", "at least 1"]);
    secret_add(&["--uses", "1", "--expires", "soon"], &["--expires", "soon"]);
    assert_eq!(fs::read(&secret).unwrap(), b"precious");
    let listed = run("relay-backend", ["secret", "list", "--config", master, "--format", "json"]);
    assert_eq!(listed.stdout.trim_ascii(), b"[]", "a secret that was not written is not live");

    // A running master's admin address is another program's to a second one.
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap();
    replace(&relay.master.config, "admin = ", &format!("admin = \"{address}\""));
    fails("relay-backend", &["run", "--config", master], FAILED, &["cannot listen on", "already in use"]);
}

#[test]
fn a_backend_reports_every_mistake_at_once() {
    let relay = Relay::prepare(&Options::default());
    let node = &relay.nodes[0];
    let file = text(&node.config);
    fs::remove_file(node.folder().join("master.crt")).unwrap();
    mode(&node.folder().join("shared.key"), 0o644);
    let more = "[services]\nWeb = \"tcp://x:1\"\nsink = \"tcp://127.0.0.1:1\"\nweb = \"http://x\"";
    replace(&node.config, "[services]", more);
    replace(&node.config, "reconnect_max = ", "reconnect_max = \"soon\"");
    let checked = run("relay-backend", ["check", "--config", file]);
    let said = String::from_utf8_lossy(&checked.stdout).into_owned();
    assert_eq!(checked.status.code(), Some(USAGE), "{said}");
    for word in
        ["services.Web", "services.sink", "services.web", "master.crt", "chmod 600", "reconnect_max", "6 problem(s)"]
    {
        assert!(said.contains(word), "{word:?} is not in {said}");
    }
    fails("relay-backend", &["run", "--config", file], USAGE, &["services.Web", "master.crt", "reconnect_max"]);
}

#[test]
fn a_client_says_what_is_wrong_with_its_options() {
    let relay = Relay::prepare(&Options::default());
    let (roots, pin) = (relay.roots(), relay.edge_pin.as_str());
    let file = |name: &str, content: &str, permissions| {
        let path = relay.folder().join(name);
        fs::write(&path, content).unwrap();
        mode(&path, permissions);
        path
    };
    let good = file("good.secret", &"ab".repeat(32), 0o600);
    // Everything that a fleet needs, but for one option that is left out or has another value.
    let refuses = |change: &[&str], words: &[&str]| {
        let needed = [
            ["--edge", "127.0.0.1:1"],
            ["--pin", pin],
            ["--roots", text(&roots)],
            ["--master-pin", pin],
            ["--node", "node-a"],
            ["--mass-secret-file", text(&good)],
        ];
        let others = needed.iter().filter(|[option, _]| *option != change[0]).flatten().copied();
        let changed = change.iter().copied().filter(|_| change.len() > 1);
        let arguments: Vec<&str> = ["run"].into_iter().chain(others).chain(changed).collect();
        fails("client-sim", &arguments, USAGE, words);
    };
    refuses(&["--edge"], &["--edge HOST:PORT is needed"]);
    refuses(&["--pin"], &["--pin PIN is needed", "relay-edge fingerprint"]);
    refuses(&["--roots"], &["--roots", "is needed"]);
    refuses(&["--master-pin"], &["--master-pin PIN is needed"]);
    refuses(&["--node"], &["--node NAME is needed"]);
    refuses(&["--mass-secret-file"], &["--mass-secret-file FILE is needed", "secret add"]);
    refuses(&["--edge", "nowhere"], &["nowhere", "HOST:PORT"]);
    refuses(&["--pin", ""], &["pin is empty", "relay-edge fingerprint"]);
    refuses(&["--pin", "spki:abc"], &["spki:abc", "3 hexadecimal digits where 64 are needed"]);
    refuses(&["--node", "Node"], &["Node", "a-z, 0-9"]);
    refuses(&["--roots", text(&good)], &["no PEM section"]);
    refuses(&["--roots", "absent.pem"], &["absent.pem", "No such file"]);
    refuses(&["--mass-secret-file", "absent"], &["absent", "No such file"]);
    let short = file("short.secret", "abcd", 0o600);
    refuses(&["--mass-secret-file", text(&short)], &["64 hexadecimal digits", "secret add"]);
    let open = file("open.secret", &"ab".repeat(32), 0o644);
    refuses(&["--mass-secret-file", text(&open)], &["mode 0644", "chmod 600"]);
    refuses(&["--devices", "0"], &["--devices", "at least 1"]);
    refuses(&["--bytes", "1TiB"], &["1TiB", "such as 1MiB"]);

    let state = relay.folder().join("state");
    let connect = |more: &[&str], words: &[&str]| {
        fails("client-sim", &[&["connect", "--state", text(&state)], more].concat(), USAGE, words);
    };
    connect(&["--listen", "127.0.0.1:0"], &["--service 0 times"]);
    connect(&["--forward", "web"], &["ADDR:PORT=SERVICE"]);
    connect(&[], &["--listen", "--forward"]);
    connect(&["--forward", "127.0.0.1:0=web"], &["--edge HOST:PORT is needed"]);
    connect(&["--reset-halt"], &["nothing is halted"]);
    mode(&state, 0o755);
    connect(&["--forward", "127.0.0.1:0=web"], &["others can look into this folder"]);

    let request = |arguments: &[&str], words: &[&str]| fails("client-sim", arguments, USAGE, words);
    request(&["request", "build", "--platform", "amiga", "--op", "ping"], &["amiga", "android"]);
    request(&["request", "build", "--platform", "linux", "--op", "backup"], &["--node NAME is needed"]);
    request(&["request", "check", "--platform", "linux", text(&roots)], &["line 1", "not hex"]);
    request(&["frobnicate"], &["frobnicate", "--help"]);
    let (edge, roots) = (["--edge", "127.0.0.1:1"], ["--roots", text(&roots)]);
    let send = [&["request", "send", "--platform", "linux", "--op", "ping", "--pin", pin], &edge[..], &roots].concat();
    fails("client-sim", &send, FAILED, &["connect: 127.0.0.1:1: Connection refused"]);
}
