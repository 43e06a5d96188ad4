//! The form encoding, read in the one way that `java.net.URLEncoder` writes it.

use alloc::{borrow::Cow, string::String, vec::Vec};

use super::super::grammar::{percent_value, push_percent};
use crate::error::{Code, Rejection};

/// The two steps that judge the body as a whole: its bytes, then its pairs.
pub(super) fn container(body: &[u8]) -> Result<(), Rejection> {
    if !body.iter().all(u8::is_ascii_graphic) {
        return Err(Rejection::new(Code::Encoding, "body"));
    }
    if !body.split(|byte| *byte == b'&').all(|text| pair(text).is_some()) {
        return Err(Rejection::new(Code::Syntax, "pair"));
    }
    Ok(())
}

/// `[a-z_]{2,12}`, one `=`, a value without `=`.
pub(super) fn pair(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let at = text.iter().position(|byte| *byte == b'=')?;
    let (name, value) = (&text[..at], &text[at + 1..]);
    let is_name = (2..=12).contains(&name.len()) && name.iter().all(|byte| byte.is_ascii_lowercase() || *byte == b'_');
    (is_name && !value.contains(&b'=')).then_some((name, value))
}

/// What `URLEncoder` writes as it is.
const fn is_plain(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'*' | b'_')
}

/// The text that is encoded so; `None` if `URLEncoder` would have written it otherwise, or if it is not UTF-8.
pub(super) fn decode(value: &[u8]) -> Option<Cow<'_, str>> {
    let plain = value.iter().take_while(|byte| is_plain(**byte)).count();
    let (head, mut rest) = value.split_at(plain);
    if rest.is_empty() {
        return core::str::from_utf8(head).ok().map(Cow::Borrowed);
    }
    let mut bytes = Vec::with_capacity(value.len());
    bytes.extend_from_slice(head);
    while let [first, behind @ ..] = rest {
        rest = behind;
        match *first {
            b'+' => bytes.push(b' '),
            b'%' => {
                let (digits, behind) = rest.split_at_checked(2)?;
                let byte = percent_value(digits).filter(|byte| !is_plain(*byte) && *byte != b' ')?;
                bytes.push(byte);
                rest = behind;
            }
            byte if is_plain(byte) => bytes.push(byte),
            _ => return None,
        }
    }
    String::from_utf8(bytes).ok().map(Cow::Owned)
}

/// A body while it is written.
pub(super) struct Body(Vec<u8>);

impl Body {
    pub(super) fn new() -> Self {
        Self(Vec::with_capacity(640))
    }

    pub(super) fn put(&mut self, name: &str, value: &str) {
        self.put_bytes(name, value.as_bytes());
    }

    pub(super) fn put_number(&mut self, name: &str, value: u64) {
        self.put(name, &alloc::format!("{value}"));
    }

    pub(super) fn put_bytes(&mut self, name: &str, value: &[u8]) {
        if !self.0.is_empty() {
            self.0.push(b'&');
        }
        self.0.extend_from_slice(name.as_bytes());
        self.0.push(b'=');
        for byte in value {
            match *byte {
                b' ' => self.0.push(b'+'),
                byte if is_plain(byte) => self.0.push(byte),
                byte => push_percent(byte, &mut self.0),
            }
        }
    }

    pub(super) fn into_bytes(self) -> Vec<u8> {
        self.0
    }
}
