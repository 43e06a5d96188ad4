//! Which edges there are, and where they are reached.

use std::{collections::BTreeSet, net::SocketAddr};

use super::{
    Edge, Name,
    arguments::{Endpoint, Host, NeedsArgs},
    backends::Dialler,
    combine::Findings,
    config::EdgeFile,
    slug,
};

/// The port that `relay-edge init` writes.
const PORT: u16 = 8443;

/// The edges of configurations and options.
pub fn edges(arguments: &NeedsArgs, files: &[EdgeFile], diallers: &[Dialler], found: &mut Findings) -> Vec<Edge> {
    let mut edges =
        if files.is_empty() { without_files(arguments, diallers) } else { of_files(arguments, files, diallers, found) };
    if edges.is_empty() && found.problems.is_empty() {
        let remedy = "give --edge IP, its address in the DMZ, or the edge's configuration with --config FILE";
        found.problems.push(format!("no edge is named; {remedy}"));
    }
    let mut seen = BTreeSet::new();
    for edge in &edges {
        let twice = edge.endpoints.iter().any(|endpoint| !seen.insert(*endpoint));
        if twice {
            found.problems.push(format!("{}: its address is another edge's too; name each edge once", edge.name));
        }
    }
    // What some formats call things by has no dots: names that differ in these alone would be one.
    let mut names = BTreeSet::new();
    if let Some(edge) = edges.iter().find(|edge| !names.insert(slug(edge.name.as_str()))) {
        let alike = "(dots, hyphens and underscores are alike)";
        found
            .problems
            .push(format!("two edges are called {} {alike}; give each a name of its own with NAME=", edge.name));
    }
    publish(&mut edges, &arguments.clients_to, found);
    edges
}

/// Chooses the endpoints that devices connect to: all, or those that the user names.
fn publish(edges: &mut [Edge], chosen: &[Endpoint], found: &mut Findings) {
    let is = |at: &Endpoint, endpoint: &SocketAddr| {
        at.address == endpoint.ip() && at.port.is_none_or(|port| port == endpoint.port())
    };
    for at in chosen {
        if !edges.iter().flat_map(|edge| &edge.endpoints).any(|endpoint| is(at, endpoint)) {
            let all: Vec<String> = edges.iter().flat_map(|edge| &edge.endpoints).map(ToString::to_string).collect();
            found.problems.push(format!("--clients-to {at}: no edge is there; they are at {}", all.join(", ")));
        }
    }
    for edge in edges {
        let public =
            edge.endpoints.iter().filter(|endpoint| chosen.is_empty() || chosen.iter().any(|at| is(at, endpoint)));
        edge.public = public.copied().collect();
    }
}

/// Edges that only options and the backends' configurations name.
fn without_files(arguments: &NeedsArgs, diallers: &[Dialler]) -> Vec<Edge> {
    let dialled = || diallers.iter().flat_map(|dialler| &dialler.dials);
    let mut edges: Vec<Edge> = Vec::new();
    for host in &arguments.edges {
        let mut endpoints = Vec::new();
        for at in &host.addresses {
            let known = dialled().flat_map(|dial| &dial.endpoints).filter(|endpoint| endpoint.ip() == at.address);
            match at.port.or(arguments.port) {
                Some(port) => endpoints.push(SocketAddr::new(at.address, port)),
                None => endpoints.extend(known.copied()),
            }
            if !endpoints.iter().any(|endpoint| endpoint.ip() == at.address) {
                // An address that no backend dials is for devices, on the port that backends use.
                let port = dialled().flat_map(|dial| &dial.endpoints).map(SocketAddr::port).next().unwrap_or(PORT);
                endpoints.push(SocketAddr::new(at.address, port));
            }
        }
        edges.push(edge(host.name.clone(), endpoints, Vec::new()));
    }
    // An option that only says what a name means is no list of the edges.
    let means_name = |name: &Name| dialled().any(|dial| dial.name.as_ref() == Some(name));
    let listed = arguments.edges.iter().any(|host| !host.name.as_ref().is_some_and(means_name));
    for dial in dialled() {
        let known =
            |edge: &Edge| dial.endpoints.iter().any(|at| edge.endpoints.iter().any(|other| other.ip() == at.ip()));
        match edges.iter_mut().find(|edge| known(edge)) {
            // What an option says of the edge is all of it; a backend that dials elsewhere is told so.
            Some(edge) if arguments.edges.is_empty() => {
                edge.endpoints.extend(dial.endpoints.iter().copied());
                deduplicate(&mut edge.endpoints);
            }
            // Likewise for one that dials what no option names.
            Some(_) => {}
            None if listed => {}
            None => edges.push(edge(dial.name.clone(), dial.endpoints.clone(), Vec::new())),
        }
    }
    edges
}

