//! Values for every row, as they stand on the wire: good ones, and near misses. Made once, then chosen from.

use std::sync::LazyLock;

use fastrand::Rng;

use super::{numbers, paths, patterns, texts};
use crate::{
    doc::{Platform, Wire, escape, slots, table::path_slot},
    spec::{Kind, Row, Rule, rows},
};

/// Values of one kind (boundaries of a pattern, lengths, dates...).
pub type Group = Vec<Vec<u8>>;

/// Values of one row. A group is chosen first, so that a kind with few values is tried as often as one with many.
#[derive(Clone, Debug, Default)]
pub struct Pool {
    good: Vec<Group>,
    near: Vec<Group>,
    /// Both again, of what a rule or a special grammar draws a line through: ranges, dates, users, credentials.
    sharp: [Vec<Group>; 2],
}

impl Pool {
    /// A value that is good by itself.
    pub fn good(&self, chance: &mut Rng) -> &[u8] {
        pick(if chance.bool() && !self.sharp[0].is_empty() { &self.sharp[0] } else { &self.good }, chance)
    }

    /// A value that misses the grammar by a step (now and then it does not).
    pub fn near(&self, chance: &mut Rng) -> &[u8] {
        pick(if chance.bool() && !self.sharp[1].is_empty() { &self.sharp[1] } else { &self.near }, chance)
    }

    /// Every value, good ones first.
    pub fn all(&self) -> impl Iterator<Item = (bool, &[u8])> {
        let good = self.good.iter().chain(&self.sharp[0]).flatten().map(|value| (true, value.as_slice()));
        good.chain(self.near.iter().chain(&self.sharp[1]).flatten().map(|value| (false, value.as_slice())))
    }

    fn drop_empty(&mut self) {
        let [good, near] = &mut self.sharp;
        for groups in [&mut self.good, &mut self.near, good, near] {
            groups.retain(|group| !group.is_empty());
        }
    }
}

fn pick<'a>(groups: &'a [Group], chance: &mut Rng) -> &'a [u8] {
    let group = chance.choice(groups).map_or(&[][..], Vec::as_slice);
    chance.choice(group).map_or(&[], Vec::as_slice)
}

/// The values of a row. A list's row: values of the whole list; see [`path_pool`].
#[must_use]
pub fn pool(platform: Platform, slot: usize) -> &'static Pool {
    static POOLS: [LazyLock<Vec<Pool>>; 6] = [
        LazyLock::new(|| build(Platform::Windows)),
        LazyLock::new(|| build(Platform::MacOs)),
        LazyLock::new(|| build(Platform::Linux)),
        LazyLock::new(|| build(Platform::Ios)),
        LazyLock::new(|| build(Platform::Android)),
        LazyLock::new(|| build(Platform::WindowsPhone)),
    ];
    &POOLS[platform as usize - 1][slot]
}

/// The values of one path: of a field that repeats, or of an element of the list.
#[must_use]
pub fn path_pool(platform: Platform) -> &'static Pool {
    static POOLS: LazyLock<[Pool; 6]> = LazyLock::new(|| Platform::ALL.map(build_paths));
    &POOLS[platform as usize - 1]
}

fn build_paths(platform: Platform) -> Pool {
    let wire = slots(platform)[path_slot(platform)].wire;
    let write = |groups: Vec<Group>| -> Vec<Group> {
        groups.iter().map(|group| group.iter().map(|plain| escape::wire_path(wire, plain)).collect()).collect()
    };
    let mut pool = Pool { good: write(paths::good(platform)), near: write(paths::near(platform)), ..Pool::default() };
    pool.near.push(other_types(wire.element(), b"/a"));
    pool.drop_empty();
    pool
}

fn build(platform: Platform) -> Vec<Pool> {
    slots(platform)
        .iter()
        .zip(rows(platform))
        .enumerate()
        .map(
            |(at, (slot, row))| {
                if at == path_slot(platform) { lists(platform, slot.wire) } else { of_row(slot.wire, row) }
            },
        )
        .collect()
}

/// Whole lists.
fn lists(platform: Platform, wire: Wire) -> Pool {
    let good = paths::good(platform).iter().flatten().take(12).map(|plain| escape::wire(wire, plain)).collect();
    let near = paths::near(platform).iter().flatten().take(40).map(|plain| escape::wire(wire, plain)).collect();
    let mut pool = Pool { good: vec![good], near: vec![near, other_types(wire, b"/a")], ..Pool::default() };
    pool.drop_empty();
    pool
}

