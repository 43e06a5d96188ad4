//! What came of it: for every defect whether it was found, by what and how fast; as a table and as JSON.

use std::{collections::BTreeMap, fmt::Write};

use serde::Serialize;

use super::hunt::Hunt;
use crate::report::text::{count, seconds};

/// Seeds of ten in which a defect has to be found.
const NEEDED_OF_TEN: usize = 9;

/// How it went with one defect.
#[derive(Clone, Debug, Serialize)]
pub struct Row {
    /// The patch's name.
    pub defect: String,
    /// Its header's lines, where it has any.
    pub header: BTreeMap<String, String>,
    /// What became of it.
    pub status: Status,
    /// Why, where the status leaves that open.
    pub note: String,
    /// The hunts, one for each seed.
    pub hunts: Vec<Hunt>,
    /// The same without oracles, where a control was asked for.
    pub control: Vec<Hunt>,
    /// The build and all hunts.
    pub seconds: f64,
}

/// What became of a defect.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Status {
    /// Found in enough of its seeds.
    Killed,
    /// Not found in enough of them.
    Missed,
    /// The patch does not fit this tree, or is none.
    NotApplied,
    /// The patched tree does not build, or a target of it does not run.
    NotBuilt,
    /// No target links what it changes.
    NotLinked,
    /// Ended before its time.
    Interrupted,
}

/// Hunts without oracles, on the same builds.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Control {
    /// Hunts for each defect.
    pub seeds: u64,
    /// Executions of a hunt at most.
    pub cap: u64,
}

/// The whole ledger.
#[derive(Clone, Debug, Serialize)]
pub struct Outcome {
    /// `rustc 1.95.0 (...)`, where anything was built.
    pub toolchain: Option<String>,
    /// The clean tree's revision, where git knows one.
    pub revision: Option<String>,
    /// Hunts for each defect.
    pub seeds: u64,
    /// Executions of a hunt at most.
    pub cap: u64,
    /// Without oracles only panics are found: the control.
    pub oracles: bool,
    /// What was run beside it without them.
    pub control: Option<Control>,
    /// By name.
    pub rows: Vec<Row>,
}

/// Hunts that found it.
fn kills(hunts: &[Hunt]) -> usize {
    hunts.iter().filter(|hunt| hunt.kill.is_some()).count()
}

impl Row {
    /// Of a defect that nothing is known about yet.
    pub fn new(defect: String) -> Self {
        let (header, note) = (BTreeMap::new(), String::new());
        let (hunts, control) = (Vec::new(), Vec::new());
        Self { defect, header, status: Status::Interrupted, note, hunts, control, seconds: 0.0 }
    }

    /// One line on it.
    pub fn summary(&self) -> String {
        match self.status {
            Status::Killed | Status::Missed => format!("found in {} of {} hunts", self.kills(), self.hunts.len()),
            Status::NotApplied | Status::NotBuilt | Status::NotLinked => self.note.clone(),
            Status::Interrupted => "interrupted".to_owned(),
        }
    }

    /// Seeds in which it was found.
    pub fn kills(&self) -> usize {
        kills(&self.hunts)
    }

    /// Whether that is enough.
    pub fn is_killed(&self) -> bool {
        !self.hunts.is_empty() && self.kills() * 10 >= self.hunts.len() * NEEDED_OF_TEN
    }

    /// Executions to find it, ascending; `None`: not found within the cap.
    fn executions(&self) -> Vec<Option<u64>> {
        let mut executions: Vec<_> =
            self.hunts.iter().map(|hunt| hunt.kill.is_some().then_some(hunt.executions)).collect();
        executions.sort_by_key(|executions| executions.unwrap_or(u64::MAX));
        executions
    }

    /// The middle of the hunts; of an even number the later one.
    fn median(&self) -> Option<Option<u64>> {
        let executions = self.executions();
        executions.get(executions.len() / 2).copied()
    }

