//! What a backend keeps once it runs: its own files, its edges' and its upstreams' ports.

use std::{collections::BTreeSet, net::IpAddr, path::PathBuf};

use relay_runtime::{
    config::HostPort,
    sandbox::{Network, Policy, folders_of},
};

use super::{Config, RoleConfig};
use crate::services::Service;

/// Where long answers to look-ups of names come from (RFC 7766); short ones come by UDP, which the sandbox leaves.
const DOMAIN: u16 = 53;

/// What looking a name up may read: the resolver's files, and the libraries that the C library loads for it.
const NAME_LOOKUP: [&str; 8] =
    ["/etc", "/lib", "/lib64", "/usr/lib", "/usr/lib64", "/run/systemd/resolve", "/run/nscd", "/run/resolvconf"];

impl Config {
    /// What a process that runs this configuration needs once its admin address is bound. A configuration that names
    /// every edge and upstream by IP address needs the fewest files: no name is looked up then.
    #[must_use]
    pub fn policy(&self) -> Policy {
        let mut read: BTreeSet<PathBuf> = BTreeSet::new();
        let mut write: BTreeSet<PathBuf> = BTreeSet::new();
        let files = self.file.iter().chain([&self.certificate.chain, &self.certificate.key]);
        read.extend(files.chain(self.edges.iter().map(|edge| &edge.key_file)).flat_map(|file| folders_of(file)));
        match &self.role {
            // SQLite makes two more files beside its own, and removes them.
            RoleConfig::Master(master) => {
                write.extend(folders_of(&master.registry));
            }
            RoleConfig::StorageNode(node) => {
                read.extend(folders_of(&node.master_certificate));
            }
        }
        if cfg!(target_os = "linux") {
            read.insert(PathBuf::from("/proc/self"));
        }
        let mut ports: BTreeSet<u16> = self.peers().map(HostPort::port).collect();
        let names = self.peers().any(is_name);
        if names {
            ports.insert(DOMAIN);
            read.extend(NAME_LOOKUP.map(PathBuf::from).into_iter().filter(|path| path.exists()));
        }
        Policy {
            mode: self.sandbox,
            read: read.into_iter().collect(),
            write: write.into_iter().collect(),
            network: Network::Dials { ports, names },
            user: self.user.clone(),
        }
    }

    /// Whom it dials.
    fn peers(&self) -> impl Iterator<Item = &HostPort> {
        self.edges.iter().map(|edge| &edge.address).chain(self.services.values().filter_map(upstream))
    }
}

fn upstream(service: &Service) -> Option<&HostPort> {
    match service {
        Service::Tcp(upstream) => Some(&upstream.target),
        Service::Sink | Service::Source | Service::Echo | Service::Enrol => None,
    }
}

fn is_name(peer: &HostPort) -> bool {
    peer.host().parse::<IpAddr>().is_err()
}
