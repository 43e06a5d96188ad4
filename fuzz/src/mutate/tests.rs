//! Where the mutators lead: how much is accepted, how many codes are seen, and that it follows from the chance alone.

use std::collections::BTreeMap;

use relay_wire::Validator;

use super::*;
use crate::{seeds, spec::rows};

/// Mutations of each platform.
const MUTATIONS: usize = 6_000;

fn tested(platform: Platform) -> relay_wire::Platform {
    relay_wire::Platform::from_number(platform as u8).expect("the same numbers")
}

fn verdict(platform: Platform, body: &[u8]) -> &'static str {
    Validator::default().check(tested(platform), body).err().map_or("accepted", |rejection| rejection.code.as_str())
}

/// Mutates as a fuzzer does: up to five times in a row from one body; what is accepted joins the corpus now and then.
fn wander(platform: Platform, mutations: usize, mut see: impl FnMut(&[u8])) {
    let mut corpus = seeds::specification(platform);
    let mut chance = Rng::with_seed(7);
    let mut done = 0;
    while done < mutations {
        let mut body = corpus[chance.usize(..corpus.len())].clone();
        for _ in 0..5 {
            if let Some(changed) = mutate(platform, &body, 4096, &mut chance) {
                body = changed;
                see(&body);
                done += 1;
            }
        }
        if done.is_multiple_of(16) && verdict(platform, &body) == "accepted" {
            corpus.push(body);
        }
    }
}

#[test]
fn mutations_stay_near_what_is_valid_and_meet_every_code() {
    for platform in Platform::ALL {
        let mut seen: BTreeMap<&'static str, usize> = BTreeMap::new();
        wander(platform, MUTATIONS, |body| *seen.entry(verdict(platform, body)).or_default() += 1);
        let accepted = seen["accepted"] * 100 / MUTATIONS;
        println!("{platform:?} {accepted}% {seen:?}");
        assert!((25..=75).contains(&accepted), "{platform:?}: {accepted} % accepted: {seen:?}");
        // iOS has no order; all but `E_FRAME`, which is about the size.
        let codes = if platform == Platform::Ios { 11 } else { 12 };
        assert!(seen.len() >= codes, "{platform:?}: {seen:?}");
    }
}

#[test]
fn a_mutation_follows_from_input_and_chance() {
    for platform in Platform::ALL {
        for (place, seed) in seeds::specification(platform).iter().enumerate() {
            let run = || mutate(platform, seed, 4096, &mut Rng::with_seed(place as u64));
            assert_eq!(run(), run());
        }
    }
}

#[test]
fn anything_can_be_mutated() {
    let mut chance = Rng::with_seed(3);
    for platform in Platform::ALL {
        for _ in 0..300 {
            let junk: Vec<u8> = (0..chance.usize(..200)).map(|_| chance.u8(..)).collect();
            let result = mutate(platform, &junk, 1024, &mut chance);
            assert!(result.is_none_or(|body| body.len() <= 1024));
        }
    }
}

#[test]
fn good_values_are_good_and_near_ones_mostly_are_not() {
    for platform in Platform::ALL {
        let bodies = seeds::specification(platform);
        for (slot, row) in rows(platform).iter().enumerate() {
            let is_replaceable = slots(platform)[slot].wire != Wire::Object && slot != operation::roles(platform).op;
            let home = bodies.iter().find(|body| Document::decode(platform, body).get(slot).is_some());
            let Some(home) = home.filter(|_| is_replaceable) else { continue };
            let (mut right, mut all) = ([0; 2], [0; 2]);
            for (is_good, value) in pool(platform, slot).all().step_by(3) {
                let mut document = Document::decode(platform, home);
                document.set(slot, value);
                let body = document.encode();
                // By itself good: at most the rules between fields say no.
                let is_accepted = matches!(verdict(platform, &body), "accepted" | "E_CONFLICT");
                all[usize::from(is_good)] += 1;
                right[usize::from(is_good)] += usize::from(is_accepted);
            }
            println!("{platform:?} {}: {right:?} of {all:?}", row.name);
            assert_eq!(right[1], all[1], "{platform:?} {}: a good value is refused", row.name);
            assert!(right[0] * 2 <= all[0], "{platform:?} {}: {right:?} of {all:?}", row.name);
        }
        let home = bodies.iter().find(|body| !Document::decode(platform, body).paths().is_empty()).expect("a transfer");
        for (is_good, value) in path_pool(platform).all() {
            let mut document = Document::decode(platform, home);
            document.set_paths(&[std::borrow::Cow::Borrowed(value)]);
            let body = document.encode();
            let verdict = verdict(platform, &body);
            assert!(!is_good || verdict == "accepted", "{platform:?}: {} {verdict}", String::from_utf8_lossy(value));
        }
    }
}
