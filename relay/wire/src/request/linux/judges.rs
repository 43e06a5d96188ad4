//! The judges of the values of FORMATS §3.

use alloc::{borrow::ToOwned, vec::Vec};

use super::{
    super::grammar::{self, Scan, characters, format, is_label, is_lower_hex, length, word},
    Link, Metered, Net, Power,
};
use crate::{error::Code, time::WallTime};

/// PATH_MAX without its NUL.
const PATH_BYTES_MAX: usize = 4_095;

pub(super) fn machine_id(text: &str) -> Result<(), Code> {
    characters(text, 32, 32, is_lower_hex)?;
    // The bits of a version-4 UUID, as `sd_id128_get_machine_app_specific` sets them.
    let bytes = text.as_bytes();
    format(bytes[12] == b'4' && matches!(bytes[16], b'8' | b'9' | b'a' | b'b'))
}

pub(super) fn host_name(text: &str) -> Result<(), Code> {
    length(text, 1, 64)?;
    format(text.as_bytes().split(|byte| *byte == b'.').all(is_label))
}

pub(super) fn os_release(text: &str) -> Result<(), Code> {
    characters(text, 1, 32, |byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"._-".contains(&byte))
}

pub(super) fn kernel(text: &str) -> Result<(), Code> {
    length(text, 3, 64)?;
    format(is_kernel(text))
}

fn is_kernel(text: &str) -> bool {
    let mut scan = Scan::new(text);
    if !scan.exactly(1, |byte| matches!(byte, b'2'..=b'9')) {
        return false;
    }
    // One `.n` must be there, two more may.
    for _ in 0..3 {
        if !scan.eat(b'.') || scan.run(3, |byte| byte.is_ascii_digit()).is_empty() {
            return false;
        }
        if scan.rest().first() != Some(&b'.') {
            break;
        }
    }
    match scan.rest() {
        [] => true,
        [b'+' | b'~' | b'_' | b'-', local @ ..] => {
            local.iter().all(|byte| byte.is_ascii_alphanumeric() || b".+~_-".contains(byte))
        }
        _ => false,
    }
}

pub(super) fn agent(text: &str) -> Result<(), Code> {
    length(text, 5, 64)?;
    format(is_semantic_version(text))
}

/// Semantic Versioning 2.0.0, its three numbers of at most 5 digits.
fn is_semantic_version(text: &str) -> bool {
    let (text, build) = text.split_once('+').map_or((text, None), |(text, build)| (text, Some(build)));
    let (core, pre_release) = text.split_once('-').map_or((text, None), |(core, pre)| (core, Some(pre)));
    let mut scan = Scan::new(core);
    let numbers = (0..3).all(|at| (at == 0 || scan.eat(b'.')) && scan.number(5).is_some()) && scan.at_end();
    let identifiers = |list: &str, zeros: bool| list.split('.').all(|identifier| is_identifier(identifier, zeros));
    numbers
        && pre_release.is_none_or(|list| identifiers(list, false))
        && build.is_none_or(|list| identifiers(list, true))
}

/// An identifier of a version; `zeros`: one of digits alone may begin with 0.
fn is_identifier(identifier: &str, zeros: bool) -> bool {
    let bytes = identifier.as_bytes();
    let leading_zero = bytes.len() > 1 && bytes[0] == b'0' && bytes.iter().all(u8::is_ascii_digit);
    !bytes.is_empty()
        && bytes.iter().all(|byte| byte.is_ascii_alphanumeric() || *byte == b'-')
        && (zeros || !leading_zero)
}

pub(super) fn lang(text: &str) -> Result<(), Code> {
    length(text, 1, 40)?;
    format(matches!(text, "C" | "POSIX" | "C.UTF-8" | "C.utf8") || is_locale(text))
}

fn is_locale(text: &str) -> bool {
    let mut scan = Scan::new(text);
    scan.run(3, |byte| byte.is_ascii_lowercase()).len() >= 2
        && scan.eat(b'_')
        && scan.exactly(2, |byte| byte.is_ascii_uppercase())
        && (!scan.eat(b'.') || !scan.run(16, |byte| byte.is_ascii_alphanumeric() || byte == b'-').is_empty())
        && (!scan.eat(b'@') || !scan.run(16, |byte| byte.is_ascii_lowercase()).is_empty())
        && scan.at_end()
}

pub(super) fn net(text: &str) -> Result<Net, Code> {
    length(text, 9, 40)?;
    let mut parts = text.split(':');
    let (Some(interface), Some(kind), Some(metered), None) = (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return Err(Code::Format);
    };
    format((1..=15).contains(&interface.len()) && !interface.contains('/'))?;
    Ok(Net {
        interface: interface.to_owned(),
        kind: word(kind, Link::ALL, Link::as_str)?,
        metered: word(metered, Metered::ALL, Metered::as_str)?,
    })
}

pub(super) fn power(text: &str) -> Result<Power, Code> {
    length(text, 2, 11)?;
    match text {
        "ac" => Ok(Power::Ac),
        "unknown" => Ok(Power::Unknown),
        other => {
            let mut scan = Scan::new(other.strip_prefix("battery:").ok_or(Code::Format)?);
            let percent = scan.number(3).and_then(|percent| u8::try_from(percent).ok()).ok_or(Code::Format)?;
            format(scan.at_end() && percent <= 100)?;
            Ok(Power::Battery(percent))
        }
    }
}

pub(super) fn sent_at(text: &str) -> Result<WallTime, Code> {
    characters(text, 10, 10, |byte| byte.is_ascii_digit())?;
    let seconds = grammar::decimal(text)?;
    grammar::in_range(WallTime::from_unix(core::time::Duration::from_secs(seconds)))
}

/// Whether every `%` begins an escape, and only of a byte that is written so.
pub(super) fn is_escaped(value: &str) -> bool {
    let mut rest = value.as_bytes();
    while let Some(at) = rest.iter().position(|byte| *byte == b'%') {
        let Some((digits, behind)) = rest[at + 1..].split_at_checked(2) else { return false };
        match grammar::percent_value(digits) {
            Some(byte) if is_escape(byte) => rest = behind,
            Some(_) | None => return false,
        }
    }
    true
}

/// Whether PATH writes this byte as `%XX`.
pub(super) const fn is_escape(byte: u8) -> bool {
    !matches!(byte, 0x21..=0x7E) || byte == b'%'
}

pub(super) fn path(text: &str) -> Result<Vec<u8>, Code> {
    let mut path = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, behind @ ..] = rest {
        rest = behind;
        if *first != b'%' {
            path.push(*first);
            continue;
        }
        let (digits, behind) = rest.split_at_checked(2).ok_or(Code::Path)?;
        path.push(grammar::percent_value(digits).ok_or(Code::Path)?);
        rest = behind;
    }
    if grammar::posix_path(&path, PATH_BYTES_MAX) { Ok(path) } else { Err(Code::Path) }
}
