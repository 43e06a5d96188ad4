//! iptables and ip6tables: files for `iptables-restore --noflush`, one for each family.

use std::fmt::Write as _;

use super::Document;
use crate::{
    network::{Family, Network},
    rules::{Direction, Flow, Rule, RuleSet, Traffic},
};

/// The files of a place.
pub fn render(set: &RuleSet) -> Vec<Document> {
    Family::ALL.into_iter().map(|family| file(set, family)).collect()
}

fn file(set: &RuleSet, family: Family) -> Document {
    let (command, ending) = match family {
        Family::Ipv4 => ("iptables-restore", "v4"),
        Family::Ipv6 => ("ip6tables-restore", "v6"),
    };
    let name = format!("{}.{ending}", set.place.slug());
    let mut text = super::header(set);
    // Writing to a string cannot fail, here and below.
    let _ = writeln!(
        text,
        "# {command} --noflush < {name}    replaces the chains below; others stay as they are.\n*filter"
    );
    for direction in super::directions(&set.place) {
        let _ = writeln!(text, ":{} DROP [0:0]", chain(*direction));
    }
    for direction in super::directions(&set.place) {
        let chain = chain(*direction);
        let _ = writeln!(text, "-F {chain}");
        for rule in set.rules.iter().filter(|rule| rule.direction == *direction) {
            for matches in matches(rule, family) {
                let _ = writeln!(text, "-A {chain} {matches} -m comment --comment \"{}\" -j ACCEPT", rule.comment());
            }
        }
    }
    text.push_str("COMMIT\n");
    Document { name, text }
}

const fn chain(direction: Direction) -> &'static str {
    match direction {
        Direction::Forward => "FORWARD",
        Direction::Input => "INPUT",
        Direction::Output => "OUTPUT",
    }
}

/// What a rule matches, as often as it takes: a line holds one type of ICMP. Nothing in the other family.
fn matches(rule: &Rule, family: Family) -> Vec<String> {
    if rule.traffic.family().is_some_and(|own| own != family) {
        return Vec::new();
    }
    let inward = match rule.direction {
        Direction::Forward | Direction::Input => true,
        Direction::Output => false,
    };
    let icmpv6 = |types: &[&str], more: &str| {
        types.iter().map(|one| format!("-p ipv6-icmp -m icmp6 --icmpv6-type {one} {more}")).collect()
    };
    match &rule.traffic {
        Traffic::Loopback => vec![format!("{} lo", if inward { "-i" } else { "-o" })],
        Traffic::Established => vec![match rule.direction {
            Direction::Forward | Direction::Input => "-m conntrack --ctstate ESTABLISHED".to_owned(),
            Direction::Output => "-m conntrack --ctstate ESTABLISHED --ctdir REPLY".to_owned(),
        }],
        Traffic::IcmpErrors { family: Family::Ipv4 } => {
            ["destination-unreachable", "time-exceeded", "parameter-problem"]
                .iter()
                .map(|one| format!("-p icmp -m icmp --icmp-type {one} -m conntrack --ctstate RELATED"))
                .collect()
        }
        Traffic::IcmpErrors { family: Family::Ipv6 } => icmpv6(
            &["destination-unreachable", "packet-too-big", "time-exceeded", "parameter-problem"],
            "-m conntrack --ctstate RELATED",
        ),
        Traffic::NeighbourDiscovery => {
            let third = if inward { "router-advertisement" } else { "router-solicitation" };
            icmpv6(&[third, "neighbour-solicitation", "neighbour-advertisement"], "-m hl --hl-eq 255")
        }
        // Query; report of version 1 and of version 2: the program has no names for them.
        Traffic::MulticastListener if inward => icmpv6(&["130"], "-m hl --hl-eq 1"),
        Traffic::MulticastListener => icmpv6(&["131", "143"], "-m hl --hl-eq 1"),
        Traffic::New(flow) => {
            // Answers alone pass a host's output as established, so what this host opened needs both states here.
            let states = match rule.direction {
                Direction::Forward | Direction::Input => "NEW",
                Direction::Output => "NEW,ESTABLISHED",
            };
            vec![format!("{} -m conntrack --ctstate {states}", new(flow))]
        }
    }
}

fn new(flow: &Flow) -> String {
    let end = |option: &str, network: Network| {
        if network.is_any() { String::new() } else { format!("{option} {} ", network.cidr()) }
    };
    let protocol = flow.protocol.as_str();
    format!(
        "{}{}-p {protocol} -m {protocol} --dport {}",
        end("-s", flow.source),
        end("-d", flow.destination),
        flow.port
    )
}
