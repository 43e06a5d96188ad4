//! A source tree of its own with a cargo that builds scripts: what the command does around a fuzzer, without one.

use std::{
    fs,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use tempfile::TempDir;

/// The real source tree.
pub fn tree() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}

/// The command, run from `folder`.
pub fn command(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_fuzz-campaign"));
    command.current_dir(folder);
    command
}

/// The exit code and what was said: standard output, standard error.
pub fn outcome(output: &Output) -> (i32, String, String) {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.code().expect("an exit code"), text(&output.stdout), text(&output.stderr))
}

/// Writes a program. Another process does it: a child that another test starts meanwhile would hold a file that this one writes
/// open, and a file that is open for writing cannot be run.
pub fn script(path: &Path, text: &str) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    let write = "printf '%s\\n' '#!/bin/sh' \"$1\" > \"$2\" && chmod 755 \"$2\"";
    assert!(Command::new("sh").args(["-c", write, "sh", text]).arg(path).status().unwrap().success());
}

/// A tree with two targets, and a PATH with programs that do as they are told.
pub struct Tree {
    folder: TempDir,
}

/// The two targets.
pub const FIRST: &str = "pin_spellings";
/// The other one.
pub const SECOND: &str = "linux_specification";

impl Tree {
    /// Whose targets are both this script.
    pub fn new(target: &str) -> Self {
        let tree = Self { folder: tempfile::tempdir().unwrap() };
        let row = |name, group| {
            format!(
                "[[target]]\nname = \"{name}\"\nproperty = \"It holds.\"\ngroup = \"{group}\"\nmax_len = 64\ncovers = []\n"
            )
        };
        fs::create_dir_all(tree.path("fuzz")).unwrap();
        fs::write(tree.path("fuzz/targets.toml"), row(FIRST, "trust") + &row(SECOND, "wire")).unwrap();
        for tool in ["sh", "sleep", "cp", "mkdir", "cat", "grep"] {
            let found =
                ["/usr/bin", "/bin"].iter().map(|folder| Path::new(folder).join(tool)).find(|path| path.exists());
            fs::create_dir_all(tree.path("bin")).unwrap();
            symlink(found.unwrap(), tree.path("bin").join(tool)).unwrap();
        }
        script(&tree.path("target-script"), target);
        tree.tool("rustc", "echo 'rustc 1.0.0'; echo 'host: here'");
        tree.tool("c++", "exit 0");
        tree.tool(
            "cargo",
            &format!(
                "case \"$1 $2\" in\n\
                 '--version ') echo cargo 1.0.0;;\n\
                 'fuzz --version') echo cargo-fuzz 0.0.1;;\n\
                 'fuzz build') mkdir -p {0}/target/fuzz/none/here/release\n\
                 for name in {FIRST} {SECOND}; do cp {0}/target-script {0}/target/fuzz/none/here/release/$name; done;;\n\
                 *) exit 101;;\nesac",
                tree.path("").display()
            ),
        );
        tree
    }

    /// A path in the tree.
    pub fn path(&self, inside: &str) -> PathBuf {
        self.folder.path().join(inside)
    }

    /// Puts a program on the PATH.
    pub fn tool(&self, name: &str, text: &str) {
        script(&self.path("bin").join(name), text);
    }

    /// Takes a program off the PATH.
    pub fn without(&self, name: &str) {
        fs::remove_file(self.path("bin").join(name)).unwrap();
    }

    /// The command in this tree.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = command(self.folder.path());
        command.args(arguments).env("PATH", self.path("bin")).env_remove("CXX");
        command
    }

    /// Runs it to its end.
    pub fn run(&self, arguments: &[&str]) -> (i32, String, String) {
        outcome(&self.command(arguments).output().unwrap())
    }

    /// The report that a run with `--out out` wrote.
    pub fn report(&self) -> serde_json::Value {
        serde_json::from_str(&fs::read_to_string(self.path("out/report.json")).unwrap()).unwrap()
    }
}
