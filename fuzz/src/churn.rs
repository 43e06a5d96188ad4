//! A small fuzzer without coverage, for tests: seeds, then mutations of them, always the same.

use fastrand::Rng;

use crate::{Target, run::judge};

/// Runs a target's seeds and `executions` mutations of them.
///
/// # Panics
/// With the class, the detail and the input of the first finding.
pub(crate) fn churn(target: &Target, executions: usize, max_len: usize) {
    let mut pool = (target.seeds)();
    assert!(!pool.is_empty(), "{} has no seeds", target.name);
    let judged = |input: &[u8], after: usize| {
        if let Err((class, detail)) = judge(target, input) {
            panic!("{} after {after} executions: {class}\n{detail}\ninput: {input:02x?}", target.name);
        }
    };
    for seed in &pool {
        assert!(seed.len() <= max_len, "{}: a seed of {} bytes", target.name, seed.len());
        judged(seed, 0);
    }
    let mut chance = Rng::with_seed(1);
    let seeds = pool.len();
    for execution in 0..executions {
        // Half of them begin with a seed: what was mutated for long is mostly nothing.
        let among = if chance.bool() { seeds } else { pool.len() };
        let place = chance.usize(..among);
        let mut input = pool[place].clone();
        for _ in 0..chance.usize(1..4) {
            input = mutated(target, input, max_len, &mut chance);
        }
        judged(&input, execution + 1);
        // What was mutated is mutated further, now and then.
        if execution % 16 == 0 && pool.len() < seeds * 8 {
            pool.push(input);
        } else if execution % 64 == 0 {
            let place = chance.usize(seeds..pool.len().max(seeds + 1)).min(pool.len() - 1);
            pool[place] = input;
        }
    }
}

fn mutated(target: &Target, mut input: Vec<u8>, max_len: usize, chance: &mut Rng) -> Vec<u8> {
    if let Some(changed) = target.mutate.and_then(|mutate| mutate(&input, max_len, chance)) {
        return changed;
    }
    let place = chance.usize(..=input.len());
    match chance.u8(..3) {
        0 => input.insert(place, chance.u8(..)),
        1 if place < input.len() => drop(input.remove(place)),
        _ => {
            if let Some(byte) = input.get_mut(place) {
                *byte = if chance.bool() { chance.u8(..) } else { *byte ^ 1 << chance.u32(..8) };
            }
        }
    }
    input.truncate(max_len);
    input
}
