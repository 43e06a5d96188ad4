//! FORMATS §0.1, "XML": the one restricted tokenizer behind macOS and Windows Phone.
//!
//! It is no XML library and must not become one: no DOCTYPE beyond a fixed prolog, no comment, CDATA, processing
//! instruction or numeric reference, no attribute but in a start tag that the caller spells whole. The caller walks the
//! fixed grammar of its platform, so depth and order are the caller's and nothing a peer writes makes it recurse. Values
//! are slices of the body until someone asks for them resolved.

use alloc::{borrow::Cow, string::String, vec::Vec};

use crate::error::{Code, Rejection};

/// What every method refuses with.
pub(crate) const SYNTAX: Rejection = Rejection::new(Code::Syntax, "body");

/// The five named entities and what they stand for.
const ENTITIES: [(&str, char); 5] = [("lt;", '<'), ("gt;", '>'), ("amp;", '&'), ("quot;", '"'), ("apos;", '\'')];

/// White space as 0.1 defines it: space, TAB, LF, CR and no other.
pub(crate) const fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r')
}

/// The body as text: the step `E_ENCODING`, body.
///
/// # Errors
/// [`Code::Encoding`] if it is not strict UTF-8, begins with U+FEFF, or holds U+FFFE, U+FFFF or a C0 but TAB, LF, CR.
pub(crate) fn text(body: &[u8]) -> Result<&str, Rejection> {
    const ENCODING: Rejection = Rejection::new(Code::Encoding, "body");
    let text = core::str::from_utf8(body).map_err(|_| ENCODING)?;
    // Both are judged of every byte, with no branch in between, so that the compiler takes many bytes at once.
    let (controls, high) = body.iter().fold((false, false), |(controls, high), &byte| {
        (controls | (byte < b' ') & !is_space(byte), high | (byte == 0xEF))
    });
    // U+FFFE and U+FFFF are EF BF BE and EF BF BF, and in valid UTF-8 no other character holds those bytes in a row.
    let is_noncharacter = |at: &[u8]| matches!(at, [0xEF, 0xBF, 0xBE | 0xBF]);
    if text.starts_with('\u{FEFF}') || controls || (high && body.windows(3).any(is_noncharacter)) {
        return Err(ENCODING);
    }
    Ok(text)
}

/// The text between a start tag and the next tag, as it stands in the body.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Text<'a> {
    raw: &'a str,
    has_entities: bool,
}

impl<'a> Text<'a> {
    /// The value of an empty element.
    pub(crate) const EMPTY: Self = Self { raw: "", has_entities: false };

    /// The value, its entities resolved.
    pub(crate) fn resolve(self) -> Cow<'a, str> {
        if !self.has_entities {
            return Cow::Borrowed(self.raw);
        }
        let mut value = String::with_capacity(self.raw.len());
        let mut pieces = self.raw.split('&');
        value.push_str(pieces.next().unwrap_or_default());
        for piece in pieces {
            // The tokenizer has let only the five entities pass.
            let found = ENTITIES.iter().find_map(|(name, stands_for)| Some((*stands_for, piece.strip_prefix(name)?)));
            if let Some((stands_for, rest)) = found {
                value.push(stands_for);
                value.push_str(rest);
            }
        }
        Cow::Owned(value)
    }
}

