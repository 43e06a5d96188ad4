//! FORMATS §1: the edge cases.

use relay_wire::Platform;

use crate::assert_verdicts;

const V1: &[u8] = include_bytes!("../../vectors/windows/V1.ok");
const V3: &[u8] = include_bytes!("../../vectors/windows/V3.ok");

/// A body as a list of tagged values.
#[derive(Clone)]
struct Tags(Vec<(u16, Vec<u8>)>);

impl Tags {
    fn of(body: &[u8]) -> Self {
        let number = |at: usize| u16::from_le_bytes([body[at], body[at + 1]]);
        let mut at = 2;
        let values = (0..number(0)).map(|_| {
            let end = at + 4 + usize::from(number(at + 2));
            let value = (number(at), body[at + 4..end].to_vec());
            at = end;
            value
        });
        Self(values.collect())
    }

    fn with(mut self, tag: u16, value: &[u8]) -> Self {
        self.0.retain(|(present, _)| *present != tag);
        let at = self.0.iter().position(|(present, _)| *present > tag).unwrap_or(self.0.len());
        self.0.insert(at, (tag, value.to_vec()));
        self
    }

    fn with_text(self, tag: u16, text: &str) -> Self {
        self.with(tag, &utf16(text))
    }

    fn with_paths(mut self, paths: &[&str]) -> Self {
        self = self.without(0x11);
        let at = self.0.iter().position(|(present, _)| *present > 0x11).unwrap_or(self.0.len());
        for path in paths.iter().rev() {
            self.0.insert(at, (0x11, utf16(path)));
        }
        self
    }

    fn without(mut self, tag: u16) -> Self {
        self.0.retain(|(present, _)| *present != tag);
        self
    }

    fn and(mut self, tag: u16, value: &[u8]) -> Self {
        self.0.push((tag, value.to_vec()));
        self
    }

    fn body(&self) -> Vec<u8> {
        let mut body = u16::try_from(self.0.len()).expect("a count").to_le_bytes().to_vec();
        for (tag, value) in &self.0 {
            body.extend(tag.to_le_bytes());
            body.extend(u16::try_from(value.len()).expect("a length").to_le_bytes());
            body.extend(value);
        }
        body
    }
}

fn utf16(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_le_bytes).collect()
}

fn v1() -> Tags {
    Tags::of(V1)
}

fn backup() -> Tags {
    Tags::of(V3)
}

