//! The figures, as a table and as JSON.

use std::fmt::Write as _;

use serde_json::{Value, json};

/// One figure.
struct Figure {
    part: &'static str,
    what: String,
    value: f64,
    unit: &'static str,
}

/// All figures of a run.
pub struct Report {
    load: Option<f64>,
    figures: Vec<Figure>,
    failures: Vec<String>,
    notes: Vec<String>,
}

impl Report {
    /// No figures yet.
    pub fn new() -> Self {
        Self { load: load_average(), figures: Vec::new(), failures: Vec::new(), notes: Vec::new() }
    }

    /// Adds a figure.
    pub fn add(&mut self, part: &'static str, what: impl Into<String>, value: f64, unit: &'static str) {
        self.figures.push(Figure { part, what: what.into(), value, unit });
    }

    /// Something went wrong that must not.
    pub fn fail(&mut self, what: String) {
        crate::say(&what);
        self.failures.push(what);
    }

    /// Something to know beside the figures.
    pub fn note(&mut self, what: impl Into<String>) {
        self.notes.push(what.into());
    }

    /// The value of a figure.
    pub fn value(&self, part: &str, what: &str, unit: &str) -> Option<f64> {
        let mut found = self.figures.iter().filter(|row| row.part == part && row.what == what && row.unit == unit);
        found.next().map(|row| row.value)
    }

    /// Whether anything went wrong.
    pub fn failed(&self) -> bool {
        !self.failures.is_empty()
    }

    /// A table, the notes, the failures.
    pub fn text(&self) -> String {
        let mut text = String::new();
        let width = self.figures.iter().map(|row| row.what.chars().count()).max().unwrap_or(0);
        for Figure { part, what, value, unit } in &self.figures {
            let digits = if *value >= 100.0 { 0 } else { 3 };
            let _ = writeln!(text, "{part:<11} {what:<width$} {value:>12.digits$} {unit}");
        }
        if let Some(load) = self.load {
            let _ = writeln!(text, "load average of the machine at the start: {load}");
        }
        for note in &self.notes {
            let _ = writeln!(text, "{note}");
        }
        for failure in &self.failures {
            let _ = writeln!(text, "FAILED: {failure}");
        }
        text
    }

    /// One object.
    pub fn json(&self) -> String {
        let rows = self.figures.iter().map(
            |Figure { part, what, value, unit }| json!({ "part": part, "what": what, "value": value, "unit": unit }),
        );
        let value = json!({
            "figures": rows.collect::<Vec<Value>>(),
            "load_average_before": self.load,
            "notes": self.notes,
            "failures": self.failures,
        });
        format!("{value:#}\n")
    }
}

fn load_average() -> Option<f64> {
    std::fs::read_to_string("/proc/loadavg").ok()?.split(' ').next()?.parse().ok()
}
