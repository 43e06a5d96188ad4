//! The rules that formats share, each with a way to break it and the code that it gives.

use std::borrow::Cow;

use super::{
    request::{Abstract, TICKS, TIME_END, TIME_FIRST},
    write::{self, put},
};
use crate::{
    doc::{
        Document, Field, Platform, Wire, escape, slots,
        table::{HEADER_FIELDS, path_slot, wire_name},
    },
    mutate::operation::{self, roles},
    spec::{When, rows},
};

/// When a failure is met: a smaller rank wins. The step; within the step of the fields the row, then what is judged of it.
pub(super) type Rank = (u8, usize, u8);

const FRAME: Rank = (0, 0, 0);
const BYTES: Rank = (1, 0, 0);
const SYNTAX: Rank = (2, 0, 0);
const VALUES: Rank = (3, 0, 0);
const UNKNOWN: Rank = (4, 0, 0);
const DUPLICATE: Rank = (5, 0, 0);
const ORDER: Rank = (6, 0, 0);
const MISSING: Rank = (7, 0, 0);
const CONFLICT: Rank = (9, 0, 0);

/// A rule broken.
#[derive(Clone, Debug)]
pub(super) struct Broken {
    pub(super) rank: Rank,
    pub(super) code: &'static str,
    /// Rows that were changed for it: two rules must not meet on one.
    slots: Vec<usize>,
    /// What is done to the written body.
    pub(super) afterwards: fn(&mut Vec<u8>),
}

impl Broken {
    fn new(rank: Rank, code: &'static str, slots: &[usize]) -> Option<Self> {
        Some(Self { rank, code, slots: slots.to_vec(), afterwards: |_| {} })
    }

    fn of_body(rank: Rank, code: &'static str, afterwards: fn(&mut Vec<u8>)) -> Option<Self> {
        // No row stands for the body as a whole.
        Some(Self { rank, code, slots: vec![usize::MAX], afterwards })
    }

    /// Whether both were made by changing one row.
    pub(super) fn touches(&self, other: &Self) -> bool {
        self.slots.iter().any(|slot| other.slots.contains(slot))
    }
}

