//! `fuzz-campaign coverage`: which of our own lines the committed inputs reach.
//!
//! The targets are built without a fuzzer, as programs that replay files, with the compiler's own counters in them; stable Rust
//! does. They replay seeds, committed corpus and regressions, and LLVM's tools say what was reached.

use std::{
    collections::BTreeMap,
    ffi::OsString,
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::Duration,
};

use clap::Args;
use serde::Serialize;

use crate::{
    Verdict,
    cli::{self, EXIT_CODES, Format},
    error::Error,
    process::{self, End},
    report::text::count,
    run,
    stop::Stop,
    targets::{Group, TargetInfo, Workspace},
};

mod counts;
mod llvm;

use counts::{Gaps, Share, Totals};
use llvm::Llvm;

const EXAMPLES: &str = "\
Examples:
  fuzz-campaign coverage                              relay-wire, by each target and by all
  fuzz-campaign coverage --require-lines 95           exit code 1 below 95 per cent of its lines
  fuzz-campaign coverage --sources relay/trust/src --target pin_spellings --target certificate_views
  fuzz-campaign coverage --branches                   branches too; needs nightly Rust";

/// A build or a replay that takes longer hangs.
const LONGEST: Duration = Duration::from_secs(3600);
/// Files that one process replays.
const FILES: usize = 500;

/// The options of `coverage`.
#[derive(Args, Clone, Debug)]
#[command(after_help = format!("{EXAMPLES}\n\n{EXIT_CODES}"))]
pub struct CoverageArgs {
    /// Only this target; repeat it for more [default: all of fuzz/targets.toml that link the sources].
    #[arg(long = "target", value_name = "NAME")]
    pub targets: Vec<String>,
    /// Whose lines are counted: a folder or file of the source tree; repeat it for more [default: relay/wire/src].
    #[arg(long = "sources", value_name = "PATH")]
    pub sources: Vec<PathBuf>,
    /// More inputs: DIR/TARGET/*, as in `corpus` of a campaign's --out.
    #[arg(long, value_name = "DIR")]
    pub corpus: Vec<PathBuf>,
    /// Exit code 1 if fewer per cent of the lines are reached by all targets together.
    #[arg(long, value_name = "PERCENT", value_parser = percent)]
    pub require_lines: Option<f64>,
    /// Count branches too; only nightly Rust can.
    #[arg(long)]
    pub branches: bool,
    /// The folder for coverage.json, uncovered.txt and html/; new or empty [default: target/fuzz/coverages/TIME].
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// The form of the result on standard output.
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
}

fn percent(text: &str) -> Result<f64, String> {
    let parsed = text.parse().ok().filter(|percent| (0.0..=100.0).contains(percent));
    parsed.ok_or_else(|| "give a number from 0 to 100".to_owned())
}

/// What was reached.
#[derive(Clone, Debug, Serialize)]
struct Outcome {
    toolchain: String,
    sources: Vec<String>,
    /// Whether branches were counted.
    branches: bool,
    /// By target.
    targets: BTreeMap<String, Totals>,
    /// By all of them.
    all: Totals,
    /// Lines that none reached.
    uncovered: Gaps,
}

/// Runs `fuzz-campaign coverage`.
///
/// # Errors
/// What the user can put right; too few lines are none.
pub fn execute(arguments: &CoverageArgs, workspace: &Workspace, stop: &Stop) -> Result<Verdict, Error> {
    let sources = sources(&arguments.sources, workspace)?;
    let mut targets = workspace.select(&arguments.targets)?;
    if arguments.targets.is_empty() && sources.iter().all(|path| path.starts_with(workspace.root.join("relay/wire"))) {
        targets.retain(|target| target.group == Group::Wire);
    }
    if let Some(folder) = arguments.corpus.iter().find(|folder| !folder.is_dir()) {
        return Err(Error::Usage(format!("--corpus {}: there is no such folder", folder.display())));
    }
    let llvm = Llvm::find(arguments.branches.then_some("+nightly"))?;
    let out = run::prepare(&arguments.out.clone().unwrap_or_else(|| run::results(workspace, "coverages")))?;
    let session = Session { arguments, workspace, stop, llvm: &llvm, out: &out, sources: &sources };
    let binaries = session.build(&targets)?;
    let mut profiles = Vec::new();
    let mut by_target = BTreeMap::new();
    for (target, binary) in targets.iter().zip(&binaries) {
        eprintln!("{}: replaying", target.name);
        let profile = session.replay(target, binary)?;
        by_target.insert(target.name.clone(), session.totals(&profile, &[binary])?);
        profiles.push(profile);
    }
    let all: Vec<&PathBuf> = binaries.iter().collect();
    let union = out.join("all.profdata");
    session.merge(&profiles, &union)?;
    let outcome = Outcome {
        toolchain: llvm.toolchain.clone(),
        sources: sources.iter().map(|path| shown(path, workspace)).collect(),
        branches: arguments.branches,
        targets: by_target,
        all: session.totals(&union, &all)?,
        uncovered: session.gaps(&union, &all)?,
    };
    session.html(&union, &all)?;
    session.tidy();
    finish(&outcome, arguments, workspace, &out)
}

