//! Windows: a PowerShell script for the edge host. Windows' firewall does not filter what it routes, so the two firewalls are
//! never Windows hosts.

use std::fmt::Write as _;

use super::Document;
use crate::{
    error::Error,
    network::{Family, Network},
    rules::{Direction, Flow, Place, Protocol, Rule, RuleSet, Traffic},
};

/// The scripts of the edge hosts.
///
/// # Errors
/// [`Error::Usage`] if none of the places is an edge host.
pub fn render(sets: &[RuleSet]) -> Result<Vec<Document>, Error> {
    let hosts: Vec<Document> = sets.iter().filter(|set| matches!(set.place, Place::EdgeHost(_))).map(script).collect();
    if hosts.is_empty() {
        return Err(Error::Usage(
            "Windows filters what comes to a host and what leaves it, not what it routes: --format windows is for --place \
             edge-host; write the two firewalls in the form of the routers that they are"
                .to_owned(),
        ));
    }
    Ok(hosts)
}

/// The group that all rules are in, so that the script can find them again.
const GROUP: &str = "Sallyport";

fn script(set: &RuleSet) -> Document {
    let mut text = super::header(set);
    let _ = write!(
        text,
        "# Firewall 1 and firewall 2 are routers; Windows does not filter what it routes.\n\
         #Requires -RunAsAdministrator\n$ErrorActionPreference = 'Stop'\n\n\
         # Run again, it replaces its own rules.\n\
         Get-NetFirewallRule -Group '{GROUP}' -ErrorAction SilentlyContinue | Remove-NetFirewallRule\n\
         # A default of Block is worth nothing beside the rules that Windows brings along.\n\
         Get-NetFirewallRule -PolicyStore PersistentStore | Where-Object {{ $_.Enabled -eq 'True' -and $_.Action -eq 'Allow' }} |\n  Disable-NetFirewallRule\n\
         Set-NetFirewallProfile -All -Enabled True -DefaultInboundAction Block -DefaultOutboundAction Block\n"
    );
    for rule in &set.rules {
        let Some(matches) = matches(rule) else {
            let _ = writeln!(text, "\n# by Windows itself: {}", rule.comment());
            continue;
        };
        let direction = match rule.direction {
            Direction::Input | Direction::Forward => "Inbound",
            Direction::Output => "Outbound",
        };
        let _ = writeln!(
            text,
            "\nNew-NetFirewallRule -Group '{GROUP}' -Name '{id}' -DisplayName '{id}' -Description '{}' \
             -Direction {direction} -Action Allow -Profile Any {matches} | Out-Null",
            rule.why,
            id = rule.id
        );
    }
    Document { name: format!("{}.ps1", set.place.slug()), text }
}

/// What a rule matches; none for what Windows does by itself (its filter keeps the state of connections).
fn matches(rule: &Rule) -> Option<String> {
    let inward = match rule.direction {
        Direction::Input | Direction::Forward => true,
        Direction::Output => false,
    };
    let icmp = |protocol: &str, types: &str| Some(format!("-Protocol {protocol} -IcmpType {types}"));
    match &rule.traffic {
        Traffic::Loopback | Traffic::Established => None,
        // Unreachable, time exceeded, parameter problem.
        Traffic::IcmpErrors { family: Family::Ipv4 } => icmp("ICMPv4", "3,11,12"),
        // Unreachable, packet too big, time exceeded, parameter problem.
        Traffic::IcmpErrors { family: Family::Ipv6 } => icmp("ICMPv6", "1,2,3,4"),
        // Router advertisement or solicitation, neighbour solicitation and advertisement.
        Traffic::NeighbourDiscovery if inward => icmp("ICMPv6", "134,135,136"),
        Traffic::NeighbourDiscovery => icmp("ICMPv6", "133,135,136"),
        // Query; reports of both versions.
        Traffic::MulticastListener if inward => icmp("ICMPv6", "130"),
        Traffic::MulticastListener => icmp("ICMPv6", "131,143"),
        Traffic::New(flow) => Some(open(flow, inward)),
    }
}

fn open(flow: &Flow, inward: bool) -> String {
    let protocol = match flow.protocol {
        Protocol::Tcp => "TCP",
        Protocol::Udp => "UDP",
    };
    let shown = |network: Network| if network.is_any() { "Any".to_owned() } else { network.to_string() };
    let (source, destination) = (shown(flow.source), shown(flow.destination));
    if inward {
        format!("-Protocol {protocol} -LocalAddress {destination} -LocalPort {} -RemoteAddress {source}", flow.port)
    } else {
        format!("-Protocol {protocol} -LocalAddress {source} -RemoteAddress {destination} -RemotePort {}", flow.port)
    }
}
