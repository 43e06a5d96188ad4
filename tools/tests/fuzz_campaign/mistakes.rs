//! What users do wrong: each mistake gets one clear error that says what to do, and exit code 2.

use std::fs;

use crate::kit::{FIRST, Tree, command, outcome, tree};

/// A target that finds nothing.
const CLEAN: &str = "echo 'INFO: 3 files found in x' >&2; echo '#9 DONE cov: 1 ft: 1 corp: 1/1b' >&2";

/// A command that must fail with exit code 2 and these words on standard error.
fn fails(tree: &Tree, arguments: &[&str], words: &[&str]) {
    let (code, stdout, said) = tree.run(arguments);
    assert_eq!(code, 2, "{arguments:?}: {said}");
    assert_eq!(stdout, "", "{arguments:?}");
    for word in words {
        assert!(said.contains(word), "{arguments:?} does not say {word:?}: {said}");
    }
    assert!(!said.contains("panicked"), "{said}");
}

#[test]
fn options_that_cannot_be_used() {
    let tree = Tree::new(CLEAN);
    fails(&tree, &["run", "--target", "linus"], &["no target \"linus\"", FIRST]);
    fails(&tree, &["run", "--budget", "10"], &["--budget", "30s, 10m or 8h"]);
    fails(&tree, &["run", "--budget", "0s"], &["30s, 10m or 8h"]);
    fails(&tree, &["run", "--budget", "1s", "--jobs", "1"], &["need at least 2s", "--target"]);
    fails(&tree, &["run", "--budget", "400000000000y"], &["at most 3650d"]);
    fails(&tree, &["run", "--runs", "0"], &["at least 1"]);
    fails(&tree, &["run", "--runs", "4294967296"], &["at most 2147483647"]);
    fails(&tree, &["run", "--jobs", "0"], &["from 1 to 1024"]);
    for shard in ["3/2", "0/2", "3", "a/b"] {
        fails(&tree, &["run", "--shard", shard], &["give I/N"]);
    }
    fails(&tree, &["run", "--sanitizer", "thread"], &["none", "address"]);
    fails(&tree, &["run", "--corpus", "nowhere"], &["--corpus nowhere", "no such folder"]);
    fails(&tree, &["replay", "--target", "linus"], &["no target"]);
    fails(&tree, &["replay", "file"], &["--target"]);
    fails(&tree, &["replay", "--target", FIRST, "nowhere"], &["cannot read nowhere"]);
    fails(&tree, &["minimize", "--target", FIRST, "nowhere"], &["cannot read nowhere"]);
    fails(&tree, &["seeds", "--corpus", "x"], &["--pack"]);
    fails(&tree, &["seeds", "--target", "linus"], &["no target"]);
}

#[test]
fn folders_that_cannot_be_used() {
    let tree = Tree::new(CLEAN);
    fs::write(tree.path("file"), "").unwrap();
    fs::create_dir(tree.path("full")).unwrap();
    fs::write(tree.path("full/something"), "").unwrap();
    fails(&tree, &["run", "--out", "file"], &["--out file", "can be written"]);
    fails(&tree, &["run", "--out", "file/below"], &["--out file/below", "can be written"]);
    fails(&tree, &["run", "--out", "full"], &["not empty", "new folder"]);
    fails(&tree, &["merge", "--out", "merged", "nowhere"], &["nowhere", "run --out"]);
    fails(&tree, &["merge", "--out", "merged", "full"], &["report.json", "run --out"]);
    fs::write(tree.path("full/report.json"), "{}").unwrap();
    fails(&tree, &["merge", "--out", "merged", "full"], &["no report of this program"]);
    assert!(fs::read_dir(tree.path("full")).unwrap().count() == 2, "nothing was written into it");
}

#[test]
fn the_wrong_folder() {
    let folder = tempfile::tempdir().unwrap();
    let (code, _, said) = outcome(&command(folder.path()).arg("replay").output().unwrap());
    assert_eq!(code, 2);
    assert!(said.contains("no fuzz/targets.toml in") && said.contains("--workspace"), "{said}");
    let (code, _, said) = outcome(&command(folder.path()).args(["replay", "--workspace", "."]).output().unwrap());
    assert_eq!(code, 2);
    assert!(said.contains("fuzz/targets.toml") && said.contains("source tree"), "{said}");
    // From below the tree it is found.
    let below = tree().join("tools/src");
    let (code, said, _) = outcome(&command(&below).args(["replay", "--target", FIRST]).output().unwrap());
    assert_eq!(code, 0, "{said}");
    assert!(said.contains("inputs of 1 target: no finding"), "{said}");
}

#[test]
fn a_broken_list_and_a_damaged_pack() {
    let tree = Tree::new(CLEAN);
    fs::create_dir_all(tree.path("fuzz/corpus")).unwrap();
    fs::write(tree.path("fuzz/corpus").join(format!("{FIRST}.pack")), "SLYPACK1 and nonsense").unwrap();
    fails(&tree, &["replay"], &[FIRST, "damaged", "seeds --pack"]);
    fails(&tree, &["run"], &[FIRST, "damaged", "seeds --pack"]);
    fs::write(tree.path("fuzz/targets.toml"), "[[target]]\nname = 1\n").unwrap();
    fails(&tree, &["replay"], &["targets.toml", "line 2"]);
    let row = "[[target]]\nname = \"unheard_of\"\nproperty = \"\"\ngroup = \"wire\"\nmax_len = 1\n";
    fs::write(tree.path("fuzz/targets.toml"), row).unwrap();
    fails(&tree, &["replay"], &["unheard_of", "cargo build -p tools"]);
}

#[test]
fn what_is_missing_is_named_with_the_command_that_installs_it() {
    let tree = Tree::new(CLEAN);
    tree.tool("cargo", "[ \"$1\" = --version ] && echo cargo");
    let install = "cargo install --locked cargo-fuzz";
    fails(&tree, &["run", "--runs", "1"], &[install, "replay"]);
    fails(&tree, &["seeds", "--pack"], &[install]);
    fails(&tree, &["run", "--runs", "1", "--sanitizer", "address"], &[install, "rustup toolchain install nightly"]);
    let (_, _, said) = tree.run(&["run", "--runs", "1"]);
    assert!(!said.contains("rustup") && !said.contains("g++"), "only what is missing: {said}");
    for name in ["cargo", "rustc", "c++"] {
        tree.without(name);
    }
    fails(&tree, &["run", "--runs", "1"], &["rustup", install, "apt-get install g++"]);
    assert!(!tree.path("target").exists(), "nothing was written before");
    // Replay needs none of it.
    assert_eq!(tree.run(&["replay"]).0, 0);
}

#[test]
fn a_build_that_fails_says_so() {
    let tree = Tree::new(CLEAN);
    tree.tool("cargo", "[ \"$2\" = build ] && { echo 'error: it does not compile' >&2; exit 101; }; echo 1");
    fails(&tree, &["run", "--runs", "1"], &["it does not compile", "could not be built"]);
}

#[test]
fn help_has_examples_and_exit_codes() {
    let tree = Tree::new(CLEAN);
    for command in ["run", "replay", "seeds", "minimize", "merge"] {
        let (code, help, _) = tree.run(&[command, "--help"]);
        assert_eq!(code, 0);
        for word in ["Examples:", "Exit codes:", "\n  1 ", "\n  2 "] {
            assert!(help.contains(word), "{command}: {help}");
        }
    }
}
