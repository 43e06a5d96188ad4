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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lab::plan::Plan;

    #[test]
    fn every_cell_that_is_not_as_it_must_be_is_told_with_its_rule() {
        let plan = Plan::new(8443, &[]).unwrap();
        let mut matrix = plan.expected();
        assert_eq!(matrix.problems(), Vec::<String>::new());
        // A row that works although its rule is gone, one that does not although nothing is, and one that never may.
        let line = matrix.lines.iter().position(|line| line.rule.as_deref() == Some("fw1-established")).unwrap();
        let taken = matrix.lines[line].cells.iter().position(|cell| !cell.expected).unwrap();
        matrix.lines[line].cells[taken].seen = Seen { works: true, how: "open".to_owned() };
        matrix.lines[0].cells[0].seen = Seen { works: false, how: "silent".to_owned() };
        let last = matrix.rows.len() - 1;
        matrix.lines[0].cells[last].seen = Seen { works: true, how: "open".to_owned() };
        let problems = matrix.problems();
        assert_eq!(
            problems,
            [
                "with every rule, this must work and was silent: a device opens a connection to the edge over IPv4",
                "with every rule, this must not work and was open: the master reaches the edge's admin address",
                "without fw1-established of firewall-1, this must not work and was open: the master opens a control connection \
                 to the edge over IPv4",
            ]
        );
    }

    #[test]
    fn what_never_works_is_expected_to_fail_under_every_rule() {
        let plan = Plan::new(8443, &[]).unwrap();
        for line in plan.expected().lines {
            for (cell, row) in line.cells.iter().zip(&plan.rows) {
                assert!(row.works || !cell.expected, "{}", row.what);
            }
        }
    }
}
