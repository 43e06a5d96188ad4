//! Texts at the edges: lengths, words, Unicode.

use super::{
    identities::{credentials, targets, users},
    values::Group,
};
use crate::{
    doc::escape::push_code,
    spec::{Row, Rule},
};

/// The proofs that the text's examples use.
pub const MASS: &str = "M1.KopJ4EAeiw2qfzPARlTer3cpjqmSYWhQMXlIzLknAKk";

/// See [`MASS`].
pub const DEVICE: &str = "D1.Vfgy0WEmHckEDnrOXCWNOHjuquMfx5WbfgteGWolye4xHwhgK2G4iPwnODhNqIjGdZM7ksyxVcODaQIf98TMaw";

/// A text of `length` characters out of `sample`: cut, or with a character of its middle repeated.
pub(super) fn stretched(sample: &[u8], length: usize) -> Vec<u8> {
    let chars: Vec<char> = String::from_utf8_lossy(sample).chars().collect();
    let Some(middle) = chars.get(chars.len() / 2) else { return vec![b'a'; length] };
    let mut stretched = chars.clone();
    stretched.truncate(length);
    while stretched.len() < length {
        stretched.insert(chars.len() / 2, *middle);
    }
    stretched.into_iter().collect::<String>().into_bytes()
}

/// `bytes` with another size.
pub(super) fn resized(bytes: &[u8]) -> Group {
    let without_last = bytes.split_last().map_or(&[][..], |(_, before)| before);
    vec![
        Vec::new(),
        without_last.to_vec(),
        without_last.split_last().map_or(&[][..], |(_, before)| before).to_vec(),
        [bytes, &[0]].concat(),
        [bytes, &[0, 0]].concat(),
        [&[0], bytes].concat(),
        [bytes, bytes].concat(),
        [bytes, &[0; 256]].concat(),
        bytes.iter().rev().copied().collect(),
    ]
}

/// What looks like a word of a list.
pub(super) fn near_word(word: &str) -> Group {
    let capital =
        |word: &str| word.chars().take(1).flat_map(char::to_uppercase).chain(word.chars().skip(1)).collect::<String>();
    let mut near = vec![
        word.to_uppercase(),
        word.to_lowercase(),
        capital(word),
        word.chars().take(word.chars().count() - 1).collect(),
        word.chars().skip(1).collect(),
        format!("{word}s"),
        format!("{word} "),
        format!(" {word}"),
        format!("{word}\0"),
        format!("{word}{word}"),
        String::new(),
        word.replace('i', "\u{131}"),
        word.chars().rev().collect(),
    ];
    near.retain(|near| near != word);
    near.into_iter().map(String::into_bytes).collect()
}

/// Values that look like an escape of some format. Whoever decodes once too often, or in the wrong order, gets another value.
pub fn lookalikes() -> impl Iterator<Item = &'static str> {
    [
        "&amp;",
        "&lt;",
        "&quot;",
        "&amp;quot;",
        "&apos;",
        "&amp;lt;",
        "&#65;",
        "&#x41;",
        "%41",
        "%2F",
        "%2541",
        "%25",
        "+",
        "%2B",
        "a&b;c",
        "\\u0041",
        "\\n",
        "\\\\",
        "\\\"",
        "\\\\u0041",
    ]
    .into_iter()
}

/// Bytes and characters that careless code takes for something else. UTF-8, not all of it good.
pub fn oddities() -> &'static [Vec<u8>] {
    static ODDITIES: std::sync::LazyLock<Vec<Vec<u8>>> = std::sync::LazyLock::new(|| {
        let codes = [
            0, 1, 9, 0xA, 0xD, 0x1F, 0x20, 0x7E, 0x7F, 0x80, 0x85, 0x9F, 0xA0, 0xAD, 0x300, 0x301, 0x37E, 0x660,
            0x1680, 0x180E, 0x2000, 0x200B, 0x200D, 0x200E, 0x2028, 0x2029, 0x202E, 0x202F, 0x205F, 0x2215, 0x2024,
            0x212A, 0x3000, 0xD7FF, 0xD800, 0xDBFF, 0xDC00, 0xDFFF, 0xE000, 0xFDD0, 0xFEFF, 0xFF0E, 0xFF0F, 0xFF10,
            0xFF21, 0xFFFD, 0xFFFE, 0xFFFF, 0x1_0000, 0x1_F600, 0x1_FFFE, 0x10_FFFF, 0xE9, 0xDF, 0x130, 0x131, 0x17F,
            0xFB01,
        ];
        let mut odd: Vec<Vec<u8>> = codes
            .iter()
            .map(|code| {
                let mut bytes = Vec::new();
                push_code(*code, &mut bytes);
                bytes
            })
            .collect();
        // Overlong forms, beyond the last code point, bytes that stand alone.
        let broken: [&[u8]; 16] = [
            b"\xC0\x80",
            b"\xC0\xAF",
            b"\xC1\xBF",
            b"\xC0\xAE",
            b"\xE0\x80\xAF",
            b"\xE0\x9F\xBF",
            b"\xF0\x80\x80\xAF",
            b"\xF0\x8F\xBF\xBF",
            b"\xF4\x90\x80\x80",
            b"\xF5\x80\x80\x80",
            b"\xF8\x88\x80\x80\x80",
            b"\x80",
            b"\xBF",
            b"\xC3",
            b"\xE2\x82",
            b"\xFF",
        ];
        odd.extend(broken.map(<[u8]>::to_vec));
        odd.push(b"e\xCC\x81".to_vec());
        odd.push(b"\xED\xA0\xBD\xED\xB3\xB1".to_vec());
        odd
    });
    &ODDITIES
}

