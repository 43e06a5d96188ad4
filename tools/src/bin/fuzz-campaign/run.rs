//! `fuzz-campaign run`: all targets within one budget.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
    time::{Instant, SystemTime},
};

use crate::{
    Verdict,
    build::{self, Prerequisites, answer},
    cli::{self, Format},
    error::Error,
    libfuzzer::Figures,
    replay,
    report::{Curve, Manifest, Report, Status, TargetManifest, TargetReport, text},
    stop::Stop,
    targets::{TargetInfo, Workspace},
};

mod board;
mod plan;
mod worker;

pub use plan::{RunArgs, derive_seed};

use board::Board;
use plan::Slot;
use worker::{Campaign, Worker};

/// Runs a campaign.
///
/// # Errors
/// What the user can put right; findings are none.
pub fn execute(arguments: &RunArgs, workspace: &Workspace, stop: &Stop) -> Result<Verdict, Error> {
    let targets = workspace.select(&arguments.targets)?;
    let cores = thread::available_parallelism().map_or(1, usize::from);
    let jobs = arguments.jobs.unwrap_or(cores).min(targets.len());
    let slot = Slot::new(arguments, targets.len(), jobs)?;
    for folder in &arguments.corpus {
        if !folder.is_dir() {
            return Err(Error::Usage(format!("--corpus {}: there is no such folder", folder.display())));
        }
    }
    let prerequisites = Prerequisites::find(arguments.sanitizer)?;
    // Before the build: what is committed meanwhile is not in it.
    let revision = revision(&workspace.root);
    let out = prepare(&arguments.out.clone().unwrap_or_else(|| results(workspace, "runs")))?;
    let start = out.join("start");
    let seeds = targets.iter().map(|target| write_start(workspace, target, &start)).collect::<Result<Vec<_>, _>>()?;
    let folder = build::folder(workspace, arguments.sanitizer);
    let binaries = prerequisites.build(workspace, &targets, &folder, stop)?;
    let board = Board::new(targets.iter().map(|target| target.name.as_str()));
    let campaign = Campaign {
        workspace,
        out: &out,
        slot,
        seed: arguments.seed.unwrap_or_else(draw),
        shard: arguments.shard,
        corpora: &arguments.corpus,
        stop,
        board: &board,
        findings: Mutex::default(),
    };
    let started = SystemTime::now();
    let began = Instant::now();
    let reports = work(&campaign, &targets, &binaries, jobs);
    board.finish();
    let manifest = Manifest {
        started: humantime::format_rfc3339_seconds(started).to_string(),
        seconds: began.elapsed().as_secs_f64(),
        command_line: std::env::args().collect(),
        seed: campaign.seed,
        shard: arguments.shard.map(|shard| shard.to_string()),
        budget_seconds: arguments.budget.map(|budget| budget.as_secs_f64()),
        runs: arguments.runs,
        jobs,
        revision,
        sanitizer: arguments.sanitizer,
        toolchain: prerequisites.toolchain.clone(),
        cargo_fuzz: prerequisites.cargo_fuzz.clone(),
        cores,
        machine: format!("{} {}", std::env::consts::OS, std::env::consts::ARCH),
        targets: targets.iter().zip(seeds).map(|(target, seeds)| target_manifest(&campaign, target, seeds)).collect(),
    };
    let findings = campaign.findings.into_inner().unwrap_or_else(PoisonError::into_inner);
    let complete = reports.iter().all(|report| report.status == Status::Done);
    let report = Report::new(complete, manifest, reports, findings);
    finish(&report, &out, arguments.format)
}

/// Writes the report, shows it and says the verdict. One that cannot be written is shown all the same: a full disk must not take
/// a night's results along.
///
/// # Errors
/// If it cannot be written or shown, or if without a finding not every target ran as it should: that must not look clean.
pub fn finish(report: &Report, out: &Path, format: Format) -> Result<Verdict, Error> {
    let written = report.write(out);
    match format {
        Format::Text => cli::print(&text::render(report))?,
        Format::Json => cli::print(&(report.json()? + "\n"))?,
    }
    written?;
    eprintln!("Report: {}", out.join("report.html").display());
    if !report.findings.is_empty() {
        return Ok(Verdict::Findings);
    }
    match report.targets.iter().find(|target| target.status != Status::Done) {
        None => Ok(Verdict::Clean),
        Some(target) => Err(Error::Tool(format!("incomplete: {}: {}", target.name, text::status(target)))),
    }
}

