//! What the lab will try: the rules that the needs of its relay give, the rows, and what must be seen of each under each.

use std::{fmt::Write, net::IpAddr, path::Path};

use serde::Serialize;

use super::{
    error::LabError,
    matrix::{self, Cell, Line, Matrix, Seen},
    rows::{self, EDGE, Row},
    topology::{DEVICES, Host},
};
use crate::{
    format::nftables,
    needs::{self, Needs, arguments::NeedsArgs},
    network::{Family, Network},
    rules::{self, Rule, RuleSet, Traffic},
};

/// A plan. In JSON the rules and the expected matrix.
#[derive(Debug, Serialize)]
pub struct Plan {
    /// The edge's port.
    pub port: u16,
    /// The rules of each place.
    pub sets: Vec<RuleSet>,
    /// The rows.
    pub rows: Vec<Row>,
    /// What does not fit together before anything is tried.
    pub gaps: Vec<String>,
}

impl Plan {
    /// For an edge on this port and devices from these networks; from the lab's own if none is named.
    ///
    /// # Errors
    /// If the rules cannot be made of that.
    pub fn new(port: u16, clients: &[Network]) -> Result<Self, LabError> {
        let addresses = Family::ALL.map(|family| Host::Edge.address(family).to_string()).join(",");
        let edges = vec![format!("{EDGE}={addresses}").parse().map_err(wrong)?];
        let sets = rules::all(&needs(NeedsArgs { edges, port: Some(port), ..NeedsArgs::default() }, clients)?);
        let rows = rows::rows(&EDGE.parse().map_err(wrong)?, port);
        let gaps = matrix::gaps(&rows, &sets);
        Ok(Self { port, sets, rows, gaps })
    }

    /// Notes whether the edge's own configuration gives the same rules.
    ///
    /// # Errors
    /// If no rules can be made of it.
    pub fn compare_with_config(&mut self, config: &Path, clients: &[Network]) -> Result<(), LabError> {
        let configs = vec![format!("{EDGE}={}", config.display()).parse().map_err(wrong)?];
        let sets = rules::all(&needs(NeedsArgs { configs, ..NeedsArgs::default() }, clients)?);
        if sets != self.sets {
            self.gaps
                .push("the edge's configuration gives other rules than its address and port as arguments".to_owned());
        }
        Ok(())
    }

    /// Every rule with its place, in the order in which they are taken out.
    ///
    /// Those for packets of running connections come last: without them the edge is left with connections that are half
    /// open, repeats what was not answered for a minute, and thereby makes itself known to its neighbours.
    #[must_use]
    pub fn rules(&self) -> Vec<(&RuleSet, &Rule)> {
        let all = self.sets.iter().flat_map(|set| set.rules.iter().map(move |rule| (set, rule)));
        let (established, others): (Vec<_>, Vec<_>) = all.partition(|(_, rule)| rule.traffic == Traffic::Established);
        let (opening, others): (Vec<_>, Vec<_>) = others.into_iter().partition(|(_, rule)| rule.flow().is_some());
        [opening, others, established].concat()
    }

    /// The matrix as it must be seen.
    #[must_use]
    pub fn expected(&self) -> Matrix {
        let line = |removed: Option<(&RuleSet, &Rule)>| {
            let expected = matrix::expected(&self.rows, removed);
            let seen = expected.iter().map(|&works| Seen { works, how: "planned".to_owned() }).collect();
            Line::new(removed, removed.map(|(_, rule)| nftables::statement(rule)), &expected, seen)
        };
        let lines = std::iter::once(line(None)).chain(self.rules().into_iter().map(|removed| line(Some(removed))));
        Matrix { rows: self.rows.clone(), lines: lines.collect() }
    }

    /// For a terminal.
    #[must_use]
    pub fn text(&self) -> String {
        let matrix = self.expected();
        let mut out = String::from("With every rule, these work:\n");
        // Writing to a string cannot fail, here and below.
        for row in self.rows.iter().filter(|row| row.works) {
            let _ = writeln!(out, "  {}", row.what);
        }
        out.push_str("and these never do:\n");
        for row in self.rows.iter().filter(|row| !row.works) {
            let _ = writeln!(out, "  {}", row.what);
        }
        out.push_str("\nEach rule alone is taken out, and exactly these stop working:\n");
        for line in &matrix.lines {
            let (Some(place), Some(rule)) = (&line.place, &line.rule) else { continue };
            let _ = writeln!(out, "  {place}: {rule}");
            for (cell, row) in line.cells.iter().zip(&matrix.rows).filter(|(cell, row)| row.works && !cell.expected) {
                debug_assert!(Cell::right(cell));
                let _ = writeln!(out, "      {}", row.what);
            }
        }
        for gap in &self.gaps {
            let _ = writeln!(out, "\nDoes not fit together: {gap}");
        }
        out
    }

