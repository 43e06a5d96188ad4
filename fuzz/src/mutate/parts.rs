//! Values of several parts (`10.0.19045.1`, `wlp3s0:wifi:no`, `ana@example.com`): one part changed, the others left.

use fastrand::Rng;

/// What stands between parts.
const SEPARATORS: &[u8] = b".:/-@,;=_ \\+|";
/// Numbers that a part may be replaced by: bounds of the tables, of types, and spellings that are none.
const NUMBERS: &[&str] = &[
    "0",
    "1",
    "2",
    "9",
    "10",
    "11",
    "13",
    "16",
    "19",
    "20",
    "25",
    "26",
    "29",
    "30",
    "63",
    "64",
    "65",
    "89",
    "90",
    "99",
    "100",
    "101",
    "105",
    "109",
    "110",
    "127",
    "128",
    "199",
    "255",
    "256",
    "257",
    "300",
    "356",
    "999",
    "1000",
    "7601",
    "9600",
    "10240",
    "65535",
    "65536",
    "65537",
    "65546",
    "75776",
    "99999",
    "100000",
    "2147483647",
    "2147483648",
    "4294967295",
    "4294967296",
    "00",
    "01",
    "000",
    "001",
    "010",
    "-1",
    "+1",
    "1e1",
    "",
    "0x1",
    "18446744073709551617",
];

/// `plain` with one part changed.
#[must_use]
pub fn change(plain: &[u8], chance: &mut Rng) -> Vec<u8> {
    if chance.bool()
        && let Some(changed) = number(plain, chance)
    {
        return changed;
    }
    let places: Vec<usize> =
        plain.iter().enumerate().filter(|(_, byte)| SEPARATORS.contains(byte)).map(|(at, _)| at).collect();
    let chosen = chance.usize(..=places.len());
    let start = chosen.checked_sub(1).map_or(0, |before| places[before] + 1);
    let end = places.get(chosen).copied().unwrap_or(plain.len());
    let (before, part, behind) = (&plain[..start], &plain[start..end], &plain[end..]);
    let first = &part[..part.len().min(1)];
    let separator = [b'.', b':', b'/', b'-', b'@', b'_', b' ', b','][chance.usize(..8)];
    match chance.u8(..14) {
        0 => [before, behind].concat(),
        1 => [before, part, &plain[end..(end + 1).min(plain.len())], part, behind].concat(),
        2 => [before, part, &[separator], part, behind].concat(),
        3 => [before, &part.to_ascii_uppercase(), behind].concat(),
        4 => [before, &part.to_ascii_lowercase(), behind].concat(),
        5 => [before, b"0", part, behind].concat(),
        6 => [before, first, behind].concat(),
        7 => [before, part, first, behind].concat(),
        8 => [before, b"-", part, behind].concat(),
        9 => [before, part, b"-", behind].concat(),
        10 => [before, part].concat(),
        11 => [part, behind].concat(),
        12 => [&plain[..start.saturating_sub(1)], &[separator], part, behind].concat(),
        _ => [before, &b"x".repeat([1, 2, 3, 4, 15, 16, 17, 32, 63, 64][chance.usize(..10)]), behind].concat(),
    }
}

/// `plain` with one run of digits replaced, stepped or joined by another digit.
fn number(plain: &[u8], chance: &mut Rng) -> Option<Vec<u8>> {
    let starts: Vec<usize> = (0..plain.len())
        .filter(|at| plain[*at].is_ascii_digit() && (*at == 0 || !plain[*at - 1].is_ascii_digit()))
        .collect();
    let start = *chance.choice(&starts)?;
    let length = plain[start..].iter().take_while(|byte| byte.is_ascii_digit()).count();
    let (before, digits, behind) = (&plain[..start], &plain[start..start + length], &plain[start + length..]);
    let value = digits.iter().fold(0_u64, |value, digit| value.wrapping_mul(10).wrapping_add(u64::from(digit - b'0')));
    let text = match chance.u8(..8) {
        0 => value.wrapping_add(1).to_string(),
        1 => value.wrapping_sub(1).to_string(),
        2 => value.wrapping_add(1 << [8, 16, 32, 10][chance.usize(..4)]).to_string(),
        3 => format!("0{value}"),
        4 => format!("{value}{}", chance.u8(..10)),
        5 => format!("{}", value / 10),
        _ => NUMBERS[chance.usize(..NUMBERS.len())].to_owned(),
    };
    Some([before, text.as_bytes(), behind].concat())
}
