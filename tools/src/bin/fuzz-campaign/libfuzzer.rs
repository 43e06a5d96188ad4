//! One libFuzzer process: its options, what it says, and how it ended.

use std::{
    os::unix::process::ExitStatusExt,
    path::{Path, PathBuf},
    process::{Command, ExitStatus, Stdio},
    time::{Duration, Instant},
};

use rustix::process::Signal;
use serde::{Deserialize, Serialize};

use crate::{
    error::Error,
    process::{self, End},
    stop::Stop,
};

mod says;

pub use says::Says;

/// How long one input may run, in seconds.
pub const INPUT_TIMEOUT: u32 = 5;
/// Memory of the process at most, in MiB.
pub const MEMORY: u32 = 2048;
/// The class of an input that takes longer than [`INPUT_TIMEOUT`], as libFuzzer names it.
pub const TIMEOUT: &str = "timeout";
/// The class of an abort or a signal, as libFuzzer names it.
pub const DEADLY: &str = "deadly signal";
/// Beyond its own limit a process gets this long to load its corpus and to say its figures.
const LEEWAY: Duration = Duration::from_secs(120);
/// The detail of a finding is cut here.
const DETAIL: usize = 4096;

/// What one process is to do.
#[derive(Clone, Debug)]
pub struct Job {
    /// The target's binary.
    pub binary: PathBuf,
    /// Where new inputs go, and where it begins.
    pub corpus: PathBuf,
    /// More inputs to begin with; they are only read.
    pub seeds: Vec<PathBuf>,
    /// Its words and byte strings, where there is one.
    pub dictionary: Option<PathBuf>,
    /// The folder that a finding's input is written to.
    pub artifacts: PathBuf,
    /// Bytes of an input at most.
    pub max_len: usize,
    /// Not 0: libFuzzer would draw one.
    pub seed: u32,
    /// Executions at most; `None`: no bound but the time.
    pub runs: Option<u64>,
    /// The time it may fuzz.
    pub time: Duration,
    /// Classes that do not stop it.
    pub known: Vec<String>,
    /// Whether oracles judge; without them only panics are found.
    pub oracles: bool,
    /// A file for the input at work, for a target that ends without a word.
    pub last: Option<PathBuf>,
}

/// A line of figures.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Figures {
    /// Executions so far.
    pub executions: u64,
    /// Edges reached.
    pub edges: u64,
    /// Features: edges with counts, compared values.
    pub features: u64,
    /// Inputs in the corpus.
    pub corpus: u64,
}

/// What is told while it runs.
#[derive(Clone, Copy, Debug)]
pub struct News {
    /// Since the process was started.
    pub at: Duration,
    /// Now.
    pub figures: Figures,
}

/// Why it ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// All runs done, or its time was up.
    Finished,
    /// A finding stopped it.
    Finding,
    /// Somebody asked for the end.
    Stopped,
    /// It was overdue and was ended.
    Overdue,
    /// It ended with an error of its own (an unusable option, corpus or dictionary); [`Outcome::last_words`] say which.
    Failed,
}

/// What stopped it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// What two inputs share if they show one defect.
    pub class: String,
    /// For people.
    pub detail: String,
    /// Whether the process can pass over this class if it is told to. It cannot for what is no panic: a time-out, too much memory,
    /// an abort.
    pub passable: bool,
    /// The input, where libFuzzer has written one.
    pub input: Option<PathBuf>,
}

/// How it went.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// Why it ended.
    pub ended: Ended,
    /// The last figures.
    pub figures: Figures,
    /// Files that it found to begin with, in all folders.
    pub seeds: u64,
    /// From start to end.
    pub took: Duration,
    /// For [`Ended::Finding`].
    pub found: Option<Found>,
    /// Its last lines, for [`Ended::Failed`].
    pub last_words: Vec<String>,
}

impl Job {
    /// The command line, as people can repeat it.
    pub fn command(&self) -> Command {
        let mut command = Command::new(&self.binary);
        command.arg(format!("-seed={}", self.seed)).arg(format!("-max_len={}", self.max_len));
        command.arg(format!("-timeout={INPUT_TIMEOUT}")).arg(format!("-rss_limit_mb={MEMORY}"));
        command.arg(format!("-max_total_time={}", self.time.as_secs().max(1)));
        if let Some(runs) = self.runs {
            command.arg(format!("-runs={runs}"));
        }
        if let Some(dictionary) = &self.dictionary {
            command.arg(format!("-dict={}", dictionary.display()));
        }
        command.args(["-print_final_stats=1", "-reload=0", "-detect_leaks=0"]);
        // libFuzzer puts the name right behind the prefix.
        command.arg(format!("-artifact_prefix={}/", self.artifacts.display()));
        command.arg(&self.corpus).args(&self.seeds);
        command.env(fuzz::run::KNOWN, self.known.join("\n"));
        if self.oracles {
            command.env_remove(fuzz::run::ORACLES);
        } else {
            command.env(fuzz::run::ORACLES, "off");
        }
        match &self.last {
            Some(path) => command.env(fuzz::run::LAST, path),
            None => command.env_remove(fuzz::run::LAST),
        };
        command.stdout(Stdio::null());
        command
    }

