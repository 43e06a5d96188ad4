//! The second validator shares nothing with what it judges.

use std::{fs, path::Path};

fn sources(folder: &Path, found: &mut Vec<(String, String)>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else {
            found.push((path.display().to_string(), fs::read_to_string(&path).unwrap()));
        }
    }
}

#[test]
fn it_names_nothing_of_the_relay() {
    let mut found = Vec::new();
    sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src/spec"), &mut found);
    assert!(found.len() > 10);
    for (path, source) in found {
        for forbidden in ["relay_", "base64::", "use crate::{", "crate::validator", "crate::doc"] {
            assert!(!source.contains(forbidden), "{path} says {forbidden}");
        }
        let foreign = source.lines().filter(|line| line.contains("crate::") && !line.contains("crate::spec"));
        assert_eq!(foreign.count(), 0, "{path} uses another part of this package");
    }
}