/// A tag without attributes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tag<'a> {
    /// `<name>`
    Open(&'a str),
    /// `</name>`
    Close(&'a str),
    /// `<name/>`
    Empty(&'a str),
}

/// A place in the body, from which tags and texts are taken one after another.
///
/// Every method refuses with [`Code::Syntax`] what is not there.
#[derive(Clone, Debug)]
pub(crate) struct Cursor<'a> {
    rest: &'a str,
}

impl<'a> Cursor<'a> {
    /// A cursor behind `prolog`, with which `text` must begin byte by byte.
    pub(crate) fn new(text: &'a str, prolog: &str) -> Result<Self, Rejection> {
        text.strip_prefix(prolog).map(|rest| Self { rest }).ok_or(SYNTAX)
    }

    /// Skips white space where elements may be surrounded by it.
    fn skip_space(&mut self) {
        if self.rest.as_bytes().first().is_some_and(|&byte| is_space(byte)) {
            self.rest = self.rest.trim_start_matches([' ', '\t', '\n', '\r']);
        }
    }

    fn strip(&mut self, literal: &str) -> Result<(), Rejection> {
        self.rest = self.rest.strip_prefix(literal).ok_or(SYNTAX)?;
        Ok(())
    }

    /// White space, then exactly `literal`: a start tag with its attribute, or an element that is a constant.
    pub(crate) fn expect(&mut self, literal: &str) -> Result<(), Rejection> {
        self.skip_space();
        self.strip(literal)
    }

    /// White space, then any tag without attributes.
    pub(crate) fn tag(&mut self) -> Result<Tag<'a>, Rejection> {
        self.skip_space();
        let inside = self.rest.strip_prefix('<').ok_or(SYNTAX)?;
        let (is_close, named) = inside.strip_prefix('/').map_or((false, inside), |named| (true, named));
        let length = named.bytes().take_while(u8::is_ascii_alphabetic).count();
        let (name, end) = named.split_at_checked(length).ok_or(SYNTAX)?;
        if name.is_empty() {
            return Err(SYNTAX);
        }
        if let Some(rest) = end.strip_prefix('>') {
            self.rest = rest;
            return Ok(if is_close { Tag::Close(name) } else { Tag::Open(name) });
        }
        self.rest = end.strip_prefix("/>").ok_or(SYNTAX)?;
        if is_close { Err(SYNTAX) } else { Ok(Tag::Empty(name)) }
    }

    /// The text up to the next tag, which must be `</name>`: the rest of an element that holds text.
    pub(crate) fn text_of(&mut self, name: &str) -> Result<Text<'a>, Rejection> {
        let bytes = self.rest.as_bytes();
        let mut has_entities = false;
        let mut length = 0;
        loop {
            match bytes.get(length).ok_or(SYNTAX)? {
                b'<' => break,
                b'&' => {
                    has_entities = true;
                    let after = self.rest.get(length + 1..).ok_or(SYNTAX)?;
                    if !ENTITIES.iter().any(|(entity, _)| after.starts_with(entity)) {
                        return Err(SYNTAX);
                    }
                }
                b'>' if bytes.get(..length).is_some_and(|before| before.ends_with(b"]]")) => return Err(SYNTAX),
                _ => {}
            }
            length += 1;
        }
        let (raw, rest) = self.rest.split_at_checked(length).ok_or(SYNTAX)?;
        self.rest = rest;
        self.close(name)?;
        Ok(Text { raw, has_entities })
    }

    /// Exactly `</name>`, with nothing before it: the rest of an element that holds nothing.
    pub(crate) fn close(&mut self, name: &str) -> Result<(), Rejection> {
        self.strip("</")?;
        self.strip(name)?;
        self.strip(">")
    }

    /// White space, then the element `name` with text; `<name/>` is the empty text.
    pub(crate) fn text_element(&mut self, name: &str) -> Result<Text<'a>, Rejection> {
        match self.tag()? {
            Tag::Open(found) if found == name => self.text_of(name),
            Tag::Empty(found) if found == name => Ok(Text::EMPTY),
            Tag::Open(_) | Tag::Close(_) | Tag::Empty(_) => Err(SYNTAX),
        }
    }

    /// White space, then the element `name`, which holds nothing: `<name/>` or `<name></name>`.
    pub(crate) fn empty_element(&mut self, name: &str) -> Result<(), Rejection> {
        match self.tag()? {
            Tag::Open(found) if found == name => self.close(name),
            Tag::Empty(found) if found == name => Ok(()),
            Tag::Open(_) | Tag::Close(_) | Tag::Empty(_) => Err(SYNTAX),
        }
    }

    /// The rest of an element `list` that holds text elements `item` and white space only.
    pub(crate) fn texts_of(&mut self, list: &str, item: &'static str) -> Result<Texts<'a>, Rejection> {
        let texts = Texts { cursor: self.clone(), item };
        loop {
            match self.tag()? {
                Tag::Open(name) if name == item => {
                    self.text_of(item)?;
                }
                Tag::Empty(name) if name == item => {}
                Tag::Close(name) if name == list => return Ok(texts),
                Tag::Open(_) | Tag::Close(_) | Tag::Empty(_) => return Err(SYNTAX),
            }
        }
    }

    /// The end of the body, white space before it allowed.
    pub(crate) fn end(mut self) -> Result<(), Rejection> {
        self.skip_space();
        if self.rest.is_empty() { Ok(()) } else { Err(SYNTAX) }
    }
}

/// A list of texts that has been found well-formed; read again when it is wanted, so that its length costs no memory.
#[derive(Clone, Debug)]
pub(crate) struct Texts<'a> {
    cursor: Cursor<'a>,
    item: &'static str,
}

impl Texts<'_> {
    /// The list of an empty element.
    pub(crate) const EMPTY: Self = Self { cursor: Cursor { rest: "" }, item: "" };
}

impl<'a> Iterator for Texts<'a> {
    type Item = Text<'a>;
    fn next(&mut self) -> Option<Text<'a>> {
        self.cursor.text_element(self.item).ok()
    }
}

/// Writes `value` as text, with `&`, `<` and `>` as entities. Bytes that are not UTF-8 stay, so that the body is refused.
pub(crate) fn push_text(body: &mut Vec<u8>, value: &[u8]) {
    for &byte in value {
        match byte {
            b'&' => body.extend_from_slice(b"&amp;"),
            b'<' => body.extend_from_slice(b"&lt;"),
            b'>' => body.extend_from_slice(b"&gt;"),
            other => body.push(other),
        }
    }
}

