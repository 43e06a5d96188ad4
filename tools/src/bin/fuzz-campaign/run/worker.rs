//! One target of a campaign: processes one after the other, past every finding, until its time or its runs are gone.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use crate::{
    error::Error,
    libfuzzer::{Ended, Figures, Found, Job, News, Outcome},
    report::{Curve, Finding, Point, Sighting, Status, TargetReport, text},
    run::{
        board::Board,
        plan::{Shard, Slot, derive_seed},
    },
    shrink::{self, Shown},
    stop::Stop,
    targets::{TargetInfo, Workspace},
};

/// Findings that cannot be passed over until a target is given up.
const BLOCKED: u32 = 16;
/// Classes of one target that are passed over; with more there is nothing left to see.
const CLASSES: usize = 64;
/// Time for minimising one finding at most.
const SHRINK: Duration = Duration::from_secs(20);

/// What all targets of a campaign share.
pub struct Campaign<'a> {
    /// The source tree.
    pub workspace: &'a Workspace,
    /// The folder for everything that is written.
    pub out: &'a Path,
    /// What each target may do.
    pub slot: Slot,
    /// Everything drawn follows from it.
    pub seed: u64,
    /// Draws otherwise than the other shards.
    pub shard: Option<Shard>,
    /// More inputs to begin with.
    pub corpora: &'a [PathBuf],
    /// Asked for the end?
    pub stop: &'a Stop,
    /// What is shown meanwhile.
    pub board: &'a Board,
    /// By class.
    pub findings: Mutex<Vec<Finding>>,
}

impl Campaign<'_> {
    /// The folder of inputs that a target begins with.
    pub fn start(&self, target: &str) -> PathBuf {
        self.out.join("start").join(target)
    }

    fn add(&self, found: &Found, detail: String, sighting: Sighting) {
        let mut findings = self.findings.lock().unwrap_or_else(PoisonError::into_inner);
        match findings.iter_mut().find(|finding| finding.class == found.class) {
            Some(finding) => finding.seen.push(sighting),
            None => findings.push(Finding { class: found.class.clone(), detail, seen: vec![sighting] }),
        }
    }
}

/// One target at work.
pub struct Worker<'a> {
    campaign: &'a Campaign<'a>,
    target: &'a TargetInfo,
    place: usize,
    binary: &'a Path,
    until: Instant,
    report: TargetReport,
    known: Vec<String>,
    blocked: u32,
    process: u32,
    /// A process ended without a word and without an input: those that follow note theirs.
    silent: Option<Found>,
}

impl<'a> Worker<'a> {
    /// For the target in this place of the board.
    pub fn new(campaign: &'a Campaign<'a>, target: &'a TargetInfo, place: usize, binary: &'a Path) -> Self {
        let report = TargetReport {
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
        };
        let until = Instant::now() + campaign.slot.time;
        Self { campaign, target, place, binary, until, report, known: Vec::new(), blocked: 0, process: 0, silent: None }
    }

    /// Works until nothing is left to do, and says what came of it.
    pub fn run(mut self) -> TargetReport {
        self.campaign.board.began(self.place);
        let ended = self.work().and_then(|ended| self.tell_silent().map(|()| ended));
        let (status, note) = ended.unwrap_or_else(|error| match error {
            Error::Stopped => (Status::Stopped, String::new()),
            error @ (Error::Usage(_)
            | Error::File { .. }
            | Error::Missing(_)
            | Error::Tool(_)
            | Error::System { .. }) => (Status::Failed, error.to_string()),
        });
        (self.report.status, self.report.note) = (status, note);
        self.report.curves.iter_mut().for_each(Curve::thin);
        self.campaign.board.ended(self.place, status);
        self.report
    }

    fn work(&mut self) -> Result<(Status, String), Error> {
        let corpus = self.campaign.out.join("corpus").join(&self.target.name);
        let artifacts = self.campaign.out.join("artifacts").join(&self.target.name);
        for folder in [&corpus, &artifacts] {
            fs::create_dir_all(folder).map_err(Error::file("create", folder))?;
        }
        loop {
            let Some(job) = self.job(&corpus, &artifacts) else { return Ok(self.done()) };
            let outcome = self.fuzz(&job)?;
            if self.process == 0 && outcome.seeds == 0 && outcome.ended != Ended::Stopped {
                return Ok((Status::Failed, format!("it loaded no seeds: {}", outcome.last_words.join(" | "))));
            }
            self.process += 1;
            match (outcome.ended, outcome.found) {
                (Ended::Finding, Some(found)) => {
                    if let Some(ended) = self.found(&found, &job)? {
                        return Ok(ended);
                    }
                    self.report.restarts += 1;
                }
                (Ended::Stopped, _) => return Ok((Status::Stopped, String::new())),
                (Ended::Overdue, _) => {
                    return Ok((Status::Failed, "libFuzzer did not end at its time and was ended".to_owned()));
                }
                (Ended::Failed | Ended::Finding, _) => {
                    return Ok((Status::Failed, outcome.last_words.join(" | ")));
                }
                (Ended::Finished, _) => return Ok(self.done()),
            }
        }
    }

