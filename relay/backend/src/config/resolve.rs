//! From the raw configuration to the typed one; every mistake is found before any is reported.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use relay_runtime::{
    config::{HostPort, HumanDuration, ListenAddr, Problems, beside},
    sandbox::{Mode, UserName},
    telemetry::{LogFilter, LogFormat},
};
use relay_trust::Pin;
use relay_wire::ids::{BackendName, Role};

use super::{
    CertificateFiles, Config, DRAIN, DURATION_MAX, EdgeSettings, GRANT_LIFETIME, MasterConfig, PoolConfig, PublicFiles,
    RECONNECT_MAX, ROTATE, RoleSettings, SPARES_MAX, SPARES_MIN, Settings, TUNNEL_IDLE, TUNNELS_MAX,
    files::Material,
    raw::{Raw, RawCertificate, RawEdge, RawNode, RawPool},
    services::{policy, services},
};
use crate::judge::CLOCK_SKEW;

/// Where the admin address is unless the file says otherwise: 9601 for a master, 9602 for a storage node, so that both
/// fit on one machine.
const fn default_admin(role: Role) -> &'static str {
    match role {
        Role::Master => "127.0.0.1:9601",
        Role::StorageNode => "127.0.0.1:9602",
    }
}

pub(super) fn resolve(raw: &Raw, file: &Path, reloadable: bool) -> Result<Config, Problems> {
    let mut problems = Problems::new();
    let settings = settings(raw, file, &mut problems);
    let material = Material::read(raw, known_role(&raw.role), file, &mut problems);
    match (settings, material) {
        (Some(settings), Some(material)) if problems.is_empty() => {
            settings.with(material, reloadable.then(|| file.to_owned())).ok_or(problems)
        }
        _ => Err(problems),
    }
}

/// The settings of what a file said; `None` only with a mistake on the list. No file is looked at.
pub(super) fn settings(raw: &Raw, file: &Path, found: &mut Problems) -> Option<Settings> {
    let role = role(&raw.role, found);
    // With an unknown role the rest is still looked at, as a storage node's would be.
    let as_role = role.unwrap_or(Role::StorageNode);
    let name = name("name", &raw.name, found);
    let role_settings = role.and_then(|role| role_settings(raw, role, file, found));
    let certificate = raw.certificate.as_ref().map(|raw| CertificateFiles::beside(file, raw));
    if certificate.is_none() {
        found.add("certificate", "is missing", "add [certificate] with chain and key, as `init` writes it");
    }
    if raw.edge.is_empty() {
        found.add(
            "edge",
            "no edge is named, so nothing can be reached",
            "add a table [[edge]] with address and key_file",
        );
    }
    let edges: Vec<Option<EdgeSettings>> =
        raw.edge.iter().enumerate().map(|(at, raw)| edge(at, raw, file, found)).collect();
    check_distinct_edges(&edges, found);
    let admin = raw.admin.as_deref().unwrap_or(default_admin(as_role));
    let admin = if admin == "off" { None } else { found.parse::<ListenAddr>("admin", admin).map(|address| address.0) };
    let sandbox = setting::<Mode>("sandbox", raw.sandbox.as_deref(), found);
    let user = raw.user.as_deref().and_then(|text| found.parse::<UserName>("user", text));
    let log_format = setting::<LogFormat>("log.format", raw.log.format.as_deref(), found);
    let log_filter = setting::<LogFilter>("log.filter", raw.log.filter.as_deref(), found);
    let pool = pool(&raw.pool, found);
    let tunnels_max = raw.limits.tunnels.unwrap_or(TUNNELS_MAX);
    if tunnels_max == 0 {
        found.add_value("limits.tunnels", 0, "no tunnel could ever be opened", "write at least 1");
    }
    let limits = &raw.limits;
    let tunnel_idle = duration("limits.tunnel_idle", limits.tunnel_idle.as_deref(), TUNNEL_IDLE, found);
    let reconnect_max = duration("limits.reconnect_max", limits.reconnect_max.as_deref(), RECONNECT_MAX, found);
    let drain = duration("limits.drain", limits.drain.as_deref(), DRAIN, found);
    let services = services(&raw.services, as_role, found);
    Some(Settings {
        name: name?,
        role: role_settings?,
        edges: edges.into_iter().collect::<Option<Vec<_>>>()?,
        certificate: certificate?,
        admin,
        sandbox,
        user,
        log_format,
        log_filter,
        pool,
        services,
        tunnels_max,
        tunnel_idle,
        reconnect_max,
        drain,
    })
}

