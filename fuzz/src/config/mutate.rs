//! Changes a configuration line by line, as a person would, and sometimes less so.

use fastrand::Rng;

use super::pool::{LINES, VALUES, kind};

/// One to three changes.
pub fn mutate(input: &[u8], max_len: usize, chance: &mut Rng) -> Option<Vec<u8>> {
    if chance.u8(..8) == 0 {
        return None;
    }
    let text = std::str::from_utf8(input).ok()?;
    let mut lines: Vec<String> = text.lines().map(ToOwned::to_owned).collect();
    for _ in 0..1 + chance.usize(..3) {
        change(&mut lines, chance);
    }
    let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
    (text.len() <= max_len).then(|| text.into_bytes())
}

fn change(lines: &mut Vec<String>, chance: &mut Rng) {
    let place = chance.usize(..=lines.len());
    if place == lines.len() {
        lines.push(LINES[chance.usize(..LINES.len())].clone());
        return;
    }
    match chance.u8(..10) {
        0 => drop(lines.remove(place)),
        1 => lines.insert(place, lines[place].clone()),
        2 => {
            let other = chance.usize(..lines.len());
            lines.swap(place, other);
        }
        3 => lines.insert(place, LINES[chance.usize(..LINES.len())].clone()),
        4 => rename(&mut lines[place], chance),
        5 => drop(lines.drain(place..lines.len().min(place + 1 + chance.usize(..8)))),
        _ => revalue(lines, place, chance),
    }
}

/// Another value for the next setting there is: mostly one of the pool, sometimes that of another line, sometimes with a
/// character changed.
fn revalue(lines: &mut [String], place: usize, chance: &mut Rng) {
    let Some(place) = (place..lines.len()).find(|place| lines[*place].contains(" = ")) else { return };
    let donor = chance.usize(..lines.len());
    let borrowed = lines[donor].split_once(" = ").map(|(_, value)| value.to_owned());
    let Some((key, value)) = lines[place].split_once(" = ") else { return };
    let value = match (chance.u8(..6), borrowed) {
        (0, Some(borrowed)) => borrowed,
        (1, _) => typing_error(value, chance),
        (2 | 3, _) => {
            // Something of the same kind.
            let kind = kind(value);
            let place = chance.usize(..kind.len().max(1));
            kind.get(place).map_or_else(|| value.to_owned(), |value| (*value).to_owned())
        }
        _ => {
            let all: usize = VALUES.iter().map(|kind| kind.len()).sum();
            VALUES
                .iter()
                .copied()
                .flatten()
                .nth(chance.usize(..all))
                .map_or_else(String::new, |value| (*value).to_owned())
        }
    };
    lines[place] = format!("{key} = {value}");
}

fn rename(line: &mut String, chance: &mut Rng) {
    let key = line.split(" = ").next().unwrap_or_default();
    let changed = match chance.u8(..3) {
        0 => typing_error(key, chance),
        1 => key.to_uppercase(),
        _ => format!("limits.{key}"),
    };
    *line = line.replacen(key, &changed, 1);
}

/// Characters that a finger, or a paste, puts somewhere.
const TYPED: [char; 25] = [
    '0', '1', '5', '9', '-', '+', '_', ' ', '.', ',', ':', '[', ']', '{', '}', '"', '\'', '\\', 's', 'm', 'h', 'd',
    'é', '\0', '\u{feff}',
];

fn typing_error(text: &str, chance: &mut Rng) -> String {
    let mut characters: Vec<char> = text.chars().collect();
    let place = chance.usize(..=characters.len());
    let character = TYPED[chance.usize(..TYPED.len())];
    match chance.u8(..3) {
        0 if place < characters.len() => drop(characters.remove(place)),
        1 if place < characters.len() => characters[place] = character,
        _ => characters.insert(place, character),
    }
    characters.into_iter().collect()
}
