//! The lab while it stands: namespaces, whoever acts in them, and the rules that are loaded.

use std::{
    cell::Cell,
    collections::BTreeMap,
    net::SocketAddr,
    time::{Duration, Instant},
};

use tools::stop::Stop;

use super::{
    agent::{Answer, Ask},
    agents::{Agent, Pending},
    error::LabError,
    matrix::Seen,
    namespaces::Namespaces,
    processes::Files,
    rows::{self, Act, Row, SSH_PORT, WEB_PORT},
    topology::{self, Host, Space},
};
use crate::{
    format::nftables,
    network::Family,
    rules::{RuleId, RuleSet},
};

/// UDP ports on which every host of the lab answers, besides the edge's number.
pub const UDP_PORTS: [u16; 2] = [53, 123];
/// How long what must work may take: a busy machine.
pub const PATIENCE: Duration = Duration::from_secs(10);
/// How often it is looked whether a message has arrived.
const TICK: Duration = Duration::from_millis(20);

/// What the firewalls themselves may send and receive: nothing but what a router cannot be without. It is not generated and is
/// no part of the matrix; without it the edge's host would reach the firewalls' own addresses.
pub const FIREWALL_ITSELF: &str = "\
table inet lab_firewall_itself {
	chain input {
		type filter hook input priority filter; policy drop;
		icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert, mld2-listener-report } accept
	}
	chain output {
		type filter hook output priority filter; policy drop;
		icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert, mld-listener-query, mld2-listener-report } accept
		icmp type destination-unreachable accept
		icmpv6 type packet-too-big accept
	}
}
";

/// The lab. Dropping it ends the agents, then the namespaces with all that runs in them.
pub struct World<'a> {
    roots: BTreeMap<Space, Agent>,
    users: BTreeMap<Host, Agent>,
    /// The namespaces.
    pub namespaces: Namespaces,
    /// The rules of all places.
    pub sets: &'a [RuleSet],
    /// The edge's port.
    pub port: u16,
    /// Whether to end.
    pub stop: &'a Stop,
    marks: Cell<u64>,
    /// How long nothing must have come for a probe to count as failed.
    pub silence: Duration,
}

/// A probe that runs.
enum Started {
    /// It is answered.
    Answered(Pending),
    /// A message is under way to here.
    Arrives(Space, u64),
    /// It could not even begin.
    Failed(String),
}

impl<'a> World<'a> {
    /// Makes the namespaces and their agents, and lets every host answer.
    ///
    /// # Errors
    /// If the environment does not allow it.
    pub fn create(
        namespaces: Namespaces,
        files: &Files,
        sets: &'a [RuleSet],
        port: u16,
        stop: &'a Stop,
    ) -> Result<Self, LabError> {
        let mut world = Self {
            roots: BTreeMap::new(),
            users: BTreeMap::new(),
            namespaces,
            sets,
            port,
            stop,
            // Other runs on this machine never see these packets; the start keeps small numbers apart from chance.
            marks: Cell::new(fastrand::u64(..) >> 1),
            silence: Duration::from_millis(1300),
        };
        let unsupported = |error: LabError| error.unsupported("this environment does not let the lab set up its hosts");
        for space in Space::ALL {
            let agent = Agent::start(files.agent(&world.namespaces, space, None))?;
            for (path, value, optional) in topology::settings(space) {
                let ask = Ask::Set { path: path.to_owned(), value: value.to_owned(), optional };
                agent.must(&format!("set up {}", space.title()), ask, stop).map_err(unsupported)?;
            }
            world.roots.insert(space, agent);
        }
        world.namespaces.connect(stop)?;
        world.namespaces.try_filter(FIREWALL_ITSELF, stop)?;
        for host in Host::BACKENDS {
            world.users.insert(host, Agent::start(files.agent(&world.namespaces, host.space(), Some(host)))?);
        }
        for space in Space::ALL {
            world.root(space)?.must(&format!("listen in {}", space.title()), world.listeners(space), stop)?;
        }
        let ask = Ask::WatchReports { interface: "dmz".to_owned() };
        world.root(Space::Firewall1)?.must("watch listener reports", ask, stop).map_err(unsupported)?;
        Ok(world)
    }

    /// What answers in a namespace, on each of its addresses.
    fn listeners(&self, space: Space) -> Ask {
        let on = |ports: &[u16]| -> Vec<SocketAddr> {
            let addresses = space.addresses();
            addresses.iter().flat_map(|ip| ports.iter().map(|port| SocketAddr::new(*ip, *port))).collect()
        };
        // On the edge's host its port is the edge's own.
        let tcp = if space == Space::Dmz { on(&[SSH_PORT, WEB_PORT]) } else { on(&self.tcp_ports()) };
        Ask::Listen { tcp, udp: on(&self.udp_ports()) }
    }

