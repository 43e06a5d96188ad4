//! What must work and what must not, one row each, and which rules each of them needs.
//!
//! What a row needs is written down as the packets that it sends through each filter, not as ids of rules: so the expectation
//! is made of the design, and the rules have to meet it.

use std::net::SocketAddr;

use serde::Serialize;

use super::topology::{Host, Space};
use crate::{
    needs::Name,
    network::{Family, Network},
    rules::{Direction, Flow, Place, Protocol, Rule, RuleSet, Traffic},
};

/// The edge's name in the lab.
pub const EDGE: &str = "edge";
/// The port of the edge's admin address in the lab: bound to the DMZ on purpose, so that the filters alone guard it.
pub const ADMIN_PORT: u16 = 9443;
/// A port on which every host of the lab answers.
pub const SSH_PORT: u16 = 22;
/// Another.
pub const WEB_PORT: u16 = 80;

/// What a probe does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Act {
    /// A TLS handshake with the edge for this protocol, pin included.
    Handshake {
        /// Who.
        from: Host,
        /// Which application protocol.
        alpn: &'static str,
    },
    /// A TCP connection.
    Tcp {
        /// Who.
        from: Host,
        /// To where.
        to: SocketAddr,
    },
    /// The edge's admin page, fetched on the edge's own host.
    AdminPage,
    /// An ICMP error: `router` says that a packet was too big, to `told`, about its connection with `other`.
    TooBig {
        /// Who sends it.
        router: Host,
        /// Whose packet it was.
        told: Host,
        /// To whom that packet went.
        other: Host,
    },
    /// The edge's host reports a group that it listens to, and firewall 1 hears it.
    ListenerReport,
    /// Firewall 1 asks who listens, and the edge's host hears it.
    ListenerQuery,
}

/// Packets of one kind at one filter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Passage {
    /// Which filter.
    pub place: Place,
    /// On which way through it.
    pub direction: Direction,
    /// What they are; a flow of single addresses.
    pub traffic: Traffic,
}

/// One thing that must work, or must not.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Row {
    /// What it is, in words.
    pub what: String,
    /// The same in few.
    pub short: String,
    /// Whether it works when every rule is there.
    pub works: bool,
    /// How that is tried.
    #[serde(skip)]
    pub act: Act,
    /// The protocol that it runs over.
    pub family: Family,
    /// What it sends through the filters; nothing for what must not work.
    #[serde(skip)]
    pub passages: Vec<Passage>,
}

/// The namespace in which the rules of a place are loaded.
#[must_use]
pub const fn space(place: &Place) -> Space {
    match place {
        Place::Firewall1 => Space::Firewall1,
        Place::Firewall2 => Space::Firewall2,
        Place::EdgeHost(_) => Space::Dmz,
    }
}

impl Row {
    /// Whether it cannot work without this rule: no other rule of the place lets the same packets pass.
    #[must_use]
    pub fn needs(&self, set: &RuleSet, rule: &Rule) -> bool {
        self.passages.iter().filter(|passage| passage.place == set.place).any(|passage| {
            let mut letting = set.rules.iter().filter(|rule| lets(rule, passage));
            letting.next().is_some_and(|first| first.id == rule.id) && letting.next().is_none()
        })
    }

    /// The first filter that lets one of its packets pass by no rule at all, which is a mistake in the rules.
    #[must_use]
    pub fn missing<'a>(&'a self, sets: &[RuleSet]) -> Option<&'a Passage> {
        self.passages.iter().find(|passage| {
            let set = sets.iter().find(|set| set.place == passage.place);
            !set.is_some_and(|set| set.rules.iter().any(|rule| lets(rule, passage)))
        })
    }
}

/// Whether a rule lets these packets pass.
fn lets(rule: &Rule, passage: &Passage) -> bool {
    rule.direction == passage.direction
        && match (&rule.traffic, &passage.traffic) {
            (Traffic::New(rule), Traffic::New(flow)) => rule.covers(flow),
            (rule, sent) => rule == sent,
        }
}

/// All rows, what must work first.
#[must_use]
pub fn rows(edge: &Name, port: u16) -> Vec<Row> {
    let paths = Paths { host: Place::EdgeHost(edge.clone()), port };
    let mut rows = Vec::new();
    let who = [
        (Host::Devices, "sallyport/device", "connection"),
        (Host::Master, "sallyport/control", "control connection"),
        (Host::NodeA, "sallyport/data", "data connection"),
        (Host::NodeB, "sallyport/data", "data connection"),
    ];
    for (from, alpn, kind) in who {
        for family in Family::ALL {
            rows.push(Row {
                what: format!("{} opens a {kind} to the edge over {family}", from.title()),
                short: format!("{} to edge, {family}", from.name()),
                works: true,
                act: Act::Handshake { from, alpn },
                family,
                passages: paths.connection(from, family),
            });
        }
    }
    for family in Family::ALL {
        rows.extend(paths.errors(family));
    }
    rows.extend(paths.of_the_host());
    rows.extend(never(port));
    rows
}

/// Where packets go.
struct Paths {
    host: Place,
    port: u16,
}

impl Paths {
    fn at_host(&self, direction: Direction, traffic: Traffic) -> Passage {
        Passage { place: self.host.clone(), direction, traffic }
    }

    /// The firewall between a host and the edge.
    const fn firewall(from: Host) -> Place {
        match from.space() {
            Space::Internet | Space::Firewall2 => Place::Firewall2,
            Space::Dmz | Space::Firewall1 | Space::Inside => Place::Firewall1,
        }
    }

