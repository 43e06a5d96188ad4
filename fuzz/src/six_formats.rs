//! One abstract request, written in six formats by writers of our own, is accepted six times with one meaning; with one rule broken it is refused by all that carry the rule, with its code.
//!
//! Two rules broken: the earlier step of the fixed order wins.

use std::fmt::Write as _;

use arbitrary::Unstructured;
use relay_wire::{Checked, Rejection, Request};

use crate::{doc::Platform, finding, validator::VALIDATOR};

mod request;
mod rules;
mod write;

use request::Abstract;
use rules::{Broken, RULES};

/// The name of the target.
const TARGET: &str = "six_formats_meaning";
/// The longest body that is judged.
const BODY_MAX: usize = 16_384;

/// One abstract request, written in six formats by writers of our own, is accepted six times with one meaning; with one rule broken it is refused by all that carry the rule, with its code.
///
/// The first byte: how many rules are broken, and whether the body is filled up to the longest. Two bytes: which rules. What
/// follows is the request.
///
/// # Panics
/// When it does not hold: that is the finding.
pub fn oracle(data: &[u8]) {
    let [mode, first, second, rest @ ..] = data else { return };
    let Ok(request) = request::read(&mut Unstructured::new(rest)) else { return };
    let rule = |byte: u8| &RULES[usize::from(byte) % RULES.len()];
    for platform in Platform::ALL {
        match mode % 4 {
            0 => accepted(platform, &request, *mode >= 252),
            1 | 2 => refused(platform, &request, &[rule(*first)], *second),
            _ => refused(platform, &request, &[rule(*first), rule(*second)], first.wrapping_add(*second)),
        }
    }
}

/// The request is accepted, and means what was written; so does what `relay-wire` writes of it.
fn accepted(platform: Platform, request: &Abstract, is_filled: bool) {
    let mut body = write::document(platform, request).encode();
    let has_space = matches!(platform, Platform::MacOs | Platform::Ios | Platform::WindowsPhone);
    if is_filled && has_space {
        body.resize(BODY_MAX.max(body.len()), b' ');
    }
    let judged = match check(platform, &body) {
        Ok(judged) => judged,
        Err(rejection) => {
            return finding(TARGET, format_args!("{platform:?}: a good request gets {rejection}"), Shown(&body));
        }
    };
    if let Some(what) = request::difference(platform, request, &judged) {
        return finding(TARGET, format_args!("{platform:?}: another {what} than was written"), Shown(&body));
    }
    let own = judged.to_body();
    if check(platform, &own).as_ref() != Ok(&judged) {
        finding(TARGET, format_args!("{platform:?}: written again it is another request"), Shown(&own));
    }
}

/// The request with these rules broken gets the code of the one that the fixed order meets first.
fn refused(platform: Platform, request: &Abstract, rules: &[&rules::Rule], detail: u8) {
    let mut document = write::document(platform, request);
    let mut broken: Vec<Broken> = Vec::with_capacity(2);
    for rule in rules {
        // A rule that this format, or this operation, does not carry.
        let Some(next) = (rule.break_it)(&mut document, request, detail) else { return };
        if broken.iter().any(|before| before.touches(&next)) {
            return;
        }
        broken.push(next);
    }
    let mut body = document.encode();
    broken.iter().for_each(|broken| (broken.afterwards)(&mut body));
    // The class is the rule that should have spoken: with others broken beside it, it is still one defect.
    let Some((first, rule)) = broken.iter().zip(rules).min_by_key(|(broken, _)| broken.rank) else { return };
    let code = check(platform, &body).err().map_or("ok", |rejection| rejection.code.as_str());
    if code != first.code {
        let names = rules.iter().map(|rule| rule.name).collect::<Vec<_>>().join("; ");
        let class = format_args!("{platform:?}: {}: {code}, not {}", rule.name, first.code);
        finding(TARGET, class, format_args!("broken: {names}\n{}", Shown(&body)));
    }
}

fn check(platform: Platform, body: &[u8]) -> Result<Checked<Request>, Rejection> {
    // The same numbers on both sides.
    let platform = relay_wire::Platform::from_number(platform as u8).unwrap_or(relay_wire::Platform::Linux);
    VALIDATOR.check(platform, body)
}

/// A body for people.
struct Shown<'a>(&'a [u8]);

impl std::fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.iter().flat_map(|byte| std::ascii::escape_default(*byte)).try_for_each(|byte| f.write_char(byte.into()))
    }
}

/// Each rule alone, each operation, and some pairs of rules.
#[must_use]
pub fn seeds() -> Vec<Vec<u8>> {
    let mut chance = fastrand::Rng::with_seed(5);
    let mut seed = |mode: u8, first: usize, second: usize, operation: u8| {
        let low = |number: usize| u8::try_from(number % 256).unwrap_or_default();
        let mut bytes = vec![mode, low(first), low(second), operation];
        bytes.extend((0..180).map(|_| chance.u8(..)));
        bytes
    };
    let mut seeds: Vec<Vec<u8>> = (0..6)
        .flat_map(|operation| [0, 252].map(|mode| (mode, operation)))
        .map(|(mode, operation)| seed(mode, 0, 0, operation))
        .collect();
    for rule in 0..RULES.len() {
        seeds.push(seed(1, rule, rule, 0));
        seeds.push(seed(1, rule, rule + 7, 2));
        seeds.push(seed(3, rule, rule + 5, 5));
    }
    seeds
}

/// Changes the choice of rules and operations, which a byte says, more often than the rest.
#[must_use]
pub fn mutate(input: &[u8], max_len: usize, chance: &mut fastrand::Rng) -> Option<Vec<u8>> {
    if chance.u8(..4) == 0 || input.len() < 8 {
        return None;
    }
    let mut changed = input.to_vec();
    for _ in 0..chance.usize(1..=3) {
        let place = if chance.bool() { chance.usize(..4) } else { chance.usize(..changed.len()) };
        changed[place] = if chance.u8(..4) > 0 { chance.u8(..) } else { [0, 1, 0x7F, 0x80, 0xFF][chance.usize(..5)] };
    }
    if chance.u8(..16) == 0 {
        changed.extend((0..chance.usize(..64)).map(|_| chance.u8(..)));
    }
    changed.truncate(max_len);
    Some(changed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_rule_is_carried_by_a_format() {
        let mut carried = vec![0; RULES.len()];
        for seed in seeds() {
            let request = request::read(&mut Unstructured::new(&seed[3..])).expect("a seed");
            for (at, rule) in RULES.iter().enumerate() {
                for platform in Platform::ALL {
                    let mut document = write::document(platform, &request);
                    carried[at] += usize::from((rule.break_it)(&mut document, &request, seed[1]).is_some());
                }
            }
        }
        for (rule, carried) in RULES.iter().zip(carried) {
            assert!(carried > 0, "{}: never broken", rule.name);
        }
    }

    #[test]
    fn the_property_holds() {
        crate::churn::churn(&crate::targets::SIX_FORMATS_MEANING, 3_000, 512);
    }
}
