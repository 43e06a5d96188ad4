//! Other spellings of a value: some stand for the same, some are wrong, and code that decodes twice or not at all takes
//! one for the other.

use fastrand::Rng;

use super::Wire;

/// `value`, which stands on the wire of a row written so, in another spelling.
#[must_use]
pub fn value(wire: Wire, value: &[u8], chance: &mut Rng) -> Vec<u8> {
    match wire {
        Wire::Binary | Wire::Text16 => units(value, chance),
        Wire::Element(_) | Wire::Flag | Wire::Array | Wire::Header | Wire::Data => markup(value, chance),
        Wire::Line | Wire::Percent | Wire::Form => percent(value, chance),
        Wire::Quoted | Wire::Literal | Wire::Object | Wire::List => json(value, chance),
    }
}

/// `value` in another spelling that stands for the same, where the format has one; else as it is.
#[must_use]
pub fn same(wire: Wire, value: &[u8], chance: &mut Rng) -> Vec<u8> {
    const SPELLINGS: [(&[u8], &[u8]); 3] = [(b"\"", b"&quot;"), (b"'", b"&apos;"), (b"&gt;", b">")];
    match wire {
        Wire::Element(_) | Wire::Array | Wire::Data => {
            let at = value.iter().position(|byte| *byte == b'>').map_or(0, |at| at + 1);
            let (from, to) = SPELLINGS[chance.usize(..SPELLINGS.len())];
            super::find(value, from, at).map_or_else(|| value.to_vec(), |at| splice(value, at, from.len(), to))
        }
        Wire::Flag => open_or_close(value),
        Wire::Quoted if value.len() > 2 && !value.contains(&b'\\') => {
            let at = chance.usize(1..value.len() - 1);
            let Some(byte) = value.get(at).filter(|byte| byte.is_ascii()) else { return value.to_vec() };
            let escape = if *byte == b'/' && chance.bool() { "\\/".to_owned() } else { format!("\\u{byte:04x}") };
            splice(value, at, 1, escape.as_bytes())
        }
        Wire::Binary
        | Wire::Text16
        | Wire::Line
        | Wire::Percent
        | Wire::Quoted
        | Wire::Literal
        | Wire::Object
        | Wire::List
        | Wire::Form
        | Wire::Header => value.to_vec(),
    }
}

/// `value` with the `taken` bytes from `at` on replaced.
fn splice(value: &[u8], at: usize, taken: usize, put: &[u8]) -> Vec<u8> {
    let at = at.min(value.len());
    let end = (at + taken).min(value.len());
    [&value[..at], put, &value[end..]].concat()
}

fn units(value: &[u8], chance: &mut Rng) -> Vec<u8> {
    let at = chance.usize(..=value.len() / 2) * 2;
    match chance.u8(..12) {
        0 => splice(value, value.len().saturating_sub(1), 1, b""),
        1 => splice(value, value.len(), 0, &[0]),
        2 => splice(value, value.len(), 0, &[0, 0]),
        3 => splice(value, 0, 0, &[0xFF, 0xFE]),
        4 => splice(value, 0, 0, &[0xFE, 0xFF]),
        5 => splice(value, at, 0, &[0xFF, 0xFE]),
        6 => splice(value, at, 2, &[0x3D, 0xD8]),
        7 => splice(value, at, 2, &[0x00, 0xDC]),
        8 => splice(value, at, 0, &[0, 0]),
        9 => value.chunks(2).flat_map(|unit| unit.iter().rev().copied()).collect(),
        10 => value.iter().copied().step_by(2).collect(),
        _ => splice(value, at, 0, &[0x3D, 0xD8, 0xF1, 0xDC]),
    }
}

/// A place within the text of an element, or at its ends.
fn place_in_text(value: &[u8], chance: &mut Rng) -> usize {
    let start = value.iter().position(|byte| *byte == b'>').map_or(0, |at| at + 1);
    let end = value.iter().rposition(|byte| *byte == b'<').unwrap_or(value.len()).max(start);
    match chance.u8(..4) {
        0 => start,
        1 => end,
        _ => chance.usize(start..=end),
    }
}

