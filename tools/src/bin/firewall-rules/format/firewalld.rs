//! firewalld: a shell script of `firewall-cmd --permanent`. What passes through a router or leaves a host is a policy, what
//! comes to a host is a zone.

use std::fmt::Write as _;

use super::Document;
use crate::{
    network::{Family, Network},
    rules::{Direction, Flow, Place, Rule, RuleSet, Traffic},
};

/// The script of a place.
pub fn render(set: &RuleSet) -> Document {
    let mut text = format!("#!/bin/sh\n{}", super::header(set));
    text.push_str(
        "# firewalld itself lets packets of known connections and errors about them pass, and everything within the host.\n\
         # FIREWALL_CMD=firewall-offline-cmd writes the same where the daemon does not run.\n\
         set -eu\nrun() { ${FIREWALL_CMD:-firewall-cmd --permanent} \"$@\" >/dev/null; }\n",
    );
    for direction in super::directions(&set.place) {
        // Writing to a string cannot fail, here and below.
        let (option, name) = target(&set.place, *direction);
        let _ = writeln!(text, "\nrun --delete-{option}={name} 2>/dev/null || true\nrun --new-{option}={name}");
        let _ = writeln!(text, "run --{option}={name} --set-target=DROP");
        let zones = match direction {
            Direction::Forward => Some(("ANY", "ANY")),
            Direction::Output => Some(("HOST", "ANY")),
            Direction::Input => None,
        };
        if let Some((from, to)) = zones {
            let _ = writeln!(
                text,
                "run --policy={name} --add-ingress-zone={from}\nrun --policy={name} --add-egress-zone={to}"
            );
        }
        for rule in set.rules.iter().filter(|rule| rule.direction == *direction) {
            let lines = rich(rule);
            let by_itself = if lines.is_empty() { "by firewalld itself: " } else { "" };
            let _ = writeln!(text, "# {by_itself}{}", rule.comment());
            // Multicast listener discovery came late to firewalld's list of types.
            let late = rule.traffic == Traffic::MulticastListener;
            let otherwise = if late { " || echo 'left out: this firewalld does not know the type' >&2" } else { "" };
            for line in lines {
                let _ = writeln!(text, "run --{option}={name} --add-rich-rule='{line}'{otherwise}");
            }
        }
    }
    text.push_str("\n# Then, where the daemon runs:\n");
    if matches!(set.place, Place::EdgeHost(_)) {
        text.push_str("#   firewall-cmd --set-default-zone=sallyport-edge\n");
    }
    text.push_str("#   firewall-cmd --reload\n");
    Document { name: format!("{}.firewalld.sh", set.place.slug()), text }
}

/// What holds the rules: a zone or a policy (17 characters at most), and its name.
const fn target(place: &Place, direction: Direction) -> (&'static str, &'static str) {
    match (place, direction) {
        (Place::Firewall1, _) => ("policy", "sallyport-fw1"),
        (Place::Firewall2, _) => ("policy", "sallyport-fw2"),
        (Place::EdgeHost(_), Direction::Input | Direction::Forward) => ("zone", "sallyport-edge"),
        (Place::EdgeHost(_), Direction::Output) => ("policy", "sallyport-out"),
    }
}

/// The rich rules for a rule; none for what firewalld does by itself.
fn rich(rule: &Rule) -> Vec<String> {
    let icmp = |types: &[&str]| {
        types.iter().map(|one| format!("rule family=\"ipv6\" icmp-type name=\"{one}\" accept")).collect()
    };
    let inward = match rule.direction {
        Direction::Forward | Direction::Input => true,
        Direction::Output => false,
    };
    match &rule.traffic {
        Traffic::Loopback | Traffic::Established | Traffic::IcmpErrors { .. } => Vec::new(),
        Traffic::NeighbourDiscovery => {
            let third = if inward { "router-advertisement" } else { "router-solicitation" };
            icmp(&[third, "neighbour-solicitation", "neighbour-advertisement"])
        }
        Traffic::MulticastListener if inward => icmp(&["mld-listener-query"]),
        Traffic::MulticastListener => icmp(&["mld-listener-report", "mld2-listener-report"]),
        Traffic::New(flow) => vec![open(flow)],
    }
}

fn open(flow: &Flow) -> String {
    let family = match flow.family() {
        Family::Ipv4 => "ipv4",
        Family::Ipv6 => "ipv6",
    };
    let end = |word: &str, network: Network| {
        if network.is_any() { String::new() } else { format!("{word} address=\"{network}\" ") }
    };
    format!(
        "rule family=\"{family}\" {}{}port port=\"{}\" protocol=\"{}\" accept",
        end("source", flow.source),
        end("destination", flow.destination),
        flow.port,
        flow.protocol.as_str()
    )
}
