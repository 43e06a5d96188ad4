//! Values from a pattern: some that match, and some that miss it by one step.
//!
//! The syntax tree is walked once per variation. A walk makes decisions (which character of a class, how often a part is
//! repeated, which alternative); all are taken by default but one, which is varied to a boundary or just beyond it.

use fastrand::Rng;
use regex_syntax::{
    Parser,
    hir::{Class, ClassUnicode, Hir, HirKind, Repetition},
};

use crate::doc::escape::push_code;

/// Walks of one pattern by different chance, so that each sees other defaults.
const WALKS: u64 = 4;
/// Ranges of a class that are varied.
const RANGES_MAX: usize = 20;
/// A repetition that the pattern does not bound is tried up to here.
const UNBOUNDED: u32 = 66;

/// A value, and whether the pattern matches it as far as the walk knows.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Variant {
    /// The value, plain.
    pub value: Vec<u8>,
    /// Whether it was made within the pattern.
    pub is_within: bool,
}

/// Values around `pattern`.
///
/// # Panics
/// If it is no pattern.
#[must_use]
pub fn variants(pattern: &str) -> Vec<Variant> {
    let tree = Parser::new().parse(pattern).unwrap_or_else(|error| panic!("{pattern}: {error}"));
    let mut found = Vec::new();
    for seed in 0..WALKS {
        let all = Walk::run(&tree, seed, usize::MAX, 0);
        for target in 0..all.decisions {
            let mut choice = 1;
            loop {
                let walk = Walk::run(&tree, seed, target, choice);
                if choice > walk.choices {
                    break;
                }
                found.push(Variant { value: walk.out, is_within: walk.is_within });
                choice += 1;
            }
        }
        found.push(Variant { value: all.out, is_within: true });
    }
    found.sort();
    found.dedup();
    found
}

/// A value within `pattern`, by chance.
#[must_use]
pub fn sample(pattern: &str, seed: u64) -> Vec<u8> {
    Parser::new().parse(pattern).map(|tree| Walk::run(&tree, seed, usize::MAX, 0).out).unwrap_or_default()
}

struct Walk {
    chance: Rng,
    /// Which decision is varied, and to which of its choices.
    target: usize,
    choice: usize,
    decisions: usize,
    /// How many choices the varied decision has.
    choices: usize,
    is_within: bool,
    out: Vec<u8>,
}

impl Walk {
    fn run(tree: &Hir, seed: u64, target: usize, choice: usize) -> Self {
        let chance = Rng::with_seed(seed);
        let mut walk = Self { chance, target, choice, decisions: 0, choices: 0, is_within: true, out: Vec::new() };
        walk.visit(tree, true);
        walk
    }

    /// Meets a decision with `choices` beside the default: 0, or the choice that is to be tried.
    fn decide(&mut self, choices: usize, may_vary: bool) -> usize {
        if !may_vary {
            return 0;
        }
        let is_target = self.decisions == self.target;
        self.decisions += 1;
        if !is_target {
            return 0;
        }
        self.choices = choices;
        if self.choice <= choices { self.choice } else { 0 }
    }

    fn visit(&mut self, tree: &Hir, may_vary: bool) {
        match tree.kind() {
            HirKind::Empty | HirKind::Look(_) => {}
            HirKind::Literal(literal) => self.literal(&literal.0, may_vary),
            HirKind::Class(Class::Unicode(class)) => self.class(class, may_vary),
            HirKind::Class(Class::Bytes(class)) => {
                if let Some(range) = class.ranges().first() {
                    self.out.push(range.start());
                }
            }
            HirKind::Repetition(repetition) => self.repetition(repetition, may_vary),
            HirKind::Capture(capture) => self.visit(&capture.sub, may_vary),
            HirKind::Concat(parts) => parts.iter().for_each(|part| self.visit(part, may_vary)),
            HirKind::Alternation(parts) => {
                let default = self.chance.usize(..parts.len());
                let choice = self.decide(parts.len(), may_vary);
                let part = choice.checked_sub(1).unwrap_or(default);
                self.visit(&parts[part], may_vary);
            }
        }
    }

