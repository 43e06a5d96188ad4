//! Running the command, and comparing what it says with files.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use serde_json::Value;

/// This test's folder.
pub fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/rogue_edge")
}

/// The command, in this test's folder.
pub fn command() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_rogue-edge"));
    command.current_dir(folder()).env_remove("NO_COLOR").env_remove("COLUMNS");
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// What a run came to.
#[derive(Debug)]
pub struct Outcome {
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
}

/// Runs the command to its end.
pub fn run(mut command: Command) -> Outcome {
    let output = command.output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    Outcome {
        code: output.status.code().expect("an exit code"),
        stdout: text(output.stdout),
        stderr: text(output.stderr),
    }
}

/// Runs it with these arguments.
pub fn run_with(arguments: &[&str]) -> Outcome {
    let mut command = command();
    command.args(arguments);
    run(command)
}

/// A JSON report.
#[derive(Debug)]
pub struct Report(pub Value);

impl Report {
    /// Of what a run with `--format json` wrote.
    pub fn of(outcome: &Outcome) -> Self {
        Self(serde_json::from_str(&outcome.stdout).unwrap_or_else(|error| panic!("{error}: {outcome:?}")))
    }

    /// The trials with this verdict.
    pub fn with(&self, verdict: &str) -> BTreeSet<&str> {
        let trials = self.0["trials"].as_array().unwrap().iter();
        trials.filter(|trial| trial["verdict"] == verdict).map(|trial| trial["name"].as_str().unwrap()).collect()
    }

    /// One trial.
    pub fn trial(&self, name: &str) -> &Value {
        let mut trials = self.0["trials"].as_array().unwrap().iter();
        trials.find(|trial| trial["name"] == name).unwrap_or_else(|| panic!("no trial {name}"))
    }
}

/// Compares a text with a file.
pub fn compare(path: &Path, text: &str) {
    if std::env::var_os("UPDATE_SNAPSHOTS").is_some() {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
        return;
    }
    let kept = fs::read_to_string(path).unwrap_or_default();
    assert!(
        kept == text,
        "{} differs (UPDATE_SNAPSHOTS=1 writes it anew). Kept:\n{kept}\nNow:\n{text}",
        path.display()
    );
}