fn of_row(wire: Wire, row: &Row) -> Pool {
    let (mut good, mut near) = (Vec::new(), Vec::new());
    let (mut sharp_good, mut sharp_near) = (Vec::new(), Vec::new());
    if row.kind == Kind::Binary {
        let size = row.length.map_or(8, |(bytes, _)| bytes);
        row.rules.iter().for_each(|rule| numbers::binaries(size, rule, &mut good, &mut near));
        let sample = good.first().and_then(|group| group.first()).cloned().unwrap_or_default();
        near.push(texts::resized(&sample));
    } else {
        from_patterns(row, &mut good, &mut near);
        texts::odd(row, &good, &mut near);
        if row.words.is_empty() && !row.patterns.is_empty() {
            // Those alone that the row takes: elsewhere they say nothing.
            good.extend(sort_out(row, vec![texts::lookalikes().map(|look| look.as_bytes().to_vec()).collect()]).0);
        }
        from_rules(row, &mut sharp_good, &mut sharp_near);
        texts::of_row(row, &mut sharp_good, &mut sharp_near);
    }
    let (good, late) = sort_out(row, good);
    let (sharp_good, sharp_late) = sort_out(row, sharp_good);
    near.push(late);
    sharp_near.push(sharp_late);
    let write = |groups: Vec<Group>| -> Vec<Group> {
        groups.iter().map(|group| group.iter().map(|plain| escape::wire(wire, plain)).collect()).collect()
    };
    if wire == Wire::Line {
        // Of what is no ASCII one in eight will do: here all of it fails in one way.
        let mut count = 0;
        let mut keep = |value: &Vec<u8>| {
            count += usize::from(!value.is_ascii());
            value.is_ascii() || count.is_multiple_of(8)
        };
        near.iter_mut().chain(&mut sharp_near).for_each(|group| group.retain(&mut keep));
    }
    let sample = good.iter().chain(&sharp_good).flatten().next().cloned().unwrap_or_default();
    let mut pool = Pool { good: write(good), near: write(near), sharp: [sharp_good, sharp_near].map(write) };
    pool.near.push(other_types(wire, &sample));
    pool.drop_empty();
    if pool.good.is_empty() {
        pool.good.clone_from(&pool.sharp[0]);
    }
    pool
}

fn from_patterns(row: &Row, good: &mut Vec<Group>, near: &mut Vec<Group>) {
    // A rule that says more than the pattern: what the pattern matches is mostly refused by the rule.
    let is_half_the_rule = row.rules.iter().any(|rule| {
        matches!(rule, Rule::Calendar | Rule::WindowsRelease | Rule::Within(_) | Rule::Credentials | Rule::Port)
    });
    for pattern in row.patterns {
        let (within, beyond): (Vec<_>, Vec<_>) =
            patterns::variants(pattern).into_iter().partition(|variant| variant.is_within && !is_half_the_rule);
        good.push(within.into_iter().map(|variant| variant.value).collect());
        near.push(beyond.into_iter().map(|variant| variant.value).collect());
        if let Some((min, max)) = row.length {
            let sample = patterns::sample(pattern, 7);
            let lengths = [min.saturating_sub(1), max + 1, max + 256, min + 256, 0, max * 2];
            near.push(lengths.iter().map(|length| texts::stretched(&sample, *length)).collect());
            // Characters of several bytes and units: whoever counts those says another code.
            let wide = |length: usize| ["\u{E9}", "\u{20AC}", "\u{1F600}"].map(|unit| unit.repeat(length).into_bytes());
            near.push([min, max / 2 + 1, max, max + 1].into_iter().flat_map(wide).collect());
            let bounds = [min, min + 1, max.saturating_sub(1), max].map(|length| texts::stretched(&sample, length));
            if is_half_the_rule { &mut *near } else { &mut *good }.push(bounds.to_vec());
        }
    }
    good.push(row.examples.iter().map(|text| text.as_bytes().to_vec()).collect());
    if !row.words.is_empty() {
        good.push(row.words.iter().map(|word| word.as_bytes().to_vec()).collect());
        near.push(row.words.iter().flat_map(|word| texts::near_word(word)).collect());
    }
    if row.kind == Kind::Boolean {
        good.push(vec![b"true".to_vec(), b"false".to_vec()]);
        near.push(["True", "FALSE", "1", "0", "null", "yes"].map(|text| text.as_bytes().to_vec()).to_vec());
    }
}

fn from_rules(row: &Row, good: &mut Vec<Group>, near: &mut Vec<Group>) {
    for rule in row.rules {
        numbers::texts(rule, good, near);
        if let Rule::Days(first, end) = rule {
            let suffixes: &[&str] = match row.length {
                Some((20, _)) => &["Z"],
                Some((24, _)) => &[".000Z", ".125Z", ".999Z"],
                Some((28, _)) => &[".0000000Z", ".1250000Z", ".9999999Z", ".0000001Z"],
                _ => &[],
            };
            numbers::dates(first, end, suffixes, good, near);
        }
    }
}

/// Takes out of the good values those that a length, a rule or a pattern of the row refuses.
fn sort_out(row: &Row, groups: Vec<Group>) -> (Vec<Group>, Group) {
    let pattern = row.patterns.iter().map(|pattern| format!("(?:{pattern})")).collect::<Vec<_>>().join("|");
    let whole = regex::Regex::new(&format!("(?s)^(?:{pattern})$")).ok().filter(|_| !row.patterns.is_empty());
    let mut late = Group::new();
    let mut keep = |value: &Vec<u8>| {
        let is_good = row.kind == Kind::Binary || is_good(row, value, whole.as_ref());
        if !is_good {
            late.push(value.clone());
        }
        is_good
    };
    let mut groups = groups;
    groups.iter_mut().for_each(|group| group.retain(&mut keep));
    (groups.into_iter().filter(|group| !group.is_empty()).collect(), late)
}