fn markup(value: &[u8], chance: &mut Rng) -> Vec<u8> {
    let at = place_in_text(value, chance);
    let byte = value.get(at).copied().unwrap_or(b'1');
    match chance.u8(..16) {
        0 => splice(value, at, 1, format!("&#{byte};").as_bytes()),
        1 => splice(value, at, 1, format!("&#x{byte:X};").as_bytes()),
        2 => splice(value, at, 0, b"<!-- x -->"),
        3 => splice(value, at, 0, b"<![CDATA[]]>"),
        4 => splice(value, at, 1, &[b"<![CDATA[", &[byte][..], b"]]>"].concat()),
        5 => splice(value, at, 0, b"]]>"),
        6 => splice(value, at, 0, [&b"&lt;"[..], b"&gt;", b"&amp;", b"&quot;", b"&apos;"][chance.usize(..5)]),
        7 => splice(
            value,
            at,
            0,
            [&b"&nbsp;"[..], b"&", b"&amp", b"&;", b"&LT;", b"&amp;lt;", b"&#0;", b"&x;", b"&#xFFFE;"]
                [chance.usize(..9)],
        ),
        8 => splice(
            value,
            at,
            0,
            [&b" "[..], b"\n", b"\t", b"\r\n", b"\r", b"\xC2\xA0", b"\xC2\x85", b"\xE2\x80\xA8"][chance.usize(..8)],
        ),
        9 => splice(
            value,
            at,
            0,
            [&b"\x01"[..], b"\xEF\xBF\xBE", b"\xEF\xBF\xBF", b"\0", b"\x0b", b"\xEF\xBB\xBF", b"\xED\xA0\x80"]
                [chance.usize(..7)],
        ),
        10 => splice(value, at, 0, b"<?x y?>"),
        11 => splice(value, at, 0, [&b"\""[..], b"'", b">", b"<", b"<x/>", b"<b></b>"][chance.usize(..6)]),
        12 => tag(value, chance),
        13 => open_or_close(value),
        14 => splice(value, at, 1, &[0xC0 | byte >> 6, 0x80 | byte & 0x3F]),
        _ => splice(value, at, 1, &[0xE0, 0x80 | byte >> 6, 0x80 | byte & 0x3F]),
    }
}

/// The first tag, written otherwise.
fn tag(value: &[u8], chance: &mut Rng) -> Vec<u8> {
    let Some(end) = value.iter().position(|byte| *byte == b'>') else { return value.to_vec() };
    match chance.u8(..7) {
        0 => splice(value, end, 0, b" "),
        1 => splice(value, end, 0, b" x=\"y\""),
        2 => splice(value, 1, 0, b" "),
        3 => splice(value, 1, 0, b"x:"),
        4 => splice(value, end, 0, b"\n"),
        5 => splice(value, value.len().saturating_sub(1), 0, b" "),
        _ => splice(value, 1, 1, &[value.get(1).copied().unwrap_or(b'x') ^ 0x20]),
    }
}

/// `<x></x>` for `<x/>` and the other way round.
fn open_or_close(value: &[u8]) -> Vec<u8> {
    let name: Vec<u8> = value.iter().copied().skip(1).take_while(u8::is_ascii_alphabetic).collect();
    if value.ends_with(b"/>") {
        [b"<", name.as_slice(), b"></", name.as_slice(), b">"].concat()
    } else {
        [b"<", name.as_slice(), b"/>"].concat()
    }
}

fn percent(value: &[u8], chance: &mut Rng) -> Vec<u8> {
    let at = match chance.u8(..3) {
        // Most spellings begin with a `%`, where there is one.
        0 => value.iter().position(|byte| *byte == b'%').unwrap_or_default(),
        1 => value.iter().rposition(|byte| *byte == b'%').unwrap_or(value.len()),
        _ => chance.usize(..=value.len()),
    };
    let byte = value.get(at).copied().unwrap_or(b'A');
    match chance.u8(..14) {
        0 => splice(value, at, 1, format!("%{byte:02X}").as_bytes()),
        1 => splice(value, at, 1, format!("%{byte:02x}").as_bytes()),
        2 => splice(
            value,
            at,
            0,
            [&b"%"[..], b"%4", b"%zz", b"%%", b"%u0041", b"%G0", b"%-1", b"%+1", b"% 1"][chance.usize(..9)],
        ),
        3 => splice(
            value,
            at,
            0,
            [&b"%00"[..], b"%0A", b"%0D", b"%2F", b"%2E%2E", b"%25", b"%20", b"%7F", b"%3D", b"%26", b"%7E", b"%2A"]
                [chance.usize(..12)],
        ),
        4 => splice(
            value,
            at,
            0,
            [
                &b"%C0%AF"[..],
                b"%C1%81",
                b"%E0%80%AF",
                b"%ED%A0%80",
                b"%F4%90%80%80",
                b"%FF",
                b"%C3",
                b"%80",
                b"%EF%BB%BF",
                b"%C2%85",
            ][chance.usize(..10)],
        ),
        5 => splice(value, at, 0, [&b"%C3%A9"[..], b"%c3%a9", b"%F0%9F%98%80", b"%F0%9f%98%80"][chance.usize(..4)]),
        6 => splice(value, at, 0, [&b" "[..], b"+", b"%20", b"%2B"][chance.usize(..4)]),
        7 => {
            splice(value, at, 0, [&b"\t"[..], b"\r", b"\x7f", b"\x80", b"\0", b"\x1f", b"\xC3\xA9"][chance.usize(..7)])
        }
        8 => splice(value, at, 0, [&b"="[..], b"~", b"'", b"(", b"!", b"/", b":", b"@", b"&"][chance.usize(..9)]),
        // Encoded twice, and once too little.
        9 => splice(value, at, 1, if byte == b'%' { b"%25" } else { b"%2525" }),
        10 if byte == b'%' => splice(value, at, 3, b""),
        11 => lower_case_after(value, at),
        12 => splice(value, value.len(), 0, b"\r"),
        _ => splice(value, at, 2, b""),
    }
}

