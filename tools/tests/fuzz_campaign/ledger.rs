//! `fuzz-campaign ledger` around scripts: what is counted, what is not, and what is said of a patch that cannot be tried.

use std::{fs, path::Path, process::Stdio, time::Duration};

use crate::kit::{FIRST, SECOND, Tree, outcome, script};

/// The file that defects are planted in.
const SOURCE: &str = "relay/wire/src/x.rs";
/// A target that finds nothing, like a fuzzer's command line: the last argument is a file, or a folder.
const QUIET: &str = "echo '#9 DONE cov: 1 ft: 1 corp: 1/1b' >&2\necho 'stat::number_of_executed_units: 1000' >&2";
/// A target that finds something in every file and, as a fuzzer, at once.
const LOUD: &str = "echo 'FINDING some_oracle: the text says no' >&2\n\
                    for word in \"$@\"; do case $word in -artifact_prefix=*) prefix=${word#-artifact_prefix=};; esac; done\n\
                    [ -n \"$prefix\" ] && { echo x > \"$prefix/crash-1\"\n\
                    echo \"artifact_prefix='$prefix'; Test unit written to $prefix/crash-1\" >&2\n\
                    echo 'stat::number_of_executed_units: 777' >&2; }\nexit 77";

/// A tree in which `planted` is what targets do once the source says so, and `clean` before.
fn tree(clean: &str, planted: &str) -> Tree {
    let tree = Tree::new(QUIET);
    fs::create_dir_all(tree.path("relay/wire/src")).unwrap();
    fs::write(tree.path(SOURCE), "one\ntwo\nthree\n").unwrap();
    script(&tree.path("clean-script"), clean);
    script(&tree.path("planted-script"), planted);
    tree.tool(
        "cargo",
        &format!(
            "case \"$1 $2\" in\n\
             '--version ') echo cargo 1.0.0;;\n\
             'fuzz --version') echo cargo-fuzz 0.0.1;;\n\
             'fuzz build')\n\
             while [ \"$1\" != --target-dir ]; do shift; done\n\
             if grep -q broken {SOURCE}; then echo 'error[E0425]: cannot find value' >&2; echo ' --> {SOURCE}:2:1' >&2; exit 101; fi\n\
             made=clean; if grep -q planted {SOURCE}; then made=planted; fi\n\
             mkdir -p $2/here/release\n\
             for name in {FIRST} {SECOND}; do cp {0}/$made-script $2/here/release/$name; done;;\n\
             *) exit 101;;\nesac",
            tree.path("").display()
        ),
    );
    tree
}

/// A patch that makes the second line `text`.
fn patch(tree: &Tree, name: &str, text: &str) {
    let diff = format!("--- a/{SOURCE}\n+++ b/{SOURCE}\n@@ -1,3 +1,3 @@\n one\n-two\n+{text}\n three\n");
    fs::create_dir_all(tree.path("patches")).unwrap();
    fs::write(tree.path("patches").join(format!("{name}.patch")), diff).unwrap();
}

fn ledger(tree: &Tree, more: &[&str]) -> (i32, String, String) {
    let mut arguments = vec!["ledger", "--patches", "patches", "--seeds", "2", "--cap", "3000", "--out", "out"];
    arguments.extend(more);
    tree.run(&arguments)
}

/// The sources of the job's tree are as they were.
fn assert_restored(tree: &Tree) {
    let copy = tree.path("target/fuzz/ledger/worker-0/src").join(SOURCE);
    assert_eq!(fs::read_to_string(copy).unwrap(), "one\ntwo\nthree\n");
}

#[test]
fn a_defect_that_is_found_is_killed() {
    let tree = tree(QUIET, LOUD);
    patch(&tree, "a-defect", "planted");
    let (code, table, said) = ledger(&tree, &[]);
    assert_eq!(code, 0, "{table}{said}");
    assert!(table.contains("a-defect") && table.contains("2 of 2") && table.contains("777"), "{table}");
    assert!(table.contains("some_oracle") && table.contains("1 of 1 planted defects"), "{table}");
    assert_eq!(fs::read_to_string(tree.path("out/ledger.txt")).unwrap(), table);
    let json: serde_json::Value = serde_json::from_slice(&fs::read(tree.path("out/ledger.json")).unwrap()).unwrap();
    assert_eq!(json["rows"][0]["status"], "killed");
    assert_eq!(json["rows"][0]["hunts"][1]["seed"], 2);
    let input = json["rows"][0]["hunts"][0]["kill"]["input"].as_str().unwrap();
    assert_eq!(fs::read_to_string(Path::new(input)).unwrap(), "x\n");
    assert_restored(&tree);
    assert!(!tree.path("target/fuzz/ledger/worker-0/hunt").exists(), "corpora are gone");
    assert!(fs::read_to_string(tree.path(SOURCE)).unwrap().contains("two"), "the tree itself is never touched");
}

