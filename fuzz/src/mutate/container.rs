//! The container: what stands around and between the fields, changed on the written body.

use fastrand::Rng;

use crate::doc::Platform;

mod form;
mod json;
mod lines;
mod markup;
mod windows;

/// One change of `body`.
pub fn change(platform: Platform, body: &mut Vec<u8>, chance: &mut Rng) {
    match chance.u8(..5) {
        0 => ends(body, chance),
        _ => match platform {
            Platform::Windows => windows::change(body, chance),
            Platform::MacOs | Platform::WindowsPhone => markup::change(body, chance),
            Platform::Linux => lines::change(body, chance),
            Platform::Ios => json::change(body, chance),
            Platform::Android => form::change(body, chance),
        },
    }
}

/// White space where the format allows it, so that the body means the same; only some formats have any.
pub fn space(platform: Platform, body: &mut Vec<u8>, chance: &mut Rng) {
    let space: &[u8] = [&b" "[..], b"\n", b"\t", b"\r\n", b"  \n\t"][chance.usize(..5)];
    let places = match platform {
        Platform::MacOs | Platform::WindowsPhone => markup::gaps(body),
        Platform::Ios => json::structural(body),
        Platform::Windows | Platform::Linux | Platform::Android => return,
    };
    if let Some(at) = chance.choice(places) {
        put(body, at, 0, space);
    }
}

fn put(body: &mut Vec<u8>, at: usize, taken: usize, bytes: &[u8]) {
    let at = at.min(body.len());
    let end = (at + taken).min(body.len());
    body.splice(at..end, bytes.iter().copied());
}

fn one_of<'a>(of: &[&'a [u8]], chance: &mut Rng) -> &'a [u8] {
    of[chance.usize(..of.len())]
}

/// More or fewer bytes at either end.
fn ends(body: &mut Vec<u8>, chance: &mut Rng) {
    match chance.u8(..6) {
        0 => body.truncate(body.len().saturating_sub(1 + chance.usize(..3))),
        1 => body.truncate(chance.usize(..=body.len())),
        2 => body.extend_from_slice(one_of(
            &[b"\n", b" ", b"\0", b"\r\n", b"x", b"\t", b"&", b"<", b"{}", b"END\n", b"\xEF\xBB\xBF"],
            chance,
        )),
        3 => put(body, 0, 0, one_of(&[b"\xEF\xBB\xBF", b" ", b"\n", b"\0", b"\xFF\xFE", b"x", b"\t"], chance)),
        4 => put(body, 0, 1, b""),
        _ => {
            let from = body.len().saturating_sub(1 + chance.usize(..40));
            let tail = body[from..].to_vec();
            body.extend_from_slice(&tail);
        }
    }
}

/// Replaces the first place of one of these, or the last.
fn replace(body: &mut Vec<u8>, pairs: &[(&[u8], &[u8])], chance: &mut Rng) {
    let (from, to) = pairs[chance.usize(..pairs.len())];
    let at = if chance.bool() { crate::doc::find(body, from, 0) } else { crate::doc::rfind(body, from) };
    if let Some(at) = at {
        put(body, at, from.len(), to);
    }
}
