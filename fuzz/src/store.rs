//! A trust store is read as its second reader reads it, line by line, and written as it was read.
//!
//! The second reader is one pattern for a line, copied from the documentation of [`relay_trust::trust_store`].

use std::{collections::BTreeMap, net::Ipv6Addr, sync::LazyLock};

use fastrand::Rng;
use regex::Regex;
use relay_trust::{Fingerprints, Trust, TrustStore, TrustStoreError};

use crate::{finding, run::bounded};

/// The name of this oracle in findings.
const ORACLE: &str = "trust_store_lines";
const MEMORY_FACTOR: usize = 32;
const MEMORY_ALLOWANCE: usize = 16 << 10;

const HEADER: &str = "# sallyport trust store 1";
/// Pins of one server at most.
const PINS_MAX: usize = 8;
/// Bytes of a server's name and port at most.
const TARGET_MAX: usize = 259;

static LINE: LazyLock<Regex> = LazyLock::new(|| {
    let time = "([0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z)";
    let pattern = format!(
        r"^(([a-z0-9._-]+|\[[0-9a-f:.]+\]):([1-9][0-9]{{0,4}})) ((?:leaf|spki):[0-9a-f]{{64}}) added={time} expires={time} source=(.+)$"
    );
    Regex::new(&pattern).unwrap_or_else(|error| panic!("the pattern of the second reader: {error}"))
});

/// A trust store is read as its second reader reads it, and written as it was read.
pub fn oracle(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let read = bounded(ORACLE, data.len(), MEMORY_FACTOR, MEMORY_ALLOWANCE, || text.parse::<TrustStore>());
    match (read, second(text)) {
        (Err(error), None) => presentable(&error),
        (Err(error), Some(_)) => finding(ORACLE, format_args!("refused: {error}"), format_args!("{text:?}")),
        (Ok(_), None) => finding(ORACLE, "read, and the second reader refuses", format_args!("{text:?}")),
        (Ok(store), Some(lines)) => {
            let mut written: Vec<String> = store.iter().map(ToString::to_string).collect();
            let again = store.to_string();
            if again.parse().as_ref() != Ok(&store) || !again.starts_with(HEADER) {
                finding(ORACLE, "written as another store", format_args!("{text:?}"));
            }
            let mut lines: Vec<String> = lines.into_iter().map(str::to_owned).collect();
            written.sort();
            lines.sort();
            if written != lines {
                finding(ORACLE, "other entries", format_args!("{written:?} {lines:?}"));
            }
            judged(&store);
        }
    }
}

fn presentable(error: &TrustStoreError) {
    let shown = error.to_string();
    if shown.chars().count() > 700 || shown.chars().any(char::is_control) {
        finding(ORACLE, "a refusal that cannot be shown", format_args!("{shown:?}"));
    }
}

/// An entry is trusted in its time and for its server alone.
fn judged(store: &TrustStore) {
    for entry in store.iter().take(16) {
        let presented = Fingerprints { leaf: *entry.pin().digest(), spki: *entry.pin().digest() };
        let stranger = Fingerprints { leaf: presented.leaf.map(|byte| !byte), spki: presented.spki.map(|byte| !byte) };
        let last = store.judge(entry.target(), &presented, entry.expires() - 1);
        let trusted = |verdict: &Trust<'_>| matches!(verdict, Trust::Trusted(_));
        if !trusted(&last) || store.judge("unknown.invalid:1", &presented, 0) != Trust::Unknown {
            finding(ORACLE, "not trusted in its time, or trusted elsewhere", format_args!("{entry} {last:?}"));
        }
        let pins = || store.of(entry.target());
        if !pins().any(|pin| pin.pin().matches_fingerprints(&stranger))
            && trusted(&store.judge(entry.target(), &stranger, 0))
        {
            finding(ORACLE, "a stranger is trusted", format_args!("{entry}"));
        }
        let end = pins().filter(|pin| pin.pin().matches_fingerprints(&presented)).map(|pin| pin.expires()).max();
        if end.is_some_and(|end| trusted(&store.judge(entry.target(), &presented, end))) {
            finding(ORACLE, "trusted after its end", format_args!("{entry}"));
        }
    }
}

/// The lines of entries, where all of the text is a store.
fn second(text: &str) -> Option<Vec<&str>> {
    let mut lines = text.strip_suffix('\n').unwrap_or(text).split('\n');
    if lines.next() != Some(HEADER) {
        return None;
    }
    let lines: Vec<&str> = lines.collect();
    let mut pins: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for line in &lines {
        let (target, pin) = entry(line)?;
        let known = pins.entry(target).or_default();
        if known.contains(&pin) || known.len() == PINS_MAX {
            return None;
        }
        known.push(pin);
    }
    Some(lines)
}

/// The server and the pin of a line.
fn entry(line: &str) -> Option<(&str, &str)> {
    let found = LINE.captures(line)?;
    let part = |number: usize| found.get(number).map_or("", |part| part.as_str());
    let (target, host, source) = (part(1), part(2), part(7));
    let port_is_right = part(3).parse::<u32>().is_ok_and(|port| port <= 65_535);
    let address = host.strip_prefix('[').map(|rest| rest.trim_end_matches(']').parse::<Ipv6Addr>().is_ok());
    let (added, expires) = (moment(part(5))?, moment(part(6))?);
    let odd = |c: char| {
        c.is_control()
            || "\u{200b}\u{200c}\u{200d}\u{200e}\u{200f}\u{feff}".contains(c)
            || ('\u{2028}'..='\u{202e}').contains(&c)
    };
    let source_is_right = source.trim() == source && source.chars().count() <= 200 && !source.contains(odd);
    let right =
        port_is_right && address != Some(false) && target.len() <= TARGET_MAX && added < expires && source_is_right;
    right.then_some((target, part(4)))
}

