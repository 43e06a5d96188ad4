//! `init`: a folder with everything that a new backend needs, and what the other sides need from it.

use std::{
    fs,
    io::Write,
    path::{Path, PathBuf},
    str::FromStr,
};

use relay_runtime::config::HostPort;
use relay_trust::{Identity, Pin, PinKind, SharedKey, write_secret_file};
use relay_wire::ids::{BackendName, Role, ServiceName};
use serde::Serialize;

use crate::{
    config::{self, EXAMPLE_MASTER, EXAMPLE_STORAGE_NODE},
    error::Error,
    registry::Registry,
};

/// Days that a new certificate is valid: the most that browsers and platforms accept of a server.
const CERTIFICATE_DAYS: u32 = 825;

/// What a new backend is to be.
#[derive(Clone, Debug)]
pub struct InitOptions {
    /// Master or storage node.
    pub role: Role,
    /// Its name.
    pub name: BackendName,
    /// The folder; it is made if it is not there.
    pub dir: PathBuf,
    /// The edge it connects to.
    pub edge: HostPort,
    /// The edge's pin, if it is known.
    pub edge_pin: Option<Pin>,
    /// The master's certificate; a storage node needs it.
    pub master_certificate: Option<PathBuf>,
    /// Where a master's registry lies; `None`: beside the configuration. The folder is there.
    pub registry: Option<PathBuf>,
    /// The upstreams it offers from the start; built-in services need no mention.
    pub services: Vec<OfferedService>,
}

/// An upstream and the name it is offered under.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OfferedService {
    /// The name that devices ask for.
    pub name: ServiceName,
    /// Where it listens.
    pub target: HostPort,
}

/// A text that is no [`OfferedService`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("write NAME=tcp://HOST:PORT, for example web=tcp://127.0.0.1:80")]
pub struct InvalidService;

impl FromStr for OfferedService {
    type Err = InvalidService;

    fn from_str(text: &str) -> Result<Self, InvalidService> {
        let parts = text.split_once("=tcp://");
        let parsed =
            parts.and_then(|(name, target)| Some(Self { name: name.parse().ok()?, target: target.parse().ok()? }));
        parsed.ok_or(InvalidService)
    }
}

/// What was made, and what the other sides need.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct InitReport {
    /// The configuration.
    pub config: PathBuf,
    /// The certificate; a master's goes to its nodes.
    pub certificate: PathBuf,
    /// The key shared with the edge; a copy goes there.
    pub shared_key: PathBuf,
    /// The registry of a master.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub registry: Option<PathBuf>,
    /// The pin of the certificate's key: stays when the certificate is renewed with the same key.
    pub pin: String,
    /// The pin of the certificate itself.
    pub leaf_pin: String,
    /// The command that makes this backend known to the edge, to be run there.
    pub edge_command: String,
    /// The lines that make a storage node known to the master.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub node_lines: Option<String>,
}

/// Makes the folder. Nothing is overwritten; if something fails, what was made is taken back.
///
/// # Errors
/// [`Error`].
pub fn init(options: &InitOptions) -> Result<InitReport, Error> {
    let mut made = Made::default();
    let report = make(options, &mut made);
    if report.is_ok() {
        made.0.clear();
    }
    report
}

/// Files that are removed again unless all went well.
#[derive(Default)]
struct Made(Vec<PathBuf>);

impl Drop for Made {
    fn drop(&mut self) {
        for file in &self.0 {
            let _ = fs::remove_file(file);
        }
    }
}

