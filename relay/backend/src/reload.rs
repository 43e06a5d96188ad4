//! SIGHUP: the configuration and every file it names are read again. What is wrong keeps the old; what is good counts from
//! the next connection, tunnel or request on. Nothing under way is dropped.

use relay_runtime::{config::Problems, sandbox::Mode};

use crate::{
    backend::{Shared, rules},
    config::{Config, RoleConfig},
};

/// Reads everything again; whether what was read counts now. Blocking.
pub(crate) fn reload(shared: &Shared) -> bool {
    let Some(file) = &shared.config.file else {
        tracing::warn!("there is no configuration file to read again");
        return false;
    };
    match Config::load(file) {
        Ok(config) => apply(shared, &config),
        Err(problems) => {
            complain(&problems);
            false
        }
    }
}

fn complain(problems: &Problems) {
    for problem in problems {
        tracing::error!(%problem, "reload refused");
    }
    tracing::error!(problems = problems.iter().count(), "nothing was reloaded; what was read before stays in force");
}

/// Whether what was read counts now.
fn apply(shared: &Shared, config: &Config) -> bool {
    let fixed = [
        ("name", config.name == shared.config.name),
        ("role", config.role() == shared.config.role()),
        ("admin", config.admin == shared.config.admin),
        ("sandbox", config.sandbox == shared.config.sandbox),
        ("user", config.user == shared.config.user),
        ("pool", config.pool == shared.config.pool),
        ("limits.tunnels", config.tunnels_max == shared.config.tunnels_max),
        ("limits.tunnel_idle", config.tunnel_idle == shared.config.tunnel_idle),
        ("limits.reconnect_max", config.reconnect_max == shared.config.reconnect_max),
        ("limits.drain", config.drain == shared.config.drain),
    ];
    for (setting, _) in fixed.iter().filter(|(_, same)| !same) {
        tracing::warn!(setting, "changed, and takes effect at the next start only");
    }
    if config.name != shared.config.name || config.role() != shared.config.role() {
        return false;
    }
    shared.identity.replace(config.identity.certified_key());
    shared.metrics.set_certificate_expiry(config.identity.expires_at().unwrap_or_default());
    let whole = replace_services(shared, config);
    match (&config.role, &shared.master) {
        (RoleConfig::Master(settings), Some(master)) => {
            master.signer.replace(std::sync::Arc::clone(&config.identity));
            shared.host.replace_master(config.identity.spki());
            master.judge.replace_rules(rules(config, settings));
        }
        (RoleConfig::StorageNode(node), None) => shared.host.replace_master(node.master_spki.clone()),
        (RoleConfig::Master(_), None) | (RoleConfig::StorageNode(_), Some(_)) => {}
    }
    for new in &config.edges {
        let old = shared.config.edges.iter().zip(&shared.edges).find(|(old, _)| old.address == new.address);
        match old {
            Some((_, edge)) => {
                edge.replace_key(std::sync::Arc::clone(&new.key));
                if let Err(error) = edge.replace_pin(new.pin) {
                    tracing::error!(edge = edge.label(), %error, "its pin stays as it was");
                }
            }
            None => tracing::warn!(edge = %new.address, "new edge, connected to at the next start only"),
        }
    }
    if config.edges.len() < shared.edges.len() {
        tracing::warn!("an edge was taken out, which takes effect at the next start only");
    }
    for warning in config.identity.warnings() {
        tracing::warn!(warning, "certificate");
    }
    tracing::info!("reloaded: certificate, keys, services, and at a master its nodes and policy");
    whole
}

/// Services that the sandbox lets this process reach; others would be refused by the kernel, one tunnel after the other.
/// Whether they count now.
fn replace_services(shared: &Shared, config: &Config) -> bool {
    let (entered, wanted) = (shared.config.policy().network, config.policy().network);
    let reachable = shared.sandbox.mode == Mode::Off || entered.covers(&wanted);
    if reachable {
        shared.host.replace_services(config.services.clone());
    } else {
        tracing::error!(
            "the sandbox was entered before these edges and services were named: the services stay as they were; restart \
             to have the new ones"
        );
    }
    reachable
}
