//! The edge host's own rules: the port inward, answers outward, and no connection of its own.

use super::{Direction, Draft, Place, RuleSet, Traffic};
use crate::{
    needs::{Edge, Needs},
    network::Family,
};

/// The rules of the host that `edge` runs on.
pub fn rule_set(needs: &Needs, edge: &Edge) -> RuleSet {
    let families: Vec<Family> = Family::ALL.into_iter().filter(|family| edge.uses(*family)).collect();
    let ipv6 = families.contains(&Family::Ipv6);
    let mut set = Draft::new(Place::EdgeHost(edge.name.clone()), "host", families);
    input(&mut set, needs, edge, ipv6);
    output(&mut set, needs, edge, ipv6);
    set.finish()
}

/// Within this host, as well inward as outward.
const LOOPBACK: &str = "the admin address and local checks, within this host";

fn input(set: &mut Draft, needs: &Needs, edge: &Edge, ipv6: bool) {
    let input = Direction::Input;
    set.support(input, "in-loopback", Traffic::Loopback, LOOPBACK);
    set.connections(input, "in-");
    if ipv6 {
        let why = "IPv6 has no ARP: without neighbour discovery no IPv6 packet finds this host";
        set.support(input, "in-neighbours", Traffic::NeighbourDiscovery, why);
        let why = "switches ask who listens before they pass neighbour discovery on";
        set.support(input, "in-listeners", Traffic::MulticastListener, why);
    }
    // Where devices come from anywhere, their rule is the backends' too, and theirs are left out as covered.
    let any = needs.clients.iter().any(|network| network.is_any());
    let why = if any { "devices and backends reach the one port" } else { "devices reach the one port" };
    set.devices(input, needs, edge, why);
    set.backends(input, needs, edge, "");
    set.administration(input, needs, edge);
}

fn output(set: &mut Draft, needs: &Needs, edge: &Edge, ipv6: bool) {
    let output = Direction::Output;
    set.support(output, "out-loopback", Traffic::Loopback, LOOPBACK);
    let why = "answers on connections that others opened, and nothing else";
    set.support(output, "out-established", Traffic::Established, why);
    if ipv6 {
        let why = "IPv6 has no ARP: without neighbour discovery this host finds no router";
        set.support(output, "out-neighbours", Traffic::NeighbourDiscovery, why);
        let why = "tells switches which groups this host listens to, for neighbour discovery";
        set.support(output, "out-listeners", Traffic::MulticastListener, why);
    }
    for server in &needs.time_servers {
        set.time(output, edge, server.address);
    }
}
