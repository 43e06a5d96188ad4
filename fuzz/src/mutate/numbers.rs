//! Numbers and dates around the bounds of a row.

use super::values::Group;
use crate::spec::Rule;

/// Wraps that a number too narrow would undergo.
const WRAPS: [u64; 4] = [1 << 8, 1 << 16, 1 << 32, 1 << 53];

/// Numbers around `min..=max`: those within, those beyond.
fn around(min: u64, max: u64) -> (Vec<u64>, Vec<u64>) {
    let middle = min + (max - min) / 2;
    let mut numbers =
        vec![0, 1, 9, 10, 99, 100, 101, 255, 256, 65_535, 65_536, (1 << 31) - 1, 1 << 31, u64::MAX, 1 << 63];
    for bound in [min, max, middle] {
        numbers.extend([bound.saturating_sub(1), bound, bound.saturating_add(1)]);
        numbers.extend(WRAPS.iter().map(|wrap| bound.wrapping_add(*wrap)));
    }
    let mut chance = fastrand::Rng::with_seed(min ^ max);
    numbers.extend((0..24).map(|_| chance.u64(min..=max)));
    numbers.sort_unstable();
    numbers.dedup();
    numbers.into_iter().partition(|number| (min..=max).contains(number))
}

/// Spellings of `number` that are none.
fn misspelled(number: u64) -> Vec<Vec<u8>> {
    let text = number.to_string();
    ["0{}", "+{}", "-{}", " {}", "{} ", "{}.0", "{}e0", "{}E0", "{}.", ".{}", "{}_", "0x{}", "00", "-0", "", "{}\0"]
        .into_iter()
        .map(|form| form.replace("{}", &text).into_bytes())
        .collect()
}

/// Groups for a row of text with this rule.
pub(super) fn texts(rule: &Rule, good: &mut Vec<Group>, near: &mut Vec<Group>) {
    match rule {
        Rule::Range(min, max) => {
            let (within, beyond) = around(*min, *max);
            good.push(within.iter().map(|number| number.to_string().into_bytes()).collect());
            near.push(beyond.iter().map(|number| number.to_string().into_bytes()).collect());
            near.push([*min, *max].into_iter().flat_map(misspelled).collect());
        }
        Rule::EachAtMost(max) => {
            let four = |at: usize, number: u64| {
                let numbers: Vec<String> =
                    (0..4).map(|place| if place == at { number } else { 7 }.to_string()).collect();
                numbers.join(".").into_bytes()
            };
            good.push((0..4).flat_map(|at| [1, *max - 1, *max].map(|number| four(at, number))).collect());
            near.push(
                (0..4).flat_map(|at| [*max + 1, *max + 2, 99_999, *max + 50].map(|number| four(at, number))).collect(),
            );
        }
        Rule::WindowsRelease => windows_releases(good, near),
        Rule::Within(_) => levels(good, near),
        Rule::Except(values) => {
            near.push(values.iter().map(|value| value.as_bytes().to_vec()).collect());
            // All but one character as excluded: what looks at a part of it alone would refuse these.
            good.push(values.iter().flat_map(|value| neighbours(value.as_bytes())).collect());
        }
        Rule::ExceptPattern(_)
        | Rule::NotAllZero
        | Rule::OneOf(_)
        | Rule::Calendar
        | Rule::Days(..)
        | Rule::MajorNotZero
        | Rule::PowerStatus
        | Rule::Port
        | Rule::Credentials => {}
    }
}

/// `value` with one character stepped, at several places.
fn neighbours(value: &[u8]) -> Vec<Vec<u8>> {
    let places = [0, 1, 7, 8, 9, 15, 16, 20, 21, value.len() / 2, value.len() - 3, value.len() - 2, value.len() - 1];
    let step = |place: usize, to: u8| {
        let mut changed = value.to_vec();
        if let Some(byte) = changed.get_mut(place).filter(|byte| byte.is_ascii_alphanumeric()) {
            *byte = to;
        }
        changed
    };
    places.iter().flat_map(|place| [b'1', b'e', b'Q', b'8', b'E'].map(|to| step(*place, to))).collect()
}

fn windows_releases(good: &mut Vec<Group>, near: &mut Vec<Group>) {
    let known =
        ["6.1.7601", "6.2.9200", "6.3.9600", "10.0.10240", "10.0.10241", "10.0.19045", "10.0.26100", "10.0.65535"];
    let revisions = ["0", "1", "24561", "65535"];
    good.push(known.iter().flat_map(|known| revisions.map(|last| format!("{known}.{last}").into_bytes())).collect());
    let unknown = [
        "6.0.6002.1",
        "6.1.7600.0",
        "6.1.7602.1",
        "6.2.9199.0",
        "6.2.9201.0",
        "6.3.9599.0",
        "6.3.9601.0",
        "6.4.9841.0",
        "10.0.10239.0",
        "10.0.65536.0",
        "10.1.10240.0",
        "10.0.0.0",
        "11.0.22000.0",
        "9.0.10240.0",
        "10.0.19045.65536",
        "10.0.75776.1",
        "10.0.99999.0",
        "6.1.73137.0",
        "65546.0.19045.1",
        "10.65536.19045.1",
        "6.1.9600.1",
        "6.3.7601.1",
        "10.0.19045.99999",
        "0.0.0.0",
        "10.0.19045.70000",
        "262.1.7601.1",
    ];
    near.push(unknown.iter().map(|text| text.as_bytes().to_vec()).collect());
}

