//! A table for people, plain text.

use std::fmt::Write as _;

use super::Document;
use crate::rules::{Direction, Rule, RuleSet, Traffic};

/// The tables of all places.
pub fn render(sets: &[RuleSet]) -> Document {
    let texts: Vec<String> = sets.iter().map(of_place).collect();
    Document { name: "sallyport-rules.txt".to_owned(), text: texts.join("\n") }
}

const HEAD: [&str; 7] = ["direction", "from", "to", "protocol", "port", "state", "rule: why"];

fn of_place(set: &RuleSet) -> String {
    let mut text: String = super::preamble(set).iter().map(|line| format!("{line}\n")).collect();
    text.push('\n');
    let mut rows = vec![HEAD.map(str::to_owned)];
    rows.extend(set.rules.iter().map(row));
    rows.push(["any", "any", "any", "any", "any", "any", "default: everything else is DROPPED"].map(str::to_owned));
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or_default();
    let widths: Vec<usize> = (0..HEAD.len()).map(width).collect();
    for row in &rows {
        let mut line = String::new();
        for (cell, width) in row.iter().zip(&widths) {
            // Writing to a string cannot fail.
            let _ = write!(line, "{cell:width$}  ");
        }
        let _ = writeln!(text, "{}", line.trim_end());
    }
    text
}

fn row(rule: &Rule) -> [String; 7] {
    let direction = match rule.direction {
        Direction::Forward => "through",
        Direction::Input => "in",
        Direction::Output => "out",
    };
    let words = |from: &str, to: &str, protocol: &str, port: &str, state: &str| {
        [direction, from, to, protocol, port, state].map(str::to_owned)
    };
    let [direction, from, to, protocol, port, state] = match &rule.traffic {
        Traffic::Loopback => words("this host", "this host", "any", "any", "any"),
        Traffic::Established => match rule.direction {
            Direction::Forward | Direction::Input => words("any", "any", "any", "any", "established"),
            Direction::Output => words("any", "any", "any", "any", "established, answers"),
        },
        Traffic::IcmpErrors { family } => {
            let protocol = match family {
                crate::network::Family::Ipv4 => "ICMP errors",
                crate::network::Family::Ipv6 => "ICMPv6 errors",
            };
            words("any", "any", protocol, "-", "related")
        }
        Traffic::NeighbourDiscovery => words("link", "link", "ICMPv6 ND", "-", "any"),
        Traffic::MulticastListener => words("link", "link", "ICMPv6 MLD", "-", "any"),
        Traffic::New(flow) => {
            let shown = |network: crate::network::Network| match (network.is_any(), network.family()) {
                (true, family) => format!("any {family}"),
                (false, _) => network.to_string(),
            };
            let (from, to, port) = (shown(flow.source), shown(flow.destination), flow.port.to_string());
            words(&from, &to, &flow.protocol.as_str().to_ascii_uppercase(), &port, "new")
        }
    };
    [direction, from, to, protocol, port, state, rule.comment()]
}