    /// The oracles that saw it, the most frequent first.
    fn oracles(&self) -> String {
        let mut seen: BTreeMap<String, usize> = BTreeMap::new();
        for kill in self.hunts.iter().filter_map(|hunt| hunt.kill.as_ref()) {
            let oracle = kill.class.split_once(": ").map_or(kill.class.as_str(), |(oracle, _)| oracle);
            let named = if kill.target == oracle { oracle.to_owned() } else { format!("{oracle} ({})", kill.target) };
            *seen.entry(named).or_default() += 1;
        }
        let mut seen: Vec<_> = seen.into_iter().collect();
        seen.sort_by_key(|(_, times)| std::cmp::Reverse(*times));
        let more = seen.len().saturating_sub(2);
        let mut text = seen.into_iter().take(2).map(|(oracle, _)| oracle).collect::<Vec<_>>().join(", ");
        if more > 0 {
            text.push_str(&format!(" and {more} more"));
        }
        text
    }
}

impl Outcome {
    /// Patches that could not be tried.
    pub fn unusable(&self) -> Vec<&Row> {
        let unusable = |row: &&Row| match row.status {
            Status::NotApplied | Status::NotBuilt | Status::NotLinked => true,
            Status::Killed | Status::Missed | Status::Interrupted => false,
        };
        self.rows.iter().filter(unusable).collect()
    }

    /// Whether every defect was found in enough of its seeds.
    pub fn is_clean(&self) -> bool {
        self.rows.iter().all(|row| row.status == Status::Killed)
    }

    /// The table for a terminal.
    pub fn render(&self) -> String {
        let control = if self.control.is_some() { "without oracles" } else { "" };
        let header = ["defect", "class", "killed", "median", "worst", control, "time", "seen by"];
        let mut rows = vec![header.map(str::to_owned)];
        rows.extend(self.rows.iter().map(|row| self.cells(row)));
        let widths: [usize; 8] =
            std::array::from_fn(|column| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or_default());
        let mut out = String::new();
        for row in &rows {
            let mut line = String::new();
            for (column, (cell, width)) in row.iter().zip(widths).enumerate() {
                // Writing to a string cannot fail.
                let _ = match column {
                    _ if width == 0 => Ok(()),
                    2..=6 => write!(line, "{cell:>width$}  "),
                    _ => write!(line, "{cell:<width$}  "),
                };
            }
            out.push_str(line.trim_end());
            out.push('\n');
        }
        out.push('\n');
        out.push_str(&self.verdict());
        out
    }

    fn cells(&self, row: &Row) -> [String; 8] {
        let within = |executions: Option<u64>| executions.map_or_else(|| format!("> {}", count(self.cap)), count);
        let class = row.header.get("class").map_or("-", String::as_str).to_owned();
        let (killed, median, worst) = match row.status {
            _ if row.hunts.is_empty() => ("-".to_owned(), "-".to_owned(), "-".to_owned()),
            Status::Killed
            | Status::Missed
            | Status::Interrupted
            | Status::NotApplied
            | Status::NotBuilt
            | Status::NotLinked => (
                format!("{} of {}", row.kills(), row.hunts.len()),
                row.median().map_or_else(String::new, within),
                row.executions().last().copied().map_or_else(String::new, within),
            ),
        };
        let seen = match row.status {
            Status::Killed => row.oracles(),
            Status::Missed if row.kills() == 0 => "MISSED".to_owned(),
            Status::Missed => format!("MISSED; {}", row.oracles()),
            Status::NotApplied | Status::NotBuilt | Status::NotLinked => row.note.clone(),
            Status::Interrupted => "interrupted".to_owned(),
        };
        let noise = row.hunts.iter().any(|hunt| !hunt.also_clean.is_empty());
        let seen = if noise { format!("{seen} (and findings that the clean tree has too)") } else { seen };
        let control = match (&self.control, row.control.len()) {
            (None, _) => String::new(),
            (Some(_), 0) => "-".to_owned(),
            (Some(_), hunts) => format!("{} of {hunts}", kills(&row.control)),
        };
        [row.defect.clone(), class, killed, median, worst, control, seconds(row.seconds), seen]
    }

