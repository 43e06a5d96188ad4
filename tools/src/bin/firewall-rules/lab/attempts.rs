//! What a captured edge tries from its host, as root, and what a stranger tries from the internet.

use std::{
    net::{IpAddr, SocketAddr},
    time::Duration,
};

use serde::Serialize;

use super::{
    agent::{Answer, Ask},
    error::LabError,
    matrix::Seen,
    rows::ADMIN_PORT,
    topology::{Host, Space},
    world::{World, see},
};
use crate::network::Family;

/// How long each port of a sweep has to answer.
const PORT_WAIT: Duration = Duration::from_millis(700);
/// The ports of the sweep that shows, without rules, that a sweep sees what answers: both of the admin address's neighbours
/// included.
const CONTROL_PORTS: [u16; 2] = [ADMIN_PORT - 2, ADMIN_PORT + 2];

/// A way to reach somebody.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase", tag = "protocol")]
pub enum Means {
    /// A TCP connection.
    Tcp {
        /// To this port.
        port: u16,
    },
    /// A datagram.
    Udp {
        /// To this port.
        port: u16,
    },
    /// A datagram that comes from the edge's port, as answers to it would.
    UdpFromPort {
        /// To and from this port.
        port: u16,
    },
    /// An echo request.
    Icmp,
}

impl Means {
    /// As it is written in reports.
    #[must_use]
    pub fn shown(self) -> String {
        match self {
            Self::Tcp { port } => format!("TCP {port}"),
            Self::Udp { port } => format!("UDP {port}"),
            Self::UdpFromPort { port } => format!("UDP {port} from {port}"),
            Self::Icmp => "ICMP echo".to_owned(),
        }
    }
}

/// One attempt and what came of it.
#[derive(Clone, Debug, Serialize)]
pub struct Attempt {
    /// Who was tried.
    pub host: Host,
    /// At which address.
    pub address: IpAddr,
    /// How.
    #[serde(flatten)]
    pub means: Means,
    /// What came back.
    pub seen: Seen,
    /// Whether what was sent has arrived, answer or not; for TCP the same as an answer.
    pub arrived: bool,
}

impl Attempt {
    /// Whether somebody was reached, or told off, which shows that something was reached.
    #[must_use]
    pub fn reached(&self) -> bool {
        self.seen.works || self.arrived || self.seen.how == "refused"
    }

    /// In a sentence.
    #[must_use]
    pub fn shown(&self) -> String {
        format!("{} to {} ({}): {}", self.means.shown(), self.address, self.host.name(), self.seen.how)
    }
}

/// Every way to every address that is not in `from`.
fn every_way(world: &World<'_>, from: Space) -> Vec<(Host, IpAddr, Means)> {
    let mut means: Vec<Means> = world.tcp_ports().into_iter().map(|port| Means::Tcp { port }).collect();
    means.extend(world.udp_ports().into_iter().map(|port| Means::Udp { port }));
    means.extend([Means::UdpFromPort { port: world.port }, Means::Icmp]);
    let hosts = Host::ALL.into_iter().filter(|host| host.space() != from);
    let addresses = hosts.flat_map(|host| host.addresses().into_iter().map(move |address| (host, address)));
    addresses.flat_map(|(host, address)| means.iter().map(move |&means| (host, address, means))).collect()
}

/// Tries every way out of the edge's host, as root, at one time; each has `wait` to be answered.
///
/// # Errors
/// If an agent does not answer.
pub fn from_the_edge(world: &World<'_>, wait: Duration) -> Result<Vec<Attempt>, LabError> {
    attempt(world, Space::Dmz, every_way(world, Space::Dmz), wait)
}

/// Tries the edge's host from the internet by everything that is not a TCP port, for which there is the sweep; and its admin
/// address.
///
/// # Errors
/// If an agent does not answer.
pub fn from_the_internet(world: &World<'_>, wait: Duration) -> Result<Vec<Attempt>, LabError> {
    let mut ways = every_way(world, Space::Internet);
    ways.retain(|(host, _, means)| *host != Host::Edge || !matches!(means, Means::Tcp { .. }));
    ways.push((Host::Edge, Host::Edge.address(Family::Ipv4), Means::Tcp { port: ADMIN_PORT }));
    attempt(world, Space::Internet, ways, wait)
}

fn attempt(
    world: &World<'_>,
    from: Space,
    ways: Vec<(Host, IpAddr, Means)>,
    wait: Duration,
) -> Result<Vec<Attempt>, LabError> {
    let agent = world.root(from)?;
    let mut running = Vec::with_capacity(ways.len());
    for (host, address, means) in ways {
        let mark = world.mark();
        let to = |port| SocketAddr::new(address, port);
        let ask = match means {
            Means::Tcp { port } => Ask::Tcp { to: to(port), from_port: None },
            Means::Udp { port } => Ask::Udp { to: to(port), from_port: None, mark },
            Means::UdpFromPort { port } => Ask::Udp { to: to(port), from_port: Some(port), mark },
            Means::Icmp => Ask::Icmp { to: address, mark },
        };
        let pending = agent.ask(ask, wait);
        running.push((host, address, means, mark, pending));
    }
    let mut attempts = Vec::with_capacity(running.len());
    let mut marks = Vec::with_capacity(running.len());
    for (host, address, means, mark, pending) in running {
        let seen = see(pending.wait(world.stop)?);
        marks.push(mark);
        attempts.push(Attempt { host, address, means, arrived: seen.works, seen });
    }
    for space in Space::ALL {
        let arrived = world.arrived(space)?;
        for (attempt, mark) in attempts.iter_mut().zip(&marks) {
            attempt.arrived |= attempt.host.space() == space && arrived.contains(mark);
        }
    }
    Ok(attempts)
}

/// What the ports of an address said.
#[derive(Clone, Debug, Serialize)]
pub struct Sweep {
    /// Whose.
    pub address: IpAddr,
    /// Ports tried.
    pub ports: u32,
    /// Those that opened.
    pub open: Vec<u16>,
    /// Those that refused.
    pub refused: Vec<u16>,
    /// How many said nothing.
    pub silent: u32,
}

impl Sweep {
    /// Whether the edge's port answers, and nothing else.
    #[must_use]
    pub fn only(&self, port: u16) -> bool {
        self.open == [port] && self.refused.is_empty() && self.silent == self.ports - 1
    }
}

/// Connects to every port of the edge from the internet, over both protocols at one time.
///
/// # Errors
/// If the agent does not answer.
pub fn sweep(world: &World<'_>) -> Result<Vec<Sweep>, LabError> {
    ports(world, 1, u16::MAX)
}

/// The sweep of a few ports, to be done without rules: each of them must answer, if only by refusing.
///
/// # Errors
/// If the agent does not answer.
pub fn control_sweep(world: &World<'_>) -> Result<Vec<Sweep>, LabError> {
    ports(world, CONTROL_PORTS[0], CONTROL_PORTS[1])
}

fn ports(world: &World<'_>, first: u16, last: u16) -> Result<Vec<Sweep>, LabError> {
    let agent = world.root(Space::Internet)?;
    let addresses = Family::ALL.map(|family| Host::Edge.address(family));
    let running = addresses.map(|to| (to, agent.ask(Ask::Sweep { to, first, last }, PORT_WAIT)));
    let swept = running.into_iter().map(|(address, pending)| {
        let answer = pending.wait(world.stop)?;
        let Answer::Swept { open, refused, silent, .. } = answer else {
            return Err(LabError::failed(format!("sweep {address}"), see(answer).how));
        };
        Ok(Sweep { address, ports: u32::from(last - first) + 1, open, refused, silent })
    });
    swept.collect()
}
