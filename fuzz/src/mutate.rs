//! Custom mutators of the six specification targets: decode, change what a person would change, encode.
//!
//! About half of the changes keep a good body good (another operation with all that belongs to it, another value, another
//! spelling), so that the corpus wanders over what is valid; the other half misses the grammar by one step, mostly once,
//! now and then twice at once. One call in five is left to libFuzzer, which knows bytes and what the code compared.
//! Everything follows from the input and the chance that is passed in.

use std::borrow::Cow;

use fastrand::Rng;

use crate::doc::{Document, Platform, Wire, slots, table::path_slot};

pub mod container;
pub mod identities;
mod numbers;
pub mod operation;
pub mod pairs;
mod parts;
mod paths;
pub mod patterns;
pub mod structure;
pub mod texts;
pub mod values;

use values::{path_pool, pool};

/// `windows_specification`'s mutator.
#[must_use]
pub fn windows(input: &[u8], max_len: usize, chance: &mut Rng) -> Option<Vec<u8>> {
    mutate(Platform::Windows, input, max_len, chance)
}

/// `macos_specification`'s mutator.
#[must_use]
pub fn macos(input: &[u8], max_len: usize, chance: &mut Rng) -> Option<Vec<u8>> {
    mutate(Platform::MacOs, input, max_len, chance)
}

/// `linux_specification`'s mutator.
#[must_use]
pub fn linux(input: &[u8], max_len: usize, chance: &mut Rng) -> Option<Vec<u8>> {
    mutate(Platform::Linux, input, max_len, chance)
}

/// `ios_specification`'s mutator.
#[must_use]
pub fn ios(input: &[u8], max_len: usize, chance: &mut Rng) -> Option<Vec<u8>> {
    mutate(Platform::Ios, input, max_len, chance)
}

/// `android_specification`'s mutator.
#[must_use]
pub fn android(input: &[u8], max_len: usize, chance: &mut Rng) -> Option<Vec<u8>> {
    mutate(Platform::Android, input, max_len, chance)
}

/// `wp_specification`'s mutator.
#[must_use]
pub fn windows_phone(input: &[u8], max_len: usize, chance: &mut Rng) -> Option<Vec<u8>> {
    mutate(Platform::WindowsPhone, input, max_len, chance)
}

/// How far a mutation goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    /// A good body stays good.
    Good,
    /// It mostly does not.
    Near,
}

/// Changes one body.
#[must_use]
pub fn mutate(platform: Platform, input: &[u8], max_len: usize, chance: &mut Rng) -> Option<Vec<u8>> {
    if chance.u8(..5) == 0 {
        return None;
    }
    let given = Document::decode(platform, input);
    let known = given.fields.iter().filter(|field| field.slot.is_some()).count();
    // Too little left to work on, or a good body for some of what is there: begin from a good one.
    let seeds = crate::seeds::pool(platform);
    let mut document = if known < 6 || chance.u8(..6) == 0 {
        let seed = &seeds[chance.usize(..seeds.len())];
        let mut document = Document::decode(platform, seed);
        transplant(&given, &mut document, chance);
        document
    } else {
        given
    };
    let steps: &[Step] = match chance.u8(..20) {
        0..=7 => &[Step::Good],
        8..=10 => &[Step::Good, Step::Good],
        11..=15 => &[Step::Near],
        16 => &[Step::Good, Step::Near],
        17 | 18 => &[Step::Near, Step::Near],
        _ => &[Step::Good, Step::Good, Step::Near, Step::Near],
    };
    for step in steps {
        match step {
            Step::Good => step_good(&mut document, chance),
            Step::Near => step_near(&mut document, chance),
        }
    }
    let mut body = document.encode();
    let spaces = if steps.contains(&Step::Near) { 24 } else { 8 };
    if chance.u8(..spaces) == 0 {
        container::space(platform, &mut body, chance);
    }
    if steps.last() == Some(&Step::Near) && chance.u8(..6) == 0 {
        container::change(platform, &mut body, chance);
        if chance.u8(..4) == 0 {
            container::change(platform, &mut body, chance);
        }
    }
    (body.len() <= max_len && !body.is_empty()).then_some(body)
}

/// Carries a few values of `given` over.
fn transplant<'a>(given: &Document<'a>, document: &mut Document<'a>, chance: &mut Rng) {
    for _ in 0..chance.usize(..3) {
        let Some(field) = chance.choice(&given.fields) else { return };
        if let Some(slot) = field.slot.filter(|slot| document.find(*slot).is_some()) {
            document.set(slot, field.value.clone());
        }
    }
}

/// A row by chance whose value can be replaced.
fn any_row(platform: Platform, chance: &mut Rng) -> usize {
    let slots = slots(platform);
    loop {
        let slot = chance.usize(..slots.len());
        if slots[slot].wire != Wire::Object && slot != path_slot(platform) {
            return slot;
        }
    }
}

