//! RFC 8259, read token by token with a list of the containers that are open.

use std::borrow::Cow;

use super::{Refusal, refusal};

const SYNTAX: Refusal = refusal("E_SYNTAX", "JSON");
/// Levels of `{` and `[`.
const LEVELS: usize = 8;

/// A JSON value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Json<'a> {
    Object(Vec<(Cow<'a, str>, Json<'a>)>),
    Array(Vec<Json<'a>>),
    Text(Cow<'a, str>),
    /// As spelled.
    Number(&'a str),
    Boolean(bool),
    Null,
}

impl Json<'_> {
    /// Whether some object in it has a name twice.
    pub(super) fn repeats_a_name(&self) -> bool {
        match self {
            Self::Object(members) => members.iter().enumerate().any(|(place, (name, value))| {
                members[..place].iter().any(|(before, _)| before == name) || value.repeats_a_name()
            }),
            Self::Array(elements) => elements.iter().any(Self::repeats_a_name),
            Self::Text(_) | Self::Number(_) | Self::Boolean(_) | Self::Null => false,
        }
    }
}

/// What is allowed next.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Next {
    Value,
    /// A value, or the end of an empty array.
    ElementOrEnd,
    Name,
    /// A name, or the end of an empty object.
    NameOrEnd,
    /// A comma, or the end of the container; at the top, the end of the text.
    CommaOrEnd,
}

/// The value of a text.
pub(super) fn parse(text: &str) -> Result<Json<'_>, Refusal> {
    // Open containers; beside an object the name whose value comes next.
    let mut open: Vec<(Json<'_>, Cow<'_, str>)> = Vec::with_capacity(LEVELS);
    let mut top = None;
    let mut next = Next::Value;
    let mut rest = blank(text);
    while let Some(&first) = rest.as_bytes().first() {
        let value = match (first, next) {
            (b'{' | b'[', Next::Value | Next::ElementOrEnd) => {
                if open.len() == LEVELS {
                    return Err(SYNTAX);
                }
                let object = first == b'{';
                next = if object { Next::NameOrEnd } else { Next::ElementOrEnd };
                let empty = if object { Json::Object(Vec::with_capacity(20)) } else { Json::Array(Vec::new()) };
                open.push((empty, Cow::Borrowed("")));
                rest = blank(&rest[1..]);
                continue;
            }
            (b'}', Next::NameOrEnd | Next::CommaOrEnd) | (b']', Next::ElementOrEnd | Next::CommaOrEnd) => {
                let (container, _) = open.pop().ok_or(SYNTAX)?;
                if matches!(container, Json::Object(_)) != (first == b'}') {
                    return Err(SYNTAX);
                }
                rest = &rest[1..];
                container
            }
            (b',', Next::CommaOrEnd) => {
                next = match open.last() {
                    Some((Json::Object(_), _)) => Next::Name,
                    Some(_) => Next::Value,
                    None => return Err(SYNTAX),
                };
                rest = blank(&rest[1..]);
                continue;
            }
            (b'"', Next::Name | Next::NameOrEnd) => {
                let (name, behind) = string(rest)?;
                open.last_mut().ok_or(SYNTAX)?.1 = name;
                rest = blank(blank(behind).strip_prefix(':').ok_or(SYNTAX)?);
                next = Next::Value;
                continue;
            }
            (_, Next::Value | Next::ElementOrEnd) => {
                let (value, behind) = scalar(rest)?;
                rest = behind;
                value
            }
            (_, Next::Name | Next::NameOrEnd | Next::CommaOrEnd) => return Err(SYNTAX),
        };
        match open.last_mut() {
            Some((Json::Object(members), name)) => members.push((std::mem::take(name), value)),
            Some((Json::Array(elements), _)) => elements.push(value),
            Some(_) => return Err(SYNTAX),
            None => top = Some(value),
        }
        next = Next::CommaOrEnd;
        rest = blank(rest);
    }
    if open.is_empty() { top.ok_or(SYNTAX) } else { Err(SYNTAX) }
}

