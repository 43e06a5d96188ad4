//! `table`: several reports as one table, one column per client.

use std::{fmt::Write, path::Path};

use serde::Deserialize;

use super::{Overall, SCHEMA};
use crate::{
    cli::{TableArgs, print},
    error::Error,
};

/// The largest report that is read.
const FILE_BYTES_MAX: u64 = 64 << 20;

/// As much of a report as the table shows.
#[derive(Deserialize)]
struct Column {
    schema: u32,
    label: String,
    trials: Vec<Cell>,
}

#[derive(Deserialize)]
struct Cell {
    name: String,
    expected: String,
    outcome: String,
    verdict: String,
    note: Option<String>,
    leaked_bytes: u64,
}

/// Joins reports.
///
/// # Errors
/// A file that is no report.
pub fn execute(arguments: &TableArgs) -> Result<Overall, Error> {
    let columns = arguments.reports.iter().map(|path| read(path)).collect::<Result<Vec<_>, _>>()?;
    print(&render(&columns))?;
    Ok(Overall::Right)
}

fn read(path: &Path) -> Result<Column, Error> {
    let size = std::fs::metadata(path).map_err(Error::file("read", path))?.len();
    let wrong = |what: String| {
        Error::Usage(format!("{}: {what}; give files that `serve --report NAME.json` wrote", path.display()))
    };
    if size > FILE_BYTES_MAX {
        return Err(wrong(format!("{size} bytes are too many for a report")));
    }
    let text = std::fs::read(path).map_err(Error::file("read", path))?;
    let column: Column = serde_json::from_slice(&text).map_err(|error| wrong(format!("no report: {error}")))?;
    if column.schema != SCHEMA {
        return Err(wrong(format!("a report of version {}, not {SCHEMA}", column.schema)));
    }
    Ok(column)
}

fn render(columns: &[Column]) -> String {
    let mut names: Vec<&str> = Vec::new();
    for cell in columns.iter().flat_map(|column| &column.trials) {
        if !names.contains(&cell.name.as_str()) {
            names.push(&cell.name);
        }
    }
    let labels: Vec<String> = columns.iter().map(|column| column.label.replace('|', "\\|")).collect();
    let mut out = format!("| trial | {} |\n|---|{}\n", labels.join(" | "), "---|".repeat(columns.len()));
    for name in names {
        let cells: Vec<String> = columns
            .iter()
            .map(|column| column.trials.iter().find(|cell| cell.name == name).map_or_else(String::new, show))
            .collect();
        // Writing to a string cannot fail.
        let _ = writeln!(out, "| `{name}` | {} |", cells.join(" | "));
    }
    let wrong = |column: &Column| column.trials.iter().filter(|cell| cell.verdict == "wrong").count();
    let sums: Vec<String> =
        columns.iter().map(|column| format!("{} of {}", wrong(column), column.trials.len())).collect();
    let _ = writeln!(out, "| **wrong in** | {} |", sums.join(" | "));
    out
}

fn show(cell: &Cell) -> String {
    let leaked = if cell.leaked_bytes > 0 { format!(", {} B", cell.leaked_bytes) } else { String::new() };
    match (cell.verdict.as_str(), cell.outcome.as_str()) {
        ("wrong", "went-along") => "**went along**".to_owned(),
        ("wrong", outcome) => format!("**{outcome}{leaked}**"),
        ("right", outcome) if cell.note.is_some() && cell.expected == "refuse" => format!("({outcome})"),
        ("right", outcome) if cell.expected == "either" => format!("[{outcome}]"),
        ("right", outcome) => outcome.to_owned(),
        _ => "–".to_owned(),
    }
}
