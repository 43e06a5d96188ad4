//! What the text of a configuration says, resolved; the files that it names are another matter ([`super::files`]).

use std::{net::SocketAddr, path::Path, path::PathBuf, time::Duration};

use relay_runtime::{
    config::{HostPort, HumanDuration, Problems, parse_toml, print_toml},
    sandbox::{Mode, UserName},
    telemetry::{LogFilter, LogFormat},
};
use relay_trust::Pin;
use relay_wire::{
    grant::ServiceScope,
    ids::{BackendName, Role},
};

use super::{
    CertificateFiles, Config, EdgeConfig, MasterConfig, PoolConfig, RoleConfig, StorageNodeConfig,
    files::Material,
    raw::{Raw, RawCertificate, RawEdge, RawLimits, RawLog, RawNode, RawPolicy, RawPool, RawScope},
    resolve, services,
};
use crate::services::Services;

/// Everything that the text decides. The fields are those of [`Config`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "Config documents the same fields")]
pub struct Settings {
    pub name: BackendName,
    pub role: RoleSettings,
    pub edges: Vec<EdgeSettings>,
    pub certificate: CertificateFiles,
    pub admin: Option<SocketAddr>,
    pub sandbox: Mode,
    pub user: Option<UserName>,
    pub log_format: LogFormat,
    pub log_filter: LogFilter,
    pub pool: PoolConfig,
    pub services: Services,
    pub tunnels_max: u32,
    pub tunnel_idle: Duration,
    pub reconnect_max: Duration,
    pub drain: Duration,
}

/// What only one role has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RoleSettings {
    /// The master.
    Master(Box<MasterConfig>),
    /// A storage node.
    StorageNode {
        /// The file with the master's certificate.
        master_certificate: PathBuf,
    },
}

/// One edge.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EdgeSettings {
    /// Where it is.
    pub address: HostPort,
    /// Its certificate, if it is known beforehand.
    pub pin: Option<Pin>,
    /// The file with the shared key.
    pub key_file: PathBuf,
}

impl Settings {
    /// Reads settings from text; relative paths start beside `file`, which need not exist. No file is looked at.
    ///
    /// # Errors
    /// Every mistake in it.
    pub fn from_text(text: &str, file: &Path) -> Result<Self, Problems> {
        let raw: Raw = parse_toml(&file.display().to_string(), text)?;
        let mut problems = Problems::new();
        match resolve::settings(&raw, file, &mut problems) {
            Some(settings) if problems.is_empty() => Ok(settings),
            Some(_) | None => Err(problems),
        }
    }

    /// Every setting as TOML, which [`Self::from_text`] reads as the same.
    ///
    /// # Errors
    /// When a path is not Unicode.
    pub fn print(&self) -> Result<String, Problems> {
        print_toml(&self.raw()?)
    }

    /// Every setting as JSON.
    ///
    /// # Errors
    /// When a path is not Unicode.
    pub fn to_json(&self) -> Result<serde_json::Value, Problems> {
        Ok(serde_json::json!(self.raw()?))
    }

    /// The settings of a configuration.
    pub(super) fn of(config: &Config) -> Self {
        let edge = |edge: &EdgeConfig| EdgeSettings {
            address: edge.address.clone(),
            pin: edge.pin,
            key_file: edge.key_file.clone(),
        };
        Self {
            name: config.name.clone(),
            role: match &config.role {
                RoleConfig::Master(master) => RoleSettings::Master(master.clone()),
                RoleConfig::StorageNode(node) => {
                    RoleSettings::StorageNode { master_certificate: node.master_certificate.clone() }
                }
            },
            edges: config.edges.iter().map(edge).collect(),
            certificate: config.certificate.clone(),
            admin: config.admin,
            sandbox: config.sandbox,
            user: config.user.clone(),
            log_format: config.log_format,
            log_filter: config.log_filter.clone(),
            pool: config.pool,
            services: config.services.clone(),
            tunnels_max: config.tunnels_max,
            tunnel_idle: config.tunnel_idle,
            reconnect_max: config.reconnect_max,
            drain: config.drain,
        }
    }

