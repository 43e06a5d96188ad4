//! Running the command, and comparing what it says with files.

use std::{
    fs,
    io::Write,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

/// The time for which everything is judged.
pub const AT: &str = "2026-11-01";

/// This test's folder.
pub fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fingerprint_check")
}

/// A file of the fixed certificates.
pub fn certificate(file: &str) -> String {
    folder().join("certificates").join(file).to_str().unwrap().to_owned()
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
    let mut child = Command::new(env!("CARGO_BIN_EXE_fingerprint-check"))
        .args(arguments)
        .current_dir(folder())
        .env_remove("NO_COLOR")
        .env_remove("COLUMNS")
        .env_remove("SSL_CERT_FILE")
        .env_remove("SSL_CERT_DIR")
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

/// Whether snapshots are to be written instead of compared.
pub fn updating() -> bool {
    std::env::var_os("UPDATE_SNAPSHOTS").is_some()
}

/// Compares a text with the file of that name below `snapshots`.
pub fn snapshot(name: &str, text: &str) {
    compare(&folder().join("snapshots").join(name), text);
}

/// Compares a text with a file.
pub fn compare(path: &Path, text: &str) {
    if updating() {
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

/// Replaces ports by names, and how long something took by nothing.
pub fn settled(text: &str, ports: &[(u16, &str)]) -> String {
    let mut text = text.to_owned();
    for (port, name) in ports {
        text = text.replace(&format!(":{port}"), &format!(":{name}"));
    }
    for (before, after) in [("\"milliseconds\": ", "0"), ("\"milliseconds\":", "0"), (" time=\"", "0.000")] {
        text = replaced_behind(&text, before, after);
    }
    let lines = text.lines().map(|line| match line.split_once("} ") {
        Some((metric, _)) if metric.starts_with("fingerprint_check_duration_seconds") => format!("{metric}}} 0.000\n"),
        _ => format!("{line}\n"),
    });
    lines.collect()
}

/// Replaces the number behind each `before`.
fn replaced_behind(text: &str, before: &str, by: &str) -> String {
    let mut parts = text.split(before);
    let mut result = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let rest = part.trim_start_matches(|c: char| c.is_ascii_digit() || c == '.');
        result.push_str(before);
        result.push_str(if rest.len() == part.len() { "" } else { by });
        result.push_str(rest);
    }
    result
}

/// Every run of 64 hexadecimal digits as `HEX`.
pub fn without_digests(text: &str) -> String {
    let mut result = String::new();
    let mut run = String::new();
    for character in text.chars().chain(['\n']) {
        if character.is_ascii_hexdigit() {
            run.push(character);
            continue;
        }
        result.push_str(if run.len() == 64 { "HEX" } else { &run });
        run.clear();
        result.push(character);
    }
    result.pop();
    result
}
