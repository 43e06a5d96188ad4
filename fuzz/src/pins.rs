//! Every spelling of a pin gives the same pin; no other text gives one.
//!
//! The second reader is a handful of patterns, copied from the table in the documentation of [`relay_trust::Pin`].

use relay_trust::{Fingerprints, Pin, PinError, PinKind, PinSet, PinSetError, Spelling};

use crate::finding;

mod mutate;
mod reader;
mod writer;

pub use mutate::mutate;
pub use writer::words;

/// The name of this oracle in findings.
const ORACLE: &str = "pin_spellings";

/// Pins in a set at most, by the documentation of [`relay_trust::pin::MAX_PINS`].
const PINS_MAX: usize = 64;

/// Every spelling of a pin gives the same pin; no other text gives one.
pub fn oracle(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let found = text.parse::<Pin>();
    compare(text, &found, reader::read(text));
    if let Ok(pin) = found {
        same_pin(&pin);
    }
    set(text);
}

/// The pin in a text, by the second reader.
#[must_use]
pub fn read(text: &str) -> Option<Pin> {
    reader::read(text).ok()
}

/// Real inputs to begin with: every spelling of a few digests, a set, and what is refused in each way.
#[must_use]
pub fn seeds() -> Vec<Vec<u8>> {
    let digests = [std::array::from_fn(|at| u8::try_from(at * 7 % 256).unwrap_or(0)), [0xff; 32]];
    let spell = |digest: &[u8; 32]| writer::SPELLINGS.each_ref().map(|spelling| spelling.write(digest));
    let mut seeds: Vec<String> = digests.iter().flat_map(spell).collect();
    let hex = writer::hex(&digests[0]);
    seeds.push(format!("leaf:{hex}, spki:{hex},{hex}"));
    seeds.push(format!("sha256/{},", writer::base64(&digests[1])));
    seeds.push(",".repeat(PINS_MAX));
    seeds.extend(["", " ", "root:00", "sha256//"].map(str::to_owned));
    seeds.extend([32, 40, 96].map(|digits| hex.repeat(2)[..digits].to_owned()));
    seeds.into_iter().map(String::into_bytes).collect()
}

/// Why a text is no pin.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Refusal {
    Empty,
    OtherHash,
    UnknownKind,
    Malformed,
    TooMany,
}

impl Refusal {
    fn of(error: &PinError) -> Self {
        match error {
            PinError::Empty => Self::Empty,
            PinError::OtherHash { .. } => Self::OtherHash,
            PinError::UnknownKind { .. } => Self::UnknownKind,
            PinError::TooMany { .. } => Self::TooMany,
            PinError::Malformed { .. } | _ => Self::Malformed,
        }
    }
}

fn compare(text: &str, found: &Result<Pin, PinError>, expected: Result<Pin, Refusal>) {
    if let Err(error) = found {
        presentable(error);
    }
    let found = found.as_ref().map_err(Refusal::of).copied();
    if found == expected {
        return;
    }
    let class = match (found, expected) {
        (Ok(found), Ok(expected)) if found.kind() == expected.kind() => "read with another digest".to_owned(),
        (Ok(found), Ok(expected)) => format!("read as {:?}, the text says {:?}", found.kind(), expected.kind()),
        (Ok(found), Err(refusal)) => format!("read as {:?}, the text says {refusal:?}", found.kind()),
        (Err(refusal), Ok(expected)) => format!("refused as {refusal:?}, the text says {:?}", expected.kind()),
        (Err(refusal), Err(expected)) => format!("refused as {refusal:?}, the text says {expected:?}"),
    };
    finding(ORACLE, class, format_args!("{text:?}: {found:?}, expected {expected:?}"));
}

/// A refusal repeats little of the text, and nothing that a terminal would obey.
fn presentable(error: &PinError) {
    let shown = error.to_string();
    if shown.chars().count() > 500 || shown.chars().any(char::is_control) {
        finding(ORACLE, "a refusal that cannot be shown", format_args!("{shown:?}"));
    }
}