/// `power.level` of iOS: exactly 0..1 or -1, by its spelling.
fn levels(good: &mut Vec<Group>, near: &mut Vec<Group>) {
    let within = [
        "0",
        "1",
        "-1",
        "0.0",
        "1.0",
        "-1.0",
        "0.5",
        "0.62",
        "0.000000000000000000",
        "1.000000000000000000",
        "-1.00000000000000000",
        "0.999999999999999999",
        "0.000000000000000001",
        "0.10",
        "0.05",
        "0.99",
        "0.01",
        "0.005",
        "0.123456789",
        "0.333333333333333333",
        "0.1234567890123456",
    ];
    let beyond = [
        "-0",
        "-0.0",
        "-0.00",
        "1.01",
        "1.1",
        "2",
        "-2",
        "-0.5",
        "-1.01",
        "-1.000000000000000001",
        "10",
        "100",
        "1.000000000000000001",
        "0.9999999999999999999",
        "1e0",
        "1E0",
        "1e-1",
        "0e0",
        "1.0e0",
        "01",
        "00",
        "0.",
        ".5",
        "+1",
        "--1",
        "1.",
        "-",
        "-.5",
        "0x1",
        "NaN",
        "Infinity",
        "-0.000000000000000000",
        "1.00000000000000000000",
        "-1.5",
        "-10",
        "0.0.0",
        "1,0",
        "0.5e0",
        "5e-1",
        "-0.999999999999999999",
        "18446744073709551616",
        "4294967296",
    ];
    good.push(within.iter().map(|text| text.as_bytes().to_vec()).collect());
    near.push(beyond.iter().map(|text| text.as_bytes().to_vec()).collect());
}

/// Groups for binary values of `size` bytes with this rule, little-endian.
pub(super) fn binaries(size: usize, rule: &Rule, good: &mut Vec<Group>, near: &mut Vec<Group>) {
    let bytes = |number: &u64| number.to_le_bytes()[..size.min(8)].to_vec();
    let fits = |number: &u64| size >= 8 || *number >> (size * 8) == 0;
    match rule {
        Rule::Range(min, max) => {
            let (within, beyond) = around(*min, *max);
            good.push(within.iter().map(bytes).collect());
            near.push(beyond.iter().filter(|number| fits(number)).map(bytes).collect());
        }
        Rule::OneOf(numbers) => {
            good.push(numbers.iter().map(bytes).collect());
            let steps = numbers.iter().flat_map(|number| {
                [number.wrapping_sub(1), number + 1, number + (1 << 8), number + (1 << 16), number << 8, number | 0x80]
            });
            near.push(
                steps.filter(|number| !numbers.contains(number) && fits(number)).map(|number| bytes(&number)).collect(),
            );
        }
        Rule::NotAllZero => {
            good.push((0..size).map(|at| (0..size).map(|place| u8::from(place == at)).collect()).collect());
            near.push(vec![vec![0; size]]);
        }
        Rule::MajorNotZero => versions(good, near),
        Rule::PowerStatus => power(good, near),
        Rule::Except(_)
        | Rule::ExceptPattern(_)
        | Rule::Within(_)
        | Rule::EachAtMost(_)
        | Rule::Calendar
        | Rule::Days(..)
        | Rule::WindowsRelease
        | Rule::Port
        | Rule::Credentials => {}
    }
}

/// `VS_FIXEDFILEINFO`: minor, major, revision, build.
fn versions(good: &mut Vec<Group>, near: &mut Vec<Group>) {
    let write = |numbers: [u16; 4]| numbers.map(u16::to_le_bytes).as_flattened().to_vec();
    let pool = [0_u16, 1, 2, 255, 256, 257, 0x1234, u16::MAX];
    let mut within = Vec::new();
    for (at, number) in pool.iter().enumerate() {
        let other = |step: usize| pool[(at + step) % pool.len()];
        within.push(write([*number, other(3).max(1), other(1), other(2)]));
        within.push(write([other(5), number.max(&1).to_owned(), other(2), other(7)]));
    }
    good.push(within);
    near.push(pool.iter().map(|number| write([*number, 0, number.wrapping_add(1), 7])).collect());
}

