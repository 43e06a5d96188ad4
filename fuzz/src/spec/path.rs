//! The six grammars of paths. Everything wrong with one is `E_PATH`.

use std::sync::LazyLock;

use regex::Regex;

use super::{Code, PathForm, value::whole};

/// Judges one path; only Linux has paths that are not UTF-8.
pub(super) fn judge(form: PathForm, path: &[u8]) -> Result<(), Code> {
    let text = std::str::from_utf8(path);
    let good = match (form, text) {
        (PathForm::Linux, _) => absolute(path, 4095, |byte| byte != 0),
        (PathForm::MacOs, Ok(_)) => absolute(path, 1023, |byte| byte > 0x1F && byte != 0x7F),
        (PathForm::Windows, Ok(text)) => windows(text),
        (PathForm::Ios, Ok(text)) => ios(text),
        (PathForm::Android, Ok(text)) => android(text),
        (PathForm::WindowsPhone, Ok(text)) => windows_phone(text),
        (PathForm::MacOs | PathForm::Windows | PathForm::Ios | PathForm::Android | PathForm::WindowsPhone, Err(_)) => {
            false
        }
    };
    if good { Ok(()) } else { Err("E_PATH") }
}

macro_rules! expression {
    ($name:ident, $($pattern:expr),+) => {
        static $name: LazyLock<Regex> = LazyLock::new(|| whole(&[$($pattern),+]));
    };
}

/// `/` alone, or components of 1..255 bytes after one `/` each.
fn absolute(path: &[u8], most: usize, allowed: impl Fn(u8) -> bool) -> bool {
    let Some(behind) = path.strip_prefix(b"/") else { return false };
    path.len() <= most
        && (behind.is_empty()
            || behind.split(|byte| *byte == b'/').all(|component| {
                (1..=255).contains(&component.len())
                    && component != b"."
                    && component != b".."
                    && component.iter().all(|byte| allowed(*byte))
            }))
}

fn units(text: &str) -> usize {
    text.chars().map(char::len_utf16).sum()
}

