//! Copies of the source tree, in which defects are planted one after the other.

use std::{
    fs::{self, File},
    io,
    path::{Path, PathBuf},
};

use super::patch::Patch;
use crate::error::Error;

/// A copy of the source tree that keeps its place, so that a build of it is never begun from nothing.
pub struct Tree {
    /// The tree that is copied.
    clean: PathBuf,
    /// The copy.
    pub root: PathBuf,
    /// What differs in the copy.
    touched: Vec<PathBuf>,
}

impl Tree {
    /// A copy of `clean` at `root`. What is there already and the same keeps its time, so that cargo sees what has changed;
    /// what an earlier run has left planted is put right.
    ///
    /// # Errors
    /// If it cannot be read or written.
    pub fn copy(clean: &Path, root: PathBuf) -> Result<Self, Error> {
        let mut files = Vec::new();
        walk(clean, Path::new(""), &mut files)?;
        for file in &files {
            refresh(&clean.join(file), &root.join(file))?;
        }
        let mut copied = Vec::new();
        walk(&root, Path::new(""), &mut copied)?;
        for file in copied {
            if files.binary_search(&file).is_err() {
                let path = root.join(file);
                fs::remove_file(&path).map_err(Error::file("remove", path))?;
            }
        }
        Ok(Self { clean: clean.to_owned(), root, touched: Vec::new() })
    }

    /// Plants a defect, in place of the one before. Names the files that it is in.
    ///
    /// # Errors
    /// In the outer result if files cannot be written; in the inner one if the patch does not fit.
    pub fn plant(&mut self, patch: &Patch) -> Result<Result<Vec<PathBuf>, String>, Error> {
        self.restore()?;
        let touched = patch.apply(&self.root);
        if let Ok(touched) = &touched {
            self.touched.clone_from(touched);
        }
        Ok(touched)
    }

    /// Takes the defect out again.
    ///
    /// # Errors
    /// If a file cannot be written.
    pub fn restore(&mut self) -> Result<(), Error> {
        while let Some(file) = self.touched.last() {
            let (from, to) = (self.clean.join(file), self.root.join(file));
            if from.is_file() {
                refresh(&from, &to)?;
            } else if to.is_file() {
                fs::remove_file(&to).map_err(Error::file("remove", to))?;
            }
            self.touched.pop();
        }
        Ok(())
    }
}

/// The files of a tree that builds read, sorted.
fn walk(root: &Path, below: &Path, files: &mut Vec<PathBuf>) -> Result<(), Error> {
    let folder = root.join(below);
    for entry in fs::read_dir(&folder).map_err(Error::file("read", &folder))? {
        let entry = entry.map_err(Error::file("read", &folder))?;
        let path = below.join(entry.file_name());
        let kind = entry.file_type().map_err(Error::file("read", root.join(&path)))?;
        if kind.is_dir() && !is_left_out(&path) {
            walk(root, &path, files)?;
        } else if kind.is_file() {
            files.push(path);
        }
    }
    if below == Path::new("") {
        files.sort();
    }
    Ok(())
}

/// Build output, working corpora, and what belongs to git: what `.gitignore` names, and `.git`.
fn is_left_out(folder: &Path) -> bool {
    let name = folder.file_name().unwrap_or_default().to_string_lossy();
    let is_top = folder.components().count() == 1;
    (is_top && (name == ".git" || name == "demo" || name.starts_with("target")))
        || folder.parent() == Some(Path::new("fuzz/corpus"))
        || ["fuzz/artifacts", "fuzz/coverage"].iter().any(|known| folder == Path::new(known))
}

/// Makes `to` hold what `from` holds; untouched if it does.
fn refresh(from: &Path, to: &Path) -> Result<(), Error> {
    let content = fs::read(from).map_err(Error::file("read", from))?;
    if fs::read(to).is_ok_and(|there| there == content) {
        return Ok(());
    }
    if let Some(parent) = to.parent() {
        fs::create_dir_all(parent).map_err(Error::file("create", parent))?;
    }
    fs::write(to, content).map_err(Error::file("write", to))
}

/// Copies a folder of build output with the times that cargo compares. What the copy cannot use it builds again.
///
/// # Errors
/// What the operating system said.
pub fn copy_build(from: &Path, to: &Path) -> io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let (from, to) = (entry.path(), to.join(entry.file_name()));
        let about = entry.metadata()?;
        if about.is_dir() {
            copy_build(&from, &to)?;
        } else if about.is_file() {
            fs::copy(&from, &to)?;
            File::options().write(true).open(&to)?.set_modified(about.modified()?)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(path: &Path, text: &str) {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    #[test]
    fn a_copy_has_what_builds_read_and_is_put_right() {
        let (clean, copy) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        for (file, text) in [
            ("Cargo.toml", "c"),
            ("relay/wire/src/x.rs", "one\n"),
            ("target/debug/x", "t"),
            ("target-old/x", "t"),
            (".git/HEAD", "g"),
            ("fuzz/corpus/linux.pack", "p"),
            ("fuzz/corpus/linux/0", "0"),
            ("fuzz/artifacts/linux/crash-0", "0"),
        ] {
            write(&clean.path().join(file), text);
        }
        write(&copy.path().join("relay/wire/src/stale.rs"), "s");
        let mut tree = Tree::copy(clean.path(), copy.path().to_owned()).unwrap();
        let mut files = Vec::new();
        walk(copy.path(), Path::new(""), &mut files).unwrap();
        assert_eq!(files, ["Cargo.toml", "fuzz/corpus/linux.pack", "relay/wire/src/x.rs"].map(PathBuf::from));

        let text = "--- a/relay/wire/src/x.rs\n+++ b/relay/wire/src/x.rs\n@@ -1 +1 @@\n-one\n+two\n\
                    --- /dev/null\n+++ b/relay/wire/src/y.rs\n@@ -0,0 +1 @@\n+new\n";
        let patch = Patch::parse(text).unwrap();
        let planted = copy.path().join("relay/wire/src/x.rs");
        let added = copy.path().join("relay/wire/src/y.rs");
        assert_eq!(tree.plant(&patch).unwrap().unwrap().len(), 2);
        assert_eq!((fs::read_to_string(&planted).unwrap().as_str(), added.exists()), ("two\n", true));
        // Planting again begins with the clean tree.
        assert_eq!(tree.plant(&patch).unwrap().unwrap().len(), 2);
        tree.restore().unwrap();
        assert_eq!((fs::read_to_string(&planted).unwrap().as_str(), added.exists()), ("one\n", false));
    }

    #[test]
    fn a_file_that_is_the_same_keeps_its_time() {
        let (clean, copy) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        write(&clean.path().join("Cargo.toml"), "c");
        write(&clean.path().join("Cargo.lock"), "new");
        write(&copy.path().join("Cargo.toml"), "c");
        write(&copy.path().join("Cargo.lock"), "old");
        let old = std::time::SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(1_000_000_000);
        for file in ["Cargo.toml", "Cargo.lock"] {
            File::options().write(true).open(copy.path().join(file)).unwrap().set_modified(old).unwrap();
        }
        Tree::copy(clean.path(), copy.path().to_owned()).unwrap();
        let time = |file: &str| fs::metadata(copy.path().join(file)).unwrap().modified().unwrap();
        assert_eq!(time("Cargo.toml"), old);
        assert_ne!(time("Cargo.lock"), old);
        let again = tempfile::tempdir().unwrap();
        copy_build(copy.path(), again.path()).unwrap();
        assert_eq!(fs::metadata(again.path().join("Cargo.toml")).unwrap().modified().unwrap(), old);
    }
}
