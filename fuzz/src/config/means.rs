//! A plain reading of a configuration's TOML: the values that what was accepted must have.

use std::{collections::BTreeSet, net::SocketAddr, path::Path, path::PathBuf, time::Duration};

use relay_backend::{
    config::{EdgeSettings, MasterConfig, RoleSettings, Settings},
    services::{Service, Upstream},
};
use relay_edge::config::Config;
use relay_runtime::{
    config::HostPort,
    sandbox::{Mode, UserName},
};
use relay_wire::{Releases, grant::ServiceScope, validator::AppleRelease};
use toml::{Table, Value};

use super::{
    FILE, known,
    rules::{Fault, at, fault, rows, simple, text},
};

/// A value of an edge that is not what its text says.
pub(super) fn edge(table: &Table, config: &Config) -> Option<Fault> {
    for (name, value) in config.limits.pairs() {
        let path = format!("limits.{name}");
        let said = at(table, &path).or_else(|| at(&known::EDGE.example, &path)).and_then(Value::as_integer);
        if said.and_then(|said| usize::try_from(said).ok()) != Some(value) {
            return fault(path, value.to_string());
        }
    }
    let files = [
        ("keys", "keys", &config.keys),
        ("certificate.chain", "edge.crt", &config.certificate.chain),
        ("certificate.key", "edge.key", &config.certificate.key),
    ];
    let spans =
        [("drain.deadline", "30s", config.drain.deadline), ("drain.retry_after", "5s", config.drain.retry_after)];
    let said = at(table, "listen").and_then(Value::as_array);
    let listen: Vec<SocketAddr> = match said {
        Some(list) => list.iter().filter_map(|text| text.as_str()?.parse().ok()).collect(),
        None => vec![SocketAddr::from(([0, 0, 0, 0], 8443))],
    };
    if listen != config.listen {
        return fault("listen", format!("{:?}", config.listen));
    }
    let log =
        [("log.level", "info", config.log.level.to_string()), ("log.format", "text", config.log.format.to_string())];
    all(&files, |(path, default, value)| file(table, path, default, value))
        .or_else(|| all(&spans, |(path, default, value)| span(table, path, default, *value)))
        .or_else(|| all(&log, |(path, default, value)| same(path, text(table, path).unwrap_or(default), value)))
        .or_else(|| admin(table, "127.0.0.1:9443", config.admin))
        .or_else(|| confinement(table, config.sandbox, config.user.as_ref()))
        .or_else(|| releases(table, &config.releases))
}

/// The first that is found in any of them.
fn all<T>(values: &[T], judge: impl Fn(&T) -> Option<Fault>) -> Option<Fault> {
    values.iter().find_map(judge)
}

fn same(path: &str, said: &str, value: &str) -> Option<Fault> {
    if said == value { None } else { fault(path, format!("{said:?} {value:?}")) }
}

fn beside(path: &str) -> PathBuf {
    Path::new(FILE).with_file_name("").join(path)
}

fn file(table: &Table, path: &str, default: &str, value: &Path) -> Option<Fault> {
    if value == beside(text(table, path).unwrap_or(default)) { None } else { fault(path, format!("{value:?}")) }
}

fn span(table: &Table, path: &str, default: &str, value: Duration) -> Option<Fault> {
    match simple(text(table, path).unwrap_or(default)) {
        Some(said) if said != value => fault(path, format!("{value:?}")),
        Some(_) | None => None,
    }
}

fn admin(table: &Table, default: &str, value: Option<SocketAddr>) -> Option<Fault> {
    let said = text(table, "admin").unwrap_or(default);
    if said.parse().ok() == value { None } else { fault("admin", format!("{said:?} {value:?}")) }
}

fn confinement(table: &Table, mode: Mode, user: Option<&UserName>) -> Option<Fault> {
    let said = text(table, "user");
    same("sandbox", text(table, "sandbox").unwrap_or("prefer"), &mode.to_string())
        .or_else(|| if said == user.map(UserName::as_str) { None } else { fault("user", format!("{said:?} {user:?}")) })
}

/// Two numbers of a row.
fn pair<T: TryFrom<i64>>(row: &Table, key: &str) -> Option<(T, T)> {
    let [first, last] = row.get(key)?.as_array()?.as_slice() else { return None };
    let number = |value: &Value| value.as_integer().and_then(|number| T::try_from(number).ok());
    number(first).zip(number(last))
}

