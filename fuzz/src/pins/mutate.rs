//! Spellings, and what is one step beside them.

use fastrand::Rng;

use super::writer::{SPELLINGS, WORDS};

/// Writes a pin (or a few, with commas) in a spelling, and often makes one mistake in it. Now and then it makes the
/// mistake in the input instead.
pub fn mutate(input: &[u8], max_len: usize, chance: &mut Rng) -> Option<Vec<u8>> {
    let mut text = match std::str::from_utf8(input) {
        Ok(text) if chance.u8(..4) == 0 && !text.is_empty() => text.to_owned(),
        Ok(_) | Err(_) => (0..count(chance)).map(|_| pin(chance)).collect::<Vec<_>>().join(","),
    };
    for _ in 0..chance.usize(..3) {
        text = near_miss(&text, chance);
    }
    (text.len() <= max_len).then(|| text.into_bytes())
}

/// Mostly one.
fn count(chance: &mut Rng) -> usize {
    match chance.u8(..8) {
        0 => 2,
        1 => 3,
        _ => 1,
    }
}

fn pin(chance: &mut Rng) -> String {
    SPELLINGS[chance.usize(..SPELLINGS.len())].write(&digest(chance))
}

/// Also those whose spelling looks like something else: slashes, one digit, nothing but letters.
fn digest(chance: &mut Rng) -> [u8; 32] {
    let mut digest = match chance.u8(..8) {
        0 => [0; 32],
        1 => [0xff; 32],
        2 => [0xfa; 32],
        _ => std::array::from_fn(|_| chance.u8(..)),
    };
    if chance.u8(..4) == 0 {
        // One slash, or two, at the beginning of the base64.
        digest[0] = 0xff;
        digest[1] |= chance.choice([0xc0, 0xf0]).unwrap_or(0xf0);
    }
    digest
}

/// One mistake that a person, or a tool, might make.
fn near_miss(text: &str, chance: &mut Rng) -> String {
    let mut characters: Vec<char> = text.chars().collect();
    let place = chance.usize(..=characters.len());
    let word = WORDS[chance.usize(..WORDS.len())];
    match chance.u8(..12) {
        0 if place < characters.len() => drop(characters.remove(place)),
        1 if place < characters.len() => characters.insert(place, characters[place]),
        2 if place < characters.len() => characters[place] = look_alike(characters[place], chance),
        3 => drop(characters.splice(place..place, word.chars())),
        4 => drop(characters.splice(..0, word.chars())),
        5 => characters.extend(word.chars()),
        6 => characters.truncate(place),
        7 => drop(characters.drain(..place)),
        // To a length that another hash has.
        8 => drop(
            characters
                .splice(place.min(5).., "0a".repeat(chance.choice([16, 20, 31, 33, 48, 64]).unwrap_or(20)).chars()),
        ),
        9 => return text.replace(':', chance.choice(["", "::", " ", "-"]).unwrap_or("")),
        10 => return text.trim_end_matches(['=', '"']).to_owned(),
        _ => characters.rotate_left(place),
    }
    characters.into_iter().collect()
}

/// Another case, the next character, the other base64 alphabet, a letter of another script.
fn look_alike(character: char, chance: &mut Rng) -> char {
    match character {
        '/' => '_',
        '+' => '-',
        's' | 'S' if chance.bool() => '\u{17f}',
        'k' | 'K' if chance.bool() => '\u{212a}',
        '0' if chance.bool() => '\u{660}',
        letter if letter.is_ascii_alphabetic() && chance.bool() => char::from(letter as u8 ^ 0x20),
        other => char::from_u32(u32::from(other).wrapping_add(1)).unwrap_or('0'),
    }
}