/// The sources as whole paths.
fn sources(given: &[PathBuf], workspace: &Workspace) -> Result<Vec<PathBuf>, Error> {
    if given.is_empty() {
        return Ok(vec![workspace.root.join("relay/wire/src")]);
    }
    given
        .iter()
        .map(|path| {
            let path = workspace.root.join(path);
            path.canonicalize().map_err(|error| {
                Error::Usage(format!("--sources {}: {error}; give a folder or file of the source tree", path.display()))
            })
        })
        .collect()
}

fn shown(path: &Path, workspace: &Workspace) -> String {
    path.strip_prefix(&workspace.root).unwrap_or(path).display().to_string()
}

/// One measurement.
struct Session<'a> {
    arguments: &'a CoverageArgs,
    workspace: &'a Workspace,
    stop: &'a Stop,
    llvm: &'a Llvm,
    out: &'a Path,
    sources: &'a [PathBuf],
}

impl Session<'_> {
    /// Builds the programs that replay, one for each target.
    fn build(&self, targets: &[&TargetInfo]) -> Result<Vec<PathBuf>, Error> {
        let folder = self.workspace.root.join(if self.arguments.branches {
            "target/fuzz/branches"
        } else {
            "target/fuzz/coverage"
        });
        let mut command = Command::new("cargo");
        command
            .args(self.arguments.branches.then_some("+nightly"))
            .args(["build", "-p", "fuzz", "--target-dir"])
            .arg(&folder);
        match targets.iter().map(|target| target.group).max() {
            Some(Group::Relay) => {}
            Some(Group::Trust) => {
                command.args(["--no-default-features", "--features", "trust"]);
            }
            Some(Group::Wire) | None => {
                command.arg("--no-default-features");
            }
        }
        for target in targets {
            command.args(["--bin", &target.name]);
        }
        let branches = if self.arguments.branches { " -Zcoverage-options=branch" } else { "" };
        command.env("RUSTFLAGS", format!("-Cinstrument-coverage{branches}")).env("CARGO_INCREMENTAL", "0");
        command.current_dir(&self.workspace.root).stdout(Stdio::null());
        // The compiler's helpers are instrumented too; what they write is of no use.
        command.env("LLVM_PROFILE_FILE", "/dev/null");
        self.run(command, "the targets could not be built; cargo's own words above say why", |line| {
            eprintln!("{line}")
        })?;
        Ok(targets.iter().map(|target| folder.join("debug").join(&target.name)).collect())
    }

    /// Replays everything that is kept for a target; the profile.
    fn replay(&self, target: &TargetInfo, binary: &Path) -> Result<PathBuf, Error> {
        let start = self.out.join("start");
        run::write_start(self.workspace, target, &start)?;
        let folders =
            self.arguments.corpus.iter().map(|folder| folder.join(&target.name)).filter(|folder| folder.is_dir());
        let mut files = Vec::new();
        for folder in std::iter::once(start.join(&target.name)).chain(folders) {
            for entry in fs::read_dir(&folder).map_err(Error::file("read", &folder))? {
                files.push(entry.map_err(Error::file("read", &folder))?.path());
            }
        }
        files.sort();
        let mut raw = Vec::new();
        for (number, files) in files.chunks(FILES).enumerate() {
            let profile = self.out.join(format!("{}-{number}.profraw", target.name));
            let mut command = Command::new(binary);
            command.args(files).env("LLVM_PROFILE_FILE", &profile).env_remove(fuzz::run::ORACLES);
            command.stdout(Stdio::null());
            let end = process::watch(command, LONGEST, self.stop, |line| {
                // Lines are counted all the same, but this must not go unseen.
                if line.contains("FINDING") {
                    eprintln!("{line}");
                }
            })?;
            match end {
                End::Exited(status) if matches!(status.code(), Some(0 | 1)) => raw.push(profile),
                End::Stopped => return Err(Error::Stopped),
                End::Exited(_) | End::Deadline => {
                    return Err(Error::Tool(format!(
                        "{} did not replay its inputs; try {}",
                        target.name,
                        binary.display()
                    )));
                }
            }
        }
        let merged = self.out.join(format!("{}.profdata", target.name));
        self.merge(&raw, &merged)?;
        for profile in raw {
            let _ = fs::remove_file(profile);
        }
        Ok(merged)
    }

    fn merge(&self, profiles: &[PathBuf], into: &Path) -> Result<(), Error> {
        let mut command = Command::new(&self.llvm.profdata);
        command.args(["merge", "-sparse", "-o"]).arg(into).args(profiles).stdout(Stdio::null());
        self.run(command, "llvm-profdata could not merge the profiles; its own words above say why", |line| {
            eprintln!("{line}")
        })
    }

    /// `llvm-cov WHAT`, for these binaries and our sources.
    fn cov(&self, what: &[&str], profile: &Path, binaries: &[&PathBuf]) -> Result<String, Error> {
        let mut command = Command::new(&self.llvm.cov);
        let mut instr = OsString::from("-instr-profile=");
        instr.push(profile);
        command.args(what).arg(instr);
        for (number, binary) in binaries.iter().enumerate() {
            if number > 0 {
                command.arg("-object");
            }
            command.arg(binary);
        }
        command.arg("-sources").args(self.sources);
        let output = command.stdin(Stdio::null()).output();
        let output = output.map_err(|source| Error::System { action: "start llvm-cov".to_owned(), source })?;
        if self.stop.requested() {
            return Err(Error::Stopped);
        }
        if !output.status.success() {
            return Err(Error::Tool(format!("llvm-cov failed: {}", String::from_utf8_lossy(&output.stderr).trim())));
        }
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }

    fn totals(&self, profile: &Path, binaries: &[&PathBuf]) -> Result<Totals, Error> {
        let json = self.cov(&["export", "-summary-only"], profile, binaries)?;
        Totals::parse(&json).ok_or_else(|| Error::Tool("llvm-cov exported no totals".to_owned()))
    }

    fn gaps(&self, profile: &Path, binaries: &[&PathBuf]) -> Result<Gaps, Error> {
        let lcov = self.cov(&["export", "-format=lcov"], profile, binaries)?;
        Ok(counts::gaps(&lcov, &self.workspace.root))
    }

    fn html(&self, profile: &Path, binaries: &[&PathBuf]) -> Result<(), Error> {
        let folder = format!("-output-dir={}", self.out.join("html").display());
        self.cov(&["show", "-format=html", "-show-line-counts-or-regions", &folder], profile, binaries).map(|_| ())
    }

    /// Removes what only this measurement needed.
    fn tidy(&self) {
        let _ = fs::remove_dir_all(self.out.join("start"));
    }

    fn run(&self, command: Command, wrong: &str, listen: impl FnMut(&str)) -> Result<(), Error> {
        match process::watch(command, LONGEST, self.stop, listen)? {
            End::Exited(status) if status.success() => Ok(()),
            End::Exited(_) => Err(Error::Tool(wrong.to_owned())),
            End::Deadline => Err(Error::Tool(format!("a step took longer than {LONGEST:?}"))),
            End::Stopped => Err(Error::Stopped),
        }
    }
}

