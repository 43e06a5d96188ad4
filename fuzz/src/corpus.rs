//! Inputs that are kept: committed corpora, packed; seeds of our own writers; inputs of defects that were mended.
//!
//! A pack is one file `fuzz/corpus/<target>.pack`:
//!
//! ```text
//! 8 bytes   "SLYPACK1"
//! rest      a zlib stream (RFC 1950, its checksum included) of inputs: for each its length, 4 bytes, big endian, and its bytes
//! ```
//!
//! Inputs are sorted and each occurs once, so that the same corpus always gives the same file.

use std::{
    collections::BTreeSet,
    fs,
    io::{self, Read, Write},
    path::{Path, PathBuf},
};

use flate2::{Compression, read::ZlibDecoder, write::ZlibEncoder};
use thiserror::Error;

use crate::Target;

/// The first bytes of a pack.
const MAGIC: &[u8; 8] = b"SLYPACK1";
/// A packed file at most, in bytes.
const PACKED: u64 = 4 << 20;
/// Inputs of a pack together at most, in bytes.
const UNPACKED: u64 = 64 << 20;
/// Inputs of a pack at most: empty ones would cost nothing but memory.
const INPUTS: usize = 1 << 16;
/// One input at most, in bytes: a pack's and a file's.
pub const INPUT: usize = 1 << 20;

/// Why a pack cannot be used.
#[derive(Debug, Error)]
pub enum PackError {
    /// Something else than a pack.
    #[error("this is no pack: it does not begin with SLYPACK1; write it again with `fuzz-campaign seeds --pack`")]
    Magic,
    /// Cut short, damaged, or more than a pack may hold.
    #[error(
        "the pack is damaged: {0}; restore the committed file, or write it again with `fuzz-campaign seeds --pack`"
    )]
    Damaged(String),
    /// An input longer than [`INPUT`].
    #[error("an input of {0} bytes; a pack takes inputs of at most {INPUT}")]
    Input(usize),
    /// A file could not be read.
    #[error("cannot read {}: {source}", path.display())]
    Read {
        /// Which.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
}

/// An input and where it comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Input {
    /// For people: `seed 3`, `fuzz/corpus/x.pack input 17`, a file's path.
    pub origin: String,
    /// What the oracle gets.
    pub bytes: Vec<u8>,
}

/// Packs inputs.
///
/// # Errors
/// [`PackError::Input`] if one is too long.
pub fn pack<'a>(inputs: impl IntoIterator<Item = &'a [u8]>) -> Result<Vec<u8>, PackError> {
    let inputs: BTreeSet<&[u8]> = inputs.into_iter().collect();
    let mut encoder = ZlibEncoder::new(MAGIC.to_vec(), Compression::best());
    let damaged = |error: io::Error| PackError::Damaged(error.to_string());
    for input in inputs {
        let length = u32::try_from(input.len()).ok().filter(|_| input.len() <= INPUT);
        let length = length.ok_or(PackError::Input(input.len()))?;
        encoder.write_all(&length.to_be_bytes()).and_then(|()| encoder.write_all(input)).map_err(damaged)?;
    }
    encoder.finish().map_err(damaged)
}

/// The inputs of a pack.
///
/// # Errors
/// If it is none, or damaged.
pub fn unpack(packed: &[u8]) -> Result<Vec<Vec<u8>>, PackError> {
    let stream = packed.strip_prefix(MAGIC).ok_or(PackError::Magic)?;
    let mut unpacked = Vec::new();
    let damaged = |why: &str| PackError::Damaged(why.to_owned());
    let mut decoder = ZlibDecoder::new(stream).take(UNPACKED + 1);
    decoder.read_to_end(&mut unpacked).map_err(|error| PackError::Damaged(error.to_string()))?;
    if unpacked.len() as u64 > UNPACKED {
        return Err(damaged("it holds more than a pack may"));
    }
    let mut inputs = Vec::new();
    let mut rest = unpacked.as_slice();
    while !rest.is_empty() {
        let (length, after) = rest.split_first_chunk().ok_or_else(|| damaged("a length is cut short"))?;
        let length = u32::from_be_bytes(*length) as usize;
        if length > INPUT {
            return Err(PackError::Damaged(format!("it holds an input of {length} bytes")));
        }
        if inputs.len() == INPUTS {
            return Err(damaged("it holds more inputs than a pack may"));
        }
        let (input, after) = after.split_at_checked(length).ok_or_else(|| damaged("an input is cut short"))?;
        inputs.push(input.to_vec());
        rest = after;
    }
    Ok(inputs)
}

/// The committed corpus of a target, from the package's folder; none, if it has no pack.
///
/// # Errors
/// If there is one that cannot be used.
pub fn committed(fuzz: &Path, target: &str) -> Result<Vec<Input>, PackError> {
    let path = fuzz.join("corpus").join(format!("{target}.pack"));
    match path.metadata() {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        // A pipe that nobody writes to would be waited for without end.
        Ok(found) if !found.is_file() => {
            return Err(PackError::Read { path, source: io::Error::other("not a file") });
        }
        Ok(_) | Err(_) => {}
    }
    let inputs = unpack(&read(&path, PACKED)?)?;
    let origin = |number| format!("fuzz/corpus/{target}.pack input {number}");
    Ok(inputs.into_iter().enumerate().map(|(number, bytes)| Input { origin: origin(number), bytes }).collect())
}

