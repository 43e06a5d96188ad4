//! Which backends there are, where their connections come from, and where they lead.

use std::{
    collections::BTreeSet,
    net::{IpAddr, SocketAddr},
};

use super::{
    Backend, Edge, Name, Role,
    arguments::{Host, NeedsArgs, Source},
    combine::Findings,
    config::{BackendFile, Files},
    resolve::Hosts,
    slug,
};
use crate::network::Family;

/// A backend's configuration with its names looked up.
#[derive(Clone, Debug)]
pub struct Dialler {
    /// The configuration.
    pub file: BackendFile,
    /// One for each `[[edge]]`.
    pub dials: Vec<Dial>,
}

/// An edge as a backend's configuration names it.
#[derive(Clone, Debug)]
pub struct Dial {
    /// As it is written there.
    pub written: String,
    /// The host, if it is a name.
    pub name: Option<Name>,
    /// The endpoints that it means.
    pub endpoints: Vec<SocketAddr>,
}

/// Looks up what the backends' configurations dial.
pub fn diallers(files: &Files, hosts: &mut Hosts, found: &mut Findings) -> Vec<Dialler> {
    let mut diallers = Vec::new();
    for file in &files.backends {
        let mut dials = Vec::new();
        for (place, edge) in file.dials.iter().enumerate() {
            let host = edge.host().to_ascii_lowercase();
            match hosts.addresses(&host, &mut found.notes) {
                Ok(addresses) => dials.push(Dial {
                    written: edge.to_string(),
                    name: host.parse::<IpAddr>().is_err().then(|| host.parse().ok()).flatten(),
                    endpoints: addresses.into_iter().map(|ip| SocketAddr::new(ip, edge.port())).collect(),
                }),
                Err(problem) => {
                    let path = file.path.display();
                    found.problems.push(format!("{path}: edge[{place}].address = \"{edge}\": {problem}"));
                }
            }
        }
        diallers.push(Dialler { file: file.clone(), dials });
    }
    diallers
}

/// The backends of configurations and options.
pub fn backends(arguments: &NeedsArgs, diallers: Vec<Dialler>, edges: &[Edge], found: &mut Findings) -> Vec<Backend> {
    let mut backends = Vec::new();
    for (role, options) in [(Role::Master, &arguments.masters), (Role::StorageNode, &arguments.nodes)] {
        let files: Vec<&Dialler> = diallers.iter().filter(|dialler| dialler.file.role == role).collect();
        let expected = expected(role, &diallers);
        let before = found.problems.len();
        let named = name_options(role, options, &expected, found);
        let all_named = found.problems.len() == before;
        for dialler in files {
            let name = &dialler.file.name;
            match named.iter().find(|(option, _)| option == name) {
                Some((_, addresses)) => backends.push(of_file(dialler, addresses, edges, found)),
                // It may be one of those that were given without a name.
                None if !all_named => {}
                None => {
                    let (path, option) = (dialler.file.path.display(), option(role));
                    found
                        .problems
                        .push(format!("{path}: from which address does {name} connect? give {option} {name}=IP"));
                }
            }
        }
        for (name, addresses) in named {
            if !diallers.iter().any(|dialler| dialler.file.name == name) {
                backends.push(of_option(name, role, addresses, edges, found));
            }
        }
        if let Some(missing) = expected.iter().filter(|_| all_named).find(|name| !known(name, &backends, &diallers)) {
            found
                .problems
                .push(format!("the master's configuration names the node {missing}; give --node {missing}=IP"));
        }
    }
    check(&backends, edges, found);
    backends
}

fn known(name: &Name, backends: &[Backend], diallers: &[Dialler]) -> bool {
    // A configuration without an address has been reported by itself.
    backends.iter().any(|backend| backend.name == *name) || diallers.iter().any(|dialler| dialler.file.name == *name)
}

/// The names that configurations know for a role.
fn expected(role: Role, diallers: &[Dialler]) -> Vec<Name> {
    let own = diallers.iter().filter(|dialler| dialler.file.role == role).map(|dialler| dialler.file.name.clone());
    let mut names: Vec<Name> = own.collect();
    if role == Role::StorageNode {
        for node in diallers.iter().flat_map(|dialler| &dialler.file.nodes) {
            if !names.contains(node) {
                names.push(node.clone());
            }
        }
    }
    names
}

const fn option(role: Role) -> &'static str {
    match role {
        Role::Master => "--master",
        Role::StorageNode => "--node",
    }
}