    /// It had all its time, or all its runs.
    fn done(&self) -> (Status, String) {
        let (slot, executions) = (self.campaign.slot, self.report.figures.executions);
        match slot.runs {
            Some(runs) if slot.runs_alone && executions < runs => {
                let (executions, runs) = (text::count(executions), text::count(runs));
                (Status::Failed, format!("{executions} of {runs} executions in {}", text::seconds(self.report.seconds)))
            }
            Some(_) | None if executions == 0 => (Status::Failed, "it executed nothing".to_owned()),
            // Random bytes without a sight of where they lead: what it tests is compiled somewhere that is not instrumented.
            Some(_) | None if self.report.figures.edges == 0 => {
                (Status::Failed, "it reached no edge of the crates that it tests, so nothing guides it".to_owned())
            }
            Some(_) | None => (Status::Done, String::new()),
        }
    }

    /// The next process; `None`: neither time nor runs are left.
    fn job(&self, corpus: &Path, artifacts: &Path) -> Option<Job> {
        let campaign = self.campaign;
        let time = self.until.saturating_duration_since(Instant::now());
        // The first one runs however short the time is: a target that was never run must not look clean.
        if self.process > 0 && time < Duration::from_secs(1) {
            return None;
        }
        let left = campaign.slot.runs.map(|runs| runs.saturating_sub(self.report.figures.executions));
        if left == Some(0) {
            return None;
        }
        let name = &self.target.name;
        let mut seeds = vec![campaign.start(name)];
        seeds.extend(campaign.corpora.iter().map(|folder| folder.join(name)).filter(|folder| folder.is_dir()));
        Some(Job {
            binary: self.binary.to_owned(),
            corpus: corpus.to_owned(),
            seeds,
            dictionary: campaign.workspace.dictionary(self.target).filter(|path| path.is_file()),
            artifacts: artifacts.to_owned(),
            max_len: self.target.max_len,
            seed: derive_seed(campaign.seed, campaign.shard, name, self.process),
            runs: left,
            time,
            known: self.known.clone(),
            oracles: true,
            last: self.silent.is_some().then(|| artifacts.join("last")),
        })
    }

    /// One process; adds its figures to those of its predecessors.
    fn fuzz(&mut self, job: &Job) -> Result<Outcome, Error> {
        let (before, seconds) = (self.report.figures, self.report.seconds);
        let outcome = job.run(self.campaign.stop, |news| self.news(before, seconds, news))?;
        self.report.seeds = self.report.seeds.max(if self.process == 0 { outcome.seeds } else { 0 });
        self.news(before, seconds, News { at: outcome.took, figures: outcome.figures });
        self.report.seconds = seconds + outcome.took.as_secs_f64();
        Ok(outcome)
    }

    fn news(&mut self, before: Figures, seconds: f64, news: News) {
        let at = seconds + news.at.as_secs_f64();
        let figures = Figures {
            executions: before.executions + news.figures.executions,
            // A process that begins has loaded only a part of what its predecessor knew.
            edges: before.edges.max(news.figures.edges),
            features: before.features.max(news.figures.features),
            corpus: before.corpus.max(news.figures.corpus),
        };
        if figures.edges > self.report.figures.edges {
            self.report.last_edge_seconds = Some(at);
        }
        self.report.figures = figures;
        if let Some(curve) = self.report.curves.first_mut() {
            curve.push(Point { at, figures });
        }
        self.report.seconds = at;
        let slot = self.campaign.slot;
        let left = self.until.saturating_duration_since(Instant::now()).as_secs_f64();
        let by_time = 1.0 - left / slot.time.as_secs_f64();
        #[allow(clippy::cast_precision_loss, reason = "a bar's length")]
        let by_runs = slot.runs.map_or(0.0, |runs| figures.executions as f64 / runs as f64);
        self.campaign.board.figures(self.place, figures, self.report.rate(), by_time.max(by_runs));
    }

    /// Takes a finding in; `Some`: the target ends with it.
    fn found(&mut self, found: &Found, job: &Job) -> Result<Option<(Status, String)>, Error> {
        let again = self.known.contains(&found.class);
        if !again && found.input.is_none() && self.silent.is_none() {
            self.silent = Some(found.clone());
        } else if !again {
            self.tell(found, job.seed)?;
        }
        // What is no panic stops the next process as well, and so does a panic in a place that cannot unwind. The input must not
        // be among those that the next process begins with; it may go on from others for a while.
        if again || !found.passable {
            self.blocked += 1;
            if let Some(input) = &found.input {
                forget(input, &[&job.corpus, &self.campaign.start(&self.target.name)])?;
            }
        }
        if self.blocked >= BLOCKED {
            return Ok(Some((Status::Blocked, format!("{} cannot be passed over", found.class))));
        }
        if self.known.len() >= CLASSES {
            return Ok(Some((Status::Blocked, format!("{CLASSES} classes of findings"))));
        }
        Ok(None)
    }

