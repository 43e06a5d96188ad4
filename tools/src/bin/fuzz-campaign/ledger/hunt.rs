//! The hunt for one planted defect with one seed: turn after turn, until an input is found that the defect alone fails.

use std::{
    fs,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use serde::Serialize;

use super::{
    board::Board,
    plan::{Plan, Turn},
};
use crate::{
    error::Error,
    libfuzzer::{self, Ended, Found, Job},
    report::text::count,
    run::derive_seed,
    stop::Stop,
    targets::{TargetInfo, Workspace},
};

/// Classes that are passed over before a target is given up.
const CLASSES: usize = 32;
/// Below this many executions a second a turn is cut short.
const SLOWEST: u64 = 500;

/// What all hunts share.
#[derive(Clone, Copy)]
pub struct Ground<'a> {
    /// The clean tree.
    pub workspace: &'a Workspace,
    /// Executions of one hunt at most.
    pub cap: u64,
    /// Whether oracles judge.
    pub oracles: bool,
    /// The folder of the inputs to begin with, one folder in it for each target.
    pub seeds: &'a Path,
    /// Asked for the end?
    pub stop: &'a Stop,
    /// What is shown meanwhile.
    pub board: &'a Board,
}

/// Where binaries come from; they are built when they are first asked for.
pub trait Binaries {
    /// With the defect. The inner error says why there is none.
    fn planted(&mut self, target: &TargetInfo) -> Result<Result<PathBuf, String>, Error>;
    /// Without it.
    fn clean(&mut self, target: &TargetInfo) -> Result<PathBuf, Error>;
}

/// How a hunt ended.
#[derive(Clone, Debug, Serialize)]
pub struct Hunt {
    /// The seed.
    pub seed: u64,
    /// Executions of all targets together.
    pub executions: u64,
    /// From its first turn.
    pub seconds: f64,
    /// What found it; `None`: nothing did.
    pub kill: Option<Kill>,
    /// Classes that the clean build has too; they prove nothing.
    pub also_clean: Vec<String>,
}

impl Hunt {
    /// One line on it.
    pub fn summary(&self) -> String {
        let executions = count(self.executions);
        match &self.kill {
            Some(kill) => format!("{} after {executions} executions: {}", kill.target, kill.class),
            None => format!("not found in {executions} executions"),
        }
    }
}

/// What found a defect.
#[derive(Clone, Debug, Serialize)]
pub struct Kill {
    /// The target.
    pub target: String,
    /// The class of the finding.
    pub class: String,
    /// The input, kept.
    pub input: PathBuf,
}

/// One hunt at work.
pub struct Hunter<'a> {
    ground: &'a Ground<'a>,
    plan: &'a Plan,
    /// A folder of its own, for corpora and what is found.
    folder: &'a Path,
    /// Where inputs that prove the defect are kept.
    kept: &'a Path,
    /// The row of the board.
    row: usize,
    known: Vec<String>,
    /// Targets that cannot go on, by place.
    ended: Vec<bool>,
    /// A process ended without a word and without an input, as by a stack overflow: those that follow note theirs.
    noting: bool,
}

impl<'a> Hunter<'a> {
    /// A hunt by `plan`, in `folder`.
    pub fn new(ground: &'a Ground<'a>, plan: &'a Plan, folder: &'a Path, kept: &'a Path, row: usize) -> Self {
        Self {
            ground,
            plan,
            folder,
            kept,
            row,
            known: Vec::new(),
            ended: vec![false; plan.targets.len()],
            noting: false,
        }
    }

    /// Hunts with this seed. The inner error says why the defect cannot be tried.
    ///
    /// # Errors
    /// If it cannot go on, or somebody asks for the end.
    pub fn hunt(&mut self, seed: u64, binaries: &mut impl Binaries) -> Result<Result<Hunt, String>, Error> {
        let began = Instant::now();
        let mut hunt = Hunt { seed, executions: 0, seconds: 0.0, kill: None, also_clean: Vec::new() };
        if self.folder.exists() {
            fs::remove_dir_all(self.folder).map_err(Error::file("remove", self.folder))?;
        }
        for turn in self.plan.turns() {
            if hunt.executions >= self.ground.cap || hunt.kill.is_some() || self.ended.iter().all(|ended| *ended) {
                break;
            }
            if self.ended[turn.target] {
                continue;
            }
            if let Err(why) = self.turn(turn, seed, &mut hunt, binaries)? {
                return Ok(Err(why));
            }
        }
        hunt.seconds = began.elapsed().as_secs_f64();
        hunt.also_clean = std::mem::take(&mut self.known);
        Ok(Ok(hunt))
    }

