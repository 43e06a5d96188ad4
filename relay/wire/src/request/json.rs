//! FORMATS §0.1, §4: RFC 8259, strictly, for iOS.
//!
//! A reader over the text that hands out values as slices of it: numbers keep their spelling, strings are resolved when
//! someone asks. It builds no tree; what the caller does not know it skips, checking its grammar, its depth and that no
//! object repeats a name. Recursion ends at [`DEPTH_MAX`].

use alloc::{borrow::Cow, string::String, vec::Vec};
use core::cmp::Ordering;

use crate::{
    error::{Code, Rejection},
    limits,
};

/// Levels of `{` and `[` that may be open at once.
pub(crate) const DEPTH_MAX: u8 = 8;

const SYNTAX: Rejection = Rejection::new(Code::Syntax, "body");

// Names that are compared are remembered by two-byte offsets.
const _: () = assert!(limits::BODY_BYTES_MAX <= u16::MAX as usize);

/// The body as text: the step `E_ENCODING`, body.
///
/// # Errors
/// [`Code::Encoding`] if it is not strict UTF-8 or begins with U+FEFF.
pub(crate) fn text(body: &[u8]) -> Result<&str, Rejection> {
    match core::str::from_utf8(body) {
        Ok(text) if !text.starts_with('\u{FEFF}') => Ok(text),
        Ok(_) | Err(_) => Err(Rejection::new(Code::Encoding, "body")),
    }
}

/// A string as it stands between its quotes, its escapes checked but not resolved.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Text<'a> {
    raw: &'a str,
    /// Where `raw` begins in the reader's text.
    start: usize,
    has_escapes: bool,
}

impl<'a> Text<'a> {
    /// The value, its escapes resolved.
    pub(crate) fn resolve(self) -> Cow<'a, str> {
        if self.has_escapes { Cow::Owned(self.chars().collect::<String>()) } else { Cow::Borrowed(self.raw) }
    }

    /// The order of the resolved values. UTF-8 orders its bytes as it orders its characters, so plain texts need not be
    /// taken apart.
    fn order(self, other: Self) -> Ordering {
        if self.has_escapes || other.has_escapes { self.chars().cmp(other.chars()) } else { self.raw.cmp(other.raw) }
    }

    fn chars(self) -> Resolved<'a> {
        Resolved { rest: self.raw.chars() }
    }
}

/// The characters of a checked string, escapes resolved.
struct Resolved<'a> {
    rest: core::str::Chars<'a>,
}

impl Resolved<'_> {
    /// The code unit of the four digits behind `\u`.
    fn unit(&mut self) -> u32 {
        (0..4).filter_map(|_| self.rest.next()?.to_digit(16)).fold(0, |unit, digit| unit << 4 | digit)
    }
}

impl Iterator for Resolved<'_> {
    type Item = char;
    fn next(&mut self) -> Option<char> {
        let plain = self.rest.next()?;
        if plain != '\\' {
            return Some(plain);
        }
        Some(match self.rest.next()? {
            'b' => '\u{8}',
            'f' => '\u{C}',
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'u' => {
                let mut scalar = self.unit();
                if (0xD800..0xDC00).contains(&scalar) {
                    // The reader has seen the other half behind another `\u`.
                    self.rest.nth(1);
                    scalar = 0x1_0000 + ((scalar & 0x3FF) << 10) + (self.unit() & 0x3FF);
                }
                char::from_u32(scalar).unwrap_or(char::REPLACEMENT_CHARACTER)
            }
            itself => itself,
        })
    }
}

/// A value whose grammar has been checked.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Value<'a> {
    /// `null`
    Null,
    /// `true` or `false`
    Bool(bool),
    /// A number, as spelled.
    Number(&'a str),
    /// A string.
    Text(Text<'a>),
    /// A list.
    List(List<'a>),
    /// An object.
    Object,
}

/// A list whose grammar has been checked: what stands between its brackets.
#[derive(Clone, Copy, Debug)]
pub(crate) struct List<'a> {
    inside: &'a str,
}

impl<'a> List<'a> {
    /// The elements, read again so that their number costs no memory.
    pub(crate) fn elements(self) -> impl Iterator<Item = Value<'a>> {
        let mut reader = Reader::new(self.inside);
        core::iter::from_fn(move || {
            reader.skip_space();
            let value = reader.value().ok()?;
            reader.skip_space();
            reader.take(b',');
            Some(value)
        })
    }
}

