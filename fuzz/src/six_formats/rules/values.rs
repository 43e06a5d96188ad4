//! Rules of one field.

use super::{BYTES, Broken, SYNTAX, VALUES, format, is_phone, length, range};
use crate::{
    doc::{Document, Platform},
    mutate::operation::{self, roles},
    six_formats::{
        request::{Abstract, TICKS},
        write::{self, put},
    },
};

pub(super) fn zero_nonce(document: &mut Document<'_>, _: &Abstract, _: u8) -> Option<Broken> {
    let slot = roles(document.platform).nonce;
    put(document, slot, &write::nonce(document.platform, &[0; 16]));
    format(slot)
}

pub(super) fn short_nonce(document: &mut Document<'_>, request: &Abstract, _: u8) -> Option<Broken> {
    let slot = roles(document.platform).nonce;
    put(document, slot, &write::nonce(document.platform, &request.nonce[..15]));
    length(slot)
}

pub(super) fn user(
    document: &mut Document<'_>,
    request: &Abstract,
    user: &str,
    code: fn(usize) -> Option<Broken>,
) -> Option<Broken> {
    if !request.is_register() {
        return None;
    }
    let slot = roles(document.platform).user;
    if is_phone(document.platform) {
        document.set(slot, operation::credentials(&write::mass(&request.mass), user));
    } else {
        put(document, slot, user.as_bytes());
    }
    code(slot)
}

/// Where there should be no node it is judged all the same, and first.
pub(super) fn node(document: &mut Document<'_>, node: &str, code: fn(usize) -> Option<Broken>) -> Option<Broken> {
    let slot = roles(document.platform).node;
    put(document, slot, node.as_bytes());
    code(slot)
}

pub(super) fn large_estimate(document: &mut Document<'_>, _: &Abstract, detail: u8) -> Option<Broken> {
    let slot = roles(document.platform).estimate;
    let estimate = [(1 << 50) + 1, (1 << 50) + 2, 9_999_999_999_999_999, 1 << 51][usize::from(detail) % 4];
    put(document, slot, &write::number(document.platform, estimate));
    range(slot)
}

pub(super) fn long_estimate(document: &mut Document<'_>, _: &Abstract, _: u8) -> Option<Broken> {
    let slot = roles(document.platform).estimate;
    if document.platform == Platform::Windows {
        return None;
    }
    put(document, slot, b"10000000000000000");
    length(slot)
}

pub(super) fn zero_estimate(document: &mut Document<'_>, _: &Abstract, _: u8) -> Option<Broken> {
    let slot = roles(document.platform).estimate;
    if document.platform == Platform::Windows {
        return None;
    }
    put(document, slot, b"01");
    if document.platform == Platform::Ios { Broken::new(SYNTAX, "E_SYNTAX", &[slot]) } else { format(slot) }
}

pub(super) fn time(document: &mut Document<'_>, seconds: u64) -> Option<Broken> {
    let slot = roles(document.platform).sent;
    put(document, slot, &write::time(document.platform, seconds * TICKS));
    range(slot)
}

pub(super) fn no_such_day(document: &mut Document<'_>, _: &Abstract, detail: u8) -> Option<Broken> {
    let slot = roles(document.platform).sent;
    let suffix = match document.platform {
        Platform::MacOs => "Z",
        Platform::Ios => ".125Z",
        Platform::WindowsPhone => ".1250000Z",
        Platform::Windows | Platform::Linux | Platform::Android => return None,
    };
    let days = [
        "2026-02-29",
        "2024-02-30",
        "2026-04-31",
        "2026-13-01",
        "2026-00-10",
        "2026-06-00",
        "2100-02-29",
        "0000-12-32",
    ];
    let day = days[usize::from(detail) % days.len()];
    put(document, slot, format!("{day}T09:30:00{suffix}").as_bytes());
    format(slot)
}

/// Puts the proof that is there, spelled otherwise.
fn respelled_proof(document: &mut Document<'_>, request: &Abstract, spell: impl FnOnce(&mut String)) -> usize {
    let roles = roles(document.platform);
    let is_register = request.is_register();
    let mut proof = if is_register { write::mass(&request.mass) } else { write::device(&request.device) };
    spell(&mut proof);
    let slot = if is_register { roles.mass } else { roles.device };
    if is_phone(document.platform) {
        document.set(slot, operation::credentials(&proof, if is_register { &request.user } else { "" }));
    } else {
        put(document, slot, proof.as_bytes());
    }
    slot
}

pub(super) fn loose_proof(document: &mut Document<'_>, request: &Abstract, _: u8) -> Option<Broken> {
    let slot = respelled_proof(document, request, |proof| {
        // The lowest of the bits that say nothing.
        let last = proof.pop().unwrap_or('A');
        proof.push(char::from_u32(u32::from(last) + 1).unwrap_or('B'));
    });
    format(slot)
}

pub(super) fn short_proof(document: &mut Document<'_>, request: &Abstract, detail: u8) -> Option<Broken> {
    let slot = respelled_proof(document, request, |proof| {
        if detail.is_multiple_of(2) {
            proof.pop();
        } else {
            proof.push('A');
        }
    });
    length(slot)
}

pub(super) fn unknown_operation(document: &mut Document<'_>, _: &Abstract, detail: u8) -> Option<Broken> {
    let slot = roles(document.platform).op;
    if document.platform == Platform::Windows {
        put(document, slot, &[[0, 0], [7, 0], [1, 1], [255, 255]][usize::from(detail) % 4]);
        return range(slot);
    }
    put(document, slot, [&b"delete"[..], b"pin", b"pings", b"enrol"][usize::from(detail) % 4]);
    format(slot)
}

pub(super) fn misspelled_operation(document: &mut Document<'_>, request: &Abstract, detail: u8) -> Option<Broken> {
    let slot = roles(document.platform).op;
    let name = operation::NAMES[request.operation];
    let wrong = if detail.is_multiple_of(2) { name.to_uppercase() } else { String::new() };
    put(document, slot, wrong.as_bytes());
    match document.platform {
        Platform::Windows => length(slot),
        Platform::Linux => Broken::new(SYNTAX, "E_SYNTAX", &[slot]),
        Platform::MacOs | Platform::Ios | Platform::Android | Platform::WindowsPhone => format(slot),
    }
}

pub(super) fn broken_text(document: &mut Document<'_>, _: &Abstract, detail: u8) -> Option<Broken> {
    let broken = [&b"a\xC0\xAFb"[..], b"\xED\xA0\x80", b"\xF4\x90\x80\x80", b"a\xFF", b"\xE0\x9F\xBF", b"\xC3"]
        [usize::from(detail) % 6];
    let (name, rank) = match document.platform {
        Platform::Windows => ("computerName", VALUES),
        Platform::MacOs => ("ComputerName", BYTES),
        // Every value but a path is ASCII, and a path is bytes.
        Platform::Linux => return None,
        Platform::Ios => ("deviceName", BYTES),
        Platform::Android => ("model", VALUES),
        Platform::WindowsPhone => ("./Edge/Name", BYTES),
    };
    let slot = crate::doc::table::row(document.platform, name);
    if document.platform == Platform::Ios {
        // Raw, not as the escapes that the writer has for surrogates.
        document.set(slot, [b"\"", broken, b"\""].concat());
    } else {
        put(document, slot, broken);
    }
    Broken::new(rank, "E_ENCODING", &[slot])
}