/// Writes the element `name` with `value` as its text.
pub(crate) fn push_element(body: &mut Vec<u8>, name: &str, value: &[u8]) {
    for part in ["<", name, ">"] {
        body.extend_from_slice(part.as_bytes());
    }
    push_text(body, value);
    for part in ["</", name, ">"] {
        body.extend_from_slice(part.as_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;

    fn cursor(text: &str) -> Cursor<'_> {
        Cursor { rest: text }
    }

    #[test]
    fn body_bytes() {
        for good in ["", "\t\n\r", "a\u{FEFF}", "\u{7F}", "\u{FFFD}", "\u{1FFFF}", "\u{F7FF}", "\u{FBFE}", "\u{10FFFF}"]
        {
            assert!(text(good.as_bytes()).is_ok(), "{good:?}");
        }
        for bad in ["\u{FEFF}a", "a\u{FFFE}", "\u{FFFF}", "\0", "a\u{1F}", "\u{B}"] {
            assert_eq!(text(bad.as_bytes()).map_err(|r| r.code), Err(Code::Encoding), "{bad:?}");
        }
        for bad in [&b"\xC0\x80"[..], b"\xED\xA0\x80", b"\xF4\x90\x80\x80", b"\xE9", b"\xEF\xBF"] {
            assert_eq!(text(bad).map_err(|r| r.code), Err(Code::Encoding), "{bad:?}");
        }
    }

    #[test]
    fn tags() {
        assert_eq!(cursor(" \n<a>").tag(), Ok(Tag::Open("a")));
        assert_eq!(cursor("</Ab>").tag(), Ok(Tag::Close("Ab")));
        assert_eq!(cursor("<a/>").tag(), Ok(Tag::Empty("a")));
        let bad = [
            "",
            "<",
            "<a",
            "<a ",
            "<a >",
            "< a>",
            "<a />",
            "</a/>",
            "</a >",
            "<>",
            "</>",
            "<a1>",
            "<a:b>",
            "<é>",
            "<!-- -->",
            "<![CDATA[x]]>",
            "<?a?>",
            "<a b=\"c\">",
            "x<a>",
            "\u{A0}<a>",
            "\u{B}<a>",
            "&lt;a>",
            "<a/ >",
            "<a\n>",
        ];
        for bad in bad {
            assert_eq!(cursor(bad).tag(), Err(SYNTAX), "{bad:?}");
        }
    }

    #[test]
    fn texts() {
        let value = |text: &str| cursor(text).text_of("a").map(|value| value.resolve().into_owned());
        for (written, resolved) in [
            ("</a>", ""),
            (" x\r\n </a>", " x\r\n "),
            ("&lt;&gt;&amp;&quot;&apos;</a>", "<>&\"'"),
            ("&amp;lt;</a>", "&lt;"),
            ("a&amp;é&amp;b</a>", "a&é&b"),
            ("]]&gt; ]>]] ></a>", "]]> ]>]] >"),
            ("]</a>", "]"),
        ] {
            assert_eq!(value(written).as_deref(), Ok(resolved), "{written:?}");
        }
        for bad in [
            "",
            "x",
            "&</a>",
            "&#49;</a>",
            "&#x31;</a>",
            "&LT;</a>",
            "&lt</a>",
            "&x;</a>",
            "]]></a>",
            "x</b>",
            "x<b/></a>",
            "x</a >",
            "x<!----></a>",
            "&amp",
        ] {
            assert_eq!(value(bad), Err(SYNTAX), "{bad:?}");
        }
    }

    #[test]
    fn elements_that_hold_nothing() {
        for good in ["<true/>", " <true></true>"] {
            assert!(cursor(good).empty_element("true").is_ok());
        }
        for bad in ["<true> </true>", "<true />", "<true>", "<false/>", "<true></false>", "</true>"] {
            assert!(cursor(bad).empty_element("true").is_err(), "{bad:?}");
        }
    }

    #[test]
    fn lists() {
        let list = |text: &str| {
            let mut at = cursor(text);
            let texts = at.texts_of("array", "string")?;
            at.end()?;
            Ok::<_, Rejection>(texts.map(|text| text.resolve().into_owned()).collect::<Vec<_>>())
        };
        assert_eq!(list("</array> \n"), Ok(vec![]));
        assert_eq!(
            list(" <string>a</string>\n<string/><string></string></array>"),
            Ok(vec!["a".into(), "".into(), "".into()])
        );
        for bad in [
            "<string>a</string>x</array>",
            "<integer>1</integer></array>",
            "<array/></array>",
            "<string>a</string>",
            "</array>x",
        ] {
            assert_eq!(list(bad), Err(SYNTAX), "{bad:?}");
        }
        assert_eq!(Texts::EMPTY.count(), 0);
    }

    #[test]
    fn written_text_is_read_back() {
        let mut body = vec![];
        push_element(&mut body, "a", "]]> <&amp;\"'é".as_bytes());
        let body = text(&body).unwrap();
        assert_eq!(cursor(body).text_element("a").unwrap().resolve(), "]]> <&amp;\"'é");
    }
}
