//! `fuzz-campaign replay`: kept inputs through the oracles, without a fuzzer.

use std::{
    io::IsTerminal,
    path::{Path, PathBuf},
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

use clap::Args;
use fuzz::corpus::{self, Input};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde::Serialize;

use crate::{
    Verdict,
    cli::{self, EXIT_CODES, Format},
    error::Error,
    judge::{self, Judge},
    report::text,
    stop::Stop,
    targets::{TargetInfo, Workspace},
};

const EXAMPLES: &str = "\
Examples:
  fuzz-campaign replay                              seeds, committed corpora and regressions of all targets
  fuzz-campaign replay --target linux_specification findings/linux_specification/*
                                                    these files

Stable Rust is enough: neither nightly nor cargo-fuzz is needed. `cargo test` replays what is kept too.";

/// The options of `replay`.
#[derive(Args, Clone, Debug)]
#[command(after_help = format!("{EXAMPLES}\n\n{EXIT_CODES}"))]
pub struct ReplayArgs {
    /// Only this target; repeat it for more [default: all of fuzz/targets.toml].
    #[arg(long = "target", value_name = "NAME")]
    pub targets: Vec<String>,
    /// Files to judge instead of what is kept; give the one --target that they are for.
    #[arg(value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// Processes at once [default: one per core].
    #[arg(long, value_name = "N", value_parser = cli::jobs)]
    pub jobs: Option<usize>,
    /// The form of the result on standard output.
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
}

/// What came of it.
#[derive(Debug, Serialize)]
struct Replayed {
    inputs: usize,
    targets: usize,
    findings: Vec<Failed>,
}

/// An input that shows something.
#[derive(Debug, Serialize)]
struct Failed {
    target: String,
    input: String,
    class: String,
    detail: String,
}

/// Inputs of one target that one process takes in turn.
const BATCH: usize = 256;

/// Replays.
///
/// # Errors
/// What the user can put right; findings are none.
pub fn execute(arguments: &ReplayArgs, workspace: &Workspace, stop: &Stop) -> Result<Verdict, Error> {
    let targets = workspace.select(&arguments.targets)?;
    let mut work: Vec<(&TargetInfo, Vec<Input>)> = Vec::new();
    if arguments.files.is_empty() {
        for target in &targets {
            work.push((target, kept(workspace, target)?));
        }
    } else {
        let [target] = targets.as_slice() else {
            return Err(Error::Usage("files are for one target: give --target NAME".to_owned()));
        };
        work.push((target, arguments.files.iter().map(|path| file(path)).collect::<Result<_, _>>()?));
    }
    let inputs: usize = work.iter().map(|(_, inputs)| inputs.len()).sum();
    let batches: Vec<(&TargetInfo, &[Input])> =
        work.iter().flat_map(|(target, inputs)| inputs.chunks(BATCH).map(|batch| (*target, batch))).collect();
    let jobs = arguments.jobs.unwrap_or_else(|| thread::available_parallelism().map_or(1, usize::from));
    let bar = bar(inputs);
    let findings = judge_all(&batches, jobs, &bar, stop)?;
    bar.finish_and_clear();
    if stop.requested() {
        return Err(Error::Stopped);
    }
    let replayed = Replayed { inputs, targets: targets.len(), findings };
    match arguments.format {
        Format::Text => cli::print(&render(&replayed))?,
        Format::Json => {
            let json = serde_json::to_string_pretty(&replayed).map_err(|error| Error::Tool(error.to_string()))?;
            cli::print(&(json + "\n"))?;
        }
    }
    Ok(if replayed.findings.is_empty() { Verdict::Clean } else { Verdict::Findings })
}

/// What is kept for a target that is linked here and has seeds.
///
/// # Errors
/// If it is not or has none.
pub fn kept(workspace: &Workspace, target: &TargetInfo) -> Result<Vec<Input>, Error> {
    let name = &target.name;
    let linked = judge::linked(name).ok_or_else(|| {
        let remedy = "build it again (cargo build -p tools)";
        Error::Usage(format!("{name} is in fuzz/targets.toml and not in this program; {remedy}"))
    })?;
    if (linked.seeds)().is_empty() {
        let remedy = "a target needs inputs of our own writers (Target::seeds)";
        return Err(Error::Tool(format!("{name} has no seeds; {remedy}")));
    }
    corpus::kept(&workspace.root.join("fuzz"), linked).map_err(|error| Error::Usage(format!("{name}: {error}")))
}

/// A file that the user named.
fn file(path: &Path) -> Result<Input, Error> {
    let origin = path.display().to_string();
    corpus::file(path).map(|bytes| Input { origin, bytes }).map_err(|error| Error::Usage(error.to_string()))
}

fn judge_all(
    batches: &[(&TargetInfo, &[Input])],
    jobs: usize,
    bar: &ProgressBar,
    stop: &Stop,
) -> Result<Vec<Failed>, Error> {
    let next = AtomicUsize::new(0);
    let findings: Mutex<Vec<(usize, Failed)>> = Mutex::default();
    let work = || {
        while let Some((target, inputs)) = batches.get(next.fetch_add(1, Ordering::Relaxed)) {
            let Some(linked) = judge::linked(&target.name) else { continue };
            let mut judge = Judge::new(linked);
            for input in *inputs {
                if stop.requested() {
                    return Ok(());
                }
                if let Some(judged) = judge.judge(&input.bytes)? {
                    let (class, detail) = (judged.class, judged.detail);
                    let failed = Failed { target: target.name.clone(), input: input.origin.clone(), class, detail };
                    let mut findings = findings.lock().unwrap_or_else(PoisonError::into_inner);
                    findings.push((input.bytes.len(), failed));
                }
                bar.inc(1);
            }
        }
        Ok::<_, Error>(())
    };
    thread::scope(|scope| {
        let workers: Vec<_> = (0..jobs.min(batches.len())).map(|_| scope.spawn(work)).collect();
        workers
            .into_iter()
            .try_for_each(|worker| worker.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
    })?;
    let mut findings = findings.into_inner().unwrap_or_else(PoisonError::into_inner);
    // The same order however the processes took turns, a class's smallest input first.
    findings.sort_by(|(a_size, a), (b_size, b)| {
        (&a.target, &a.class, a_size, &a.input).cmp(&(&b.target, &b.class, b_size, &b.input))
    });
    Ok(findings.into_iter().map(|(_, failed)| failed).collect())
}

fn bar(inputs: usize) -> ProgressBar {
    if !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template("[{bar:40}] {pos}/{len} inputs  {per_sec}")
        .unwrap_or_else(|_| ProgressStyle::default_bar())
        .progress_chars("=> ");
    ProgressBar::with_draw_target(Some(inputs as u64), ProgressDrawTarget::stderr()).with_style(style)
}

fn render(replayed: &Replayed) -> String {
    /// Inputs of one class that are named.
    const SHOWN: usize = 3;
    let mut out = String::new();
    let mut classes = 0;
    let mut rest = replayed.findings.as_slice();
    while let Some(first) = rest.first() {
        let same = rest.iter().take_while(|failed| (&failed.target, &failed.class) == (&first.target, &first.class));
        let (group, after) = rest.split_at(same.count());
        classes += 1;
        out.push_str(&format!("{}: FINDING {}\n", first.target, text::plain(&first.class)));
        first.detail.lines().take(12).for_each(|line| out.push_str(&format!("    {}\n", text::plain(line))));
        group.iter().take(SHOWN).for_each(|failed| out.push_str(&format!("  {}\n", failed.input)));
        if group.len() > SHOWN {
            out.push_str(&format!("  and {}\n", text::things(group.len() - SHOWN, "more input")));
        }
        rest = after;
    }
    let findings = if classes == 0 { "no finding".to_owned() } else { text::things(classes, "finding") };
    let (inputs, targets) = (text::things(replayed.inputs, "input"), text::things(replayed.targets, "target"));
    out.push_str(&format!("{inputs} of {targets}: {findings}.\n"));
    out
}