/// Display, every spelling, and the certificates that it names.
fn same_pin(pin: &Pin) {
    for text in Spelling::ALL.iter().filter_map(|spelling| spelling.write(pin)) {
        if text.parse() != Ok(*pin) || reader::read(&text) != Ok(*pin) {
            finding(ORACLE, "written as another pin", format_args!("{pin}: {text:?}"));
        }
    }
    for spelling in &writer::SPELLINGS {
        let text = spelling.write(pin.digest());
        let (expected, read) = (Ok(Pin::new(spelling.kind(), *pin.digest())), text.parse::<Pin>());
        if read != expected {
            finding(ORACLE, "a spelling that is not read as what was written", format_args!("{text:?}: {read:?}"));
        }
    }
    let shown = pin.to_string();
    if shown != format!("{}:{}", kind_word(pin.kind()), writer::hex(pin.digest())) || shown.parse() != Ok(*pin) {
        finding(ORACLE, "shown as another pin", format_args!("{pin:?}: {shown:?}"));
    }
    let other = pin.digest().map(|byte| !byte);
    let (leaf, spki) = match pin.kind() {
        PinKind::Leaf => (*pin.digest(), other),
        PinKind::Spki => (other, *pin.digest()),
    };
    let set = PinSet::from(*pin);
    let judge = |presented: Fingerprints, expected: bool| {
        if pin.matches_fingerprints(&presented) != expected || set.matches_fingerprints(&presented) != expected {
            finding(ORACLE, "matches another certificate, or not its own", format_args!("{pin:?} {presented:?}"));
        }
    };
    judge(Fingerprints { leaf, spki }, true);
    judge(Fingerprints { leaf: spki, spki: leaf }, false);
    for at in 0..32 {
        let mut near = *pin.digest();
        near[at] ^= 1 << (at % 8);
        judge(Fingerprints { leaf: near, spki: near }, false);
    }
}

const fn kind_word(kind: PinKind) -> &'static str {
    match kind {
        PinKind::Leaf => "leaf",
        PinKind::Spki => "spki",
    }
}

/// The text as a set: separated by commas or semicolons, at least one, each as it is alone, repeated ones once.
fn set(text: &str) {
    let found = text.parse::<PinSet>();
    let parts = || text.split([',', ';']);
    let expected = if parts().count() > PINS_MAX {
        Err(Refusal::TooMany)
    } else {
        parts().map(reader::read).collect::<Result<Vec<_>, _>>()
    };
    match (found, expected) {
        (Ok(set), Ok(pins)) => {
            let mut unique = Vec::new();
            for pin in pins {
                if !unique.contains(&pin) {
                    unique.push(pin);
                }
            }
            if !set.iter().eq(&unique) || unique.is_empty() {
                finding(ORACLE, "set: other pins", format_args!("{text:?}: {set:?}, expected {unique:?}"));
            }
            if set.to_string().parse::<PinSet>().as_ref() != Ok(&set) {
                finding(ORACLE, "set: shown as another", format_args!("{text:?}: {set}"));
            }
        }
        (Err(error), Err(expected)) => {
            let found = match &error {
                PinSetError::EmptySet(_) => Refusal::Empty,
                PinSetError::Pin(error) => Refusal::of(error),
            };
            if found != expected {
                finding(ORACLE, format_args!("set: {found:?}, the text says {expected:?}"), format_args!("{text:?}"));
            }
        }
        (Ok(set), Err(expected)) => {
            finding(ORACLE, format_args!("set: read, the text says {expected:?}"), format_args!("{text:?}: {set}"));
        }
        (Err(error), Ok(_)) => finding(ORACLE, "set: refused", format_args!("{text:?}: {error}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::targets::PIN_SPELLINGS;

    #[test]
    fn the_dictionary_is_what_the_writer_says() {
        crate::dictionary::check("pins", words());
    }

    #[test]
    fn seeds_and_mutants_hold_and_reach_every_reading() {
        let seeds = seeds();
        let mut chance = fastrand::Rng::with_seed(1);
        let mut seen = std::collections::BTreeSet::new();
        for _ in 0..20_000 {
            let seed = chance.choice(&seeds).unwrap();
            let data = mutate(seed, 512, &mut chance).unwrap_or_else(|| seed.clone());
            assert!(data.len() <= 512);
            crate::run::judge(&PIN_SPELLINGS, &data).unwrap_or_else(|(class, detail)| panic!("{class}: {detail}"));
            if let Ok(text) = std::str::from_utf8(&data) {
                seen.insert(reader::read(text).map(|pin| pin.kind()));
            }
        }
        assert_eq!(seen.len(), 6, "{seen:?}");
    }
}
