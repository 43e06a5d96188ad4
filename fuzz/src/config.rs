//! Configurations: parsed, printed and parsed again they are the same; a mistake is a list of problems, never a panic.
//!
//! What a configuration means is held against a plain reading of the TOML: the example files say which keys there are, their
//! defaults and their ranges (`known`), `rules` what else must be refused, and `means` what is left of the rest.

use std::path::Path;

use relay_backend::config::{EXAMPLE_MASTER, EXAMPLE_STORAGE_NODE, RoleSettings, Settings};
use relay_edge::config::{Config, EXAMPLE};
use relay_runtime::config::Problems;
use toml::Table;

use crate::finding;

mod known;
mod means;
mod mutate;
mod pool;
mod rules;

pub use mutate::mutate;
pub use pool::words;

/// The names of these oracles in findings.
const EDGE: &str = "edge_config";
const BACKEND: &str = "backend_config";
/// Where relative paths start.
const FILE: &str = "/etc/sallyport/a.toml";
/// Another place: what is printed does not depend on where it lies.
const ELSEWHERE: &str = "b.toml";

/// An edge's configuration: parsed, printed and parsed again it is the same; a mistake is a list of problems, never a panic.
pub fn edge(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let table = text.parse::<Table>();
    match (Config::from_text(text, Path::new(FILE)), table) {
        (Err(problems), _) => presentable(EDGE, &problems),
        (Ok(_), Err(error)) => finding(EDGE, "accepted, and no TOML", error),
        (Ok(config), Ok(table)) => {
            if let Some(reason) = rules::edge(&table) {
                finding(EDGE, format_args!("accepted: {}", reason.class), reason.detail);
            }
            if let Some(other) = means::edge(&table, &config) {
                finding(EDGE, format_args!("another value: {}", other.class), other.detail);
            }
            let print = config.print();
            same(EDGE, &config, print, Config::from_text, Config::print);
        }
    }
}

/// A backend's configuration: the same.
pub fn backend(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let table = text.parse::<Table>();
    match (Settings::from_text(text, Path::new(FILE)), table) {
        (Err(problems), _) => presentable(BACKEND, &problems),
        (Ok(_), Err(error)) => finding(BACKEND, "accepted, and no TOML", error),
        (Ok(settings), Ok(table)) => {
            let master = matches!(settings.role, RoleSettings::Master(_));
            if let Some(reason) = rules::backend(&table, master) {
                finding(BACKEND, format_args!("accepted: {}", reason.class), reason.detail);
            }
            if let Some(other) = means::backend(&table, &settings) {
                finding(BACKEND, format_args!("another value: {}", other.class), other.detail);
            }
            let print = settings.print();
            same(BACKEND, &settings, print, Settings::from_text, Settings::print);
        }
    }
}

/// Printed, parsed and printed again.
fn same<T: PartialEq + std::fmt::Debug>(
    oracle: &str,
    config: &T,
    printed: Result<String, Problems>,
    parse: impl Fn(&str, &Path) -> Result<T, Problems>,
    print: impl Fn(&T) -> Result<String, Problems>,
) {
    let text = match printed {
        Ok(text) => text,
        Err(problems) => return finding(oracle, "cannot be printed", problems),
    };
    match parse(&text, Path::new(ELSEWHERE)) {
        Ok(again) if again == *config => {
            if print(&again).as_ref() != Ok(&text) {
                finding(oracle, "printed in another way the second time", text);
            }
        }
        Ok(again) => finding(oracle, "printed as another", format_args!("{config:?}\n{text}\n{again:?}")),
        Err(problems) => finding(oracle, "what is printed is refused", format_args!("{text}\n{problems}")),
    }
}

/// A refusal names at least one place and what to do there, and repeats little of what it was given.
fn presentable(oracle: &str, problems: &Problems) {
    if problems.is_empty() {
        finding(oracle, "refused without a reason", "");
    }
    for problem in problems {
        let missing = [&problem.path, &problem.problem, &problem.remedy].iter().any(|part| part.is_empty());
        let long =
            problem.value.as_ref().is_some_and(|value| value.chars().count() > 130) || problem.problem.len() > 8_000;
        if missing || long {
            finding(oracle, "a problem that cannot be shown", format_args!("{problem:?}"));
        }
    }
}

/// Real inputs to begin with: the example with and without its defaults, what `init` makes of it, and odd ones.
#[must_use]
pub fn edge_seeds() -> Vec<Vec<u8>> {
    let all = known::switched_on(EXAMPLE);
    let made = all.replace("0.0.0.0:8443", "[::]:443").replace("127.0.0.1:9443", "off");
    let odd = "listen = [\"127.0.0.1:0\", \"127.0.0.1:0\"]\n[drain]\ndeadline = \"1h 30m\"\n[limits]\nspares_per_backend = 0\n";
    let wrong = "listen = []\nadmin = \"somewhere\"\n[log]\nlevel = \"loud\"\n[limits]\nconnections = -1\n";
    [known::plain(EXAMPLE), all, made, String::new(), odd.to_owned(), wrong.to_owned()].map(String::into_bytes).to_vec()
}

/// Real inputs to begin with: both roles.
#[must_use]
pub fn backend_seeds() -> Vec<Vec<u8>> {
    let mut seeds = Vec::new();
    for example in [EXAMPLE_MASTER, EXAMPLE_STORAGE_NODE] {
        let all = known::switched_on(example);
        let made = known::plain(example).replace("edge.example.org:443", "192.0.2.7:8443");
        let services =
            "[services]\nweb = { target = \"tcp://[::1]:80\", proxy_protocol = true, connect_timeout = \"2s\" }\n";
        let upstream = known::plain(example).replace("[services]\n", services);
        let policy = all.replace("backup = \"any\"", "backup = [\"rsync\", \"sink\"]");
        seeds.extend([known::plain(example), all, made, upstream, policy].map(String::into_bytes));
    }
    seeds
}

#[cfg(test)]
mod tests;