/// Behind white space.
fn blank(text: &str) -> &str {
    text.trim_start_matches([' ', '\t', '\n', '\r'])
}

/// A value that holds no others, and what stands behind it.
fn scalar(text: &str) -> Result<(Json<'_>, &str), Refusal> {
    if text.starts_with('"') {
        return string(text).map(|(value, behind)| (Json::Text(value), behind));
    }
    for (word, value) in [("true", Json::Boolean(true)), ("false", Json::Boolean(false)), ("null", Json::Null)] {
        if let Some(behind) = text.strip_prefix(word) {
            return Ok((value, behind));
        }
    }
    let length = number(text.as_bytes()).ok_or(SYNTAX)?;
    let (spelled, behind) = text.split_at(length);
    Ok((Json::Number(spelled), behind))
}

/// The length of the number in front: `-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?`.
fn number(text: &[u8]) -> Option<usize> {
    let digits = |from: usize| text[from..].iter().take_while(|byte| byte.is_ascii_digit()).count();
    let mut length = usize::from(text.first() == Some(&b'-'));
    length += match text.get(length)? {
        b'0' => 1,
        b'1'..=b'9' => digits(length),
        _ => return None,
    };
    if text.get(length) == Some(&b'.') {
        let fraction = digits(length + 1);
        if fraction == 0 {
            return None;
        }
        length += 1 + fraction;
    }
    if matches!(text.get(length), Some(b'e' | b'E')) {
        length += 1 + usize::from(matches!(text.get(length + 1), Some(b'+' | b'-')));
        let exponent = digits(length);
        if exponent == 0 {
            return None;
        }
        length += exponent;
    }
    Some(length)
}

/// The string in front, its escapes resolved, and what stands behind it.
fn string(text: &str) -> Result<(Cow<'_, str>, &str), Refusal> {
    let inside = text.strip_prefix('"').ok_or(SYNTAX)?;
    let special = |text: &str| text.bytes().position(|byte| byte < 0x20 || byte == b'"' || byte == b'\\').ok_or(SYNTAX);
    let end = special(inside)?;
    if inside.as_bytes()[end] == b'"' {
        return Ok((Cow::Borrowed(&inside[..end]), &inside[end + 1..]));
    }
    let mut resolved = String::new();
    let mut rest = inside;
    loop {
        let end = special(rest)?;
        resolved.push_str(&rest[..end]);
        let behind = &rest[end + 1..];
        match rest.as_bytes()[end] {
            b'"' => return Ok((Cow::Owned(resolved), behind)),
            b'\\' => {
                let (character, behind) = escape(behind).ok_or(SYNTAX)?;
                resolved.push(character);
                rest = behind;
            }
            _ => return Err(SYNTAX),
        }
    }
}

/// The character of an escape, of which `text` stands behind the backslash.
fn escape(text: &str) -> Option<(char, &str)> {
    let simple = match text.as_bytes().first()? {
        b'"' => '"',
        b'\\' => '\\',
        b'/' => '/',
        b'b' => '\u{8}',
        b'f' => '\u{C}',
        b'n' => '\n',
        b'r' => '\r',
        b't' => '\t',
        b'u' => {
            let (first, behind) = unit(&text[1..])?;
            if let Some(character) = char::from_u32(u32::from(first)) {
                return Some((character, behind));
            }
            // Half a surrogate pair: the other half must follow.
            let (second, behind) = unit(behind.strip_prefix("\\u")?)?;
            let pair = char::decode_utf16([first, second]).next()?.ok()?;
            return Some((pair, behind));
        }
        _ => return None,
    };
    Some((simple, &text[1..]))
}

/// Four hex digits.
fn unit(text: &str) -> Option<(u16, &str)> {
    let (digits, behind) = text.split_at_checked(4)?;
    if !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
        return None;
    }
    Some((u16::from_str_radix(digits, 16).ok()?, behind))
}