impl CertificateFiles {
    pub(super) fn beside(file: &Path, raw: &RawCertificate) -> Self {
        Self { chain: beside(file, Path::new(&raw.chain)), key: beside(file, Path::new(&raw.key)) }
    }
}

/// The registry of a master.
pub(super) fn registry_file(raw: &Raw, file: &Path) -> PathBuf {
    beside(file, Path::new(raw.registry.as_deref().unwrap_or("registry.db")))
}

pub(super) fn registry_path(raw: &Raw, file: &Path) -> Result<PathBuf, Problems> {
    let mut problems = Problems::new();
    match role(&raw.role, &mut problems) {
        Some(Role::Master) => Ok(registry_file(raw, file)),
        Some(Role::StorageNode) => {
            let remedy = "run this command with the master's configuration";
            Err(Problems::one("role", "a storage node has no registry; the master has", remedy))
        }
        None => Err(problems),
    }
}

pub(super) fn public_files(raw: &Raw, file: &Path) -> Result<PublicFiles, Problems> {
    match &raw.certificate {
        Some(certificate) => Ok(PublicFiles { certificate: beside(file, Path::new(&certificate.chain)) }),
        None => Err(Problems::one("certificate", "is missing", "add [certificate] with chain and key")),
    }
}

fn known_role(text: &str) -> Option<Role> {
    [Role::Master, Role::StorageNode].into_iter().find(|role| role.as_str() == text)
}

fn role(text: &str, problems: &mut Problems) -> Option<Role> {
    let role = known_role(text);
    if role.is_none() {
        problems.add_value("role", text, "not a role", "write \"master\" or \"storage-node\"");
    }
    role
}

fn name(path: &str, text: &str, problems: &mut Problems) -> Option<BackendName> {
    match BackendName::new(text) {
        Ok(name) => Some(name),
        Err(error) => {
            problems.add_value(path, text, error.to_string(), "choose a name such as \"node-eu-02\"");
            None
        }
    }
}

fn role_settings(raw: &Raw, role: Role, file: &Path, problems: &mut Problems) -> Option<RoleSettings> {
    check_keys_of_other_role(raw, role, problems);
    match role {
        Role::Master => {
            let nodes = nodes(&raw.node, problems);
            let policy = policy(raw.policy.clone().unwrap_or_default(), problems);
            let releases = raw.releases.clone().unwrap_or_default().resolve(problems);
            let clock_skew = duration("clock_skew", raw.clock_skew.as_deref(), CLOCK_SKEW, problems);
            let grant_lifetime = duration("grant_lifetime", raw.grant_lifetime.as_deref(), GRANT_LIFETIME, problems);
            Some(RoleSettings::Master(Box::new(MasterConfig {
                registry: registry_file(raw, file),
                nodes,
                policy,
                releases,
                clock_skew,
                grant_lifetime,
            })))
        }
        Role::StorageNode => {
            let Some(path) = &raw.master_certificate else {
                problems.add(
                    "master_certificate",
                    "is missing, so no grant could be verified",
                    "name a file with the master's certificate",
                );
                return None;
            };
            Some(RoleSettings::StorageNode { master_certificate: beside(file, Path::new(path)) })
        }
    }
}

