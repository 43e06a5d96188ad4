//! What users do wrong: one file per mistake in `cases`, with the command, its exit code and what it says, exactly.
//!
//! `$ COMMAND` is the first line; `{tls}`, `{smtp}`, `{silent}` and `{closed}` in it are ports of servers of this test, `{dir}` a
//! folder with trust stores.

use std::fs;

use crate::{
    kit::{compare, folder, run, settled},
    servers::{Server, closed_port},
};

#[test]
fn each_mistake_has_one_clear_answer() {
    let tls = Server::tls("ca-false");
    let smtp = Server::of(|mut stream| {
        let _ = std::io::Write::write_all(&mut stream, b"220 mail.example.org ESMTP\r\n");
        let _ = std::io::copy(&mut stream, &mut std::io::sink());
    });
    let silent = Server::of(|mut stream| {
        let _ = std::io::copy(&mut stream, &mut std::io::sink());
    });
    let stores = stores();
    let dir = stores.path().to_str().unwrap();
    let ports = [(tls.port, "{tls}"), (smtp.port, "{smtp}"), (silent.port, "{silent}"), (closed_port(), "{closed}")];
    let mut paths: Vec<_> = fs::read_dir(folder().join("cases")).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    assert!(paths.len() > 20, "only {} cases found: the search is broken", paths.len());
    let mut wrong = Vec::new();
    for path in paths {
        let kept = fs::read_to_string(&path).unwrap();
        let command = kept.lines().next().unwrap_or_default();
        let typed = command.strip_prefix("$ fingerprint-check").expect("`$ fingerprint-check` in the first line");
        let mut arguments = words(typed);
        for (port, name) in ports {
            arguments = arguments.into_iter().map(|word| word.replace(name, &port.to_string())).collect();
        }
        let arguments: Vec<String> = arguments.into_iter().map(|word| word.replace("{dir}", dir)).collect();
        let outcome = run(&arguments.iter().map(String::as_str).collect::<Vec<_>>());
        assert_ne!(outcome.code, 101, "{}: {}", path.display(), outcome.stderr);
        let mut text = format!("{command}\nexit {}\n", outcome.code);
        for (name, said) in [("stdout", &outcome.stdout), ("stderr", &outcome.stderr)] {
            if !said.is_empty() {
                text.push_str(&format!("{name}:\n{}", settled(said, &ports).replace(dir, "{dir}")));
            }
        }
        if std::panic::catch_unwind(|| compare(&path, &text)).is_err() {
            wrong.push(path);
        }
    }
    assert!(wrong.is_empty(), "{wrong:?}");
}

/// A folder of trust stores: one with a server, one that others can read, one with a line that a person wrote, one of another
/// program.
fn stores() -> tempfile::TempDir {
    use std::os::unix::fs::PermissionsExt;
    const HEADER: &str = "# sallyport trust store 1";
    let digest = "d32a295d98512ba890ef35d3800e051b80fb4b5a5196a83d89b69d0fda513cef";
    let line = |target: &str, expires: &str| {
        format!(
            "{target} spki:{digest} added=2026-01-01T00:00:00Z expires={expires}T00:00:00Z source=label on the rack"
        )
    };
    let (known, old) = (line("known.example.org:443", "2027-01-01"), line("old.example.org:443", "2026-06-01"));
    let folder = tempfile::tempdir().unwrap();
    for (name, text, mode) in [
        ("trust", format!("{HEADER}\n{known}\n{old}\n"), 0o600),
        ("open", format!("{HEADER}\n{known}\n"), 0o644),
        ("broken", format!("{HEADER}\n{known}\nold.example.org:443 {digest}\n"), 0o600),
        ("foreign", "github.com ssh-ed25519 AAAAC3Nz\n".to_owned(), 0o600),
    ] {
        let path = folder.path().join(name);
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
    }
    folder
}

/// Words as a shell takes them apart, with single quotes.
fn words(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    for (place, part) in line.split('\'').enumerate() {
        if place % 2 == 1 {
            words.push(part.to_owned());
        } else {
            words.extend(part.split_whitespace().map(str::to_owned));
        }
    }
    words
}
