//! A rule set while it is put together: each kind of need becomes rules in one place.

use std::{
    collections::BTreeSet,
    net::{IpAddr, SocketAddr},
};

use super::{Direction, Ends, Flow, NTP, Party, Place, Protocol, Purpose, Rule, RuleId, RuleSet, Traffic};
use crate::{
    needs::{AdminKind, Backend, Edge, Needs, Role, slug},
    network::{Family, Network},
};

/// A rule set while it is put together.
pub struct Draft {
    place: Place,
    /// What ids begin with.
    prefix: &'static str,
    families: Vec<Family>,
    support: Vec<Rule>,
    flows: Vec<Rule>,
}

/// Who opens a connection, as ids and reasons name it.
struct Opening<'a> {
    direction: Direction,
    /// In the id.
    from: String,
    ends: Ends,
    purpose: Purpose,
    why: &'a str,
}

impl Draft {
    /// Nothing yet.
    pub const fn new(place: Place, prefix: &'static str, families: Vec<Family>) -> Self {
        Self { place, prefix, families, support: Vec::new(), flows: Vec::new() }
    }

    /// With what passes through every router.
    pub fn router(place: Place, prefix: &'static str, needs: &Needs) -> Self {
        let families = Family::ALL.into_iter().filter(|family| needs.uses(*family)).collect();
        let mut draft = Self::new(place, prefix, families);
        draft.connections(Direction::Forward, "");
        draft
    }

    /// What every connection needs: its further packets, and errors about it.
    pub fn connections(&mut self, direction: Direction, chain: &str) {
        let why = "packets of connections that a rule below let be opened";
        self.support(direction, &format!("{chain}established"), Traffic::Established, why);
        for family in self.families.clone() {
            let (word, why) = match family {
                Family::Ipv4 => ("icmp-errors", "path MTU discovery and unreachable errors of these connections"),
                Family::Ipv6 => {
                    ("icmpv6-errors", "IPv6 routers never fragment: without packet-too-big large packets vanish")
                }
            };
            self.support(direction, &format!("{chain}{word}"), Traffic::IcmpErrors { family }, why);
        }
    }

    /// A rule that is no need of its own.
    pub fn support(&mut self, direction: Direction, name: &str, traffic: Traffic, why: &str) {
        let id = RuleId::new(format!("{}-{name}", self.prefix));
        let why = why.to_owned();
        self.support.push(Rule { id, direction, traffic, ends: None, purpose: Purpose::Support, why });
    }

    /// Backends dial the edge.
    pub fn backends(&mut self, direction: Direction, needs: &Needs, edge: &Edge, why: &str) {
        for backend in &needs.backends {
            for to in backend.dials.iter().filter(|to| edge.endpoints.contains(to)) {
                let addresses: Vec<IpAddr> = backend.addresses_of(Family::of(to.ip())).collect();
                for address in &addresses {
                    let several = addresses.len() > 1;
                    let from = if several { format!("{}-{address}", backend.name) } else { backend.name.to_string() };
                    let opening = Opening {
                        direction,
                        from,
                        ends: Ends { from: Party::Backend(backend.name.clone()), to: Party::Edge(edge.name.clone()) },
                        purpose: Purpose::Relay,
                        why: &format!("{} dials the edge{why}", who(backend)),
                    };
                    self.tcp(opening, Network::host(*address), *to);
                }
            }
        }
    }

    /// Devices connect to the edge.
    pub fn devices(&mut self, direction: Direction, needs: &Needs, edge: &Edge, why: &str) {
        for endpoint in &edge.public {
            for network in &needs.clients {
                let from = if network.is_any() { "clients".to_owned() } else { format!("clients-{network}") };
                let ends = Ends { from: Party::Devices, to: Party::Edge(edge.name.clone()) };
                let opening = Opening { direction, from, ends, purpose: Purpose::Relay, why };
                self.tcp(opening, *network, *endpoint);
            }
        }
    }