fn step_good(document: &mut Document<'_>, chance: &mut Rng) {
    let platform = document.platform;
    match chance.u8(..16) {
        0..=7 => {
            let slot = any_row(platform, chance);
            let is_there = document.get(slot).is_some();
            let name = slots(platform)[slot].name;
            let is_optional = crate::spec::rows(platform)[slot].when == crate::spec::When::Optional;
            if is_there && is_optional && chance.bool() {
                document.clear(slot);
            } else if pairs::is_coupled(name) && pairs::good(document, chance) || slot == operation::roles(platform).op
            {
                operation::switch(document, chance.usize(..6), chance);
            } else if (is_there || is_optional) && name != "Cred" {
                document.set(slot, pool(platform, slot).good(chance));
            }
        }
        8 | 9 => operation::switch(document, chance.usize(..6), chance),
        10 | 11 => {
            if !pairs::good(document, chance) {
                operation::switch(document, chance.usize(..6), chance);
            }
        }
        12 | 13 => good_paths(document, chance),
        14 if platform != Platform::Windows => structure::respell_same(document, chance),
        _ => {
            let slot = operation::roles(platform).estimate;
            document.set(slot, pool(platform, slot).good(chance));
        }
    }
}

fn good_paths(document: &mut Document<'_>, chance: &mut Rng) {
    let platform = document.platform;
    if document.paths().is_empty() {
        operation::switch(document, [2, 3, 5][chance.usize(..3)], chance);
        return;
    }
    let max = operation::paths_max(platform);
    match chance.u8(..6) {
        0 => operation::put_paths(document, 1, chance),
        1 => operation::fill_paths(document, [max, max - 1, 2][chance.usize(..3)]),
        2 => operation::put_paths(document, chance.usize(1..=4), chance),
        _ => {
            let path = operation::bounded(chance, |chance| path_pool(platform).good(chance));
            replace_path(document, path, chance);
        }
    }
}

/// Replaces one path.
fn replace_path(document: &mut Document<'_>, path: &[u8], chance: &mut Rng) {
    let mut paths: Vec<_> = document.paths().into_iter().map(|path| Cow::Owned(path.into_owned())).collect();
    if paths.is_empty() {
        paths.push(Cow::Borrowed(path));
    } else {
        let at = chance.usize(..paths.len());
        paths[at] = Cow::Borrowed(path);
    }
    document.set_paths(&paths);
}

fn step_near(document: &mut Document<'_>, chance: &mut Rng) {
    let platform = document.platform;
    match chance.u8(..24) {
        0..=7 => {
            let slot = any_row(platform, chance);
            if platform == Platform::WindowsPhone && chance.u8(..8) == 0 {
                near_credentials(document, chance);
            } else if document.get(slot).is_some() || chance.u8(..4) == 0 {
                document.set(slot, pool(platform, slot).near(chance));
            }
        }
        8 => {
            // A value that is good here, at a row that is coupled or not meant to be there.
            let slot = any_row(platform, chance);
            document.set(slot, pool(platform, slot).good(chance));
        }
        9..=11 => near_path(document, chance),
        12 | 13 => operation::tear(document, chance),
        14 => {
            if !pairs::near(document, chance) {
                operation::tear(document, chance);
            }
        }
        15..=17 => structure::change(document, chance),
        18 | 19 => structure::respell(document, chance),
        20..=22 => structure::disturb(document, chance),
        _ => {
            let (one, other) = (any_row(platform, chance), any_row(platform, chance));
            if let Some(value) = document.get(one).map(Cow::into_owned) {
                document.set(other, value);
            }
        }
    }
}

/// Windows Phone has three fields of the others in one: each good or near by itself.
fn near_credentials(document: &mut Document<'_>, chance: &mut Rng) {
    // On Linux values stand as they are.
    let plain = operation::roles(Platform::Linux);
    let mut value = |slot: usize| {
        let pool = pool(Platform::Linux, slot);
        if chance.bool() { pool.good(chance) } else { pool.near(chance) }
    };
    let (mass, device, user) = (value(plain.mass), value(plain.device), value(plain.user));
    let is_register = chance.bool();
    let user = if is_register == (chance.u8(..8) > 0) { user } else { b"" };
    let proof = if is_register { mass } else { device };
    let credentials = identities::base64(&[proof, b":", user].concat()).into_bytes();
    document.set(operation::roles(Platform::WindowsPhone).mass, credentials);
}

fn near_path(document: &mut Document<'_>, chance: &mut Rng) {
    let platform = document.platform;
    if document.paths().is_empty() && chance.u8(..4) > 0 {
        operation::switch(document, [2, 3, 5][chance.usize(..3)], chance);
    }
    match chance.u8(..10) {
        0 => {
            operation::fill_paths(document, operation::paths_max(platform) + 1);
            if chance.bool() {
                replace_path(document, path_pool(platform).near(chance), chance);
            }
        }
        1 => document.set(path_slot(platform), pool(platform, path_slot(platform)).near(chance)),
        2 => {
            let mut paths: Vec<_> = document.paths().into_iter().map(|path| Cow::Owned(path.into_owned())).collect();
            let wire = slots(platform)[path_slot(platform)].wire.element();
            if let Some(path) = chance.choice(&mut paths) {
                *path = Cow::Owned(crate::doc::respell::value(wire, path, chance));
            }
            document.set_paths(&paths);
        }
        _ => {
            let path = operation::bounded(chance, |chance| path_pool(platform).near(chance));
            replace_path(document, path, chance);
        }
    }
}

#[cfg(test)]
mod tests;
