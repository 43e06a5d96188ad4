//! Building targets, and finding what that needs. What is missing is said once, with the command that installs it.

use std::{
    collections::BTreeMap,
    env,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::Duration,
};

use clap::ValueEnum;
use serde::{Deserialize, Serialize};

use crate::{
    error::Error,
    instrument,
    process::{self, End},
    stop::Stop,
    targets::{Group, TargetInfo, Workspace},
};

/// A build that takes longer hangs.
const BUILD: Duration = Duration::from_secs(3600);

/// What watches memory beside the oracles.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Sanitizer {
    /// Nothing: fastest, and stable Rust builds it.
    #[default]
    None,
    /// `AddressSanitizer`: needs nightly Rust.
    Address,
}

impl Sanitizer {
    /// As cargo-fuzz names it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Address => "address",
        }
    }

    /// The toolchain argument that cargo needs for it.
    fn toolchain(self) -> Option<&'static str> {
        match self {
            Self::None => None,
            Self::Address => Some("+nightly"),
        }
    }
}

/// The programs that builds need, all of them found.
#[derive(Clone, Debug)]
pub struct Prerequisites {
    sanitizer: Sanitizer,
    /// As rustc names this machine.
    host: String,
    /// `rustc 1.95.0 (...)`
    pub toolchain: String,
    /// `cargo-fuzz 0.13.2`
    pub cargo_fuzz: String,
}

impl Prerequisites {
    /// Looks for everything that a build with `sanitizer` needs.
    ///
    /// # Errors
    /// One text that names all that is missing and how to install it.
    pub fn find(sanitizer: Sanitizer) -> Result<Self, Error> {
        let mut missing = Vec::new();
        let found = answer(cargo(sanitizer).arg("--version"));
        let rustc = answer(rustc(sanitizer).arg("-vV"));
        let cargo_fuzz = answer(cargo(sanitizer).args(["fuzz", "--version"]));
        if sanitizer == Sanitizer::Address && (found.is_none() || rustc.is_none()) {
            missing.push("nightly Rust, for --sanitizer address:  rustup toolchain install nightly".to_owned());
        } else if found.is_none() || rustc.is_none() {
            missing.push("cargo and rustc:  see https://rustup.rs, or apt-get install rustup".to_owned());
        }
        if cargo_fuzz.is_none() {
            missing.push("cargo-fuzz:  cargo install --locked cargo-fuzz".to_owned());
        }
        if env::var_os("CXX").is_none() && !["c++", "g++", "clang++"].iter().any(|name| on_path(name)) {
            missing.push("a C++ compiler, for libFuzzer:  apt-get install g++".to_owned());
        }
        match (rustc, cargo_fuzz) {
            (Some(rustc), Some(cargo_fuzz)) if missing.is_empty() => {
                let host = rustc.lines().find_map(|line| line.strip_prefix("host: ")).unwrap_or_default().to_owned();
                let toolchain = rustc.lines().next().unwrap_or_default().to_owned();
                Ok(Self { sanitizer, host, toolchain, cargo_fuzz })
            }
            _ => Err(Error::Missing(format!(
                "fuzzing needs what is not installed here:\n  {}\n(`fuzz-campaign replay` needs none of it)",
                missing.join("\n  ")
            ))),
        }
    }

    /// Builds the binaries of `targets` in `workspace`, into `folder`; what cargo says goes to standard error.
    ///
    /// # Errors
    /// If they do not build.
    pub fn build(
        &self,
        workspace: &Workspace,
        targets: &[&TargetInfo],
        folder: &Path,
        stop: &Stop,
    ) -> Result<BTreeMap<String, PathBuf>, Error> {
        let wire_only = targets.iter().all(|target| target.group == Group::Wire);
        // One invocation builds one binary or all of them.
        let names: Vec<Option<&str>> = if targets.len() == workspace.targets.len() {
            vec![None]
        } else {
            targets.iter().map(|target| Some(target.name.as_str())).collect()
        };
        for name in names {
            let mut command = self.cargo_fuzz(folder);
            if wire_only {
                command.arg("--no-default-features");
            }
            command.args(name).current_dir(&workspace.root).stdout(Stdio::null());
            match process::watch(command, BUILD, stop, |line| eprintln!("{line}"))? {
                End::Exited(status) if status.success() => {}
                End::Exited(_) => {
                    let what = name.unwrap_or("the targets");
                    return Err(Error::Tool(format!("{what} could not be built; cargo's own words above say why")));
                }
                End::Deadline => return Err(Error::Tool(format!("the build took longer than {BUILD:?}"))),
                End::Stopped => return Err(Error::Stopped),
            }
        }
        let binaries = self.binaries(folder);
        Ok(targets.iter().map(|target| (target.name.clone(), binaries.join(&target.name))).collect())
    }

    /// The command that builds targets into `folder`: features, targets and the folder to run it in are the caller's.
    pub fn cargo_fuzz(&self, folder: &Path) -> Command {
        let mut command = cargo(self.sanitizer);
        // Link-time optimisation takes a minute for each of the binaries and gives no more executions.
        command.env("CARGO_PROFILE_RELEASE_LTO", "off");
        instrument::tested_only(&mut command);
        command.args(["fuzz", "build", "--fuzz-dir", "fuzz", "--sanitizer", self.sanitizer.as_str()]);
        // Telling libFuzzer of every comparison costs a third of the executions; what it learns from it, the mutators and
        // the dictionaries know out of the tables.
        command.arg("--no-trace-compares");
        command.arg("--target-dir").arg(folder).args(["--target", &self.host]);
        command
    }

    /// Where the binaries are that [`Self::cargo_fuzz`] has built into `folder`.
    pub fn binaries(&self, folder: &Path) -> PathBuf {
        folder.join(&self.host).join("release")
    }
}

/// The folder of builds that campaigns share.
pub fn folder(workspace: &Workspace, sanitizer: Sanitizer) -> PathBuf {
    workspace.root.join("target/fuzz").join(sanitizer.as_str())
}

/// cargo, of the toolchain that `sanitizer` needs.
fn cargo(sanitizer: Sanitizer) -> Command {
    let mut command = Command::new("cargo");
    command.args(sanitizer.toolchain());
    command
}

fn rustc(sanitizer: Sanitizer) -> Command {
    let mut command = Command::new("rustc");
    command.args(sanitizer.toolchain());
    command
}

/// What a program says on standard output, if it can be started and succeeds.
pub fn answer(command: &mut Command) -> Option<String> {
    let output = command.stdin(Stdio::null()).stderr(Stdio::null()).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim_end().to_owned())
}

/// Whether a program of this name can be found.
pub fn on_path(name: &str) -> bool {
    env::var_os("PATH").is_some_and(|path| env::split_paths(&path).any(|folder| folder.join(name).is_file()))
}
