//! The command line as a person meets it: what is printed, what is refused, and with which exit code.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::{
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
    time::Duration,
};

use relay_trust::DeviceKey;

const LINUX_ID: &str = "9d1f6e02b7c84a35b2e07d5c41f98a06";

fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_relay-backend"));
    command.args(arguments).stdin(Stdio::null());
    command
}

/// Runs it to its end; the exit code must be `code`.
fn run(code: i32, arguments: &[&str]) -> Output {
    let output = command(arguments).output().unwrap();
    let shown = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "{arguments:?}: {shown}");
    output
}

fn stdout(code: i32, arguments: &[&str]) -> String {
    String::from_utf8(run(code, arguments).stdout).unwrap()
}

fn stderr(code: i32, arguments: &[&str]) -> String {
    String::from_utf8(run(code, arguments).stderr).unwrap()
}

fn json(arguments: &[&str]) -> serde_json::Value {
    let arguments = [&["--format", "json"], arguments].concat();
    serde_json::from_str(&stdout(0, &arguments)).unwrap()
}

/// A master made by `init`, and the paths that tests need as texts.
struct Master {
    folder: tempfile::TempDir,
    config: String,
}

impl Master {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let dir = folder.path().join("hq").display().to_string();
        run(0, &["init", "--role", "master", "--name", "hq", "--dir", &dir, "--edge", "127.0.0.1:1"]);
        Self { config: format!("{dir}/backend.toml"), folder }
    }

    fn path(&self, name: &str) -> String {
        self.folder.path().join(name).display().to_string()
    }
}

/// A PEM file with a new public key.
fn key_file(folder: &Path) -> PathBuf {
    let spki = DeviceKey::generate().spki();
    let hex: String = spki.iter().map(|byte| format!("{byte:02x}")).collect();
    let path = folder.join(format!("{}.pem", &hex[100..108]));
    std::fs::write(&path, format!("-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n", base64(&spki)))
        .unwrap();
    path
}

fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let word = chunk.iter().fold(0, |word, byte| word << 8 | u32::from(*byte)) << (8 * (3 - chunk.len()));
        for at in 0..4 {
            let digit = DIGITS[(word >> (18 - 6 * at)) as usize & 63];
            text.push(if at <= chunk.len() { char::from(digit) } else { '=' });
        }
    }
    text
}

#[test]
fn help_shows_examples_and_exit_codes() {
    let help = stdout(0, &["--help"]);
    for word in ["Examples:", "Exit codes:", "SIGHUP", "init", "device", "secret", "node"] {
        assert!(help.contains(word), "{word}");
    }
    assert!(stdout(0, &["device", "import", "--help"]).contains("platform,id,user,name,public_key"));
    run(2, &["frobnicate"]);
    run(2, &["init", "--role", "king", "--name", "a", "--dir", "x", "--edge", "e:1"]);
    run(2, &["init", "--role", "master", "--name", "Not A Name", "--dir", "x", "--edge", "e:1"]);
}

#[test]
fn init_prints_what_the_other_sides_need() {
    let master = Master::new();
    let certificate = master.path("hq/backend.crt");
    let node_dir = master.path("n1");
    let arguments = ["init", "--role", "storage-node", "--name", "n1", "--dir", &node_dir, "--edge", "[::1]:443"];
    assert!(stderr(2, &arguments).contains("--master-cert"));
    let text = stdout(0, &[&arguments[..], &["--master-cert", &certificate]].concat());
    let pin = stdout(0, &["fingerprint", "--config", &format!("{node_dir}/backend.toml")]);
    let pin = pin.lines().next().unwrap().to_owned();
    assert!(text.contains("relay-edge key add") && text.contains("[[node]]") && text.contains(&pin), "{text}");
    assert!(stderr(2, &[&arguments[..], &["--master-cert", &certificate]].concat()).contains("nothing is overwritten"));

    let added = stdout(0, &["node", "add", "--config", &master.config, "--name", "n1", "--pin", &pin]);
    assert!(added.contains("n1 added"));
    assert!(stderr(2, &["node", "add", "--config", &master.config, "--name", "n1", "--pin", &pin]).contains("already"));
    assert_eq!(json(&["node", "list", "--config", &master.config])[0]["pin"], pin.as_str());
    assert!(stdout(0, &["check", "--config", &master.config]).contains("good (master hq, 1 edge(s))"));
}

