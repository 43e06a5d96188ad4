//! The custom mutator of `canonical_agreement`: decode, change what the request says, encode.
//!
//! Lengths and places stay right, so that what is tested is what the judge makes of a value, not only of a broken encoding.

use fastrand::Rng;

use crate::{
    doc::{escape, slots, table::path_slot},
    mutate::values::{Pool, path_pool, pool},
    spec::{self, Meaning, OPERATIONS, Platform, Role, canonical, rows},
};

/// Ticks of 100 ns: where TIME begins and where it ends.
const TIME: [u64; 2] = [13_253_760_000_000_000, 41_024_448_000_000_000];
/// Units that a format can spell: a second, a millisecond, a tick.
const UNITS: [u64; 3] = [10_000_000, 10_000, 1];

/// Changes one encoding.
#[must_use]
pub fn mutate(input: &[u8], max_len: usize, chance: &mut Rng) -> Option<Vec<u8>> {
    if chance.u8(..6) == 0 {
        return None;
    }
    let mut meaning = canonical::decode(input)?;
    let platform = meaning.platform?;
    if chance.u8(..8) == 0 {
        // Begin from what is surely good.
        let bodies = crate::seeds::pool(platform);
        meaning = spec::judge(platform, &bodies[chance.usize(..bodies.len())]).unwrap_or(meaning);
    }
    for _ in 0..[1, 1, 1, 2, 3][chance.usize(..5)] {
        let before = meaning.clone();
        change(platform, &mut meaning, chance);
        if canonical::encode(&meaning).is_none() {
            meaning = before;
        }
    }
    let mut encoded = canonical::encode(&meaning)?;
    if chance.u8(..24) == 0 {
        encoded.push(chance.u8(..));
    }
    (encoded.len() <= max_len).then_some(encoded)
}

/// A value of the row at this place, plain: good ones and near misses.
fn value(platform: Platform, place: usize, chance: &mut Rng) -> Vec<u8> {
    let pool = pool(platform, place);
    escape::plain(slots(platform)[place].wire, pick(pool, chance)).into_owned()
}

fn pick<'a>(pool: &'a Pool, chance: &mut Rng) -> &'a [u8] {
    if chance.bool() { pool.good(chance) } else { pool.near(chance) }
}

/// A text of the first row that says this.
fn text(platform: Platform, role: Role, chance: &mut Rng) -> Option<String> {
    let place = rows(platform).iter().position(|row| row.role == role)?;
    String::from_utf8(value(platform, place, chance)).ok()
}

fn change(platform: Platform, meaning: &mut Meaning, chance: &mut Rng) {
    match chance.u8(..20) {
        0..=7 => fact(platform, meaning, chance),
        8 | 9 => meaning.sent_at = time(chance),
        10 => {
            let estimates = [None, Some(0), Some(1 << 50), Some((1 << 50) + 1), Some(u64::MAX), Some(chance.u64(..))];
            meaning.estimate = estimates[chance.usize(..estimates.len())];
        }
        11 => meaning.nonce = if chance.u8(..4) == 0 { vec![0; 16] } else { (0..16).map(|_| chance.u8(..)).collect() },
        12 => {
            let length = if chance.u8(..3) == 0 { 96 - meaning.proof.len() } else { meaning.proof.len() };
            meaning.proof = (0..length).map(|_| chance.u8(..)).collect();
        }
        13 => identify(platform, meaning, chance),
        14 | 15 => operation(platform, meaning, chance),
        16 => {
            if let (Some(_), Some(user)) = (&meaning.user, text(platform, Role::User, chance)) {
                meaning.user = Some(user);
            }
        }
        17 => {
            if let (Some(_), Some(node)) = (&meaning.node, text(platform, Role::Node, chance)) {
                meaning.node = Some(node);
            }
        }
        _ => paths(platform, meaning, chance),
    }
}

fn fact(platform: Platform, meaning: &mut Meaning, chance: &mut Rng) {
    let table = rows(platform);
    let facts: Vec<usize> = (0..table.len()).filter(|place| table[*place].role == Role::Fact).collect();
    let place = facts[chance.usize(..facts.len())];
    let name = table[place].name;
    let there = meaning.facts.iter().position(|(given, _)| *given == name);
    if there.is_some() && chance.u8(..8) == 0 {
        // Only what is optional can be absent in an encoding.
        meaning.facts.retain(|(given, _)| *given != name);
        return;
    }
    let Some(text) = fact_text(platform, place, chance) else { return };
    match there {
        Some(there) => meaning.facts[there].1 = text,
        None => {
            let behind = |(given, _): &(&str, String)| table.iter().position(|row| row.name == *given) > Some(place);
            let at = meaning.facts.iter().position(behind).unwrap_or(meaning.facts.len());
            meaning.facts.insert(at, (name, text));
        }
    }
}

