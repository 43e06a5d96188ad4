//! The files of a lab, as `init` and `key add` would write them.

use std::{
    collections::BTreeMap,
    fmt::Write,
    fs,
    net::SocketAddr,
    path::{Path, PathBuf},
};

use relay_edge::config::{CertificateFiles, Config as EdgeConfig, Limits};
use relay_trust::{Identity, Pin, SharedKey, write_secret_file};
use relay_wire::ids::{BackendName, Role};

use crate::LabError;

/// Days that a lab's certificates are valid.
const DAYS: u32 = 30;

fn keys_error(error: impl std::fmt::Display) -> LabError {
    LabError::Keys(error.to_string())
}

pub(crate) fn master_name() -> BackendName {
    #[expect(clippy::expect_used, reason = "a literal, and a test starts a lab")]
    BackendName::new("master").expect("a label in lower case")
}

pub(crate) fn backends(master: &BackendName, nodes: &[BackendName]) -> Vec<(BackendName, Role)> {
    let nodes = nodes.iter().map(|name| (name.clone(), Role::StorageNode));
    std::iter::once((master.clone(), Role::Master)).chain(nodes).collect()
}

/// Makes the edge's certificate and writes it.
pub(crate) fn edge(folder: &Path) -> Result<Identity, LabError> {
    let names = ["localhost", "127.0.0.1", "::1"].map(str::to_owned);
    let identity = Identity::self_signed(&names, DAYS).map_err(keys_error)?;
    let CertificateFiles { chain, key } = files(folder, "edge");
    identity.write(&chain, &key).map_err(keys_error)?;
    Ok(identity)
}

fn files(folder: &Path, name: &str) -> CertificateFiles {
    CertificateFiles { chain: folder.join(format!("{name}.crt")), key: folder.join(format!("{name}.key")) }
}

pub(crate) fn edge_config(folder: &Path, limits: Limits) -> EdgeConfig {
    let mut config = EdgeConfig::defaults(folder);
    config.listen = vec![SocketAddr::from(([127, 0, 0, 1], 0))];
    config.admin = Some(SocketAddr::from(([127, 0, 0, 1], 0)));
    config.limits = limits;
    config
}

/// Makes a backend's shared key, writes it for the backend and files it at the edge.
pub(crate) fn shared_key(folder: &Path, keys: &Path, name: &BackendName, role: Role) -> Result<PathBuf, LabError> {
    if !keys.exists() {
        #[cfg(unix)]
        {
            use std::os::unix::fs::DirBuilderExt;
            fs::DirBuilder::new().mode(0o700).create(keys)?;
        }
        #[cfg(not(unix))]
        fs::create_dir(keys)?;
    }
    let key = SharedKey::generate();
    let file = folder.join(format!("{name}.shared.key"));
    write_secret_file(&file, &key.to_hex()).map_err(keys_error)?;
    relay_edge::keystore::add(keys, name, role, key).map_err(keys_error)?;
    Ok(file)
}

/// What the configurations of a lab's backends have in common.
pub(crate) struct Relay<'a> {
    pub(crate) folder: &'a Path,
    pub(crate) edge: SocketAddr,
    pub(crate) edge_pin: Pin,
    pub(crate) key_files: &'a BTreeMap<BackendName, PathBuf>,
}

impl Relay<'_> {
    /// Makes and writes every backend's own certificate.
    pub(crate) fn identities(
        &self,
        master: &BackendName,
        nodes: &[BackendName],
    ) -> Result<BTreeMap<BackendName, Identity>, LabError> {
        let mut identities = BTreeMap::new();
        for name in std::iter::once(master).chain(nodes) {
            let identity = Identity::self_signed(&[name.to_string()], DAYS).map_err(keys_error)?;
            let CertificateFiles { chain, key } = files(self.folder, name.as_str());
            identity.write(&chain, &key).map_err(keys_error)?;
            identities.insert(name.clone(), identity);
        }
        Ok(identities)
    }

    fn common(&self, role: Role, name: &BackendName) -> String {
        let key_file = self.key_files.get(name).map(|path| path.display().to_string()).unwrap_or_default();
        format!(
            "role = \"{role}\"\nname = \"{name}\"\nadmin = \"127.0.0.1:0\"\nHEAD\n[certificate]\nchain = \"{name}.crt\"\n\
             key = \"{name}.key\"\n[[edge]]\naddress = \"{}\"\npin = \"{}\"\nkey_file = {}\n",
            self.edge,
            self.edge_pin,
            quoted(&key_file),
        )
    }

    pub(crate) fn master_config(
        &self,
        name: &BackendName,
        nodes: &[(BackendName, Pin)],
    ) -> Result<relay_backend::Config, LabError> {
        let mut text = self.common(Role::Master, name).replace("HEAD", "registry = \"registry.db\"");
        relay_backend::registry::Registry::create(&self.folder.join("registry.db"))
            .map_err(|error| LabError::Registry(error.to_string()))?;
        for (node, pin) in nodes {
            // Writing to a string does not fail.
            let _ = write!(text, "[[node]]\nname = \"{node}\"\npin = \"{pin}\"\n");
        }
        self.backend(name, &text)
    }

    pub(crate) fn node_config(
        &self,
        name: &BackendName,
        master: &BackendName,
        services: &BTreeMap<String, String>,
        pool: &str,
    ) -> Result<relay_backend::Config, LabError> {
        let head = format!("master_certificate = \"{master}.crt\"");
        let mut text = self.common(Role::StorageNode, name).replace("HEAD", &head);
        let _ = write!(text, "[pool]\n{pool}\n[services]\n");
        for (service, target) in services {
            let _ = writeln!(text, "{service} = {}", quoted(target));
        }
        self.backend(name, &text)
    }

    fn backend(&self, name: &BackendName, text: &str) -> Result<relay_backend::Config, LabError> {
        let file = self.folder.join(format!("{name}.toml"));
        fs::write(&file, text)?;
        relay_backend::Config::load(&file).map_err(LabError::Config)
    }
}

/// A TOML string of `text`, whatever it holds.
fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            c if c.is_control() => {
                let _ = write!(out, "\\u{:04X}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}