fn is_free(row: &Row) -> bool {
    row.patterns.iter().any(|pattern| pattern.contains("[^"))
}

/// A good value with something odd at either end.
pub(super) fn odd(row: &Row, good: &[Group], near: &mut Vec<Group>) {
    let has_grammar = !row.patterns.is_empty() || !row.words.is_empty();
    if has_grammar && !is_free(row) {
        let sample = good.iter().flatten().find(|value| !value.is_empty()).cloned().unwrap_or_default();
        let at_ends = |odd: &Vec<u8>| [[&sample, odd.as_slice()].concat(), [odd, sample.as_slice()].concat()];
        near.push(oddities().iter().flat_map(at_ends).collect());
    }
}

/// Groups for rows that need more than their pattern.
pub(super) fn of_row(row: &Row, good: &mut Vec<Group>, near: &mut Vec<Group>) {
    if is_free(row) {
        free_text(row.length.map_or(64, |(_, max)| max), good, near);
    }
    if row.name.eq_ignore_ascii_case("user") {
        let (within, beyond) = users();
        good.push(within);
        near.push(beyond);
    }
    if row.rules.contains(&Rule::Credentials) {
        let (within, beyond) = credentials();
        good.push(within);
        near.push(beyond);
    }
    if row.rules.contains(&Rule::Port) {
        let (within, beyond) = targets();
        good.push(within);
        near.push(beyond);
    }
    if row.kind == crate::spec::Kind::Data {
        spaced(good, near);
    }
}

/// Base64 with white space, which property lists may hold.
fn spaced(good: &mut Vec<Group>, near: &mut Vec<Group>) {
    let sample = b"eDd7UldXtJRCf4kBT5fXmQ==";
    let with = |odd: &[u8]| -> Group {
        [0, 1, 12, 22, 23, 24].iter().map(|at| [&sample[..*at], odd, &sample[*at..]].concat()).collect()
    };
    good.push([&b" "[..], b"\t", b"\n", b"\r", b"\r\n", b"\n\t\t", b"    "].iter().flat_map(|odd| with(odd)).collect());
    near.push(
        [&b"\x0b"[..], b"\x0c", b"\xc2\xa0", b"\xc2\x85", b"=", b"A", b"-", b"\xe2\x80\xa8", b"&#10;"]
            .iter()
            .flat_map(|odd| with(odd))
            .collect(),
    );
}

fn free_text(max: usize, good: &mut Vec<Group>, near: &mut Vec<Group>) {
    let lengths = |lengths: &[usize]| -> Group {
        let repeated =
            |unit: &str| -> Group { lengths.iter().map(|length| unit.repeat(*length).into_bytes()).collect() };
        ["\u{1F600}", "\u{20AC}", "\u{E9}", "x"].into_iter().flat_map(repeated).collect()
    };
    good.push(lengths(&[1, max - 1, max]));
    near.push(lengths(&[0, max + 1, max + 256, max * 2]));
    // Combining marks count: `max` characters that people see as half as many, and one more.
    good.push(vec!["e\u{301}".repeat(max / 2).into_bytes()]);
    near.push(vec!["e\u{301}".repeat(max / 2 + 1).into_bytes(), format!("{}\u{1F600}", "x".repeat(max)).into_bytes()]);
    for place in 0..3 {
        let group = oddities().iter().map(|odd| match place {
            0 => [odd, &b"Ana"[..]].concat(),
            1 => [&b"An"[..], odd, b"a"].concat(),
            _ => [&b"Ana"[..], odd].concat(),
        });
        near.push(group.collect());
    }
    good.push(
        [
            "Ana's Mac & <PC> \"x\"",
            "a",
            "\u{1F4F1}",
            "caf\u{E9}",
            "cafe\u{301}",
            "a\u{85}b",
            "a\u{2028}b",
            "a\u{FEFF}b",
            "&amp;",
            "%41",
            "\\u0041",
            "]]x>",
            "a\u{a0}b",
        ]
        .map(|text| text.as_bytes().to_vec())
        .to_vec(),
    );
    near.push(
        [
            "\u{FEFF}a",
            " a",
            "a ",
            "\u{a0}a",
            "a\u{3000}",
            "\u{2028}a",
            "a\u{85}",
            " ",
            "\u{a0}",
            "\u{2003}a",
            "a\u{1680}",
        ]
        .map(|text| text.as_bytes().to_vec())
        .to_vec(),
    );
}
