//! The lab on paper: five namespaces, who lives in them at which addresses, and the commands that make it so.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use serde::Serialize;

use crate::network::Family;

/// One network namespace.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Space {
    /// Where the devices are.
    Internet,
    /// The router and packet filter between the internet and the DMZ.
    Firewall2,
    /// The DMZ: the edge's host, and the switch that it and both firewalls are plugged into.
    Dmz,
    /// The router and packet filter between the DMZ and the inside.
    Firewall1,
    /// The master and the storage nodes.
    Inside,
}

impl Space {
    /// All, from the outside to the inside.
    pub const ALL: [Self; 5] = [Self::Internet, Self::Firewall2, Self::Dmz, Self::Firewall1, Self::Inside];

    /// The last part of the namespace's name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Internet => "internet",
            Self::Firewall2 => "firewall2",
            Self::Dmz => "dmz",
            Self::Firewall1 => "firewall1",
            Self::Inside => "inside",
        }
    }

    /// As it is called in reports.
    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            Self::Internet => "the internet",
            Self::Firewall2 => "firewall 2",
            Self::Dmz => "the edge's host",
            Self::Firewall1 => "firewall 1",
            Self::Inside => "the inside",
        }
    }

    /// Whether packets for others go through it.
    #[must_use]
    pub const fn routes(self) -> bool {
        matches!(self, Self::Firewall1 | Self::Firewall2)
    }

    /// Every address in it, of both protocols.
    #[must_use]
    pub fn addresses(self) -> Vec<IpAddr> {
        Host::ALL.iter().filter(|host| host.space() == self).flat_map(|host| host.addresses()).collect()
    }
}

/// A host, or one of several in the same namespace, told apart by their addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Host {
    /// The devices, all behind one address.
    Devices,
    /// Firewall 2, on both its sides.
    Firewall2,
    /// The edge.
    Edge,
    /// Firewall 1, on both its sides.
    Firewall1,
    /// The master.
    Master,
    /// The first storage node.
    NodeA,
    /// The second.
    NodeB,
}

impl Host {
    /// All, from the outside to the inside.
    pub const ALL: [Self; 7] =
        [Self::Devices, Self::Firewall2, Self::Edge, Self::Firewall1, Self::Master, Self::NodeA, Self::NodeB];

    /// Those behind firewall 1.
    pub const BACKENDS: [Self; 3] = [Self::Master, Self::NodeA, Self::NodeB];

    /// Where it lives.
    #[must_use]
    pub const fn space(self) -> Space {
        match self {
            Self::Devices => Space::Internet,
            Self::Firewall2 => Space::Firewall2,
            Self::Edge => Space::Dmz,
            Self::Firewall1 => Space::Firewall1,
            Self::Master | Self::NodeA | Self::NodeB => Space::Inside,
        }
    }

