//! `fuzz-campaign coverage` around scripts: its mistakes, and what it shows of LLVM's figures.

use std::fs;

use crate::kit::{SECOND, Tree};

/// What a replaying target is here.
const QUIET: &str = "exit 0";

fn tree() -> Tree {
    let tree = Tree::new(QUIET);
    fs::create_dir_all(tree.path("relay/wire/src")).unwrap();
    fs::write(tree.path("relay/wire/src/x.rs"), "fn one() {\n    two();\n}\n").unwrap();
    tree.tool("rustc", "echo 'rustc 1.0.0'; echo 'host: here'; echo 'LLVM version: 99.1.2'");
    tree
}

/// Adds a cargo that builds and tools that count.
fn with_tools(tree: &Tree) {
    tree.tool(
        "cargo",
        &format!(
            "while [ \"$1\" != --target-dir ]; do shift; done\nmkdir -p $2/debug\ncp {}/target-script $2/debug/{SECOND}",
            tree.path("").display()
        ),
    );
    tree.tool("llvm-profdata-99", "exit 0");
    let share = |count: u32, covered: u32| format!("{{\"count\":{count},\"covered\":{covered}}}");
    let totals = format!(
        "{{\"data\":[{{\"totals\":{{\"lines\":{},\"regions\":{},\"functions\":{}}}}}]}}",
        share(10, 9),
        share(4, 2),
        share(2, 2)
    );
    tree.tool(
        "llvm-cov-99",
        &format!(
            "case \"$*\" in *summary*) echo '{totals}';;\n\
             *lcov*) echo SF:{}; echo DA:1,3; echo DA:2,0; echo end_of_record;;\nesac",
            tree.path("").canonicalize().unwrap().join("relay/wire/src/x.rs").display()
        ),
    );
}

fn fails(tree: &Tree, arguments: &[&str], words: &[&str]) {
    let (code, _, said) = tree.run(arguments);
    assert_eq!(code, 2, "{said}");
    assert!(words.iter().all(|word| said.contains(word)), "{arguments:?}: {said}");
}

#[test]
fn mistakes_name_their_remedy() {
    let tree = tree();
    let install = ["LLVM 99", "rustup component add llvm-tools", "apt-get install llvm-99"];
    fails(&tree, &["coverage"], &install);
    // Another version's tools do not count.
    tree.tool("llvm-profdata", "echo LLVM version 14.0.6");
    tree.tool("llvm-cov", "echo LLVM version 14.0.6");
    fails(&tree, &["coverage"], &install);
    tree.tool("rustc", "[ \"$1\" = +nightly ] && exit 1; echo 'rustc 1.0.0'");
    fails(&tree, &["coverage", "--branches"], &["rustup toolchain install nightly"]);
    fails(&tree, &["coverage", "--target", "linus"], &["no target \"linus\""]);
    fails(&tree, &["coverage", "--sources", "nowhere"], &["--sources", "nowhere", "source tree"]);
    fails(&tree, &["coverage", "--corpus", "nowhere"], &["--corpus nowhere"]);
    fails(&tree, &["coverage", "--require-lines", "101"], &["from 0 to 100"]);
    assert!(!tree.path("target").exists(), "nothing was written before");
}

#[test]
fn figures_gaps_and_the_threshold() {
    let tree = tree();
    with_tools(&tree);
    let (code, table, said) = tree.run(&["coverage", "--out", "out", "--require-lines", "90"]);
    assert_eq!(code, 0, "{said}");
    assert!(table.contains(SECOND) && table.contains("9 of      10  90.00 %"), "{table}");
    assert!(table.contains("Branches: not counted"), "{table}");
    assert!(table.ends_with("relay/wire/src/x.rs\n  2          two();\n"), "{table}");
    assert_eq!(
        fs::read_to_string(tree.path("out/uncovered.txt")).unwrap(),
        "relay/wire/src/x.rs\n  2          two();\n"
    );
    let (code, json, said) = tree.run(&["coverage", "--out", "again", "--require-lines", "90.5", "--format", "json"]);
    assert_eq!(code, 1, "{said}");
    assert!(said.contains("90.00 per cent of the lines are reached; 90.5 are required"), "{said}");
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["all"]["lines"]["covered"], 9);
    assert_eq!(json["uncovered"]["relay/wire/src/x.rs"][0][0], 2);
}

#[test]
fn help_has_examples_and_exit_codes() {
    for command in ["ledger", "coverage"] {
        let (code, help, _) = tree().run(&[command, "--help"]);
        assert_eq!(code, 0);
        for word in ["Examples:", "Exit codes:", "\n  1 ", "\n  2 "] {
            assert!(help.contains(word), "{command}: {help}");
        }
    }
}
