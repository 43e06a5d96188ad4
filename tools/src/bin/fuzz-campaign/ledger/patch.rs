//! Planted defects as files: unified diffs, ours with a header of comments before them, anybody's without.
//!
//! They are applied by this reader rather than by `git apply` or `patch`: it needs neither program nor a repository, and says in
//! one line why a file does not fit.

use std::{
    collections::BTreeMap,
    fs,
    path::{Component, Path, PathBuf},
};

use super::hunk::{self, Hunk, Lines};
use crate::error::Error;

/// A planted defect.
#[derive(Clone, Debug)]
pub struct Patch {
    /// The `# key: value` lines before the diff.
    pub header: BTreeMap<String, String>,
    files: Vec<FileChange>,
}

/// What the diff says of one file.
#[derive(Clone, Debug, Default)]
struct FileChange {
    /// As written, `None` for `/dev/null`.
    old: Option<String>,
    new: Option<String>,
    hunks: Vec<Hunk>,
}

/// A file of the tree as the patch leaves it.
struct Written {
    path: PathBuf,
    /// `None`: it is no more.
    content: Option<String>,
}

impl Patch {
    /// The `*.patch` files of `folder`, by name.
    ///
    /// # Errors
    /// If there is no such folder, or no such file in it.
    pub fn list(folder: &Path) -> Result<Vec<PathBuf>, Error> {
        let entries = fs::read_dir(folder).map_err(|error| {
            Error::Usage(format!(
                "--patches {}: {error}; give a folder of *.patch files, such as fuzz/ledger",
                folder.display()
            ))
        })?;
        let mut paths = Vec::new();
        for entry in entries {
            let path = entry.map_err(Error::file("read", folder))?.path();
            if path.is_file() && path.extension().is_some_and(|ending| ending == "patch") {
                paths.push(path);
            }
        }
        paths.sort();
        if paths.is_empty() {
            return Err(Error::Usage(format!(
                "--patches {}: no *.patch file in it; `git diff > {}/NAME.patch` makes one",
                folder.display(),
                folder.display()
            )));
        }
        Ok(paths)
    }

    /// The name that a patch has in tables.
    pub fn name_of(path: &Path) -> String {
        path.file_stem().map_or_else(String::new, |stem| stem.to_string_lossy().into_owned())
    }

    /// Reads a patch.
    ///
    /// # Errors
    /// Why it is none that can be used.
    pub fn read(path: &Path) -> Result<Self, String> {
        let text = fs::read(path).map_err(|error| format!("cannot be read: {error}"))?;
        let text = String::from_utf8(text).map_err(|_| "is not UTF-8".to_owned())?;
        Self::parse(&text)
    }

    /// Reads the text of a patch.
    ///
    /// # Errors
    /// Why it is none that can be used.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut lines = Lines::new(text);
        let mut header = BTreeMap::new();
        let mut files: Vec<FileChange> = Vec::new();
        while let Some(line) = lines.next() {
            if let Some((key, value)) = line.strip_prefix("# ").and_then(|line| line.split_once(": "))
                && files.is_empty()
            {
                header.insert(key.trim().to_owned(), value.trim().to_owned());
            } else if line.starts_with("GIT binary patch") || line.starts_with("Binary files ") {
                return Err("changes a binary file; only text can be patched".to_owned());
            } else if line.starts_with("diff --git ") {
                files.push(FileChange::default());
            } else if let (Some(old), Some(new)) = (line.strip_prefix("rename from "), lines.peek_rename()) {
                if let Some(file) = files.last_mut() {
                    (file.old, file.new) = (Some(old.to_owned()), Some(new.to_owned()));
                }
            } else if let (Some(old), Some(new)) = (line.strip_prefix("--- "), lines.take_prefixed("+++ ")) {
                let (old, new) = (file_name(old)?, file_name(new)?);
                match files.last_mut() {
                    // Behind a `diff --git` line, which names no file that these do not.
                    Some(file) if file.hunks.is_empty() => (file.old, file.new) = (old, new),
                    Some(_) | None => files.push(FileChange { old, new, hunks: Vec::new() }),
                }
            } else if line.starts_with("@@ ") {
                let file = files.last_mut().ok_or("has a hunk before any file name (`--- a/...`, `+++ b/...`)")?;
                file.hunks.push(Hunk::parse(line, &mut lines)?);
            }
        }
        files.retain(|file| !file.hunks.is_empty() || file.old != file.new);
        if files.is_empty() {
            return Err("holds no unified diff (`--- a/...`, `+++ b/...`, `@@ ... @@`)".to_owned());
        }
        Ok(Self { header, files })
    }

    /// The files of the tree at `root` that it touches, if it fits.
    ///
    /// # Errors
    /// The place that does not fit.
    pub fn check(&self, root: &Path) -> Result<Vec<PathBuf>, String> {
        Ok(self.prepare(root)?.into_iter().map(|file| file.path).collect())
    }

    fn prepare(&self, root: &Path) -> Result<Vec<Written>, String> {
        let mut written = Vec::new();
        for file in &self.files {
            file.prepare(root, &mut written)?;
        }
        Ok(written)
    }

    /// Applies it to the tree at `root`, whole or not at all; the files that it touched, from there.
    ///
    /// # Errors
    /// The place that does not fit.
    pub fn apply(&self, root: &Path) -> Result<Vec<PathBuf>, String> {
        let written = self.prepare(root)?;
        let mut touched = Vec::new();
        for Written { path, content } in written {
            let target = root.join(&path);
            let done = match content {
                Some(content) => {
                    target.parent().map_or(Ok(()), fs::create_dir_all).and_then(|()| fs::write(&target, content))
                }
                None => fs::remove_file(&target),
            };
            done.map_err(|error| format!("{}: {error}", path.display()))?;
            touched.push(path);
        }
        Ok(touched)
    }
}