/// `SYSTEM_POWER_STATUS`: mains, flags, percent, saver.
fn power(good: &mut Vec<Group>, near: &mut Vec<Group>) {
    let flags: Vec<u8> = (0..=255).filter(|flag: &u8| *flag == 255 || flag & 0x70 == 0).collect();
    let percents = [0, 1, 37, 83, 99, 100, 255];
    let mut within = Vec::new();
    for (at, flag) in flags.iter().enumerate() {
        within.push(vec![[0, 1, 255][at % 3], *flag, percents[at % percents.len()], u8::from(at % 2 == 1)]);
        within.push(vec![[255, 0, 1][at % 3], *flag, percents[at / 3 % percents.len()], u8::from(at % 2 == 0)]);
    }
    good.push(within);
    let beyond = |at: usize, values: &[u8]| -> Group {
        let changed = |value: &u8| {
            let mut status = vec![1, 8, 50, 0];
            status[at] = *value;
            status
        };
        values.iter().map(changed).collect()
    };
    near.push(beyond(0, &[2, 3, 128, 254]));
    near.push(beyond(1, &[16, 32, 64, 127, 128 | 16, 128 | 64, 254, 24, 0x70, 0xF0]));
    near.push(beyond(2, &[101, 102, 127, 128, 200, 254]));
    near.push(beyond(3, &[2, 3, 128, 254, 255]));
    // All four from where something ends, mostly wrong in more than one.
    let mut chance = fastrand::Rng::with_seed(4);
    let mut one_of = |values: &[u8]| values[chance.usize(..values.len())];
    let mixed = (0..600).map(|_| {
        vec![
            one_of(&[0, 1, 255, 2, 254]),
            one_of(&[0, 1, 8, 15, 16, 32, 64, 128, 143, 144, 160, 192, 207, 254, 255]),
            one_of(&[0, 50, 99, 100, 101, 127, 128, 254, 255]),
            one_of(&[0, 1, 0, 1, 2, 255]),
        ]
    });
    near.push(mixed.collect());
}

/// Dates and times of day: `YYYY-MM-DD`, or that and a time, each with `suffixes` behind the seconds.
pub(super) fn dates(first: &str, end: &str, suffixes: &[&str], good: &mut Vec<Group>, near: &mut Vec<Group>) {
    let has_time = !suffixes.is_empty();
    let write = |date: &str, time: &str| -> Vec<Vec<u8>> {
        if has_time {
            suffixes.iter().map(|suffix| format!("{date}T{time}{suffix}").into_bytes()).collect()
        } else {
            vec![date.as_bytes().to_vec()]
        }
    };
    let months = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    let last_days = months.iter().zip(1..).map(|(days, month)| format!("2024-{month:02}-{days:02}"));
    let mut within: Vec<String> = last_days.collect();
    within.extend(
        [first, "2016-02-29", "2096-02-29", "2099-12-31", "2023-02-28", "2026-05-14", "2020-10-09"].map(str::to_owned),
    );
    good.push(within.iter().flat_map(|date| write(date, "09:30:00")).collect());
    let mut chance = fastrand::Rng::with_seed(8);
    let any = (0..32).flat_map(|_| {
        let date = format!("{}-{:02}-{:02}", chance.u16(2016..2100), chance.u8(1..=12), chance.u8(1..=28));
        write(&date, &format!("{:02}:{:02}:{:02}", chance.u8(..24), chance.u8(..60), chance.u8(..60)))
    });
    good.push(any.collect());
    let days_after = months.iter().zip(1..).map(|(days, month)| format!("2024-{month:02}-{:02}", days + 1));
    let mut beyond: Vec<String> = days_after.collect();
    beyond.extend(
        [
            end,
            "2023-02-29",
            "2100-02-29",
            "2100-12-31",
            "2024-00-10",
            "2024-13-10",
            "2024-05-00",
            "2024-05-99",
            "0000-01-01",
            "0000-02-29",
            "0001-01-01",
            "1970-01-01",
            "1969-12-31",
            "9999-12-31",
            "2024-99-99",
            "1900-02-29",
            "2011-12-31",
            "2015-07-31",
            "2012-01-00",
            "2101-06-01",
            "2012-13-32",
            "2038-01-20",
            "2106-02-08",
        ]
        .map(str::to_owned),
    );
    near.push(beyond.iter().flat_map(|date| write(date, "09:30:00")).collect());
    if has_time {
        let times = |times: &[&str], date: &str| times.iter().flat_map(|time| write(date, time)).collect::<Group>();
        good.push(times(&["00:00:00", "23:59:59", "23:00:00", "00:59:00", "00:00:59", "12:34:56"], "2099-12-31"));
        good.push(times(&["00:00:00", "00:00:01"], first));
        near.push(times(
            &["24:00:00", "24:00:01", "23:60:00", "23:59:60", "25:00:00", "00:60:00", "99:99:99"],
            "2024-06-15",
        ));
        near.push(times(&["23:59:59"], "2011-12-31"));
        near.push(times(&["00:00:00", "23:59:60"], end));
    }
}
