//! What must flow, and between whom: read once from configurations or arguments, and turned into rules by [`crate::rules`].

use std::{
    fmt,
    net::{IpAddr, SocketAddr},
    str::FromStr,
};

use serde::Serialize;

use crate::network::{Family, Network};

pub mod arguments;

/// A name of an edge or a backend: 1 to 63 of a-z, 0-9 and inner hyphens, as the relay's own configurations have them.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct Name(String);

impl Name {
    /// Of an address: its digits, joined by hyphens behind a word.
    pub fn of_address(word: &str, address: IpAddr) -> Self {
        Self(format!("{word}-{}", slug(&address.to_string())))
    }

    /// As text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Name {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let letters = text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
        if letters && !text.is_empty() && text.len() <= 63 && !text.starts_with('-') && !text.ends_with('-') {
            Ok(Self(text.to_owned()))
        } else {
            Err(format!("{text:?} is no name; write 1 to 63 of a-z, 0-9 and inner hyphens, for example node-a"))
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
    /// Where it is reached, with the port: devices and backends connect to the same ones.
    pub endpoints: Vec<SocketAddr>,
    /// Its admin address, where it is not on loopback.
    pub admin: Option<SocketAddr>,
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

impl Role {
    /// As people write it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Master => "master",
            Self::StorageNode => "storage node",
        }
    }
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
}

impl Backend {
    /// Its addresses of a family.
    pub fn addresses_of(&self, family: Family) -> impl Iterator<Item = IpAddr> + '_ {
        self.addresses.iter().copied().filter(move |address| Family::of(*address) == family)
    }
}