    /// A new class: it is minimised, kept and told, and known from now on.
    fn tell(&mut self, found: &Found, seed: u32) -> Result<(), Error> {
        self.campaign.board.found(self.place, &found.class);
        self.campaign.board.doing(self.place, "minimises");
        let (sighting, detail) = self.keep(found, seed)?;
        self.campaign.board.doing(self.place, "");
        self.campaign.add(found, detail.unwrap_or_else(|| found.detail.clone()), sighting);
        self.known.push(found.class.clone());
        Ok(())
    }

    /// What ended without a word is told without an input if none came later.
    fn tell_silent(&mut self) -> Result<(), Error> {
        match self.silent.take() {
            Some(found) if !self.known.contains(&found.class) => self.tell(&found, 0),
            Some(_) | None => Ok(()),
        }
    }

    /// Writes a finding's inputs below `findings`, as it was found and as small as it gets; with the smallest one's detail.
    fn keep(&self, found: &Found, seed: u32) -> Result<(Sighting, Option<String>), Error> {
        let campaign = self.campaign;
        let figures = self.report.figures;
        let mut sighting = Sighting {
            target: self.target.name.clone(),
            executions: figures.executions,
            seconds: self.report.seconds,
            seed,
            input: None,
            size: 0,
            original: None,
            original_size: 0,
            shown: Shown::Never,
            command: String::new(),
        };
        let Some(artifact) = &found.input else {
            sighting.command = "no input is left of it".to_owned();
            return Ok((sighting, None));
        };
        let original = fs::read(artifact).map_err(Error::file("read", artifact))?;
        let scratch = campaign.out.join("artifacts").join(&self.target.name).join("candidate");
        let left = self.until.saturating_duration_since(Instant::now()).max(SHRINK / 4);
        let time = SHRINK.min(left);
        let name = &self.target.name;
        let smallest =
            shrink::smallest(name, &found.class, &original, Some(self.binary), &scratch, time, campaign.stop)?;
        let folder = Path::new("findings").join(name);
        let stem = stem(&found.class);
        let save = |name: String, bytes: &[u8]| {
            let folder = campaign.out.join(&folder);
            let path = folder.join(&name);
            fs::create_dir_all(&folder).map_err(Error::file("create", &folder))?;
            fs::write(&path, bytes).map_err(Error::file("write", &path))?;
            Ok::<_, Error>((path, Some(format!("findings/{}/{name}", self.target.name))))
        };
        let (path, input) = save(stem.clone(), &smallest.input)?;
        (sighting.input, sighting.size) = (input, smallest.input.len());
        sighting.original = save(format!("{stem}.original"), &original)?.1;
        sighting.original_size = original.len();
        sighting.shown = smallest.shown;
        sighting.command = command(name, smallest.shown, self.binary, &path);
        Ok((sighting, smallest.detail))
    }
}

/// What shows a finding again, for people.
fn command(target: &str, shown: Shown, binary: &Path, input: &Path) -> String {
    match shown {
        Shown::Replay => {
            format!("cargo run --release -p tools --bin fuzz-campaign -- replay --target {target} {}", input.display())
        }
        Shown::Binary | Shown::Never => format!("{} {}", binary.display(), input.display()),
    }
}

/// A file's name for a class: what of it a file system takes, and a number that tells those apart that are then the same.
fn stem(class: &str) -> String {
    let mut stem = String::new();
    for character in class.chars().take(72) {
        let plain = character.is_ascii_alphanumeric() || character == '_' || character == '.';
        if plain {
            stem.push(character.to_ascii_lowercase());
        } else if !stem.ends_with('-') {
            stem.push('-');
        }
    }
    // FNV-1a.
    let hash = class.bytes().fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
    format!("{}-{hash:08x}", stem.trim_matches(['-', '.']))
}

/// Removes the files of `folders` that hold the same bytes as `input`.
fn forget(input: &Path, folders: &[&Path]) -> Result<(), Error> {
    let bytes = fs::read(input).map_err(Error::file("read", input))?;
    for folder in folders {
        for entry in fs::read_dir(folder).map_err(Error::file("read", *folder))? {
            let path = entry.map_err(Error::file("read", *folder))?.path();
            // Sizes first: nearly all files differ in them.
            let same = path.metadata().is_ok_and(|metadata| metadata.len() == bytes.len() as u64)
                && fs::read(&path).is_ok_and(|found| found == bytes);
            if same {
                fs::remove_file(&path).map_err(Error::file("remove", &path))?;
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_class_gives_a_file_name() {
        let name = stem("panic: relay/wire/src/request/linux.rs:12");
        assert!(name.starts_with("panic-relay-wire-src-request-linux.rs-12-"), "{name}");
        assert_ne!(stem("a b"), stem("a/b"));
        assert!(stem(&"../".repeat(100)).len() < 90);
    }
}
