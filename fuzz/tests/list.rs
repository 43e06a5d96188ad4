//! `targets.toml`, `Cargo.toml`, `fuzz_targets` and `targets::ALL` name the same targets.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::{collections::BTreeSet, fs, path::Path};

use fuzz::targets::ALL;
use toml::{Table, Value};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn table(file: &str) -> Table {
    fs::read_to_string(root().join(file)).unwrap().parse().unwrap_or_else(|error| panic!("{file}: {error}"))
}

/// The rows of an array of tables.
fn rows<'a>(table: &'a Table, name: &str) -> Vec<&'a Table> {
    table[name].as_array().unwrap().iter().map(|row| row.as_table().unwrap()).collect()
}

fn text<'a>(row: &'a Table, name: &str) -> &'a str {
    row.get(name).and_then(Value::as_str).unwrap_or_else(|| panic!("{row}: no {name}"))
}

#[test]
fn the_four_places_name_the_same_targets() {
    let (list, manifest) = (table("targets.toml"), table("Cargo.toml"));
    let listed: Vec<&str> = rows(&list, "target").iter().map(|row| text(row, "name")).collect();
    let binaries: Vec<&str> = rows(&manifest, "bin").iter().map(|row| text(row, "name")).collect();
    let linked: Vec<&str> = ALL.iter().map(|target| target.name).collect();
    let mut files: Vec<String> = fs::read_dir(root().join("fuzz_targets"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .map(|name| name.strip_suffix(".rs").expect("only Rust files").to_owned())
        .collect();
    files.sort();
    let mut sorted = listed.clone();
    sorted.sort_unstable();
    assert_eq!(listed.iter().collect::<BTreeSet<_>>().len(), listed.len(), "a name occurs twice in targets.toml");
    assert_eq!(binaries, listed, "Cargo.toml (left) and targets.toml (right)");
    assert_eq!(files, sorted, "fuzz_targets (left) and targets.toml (right)");
    if cfg!(feature = "relay") {
        assert_eq!(linked, listed, "targets::ALL (left) and targets.toml (right)");
    }
}

#[test]
fn each_target_is_a_short_file_that_says_what_the_list_says() {
    let (list, manifest) = (table("targets.toml"), table("Cargo.toml"));
    for (row, binary) in rows(&list, "target").into_iter().zip(rows(&manifest, "bin")) {
        let name = text(row, "name");
        let file = format!("fuzz_targets/{name}.rs");
        let source = fs::read_to_string(root().join(&file)).unwrap();
        assert!(source.lines().count() <= 20, "{file}: longer than 20 lines");
        let target = format!("fuzz::target!({});", name.to_uppercase());
        assert!(source.contains(&target), "{file}: should be {target}");
        assert!(source.starts_with(&format!("//! {}\n", text(row, "property"))), "{file}: begin with its property");
        assert_eq!(text(binary, "path"), file);
        let group = text(row, "group");
        let features = binary.get("required-features").and_then(Value::as_array).cloned().unwrap_or_default();
        let wanted = if group == "wire" { vec![] } else { vec![Value::from(group)] };
        assert_eq!(features, wanted, "Cargo.toml, {name}: required-features follow from the group in targets.toml");
        if let Some(dictionary) = row.get("dictionary").and_then(Value::as_str) {
            let path = format!("dictionaries/{dictionary}.dict");
            assert!(root().join(&path).is_file(), "{name}: no {path}");
        }
        for prefix in row["covers"].as_array().unwrap().iter().filter_map(Value::as_str) {
            let path = root().join("..").join(prefix);
            // `relay/wire/src/frame` is the folder, the file `frame.rs` or both.
            let file = path.with_file_name(format!("{}.rs", path.file_name().unwrap().to_string_lossy()));
            assert!(path.exists() || file.exists(), "targets.toml, {name}: covers {prefix}, which is not there");
        }
    }
}

#[test]
fn what_is_kept_belongs_to_a_target() {
    for folder in ["corpus", "regressions"] {
        let Ok(entries) = fs::read_dir(root().join(folder)) else { continue };
        for entry in entries.map(Result::unwrap) {
            let name = entry.file_name().into_string().unwrap();
            let target = name.strip_suffix(".pack").unwrap_or(&name);
            let known = ["README.md", ".gitkeep"].contains(&target) || ALL.iter().any(|known| known.name == target);
            assert!(known || cfg!(not(feature = "relay")), "fuzz/{folder}/{name}: there is no target {target}");
        }
    }
}