fn make(options: &InitOptions, made: &mut Made) -> Result<InitReport, Error> {
    let dir = &options.dir;
    let master_pem = master_certificate(options)?;
    make_dir(dir)?;
    let [file, chain, key, shared, registry, master] =
        ["backend.toml", "backend.crt", "backend.key", "shared.key", "registry.db", "master.crt"]
            .map(|name| dir.join(name));
    let registry = match (&options.registry, options.role) {
        (Some(path), Role::Master) => {
            std::path::absolute(path).map_err(|source| Error::File { operation: "find", path: path.clone(), source })?
        }
        (Some(path), Role::StorageNode) => {
            return Err(Error::Option {
                option: "--registry",
                value: path.display().to_string(),
                problem: "a storage node has none".to_owned(),
                remedy: "leave it out, or use --role master",
            });
        }
        (None, Role::Master | Role::StorageNode) => registry,
    };
    for path in [&file, &chain, &key, &shared, &registry, &master] {
        if path.exists() {
            return Err(Error::Exists(path.clone()));
        }
    }
    let identity = Identity::self_signed(&[options.name.to_string()], CERTIFICATE_DAYS)?;
    identity.write(&chain, &key)?;
    made.0.extend([chain.clone(), key]);
    write_secret_file(&shared, &format!("{}\n", *SharedKey::generate().to_hex()))?;
    made.0.push(shared.clone());
    if let Some(pem) = master_pem {
        write_new(&master, &pem)?;
        made.0.push(master);
    }
    let registry = match options.role {
        Role::Master => {
            made.0.push(registry.clone());
            Registry::create(&registry)?;
            Some(registry)
        }
        Role::StorageNode => None,
    };
    write_new(&file, &config_text(options, registry.as_deref()))?;
    made.0.push(file.clone());
    // What was just written must be good; if it is not, that is told now and not at the first start.
    config::Config::load(&file)?;
    let prints = identity.fingerprints();
    let pin = Pin::new(PinKind::Spki, prints.spki).to_string();
    let (name, role) = (&options.name, options.role);
    Ok(InitReport {
        edge_command: format!(
            "relay-edge key add --config EDGE.toml --name {name} --role {role} --key-file {}",
            shared.display()
        ),
        node_lines: match role {
            Role::Master => None,
            Role::StorageNode => Some(format!("[[node]]\nname = \"{name}\"\npin = \"{pin}\"\n")),
        },
        config: file,
        certificate: chain,
        shared_key: shared,
        registry,
        leaf_pin: Pin::new(PinKind::Leaf, prints.leaf).to_string(),
        pin,
    })
}

/// The master's certificate that a storage node is given.
fn master_certificate(options: &InitOptions) -> Result<Option<String>, Error> {
    let wrong =
        |value: String, problem: String, remedy| Error::Option { option: "--master-cert", value, problem, remedy };
    let remedy = "name the master's certificate (its backend.crt), in a place where this user can read it";
    match (options.role, &options.master_certificate) {
        (Role::Master, None) => Ok(None),
        (Role::Master, Some(file)) => Err(wrong(
            file.display().to_string(),
            "a master needs none".to_owned(),
            "leave it out, or use --role storage-node",
        )),
        (Role::StorageNode, None) => Err(wrong(String::new(), "a storage node needs it".to_owned(), remedy)),
        (Role::StorageNode, Some(file)) => {
            config::read_master_spki(file)
                .map_err(|(problem, _)| wrong(file.display().to_string(), problem, remedy))?;
            let pem = fs::read_to_string(file).map_err(|source| Error::File {
                operation: "read",
                path: file.clone(),
                source,
            })?;
            // Whatever else stands in that file (a key!) stays there.
            let begin = "-----BEGIN CERTIFICATE-----";
            let end = "-----END CERTIFICATE-----";
            let certificate = pem.find(begin).and_then(|from| {
                let length = pem[from..].find(end)? + end.len();
                pem.get(from..from + length)
            });
            Ok(certificate.map(|certificate| format!("{certificate}\n")))
        }
    }
}

fn make_dir(dir: &Path) -> Result<(), Error> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(dir).map_err(|source| Error::File { operation: "create", path: dir.to_owned(), source })
}

fn write_new(path: &Path, text: &str) -> Result<(), Error> {
    let write = || {
        let mut file = fs::OpenOptions::new().write(true).create_new(true).open(path)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()
    };
    write().map_err(|source| Error::File { operation: "write", path: path.to_owned(), source })
}

