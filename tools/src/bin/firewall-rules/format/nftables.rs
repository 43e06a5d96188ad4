//! nftables: a table of its own for each place, loaded as a whole or not at all.

use std::fmt::Write as _;

use super::Document;
use crate::{
    network::{Family, Network},
    rules::{Direction, Flow, Place, Rule, RuleSet, Traffic},
};

/// The table's name at a place.
pub const fn table(place: &Place) -> &'static str {
    match place {
        Place::Firewall1 => "sallyport_firewall_1",
        Place::Firewall2 => "sallyport_firewall_2",
        Place::EdgeHost(_) => "sallyport_edge_host",
    }
}

/// The file for `nft -f`.
pub fn render(set: &RuleSet) -> Document {
    let table = table(&set.place);
    let mut text = format!("#!/usr/sbin/nft -f\n{}", super::header(set));
    // Writing to a string cannot fail, here and below.
    let _ = write!(
        text,
        "\n# Loaded again, it replaces itself in one step; other tables stay as they are.\n\
         table inet {table}\ndelete table inet {table}\n\ntable inet {table} {{\n"
    );
    for (place, direction) in super::directions(&set.place).iter().enumerate() {
        let name = chain(*direction);
        let gap = if place == 0 { "" } else { "\n" };
        let _ = writeln!(text, "{gap}\tchain {name} {{\n\t\ttype filter hook {name} priority filter; policy drop;");
        for rule in set.rules.iter().filter(|rule| rule.direction == *direction) {
            let _ = writeln!(text, "\n\t\t{}", statement(rule));
        }
        text.push_str("\t}\n");
    }
    text.push_str("}\n");
    Document { name: format!("{}.nft", set.place.slug()), text }
}

/// The chain for a direction, and the hook it hangs on.
pub const fn chain(direction: Direction) -> &'static str {
    match direction {
        Direction::Forward => "forward",
        Direction::Input => "input",
        Direction::Output => "output",
    }
}

/// A rule as it is added to its chain.
pub fn statement(rule: &Rule) -> String {
    format!("{} counter accept comment \"{}\"", matches(rule), rule.comment())
}

fn matches(rule: &Rule) -> String {
    let inward = match rule.direction {
        Direction::Forward | Direction::Input => true,
        Direction::Output => false,
    };
    match &rule.traffic {
        Traffic::Loopback => format!("{} \"lo\"", if inward { "iifname" } else { "oifname" }),
        Traffic::Established => match rule.direction {
            Direction::Forward | Direction::Input => "ct state established".to_owned(),
            Direction::Output => "ct direction reply ct state established".to_owned(),
        },
        Traffic::IcmpErrors { family: Family::Ipv4 } => {
            "icmp type { destination-unreachable, time-exceeded, parameter-problem } ct state related".to_owned()
        }
        Traffic::IcmpErrors { family: Family::Ipv6 } => {
            "icmpv6 type { destination-unreachable, packet-too-big, time-exceeded, parameter-problem } ct state related"
                .to_owned()
        }
        Traffic::NeighbourDiscovery => {
            let third = if inward { "nd-router-advert" } else { "nd-router-solicit" };
            format!("icmpv6 type {{ {third}, nd-neighbor-solicit, nd-neighbor-advert }} ip6 hoplimit 255")
        }
        Traffic::MulticastListener if inward => "icmpv6 type mld-listener-query ip6 hoplimit 1".to_owned(),
        Traffic::MulticastListener => {
            "icmpv6 type { mld-listener-report, mld2-listener-report } ip6 hoplimit 1".to_owned()
        }
        // Answers alone pass a host's output as established, so what this host opened needs both states here.
        Traffic::New(flow) => match rule.direction {
            Direction::Forward | Direction::Input => format!("{} ct state new", new(flow)),
            Direction::Output => format!("{} ct state new,established", new(flow)),
        },
    }
}

fn new(flow: &Flow) -> String {
    let protocol = match flow.family() {
        Family::Ipv4 => "ip",
        Family::Ipv6 => "ip6",
    };
    let end = |word: &str, network: Network| {
        if network.is_any() { String::new() } else { format!("{protocol} {word} {network} ") }
    };
    format!(
        "{}{}{} dport {}",
        end("saddr", flow.source),
        end("daddr", flow.destination),
        flow.protocol.as_str(),
        flow.port
    )
}