    /// TCP ports on which hosts answer, the edge's number among them.
    #[must_use]
    pub fn tcp_ports(&self) -> Vec<u16> {
        vec![SSH_PORT, WEB_PORT, self.port]
    }

    /// UDP ports likewise.
    #[must_use]
    pub fn udp_ports(&self) -> Vec<u16> {
        let mut ports = UDP_PORTS.to_vec();
        ports.push(self.port);
        ports
    }

    /// Who acts as root in a namespace.
    ///
    /// # Errors
    /// If there is nobody, which is a defect.
    pub fn root(&self, space: Space) -> Result<&Agent, LabError> {
        self.roots.get(&space).ok_or_else(|| LabError::failed("ask an agent", "there is none in this namespace"))
    }

    /// Who acts as a host.
    ///
    /// # Errors
    /// As [`Self::root`].
    pub fn host(&self, host: Host) -> Result<&Agent, LabError> {
        self.users.get(&host).map_or_else(|| self.root(host.space()), Ok)
    }

    /// A number that no message of this run had before.
    pub fn mark(&self) -> u64 {
        self.marks.set(self.marks.get() + 1);
        self.marks.get()
    }

    /// The file that is loaded at a place, perhaps without one of its rules.
    #[must_use]
    pub fn ruleset(set: &RuleSet, without: Option<&RuleId>) -> String {
        let rules = set.rules.iter().filter(|rule| Some(&rule.id) != without).cloned().collect();
        let set = RuleSet { place: set.place.clone(), families: set.families.clone(), rules };
        nftables::render(&set).text
    }

    /// Loads the rules of every place, and the firewalls' own protection.
    ///
    /// # Errors
    /// If `nft` refuses them.
    pub fn load_all(&self) -> Result<(), LabError> {
        for space in [Space::Firewall1, Space::Firewall2] {
            self.namespaces.load(space, FIREWALL_ITSELF, self.stop)?;
        }
        for set in self.sets {
            self.load(set, None)?;
        }
        Ok(())
    }

    /// Loads the rules of one place, perhaps without one.
    ///
    /// # Errors
    /// If `nft` refuses them.
    pub fn load(&self, set: &RuleSet, without: Option<&RuleId>) -> Result<(), LabError> {
        self.namespaces.load(rows::space(&set.place), &Self::ruleset(set, without), self.stop)
    }

    /// Removes the generated rules of a place, as its administrator or a captured root can.
    ///
    /// # Errors
    /// If `nft` fails.
    pub fn unload(&self, set: &RuleSet) -> Result<(), LabError> {
        let text = format!("delete table inet {}\n", nftables::table(&set.place));
        self.namespaces.load(rows::space(&set.place), &text, self.stop)
    }

    /// The marks of all that has arrived in a namespace.
    ///
    /// # Errors
    /// If its agent does not answer.
    pub fn arrived(&self, space: Space) -> Result<Vec<u64>, LabError> {
        let answer = self.root(space)?.ask(Ask::Arrived, PATIENCE).wait(self.stop)?;
        let Answer::Marks { marks } = answer else {
            return Err(LabError::failed("ask what has arrived", format!("{answer:?}")));
        };
        Ok(marks)
    }

    /// Opens the connections that ICMP errors are about: from a device and from the master.
    ///
    /// # Errors
    /// If they cannot be opened.
    pub fn open_connections(&self) -> Result<Connections, LabError> {
        let mut opened = Connections::default();
        for host in [Host::Devices, Host::Master] {
            for family in Family::ALL {
                let to = Host::Edge.socket(family, self.port);
                let answer = self.host(host)?.ask(Ask::Hold { to, bytes: 0 }, PATIENCE).wait(self.stop)?;
                let what = || format!("open a connection from {} to {to}", host.title());
                let Answer::Open { detail } = &answer else {
                    return Err(LabError::failed(what(), format!("{answer:?}")));
                };
                let from = detail.parse().map_err(|error| LabError::failed(what(), error))?;
                opened.0.push((host, family, from));
            }
        }
        Ok(opened)
    }

    /// Closes them, and leaves groups.
    ///
    /// # Errors
    /// If an agent does not answer.
    pub fn close_connections(&self) -> Result<(), LabError> {
        for agent in [self.host(Host::Devices)?, self.host(Host::Master)?, self.root(Space::Dmz)?] {
            agent.must("close connections", Ask::Release, self.stop)?;
        }
        Ok(())
    }

