//! The options that say what must flow.

use std::{
    net::{IpAddr, SocketAddr},
    str::FromStr,
};

use clap::Args;

use super::{Backend, Edge, Name, Needs, Role};
use crate::{
    error::Error,
    network::{Family, Network},
};

/// The port that `relay-edge init` writes.
const PORT: u16 = 8443;
/// Values of an option at most: more is a mistake.
const VALUES_MAX: usize = 256;

/// What must flow.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "What must flow")]
pub struct NeedsArgs {
    /// An edge: its addresses in the DMZ, with commas between them, each with a port of its own if need be. Repeat it for
    /// several edges.
    #[arg(long = "edge", value_name = "[NAME=]IP[:PORT],...")]
    pub edges: Vec<Host<Endpoint>>,
    /// The edges' port, where an address has none of its own [default: 8443].
    #[arg(long, value_name = "PORT", value_parser = clap::value_parser!(u16).range(1..))]
    pub port: Option<u16>,
    /// The master: the addresses that its connections come from.
    #[arg(long = "master", value_name = "[NAME=]IP,...")]
    pub masters: Vec<Host<Source>>,
    /// A storage node: the addresses that its connections come from. Repeat it for several nodes.
    #[arg(long = "node", value_name = "[NAME=]IP,...")]
    pub nodes: Vec<Host<Source>>,
    /// Where devices come from [default: anywhere].
    #[arg(long, value_name = "NETWORK,...", value_delimiter = ',')]
    pub clients: Vec<Network>,
}

/// A host: perhaps a name, and its addresses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Host<A> {
    /// What it is called.
    pub name: Option<Name>,
    /// At least one.
    pub addresses: Vec<A>,
}

/// An address of an edge, perhaps with a port.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Endpoint {
    /// The address.
    pub address: IpAddr,
    /// The port, where it is not everybody's.
    pub port: Option<u16>,
}

/// An address that connections come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Source(pub IpAddr);

impl<A: FromStr<Err = String>> FromStr for Host<A> {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (name, addresses) = match text.split_once('=') {
            Some((name, addresses)) => (Some(name.parse()?), addresses),
            None => (None, text),
        };
        let addresses = addresses.split(',').map(|part| part.trim().parse()).collect::<Result<_, _>>()?;
        Ok(Self { name, addresses })
    }
}

impl FromStr for Source {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if let Ok(address) = text.parse() {
            return usable(address).map(Self);
        }
        if text.parse::<SocketAddr>().is_ok() {
            return Err("has a port, but connections come from any port; leave the port out".to_owned());
        }
        Err(no_address(text))
    }
}

impl FromStr for Endpoint {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if let Ok(address) = text.parse() {
            return Ok(Self { address: usable(address)?, port: None });
        }
        match text.parse::<SocketAddr>() {
            Ok(at) if at.port() == 0 => Err("port 0 is no port; write the one that the edge listens on".to_owned()),
            Ok(at) => Ok(Self { address: usable(at.ip())?, port: Some(at.port()) }),
            Err(_) => Err(no_address(text)),
        }
    }
}

/// An address that a packet between two hosts can have.
fn usable(address: IpAddr) -> Result<IpAddr, String> {
    let address = address.to_canonical();
    let problem = if address.is_unspecified() {
        "is every address of the host; name the one that packets have"
    } else if address.is_loopback() {
        "is loopback: no packet filter between hosts ever sees it; name the address on the network"
    } else if address.is_multicast() || address == IpAddr::V4(std::net::Ipv4Addr::BROADCAST) {
        "is not the address of one host; name that"
    } else {
        return Ok(address);
    };
    Err(format!("{address} {problem}"))
}

fn no_address(text: &str) -> String {
    if text.is_empty() {
        return "an address is missing; write for example 192.0.2.10 or 2001:db8::10".to_owned();
    }
    if text.contains('/') {
        return format!("{text} is a network; name the hosts, separated by commas");
    }
    if text.bytes().any(|byte| byte.is_ascii_alphabetic()) && !text.contains(':') {
        return format!("{text} is a name, and packet filters take addresses; write its address: getent ahosts {text}");
    }
    format!(
        "{text} is no IP address; write for example 192.0.2.10 or 2001:db8::10, with a port 192.0.2.10:443 or [2001:db8::10]:443"
    )
}

impl NeedsArgs {
    /// The needs that the options alone state.
    ///
    /// # Errors
    /// What is missing or does not fit together, all of it.
    pub fn needs(&self) -> Result<Needs, Error> {
        let mut problems = Vec::new();
        let port = self.port.unwrap_or(PORT);
        let edges: Vec<Edge> = self.edges.iter().map(|host| edge(host, port)).collect();
        if edges.is_empty() {
            problems.push("no edge is named; give --edge IP, the edge's address in the DMZ".to_owned());
        }
        let all: Vec<SocketAddr> = edges.iter().flat_map(|edge| edge.endpoints.iter().copied()).collect();
        let masters = self.masters.iter().map(|host| backend(host, Role::Master, &all));
        let nodes = self.nodes.iter().map(|host| backend(host, Role::StorageNode, &all));
        let backends: Vec<Backend> = masters.chain(nodes).collect();
        if self.masters.is_empty() {
            problems
                .push("no master is named; give --master IP, the address that its connections come from".to_owned());
        }
        if [edges.len(), backends.len(), self.clients.len()].into_iter().any(|count| count > VALUES_MAX) {
            problems.push(format!("an option is given more than {VALUES_MAX} times; name networks instead of hosts"));
        }
        let needs = Needs {
            edges,
            backends,
            clients: clients(&self.clients),
            administration: Vec::new(),
            time_servers: Vec::new(),
        };
        if problems.is_empty() { Ok(needs) } else { Err(Error::Wrong(problems)) }
    }
}

fn edge(host: &Host<Endpoint>, port: u16) -> Edge {
    let endpoints: Vec<SocketAddr> =
        host.addresses.iter().map(|at| SocketAddr::new(at.address, at.port.unwrap_or(port))).collect();
    Edge { name: named(host.name.as_ref(), "edge", endpoints.first().map(SocketAddr::ip)), endpoints, admin: None }
}

fn backend(host: &Host<Source>, role: Role, dials: &[SocketAddr]) -> Backend {
    let addresses: Vec<IpAddr> = host.addresses.iter().map(|source| source.0).collect();
    let word = match role {
        Role::Master => "master",
        Role::StorageNode => "node",
    };
    Backend {
        name: named(host.name.as_ref(), word, addresses.first().copied()),
        role,
        addresses,
        dials: dials.to_vec(),
    }
}

/// The name that was given, or one made of the first address.
fn named(name: Option<&Name>, word: &str, first: Option<IpAddr>) -> Name {
    let made = || first.map_or_else(|| Name(word.to_owned()), |address| Name::of_address(word, address));
    name.cloned().unwrap_or_else(made)
}

/// The networks that no other one contains; anywhere, if there are none.
fn clients(given: &[Network]) -> Vec<Network> {
    if given.is_empty() {
        return Family::ALL.into_iter().map(Network::any).collect();
    }
    let mut kept: Vec<Network> = Vec::new();
    for network in given {
        if !kept.iter().any(|other| other.contains(*network)) {
            kept.retain(|other| !network.contains(*other));
            kept.push(*network);
        }
    }
    kept
}
