//! FORMATS §0: the value grammars that several formats share.
//!
//! A function that answers a [`Code`] makes all the checks of its grammar in their order: length, then pattern, then
//! range. One that answers `bool` or `Option` is a pattern alone. All are hand-written matchers over bytes: nothing is
//! allocated but what is kept.

use alloc::{borrow::ToOwned, string::String};

use super::OperationName;
use crate::{error::Code, ids::BackendName};

mod apple;
mod dates;
mod encoded;
mod paths;

pub(crate) use apple::{apple_app_build, apple_app_version, apple_build, apple_model, apple_version};
pub(crate) use dates::{date, date_time, days_from_civil, in_range, push_date_time};
pub(crate) use encoded::{
    base64_20, device_proof, device_text, hex_lower, hex_text, mass_proof, mass_text, nonce_base64, nonce_hex,
    percent_value, push_base64, push_device_proof, push_hex_lower, push_mass_proof, push_percent,
};
pub(crate) use paths::{has_control, joined, posix_path, windows_component};

/// The largest estimate that a request may carry, in bytes (shared grammar EST).
pub const ESTIMATE_MAX: u64 = 1 << 50;

/// `E_LENGTH` unless `text` has `min` to `max` code points.
pub(crate) fn length(text: &str, min: usize, max: usize) -> Result<(), Code> {
    // A text of few bytes has few code points; most are ASCII and need no counting.
    let points = if text.len() <= max && text.is_ascii() { text.len() } else { text.chars().count() };
    if points >= min && points <= max { Ok(()) } else { Err(Code::Length) }
}

/// `E_FORMAT` unless `matches`.
pub(crate) const fn format(matches: bool) -> Result<(), Code> {
    if matches { Ok(()) } else { Err(Code::Format) }
}

/// `E_RANGE` unless `within`.
pub(crate) const fn range(within: bool) -> Result<(), Code> {
    if within { Ok(()) } else { Err(Code::Range) }
}

/// Keeps the text that `check` finds good.
pub(crate) fn kept(check: impl FnOnce(&str) -> Result<(), Code>) -> impl FnOnce(&str) -> Result<String, Code> {
    move |text| check(text).map(|()| text.to_owned())
}

/// A set of bytes, asked without branching.
pub(crate) struct Bytes([bool; 256]);

impl Bytes {
    /// The letters and digits of ASCII, and `others`.
    pub(crate) const fn alphanumeric_and(others: &[u8]) -> Self {
        let mut set = Self::of(others);
        let mut byte = 0_u8;
        while byte < 0x80 {
            set.0[byte as usize] |= byte.is_ascii_alphanumeric();
            byte += 1;
        }
        set
    }

    /// These bytes.
    pub(crate) const fn of(bytes: &[u8]) -> Self {
        let mut set = [false; 256];
        let mut at = 0;
        while at < bytes.len() {
            set[bytes[at] as usize] = true;
            at += 1;
        }
        Self(set)
    }

    /// The bytes from `first` to `last`, without `but`.
    pub(crate) const fn from_to(first: u8, last: u8, but: &[u8]) -> Self {
        let mut set = [false; 256];
        let mut byte = first as usize;
        while byte <= last as usize {
            set[byte] = true;
            byte += 1;
        }
        let mut at = 0;
        while at < but.len() {
            set[but[at] as usize] = false;
            at += 1;
        }
        Self(set)
    }

    pub(crate) const fn has(&self, byte: u8) -> bool {
        self.0[byte as usize]
    }

    /// How many bytes at the beginning of `text` are of the set.
    pub(crate) fn run(&self, text: &[u8]) -> usize {
        text.iter().position(|byte| !self.has(*byte)).unwrap_or(text.len())
    }
}

/// `min` to `max` code points, all of them bytes of `class`.
pub(crate) fn characters(text: &str, min: usize, max: usize, class: impl Fn(u8) -> bool) -> Result<(), Code> {
    length(text, min, max)?;
    format(text.bytes().all(class))
}

/// `min` to `max` Unicode code points, none of them C0 or DEL.
pub(crate) fn printable(text: &str, min: usize, max: usize) -> Result<(), Code> {
    length(text, min, max)?;
    format(!has_control(text.as_bytes()))
}

/// `[0-9a-f]`
pub(crate) const fn is_lower_hex(byte: u8) -> bool {
    matches!(byte, b'0'..=b'9' | b'a'..=b'f')
}

/// `[0-9A-F]`
pub(crate) const fn is_upper_hex(byte: u8) -> bool {
    matches!(byte, b'0'..=b'9' | b'A'..=b'F')
}

/// A position in a text that is being matched from left to right, never back.
pub(crate) struct Scan<'a>(&'a [u8]);

