//! Azure: network security groups. They are stateful; three default rules that allow are covered by denials of our own.

use super::{
    Document,
    terraform::{block, identifier, provider, quoted, variable},
};
use crate::{
    network::Network,
    rules::{Direction, Flow, Place, Protocol, Purpose, Rule, RuleSet},
};

/// The first priority, and the step to the next: room for rules of the user's own.
const PRIORITY: (usize, usize) = (100, 10);
/// The last priority that there is.
const LAST: usize = 4096;

/// The file.
pub fn render(sets: &[RuleSet]) -> Document {
    let mut text = String::from(
        "# Sallyport: network security groups. They let answers pass by themselves; what no rule names is denied by the last two\n\
         # of each group, which stand before Azure's own AllowVnetInBound, AllowVnetOutBound and AllowInternetOutBound.\n\
         # Associate firewall_1 with the subnet of the backends, edge_host with the edge's network interface, and firewall_2 with\n\
         # the subnet of what stands before the edge, if there is something: what it allows is in edge_host too. Azure filters\n\
         # neither neighbour discovery nor path MTU errors with these groups. What backends reach inside (their upstreams, name\n\
         # servers) needs rules of its own in firewall_1.\n\n",
    );
    text.push_str(&provider("azurerm", "hashicorp/azurerm", ">= 4.0"));
    text.push_str(&variable("location", "The region that the groups are made in."));
    text.push_str(&variable("resource_group_name", "The resource group that they are made in."));
    for set in sets {
        text.push_str(&super::header(set));
        text.push_str(&group(set));
        text.push('\n');
    }
    text.truncate(text.trim_end().len());
    text.push('\n');
    Document { name: "sallyport-azure.tf".to_owned(), text }
}

fn group(set: &RuleSet) -> String {
    let name = format!("sallyport-{}", set.place.slug());
    let attributes = [
        ("name", quoted(&name)),
        ("location", "var.location".to_owned()),
        ("resource_group_name", "var.resource_group_name".to_owned()),
    ];
    let mut inside = String::new();
    let flows = set.rules.iter().filter_map(|rule| Some((rule, rule.flow()?)));
    for (place, (rule, flow)) in flows.enumerate() {
        let priority = PRIORITY.0 + place * PRIORITY.1;
        inside.push_str(&format!("\n  # {}\n", rule.why));
        inside.push_str(&security_rule(&allowed(set, rule, flow, priority)));
    }
    for (direction, priority) in [("Inbound", LAST), ("Outbound", LAST)] {
        inside.push_str("\n  # default drop: whatever no rule above names\n");
        inside.push_str(&security_rule(&denied(direction, priority)));
    }
    let resource = format!("resource \"azurerm_network_security_group\" \"{}\"", identifier(&name));
    block(0, &resource, &attributes, &inside)
}

fn security_rule(attributes: &[(&str, String)]) -> String {
    block(2, "security_rule", attributes, "")
}

/// A name of Azure's prefixes for every address of both families; the other end tells the family.
fn prefix(network: Network) -> String {
    if network.is_any() { quoted("*") } else { quoted(&network.cidr()) }
}

fn allowed(set: &RuleSet, rule: &Rule, flow: &Flow, priority: usize) -> Vec<(&'static str, String)> {
    let protocol = match flow.protocol {
        Protocol::Tcp => "Tcp",
        Protocol::Udp => "Udp",
    };
    let direction = match (&set.place, rule.direction) {
        (Place::Firewall1, _) | (_, Direction::Output) => "Outbound",
        (Place::Firewall2, _) if rule.purpose == Purpose::TimeSync => "Outbound",
        (Place::Firewall2 | Place::EdgeHost(_), Direction::Input | Direction::Forward) => "Inbound",
    };
    vec![
        ("name", quoted(rule.id.as_str())),
        ("description", quoted(&rule.comment())),
        ("priority", priority.to_string()),
        ("direction", quoted(direction)),
        ("access", quoted("Allow")),
        ("protocol", quoted(protocol)),
        ("source_address_prefix", prefix(flow.source)),
        ("source_port_range", quoted("*")),
        ("destination_address_prefix", prefix(flow.destination)),
        ("destination_port_range", quoted(&flow.port.to_string())),
    ]
}

fn denied(direction: &str, priority: usize) -> Vec<(&'static str, String)> {
    let all = || quoted("*");
    vec![
        ("name", quoted(&format!("drop-everything-else-{}", direction.to_ascii_lowercase()))),
        ("description", quoted("default drop: whatever no rule above names")),
        ("priority", priority.to_string()),
        ("direction", quoted(direction)),
        ("access", quoted("Deny")),
        ("protocol", all()),
        ("source_address_prefix", all()),
        ("source_port_range", all()),
        ("destination_address_prefix", all()),
        ("destination_port_range", all()),
    ]
}