fn assert_tags<const N: usize>(cases: [(&str, Tags, &'static str); N]) {
    assert_verdicts(Platform::Windows, cases.map(|(name, tags, code)| (name.to_owned(), tags.body(), code)));
}

/// One field of V1 after the other with another value.
fn assert_texts(tag: u16, cases: &[(&str, &'static str)]) {
    let case =
        |(text, code): &(&str, &'static str)| (format!("{tag:02x} = {text}"), v1().with_text(tag, text).body(), *code);
    assert_verdicts(Platform::Windows, cases.iter().map(case));
}

fn assert_values(tag: u16, cases: &[(&[u8], &'static str)]) {
    let case = |(value, code): &(&[u8], &'static str)| {
        (format!("{tag:02x} = {value:02x?}"), v1().with(tag, value).body(), *code)
    };
    assert_verdicts(Platform::Windows, cases.iter().map(case));
}

fn assert_paths(cases: &[(&str, &'static str)]) {
    let case =
        |(path, code): &(&str, &'static str)| (format!("path {path}"), backup().with_paths(&[path]).body(), *code);
    assert_verdicts(Platform::Windows, cases.iter().map(case));
}

#[test]
fn container() {
    let body = |bytes: &[u8]| (format!("{bytes:02x?}"), bytes.to_vec(), "E_SYNTAX");
    let mut behind = V1.to_vec();
    behind.push(0);
    let mut fewer = V1.to_vec();
    fewer[0] -= 1;
    let mut more = V1.to_vec();
    more[0] += 1;
    assert_verdicts(
        Platform::Windows,
        [
            body(&[0]),
            body(&[1, 0]),
            body(&[1, 0, 1]),
            body(&[1, 0, 1, 0]),
            body(&[1, 0, 1, 0, 2]),
            body(&[1, 0, 1, 0, 2, 0]),
            body(&[1, 0, 1, 0, 2, 0, 5]),
            body(&[0, 0, 0]),
            body(&behind),
            body(&fewer),
            body(&more),
            ("no fields".to_owned(), vec![0, 0], "E_MISSING"),
            ("nothing".to_owned(), vec![], "E_FRAME"),
            ("too much".to_owned(), vec![0; 16_385], "E_FRAME"),
            ("as much as may be".to_owned(), vec![0; 16_384], "E_SYNTAX"),
        ],
    );
}

/// Each step is finished for the whole body before the next begins.
#[test]
fn steps() {
    let odd = &[0x41][..];
    assert_tags([
        ("odd length before an unknown tag", v1().with(0x06, odd).and(0x99, &[]), "E_ENCODING"),
        ("unknown tag before a duplicate", v1().and(0x0F, &[]).and(0x13, &[]), "E_UNKNOWN"),
        ("tag 0", v1().with(0x00, &[]), "E_UNKNOWN"),
        ("an unknown tag twice", v1().and(0x13, &[]).and(0x13, &[]), "E_UNKNOWN"),
        ("tags 0C, 09, 0C at the end", v1().and(0x0C, &[]).and(0x09, &[]).and(0x0C, &[]), "E_DUPLICATE"),
        ("a duplicate before disorder", v1().and(0x09, &[]), "E_DUPLICATE"),
        ("disorder before a missing field", v1().without(0x0C).without(0x02).and(0x0C, &[0; 8]), "E_ORDER"),
        ("paths apart", backup().and(0x11, &utf16(r"C:\a")), "E_ORDER"),
        ("missing before a bad value", v1().with(0x01, &[7, 0]).without(0x0F), "E_MISSING"),
        ("a bad field before a worse one behind it", v1().with(0x0F, &[9; 4]).with(0x08, &[1, 0]), "E_RANGE"),
        ("length of 06 before format of 07", v1().with_text(0x06, "").with_text(0x07, "12345678"), "E_LENGTH"),
        ("a path before a conflict", v1().with_paths(&[r"C:\.."]), "E_PATH"),
        ("an estimate behind a path", backup().with_paths(&["x"]).with(0x12, &[0; 7]), "E_PATH"),
        ("an estimate before a conflict", v1().with(0x12, &[0; 7]), "E_LENGTH"),
    ]);
}

#[test]
fn text_encoding() {
    assert_tags([
        ("a byte order mark", v1().with(0x0A, &[0xFF, 0xFE, b'd', 0]), "E_ENCODING"),
        ("U+FEFF further on", v1().with_text(0x0A, "de\u{FEFF}DE"), "E_FORMAT"),
        ("U+0000", v1().with_text(0x0B, "Abcdefg\0"), "E_ENCODING"),
        ("U+0000 behind eight units", v1().with_text(0x0B, "Abcdefghijkl\0"), "E_ENCODING"),
        ("a lone low surrogate", v1().with(0x06, &[0x00, 0xDC]), "E_ENCODING"),
        ("a high surrogate at the end", v1().with(0x06, &[0x41, 0, 0x00, 0xD8]), "E_ENCODING"),
        ("surrogates the wrong way round", v1().with(0x06, &[0x00, 0xDC, 0x00, 0xD8]), "E_ENCODING"),
        ("an odd path", backup().with(0x11, &[0x43]), "E_ENCODING"),
        ("a pair is one character: 15", v1().with_text(0x06, &"\u{1F600}".repeat(15)), "E_FORMAT"),
        ("a pair is one character: 16", v1().with_text(0x06, &"\u{1F600}".repeat(16)), "E_LENGTH"),
        ("odd binary value", v1().with(0x0D, &[1; 15]), "E_LENGTH"),
    ]);
}

#[test]
fn numbers() {
    assert_values(0x01, &[(&[5], "E_LENGTH"), (&[7, 0], "E_RANGE"), (&[0, 0], "E_RANGE"), (&[5, 1], "E_RANGE")]);
    assert_values(0x01, &[(&[6, 0], "E_CONFLICT"), (&[1, 0], "E_CONFLICT"), (&[2, 0], "ok"), (&[], "E_LENGTH")]);
    assert_values(0x08, &[(&[0, 0], "ok"), (&[12, 0], "ok"), (&[5, 0], "E_RANGE"), (&[9, 0, 0, 0], "E_LENGTH")]);
    assert_values(
        0x09,
        &[(&[9, 0, 0, 0, 0, 0, 0, 0], "E_RANGE"), (&[0, 0, 1, 0, 0, 0, 0, 0], "ok"), (&[1; 7], "E_LENGTH")],
    );
    assert_values(0x0D, &[(&[0; 16], "E_FORMAT"), (&[0; 17], "E_LENGTH"), (&[255; 16], "ok")]);
    assert_values(0x0E, &[(&[244, 0, 0, 0], "ok"), (&[0, 0, 0, 0], "E_RANGE"), (&[6, 0], "E_LENGTH")]);
    assert_values(
        0x0F,
        &[
            (&[255, 255, 255, 1], "ok"),
            (&[0, 0x8F, 100, 0], "ok"),
            (&[2, 0, 0, 0], "E_RANGE"),
            (&[0, 0x10, 0, 0], "E_RANGE"),
            (&[0, 0xFE, 0, 0], "E_RANGE"),
            (&[0, 0, 101, 0], "E_RANGE"),
            (&[0, 0, 0, 2], "E_RANGE"),
            (&[0, 0, 0], "E_LENGTH"),
        ],
    );
    assert_values(0x12, &[(&[0; 8], "ok"), (&(1_u64 << 50).to_le_bytes(), "ok")]);
    assert_values(0x12, &[(&((1_u64 << 50) + 1).to_le_bytes(), "E_RANGE"), (&[255; 8], "E_RANGE")]);
}

/// TIME: 2012-01-01 to 2100-01-01 in FILETIME ticks, reckoned by hand from 1601.
#[test]
fn time() {
    let (first, end) = (129_698_496_000_000_000_u64, 157_469_184_000_000_000_u64);
    assert_values(0x0C, &[(&first.to_le_bytes(), "ok"), (&(first - 1).to_le_bytes(), "E_RANGE")]);
    assert_values(0x0C, &[(&(end - 1).to_le_bytes(), "ok"), (&end.to_le_bytes(), "E_RANGE")]);
    assert_values(0x0C, &[(&[0; 8], "E_RANGE"), (&[255; 8], "E_RANGE"), (&[0; 4], "E_LENGTH")]);
}

#[test]
fn texts() {
    assert_texts(
        0x02,
        &[
            ("00000000-0000-0000-0000-000000000000", "E_FORMAT"),
            ("ffffffff-ffff-ffff-ffff-ffffffffffff", "E_FORMAT"),
            ("00000000-0000-0000-0000-000000000001", "ok"),
            ("6F1C2B8E-93d4-4a57-b0c1-5e7d2f9a8b34", "E_FORMAT"),
            ("6f1c2b8e093d4-4a57-b0c1-5e7d2f9a8b34", "E_FORMAT"),
            ("6f1c2b8e-93d4-4a57-b0c1-5e7d2f9a8b3", "E_LENGTH"),
        ],
    );
    assert_texts(
        0x06,
        &[
            ("", "E_LENGTH"),
            ("A", "ok"),
            ("ABCDEFGHIJKLMNO", "ok"),
            ("ABCDEFGHIJKLMNOP", "E_LENGTH"),
            (".A", "E_FORMAT"),
            ("A.", "ok"),
            ("123", "E_FORMAT"),
            ("123-", "ok"),
            ("!@#$%^&')(.-_{}", "ok"),
            ("~", "ok"),
            ("A B", "E_FORMAT"),
            ("Ä", "E_FORMAT"),
            ("A\u{7F}", "E_FORMAT"),
        ],
    );
    assert_texts(
        0x07,
        &[
            ("6.1.7601.0", "ok"),
            ("6.1.7600.0", "E_RANGE"),
            ("6.2.9200.1", "ok"),
            ("6.3.9600.1", "ok"),
            ("6.3.9601.1", "E_RANGE"),
            ("10.0.10239.1", "E_RANGE"),
            ("10.0.10240.0", "ok"),
            ("10.0.65535.65535", "ok"),
            ("10.0.65536.1", "E_RANGE"),
            ("10.0.22631.65536", "E_RANGE"),
            ("10.1.22631.1", "E_RANGE"),
            ("99999.99999.99999.99999", "E_RANGE"),
            ("10.0.22631.03", "E_FORMAT"),
            ("10.0.22631", "E_FORMAT"),
            ("10.0.22631.1.1", "E_FORMAT"),
            ("10.0.22631.100000", "E_FORMAT"),
            ("10.0.1.", "E_LENGTH"),
            ("99999.99999.99999.999990", "E_LENGTH"),
        ],
    );
    assert_texts(
        0x0A,
        &[("en-US", "ok"), ("sr-Latn-RS", "ok"), ("es-419", "ok"), ("en_US", "E_FORMAT"), ("e-US", "E_LENGTH")],
    );
    assert_texts(
        0x0A,
        &[("eng-A12", "E_FORMAT"), ("de-DE-1996", "E_FORMAT"), ("x-Latn-RS", "E_FORMAT"), ("zh-Hans", "E_FORMAT")],
    );
    assert_texts(
        0x0B,
        &[
            ("UTC+12", "ok"),
            ("UTC  12", "E_FORMAT"),
            ("UTC ", "E_FORMAT"),
            ("uTC", "E_FORMAT"),
            ("Mid-Atlantic (old)", "ok"),
            ("Ab", "E_LENGTH"),
        ],
    );
}

#[test]
fn proofs_and_names() {
    let proof = "D1.Vfgy0WEmHckEDnrOXCWNOHjuquMfx5WbfgteGWolye4xHwhgK2G4iPwnODhNqIjGdZM7ksyxVcODaQIf98TMa";
    assert_texts(0x04, &[("M1.KopJ4EAeiw2qfzPARlTer3cpjqmSYWhQMXlIzLknAKk", "E_LENGTH")]);
    let ending = |last: &str| format!("{proof}{last}");
    assert_texts(
        0x04,
        &[
            (&ending("w"), "ok"),
            (&ending("A"), "ok"),
            (&ending("x"), "E_FORMAT"),
            (&ending("B"), "E_FORMAT"),
            (&ending("="), "E_FORMAT"),
            (&ending(""), "E_LENGTH"),
            (&ending("w").replace("D1.", "M1."), "E_FORMAT"),
            (&ending("w").replace('V', "+"), "E_FORMAT"),
        ],
    );
    assert_tags([
        ("op sync alone", v1().with(0x01, &[6, 0]), "E_CONFLICT"),
        ("a node under ping", v1().with_text(0x10, "a"), "E_CONFLICT"),
        ("a node in capitals", v1().with_text(0x10, "A"), "E_FORMAT"),
        ("a short user under ping", v1().with_text(0x05, "a@b.c"), "E_LENGTH"),
        ("a user under ping", v1().with_text(0x05, "a@b.cd"), "E_CONFLICT"),
        ("no proof", v1().without(0x04), "E_CONFLICT"),
        ("a backup without a node", backup().without(0x10), "E_CONFLICT"),
        ("a backup without a path", backup().without(0x11), "E_CONFLICT"),
        ("a backup without an estimate", backup().without(0x12), "ok"),
    ]);
}

#[test]
fn path_roots() {
    assert_paths(&[
        (r"C:\", "ok"),
        (r"z:\a", "ok"),
        ("C:", "E_PATH"),
        ("C:a", "E_PATH"),
        (r"\a", "E_PATH"),
        ("", "E_PATH"),
        (r"1:\", "E_PATH"),
        (r"\\s\h", "ok"),
        (r"\\s\h\", "ok"),
        (r"\\s\h\a", "ok"),
        (r"\\s\h\a\", "E_PATH"),
        (r"\\s\h\\", "E_PATH"),
        (r"\\s", "E_PATH"),
        (r"\\s\", "E_PATH"),
        (r"\\\h", "E_PATH"),
        (r"\\.\C:", "E_PATH"),
        (r"\\.s\h", "E_PATH"),
        (r"\\-s._\h", "ok"),
        (r"\\ü\h", "E_PATH"),
        (r"\\?\C:\", "ok"),
        (r"\\?\C:", "E_PATH"),
        (r"\\?\C:\CON.txt", "ok"),
        (r"\\?\unc\s\h", "E_PATH"),
        (r"\\?\UNC\s\h", "ok"),
        (r"\\?\UNC\s\h\", "ok"),
        (r"\\?\UNC\s", "E_PATH"),
        (r"\\?\\\s\h", "E_PATH"),
        (r"\\?\Volume{6f1c2b8e-93d4-4a57-b0c1-5e7d2f9a8b34}\a", "E_PATH"),
        (r"\\?\\\?\C:\a", "E_PATH"),
        (r"//s/h", "E_PATH"),
        (r"C:/a", "E_PATH"),
    ]);
    let server = |characters: usize| format!(r"\\{}\h", "s".repeat(characters));
    let share = |characters: usize| format!(r"\\s\{}", "h".repeat(characters));
    assert_paths(&[(&server(63), "ok"), (&server(64), "E_PATH"), (&share(80), "ok"), (&share(81), "E_PATH")]);
    assert_paths(&[(r"\\s\con", "E_PATH"), (r"\\s\h.", "E_PATH"), (r"\\?\UNC\s\con", "ok"), (r"\\?\UNC\s\h.", "ok")]);
}

#[test]
fn path_components() {
    assert_paths(&[
        (r"C:\a\\b", "E_PATH"),
        (r"C:\a\", "E_PATH"),
        (r"C:\.\a", "E_PATH"),
        (r"C:\...", "E_PATH"),
        (r"\\?\C:\...", "ok"),
        (r"\\?\C:\..", "E_PATH"),
        (r"\\?\C:\a\.\b", "E_PATH"),
        (r"C:\a.", "E_PATH"),
        (r"C:\a ", "E_PATH"),
        (r"C:\ a", "ok"),
        (r"\\?\C:\a. ", "ok"),
        (r"C:\aux .c", "E_PATH"),
        (r"C:\aux. c", "E_PATH"),
        (r"C:\auxx.c", "ok"),
        (r"C:\a.aux", "ok"),
        (r"C:\Com1", "E_PATH"),
        (r"C:\LPT9.tar.gz", "E_PATH"),
        (r"C:\COM¹", "E_PATH"),
        (r"C:\COM²  .x", "E_PATH"),
        (r"C:\COM0", "ok"),
        (r"C:\COM", "ok"),
        (r"C:\COM10", "ok"),
        (r"C:\COM⁴", "ok"),
        (r"C:\nul\a", "E_PATH"),
        (r"C:\CONIN$", "ok"),
        ("C:\\a\tb", "E_PATH"),
        ("C:\\a\u{7F}b", "ok"),
        ("C:\\a\u{FEFF}b", "ok"),
        (r"C:\a|b", "E_PATH"),
        (r"C:\a:b", "E_PATH"),
        ("C:\\a\"b", "E_PATH"),
        (r"C:\a*", "E_PATH"),
        (r"C:\Größe\日本\😀", "ok"),
    ]);
    let long = |prefix: &str, units: usize| {
        let mut path = prefix.to_owned();
        while path.encode_utf16().count() + 101 < units {
            path.push_str(&"a".repeat(100));
            path.push('\\');
        }
        let rest = units - path.encode_utf16().count();
        path + &"b".repeat(rest)
    };
    assert_paths(&[(&long(r"C:\", 259), "ok"), (&long(r"C:\", 260), "E_PATH")]);
    assert_paths(&[(&long(r"\\?\C:\", 1024), "ok"), (&long(r"\\?\C:\", 1025), "E_PATH")]);
    let component = |text: &str, count: usize| format!(r"\\?\C:\{}", text.repeat(count));
    assert_paths(&[(&component("x", 255), "ok"), (&component("x", 256), "E_PATH")]);
    assert_paths(&[(&component("😀", 127), "ok"), (&component("😀", 128), "E_PATH")]);
}

#[test]
fn path_counts() {
    assert_tags([
        ("64 paths", backup().with_paths(&[r"C:\"; 64]), "ok"),
        ("65 paths", backup().with_paths(&[r"C:\"; 65]), "E_CONFLICT"),
        ("a bad one among 65", backup().with_paths(&[&[r"C:\"; 64][..], &["C:"]].concat()), "E_PATH"),
        ("a path under ping", v1().with_paths(&[r"C:\"]), "E_CONFLICT"),
    ]);
}
