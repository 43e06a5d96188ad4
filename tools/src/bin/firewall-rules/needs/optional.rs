//! What the relay does not need, and those who look after its edge host may: log-in, monitoring, the time.

use std::{
    net::{IpAddr, SocketAddr},
    str::FromStr,
};

use super::{
    AdminKind, Administration, Edge, TimePlace, TimeServer,
    arguments::{NeedsArgs, Source},
    combine::Findings,
};
use crate::network::{Family, Network};

impl FromStr for TimeServer {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let Some((place, address)) = text.split_once('=') else {
            return Err("say where it stands: dmz=IP or internet=IP".to_owned());
        };
        let place = match place {
            "dmz" => TimePlace::Dmz,
            "internet" => TimePlace::Internet,
            "inside" => {
                return Err(
                    "a time server inside would need a rule that leads inward, and there is none: put one into the \
                            DMZ that the inside sets, or give the host its time from its hypervisor"
                        .to_owned(),
                );
            }
            other => return Err(format!("{other} is no place of a time server; write dmz=IP or internet=IP")),
        };
        Ok(Self { place, address: address.parse::<Source>()?.0 })
    }
}

/// Log-in and monitoring.
pub fn administration(arguments: &NeedsArgs, edges: &[Edge], found: &mut Findings) -> Vec<Administration> {
    let mut needs = Vec::new();
    for from in &arguments.ssh_from {
        let all = edges.iter().flat_map(|edge| edge.addresses(from.family()));
        let to: Vec<SocketAddr> = all.map(|ip| SocketAddr::new(ip, arguments.ssh_port)).collect();
        add(&mut needs, AdminKind::Ssh, "--ssh-from", *from, to, found);
    }
    for from in &arguments.monitoring_from {
        let to: Vec<SocketAddr> = match arguments.admin_port {
            Some(port) => {
                let all = edges.iter().flat_map(|edge| edge.addresses(from.family()));
                all.map(|ip| SocketAddr::new(ip, port)).collect()
            }
            None => edges.iter().flat_map(|edge| edge.admin.clone()).collect(),
        };
        if to.is_empty() {
            found.problems.push(format!(
                "--monitoring-from {from}: no edge's admin address is known that another host can reach; give the edge's \
                 configuration with `admin` on an address of the DMZ, or --admin-port PORT"
            ));
            continue;
        }
        let of_family = to.into_iter().filter(|to| Family::of(to.ip()) == from.family()).collect();
        add(&mut needs, AdminKind::Monitoring, "--monitoring-from", *from, of_family, found);
    }
    if arguments.monitoring_from.is_empty() {
        for edge in edges {
            for admin in &edge.admin {
                let name = &edge.name;
                found
                    .notes
                    .push(format!("{name}: nobody reaches the admin address {admin}; --monitoring-from opens it"));
            }
        }
    }
    needs
}

fn add(
    needs: &mut Vec<Administration>,
    kind: AdminKind,
    option: &str,
    from: Network,
    to: Vec<SocketAddr>,
    found: &mut Findings,
) {
    let family = from.family();
    if to.is_empty() {
        found.problems.push(format!(
            "{option} {from}: no edge has an {family} address for it; name an address of the other family"
        ));
    }
    needs.extend(to.into_iter().map(|to| Administration { kind, from, to }));
}

/// Time servers.
pub fn time_servers(arguments: &NeedsArgs, edges: &[Edge], found: &mut Findings) -> Vec<TimeServer> {
    for server in &arguments.time_servers {
        let family = Family::of(server.address);
        for edge in edges.iter().filter(|edge| !edge.uses(family)) {
            let (address, name): (IpAddr, _) = (server.address, &edge.name);
            let remedy = "name a server of its family";
            found
                .problems
                .push(format!("--time-server: {name} has no {family} address to ask {address} from; {remedy}"));
        }
    }
    if !arguments.time_servers.is_empty() {
        let note = "--time-server: with it the edge host opens a connection, if only for its clock: \"opens none\" holds no more";
        found.notes.push(note.to_owned());
    }
    arguments.time_servers.clone()
}
