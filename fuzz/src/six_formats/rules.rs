//! The rules that formats share, each with a way to break it and the code that it gives.

use super::request::{Abstract, TIME_END, TIME_FIRST};
use crate::doc::{Document, Platform, table::path_slot};

mod body;
mod paths;
mod presence;
mod values;

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
    Rule { name: "a nonce that is not all zero", break_it: values::zero_nonce },
    Rule { name: "a nonce of 16 bytes", break_it: values::short_nonce },
    Rule {
        name: "a user with a domain",
        break_it: |document, request, _| values::user(document, request, "anaexample.com", format),
    },
    Rule {
        name: "a user of six characters",
        break_it: |document, request, _| values::user(document, request, "a@b.c", length),
    },
    Rule {
        name: "a user whose domain has a dot",
        break_it: |document, request, _| values::user(document, request, "ana@example", format),
    },
    Rule { name: "a node in lower case", break_it: |document, _, _| values::node(document, "Node-eu-02", format) },
    Rule {
        name: "a node of 63 characters",
        break_it: |document, _, _| values::node(document, &"n".repeat(64), length),
    },
    Rule {
        name: "a node that ends in a letter or digit",
        break_it: |document, _, _| values::node(document, "node-", format),
    },
    Rule { name: "an estimate up to 2^50", break_it: values::large_estimate },
    Rule { name: "an estimate of 16 characters", break_it: values::long_estimate },
    Rule { name: "an estimate without a leading zero", break_it: values::zero_estimate },
    Rule { name: "a time from 2012 on", break_it: |document, _, _| values::time(document, TIME_FIRST - 1) },
    Rule { name: "a time before 2100", break_it: |document, _, _| values::time(document, TIME_END) },
    Rule { name: "a day that the month has", break_it: values::no_such_day },
    Rule { name: "one proof", break_it: presence::both_proofs },
    Rule { name: "a proof", break_it: presence::no_proof },
    Rule { name: "the proof of the operation", break_it: presence::other_proof },
    Rule { name: "no user but with register", break_it: presence::needless_user },
    Rule { name: "a user with register", break_it: presence::no_user },
    Rule { name: "a proof in its canonical form", break_it: values::loose_proof },
    Rule { name: "a proof in full", break_it: values::short_proof },
    Rule { name: "no node but with a transfer", break_it: presence::needless_node },
    Rule { name: "no path but with a transfer", break_it: presence::needless_paths },
    Rule { name: "a node with a transfer", break_it: presence::no_node },
    Rule { name: "a path with a transfer", break_it: presence::no_paths },
    Rule { name: "a list with something in it", break_it: presence::empty_list },
    Rule { name: "so many paths and no more", break_it: presence::too_many_paths },
    Rule { name: "no component `..`", break_it: |document, _, detail| paths::component(document, "..", detail) },
    Rule { name: "no component `.`", break_it: |document, _, detail| paths::component(document, ".", detail) },
    Rule { name: "no empty component", break_it: |document, _, detail| paths::component(document, "", detail) },
    Rule {
        name: "no component over 255",
        break_it: |document, _, detail| paths::component(document, &"c".repeat(256), detail),
    },
    Rule { name: "no NUL in a path", break_it: paths::nul_in_path },
    Rule { name: "a root that the platform has", break_it: paths::no_root },
    Rule { name: "a known operation", break_it: values::unknown_operation },
    Rule { name: "an operation in its spelling", break_it: values::misspelled_operation },
    Rule { name: "names of the table", break_it: body::unknown_name },
    Rule { name: "each name once", break_it: body::duplicate_name },
    Rule { name: "the order of the table", break_it: body::other_order },
    Rule { name: "all that is required", break_it: body::missing_name },
    Rule { name: "nothing behind the body", break_it: body::trailing_byte },
    Rule { name: "no byte order mark", break_it: body::byte_order_mark },
    Rule { name: "text in its encoding", break_it: values::broken_text },
    Rule { name: "a body of 16384 bytes", break_it: body::long_body },
];
