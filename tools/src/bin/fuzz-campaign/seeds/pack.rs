//! What of a corpus is worth keeping: libFuzzer's merge says what each input adds, and the best fill a pack.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::Duration,
};

use fuzz::corpus::{self, Input};

use crate::{
    error::Error,
    libfuzzer::{INPUT_TIMEOUT, MEMORY},
    process::{self, End},
    stop::Stop,
    targets::TargetInfo,
};

/// A merge that takes longer hangs.
const MERGE: Duration = Duration::from_secs(900);

/// The corpora of a target.
pub struct Merge<'a> {
    /// The target's binary.
    pub binary: &'a Path,
    /// Its row.
    pub target: &'a TargetInfo,
    /// What is there anyhow: seeds and regressions; never packed.
    pub first: &'a [Vec<u8>],
    /// The pack before.
    pub before: &'a [Input],
    /// Folders with more.
    pub more: &'a [PathBuf],
}

/// A new pack.
pub struct Chosen {
    /// The file.
    pub packed: Vec<u8>,
    /// Inputs in it.
    pub inputs: usize,
    /// Inputs that add anything.
    pub of: usize,
}

/// What an input adds to those before it, by libFuzzer's merge.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Gain {
    edges: usize,
    features: usize,
}

impl Merge<'_> {
    /// The inputs that add most to `first`, in at most `limit` bytes.
    ///
    /// # Errors
    /// If a file cannot be written, or libFuzzer does not merge.
    pub fn choose(&self, limit: u64, stop: &Stop) -> Result<Chosen, Error> {
        let system = |source| Error::System { action: "create a temporary folder".to_owned(), source };
        let scratch = tempfile::Builder::new().prefix("fuzz-campaign-").tempdir().map_err(system)?;
        let (first, before) = (scratch.path().join("first"), scratch.path().join("before"));
        let control = scratch.path().join("control");
        super::write(&first, self.first.iter().map(Vec::as_slice))?;
        super::write(&before, self.before.iter().map(|input| input.bytes.as_slice()))?;
        let present: BTreeSet<PathBuf> = names(&first)?;
        self.merge(&first, &before, &control, stop)?;
        let text = fs::read_to_string(&control).map_err(Error::file("read", &control))?;
        let gains = gains(&text);
        let mut added = Vec::new();
        for path in &self.inputs(&before)? {
            // libFuzzer copies what adds something; a file without a gain was not.
            let Some(gain) = gains.get(path).filter(|gain| gain.features > 0) else { continue };
            let bytes = fs::read(path).map_err(Error::file("read", path))?;
            added.push((*gain, bytes));
        }
        let copied = names(&first)?.difference(&present).count();
        if added.len() < copied {
            let words = "the control file of libFuzzer's merge is not as this program knows it";
            return Err(Error::Tool(format!("{}: {words}", self.target.name)));
        }
        fill(added, limit)
    }

    fn inputs(&self, before: &Path) -> Result<Vec<PathBuf>, Error> {
        let mut all = Vec::new();
        for folder in std::iter::once(before).chain(self.more.iter().map(PathBuf::as_path)) {
            all.extend(names(folder)?.into_iter().map(|name| folder.join(name)));
        }
        Ok(all)
    }

    fn merge(&self, first: &Path, before: &Path, control: &Path, stop: &Stop) -> Result<(), Error> {
        let mut command = Command::new(self.binary);
        command.arg("-merge=1").arg(format!("-merge_control_file={}", control.display()));
        command.arg(format!("-max_len={}", self.target.max_len)).arg(format!("-timeout={INPUT_TIMEOUT}"));
        command.arg(format!("-rss_limit_mb={MEMORY}")).arg("-artifact_prefix=/dev/null");
        command.arg(first).arg(before).args(self.more).stdout(Stdio::null());
        command.env_remove(fuzz::run::KNOWN).env_remove(fuzz::run::ORACLES).env_remove(fuzz::run::LAST);
        let mut last = String::new();
        match process::watch(command, MERGE, stop, |line| line.clone_into(&mut last))? {
            End::Exited(status) if status.success() => Ok(()),
            End::Stopped => Err(Error::Stopped),
            End::Exited(_) | End::Deadline => {
                Err(Error::Tool(format!("{}: libFuzzer did not merge its corpora: {last}", self.target.name)))
            }
        }
    }
}