    /// Its name in reports; of backends also their name at the edge.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Devices => "device",
            Self::Firewall2 => "firewall 2",
            Self::Edge => "edge",
            Self::Firewall1 => "firewall 1",
            Self::Master => "hq",
            Self::NodeA => "node-a",
            Self::NodeB => "node-b",
        }
    }

    /// How it is spoken of in a sentence.
    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            Self::Devices => "a device",
            Self::Firewall2 => "firewall 2",
            Self::Edge => "the edge",
            Self::Firewall1 => "firewall 1",
            Self::Master => "the master",
            Self::NodeA => "node-a",
            Self::NodeB => "node-b",
        }
    }

    /// The user that its processes run as. Backends share a namespace, and the user decides which of its addresses a
    /// connection comes from, so that each is a host of its own to firewall 1.
    #[must_use]
    pub const fn user(self) -> Option<u32> {
        match self {
            Self::Firewall1 | Self::Firewall2 => None,
            Self::Devices => Some(58_410),
            Self::Edge => Some(58_411),
            Self::Master => Some(58_412),
            Self::NodeA => Some(58_413),
            Self::NodeB => Some(58_414),
        }
    }

    /// Its address; of a firewall the one that faces the DMZ.
    #[must_use]
    pub const fn address(self, family: Family) -> IpAddr {
        match family {
            Family::Ipv4 => IpAddr::V4(match self {
                Self::Devices => Ipv4Addr::new(203, 0, 113, 50),
                Self::Firewall2 => Ipv4Addr::new(192, 0, 2, 1),
                Self::Edge => Ipv4Addr::new(192, 0, 2, 10),
                Self::Firewall1 => Ipv4Addr::new(192, 0, 2, 2),
                Self::Master => Ipv4Addr::new(10, 20, 0, 10),
                Self::NodeA => Ipv4Addr::new(10, 20, 0, 11),
                Self::NodeB => Ipv4Addr::new(10, 20, 0, 12),
            }),
            Family::Ipv6 => IpAddr::V6(match self {
                Self::Devices => Ipv6Addr::new(0x2001, 0xdb8, 1, 0, 0, 0, 0, 0x50),
                Self::Firewall2 => Ipv6Addr::new(0x2001, 0xdb8, 2, 0, 0, 0, 0, 1),
                Self::Edge => Ipv6Addr::new(0x2001, 0xdb8, 2, 0, 0, 0, 0, 0x10),
                Self::Firewall1 => Ipv6Addr::new(0x2001, 0xdb8, 2, 0, 0, 0, 0, 2),
                Self::Master => Ipv6Addr::new(0xfd00, 0x20, 0, 0, 0, 0, 0, 0x10),
                Self::NodeA => Ipv6Addr::new(0xfd00, 0x20, 0, 0, 0, 0, 0, 0x11),
                Self::NodeB => Ipv6Addr::new(0xfd00, 0x20, 0, 0, 0, 0, 0, 0x12),
            }),
        }
    }

    /// The other address of a firewall: of firewall 2 towards the internet, of firewall 1 towards the inside.
    #[must_use]
    pub const fn other_side(self, family: Family) -> Option<IpAddr> {
        match (self, family) {
            (Self::Firewall2, Family::Ipv4) => Some(IpAddr::V4(Ipv4Addr::new(203, 0, 113, 1))),
            (Self::Firewall2, Family::Ipv6) => Some(IpAddr::V6(Ipv6Addr::new(0x2001, 0xdb8, 1, 0, 0, 0, 0, 1))),
            (Self::Firewall1, Family::Ipv4) => Some(IpAddr::V4(Ipv4Addr::new(10, 20, 0, 1))),
            (Self::Firewall1, Family::Ipv6) => Some(IpAddr::V6(Ipv6Addr::new(0xfd00, 0x20, 0, 0, 0, 0, 0, 1))),
            (Self::Devices | Self::Edge | Self::Master | Self::NodeA | Self::NodeB, Family::Ipv4 | Family::Ipv6) => {
                None
            }
        }
    }

    /// All its addresses.
    #[must_use]
    pub fn addresses(self) -> Vec<IpAddr> {
        Family::ALL.iter().flat_map(|&family| [Some(self.address(family)), self.other_side(family)]).flatten().collect()
    }

    /// Its address with a port.
    #[must_use]
    pub const fn socket(self, family: Family, port: u16) -> SocketAddr {
        SocketAddr::new(self.address(family), port)
    }
}

/// The networks of the devices.
pub const DEVICES: [&str; 2] = ["203.0.113.0/24", "2001:db8:1::/64"];

/// The interface in the first namespace, its peer, and the namespace of the peer.
struct Link(Space, &'static str, Space, &'static str);

/// The cables. The DMZ's end of both is plugged into its switch.
const LINKS: [Link; 4] = [
    Link(Space::Internet, "eth0", Space::Firewall2, "outside"),
    Link(Space::Firewall2, "dmz", Space::Dmz, "port2"),
    Link(Space::Firewall1, "dmz", Space::Dmz, "port1"),
    Link(Space::Inside, "eth0", Space::Firewall1, "inside"),
];

/// The routing table of a backend's user.
const fn table(user: u32) -> u32 {
    100 + user % 100
}

/// The first batch of commands for `ip -batch` inside `space`; `name` gives the name of another namespace. Interfaces are made in the
/// namespaces themselves, so that the host sees none of them.
#[must_use]
pub fn devices(space: Space, name: impl Fn(Space) -> String) -> String {
    let mut lines = vec!["link set lo up".to_owned()];
    if space == Space::Dmz {
        // A switch without spanning tree forwards at once; without snooping it passes every neighbour discovery on.
        lines.push("link add eth0 type bridge stp_state 0 mcast_snooping 0".to_owned());
    }
    for Link(near, interface, far, peer) in LINKS {
        if near == space {
            lines.push(format!("link add {interface} type veth peer name {peer} netns {}", name(far)));
        }
    }
    lines.join("\n") + "\n"
}

