//! The rules behind every format: for firewall 1, for firewall 2, and for each edge host.
//!
//! A [`RuleSet`] is a list of things that may pass; everything else is dropped. Ids are made of names and addresses, not
//! of positions: a rule keeps its id when others come and go.

use std::{fmt, net::SocketAddr};

use serde::{Serialize, Serializer};

use crate::{
    needs::{AdminKind, Administration, Edge, Name, Needs, TimePlace, slug},
    network::{Family, Network},
};

mod edge_host;

/// Bytes of a comment at most: what nftables keeps (`NFTNL_UDATA_COMMENT_MAXLEN`), the least of all formats.
pub const COMMENT_BYTES_MAX: usize = 127;
/// The port of the Network Time Protocol.
pub const NTP: u16 = 123;

/// Where a rule set is loaded.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// The router between the inside and the DMZ.
    Firewall1,
    /// The router between the DMZ and the internet.
    Firewall2,
    /// The host that this edge runs on.
    EdgeHost(Name),
}

impl Place {
    /// In file names and in JSON: `firewall-1`, `firewall-2`, `edge-host-NAME`.
    pub fn slug(&self) -> String {
        match self {
            Self::Firewall1 => "firewall-1".to_owned(),
            Self::Firewall2 => "firewall-2".to_owned(),
            Self::EdgeHost(name) => format!("edge-host-{name}"),
        }
    }

    /// As a heading.
    pub fn title(&self) -> String {
        match self {
            Self::Firewall1 => "firewall 1, between the inside and the DMZ".to_owned(),
            Self::Firewall2 => "firewall 2, between the DMZ and the internet".to_owned(),
            Self::EdgeHost(name) => format!("the host of {name}"),
        }
    }
}

impl Serialize for Place {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.slug())
    }
}

/// What passes at one place; everything else is dropped.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RuleSet {
    /// Where.
    pub place: Place,
    /// The families that anything new passes in; the other is dropped whole.
    pub families: Vec<Family>,
    /// What passes, in the order of output. Ids are unique, and no rule lets in what another one does.
    pub rules: Vec<Rule>,
}

/// The identifier of a rule: a-z, 0-9 and hyphens.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct RuleId(String);

impl RuleId {
    /// As text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for RuleId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Which packets a rule sees, from where it is loaded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Direction {
    /// Passing through a router.
    Forward,
    /// To this host.
    Input,
    /// From this host.
    Output,
}

/// What a rule is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Purpose {
    /// The relay's own connections.
    Relay,
    /// What every connection needs: answers, errors, neighbour discovery.
    Support,
    /// Optional: log-in and monitoring.
    Administration,
    /// Optional: the clock of the edge host.
    TimeSync,
}

/// A transport protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Protocol {
    /// TCP.
    Tcp,
    /// UDP.
    Udp,
}

impl Protocol {
    /// As packet filters write it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Tcp => "tcp",
            Self::Udp => "udp",
        }
    }
}

/// A new connection that may be opened: source and destination are of one family.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Flow {
    /// Who opens it.
    pub source: Network,
    /// To whom.
    pub destination: Network,
    /// Over what.
    pub protocol: Protocol,
    /// The destination's port.
    pub port: u16,
}

impl Flow {
    /// TCP to an endpoint; `None` if the source is of the other family.
    pub fn tcp(source: Network, to: SocketAddr) -> Option<Self> {
        let destination = Network::host(to.ip());
        let flow = Self { source, destination, protocol: Protocol::Tcp, port: to.port() };
        (source.family() == destination.family()).then_some(flow)
    }

    /// The family of both ends.
    pub const fn family(&self) -> Family {
        self.destination.family()
    }

    /// Whether it lets in everything that `other` does.
    pub fn covers(&self, other: &Self) -> bool {
        self.protocol == other.protocol
            && self.port == other.port
            && self.source.contains(other.source)
            && self.destination.contains(other.destination)
    }
}

