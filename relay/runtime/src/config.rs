//! Configuration: a TOML file into a raw form, the raw form into a typed one, all mistakes at once.
//!
//! The raw form holds what the file says (strings, numbers, lists) and refuses unknown keys. Turning it into the typed form
//! collects [`Problems`], each with its place, its value and its remedy, so that an operator mends a file in one go.

use std::{
    fmt, io,
    io::Read as _,
    path::{Path, PathBuf},
    str::FromStr,
};

use serde::{Serialize, de::DeserializeOwned};

mod releases;
mod values;
pub use releases::{RawAndroid, RawApple, RawReleases, RawWindows};
pub use values::{ByteSize, HostPort, HumanDuration, ListenAddr, Setting};

/// Bytes of a configuration file at most: a hundred times the largest that makes sense.
pub const FILE_BYTES_MAX: u64 = 1024 * 1024;
/// Characters of a value that a problem repeats; the rest is cut.
const SHOWN_CHARS_MAX: usize = 120;

/// One mistake in a configuration.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// Where: a path in the configuration (`listen[0]`, `tls.key`), or the file with line and column.
    pub path: String,
    /// What stands there, if it is not too much and not a secret.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
    /// What is wrong with it.
    pub problem: String,
    /// What to do.
    pub remedy: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.path)?;
        if let Some(value) = &self.value {
            write!(f, " = {value:?}")?;
        }
        write!(f, ": {}; {}", self.problem, self.remedy)
    }
}

/// All mistakes found in a configuration; as an error it shows one per line.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Problems(Vec<Problem>);

impl Problems {
    /// None yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The only mistake.
    #[must_use]
    pub fn one(path: impl Into<String>, problem: impl Into<String>, remedy: impl Into<String>) -> Self {
        let mut problems = Self::new();
        problems.add(path, problem, remedy);
        problems
    }

    /// Adds a mistake whose value is missing, too long or secret.
    pub fn add(&mut self, path: impl Into<String>, problem: impl Into<String>, remedy: impl Into<String>) {
        self.0.push(Problem { path: path.into(), value: None, problem: problem.into(), remedy: remedy.into() });
    }

    /// Adds a mistake and shows its value.
    pub fn add_value(
        &mut self,
        path: impl Into<String>,
        value: impl fmt::Display,
        problem: impl Into<String>,
        remedy: impl Into<String>,
    ) {
        let mut value = value.to_string();
        if let Some((end, _)) = value.char_indices().nth(SHOWN_CHARS_MAX) {
            value.truncate(end);
            value.push_str("...");
        }
        self.0.push(Problem { path: path.into(), value: Some(value), problem: problem.into(), remedy: remedy.into() });
    }

    /// Reads one value; `None` and a mistake on the list if it is not one. Take the type's default then and go on.
    pub fn parse<T: Setting>(&mut self, path: impl Into<String>, text: &str) -> Option<T>
    where
        <T as FromStr>::Err: fmt::Display,
    {
        match text.parse() {
            Ok(value) => Some(value),
            Err(error) => {
                self.add_value(path, text, error.to_string(), T::REMEDY);
                None
            }
        }
    }

    /// Checks that `file` exists, is a file, and that nobody but its owner can read it. `true` if all holds.
    pub fn check_private_file(&mut self, path: impl Into<String>, file: &Path) -> bool {
        let metadata = match std::fs::metadata(file) {
            Ok(metadata) => metadata,
            Err(error) => {
                self.add_value(path, file.display(), reading_failed(&error), "name a file that this user can read");
                return false;
            }
        };
        if !metadata.is_file() {
            self.add_value(path, file.display(), "not a file", "name a file");
            return false;
        }
        if let Some(mode) = readable_by_others(&metadata) {
            let remedy = format!("chmod 600 {}", file.display());
            self.add_value(path, file.display(), format!("mode {mode:04o} lets others at a secret"), remedy);
            return false;
        }
        true
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The mistakes, in the order they were found.
    pub fn iter(&self) -> std::slice::Iter<'_, Problem> {
        self.0.iter()
    }

    /// Takes over the mistakes of another list.
    pub fn extend(&mut self, other: Self) {
        self.0.extend(other.0);
    }

    /// `value` if there are no mistakes.
    ///
    /// # Errors
    /// The mistakes.
    pub fn into_result<T>(self, value: T) -> Result<T, Self> {
        if self.0.is_empty() { Ok(value) } else { Err(self) }
    }

