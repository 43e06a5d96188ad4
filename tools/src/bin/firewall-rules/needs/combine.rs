//! Configurations and options together: who connects where. Everything that is missing or does not fit is found at once.

use std::{collections::BTreeMap, net::IpAddr};

use super::{Edge, Needs, arguments::NeedsArgs, backends, config::Files, edges, optional, resolve::Hosts};
use crate::{
    error::Error,
    network::{Family, Network},
};

/// What must flow, and what the user should know about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stated {
    /// The needs.
    pub needs: Needs,
    /// Remarks, for standard error.
    pub notes: Vec<String>,
}

/// What was found on the way.
#[derive(Debug, Default)]
pub struct Findings {
    /// What is missing or does not fit, with its remedy.
    pub problems: Vec<String>,
    /// What the user should know.
    pub notes: Vec<String>,
}

/// The needs that configurations and options state.
///
/// # Errors
/// What is missing or does not fit together, all of it.
pub fn combine(arguments: &NeedsArgs) -> Result<Stated, Error> {
    let mut found = Findings::default();
    let files = Files::read(&arguments.configs, &mut found.problems);
    // What else is wrong may only follow from what could not be read; likewise below.
    found.stop()?;
    let mut hosts = Hosts::new(addresses_of_names(arguments), arguments.resolve);
    let diallers = backends::diallers(&files, &mut hosts, &mut found);
    found.stop()?;
    let edges = edges::edges(arguments, &files.edges, &diallers, &mut found);
    found.stop()?;
    let backends = backends::backends(arguments, diallers, &edges, &mut found);
    let clients = clients(&arguments.clients, &edges, &mut found);
    let administration = optional::administration(arguments, &edges, &mut found);
    let time_servers = optional::time_servers(arguments, &edges, &mut found);
    found.stop()?;
    Ok(Stated { needs: Needs { edges, backends, clients, administration, time_servers }, notes: found.notes })
}

impl Findings {
    /// Ends here if there are problems.
    fn stop(&mut self) -> Result<(), Error> {
        if self.problems.is_empty() { Ok(()) } else { Err(Error::Wrong(std::mem::take(&mut self.problems))) }
    }
}

/// What `--edge NAME=IP` says of host names.
fn addresses_of_names(arguments: &NeedsArgs) -> BTreeMap<String, Vec<IpAddr>> {
    let named = arguments.edges.iter().filter_map(|host| {
        let addresses = host.addresses.iter().map(|at| at.address).collect();
        Some((host.name.as_ref()?.to_string(), addresses))
    });
    named.collect()
}

/// The networks that no other one contains; anywhere, if there are none.
fn clients(given: &[Network], edges: &[Edge], found: &mut Findings) -> Vec<Network> {
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
    for network in &kept {
        let family = network.family();
        if !edges.iter().any(|edge| edge.uses(family)) {
            let problem =
                format!("--clients {network}: no edge has an {family} address; leave it out, or give the edge one");
            found.problems.push(problem);
        }
    }
    for endpoint in edges.iter().flat_map(|edge| &edge.public) {
        let family = Family::of(endpoint.ip());
        if !kept.iter().any(|network| network.family() == family) {
            found.notes.push(format!("no device reaches {endpoint}: --clients names no {family} network"));
        }
    }
    kept
}