/// The packets that a rule accepts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Traffic {
    /// Within this host.
    Loopback,
    /// Packets of connections that another rule let be opened. At a host's output these are answers only: a connection that
    /// this host opened has none here.
    Established,
    /// ICMP errors about such connections: unreachable, too big, expired, malformed.
    IcmpErrors {
        /// ICMP or ICMPv6.
        family: Family,
    },
    /// IPv6 neighbour discovery (RFC 4861), hop limit 255: from this link only.
    NeighbourDiscovery,
    /// IPv6 multicast listener discovery (RFC 2710, RFC 3810), which switches need to pass neighbour discovery on.
    MulticastListener,
    /// A new connection.
    New(Flow),
}

impl Traffic {
    /// The family; `None`: both.
    pub const fn family(&self) -> Option<Family> {
        match self {
            Self::Loopback | Self::Established => None,
            Self::IcmpErrors { family } => Some(*family),
            Self::NeighbourDiscovery | Self::MulticastListener => Some(Family::Ipv6),
            Self::New(flow) => Some(flow.family()),
        }
    }
}

/// One thing that may pass, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Rule {
    /// Unique in its set.
    pub id: RuleId,
    /// Which packets it sees.
    pub direction: Direction,
    /// What it accepts.
    pub traffic: Traffic,
    /// What it is for.
    pub purpose: Purpose,
    /// Why, in words that every format can hold: letters, digits, spaces and `.,;:()-/`.
    pub why: String,
}

impl Rule {
    /// `ID: WHY`, cut to what every format keeps.
    pub fn comment(&self) -> String {
        let mut comment = format!("{}: {}", self.id, self.why);
        // Ids, names and reasons are ASCII: every place is between two characters.
        comment.truncate(COMMENT_BYTES_MAX);
        comment
    }

    /// The connection that it lets be opened.
    pub const fn flow(&self) -> Option<&Flow> {
        match &self.traffic {
            Traffic::New(flow) => Some(flow),
            Traffic::Loopback
            | Traffic::Established
            | Traffic::IcmpErrors { .. }
            | Traffic::NeighbourDiscovery
            | Traffic::MulticastListener => None,
        }
    }
}

/// Every rule set: firewall 1, firewall 2, each edge host.
pub fn all(needs: &Needs) -> Vec<RuleSet> {
    let hosts = needs.edges.iter().map(|edge| edge_host::rule_set(needs, edge));
    [firewall_1(needs), firewall_2(needs)].into_iter().chain(hosts).collect()
}

/// Inside to DMZ: the master and each storage node dial the edges. Nothing inward.
pub fn firewall_1(needs: &Needs) -> RuleSet {
    let mut set = Draft::router(Place::Firewall1, "fw1", needs);
    for backend in &needs.backends {
        for to in &backend.dials {
            let family = Family::of(to.ip());
            let several = backend.addresses_of(family).count() > 1;
            for address in backend.addresses_of(family) {
                let from = if several { format!("{}-{address}", backend.name) } else { backend.name.to_string() };
                let why = format!(
                    "{} {} dials the edge; the inside opens every connection",
                    backend.role.as_str(),
                    backend.name
                );
                set.open(Direction::Forward, &from, Network::host(address), *to, Purpose::Relay, why);
            }
        }
    }
    for need in &needs.administration {
        set.administration(Direction::Forward, need);
    }
    set.finish()
}

/// Internet to DMZ: devices reach the edges on their port. Nothing else.
pub fn firewall_2(needs: &Needs) -> RuleSet {
    let mut set = Draft::router(Place::Firewall2, "fw2", needs);
    for edge in &needs.edges {
        set.clients(Direction::Forward, needs, edge, "devices reach the edge on its one port");
    }
    for server in needs.time_servers.iter().filter(|server| server.place == TimePlace::Internet) {
        for edge in &needs.edges {
            set.time(Direction::Forward, edge, server.address);
        }
    }
    set.finish()
}

/// A rule set while it is put together.
struct Draft {
    place: Place,
    /// What ids begin with.
    prefix: &'static str,
    families: Vec<Family>,
    support: Vec<Rule>,
    flows: Vec<Rule>,
}

