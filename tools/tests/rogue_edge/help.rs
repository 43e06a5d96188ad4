//! The help texts of every command, the list of trials, and one explanation.

use crate::kit::{compare, folder, run_with};

fn snapshot(name: &str, arguments: &[&str]) -> String {
    let outcome = run_with(arguments);
    assert_eq!((outcome.code, outcome.stderr.as_str()), (0, ""), "{arguments:?}");
    compare(&folder().join("snapshots").join(name), &outcome.stdout);
    outcome.stdout
}

#[test]
fn help_of_every_command_has_examples() {
    let top = snapshot("help/rogue-edge.txt", &["--help"]);
    let commands = ["serve", "trials", "explain", "table"];
    for command in commands {
        assert!(top.contains(&format!("\n  {command} ")), "{top}");
        let text = snapshot(&format!("help/{command}.txt"), &[command, "--help"]);
        assert!(text.contains("xample"), "{text}");
    }
    assert_eq!(top.split("\nCommands:\n").nth(1).unwrap().lines().take_while(|line| line.starts_with("  ")).count(), 5);
}

#[test]
fn the_list_and_an_explanation() {
    let list = snapshot("trials.txt", &["trials"]);
    let json: serde_json::Value = serde_json::from_str(&run_with(&["trials", "--format", "json"]).stdout).unwrap();
    let trials = json.as_array().unwrap();
    assert!(trials.len() >= 25);
    for trial in trials {
        assert!(list.contains(trial["name"].as_str().unwrap()));
    }
    snapshot("explain.txt", &["explain", "same-key"]);
}
