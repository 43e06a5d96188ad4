//! Makes a finding's input smaller without drifting to another defect: a candidate counts only if it shows the same class.

use std::{
    panic::catch_unwind,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use fuzz::run::Mutate;

use crate::{
    error::Error,
    judge::{Judge, Judged},
    libfuzzer,
    stop::Stop,
};

/// Candidates of the target's own mutator in one round: it can take a field out where bytes alone would break a length.
const MUTATIONS: u64 = 4000;

/// Says which class an input shows.
pub enum Witness {
    /// The oracle in a process of this program: thousands of inputs a second.
    Linked(Judge),
    /// The fuzzer's binary, a process per input: for what only the instrumented build shows.
    Binary {
        /// The target's binary.
        binary: PathBuf,
        /// A file for candidates.
        scratch: PathBuf,
    },
}

impl Witness {
    /// What an input shows.
    ///
    /// # Errors
    /// If a process cannot be started, or the file for candidates not be written.
    pub fn judge(&mut self, input: &[u8], stop: &Stop) -> Result<Option<Judged>, Error> {
        match self {
            Self::Linked(judge) => judge.judge(input),
            Self::Binary { binary, scratch } => {
                std::fs::write(&*scratch, input).map_err(Error::file("write", &*scratch))?;
                let found = libfuzzer::once(binary, scratch, true, stop)?;
                Ok(found.map(|found| Judged { class: found.class, detail: found.detail }))
            }
        }
    }

    /// The detail of what an input shows, if it shows this class.
    ///
    /// # Errors
    /// As [`Witness::judge`].
    fn shows(&mut self, input: &[u8], class: &str, stop: &Stop) -> Result<Option<String>, Error> {
        let judged = self.judge(input, stop)?;
        Ok(judged.filter(|judged| judged.class == class).map(|judged| judged.detail))
    }
}

/// What bounds a minimisation.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// Candidates at most.
    pub candidates: u64,
    /// Time at most.
    pub time: Duration,
}

/// The smallest input that shows `class` and was found within the bounds. `input` must show it.
///
/// # Errors
/// As [`Witness::judge`].
pub fn shrink(
    input: &[u8],
    class: &str,
    witness: &mut Witness,
    mutate: Option<Mutate>,
    bounds: Bounds,
    stop: &Stop,
) -> Result<Vec<u8>, Error> {
    let until = Instant::now() + bounds.time;
    let mut search = Search { best: input.to_vec(), class, witness, left: bounds.candidates, until, stop };
    loop {
        let before = search.best.clone();
        search.cut()?;
        if let Some(mutate) = mutate {
            search.mutate(mutate)?;
        }
        if search.best.len() == before.len() {
            search.plain()?;
        }
        if search.best == before || search.over() {
            return Ok(search.best);
        }
    }
}

struct Search<'a> {
    best: Vec<u8>,
    class: &'a str,
    witness: &'a mut Witness,
    left: u64,
    until: Instant,
    stop: &'a Stop,
}

impl Search<'_> {
    fn over(&self) -> bool {
        self.left == 0 || Instant::now() >= self.until || self.stop.requested()
    }

    /// Takes a candidate if it shows the class.
    fn try_one(&mut self, candidate: Vec<u8>) -> Result<bool, Error> {
        self.left = self.left.saturating_sub(1);
        let same = self.witness.shows(&candidate, self.class, self.stop)?.is_some();
        if same {
            self.best = candidate;
        }
        Ok(same)
    }

    /// Cuts out pieces: halves first, single bytes last.
    fn cut(&mut self) -> Result<(), Error> {
        let mut size = self.best.len().next_power_of_two();
        while size > 0 {
            let mut at = 0;
            while at < self.best.len() && !self.over() {
                let end = (at + size).min(self.best.len());
                let candidate = [&self.best[..at], &self.best[end..]].concat();
                if !self.try_one(candidate)? {
                    at += size;
                }
            }
            size /= 2;
        }
        Ok(())
    }

    /// Lets the target's mutator try: it knows the structure. Its chance is fixed, so that a result can be had again.
    fn mutate(&mut self, mutate: Mutate) -> Result<(), Error> {
        for seed in 0..MUTATIONS {
            if self.over() {
                break;
            }
            let (best, most) = (self.best.as_slice(), self.best.len());
            // A mutator that panics is a finding of the fuzzer's, not the end of a minimisation.
            let candidate = catch_unwind(|| mutate(best, most, &mut fastrand::Rng::with_seed(seed)));
            let candidate = candidate.unwrap_or_default();
            if let Some(candidate) = candidate.filter(|candidate| candidate.len() < most) {
                self.try_one(candidate)?;
            }
        }
        Ok(())
    }

    /// Replaces bytes by plainer ones of their kind, so that what is left to see matters.
    fn plain(&mut self) -> Result<(), Error> {
        for at in 0..self.best.len() {
            let plain = match self.best[at] {
                b'0' | b'a' | b'A' | 0 => continue,
                b'1'..=b'9' => b'0',
                b'b'..=b'z' => b'a',
                b'B'..=b'Z' => b'A',
                _ => 0,
            };
            if self.over() {
                break;
            }
            let mut candidate = self.best.clone();
            candidate[at] = plain;
            self.try_one(candidate)?;
        }
        Ok(())
    }
}

