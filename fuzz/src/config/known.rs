//! What the example files say: which keys there are, their defaults, and the ranges of the limits.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::LazyLock,
};

use regex::Regex;
use relay_backend::config::{EXAMPLE_MASTER, EXAMPLE_STORAGE_NODE};
use relay_edge::config::EXAMPLE;
use toml::{Table, Value};

/// The settings of an example without its comments.
pub(super) fn plain(example: &str) -> String {
    example.lines().filter(|line| !line.starts_with('#') && !line.is_empty()).map(|line| format!("{line}\n")).collect()
}

/// The same with every setting switched on that is commented out: `#key = …` at the edge, `# key = …` and `## …` at a backend.
pub(super) fn switched_on(example: &str) -> String {
    static SETTING: LazyLock<Regex> =
        LazyLock::new(|| pattern(r"^(?:# ([a-z_]+ = .*)|## (.*)|#( {4}\{.*|[\]a-z].*))$"));
    let line = |line: &str| match SETTING.captures(line) {
        Some(found) => found.iter().skip(1).flatten().map(|part| format!("{}\n", part.as_str())).collect(),
        None if line.starts_with('#') || line.is_empty() => String::new(),
        None => format!("{line}\n"),
    };
    example.lines().map(line).collect()
}

fn pattern(pattern: &str) -> Regex {
    Regex::new(pattern).unwrap_or_else(|error| panic!("a pattern of the configuration oracle: {error}"))
}

fn table(text: &str) -> Table {
    text.parse().unwrap_or_else(|error| panic!("an example is no TOML: {error}"))
}

/// The keys of a configuration, and what is in the example.
pub(super) struct Known {
    /// Every key, from the root, with dots.
    pub(super) keys: BTreeSet<String>,
    /// The example, everything switched on.
    pub(super) example: Table,
}

impl Known {
    fn of(examples: &[&str]) -> Self {
        let mut keys = BTreeSet::new();
        for example in examples {
            paths("", &Value::Table(table(&switched_on(example))), &mut keys);
        }
        Self { keys, example: table(&switched_on(examples[0])) }
    }
}

pub(super) static EDGE: LazyLock<Known> = LazyLock::new(|| Known::of(&[EXAMPLE]));
pub(super) static NODE: LazyLock<Known> = LazyLock::new(|| Known::of(&[EXAMPLE_STORAGE_NODE]));
/// A master has the releases of the edge.
pub(super) static MASTER: LazyLock<Known> = LazyLock::new(|| {
    let mut known = Known::of(&[EXAMPLE_MASTER]);
    known.keys.extend(EDGE.keys.iter().filter(|key| key.starts_with("releases.")).cloned());
    known
});

/// Every key of a value, from the root; places in lists are left out.
pub(super) fn paths(at: &str, value: &Value, keys: &mut BTreeSet<String>) {
    match value {
        Value::Table(table) => {
            for (key, value) in table {
                let path = if at.is_empty() { key.clone() } else { format!("{at}.{key}") };
                paths(&path, value, keys);
                keys.insert(path);
            }
        }
        Value::Array(values) => values.iter().for_each(|value| paths(at, value, keys)),
        Value::String(_) | Value::Integer(_) | Value::Float(_) | Value::Boolean(_) | Value::Datetime(_) => {}
    }
}

/// The range of each limit of the edge, as the last "N to M" of the comment above it says.
pub(super) static RANGES: LazyLock<BTreeMap<String, (i64, i64)>> = LazyLock::new(|| {
    let range = pattern(r"(\d+) to (\d+)[.;]");
    let setting = pattern(r"^([a-z_]+) = \d+$");
    let (mut ranges, mut last) = (BTreeMap::new(), None);
    for line in EXAMPLE.lines() {
        if let Some(found) = range.captures_iter(line).last() {
            last = found[1].parse().ok().zip(found[2].parse().ok());
        } else if let Some(found) = setting.captures(line) {
            let range = last.take().unwrap_or_else(|| panic!("{line}: the example says no range"));
            ranges.insert(found[1].to_owned(), range);
        }
    }
    ranges
});
