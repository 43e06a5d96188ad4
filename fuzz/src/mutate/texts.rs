//! Texts at the edges: lengths, words, Unicode, users, credentials, targets.

use super::values::Group;
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

/// Groups for rows that need more than their pattern.
pub(super) fn of_row(row: &Row, good: &mut Vec<Group>, near: &mut Vec<Group>) {
    let is_free = row.patterns.iter().any(|pattern| pattern.contains("[^"));
    if is_free {
        free_text(row.length.map_or(64, |(_, max)| max), good, near);
    } else if !row.patterns.is_empty() || !row.words.is_empty() {
        let sample = good.iter().flatten().find(|value| !value.is_empty()).cloned().unwrap_or_default();
        near.push(
            oddities()
                .iter()
                .flat_map(|odd| [[&sample, odd.as_slice()].concat(), [odd, sample.as_slice()].concat()])
                .collect(),
        );
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
            "Ana\u{2019}s Mac & <PC> \"x\"",
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

/// USER at its bounds: local 64, label 63, tld 63, 254 in all.
pub(super) fn users() -> (Group, Group) {
    let x = |count: usize| "x".repeat(count);
    let of_length = |length: usize| {
        let fixed = format!("{}@{}.{}.{}.", x(64), x(63), x(63), x(50));
        format!("{fixed}{}", "t".repeat(length - fixed.len()))
    };
    let good = vec![
        "ana.lopez@example.com".into(),
        "a@b.cc".into(),
        format!("{}@b.cc", x(64)),
        format!("a@{}.cc", x(63)),
        format!("a@b.{}", x(63)),
        format!("a@{}.cc", vec!["b"; 60].join(".")),
        of_length(254),
        of_length(253),
        "A.Z_9%+'-@EXAMPLE.Org".into(),
        ".a.@b.cc".into(),
        "..@b.cc".into(),
        "'@0.aa".into(),
        "a@b-c.d-e.ff".into(),
        "%41@b.cc".into(),
        "a+b@c.dd".into(),
        "-@1.zz".into(),
        "%@b.cc".into(),
        "a%20b@c.dd".into(),
    ];
    let near = vec![
        "a@b.c".into(),
        "a@bcc".into(),
        "@b.cc".into(),
        "a@.cc".into(),
        "a@b.".into(),
        "a@b..cc".into(),
        "a@@b.cc".into(),
        "ab.cc".into(),
        format!("{}@b.cc", x(65)),
        format!("a@{}.cc", x(64)),
        format!("a@b.{}", x(64)),
        of_length(255),
        of_length(256),
        "a@-b.cc".into(),
        "a@b-.cc".into(),
        "a@b.c1".into(),
        "a@b.cc.".into(),
        "a b@c.dd".into(),
        "a@b_c.dd".into(),
        "a@b.cc\n".into(),
        "\u{e9}@b.cc".into(),
        "a@b\u{e9}.cc".into(),
        "a@b.c-c".into(),
        "a\"b@c.dd".into(),
        "a@b.cc@d.ee".into(),
        "a@[1.2.3.4]".into(),
        "a/b@c.dd".into(),
        "a!@b.cc".into(),
        "a#b@c.dd".into(),
        "a@b,cc".into(),
        "a:b@c.dd".into(),
        "a@b.cc:".into(),
        "a&b@c.dd".into(),
        String::new(),
        "a@b.c\0".into(),
        format!("{}@{}.cc", x(64), vec!["b"; 94].join(".")),
        "a@b.c.d".into(),
        "a@1.2.3.4".into(),
        "a*b@c.dd".into(),
        "a`@b.cc".into(),
        "a=b@c.dd".into(),
    ];
    let bytes = |texts: Vec<String>| texts.into_iter().map(String::into_bytes).collect();
    (bytes(good), bytes(near))
}

/// Base64 (RFC 4648 section 4), padded.
#[must_use]
pub fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let block = chunk.iter().fold(0_u32, |block, byte| block << 8 | u32::from(*byte)) << (8 * (3 - chunk.len()));
        for place in 0..4 {
            let digit = (block >> (18 - 6 * place)) as usize & 63;
            text.push(if place <= chunk.len() { char::from(ALPHABET[digit]) } else { '=' });
        }
    }
    text
}

