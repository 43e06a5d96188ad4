use std::collections::BTreeMap;

use super::*;
use crate::{
    Target,
    targets::{BACKEND_CONFIG, EDGE_CONFIG},
};

#[test]
fn the_dictionary_is_what_the_examples_say() {
    let words = words();
    crate::dictionary::check("config", words.iter().map(String::as_bytes));
}

#[test]
fn the_examples_say_the_range_of_every_limit() {
    let limits: Vec<_> = relay_edge::config::Limits::default().pairs().into_iter().map(|(name, _)| name).collect();
    assert!(limits.iter().all(|name| known::RANGES.contains_key(*name)) && limits.len() == known::RANGES.len());
    assert_eq!(known::RANGES["connections"], (16, 1_000_000));
    for key in ["releases.macos.train", "limits.handshakes", "certificate.chain", "admin"] {
        assert!(known::EDGE.keys.contains(key), "{key} not in {:?}", known::EDGE.keys);
    }
    assert!(known::MASTER.keys.contains("node.pin") && known::NODE.keys.contains("master_certificate"));
}

fn seeds_and_mutants_hold(target: &Target, accept: impl Fn(&str) -> bool) {
    let seeds = (target.seeds)();
    let mut chance = fastrand::Rng::with_seed(1);
    let mut classes = BTreeMap::new();
    let (mut accepted, mut data) = (0, Vec::new());
    for round in 0..4_000 {
        if round % 4 == 0 {
            data.clone_from(chance.choice(&seeds).expect("a seed"));
        } else {
            data = mutate(&data, 4096, &mut chance).unwrap_or(data);
        }
        assert!(data.len() <= 4096, "{}", data.len());
        accepted += usize::from(std::str::from_utf8(&data).is_ok_and(&accept));
        if let Err((class, detail)) = crate::run::judge(target, &data) {
            classes.entry(class).or_insert((detail, data.clone()));
        }
    }
    for (class, (detail, data)) in &classes {
        eprintln!("{class}\n{detail}\n{}\n", String::from_utf8_lossy(data));
    }
    assert!(classes.is_empty());
    assert!((1_000..3_900).contains(&accepted), "{accepted}");
}

#[test]
fn edges_hold() {
    seeds_and_mutants_hold(&EDGE_CONFIG, |text| Config::from_text(text, Path::new(FILE)).is_ok());
}

#[test]
fn backends_hold() {
    seeds_and_mutants_hold(&BACKEND_CONFIG, |text| Settings::from_text(text, Path::new(FILE)).is_ok());
}