    /// The list as JSON: `[{"path": .., "value": .., "problem": .., "remedy": ..}]`.
    #[must_use]
    pub fn to_json(&self) -> serde_json::Value {
        serde_json::json!(self.0)
    }
}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (n, problem) in self.0.iter().enumerate() {
            if n > 0 {
                writeln!(f)?;
            }
            write!(f, "{problem}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Problems {}

impl<'a> IntoIterator for &'a Problems {
    type Item = &'a Problem;
    type IntoIter = std::slice::Iter<'a, Problem>;
    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

/// Reads a TOML file into its raw form.
///
/// `Raw` should carry `#[serde(deny_unknown_fields)]` on every struct, so that a mistyped key is an error and not a
/// setting that silently does nothing.
///
/// # Errors
/// One problem: the file cannot be read, is too large or not text, or a place in it (line and column) is not as it should.
pub fn load_toml<Raw: DeserializeOwned>(file: &Path) -> Result<Raw, Problems> {
    let shown = file.display().to_string();
    let text = read_bounded(file).map_err(|error| {
        let remedy = if error.kind() == io::ErrorKind::NotFound {
            "give the right path with --config, or make a configuration with `init`"
        } else {
            "give the path of a TOML file that this user can read"
        };
        Problems::one(shown.clone(), reading_failed(&error), remedy)
    })?;
    parse_toml(&shown, &text)
}

/// Reads TOML text into its raw form; `name` is what problems call it.
///
/// # Errors
/// One problem with line and column.
pub fn parse_toml<Raw: DeserializeOwned>(name: &str, text: &str) -> Result<Raw, Problems> {
    toml::from_str(text).map_err(|error| {
        let place = match error.span() {
            Some(span) => {
                let (line, column) = line_and_column(text, span.start);
                format!("{name}:{line}:{column}")
            }
            None => name.to_owned(),
        };
        Problems::one(place, error.message().replace('\n', " "), "correct this line")
    })
}

/// Writes a raw form as TOML text, which [`parse_toml`] reads as the same.
///
/// # Errors
/// One problem: a path is not Unicode, so that no TOML text can hold it.
pub fn print_toml<Raw: Serialize>(raw: &Raw) -> Result<String, Problems> {
    toml::to_string(raw).map_err(|error| {
        let remedy = "rename files and folders so that their names are Unicode";
        Problems::one("--print", format!("cannot be written as TOML: {error}"), remedy)
    })
}

/// The path of `file` as seen from the configuration file's folder: relative paths in a configuration start there.
#[must_use]
pub fn beside(config: &Path, file: &Path) -> PathBuf {
    match config.parent() {
        Some(folder) => folder.join(file),
        None => file.to_owned(),
    }
}

fn read_bounded(file: &Path) -> io::Result<String> {
    let opened = std::fs::File::open(file)?;
    if opened.metadata()?.is_dir() {
        return Err(io::Error::new(io::ErrorKind::IsADirectory, "it is a folder"));
    }
    let mut bytes = Vec::new();
    opened.take(FILE_BYTES_MAX + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > FILE_BYTES_MAX {
        let text = format!("it is larger than {FILE_BYTES_MAX} bytes");
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, text));
    }
    String::from_utf8(bytes).map_err(|_| io::Error::new(io::ErrorKind::InvalidData, "it is not UTF-8 text"))
}

fn reading_failed(error: &io::Error) -> String {
    if error.kind() == io::ErrorKind::NotFound {
        "file not found".to_owned()
    } else if error.kind() == io::ErrorKind::PermissionDenied {
        "this user may not read it".to_owned()
    } else {
        format!("cannot be read: {error}")
    }
}

/// Lines and columns count from one; a column is a character.
fn line_and_column(text: &str, offset: usize) -> (usize, usize) {
    let before = text.get(..offset).unwrap_or(text);
    let line_start = before.rfind('\n').map_or(0, |at| at + 1);
    (before.matches('\n').count() + 1, before[line_start..].chars().count() + 1)
}

/// The mode of a file whose group or others have any right to it.
#[cfg(unix)]
fn readable_by_others(metadata: &std::fs::Metadata) -> Option<u32> {
    use std::os::unix::fs::PermissionsExt as _;
    let mode = metadata.permissions().mode() & 0o7777;
    (mode & 0o077 != 0).then_some(mode)
}

/// Where there are no modes there is nothing to check; access lists are the operator's.
#[cfg(not(unix))]
fn readable_by_others(_metadata: &std::fs::Metadata) -> Option<u32> {
    None
}

#[cfg(test)]
mod tests;
