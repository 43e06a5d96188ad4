//! What users do wrong: one file per mistake in `cases`, with the command, its exit code and what it says, exactly.
//!
//! `$ COMMAND` is the first line; `{taken}` in it is a port on which somebody listens, `{certificate}` and `{key}` are files
//! of one identity, `{other-key}` is another one's.

use std::{fs, net::TcpListener};

use relay_trust::Identity;

use crate::kit::{compare, folder, run_with};

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

#[test]
fn each_mistake_has_one_clear_answer() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let place = tempfile::tempdir().unwrap();
    let file = |name: &str| place.path().join(name);
    for (certificate, key) in [("a.crt", "a.key"), ("b.crt", "b.key")] {
        let identity = Identity::self_signed(&["localhost".to_owned()], 1).unwrap();
        identity.write(&file(certificate), &file(key)).unwrap();
    }
    let text = |name: &str| file(name).to_str().unwrap().to_owned();
    let names = [
        ("{taken}", taken.local_addr().unwrap().port().to_string()),
        ("{certificate}", text("a.crt")),
        ("{key}", text("a.key")),
        ("{other-key}", text("b.key")),
    ];
    let mut paths: Vec<_> = fs::read_dir(folder().join("cases")).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    assert!(paths.len() > 15, "only {} cases found: the search is broken", paths.len());
    let mut wrong = Vec::new();
    for path in paths {
        let kept = fs::read_to_string(&path).unwrap();
        let typed = kept.lines().next().unwrap_or_default().strip_prefix("$ rogue-edge");
        let typed = typed.unwrap_or_else(|| panic!("{}: `$ rogue-edge` must begin the first line", path.display()));
        let fill = |text: String| names.iter().fold(text, |text, (name, value)| text.replace(name, value));
        let arguments: Vec<String> = words(typed).into_iter().map(fill).collect();
        let outcome = run_with(&arguments.iter().map(String::as_str).collect::<Vec<_>>());
        assert_ne!(outcome.code, 101, "{}: {}", path.display(), outcome.stderr);
        let mut said = format!("$ rogue-edge{typed}\nexit {}\n", outcome.code);
        for (name, stream) in [("stdout", &outcome.stdout), ("stderr", &outcome.stderr)] {
            if !stream.is_empty() {
                said.push_str(&format!("{name}:\n{stream}"));
            }
        }
        let said = names.iter().fold(said, |text, (name, value)| text.replace(value, name));
        if std::panic::catch_unwind(|| compare(&path, &said)).is_err() {
            wrong.push(path);
        }
    }
    assert!(wrong.is_empty(), "{wrong:?}");
}
