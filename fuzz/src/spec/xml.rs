//! The XML of FORMATS §0.1: only text and three forms of tags.
//!
//! A document is cut at every `<`, each piece at its first `>`: a tag and the text behind it. What may follow what is asked of a
//! [`Pieces`], in the order of the format.

use std::borrow::Cow;

use super::{Refusal, refusal};

pub(super) const SYNTAX: Refusal = refusal("E_SYNTAX", "markup");

/// The text of a body, if its bytes are in their encoding.
pub(super) fn decoded(body: &[u8]) -> Result<&str, Refusal> {
    const ENCODING: Refusal = refusal("E_ENCODING", "body");
    let text = std::str::from_utf8(body).map_err(|_| ENCODING)?;
    let control = |byte: u8| byte < 0x20 && byte != b'\t' && byte != b'\n' && byte != b'\r';
    let controls = body.iter().fold(false, |found, byte| found | control(*byte));
    // U+FFFE and U+FFFF begin with this byte; mostly it is not there.
    let noncharacters = body.contains(&0xEF) && text.contains(['\u{FFFE}', '\u{FFFF}']);
    if controls || noncharacters || text.starts_with('\u{FEFF}') { Err(ENCODING) } else { Ok(text) }
}

/// Nothing but space, TAB, LF, CR.
fn blank(text: &str) -> bool {
    text.bytes().all(|byte| b" \t\n\r".contains(&byte))
}

/// A text, its entities resolved.
fn resolved(text: &str) -> Result<Cow<'_, str>, Refusal> {
    if text.as_bytes().contains(&b']') && text.contains("]]>") {
        return Err(SYNTAX);
    }
    if !text.as_bytes().contains(&b'&') {
        return Ok(Cow::Borrowed(text));
    }
    let mut parts = text.split('&');
    let mut resolved = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (entity, behind) = part.split_once(';').ok_or(SYNTAX)?;
        resolved.push(match entity {
            "lt" => '<',
            "gt" => '>',
            "amp" => '&',
            "quot" => '"',
            "apos" => '\'',
            _ => return Err(SYNTAX),
        });
        resolved.push_str(behind);
    }
    Ok(Cow::Owned(resolved))
}

/// Gives the last tag the text behind it; before the first there is only white space.
fn finish<'a>(pieces: &mut [(&'a str, &'a str)], text: &'a str) -> Result<(), Refusal> {
    match pieces.last_mut() {
        Some(last) => last.1 = text,
        None if blank(text) => {}
        None => return Err(SYNTAX),
    }
    Ok(())
}

/// A document behind its prolog: tags, each with the text behind it.
pub(super) struct Pieces<'a> {
    pieces: Vec<(&'a str, &'a str)>,
    next: usize,
}

impl<'a> Pieces<'a> {
    pub(super) fn cut(document: &'a str) -> Result<Self, Refusal> {
        let mut pieces = Vec::with_capacity(192);
        // Where the tag begins that is not over yet, and where what comes behind the last one begins.
        let (mut tag, mut behind) = (None, 0);
        for (place, byte) in document.bytes().enumerate() {
            match (byte, tag) {
                (b'<', None) => {
                    finish(&mut pieces, &document[behind..place])?;
                    tag = Some(place + 1);
                }
                (b'<', Some(_)) => return Err(SYNTAX),
                (b'>', Some(start)) => {
                    pieces.push((&document[start..place], ""));
                    (tag, behind) = (None, place + 1);
                }
                _ => {}
            }
        }
        finish(&mut pieces, &document[behind..])?;
        if tag.is_none() { Ok(Self { pieces, next: 0 }) } else { Err(SYNTAX) }
    }

    /// What stands between the next `<` and `>`; empty at the end.
    pub(super) fn tag(&self) -> &'a str {
        self.pieces.get(self.next).map_or("", |(tag, _)| *tag)
    }

    fn take(&mut self) -> Result<(&'a str, &'a str), Refusal> {
        let piece = self.pieces.get(self.next).ok_or(SYNTAX)?;
        self.next += 1;
        Ok(*piece)
    }

    /// The tag, and white space behind it: an element that holds elements begins or ends.
    pub(super) fn expect(&mut self, expected: &str) -> Result<(), Refusal> {
        let (tag, behind) = self.take()?;
        if tag == expected && blank(behind) { Ok(()) } else { Err(SYNTAX) }
    }

    /// [`Self::expect`], if the next tag is this one.
    pub(super) fn accept(&mut self, expected: &str) -> Result<bool, Refusal> {
        if self.tag() == expected { self.expect(expected).map(|()| true) } else { Ok(false) }
    }

    /// An element that holds text: its start tag is `name` and, where there is one, a space and the attribute.
    pub(super) fn text(&mut self, start: &str) -> Result<Cow<'a, str>, Refusal> {
        let name = start.split(' ').next().unwrap_or_default();
        let (tag, text) = self.take()?;
        if tag == start {
            let value = resolved(text)?;
            let (end, behind) = self.take()?;
            let ends = end.strip_prefix('/').is_some_and(|end| end == name) && blank(behind);
            return if ends { Ok(value) } else { Err(SYNTAX) };
        }
        let empty = tag.strip_suffix('/').is_some_and(|tag| tag == start) && blank(text);
        if empty { Ok(Cow::Borrowed("")) } else { Err(SYNTAX) }
    }

    /// An element that holds this text.
    pub(super) fn constant(&mut self, start: &str, expected: &str) -> Result<(), Refusal> {
        if self.text(start)? == expected { Ok(()) } else { Err(SYNTAX) }
    }

    /// An element that holds nothing.
    pub(super) fn nothing(&mut self, name: &str) -> Result<(), Refusal> {
        self.constant(name, "")
    }

    pub(super) fn end(&self) -> Result<(), Refusal> {
        if self.next == self.pieces.len() { Ok(()) } else { Err(SYNTAX) }
    }
}
