//! Rules by rows: what must be seen when a rule is missing, what was seen, and whether that is the same, cell by cell.

use serde::Serialize;

use super::rows::Row;
use crate::rules::{Rule, RuleSet};

/// What a probe saw.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Seen {
    /// Whether it came through.
    pub works: bool,
    /// What came back: `open`, `silent`, `refused`, or more.
    pub how: String,
}

/// One probe under one set of rules.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Cell {
    /// Whether it must work.
    pub expected: bool,
    /// What was seen.
    pub seen: Seen,
}

impl Cell {
    /// Whether what was seen is what must be.
    #[must_use]
    pub const fn right(&self) -> bool {
        self.expected == self.seen.works
    }
}

/// All probes with one rule missing, or with none.
#[derive(Clone, Debug, Serialize)]
pub struct Line {
    /// Where the rule was taken out.
    pub place: Option<String>,
    /// Its id.
    pub rule: Option<String>,
    /// Its statement in the packet filter.
    pub statement: Option<String>,
    /// A cell for each row, in their order.
    pub cells: Vec<Cell>,
}

/// The whole.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Matrix {
    /// The rows: what is tried.
    pub rows: Vec<Row>,
    /// The lines: what is missing. In the first nothing is.
    pub lines: Vec<Line>,
}

/// What each row must do when a rule is missing: those that need it fail, and nothing else does.
#[must_use]
pub fn expected(rows: &[Row], removed: Option<(&RuleSet, &Rule)>) -> Vec<bool> {
    rows.iter().map(|row| row.works && !removed.is_some_and(|(set, rule)| row.needs(set, rule))).collect()
}

/// What is wrong with a plan before anything is tried: a row that no rule lets pass, a rule that no row needs.
#[must_use]
pub fn gaps(rows: &[Row], sets: &[RuleSet]) -> Vec<String> {
    let mut problems: Vec<String> = rows
        .iter()
        .filter_map(|row| {
            let passage = row.missing(sets)?;
            Some(format!("no rule of {} lets pass what this needs: {}", passage.place.slug(), row.what))
        })
        .collect();
    for set in sets {
        for rule in set.rules.iter().filter(|rule| !rows.iter().any(|row| row.needs(set, rule))) {
            problems.push(format!("nothing needs the rule {} of {}", rule.id, set.place.slug()));
        }
    }
    problems
}

impl Line {
    /// Joins what must be with what was seen.
    #[must_use]
    pub fn new(
        removed: Option<(&RuleSet, &Rule)>,
        statement: Option<String>,
        expected: &[bool],
        seen: Vec<Seen>,
    ) -> Self {
        Self {
            place: removed.map(|(set, _)| set.place.slug()),
            rule: removed.map(|(_, rule)| rule.id.to_string()),
            statement,
            cells: expected.iter().zip(seen).map(|(&expected, seen)| Cell { expected, seen }).collect(),
        }
    }
}

impl Matrix {
    /// A sentence for each cell that is wrong.
    #[must_use]
    pub fn problems(&self) -> Vec<String> {
        let mut problems = Vec::new();
        for line in &self.lines {
            let when = match (&line.rule, &line.place) {
                (Some(rule), Some(place)) => format!("without {rule} of {place}"),
                _ => "with every rule".to_owned(),
            };
            for (cell, row) in line.cells.iter().zip(&self.rows).filter(|(cell, _)| !cell.right()) {
                let (must, how) = (if cell.expected { "must work" } else { "must not work" }, &cell.seen.how);
                problems.push(format!("{when}, this {must} and was {how}: {}", row.what));
            }
        }
        problems
    }

    /// How many cells there are.
    #[must_use]
    pub fn cells(&self) -> usize {
        self.lines.iter().map(|line| line.cells.len()).sum()
    }
}
