//! What a line of libFuzzer's means.

use super::Figures;

/// What a line says.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Says<'a> {
    /// `#4096 NEW cov: 12 ft: 30 corp: 5/70b exec/s: 0 rss: 30Mb ...`
    Figures(Figures),
    /// `stat::number_of_executed_units: 100`
    Executions(u64),
    /// `INFO: 12 files found in corpus`: once per folder.
    Seeds(u64),
    /// `FINDING class`, by the target itself; its detail follows.
    Finding(&'a str),
    /// `==1== ERROR: libFuzzer: timeout after 10 seconds`, by libFuzzer or a sanitizer: the kind of error.
    Error(&'a str),
    /// `artifact_prefix='./'; Test unit written to ./crash-0`
    Written(&'a str),
    /// Anything else.
    Else,
}

impl<'a> Says<'a> {
    /// Reads one line.
    pub fn parse(line: &'a str) -> Self {
        if let Some(figures) = line.strip_prefix('#').and_then(figures) {
            return Self::Figures(figures);
        }
        if let Some(class) = line.strip_prefix("FINDING ") {
            return Self::Finding(class);
        }
        if let Some(count) = line.strip_prefix("stat::number_of_executed_units:") {
            return count.trim().parse().map_or(Self::Else, Self::Executions);
        }
        if let Some((count, _)) = line.strip_prefix("INFO:").and_then(|rest| rest.split_once(" files found in ")) {
            return count.trim().parse().map_or(Self::Else, Self::Seeds);
        }
        if let Some((_, path)) = line.split_once("Test unit written to ") {
            return Self::Written(path);
        }
        if let Some((_, what)) = line.starts_with("==").then(|| line.split_once("ERROR: ")).flatten() {
            return Self::Error(kind(what));
        }
        Self::Else
    }
}

/// `timeout` and `AddressSanitizer: heap-buffer-overflow`: `libFuzzer: timeout after 10 seconds` and `AddressSanitizer: heap-buffer-overflow on address 0x...` without
/// what differs from run to run.
fn kind(what: &str) -> &str {
    let what = what.strip_prefix("libFuzzer: ").unwrap_or(what);
    let end = [" after ", " on ", " (", " in "].iter().filter_map(|part| what.find(part)).min();
    what[..end.unwrap_or(what.len())].trim_end()
}

fn figures(line: &str) -> Option<Figures> {
    let mut words = line.split_ascii_whitespace();
    let mut figures = Figures { executions: words.next()?.parse().ok()?, ..Figures::default() };
    let mut any = false;
    while let Some(word) = words.next() {
        match word {
            "cov:" => figures.edges = words.next()?.parse().ok()?,
            "ft:" => figures.features = words.next()?.parse().ok()?,
            "corp:" => figures.corpus = words.next()?.split('/').next()?.parse().ok()?,
            _ => continue,
        }
        any = true;
    }
    any.then_some(figures)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_that_matters_is_read() {
        let figures = Figures { executions: 4096, edges: 12, features: 30, corpus: 5 };
        for line in [
            "#4096\tNEW    cov: 12 ft: 30 corp: 5/70b lim: 2048 exec/s: 0 rss: 30Mb L: 1/1 MS: 1 Custom-",
            "#4096\tpulse  cov: 12 ft: 30 corp: 5/70b lim: 2048 exec/s: 0 rss: 30Mb",
            "#4096\tINITED cov: 12 ft: 30 corp: 5/70b exec/s: 0 rss: 30Mb",
        ] {
            assert_eq!(Says::parse(line), Says::Figures(figures), "{line}");
        }
        for (line, says) in [
            ("FINDING linux_specification: x says ok", Says::Finding("linux_specification: x says ok")),
            ("stat::number_of_executed_units: 100000", Says::Executions(100_000)),
            ("INFO:       12 files found in /x/y", Says::Seeds(12)),
            ("==7== ERROR: libFuzzer: timeout after 10 seconds", Says::Error("timeout")),
            ("==7== ERROR: libFuzzer: deadly signal", Says::Error("deadly signal")),
            ("==7== ERROR: libFuzzer: out-of-memory (used: 3Mb; limit: 2Mb)", Says::Error("out-of-memory")),
            (
                "==7==ERROR: AddressSanitizer: heap-buffer-overflow on address 0x602 at pc 0x1",
                Says::Error("AddressSanitizer: heap-buffer-overflow"),
            ),
            ("artifact_prefix='./'; Test unit written to ./crash-0a", Says::Written("./crash-0a")),
            ("==7== ", Says::Else),
            ("#not a number", Says::Else),
            ("", Says::Else),
        ] {
            assert_eq!(Says::parse(line), says, "{line}");
        }
    }
}