/// Base64 that stands for the same bytes and is not canonical, or for none.
pub(super) fn near_base64(text: &str) -> Group {
    let mut near: Vec<String> = vec![
        text.trim_end_matches('=').to_owned(),
        format!("{text}="),
        format!("{text}\n"),
        format!(" {text}"),
        text.replace('+', "-").replace('/', "_"),
        format!("{text}{text}"),
        format!("{}-{}", &text[..4], &text[5..]),
        format!("{}\u{e9}{}", &text[..4], &text[4..]),
        format!("{}={}", &text[..4], &text[4..]),
        format!("{} {}", &text[..4], &text[4..]),
        format!("{}==", text.trim_end_matches('=')),
        text.replacen("==", "=A", 1),
    ];
    // The last character that counts, with unused bits.
    let kept = text.trim_end_matches('=');
    let padding = &text[kept.len()..];
    near.extend("BCDEHJPRfgxz9+/".chars().map(|last| format!("{}{last}{padding}", &kept[..kept.len() - 1])));
    near.retain(|near| near != text);
    near.into_iter().map(String::into_bytes).collect()
}

/// Good users.
pub(super) fn good_users() -> &'static [String] {
    static USERS: std::sync::LazyLock<Vec<String>> = std::sync::LazyLock::new(|| {
        users().0.into_iter().map(|user| String::from_utf8_lossy(&user).into_owned()).collect()
    });
    &USERS
}

/// `Cred` of SyncML: the good ones, and what is near.
fn credentials() -> (Group, Group) {
    let encode = |text: &str| base64(text.as_bytes()).into_bytes();
    let (users, bad_users) = users();
    let text = |bytes: &Vec<u8>| String::from_utf8_lossy(bytes).into_owned();
    let mut good = vec![encode(&format!("{DEVICE}:"))];
    good.extend(users.iter().map(|user| encode(&format!("{MASS}:{}", text(user)))));
    let mut near: Group = bad_users.iter().map(|user| encode(&format!("{MASS}:{}", text(user)))).collect();
    let device_tail = &DEVICE[..88];
    let mass_tail = &MASS[..45];
    let texts = [
        MASS.to_owned(),
        DEVICE.to_owned(),
        format!("{MASS}:"),
        format!("{DEVICE}:a@b.cc"),
        ":".into(),
        ":a@b.cc".into(),
        String::new(),
        format!("{DEVICE}::"),
        format!("{MASS}::a@b.cc"),
        format!("{MASS}:a@b.cc:"),
        format!("{MASS}:a:b@c.dd"),
        "x:".into(),
        "M1.:".into(),
        "D1.:".into(),
        format!("{device_tail}x:"),
        format!("{mass_tail}l:a@b.cc"),
        format!("{device_tail}:"),
        format!("{mass_tail}:a@b.cc"),
        format!("{DEVICE}A:"),
        format!("{MASS}A:a@b.cc"),
        format!(" {DEVICE}:"),
        format!("{DEVICE} :"),
        format!("{DEVICE}: "),
        format!("{MASS}:\u{e9}@b.cc"),
        format!("{MASS}\u{e9}:a@b.cc"),
        format!("m1{}:a@b.cc", &MASS[2..]),
        format!("M2{}:a@b.cc", &MASS[2..]),
        format!("D1{}:a@b.cc", &MASS[2..]),
        format!("M1{}:", &DEVICE[2..]),
        format!("{DEVICE}:\n"),
        format!("{DEVICE}:\0"),
        format!("\u{7f}{DEVICE}:"),
        format!("{MASS}:a@b.cc\n"),
        format!("M1.{}:a@b.cc", "A".repeat(43)),
        format!("D1.{}:", "A".repeat(86)),
        format!("M1.{}:a@b.cc", "A".repeat(43 + 256)),
        format!("D2{}:", &DEVICE[2..]),
        format!("{DEVICE}:{MASS}"),
        format!("{MASS}:{DEVICE}"),
        format!("M1{DEVICE}:"),
        format!("M1.{DEVICE}:"),
        format!("\u{80}:{DEVICE}"),
        format!("{MASS}\u{80}"),
        format!("{MASS};a@b.cc"),
    ];
    near.extend(texts.iter().map(|text| encode(text)));
    for text in [format!("{DEVICE}:"), format!("{MASS}:ana.lopez@example.com"), format!("{MASS}:na.lopez@example.com")]
    {
        near.extend(near_base64(&base64(text.as_bytes())));
    }
    (good, near)
}

