//! ufw: a shell script of its commands.

use std::fmt::Write as _;

use super::Document;
use crate::{
    network::Network,
    rules::{Direction, Place, Rule, RuleSet, Traffic},
};

/// The script of a place.
pub fn render(set: &RuleSet) -> Document {
    let mut text = format!("#!/bin/sh\n{}", super::header(set));
    let defaults: &[&str] = match set.place {
        Place::Firewall1 | Place::Firewall2 => &["routed"],
        Place::EdgeHost(_) => &["incoming", "outgoing", "routed"],
    };
    text.push_str(
        "# `ufw enable` stays with you. Its /etc/ufw/before.rules also let ping, DHCP and multicast DNS in and out: take those\n\
         # lines out of before.rules and before6.rules, which hold the rules that are comments here.\nset -eu\n",
    );
    // Writing to a string cannot fail, here and below.
    for default in defaults {
        let _ = writeln!(text, "ufw default deny {default}");
    }
    for rule in &set.rules {
        let _ = match command(rule) {
            Some(command) => writeln!(text, "ufw {command} comment '{}'", rule.comment()),
            None => writeln!(text, "# in before.rules: {}", rule.comment()),
        };
    }
    Document { name: format!("{}.ufw.sh", set.place.slug()), text }
}

fn command(rule: &Rule) -> Option<String> {
    let flow = match &rule.traffic {
        Traffic::New(flow) => flow,
        Traffic::Loopback
        | Traffic::Established
        | Traffic::IcmpErrors { .. }
        | Traffic::NeighbourDiscovery
        | Traffic::MulticastListener => return None,
    };
    let verb = match rule.direction {
        Direction::Forward => "route allow",
        Direction::Input => "allow in",
        Direction::Output => "allow out",
    };
    // `any` would mean both families.
    let end = |network: Network| network.to_string();
    let protocol = flow.protocol.as_str();
    Some(format!("{verb} proto {protocol} from {} to {} port {}", end(flow.source), end(flow.destination), flow.port))
}
