//! The abstract request: what all six formats can carry.

use arbitrary::{Result, Unstructured};
use relay_wire::Request;

use super::write;
use crate::{doc::Platform, mutate::operation, validator::meaning};

/// Seconds since 1970 of 2012-01-01, where times begin.
pub(super) const TIME_FIRST: u64 = 1_325_376_000;
/// Seconds since 1970 of 2100-01-01, where they end.
pub(super) const TIME_END: u64 = 4_102_444_800;
/// Ticks of 100 ns in a second.
pub(super) const TICKS: u64 = 10_000_000;

/// A request without a format.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Abstract {
    /// Its place in [`operation::NAMES`].
    pub(super) operation: usize,
    /// The mass proof, if it is one for `register`.
    pub(super) mass: [u8; 32],
    /// The device proof otherwise.
    pub(super) device: [u8; 64],
    pub(super) user: String,
    pub(super) node: String,
    pub(super) nonce: [u8; 16],
    /// Ticks of 100 ns since 1970; formats with a coarser unit cut it.
    pub(super) time: u64,
    pub(super) estimate: Option<u64>,
    /// Components of each path, and which of a format's roots it has.
    pub(super) paths: Vec<(u8, Vec<String>)>,
    /// What the device's identifier is made of.
    pub(super) id: [u8; 20],
}

impl Abstract {
    pub(super) fn is_register(&self) -> bool {
        self.operation == operation::REGISTER
    }

    pub(super) fn is_transfer(&self) -> bool {
        matches!(operation::NAMES[self.operation], "backup" | "restore" | "sync")
    }
}

/// Reads one; every input gives one as long as there are a few bytes.
pub(super) fn read(source: &mut Unstructured<'_>) -> Result<Abstract> {
    let operation = usize::from(source.arbitrary::<u8>()?) % operation::NAMES.len();
    let mut nonce: [u8; 16] = source.arbitrary()?;
    nonce[usize::from(nonce[0]) % 16] |= 1;
    // The first second, the last, what no longer fits a signed 32-bit number, and the last day of February in 2096.
    let edges = [
        0,
        1,
        TIME_END - TIME_FIRST - 1,
        (1 << 31) - TIME_FIRST,
        3_981_369_599 - TIME_FIRST,
        3_981_312_000 - TIME_FIRST,
    ];
    let chosen = source.arbitrary::<u8>()?;
    let seconds = match edges.get(usize::from(chosen)) {
        Some(edge) => *edge,
        None => source.int_in_range(0..=TIME_END - TIME_FIRST - 1)?,
    };
    let ticks = source.int_in_range(0..=TICKS - 1)?;
    let estimate = match source.arbitrary::<u8>()? % 5 {
        0 => None,
        1 => Some(1 << 50),
        2 => Some(0),
        3 => Some((1 << 50) - 1),
        _ => Some(source.int_in_range(0..=1 << 50)?),
    };
    let mut id: [u8; 20] = source.arbitrary()?;
    id[usize::from(id[1]) % 20] |= 1;
    Ok(Abstract {
        operation,
        mass: source.arbitrary()?,
        device: source.arbitrary()?,
        user: user(source)?,
        node: label(source, 63)?,
        nonce,
        time: (TIME_FIRST + seconds) * TICKS + ticks,
        estimate,
        paths: paths(source)?,
        id,
    })
}

fn choose(source: &mut Unstructured<'_>, from: &[u8], length: usize) -> Result<String> {
    (0..length).map(|_| Ok(char::from(from[usize::from(source.arbitrary::<u8>()?) % from.len()]))).collect()
}

/// LABEL in lower case.
fn label(source: &mut Unstructured<'_>, max: usize) -> Result<String> {
    const ENDS: &[u8] = b"abcdefghijklmnopqrstuvwxyz0123456789";
    const INNER: &[u8] = b"abcdefghijklmnopqrstuvwxyz0123456789-";
    let length = match source.arbitrary::<u8>()? {
        255 => max,
        other => 1 + usize::from(other) % 9,
    };
    let mut label = choose(source, ENDS, 1)?;
    if length > 1 {
        label += &choose(source, INNER, length - 2)?;
        label += &choose(source, ENDS, 1)?;
    }
    Ok(label)
}

