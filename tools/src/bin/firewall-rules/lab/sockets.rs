//! Who opened which connection: `ss` in each namespace, and the firewalls' own record of connections.
//!
//! A listener's port is known, and whoever connects has another: so the side on which the edge's port stands was called, and
//! the other one called.

use std::{
    collections::BTreeSet,
    net::{IpAddr, Ipv6Addr, SocketAddr},
};

use serde::Serialize;

use super::topology::{Host, Space};

/// A TCP connection as one namespace sees it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Socket {
    /// Its state in the words of `ss`.
    pub state: String,
    /// This side.
    pub local: SocketAddr,
    /// The other side.
    pub peer: SocketAddr,
}

/// The connections in the output of `ss -Htan`; listeners, and what is no line of it, are left out.
#[must_use]
pub fn parse(output: &str) -> Vec<Socket> {
    let parse_line = |line: &str| {
        let mut words = line.split_whitespace();
        let state = words.next()?.to_owned();
        let mut ends = words.skip(2);
        let (local, peer) = (address(ends.next()?)?, address(ends.next()?)?);
        (state != "LISTEN").then_some(Socket { state, local, peer })
    };
    output.lines().filter_map(parse_line).collect()
}

/// `ADDRESS:PORT`, the address perhaps in brackets, with an interface, or an IPv4 one written as IPv6.
fn address(text: &str) -> Option<SocketAddr> {
    let (ip, port) = text.rsplit_once(':')?;
    let ip = ip.trim_start_matches('[').trim_end_matches(']');
    let ip = ip.split('%').next()?;
    let ip = ip.parse::<IpAddr>().or_else(|_| ip.parse::<Ipv6Addr>().map(IpAddr::V6)).ok()?;
    Some(SocketAddr::new(ip.to_canonical(), port.parse().ok()?))
}

/// A connection between hosts, and who opened it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Connection {
    /// Whoever called.
    pub from: Host,
    /// Its address and port.
    pub from_address: SocketAddr,
    /// Whoever was called.
    pub to: Host,
    /// Its address and port.
    pub to_address: SocketAddr,
}

/// What the sockets of all namespaces say.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Census {
    /// Connections to the edge that both sides see, by whoever opened them.
    pub connections: Vec<Connection>,
    /// Sockets that the design does not have.
    pub problems: Vec<String>,
}

impl Census {
    /// Connections that were opened by hosts in this namespace.
    #[must_use]
    pub fn opened_in(&self, space: Space) -> usize {
        self.connections.iter().filter(|connection| connection.from.space() == space).count()
    }
}

/// The host that has an address.
fn host(address: IpAddr) -> Option<Host> {
    Host::ALL.into_iter().find(|host| host.addresses().contains(&address))
}

/// Judges the sockets of each namespace; `port` is the edge's.
///
/// Sockets whose other side is gone already (`TIME-WAIT` and the like) count for direction, not as connections.
#[must_use]
pub fn judge(spaces: &[(Space, Vec<Socket>)], port: u16) -> Census {
    let mut census = Census::default();
    let edge = |address: SocketAddr| address.port() == port && host(address.ip()) == Some(Host::Edge);
    let mut accepted = BTreeSet::new();
    for (space, sockets) in spaces {
        for socket in sockets.iter().filter(|socket| !within(*space, socket)) {
            let (local, peer) = (edge(socket.local), edge(socket.peer));
            let right = match space {
                Space::Internet | Space::Inside => peer && !local,
                Space::Dmz => local && !peer,
                // A firewall passes connections on and has none.
                Space::Firewall1 | Space::Firewall2 => false,
            };
            if !right {
                census.problems.push(format!(
                    "{} has a connection that nobody should: {} to {} ({})",
                    space.title(),
                    socket.local,
                    socket.peer,
                    socket.state
                ));
            } else if *space == Space::Dmz && socket.state == "ESTAB" {
                accepted.insert((socket.peer, socket.local));
            }
        }
    }
    for (space, sockets) in spaces {
        if !matches!(space, Space::Internet | Space::Inside) {
            continue;
        }
        for socket in
            sockets.iter().filter(|socket| socket.state == "ESTAB" && accepted.contains(&(socket.local, socket.peer)))
        {
            if let Some(from) = host(socket.local.ip()).filter(|from| from.space() == *space) {
                let to = Host::Edge;
                census.connections.push(Connection { from, from_address: socket.local, to, to_address: socket.peer });
            }
        }
    }
    census.connections.sort();
    census
}