impl<'a> Scan<'a> {
    pub(crate) const fn new(text: &'a str) -> Self {
        Self(text.as_bytes())
    }

    /// Steps over `byte` if it is next.
    pub(crate) fn eat(&mut self, byte: u8) -> bool {
        let found = self.0.first() == Some(&byte);
        if found {
            self.0 = &self.0[1..];
        }
        found
    }

    /// Steps over `text` if it is next.
    pub(crate) fn eat_text(&mut self, text: &str) -> bool {
        match self.0.strip_prefix(text.as_bytes()) {
            Some(rest) => {
                self.0 = rest;
                true
            }
            None => false,
        }
    }

    /// Steps over as many bytes of `class` as there are, `max` at most.
    pub(crate) fn run(&mut self, max: usize, class: impl Fn(u8) -> bool) -> &'a [u8] {
        let count = self.0.iter().take(max).take_while(|byte| class(**byte)).count();
        let (head, rest) = self.0.split_at(count);
        self.0 = rest;
        head
    }

    /// Steps over `count` bytes of `class`; false if there are fewer.
    pub(crate) fn exactly(&mut self, count: usize, class: impl Fn(u8) -> bool) -> bool {
        self.run(count, class).len() == count
    }

    /// Steps over `0|[1-9][0-9]{0,digits-1}`: a number of at most `digits` (nine at most) without a leading zero.
    pub(crate) fn number(&mut self, digits: usize) -> Option<u32> {
        debug_assert!(digits <= 9);
        if self.eat(b'0') {
            return Some(0);
        }
        let run = self.run(digits, |byte| byte.is_ascii_digit());
        (!run.is_empty()).then(|| run.iter().fold(0, |value, digit| value * 10 + u32::from(digit - b'0')))
    }

    /// Whether everything has been matched.
    pub(crate) const fn at_end(&self) -> bool {
        self.0.is_empty()
    }

    /// What has not been matched yet.
    pub(crate) const fn rest(&self) -> &'a [u8] {
        self.0
    }
}

/// op, as four of the six formats spell it. A list of words has no length: anything else is `E_FORMAT`.
pub(crate) fn operation(text: &str) -> Result<OperationName, Code> {
    word(text, &OperationName::ALL, |name| name.as_str())
}

/// The one of `all` that is spelled `text`; `E_FORMAT` if none is.
pub(crate) fn word<T: Copy>(text: &str, all: &[T], spelled: impl Fn(T) -> &'static str) -> Result<T, Code> {
    all.iter().copied().find(|candidate| spelled(*candidate) == text).ok_or(Code::Format)
}

/// LABEL as a pattern: `[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?`.
pub(crate) fn is_label(bytes: &[u8]) -> bool {
    let [first, .., last] = bytes else {
        return matches!(bytes, [only] if only.is_ascii_alphanumeric());
    };
    bytes.len() <= 63
        && first.is_ascii_alphanumeric()
        && last.is_ascii_alphanumeric()
        && bytes.iter().all(|byte| byte.is_ascii_alphanumeric() || *byte == b'-')
}

/// NODE.
pub(crate) fn node(text: &str) -> Result<BackendName, Code> {
    length(text, 1, 63)?;
    BackendName::new(text).map_err(|_| Code::Format)
}

/// USER.
pub(crate) fn user(text: &str) -> Result<(), Code> {
    length(text, 6, 254)?;
    format(is_user(text.as_bytes()))
}

fn is_user(bytes: &[u8]) -> bool {
    let Some(at) = bytes.iter().position(|byte| *byte == b'@') else { return false };
    let (local, domain) = (&bytes[..at], &bytes[at + 1..]);
    const LOCAL: Bytes = Bytes::alphanumeric_and(b"._%+'-");
    let Some(dot) = domain.iter().rposition(|byte| *byte == b'.') else { return false };
    let (labels, tld) = (&domain[..dot], &domain[dot + 1..]);
    (1..=64).contains(&local.len())
        && LOCAL.run(local) == local.len()
        && labels.split(|byte| *byte == b'.').all(is_label)
        && (2..=63).contains(&tld.len())
        && tld.iter().all(u8::is_ascii_alphabetic)
}

/// EST as text: 1..16 digits without a leading zero, at most [`ESTIMATE_MAX`].
pub(crate) fn estimate(text: &str) -> Result<u64, Code> {
    length(text, 1, 16)?;
    let value = decimal(text)?;
    range(value <= ESTIMATE_MAX)?;
    Ok(value)
}