    /// For programs.
    #[must_use]
    pub fn json(&self) -> String {
        let planned = serde_json::json!({ "plan": self, "matrix": self.expected() });
        format!("{planned:#}\n")
    }
}

fn wrong(reason: impl ToString) -> LabError {
    LabError::failed("state what the lab's relay needs", reason)
}

/// What must flow, when an edge is known: the lab's backends, and devices from these networks.
fn needs(known: NeedsArgs, clients: &[Network]) -> Result<Needs, LabError> {
    let clients = if clients.is_empty() {
        DEVICES.iter().map(|text| text.parse()).collect::<Result<Vec<Network>, _>>().map_err(wrong)?
    } else {
        clients.to_vec()
    };
    for family in Family::ALL {
        let device = Host::Devices.address(family);
        if !clients.iter().any(|network| network.contains(Network::host(device))) {
            return Err(LabError::Missing(unreachable_devices(device)));
        }
    }
    let backend = |host: Host| {
        let addresses = Family::ALL.map(|family| host.address(family).to_string()).join(",");
        format!("{}={addresses}", host.name()).parse().map_err(wrong)
    };
    let arguments = NeedsArgs {
        masters: vec![backend(Host::Master)?],
        nodes: vec![backend(Host::NodeA)?, backend(Host::NodeB)?],
        clients,
        ..known
    };
    Ok(needs::combine(&arguments).map_err(wrong)?.needs)
}

fn unreachable_devices(device: IpAddr) -> String {
    format!(
        "--clients leaves out the lab's own devices, at {device}; name networks with {}, or all: 0.0.0.0/0,::/0",
        DEVICES.join(" and ")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn everywhere() -> Vec<Network> {
        Family::ALL.map(Network::any).into()
    }

    /// The rows that stop without a rule.
    fn stop(plan: &Plan, id: &str) -> Vec<String> {
        let (set, rule) = *plan.rules().iter().find(|(_, rule)| rule.id.as_str() == id).unwrap();
        plan.rows.iter().filter(|row| row.needs(set, rule)).map(|row| row.what.clone()).collect()
    }

    #[test]
    fn every_row_has_its_rules_and_every_rule_a_row() {
        for clients in [Vec::new(), everywhere()] {
            let plan = Plan::new(8443, &clients).unwrap();
            assert_eq!(plan.gaps, Vec::<String>::new());
            assert!(plan.rules().len() > 20, "{}", plan.rules().len());
        }
    }

    #[test]
    fn a_rule_that_opens_a_connection_has_exactly_one_row() {
        let plan = Plan::new(8443, &[]).unwrap();
        let opening: Vec<_> = plan.rules().into_iter().filter(|(_, rule)| rule.flow().is_some()).collect();
        assert_eq!(opening.len(), 6 + 2 + 8, "firewall 1, firewall 2, the edge's host");
        for (set, rule) in opening {
            let rows = plan.rows.iter().filter(|row| row.needs(set, rule)).count();
            assert_eq!(rows, 1, "{}", rule.id);
        }
    }

    #[test]
    fn the_rules_that_hold_things_together_have_the_rows_that_the_design_says() {
        let plan = Plan::new(8443, &everywhere()).unwrap();
        assert_eq!(stop(&plan, "fw2-established").len(), 2, "a device over each protocol");
        assert_eq!(stop(&plan, "fw1-established").len(), 6, "each backend over each protocol");
        assert_eq!(stop(&plan, "host-out-established").len(), 8, "everybody");
        let neighbours = stop(&plan, "host-in-neighbours");
        assert!(neighbours.len() == 6 && neighbours.iter().all(|row| row.ends_with("over IPv6")), "{neighbours:?}");
        assert_eq!(stop(&plan, "host-out-listeners"), ["the edge's host tells its switch what it listens to"]);
        // A rule for devices anywhere is the backends' rule at the edge's host too.
        assert_eq!(stop(&plan, "host-in-clients-to-192-0-2-10-8443").len(), 4);
    }

    #[test]
    fn a_gap_in_the_rules_is_seen_before_anything_is_tried() {
        let mut plan = Plan::new(8443, &[]).unwrap();
        let gone = plan.sets[0].rules.pop().unwrap();
        plan.sets[1].rules.push(gone.clone());
        let gaps = matrix::gaps(&plan.rows, &plan.sets).join("\n");
        assert!(gaps.contains("no rule of firewall-1 lets pass what this needs: node-b opens"), "{gaps}");
        assert!(gaps.contains(&format!("nothing needs the rule {} of firewall-2", gone.id)), "{gaps}");
    }

    #[test]
    fn clients_without_the_labs_devices_are_refused() {
        let clients = ["10.0.0.0/8".parse().unwrap()];
        assert!(matches!(Plan::new(8443, &clients), Err(LabError::Missing(_))));
    }
}
