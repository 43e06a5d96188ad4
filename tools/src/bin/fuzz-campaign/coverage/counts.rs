//! What `llvm-cov export` says: totals from its JSON, single lines from its LCOV.

use std::{collections::BTreeMap, fmt::Write, path::Path};

use serde::{Deserialize, Serialize};

/// How much of something was reached.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Share {
    /// All there is.
    pub count: u64,
    /// What was reached.
    pub covered: u64,
}

/// The totals of one profile.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Totals {
    /// Lines with code.
    pub lines: Share,
    /// Pieces of code that are run as a whole.
    pub regions: Share,
    /// Functions.
    pub functions: Share,
    /// Outcomes of conditions; 0 where the compiler does not count them.
    #[serde(default)]
    pub branches: Share,
}

/// Lines of one file that no input reached: first and last of each run.
pub type Gaps = BTreeMap<String, Vec<(usize, usize)>>;

impl Share {
    /// Of a hundred; all of nothing is all.
    #[allow(clippy::cast_precision_loss, reason = "counts of lines are far below 2^53")]
    pub fn percent(self) -> f64 {
        if self.count == 0 { 100.0 } else { self.covered as f64 * 100.0 / self.count as f64 }
    }
}

impl Totals {
    /// The totals in `llvm-cov export --summary-only`.
    pub fn parse(json: &str) -> Option<Self> {
        #[derive(Deserialize)]
        struct Export {
            data: Vec<Data>,
        }
        #[derive(Deserialize)]
        struct Data {
            totals: Totals,
        }
        let export: Export = serde_json::from_str(json).ok()?;
        export.data.into_iter().next().map(|data| data.totals)
    }
}

/// The lines without a hit in LCOV, by file, named from `root`. Lines without code join two runs.
pub fn gaps(lcov: &str, root: &Path) -> Gaps {
    let mut gaps = Gaps::new();
    let mut file = String::new();
    // Whether the line with code before this one was missed.
    let mut open = false;
    for line in lcov.lines() {
        if let Some(path) = line.strip_prefix("SF:") {
            file = Path::new(path).strip_prefix(root).unwrap_or(Path::new(path)).display().to_string();
            open = false;
        } else if let Some((number, hits)) = line.strip_prefix("DA:").and_then(|data| data.split_once(',')) {
            let Ok(number) = number.parse::<usize>() else { continue };
            let missed = hits.split(',').next() == Some("0");
            if missed {
                let runs = gaps.entry(file.clone()).or_default();
                match runs.last_mut().filter(|_| open) {
                    Some((_, last)) => *last = number,
                    None => runs.push((number, number)),
                }
            }
            open = missed;
        }
    }
    gaps
}

/// The gaps as a text that a document can quote: file, lines, and how the first of them reads.
pub fn render(gaps: &Gaps, mut line_of: impl FnMut(&str, usize) -> String) -> String {
    let mut out = String::new();
    for (file, runs) in gaps {
        // Writing to a string cannot fail.
        let _ = writeln!(out, "{file}");
        for (first, last) in runs {
            let lines = if first == last { first.to_string() } else { format!("{first}-{last}") };
            let _ = writeln!(out, "  {lines:<11}{}", line_of(file, *first).trim());
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn totals_are_read_with_and_without_branches() {
        let share = |count, covered| Share { count, covered };
        let json = r#"{"data":[{"files":[],"totals":{"branches":{"count":0,"covered":0,"notcovered":0,"percent":0},
            "functions":{"count":4,"covered":3,"percent":75},"instantiations":{"count":9,"covered":9},
            "lines":{"count":100,"covered":96,"percent":96},"regions":{"count":50,"covered":25,"notcovered":25}}}],
            "type":"llvm.coverage.json.export","version":"3.1.0"}"#;
        let totals = Totals::parse(json).unwrap();
        let expected =
            Totals { lines: share(100, 96), regions: share(50, 25), functions: share(4, 3), branches: share(0, 0) };
        assert_eq!(totals, expected);
        assert!((totals.lines.percent() - 96.0).abs() < 1e-9 && (totals.branches.percent() - 100.0).abs() < 1e-9);
        assert_eq!(Totals::parse("{}"), None);
        assert_eq!(Totals::parse(""), None);
    }

    #[test]
    fn lines_without_a_hit_are_joined_to_runs() {
        let lcov = "SF:/r/relay/wire/src/a.rs\nFN:1,f\nDA:1,7\nDA:2,0\nDA:3,0\nDA:7,0\nDA:8,1\nDA:9,0\nBRDA:9,0,0,-\n\
                    end_of_record\nSF:/r/relay/wire/src/b.rs\nDA:1,0\nend_of_record\nSF:/r/c.rs\nDA:1,2\nend_of_record\n";
        let gaps = gaps(lcov, Path::new("/r"));
        let expected = [("relay/wire/src/a.rs", vec![(2, 7), (9, 9)]), ("relay/wire/src/b.rs", vec![(1, 1)])];
        assert_eq!(gaps, expected.into_iter().map(|(file, runs)| (file.to_owned(), runs)).collect());
        let text = render(&gaps, |file, line| format!("   {file} {line}"));
        assert!(
            text.starts_with("relay/wire/src/a.rs\n  2-7        relay/wire/src/a.rs 2\n  9          relay"),
            "{text}"
        );
    }
}