    /// What it comes to.
    pub fn verdict(&self) -> String {
        let killed = self.rows.iter().filter(|row| row.status == Status::Killed).count();
        let mut text = format!("{killed} of {} planted defects found in at least 9 of 10 seeds", self.rows.len());
        let mut medians: Vec<u64> = self.rows.iter().filter_map(|row| row.median().flatten()).collect();
        medians.sort_unstable();
        if let (Some(middle), Some(worst)) = (medians.get(medians.len() / 2), medians.last()) {
            let _ = write!(text, "; median executions {} ({} at most)", count(*middle), count(*worst));
        }
        let _ = writeln!(text, "; {} seeds each, up to {} executions.", self.seeds, count(self.cap));
        if let Some(Control { seeds, cap }) = &self.control {
            let found = self.rows.iter().filter(|row| kills(&row.control) > 0).count();
            let _ = writeln!(
                text,
                "Without oracles, where only panics are found: {found} of {} in any of {seeds} seeds, up to {} executions.",
                self.rows.len(),
                count(*cap)
            );
        }
        if !self.oracles {
            text.push_str("The oracles were off: this is the control, in which only panics are found.\n");
        }
        let unusable = self.unusable().len();
        if unusable > 0 {
            let _ = writeln!(text, "{unusable} could not be tried.");
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::hunt::Kill;

    fn hunt(executions: u64, class: Option<&str>) -> Hunt {
        let kill = class.map(|class| Kill {
            target: "ios_specification".to_owned(),
            class: class.to_owned(),
            input: std::path::PathBuf::from("x"),
        });
        Hunt { seed: 1, executions, seconds: 1.0, kill, also_clean: Vec::new() }
    }

    fn row(defect: &str, status: Status, hunts: Vec<Hunt>) -> Row {
        Row {
            defect: defect.to_owned(),
            header: BTreeMap::from([("class".to_owned(), "silent-accept".to_owned())]),
            status,
            note: "does not apply: there is no file x".to_owned(),
            hunts,
            control: Vec::new(),
            seconds: 12.0,
        }
    }

    #[test]
    fn nine_of_ten_are_enough() {
        let found = || hunt(10, Some("panic: relay/wire/src/x.rs:1"));
        let with = |kills: usize, of: usize| {
            let hunts = (0..of).map(|at| if at < kills { found() } else { hunt(99, None) }).collect();
            row("x", Status::Missed, hunts).is_killed()
        };
        assert!(with(10, 10) && with(9, 10) && with(3, 3) && with(18, 20));
        assert!(!with(8, 10) && !with(2, 3) && !with(17, 20) && !with(0, 0));
    }

    #[test]
    fn the_table_says_what_came_of_each() {
        let seen = "ios_specification: relay-wire says ok";
        let outcome = Outcome {
            toolchain: None,
            revision: None,
            seeds: 3,
            cap: 20_000_000,
            oracles: true,
            control: None,
            rows: vec![
                row(
                    "01-a",
                    Status::Killed,
                    vec![hunt(3_000, Some(seen)), hunt(10, Some(seen)), hunt(2_000, Some("panic: x.rs:1"))],
                ),
                row("02-b", Status::Missed, vec![hunt(5, Some(seen)), hunt(20_000_000, None), hunt(20_000_000, None)]),
                row("03-c", Status::NotApplied, Vec::new()),
            ],
        };
        let table = outcome.render();
        let lines: Vec<&str> = table.lines().collect();
        assert!(lines[1].contains("3 of 3   ") && lines[1].contains("2,000") && lines[1].contains("3,000"), "{table}");
        assert!(lines[1].ends_with("ios_specification, panic (ios_specification)"), "{table}");
        assert!(lines[2].contains("1 of 3  > 20,000,000  > 20,000,000") && lines[2].contains("MISSED"), "{table}");
        assert!(lines[3].contains("no file x"), "{table}");
        assert!(table.contains("1 of 3 planted defects") && table.contains("1 could not be tried"), "{table}");
        assert!(!outcome.is_clean());
    }
}