/// The hex digits behind `at` in lower case.
fn lower_case_after(value: &[u8], at: usize) -> Vec<u8> {
    let mut changed = value.to_vec();
    changed.iter_mut().skip(at + 1).take(2).for_each(|byte| *byte = byte.to_ascii_lowercase());
    changed
}

fn json(value: &[u8], chance: &mut Rng) -> Vec<u8> {
    if !value.contains(&b'"') {
        return literal(value, chance);
    }
    let first = value.iter().position(|byte| *byte == b'"').map_or(0, |at| at + 1);
    let last = value.iter().rposition(|byte| *byte == b'"').unwrap_or(value.len()).max(first);
    let at = [first, last, chance.usize(first..=last)][chance.usize(..3)];
    let byte = value.get(at).copied().unwrap_or(b'x');
    match chance.u8(..14) {
        0 | 1 if byte.is_ascii() => splice(value, at, usize::from(at < last), format!("\\u{byte:04x}").as_bytes()),
        2 if byte.is_ascii() => splice(value, at, usize::from(at < last), format!("\\u{byte:04X}").as_bytes()),
        3 => splice(
            value,
            at,
            0,
            [&b"\\/"[..], b"\\b", b"\\f", b"\\n", b"\\r", b"\\t", b"\\\"", b"\\\\"][chance.usize(..8)],
        ),
        // The one that has the most ways to go wrong.
        4 | 12 | 13 => splice(value, at, 0, escaped(chance).as_bytes()),
        5 => splice(
            value,
            at,
            0,
            [
                &b"\\ud83d"[..],
                b"\\udcf1",
                b"\\ud83d\\ud83d",
                b"\\udcf1\\ud83d",
                b"\\ud83dx",
                b"\\ud83d\\n",
                b"\\uD83D\\u0041",
            ][chance.usize(..7)],
        ),
        6 => splice(
            value,
            at,
            0,
            [
                &b"\\x41"[..],
                b"\\U0041",
                b"\\u41",
                b"\\u004",
                b"\\u00g0",
                b"\\",
                b"\\0",
                b"\\'",
                b"\\a",
                b"\\u+041",
                b"\\u{41}",
            ][chance.usize(..11)],
        ),
        7 => splice(
            value,
            at,
            0,
            [&b"\x01"[..], b"\n", b"\t", b"\0", b"\x1f", b"\x7f", b"\xC2\x80", b"\xE2\x80\xA8"][chance.usize(..8)],
        ),
        8 => splice(
            value,
            at,
            0,
            [&b"\\u0000"[..], b"\\u001f", b"\\u007f", b"\\u0080", b"\\u0085", b"\\u0020"][chance.usize(..6)],
        ),
        9 => splice(
            value,
            at,
            0,
            [
                &b"\xC0\xAF"[..],
                b"\xED\xA0\xBD",
                b"\xF4\x90\x80\x80",
                b"\xFF",
                b"\x80",
                b"\xEF\xBB\xBF",
                b"\xE0\x80\xAF",
            ][chance.usize(..7)],
        ),
        10 => splice(value, at, 0, b"\""),
        _ => [[&b" "[..], b"\n", b"\t", b"\r", b"\x0b", b"\xC2\xA0", b"/**/"][chance.usize(..7)], value].concat(),
    }
}

/// A code point as one `\\u` or two, its digits in either case or in both.
fn escaped(chance: &mut Rng) -> String {
    let codes = [
        0x20, 0x7E, 0x80, 0xE9, 0x301, 0x7FF, 0x800, 0x2028, 0x4E2D, 0xABCD, 0xD7FF, 0xE000, 0xFEFF, 0xFFFD, 0xFFFF,
        0x1_0000, 0x1_F4F1, 0x1_FFFF, 0x2_F800, 0xF_FFFD, 0x10_FC00, 0x10_FFFF,
    ];
    let code = if chance.u8(..4) == 0 { chance.u32(0x1_0000..=0x10_FFFF) } else { codes[chance.usize(..codes.len())] };
    let mut escape = |unit: u32| match chance.u8(..3) {
        0 => format!("\\u{unit:04x}"),
        1 => format!("\\u{unit:04X}"),
        _ => format!("\\u{:02x}{:02X}", unit >> 8, unit & 0xFF),
    };
    match code.checked_sub(0x1_0000) {
        None => escape(code),
        Some(above) => escape(0xD800 + (above >> 10)) + &escape(0xDC00 + (above & 0x3FF)),
    }
}

/// A number or a word of JSON.
fn literal(value: &[u8], chance: &mut Rng) -> Vec<u8> {
    let text = String::from_utf8_lossy(value).into_owned();
    let form = [
        "{}.0", "{}e0", "{}E+0", "-{}", "+{}", "0{}", "\"{}\"", "{}.", "{}0", "[{}]", "{}.00", "null", "{} ", " {}",
        "{}e1", "{}e-1", "true", "false", ".{}", "{}{}", "{}\n", "{}.50", "1{}", "-0",
    ][chance.usize(..24)];
    form.replace("{}", &text).into_bytes()
}