/// Edges that have configurations; options say the addresses that these leave open.
fn of_files(arguments: &NeedsArgs, files: &[EdgeFile], diallers: &[Dialler], found: &mut Findings) -> Vec<Edge> {
    if let (Some(port), Some(file)) = (arguments.port, files.first()) {
        found.problems.push(format!("--port {port}: {} says the port; leave --port out", file.path.display()));
    }
    let names: Vec<&Name> = files.iter().filter_map(|file| file.name.as_ref()).collect();
    let dialled: Vec<SocketAddr> =
        diallers.iter().flat_map(|one| &one.dials).flat_map(|dial| dial.endpoints.clone()).collect();
    if files.len() > 1 {
        for host in &arguments.edges {
            let is_dialled = host.addresses.iter().any(|at| dialled.iter().any(|endpoint| endpoint.ip() == at.address));
            if !host.name.as_ref().is_some_and(|name| names.contains(&name)) && !is_dialled {
                let remedy = "write --config NAME=FILE and --edge NAME=IP with the same name";
                found.problems.push(format!("--edge {host}: of which configuration is this the edge? {remedy}"));
            }
        }
    }
    let mut edges = Vec::new();
    for file in files {
        let belongs = |host: &&Host<Endpoint>| files.len() == 1 || (host.name.is_some() && host.name == file.name);
        let options: Vec<&Host<Endpoint>> = arguments.edges.iter().filter(belongs).collect();
        let alone = if files.len() == 1 { Some(dialled.as_slice()) } else { None };
        edges.extend(of_file(file, &options, alone, found));
    }
    edges
}

/// The edge of one configuration. `dialled` is where backends connect, if this is the only edge.
fn of_file(
    file: &EdgeFile,
    options: &[&Host<Endpoint>],
    dialled: Option<&[SocketAddr]>,
    found: &mut Findings,
) -> Option<Edge> {
    let given: Vec<&Endpoint> = options.iter().flat_map(|host| &host.addresses).collect();
    let mut endpoints = Vec::new();
    for listen in &file.listen {
        if !listen.ip().is_unspecified() {
            endpoints.push(SocketAddr::new(listen.ip().to_canonical(), listen.port()));
            continue;
        }
        let candidates =
            given.iter().map(|at| at.address).chain(dialled.unwrap_or_default().iter().map(SocketAddr::ip));
        let heard = candidates.filter(|ip| listen.is_ipv6() || ip.is_ipv4());
        endpoints.extend(heard.map(|ip| SocketAddr::new(ip, listen.port())));
    }
    deduplicate(&mut endpoints);
    let listens: Vec<String> = file.listen.iter().map(ToString::to_string).collect();
    let listens = listens.join(", ");
    let path = file.path.display();
    for at in &given {
        if !endpoints.iter().any(|end| end.ip() == at.address && at.port.is_none_or(|port| port == end.port())) {
            let remedy = "correct one of the two";
            found.problems.push(format!("--edge {at}: {path} does not listen there, but on {listens}; {remedy}"));
        }
    }
    if endpoints.is_empty() {
        let remedy = match (&file.name, dialled) {
            (Some(name), _) => format!("give --edge {name}=IP"),
            (None, Some(_)) => "give --edge IP".to_owned(),
            (None, None) => format!("write --config NAME={path} and --edge NAME=IP with the same name"),
        };
        found.problems.push(format!(
            "{path} listens on every address ({listens}), and a rule needs the one in the DMZ; {remedy}"
        ));
        return None;
    }
    let admin = file.admin.map_or_else(Vec::new, |admin| admin_addresses(admin, &endpoints));
    let name = file.name.clone().or_else(|| options.iter().find_map(|host| host.name.clone()));
    Some(edge(name, endpoints, admin))
}

/// Where an admin address is reached from other hosts.
fn admin_addresses(admin: SocketAddr, endpoints: &[SocketAddr]) -> Vec<SocketAddr> {
    let ip = admin.ip().to_canonical();
    if ip.is_loopback() || admin.port() == 0 {
        return Vec::new();
    }
    if !ip.is_unspecified() {
        return vec![SocketAddr::new(ip, admin.port())];
    }
    let heard = endpoints.iter().map(SocketAddr::ip).filter(|ip| admin.is_ipv6() || ip.is_ipv4());
    let mut addresses = heard.map(|ip| SocketAddr::new(ip, admin.port())).collect();
    deduplicate(&mut addresses);
    addresses
}

/// An edge with the name that was given, or one made of its first address.
fn edge(name: Option<Name>, endpoints: Vec<SocketAddr>, admin: Vec<SocketAddr>) -> Edge {
    let first = endpoints.first().map(SocketAddr::ip);
    let name = name.unwrap_or_else(|| Name::made("edge", first));
    let mut edge = Edge { name, endpoints, public: Vec::new(), admin };
    deduplicate(&mut edge.endpoints);
    edge
}

/// Without repetition; the order stays.
fn deduplicate(addresses: &mut Vec<SocketAddr>) {
    let mut seen = BTreeSet::new();
    addresses.retain(|address| seen.insert(*address));
}
