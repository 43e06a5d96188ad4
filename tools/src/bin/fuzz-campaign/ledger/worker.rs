//! One job of the ledger: a tree and a build folder of its own, one defect after the other.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use super::{
    Ledger,
    hunt::{Binaries, Ground, Hunter},
    make,
    outcome::{Control, Row, Status},
    patch::Patch,
    plan::Plan,
    tree::{self, Tree},
};
use crate::{
    error::Error,
    targets::{Group, TargetInfo},
};

/// One job.
pub struct Worker<'a> {
    ledger: &'a Ledger<'a>,
    /// The row of the board.
    row: usize,
    /// What is planted.
    defect: String,
    tree: Tree,
    build: PathBuf,
    /// Corpora of the hunt under way.
    corpora: PathBuf,
    /// Groups of the tree as it is planted now: what the compiler said of each.
    built: BTreeMap<Group, Result<(), String>>,
}

/// What a job takes: a defect that fits the tree, and who can see it.
pub struct Task {
    patch: Patch,
    plan: Plan,
}

/// Why a defect cannot be tried.
pub type Unusable = (Status, String);

impl Task {
    /// What is to be done for the patch at `path`; `row` learns its header.
    ///
    /// # Errors
    /// Why it cannot be tried.
    pub fn new(path: &Path, root: &Path, targets: &[&TargetInfo], row: &mut Row) -> Result<Self, Unusable> {
        let wrong = |why| (Status::NotApplied, why);
        let patch = Patch::read(path).map_err(wrong)?;
        row.header.clone_from(&patch.header);
        let touched = patch.check(root).map_err(wrong)?;
        match Plan::new(&touched, targets) {
            Some(plan) => Ok(Self { patch, plan }),
            None => {
                let files: Vec<_> = touched.iter().map(|file| file.display().to_string()).collect();
                Err((Status::NotLinked, format!("changes {}, which none of the targets links", files.join(", "))))
            }
        }
    }
}

impl<'a> Worker<'a> {
    /// The job of this number.
    ///
    /// # Errors
    /// If the tree cannot be copied.
    pub fn new(ledger: &'a Ledger<'a>, number: usize) -> Result<Self, Error> {
        let folder = ledger.folder.join(format!("worker-{number}"));
        let tree = Tree::copy(&ledger.snapshot.root, folder.join("src"))?;
        let (build, corpora) = (folder.join("build"), folder.join("hunt"));
        Ok(Self { ledger, row: number, defect: String::new(), tree, build, corpora, built: BTreeMap::new() })
    }

    /// Hunts one defect.
    ///
    /// # Errors
    /// If the job cannot go on, or somebody asks for the end.
    pub fn hunt(&mut self, Task { patch, plan }: &Task, row: &mut Row) -> Result<(), Error> {
        self.defect.clone_from(&row.defect);
        self.ledger.ground.board.begin(self.row, &self.defect);
        match self.attempt(patch, plan, row)? {
            Ok(()) => row.status = if row.is_killed() { Status::Killed } else { Status::Missed },
            Err((status, why)) => (row.status, row.note) = (status, why),
        }
        Ok(())
    }

    fn attempt(&mut self, patch: &Patch, plan: &Plan, row: &mut Row) -> Result<Result<(), Unusable>, Error> {
        self.built.clear();
        if let Err(why) = self.tree.plant(patch)? {
            return Ok(Err((Status::NotApplied, why)));
        }
        let ledger = self.ledger;
        let folder = self.corpora.clone();
        let kept = ledger.out.join("inputs").join(&row.defect);
        let control =
            ledger.control.map(|Control { seeds, cap }| (Ground { cap, oracles: false, ..ledger.ground }, seeds));
        let hunts = [Some((ledger.ground, ledger.seeds)), control];
        for (ground, seeds) in hunts.into_iter().flatten() {
            let is_control = ledger.ground.oracles && !ground.oracles;
            let kept = if is_control { kept.join("control") } else { kept.clone() };
            for seed in 1..=seeds {
                match Hunter::new(&ground, plan, &folder, &kept, self.row).hunt(seed, self)? {
                    Ok(hunt) => {
                        let kind = if is_control { "control, " } else { "" };
                        ledger.ground.board.say(&format!("{} {kind}seed {seed}: {}", row.defect, hunt.summary()));
                        if is_control { row.control.push(hunt) } else { row.hunts.push(hunt) }
                    }
                    Err(said) => {
                        let log = ledger.out.join(format!("{}.build.log", row.defect));
                        fs::write(&log, &said).map_err(Error::file("write", log))?;
                        return Ok(Err((Status::NotBuilt, make::brief(&said))));
                    }
                }
            }
        }
        Ok(Ok(()))
    }

    /// Whatever has happened, nothing stays planted, and the corpora of a hunt are of no use to the next.
    ///
    /// # Errors
    /// If a file cannot be written.
    pub fn leave(mut self) -> Result<(), Error> {
        let _ = fs::remove_dir_all(&self.corpora);
        self.tree.restore()
    }
}

impl Binaries for Worker<'_> {
    fn planted(&mut self, target: &TargetInfo) -> Result<Result<PathBuf, String>, Error> {
        let ledger = self.ledger;
        let Ground { board, stop, .. } = ledger.ground;
        if !self.built.contains_key(&target.group) {
            if !self.build.exists() {
                board.doing(self.row, &self.defect, "building the clean tree");
                let clean = ledger.clean(target.group)?;
                // Dependencies need not be built again; what cannot be copied is.
                let _ = tree::copy_build(&clean, &self.build);
            }
            board.doing(self.row, &self.defect, "building");
            let made = make::build(ledger.prerequisites, &self.tree.root, target.group, &self.build, stop)?;
            self.built.insert(target.group, made);
        }
        let made = self.built.get(&target.group).cloned().unwrap_or(Ok(()));
        Ok(made.map(|()| make::binary(ledger.prerequisites, &self.build, &target.name)))
    }

    fn clean(&mut self, target: &TargetInfo) -> Result<PathBuf, Error> {
        self.ledger.ground.board.doing(self.row, &self.defect, "verifying on the clean tree");
        let folder = self.ledger.clean(target.group)?;
        Ok(make::binary(self.ledger.prerequisites, &folder, &target.name))
    }
}
