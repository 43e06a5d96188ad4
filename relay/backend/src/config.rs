//! The configuration: what the file says becomes typed values, or a list of every mistake in it.

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use relay_runtime::{
    config::{HostPort, Problems, load_toml, parse_toml},
    sandbox::{Mode, UserName},
    telemetry::{LogFilter, LogFormat},
};
use relay_trust::{Identity, Pin, SharedKey};
use relay_wire::{
    Releases,
    ids::{BackendName, Role},
};

use crate::{judge::Policy, services::Services};

mod confinement;
mod files;
mod raw;
mod resolve;
mod services;
mod settings;

pub use files::{read_identity, read_master_spki};
pub use settings::{EdgeSettings, RoleSettings, Settings};

/// The example for a master, with every key and its default: what `init` writes from.
pub const EXAMPLE_MASTER: &str = include_str!("../example-master.toml");
/// The example for a storage node.
pub const EXAMPLE_STORAGE_NODE: &str = include_str!("../example-storage-node.toml");

/// Default of `pool.min`.
pub const SPARES_MIN: u16 = 2;
/// Default of `pool.max`; the edge's own limit counts too.
pub const SPARES_MAX: u16 = 64;
/// Default of `pool.rotate`: shorter than the idle limits of common firewalls (an hour and less), so that no spare is
/// parked on a path that has silently gone.
pub const ROTATE: Duration = Duration::from_secs(5 * 60);
/// Default of `limits.tunnels`. Worst case: two buffers of 64 KiB and one of TLS each, about 900 MB.
pub const TUNNELS_MAX: u32 = 4_096;
/// Default of `limits.tunnel_idle`: the kernel's own idea of a long silence (`tcp_keepalive_time`).
pub const TUNNEL_IDLE: Duration = Duration::from_secs(2 * 3_600);
/// Default of `limits.reconnect_max`.
pub const RECONNECT_MAX: Duration = Duration::from_secs(30);
/// Default of `limits.drain`.
pub const DRAIN: Duration = Duration::from_secs(30);
/// Default of a service's `connect_timeout`: shorter than the device waits for the status byte.
pub const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// The longest of any duration: what is longer is a mistake, and could not be added to a clock.
pub const DURATION_MAX: Duration = Duration::from_secs(365 * 24 * 3_600);
/// Default of `grant_lifetime`: a token's lifetime, the match and the handshake, and a minute for the clocks of the nodes.
pub const GRANT_LIFETIME: Duration = Duration::from_secs(2 * 60);

/// The configuration of a backend.
#[derive(Clone)]
pub struct Config {
    /// The file it was read from, to be read again at a reload; `None`: there is none.
    pub file: Option<PathBuf>,
    /// Its name, as the edge's key store and requests spell it.
    pub name: BackendName,
    /// What it is, and what only one of that role has.
    pub role: RoleConfig,
    /// The edges it keeps control connections to; at least one.
    pub edges: Vec<EdgeConfig>,
    /// Its identity inside tunnels.
    pub certificate: CertificateFiles,
    /// That identity, read.
    pub identity: Arc<Identity>,
    /// Where `/healthz`, `/readyz`, `/metrics` and `/status` are; `None`: nowhere.
    pub admin: Option<SocketAddr>,
    /// What happens where the kernel cannot give the whole sandbox; only the binary enters it.
    pub sandbox: Mode,
    /// Whom the process becomes when started as root.
    pub user: Option<UserName>,
    /// How log lines look.
    pub log_format: LogFormat,
    /// Which log lines there are.
    pub log_filter: LogFilter,
    /// Spare data connections, per edge.
    pub pool: PoolConfig,
    /// What it offers inside tunnels.
    pub services: Services,
    /// Tunnels at a time; more are refused.
    pub tunnels_max: u32,
    /// No byte either way for this long ends a tunnel.
    pub tunnel_idle: Duration,
    /// The longest pause between two attempts to reach an edge.
    pub reconnect_max: Duration,
    /// How long tunnels may run on after SIGTERM.
    pub drain: Duration,
}

