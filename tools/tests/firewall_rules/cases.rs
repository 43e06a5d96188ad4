//! What users do wrong: one file per mistake in `cases`, with the command, its exit code and what it says, exactly.
//!
//! `$ COMMAND` is the first line; lines that begin with `<` are its standard input.

use std::fs;

use crate::kit::{compare, folder, run_with};

#[test]
fn each_mistake_has_one_clear_answer() {
    let mut paths: Vec<_> = fs::read_dir(folder().join("cases")).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    assert!(paths.len() > 30, "only {} cases found: the search is broken", paths.len());
    let mut wrong = Vec::new();
    for path in paths {
        let kept = fs::read_to_string(&path).unwrap();
        let command = kept.lines().next().unwrap_or_default();
        let typed = command.strip_prefix("$ firewall-rules").expect("`$ firewall-rules` in the first line");
        let given: Vec<&str> = kept.lines().skip(1).take_while(|line| line.starts_with('<')).collect();
        let input: String = given.iter().map(|line| format!("{}\n", line.trim_start_matches("< "))).collect();
        let outcome = run_with(&typed.split_whitespace().collect::<Vec<_>>(), &input);
        assert_ne!(outcome.code, 101, "{}: {}", path.display(), outcome.stderr);
        let mut text = format!("{command}\n");
        given.iter().for_each(|line| text.push_str(&format!("{line}\n")));
        text.push_str(&format!("exit {}\n", outcome.code));
        for (name, said) in [("stdout", &outcome.stdout), ("stderr", &outcome.stderr)] {
            if !said.is_empty() {
                text.push_str(&format!("{name}:\n{said}"));
            }
        }
        if std::panic::catch_unwind(|| compare(&path, &text)).is_err() {
            wrong.push(path);
        }
    }
    assert!(wrong.is_empty(), "{wrong:?}");
}
