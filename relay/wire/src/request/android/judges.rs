//! The judges of the values of FORMATS §5.

use alloc::vec::Vec;

use super::{
    super::grammar::{self, Scan, characters, format, length, range},
    TICKS_PER_MILLISECOND, uri,
};
use crate::{error::Code, time::WallTime};

/// An id that many devices of one old release shared.
const SHARED_ID: &str = "9774d56d682e549c";
const SDK_MIN: u8 = 21;
/// The largest `versionCode` that the Play store takes.
const APP_CODE_MAX: u32 = 2_100_000_000;

pub(super) fn android_id(text: &str) -> Result<(), Code> {
    characters(text, 1, 16, grammar::is_lower_hex)?;
    // Some releases drop the leading zeros of the 64 bits, some keep all 16 digits.
    let whole = !text.starts_with('0') || text.len() == 16;
    format(whole && text.bytes().any(|byte| byte != b'0') && text != SHARED_ID)
}

pub(super) fn hardware(text: &str) -> Result<(), Code> {
    characters(text, 1, 64, |byte| matches!(byte, 0x20..=0x7E))?;
    format(!text.ends_with(' '))
}

pub(super) fn release(text: &str) -> Result<(), Code> {
    length(text, 1, 5)?;
    let mut scan = Scan::new(text);
    let mut matches = scan.number(2).is_some_and(|major| major > 0);
    for _ in 0..2 {
        matches = matches && (!scan.eat(b'.') || scan.exactly(1, |byte| byte.is_ascii_digit()));
    }
    format(matches && scan.at_end())
}

pub(super) fn sdk(text: &str) -> Result<u8, Code> {
    length(text, 2, 2)?;
    let sdk = u8::try_from(grammar::decimal(text)?).map_err(|_| Code::Range)?;
    range(sdk >= SDK_MIN).map(|()| sdk)
}

pub(super) fn patch(text: &str) -> Result<(), Code> {
    const FIRST: i64 = grammar::days_from_civil(2015, 8, 1);
    const END: i64 = grammar::days_from_civil(2100, 1, 1);
    length(text, 10, 10)?;
    range((FIRST..END).contains(&grammar::date(text.as_bytes())?))
}

pub(super) fn build(text: &str) -> Result<(), Code> {
    characters(text, 3, 32, |byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte))
}

pub(super) fn app_id(text: &str) -> Result<(), Code> {
    length(text, 3, 128)?;
    let is_part = |part: &[u8]| {
        part.first().is_some_and(u8::is_ascii_alphabetic)
            && part.iter().all(|byte| byte.is_ascii_alphanumeric() || *byte == b'_')
    };
    format(text.contains('.') && text.as_bytes().split(|byte| *byte == b'.').all(is_part))
}

pub(super) fn app_version(text: &str) -> Result<(), Code> {
    characters(text, 1, 32, |byte| byte.is_ascii_alphanumeric() || b"._+-".contains(&byte))?;
    format(text.as_bytes().first().is_some_and(u8::is_ascii_alphanumeric))
}

pub(super) fn app_code(text: &str) -> Result<u32, Code> {
    length(text, 1, 10)?;
    let code = grammar::decimal(text)?;
    format(code != 0)?;
    u32::try_from(code).ok().filter(|code| *code <= APP_CODE_MAX).ok_or(Code::Range)
}

pub(super) fn lang(text: &str) -> Result<(), Code> {
    length(text, 2, 35)?;
    format(grammar::is_bcp_region_optional(text))
}

pub(super) fn flag(text: &str) -> Result<bool, Code> {
    match text {
        "0" => Ok(false),
        "1" => Ok(true),
        _ => Err(Code::Format),
    }
}

pub(super) fn battery(text: &str) -> Result<u8, Code> {
    length(text, 1, 3)?;
    u8::try_from(grammar::decimal(text)?).ok().filter(|percent| *percent <= 100).ok_or(Code::Range)
}

pub(super) fn sent_at(text: &str) -> Result<WallTime, Code> {
    length(text, 13, 13)?;
    grammar::in_range(WallTime::from_ticks(grammar::decimal(text)?.saturating_mul(TICKS_PER_MILLISECOND)))
}

pub(super) fn path(text: &str) -> Result<Vec<u8>, Code> {
    if uri::is_uri(text) { Ok(text.as_bytes().to_vec()) } else { Err(Code::Path) }
}