/// `Target` of SyncML.
fn targets() -> (Group, Group) {
    let x = |count: usize| "x".repeat(count);
    let of_length = |length: usize| {
        let host = format!("{}.{}.{}.", x(63), x(63), x(63));
        let fixed = "https://".len() + host.len() + "/edge/wp8".len();
        format!("https://{host}{}/edge/wp8", "t".repeat(length - fixed))
    };
    let with_port = |port: &str| format!("https://edge.example.com:{port}/edge/wp8");
    let mut good = vec![
        "https://edge.example.com/edge/wp8".into(),
        "https://a.b/edge/wp8".into(),
        of_length(255),
        of_length(254),
        of_length(253),
    ];
    good.extend(["1", "9", "443", "8443", "65535", "65534", "10000"].map(with_port));
    good.extend([
        format!("https://{}.b/edge/wp8", x(63)),
        "https://A-b.C9.1/edge/wp8".into(),
        "https://1.2.3.4:5/edge/wp8".into(),
    ]);
    let mut near = vec![
        of_length(256),
        "https://a/edge/wp8".into(),
        "https://ab/edge/wp8".into(),
        "http://edge.example.com/edge/wp8".into(),
    ];
    near.extend(
        [
            "65536",
            "99999",
            "0",
            "00443",
            "0443",
            "100000",
            "",
            "+443",
            "443x",
            "70000",
            "131071",
            "-1",
            "65979",
            "4294967739",
        ]
        .map(with_port),
    );
    near.extend([
        "HTTPS://edge.example.com/edge/wp8".into(),
        "https://edge.example.com/edge/wp8/".into(),
        "https://edge.example.com/edge/wp7".into(),
        "https://edge.example.com/EDGE/wp8".into(),
        "https://edge..com/edge/wp8".into(),
        "https://-edge.com/edge/wp8".into(),
        "https://edge-.com/edge/wp8".into(),
        "https://edge.com./edge/wp8".into(),
        format!("https://{}.b/edge/wp8", x(64)),
        "https://a@b.cc/edge/wp8".into(),
        "https://b.cc/edge/wp8?x".into(),
        "https://b.cc//edge/wp8".into(),
        "https://.b.cc/edge/wp8".into(),
        "https://b.cc:1:2/edge/wp8".into(),
        "https://b_c.dd/edge/wp8".into(),
        "https://b.cc/edge/wp8 ".into(),
        "https://[::1]/edge/wp8".into(),
        "https://b.cc".into(),
        "https://example.com".into(),
        "https:///edge/wp8".into(),
        "https://edge.example.com:443".into(),
        "xhttps://b.cc/edge/wp8".into(),
        "https://edge.example.com/edge/wp8/edge/wp8".into(),
        "https://edge.example.com:65535:1/edge/wp8".into(),
    ]);
    let bytes = |texts: Vec<String>| texts.into_iter().map(String::into_bytes).collect();
    (bytes(good), bytes(near))
}
