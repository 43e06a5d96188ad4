//! What makes a path: the components. Everything that is wrong with a path is `E_PATH`.

use super::Bytes;

/// Whether there is a C0 character or DEL. Neither occurs inside a longer UTF-8 sequence.
pub(crate) fn has_control(bytes: &[u8]) -> bool {
    bytes.iter().any(|byte| *byte < 0x20 || *byte == 0x7F)
}

/// Components joined by one `/` each: every one of 1..255 bytes, none `.` or `..`, no NUL.
pub(crate) fn joined(bytes: &[u8]) -> bool {
    bytes
        .split(|byte| *byte == b'/')
        .all(|component| (1..=255).contains(&component.len()) && !is_dots(component) && !component.contains(&0))
}

/// An absolute POSIX path of at most `max` bytes: `/` alone, or [`joined`] components after a `/`.
pub(crate) fn posix_path(bytes: &[u8], max: usize) -> bool {
    match bytes {
        [b'/'] => true,
        [b'/', components @ ..] => bytes.len() <= max && joined(components),
        _ => false,
    }
}

const fn is_dots(component: &[u8]) -> bool {
    matches!(component, b"." | b"..")
}

/// What a component of a Windows path is made of: anything but C0 and what Win32 gives a meaning.
const PLAIN: Bytes = Bytes::from_to(0x20, 0xFF, b"<>:\"/?*\\|");

/// A component of a Windows path (FORMATS §1), at most `units_max` UTF-16 units long. `win32`: the path
/// has no `\\?\` prefix, so the Win32 rules on endings and reserved names hold too.
pub(crate) fn windows_component(component: &str, units_max: usize, win32: bool) -> bool {
    let bytes = component.as_bytes();
    let units = if component.is_ascii() { bytes.len() } else { component.encode_utf16().count() };
    (1..=units_max).contains(&units)
        && !is_dots(bytes)
        && PLAIN.run(bytes) == bytes.len()
        && !(win32 && (matches!(bytes.last(), Some(b' ' | b'.')) || is_reserved(component)))
}

/// Whether Win32 takes the name for a device: what stands before the first dot, without the spaces at its end.
fn is_reserved(component: &str) -> bool {
    let stem = component.split_once('.').map_or(component, |(stem, _)| stem).trim_end_matches(' ');
    let Some((head, tail)) = stem.split_at_checked(3) else { return false };
    if tail.is_empty() {
        return ["CON", "PRN", "AUX", "NUL"].iter().any(|name| head.eq_ignore_ascii_case(name));
    }
    let mut digits = tail.chars();
    (head.eq_ignore_ascii_case("COM") || head.eq_ignore_ascii_case("LPT"))
        && matches!(digits.next(), Some('1'..='9' | '¹' | '²' | '³'))
        && digits.next().is_none()
}