/// Whether both ends are in this namespace.
fn within(space: Space, socket: &Socket) -> bool {
    let here = |address: SocketAddr| address.ip().is_loopback() || space.addresses().contains(&address.ip());
    here(socket.local) && here(socket.peer)
}

/// How the first packet of a connection went, as a firewall remembers it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Tracked {
    /// Its sender.
    pub from: SocketAddr,
    /// Its receiver.
    pub to: SocketAddr,
}

/// The TCP connections in lines of `/proc/net/nf_conntrack`: what comes first in a line is the direction of the first packet.
#[must_use]
pub fn tracked(lines: &[String]) -> Vec<Tracked> {
    let parse_line = |line: &String| {
        if line.split_whitespace().nth(2) != Some("tcp") {
            return None;
        }
        let value = |key: &str| line.split_whitespace().find_map(|word| word.strip_prefix(key)?.strip_prefix('='));
        let end = |ip: &str, port: &str| Some(SocketAddr::new(value(ip)?.parse().ok()?, value(port)?.parse().ok()?));
        Some(Tracked { from: end("src", "sport")?, to: end("dst", "dport")? })
    };
    lines.iter().filter_map(parse_line).collect()
}

/// A sentence for each connection through a firewall that was not opened towards the edge's port from where it may be.
#[must_use]
pub fn judge_tracked(space: Space, tracked: &[Tracked], port: u16) -> Vec<String> {
    let from = if space == Space::Firewall1 { Space::Inside } else { Space::Internet };
    let right = |connection: &&Tracked| {
        host(connection.from.ip()).is_some_and(|host| host.space() == from)
            && host(connection.to.ip()) == Some(Host::Edge)
            && connection.to.port() == port
    };
    let wrong = tracked.iter().filter(|connection| !right(connection));
    wrong.map(|wrong| format!("{} let pass a connection from {} to {}", space.title(), wrong.from, wrong.to)).collect()
}

/// The calls in what `strace -f -e trace=connect,accept4` wrote.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Calls {
    /// Of `connect`, on sockets of IPv4 and IPv6: there must be none.
    pub connects_inet: Vec<String>,
    /// Of `connect`, on others, such as one to the service manager.
    pub connects_others: Vec<String>,
    /// Of `accept4`, which show that the trace saw the edge at work.
    pub accepts: usize,
}

/// Reads a trace.
#[must_use]
pub fn calls(trace: &str) -> Calls {
    let mut calls = Calls::default();
    for line in trace.lines() {
        if line.contains("accept4(") {
            calls.accepts += 1;
        } else if line.contains("connect(") {
            let other = line.contains("AF_") && !line.contains("AF_INET");
            if other { &mut calls.connects_others } else { &mut calls.connects_inet }.push(line.trim().to_owned());
        }
    }
    calls
}

#[cfg(test)]
mod tests {
    use super::*;

    const INSIDE: &str = "\
LISTEN     0      1024         127.0.0.1:9601            0.0.0.0:*
LISTEN     0      128                  *:22                    *:*
ESTAB      0      0            127.0.0.1:9601          127.0.0.1:50000
ESTAB      0      0           10.20.0.10:41000        192.0.2.10:8443
ESTAB      0      0       [fd00:20::11]:41001 [2001:db8:2::10]:8443
";
    const DMZ: &str = "\
LISTEN     0      1024        192.0.2.10:8443            0.0.0.0:*
ESTAB      0      0           192.0.2.10:8443        10.20.0.10:41000
ESTAB      0      0    [2001:db8:2::10%eth0]:8443   [fd00:20::11]:41001
ESTAB      0      0    [::ffff:192.0.2.10]:8443  [::ffff:203.0.113.50]:41002
TIME-WAIT  0      0           192.0.2.10:8443      203.0.113.50:41003
not a line of ss
";
    const INTERNET: &str = "ESTAB 0 0 203.0.113.50:41002 192.0.2.10:8443\n";

    fn judged(inside: &str, dmz: &str, internet: &str) -> Census {
        judge(&[(Space::Internet, parse(internet)), (Space::Dmz, parse(dmz)), (Space::Inside, parse(inside))], 8443)
    }

