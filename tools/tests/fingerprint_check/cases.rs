//! What users do wrong: one file per mistake in `cases`, with the command, its exit code and what it says, exactly.
//!
//! `$ COMMAND` is the first line; `{tls}`, `{smtp}`, `{silent}` and `{closed}` in it are ports of servers of this test.

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
        let outcome = run(&arguments.iter().map(String::as_str).collect::<Vec<_>>());
        assert_ne!(outcome.code, 101, "{}: {}", path.display(), outcome.stderr);
        let mut text = format!("{command}\nexit {}\n", outcome.code);
        for (name, said) in [("stdout", &outcome.stdout), ("stderr", &outcome.stderr)] {
            if !said.is_empty() {
                text.push_str(&format!("{name}:\n{}", settled(said, &ports)));
            }
        }
        if std::panic::catch_unwind(|| compare(&path, &text)).is_err() {
            wrong.push(path);
        }
    }
    assert!(wrong.is_empty(), "{wrong:?}");
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
