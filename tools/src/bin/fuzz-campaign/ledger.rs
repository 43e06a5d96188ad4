//! `fuzz-campaign ledger`: plants defects one by one and measures whether, how fast and by what they are found.
//!
//! A defect is a patch. It is applied alone to a copy of the tree, the copy is built, and the targets are run on it from the
//! committed inputs, once for each seed. An input proves a defect only if the patched build fails on it and the clean one does not.

use std::{
    collections::VecDeque,
    fs::{self, File, TryLockError},
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
    thread,
    time::Instant,
};

use clap::{Args, ValueEnum};

use crate::{
    Verdict,
    build::{Prerequisites, Sanitizer},
    cli::{self, EXIT_CODES, Format},
    error::Error,
    run,
    stop::Stop,
    targets::{Group, Workspace},
};

mod board;
mod hunk;
mod hunt;
mod make;
mod outcome;
mod patch;
mod plan;
mod tree;
mod worker;

use board::Board;
use hunt::Ground;
use outcome::{Control, Outcome, Row};
use patch::Patch;
use tree::Tree;
use worker::{Task, Worker};

const EXAMPLES: &str = "\
Examples:
  fuzz-campaign ledger                                the committed defects, ten seeds each
  fuzz-campaign ledger --patches /tmp/planted         anybody's: every *.patch that `git diff` or `diff -u` wrote
  fuzz-campaign ledger --seeds 3 --cap 2000000        quicker, and less sure
  fuzz-campaign ledger --control 2                    and beside it what panics alone would show, two seeds each
  fuzz-campaign ledger --oracles off                  that alone

Each patch is applied alone to a copy of the tree in target/fuzz/ledger, built, and fuzzed from the committed inputs: first the
targets that cover the patched files (fuzz/targets.toml), then the others, in growing turns. A defect counts as found with a seed
only if the input that was found fails on the patched build and passes on the clean one, and as killed if that is so with at least
nine of ten seeds. Executions are those of all targets together.";

/// The options of `ledger`.
#[derive(Args, Clone, Debug)]
#[command(after_help = format!("{EXAMPLES}\n\n{EXIT_CODES}"))]
pub struct LedgerArgs {
    /// The folder of the patches: *.patch, unified diffs against this tree [default: fuzz/ledger].
    #[arg(long, value_name = "DIR")]
    pub patches: Option<PathBuf>,
    /// Hunts for each defect, each with a seed of its own: 1, 2, 3...
    #[arg(long, value_name = "N", value_parser = cli::at_least_one, default_value_t = 10)]
    pub seeds: u64,
    /// Executions of one hunt at most, all targets together.
    #[arg(long, value_name = "N", value_parser = cli::at_least_one, default_value_t = 20_000_000)]
    pub cap: u64,
    /// Defects at work at one time [default: one per core].
    #[arg(long, value_name = "N", value_parser = cli::jobs)]
    pub jobs: Option<usize>,
    /// Only this target; repeat it for more [default: all that link what is patched].
    #[arg(long = "target", value_name = "NAME")]
    pub targets: Vec<String>,
    /// Whether oracles judge. `off` is the control: only panics are found.
    #[arg(long, value_enum, default_value_t)]
    pub oracles: Switch,
    /// Hunts more for each defect, on the same build, with the oracles off: what the kit would find without them.
    #[arg(long, value_name = "SEEDS", default_value_t = 0, conflicts_with = "oracles")]
    pub control: u64,
    /// With --control: executions of one such hunt at most.
    #[arg(long, value_name = "N", value_parser = cli::at_least_one, default_value_t = 2_000_000, requires = "control")]
    pub control_cap: u64,
    /// The folder for ledger.json, ledger.txt and the inputs that were found; new or empty [default: target/fuzz/ledgers/TIME].
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// The form of the result on standard output.
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
}

/// On or off.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Switch {
    /// They judge.
    #[default]
    On,
    /// They do not.
    Off,
}

