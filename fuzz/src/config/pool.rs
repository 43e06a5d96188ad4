//! What people write into a configuration, right and wrong.

use std::{collections::BTreeSet, sync::LazyLock};

use relay_backend::config::{EXAMPLE_MASTER, EXAMPLE_STORAGE_NODE};
use relay_edge::config::EXAMPLE;

use super::known::switched_on;

/// Durations, some of them too long, too short or none.
const DURATIONS: &[&str] = &[
    "\"0s\"",
    "\"1ns\"",
    "\"999ms\"",
    "\"30s\"",
    "\"1h 30m\"",
    "\"24h\"",
    "\"86401s\"",
    "\"3601s\"",
    "\"365d\"",
    "\"366d\"",
    "\"1year\"",
    "\"1month\"",
    "\"584542046090years\"",
    "\"18446744073709551615s\"",
    "\"18446744073709551616s\"",
    "\"1.5s\"",
    "\"-1s\"",
    "\"1 s\"",
    "\"1s1s\"",
    "\"s\"",
    "\"1\"",
    "\"1M\"",
    "\"1us\"",
];

/// Addresses, targets, lists of addresses.
const ADDRESSES: &[&str] = &[
    "\"0.0.0.0:0\"",
    "\"0.0.0.0:8443\"",
    "\"127.0.0.1:9443\"",
    "\"[::1]:1\"",
    "\"[::ffff:127.0.0.1]:80\"",
    "\"[fe80::1%1]:80\"",
    "\"::1:80\"",
    "\"edge.example.org:443\"",
    "\"EDGE.example.org.:443\"",
    "\"1.2.3.4\"",
    "\"1.2.3.4:65536\"",
    "\"1.2.3:1\"",
    "\"host:0\"",
    "\"host:+1\"",
    "\"off\"",
    "\"Off\"",
    "\"tcp://127.0.0.1:80\"",
    "\"tcp://[::1]:80\"",
    "\"tcp://a_b.c:1\"",
    "\"tcp://x:0\"",
    "\"tcp://\"",
    "\"http://127.0.0.1:80\"",
    "[\"0.0.0.0:443\", \"[::]:443\"]",
    "[\"127.0.0.1:1\", \"127.0.0.1:1\"]",
    "[\"127.0.0.1:0\", \"127.0.0.1:0\"]",
];

/// Numbers, also where a limit ends.
const NUMBERS: &[&str] = &[
    "0",
    "-1",
    "1",
    "2",
    "15",
    "16",
    "64",
    "65",
    "255",
    "256",
    "4096",
    "4097",
    "65535",
    "65536",
    "100000",
    "100001",
    "1000000",
    "1000001",
    "4294967296",
    "9223372036854775807",
    "0x10",
    "1_000",
    "1e3",
    "1.0",
];

/// Words, lists and tables.
const WORDS: &[&str] = &[
    "true",
    "false",
    "\"any\"",
    "\"all\"",
    "[]",
    "[\"sink\"]",
    "[\"sink\", \"rsync\", \"sink\"]",
    "[\"enrol\"]",
    "[1]",
    "{}",
    "{ target = \"tcp://127.0.0.1:1\" }",
    "{ target = \"tcp://a:1\", proxy_protocol = true, connect_timeout = \"1s\" }",
    "{ target = \"tcp://a:1\", connect_timeout = \"11s\" }",
    "{ target = \"tcp://a:1\", proxy = true }",
    "\"master\"",
    "\"storage-node\"",
    "\"node-eu-02\"",
    "\"Not a name\"",
    "\"-a\"",
    "\"text\"",
    "\"json\"",
    "\"xml\"",
    "\"require\"",
    "\"prefer\"",
    "\"sallyport\"",
    "\"a:b\"",
    "\"12345678901234567890123456789012\"",
    "\"123456789012345678901234567890123\"",
];

/// Levels of the log.
const LEVELS: &[&str] = &[
    "\"info\"",
    "\"loud\"",
    "\"info,relay_edge=debug\"",
    "\"info,\"",
    "\"[{a=1}]=debug\"",
    "\"a[b{c=\\\"d\\\"}]=trace\"",
    "\"off\"",
];

/// Paths, and texts that are none.
const PATHS: &[&str] = &[
    "\"\"",
    "\"/\"",
    "\"../a/./b\"",
    "'''\nline'''",
    "\"\\u0000\"",
    "\"\\u202e #\\n\\\"\"",
    "\"spki:0000000000000000000000000000000000000000000000000000000000000000\"",
];

/// Values of every kind, as they stand behind `=`.
pub(super) const VALUES: [&[&str]; 6] = [DURATIONS, ADDRESSES, NUMBERS, WORDS, LEVELS, PATHS];

/// The values of the kind that this one seems to be.
pub(super) fn kind(value: &str) -> &'static [&'static str] {
    let text = value.trim_matches('"');
    if value.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-') {
        NUMBERS
    } else if text.contains(':') {
        ADDRESSES
    } else if text.starts_with(|first: char| first.is_ascii_digit()) {
        DURATIONS
    } else {
        WORDS
    }
}

/// Every line of the examples, switched on.
pub(super) static LINES: LazyLock<Vec<String>> = LazyLock::new(|| {
    let all = [EXAMPLE, EXAMPLE_MASTER, EXAMPLE_STORAGE_NODE].map(switched_on).concat();
    all.lines().map(ToOwned::to_owned).collect::<BTreeSet<_>>().into_iter().collect()
});

/// The words of the dictionary: every key, every table, and the values.
#[must_use]
pub fn words() -> Vec<String> {
    let word = |line: &String| line.split_once(" = ").map_or_else(|| line.clone(), |(key, _)| format!("{key} = "));
    let mut words: BTreeSet<String> =
        LINES.iter().filter(|line| !line.starts_with(' ') && *line != "]").map(word).collect();
    words.extend(VALUES.iter().copied().flatten().map(|value| (*value).to_owned()));
    words.into_iter().filter(|word| word.len() <= 64).collect()
}
