//! What Android calls a path: a media URI, a document tree URI, or a path in shared storage.

use alloc::{string::String, vec::Vec};

use super::super::grammar::{Scan, has_control, is_lower_hex, is_upper_hex, joined, percent_value};

const URI_CHARACTERS_MAX: usize = 1_024;
const PATH_BYTES_MAX: usize = 1_023;

pub(super) fn is_uri(text: &str) -> bool {
    if let Some(rest) = text.strip_prefix("content://media/") {
        return text.len() <= URI_CHARACTERS_MAX && is_media(rest);
    }
    if let Some(tree) = text.strip_prefix("content://com.android.externalstorage.documents/tree/") {
        return text.len() <= URI_CHARACTERS_MAX && is_tree(tree);
    }
    text.len() <= PATH_BYTES_MAX && text.strip_prefix("/storage/").is_some_and(is_shared)
}

/// `V/C(/media)?/[1-9][0-9]{0,18}`
fn is_media(rest: &str) -> bool {
    let Some((volume, rest)) = rest.split_once('/') else { return false };
    let Some((collection, rest)) = rest.split_once('/') else { return false };
    let id = rest.strip_prefix("media/").unwrap_or(rest).as_bytes();
    (matches!(volume, "external" | "external_primary") || is_volume(volume, is_lower_hex))
        && matches!(collection, "images" | "video" | "audio" | "downloads" | "file")
        && matches!(id, [b'1'..=b'9', ..])
        && id.len() <= 19
        && id.iter().all(u8::is_ascii_digit)
}

/// `T%3AD`: a volume and a document, percent-encoded once more than the form.
fn is_tree(tree: &str) -> bool {
    tree.split_once("%3A").is_some_and(|(volume, document)| {
        (volume == "primary" || is_volume(volume, is_upper_hex))
            && decode(document).is_some_and(|document| document.is_empty() || is_below(&document))
    })
}

/// `emulated/U` or a volume, then nothing or `/P`.
fn is_shared(rest: &str) -> bool {
    let (first, below) = rest.split_once('/').map_or((rest, None), |(first, below)| (first, Some(below)));
    if first != "emulated" {
        return is_volume(first, is_upper_hex) && below.is_none_or(is_below);
    }
    let Some(below) = below else { return false };
    let (user, below) = below.split_once('/').map_or((below, None), |(user, below)| (user, Some(below)));
    let mut scan = Scan::new(user);
    scan.number(3).is_some() && scan.at_end() && below.is_none_or(is_below)
}

/// `XXXX-XXXX`, X of `digit`.
fn is_volume(text: &str, digit: fn(u8) -> bool) -> bool {
    let mut scan = Scan::new(text);
    scan.exactly(4, digit) && scan.eat(b'-') && scan.exactly(4, digit) && scan.at_end()
}

/// P: what may stand below the root of a volume. Other applications' folders are closed to us, however they are spelled:
/// shared storage ignores case.
fn is_below(path: &str) -> bool {
    let mut components = path.split('/');
    let closed = components.next().is_some_and(|first| first.eq_ignore_ascii_case("android"))
        && components
            .next()
            .is_some_and(|second| second.eq_ignore_ascii_case("data") || second.eq_ignore_ascii_case("obb"));
    joined(path.as_bytes())
        && !has_control(path.as_bytes())
        && !path.bytes().any(|byte| b"\"*:<>?|\\".contains(&byte))
        && !closed
}

/// The text of D: UTF-8, `A-Za-z0-9-._~` as it is, every other byte `%XX` in upper case.
fn decode(text: &str) -> Option<String> {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~');
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, behind @ ..] = rest {
        rest = behind;
        if is_plain(*first) {
            bytes.push(*first);
            continue;
        }
        let (digits, behind) = rest.split_at_checked(2).filter(|_| *first == b'%')?;
        bytes.push(percent_value(digits).filter(|byte| !is_plain(*byte))?);
        rest = behind;
    }
    String::from_utf8(bytes).ok()
}