/// All targets, at most `jobs` at a time.
fn work(
    campaign: &Campaign<'_>,
    targets: &[&TargetInfo],
    binaries: &std::collections::BTreeMap<String, PathBuf>,
    jobs: usize,
) -> Vec<TargetReport> {
    let next = AtomicUsize::new(0);
    let reports: Vec<Mutex<Option<TargetReport>>> = targets.iter().map(|_| Mutex::new(None)).collect();
    thread::scope(|scope| {
        let workers: Vec<_> = (0..jobs)
            .map(|_| {
                scope.spawn(|| {
                    while !campaign.stop.requested() {
                        let place = next.fetch_add(1, Ordering::Relaxed);
                        let Some(target) = targets.get(place) else { break };
                        let report = Worker::new(campaign, target, place, &binaries[&target.name]).run();
                        *reports[place].lock().unwrap_or_else(PoisonError::into_inner) = Some(report);
                    }
                })
            })
            .collect();
        while !workers.iter().all(thread::ScopedJoinHandle::is_finished) {
            campaign.board.draw();
            thread::sleep(board::TICK);
        }
    });
    let report = |(slot, target): (Mutex<Option<TargetReport>>, &&TargetInfo)| {
        slot.into_inner().unwrap_or_else(PoisonError::into_inner).unwrap_or_else(|| not_run(target))
    };
    reports.into_iter().zip(targets).map(report).collect()
}

fn not_run(target: &TargetInfo) -> TargetReport {
    TargetReport {
        name: target.name.clone(),
        property: target.property.clone(),
        status: Status::NotRun,
        note: String::new(),
        seeds: 0,
        figures: Figures::default(),
        seconds: 0.0,
        last_edge_seconds: None,
        restarts: 0,
        curves: vec![Curve::default()],
    }
}

fn target_manifest(campaign: &Campaign<'_>, target: &TargetInfo, seeds: usize) -> TargetManifest {
    TargetManifest {
        name: target.name.clone(),
        max_len: target.max_len,
        dictionary: target.dictionary.clone(),
        seed: derive_seed(campaign.seed, campaign.shard, &target.name, 0),
        seeds,
    }
}

/// The folder for results that nobody named: named after the time, in `target/fuzz/KIND`.
pub fn results(workspace: &Workspace, kind: &str) -> PathBuf {
    let now = humantime::format_rfc3339_millis(SystemTime::now()).to_string().replace(':', "-");
    workspace.root.join("target/fuzz").join(kind).join(now)
}

/// Creates the folder for results, or takes an empty one.
///
/// # Errors
/// If it holds anything or cannot be written.
pub fn prepare(out: &Path) -> Result<PathBuf, Error> {
    fs::create_dir_all(out).map_err(|error| {
        Error::Usage(format!("--out {}: {error}; give a folder that can be written", out.display()))
    })?;
    let out = out.canonicalize().map_err(Error::file("find", out))?;
    let mut entries = fs::read_dir(&out).map_err(Error::file("read", &out))?;
    if entries.next().is_some() {
        return Err(Error::Usage(format!("--out {}: not empty; give a new folder", out.display())));
    }
    // Found out now rather than after the campaign.
    let probe = out.join("report.json");
    fs::write(&probe, "").and_then(|()| fs::remove_file(&probe)).map_err(|error| {
        Error::Usage(format!("--out {}: {error}; give a folder that can be written", out.display()))
    })?;
    Ok(out)
}

/// Writes what a target begins with: seeds, committed corpus, regressions. Says how many there are; none is an error.
///
/// # Errors
/// If this program does not know the target, it has no seeds, or files cannot be written.
pub fn write_start(workspace: &Workspace, target: &TargetInfo, start: &Path) -> Result<usize, Error> {
    let inputs = replay::kept(workspace, target)?;
    let folder = start.join(&target.name);
    fs::create_dir_all(&folder).map_err(Error::file("create", &folder))?;
    for (number, input) in inputs.iter().enumerate() {
        let path = folder.join(format!("{number:06}"));
        fs::write(&path, &input.bytes).map_err(Error::file("write", path))?;
    }
    Ok(inputs.len())
}

/// A seed that nobody gave.
fn draw() -> u64 {
    use std::hash::{BuildHasher, RandomState};
    // Short enough to be typed again.
    RandomState::new().hash_one(SystemTime::now()) >> 40
}

/// The revision that git knows this tree by.
pub fn revision(root: &Path) -> Option<String> {
    let git = |arguments: &[&str]| answer(std::process::Command::new("git").arg("-C").arg(root).args(arguments));
    let revision = git(&["rev-parse", "HEAD"])?;
    let dirty = git(&["status", "--porcelain", "--untracked-files=no"])?;
    Some(if dirty.is_empty() { revision } else { format!("{revision}-dirty") })
}
