//! What must flow, and between whom: read once from configurations or arguments, and turned into rules by [`crate::rules`].

use std::{
    fmt,
    net::{IpAddr, SocketAddr},
    str::FromStr,
};

use serde::Serialize;

use crate::network::{Family, Network};

pub mod arguments;
mod backends;
mod combine;
pub mod config;
mod edges;
mod optional;
mod resolve;

pub use combine::{Stated, combine};

/// A name of an edge or a backend: 1 to 63 of a-z, 0-9 and inner `-`, `.` and `_`: what the relay's configurations call
/// backends, or a host name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct Name(String);

impl Name {
    /// Of an address: its digits, joined by hyphens behind a word.
    fn made(word: &str, address: Option<IpAddr>) -> Self {
        Self(address.map_or_else(|| word.to_owned(), |address| format!("{word}-{}", slug(&address.to_string()))))
    }

    /// As text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Name {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let name = text.to_ascii_lowercase();
        let inner = |c: char| c.is_ascii_alphanumeric() || "-._".contains(c);
        let outer = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric());
        if name.chars().all(inner) && name.len() <= 63 && outer(name.chars().next()) && outer(name.chars().next_back())
        {
            Ok(Self(name))
        } else {
            Err(format!("{text:?} is no name; write 1 to 63 of a-z, 0-9 and inner hyphens or dots, for example node-a"))
        }
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A text with hyphens in the place of everything but letters and digits: part of an identifier.
pub fn slug(text: &str) -> String {
    text.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' }).collect()
}

/// An edge in the DMZ.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Edge {
    /// Its name.
    pub name: Name,
    /// Where it is reached, with the port.
    pub endpoints: Vec<SocketAddr>,
    /// Those of them that devices connect to.
    pub public: Vec<SocketAddr>,
    /// Its admin address, where other hosts can reach it.
    pub admin: Vec<SocketAddr>,
}

/// What a backend is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// The master.
    Master,
    /// A storage node.
    StorageNode,
}

/// A backend inside. It dials; nothing dials it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Backend {
    /// Its name.
    pub name: Name,
    /// What it is.
    pub role: Role,
    /// The addresses that its connections come from, as firewall 1 sees them.
    pub addresses: Vec<IpAddr>,
    /// Where it connects to: endpoints of edges.
    pub dials: Vec<SocketAddr>,
}

/// A need of those who look after the edge host; the relay works without it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Administration {
    /// What it is for.
    pub kind: AdminKind,
    /// Where it comes from: networks inside.
    pub from: Network,
    /// Where it goes.
    pub to: SocketAddr,
}

/// The kinds of administration.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum AdminKind {
    /// Log-in over SSH.
    Ssh,
    /// Reading `/metrics`, `/status`, `/healthz` and `/readyz`.
    Monitoring,
}

/// A time server that edge hosts ask over NTP: the one need in the outbound direction. It is never inside, because a rule
/// through firewall 1 would lead inward.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct TimeServer {
    /// On which side of firewall 2 it stands.
    pub place: TimePlace,
    /// Its address.
    pub address: IpAddr,
}

/// Where a time server may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum TimePlace {
    /// In the DMZ itself.
    Dmz,
    /// Behind firewall 2.
    Internet,
}

/// Everything that must pass.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Needs {
    /// The edges; at least one.
    pub edges: Vec<Edge>,
    /// The backends; at least one.
    pub backends: Vec<Backend>,
    /// Where devices come from; none lies in another.
    pub clients: Vec<Network>,
    /// Optional.
    pub administration: Vec<Administration>,
    /// Optional.
    pub time_servers: Vec<TimeServer>,
}

impl Needs {
    /// Whether any edge has an address of this family.
    pub fn uses(&self, family: Family) -> bool {
        self.edges.iter().any(|edge| edge.uses(family))
    }
}

impl Edge {
    /// Whether it has an address of this family.
    pub fn uses(&self, family: Family) -> bool {
        self.endpoints.iter().any(|endpoint| Family::of(endpoint.ip()) == family)
    }

    /// The different addresses that it is reached at, of one family.
    pub fn addresses(&self, family: Family) -> Vec<IpAddr> {
        let mut addresses = Vec::new();
        for ip in self.endpoints.iter().map(SocketAddr::ip).filter(|ip| Family::of(*ip) == family) {
            if !addresses.contains(&ip) {
                addresses.push(ip);
            }
        }
        addresses
    }

    /// Whether this is an address of its host.
    pub fn has(&self, address: IpAddr) -> bool {
        self.endpoints.iter().chain(&self.admin).any(|at| at.ip() == address)
    }
}

impl Backend {
    /// Its addresses of a family.
    pub fn addresses_of(&self, family: Family) -> impl Iterator<Item = IpAddr> + '_ {
        self.addresses.iter().copied().filter(move |address| Family::of(*address) == family)
    }
}
