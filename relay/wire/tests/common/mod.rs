//! Reading the golden vectors.
#![allow(dead_code, reason = "each test binary uses its own part")]

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use relay_wire::{Code, Platform};

/// One file of `vectors/`.
pub struct Vector {
    /// The file.
    pub path: PathBuf,
    /// The folder it is in.
    pub platform: Platform,
    /// `Ok`, or the code that must be given.
    pub verdict: Result<(), Code>,
    /// The body.
    pub body: Vec<u8>,
    /// The canonical encoding, where the vector fixes it.
    pub canonical: Option<Vec<u8>>,
}

/// The vector `<platform>/<name>.vector`.
pub fn vector(platform: Platform, name: &str) -> Vector {
    read(platform, &folder().join(platform.as_str()).join(name).with_extension("vector"))
}

/// Every vector, sorted by file.
pub fn all() -> Vec<Vector> {
    let mut vectors = Vec::new();
    for platform in Platform::ALL {
        let Ok(entries) = fs::read_dir(folder().join(platform.as_str())) else { continue };
        let mut paths: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
        paths.sort();
        for path in paths {
            assert_eq!(path.extension().and_then(|text| text.to_str()), Some("vector"), "{}", path.display());
            vectors.push(read(platform, &path));
        }
    }
    vectors
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("vectors")
}

fn read(platform: Platform, path: &Path) -> Vector {
    let bytes = fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    parse(platform, path, &bytes).unwrap_or_else(|problem| panic!("{}: {problem}", path.display()))
}

fn parse(platform: Platform, path: &Path, bytes: &[u8]) -> Result<Vector, String> {
    let end = bytes.windows(2).position(|pair| pair == b"\n\n").ok_or("no empty line")?;
    let head = std::str::from_utf8(&bytes[..end]).map_err(|error| error.to_string())?;
    let mut keys = BTreeMap::new();
    for line in head.lines() {
        let (key, value) = line.split_once(": ").ok_or_else(|| format!("not `key: value`: {line}"))?;
        if keys.insert(key, value).is_some() {
            return Err(format!("`{key}` twice"));
        }
    }
    let verdict = match keys.remove("verdict").ok_or("no verdict")? {
        "ok" => Ok(()),
        code => Err(Code::ALL.into_iter().find(|known| known.as_str() == code).ok_or("unknown verdict")?),
    };
    let rest = bytes[end + 2..].strip_suffix(b"\n").ok_or("no LF at the end of the file")?;
    let body = match keys.remove("body").ok_or("no body")? {
        "text" => rest.to_vec(),
        "hex" => unhex(std::str::from_utf8(rest).map_err(|error| error.to_string())?),
        other => return Err(format!("unknown kind of body: {other}")),
    };
    let canonical = keys.remove("canonical").map(unhex);
    keys.remove("about");
    match keys.keys().next() {
        Some(key) => Err(format!("unknown key `{key}`")),
        None => Ok(Vector { path: path.to_owned(), platform, verdict, body, canonical }),
    }
}

/// The bytes of hex digits, white space ignored.
pub fn unhex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> =
        text.chars().filter(|c| !c.is_whitespace()).map(|c| u8::try_from(c.to_digit(16).unwrap()).unwrap()).collect();
    assert!(digits.len().is_multiple_of(2));
    digits.chunks(2).map(|pair| pair[0] << 4 | pair[1]).collect()
}

/// Lower-case hex.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