#[test]
fn check_prints_what_is_in_effect() {
    let master = Master::new();
    let node = master.path("n1");
    let certificate = master.path("hq/backend.crt");
    let arguments = ["init", "--role", "storage-node", "--name", "n1", "--dir", &node, "--edge", "[::1]:443"];
    run(0, &[&arguments[..], &["--master-cert", &certificate, "--service", "web=tcp://127.0.0.1:80"]].concat());
    for config in [master.config.clone(), format!("{node}/backend.toml")] {
        let text = stdout(0, &["check", "--config", &config, "--print"]);
        for setting in ["tunnel_idle = \"2h\"", "min = 2", "format = \"text\"", "key_file = \"/", "chain = \"/"] {
            assert!(text.contains(setting), "{setting} in\n{text}");
        }
        // Elsewhere, and named relatively: the same configuration.
        let elsewhere = master.folder.path().join("elsewhere.toml");
        std::fs::write(&elsewhere, &text).unwrap();
        let again = ["check", "--config", "elsewhere.toml", "--print"];
        let again = command(&again).current_dir(master.folder.path()).output().unwrap();
        assert_eq!(String::from_utf8(again.stdout).unwrap(), text);
        let json = json(&["check", "--config", &config, "--print"]);
        assert_eq!(json["config"]["limits"]["tunnels"], 4096, "{json:#}");
    }
    run(2, &["check", "--config", "nothing.toml", "--print"]);
}

#[test]
fn check_tells_every_mistake_at_once() {
    let master = Master::new();
    let text = std::fs::read_to_string(&master.config).unwrap();
    let text = text
        .replace("name = \"hq\"", "name = \"H Q\"")
        .replace("address = \"127.0.0.1:1\"", "address = \"nowhere\"")
        .replace("[pool]\n", "[pool]\nmin = 9\nmax = 3\n");
    std::fs::write(&master.config, text).unwrap();
    let found = stdout(2, &["check", "--config", &master.config]);
    for place in ["name =", "edge[0].address", "pool.min", "3 problem(s)"] {
        assert!(found.contains(place), "{place}: {found}");
    }
    let output = run(2, &["check", "--config", &master.config, "--format", "json"]);
    let found: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((found["ok"].as_bool(), found["problems"].as_array().map(Vec::len)), (Some(false), Some(3)));
    assert!(stderr(2, &["run", "--config", &master.config]).contains("edge[0].address"));
    assert!(stderr(2, &["device", "list", "--config", "/nonexistent.toml"]).contains("file not found"));
}

#[test]
fn a_devices_life() {
    let master = Master::new();
    let config = ["--config", master.config.as_str()];
    let key = key_file(master.folder.path()).display().to_string();
    let device = format!("linux:{LINUX_ID}");
    let add = ["device", "add", "--platform", "linux", "--id", LINUX_ID, "--user", "ana@example.com", "--key", &key];
    assert!(stdout(0, &[&add[..], &config].concat()).contains("is active"));
    assert!(stderr(1, &[&add[..], &config].concat()).contains("already in the registry"));
    assert!(stdout(0, &[&["device", "revoke", &device][..], &config].concat()).contains("revoked"));
    let listed = json(&[&["device", "list"][..], &config].concat());
    assert_eq!((listed[0]["device"].as_str(), listed[0]["status"].as_str()), (Some(device.as_str()), Some("revoked")));
    assert!(stdout(0, &[&["device", "reset", &device][..], &config].concat()).contains("may enrol again"));
    assert_eq!(json(&[&["device", "list", "--status", "active"][..], &config].concat()), serde_json::json!([]));
    assert!(stderr(2, &[&["device", "revoke", "linux:zzz"][..], &config].concat()).contains("32 lower-case hex"));
    assert!(stderr(2, &[&["device", "revoke", "beos:1"][..], &config].concat()).contains("none of windows"));
    let unknown = "android:3f5a";
    assert!(stderr(1, &[&["device", "revoke", unknown][..], &config].concat()).contains("there is no device"));
}