    fn literal(&mut self, bytes: &[u8], may_vary: bool) {
        let choice = self.decide(6, may_vary);
        self.is_within &= choice == 0;
        let Some((last, before)) = bytes.split_last() else { return };
        match choice {
            1 => {}
            2 => self.out.extend([bytes, bytes].concat()),
            3 => self.out.extend(bytes.iter().map(|byte| if byte.is_ascii_alphabetic() { byte ^ 0x20 } else { b'x' })),
            4 => self.out.extend([before, &[last.wrapping_add(1)]].concat()),
            5 => self.out.extend_from_slice(before),
            6 => self.out.extend([&[bytes[0].wrapping_sub(1)], &bytes[1..]].concat()),
            _ => self.out.extend_from_slice(bytes),
        }
    }

    fn class(&mut self, class: &ClassUnicode, may_vary: bool) {
        let ranges = class.ranges();
        let varied = ranges.len().min(RANGES_MAX);
        let default = self.chance.usize(..ranges.len().max(1));
        let choice = self.decide(varied * 4 + 2, may_vary);
        let Some(range) = ranges.get(default) else { return };
        // Mostly what people can read, from wide ranges too.
        let span = (range.end() as u32 - range.start() as u32).min(0x5E) + 1;
        let inside = range.start() as u32 + self.chance.u32(..span);
        let code = match choice.checked_sub(1) {
            None => inside,
            Some(at) if at < varied * 4 => {
                let range = &ranges[at / 4];
                let (start, end) = (range.start() as u32, range.end() as u32);
                [start, end, start.saturating_sub(1), (end + 1).min(0x10_FFFF)][at % 4]
            }
            // The other case; a full-width form, which careless code takes for the same.
            Some(at) if at == varied * 4 => inside ^ 0x20,
            Some(_) => 0xFEE0 + (inside & 0x7F),
        };
        let is_inside = char::from_u32(code)
            .is_some_and(|char| ranges.iter().any(|range| (range.start()..=range.end()).contains(&char)));
        self.is_within &= is_inside;
        push_code(code, &mut self.out);
    }

    fn repetition(&mut self, repetition: &Repetition, may_vary: bool) {
        let (min, max) = (repetition.min, repetition.max.unwrap_or(UNBOUNDED));
        let default = min + self.chance.u32(..=(max - min).min(3));
        let mut counts = vec![min, (min + 1).min(max), max.saturating_sub(1).max(min), max];
        let within = counts.len();
        counts.push(max + 1);
        if min > 0 {
            counts.push(min - 1);
        }
        let choice = self.decide(counts.len(), may_vary);
        let count = choice.checked_sub(1).map_or(default, |at| counts[at]);
        self.is_within &= choice <= within || repetition.max.is_none() && count >= min;
        for at in 0..count {
            // The first two, one in the middle and the last are enough; of a varied count none.
            let is_watched = choice == 0 && (at < 2 || at + 1 == count || at == count / 2);
            self.visit(&repetition.sub, may_vary && is_watched);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_within_matches_and_most_of_the_rest_does_not() {
        for pattern in ["0|[1-9][0-9]{0,4}", "[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?", "M1\\.[A-Za-z0-9_-]{42}[AQgw]"] {
            let whole = regex::Regex::new(&format!("^({pattern})$")).unwrap();
            let (mut within, mut beyond) = (0, 0);
            for variant in variants(pattern) {
                let text = String::from_utf8_lossy(&variant.value).into_owned();
                let is_match = whole.is_match(&text);
                assert!(is_match || !variant.is_within, "{pattern}: {text:?}");
                within += usize::from(is_match);
                beyond += usize::from(!is_match);
            }
            assert!(within > 5 && beyond > 5, "{pattern}: {within} within, {beyond} beyond");
        }
    }
}
