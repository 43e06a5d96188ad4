//! `fuzz/targets.toml`: the only list of targets, and the folders that belong to each.

use std::{
    fs,
    path::{Path, PathBuf},
};

use serde::Deserialize;

use crate::error::Error;

/// A source tree with the fuzz kit in it: this one, or a copy with a defect planted.
#[derive(Clone, Debug)]
pub struct Workspace {
    /// The folder that holds `fuzz/targets.toml`.
    pub root: PathBuf,
    /// In the order of the list.
    pub targets: Vec<TargetInfo>,
}

/// A row of `fuzz/targets.toml`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TargetInfo {
    /// The binary.
    pub name: String,
    /// What holds for every input.
    pub property: String,
    /// What it links.
    pub group: Group,
    /// Bytes of an input at most.
    pub max_len: usize,
    /// The file in `fuzz/dictionaries`, without its ending.
    #[serde(default)]
    pub dictionary: Option<String>,
    /// Prefixes of the paths that it is the one to judge.
    #[serde(default)]
    pub covers: Vec<String>,
}

/// What a target links, smallest first.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, PartialOrd, Ord)]
#[serde(rename_all = "lowercase")]
pub enum Group {
    /// The protocol alone.
    Wire,
    /// Pins and certificates too.
    Trust,
    /// The relay.
    Relay,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct List {
    target: Vec<TargetInfo>,
}

impl Workspace {
    /// The tree at `given`, or else the nearest at or above the current folder.
    ///
    /// # Errors
    /// If there is none, or its list cannot be used.
    pub fn find(given: Option<&Path>) -> Result<Self, Error> {
        if let Some(root) = given {
            return Self::at(root);
        }
        let here = std::env::current_dir()
            .map_err(|source| Error::System { action: "find the current folder".to_owned(), source })?;
        let root = here.ancestors().find(|folder| folder.join("fuzz/targets.toml").is_file()).ok_or_else(|| {
            Error::Usage(format!(
                "no fuzz/targets.toml in {} or above it; run this inside the source tree, or give --workspace DIR",
                here.display()
            ))
        })?;
        Self::at(root)
    }

    /// The tree at `root`.
    ///
    /// # Errors
    /// If its list is missing or cannot be used.
    pub fn at(root: &Path) -> Result<Self, Error> {
        let root = root.canonicalize().map_err(|error| {
            Error::Usage(format!("--workspace {}: {error}; give the folder of the source tree", root.display()))
        })?;
        let path = root.join("fuzz/targets.toml");
        let text = fs::read_to_string(&path).map_err(|error| {
            Error::Usage(format!("cannot read {}: {error}; give --workspace the source tree", path.display()))
        })?;
        let list: List = toml::from_str(&text).map_err(|error| Error::Usage(format!("{}: {error}", path.display())))?;
        Ok(Self { root, targets: list.target })
    }

    /// The targets of these names, in the order of the list; all, if none is named.
    ///
    /// # Errors
    /// If a name is not in the list.
    pub fn select(&self, names: &[String]) -> Result<Vec<&TargetInfo>, Error> {
        if let Some(unknown) = names.iter().find(|name| !self.targets.iter().any(|target| target.name == **name)) {
            let known: Vec<&str> = self.targets.iter().map(|target| target.name.as_str()).collect();
            return Err(Error::Usage(format!("no target {unknown:?}; there are {}", known.join(", "))));
        }
        Ok(self.targets.iter().filter(|target| names.is_empty() || names.contains(&target.name)).collect())
    }

    /// The dictionary file of a target that has one.
    pub fn dictionary(&self, target: &TargetInfo) -> Option<PathBuf> {
        target.dictionary.as_ref().map(|name| self.root.join("fuzz/dictionaries").join(format!("{name}.dict")))
    }

    /// The committed corpus of a target, packed.
    pub fn pack(&self, target: &str) -> PathBuf {
        self.root.join("fuzz/corpus").join(format!("{target}.pack"))
    }

    /// The working corpus of a target, as `cargo fuzz run` uses it; not committed.
    pub fn corpus(&self, target: &str) -> PathBuf {
        self.root.join("fuzz/corpus").join(target)
    }

    /// Inputs of defects that were mended.
    pub fn regressions(&self, target: &str) -> PathBuf {
        self.root.join("fuzz/regressions").join(target)
    }
}