/// Writes and shows what was reached.
fn finish(outcome: &Outcome, arguments: &CoverageArgs, workspace: &Workspace, out: &Path) -> Result<Verdict, Error> {
    let json =
        serde_json::to_string_pretty(outcome).map_err(|error| Error::Tool(format!("cannot write JSON: {error}")))?;
    let mut texts: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let uncovered = counts::render(&outcome.uncovered, |file, line| {
        let text = texts.entry(file.to_owned()).or_insert_with(|| {
            let text = fs::read_to_string(workspace.root.join(file)).unwrap_or_default();
            text.lines().map(ToOwned::to_owned).collect()
        });
        text.get(line.saturating_sub(1)).cloned().unwrap_or_default()
    });
    for (name, text) in [("coverage.json", &json), ("uncovered.txt", &uncovered)] {
        let path = out.join(name);
        fs::write(&path, text).map_err(Error::file("write", path))?;
    }
    match arguments.format {
        Format::Text => cli::print(&render(outcome, &uncovered))?,
        Format::Json => cli::print(&(json + "\n"))?,
    }
    eprintln!("Page: {}", out.join("html/index.html").display());
    let reached = outcome.all.lines.percent();
    match arguments.require_lines {
        Some(required) if reached < required => {
            eprintln!("{reached:.2} per cent of the lines are reached; {required} are required");
            Ok(Verdict::Findings)
        }
        Some(_) | None => Ok(Verdict::Clean),
    }
}

/// The table and the list for a terminal.
fn render(outcome: &Outcome, uncovered: &str) -> String {
    let rows = outcome.targets.iter().map(|(name, totals)| (name.as_str(), totals));
    let width = outcome.targets.keys().map(String::len).max().unwrap_or_default().max("all targets".len());
    let mut out = String::new();
    let cell =
        |share: Share| format!("{:>7} of {:>7} {:>6.2} %", count(share.covered), count(share.count), share.percent());
    // Writing to a string cannot fail.
    let _ = write!(out, "{:<width$}  {:>27}  {:>27}  {:>27}", "", "lines", "regions", "functions");
    let _ = writeln!(out, "{}", if outcome.branches { format!("  {:>27}", "branches") } else { String::new() });
    for (name, totals) in rows.chain([("all targets", &outcome.all)]) {
        let _ =
            write!(out, "{name:<width$}  {}  {}  {}", cell(totals.lines), cell(totals.regions), cell(totals.functions));
        let _ =
            writeln!(out, "{}", if outcome.branches { format!("  {}", cell(totals.branches)) } else { String::new() });
    }
    if !outcome.branches {
        out.push_str("Branches: not counted; stable Rust cannot (--branches takes nightly).\n");
    }
    let _ = writeln!(out, "\nLines of {} that none reaches:", outcome.sources.join(", "));
    out.push_str(if uncovered.is_empty() { "none\n" } else { uncovered });
    out
}
