//! What the relay's own configuration files say about who connects where. Keys and certificates are not looked at.

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
};

use relay_backend::config::{RoleSettings, Settings};
use relay_runtime::config::{HostPort, Problems, load_toml};

use super::{Name, Role};

/// A configuration file, perhaps with a name for the edge that it configures.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigArg {
    /// For an edge: what it is called. A backend's configuration has its name in it.
    pub name: Option<Name>,
    /// The file.
    pub path: PathBuf,
}

impl std::str::FromStr for ConfigArg {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        // A path may hold `=` itself: what stands before it is a name only where it can be one.
        let named = text.split_once('=').and_then(|(name, path)| Some((name.parse::<Name>().ok()?, path)));
        match named {
            Some((name, path)) => Ok(Self { name: Some(name), path: path.into() }),
            None => Ok(Self { name: None, path: text.into() }),
        }
    }
}

/// What an edge's configuration says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EdgeFile {
    /// The file, as the user named it.
    pub path: PathBuf,
    /// The name that the user gave it.
    pub name: Option<Name>,
    /// Where it listens; never port 0, never loopback.
    pub listen: Vec<SocketAddr>,
    /// Where its admin address is.
    pub admin: Option<SocketAddr>,
}

/// What a backend's configuration says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BackendFile {
    /// The file, as the user named it.
    pub path: PathBuf,
    /// Its name.
    pub name: Name,
    /// What it is.
    pub role: Role,
    /// The edges that it connects to.
    pub dials: Vec<HostPort>,
    /// The storage nodes that it knows, if it is a master.
    pub nodes: Vec<Name>,
}

/// All files, by what they configure.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Files {
    /// Edges.
    pub edges: Vec<EdgeFile>,
    /// Backends.
    pub backends: Vec<BackendFile>,
}

impl Files {
    /// Reads files; each problem with its file and remedy goes onto the list.
    pub fn read(arguments: &[ConfigArg], problems: &mut Vec<String>) -> Self {
        let mut files = Self::default();
        for argument in arguments {
            if let Err(found) = files.add(argument) {
                let shown = argument.path.display().to_string();
                // Some problems name the file themselves.
                problems.extend(found.iter().map(|problem| {
                    let text = problem.to_string();
                    if text.starts_with(&shown) { text } else { format!("{shown}: {text}") }
                }));
            }
        }
        for (place, file) in files.backends.iter().enumerate() {
            if let Some(other) = files.backends[..place].iter().find(|other| other.name == file.name) {
                let (first, second) = (other.path.display(), file.path.display());
                problems.push(format!("{first} and {second} both configure {}; name each backend once", file.name));
            }
        }
        files
    }

    fn add(&mut self, argument: &ConfigArg) -> Result<(), Problems> {
        let path = argument.path.as_path();
        let table: toml::Table = load_toml(path)?;
        // Of the two kinds only a backend has a role, and only an edge listens.
        if table.contains_key("role") || table.contains_key("edge") {
            if argument.name.is_some() {
                let remedy = "leave NAME= out; it is for edges";
                return Err(Problems::one("--config", "a backend's configuration has its name in it", remedy));
            }
            self.backends.push(backend(path)?);
        } else {
            self.edges.push(edge(argument)?);
        }
        Ok(())
    }
}

fn edge(argument: &ConfigArg) -> Result<EdgeFile, Problems> {
    let config = relay_edge::Config::load(&argument.path)?;
    let mut problems = Problems::new();
    for (place, address) in config.listen.iter().enumerate() {
        let path = format!("listen[{place}]");
        if address.port() == 0 {
            problems.add_value(path, address, "a port that the system chooses cannot be in a rule", "write the port");
        } else if address.ip().to_canonical().is_loopback() {
            let remedy = "listen on an address in the DMZ";
            problems.add_value(path, address, "nothing from another host reaches loopback", remedy);
        }
    }
    let file = EdgeFile {
        path: argument.path.clone(),
        name: argument.name.clone(),
        listen: config.listen,
        admin: config.admin,
    };
    problems.into_result(file)
}

fn backend(path: &Path) -> Result<BackendFile, Problems> {
    let text = std::fs::read_to_string(path).map_err(|error| {
        Problems::one(
            path.display().to_string(),
            format!("cannot be read: {error}"),
            "name a file that this user can read",
        )
    })?;
    let settings = Settings::from_text(&text, path)?;
    let name = |name: &relay_wire::ids::BackendName| Name(name.to_string());
    let (role, nodes) = match &settings.role {
        RoleSettings::Master(master) => (Role::Master, master.nodes.iter().map(|(node, _)| name(node)).collect()),
        RoleSettings::StorageNode { .. } => (Role::StorageNode, Vec::new()),
    };
    Ok(BackendFile {
        path: path.to_owned(),
        name: name(&settings.name),
        role,
        dials: settings.edges.into_iter().map(|edge| edge.address).collect(),
        nodes,
    })
}