/// How a class is shown again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Shown {
    /// By `fuzz-campaign replay`, on stable Rust.
    Replay,
    /// By the fuzzer's binary alone.
    Binary,
    /// Not a second time.
    Never,
}

/// The result of [`smallest`].
#[derive(Clone, Debug)]
pub struct Smallest {
    /// The smallest input found; the given one, if the class was not shown again.
    pub input: Vec<u8>,
    /// Of this input, for people; `None`: the class was not shown again.
    pub detail: Option<String>,
    /// What shows its class.
    pub shown: Shown,
}

/// Minimises `input` with whatever shows `class` again: the linked oracle if it does, or else the fuzzer's binary, where there is
/// one.
///
/// # Errors
/// As [`Witness::judge`].
pub fn smallest(
    target: &str,
    class: &str,
    input: &[u8],
    binary: Option<&Path>,
    scratch: &Path,
    time: Duration,
    stop: &Stop,
) -> Result<Smallest, Error> {
    let linked = crate::judge::linked(target);
    if let Some(linked) = linked {
        let mut witness = Witness::Linked(Judge::new(linked));
        if witness.shows(input, class, stop)?.is_some() {
            let bounds = Bounds { candidates: 100_000, time };
            let input = shrink(input, class, &mut witness, linked.mutate, bounds, stop)?;
            let detail = witness.shows(&input, class, stop)?;
            return Ok(Smallest { input, detail, shown: Shown::Replay });
        }
    }
    if let Some(binary) = binary {
        let mut witness = Witness::Binary { binary: binary.to_owned(), scratch: scratch.to_owned() };
        if witness.shows(input, class, stop)?.is_some() {
            let bounds = Bounds { candidates: 2000, time };
            let mutate = linked.and_then(|linked| linked.mutate);
            let input = shrink(input, class, &mut witness, mutate, bounds, stop)?;
            let detail = witness.shows(&input, class, stop)?;
            let _ = std::fs::remove_file(scratch);
            return Ok(Smallest { input, detail, shown: Shown::Binary });
        }
    }
    Ok(Smallest { input: input.to_vec(), detail: None, shown: Shown::Never })
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    /// A program that shows `a` where the input has an `x`, and otherwise `b` where it has a `y`.
    fn witness(folder: &Path) -> Witness {
        let binary = folder.join("target");
        let script = "#!/bin/sh\nfor file; do :; done\n\
                      grep -q x \"$file\" && { echo 'FINDING a' >&2; exit 77; }\n\
                      grep -q y \"$file\" && { echo 'FINDING b' >&2; exit 77; }\nexit 0\n";
        // Another process writes it: what this one writes, a child of another test may hold open, and then it cannot be run.
        let write = "printf %s \"$1\" > \"$2\" && chmod 755 \"$2\"";
        let written = Command::new("sh").args(["-c", write, "sh", script]).arg(&binary).status().unwrap();
        assert!(written.success());
        Witness::Binary { binary, scratch: folder.join("candidate") }
    }

    #[test]
    fn what_is_left_shows_the_same_class() {
        let folder = tempfile::tempdir().unwrap();
        let mut witness = witness(folder.path());
        let bounds = Bounds { candidates: 200, time: Duration::from_secs(60) };
        let stop = Stop::default();
        for (input, class, least) in [("123yxy456", "a", "x"), ("12345y", "b", "y")] {
            let shrunk = shrink(input.as_bytes(), class, &mut witness, None, bounds, &stop).unwrap();
            assert_eq!(String::from_utf8_lossy(&shrunk), least);
        }
        let none = Bounds { candidates: 0, ..bounds };
        assert_eq!(shrink(b"12x", "a", &mut witness, None, none, &stop).unwrap(), b"12x");
    }
}
