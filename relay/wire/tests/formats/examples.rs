//! The golden vectors: `vectors/PLATFORM/EXAMPLE.VERDICT`, each file one body, as it travels behind the opening frame.

use std::{fs, path::PathBuf};

use relay_wire::{Code, Platform, Rejection, Request, Validator};

/// One example.
pub struct Vector {
    /// Platform and example, for messages.
    pub name: String,
    /// Whose format it is in.
    pub platform: Platform,
    /// `None` if it passes.
    pub code: Option<Code>,
    /// The body.
    pub body: Vec<u8>,
}

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("vectors")
}

/// The vectors of `platform`, in the order of their names.
pub fn of(platform: Platform) -> Vec<Vector> {
    let mut files: Vec<PathBuf> = fs::read_dir(folder().join(platform.as_str()))
        .expect("the platform's vectors")
        .map(|entry| entry.expect("a file").path())
        .filter(|path| path.extension().is_some_and(|extension| extension != "canonical"))
        .collect();
    files.sort();
    let vector = |path: PathBuf| {
        let verdict = path.extension().and_then(|verdict| verdict.to_str()).expect("a verdict");
        let code = Code::ALL.into_iter().find(|code| code.as_str() == verdict);
        assert!(code.is_some() || verdict == "ok", "{}: no such verdict", path.display());
        let example = path.file_stem().and_then(|stem| stem.to_str()).expect("an example");
        Vector { name: format!("{platform} {example}"), platform, code, body: fs::read(&path).expect("a body") }
    };
    files.into_iter().map(vector).collect()
}

/// The body of a valid example.
pub fn body(platform: Platform, example: &str) -> Vec<u8> {
    let path = folder().join(platform.as_str()).join(example).with_extension("ok");
    fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The canonical encoding of a valid example.
pub fn canonical(platform: Platform, example: &str) -> Vec<u8> {
    let path = folder().join(platform.as_str()).join(example).with_extension("canonical");
    fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Writes the canonical encoding of a valid example anew.
pub fn write_canonical(platform: Platform, example: &str, encoded: &[u8]) {
    let path = folder().join(platform.as_str()).join(example).with_extension("canonical");
    fs::write(&path, encoded).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
}

/// The verdict of a validator with the default releases.
pub fn check(platform: Platform, body: &[u8]) -> Result<Request, Rejection> {
    Validator::default().check(platform, body).map(relay_wire::Checked::into_inner)
}

/// The code of that verdict; `None` if the body passes.
pub fn code(platform: Platform, body: &[u8]) -> Option<Code> {
    check(platform, body).err().map(|rejection| rejection.code)
}

/// `body` with its only `from` replaced by `to`.
pub fn change(body: &[u8], from: &str, to: &str) -> Vec<u8> {
    let from = from.as_bytes();
    let places: Vec<usize> =
        body.windows(from.len()).enumerate().filter(|(_, window)| *window == from).map(|(place, _)| place).collect();
    let [place] = places[..] else { panic!("{} is there {} times", String::from_utf8_lossy(from), places.len()) };
    [&body[..place], to.as_bytes(), &body[place + from.len()..]].concat()
}