/// Each option with a name: its own, that of the only backend it can mean, or one made of its address.
fn name_options(
    role: Role,
    options: &[Host<Source>],
    expected: &[Name],
    found: &mut Findings,
) -> Vec<(Name, Vec<IpAddr>)> {
    let open: Vec<&Name> =
        expected.iter().filter(|name| !options.iter().any(|host| host.name.as_ref() == Some(*name))).collect();
    let unnamed = options.iter().filter(|host| host.name.is_none()).count();
    let mut named: Vec<(Name, Vec<IpAddr>)> = Vec::new();
    for host in options {
        let addresses: Vec<IpAddr> = host.addresses.iter().map(|source| source.0).collect();
        let name = match (&host.name, open.as_slice()) {
            (Some(name), _) => name.clone(),
            (None, [only]) if unnamed == 1 => (*only).clone(),
            (None, []) => match role {
                Role::Master if options.len() == 1 => Name("master".to_owned()),
                Role::Master => Name::made("master", addresses.first().copied()),
                Role::StorageNode => Name::made("node", addresses.first().copied()),
            },
            (None, [first, ..]) => {
                let names: Vec<&str> = open.iter().map(|name| name.as_str()).collect();
                let (option, names) = (option(role), names.join(", "));
                found
                    .problems
                    .push(format!("{option} {host}: which one is it ({names})? write {option} {first}={host}"));
                continue;
            }
        };
        if named.iter().any(|(other, _)| *other == name) {
            let option = option(role);
            found.problems.push(format!("{option}: {name} is given twice; give all its addresses in one, with commas"));
        } else {
            named.push((name, addresses));
        }
    }
    named
}

/// A backend with a configuration: it connects where that says.
fn of_file(dialler: &Dialler, addresses: &[IpAddr], edges: &[Edge], found: &mut Findings) -> Backend {
    let file = &dialler.file;
    let mut dials = Vec::new();
    for dial in &dialler.dials {
        let path = file.path.display();
        let there: Vec<SocketAddr> = dial.endpoints.iter().copied().filter(|at| is_endpoint(edges, *at)).collect();
        if there.is_empty() {
            let all: Vec<String> = edges.iter().flat_map(|edge| &edge.endpoints).map(ToString::to_string).collect();
            found.problems.push(format!(
                "{path}: {} connects to {}, but the edges are at {}; correct one of the two",
                file.name,
                dial.written,
                all.join(", ")
            ));
            continue;
        }
        let before = dials.len();
        dials.extend(there.iter().copied().filter(|at| has_family(addresses, *at)));
        if dials.len() == before {
            let (name, option, family) = (&file.name, option(file.role), Family::of(there[0].ip()));
            found.problems.push(format!(
                "{path}: {name} connects to {}, and {option} gives it no {family} address; add one after a comma",
                dial.written
            ));
        }
    }
    Backend { name: file.name.clone(), role: file.role, addresses: addresses.to_vec(), dials }
}

/// A backend without a configuration: it connects to every edge.
fn of_option(name: Name, role: Role, addresses: Vec<IpAddr>, edges: &[Edge], found: &mut Findings) -> Backend {
    let mut dials = Vec::new();
    for edge in edges {
        let before = dials.len();
        dials.extend(edge.endpoints.iter().copied().filter(|at| has_family(&addresses, *at)));
        if dials.len() == before {
            let remedy = "give both an address of the same family";
            found
                .problems
                .push(format!("{name} cannot connect to {}: one has IPv4 only, the other IPv6; {remedy}", edge.name));
        }
    }
    Backend { name, role, addresses, dials }
}

fn is_endpoint(edges: &[Edge], at: SocketAddr) -> bool {
    edges.iter().any(|edge| edge.endpoints.contains(&at))
}

fn has_family(addresses: &[IpAddr], at: SocketAddr) -> bool {
    addresses.iter().any(|address| address.is_ipv4() == at.is_ipv4())
}

/// What must hold of all backends together.
fn check(backends: &[Backend], edges: &[Edge], found: &mut Findings) {
    if !found.problems.is_empty() {
        return;
    }
    if !backends.iter().any(|backend| backend.role == Role::Master) {
        let remedy = "give --master IP, the address that its connections come from";
        found.problems.push(format!("no master is named; {remedy}"));
    }
    if !backends.iter().any(|backend| backend.role == Role::StorageNode) {
        found
            .notes
            .push("no storage node is named: devices can enrol, and reach nothing; --node IP adds one".to_owned());
    }
    let mut names = BTreeSet::new();
    for backend in backends {
        if !names.insert(slug(backend.name.as_str())) {
            let alike = "(dots, hyphens and underscores are alike)";
            found
                .problems
                .push(format!("two backends are called {} {alike}; give each a name of its own", backend.name));
        }
        let both = backend.addresses.iter().find(|address| edges.iter().any(|edge| edge.has(**address)));
        if let Some(address) = both {
            let name = &backend.name;
            let remedy = "the edge is in the DMZ and backends are inside: correct one of them";
            found.problems.push(format!("{address} is both the edge's address and that of {name}; {remedy}"));
        }
    }
}