#[test]
fn import_is_all_or_nothing() {
    let master = Master::new();
    let config = ["--config", master.config.as_str()];
    let key = || base64(&DeviceKey::generate().spki());
    let file = master.path("devices.csv");
    let good = format!("linux,{LINUX_ID},ana@example.com,{}\n", key());
    std::fs::write(&file, format!("platform,id,user,public_key\n{good}linux,short,ana@example.com,{}\n", key()))
        .unwrap();
    let error = stderr(2, &[&["device", "import", &file][..], &config].concat());
    assert!(error.contains("line 3") && error.contains("nothing was imported"), "{error}");
    assert_eq!(json(&[&["device", "list"][..], &config].concat()), serde_json::json!([]));
    std::fs::write(&file, format!("platform,id,user,public_key\n{good}")).unwrap();
    assert_eq!(json(&[&["device", "import", &file][..], &config].concat())["added"], 1);
}

#[test]
fn secrets_are_written_once_and_privately() {
    let master = Master::new();
    let config = ["--config", master.config.as_str()];
    let out = master.path("fleet.secret");
    let add = ["secret", "add", "--uses", "5", "--expires", "7d", "--out", &out, "--label", "fleet"];
    let text = stdout(0, &[&add[..], &config].concat());
    let pin = stdout(0, &["fingerprint", "--config", &master.config]);
    assert!(text.contains(pin.lines().next().unwrap()), "{text}");
    let secret = std::fs::read_to_string(&out).unwrap();
    assert_eq!(secret.trim().len(), 64);
    assert!(!text.contains(secret.trim()));
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(std::fs::metadata(&out).unwrap().permissions().mode() & 0o777, 0o600);
    }
    // Neither the file nor the registry changes when one of the two cannot.
    run(2, &[&add[..], &config].concat());
    let elsewhere = master.path("other.secret");
    let again = ["secret", "add", "--uses", "5", "--expires", "7d", "--out", &elsewhere, "--label", "fleet"];
    assert!(stderr(1, &[&again[..], &config].concat()).contains("another label"));
    assert!(!Path::new(&elsewhere).exists());
    assert_eq!(std::fs::read_to_string(&out).unwrap(), secret);

    let listed = stdout(0, &[&["secret", "list"][..], &config].concat());
    assert!(listed.contains("5/5") && !listed.contains(secret.trim()));
    run(0, &[&["secret", "revoke", "fleet"][..], &config].concat());
    assert_eq!(json(&[&["secret", "list"][..], &config].concat())[0]["status"], "revoked");
    assert!(stderr(1, &[&["secret", "revoke", "none"][..], &config].concat()).contains("no mass secret"));
    run(2, &[&["secret", "add", "--uses", "0", "--expires", "7d", "--out", &elsewhere][..], &config].concat());
    run(2, &[&["secret", "add", "--uses", "1", "--expires", "soon", "--out", &elsewhere][..], &config].concat());
}

/// It drains on SIGTERM and exits with 0, also while its edge is away.
#[cfg(unix)]
#[test]
fn a_running_master_reloads_and_ends_on_signals() {
    let master = Master::new();
    let text = std::fs::read_to_string(&master.config).unwrap();
    std::fs::write(&master.config, text.replace("# admin = \"127.0.0.1:9601\"", "admin = \"127.0.0.1:0\"")).unwrap();
    let mut child = command(&["run", "--config", &master.config]).stderr(Stdio::piped()).spawn().unwrap();
    let mut log = BufReader::new(child.stderr.take().unwrap()).lines();
    let mut wait_for = |word: &str| {
        let found = log.by_ref().map_while(Result::ok).any(|line| line.contains(word));
        assert!(found, "the log never said {word:?}");
    };
    let signal = |name: &str| {
        let pid = child.id().to_string();
        assert!(Command::new("kill").args([name, &pid]).status().unwrap().success());
    };
    wait_for("running");
    wait_for("not connected to the edge");
    signal("-HUP");
    wait_for("reloaded");
    std::fs::write(&master.config, "role = \"master\"\n").unwrap();
    signal("-HUP");
    wait_for("nothing was reloaded");
    signal("-TERM");
    wait_for("stopped");
    let began = std::time::Instant::now();
    assert_eq!(child.wait().unwrap().code(), Some(0));
    assert!(began.elapsed() < Duration::from_secs(5));
}