/// `0|[1-9][0-9]*` of at most 19 digits, whose length has been judged; `E_FORMAT` otherwise.
pub(crate) fn decimal(text: &str) -> Result<u64, Code> {
    let bytes = text.as_bytes();
    let canonical = matches!(bytes, [b'0'] | [b'1'..=b'9', ..]) && bytes.len() <= 19;
    format(canonical && bytes.iter().all(u8::is_ascii_digit))?;
    Ok(bytes.iter().fold(0, |value, digit| value * 10 + u64::from(digit - b'0')))
}

/// IANA: 3..64, `[A-Za-z][A-Za-z0-9_+-]*(/[A-Za-z0-9_+-]+){0,2}`.
pub(crate) fn iana(text: &str) -> Result<(), Code> {
    length(text, 3, 64)?;
    const PART: Bytes = Bytes::alphanumeric_and(b"_+-");
    let parts = || text.as_bytes().split(|byte| *byte == b'/');
    format(
        text.as_bytes().first().is_some_and(u8::is_ascii_alphabetic)
            && parts().count() <= 3
            && parts().all(|part| !part.is_empty() && PART.run(part) == part.len()),
    )
}

/// WZONE: 3..64, `[A-Z][A-Za-z0-9.()+-]*( [A-Za-z0-9.()+-]+)*`.
pub(crate) fn windows_zone(text: &str) -> Result<(), Code> {
    length(text, 3, 64)?;
    const WORD: Bytes = Bytes::alphanumeric_and(b".()+-");
    format(
        text.as_bytes().first().is_some_and(u8::is_ascii_uppercase)
            && text.as_bytes().split(|byte| *byte == b' ').all(|word| !word.is_empty() && WORD.run(word) == word.len()),
    )
}

/// `[a-z]{2,3}(-[A-Z][a-z]{3})?`: the language and script that begin every locale.
fn language_and_script(scan: &mut Scan<'_>) -> bool {
    if scan.run(3, |byte| byte.is_ascii_lowercase()).len() < 2 {
        return false;
    }
    // A hyphen before a script is told from one before a region by the lower-case letter behind its capital.
    if let [b'-', b'A'..=b'Z', b'a'..=b'z', ..] = scan.rest() {
        return scan.eat(b'-') && scan.exactly(1, |_| true) && scan.exactly(3, |byte| byte.is_ascii_lowercase());
    }
    true
}

/// `[A-Z]{2}|[0-9]{3}`
fn region(scan: &mut Scan<'_>) -> bool {
    match scan.rest() {
        [b'A'..=b'Z', ..] => scan.exactly(2, |byte| byte.is_ascii_uppercase()),
        _ => scan.exactly(3, |byte| byte.is_ascii_digit()),
    }
}

/// BCP as a pattern: `[a-z]{2,3}(-[A-Z][a-z]{3})?-([A-Z]{2}|[0-9]{3})`. Its length belongs to the row that uses it.
pub(crate) fn is_bcp(text: &str) -> bool {
    let mut scan = Scan::new(text);
    language_and_script(&mut scan) && scan.eat(b'-') && region(&mut scan) && scan.at_end()
}

/// BCP whose region may be absent (Android's `lang`), as a pattern.
pub(crate) fn is_bcp_region_optional(text: &str) -> bool {
    let mut scan = Scan::new(text);
    language_and_script(&mut scan) && (scan.at_end() || (scan.eat(b'-') && region(&mut scan) && scan.at_end()))
}

/// APPLELOC: 5..64, BCP with `_` before the region, optional `@key=value(;key=value)*`.
pub(crate) fn apple_locale(text: &str) -> Result<(), Code> {
    length(text, 5, 64)?;
    format(is_apple_locale(text))
}

fn is_apple_locale(text: &str) -> bool {
    let mut scan = Scan::new(text);
    if !(language_and_script(&mut scan) && scan.eat(b'_') && region(&mut scan)) {
        return false;
    }
    if scan.at_end() {
        return true;
    }
    let mut separator = b'@';
    while !scan.at_end() {
        if !scan.eat(separator)
            || scan.run(64, |byte| byte.is_ascii_lowercase()).is_empty()
            || !scan.eat(b'=')
            || scan.run(64, |byte| byte.is_ascii_alphanumeric()).is_empty()
        {
            return false;
        }
        separator = b';';
    }
    true
}

/// 8-4-4-4-12 bytes of `digit` as a pattern (a text of 36).
pub(crate) fn is_uuid(bytes: &[u8], digit: impl Fn(u8) -> bool) -> bool {
    bytes.len() == 36
        && bytes.iter().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => *byte == b'-',
            _ => digit(*byte),
        })
}

/// Whether every hex digit of a UUID is `digit` (nil, or all `f`).
pub(crate) fn is_uuid_of(bytes: &[u8], digit: u8) -> bool {
    is_uuid(bytes, |byte| byte == digit)
}

#[cfg(test)]
mod tests;
