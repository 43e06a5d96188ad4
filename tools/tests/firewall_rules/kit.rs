//! Running the command, and comparing what it says with files.

use std::{
    fs,
    io::Write,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

/// Everything that there is: two families, two nodes, and all optional needs.
pub const WHOLE: &[&str] = &[
    "--edge",
    "dmz=192.0.2.10,2001:db8::10",
    "--master",
    "hq=10.0.0.11,2001:db8:1::11",
    "--node",
    "node-a=10.0.0.12,2001:db8:1::12",
    "--node",
    "node-b=10.0.0.13",
    "--ssh-from",
    "10.0.9.0/24",
    "--monitoring-from",
    "10.0.9.7",
    "--admin-port",
    "9443",
    "--time-server",
    "internet=198.51.100.1",
];
/// The least: IPv4, one node.
pub const PLAIN: &[&str] = &["--edge", "192.0.2.10", "--port", "443", "--master", "10.0.0.11", "--node", "10.0.0.12"];
/// Several edges on several ports, and devices of some networks only.
pub const SEVERAL: &[&str] = &[
    "--edge",
    "a=192.0.2.10:443,192.0.2.11:8443",
    "--edge",
    "b=[2001:db8::20]:8443",
    "--master",
    "hq=10.0.0.11,10.0.0.21,2001:db8:1::11",
    "--node",
    "node-a=10.0.0.12,2001:db8:1::12",
    "--clients",
    "198.51.100.0/24,203.0.113.0/24,2001:db8:ff::/48",
    "--clients-to",
    "192.0.2.10,2001:db8::20",
];
/// The relay's own configurations.
pub const CONFIGS: &[&str] = &[
    "--config",
    "configs/edge.toml",
    "--config",
    "configs/hq.toml",
    "--config",
    "configs/node-a.toml",
    "--edge",
    "edge.example.org=192.0.2.10,2001:db8::10",
    "--master",
    "10.0.0.11,2001:db8:1::11",
    "--node",
    "node-a=10.0.0.12",
    "--node",
    "node-b=10.0.0.13",
    "--monitoring-from",
    "10.0.9.7",
];
/// All of them, by the name of their snapshots' folder.
pub const SCENARIOS: [(&str, &[&str]); 4] =
    [("whole", WHOLE), ("plain", PLAIN), ("several", SEVERAL), ("configs", CONFIGS)];
/// Every form.
pub const FORMATS: [&str; 10] = [
    "nftables",
    "iptables",
    "ufw",
    "firewalld",
    "windows",
    "aws-terraform",
    "azure-terraform",
    "kubernetes",
    "table",
    "json",
];

/// This test's folder.
pub fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/firewall_rules")
}

/// What a run came to.
#[derive(Debug)]
pub struct Outcome {
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
}

/// Runs the command in this test's folder.
pub fn run(arguments: &[&str]) -> Outcome {
    run_with(arguments, "")
}

/// The same, with a text on standard input.
pub fn run_with(arguments: &[&str], input: &str) -> Outcome {
    let mut child = Command::new(env!("CARGO_BIN_EXE_firewall-rules"))
        .args(arguments)
        .current_dir(folder())
        .env_remove("NO_COLOR")
        .env_remove("COLUMNS")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // A command that does not read it may be gone.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    let output = child.wait_with_output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    Outcome {
        code: output.status.code().expect("an exit code"),
        stdout: text(output.stdout),
        stderr: text(output.stderr),
    }
}

/// Runs the command, which must succeed, and returns what it printed.
pub fn printed(arguments: &[&str]) -> String {
    let outcome = run(arguments);
    assert_eq!(outcome.code, 0, "{arguments:?}: {}", outcome.stderr);
    outcome.stdout
}

/// Writes a scenario's files of one form into a folder.
pub fn written(scenario: &[&str], format: &str, into: &Path) -> Vec<PathBuf> {
    let list = printed(&[scenario, &["--format", format, "--dir", into.to_str().unwrap()]].concat());
    let mut paths: Vec<PathBuf> = list.lines().map(PathBuf::from).collect();
    paths.sort();
    assert!(!paths.is_empty(), "{format}: nothing was written");
    paths
}

/// Compares a text with the file of that name below `snapshots`.
pub fn snapshot(name: &str, text: &str) {
    compare(&folder().join("snapshots").join(name), text);
}

/// Compares a text with a file.
pub fn compare(path: &Path, text: &str) {
    if std::env::var_os("UPDATE_SNAPSHOTS").is_some() {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
        return;
    }
    let kept = fs::read_to_string(path).unwrap_or_default();
    assert!(
        kept == text,
        "{} differs (UPDATE_SNAPSHOTS=1 writes it anew). Kept:\n{kept}\nNow:\n{text}",
        path.display()
    );
}
