//! The options that say what must flow.

use std::{
    fmt,
    net::{IpAddr, SocketAddr},
    str::FromStr,
};

use clap::Args;

use super::{Name, TimeServer, config::ConfigArg};
use crate::network::Network;

/// The heading of what the relay itself does not need.
const OPTIONAL: &str = "Optional needs: of those who look after the edge hosts, not of the relay";

/// What must flow.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "What must flow")]
pub struct NeedsArgs {
    /// A configuration of `relay-edge` or `relay-backend`: ports and addresses in it need not be typed again. Repeat it for all
    /// that are at hand. NAME= names the edge that the file configures.
    #[arg(long = "config", value_name = "[NAME=]FILE")]
    pub configs: Vec<ConfigArg>,
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
    /// Where devices connect, if an edge has more addresses or ports than those [default: to all of them].
    #[arg(long, value_name = "IP[:PORT],...", value_delimiter = ',')]
    pub clients_to: Vec<Endpoint>,
    /// Look host names of configurations up now; the rules hold the addresses of this moment.
    #[arg(long)]
    pub resolve: bool,
    /// Optional: administrators log in at the edge hosts from these networks inside.
    #[arg(long, value_name = "NETWORK,...", value_delimiter = ',', help_heading = OPTIONAL)]
    pub ssh_from: Vec<Network>,
    /// The port that they log in at.
    #[arg(long, value_name = "PORT", default_value_t = 22, value_parser = clap::value_parser!(u16).range(1..), help_heading = OPTIONAL)]
    pub ssh_port: u16,
    /// Optional: the edges' admin address (metrics, status) is read from these networks inside.
    #[arg(long, value_name = "NETWORK,...", value_delimiter = ',', help_heading = OPTIONAL)]
    pub monitoring_from: Vec<Network>,
    /// The port of the admin address, where no configuration of the edge says it.
    #[arg(long, value_name = "PORT", value_parser = clap::value_parser!(u16).range(1..), help_heading = OPTIONAL)]
    pub admin_port: Option<u16>,
    /// Optional: the edge hosts set their clocks by this server, over NTP. It is the only connection that they then open.
    #[arg(long = "time-server", value_name = "dmz=IP|internet=IP", help_heading = OPTIONAL)]
    pub time_servers: Vec<TimeServer>,
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
///
/// # Errors
/// Why this one is none.
pub fn usable(address: IpAddr) -> Result<IpAddr, String> {
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

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.port {
            Some(port) => SocketAddr::new(self.address, port).fmt(f),
            None => self.address.fmt(f),
        }
    }
}

impl<A: fmt::Display> fmt::Display for Host<A> {
    /// As it was written.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(name) = &self.name {
            write!(f, "{name}=")?;
        }
        for (place, address) in self.addresses.iter().enumerate() {
            write!(f, "{}{address}", if place == 0 { "" } else { "," })?;
        }
        Ok(())
    }
}