fn fact_text(platform: Platform, place: usize, chance: &mut Rng) -> Option<String> {
    Some(match rows(platform)[place].name {
        "arch" if platform == Platform::Windows => [0, 9, 12, 5, 6][chance.usize(..5)].to_string(),
        "ifType" => [6, 23, 71, 131, 243, 244, 24, 245][chance.usize(..8)].to_string(),
        "appVersion" => {
            format!("{}.{}.{}.{}", chance.u8(..3), number(65535, chance), number(65535, chance), number(65535, chance))
        }
        "power" if platform == Platform::Windows => {
            let mut one = |known: &[u8]| known[chance.usize(..known.len())];
            format!(
                "{} {} {} {}",
                one(&[0, 1, 2, 255]),
                one(&[0, 1, 128, 143, 16, 255]),
                one(&[0, 100, 101, 255]),
                one(&[0, 1, 2])
            )
        }
        "power.level" => match chance.u8(..5) {
            0 => "-1".to_owned(),
            1 => number(10_u64.pow(18), chance).to_string(),
            2 => (10_u64.pow(18) + 1).to_string(),
            3 => (chance.u64(..=100) * 10_u64.pow(16)).to_string(),
            _ => number(u64::MAX, chance).to_string(),
        },
        _ => String::from_utf8(value(platform, place, chance)).ok()?,
    })
}

/// The most, or any.
fn number(most: u64, chance: &mut Rng) -> u64 {
    if chance.bool() { most } else { chance.u64(..=most) }
}

fn time(chance: &mut Rng) -> u64 {
    let unit = UNITS[chance.usize(..3)];
    match chance.u8(..4) {
        0 => TIME[chance.usize(..2)].wrapping_add_signed(chance.i64(-1..=1) * i64::try_from(unit).unwrap_or(1)),
        1 => chance.u64(..),
        _ => chance.u64(TIME[0]..TIME[1]) / unit * unit,
    }
}

fn identify(platform: Platform, meaning: &mut Meaning, chance: &mut Rng) {
    if let Some(id) = text(platform, Role::Id, chance) {
        id.strip_prefix("urn:wp:").unwrap_or(&id).clone_into(&mut meaning.device_id);
    }
}

/// Another operation, mostly with what belongs to it.
fn operation(platform: Platform, meaning: &mut Meaning, chance: &mut Rng) {
    meaning.operation = OPERATIONS[chance.usize(..OPERATIONS.len())];
    let registers = meaning.operation == "register";
    let transfers = matches!(meaning.operation, "backup" | "restore" | "sync");
    meaning.user = if registers {
        text(platform, Role::User, chance).or_else(|| Some("a.b@example.com".to_owned()))
    } else {
        None
    };
    if transfers && meaning.node.is_none() {
        meaning.node = text(platform, Role::Node, chance);
        meaning.paths = vec![path(platform, chance)];
    } else if !transfers {
        meaning.node = None;
        meaning.paths.clear();
    }
    if chance.u8(..8) > 0 {
        let length = if registers { 32 } else { 64 };
        meaning.proof.resize(length, 7);
    }
}

fn path(platform: Platform, chance: &mut Rng) -> Vec<u8> {
    let wire = slots(platform)[path_slot(platform)].wire;
    escape::plain(wire, pick(path_pool(platform), chance)).into_owned()
}

fn paths(platform: Platform, meaning: &mut Meaning, chance: &mut Rng) {
    if meaning.node.is_none() {
        return;
    }
    match chance.u8(..6) {
        0 => drop(meaning.paths.pop()),
        1 => meaning.paths.push(path(platform, chance)),
        2 => {
            let count = [0, 1, 16, 17, 64, 65][chance.usize(..6)];
            let one = meaning.paths.first().cloned().unwrap_or_else(|| path(platform, chance));
            meaning.paths.resize(count, one);
        }
        _ if meaning.paths.is_empty() => meaning.paths.push(path(platform, chance)),
        _ => {
            let place = chance.usize(..meaning.paths.len());
            meaning.paths[place] = path(platform, chance);
        }
    }
}