/// The second batch, when every cable is there: addresses, routes, everything up.
#[must_use]
pub fn addresses(space: Space) -> String {
    let mut lines = Vec::new();
    for Link(near, interface, far, peer) in LINKS {
        for (end, device) in [(near, interface), (far, peer)] {
            if end == space {
                if space == Space::Dmz {
                    lines.push(format!("link set {device} master eth0"));
                }
                lines.push(format!("link set {device} up"));
            }
        }
    }
    if space == Space::Dmz {
        lines.push("link set eth0 up".to_owned());
    }
    for host in Host::ALL.iter().filter(|host| host.space() == space) {
        for family in Family::ALL {
            let towards_dmz = if space.routes() { "dmz" } else { "eth0" };
            lines.push(address_line(host.address(family), towards_dmz));
            if let Some(other) = host.other_side(family) {
                lines.push(address_line(other, if space == Space::Firewall2 { "outside" } else { "inside" }));
            }
        }
    }
    lines.extend(routes(space));
    lines.join("\n") + "\n"
}

fn address_line(address: IpAddr, device: &str) -> String {
    match address {
        IpAddr::V4(address) => format!("address add {address}/24 dev {device}"),
        // Nobody else is on these links; an address that is still being checked could not be used yet.
        IpAddr::V6(address) => format!("address add {address}/64 dev {device} nodad"),
    }
}

fn routes(space: Space) -> Vec<String> {
    let mut lines = Vec::new();
    for family in Family::ALL {
        let (all, inside_net) = match family {
            Family::Ipv4 => ("0.0.0.0/0", "10.20.0.0/24"),
            Family::Ipv6 => ("::/0", "fd00:20::/64"),
        };
        let outer = Host::Firewall2.address(family);
        let inner = Host::Firewall1.address(family);
        match space {
            // There is no address translation: everybody knows the way to everybody, and only the filters stand in it.
            Space::Internet => {
                lines.push(format!("route add {all} via {}", Host::Firewall2.other_side(family).unwrap_or(outer)));
            }
            Space::Firewall2 => lines.push(format!("route add {inside_net} via {inner}")),
            Space::Dmz => {
                lines.push(format!("route add {all} via {outer}"));
                lines.push(format!("route add {inside_net} via {inner}"));
            }
            Space::Firewall1 => lines.push(format!("route add {all} via {outer}")),
            Space::Inside => {
                let gateway = Host::Firewall1.other_side(family).unwrap_or(inner);
                lines.push(format!("route add {all} via {gateway}"));
                for host in Host::BACKENDS {
                    let Some(user) = host.user() else { continue };
                    let (table, source) = (table(user), host.address(family));
                    lines.push(format!("route add {all} via {gateway} dev eth0 src {source} table {table}"));
                }
            }
        }
    }
    lines
}

/// The routing rules of `space` for one protocol: connections of a backend's user come from the backend's address.
#[must_use]
pub fn rules(space: Space) -> String {
    let users =
        Host::ALL.iter().filter(|host| host.space() == space && space == Space::Inside).filter_map(|host| host.user());
    users.map(|user| format!("rule add uidrange {user}-{user} lookup {}\n", table(user))).collect()
}

/// What is written below `/proc/sys/net` of a namespace before it has interfaces; with `true` where a kernel without it is
/// fine too.
#[must_use]
pub fn settings(space: Space) -> Vec<(&'static str, &'static str, bool)> {
    let mut settings = vec![
        ("ipv6/conf/all/disable_ipv6", "0", false),
        ("ipv6/conf/default/disable_ipv6", "0", false),
        // Link-local addresses are used at once, and routers are the ones written down here.
        ("ipv6/conf/default/accept_dad", "0", false),
        ("ipv6/conf/default/accept_ra", "0", false),
        ("ipv6/conf/default/router_solicitations", "0", false),
    ];
    if space.routes() {
        settings.push(("ipv4/ip_forward", "1", false));
        settings.push(("ipv6/conf/all/forwarding", "1", false));
    }
    if space == Space::Dmz {
        // What crosses the switch is not the edge's host's to filter. Where the bridge filter is not loaded, it is not.
        settings.push(("bridge/bridge-nf-call-iptables", "0", true));
        settings.push(("bridge/bridge-nf-call-ip6tables", "0", true));
    }
    settings
}