impl FileChange {
    /// What becomes of the file, given what earlier parts of the patch have made of the tree.
    fn prepare(&self, root: &Path, written: &mut Vec<Written>) -> Result<(), String> {
        // `diff -u x.orig x`: the tree has one of the two.
        let named = |name: &str| {
            existing(root, name).or_else(|why| self.new.as_deref().and_then(|new| existing(root, new).ok()).ok_or(why))
        };
        let old = self.old.as_deref().map(named).transpose()?;
        let new = match (self.new.as_deref(), &old) {
            (None, _) => None,
            (Some(new), Some(old))
                if same_below(self.old.as_deref(), new) || existing(root, new).as_ref() == Ok(old) =>
            {
                Some(old.clone())
            }
            (Some(new), _) => Some(fresh(root, new)?),
        };
        let before = match &old {
            None => String::new(),
            Some(path) => match written.iter().rev().find(|earlier| earlier.path == *path) {
                Some(earlier) => earlier.content.clone().unwrap_or_default(),
                None => fs::read_to_string(root.join(path)).map_err(|error| format!("{}: {error}", path.display()))?,
            },
        };
        let named = new.as_ref().or(old.as_ref()).map(|path| path.display().to_string()).unwrap_or_default();
        let after = hunk::apply(&self.hunks, &before).map_err(|why| format!("does not apply: {named}: {why}"))?;
        if let Some(old) = old
            && new.as_ref() != Some(&old)
        {
            written.push(Written { path: old, content: None });
        }
        if let Some(path) = new {
            written.push(Written { path, content: Some(after) });
        }
        Ok(())
    }
}

/// The name in a `---` or `+++` line: up to the time that `diff -u` writes behind a TAB; `None` for `/dev/null`.
fn file_name(text: &str) -> Result<Option<String>, String> {
    let name = text.split('\t').next().unwrap_or_default().trim_end();
    if name.starts_with('"') {
        return Err(format!("names a file in quotes ({name}); names of plain characters alone can be used"));
    }
    Ok((name != "/dev/null").then(|| name.to_owned()))
}

/// The parts of a name as written.
fn parts(name: &str) -> Vec<&str> {
    name.split('/').filter(|part| !part.is_empty() && *part != ".").collect()
}

/// Whether two names are one but for their first part (`a/x`, `b/x`; `old/x`, `new/x`).
fn same_below(old: Option<&str>, new: &str) -> bool {
    old.is_some_and(|old| parts(old).get(1..) == parts(new).get(1..))
}

/// The file of the tree that `name` means, leading folders that the tree does not know left out.
fn existing(root: &Path, name: &str) -> Result<PathBuf, String> {
    below(name, |path| root.join(path).is_file())
        .ok_or_else(|| format!("does not apply: there is no file {name} in the tree"))
}

/// Where a new file `name` belongs: into a top folder that the tree has.
fn fresh(root: &Path, name: &str) -> Result<PathBuf, String> {
    below(name, |path| {
        path.components().count() > 1 && path.components().next().is_some_and(|top| root.join(top).is_dir())
    })
    .ok_or_else(|| format!("does not apply: {name} is in none of the tree's folders"))
}

fn below(name: &str, fits: impl Fn(&Path) -> bool) -> Option<PathBuf> {
    let parts = parts(name);
    // git's `a/` and `b/` are no folders of ours: without them first.
    let from = usize::from(matches!(parts.first(), Some(&("a" | "b"))));
    (from..parts.len())
        .chain(0..from)
        .map(|start| parts[start..].iter().collect::<PathBuf>())
        .filter(|path| path.components().all(|component| matches!(component, Component::Normal(_))))
        .find(|path| fits(path))
}

#[cfg(test)]
mod tests;