fn check_keys_of_other_role(raw: &Raw, role: Role, problems: &mut Problems) {
    let misplaced: &[(&str, bool)] = match role {
        Role::Master => &[("master_certificate", raw.master_certificate.is_some())],
        Role::StorageNode => &[
            ("registry", raw.registry.is_some()),
            ("node", !raw.node.is_empty()),
            ("policy", raw.policy.is_some()),
            ("releases", raw.releases.is_some()),
            ("clock_skew", raw.clock_skew.is_some()),
            ("grant_lifetime", raw.grant_lifetime.is_some()),
        ],
    };
    for (key, present) in misplaced {
        if *present {
            problems.add(*key, format!("a {role} has no such setting"), "take it out, or correct `role`");
        }
    }
}

fn nodes(raw: &[RawNode], problems: &mut Problems) -> Vec<(BackendName, Pin)> {
    let mut nodes: Vec<(BackendName, Pin)> = Vec::new();
    for (at, raw) in raw.iter().enumerate() {
        let name = name(&format!("node[{at}].name"), &raw.name, problems);
        let pin = pin(&format!("node[{at}].pin"), &raw.pin, problems);
        let (Some(name), Some(pin)) = (name, pin) else { continue };
        if nodes.iter().any(|(known, _)| *known == name) {
            problems.add_value(format!("node[{at}].name"), &name, "named twice", "keep one of the two tables");
        } else {
            nodes.push((name, pin));
        }
    }
    nodes
}

fn pin(path: &str, text: &str, problems: &mut Problems) -> Option<Pin> {
    match text.parse() {
        Ok(pin) => Some(pin),
        Err(error) => {
            let error: relay_trust::PinError = error;
            let remedy = "paste the pin that the other side's `init` or `fingerprint` prints";
            problems.add_value(path, text, error.to_string(), remedy);
            None
        }
    }
}

fn edge(at: usize, raw: &RawEdge, file: &Path, problems: &mut Problems) -> Option<EdgeSettings> {
    let address = problems.parse::<HostPort>(format!("edge[{at}].address"), &raw.address);
    let pin = match &raw.pin {
        None => Some(None),
        Some(text) => pin(&format!("edge[{at}].pin"), text, problems).map(Some),
    };
    Some(EdgeSettings { address: address?, pin: pin?, key_file: beside(file, Path::new(&raw.key_file)) })
}

fn check_distinct_edges(edges: &[Option<EdgeSettings>], problems: &mut Problems) {
    for (at, edge) in edges.iter().enumerate() {
        let Some(edge) = edge else { continue };
        if edges[..at].iter().flatten().any(|earlier| earlier.address == edge.address) {
            let remedy = "keep one of the two tables";
            problems.add_value(format!("edge[{at}].address"), &edge.address, "named twice", remedy);
        }
    }
}

fn pool(raw: &RawPool, problems: &mut Problems) -> PoolConfig {
    let max = raw.max.unwrap_or(SPARES_MAX);
    let min = raw.min.unwrap_or(SPARES_MIN.min(max));
    if min > max {
        problems.add_value(
            "pool.min",
            min,
            format!("more than pool.max, which is {max}"),
            "lower it, or raise pool.max",
        );
    }
    let rotate = duration("pool.rotate", raw.rotate.as_deref(), ROTATE, problems);
    PoolConfig { min, max, rotate }
}

fn setting<T>(path: &str, text: Option<&str>, problems: &mut Problems) -> T
where
    T: relay_runtime::config::Setting + Default,
    T::Err: std::fmt::Display,
{
    text.and_then(|text| problems.parse(path, text)).unwrap_or_default()
}

/// A duration that is not zero, and not longer than [`DURATION_MAX`].
fn duration(path: &str, text: Option<&str>, default: Duration, problems: &mut Problems) -> Duration {
    let Some(text) = text else { return default };
    match problems.parse::<HumanDuration>(path, text) {
        Some(HumanDuration(duration)) if duration.is_zero() => {
            problems.add_value(path, text, "is no time at all", "write for example \"30s\"");
            default
        }
        Some(HumanDuration(duration)) if duration > DURATION_MAX => {
            problems.add_value(path, text, "too long", format!("give at most {}", HumanDuration(DURATION_MAX)));
            default
        }
        Some(HumanDuration(duration)) => duration,
        None => default,
    }
}
