//! Dependencies point one way, and each has a reason.

use std::collections::BTreeMap;

use crate::{assert_none, read, root};

/// Package, its folder, and those of our packages that it may depend on.
const DIRECTION: &[(&str, &str, &[&str])] = &[
    ("relay-wire", "relay/wire", &[]),
    ("relay-trust", "relay/trust", &[]),
    ("relay-runtime", "relay/runtime", &["relay-wire", "relay-trust"]),
    ("relay-edge", "relay/edge", &["relay-wire", "relay-trust", "relay-runtime"]),
    ("relay-backend", "relay/backend", &["relay-wire", "relay-trust", "relay-runtime"]),
    ("relay-lab", "relay/lab", &["relay-wire", "relay-trust", "relay-runtime", "relay-edge", "relay-backend"]),
    ("client-sim", "client-sim", &["relay-wire", "relay-trust", "relay-runtime", "relay-lab"]),
    ("fuzz", "fuzz", &["relay-wire", "relay-trust", "relay-runtime", "relay-edge", "relay-backend"]),
    (
        "tools",
        "tools",
        &[
            "relay-wire",
            "relay-trust",
            "relay-runtime",
            "relay-edge",
            "relay-backend",
            "relay-lab",
            "client-sim",
            "fuzz",
        ],
    ),
    (
        "tests",
        "tests",
        &[
            "relay-wire",
            "relay-trust",
            "relay-runtime",
            "relay-edge",
            "relay-backend",
            "relay-lab",
            "client-sim",
            "tools",
            "fuzz",
        ],
    ),
];

/// Libraries that must not be reachable from the protocol crate: they would bring a socket, a clock or chance.
const WIRE_MAY_USE: &[&str] = &["base64"];

fn manifest(folder: &str) -> toml::Table {
    read(&root().join(folder).join("Cargo.toml")).parse().unwrap_or_else(|error| panic!("{folder}/Cargo.toml: {error}"))
}

#[test]
fn packages_depend_in_one_direction() {
    let ours: BTreeMap<&str, &[&str]> = DIRECTION.iter().map(|(name, _, may)| (*name, *may)).collect();
    let mut problems = Vec::new();
    for (name, folder, may) in DIRECTION {
        let manifest = manifest(folder);
        if manifest["package"]["name"].as_str() != Some(*name) {
            problems.push(format!("{folder}/Cargo.toml: the package should be named {name} after its folder"));
        }
        for section in ["dependencies", "dev-dependencies", "build-dependencies"] {
            let Some(table) = manifest.get(section).and_then(toml::Value::as_table) else { continue };
            for dependency in table.keys() {
                if ours.contains_key(dependency.as_str()) && !may.contains(&dependency.as_str()) {
                    problems.push(format!("{folder}/Cargo.toml: {name} must not depend on {dependency}"));
                }
            }
        }
    }
    assert_none(&problems, "Move the code to the package that both may depend on:");
}

#[test]
fn every_member_is_known_here_and_takes_the_workspace_lints() {
    let workspace = manifest("");
    let mut problems = Vec::new();
    for member in workspace["workspace"]["members"].as_array().expect("members") {
        let member = member.as_str().expect("a path");
        if !DIRECTION.iter().any(|(_, folder, _)| *folder == member) {
            problems.push(format!("{member}: not in DIRECTION of tests/tidy/dependencies.rs"));
        }
        let lints =
            manifest(member).get("lints").and_then(|lints| lints.get("workspace")).and_then(toml::Value::as_bool);
        if lints != Some(true) {
            problems.push(format!("{member}/Cargo.toml: needs `[lints] workspace = true`"));
        }
    }
    assert_none(&problems, "Workspace members:");
}

#[test]
fn the_protocol_crate_uses_parsers_only() {
    let manifest = manifest("relay/wire");
    let table = manifest["dependencies"].as_table().expect("dependencies");
    let problems: Vec<String> = table.keys().filter(|name| !WIRE_MAY_USE.contains(&name.as_str())).cloned().collect();
    assert_none(&problems, "relay-wire has no I/O, clock or chance; these dependencies are not in WIRE_MAY_USE:");
    let lib = read(&root().join("relay/wire/src/lib.rs"));
    assert!(lib.contains("#![no_std]"), "relay/wire/src/lib.rs must stay no_std");
}

#[test]
fn every_dependency_has_a_reason() {
    let text = read(&root().join("Cargo.toml"));
    let table =
        text.split("[workspace.dependencies]").nth(1).and_then(|rest| rest.split("\n[").next()).expect("the table");
    let mut reasoned = false;
    let mut problems = Vec::new();
    for line in table.lines() {
        if line.starts_with("# ---") {
            reasoned = false;
        } else if line.starts_with('#') {
            reasoned = true;
        } else if let Some((name, value)) = line.split_once(" = ") {
            if !value.contains("path = ") && !reasoned {
                problems.push(name.to_owned());
            }
            if value.contains("git = ") {
                problems.push(format!("{name}: git dependencies are not allowed"));
            }
            reasoned = false;
        }
    }
    assert_none(&problems, "Give each dependency a line of reason above it in Cargo.toml:");
}