/// Reads a text value by value. Every method refuses with [`Code::Syntax`] what is not RFC 8259.
#[derive(Debug)]
pub(crate) struct Reader<'a> {
    text: &'a str,
    at: usize,
    depth: u8,
    /// Names of the skipped objects that are open, by where they begin and end.
    names: Vec<(u16, u16)>,
    repeats: bool,
}

impl<'a> Reader<'a> {
    /// A reader at the start of `text`.
    pub(crate) const fn new(text: &'a str) -> Self {
        Self { text, at: 0, depth: 0, names: Vec::new(), repeats: false }
    }

    /// Reads the whole text as one object; `member` is called at each value, with the name before it, and must read it.
    pub(crate) fn document(
        &mut self,
        member: impl FnMut(&mut Self, Text<'a>) -> Result<(), Rejection>,
    ) -> Result<(), Rejection> {
        self.skip_space();
        self.object(member)?;
        self.skip_space();
        if self.at == self.text.len() { Ok(()) } else { Err(SYNTAX) }
    }

    /// Whether an object begins here.
    pub(crate) fn at_object(&self) -> bool {
        self.peek() == Some(b'{')
    }

    /// Reads an object; `member` is called at each value, with the name before it, and must read it. Repeated names are
    /// the caller's to find here.
    pub(crate) fn object(
        &mut self,
        mut member: impl FnMut(&mut Self, Text<'a>) -> Result<(), Rejection>,
    ) -> Result<(), Rejection> {
        self.enter(b'{')?;
        self.skip_space();
        if self.take(b'}') {
            self.depth -= 1;
            return Ok(());
        }
        loop {
            self.skip_space();
            let name = self.string()?;
            self.skip_space();
            self.require(b':')?;
            self.skip_space();
            member(self, name)?;
            self.skip_space();
            if self.take(b'}') {
                self.depth -= 1;
                return Ok(());
            }
            self.require(b',')?;
        }
    }

    /// Whether an object read by [`Self::value`], at any depth, repeated a name.
    pub(crate) const fn repeats(&self) -> bool {
        self.repeats
    }

    /// Reads any value.
    pub(crate) fn value(&mut self) -> Result<Value<'a>, Rejection> {
        match self.peek().ok_or(SYNTAX)? {
            b'"' => self.string().map(Value::Text),
            b'{' => self.skip_object().map(|()| Value::Object),
            b'[' => self.list().map(Value::List),
            b'-' | b'0'..=b'9' => self.number().map(Value::Number),
            b't' => self.literal("true", Value::Bool(true)),
            b'f' => self.literal("false", Value::Bool(false)),
            b'n' => self.literal("null", Value::Null),
            _ => Err(SYNTAX),
        }
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn take(&mut self, byte: u8) -> bool {
        let is_there = self.peek() == Some(byte);
        self.at += usize::from(is_there);
        is_there
    }

    fn require(&mut self, byte: u8) -> Result<(), Rejection> {
        if self.take(byte) { Ok(()) } else { Err(SYNTAX) }
    }

    fn skip_space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    fn enter(&mut self, bracket: u8) -> Result<(), Rejection> {
        self.require(bracket)?;
        self.depth += 1;
        if self.depth <= DEPTH_MAX { Ok(()) } else { Err(SYNTAX) }
    }

    fn since(&self, start: usize) -> Result<&'a str, Rejection> {
        self.text.get(start..self.at).ok_or(SYNTAX)
    }

    fn literal(&mut self, spelling: &str, value: Value<'a>) -> Result<Value<'a>, Rejection> {
        let rest = self.text.get(self.at..).ok_or(SYNTAX)?;
        if !rest.starts_with(spelling) {
            return Err(SYNTAX);
        }
        self.at += spelling.len();
        Ok(value)
    }

    fn digits(&mut self) -> Result<(), Rejection> {
        let start = self.at;
        while self.peek().is_some_and(|byte| byte.is_ascii_digit()) {
            self.at += 1;
        }
        if self.at > start { Ok(()) } else { Err(SYNTAX) }
    }

    fn number(&mut self) -> Result<&'a str, Rejection> {
        let start = self.at;
        self.take(b'-');
        if !self.take(b'0') {
            self.digits()?;
        }
        if self.take(b'.') {
            self.digits()?;
        }
        if self.take(b'e') || self.take(b'E') {
            let _ = self.take(b'+') || self.take(b'-');
            self.digits()?;
        }
        self.since(start)
    }

    fn string(&mut self) -> Result<Text<'a>, Rejection> {
        self.require(b'"')?;
        let start = self.at;
        let mut has_escapes = false;
        loop {
            let rest = self.text.as_bytes().get(self.at..).ok_or(SYNTAX)?;
            let special = |byte: &u8| matches!(byte, b'"' | b'\\' | 0..=0x1F);
            let plain = rest.iter().position(special).ok_or(SYNTAX)?;
            self.at += plain;
            match self.peek() {
                Some(b'"') => break,
                Some(b'\\') => {
                    has_escapes = true;
                    self.at += 1;
                    self.escape()?;
                }
                Some(_) | None => return Err(SYNTAX),
            }
        }
        let raw = self.since(start)?;
        self.at += 1;
        Ok(Text { raw, start, has_escapes })
    }

