//! One value against its row.

use std::{borrow::Cow, sync::LazyLock};

use data_encoding::BASE64;
use regex::Regex;

use super::{Code, Kind, Platform, Row, Rule, Value, path, rows, time};

/// A row, its expressions compiled.
struct Compiled {
    row: &'static Row,
    pattern: Option<Regex>,
    rules: Vec<(Rule, Option<Regex>)>,
}

static COMPILED: LazyLock<[Vec<Compiled>; 6]> =
    LazyLock::new(|| Platform::ALL.map(|platform| rows(platform).iter().map(compile).collect()));
/// MASS, DEV and USER, for what holds them inside a value.
static SHARED: LazyLock<[Compiled; 3]> = LazyLock::new(|| {
    use super::tables::{device, mass, user};
    static ROWS: [Row; 3] = [mass("MASS"), device("DEV"), user("USER")];
    ROWS.each_ref().map(compile)
});

fn compile(row: &'static Row) -> Compiled {
    let rules = row.rules.iter().map(|rule| {
        let expression = match rule {
            Rule::ExceptPattern(pattern) | Rule::Within(pattern) => Some(whole(&[pattern])),
            Rule::Except(_)
            | Rule::NotAllZero
            | Rule::Range(..)
            | Rule::OneOf(_)
            | Rule::EachAtMost(_)
            | Rule::Calendar
            | Rule::Days(..)
            | Rule::WindowsRelease
            | Rule::MajorNotZero
            | Rule::PowerStatus
            | Rule::Port
            | Rule::Credentials => None,
        };
        (*rule, expression)
    });
    Compiled { row, pattern: (!row.patterns.is_empty()).then(|| whole(row.patterns)), rules: rules.collect() }
}

/// An expression for all of a text, for any of these patterns.
///
/// # Panics
/// When one of our own patterns is none.
pub(super) fn whole(patterns: &[&str]) -> Regex {
    let any: Vec<String> = patterns.iter().map(|pattern| format!("(?:{pattern})")).collect();
    Regex::new(&format!("^(?:{})$", any.join("|"))).expect("a pattern of the tables")
}

/// Judges the value of the row at `place`.
pub(super) fn judge(platform: Platform, place: usize, value: &Value<'_>) -> Result<(), Code> {
    let compiled = &COMPILED[platform as usize - 1][place];
    let row = compiled.row;
    match (row.kind, value) {
        (Kind::Text | Kind::Binary, Value::Bytes(bytes)) => match row.path {
            Some(form) => path::judge(form, bytes),
            None => binary(row, bytes),
        },
        (Kind::Text, Value::Text(text)) => match row.path {
            Some(form) => path::judge(form, text.as_bytes()),
            None => judge_text(compiled, text),
        },
        (Kind::Number, Value::Number(text)) | (Kind::Data, Value::Data(text)) | (Kind::Date, Value::Date(text)) => {
            judge_text(compiled, text)
        }
        (Kind::Boolean, Value::Boolean(_)) | (Kind::Object, Value::Object) => Ok(()),
        (Kind::List, Value::List(elements)) => {
            let form = row.path.ok_or("E_FORMAT")?;
            if !elements.iter().all(|element| matches!(element, Value::Text(_))) {
                return Err("E_FORMAT");
            }
            elements.iter().filter_map(Value::as_text).try_for_each(|text| path::judge(form, text.as_bytes()))
        }
        (
            Kind::Text
            | Kind::Binary
            | Kind::Number
            | Kind::Data
            | Kind::Date
            | Kind::Boolean
            | Kind::List
            | Kind::Object,
            _,
        ) => Err("E_FORMAT"),
    }
}

fn judge_text(compiled: &Compiled, text: &str) -> Result<(), Code> {
    let row = compiled.row;
    if let Some((min, max)) = row.length
        && !(min..=max).contains(&text.chars().count())
    {
        return Err("E_LENGTH");
    }
    if !row.words.is_empty() && !row.words.contains(&text) {
        return Err("E_FORMAT");
    }
    if compiled.pattern.as_ref().is_some_and(|pattern| !pattern.is_match(text)) {
        return Err("E_FORMAT");
    }
    compiled.rules.iter().try_for_each(|(rule, expression)| judge_rule(*rule, expression.as_ref(), text))
}