    fn turn(
        &mut self,
        turn: Turn,
        seed: u64,
        hunt: &mut Hunt,
        binaries: &mut impl Binaries,
    ) -> Result<Result<(), String>, Error> {
        let Some(target) = self.target(turn.target) else { return Ok(Err("the target is not in the list".to_owned())) };
        let binary = match binaries.planted(target)? {
            Ok(binary) => binary,
            Err(why) => return Ok(Err(why)),
        };
        let mut left = turn.runs.min(self.ground.cap - hunt.executions);
        let mut again = 0;
        while left > 0 && hunt.kill.is_none() && !self.ended[turn.target] {
            let job = self.job(target, &binary, turn, again, seed, left)?;
            let before = hunt.executions;
            let outcome = job.run(self.ground.stop, |news| {
                self.ground.board.executions(self.row, &target.name, before + news.figures.executions);
            })?;
            again += 1;
            hunt.executions += outcome.figures.executions;
            left = left.saturating_sub(outcome.figures.executions);
            match (outcome.ended, outcome.found) {
                (Ended::Stopped, _) => return Err(Error::Stopped),
                (Ended::Finding, Some(found)) => self.judge(target, &binary, found, hunt, binaries)?,
                // Slow targets use up their time before their runs: the turn is over all the same.
                (Ended::Finished | Ended::Overdue, _) => left = 0,
                (Ended::Failed | Ended::Finding, _) => {
                    return Ok(Err(format!("{} does not run:\n{}", target.name, outcome.last_words.join("\n"))));
                }
            }
        }
        Ok(Ok(()))
    }

    /// Counts what was found only if the defect alone fails it.
    fn judge(
        &mut self,
        target: &TargetInfo,
        planted: &Path,
        found: Found,
        hunt: &mut Hunt,
        binaries: &mut impl Binaries,
    ) -> Result<(), Error> {
        if found.input.is_none() && !self.noting {
            self.noting = true;
            return Ok(());
        }
        let Ground { oracles, stop, .. } = *self.ground;
        let shown = match &found.input {
            Some(input) => {
                libfuzzer::once(planted, input, oracles, stop)?.is_some()
                    && libfuzzer::once(&binaries.clean(target)?, input, oracles, stop)?.is_none()
            }
            None => false,
        };
        if let (true, Some(input)) = (shown, &found.input) {
            let kept = self.kept.join(format!("{}-{}", hunt.seed, target.name));
            fs::create_dir_all(self.kept).map_err(Error::file("create", self.kept))?;
            fs::copy(input, &kept).map_err(Error::file("write", &kept))?;
            hunt.kill = Some(Kill { target: target.name.clone(), class: found.class, input: kept });
            return Ok(());
        }
        // It proves nothing: passed over from now on, and where that cannot be, the target has nothing more to say.
        if !found.passable || self.known.contains(&found.class) || self.known.len() >= CLASSES {
            self.end(&target.name);
        }
        self.known.push(found.class);
        Ok(())
    }

    fn target(&self, place: usize) -> Option<&'a TargetInfo> {
        let name = self.plan.targets.get(place)?;
        self.ground.workspace.targets.iter().find(|target| target.name == *name)
    }

    fn end(&mut self, name: &str) {
        if let Some(place) = self.plan.targets.iter().position(|target| target == name) {
            self.ended[place] = true;
        }
    }

    fn job(
        &self,
        target: &TargetInfo,
        binary: &Path,
        turn: Turn,
        again: u32,
        seed: u64,
        runs: u64,
    ) -> Result<Job, Error> {
        let folder = |name: &str| -> Result<PathBuf, Error> {
            let folder = self.folder.join(&target.name).join(name);
            fs::create_dir_all(&folder).map_err(Error::file("create", &folder))?;
            Ok(folder)
        };
        let artifacts = folder("artifacts")?;
        Ok(Job {
            binary: binary.to_owned(),
            corpus: folder("corpus")?,
            seeds: vec![self.ground.seeds.join(&target.name)],
            dictionary: self.ground.workspace.dictionary(target).filter(|dictionary| dictionary.is_file()),
            last: self.noting.then(|| artifacts.join("last")),
            artifacts,
            max_len: target.max_len,
            seed: derive_seed(seed, None, &target.name, turn.number * 1000 + again),
            runs: Some(runs),
            time: Duration::from_secs(60 + runs / SLOWEST),
            known: self.known.clone(),
            oracles: self.ground.oracles,
        })
    }
}
