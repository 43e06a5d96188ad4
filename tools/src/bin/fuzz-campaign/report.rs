//! What a campaign leaves behind: `report.json`, `report.html` and `manifest.json`, and how several become one.

use std::{fs, path::Path};

use serde::{Deserialize, Serialize};

use crate::{build::Sanitizer, error::Error, libfuzzer::Figures, shrink::Shown};

pub mod html;
pub mod text;

/// Points of a curve that are kept at most.
const POINTS: usize = 400;
/// The version of `report.json`.
const VERSION: u32 = 1;

/// A whole campaign, or several joined.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Report {
    /// Of this form.
    pub version: u32,
    /// Whether it went through to its end.
    pub complete: bool,
    /// How each campaign in it was run.
    pub manifests: Vec<Manifest>,
    /// One row per target.
    pub targets: Vec<TargetReport>,
    /// One row per class.
    pub findings: Vec<Finding>,
}

/// How a campaign was run.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Manifest {
    /// When it began, in UTC.
    pub started: String,
    /// How long it took, builds not counted.
    pub seconds: f64,
    /// As it was typed.
    pub command_line: Vec<String>,
    /// Everything drawn follows from it.
    pub seed: u64,
    /// Which part of how many, as `I/N`.
    pub shard: Option<String>,
    /// Seconds for the whole campaign.
    pub budget_seconds: Option<f64>,
    /// Executions per target.
    pub runs: Option<u64>,
    /// Processes at once.
    pub jobs: usize,
    /// Of git, where there is one; `-dirty` behind it: with changes that are not committed.
    pub revision: Option<String>,
    /// What watches memory.
    pub sanitizer: Sanitizer,
    /// The compiler.
    pub toolchain: String,
    /// The version of cargo-fuzz.
    pub cargo_fuzz: String,
    /// Cores of the machine.
    pub cores: usize,
    /// The machine's operating system and processor.
    pub machine: String,
    /// What was run.
    pub targets: Vec<TargetManifest>,
}

/// How a target was run.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct TargetManifest {
    /// The binary.
    pub name: String,
    /// Bytes of an input at most.
    pub max_len: usize,
    /// Its dictionary, where it has one.
    pub dictionary: Option<String>,
    /// libFuzzer's seed in its first process.
    pub seed: u32,
    /// Inputs that it began with.
    pub seeds: usize,
}

/// How a target ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, PartialOrd, Ord)]
#[serde(rename_all = "kebab-case")]
pub enum Status {
    /// It had all its time, or all its runs.
    Done,
    /// A finding that cannot be passed over came again and again.
    Blocked,
    /// A signal came first.
    Stopped,
    /// Its turn never came.
    NotRun,
    /// It did not run as it should; the note says why.
    Failed,
}

impl Status {
    /// As reports name it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Blocked => "blocked",
            Self::Stopped => "stopped",
            Self::NotRun => "not run",
            Self::Failed => "failed",
        }
    }
}

/// What a target did.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct TargetReport {
    /// The binary.
    pub name: String,
    /// What holds for every input.
    pub property: String,
    /// How it ended.
    pub status: Status,
    /// Why it ended so, where that needs words.
    pub note: String,
    /// Inputs that it began with.
    pub seeds: u64,
    /// The last figures; executions of all its processes.
    pub figures: Figures,
    /// Time in which it fuzzed.
    pub seconds: f64,
    /// When the last new edge came; `None`: never.
    pub last_edge_seconds: Option<f64>,
    /// Processes that followed one which a finding had ended.
    pub restarts: u32,
    /// Edges over time; several after a merge.
    pub curves: Vec<Curve>,
}

impl TargetReport {
    /// Executions per second over all.
    #[allow(clippy::cast_precision_loss, reason = "a rate for people")]
    pub fn rate(&self) -> f64 {
        if self.seconds > 0.0 { self.figures.executions as f64 / self.seconds } else { 0.0 }
    }
}

/// Edges over time.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Curve {
    /// Whose it is after a merge; empty before.
    pub label: String,
    /// In order of time.
    pub points: Vec<Point>,
}

