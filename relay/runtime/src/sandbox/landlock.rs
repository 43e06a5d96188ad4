//! Landlock: files, TCP and other processes. See the kernel's `Documentation/userspace-api/landlock.rst`.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
};

use landlock::{
    ABI, Access, AccessFs, AccessNet, BitFlags, CompatLevel, Compatible, NetPort, PathBeneath, PathFd, Ruleset,
    RulesetAttr, RulesetCreated, RulesetCreatedAttr, Scope,
};

use super::{Held, Layer, Network, Policy, SandboxError};

/// Every right over files that the policy speaks of; newer kernels know more, older ones fewer (at least those of the first).
const FILES: ABI = ABI::V5;

/// What of Landlock is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Offered {
    pub(super) files: bool,
    pub(super) tcp: bool,
    pub(super) scope: bool,
}

impl Offered {
    /// Asks the kernel.
    pub(super) fn by_the_kernel() -> Self {
        let ruleset = || Ruleset::default().set_compatibility(CompatLevel::HardRequirement);
        Self {
            files: ruleset().handle_access(AccessFs::from_all(ABI::V1)).is_ok_and(|asked| asked.create().is_ok()),
            tcp: ruleset().handle_access(tcp()).is_ok_and(|asked| asked.create().is_ok()),
            scope: ruleset().scope(scope()).is_ok_and(|asked| asked.create().is_ok()),
        }
    }

    fn of(self, layer: Layer) -> bool {
        match layer {
            Layer::Files => self.files,
            Layer::Tcp => self.tcp,
            Layer::Scope => self.scope,
            Layer::User | Layer::Capabilities | Layer::NoNewPrivileges | Layer::Syscalls => true,
        }
    }
}

fn tcp() -> BitFlags<AccessNet> {
    AccessNet::BindTcp | AccessNet::ConnectTcp
}

fn scope() -> BitFlags<Scope> {
    Scope::AbstractUnixSocket | Scope::Signal
}

fn why(layer: Layer) -> &'static str {
    match layer {
        Layer::Tcp => "this kernel's Landlock has no rules for TCP (Linux 6.7 and later have them)",
        Layer::Scope => "this kernel's Landlock has no scopes (Linux 6.12 and later have them)",
        Layer::User | Layer::Capabilities | Layer::NoNewPrivileges | Layer::Files | Layer::Syscalls => {
            "this kernel has no Landlock (Linux 5.13 and later have it, where `lsm=` does not leave it out)"
        }
    }
}

/// The layers that are not offered.
pub(super) fn missing(offered: Offered) -> Vec<Held> {
    let missing = Layer::ALL.into_iter().filter(|layer| !offered.of(*layer));
    missing.map(|layer| Held { layer, holds: false, detail: why(layer).to_owned() }).collect()
}

/// Gives up what is offered; one entry for each of the three layers.
pub(super) fn restrict(policy: &Policy, offered: Offered) -> Result<Vec<Held>, SandboxError> {
    let mut ruleset = Ruleset::default();
    let failed = |layer| move |error: landlock::RulesetError| SandboxError::Failed { layer, reason: error.to_string() };
    if offered.files {
        ruleset = ruleset.handle_access(AccessFs::from_all(FILES)).map_err(failed(Layer::Files))?;
    }
    if offered.tcp {
        ruleset = ruleset.handle_access(tcp()).map_err(failed(Layer::Tcp))?;
    }
    if offered.scope {
        ruleset = ruleset.scope(scope()).map_err(failed(Layer::Scope))?;
    }
    if offered.files || offered.tcp || offered.scope {
        let mut created = ruleset.create().map_err(failed(Layer::Files))?;
        if offered.files {
            created = files(created, policy)?;
        }
        if let (Network::Dials { ports, .. }, true) = (&policy.network, offered.tcp) {
            for port in ports {
                created = created.add_rule(NetPort::new(*port, AccessNet::ConnectTcp)).map_err(failed(Layer::Tcp))?;
            }
        }
        created.restrict_self().map_err(failed(Layer::Files))?;
    }
    let held = |layer, detail: String| match offered.of(layer) {
        true => Held { layer, holds: true, detail },
        false => Held { layer, holds: false, detail: why(layer).to_owned() },
    };
    let net = match &policy.network {
        Network::Accepts => "no TCP connection can be opened and no port bound".to_owned(),
        Network::Dials { ports, .. } => format!("TCP connections to port {} alone, and no port bound", listed(ports)),
    };
    let mut files = held(Layer::Files, described(policy));
    if reaches_everything(policy) {
        let detail = "a file of the configuration lies in the root folder, so that every file can be read: give it a folder of its own";
        files = Held { layer: Layer::Files, holds: false, detail: detail.to_owned() };
    }
    Ok(vec![
        files,
        held(Layer::Tcp, net),
        held(Layer::Scope, "no signal to another process, no abstract socket of another".to_owned()),
    ])
}

fn files(mut created: RulesetCreated, policy: &Policy) -> Result<RulesetCreated, SandboxError> {
    let read = AccessFs::ReadFile | AccessFs::ReadDir;
    let write = read | AccessFs::WriteFile | AccessFs::MakeReg | AccessFs::RemoveFile | AccessFs::Truncate;
    let rules = policy.read.iter().map(|path| (path, read)).chain(policy.write.iter().map(|path| (path, write)));
    for (path, access) in rules {
        let error = |reason: String| SandboxError::Path { path: path.clone(), reason };
        let is_file = path.is_file();
        let opened = PathFd::new(path).map_err(|source| error(source.to_string()))?;
        let access = if is_file { access & AccessFs::from_file(FILES) } else { access };
        created = created.add_rule(PathBeneath::new(opened, access)).map_err(|source| error(source.to_string()))?;
    }
    Ok(created)
}

/// Whether a folder of the policy has all others below it.
fn reaches_everything(policy: &Policy) -> bool {
    let mut paths = policy.read.iter().chain(&policy.write);
    paths.any(|path| path.canonicalize().is_ok_and(|path| path.parent().is_none()))
}

fn described(policy: &Policy) -> String {
    let list = |paths: &[PathBuf]| {
        let paths: BTreeSet<&Path> = paths.iter().map(PathBuf::as_path).collect();
        paths.iter().map(|path| path.display().to_string()).collect::<Vec<_>>().join(", ")
    };
    let mut text = format!("reads below {}", list(&policy.read));
    if policy.write.is_empty() {
        text.push_str("; writes nowhere");
    } else {
        text.push_str(&format!("; writes below {}", list(&policy.write)));
    }
    text
}

fn listed(ports: &BTreeSet<u16>) -> String {
    ports.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}
