//! `fuzz-campaign merge`: what several campaigns left behind, as one.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use clap::Args;

use crate::{
    Verdict,
    cli::{EXIT_CODES, Format},
    error::Error,
    report::{Finding, Report, Sighting, Status, TargetReport},
    run,
    stop::Stop,
};

const EXAMPLES: &str = "\
Examples:
  fuzz-campaign merge s1 s2 s3 --out all            the shards of a campaign as one report, corpus and set of findings

Executions are added, edges are the most that one shard reached, curves stay apart, findings are one per class. Incomplete shards
are merged too, and the whole is then incomplete.";

/// The options of `merge`.
#[derive(Args, Clone, Debug)]
#[command(after_help = format!("{EXAMPLES}\n\n{EXIT_CODES}"))]
pub struct MergeArgs {
    /// Folders that `run --out` wrote.
    #[arg(value_name = "DIR", required = true)]
    pub folders: Vec<PathBuf>,
    /// The folder for the result; new or empty.
    #[arg(long, value_name = "DIR")]
    pub out: PathBuf,
    /// The form of the result on standard output.
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
}

/// Merges.
///
/// # Errors
/// What the user can put right.
pub fn execute(arguments: &MergeArgs, stop: &Stop) -> Result<Verdict, Error> {
    let mut parts = Vec::new();
    let mut seen = BTreeSet::new();
    for folder in &arguments.folders {
        let real = folder.canonicalize().map_err(|error| {
            Error::Usage(format!("{}: {error}; name folders that `run --out` wrote", folder.display()))
        })?;
        if !seen.insert(real.clone()) {
            return Err(Error::Usage(format!("{} is named twice; its executions would count twice", folder.display())));
        }
        parts.push((real.clone(), Report::read(&real)?));
    }
    let out = run::prepare(&arguments.out)?;
    let mut merged: Option<Report> = None;
    for (number, (folder, mut report)) in parts.into_iter().enumerate() {
        if stop.requested() {
            return Err(Error::Stopped);
        }
        label(&mut report, number + 1);
        adopt_inputs(&mut report.findings, &folder, &out, number + 1)?;
        copy_corpus(&folder, &out)?;
        match &mut merged {
            None => merged = Some(report),
            Some(merged) => add(merged, report),
        }
    }
    let report = merged.ok_or_else(|| Error::Usage("name the folders to merge".to_owned()))?;
    run::finish(&report, &out, arguments.format)
}

/// Names the curves after the shard that they come from.
fn label(report: &mut Report, number: usize) {
    let shard = match report.manifests.as_slice() {
        [manifest] => manifest.shard.clone(),
        _ => None,
    };
    let shard = shard.map_or_else(|| format!("part {number}"), |shard| format!("shard {shard}"));
    for curve in report.targets.iter_mut().flat_map(|target| &mut target.curves) {
        curve.label = if curve.label.is_empty() { shard.clone() } else { format!("{shard}, {}", curve.label) };
    }
}

fn add(merged: &mut Report, report: Report) {
    merged.complete &= report.complete;
    merged.manifests.extend(report.manifests);
    for target in report.targets {
        match merged.targets.iter_mut().find(|known| known.name == target.name) {
            Some(known) => add_target(known, target),
            None => merged.targets.push(target),
        }
    }
    for finding in report.findings {
        match merged.findings.iter_mut().find(|known| known.class == finding.class) {
            Some(known) => known.seen.extend(finding.seen),
            None => merged.findings.push(finding),
        }
    }
}

fn add_target(known: &mut TargetReport, other: TargetReport) {
    let worse = |a: Status, b: Status| a.max(b);
    if worse(known.status, other.status) != known.status || known.note.is_empty() {
        known.note = other.note;
    }
    known.status = worse(known.status, other.status);
    known.seeds = known.seeds.max(other.seeds);
    known.seconds += other.seconds;
    known.restarts = known.restarts.saturating_add(other.restarts);
    known.last_edge_seconds = match (known.last_edge_seconds, other.last_edge_seconds) {
        (Some(a), Some(b)) => Some(a.max(b)),
        (a, b) => a.or(b),
    };
    known.figures.executions = known.figures.executions.saturating_add(other.figures.executions);
    known.figures.edges = known.figures.edges.max(other.figures.edges);
    known.figures.features = known.figures.features.max(other.figures.features);
    known.figures.corpus = known.figures.corpus.max(other.figures.corpus);
    known.curves.extend(other.curves);
}

/// Copies the inputs of findings. Parts may have files of one name for one class, so each part has a folder of its own.
fn adopt_inputs(findings: &mut [Finding], from: &Path, to: &Path, number: usize) -> Result<(), Error> {
    let adopt = |path: &mut Option<String>| {
        let Some(named) = path.as_ref() else { return Ok(None) };
        // A report is a file that anybody may have written: it names nothing outside its folder, and no page may link to what is no
        // file at all.
        let is_below =
            |inside: &&str| Path::new(inside).components().all(|part| matches!(part, std::path::Component::Normal(_)));
        let inside = named.strip_prefix("findings/").filter(is_below).ok_or_else(|| {
            Error::Usage(format!("{}: report.json names {named:?}, which is not below findings/", from.display()))
        })?;
        let place = format!("findings/{number}/{inside}");
        let (source, target) = (from.join("findings").join(inside), to.join(&place));
        if let Some(folder) = target.parent() {
            fs::create_dir_all(folder).map_err(Error::file("create", folder))?;
        }
        fs::copy(&source, &target).map_err(Error::file("copy", &source))?;
        *path = Some(place);
        Ok(Some(target))
    };
    for Sighting { input, original, command, .. } in findings.iter_mut().flat_map(|finding| &mut finding.seen) {
        let before = input.as_ref().map(|path| from.join(path).display().to_string());
        if let (Some(before), Some(now)) = (before, adopt(input)?) {
            *command = command.replace(&before, &now.display().to_string());
        }
        adopt(original)?;
    }
    Ok(())
}

/// Copies the inputs that a part found. libFuzzer names them after their bytes, so that no name stands for two.
fn copy_corpus(from: &Path, to: &Path) -> Result<(), Error> {
    let folder = from.join("corpus");
    if !folder.is_dir() {
        return Ok(());
    }
    for target in entries(&folder)? {
        let Some(name) = target.file_name() else { continue };
        let into = to.join("corpus").join(name);
        fs::create_dir_all(&into).map_err(Error::file("create", &into))?;
        for file in entries(&target)? {
            let Some(name) = file.file_name() else { continue };
            fs::copy(&file, into.join(name)).map_err(Error::file("copy", &file))?;
        }
    }
    Ok(())
}

fn entries(folder: &Path) -> Result<Vec<PathBuf>, Error> {
    let entries = fs::read_dir(folder).map_err(Error::file("read", folder))?;
    let mut paths = entries
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<Result<Vec<_>, _>>()
        .map_err(Error::file("read", folder))?;
    paths.sort();
    Ok(paths)
}
