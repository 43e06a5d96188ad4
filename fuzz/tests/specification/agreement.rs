//! Both validators on bodies that are nearly right: the oracle finds nothing.

use fuzz::{
    run::judge,
    spec::Platform,
    targets::{
        ANDROID_SPECIFICATION, CANONICAL_AGREEMENT, IOS_SPECIFICATION, LINUX_SPECIFICATION, MACOS_SPECIFICATION,
        WINDOWS_SPECIFICATION, WP_SPECIFICATION,
    },
};

use crate::examples::examples;

/// What is put into bodies, beside bytes of their own.
const PIECES: &[&[u8]] = &[
    b"0",
    b"1",
    b"9",
    b"-",
    b".",
    b":",
    b"=",
    b"&",
    b"%",
    b"+",
    b"/",
    b"\\",
    b"\"",
    b"<",
    b">",
    b" ",
    b"\n",
    b"\r",
    b"\t",
    b"\0",
    b"\x7F",
    b"\xC3\xA9",
    b"\xC0\x80",
    b"\xED\xA0\x80",
    b"\xF0\x9F\x98\x80",
    b"\xEF\xBB\xBF",
    b"\xEF\xBF\xBF",
    b"&amp;",
    b"&#49;",
    b"\\u0041",
    b"\\ud83d",
    b"%41",
    b"%C3%A9",
    b"<x/>",
    b"null",
    b"true",
    b"[]",
    b"{}",
    b"1e0",
    b"-0",
    b"aux",
    b"..",
    b"register",
    b"Register",
    b"sync",
    b"Sync",
    b"Ping",
    b"ping",
];

/// One to three small changes.
fn changed(body: &[u8], others: &[Vec<u8>], chance: &mut fastrand::Rng) -> Vec<u8> {
    let mut body = body.to_vec();
    for _ in 0..chance.u8(1..=3) {
        let place = chance.usize(..=body.len());
        let behind = (place + chance.usize(..8)).min(body.len());
        match chance.u8(..6) {
            0 => drop(body.drain(place..behind)),
            1 => body.splice(place..place, chance.choice(PIECES).unwrap().iter().copied()).for_each(drop),
            2 => body.splice(place..behind, chance.choice(PIECES).unwrap().iter().copied()).for_each(drop),
            3 => {
                let piece = body[place..behind].to_vec();
                let place = chance.usize(..=body.len());
                body.splice(place..place, piece).for_each(drop);
            }
            4 => {
                let other = chance.choice(others).unwrap();
                let from = chance.usize(..=other.len());
                let to = (from + chance.usize(..40)).min(other.len());
                body.splice(place..behind, other[from..to].iter().copied()).for_each(drop);
            }
            _ if place < body.len() => body[place] ^= 1 << chance.u8(..8),
            _ => {}
        }
    }
    body
}

#[test]
fn on_simple_mutations_of_the_examples() {
    let targets = [
        WINDOWS_SPECIFICATION,
        MACOS_SPECIFICATION,
        LINUX_SPECIFICATION,
        IOS_SPECIFICATION,
        ANDROID_SPECIFICATION,
        WP_SPECIFICATION,
    ];
    for (platform, target) in Platform::ALL.into_iter().zip(targets) {
        let mut chance = fastrand::Rng::with_seed(7 + platform as u64);
        let bodies: Vec<Vec<u8>> = examples(platform).into_iter().map(|example| example.body).collect();
        for round in 0..4000 {
            let body = changed(&bodies[round % bodies.len()], &bodies, &mut chance);
            if let Err((class, detail)) = judge(&target, &body) {
                panic!("{class}\n{detail}");
            }
        }
    }
}

#[test]
fn on_simple_mutations_of_canonical_encodings() {
    let seeds = (CANONICAL_AGREEMENT.seeds)();
    assert!(seeds.len() >= 18);
    let mut chance = fastrand::Rng::with_seed(7);
    for round in 0..20_000 {
        let mut encoding = seeds[round % seeds.len()].clone();
        if round >= seeds.len() {
            encoding = changed(&encoding, &seeds, &mut chance);
        }
        if let Err((class, detail)) = judge(&CANONICAL_AGREEMENT, &encoding) {
            panic!("{class}\n{detail}");
        }
    }
}

#[test]
fn on_every_byte_of_canonical_encodings() {
    for encoding in (CANONICAL_AGREEMENT.seeds)().into_iter().step_by(37) {
        for place in 0..encoding.len() {
            for value in [0, 1, 3, 0xFF, encoding[place] ^ 0x20, encoding[place].wrapping_add(1)] {
                let mut encoding = encoding.clone();
                encoding[place] = value;
                if let Err((class, detail)) = judge(&CANONICAL_AGREEMENT, &encoding) {
                    panic!("{class}\n{detail}");
                }
            }
        }
    }
}

#[test]
fn on_canonical_encodings_that_the_mutator_makes() {
    let seeds = (CANONICAL_AGREEMENT.seeds)();
    let mutate = CANONICAL_AGREEMENT.mutate.unwrap();
    let mut chance = fastrand::Rng::with_seed(7);
    let (mut accepted, mut made) = (0, 0);
    let mut encoding = seeds[0].clone();
    for round in 0..20_000 {
        if round % 8 == 0 {
            encoding.clone_from(&seeds[round % seeds.len()]);
        }
        let Some(changed) = mutate(&encoding, 4096, &mut chance) else { continue };
        encoding = changed;
        made += 1;
        accepted += usize::from(fuzz::validator::VALIDATOR.check_canonical(&encoding).is_ok());
        if let Err((class, detail)) = judge(&CANONICAL_AGREEMENT, &encoding) {
            panic!("{class}\n{detail}");
        }
    }
    assert!(accepted * 10 > made && accepted * 10 < made * 9, "{accepted} of {made} accepted");
}