    /// What stands behind a backslash.
    fn escape(&mut self) -> Result<(), Rejection> {
        let letter = self.peek().ok_or(SYNTAX)?;
        self.at += 1;
        match letter {
            b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => Ok(()),
            b'u' => match self.unit()? {
                0xDC00..=0xDFFF => Err(SYNTAX),
                0xD800..=0xDBFF => {
                    self.require(b'\\')?;
                    self.require(b'u')?;
                    if (0xDC00..=0xDFFF).contains(&self.unit()?) { Ok(()) } else { Err(SYNTAX) }
                }
                _ => Ok(()),
            },
            _ => Err(SYNTAX),
        }
    }

    /// Four hex digits, either case.
    fn unit(&mut self) -> Result<u32, Rejection> {
        let mut unit = 0;
        for _ in 0..4 {
            let digit = self.peek().and_then(|byte| char::from(byte).to_digit(16)).ok_or(SYNTAX)?;
            unit = unit << 4 | digit;
            self.at += 1;
        }
        Ok(unit)
    }

    fn list(&mut self) -> Result<List<'a>, Rejection> {
        self.enter(b'[')?;
        let start = self.at;
        self.skip_space();
        if self.peek() != Some(b']') {
            loop {
                self.skip_space();
                self.value()?;
                self.skip_space();
                if self.peek() == Some(b']') {
                    break;
                }
                self.require(b',')?;
            }
        }
        let inside = self.since(start)?;
        self.at += 1;
        self.depth -= 1;
        Ok(List { inside })
    }

    /// Reads an object that no caller looks into.
    fn skip_object(&mut self) -> Result<(), Rejection> {
        let base = self.names.len();
        self.object(|reader, name| {
            let offset = |at: usize| u16::try_from(at).map_err(|_| SYNTAX);
            reader.names.push((offset(name.start)?, offset(name.start + name.raw.len())?));
            reader.value().map(|_| ())
        })?;
        self.find_repeats(base);
        self.names.truncate(base);
        Ok(())
    }

    /// Sorting keeps the cost of an object full of names far below the square of their number.
    fn find_repeats(&mut self, base: usize) {
        let text = self.text;
        let name = |&(start, end): &(u16, u16)| {
            let raw = text.get(usize::from(start)..usize::from(end)).unwrap_or_default();
            Text { raw, start: usize::from(start), has_escapes: raw.contains('\\') }
        };
        let Some(names) = self.names.get_mut(base..) else { return };
        names.sort_unstable_by(|one, other| name(one).order(name(other)));
        self.repeats |= names.windows(2).any(|pair| match pair {
            [one, other] => name(one).order(name(other)).is_eq(),
            _ => false,
        });
    }
}

/// Writes `value` as a string. Only what must be escaped is; bytes that are not UTF-8 stay, so that the body is refused.
pub(crate) fn push_string(body: &mut Vec<u8>, value: &[u8]) {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    body.push(b'"');
    for &byte in value {
        match byte {
            b'"' | b'\\' => body.extend_from_slice(&[b'\\', byte]),
            0..=0x1F => {
                body.extend_from_slice(b"\\u00");
                body.extend([HEX[usize::from(byte >> 4)], HEX[usize::from(byte & 15)]]);
            }
            other => body.push(other),
        }
    }
    body.push(b'"');
}

#[cfg(test)]
mod tests;