    /// Tries every row at one time. `expected` says how long to wait for each: what must not work is given up soon.
    ///
    /// # Errors
    /// If an agent does not answer.
    pub fn probe(
        &self,
        rows: &[Row],
        expected: &[bool],
        opened: &Connections,
        pin: &str,
    ) -> Result<Vec<Seen>, LabError> {
        let began = Instant::now();
        let wait = |expected: bool| if expected { PATIENCE } else { self.silence };
        let started = rows
            .iter()
            .zip(expected)
            .map(|(row, &expected)| self.start(row, wait(expected), opened, pin))
            .collect::<Result<Vec<_>, _>>()?;
        let mut seen = Vec::with_capacity(started.len());
        for (started, &expected) in started.into_iter().zip(expected) {
            seen.push(match started {
                Started::Answered(pending) => see(pending.wait(self.stop)?),
                Started::Arrives(space, mark) => self.await_arrival(space, mark, began + wait(expected))?,
                Started::Failed(how) => Seen { works: false, how },
            });
        }
        Ok(seen)
    }

    fn await_arrival(&self, space: Space, mark: u64, until: Instant) -> Result<Seen, LabError> {
        loop {
            // Looked at once more after the deadline.
            let over = Instant::now() >= until;
            if self.arrived(space)?.contains(&mark) {
                return Ok(Seen { works: true, how: "arrived".to_owned() });
            }
            if over {
                return Ok(Seen { works: false, how: "silent".to_owned() });
            }
            std::thread::sleep(TICK);
        }
    }

    fn start(&self, row: &Row, wait: Duration, opened: &Connections, pin: &str) -> Result<Started, LabError> {
        let edge = Host::Edge.socket(row.family, self.port);
        Ok(match &row.act {
            Act::Handshake { from, alpn } => {
                let ask = Ask::Tls { to: edge, alpn: (*alpn).to_owned(), pin: pin.to_owned() };
                Started::Answered(self.host(*from)?.ask(ask, wait))
            }
            Act::Tcp { from, to } => {
                Started::Answered(self.host(*from)?.ask(Ask::Tcp { to: *to, from_port: None }, wait))
            }
            Act::AdminPage => {
                let ask = Ask::Get { from: Files::edge_admin(), path: "/healthz".to_owned() };
                Started::Answered(self.root(Space::Dmz)?.ask(ask, wait))
            }
            Act::TooBig { router, told, other } => {
                let inside = if *told == Host::Edge { *other } else { *told };
                let Some(opener) = opened.of(inside, row.family) else {
                    return Ok(Started::Failed("no connection to tell about".to_owned()));
                };
                let (from, to) = if *told == Host::Edge { (edge, opener) } else { (opener, edge) };
                let mark = self.mark();
                let ask = Ask::TooBig { from, to, mark };
                self.send(*router, ask, told.space(), mark)?
            }
            Act::ListenerReport => {
                let mark = self.mark();
                let ask = Ask::Join { interface: "eth0".to_owned(), mark };
                self.send(Host::Edge, ask, Space::Firewall1, mark)?
            }
            Act::ListenerQuery => {
                let mark = self.mark();
                let ask = Ask::QueryListeners { interface: "dmz".to_owned(), mark };
                self.send(Host::Firewall1, ask, Space::Dmz, mark)?
            }
        })
    }

    /// Lets a host's root send a message that shall arrive elsewhere.
    fn send(&self, from: Host, ask: Ask, to: Space, mark: u64) -> Result<Started, LabError> {
        let answer = self.root(from.space())?.ask(ask, PATIENCE).wait(self.stop)?;
        Ok(if answer == Answer::Done { Started::Arrives(to, mark) } else { Started::Failed(see(answer).how) })
    }
}

/// Open connections to the edge: who opened them, and from where.
#[derive(Clone, Debug, Default)]
pub struct Connections(Vec<(Host, Family, SocketAddr)>);

impl Connections {
    fn of(&self, host: Host, family: Family) -> Option<SocketAddr> {
        self.0.iter().find(|(opener, over, _)| *opener == host && *over == family).map(|(_, _, from)| *from)
    }
}

/// What an answer says about the way.
#[must_use]
pub fn see(answer: Answer) -> Seen {
    let (works, how) = match answer {
        Answer::Done | Answer::Open { .. } => (true, "open".to_owned()),
        Answer::Page { status, .. } => (status == 200, format!("answered with status {status}")),
        Answer::Refused => (false, "refused".to_owned()),
        Answer::Silent => (false, "silent".to_owned()),
        Answer::Barred { reason } => (false, format!("barred: {reason}")),
        Answer::Wrong { reason } => (false, format!("wrong: {reason}")),
        Answer::Failed { reason } => (false, format!("not tried: {reason}")),
        Answer::Swept { .. } | Answer::Marks { .. } | Answer::Lines { .. } => (false, "another answer".to_owned()),
    };
    Seen { works, how }
}
