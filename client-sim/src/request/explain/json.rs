//! Members of a JSON object, found by its tokens.

use std::ops::Range;

use super::FieldSpan;

/// Levels that are looked into; deeper ones are shown as they are.
const DEPTH_MAX: usize = 8;

/// The members, those of objects inside by a dotted name, those of arrays by their place.
pub(super) fn members(body: &[u8]) -> Vec<FieldSpan> {
    let mut scanner = Scanner { body, at: 0, fields: Vec::new() };
    // What does not scan to the end still has the fields before that place.
    let _ = scanner.value("", 0);
    scanner.fields
}

/// A new value where the body has `old`: a string if that is one, else as it is.
pub(super) fn value(old: &[u8], text: &str) -> Vec<u8> {
    if old.starts_with(b"\"") {
        serde_json::Value::from(text).to_string().into_bytes()
    } else {
        text.as_bytes().to_vec()
    }
}

struct Scanner<'a> {
    body: &'a [u8],
    at: usize,
    fields: Vec<FieldSpan>,
}

impl Scanner<'_> {
    fn peek(&mut self) -> Option<u8> {
        while self.body.get(self.at).is_some_and(u8::is_ascii_whitespace) {
            self.at += 1;
        }
        self.body.get(self.at).copied()
    }

    fn take(&mut self, byte: u8) -> Option<()> {
        (self.peek()? == byte).then(|| self.at += 1)
    }

    /// Scans one value; `None` at something that is none.
    fn value(&mut self, name: &str, depth: usize) -> Option<()> {
        match self.peek()? {
            b'{' if depth < DEPTH_MAX => self.object(name, depth),
            b'[' if depth < DEPTH_MAX => self.array(name, depth),
            b'"' => {
                let range = self.string()?;
                let text = self.decoded(range.clone());
                self.fields.push(FieldSpan::new(name, range, text));
                Some(())
            }
            _ => {
                let start = self.at;
                let is_end = |byte: &u8| matches!(byte, b',' | b'}' | b']') || byte.is_ascii_whitespace();
                let length = self.body[start..].iter().position(is_end).unwrap_or(self.body.len() - start);
                self.at += length;
                let text = String::from_utf8_lossy(&self.body[start..self.at]).into_owned();
                self.fields.push(FieldSpan::new(name, start..self.at, text));
                (length > 0).then_some(())
            }
        }
    }

    fn object(&mut self, name: &str, depth: usize) -> Option<()> {
        self.take(b'{')?;
        if self.peek()? == b'}' {
            self.at += 1;
            return Some(());
        }
        loop {
            self.peek()?;
            let key = self.string()?;
            let key = self.decoded(key);
            self.take(b':')?;
            let inner = if name.is_empty() { key } else { format!("{name}.{key}") };
            self.value(&inner, depth + 1)?;
            match self.peek()? {
                b',' => self.at += 1,
                _ => return self.take(b'}'),
            }
        }
    }

    fn array(&mut self, name: &str, depth: usize) -> Option<()> {
        self.take(b'[')?;
        if self.peek()? == b']' {
            self.at += 1;
            return Some(());
        }
        loop {
            // The place among the repeats is added with that of all repeated names.
            self.value(name, depth + 1)?;
            match self.peek()? {
                b',' => self.at += 1,
                _ => return self.take(b']'),
            }
        }
    }

    /// A string with its quotes.
    fn string(&mut self) -> Option<Range<usize>> {
        let start = self.at;
        if self.body.get(start) != Some(&b'"') {
            return None;
        }
        let mut at = start + 1;
        loop {
            match self.body.get(at)? {
                b'"' => break,
                b'\\' => at += 2,
                _ => at += 1,
            }
        }
        self.at = at + 1;
        Some(start..self.at)
    }

    fn decoded(&self, range: Range<usize>) -> String {
        let raw = &self.body[range];
        serde_json::from_slice(raw).unwrap_or_else(|_| String::from_utf8_lossy(raw).trim_matches('"').to_owned())
    }
}