    /// A configuration of these settings and what the files hold; `None` if the files are not those of the settings.
    pub(super) fn with(self, material: Material, file: Option<PathBuf>) -> Option<Config> {
        let role = match (self.role, material.master_spki) {
            (RoleSettings::Master(master), _) => RoleConfig::Master(master),
            (RoleSettings::StorageNode { master_certificate }, Some(master_spki)) => {
                RoleConfig::StorageNode(StorageNodeConfig { master_certificate, master_spki })
            }
            (RoleSettings::StorageNode { .. }, None) => return None,
        };
        if self.edges.len() != material.keys.len() {
            return None;
        }
        let edge = |(edge, key): (EdgeSettings, _)| EdgeConfig {
            address: edge.address,
            pin: edge.pin,
            key_file: edge.key_file,
            key,
        };
        Some(Config {
            file,
            name: self.name,
            role,
            edges: self.edges.into_iter().zip(material.keys).map(edge).collect(),
            certificate: self.certificate,
            identity: material.identity,
            admin: self.admin,
            sandbox: self.sandbox,
            user: self.user,
            log_format: self.log_format,
            log_filter: self.log_filter,
            pool: self.pool,
            services: self.services,
            tunnels_max: self.tunnels_max,
            tunnel_idle: self.tunnel_idle,
            reconnect_max: self.reconnect_max,
            drain: self.drain,
        })
    }

    /// What a file would say to give these settings, each spelled out.
    fn raw(&self) -> Result<Raw, Problems> {
        let role = match self.role {
            RoleSettings::Master(_) => Role::Master,
            RoleSettings::StorageNode { .. } => Role::StorageNode,
        };
        let mut raw = Raw {
            role: role.as_str().to_owned(),
            name: self.name.as_str().to_owned(),
            admin: Some(self.admin.map_or_else(|| "off".to_owned(), |address| address.to_string())),
            sandbox: Some(self.sandbox.to_string()),
            user: self.user.as_ref().map(ToString::to_string),
            master_certificate: None,
            registry: None,
            clock_skew: None,
            grant_lifetime: None,
            edge: self.edges.iter().map(raw_edge).collect::<Result<_, _>>()?,
            certificate: Some(RawCertificate {
                chain: text("certificate.chain", &self.certificate.chain)?,
                key: text("certificate.key", &self.certificate.key)?,
            }),
            log: RawLog { format: Some(self.log_format.to_string()), filter: Some(self.log_filter.to_string()) },
            pool: RawPool { min: Some(self.pool.min), max: Some(self.pool.max), rotate: span(self.pool.rotate) },
            limits: RawLimits {
                tunnels: Some(self.tunnels_max),
                tunnel_idle: span(self.tunnel_idle),
                reconnect_max: span(self.reconnect_max),
                drain: span(self.drain),
            },
            services: services::raw(&self.services, role),
            node: Vec::new(),
            policy: None,
            releases: None,
        };
        match &self.role {
            RoleSettings::Master(master) => {
                let node = |(name, pin): &(BackendName, Pin)| RawNode { name: name.to_string(), pin: pin.to_string() };
                raw.registry = Some(text("registry", &master.registry)?);
                raw.node = master.nodes.iter().map(node).collect();
                raw.policy = Some(RawPolicy {
                    backup: Some(scope(&master.policy.backup)),
                    restore: Some(scope(&master.policy.restore)),
                    sync: Some(scope(&master.policy.sync)),
                });
                raw.releases = Some((&master.releases).into());
                raw.clock_skew = span(master.clock_skew);
                raw.grant_lifetime = span(master.grant_lifetime);
            }
            RoleSettings::StorageNode { master_certificate } => {
                raw.master_certificate = Some(text("master_certificate", master_certificate)?);
            }
        }
        Ok(raw)
    }
}

fn span(span: Duration) -> Option<String> {
    Some(HumanDuration(span).to_string())
}

fn raw_edge(edge: &EdgeSettings) -> Result<RawEdge, Problems> {
    Ok(RawEdge {
        address: edge.address.to_string(),
        key_file: text("edge.key_file", &edge.key_file)?,
        pin: edge.pin.map(|pin| pin.to_string()),
    })
}

fn scope(scope: &ServiceScope) -> RawScope {
    match scope {
        ServiceScope::Any => RawScope::Word("any".to_owned()),
        ServiceScope::Only(services) => RawScope::List(services.iter().map(ToString::to_string).collect()),
    }
}

fn text(place: &str, path: &Path) -> Result<String, Problems> {
    let remedy = "rename files and folders so that their names are Unicode";
    path.to_str().map(ToOwned::to_owned).ok_or_else(|| Problems::one(place, "is not Unicode, as TOML must be", remedy))
}
