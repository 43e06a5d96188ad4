//! The words of the six formats: names as they stand with their separators, words of lists, literals of patterns, and the
//! few bytes that decoders differ about.

use regex_syntax::{
    Parser,
    hir::{Hir, HirKind},
};

use crate::{
    doc::{Platform, Wire, escape, slots, table::wire_name},
    spec::{Row, rows},
};

/// libFuzzer takes no longer words.
const WORD_MAX: usize = 64;

/// The dictionary of a platform's specification target, sorted.
#[must_use]
pub fn words(platform: Platform) -> Vec<Vec<u8>> {
    let wire = |slot: usize, plain: &[u8]| {
        let wire = slots(platform)[slot].wire.element();
        // Without the element, so that it fits into any.
        escape::wire(if matches!(wire, Wire::Element(_) | Wire::Data) { Wire::Header } else { wire }, plain)
    };
    let mut words = constants(platform);
    // What the tested table names and what the second one names: the same, or a test of the oracles says so.
    words.extend(relay_wire::Platform::from_number(platform as u8).into_iter().flat_map(|tested| {
        tested.fields().iter().enumerate().map(|(at, field)| name(platform, &tested_name(platform, at, field.name)))
    }));
    for (slot, row) in rows(platform).iter().enumerate() {
        words.push(name(platform, &wire_name(platform, slot)));
        words.extend(row.words.iter().map(|word| wire(slot, word.as_bytes())));
        words.extend(row.examples.iter().map(|example| wire(slot, example.as_bytes())));
        words.extend(literals(row).iter().map(|literal| wire(slot, literal)));
    }
    words.retain(|word| (1..=WORD_MAX).contains(&word.len()));
    words.sort();
    words.dedup();
    words
}

fn tested_name(platform: Platform, at: usize, name: &str) -> Vec<u8> {
    if platform == Platform::Windows { wire_name(platform, at).into_owned() } else { name.as_bytes().to_vec() }
}

/// A name with what stands around it.
fn name(platform: Platform, name: &[u8]) -> Vec<u8> {
    match platform {
        Platform::Windows => name.to_vec(),
        Platform::MacOs => [b"<key>", name, b"</key>"].concat(),
        Platform::Linux => [b"\n", name, b"="].concat(),
        Platform::Ios => [b"\"", name, b"\":"].concat(),
        Platform::Android => [b"&", name, b"="].concat(),
        Platform::WindowsPhone if name.starts_with(b".") => [b"<LocURI>", name, b"</LocURI>"].concat(),
        Platform::WindowsPhone => [b"<", name, b">"].concat(),
    }
}

/// The literals of two characters and more in a row's patterns.
fn literals(row: &Row) -> Vec<Vec<u8>> {
    fn collect(tree: &Hir, found: &mut Vec<Vec<u8>>) {
        match tree.kind() {
            HirKind::Literal(literal) if literal.0.len() > 1 => found.push(literal.0.to_vec()),
            HirKind::Repetition(repetition) => collect(&repetition.sub, found),
            HirKind::Capture(capture) => collect(&capture.sub, found),
            HirKind::Concat(parts) | HirKind::Alternation(parts) => parts.iter().for_each(|part| collect(part, found)),
            HirKind::Literal(_) | HirKind::Empty | HirKind::Class(_) | HirKind::Look(_) => {}
        }
    }
    let mut found = Vec::new();
    let trees = row.patterns.iter().filter_map(|pattern| Parser::new().parse(pattern).ok());
    trees.for_each(|tree| collect(&tree, &mut found));
    found
}