/// A rule, and how it is broken. `None`: this format or this request does not carry it.
pub(super) struct Rule {
    pub(super) name: &'static str,
    pub(super) break_it: fn(&mut Document<'_>, &Abstract, u8) -> Option<Broken>,
}

/// What is judged of a field, in this order.
fn length(slot: usize) -> Option<Broken> {
    Broken::new((8, slot, 1), "E_LENGTH", &[slot])
}

fn format(slot: usize) -> Option<Broken> {
    Broken::new((8, slot, 2), "E_FORMAT", &[slot])
}

fn range(slot: usize) -> Option<Broken> {
    Broken::new((8, slot, 3), "E_RANGE", &[slot])
}

fn path(document: &Document<'_>) -> Option<Broken> {
    let slot = path_slot(document.platform);
    Broken::new((8, slot, 0), "E_PATH", &[slot])
}

fn conflict(slots: &[usize]) -> Option<Broken> {
    Broken::new(CONFLICT, "E_CONFLICT", slots)
}

const fn is_phone(platform: Platform) -> bool {
    matches!(platform, Platform::WindowsPhone)
}

/// Every rule.
pub(super) const RULES: &[Rule] = &[
    Rule { name: "a nonce that is not all zero", break_it: zero_nonce },
    Rule { name: "a nonce of 16 bytes", break_it: short_nonce },
    Rule {
        name: "a user with a domain",
        break_it: |document, request, _| user(document, request, "anaexample.com", format),
    },
    Rule {
        name: "a user of six characters",
        break_it: |document, request, _| user(document, request, "a@b.c", length),
    },
    Rule {
        name: "a user whose domain has a dot",
        break_it: |document, request, _| user(document, request, "ana@example", format),
    },
    Rule {
        name: "a node in lower case",
        break_it: |document, request, _| node(document, request, "Node-eu-02", format),
    },
    Rule {
        name: "a node of 63 characters",
        break_it: |document, request, _| node(document, request, &"n".repeat(64), length),
    },
    Rule {
        name: "a node that ends in a letter or digit",
        break_it: |document, request, _| node(document, request, "node-", format),
    },
    Rule { name: "an estimate up to 2^50", break_it: large_estimate },
    Rule { name: "an estimate of 16 characters", break_it: long_estimate },
    Rule { name: "an estimate without a leading zero", break_it: zero_estimate },
    Rule { name: "a time from 2012 on", break_it: |document, _, _| time(document, TIME_FIRST - 1) },
    Rule { name: "a time before 2100", break_it: |document, _, _| time(document, TIME_END) },
    Rule { name: "a day that the month has", break_it: no_such_day },
    Rule { name: "one proof", break_it: both_proofs },
    Rule { name: "a proof", break_it: no_proof },
    Rule { name: "the proof of the operation", break_it: other_proof },
    Rule { name: "no user but with register", break_it: needless_user },
    Rule { name: "a user with register", break_it: no_user },
    Rule { name: "a proof in its canonical form", break_it: loose_proof },
    Rule { name: "a proof in full", break_it: short_proof },
    Rule { name: "no node but with a transfer", break_it: needless_node },
    Rule { name: "no path but with a transfer", break_it: needless_paths },
    Rule { name: "a node with a transfer", break_it: no_node },
    Rule { name: "a path with a transfer", break_it: no_paths },
    Rule { name: "a list with something in it", break_it: empty_list },
    Rule { name: "so many paths and no more", break_it: too_many_paths },
    Rule { name: "no component `..`", break_it: |document, _, detail| component(document, "..", detail) },
    Rule { name: "no component `.`", break_it: |document, _, detail| component(document, ".", detail) },
    Rule { name: "no empty component", break_it: |document, _, detail| component(document, "", detail) },
    Rule {
        name: "no component over 255",
        break_it: |document, _, detail| component(document, &"c".repeat(256), detail),
    },
    Rule { name: "no NUL in a path", break_it: nul_in_path },
    Rule { name: "a root that the platform has", break_it: no_root },
    Rule { name: "a known operation", break_it: unknown_operation },
    Rule { name: "an operation in its spelling", break_it: misspelled_operation },
    Rule { name: "names of the table", break_it: unknown_name },
    Rule { name: "each name once", break_it: duplicate_name },
    Rule { name: "the order of the table", break_it: other_order },
    Rule { name: "all that is required", break_it: missing_name },
    Rule { name: "nothing behind the body", break_it: trailing_byte },
    Rule { name: "no byte order mark", break_it: byte_order_mark },
    Rule { name: "text in its encoding", break_it: broken_text },
    Rule { name: "a body of 16384 bytes", break_it: long_body },
];

fn zero_nonce(document: &mut Document<'_>, _: &Abstract, _: u8) -> Option<Broken> {
    let slot = roles(document.platform).nonce;
    put(document, slot, &write::nonce(document.platform, &[0; 16]));
    format(slot)
}

fn short_nonce(document: &mut Document<'_>, request: &Abstract, _: u8) -> Option<Broken> {
    let slot = roles(document.platform).nonce;
    put(document, slot, &write::nonce(document.platform, &request.nonce[..15]));
    length(slot)
}

fn user(
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

fn node(
    document: &mut Document<'_>,
    request: &Abstract,
    node: &str,
    code: fn(usize) -> Option<Broken>,
) -> Option<Broken> {
    let slot = roles(document.platform).node;
    put(document, slot, node.as_bytes());
    // Where there should be none it is judged all the same, and first.
    let _ = request;
    code(slot)
}

fn large_estimate(document: &mut Document<'_>, _: &Abstract, detail: u8) -> Option<Broken> {
    let slot = roles(document.platform).estimate;
    let estimate = [(1 << 50) + 1, (1 << 50) + 2, 9_999_999_999_999_999, 1 << 51][usize::from(detail) % 4];
    put(document, slot, &write::number(document.platform, estimate));
    range(slot)
}

fn long_estimate(document: &mut Document<'_>, _: &Abstract, _: u8) -> Option<Broken> {
    let slot = roles(document.platform).estimate;
    if document.platform == Platform::Windows {
        return None;
    }
    put(document, slot, b"10000000000000000");
    length(slot)
}

fn zero_estimate(document: &mut Document<'_>, _: &Abstract, _: u8) -> Option<Broken> {
    let slot = roles(document.platform).estimate;
    if document.platform == Platform::Windows {
        return None;
    }
    put(document, slot, b"01");
    if document.platform == Platform::Ios { Broken::new(SYNTAX, "E_SYNTAX", &[slot]) } else { format(slot) }
}

fn time(document: &mut Document<'_>, seconds: u64) -> Option<Broken> {
    let slot = roles(document.platform).sent;
    put(document, slot, &write::time(document.platform, seconds * TICKS));
    range(slot)
}

fn no_such_day(document: &mut Document<'_>, _: &Abstract, detail: u8) -> Option<Broken> {
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

/// The slots of both proofs and the user.
fn of_c1(platform: Platform) -> Vec<usize> {
    let roles = roles(platform);
    vec![roles.mass, roles.device, roles.user]
}

fn both_proofs(document: &mut Document<'_>, request: &Abstract, _: u8) -> Option<Broken> {
    let roles = roles(document.platform);
    if is_phone(document.platform) {
        return None;
    }
    put(document, roles.mass, write::mass(&request.mass).as_bytes());
    put(document, roles.device, write::device(&request.device).as_bytes());
    conflict(&of_c1(document.platform))
}

fn no_proof(document: &mut Document<'_>, _: &Abstract, _: u8) -> Option<Broken> {
    let roles = roles(document.platform);
    if is_phone(document.platform) {
        return None;
    }
    document.clear(roles.mass);
    document.clear(roles.device);
    conflict(&of_c1(document.platform))
}

fn other_proof(document: &mut Document<'_>, request: &Abstract, detail: u8) -> Option<Broken> {
    let roles = roles(document.platform);
    let (mass, device) = (write::mass(&request.mass), write::device(&request.device));
    let user = if request.is_register() == (detail.is_multiple_of(2)) { request.user.as_str() } else { "" };
    if is_phone(document.platform) {
        document.set(roles.mass, operation::credentials(if request.is_register() { &device } else { &mass }, user));
        return conflict(&of_c1(document.platform));
    }
    document.clear(roles.mass);
    document.clear(roles.device);
    document.clear(roles.user);
    if request.is_register() {
        put(document, roles.device, device.as_bytes());
    } else {
        put(document, roles.mass, mass.as_bytes());
    }
    if !user.is_empty() {
        put(document, roles.user, user.as_bytes());
    }
    conflict(&of_c1(document.platform))
}

fn needless_user(document: &mut Document<'_>, request: &Abstract, _: u8) -> Option<Broken> {
    let roles = roles(document.platform);
    if request.is_register() {
        return None;
    }
    if is_phone(document.platform) {
        document.set(roles.user, operation::credentials(&write::device(&request.device), &request.user));
    } else {
        put(document, roles.user, request.user.as_bytes());
    }
    conflict(&of_c1(document.platform))
}

fn no_user(document: &mut Document<'_>, request: &Abstract, _: u8) -> Option<Broken> {
    let roles = roles(document.platform);
    if !request.is_register() {
        return None;
    }
    if is_phone(document.platform) {
        document.set(roles.user, operation::credentials(&write::mass(&request.mass), ""));
    } else {
        document.clear(roles.user);
    }
    conflict(&of_c1(document.platform))
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

fn loose_proof(document: &mut Document<'_>, request: &Abstract, _: u8) -> Option<Broken> {
    let slot = respelled_proof(document, request, |proof| {
        // The lowest of the bits that say nothing.
        let last = proof.pop().unwrap_or('A');
        proof.push(char::from_u32(u32::from(last) + 1).unwrap_or('B'));
    });
    format(slot)
}

fn short_proof(document: &mut Document<'_>, request: &Abstract, detail: u8) -> Option<Broken> {
    let slot = respelled_proof(document, request, |proof| {
        if detail.is_multiple_of(2) {
            proof.pop();
        } else {
            proof.push('A');
        }
    });
    length(slot)
}

fn needless_node(document: &mut Document<'_>, request: &Abstract, _: u8) -> Option<Broken> {
    let slot = roles(document.platform).node;
    if request.is_transfer() {
        return None;
    }
    put(document, slot, request.node.as_bytes());
    conflict(&[slot])
}

fn needless_paths(document: &mut Document<'_>, request: &Abstract, _: u8) -> Option<Broken> {
    if request.is_transfer() {
        return None;
    }
    let paths: Vec<Vec<u8>> = request.paths.iter().map(|path| write::path(document.platform, path)).collect();
    write::set_paths(document, &paths);
    conflict(&[path_slot(document.platform)])
}

fn no_node(document: &mut Document<'_>, request: &Abstract, _: u8) -> Option<Broken> {
    let slot = roles(document.platform).node;
    document.clear(slot);
    request.is_transfer().then(|| conflict(&[slot])).flatten()
}

fn no_paths(document: &mut Document<'_>, request: &Abstract, _: u8) -> Option<Broken> {
    let slot = path_slot(document.platform);
    document.clear(slot);
    request.is_transfer().then(|| conflict(&[slot])).flatten()
}

fn empty_list(document: &mut Document<'_>, _: &Abstract, _: u8) -> Option<Broken> {
    let slot = path_slot(document.platform);
    if !matches!(document.platform, Platform::MacOs | Platform::Ios) {
        return None;
    }
    document.set_empty_list();
    conflict(&[slot])
}

fn too_many_paths(document: &mut Document<'_>, request: &Abstract, detail: u8) -> Option<Broken> {
    if !request.is_transfer() {
        return None;
    }
    operation::fill_paths(document, operation::paths_max(document.platform) + 1 + usize::from(detail % 3));
    conflict(&[path_slot(document.platform)])
}

/// Puts a bad component at a place of a path, among other paths.
fn component(document: &mut Document<'_>, bad: &str, detail: u8) -> Option<Broken> {
    let platform = document.platform;
    let (root, separator) = write::root(platform, detail >> 4);
    // An empty one at the end of a mere root: there the root is complete, or the path is only a root.
    let forms: &[&str] = if bad.is_empty() { &["aX", "aXb", "aXbXcX", "XaXb"] } else { &["B", "aXB", "BXa", "aXBXb"] };
    let form = forms[usize::from(detail) % forms.len()];
    let mut path = root.to_owned();
    for part in form.chars() {
        match part {
            'X' if bad.is_empty() => path.extend([separator, separator]),
            'X' => path.push(separator),
            'B' => path.push_str(bad),
            other => path.push(other),
        }
    }
    put_path(document, path.as_bytes());
    self::path(document)
}

/// Puts a plain path behind those that are there.
fn put_path(document: &mut Document<'_>, plain: &[u8]) {
    let wire = slots(document.platform)[path_slot(document.platform)].wire;
    let mut paths: Vec<Cow<'_, [u8]>> =
        document.paths().into_iter().map(|path| Cow::Owned(path.into_owned())).collect();
    paths.push(Cow::Owned(escape::wire_path(wire, plain)));
    document.set_paths(&paths);
}

fn nul_in_path(document: &mut Document<'_>, _: &Abstract, detail: u8) -> Option<Broken> {
    let slot = path_slot(document.platform);
    let (root, _) = write::root(document.platform, detail);
    put_path(document, format!("{root}a\0b").as_bytes());
    match document.platform {
        Platform::Windows => Broken::new(VALUES, "E_ENCODING", &[slot]),
        Platform::MacOs | Platform::WindowsPhone => Broken::new(BYTES, "E_ENCODING", &[slot]),
        Platform::Linux | Platform::Ios | Platform::Android => path(document),
    }
}

fn no_root(document: &mut Document<'_>, _: &Abstract, detail: u8) -> Option<Broken> {
    let forms = ["a", "x/y", "C:x", "./a", "~/a", "\\a", "http://example.com/a", "file:///etc/passwd"];
    put_path(document, forms[usize::from(detail) % forms.len()].as_bytes());
    path(document)
}

fn unknown_operation(document: &mut Document<'_>, _: &Abstract, detail: u8) -> Option<Broken> {
    let slot = roles(document.platform).op;
    if document.platform == Platform::Windows {
        put(document, slot, &[[0, 0], [7, 0], [1, 1], [255, 255]][usize::from(detail) % 4]);
        return range(slot);
    }
    put(document, slot, [&b"delete"[..], b"pin", b"pings", b"enrol"][usize::from(detail) % 4]);
    format(slot)
}

fn misspelled_operation(document: &mut Document<'_>, request: &Abstract, detail: u8) -> Option<Broken> {
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

fn unknown_name(document: &mut Document<'_>, _: &Abstract, detail: u8) -> Option<Broken> {
    let (name, value): (&[u8], &[u8]) = match document.platform {
        Platform::Windows => (&[[0x13, 0], [0, 0], [1, 1], [0xFF, 0xFF]][usize::from(detail) % 4], b"x"),
        Platform::MacOs => (b"Jailbroken", b"<true/>"),
        Platform::Linux => (b"JAILBROKEN", b"no"),
        Platform::Ios => (b"jailbroken", b"false"),
        Platform::Android => (b"jailbroken", b"0"),
        Platform::WindowsPhone => (b"./Edge/Jailbroken", b"<Data>no</Data>"),
    };
    let first = if document.platform == Platform::WindowsPhone { HEADER_FIELDS } else { 1 };
    let at = first + usize::from(detail) % 8;
    document.fields.insert(at, Field::new(name.to_vec(), value.to_vec(), None));
    Broken::new(UNKNOWN, "E_UNKNOWN", &[])
}

/// Places of fields that may stand twice, change places or be missing: with a row of their own, in no header, no path.
fn movable(document: &Document<'_>) -> Vec<usize> {
    let platform = document.platform;
    let is_movable = |field: &Field<'_>| {
        field.slot.is_some_and(|slot| {
            let is_greeting = platform == Platform::Linux && slot == 0;
            slots(platform)[slot].wire != Wire::Header && slot != path_slot(platform) && !is_greeting
        })
    };
    document.fields.iter().enumerate().filter(|(_, field)| is_movable(field)).map(|(at, _)| at).collect()
}

fn duplicate_name(document: &mut Document<'_>, _: &Abstract, detail: u8) -> Option<Broken> {
    let places = movable(document);
    let at = *places.get(usize::from(detail) % places.len().max(1))?;
    let twin = document.fields[at].clone();
    let slot = twin.slot.unwrap_or_default();
    document.fields.insert(at + 1, twin);
    Broken::new(DUPLICATE, "E_DUPLICATE", &[slot])
}

fn other_order(document: &mut Document<'_>, _: &Abstract, detail: u8) -> Option<Broken> {
    if document.platform == Platform::Ios {
        return None;
    }
    let places = movable(document);
    let at = usize::from(detail) % places.len().saturating_sub(1).max(1);
    let (first, second) = (*places.get(at)?, *places.get(at + 1)?);
    let touched = [document.fields[first].slot?, document.fields[second].slot?];
    document.fields.swap(first, second);
    Broken::new(ORDER, "E_ORDER", &touched)
}

fn missing_name(document: &mut Document<'_>, _: &Abstract, detail: u8) -> Option<Broken> {
    let platform = document.platform;
    let mut places = movable(document);
    places.retain(|at| document.fields[*at].slot.is_some_and(|slot| rows(platform)[slot].when == When::Required));
    let at = *places.get(usize::from(detail) % places.len().max(1))?;
    let slot = document.fields.remove(at).slot?;
    Broken::new(MISSING, "E_MISSING", &[slot])
}

fn trailing_byte(document: &mut Document<'_>, _: &Abstract, _: u8) -> Option<Broken> {
    let afterwards: fn(&mut Vec<u8>) = match document.platform {
        Platform::Linux => |body| body.extend_from_slice(b"x\n"),
        Platform::Android => |body| body.push(b'&'),
        Platform::Windows | Platform::MacOs | Platform::Ios | Platform::WindowsPhone => |body| body.push(b'x'),
    };
    Broken::of_body(SYNTAX, "E_SYNTAX", afterwards)
}

fn byte_order_mark(document: &mut Document<'_>, _: &Abstract, _: u8) -> Option<Broken> {
    if document.platform == Platform::Windows {
        return None;
    }
    Broken::of_body(BYTES, "E_ENCODING", |body| drop(body.splice(..0, *b"\xEF\xBB\xBF")))
}

fn broken_text(document: &mut Document<'_>, _: &Abstract, detail: u8) -> Option<Broken> {
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

fn long_body(_: &mut Document<'_>, _: &Abstract, detail: u8) -> Option<Broken> {
    // Rarely: it is long.
    if detail >= 16 {
        return None;
    }
    Broken::of_body(FRAME, "E_FRAME", |body| body.resize(body.len().max(super::BODY_MAX + 1), b' '))
}

/// So that a table row's name is the same in both spellings of the documents.
#[cfg(test)]
#[test]
fn names_of_rows_can_be_written() {
    for platform in Platform::ALL {
        for slot in 0..slots(platform).len() {
            assert!(!wire_name(platform, slot).is_empty());
        }
    }
}
