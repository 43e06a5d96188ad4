//! The judges of the values of FORMATS §1.

use alloc::vec::Vec;

use super::{
    super::grammar::{self, Bytes, Scan, format, length, range},
    Arch, FILETIME_EPOCH, Interface, Mains, OperationName, PERCENT_UNKNOWN, Power, Releases, Version,
    text::Utf16,
};
use crate::{error::Code, grant::operation_from_number, ids::Nonce, time::WallTime};

/// A binary value of exactly `N` bytes.
pub(super) fn fixed<const N: usize>(value: &[u8]) -> Result<[u8; N], Code> {
    value.try_into().map_err(|_| Code::Length)
}

/// The one of `all` that has this number.
pub(super) fn numbered<N: PartialEq, T: Copy>(number: N, all: &[T], number_of: impl Fn(T) -> N) -> Result<T, Code> {
    all.iter().copied().find(|candidate| number_of(*candidate) == number).ok_or(Code::Range)
}

pub(super) fn operation(value: &[u8]) -> Result<OperationName, Code> {
    let [low, high] = fixed(value)?;
    if high == 0 { operation_from_number(low).ok_or(Code::Range) } else { Err(Code::Range) }
}

pub(super) fn machine_guid(text: &str) -> Result<(), Code> {
    length(text, 36, 36)?;
    let bytes = text.as_bytes();
    format(
        grammar::is_uuid(bytes, grammar::is_lower_hex)
            && !grammar::is_uuid_of(bytes, b'0')
            && !grammar::is_uuid_of(bytes, b'f'),
    )
}

pub(super) fn computer_name(text: &str) -> Result<(), Code> {
    const NET_BIOS: Bytes = Bytes::alphanumeric_and(b"!@#$%^&')(.-_{}~");
    grammar::characters(text, 1, 15, |byte| NET_BIOS.has(byte))?;
    format(!text.starts_with('.') && !text.bytes().all(|byte| byte.is_ascii_digit()))
}

pub(super) fn os_version(text: &str, releases: &Releases) -> Result<Version, Code> {
    length(text, 8, 23)?;
    let mut scan = Scan::new(text);
    let mut numbers = [0; 4];
    for (at, number) in numbers.iter_mut().enumerate() {
        format(at == 0 || scan.eat(b'.'))?;
        *number = scan.number(5).ok_or(Code::Format)?;
    }
    format(scan.at_end())?;
    let [major, minor, build, revision] = numbers.map(|number| u16::try_from(number).map_err(|_| Code::Range));
    let version = Version { major: major?, minor: minor?, build: build?, revision: revision? };
    range(releases.has_windows(version.major, version.minor, version.build)).map(|()| version)
}

pub(super) fn app_version(value: &[u8]) -> Result<Version, Code> {
    let [a, b, c, d, e, f, g, h] = fixed(value)?;
    let [minor, major, revision, build] = [[a, b], [c, d], [e, f], [g, h]].map(u16::from_le_bytes);
    range(major >= 1).map(|()| Version { major, minor, build, revision })
}

pub(super) fn locale(text: &str) -> Result<(), Code> {
    length(text, 5, 84)?;
    format(grammar::is_bcp(text))
}

pub(super) fn arch(value: &[u8]) -> Result<Arch, Code> {
    numbered(u16::from_le_bytes(fixed(value)?), &Arch::ALL, |arch| arch as u16)
}

pub(super) fn interface(value: &[u8]) -> Result<Interface, Code> {
    numbered(u32::from_le_bytes(fixed(value)?), &Interface::ALL, |kind| kind as u32)
}

pub(super) fn nonce(value: &[u8]) -> Result<Nonce, Code> {
    Nonce::new(fixed(value)?).ok_or(Code::Format)
}

pub(super) fn estimate(value: &[u8]) -> Result<u64, Code> {
    let estimate = u64::from_le_bytes(fixed(value)?);
    range(estimate <= grammar::ESTIMATE_MAX).map(|()| estimate)
}

pub(super) fn sent_at(value: &[u8]) -> Result<WallTime, Code> {
    let ticks = u64::from_le_bytes(fixed(value)?).checked_sub(FILETIME_EPOCH).ok_or(Code::Range)?;
    grammar::in_range(WallTime::from_ticks(ticks))
}

pub(super) fn power(value: &[u8]) -> Result<Power, Code> {
    let [mains, battery_flags, percent, saver] = fixed(value)?;
    let mains = numbered(mains, &Mains::ALL, |mains| mains as u8)?;
    range(battery_flags & 0b0111_0000 == 0 || battery_flags == 255)?;
    range(percent <= 100 || percent == PERCENT_UNKNOWN)?;
    range(saver <= 1)?;
    Ok(Power { mains, battery_flags, percent: (percent != PERCENT_UNKNOWN).then_some(percent), saver: saver == 1 })
}

pub(super) fn path(value: &[u8]) -> Result<Vec<u8>, Code> {
    let path = Utf16(value).decode();
    if is_path(&path, value.len() / 2) { Ok(path.into_bytes()) } else { Err(Code::Path) }
}

pub(super) fn is_path(path: &str, units: usize) -> bool {
    let (rest, win32) = path.strip_prefix(r"\\?\").map_or((path, true), |rest| (rest, false));
    if !(3..=if win32 { 259 } else { 1024 }).contains(&units) {
        return false;
    }
    let below =
        |components: &str| components.split('\\').all(|component| grammar::windows_component(component, 255, win32));
    match rest.strip_prefix(if win32 { r"\\" } else { r"UNC\" }) {
        Some(share) => {
            let Some((server, rest)) = share.split_once('\\') else { return false };
            let (share, components) = rest.split_once('\\').unwrap_or((rest, ""));
            is_server(server.as_bytes())
                && grammar::windows_component(share, 80, win32)
                && (components.is_empty() || below(components))
        }
        None => match rest.as_bytes() {
            [drive, b':', b'\\', ..] => drive.is_ascii_alphabetic() && (rest.len() == 3 || below(&rest[3..])),
            _ => false,
        },
    }
}

/// `[A-Za-z0-9_-][A-Za-z0-9._-]{0,62}`
pub(super) fn is_server(server: &[u8]) -> bool {
    (1..=63).contains(&server.len())
        && server.first() != Some(&b'.')
        && server.iter().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(byte))
}