/// Figures at a time.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct Point {
    /// Seconds since the target's start.
    pub at: f64,
    /// Then.
    #[serde(flatten)]
    pub figures: Figures,
}

impl Curve {
    /// Adds a point; of those between two that differ in edges or features none is needed.
    pub fn push(&mut self, point: Point) {
        let same =
            |a: &Point, b: &Point| a.figures.edges == b.figures.edges && a.figures.features == b.figures.features;
        if let [.., before, last] = self.points.as_mut_slice()
            && same(before, last)
            && same(last, &point)
        {
            *last = point;
            return;
        }
        self.points.push(point);
    }

    /// Leaves so many points that a page can show, the first and the last among them.
    pub fn thin(&mut self) {
        while self.points.len() > POINTS {
            let last = self.points.len() - 1;
            let mut place = 0;
            self.points.retain(|_| {
                place += 1;
                (place - 1) % 2 == 0 || place - 1 == last
            });
        }
    }
}

/// One class of findings.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Finding {
    /// What two inputs share if they show one defect: the oracle and what it says, or a panic's place.
    pub class: String,
    /// Of the first input.
    pub detail: String,
    /// Where it was seen, first come first.
    pub seen: Vec<Sighting>,
}

/// A finding in one target.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Sighting {
    /// The target.
    pub target: String,
    /// Executions until then.
    pub executions: u64,
    /// Seconds until then.
    pub seconds: f64,
    /// libFuzzer's seed.
    pub seed: u32,
    /// The smallest input, below the report's folder.
    pub input: Option<String>,
    /// Its size in bytes.
    pub size: usize,
    /// As libFuzzer wrote it, below the report's folder.
    pub original: Option<String>,
    /// Its size in bytes.
    pub original_size: usize,
    /// What shows it again.
    pub shown: Shown,
    /// Shows it again, from the folder of the source tree.
    pub command: String,
}

impl Report {
    /// Of one campaign.
    pub fn new(complete: bool, manifest: Manifest, targets: Vec<TargetReport>, findings: Vec<Finding>) -> Self {
        Self { version: VERSION, complete, manifests: vec![manifest], targets, findings }
    }

    /// Writes `report.json`, `report.html` and `manifest.json` into `folder`.
    ///
    /// # Errors
    /// If one cannot be written.
    pub fn write(&self, folder: &Path) -> Result<(), Error> {
        let save = |name: &str, text: String| {
            let path = folder.join(name);
            fs::write(&path, text).map_err(|error| {
                // A part of a report is none.
                let _ = fs::remove_file(&path);
                Error::file("write", &path)(error)
            })
        };
        save("report.json", self.json()? + "\n")?;
        let manifests = match self.manifests.as_slice() {
            [one] => serde_json::to_string_pretty(one),
            all => serde_json::to_string_pretty(all),
        };
        save("manifest.json", manifests.map_err(|error| Error::Tool(error.to_string()))? + "\n")?;
        save("report.html", html::render(self))
    }

    /// As `report.json` has it.
    ///
    /// # Errors
    /// If a figure has no JSON form.
    pub fn json(&self) -> Result<String, Error> {
        serde_json::to_string_pretty(self).map_err(|error| Error::Tool(error.to_string()))
    }

    /// The report in `folder`.
    ///
    /// # Errors
    /// If there is none that can be used.
    pub fn read(folder: &Path) -> Result<Self, Error> {
        let path = folder.join("report.json");
        let text = fs::read_to_string(&path).map_err(|error| {
            Error::Usage(format!("cannot read {}: {error}; name folders that `run --out` wrote", path.display()))
        })?;
        let report: Self = serde_json::from_str(&text)
            .map_err(|error| Error::Usage(format!("{}: {error}; it is no report of this program", path.display())))?;
        if report.version != VERSION {
            let found = report.version;
            return Err(Error::Usage(format!("{}: version {found}; this program reads {VERSION}", path.display())));
        }
        Ok(report)
    }

    /// Executions of all targets.
    pub fn executions(&self) -> u64 {
        self.targets.iter().fold(0, |sum, target| sum.saturating_add(target.figures.executions))
    }
}
