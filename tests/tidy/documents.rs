//! What documents and code say of each other is true.

use std::collections::BTreeSet;

use crate::{assert_none, files, read, root, shown};

/// The numbers of all headings (`## 4.`, `### 4.1`) and rules (`**4.1.2**`, `4.1.2.`) of a numbered document.
fn numbers(document: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for line in document.lines() {
        let start = line.trim_start_matches(['#', '*', '-', ' ', '§', '|']);
        let number: String = start.chars().take_while(|c| c.is_ascii_digit() || *c == '.').collect();
        let number = number.trim_end_matches('.');
        if !number.is_empty() {
            found.insert(number.to_owned());
        }
    }
    found
}

/// The section numbers cited in `text` behind `name` and a section sign.
fn citations(text: &str, name: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut rest = text;
    let pattern = format!("{name} §");
    while let Some(at) = rest.find(&pattern) {
        rest = &rest[at + pattern.len()..];
        let mut list = rest;
        loop {
            let number: String = list.chars().take_while(|c| c.is_ascii_digit() || *c == '.').collect();
            if number.is_empty() {
                break;
            }
            found.push(number.trim_end_matches('.').to_owned());
            list = &list[number.len()..];
            match list.strip_prefix(", §") {
                Some(next) => list = next,
                None => break,
            }
        }
    }
    found
}

#[test]
fn every_cited_section_exists() {
    let mut problems = Vec::new();
    let mut cited = 0;
    for (name, path) in [("SPEC", "relay/wire/SPEC.md"), ("FORMATS", "relay/wire/FORMATS.md")] {
        let known = numbers(&read(&root().join(path)));
        for file in files(&[".rs", ".md", ".toml"]) {
            for number in citations(&read(&file), name) {
                cited += 1;
                if !known.contains(&number) {
                    problems.push(format!("{}: cites {name} §{number}, which {path} does not have", shown(&file)));
                }
            }
        }
    }
    assert!(cited > 20, "only {cited} citations found: the search is broken");
    assert_none(&problems, "Correct the citation, or write the section:");
}

#[test]
fn no_file_named_in_a_document_is_missing() {
    let mut problems = Vec::new();
    let mut named = 0;
    for document in files(&[".md"]) {
        let text = read(&document);
        let mut fenced = false;
        for line in text.lines() {
            if line.trim_start().starts_with("```") {
                fenced = !fenced;
            }
            if fenced {
                continue;
            }
            let quoted = line.split('`').skip(1).step_by(2);
            let linked = line.split("](").skip(1).filter_map(|rest| rest.split(')').next());
            for path in quoted.chain(linked).filter(|path| names_a_repository_file(path)) {
                named += 1;
                let path = path.split('#').next().unwrap_or(path);
                let here = document.parent().expect("a folder").join(path);
                if !here.exists() && !root().join(path).exists() {
                    problems.push(format!("{}: names {path}", shown(&document)));
                }
            }
        }
    }
    assert!(named > 10, "only {named} names found: the search is broken");
    assert_none(&problems, "These files do not exist; correct the document:");
}

/// A path into the source tree: its first component is one of the top folders, or it is a document.
fn names_a_repository_file(text: &str) -> bool {
    let plain = text.chars().all(|c| c.is_ascii_alphanumeric() || "/._-#".contains(c));
    let first = text.split('/').next().unwrap_or_default();
    let top = ["relay", "client-sim", "fuzz", "tools", "tests", "docs", "deploy", ".ci"].contains(&first);
    plain && !text.contains("..") && ((top && text.contains('/')) || (text.ends_with(".md") && !text.contains("://")))
}

#[test]
fn every_test_that_security_md_names_exists() {
    let mut problems = Vec::new();
    let mut named = 0;
    let text = read(&root().join("SECURITY.md"));
    for row in text.lines().filter(|line| line.starts_with("| **")) {
        let cell = row.trim_end_matches('|').rsplit('|').next().unwrap_or_default();
        let mut code = String::new();
        for word in cell.split('`').skip(1).step_by(2) {
            if word.ends_with(".rs") {
                code = read(&root().join(word));
            } else {
                named += 1;
                if !code.contains(&format!("fn {word}()")) {
                    problems.push(format!("{word}, in the row {}", row.split('|').nth(1).unwrap_or_default()));
                }
            }
        }
    }
    assert!(named > 20, "only {named} tests found: the search is broken");
    assert_none(&problems, "These tests do not exist; name the ones that show it:");
}
