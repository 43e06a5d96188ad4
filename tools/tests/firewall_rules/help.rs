//! The help texts, of every command there is.

use crate::kit::{run, snapshot};

/// The commands that a help text lists.
fn commands(help: &str) -> Vec<String> {
    let list = help.split("\nCommands:\n").nth(1).unwrap_or_default();
    let lines = list.lines().take_while(|line| line.starts_with("  "));
    // Descriptions that go on in the next line are indented further.
    let names = lines.filter(|line| !line.starts_with("   ")).filter_map(|line| line.split_whitespace().next());
    names.filter(|name| *name != "help").map(str::to_owned).collect()
}

fn walk(path: &[String]) {
    let mut arguments: Vec<&str> = path.iter().map(String::as_str).collect();
    arguments.push("--help");
    let outcome = run(&arguments);
    assert_eq!((outcome.code, outcome.stderr.as_str()), (0, ""), "{path:?}");
    let name = if path.is_empty() { "firewall-rules".to_owned() } else { path.join("-") };
    snapshot(&format!("help/{name}.txt"), &outcome.stdout);
    let inner = commands(&outcome.stdout);
    assert!(!inner.is_empty() || outcome.stdout.contains("xamples:"), "{path:?}: a command's help has examples");
    for command in inner {
        walk(&[path, &[command]].concat());
    }
}

#[test]
fn help_of_every_command() {
    walk(&[]);
}