fn user(source: &mut Unstructured<'_>) -> Result<String> {
    const LOCAL: &[u8] = b"ABYZabyz0189._%+'-";
    let length = match source.arbitrary::<u8>()? {
        255 => 64,
        other => 1 + usize::from(other) % 9,
    };
    let local = choose(source, LOCAL, length)?;
    let mut user = format!("{local}@{}", label(source, 63)?);
    if source.arbitrary::<bool>()? {
        user = format!("{user}.{}", label(source, 40)?.to_uppercase());
    }
    let length = 2 + usize::from(source.arbitrary::<u8>()?) % 3;
    let tld = choose(source, b"abcxyzABCXYZ", length)?;
    Ok(format!("{user}.{tld}"))
}

fn paths(source: &mut Unstructured<'_>) -> Result<Vec<(u8, Vec<String>)>> {
    let count = match source.arbitrary::<u8>()? {
        250.. => 16,
        other => 1 + usize::from(other) % 3,
    };
    (0..count)
        .map(|_| {
            let root = source.arbitrary()?;
            let depth = 1 + usize::from(source.arbitrary::<u8>()?) % 4;
            Ok((root, (0..depth).map(|_| component(source)).collect::<Result<_>>()?))
        })
        .collect()
}

/// A component that every format allows: no reserved name, nothing at its end that Windows drops.
fn component(source: &mut Unstructured<'_>) -> Result<String> {
    const CHARS: [char; 40] = [
        'a',
        'b',
        'z',
        'A',
        'Z',
        '0',
        '9',
        '.',
        ' ',
        '-',
        '_',
        '&',
        '%',
        '+',
        '~',
        '\'',
        '(',
        '#',
        '=',
        ';',
        ',',
        '@',
        '!',
        '$',
        '[',
        '{',
        '`',
        '^',
        '\u{85}',
        '\u{A0}',
        '\u{E9}',
        '\u{301}',
        '\u{20AC}',
        '\u{2028}',
        '\u{FEFF}',
        '\u{FFFD}',
        '\u{1F600}',
        '\u{10FFFD}',
        '\u{D7FF}',
        '\u{E000}',
    ];
    let length = usize::from(source.arbitrary::<u8>()?) % 7;
    let inner: String =
        (0..length).map(|_| Ok(CHARS[usize::from(source.arbitrary::<u8>()?) % CHARS.len()])).collect::<Result<_>>()?;
    Ok(format!("x{inner}y"))
}

/// What the checked request says otherwise than the abstract one, if anything.
pub(super) fn difference(platform: Platform, request: &Abstract, judged: &Request) -> Option<&'static str> {
    let meaning = meaning::of(judged);
    let unit = write::time_unit(platform);
    let proof: &[u8] = if request.is_register() { &request.mass } else { &request.device };
    let paths = || request.paths.iter().map(|path| write::path(platform, path)).collect::<Vec<_>>();
    let differences = [
        ("operation", meaning.operation != operation::NAMES[request.operation]),
        ("proof", meaning.proof != proof),
        ("user", meaning.user.as_deref() != request.is_register().then_some(request.user.as_str())),
        ("node", meaning.node.as_deref() != request.is_transfer().then_some(request.node.as_str())),
        ("nonce", meaning.nonce != request.nonce),
        ("time", meaning.sent_at != request.time / unit * unit),
        ("estimate", meaning.estimate != request.estimate),
        ("path", meaning.paths != if request.is_transfer() { paths() } else { Vec::new() }),
        ("device", meaning.device_id != write::device_id(platform, &request.id)),
    ];
    differences.iter().find(|(_, differs)| *differs).map(|(what, _)| *what)
}