/// What belongs to no row: markup, separators, escapes in every spelling.
fn constants(platform: Platform) -> Vec<Vec<u8>> {
    const XML: &[&str] = &[
        "<!--",
        "-->",
        "<![CDATA[",
        "]]>",
        "&lt;",
        "&gt;",
        "&amp;",
        "&quot;",
        "&apos;",
        "&#49;",
        "&#x31;",
        "<?",
        "?>",
        "<!DOCTYPE",
        "<!ENTITY",
        "/>",
        "</",
        "\u{FEFF}",
        "\u{FFFE}",
        "\u{FFFF}",
        "\u{A0}",
    ];
    let of_platform: &[&str] = match platform {
        Platform::Windows => &["\u{1}", "\u{FEFF}"],
        Platform::MacOs => &[
            "<dict>",
            "</dict>",
            "<array>",
            "</array>",
            "<array/>",
            "<string>",
            "</string>",
            "<string/>",
            "<integer>",
            "</integer>",
            "<data>",
            "</data>",
            "<date>",
            "</date>",
            "<true/>",
            "<true></true>",
            "<false/>",
            "<plist version=\"1.0\">",
            "</plist>",
            "/../",
            "/./",
            "//",
        ],
        Platform::Linux => &[
            "EDGE-AGENT/1 ",
            "\nEND\n",
            "\r\n",
            "\n\n",
            "%00",
            "%25",
            "%2E",
            "%2F",
            "%E9",
            "%e9",
            "%41",
            "/../",
            "/./",
            "//",
        ],
        Platform::Ios => &[
            "null",
            "true",
            "false",
            "[]",
            "{}",
            "\\u0000",
            "\\u006f",
            "\\ud83d\\udcf1",
            "\\ud83d",
            "\\/",
            "\\\"",
            "-0",
            "1e0",
            "1.0",
            ",",
            "[[[[[[[]]]]]]]",
            "file:",
            "photo:",
            "/../",
            "Library/Caches",
            "\u{FEFF}",
        ],
        Platform::Android => &[
            "%2F",
            "%3A",
            "%20",
            "%2B",
            "%25",
            "%00",
            "%7E",
            "%C3%A9",
            "%c3%a9",
            "%FF",
            "%C0%AF",
            "%ED%A0%80",
            "%253A",
            "%2F..%2F",
            "%2F.%2F",
            "Android%2Fdata",
            "Android%2Fobb",
            "%252E",
            "&&",
            "+",
        ],
        Platform::WindowsPhone => &[
            "<Item>",
            "</Item>",
            "<Data>",
            "</Data>",
            "<Data/>",
            "<LocURI>",
            "</LocURI>",
            "<Source>",
            "</Source>",
            "<Final/>",
            "<Final></Final>",
            "<Replace>",
            "</Replace>",
            " xmlns=\"syncml:metinf\"",
            "isostore:/",
            "ms-appdata:///local/",
            "/../",
            "/./",
            "//",
        ],
    };
    let texts = of_platform.iter().map(|text| text.as_bytes().to_vec());
    match platform {
        Platform::Windows => {
            let wide = ["\\..\\", "\\.\\", "\\\\?\\", "UNC\\", "CON", "AUX.", "COM\u{b9}", ". "];
            let units: [&[u8]; 4] = [b"\x3D\xD8", b"\xF1\xDC", b"\0\0", b"\xFF\xFE"];
            let wide = wide.iter().map(|text| escape::wire(Wire::Text16, text.as_bytes()));
            wide.chain(units.map(<[u8]>::to_vec)).collect()
        }
        Platform::MacOs | Platform::WindowsPhone => {
            let broken: [&[u8]; 3] = [b"\xC0\xAF", b"\xED\xA0\x80", b"\xF4\x90\x80\x80"];
            texts.chain(XML.iter().map(|text| text.as_bytes().to_vec())).chain(broken.map(<[u8]>::to_vec)).collect()
        }
        Platform::Linux | Platform::Ios | Platform::Android => texts.collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_dictionaries_are_what_the_tables_say() {
        let names = ["windows", "macos", "linux", "ios", "android", "wp"];
        for (platform, name) in Platform::ALL.into_iter().zip(names) {
            let words = words(platform);
            assert!(words.len() > 30, "{name}: {} words", words.len());
            crate::dictionary::check(name, words.iter().map(Vec::as_slice));
        }
    }
}