fn releases(table: &Table, found: &Releases) -> Option<Fault> {
    let built_in = Releases::default();
    let said = |name: &str| at(table, &format!("releases.{name}")).and_then(Value::as_array);
    let tables = |list: &'_ [Value]| list.iter().filter_map(Value::as_table).cloned().collect::<Vec<_>>();
    let windows = said("windows").map_or(found.windows == built_in.windows, |list| {
        let builds = found.windows.iter().map(|row| Some((*row.builds.start(), *row.builds.end())));
        tables(list).iter().map(|row| pair(row, "builds")).eq(builds)
    });
    let apple = |name: &str, found: &[AppleRelease], built_in: &[AppleRelease]| {
        said(name).map_or(found == built_in, |list| {
            let majors = found.iter().map(|row| Some((*row.majors.start(), *row.majors.end())));
            let minors = found.iter().map(|row| Some((*row.minors.start(), *row.minors.end())));
            let rows = tables(list);
            rows.iter().map(|row| pair(row, "majors")).eq(majors)
                && rows.iter().map(|row| pair(row, "minors")).eq(minors)
        })
    };
    let android = said("android").map_or(found.android.known == built_in.android.known, |list| {
        let sdk = |row: &Table| row.get("sdk").and_then(Value::as_integer);
        tables(list).iter().map(sdk).eq(found.android.known.iter().map(|(sdk, _)| Some(i64::from(*sdk))))
    });
    let open_from = at(table, "releases.android_open_from").and_then(Value::as_integer).unwrap_or(37);
    let judged = [
        ("releases.windows", windows),
        ("releases.macos", apple("macos", &found.macos, &built_in.macos)),
        ("releases.ios", apple("ios", &found.ios, &built_in.ios)),
        ("releases.android", android),
        ("releases.android_open_from", open_from == i64::from(found.android.open_from)),
    ];
    all(&judged, |(path, right)| if *right { None } else { fault(*path, format!("{found:?}")) })
}

/// A value of a backend that is not what its text says.
pub(super) fn backend(table: &Table, settings: &Settings) -> Option<Fault> {
    let spans = [
        ("pool.rotate", "5m", settings.pool.rotate),
        ("limits.tunnel_idle", "2h", settings.tunnel_idle),
        ("limits.reconnect_max", "30s", settings.reconnect_max),
        ("limits.drain", "30s", settings.drain),
    ];
    let integer = |path: &str| at(table, path).and_then(Value::as_integer);
    let max = integer("pool.max").unwrap_or(64);
    let numbers = [
        ("pool.min", integer("pool.min").unwrap_or_else(|| max.min(2)), i64::from(settings.pool.min)),
        ("pool.max", max, i64::from(settings.pool.max)),
        ("limits.tunnels", integer("limits.tunnels").unwrap_or(4_096), i64::from(settings.tunnels_max)),
    ];
    if let Some((path, _, value)) = numbers.iter().find(|(_, said, value)| said != value) {
        return fault(*path, value.to_string());
    }
    let files =
        [("certificate.chain", "", &settings.certificate.chain), ("certificate.key", "", &settings.certificate.key)];
    let texts = [
        ("name", "", settings.name.to_string()),
        ("log.filter", "info", settings.log_filter.to_string()),
        ("log.format", "text", settings.log_format.to_string()),
    ];
    let role = match &settings.role {
        RoleSettings::StorageNode { master_certificate } => file(table, "master_certificate", "", master_certificate)
            .or_else(|| admin(table, "127.0.0.1:9602", settings.admin)),
        RoleSettings::Master(found) => master(table, found).or_else(|| admin(table, "127.0.0.1:9601", settings.admin)),
    };
    role.or_else(|| all(&spans, |(path, default, value)| span(table, path, default, *value)))
        .or_else(|| all(&files, |(path, default, value)| file(table, path, default, value)))
        .or_else(|| all(&texts, |(path, default, value)| same(path, text(table, path).unwrap_or(default), value)))
        .or_else(|| confinement(table, settings.sandbox, settings.user.as_ref()))
        .or_else(|| edges(table, &settings.edges))
        .or_else(|| services(table, settings))
}

