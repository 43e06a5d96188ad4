//! Rules of paths.

use std::borrow::Cow;

use super::{BYTES, Broken, VALUES, path};
use crate::{
    doc::{Document, Platform, escape, slots, table::path_slot},
    six_formats::{request::Abstract, write},
};

/// Puts a bad component at a place of a path, among other paths.
pub(super) fn component(document: &mut Document<'_>, bad: &str, detail: u8) -> Option<Broken> {
    let platform = document.platform;
    let (root, separator) = write::root(platform, detail >> 4);
    // An empty one at the end of a mere root: there the root is complete, or the path is only a root.
    let forms: &[&str] = if bad.is_empty() { &["aX", "aXb", "aXbXcX", "XaXb"] } else { &["B", "aXB", "BXa", "aXBXb"] };
    let form = forms[usize::from(detail) % forms.len()];
    let mut bad_path = root.to_owned();
    for part in form.chars() {
        match part {
            'X' if bad.is_empty() => bad_path.extend([separator, separator]),
            'X' => bad_path.push(separator),
            'B' => bad_path.push_str(bad),
            other => bad_path.push(other),
        }
    }
    put_path(document, bad_path.as_bytes());
    path(document)
}

/// Puts a plain path behind those that are there.
fn put_path(document: &mut Document<'_>, plain: &[u8]) {
    let wire = slots(document.platform)[path_slot(document.platform)].wire;
    let mut paths: Vec<Cow<'_, [u8]>> =
        document.paths().into_iter().map(|path| Cow::Owned(path.into_owned())).collect();
    paths.push(Cow::Owned(escape::wire_path(wire, plain)));
    document.set_paths(&paths);
}

pub(super) fn nul_in_path(document: &mut Document<'_>, _: &Abstract, detail: u8) -> Option<Broken> {
    let slot = path_slot(document.platform);
    let (root, _) = write::root(document.platform, detail);
    put_path(document, format!("{root}a\0b").as_bytes());
    match document.platform {
        Platform::Windows => Broken::new(VALUES, "E_ENCODING", &[slot]),
        Platform::MacOs | Platform::WindowsPhone => Broken::new(BYTES, "E_ENCODING", &[slot]),
        Platform::Linux | Platform::Ios | Platform::Android => path(document),
    }
}

pub(super) fn no_root(document: &mut Document<'_>, _: &Abstract, detail: u8) -> Option<Broken> {
    let forms = ["a", "x/y", "C:x", "./a", "~/a", "\\a", "http://example.com/a", "file:///etc/passwd"];
    put_path(document, forms[usize::from(detail) % forms.len()].as_bytes());
    path(document)
}