    /// Runs it to its end. `news` hears of every line of figures.
    ///
    /// # Errors
    /// If it cannot be started.
    pub fn run(&self, stop: &Stop, mut news: impl FnMut(News)) -> Result<Outcome, Error> {
        let started = Instant::now();
        let mut transcript = Transcript::default();
        let deadline = self.time + LEEWAY + Duration::from_secs(u64::from(INPUT_TIMEOUT));
        let end = process::watch(self.command(), deadline, stop, |line| {
            if transcript.hear(line) {
                news(News { at: started.elapsed(), figures: transcript.figures });
            }
        })?;
        let mut outcome = transcript.outcome(end, started.elapsed(), &self.artifacts);
        if let Some(found) = &mut outcome.found
            && found.input.is_none()
        {
            found.input = self.last.clone().filter(|path| path.is_file());
        }
        Ok(outcome)
    }
}

/// The class of an end without a word: by a signal. libFuzzer says nothing of a stack overflow without a sanitizer, for its handler
/// needs a stack too.
fn silent(status: ExitStatus) -> Option<&'static str> {
    let signal = status.signal()?;
    Some(if signal == Signal::KILL.as_raw() { "killed" } else { DEADLY })
}

/// What a target's binary finds in one file; `None`: nothing. With `oracles` off only panics count.
///
/// # Errors
/// If it cannot be started, or does not run the file.
pub fn once(binary: &Path, file: &Path, oracles: bool, stop: &Stop) -> Result<Option<Found>, Error> {
    let mut command = Command::new(binary);
    command.arg(format!("-timeout={INPUT_TIMEOUT}")).arg(format!("-rss_limit_mb={MEMORY}"));
    // The input is there already.
    command.args(["-exact_artifact_path=/dev/null", "-detect_leaks=0"]).arg(file);
    command.env_remove(fuzz::run::KNOWN).env_remove(fuzz::run::LAST).stdout(Stdio::null());
    if oracles {
        command.env_remove(fuzz::run::ORACLES);
    } else {
        command.env(fuzz::run::ORACLES, "off");
    }
    let mut transcript = Transcript::default();
    let end = process::watch(command, LEEWAY, stop, |line| {
        transcript.hear(line);
    })?;
    let outcome = transcript.outcome(end, Duration::ZERO, Path::new(""));
    match outcome.ended {
        Ended::Finished | Ended::Finding => Ok(outcome.found),
        Ended::Stopped => Err(Error::Stopped),
        Ended::Overdue | Ended::Failed => {
            let words = outcome.last_words.join("\n");
            Err(Error::Tool(format!("{} does not run {}:\n{words}", binary.display(), file.display())))
        }
    }
}

/// What has been heard of a process.
#[derive(Debug, Default)]
struct Transcript {
    figures: Figures,
    seeds: u64,
    class: Option<String>,
    detail: String,
    in_detail: bool,
    error: Option<String>,
    input: Option<PathBuf>,
    last_words: Vec<String>,
}

impl Transcript {
    /// Takes one line in; whether the figures are new.
    fn hear(&mut self, line: &str) -> bool {
        /// Lines that are kept for an error.
        const LAST: usize = 6;
        let says = Says::parse(line);
        if !matches!(says, Says::Figures(_)) && !line.is_empty() {
            if self.last_words.len() == LAST {
                self.last_words.remove(0);
            }
            self.last_words.push(line.chars().take(400).collect());
        }
        if self.in_detail && says == Says::Else {
            if self.detail.len() + line.len() < DETAIL {
                self.detail.push_str(line);
                self.detail.push('\n');
            }
            return false;
        }
        self.in_detail = false;
        match says {
            Says::Figures(figures) => {
                self.figures = figures;
                return true;
            }
            Says::Executions(executions) => self.figures.executions = self.figures.executions.max(executions),
            Says::Seeds(files) => self.seeds += files,
            Says::Finding(class) => {
                self.class = Some(class.to_owned());
                self.in_detail = true;
            }
            Says::Error(what) => self.error = self.error.take().or_else(|| Some(what.to_owned())),
            Says::Written(path) => self.input = Some(PathBuf::from(path)),
            Says::Else => {}
        }
        false
    }

    fn outcome(self, end: End, took: Duration, artifacts: &Path) -> Outcome {
        let found = match (self.class, self.error, end) {
            (Some(class), _, _) => Some((class, true)),
            (None, Some(class), _) => Some((class, false)),
            (None, None, End::Exited(status)) => silent(status).map(|class| (class.to_owned(), false)),
            (None, None, End::Deadline | End::Stopped) => None,
        };
        let found = found.map(|(class, passable)| Found {
            class,
            detail: self.detail.trim_end().to_owned(),
            passable,
            input: self.input.map(|path| if path.is_absolute() { path } else { artifacts.join(path) }),
        });
        let ended = match end {
            End::Stopped => Ended::Stopped,
            End::Exited(_) | End::Deadline if found.is_some() => Ended::Finding,
            End::Exited(status) if status.success() => Ended::Finished,
            End::Exited(_) => Ended::Failed,
            End::Deadline => Ended::Overdue,
        };
        let mut last_words = self.last_words;
        if let (End::Exited(status), true) = (end, last_words.is_empty()) {
            last_words.push(format!("it said nothing and ended with {status}"));
        }
        Outcome { ended, figures: self.figures, seeds: self.seeds, took, found, last_words }
    }
}