/// A moment of the calendar from 1970 on. Texts of this form are in the order of the moments.
fn moment(text: &str) -> Option<&str> {
    let number = |from: usize, to: usize| text.get(from..to).and_then(|digits| digits.parse::<u32>().ok());
    let (year, month, day) = (number(0, 4)?, number(5, 7)?, number(8, 10)?);
    let (hour, minute, second) = (number(11, 13)?, number(14, 16)?, number(17, 19)?);
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let days = match month {
        4 | 6 | 9 | 11 => 30,
        2 => 28 + u32::from(leap),
        1..=12 => 31,
        _ => return None,
    };
    let right = year >= 1970 && (1..=days).contains(&day) && hour < 24 && minute < 60 && second < 60;
    right.then_some(text)
}

const HOSTS: [&str; 8] = ["a", "edge.example.org", "[::1]", "[2001:db8::7]", "192.0.2.7", "_x-1", "[::g]", "A"];
const TIMES: [&str; 10] = [
    "1970-01-01T00:00:00Z",
    "2026-11-22T09:30:00Z",
    "2028-02-29T23:59:59Z",
    "2027-02-29T00:00:00Z",
    "2100-02-29T00:00:00Z",
    "9999-12-31T23:59:59Z",
    "1969-12-31T23:59:59Z",
    "2026-12-31T23:59:60Z",
    "2026-11-22T09:30:00.5Z",
    "2026-11-22 09:30:00Z",
];
const SOURCES: [&str; 6] = ["console of edge 1", "é=1 added=2", "x", " x", "\u{200e}x", "a\rb"];

/// Real inputs to begin with.
#[must_use]
pub fn seeds() -> Vec<Vec<u8>> {
    let line = |host: &str, digit: &str, at: (&str, &str), source: &str| {
        format!("{host}:443 spki:{} added={} expires={} source={source}\n", digit.repeat(32), at.0, at.1)
    };
    let times = (TIMES[0], TIMES[1]);
    let all = [
        String::new(),
        HOSTS.map(|host| line(host, "ab", times, SOURCES[0])).concat(),
        line("a", "01", times, SOURCES[1]) + &line("a", "02", (TIMES[1], TIMES[2]), SOURCES[2]),
        (0..9).map(|digit| line("a", &format!("0{digit}"), times, "x")).collect(),
        line("[::1]", "cd", times, SOURCES[0]).replace("spki", "leaf"),
    ];
    all.into_iter().map(|entries| format!("{HEADER}\n{entries}").into_bytes()).collect()
}

/// A store of a few lines, most of them right; or one place of the input changed.
pub fn mutate(input: &[u8], max_len: usize, chance: &mut Rng) -> Option<Vec<u8>> {
    let mut text = match std::str::from_utf8(input) {
        Ok(text) if chance.bool() && !text.is_empty() => text.to_owned(),
        Ok(_) | Err(_) => {
            let lines = (0..chance.usize(..12)).map(|_| line(chance)).collect::<String>();
            format!("{HEADER}\n{lines}")
        }
    };
    if chance.bool() {
        let mut characters: Vec<char> = text.chars().collect();
        let place = chance.usize(..=characters.len());
        match chance.u8(..4) {
            0 if place < characters.len() => drop(characters.remove(place)),
            1 => characters.insert(
                place,
                chance.choice([' ', '\n', ':', '=', '0', 'a', 'A', 'Z', '\r', '\u{200e}', 'é']).unwrap_or(' '),
            ),
            2 if place < characters.len() => {
                characters[place] = chance.choice(['0', '1', '2', '3', '9', 'a', 'z', ':', '.', '-']).unwrap_or('0')
            }
            _ => characters.truncate(place),
        }
        text = characters.into_iter().collect();
    }
    (text.len() <= max_len).then(|| text.into_bytes())
}

fn line(chance: &mut Rng) -> String {
    // Mostly those that are right.
    let mut pick = |all: &[&'static str], right: usize| {
        let count = if chance.u8(..10) == 0 { all.len() } else { right };
        all[chance.usize(..count)]
    };
    let (host, added, expires, source) = (pick(&HOSTS, 6), pick(&TIMES, 2), pick(&TIMES, 3), pick(&SOURCES, 3));
    let ports = if chance.u8(..8) == 0 { 5 } else { 3 };
    let port = [443, 1, 65_535, 65_536, 0][chance.usize(..ports)];
    let (kind, digit) = (["leaf", "spki"][chance.usize(..2)], chance.u8(..16));
    format!(
        "{host}:{port} {kind}:{} added={added} expires={expires} source={source}\n",
        format!("{digit:02x}").repeat(32)
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::targets::TRUST_STORE_LINES;

    #[test]
    fn seeds_and_mutants_hold_and_many_are_stores() {
        let seeds = seeds();
        let mut chance = Rng::with_seed(1);
        let (mut read, mut refused) = (0, 0);
        for _ in 0..10_000 {
            let seed = chance.choice(&seeds).expect("a seed");
            let data = mutate(seed, 4096, &mut chance).unwrap_or_else(|| seed.clone());
            crate::run::judge(&TRUST_STORE_LINES, &data)
                .unwrap_or_else(|(class, detail)| panic!("{class}: {detail}\n{}", String::from_utf8_lossy(&data)));
            let found = std::str::from_utf8(&data).is_ok_and(|text| text.parse::<TrustStore>().is_ok());
            *if found { &mut read } else { &mut refused } += 1;
        }
        assert!(read > 1_000 && refused > 1_000, "{read} read, {refused} refused");
    }
}
