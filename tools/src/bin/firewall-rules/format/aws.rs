//! AWS: security groups. They are stateful, deny by default, and stand at the hosts: firewall 1 at those that dial, firewall 2
//! and the edge host's rules at the edge.

use std::{collections::BTreeSet, fmt::Write as _};

use super::{
    Document,
    terraform::{block, identifier, provider, quoted, variable},
};
use crate::{
    needs::slug,
    network::{Family, Network},
    rules::{Direction, Flow, Place, Rule, RuleSet, Traffic},
};

/// The file.
pub fn render(sets: &[RuleSet]) -> Document {
    let mut text = String::from(
        "# Sallyport: security groups. They let answers pass by themselves and deny what no rule names. A group stands at a\n\
         # host, not between networks: attach firewall 1's groups to the hosts inside that their names say, edge_host to the\n\
         # edge, and firewall 2's to a load balancer before it, if there is one: what they allow is in edge_host too.\n\
         # A host is only as closed as all its groups together. The groups do not filter neighbour discovery. What backends\n\
         # reach inside (their upstreams, name servers) needs groups of its own.\n\n",
    );
    text.push_str(&provider("aws", "hashicorp/aws", ">= 5.0"));
    text.push_str(&variable("vpc_id", "The VPC that the groups are made in."));
    for set in sets {
        let _ = writeln!(text, "{}", super::header(set).trim_end());
        for group in of_place(set) {
            text.push_str(&written(&group, set));
        }
    }
    text.truncate(text.trim_end().len());
    text.push('\n');
    Document { name: "sallyport-aws.tf".to_owned(), text }
}

/// A security group: the rules of one end.
struct Group<'a> {
    name: String,
    /// Where it is attached.
    at: String,
    rules: Vec<&'a Rule>,
}

/// The groups of a place: one per source at firewall 1, one per destination at firewall 2, one for an edge host.
fn of_place(set: &RuleSet) -> Vec<Group<'_>> {
    let mut groups: Vec<Group<'_>> = Vec::new();
    for rule in &set.rules {
        let Some(flow) = rule.flow() else { continue };
        let (name, at) = match &set.place {
            Place::Firewall1 => named("sallyport-firewall-1", flow.source),
            Place::Firewall2 => {
                let edge = if is_outbound(set, rule) { flow.source } else { flow.destination };
                named("sallyport-firewall-2", edge)
            }
            Place::EdgeHost(edge) => {
                (format!("sallyport-edge-host-{}", slug(edge.as_str())), format!("the edge {edge}"))
            }
        };
        match groups.iter_mut().find(|group| group.name == name) {
            Some(group) => group.rules.push(rule),
            None => groups.push(Group { name, at, rules: vec![rule] }),
        }
    }
    groups
}

fn named(place: &str, network: Network) -> (String, String) {
    let at = if network.is_host() { network.to_string() } else { format!("hosts in {network}") };
    (format!("{place}-{}", slug(&network.to_string())), at)
}

/// Whether a rule is for what the group's host opens.
fn is_outbound(set: &RuleSet, rule: &Rule) -> bool {
    match (&set.place, rule.direction) {
        (Place::Firewall1, _) | (_, Direction::Output) => true,
        (Place::Firewall2, _) => rule.purpose == crate::rules::Purpose::TimeSync,
        (Place::EdgeHost(_), Direction::Input | Direction::Forward) => false,
    }
}

fn written(group: &Group<'_>, set: &RuleSet) -> String {
    let resource = identifier(&group.name);
    let attributes = [
        ("name", quoted(&group.name)),
        ("description", quoted(&format!("Sallyport: attach to {}", group.at))),
        ("vpc_id", "var.vpc_id".to_owned()),
    ];
    let mut text = block(0, &format!("resource \"aws_security_group\" \"{resource}\""), &attributes, "") + "\n";
    let mut seen = BTreeSet::new();
    for rule in set.rules.iter() {
        let family = match &rule.traffic {
            Traffic::IcmpErrors { family } => *family,
            Traffic::Loopback
            | Traffic::Established
            | Traffic::NeighbourDiscovery
            | Traffic::MulticastListener
            | Traffic::New(_) => continue,
        };
        if group.rules.iter().filter_map(|rule| rule.flow()).any(|flow| flow.family() == family) {
            text.push_str(&errors(&resource, rule, family));
        }
    }
    for rule in &group.rules {
        let Some(flow) = rule.flow() else { continue };
        let outbound = is_outbound(set, rule);
        let other = if outbound { flow.destination } else { flow.source };
        // A group may hold a rule once only; at the edge, two addresses with one port come to the same.
        if seen.insert((outbound, other, flow.port, flow.protocol.as_str())) {
            text.push_str(&opening(&resource, rule, flow, outbound, other));
        }
    }
    text
}

fn cidr(network: Network) -> (&'static str, String) {
    let name = match network.family() {
        Family::Ipv4 => "cidr_ipv4",
        Family::Ipv6 => "cidr_ipv6",
    };
    (name, quoted(&network.cidr()))
}

fn opening(group: &str, rule: &Rule, flow: &Flow, outbound: bool, other: Network) -> String {
    let way = if outbound { "egress" } else { "ingress" };
    let attributes = [
        ("security_group_id", format!("aws_security_group.{group}.id")),
        ("description", quoted(&rule.comment())),
        cidr(other),
        ("ip_protocol", quoted(flow.protocol.as_str())),
        ("from_port", flow.port.to_string()),
        ("to_port", flow.port.to_string()),
    ];
    let name = identifier(rule.id.as_str());
    let opening = format!("resource \"aws_vpc_security_group_{way}_rule\" \"{name}\"");
    format!("# {}\n{}\n", rule.why, block(0, &opening, &attributes, ""))
}

/// Path MTU discovery: the one error that a security group must be told of.
fn errors(group: &str, rule: &Rule, family: Family) -> String {
    // Fragmentation needed is code 4 of ICMP's type 3; packet too big is ICMPv6's type 2.
    let (protocol, kind, code) = match family {
        Family::Ipv4 => ("icmp", "3", "4"),
        Family::Ipv6 => ("icmpv6", "2", "0"),
    };
    let attributes = [
        ("security_group_id", format!("aws_security_group.{group}.id")),
        ("description", quoted(&rule.comment())),
        cidr(Network::any(family)),
        ("ip_protocol", quoted(protocol)),
        ("from_port", kind.to_owned()),
        ("to_port", code.to_owned()),
    ];
    let name = format!("{group}_{}", identifier(rule.id.as_str()));
    let opening = format!("resource \"aws_vpc_security_group_ingress_rule\" \"{name}\"");
    format!("# {}\n{}\n", rule.why, block(0, &opening, &attributes, ""))
}