fn master(table: &Table, found: &MasterConfig) -> Option<Fault> {
    let nodes = rows(table, "node").map(|row| (text(row, "name"), text(row, "pin").and_then(crate::pins::read)));
    if !nodes.eq(found.nodes.iter().map(|(name, pin)| (Some(name.as_str()), Some(*pin)))) {
        return fault("node", format!("{:?}", found.nodes));
    }
    let scopes = [
        ("policy.backup", &found.policy.backup),
        ("policy.restore", &found.policy.restore),
        ("policy.sync", &found.policy.sync),
    ];
    let spans = [("clock_skew", "10m", found.clock_skew), ("grant_lifetime", "2m", found.grant_lifetime)];
    all(&scopes, |(path, scope)| policy(table, path, scope))
        .or_else(|| all(&spans, |(path, default, value)| span(table, path, default, *value)))
        .or_else(|| file(table, "registry", "registry.db", &found.registry))
        .or_else(|| releases(table, &found.releases))
}

fn policy(table: &Table, path: &str, scope: &ServiceScope) -> Option<Fault> {
    let said: Option<BTreeSet<&str>> =
        at(table, path).and_then(Value::as_array).map(|list| list.iter().filter_map(Value::as_str).collect());
    let found: Option<BTreeSet<&str>> = match scope {
        ServiceScope::Any => None,
        ServiceScope::Only(services) => Some(services.iter().map(|service| service.as_str()).collect()),
    };
    if said == found { None } else { fault(path, format!("{scope:?}")) }
}

fn edges(table: &Table, edges: &[EdgeSettings]) -> Option<Fault> {
    if rows(table, "edge").count() != edges.len() {
        return fault("edge", format!("{edges:?}"));
    }
    rows(table, "edge").zip(edges).find_map(|(said, edge)| {
        let pin = text(said, "pin").map(crate::pins::read);
        let file = edge.key_file == beside(text(said, "key_file").unwrap_or_default());
        let address = target(text(said, "address").unwrap_or_default(), &edge.address);
        if file && address && pin == edge.pin.map(Some) { None } else { fault("edge", format!("{edge:?}")) }
    })
}

/// Whether a host and port are as they were written, where there is one way to write them.
fn target(said: &str, found: &HostPort) -> bool {
    let many_ways = said.contains('[') || said.rsplit(':').next().is_none_or(|port| port.starts_with('0'));
    many_ways || found.to_string() == said
}

fn services(table: &Table, settings: &Settings) -> Option<Fault> {
    let built_in: &[&str] = match settings.role {
        RoleSettings::Master(_) => &["enrol"],
        RoleSettings::StorageNode { .. } => &["sink", "source", "echo"],
    };
    let said = at(table, "services").and_then(Value::as_table);
    let service = |name: &str| said.and_then(|said| said.get(name));
    let named = said.into_iter().flatten().map(|(name, _)| name.as_str());
    let offered: BTreeSet<&str> = built_in
        .iter()
        .copied()
        .chain(named)
        .filter(|name| service(name).and_then(Value::as_bool) != Some(false))
        .collect();
    if !offered.iter().copied().eq(settings.services.keys().map(|name| name.as_str())) {
        return fault("services", format!("{offered:?} {:?}", settings.services));
    }
    settings.services.iter().find_map(|(name, found)| {
        let right = match found {
            Service::Tcp(upstream) => service(name.as_str()).is_some_and(|said| reaches(said, upstream)),
            Service::Sink => name.as_str() == "sink",
            Service::Source => name.as_str() == "source",
            Service::Echo => name.as_str() == "echo",
            Service::Enrol => name.as_str() == "enrol",
        };
        if right { None } else { fault("a service", format!("{name} {found:?}")) }
    })
}

fn reaches(said: &Value, found: &Upstream) -> bool {
    let options = said.as_table();
    let address = said.as_str().or_else(|| options.and_then(|options| text(options, "target"))).unwrap_or_default();
    let proxied = options.and_then(|options| options.get("proxy_protocol")).and_then(Value::as_bool).unwrap_or(false);
    let timed = match options {
        Some(options) => span(options, "connect_timeout", "5s", found.connect_timeout).is_none(),
        None => found.connect_timeout == Duration::from_secs(5),
    };
    address.strip_prefix("tcp://").is_some_and(|said| target(said, &found.target))
        && proxied == found.proxy_protocol
        && timed
}
