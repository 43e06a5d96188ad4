//! Dictionaries as libFuzzer reads them. `fuzz/dictionaries` holds what the functions here write; tests hold them equal.

use std::fmt::Write as _;

pub mod formats;

/// The text of a dictionary of these words: one a line, quoted, everything but plain ASCII as `\xAB`.
#[must_use]
pub fn text<'a>(words: impl IntoIterator<Item = &'a [u8]>) -> String {
    let mut text = String::new();
    for word in words {
        text.push('"');
        for byte in word {
            match byte {
                b'"' | b'\\' => {
                    text.push('\\');
                    text.push(char::from(*byte));
                }
                b' '..=b'~' => text.push(char::from(*byte)),
                _ => write!(text, "\\x{byte:02X}").unwrap_or_default(),
            }
        }
        text.push_str("\"\n");
    }
    text
}

/// Holds the file of that name equal to these words; with `SALLYPORT_FUZZ_WRITE` set, writes it.
#[cfg(test)]
pub(crate) fn check<'a>(name: &str, words: impl IntoIterator<Item = &'a [u8]>) {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("dictionaries").join(name).with_extension("dict");
    let expected = text(words);
    if std::env::var_os("SALLYPORT_FUZZ_WRITE").is_some() {
        std::fs::write(&path, &expected).unwrap();
    }
    let found = std::fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(found, expected, "run this test with SALLYPORT_FUZZ_WRITE=1 to write {}", path.display());
}

#[cfg(test)]
mod tests {
    #[test]
    fn words_are_quoted_as_libfuzzer_reads_them() {
        assert_eq!(super::text([&b"a\"\\ ~"[..], b"\0\xff\n"]), "\"a\\\"\\\\ ~\"\n\"\\x00\\xFF\\x0A\"\n");
    }
}