#[test]
fn what_the_clean_tree_fails_too_proves_nothing() {
    let tree = tree(LOUD, LOUD);
    patch(&tree, "a-defect", "planted");
    let (code, table, said) = ledger(&tree, &[]);
    assert_eq!(code, 1, "{table}{said}");
    assert!(table.contains("0 of 2") && table.contains("MISSED") && table.contains("clean tree has too"), "{table}");
}

#[test]
fn a_defect_that_is_missed_uses_up_its_executions() {
    let tree = tree(QUIET, QUIET);
    patch(&tree, "a-defect", "planted");
    let (code, json, said) = ledger(&tree, &["--format", "json", "--jobs", "2"]);
    assert_eq!(code, 1, "{json}{said}");
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["rows"][0]["status"], "missed");
    // The target of the other group does not link what is patched.
    assert_eq!(json["rows"][0]["hunts"][0]["executions"], 3000);
}

#[test]
fn patches_that_cannot_be_tried_do_not_stop_the_others() {
    let tree = tree(QUIET, LOUD);
    patch(&tree, "1-good", "planted");
    patch(&tree, "2-broken", "broken");
    patch(&tree, "3-stale", "planted");
    let stale = tree.path("patches/3-stale.patch");
    fs::write(&stale, fs::read_to_string(&stale).unwrap().replace("-two", "-zwei")).unwrap();
    fs::write(tree.path("patches/4-nothing.patch"), "words\n").unwrap();
    fs::create_dir(tree.path("docs")).unwrap();
    fs::write(tree.path("docs/x.md"), "a\n").unwrap();
    fs::write(tree.path("patches/5-elsewhere.patch"), "--- a/docs/x.md\n+++ b/docs/x.md\n@@ -1 +1 @@\n-a\n+b\n")
        .unwrap();
    let (code, table, said) = ledger(&tree, &["--jobs", "1"]);
    assert_eq!(code, 2, "{table}{said}");
    for words in [
        "1-good       -      2 of 2",
        "does not build: error[E0425]: cannot find value --> relay/wire/src/x.rs:2:1",
        "does not apply: relay/wire/src/x.rs: the lines of its hunk at line 1 are not there",
        "holds no unified diff",
        "changes docs/x.md, which none of the targets links",
        "1 of 5 planted defects",
        "4 could not be tried",
    ] {
        assert!(table.contains(words), "no {words:?} in\n{table}");
    }
    assert!(said.contains("4 of 5 patches could not be tried; the first: 2-broken does not build"), "{said}");
    assert!(fs::read_to_string(tree.path("out/2-broken.build.log")).unwrap().contains("E0425"));
    assert_restored(&tree);
}

#[test]
fn the_first_mistake_is_said_before_anything_is_built() {
    let tree = tree(QUIET, LOUD);
    tree.tool("cargo", "exit 1");
    let fails = |arguments: &[&str], words: &[&str]| {
        let (code, _, said) = tree.run(arguments);
        assert_eq!(code, 2, "{said}");
        assert!(words.iter().all(|word| said.contains(word)), "{arguments:?}: {said}");
    };
    fails(&["ledger", "--patches", "nowhere"], &["--patches nowhere", "*.patch", "fuzz/ledger"]);
    fs::create_dir(tree.path("patches")).unwrap();
    fails(&["ledger", "--patches", "patches"], &["no *.patch file", "git diff"]);
    fs::write(tree.path("patches/x.patch"), "--- a/relay/y.rs\n+++ b/relay/y.rs\n@@ -1 +1 @@\n-a\n+b\n").unwrap();
    fails(&["ledger", "--patches", "patches"], &["1 of 1 patches could not be tried", "no file a/relay/y.rs"]);
    fails(&["ledger", "--patches", "patches", "--target", "linus"], &["no target \"linus\"", SECOND]);
    fails(&["ledger", "--patches", "patches", "--seeds", "0"], &["at least 1"]);
    fails(&["ledger", "--patches", "patches", "--oracles", "maybe"], &["on, off"]);
    fails(&["ledger", "--patches", "patches", "--out", "patches"], &["not empty", "new folder"]);
    patch(&tree, "y", "planted");
    fails(&["ledger", "--patches", "patches", "--out", "new"], &["cargo install --locked cargo-fuzz"]);
    assert!(!tree.path("new").exists() && !tree.path("target/fuzz/ledger").exists(), "nothing was written before");
}