impl Draft {
    /// With what passes through every router.
    fn router(place: Place, prefix: &'static str, needs: &Needs) -> Self {
        let families = Family::ALL.into_iter().filter(|family| needs.uses(*family)).collect();
        let mut draft = Self { place, prefix, families, support: Vec::new(), flows: Vec::new() };
        draft.connections(Direction::Forward, "", "packets of connections that a rule below let be opened");
        draft
    }

    /// What every connection needs: its further packets, and errors about it.
    fn connections(&mut self, direction: Direction, chain: &str, why: &str) {
        self.support(direction, format!("{chain}established"), Traffic::Established, why);
        for family in self.families.clone() {
            let (word, why) = match family {
                Family::Ipv4 => ("icmp-errors", "path MTU discovery and unreachable errors of these connections"),
                Family::Ipv6 => {
                    ("icmpv6-errors", "IPv6 routers never fragment: without packet-too-big large packets vanish")
                }
            };
            self.support(direction, format!("{chain}{word}"), Traffic::IcmpErrors { family }, why);
        }
    }

    fn support(&mut self, direction: Direction, name: String, traffic: Traffic, why: &str) {
        let id = RuleId(format!("{}-{name}", self.prefix));
        self.support.push(Rule { id, direction, traffic, purpose: Purpose::Support, why: why.to_owned() });
    }

    /// TCP from a network to an endpoint; nothing if they are of different families.
    fn open(
        &mut self,
        direction: Direction,
        from: &str,
        source: Network,
        to: SocketAddr,
        purpose: Purpose,
        why: String,
    ) {
        if let Some(flow) = Flow::tcp(source, to) {
            self.flow(direction, from, flow, purpose, why);
        }
    }

    fn flow(&mut self, direction: Direction, from: &str, flow: Flow, purpose: Purpose, why: String) {
        let id =
            RuleId(format!("{}-{}-to-{}-{}", self.prefix, slug(from), slug(&flow.destination.to_string()), flow.port));
        self.flows.push(Rule { id, direction, traffic: Traffic::New(flow), purpose, why });
    }

    fn clients(&mut self, direction: Direction, needs: &Needs, edge: &Edge, why: &str) {
        for endpoint in &edge.endpoints {
            for network in &needs.clients {
                let from = if network.is_any() { "clients".to_owned() } else { format!("clients-{network}") };
                self.open(direction, &from, *network, *endpoint, Purpose::Relay, why.to_owned());
            }
        }
    }

    fn administration(&mut self, direction: Direction, need: &Administration) {
        let (word, why) = match need.kind {
            AdminKind::Ssh => ("ssh", "optional: administrators log in; the relay does not need it"),
            AdminKind::Monitoring => ("monitoring", "optional: reads metrics and status; the relay does not need it"),
        };
        self.open(
            direction,
            &format!("{word}-{}", need.from),
            need.from,
            need.to,
            Purpose::Administration,
            why.to_owned(),
        );
    }

    fn time(&mut self, direction: Direction, edge: &Edge, server: std::net::IpAddr) {
        let addresses = edge.endpoints.iter().map(|endpoint| endpoint.ip());
        for address in addresses.filter(|address| Family::of(*address) == Family::of(server)) {
            let why = "optional: NTP, the only connection that the edge host opens; the relay does not need it";
            let flow = Flow {
                source: Network::host(address),
                destination: Network::host(server),
                protocol: Protocol::Udp,
                port: NTP,
            };
            self.flow(direction, &format!("ntp-{address}"), flow, Purpose::TimeSync, why.to_owned());
        }
    }

    /// The rules, without those that another one covers.
    fn finish(self) -> RuleSet {
        let mut kept: Vec<Rule> = Vec::new();
        for (place, rule) in self.flows.iter().enumerate() {
            let covered = self.flows.iter().enumerate().any(|(other_place, other)| {
                let covers = match (other.flow(), rule.flow()) {
                    (Some(other), Some(flow)) => other.covers(flow) && (!flow.covers(other) || other_place < place),
                    _ => false,
                };
                covers && other.direction == rule.direction
            });
            if !covered {
                kept.push(rule.clone());
            }
        }
        let rules = self.support.into_iter().chain(kept).collect();
        RuleSet { place: self.place, families: self.families, rules }
    }
}