fn judge_rule(rule: Rule, expression: Option<&Regex>, text: &str) -> Result<(), Code> {
    let matches = || expression.is_some_and(|expression| expression.is_match(text));
    let number = |text: &str| text.parse::<u64>().ok();
    let holds = match rule {
        Rule::Except(values) => !values.contains(&text),
        Rule::ExceptPattern(_) => !matches(),
        Rule::Within(_) => matches(),
        Rule::Range(first, last) => number(text).is_some_and(|number| (first..=last).contains(&number)),
        Rule::EachAtMost(most) => text.split('.').all(|part| number(part).is_some_and(|number| number <= most)),
        Rule::Calendar => time::is_date(text),
        Rule::Days(first, end) => (first..end).contains(&&text[..first.len()]),
        Rule::WindowsRelease => {
            let parts: Vec<u64> = text.split('.').filter_map(number).collect();
            let build = match parts[..] {
                [6, 1, build, _] => build == 7601,
                [6, 2, build, _] => build == 9200,
                [6, 3, build, _] => build == 9600,
                [10, 0, build, _] => (10240..=65535).contains(&build),
                _ => false,
            };
            build && parts[3] <= 65535
        }
        Rule::Port => {
            // `https:` has the first colon; a second one begins the port.
            let port = text.split(':').nth(2).and_then(|port| port.split('/').next());
            port.is_none_or(|port| number(port).is_some_and(|port| port <= 65535))
        }
        Rule::Credentials => return judge_credentials(text),
        // Rules of bytes.
        Rule::NotAllZero | Rule::OneOf(_) | Rule::MajorNotZero | Rule::PowerStatus => false,
    };
    if holds { Ok(()) } else { Err(rule.code()) }
}

/// What base64 holds: `proof` and `user`.
pub(super) fn credentials(text: &str) -> Option<(String, String)> {
    let decoded = BASE64.decode(text.as_bytes()).ok().filter(|decoded| decoded.is_ascii())?;
    // `data-encoding` also takes several encodings, one behind the other, each with its padding.
    if BASE64.encode(&decoded) != text {
        return None;
    }
    let (proof, user) = std::str::from_utf8(&decoded).ok()?.split_once(':')?;
    Some((proof.to_owned(), user.to_owned()))
}

fn judge_credentials(text: &str) -> Result<(), Code> {
    let (proof, user) = credentials(text).ok_or("E_FORMAT")?;
    let [mass, device, grammar] = &*SHARED;
    judge_text(if proof.starts_with("M1.") { mass } else { device }, &proof)?;
    if user.is_empty() { Ok(()) } else { judge_text(grammar, &user) }
}

/// The number in little-endian bytes.
pub(super) fn little_endian(bytes: &[u8]) -> u64 {
    bytes.iter().rev().fold(0, |number, byte| number << 8 | u64::from(*byte))
}

fn binary(row: &Row, bytes: &[u8]) -> Result<(), Code> {
    if let Some((min, max)) = row.length
        && !(min..=max).contains(&bytes.len())
    {
        return Err("E_LENGTH");
    }
    for rule in row.rules {
        let holds = match rule {
            Rule::NotAllZero => bytes.iter().any(|byte| *byte != 0),
            Rule::Range(first, last) => (*first..=*last).contains(&little_endian(bytes)),
            Rule::OneOf(numbers) => numbers.contains(&little_endian(bytes)),
            Rule::MajorNotZero => little_endian(&bytes[2..4]) >= 1,
            Rule::PowerStatus => {
                let [mains, flags, percent, saver] = bytes else { return Err("E_LENGTH") };
                matches!(mains, 0 | 1 | 255)
                    && (flags & 0b0111_0000 == 0 || *flags == 255)
                    && matches!(percent, 0..=100 | 255)
                    && matches!(saver, 0 | 1)
            }
            // Rules of texts.
            Rule::Except(_)
            | Rule::ExceptPattern(_)
            | Rule::Within(_)
            | Rule::EachAtMost(_)
            | Rule::Calendar
            | Rule::Days(..)
            | Rule::WindowsRelease
            | Rule::Port
            | Rule::Credentials => false,
        };
        if !holds {
            return Err(rule.code());
        }
    }
    Ok(())
}

/// Text without a copy where it needs none.
pub(super) fn text(value: &str) -> Value<'_> {
    Value::Text(Cow::Borrowed(value))
}
