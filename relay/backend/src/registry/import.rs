//! `device import`: many devices from CSV or JSON lines, all or none, with every mistake named by its line.

use std::{
    collections::{BTreeMap, HashMap},
    io::{BufRead, BufReader, Read},
};

use super::{
    NewDevice, Registry, RegistryError, UnixSeconds,
    entry::{self, EntryError},
};

/// Mistakes that are listed one by one; a file with more has one cause behind them all.
const LISTED_MAX: usize = 100;
/// Devices in one file: 1,000,000, about 500 MB while it is read.
const DEVICES_MAX: usize = 1_000_000;
/// Bytes of one JSON line: far more than the longest device needs.
const LINE_BYTES_MAX: usize = 65_536;

/// The form of an import file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// CSV as spreadsheets write it, with a header line: platform,id,user,name,public_key in any order, name optional.
    Csv,
    /// One JSON object a line with the same fields.
    JsonLines,
}

/// A mistake and its line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LineError {
    /// Counted from 1.
    pub line: u64,
    /// What is wrong.
    pub error: EntryError,
}

/// Why nothing was imported.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// Lines are wrong. None was imported.
    #[error("{}", list(.listed, *.unlisted))]
    Lines {
        /// The first of them.
        listed: Vec<LineError>,
        /// How many more there are.
        unlisted: usize,
    },
    /// Too many devices at once.
    #[error("the file holds more than {DEVICES_MAX} devices; split it")]
    TooMany,
    /// The file cannot be read.
    #[error("cannot read the file: {0}")]
    Read(#[from] std::io::Error),
    /// The registry refused. None was imported.
    #[error(transparent)]
    Registry(#[from] RegistryError),
}

fn list(listed: &[LineError], unlisted: usize) -> String {
    let mut text = String::from("nothing was imported; correct these lines and try again:");
    for LineError { line, error } in listed {
        text.push_str(&format!("\n  line {line}: {error}"));
    }
    if unlisted > 0 {
        text.push_str(&format!("\n  and {unlisted} more"));
    }
    text
}

#[derive(Default)]
struct Mistakes {
    listed: Vec<LineError>,
    unlisted: usize,
}

impl Mistakes {
    fn add(&mut self, line: u64, error: EntryError) {
        if self.listed.len() < LISTED_MAX {
            self.listed.push(LineError { line, error });
        } else {
            self.unlisted += 1;
        }
    }
}

/// Reads devices and finds every mistake that can be found without the registry; with the line of each.
///
/// # Errors
/// [`ImportError`].
pub fn parse(reader: impl Read, format: Format) -> Result<Vec<(u64, NewDevice)>, ImportError> {
    let mut mistakes = Mistakes::default();
    let mut lines: HashMap<String, u64> = HashMap::new();
    let mut devices = Vec::new();
    let mut take = |line: u64, parsed: Result<NewDevice, EntryError>| {
        let device = match parsed {
            Ok(device) => device,
            Err(error) => return mistakes.add(line, error),
        };
        let key = device.id.registry_key();
        match lines.get(&key) {
            Some(earlier) => mistakes.add(line, EntryError::Repeated(key, *earlier)),
            None => {
                lines.insert(key, line);
                devices.push((line, device));
            }
        }
    };
    match format {
        Format::Csv => read_csv(reader, &mut take)?,
        Format::JsonLines => read_json_lines(reader, &mut take)?,
    }
    if mistakes.listed.is_empty() {
        Ok(devices)
    } else {
        Err(ImportError::Lines { listed: mistakes.listed, unlisted: mistakes.unlisted })
    }
}

type Take<'a> = dyn FnMut(u64, Result<NewDevice, EntryError>) + 'a;

fn read_csv(reader: impl Read, take: &mut Take<'_>) -> Result<(), ImportError> {
    let mut csv = csv::ReaderBuilder::new().trim(csv::Trim::All).from_reader(reader);
    let header = match csv.headers() {
        Ok(header) => header.clone(),
        Err(error) => return broken_csv(error, take),
    };
    for column in &header {
        if !["platform", "id", "user", "name", "public_key"].contains(&column) {
            take(1, Err(EntryError::Column(column.to_owned())));
        }
    }
    for (count, record) in csv.records().enumerate() {
        if count == DEVICES_MAX {
            return Err(ImportError::TooMany);
        }
        match record {
            Ok(record) => {
                let line = record.position().map_or(0, csv::Position::line);
                let fields: BTreeMap<String, String> =
                    header.iter().zip(&record).map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
                take(line, entry::device_from_fields(fields));
            }
            Err(error) => broken_csv(error, take)?,
        }
    }
    Ok(())
}

fn broken_csv(error: csv::Error, take: &mut Take<'_>) -> Result<(), ImportError> {
    let line = error.position().map_or(1, csv::Position::line);
    if error.is_io_error() {
        return Err(ImportError::Read(error.into()));
    }
    #[allow(clippy::wildcard_enum_match_arm, reason = "the csv crate's enum, which may grow")]
    let text = match error.kind() {
        csv::ErrorKind::UnequalLengths { expected_len, len, .. } => {
            format!("has {len} columns where the header has {expected_len}")
        }
        csv::ErrorKind::Utf8 { .. } => "is not UTF-8".to_owned(),
        _ => format!("is not CSV: {error}"),
    };
    take(line, Err(EntryError::Syntax(text)));
    Ok(())
}

fn read_json_lines(reader: impl Read, take: &mut Take<'_>) -> Result<(), ImportError> {
    let mut reader = BufReader::new(reader);
    let mut bytes = Vec::new();
    let limit = u64::try_from(LINE_BYTES_MAX).unwrap_or(u64::MAX);
    for line in 1.. {
        bytes.clear();
        if reader.by_ref().take(limit).read_until(b'\n', &mut bytes)? == 0 {
            break;
        }
        if bytes.len() == LINE_BYTES_MAX {
            take(line, Err(EntryError::Syntax(format!("is longer than {LINE_BYTES_MAX} bytes"))));
            break;
        }
        if line > u64::try_from(DEVICES_MAX).unwrap_or(u64::MAX) {
            return Err(ImportError::TooMany);
        }
        if bytes.trim_ascii().is_empty() {
            continue;
        }
        let parsed = serde_json::from_slice::<BTreeMap<String, String>>(&bytes)
            .map_err(|error| EntryError::Syntax(format!("is not a JSON object of texts: {error}")))
            .and_then(entry::device_from_fields);
        take(line, parsed);
    }
    Ok(())
}

/// Reads a file and adds all its devices in one transaction; returns how many.
///
/// # Errors
/// [`ImportError`]; then nothing was added.
pub fn import(
    registry: &mut Registry,
    reader: impl Read,
    format: Format,
    now: UnixSeconds,
) -> Result<usize, ImportError> {
    let parsed = parse(reader, format)?;
    let mut mistakes = Mistakes::default();
    for (line, device) in &parsed {
        match registry.device(&device.id.registry_key()) {
            Ok(known) if known.state != super::DeviceState::Reset => {
                mistakes
                    .add(*line, EntryError::Syntax(RegistryError::DeviceExists(device.id.registry_key()).to_string()));
            }
            Ok(_) | Err(RegistryError::UnknownDevice(_)) => {}
            Err(error) => return Err(error.into()),
        }
    }
    if !mistakes.listed.is_empty() {
        return Err(ImportError::Lines { listed: mistakes.listed, unlisted: mistakes.unlisted });
    }
    let devices: Vec<NewDevice> = parsed.into_iter().map(|(_, device)| device).collect();
    registry.add_devices(&devices, now)?;
    Ok(devices.len())
}

#[cfg(test)]
mod tests;
