//! The rules behind every format: for firewall 1, for firewall 2, and for each edge host.
//!
//! A [`RuleSet`] is a list of things that may pass; everything else is dropped. Ids are made of names and addresses, not
//! of positions: a rule keeps its id when others come and go.

use std::{fmt, net::SocketAddr};

use serde::{Serialize, Serializer};
use sha2::{Digest, Sha256};

use crate::{
    needs::{Name, Needs, TimePlace},
    network::{Family, Network},
};

mod draft;
mod edge_host;

use draft::Draft;

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

/// Bytes of an id at most: a comment has room for a reason, and Azure takes no name of more than 80.
const ID_BYTES_MAX: usize = 72;

impl RuleId {
    /// The id of these words; a long one ends in a digest of itself.
    fn new(text: String) -> Self {
        if text.len() <= ID_BYTES_MAX {
            return Self(text);
        }
        let digest: String = Sha256::digest(&text).iter().take(4).map(|byte| format!("{byte:02x}")).collect();
        let kept: String = text.chars().take(ID_BYTES_MAX - 9).collect();
        Self(format!("{kept}-{digest}"))
    }

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

/// One end of a connection.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Party {
    /// Devices; where they may come from anywhere also everybody else, backends among them.
    Devices,
    /// A backend inside.
    Backend(Name),
    /// Those who log in.
    Administrators,
    /// What reads metrics and status.
    Monitoring,
    /// An edge.
    Edge(Name),
    /// A time server.
    TimeServer,
}

/// Who opens a connection to whom.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Ends {
    /// Who opens it.
    pub from: Party,
    /// Who answers.
    pub to: Party,
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
    /// Between whom, if it lets connections be opened.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ends: Option<Ends>,
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
    for edge in &needs.edges {
        set.backends(Direction::Forward, needs, edge, "; the inside opens every connection");
        set.administration(Direction::Forward, needs, edge);
    }
    set.finish()
}

/// Internet to DMZ: devices reach the edges on their port. Nothing else.
pub fn firewall_2(needs: &Needs) -> RuleSet {
    let mut set = Draft::router(Place::Firewall2, "fw2", needs);
    for edge in &needs.edges {
        set.devices(Direction::Forward, needs, edge, "devices reach the edge on its one port");
        for server in needs.time_servers.iter().filter(|server| server.place == TimePlace::Internet) {
            set.time(Direction::Forward, edge, server.address);
        }
    }
    set.finish()
}