/// The example with this backend's own values in it.
fn config_text(options: &InitOptions, registry: Option<&Path>) -> String {
    let (example, example_name) = match options.role {
        Role::Master => (EXAMPLE_MASTER, "name = \"master\""),
        Role::StorageNode => (EXAMPLE_STORAGE_NODE, "name = \"node-eu-02\""),
    };
    let mut text = example
        .replacen(&format!("\n{example_name}\n"), &format!("\nname = \"{}\"\n", options.name), 1)
        .replacen("address = \"edge.example.org:443\"", &format!("address = \"{}\"", options.edge), 1);
    if let Some(pin) = options.edge_pin {
        let example_pin = format!("## pin = \"spki:{}\"", "0".repeat(64));
        text = text.replacen(&example_pin, &format!("pin = \"{pin}\""), 1);
    }
    if let (Some(_), Some(registry)) = (&options.registry, registry) {
        // A string in JSON is one in TOML.
        let line = format!("registry = {}", serde_json::Value::from(registry.display().to_string()));
        text = text.replacen("# registry = \"registry.db\"", &line, 1);
    }
    let services: String = options
        .services
        .iter()
        .map(|OfferedService { name, target }| format!("{name} = \"tcp://{target}\"\n"))
        .collect();
    text.replacen("\n[services]\n", &format!("\n[services]\n{services}"), 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;

    fn options(role: Role, dir: &Path, master_certificate: Option<PathBuf>) -> InitOptions {
        InitOptions {
            role,
            name: BackendName::new("hq-1").unwrap(),
            dir: dir.to_owned(),
            edge: "192.0.2.7:8443".parse().unwrap(),
            edge_pin: Some(Pin::new(PinKind::Leaf, [7; 32])),
            master_certificate,
            registry: None,
            services: vec!["web-1=tcp://[::1]:80".parse().unwrap()],
        }
    }

    #[test]
    fn what_it_makes_loads_and_holds_what_was_said() {
        let folder = tempfile::tempdir().unwrap();
        let master = init(&options(Role::Master, &folder.path().join("m"), None)).unwrap();
        let node_dir = folder.path().join("n");
        let node = init(&options(Role::StorageNode, &node_dir, Some(master.certificate.clone()))).unwrap();
        for (report, role) in [(&master, Role::Master), (&node, Role::StorageNode)] {
            let config = Config::load(&report.config).unwrap();
            assert_eq!(config.name.as_str(), "hq-1");
            assert_eq!(config.role(), role);
            assert_eq!(config.edges[0].address.to_string(), "192.0.2.7:8443");
            assert_eq!(config.edges[0].pin, Some(Pin::new(PinKind::Leaf, [7; 32])));
            assert!(config.services.contains_key(&"web-1".parse().unwrap()));
        }
        assert!(node.node_lines.unwrap().contains(&node.pin));
        assert!(!fs::read_to_string(node_dir.join("master.crt")).unwrap().contains("KEY"));
        // Nothing is overwritten, and nothing is lost by trying.
        assert!(matches!(init(&options(Role::Master, &folder.path().join("m"), None)), Err(Error::Exists(_))));
        assert!(Config::load(&master.config).is_ok());
    }

    #[test]
    fn a_registry_may_lie_where_state_belongs() {
        let folder = tempfile::tempdir().unwrap();
        let (dir, state) = (folder.path().join("etc"), folder.path().join("registry of \"hq\".db"));
        let report = init(&InitOptions { registry: Some(state.clone()), ..options(Role::Master, &dir, None) }).unwrap();
        assert_eq!(report.registry.as_ref(), Some(&state));
        assert_eq!(Config::load(&report.config).unwrap().master().unwrap().registry, state);
        assert!(!dir.join("registry.db").exists());
        let other = InitOptions { registry: Some(state), ..options(Role::StorageNode, &dir, Some(report.certificate)) };
        assert!(matches!(init(&other), Err(Error::Option { option: "--registry", .. })));
    }

    #[test]
    fn a_failure_leaves_nothing_behind() {
        let folder = tempfile::tempdir().unwrap();
        let dir = folder.path().join("n");
        let bad = folder.path().join("bad.crt");
        fs::write(&bad, "hello").unwrap();
        for certificate in [None, Some(bad), Some(folder.path().join("missing")), Some("/dev/zero".into())] {
            assert!(matches!(init(&options(Role::StorageNode, &dir, certificate)), Err(Error::Option { .. })));
        }
        assert!(!dir.exists());
        fs::create_dir(&dir).unwrap();
        fs::write(dir.join("shared.key"), "mine").unwrap();
        assert!(matches!(init(&options(Role::Master, &dir, None)), Err(Error::Exists(_))));
        assert_eq!(fs::read_dir(&dir).unwrap().count(), 1);
    }

    #[test]
    fn services_are_names_and_targets() {
        for wrong in
            ["", "web", "web=", "web=80", "=tcp://127.0.0.1:80", "Web=tcp://127.0.0.1:80", "web=tcp://127.0.0.1"]
        {
            assert_eq!(wrong.parse::<OfferedService>(), Err(InvalidService), "{wrong}");
        }
        let folder = tempfile::tempdir().unwrap();
        let dir = folder.path().join("n");
        let services = vec!["enrol=tcp://127.0.0.1:80".parse().unwrap()];
        let error = init(&InitOptions { services, ..options(Role::Master, &dir, None) }).unwrap_err();
        assert!(error.to_string().contains("built-in"), "{error}");
        assert_eq!(fs::read_dir(&dir).unwrap().count(), 0);
    }
}