/// A component of section 1. `raw`: behind the prefix `\\?\`.
fn component(text: &str, raw: bool) -> bool {
    expression!(CHARACTERS, r#"[^<>:"/?*\\|\x00-\x1F]+"#);
    expression!(RESERVED, "(?i-u:CON|PRN|AUX|NUL|(COM|LPT)[1-9])", "(?i-u:COM|LPT)[¹²³]");
    let stem = text.split('.').next().unwrap_or_default().trim_end_matches(' ');
    (1..=255).contains(&units(text))
        && CHARACTERS.is_match(text)
        && text != "."
        && text != ".."
        && (raw || !(text.ends_with([' ', '.']) || RESERVED.is_match(stem)))
}

fn windows(path: &str) -> bool {
    expression!(DRIVE, r"[A-Za-z]:");
    expression!(SERVER, "[A-Za-z0-9_-][A-Za-z0-9._-]{0,62}");
    let prefixed = path.strip_prefix(r"\\?\");
    let raw = prefixed.is_some();
    if !(3..=if raw { 1024 } else { 259 }).contains(&units(path)) {
        return false;
    }
    let share = match prefixed {
        Some(behind) => behind.strip_prefix(r"UNC\"),
        None => path.strip_prefix(r"\\"),
    };
    // What stands before the components, judged; and the components, if there are any.
    let rest = match share {
        Some(share) => {
            let mut parts = share.splitn(3, '\\');
            let (Some(server), Some(share)) = (parts.next(), parts.next()) else { return false };
            if !SERVER.is_match(server) || !component(share, raw) || units(share) > 80 {
                return false;
            }
            parts.next().unwrap_or_default()
        }
        None => match prefixed.unwrap_or(path).split_once('\\') {
            Some((drive, rest)) if DRIVE.is_match(drive) => rest,
            Some(_) | None => return false,
        },
    };
    rest.is_empty() || rest.split('\\').all(|text| component(text, raw))
}

fn windows_phone(path: &str) -> bool {
    let behind = path.strip_prefix("isostore:/").or_else(|| path.strip_prefix("ms-appdata:///local/"));
    units(path) <= 259 && behind.is_some_and(|behind| behind.split('/').all(|text| component(text, false)))
}

fn ios(path: &str) -> bool {
    expression!(PHOTO, "photo:[0-9A-F]{8}-[0-9A-F]{4}-[0-9A-F]{4}-[0-9A-F]{4}-[0-9A-F]{12}/L0/[0-9]{3}");
    expression!(FILE, r"file:(Documents|Library)(/[^/\x00-\x1F\x7F]+)+");
    if PHOTO.is_match(path) {
        return true;
    }
    let components: Vec<&str> = path.split('/').collect();
    FILE.is_match(path)
        && path.len() <= 1023
        && components.iter().all(|component| component.len() <= 255 && *component != "." && *component != "..")
        && !components.starts_with(&["file:Library", "Caches"])
}

/// P of section 5: what shared storage may hold.
fn shared_storage(path: &str) -> bool {
    expression!(CHARACTERS, r#"[^"*:<>?|\\\x00-\x1F\x7F]+"#);
    expression!(CLOSED, "(?i-u:Android/(data|obb))(/.*)?");
    CHARACTERS.is_match(path)
        && path
            .split('/')
            .all(|component| (1..=255).contains(&component.len()) && component != "." && component != "..")
        && !CLOSED.is_match(path)
}

fn android(uri: &str) -> bool {
    expression!(
        MEDIA,
        concat!(
            "content://media/(external|external_primary|[0-9a-f]{4}-[0-9a-f]{4})",
            "/(images|video|audio|downloads|file)(/media)?/[1-9][0-9]{0,18}"
        )
    );
    expression!(VOLUME, "primary|[0-9A-F]{4}-[0-9A-F]{4}");
    expression!(STORAGE, "emulated/(0|[1-9][0-9]{0,2})", "[0-9A-F]{4}-[0-9A-F]{4}");
    if let Some(tree) = uri.strip_prefix("content://com.android.externalstorage.documents/tree/") {
        let Some((volume, document)) = tree.split_once("%3A") else { return false };
        return VOLUME.is_match(volume)
            && uri.chars().count() <= 1024
            && percent_decoded(document).is_some_and(|path| path.is_empty() || shared_storage(&path));
    }
    if let Some(behind) = uri.strip_prefix("/storage/") {
        // The volume has one component, or two where the first is `emulated`.
        let slashes = if behind.starts_with("emulated/") { 1 } else { 0 };
        let (volume, path) = match behind.match_indices('/').nth(slashes) {
            Some((slash, _)) => (&behind[..slash], Some(&behind[slash + 1..])),
            None => (behind, None),
        };
        return STORAGE.is_match(volume) && uri.len() <= 1023 && path.is_none_or(shared_storage);
    }
    MEDIA.is_match(uri) && uri.len() <= 1024
}

/// The text that is written so: `A-Za-z0-9-._~` as is, every other byte of its UTF-8 as `%XX`.
fn percent_decoded(document: &str) -> Option<String> {
    let mut bytes = Vec::new();
    let mut rest = document.as_bytes();
    while let [first, behind @ ..] = rest {
        if *first == b'%' {
            let digits = std::str::from_utf8(behind.get(..2)?).ok()?;
            bytes.push(u8::from_str_radix(digits, 16).ok()?);
            rest = &behind[2..];
        } else {
            bytes.push(*first);
            rest = behind;
        }
    }
    let mut again = String::new();
    for byte in &bytes {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(byte) {
            again.push(char::from(*byte));
        } else {
            again.push_str(&format!("%{byte:02X}"));
        }
    }
    if again == document { String::from_utf8(bytes).ok() } else { None }
}
