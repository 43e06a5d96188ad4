//! `/status`: the state of a backend in numbers and names.

use relay_runtime::sandbox::Report;
use serde::Serialize;

use crate::{backend::Shared, registry::UnixSeconds};

/// The state. No secrets.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Status {
    /// This backend's name.
    pub name: String,
    /// `master` or `storage-node`.
    pub role: &'static str,
    /// The process's life, as its edges order it; as text, like theirs, because it has more digits than a JSON number keeps.
    pub generation: String,
    /// Every configured edge.
    pub edges: Vec<EdgeStatus>,
    /// Tunnels under way.
    pub tunnels: usize,
    /// The most there may be.
    pub tunnels_max: u32,
    /// The services offered.
    pub services: Vec<String>,
    /// What devices see in tunnels.
    pub certificate: CertificateStatus,
    /// What the process has given up.
    pub sandbox: Report,
    /// The registry; a master has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub registry: Option<RegistryStatus>,
}

/// One edge.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct EdgeStatus {
    /// Where it is.
    pub address: String,
    /// Whether the control connection stands.
    pub connected: bool,
}

/// A certificate.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CertificateStatus {
    /// The pin of its key, as other configurations take it.
    pub pin: String,
    /// What an administrator should know about it.
    pub warnings: Vec<String>,
}

/// A registry.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RegistryStatus {
    /// Devices, whatever their state.
    pub devices: usize,
    /// Mass secrets that still enrol.
    pub secrets_live: usize,
    /// Whether the last look at the file succeeded.
    pub healthy: bool,
}

impl Status {
    pub(crate) fn of(shared: &Shared) -> Self {
        let identity = &shared.config.identity;
        Self {
            name: shared.me.name.to_string(),
            role: shared.me.role.as_str(),
            generation: shared.me.generation.0.to_string(),
            edges: shared
                .edges
                .iter()
                .map(|edge| EdgeStatus { address: edge.label().to_owned(), connected: *edge.connected().borrow() })
                .collect(),
            tunnels: shared.host.tunnels(),
            tunnels_max: shared.config.tunnels_max,
            services: shared.host.services().keys().map(ToString::to_string).collect(),
            certificate: CertificateStatus { pin: spki_pin(identity), warnings: identity.warnings() },
            sandbox: shared.sandbox.clone(),
            registry: shared.master.as_ref().map(|master| {
                let cache = master.registry.cache();
                RegistryStatus {
                    devices: cache.devices(),
                    secrets_live: cache.secrets_live(UnixSeconds::now()),
                    healthy: master.registry.is_healthy(),
                }
            }),
        }
    }
}

/// The pin of an identity's key, in the spelling of configurations.
#[must_use]
pub fn spki_pin(identity: &relay_trust::Identity) -> String {
    relay_trust::Pin::new(relay_trust::PinKind::Spki, identity.fingerprints().spki).to_string()
}