/// What only one role has.
#[derive(Clone)]
pub enum RoleConfig {
    /// The master.
    Master(Box<MasterConfig>),
    /// A storage node.
    StorageNode(StorageNodeConfig),
}

/// What only a master has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MasterConfig {
    /// The registry's file.
    pub registry: PathBuf,
    /// The storage nodes and the pins by which devices know them.
    pub nodes: Vec<(BackendName, Pin)>,
    /// Which services a grant names.
    pub policy: Policy,
    /// The operating-system releases that may connect; the edge needs the same (SPEC §5.4).
    pub releases: Releases,
    /// How far a request's time may be from this machine's.
    pub clock_skew: Duration,
    /// How long a grant opens a tunnel.
    pub grant_lifetime: Duration,
}

/// What only a storage node has.
#[derive(Clone)]
pub struct StorageNodeConfig {
    /// The file with the master's certificate.
    pub master_certificate: PathBuf,
    /// The public key in it (SubjectPublicKeyInfo, DER), which verifies grants.
    pub master_spki: Vec<u8>,
}

/// One edge.
#[derive(Clone)]
pub struct EdgeConfig {
    /// Where it is.
    pub address: HostPort,
    /// Its certificate, if it is known beforehand; the shared key authenticates it in either case.
    pub pin: Option<Pin>,
    /// The file with the key that it and this backend share.
    pub key_file: PathBuf,
    /// That key, read.
    pub key: Arc<SharedKey>,
}

/// The two files of an identity.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CertificateFiles {
    /// PEM, leaf first.
    pub chain: PathBuf,
    /// PEM.
    pub key: PathBuf,
}

/// Spare data connections.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PoolConfig {
    /// How many there always are. 0 with a `max` of 0: dialled on demand only.
    pub min: u16,
    /// How many there are under load at most; the edge's own limit counts too.
    pub max: u16,
    /// After this time a spare is replaced (each at its own moment, up to a fifth earlier).
    pub rotate: Duration,
}

impl Config {
    /// Reads a configuration file and every file it names.
    ///
    /// # Errors
    /// Every mistake in it.
    pub fn load(file: &Path) -> Result<Self, Problems> {
        resolve::resolve(&load_toml(file)?, file, true)
    }

    /// Reads a configuration from text; relative paths start beside `file`, which need not exist.
    ///
    /// # Errors
    /// Every mistake in it.
    pub fn from_text(text: &str, file: &Path) -> Result<Self, Problems> {
        resolve::resolve(&parse_toml(&file.display().to_string(), text)?, file, false)
    }

    /// What the text of the configuration says, without what was read from other files.
    #[must_use]
    pub fn settings(&self) -> Settings {
        Settings::of(self)
    }

    /// Master or storage node.
    #[must_use]
    pub const fn role(&self) -> Role {
        match self.role {
            RoleConfig::Master(_) => Role::Master,
            RoleConfig::StorageNode(_) => Role::StorageNode,
        }
    }

    /// The master's own settings, if this is one.
    #[must_use]
    pub const fn master(&self) -> Option<&MasterConfig> {
        match &self.role {
            RoleConfig::Master(master) => Some(master),
            RoleConfig::StorageNode(_) => None,
        }
    }
}

/// Files that a configuration names and that no key is needed for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicFiles {
    /// The certificate chain.
    pub certificate: PathBuf,
}

/// The registry that a master's configuration names, without reading keys or anything else: what `device` and `secret`
/// need, run by a user who may see nothing more.
///
/// # Errors
/// The mistakes that stand in the way.
pub fn registry_path(file: &Path) -> Result<PathBuf, Problems> {
    resolve::registry_path(&load_toml(file)?, file)
}

/// The files of a configuration that hold no secret, without reading anything else.
///
/// # Errors
/// The mistakes that stand in the way.
pub fn public_files(file: &Path) -> Result<PublicFiles, Problems> {
    resolve::public_files(&load_toml(file)?, file)
}

#[cfg(test)]
mod tests;