/// The best of the inputs, as many as the limit takes: new edges first, then most features per byte.
fn fill(mut added: Vec<(Gain, Vec<u8>)>, limit: u64) -> Result<Chosen, Error> {
    added.sort_by(|(a, a_bytes), (b, b_bytes)| {
        let density = |gain: &Gain, bytes: &[u8]| gain.features * 1_000_000 / (bytes.len() + 16);
        let rank = |gain: &Gain, bytes: &[u8]| (gain.edges > 0, density(gain, bytes));
        rank(b, b_bytes).cmp(&rank(a, a_bytes)).then_with(|| a_bytes.cmp(b_bytes))
    });
    let packed = |count: usize| {
        let inputs = added.iter().take(count).map(|(_, bytes)| bytes.as_slice());
        corpus::pack(inputs).map_err(|error| Error::Tool(error.to_string()))
    };
    // The most that fit: their packed size grows with their number.
    let (mut fits, mut too_many) = (0, added.len() + 1);
    while too_many - fits > 1 {
        let middle = fits.midpoint(too_many);
        if packed(middle)?.len() as u64 <= limit { fits = middle } else { too_many = middle }
    }
    Ok(Chosen { packed: packed(fits)?, inputs: fits, of: added.len() })
}

/// What each file adds, from the control file of a merge: a list of files, then `FT number feature...` and
/// `COV number edge...` for each, with what no file before it had.
fn gains(control: &str) -> BTreeMap<PathBuf, Gain> {
    let mut lines = control.lines();
    let count: usize = lines.next().and_then(|line| line.trim().parse().ok()).unwrap_or_default();
    lines.next();
    let files: Vec<&str> = lines.by_ref().take(count).collect();
    let mut gains = BTreeMap::new();
    for line in lines {
        let mut words = line.split_ascii_whitespace();
        let kind = words.next();
        let Some(file) = words.next().and_then(|number| number.parse().ok()).and_then(|at: usize| files.get(at)) else {
            continue;
        };
        let mut gain = |edges: usize, features: usize| {
            let gain: &mut Gain = gains.entry(PathBuf::from(file)).or_default();
            (gain.edges, gain.features) = (gain.edges + edges, gain.features + features);
        };
        match kind {
            Some("FT") => gain(0, words.count()),
            Some("COV") => gain(words.count(), 0),
            Some(_) | None => {}
        }
    }
    gains
}

fn names(folder: &Path) -> Result<BTreeSet<PathBuf>, Error> {
    let entries = fs::read_dir(folder).map_err(Error::file("read", folder))?;
    entries
        .map(|entry| entry.map(|entry| PathBuf::from(entry.file_name())))
        .collect::<Result<_, _>>()
        .map_err(Error::file("read", folder))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_control_file_says_what_each_input_adds() {
        let text =
            "3\n1\nfirst/a\nx/b\nx/c\nSTARTED 0 4\nFT 0 1 2 3\nCOV 0 7\nSTARTED 1 5\nFT 1 4\nCOV 1\nSTARTED 2 9\n";
        let gains = gains(text);
        assert_eq!(gains[Path::new("first/a")], Gain { edges: 1, features: 3 });
        assert_eq!(gains[Path::new("x/b")], Gain { edges: 0, features: 1 });
        assert!(!gains.contains_key(Path::new("x/c")));
    }

    #[test]
    fn a_pack_is_filled_with_the_best() {
        let noise = |seed: u64, length: usize| {
            let mut chance = fastrand::Rng::with_seed(seed);
            std::iter::repeat_with(|| chance.u8(..)).take(length).collect::<Vec<u8>>()
        };
        let added = vec![
            (Gain { edges: 0, features: 1 }, noise(1, 900)),
            (Gain { edges: 0, features: 90 }, noise(2, 900)),
            (Gain { edges: 1, features: 1 }, noise(3, 900)),
        ];
        let chosen = fill(added.clone(), 2000).unwrap();
        assert_eq!((chosen.inputs, chosen.of), (2, 3));
        let inputs = corpus::unpack(&chosen.packed).unwrap();
        assert!(inputs.contains(&noise(2, 900)) && inputs.contains(&noise(3, 900)));
        assert_eq!(fill(added, 10).unwrap().inputs, 0);
    }
}
