//! The targets: those of the command line, then those of a list.

use std::{
    fs::File,
    io::{self, Read},
    path::Path,
};

use rustls_pki_types::ServerName;

use crate::{
    ask,
    connect::StartTls,
    error::Error,
    pins::{Given, listed},
    target::Target,
};

/// Bytes of a list at most.
const LIST_BYTES_MAX: u64 = 16 << 20;
/// Targets at most.
const TARGETS_MAX: usize = 100_000;

/// One target and what belongs to it alone.
#[derive(Debug)]
pub struct Entry {
    /// Where.
    pub target: Target,
    /// Its host, as TLS names it.
    pub name: ServerName<'static>,
    /// Its own pins; `None`: those of the command line. Never empty.
    pub pins: Option<Vec<Given>>,
}

/// All targets, at least one.
///
/// # Errors
/// [`Error::Usage`] with each line of the list that is wrong, [`Error::File`].
pub fn read(targets: &[String], file: Option<&Path>, starttls: Option<StartTls>) -> Result<Vec<Entry>, Error> {
    let mut entries = Vec::with_capacity(targets.len());
    for target in targets {
        entries.push(entry(target, None, starttls).map_err(Error::Usage)?);
    }
    if let Some(file) = file {
        let (name, text) = contents(file)?;
        let before = entries.len();
        let mut problems = Vec::new();
        for (number, line) in text.lines().enumerate() {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let (target, pins) = match line.split_once(char::is_whitespace) {
                Some((target, pins)) => (target, Some(pins.trim())),
                None => (line, None),
            };
            match entry(target, pins, starttls) {
                Ok(entry) => entries.push(entry),
                Err(reason) => problems.push(format!("{name}, line {}: {reason}", number + 1)),
            }
        }
        if !problems.is_empty() {
            return Err(Error::Usage(listed(&problems)));
        }
        if entries.len() == before {
            return Err(Error::Usage(format!("{name} lists no target; give one HOST:PORT a line")));
        }
    }
    match entries.len() {
        0 => Err(Error::Usage("no target is given; give HOST:PORT, or a list of them with -f FILE".to_owned())),
        1..=TARGETS_MAX => Ok(entries),
        count => Err(Error::Usage(format!("{count} targets are more than {TARGETS_MAX}; split the list"))),
    }
}

fn entry(target: &str, pins: Option<&str>, starttls: Option<StartTls>) -> Result<Entry, String> {
    let target = Target::parse(target, starttls)?;
    let name = target.host.server_name()?;
    let pins = pins.map(|pins| ask::pins(pins.split([',', ';']))).transpose()?;
    Ok(Entry { target, name, pins })
}

/// The text of a list, and what messages call it.
fn contents(path: &Path) -> Result<(String, String), Error> {
    let stdin = path == Path::new("-");
    let name = if stdin { "standard input".to_owned() } else { path.display().to_string() };
    let mut bytes = Vec::new();
    let read = if stdin {
        io::stdin().lock().take(LIST_BYTES_MAX + 1).read_to_end(&mut bytes)
    } else {
        File::open(path).and_then(|file| file.take(LIST_BYTES_MAX + 1).read_to_end(&mut bytes))
    };
    read.map_err(Error::file("read", &name))?;
    if bytes.len() as u64 > LIST_BYTES_MAX {
        return Err(Error::Usage(format!("{name} is larger than {} MiB; split the list", LIST_BYTES_MAX >> 20)));
    }
    let text = String::from_utf8(bytes)
        .map_err(|_| Error::Usage(format!("{name} is no text in UTF-8; give one HOST:PORT a line")))?;
    Ok((name, text))
}