fn is_good(row: &Row, value: &[u8], whole: Option<&regex::Regex>) -> bool {
    let Ok(text) = std::str::from_utf8(value) else { return false };
    let length = text.chars().count();
    let fits = row.length.is_none_or(|(min, max)| (min..=max).contains(&length));
    let obeys = |rule: &Rule| match rule {
        Rule::Range(min, max) => text.parse::<u64>().is_ok_and(|number| (*min..=*max).contains(&number)),
        Rule::EachAtMost(max) => text.split('.').all(|part| part.parse::<u64>().is_ok_and(|number| number <= *max)),
        Rule::Except(values) => !values.contains(&text),
        Rule::ExceptPattern(pattern) => {
            regex::Regex::new(&format!("(?s)^(?:{pattern})$")).is_ok_and(|pattern| !pattern.is_match(text))
        }
        Rule::NotAllZero
        | Rule::OneOf(_)
        | Rule::Within(_)
        | Rule::Calendar
        | Rule::Days(..)
        | Rule::WindowsRelease
        | Rule::MajorNotZero
        | Rule::PowerStatus
        | Rule::Port
        | Rule::Credentials => true,
    };
    fits && whole.is_none_or(|whole| whole.is_match(text)) && row.rules.iter().all(obeys)
}

/// Values of another type than the row's, as they stand on the wire.
fn other_types(wire: Wire, plain: &[u8]) -> Group {
    let text = String::from_utf8_lossy(plain).into_owned();
    let forms: &[&str] = match wire {
        Wire::Element(_) | Wire::Flag | Wire::Array => &[
            "<string>{}</string>",
            "<integer>{}</integer>",
            "<data>{}</data>",
            "<date>{}</date>",
            "<true/>",
            "<false/>",
            "<true></true>",
            "<false></false>",
            "<true>{}</true>",
            "<array/>",
            "<array></array>",
            "<string/>",
            "<string></string>",
            "<integer/>",
            "<data/>",
            "<date/>",
            "<real>{}</real>",
            "<dict/>",
            "<dict></dict>",
            "<array><string>{}</string></array>",
            "<array><true/></array>",
            "<array><integer>1</integer></array>",
            "<array><array/></array>",
            "<array><string>{}</string><true/></array>",
            "<array> <string>{}</string>\n</array>",
            "<key>{}</key>",
            "{}",
            "",
            "<True/>",
            "<String>{}</String>",
            "<dict><key>a</key><true/></dict>",
            "<array>{}</array>",
            "<string>{}</string><string>{}</string>",
        ],
        Wire::Quoted | Wire::Literal | Wire::Object | Wire::List => &[
            "\"{}\"",
            "{}",
            "null",
            "true",
            "false",
            "1",
            "0",
            "-1",
            "1.5",
            "[]",
            "{}",
            "[\"{}\"]",
            "[null]",
            "[1]",
            "{\"a\":1}",
            "{\"a\":1,\"a\":2}",
            // One name in two spellings, next to each other and not.
            "{\"a\":1,\"\\u0061\":2}",
            "[{\"a\":1,\"b\":2,\"c\":{\"\\/\":0,\"/\":0}}]",
            "{\"b\":1,\"\\u0062\":2,\"a\":3,\"\\u0041\":4}",
            "{\"a\":1,\"b\":2,\"c\":3,\"a\":4}",
            "{\"a\":{\"b\":1,\"b\":1}}",
            "[{\"a\":1,\"a\":2}]",
            "\"\"",
            "[\"{}\",1]",
            "[[[[[[]]]]]]",
            "[[[[[[[]]]]]]]",
            "[[[[[[[[]]]]]]]]",
            "{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{}}}}}}}",
            "\"null\"",
            "{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{}}}}}}}}",
            "tru",
            "nul",
            "NaN",
            "",
            "'{}'",
            "\"{}",
            "1e0",
            "[,]",
            "[\"{}\",null]",
            "[1,\"{}\"]",
            "[\"{}\",]",
            "{\"name\":\"iOS\"}",
            "{\"type\":1}",
            "[[]]",
            "[{}]",
        ],
        Wire::Data => &[
            "<Data/>",
            "<Data></Data>",
            "<Data>{}</Data><Data>{}</Data>",
            "<data>{}</data>",
            "<Data><b>{}</b></Data>",
            "",
            "<Data> {}</Data>",
            "<Data>{}\n</Data>",
            "<Data x=\"\">{}</Data>",
            "<Data>{}</data>",
        ],
        Wire::Text16 | Wire::Binary => return texts::resized(plain),
        Wire::Line | Wire::Percent | Wire::Form | Wire::Header => &["", "{} ", " {}", "\"{}\"", "{}{}"],
    };
    forms.iter().map(|form| form.replacen("{}", &text, if form.contains("{}}") { 0 } else { 2 }).into_bytes()).collect()
}
