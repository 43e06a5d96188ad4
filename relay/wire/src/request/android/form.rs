//! The form encoding, read in the one way that `java.net.URLEncoder` writes it.

use alloc::{borrow::Cow, string::String, vec::Vec};

use super::super::grammar::{Bytes, percent_value, push_percent};

/// What `URLEncoder` writes as it is.
const PLAIN: Bytes = Bytes::alphanumeric_and(b".-*_");
/// What a name is made of.
const NAME: Bytes = Bytes::of(b"abcdefghijklmnopqrstuvwxyz_");
/// What may stand in a value, of the bytes that a body may have.
const VALUE: Bytes = Bytes::from_to(0x21, 0x7E, b"&=");

/// A value as it stands in a body.
#[derive(Clone, Copy)]
pub(super) struct Value<'a> {
    raw: &'a str,
    /// Whether it is what it stands for.
    plain: bool,
}

/// The name and the value of the first of `pairs`, and the pairs behind it if there is a `&`: `[a-z_]{2,12}`, one `=`, a
/// value without `=`.
pub(super) fn pair(pairs: &str) -> Option<(&str, Value<'_>, Option<&str>)> {
    let (name, rest) = pairs.split_at_checked(NAME.run(pairs.as_bytes()))?;
    let rest = rest.strip_prefix('=').filter(|_| (2..=12).contains(&name.len()))?;
    let plain = PLAIN.run(rest.as_bytes());
    let (value, behind) = rest.split_at_checked(plain + VALUE.run(&rest.as_bytes()[plain..]))?;
    let value = Value { raw: value, plain: plain == value.len() };
    if behind.is_empty() { Some((name, value, None)) } else { Some((name, value, Some(behind.strip_prefix('&')?))) }
}

impl<'a> Value<'a> {
    /// The text that is encoded so; `None` if `URLEncoder` would have written it otherwise, or if it is not UTF-8.
    pub(super) fn decode(self) -> Option<Cow<'a, str>> {
        if self.plain {
            return Some(Cow::Borrowed(self.raw));
        }
        let mut bytes = Vec::with_capacity(self.raw.len());
        let mut rest = self.raw.as_bytes();
        while let [first, behind @ ..] = rest {
            rest = behind;
            match *first {
                b'+' => bytes.push(b' '),
                b'%' => {
                    let (digits, behind) = rest.split_at_checked(2)?;
                    bytes.push(percent_value(digits).filter(|byte| !PLAIN.has(*byte) && *byte != b' ')?);
                    rest = behind;
                }
                byte if PLAIN.has(byte) => bytes.push(byte),
                _ => return None,
            }
        }
        String::from_utf8(bytes).ok().map(Cow::Owned)
    }
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
                byte if PLAIN.has(byte) => self.0.push(byte),
                byte => push_percent(byte, &mut self.0),
            }
        }
    }

    pub(super) fn into_bytes(self) -> Vec<u8> {
        self.0
    }
}
