//! `[services]` and `[policy]`: what is offered, and what a grant allows.

use std::collections::BTreeMap;

use relay_runtime::config::{HostPort, HumanDuration, Problems};
use relay_wire::{
    grant::ServiceScope,
    ids::{Role, ServiceName},
    limits,
};

use super::{
    CONNECT_TIMEOUT,
    raw::{RawPolicy, RawScope, RawService, RawUpstream},
};
use crate::{
    judge::Policy,
    services::{ENROL, Service, Services, Upstream},
};

/// The services that are there without being named, at a storage node.
const BUILT_IN: [(&str, Service); 3] = [("sink", Service::Sink), ("source", Service::Source), ("echo", Service::Echo)];

/// The services of a backend: built-ins unless switched off, and upstreams.
pub(super) fn services(raw: &BTreeMap<String, RawService>, role: Role, problems: &mut Problems) -> Services {
    let mut services = Services::new();
    let built_in: &[(&str, Service)] = match role {
        // A storage node must never enrol a device, and a master is not a place for data.
        Role::StorageNode => &BUILT_IN,
        Role::Master => &[(ENROL, Service::Enrol)],
    };
    for (name, service) in built_in {
        if let Ok(name) = ServiceName::new(name) {
            services.insert(name, service.clone());
        }
    }
    for (name, raw) in raw {
        let path = format!("services.{name}");
        let service_name = match ServiceName::new(name) {
            Ok(name) => name,
            Err(error) => {
                problems.add_value(path, name, error.to_string(), "choose a name such as \"rsync\" or \"web-1\"");
                continue;
            }
        };
        let is_built_in = name.as_str() == ENROL || BUILT_IN.iter().any(|(built_in, _)| *built_in == name.as_str());
        let upstream = match raw {
            RawService::Switch(on) => {
                switch(path, service_name, *on, &mut services, role, problems);
                continue;
            }
            RawService::Target(target) => {
                RawUpstream { target: target.clone(), proxy_protocol: false, connect_timeout: None }
            }
            RawService::Upstream(upstream) => upstream.clone(),
        };
        if is_built_in {
            problems.add(path, "this name belongs to a built-in service", "choose another name for the upstream");
        } else if let Some(upstream) = resolve_upstream(&path, upstream, problems) {
            services.insert(service_name, Service::Tcp(upstream));
        }
    }
    services
}

/// What a file would say to give these services, built-ins that are off among them.
pub(super) fn raw(services: &Services, role: Role) -> BTreeMap<String, RawService> {
    let enrol = (role == Role::Master).then_some(ENROL);
    let switches = BUILT_IN.iter().map(|(name, _)| *name).chain(enrol);
    let mut raw: BTreeMap<_, _> = switches.map(|name| (name.to_owned(), RawService::Switch(false))).collect();
    for (name, service) in services {
        let service = match service {
            Service::Sink | Service::Source | Service::Echo | Service::Enrol => RawService::Switch(true),
            Service::Tcp(upstream) => RawService::Upstream(RawUpstream {
                target: format!("tcp://{}", upstream.target),
                proxy_protocol: upstream.proxy_protocol,
                connect_timeout: Some(HumanDuration(upstream.connect_timeout).to_string()),
            }),
        };
        raw.insert(name.to_string(), service);
    }
    raw
}

fn switch(path: String, name: ServiceName, on: bool, services: &mut Services, role: Role, problems: &mut Problems) {
    let built_in = BUILT_IN.iter().find(|(built_in, _)| *built_in == name.as_str());
    match built_in {
        Some((_, service)) if on => {
            services.insert(name, service.clone());
        }
        Some(_) => {
            services.remove(&name);
        }
        None if name.as_str() == ENROL && role == Role::Master && on => {}
        None if name.as_str() == ENROL && role == Role::Master => {
            services.remove(&name);
        }
        None => problems.add_value(
            path,
            on,
            "only sink, source, echo (and enrol at the master) can be switched",
            "name an upstream: \"tcp://HOST:PORT\"",
        ),
    }
}

fn resolve_upstream(path: &str, raw: RawUpstream, problems: &mut Problems) -> Option<Upstream> {
    let remedy = "write \"tcp://HOST:PORT\", for example \"tcp://127.0.0.1:873\"";
    let connect_timeout = match raw.connect_timeout {
        None => CONNECT_TIMEOUT,
        Some(text) => match problems.parse::<HumanDuration>(format!("{path}.connect_timeout"), &text) {
            Some(HumanDuration(timeout)) if timeout.is_zero() || timeout > limits::TUNNEL_HANDSHAKE => {
                let problem = format!("not between zero and {:?}, when the device gives up", limits::TUNNEL_HANDSHAKE);
                problems.add_value(format!("{path}.connect_timeout"), &text, problem, "write \"5s\"");
                CONNECT_TIMEOUT
            }
            Some(HumanDuration(timeout)) => timeout,
            None => CONNECT_TIMEOUT,
        },
    };
    let Some(address) = raw.target.strip_prefix("tcp://") else {
        problems.add_value(path, &raw.target, "not a target that this backend can reach", remedy);
        return None;
    };
    match address.parse::<HostPort>() {
        Ok(target) => Some(Upstream { target, proxy_protocol: raw.proxy_protocol, connect_timeout }),
        Err(error) => {
            problems.add_value(path, &raw.target, error.to_string(), remedy);
            None
        }
    }
}

/// Which services grants name.
pub(super) fn policy(raw: RawPolicy, problems: &mut Problems) -> Policy {
    Policy {
        backup: scope("policy.backup", raw.backup, problems),
        restore: scope("policy.restore", raw.restore, problems),
        sync: scope("policy.sync", raw.sync, problems),
    }
}

fn scope(path: &str, raw: Option<RawScope>, problems: &mut Problems) -> ServiceScope {
    let remedy = "write \"any\" or a list of services such as [\"sink\", \"rsync\"]";
    let list = match raw {
        None => return ServiceScope::Any,
        Some(RawScope::Word(word)) if word == "any" => return ServiceScope::Any,
        Some(RawScope::Word(word)) => {
            problems.add_value(path, word, "neither \"any\" nor a list", remedy);
            return ServiceScope::Any;
        }
        Some(RawScope::List(list)) => list,
    };
    if list.is_empty() || list.len() > limits::GRANT_SERVICES_MAX {
        let problem = format!("names {} services; a grant names 1 to {}", list.len(), limits::GRANT_SERVICES_MAX);
        problems.add(path, problem, remedy);
        return ServiceScope::Any;
    }
    let mut services = Vec::new();
    for (at, text) in list.iter().enumerate() {
        match ServiceName::new(text) {
            Ok(name) if name.as_str() == ENROL => {
                problems.add(format!("{path}[{at}]"), "enrol is for `register` alone", "take it off the list");
            }
            Ok(name) => services.push(name),
            Err(error) => problems.add_value(format!("{path}[{at}]"), text, error.to_string(), remedy),
        }
    }
    services.sort();
    services.dedup();
    ServiceScope::Only(services)
}