    /// Log-in and monitoring at the edge.
    pub fn administration(&mut self, direction: Direction, needs: &Needs, edge: &Edge) {
        for need in needs.administration.iter().filter(|need| edge.has(need.to.ip())) {
            let (word, party, why) = match need.kind {
                AdminKind::Ssh => {
                    ("ssh", Party::Administrators, "optional: administrators log in; the relay does not need it")
                }
                AdminKind::Monitoring => {
                    ("monitoring", Party::Monitoring, "optional: reads metrics and status; the relay does not need it")
                }
            };
            let opening = Opening {
                direction,
                from: format!("{word}-{}", need.from),
                ends: Ends { from: party, to: Party::Edge(edge.name.clone()) },
                purpose: Purpose::Administration,
                why,
            };
            self.tcp(opening, need.from, need.to);
        }
    }

    /// The edge host asks a time server.
    pub fn time(&mut self, direction: Direction, edge: &Edge, server: IpAddr) {
        for address in edge.addresses(Family::of(server)) {
            let flow = Flow {
                source: Network::host(address),
                destination: Network::host(server),
                protocol: Protocol::Udp,
                port: NTP,
            };
            let opening = Opening {
                direction,
                from: format!("ntp-{address}"),
                ends: Ends { from: Party::Edge(edge.name.clone()), to: Party::TimeServer },
                purpose: Purpose::TimeSync,
                why: "optional: NTP, all that the edge host ever opens; the relay does not need it",
            };
            self.flow(opening, flow);
        }
    }

    /// TCP from a network to an endpoint; nothing if they are of different families.
    fn tcp(&mut self, opening: Opening<'_>, source: Network, to: SocketAddr) {
        if let Some(flow) = Flow::tcp(source, to) {
            self.flow(opening, flow);
        }
    }

    fn flow(&mut self, opening: Opening<'_>, flow: Flow) {
        let Opening { direction, from, ends, purpose, why } = opening;
        let way = match direction {
            Direction::Forward => "",
            Direction::Input => "in-",
            Direction::Output => "out-",
        };
        let (from, to) = (slug(&from), slug(&flow.destination.to_string()));
        let id = RuleId::new(format!("{}-{way}{from}-to-{to}-{}", self.prefix, flow.port));
        let traffic = Traffic::New(flow);
        self.flows.push(Rule { id, direction, traffic, ends: Some(ends), purpose, why: why.to_owned() });
    }

    /// The rules, without those that another one covers.
    pub fn finish(self) -> RuleSet {
        let covers = |(place, rule): (usize, &Rule), (other_place, other): (usize, &Rule)| {
            let (Some(flow), Some(wide)) = (rule.flow(), other.flow()) else { return false };
            other.direction == rule.direction && wide.covers(flow) && (!flow.covers(wide) || other_place < place)
        };
        let flows: Vec<(usize, &Rule)> = self.flows.iter().enumerate().collect();
        let needed = flows.iter().filter(|rule| !flows.iter().any(|other| covers(**rule, *other)));
        let mut rules: Vec<Rule> = self.support.iter().chain(needed.map(|(_, rule)| *rule)).cloned().collect();
        let mut seen = BTreeSet::new();
        for rule in &mut rules {
            // Two names may differ in a character that ids do not have.
            let mut count = 1;
            while !seen.insert(rule.id.clone()) {
                count += 1;
                rule.id = RuleId::new(format!("{}-{count}", rule.id));
            }
        }
        // By direction, and as they came within each.
        rules.sort_by_key(|rule| rule.direction);
        RuleSet { place: self.place, families: self.families, rules }
    }
}

/// A backend in a reason.
fn who(backend: &Backend) -> String {
    match backend.role {
        Role::Master if backend.name.as_str() == "master" => "the master".to_owned(),
        Role::Master => format!("master {}", backend.name),
        Role::StorageNode => format!("storage node {}", backend.name),
    }
}
