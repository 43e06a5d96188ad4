//! What must not be in the sources.

use crate::{assert_none, files, read, shown};

#[test]
fn nothing_is_left_to_do() {
    // Written in two halves so that this file does not find itself.
    let forbidden = [
        concat!("todo", "!("),
        concat!("unimplemented", "!("),
        concat!("dbg", "!("),
        concat!("FIX", "ME"),
        concat!("TO", "DO:"),
    ];
    let mut problems = Vec::new();
    for file in files(&[".rs"]) {
        for (number, line) in read(&file).lines().enumerate() {
            for word in forbidden {
                if line.contains(word) {
                    problems.push(format!("{}:{}: {word}", shown(&file), number + 1));
                }
            }
        }
    }
    assert_none(&problems, "Write it, or leave it out:");
}

#[test]
fn unsafe_code_stays_forbidden() {
    let manifest = read(&crate::root().join("Cargo.toml"));
    assert!(manifest.contains("unsafe_code = \"forbid\""), "Cargo.toml: unsafe_code must stay forbidden");
    let problems: Vec<String> = files(&[".rs"])
        .iter()
        .filter(|file| read(file).contains(concat!("allow(unsafe", "_code)")))
        .map(|file| shown(file))
        .collect();
    assert_none(&problems, "No file may allow unsafe code:");
}