/// The files of a folder, by name; none, if there is no such folder.
///
/// # Errors
/// If it cannot be read.
pub fn files(folder: &Path) -> Result<Vec<Input>, PackError> {
    let error = |source| PackError::Read { path: folder.to_owned(), source };
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(source) if source.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(source) => return Err(error(source)),
    };
    let mut paths =
        entries.map(|entry| entry.map(|entry| entry.path())).collect::<Result<Vec<_>, _>>().map_err(error)?;
    paths.retain(|path| path.is_file());
    paths.sort();
    paths.iter().map(|path| Ok(Input { origin: path.display().to_string(), bytes: file(path)? })).collect()
}

/// An input that is a file.
///
/// # Errors
/// If it cannot be read or is longer than [`INPUT`].
pub fn file(path: &Path) -> Result<Vec<u8>, PackError> {
    read(path, INPUT as u64)
}

/// Everything that is kept for a target: seeds, committed corpus, regressions.
///
/// # Errors
/// If a pack or a file cannot be used.
pub fn kept(fuzz: &Path, target: &Target) -> Result<Vec<Input>, PackError> {
    let seeds = (target.seeds)().into_iter().enumerate();
    let mut inputs: Vec<Input> =
        seeds.map(|(number, bytes)| Input { origin: format!("{} seed {number}", target.name), bytes }).collect();
    inputs.extend(committed(fuzz, target.name)?);
    inputs.extend(files(&fuzz.join("regressions").join(target.name))?);
    Ok(inputs)
}

fn read(path: &Path, most: u64) -> Result<Vec<u8>, PackError> {
    let error = |source| PackError::Read { path: path.to_owned(), source };
    let mut bytes = Vec::new();
    fs::File::open(path).and_then(|file| file.take(most + 1).read_to_end(&mut bytes)).map_err(error)?;
    if bytes.len() as u64 > most {
        return Err(error(io::Error::new(io::ErrorKind::FileTooLarge, format!("more than {most} bytes"))));
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_packed_comes_back_sorted_and_once() {
        let inputs: [&[u8]; 4] = [b"two", b"", b"one", b"two"];
        let packed = pack(inputs).unwrap();
        assert_eq!(unpack(&packed).unwrap(), [b"".to_vec(), b"one".to_vec(), b"two".to_vec()]);
        assert_eq!(pack([b"one".as_slice(), b"two", b""]).unwrap(), packed);
        assert!(unpack(&pack([]).unwrap()).unwrap().is_empty());
    }

    #[test]
    fn what_is_damaged_is_refused_with_a_remedy() {
        let packed = pack([b"some input".as_slice(), b"another"]).unwrap();
        for cut in 0..packed.len() {
            let said = unpack(&packed[..cut]).unwrap_err().to_string();
            assert!(said.contains("seeds --pack"), "{cut}: {said}");
        }
        let mut changed = packed.clone();
        changed[14] ^= 1;
        assert!(matches!(unpack(&changed), Err(PackError::Damaged(_))));
        assert!(matches!(pack([vec![0; INPUT + 1].as_slice()]), Err(PackError::Input(_))));
        // A length beyond the end, in a stream that is sound.
        let mut encoder = ZlibEncoder::new(MAGIC.to_vec(), Compression::best());
        encoder.write_all(&[0, 0, 0, 9, 1]).unwrap();
        assert!(matches!(unpack(&encoder.finish().unwrap()), Err(PackError::Damaged(_))));
    }

    #[test]
    fn inputs_that_are_too_long_or_too_many_are_refused() {
        let packed = |bytes: &[u8]| {
            let mut encoder = ZlibEncoder::new(MAGIC.to_vec(), Compression::best());
            encoder.write_all(bytes).unwrap();
            encoder.finish().unwrap()
        };
        let length = u32::try_from(INPUT + 1).unwrap().to_be_bytes();
        let long = [length.to_vec(), vec![0; INPUT + 1]].concat();
        assert!(matches!(unpack(&packed(&long)), Err(PackError::Damaged(_))));
        assert_eq!(unpack(&packed(&vec![0; 4 * INPUTS])).unwrap().len(), INPUTS);
        assert!(matches!(unpack(&packed(&vec![0; 4 * INPUTS + 4])), Err(PackError::Damaged(_))));
    }

    #[test]
    fn what_is_no_file_is_no_corpus() {
        let fuzz = tempfile::tempdir().unwrap();
        fs::create_dir_all(fuzz.path().join("corpus/x.pack")).unwrap();
        assert!(matches!(committed(fuzz.path(), "x"), Err(PackError::Read { .. })));
        assert!(committed(fuzz.path(), "y").unwrap().is_empty());
    }

    #[test]
    fn what_unpacks_to_too_much_is_refused() {
        let mut encoder = ZlibEncoder::new(MAGIC.to_vec(), Compression::best());
        for _ in 0..=UNPACKED >> 20 {
            encoder.write_all(&vec![0; 1 << 20]).unwrap();
        }
        assert!(matches!(unpack(&encoder.finish().unwrap()), Err(PackError::Damaged(_))));
    }
}