    #[test]
    fn the_side_with_the_edges_port_was_called() {
        let census = judged(INSIDE, DMZ, INTERNET);
        assert_eq!(census.problems, Vec::<String>::new());
        let from: Vec<Host> = census.connections.iter().map(|connection| connection.from).collect();
        assert_eq!(from, [Host::Devices, Host::Master, Host::NodeA]);
        assert_eq!(census.opened_in(Space::Inside), 2);
        // A connection that only one side sees is none.
        assert_eq!(judged("", DMZ, INTERNET).opened_in(Space::Inside), 0);
    }

    #[test]
    fn a_connection_in_another_direction_is_a_problem_in_every_state() {
        for (space, line) in [
            (Space::Dmz, "SYN-SENT 0 1 192.0.2.10:40000 10.20.0.10:8443"),
            (Space::Dmz, "ESTAB 0 0 192.0.2.10:40000 203.0.113.50:443"),
            (Space::Dmz, "TIME-WAIT 0 0 192.0.2.10:9443 203.0.113.50:40000"),
            (Space::Inside, "ESTAB 0 0 10.20.0.10:8443 192.0.2.10:40000"),
            (Space::Inside, "ESTAB 0 0 10.20.0.10:40000 192.0.2.10:22"),
            (Space::Inside, "ESTAB 0 0 10.20.0.10:40000 203.0.113.50:443"),
            (Space::Internet, "ESTAB 0 0 203.0.113.50:40000 10.20.0.10:8443"),
            (Space::Firewall1, "ESTAB 0 0 192.0.2.2:22 192.0.2.10:40000"),
        ] {
            let census = judge(&[(space, parse(line))], 8443);
            assert_eq!(census.problems.len(), 1, "{line}");
            assert!(census.connections.is_empty(), "{line}");
        }
    }

    #[test]
    fn a_firewalls_record_begins_with_the_first_packet() {
        let lines: Vec<String> = [
            "ipv4     2 tcp      6 431999 ESTABLISHED src=10.20.0.10 dst=192.0.2.10 sport=41000 dport=8443 \
             src=192.0.2.10 dst=10.20.0.10 sport=8443 dport=41000 [ASSURED] mark=0 zone=0 use=2",
            "ipv6     10 tcp      6 100 TIME_WAIT src=fd00:0020:0000:0000:0000:0000:0000:0011 \
             dst=2001:0db8:0002:0000:0000:0000:0000:0010 sport=41001 dport=8443 src=2001:0db8:0002::10 dst=fd00:20::11 \
             sport=8443 dport=41001 mark=0 use=1",
            "ipv4     2 udp      17 20 src=10.20.0.10 dst=192.0.2.10 sport=1 dport=2 mark=0 use=1",
            "",
        ]
        .map(str::to_owned)
        .into();
        let records = tracked(&lines);
        assert_eq!(records.len(), 2);
        assert_eq!(judge_tracked(Space::Firewall1, &records, 8443), Vec::<String>::new());
        assert_eq!(judge_tracked(Space::Firewall2, &records, 8443).len(), 2, "nothing from the inside goes there");
        let inward = Tracked { from: records[0].to, to: records[0].from };
        assert_eq!(
            judge_tracked(Space::Firewall1, &[inward], 8443),
            ["firewall 1 let pass a connection from 192.0.2.10:8443 to 10.20.0.10:41000"]
        );
    }

    #[test]
    fn calls_are_counted_by_what_they_are_made_on() {
        let trace = "\
12 accept4(9, {sa_family=AF_INET, sin_port=htons(4), sin_addr=inet_addr(\"10.20.0.10\")}, [128 => 16], SOCK_CLOEXEC) = 11
12 connect(3, {sa_family=AF_UNIX, sun_path=\"/run/notify\"}, 14) = 0
13 connect(5, {sa_family=AF_INET6, sin6_port=htons(53)}, 28 <unfinished ...>
13 <... connect resumed>) = -1 EPERM (Operation not permitted)
13 connect(5, 0x7ffd, 28) = -1 EFAULT (Bad address)
";
        let calls = calls(trace);
        assert_eq!((calls.accepts, calls.connects_others.len(), calls.connects_inet.len()), (1, 1, 2));
    }
}