#[test]
fn a_signal_ends_it_with_what_there_is_and_nothing_planted() {
    let tree = tree(QUIET, "echo $$ > pid; exec sleep 60");
    patch(&tree, "a-defect", "planted");
    let mut command = tree.command(&["ledger", "--patches", "patches", "--out", "out"]);
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let pid = tree.path("pid");
    for _ in 0..600 {
        if fs::read_to_string(&pid).is_ok_and(|text| text.ends_with('\n')) {
            break;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    let id = rustix::process::Pid::from_raw(i32::try_from(child.id()).unwrap()).unwrap();
    rustix::process::kill_process(id, rustix::process::Signal::INT).unwrap();
    let (code, table, said) = outcome(&child.wait_with_output().unwrap());
    assert_eq!(code, 2, "{said}");
    assert!(table.contains("interrupted") && said.contains("ended by a signal"), "{table}{said}");
    assert_restored(&tree);
    let hunted = fs::read_to_string(&pid).unwrap().trim().to_owned();
    assert!(!Path::new("/proc").join(hunted).exists(), "the fuzzer is gone");
}

#[test]
fn a_defect_that_ends_the_process_without_a_word_is_killed_by_its_input() {
    // As a stack overflow: nothing said, nothing written; but the next process notes its input.
    let dies = "case \"$*\" in *-artifact_prefix*) [ -n \"$SALLYPORT_FUZZ_LAST\" ] && echo deep > \"$SALLYPORT_FUZZ_LAST\"\n\
                echo 'stat::number_of_executed_units: 10' >&2;; esac\nkill -SEGV $$";
    let tree = tree(QUIET, dies);
    patch(&tree, "a-defect", "planted");
    let (code, table, said) = ledger(&tree, &[]);
    assert_eq!(code, 0, "{table}{said}");
    assert_eq!(fs::read(tree.path("out/inputs/a-defect").join(format!("1-{SECOND}"))).unwrap(), b"deep\n");
}

#[test]
fn two_ledgers_do_not_work_in_one_tree() {
    let tree = tree(QUIET, LOUD);
    patch(&tree, "a-defect", "planted");
    fs::create_dir_all(tree.path("target/fuzz/ledger")).unwrap();
    let lock = fs::File::create(tree.path("target/fuzz/ledger/lock")).unwrap();
    lock.lock().unwrap();
    let (code, _, said) = ledger(&tree, &[]);
    assert_eq!(code, 2, "{said}");
    assert!(said.contains("another ledger") && !tree.path("out").exists(), "{said}");
    drop(lock);
    assert_eq!(ledger(&tree, &[]).0, 0);
}

#[test]
fn the_control_runs_without_oracles() {
    let tree = tree(QUIET, &format!("[ \"$SALLYPORT_FUZZ_ORACLES\" = off ] || {{ {LOUD}\n}}\n{QUIET}"));
    patch(&tree, "a-defect", "planted");
    let (code, table, said) = ledger(&tree, &["--oracles", "off"]);
    assert_eq!(code, 1, "{table}{said}");
    assert!(table.contains("0 of 2") && table.contains("The oracles were off"), "{table}");
}

#[test]
fn a_control_is_counted_beside_the_hunts_and_decides_nothing() {
    let tree = tree(QUIET, &format!("[ \"$SALLYPORT_FUZZ_ORACLES\" = off ] || {{ {LOUD}\n}}\n{QUIET}"));
    patch(&tree, "a-defect", "planted");
    let (code, table, said) = ledger(&tree, &["--control", "1", "--control-cap", "1000"]);
    assert_eq!(code, 0, "{table}{said}");
    assert!(table.contains("2 of 2") && table.contains("without oracles") && table.contains("0 of 1"), "{table}");
    assert!(table.contains("only panics are found: 0 of 1 in any of 1 seeds, up to 1,000 executions"), "{table}");
    let json: serde_json::Value = serde_json::from_slice(&fs::read(tree.path("out/ledger.json")).unwrap()).unwrap();
    assert_eq!(json["rows"][0]["hunts"].as_array().unwrap().len(), 2);
    assert_eq!(json["rows"][0]["control"].as_array().unwrap().len(), 1);
}