/// Runs `fuzz-campaign ledger`.
///
/// # Errors
/// What the user can put right; a defect that was missed is none.
pub fn execute(arguments: &LedgerArgs, workspace: &Workspace, stop: &Stop) -> Result<Verdict, Error> {
    let targets = workspace.select(&arguments.targets)?;
    let patches = arguments.patches.clone().unwrap_or_else(|| workspace.root.join("fuzz/ledger"));
    let patches = Patch::list(&patches)?;
    let mut rows = Vec::new();
    let mut tasks = VecDeque::new();
    for path in &patches {
        let mut row = Row::new(Patch::name_of(path));
        match Task::new(path, &workspace.root, &targets, &mut row) {
            Ok(task) => tasks.push_back((row, task)),
            Err((status, why)) => {
                eprintln!("{}: {why}", row.defect);
                (row.status, row.note) = (status, why);
                rows.push(row);
            }
        }
    }
    // Said before anything is written.
    let prerequisites = if tasks.is_empty() { None } else { Some(Prerequisites::find(Sanitizer::None)?) };
    let _lock = if tasks.is_empty() { None } else { Some(lock(&folder(workspace))?) };
    let out = run::prepare(&arguments.out.clone().unwrap_or_else(|| run::results(workspace, "ledgers")))?;
    let mut outcome = Outcome {
        toolchain: prerequisites.as_ref().map(|found| found.toolchain.clone()),
        revision: run::revision(&workspace.root),
        seeds: arguments.seeds,
        cap: arguments.cap,
        oracles: arguments.oracles == Switch::On,
        control: (arguments.control > 0).then_some(Control { seeds: arguments.control, cap: arguments.control_cap }),
        rows,
    };
    let mut hunted = Ok(());
    if let Some(prerequisites) = &prerequisites {
        let seeds = out.join("start");
        for target in &targets {
            run::write_start(workspace, target, &seeds)?;
        }
        let cores = thread::available_parallelism().map_or(1, usize::from);
        let jobs = arguments.jobs.unwrap_or(cores).min(tasks.len());
        let board = Board::new(jobs);
        let ground = Ground {
            workspace,
            cap: arguments.cap,
            oracles: arguments.oracles == Switch::On,
            seeds: &seeds,
            stop,
            board: &board,
        };
        let ledger = Ledger::new(ground, prerequisites, &out, &outcome, tasks)?;
        hunted = ledger.work(jobs);
        board.finish();
        outcome.rows.extend(ledger.rows());
    }
    outcome.rows.sort_by(|one, other| one.defect.cmp(&other.defect));
    finish(&outcome, &out, arguments.format)?;
    hunted?;
    verdict(&outcome)
}

/// Trees and builds, kept from one ledger to the next.
fn folder(workspace: &Workspace) -> PathBuf {
    workspace.root.join("target/fuzz/ledger")
}

/// The folder is one ledger's at a time, until what is returned is dropped: two would plant their defects in the same trees, and each
/// would judge the other's.
fn lock(folder: &Path) -> Result<File, Error> {
    fs::create_dir_all(folder).map_err(Error::file("create", folder))?;
    let path = folder.join("lock");
    let file = File::create(&path).map_err(Error::file("create", &path))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(Error::Usage(format!(
            "another ledger works in {}; wait for its end, or use another copy of the source tree",
            folder.display()
        ))),
        Err(TryLockError::Error(error)) => Err(Error::file("lock", path)(error)),
    }
}

/// Writes and shows what came of it.
fn finish(outcome: &Outcome, out: &Path, format: Format) -> Result<(), Error> {
    let json =
        serde_json::to_string_pretty(outcome).map_err(|error| Error::Tool(format!("cannot write JSON: {error}")))?;
    for (name, text) in [("ledger.json", &json), ("ledger.txt", &outcome.render())] {
        let path = out.join(name);
        fs::write(&path, text).map_err(Error::file("write", path))?;
    }
    let _ = fs::remove_dir_all(out.join("start"));
    match format {
        Format::Text => cli::print(&outcome.render())?,
        Format::Json => cli::print(&(json + "\n"))?,
    }
    eprintln!("Results: {}", out.display());
    Ok(())
}

