//! The edge host's own rules: the port inward, answers outward, and no connection of its own.

use super::{Direction, Draft, Place, Purpose, RuleSet, Traffic};
use crate::{
    needs::{Edge, Needs},
    network::{Family, Network},
};

/// The rules of the host that `edge` runs on.
pub fn rule_set(needs: &Needs, edge: &Edge) -> RuleSet {
    let families: Vec<Family> = Family::ALL.into_iter().filter(|family| edge.uses(*family)).collect();
    let ipv6 = families.contains(&Family::Ipv6);
    let place = Place::EdgeHost(edge.name.clone());
    let mut set = Draft { place, prefix: "host", families, support: Vec::new(), flows: Vec::new() };
    let (input, output) = (Direction::Input, Direction::Output);
    set.support(
        input,
        "in-loopback".to_owned(),
        Traffic::Loopback,
        "the admin address and local checks, within this host",
    );
    set.connections(input, "in-", "packets of connections that a rule below let be opened");
    if ipv6 {
        let why = "IPv6 has no ARP: without neighbour discovery no IPv6 packet finds this host";
        set.support(input, "in-neighbours".to_owned(), Traffic::NeighbourDiscovery, why);
        let why = "switches ask who listens before they pass neighbour discovery on";
        set.support(input, "in-listeners".to_owned(), Traffic::MulticastListener, why);
    }
    inbound(&mut set, needs, edge);
    set.support(
        output,
        "out-loopback".to_owned(),
        Traffic::Loopback,
        "the admin address and local checks, within this host",
    );
    let why = "answers on connections that others opened; this host opens none";
    set.support(output, "out-established".to_owned(), Traffic::Established, why);
    if ipv6 {
        let why = "IPv6 has no ARP: without neighbour discovery this host finds no router";
        set.support(output, "out-neighbours".to_owned(), Traffic::NeighbourDiscovery, why);
        let why = "tells switches which groups this host listens to, for neighbour discovery";
        set.support(output, "out-listeners".to_owned(), Traffic::MulticastListener, why);
    }
    for server in &needs.time_servers {
        set.time(output, edge, server.address);
    }
    set.finish()
}

/// Devices, backends and administrators.
fn inbound(set: &mut Draft, needs: &Needs, edge: &Edge) {
    let input = Direction::Input;
    // Where devices come from anywhere, their rule is the backends' too, and theirs are left out as covered.
    let any = needs.clients.iter().any(|network| network.is_any());
    let why = if any { "devices and backends reach the one port" } else { "devices reach the one port" };
    set.clients(input, needs, edge, why);
    for backend in &needs.backends {
        for to in backend.dials.iter().filter(|to| edge.endpoints.contains(to)) {
            for address in backend.addresses_of(Family::of(to.ip())) {
                let several = backend.addresses_of(Family::of(to.ip())).count() > 1;
                let from = if several { format!("{}-{address}", backend.name) } else { backend.name.to_string() };
                let why = format!("{} {} dials the edge", backend.role.as_str(), backend.name);
                set.open(input, &from, Network::host(address), *to, Purpose::Relay, why);
            }
        }
    }
    for need in needs.administration.iter().filter(|need| edge.endpoints.iter().any(|at| at.ip() == need.to.ip())) {
        set.administration(input, need);
    }
}
