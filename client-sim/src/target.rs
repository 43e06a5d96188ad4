//! Where devices go and by what they know it: from the embedded relay or from the command line, alike from then on.

use std::{fmt, path::Path, str::FromStr, sync::Arc};

use relay_runtime::buffers::Buffers;
use relay_trust::{MassSecret, PinSet, RootSource, Roots, read_secret_file};
use relay_wire::ids::BackendName;
use rustls::pki_types::ServerName;

use crate::{
    cli::{DeploymentArgs, EdgeArgs},
    error::Error,
};

/// An edge's address: a host name or an IP address (IPv6 in brackets) and a port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EdgeAddress {
    host: String,
    port: u16,
}

impl EdgeAddress {
    /// The host, without brackets.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The port.
    #[must_use]
    pub const fn port(&self) -> u16 {
        self.port
    }
}

impl From<std::net::SocketAddr> for EdgeAddress {
    fn from(address: std::net::SocketAddr) -> Self {
        Self { host: address.ip().to_string(), port: address.port() }
    }
}

/// A text that is no edge address.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no address; give HOST:PORT, such as edge.example.com:443, 192.0.2.7:443 or [2001:db8::7]:443")]
pub struct InvalidEdgeAddress(String);

impl FromStr for EdgeAddress {
    type Err = InvalidEdgeAddress;

    fn from_str(text: &str) -> Result<Self, InvalidEdgeAddress> {
        let refusal = || InvalidEdgeAddress(text.to_owned());
        let (host, port) = text.rsplit_once(':').ok_or_else(refusal)?;
        let port = port.parse().ok().filter(|port| *port != 0).ok_or_else(refusal)?;
        let host = match host.strip_prefix('[').and_then(|host| host.strip_suffix(']')) {
            Some(v6) if v6.parse::<std::net::Ipv6Addr>().is_ok() => v6,
            Some(_) => return Err(refusal()),
            None => host,
        };
        let valid = ServerName::try_from(host).is_ok() && (!host.contains(':') || text.starts_with('['));
        if valid { Ok(Self { host: host.to_owned(), port }) } else { Err(refusal()) }
    }
}

impl fmt::Display for EdgeAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.host.contains(':') {
            write!(f, "[{}]:{}", self.host, self.port)
        } else {
            write!(f, "{}:{}", self.host, self.port)
        }
    }
}

/// An edge and the trust that a device has in it.
#[derive(Clone)]
pub struct EdgeTarget {
    /// The edges, tried in order; never empty.
    pub edges: Vec<EdgeAddress>,
    /// The name that their certificates must carry.
    pub server_name: ServerName<'static>,
    /// The pins, of which the edge's certificate must match one.
    pub pins: PinSet,
    /// The roots, to one of which its chain must lead.
    pub roots: Roots,
    /// What tunnels there read into; clones share it, so that a fleet has one set of buffers.
    pub buffers: Buffers,
}

/// What a device is deployed with: an edge, the master's pins, and what the first contact takes.
#[derive(Clone)]
pub struct Target {
    /// The edge.
    pub edge: EdgeTarget,
    /// The master's pins.
    pub master_pins: PinSet,
    /// The secret of the first contact; none for devices that are enrolled already.
    pub mass_secret: Option<Arc<MassSecret>>,
    /// The storage node.
    pub node: BackendName,
}

impl EdgeTarget {
    /// The edge of command-line options.
    ///
    /// # Errors
    /// [`Error::Usage`] that names what is missing or cannot be used.
    pub fn from_args(args: &EdgeArgs) -> Result<Self, Error> {
        let first = args.edges.first().ok_or_else(|| missing("--edge HOST:PORT", "where the edge is"))?;
        let name = args.server_name.clone().unwrap_or_else(|| first.host().to_owned());
        let server_name = server_name(&name)?;
        let pins = args.pins.clone().ok_or_else(|| missing("--pin PIN", "`relay-edge fingerprint` prints the pins"))?;
        let source = args.roots.as_ref().ok_or_else(|| {
            missing("--roots FILE|system|mozilla", "a self-signed edge certificate may be its own root")
        })?;
        Ok(Self {
            edges: args.edges.clone(),
            server_name,
            pins,
            roots: load_roots(source)?,
            buffers: Buffers::default(),
        })
    }
}

impl Target {
    /// The relay of command-line options, all of which a fleet needs.
    ///
    /// # Errors
    /// [`Error::Usage`] that names what is missing or cannot be used.
    pub fn from_args(edge: &EdgeArgs, deployment: &DeploymentArgs) -> Result<Self, Error> {
        let edge = EdgeTarget::from_args(edge)?;
        let master_pins = deployment
            .master_pins
            .clone()
            .ok_or_else(|| missing("--master-pin PIN", "`relay-backend init --role master` prints the pins"))?;
        let file = deployment
            .mass_secret_file
            .as_deref()
            .ok_or_else(|| missing("--mass-secret-file FILE", "`relay-backend secret add --out FILE` writes one"))?;
        let node = deployment.node.clone().ok_or_else(|| missing("--node NAME", "the storage node's name"))?;
        Ok(Self { edge, master_pins, mass_secret: Some(Arc::new(load_mass_secret(file)?)), node })
    }
}

fn missing(option: &str, hint: &str) -> Error {
    Error::Usage(format!("{option} is needed: {hint}"))
}

/// A server name for TLS: a DNS name or an IP address.
///
/// # Errors
/// [`Error::Usage`] for anything else.
pub fn server_name(name: &str) -> Result<ServerName<'static>, Error> {
    ServerName::try_from(name.to_owned())
        .map_err(|_| Error::Usage(format!("--server-name {name:?} is neither a DNS name nor an IP address")))
}

/// The roots of a source.
///
/// # Errors
/// [`Error::Usage`] that says what is wrong with it.
pub fn load_roots(source: &RootSource) -> Result<Roots, Error> {
    Roots::load(source).map_err(|error| Error::Usage(format!("--roots: {error}")))
}

/// The mass-deployment secret in a file that only its owner can read.
///
/// # Errors
/// [`Error::Usage`] that says what is wrong with it.
pub fn load_mass_secret(path: &Path) -> Result<MassSecret, Error> {
    let text = read_secret_file(path).map_err(|error| Error::Usage(format!("--mass-secret-file: {error}")))?;
    MassSecret::from_hex(text.trim()).map_err(|error| {
        Error::Usage(format!("--mass-secret-file {}: {error}; `relay-backend secret add` writes one", path.display()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_round_trip_and_others_are_refused() {
        for text in ["edge.example.com:443", "192.0.2.7:1", "[2001:db8::7]:65535", "localhost:4433"] {
            assert_eq!(text.parse::<EdgeAddress>().unwrap().to_string(), text);
        }
        for text in ["", "edge", "edge:", "edge:0", "edge:65536", ":443", "2001:db8::7:443", "[edge]:443", "a b:443"] {
            assert!(text.parse::<EdgeAddress>().is_err(), "{text}");
        }
    }

    #[test]
    fn what_is_missing_is_named() {
        let error = Target::from_args(&EdgeArgs::default(), &DeploymentArgs::default()).err().unwrap();
        assert!(error.to_string().contains("--edge"), "{error}");
        assert_eq!(error.exit_code(), 2);
    }
}