fn verdict(outcome: &Outcome) -> Result<Verdict, Error> {
    let unusable = outcome.unusable();
    if let Some(first) = unusable.first() {
        return Err(Error::Usage(format!(
            "{} of {} patches could not be tried; the first: {} {}",
            unusable.len(),
            outcome.rows.len(),
            first.defect,
            first.note
        )));
    }
    Ok(if outcome.is_clean() { Verdict::Clean } else { Verdict::Findings })
}

/// What all jobs share.
struct Ledger<'a> {
    ground: Ground<'a>,
    prerequisites: &'a Prerequisites,
    /// Trees and builds, kept from one ledger to the next.
    folder: PathBuf,
    /// The tree as it was at the beginning: who works on meanwhile does not disturb.
    snapshot: Tree,
    /// Results.
    out: &'a Path,
    seeds: u64,
    control: Option<Control>,
    /// Groups of the clean tree that are built.
    clean: Mutex<Vec<Group>>,
    queue: Mutex<VecDeque<(Row, Task)>>,
    done: Mutex<Vec<Row>>,
}

impl<'a> Ledger<'a> {
    fn new(
        ground: Ground<'a>,
        prerequisites: &'a Prerequisites,
        out: &'a Path,
        planned: &Outcome,
        tasks: VecDeque<(Row, Task)>,
    ) -> Result<Self, Error> {
        let folder = folder(ground.workspace);
        let snapshot = Tree::copy(&ground.workspace.root, folder.join("clean/src"))?;
        let (clean, queue, done) = (Mutex::default(), Mutex::new(tasks), Mutex::default());
        let (seeds, control) = (planned.seeds, planned.control);
        Ok(Self { ground, prerequisites, folder, snapshot, out, seeds, control, clean, queue, done })
    }

    /// What came of all patches, those that nobody has begun with included.
    fn rows(self) -> Vec<Row> {
        let mut rows = self.done.into_inner().unwrap_or_else(PoisonError::into_inner);
        let left = self.queue.into_inner().unwrap_or_else(PoisonError::into_inner);
        rows.extend(left.into_iter().map(|(row, _)| row));
        rows
    }

    /// All patches, at most `jobs` at a time.
    fn work(&self, jobs: usize) -> Result<(), Error> {
        thread::scope(|scope| {
            let workers: Vec<_> = (0..jobs).map(|number| scope.spawn(move || self.job(number))).collect();
            let ended: Vec<_> = workers.into_iter().map(thread::ScopedJoinHandle::join).collect();
            ended.into_iter().try_for_each(|ended| {
                ended.unwrap_or_else(|_| Err(Error::Tool("a job of the ledger panicked".to_owned())))
            })
        })
    }

    fn job(&self, number: usize) -> Result<(), Error> {
        let mut worker = Worker::new(self, number)?;
        let worked = loop {
            if self.ground.stop.requested() {
                break Err(Error::Stopped);
            }
            let Some((mut row, task)) = self.queue.lock().unwrap_or_else(PoisonError::into_inner).pop_front() else {
                break Ok(());
            };
            let began = Instant::now();
            let tried = worker.hunt(&task, &mut row);
            row.seconds = began.elapsed().as_secs_f64();
            self.ground.board.say(&format!("{}: {}", row.defect, row.summary()));
            self.done.lock().unwrap_or_else(PoisonError::into_inner).push(row);
            if let Err(error) = tried {
                break Err(error);
            }
        };
        worker.leave()?;
        worked
    }

    /// The clean tree's build of `group`; begun by the first who asks, the others wait.
    fn clean(&self, group: Group) -> Result<PathBuf, Error> {
        let folder = self.folder.join("clean/build");
        let mut built = self.clean.lock().unwrap_or_else(PoisonError::into_inner);
        if !built.contains(&group) {
            let root = &self.snapshot.root;
            let made = make::build(self.prerequisites, root, group, &folder, self.ground.stop)?;
            if let Err(said) = made {
                let log = self.out.join("clean.build.log");
                fs::write(&log, &said).map_err(Error::file("write", &log))?;
                let text = format!("the clean tree {}; all that cargo said: {}", make::brief(&said), log.display());
                return Err(Error::Tool(text));
            }
            built.push(group);
        }
        Ok(folder)
    }
}