    /// A connection to the edge's port: through a firewall to its host, further packets in both directions.
    fn connection(&self, from: Host, family: Family) -> Vec<Passage> {
        let flow = Flow {
            source: Network::host(from.address(family)),
            destination: Network::host(Host::Edge.address(family)),
            protocol: Protocol::Tcp,
            port: self.port,
        };
        let firewall = |traffic| Passage { place: Self::firewall(from), direction: Direction::Forward, traffic };
        let mut passages = vec![
            firewall(Traffic::New(flow)),
            firewall(Traffic::Established),
            self.at_host(Direction::Input, Traffic::New(flow)),
            self.at_host(Direction::Input, Traffic::Established),
            self.at_host(Direction::Output, Traffic::Established),
        ];
        passages.extend(self.neighbours(family));
        passages
    }

    /// What the edge's host needs to be found by IPv6 at all.
    fn neighbours(&self, family: Family) -> Vec<Passage> {
        match family {
            Family::Ipv4 => Vec::new(),
            Family::Ipv6 => [Direction::Input, Direction::Output]
                .map(|direction| self.at_host(direction, Traffic::NeighbourDiscovery))
                .into(),
        }
    }

    /// Errors about connections, from routers before, between and behind the filters.
    fn errors(&self, family: Family) -> [Row; 3] {
        let errors = Traffic::IcmpErrors { family };
        let at_host = || self.at_host(Direction::Input, errors);
        let at = |place| Passage { place, direction: Direction::Forward, traffic: errors };
        let mut to_edge = self.neighbours(family);
        to_edge.push(at_host());
        let mut from_internet = to_edge.clone();
        from_internet.push(at(Place::Firewall2));
        let row = |what: &str, router: Host, told: Host, other, passages| Row {
            what: format!("{what} over {family}"),
            short: format!("too big: {} tells {}, {family}", router.space().title(), told.name()),
            works: true,
            act: Act::TooBig { router, told, other },
            family,
            passages,
        };
        [
            row(
                "a router in the internet tells the edge that a packet to a device is too big",
                Host::Devices,
                Host::Edge,
                Host::Devices,
                from_internet,
            ),
            row(
                "firewall 1 tells the edge that a packet to the master is too big",
                Host::Firewall1,
                Host::Edge,
                Host::Master,
                to_edge,
            ),
            row(
                "a router in the DMZ tells the master that a packet to the edge is too big",
                Host::Firewall2,
                Host::Master,
                Host::Edge,
                vec![at(Place::Firewall1)],
            ),
        ]
    }

    /// What the edge's host does for itself.
    fn of_the_host(&self) -> [Row; 3] {
        let row = |what: &str, short: &str, act, family, passages| Row {
            what: what.to_owned(),
            short: short.to_owned(),
            works: true,
            act,
            family,
            passages,
        };
        let inside = [Direction::Input, Direction::Output].map(|direction| self.at_host(direction, Traffic::Loopback));
        [
            row(
                "the edge's admin page, fetched on its own host",
                "admin page on its host",
                Act::AdminPage,
                Family::Ipv4,
                inside.into(),
            ),
            row(
                "the edge's host tells its switch what it listens to",
                "listener report",
                Act::ListenerReport,
                Family::Ipv6,
                vec![self.at_host(Direction::Output, Traffic::MulticastListener)],
            ),
            row(
                "the switch's question who listens reaches the edge's host",
                "listener query",
                Act::ListenerQuery,
                Family::Ipv6,
                vec![self.at_host(Direction::Input, Traffic::MulticastListener)],
            ),
        ]
    }
}

/// What never works, whichever rule is there or not. Each works in the control without any rules.
fn never(port: u16) -> Vec<Row> {
    let mut rows = Vec::new();
    for family in Family::ALL {
        let mut row = |what: &str, from: Host, to: Host, port: u16| {
            rows.push(Row {
                what: format!("{what} over {family}"),
                short: format!("{} to {}:{port}, {family}", from.name(), to.name()),
                works: false,
                act: Act::Tcp { from, to: to.socket(family, port) },
                family,
                passages: Vec::new(),
            });
        };
        row("the edge's host reaches the master's SSH port", Host::Edge, Host::Master, SSH_PORT);
        row("the edge's host reaches node-a on the edge's own port", Host::Edge, Host::NodeA, port);
        row("the edge's host reaches a web server in the internet", Host::Edge, Host::Devices, WEB_PORT);
        row("a device reaches the edge's SSH port", Host::Devices, Host::Edge, SSH_PORT);
        row("a device reaches the master on the edge's port", Host::Devices, Host::Master, port);
        row("the master reaches the edge's SSH port", Host::Master, Host::Edge, SSH_PORT);
        row("a node reaches a web server in the internet", Host::NodeB, Host::Devices, WEB_PORT);
    }
    for (what, from) in [("a device", Host::Devices), ("the master", Host::Master)] {
        rows.push(Row {
            what: format!("{what} reaches the edge's admin address"),
            short: format!("{} to edge:{ADMIN_PORT}, {}", from.name(), Family::Ipv4),
            works: false,
            act: Act::Tcp { from, to: Host::Edge.socket(Family::Ipv4, ADMIN_PORT) },
            family: Family::Ipv4,
            passages: Vec::new(),
        });
    }
    rows
}
