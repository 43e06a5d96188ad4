//! One edge as this backend sees it: how it is reached, which key is shared with it, and whether it is connected.

use std::{
    io,
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};

use relay_runtime::{config::HostPort, handover::RecordIo, listen::TcpOptions};
use relay_trust::{Pin, PinSet, SharedKey, TlsProfile, client_config, pinned_verifier, shared_key_verifier};
use relay_wire::{
    ids::{BackendName, Exporter, Generation, Role},
    limits,
    proof::{self, Speaker, alpn, exporter_label},
};
use rustls::{ClientConfig, pki_types::ServerName};
use tokio::{net::TcpStream, sync::watch, time::timeout};
use tokio_rustls::{TlsConnector, client::TlsStream};

use crate::config::EdgeConfig;

/// From the name's look-up to the end of TLS: as long as the edge allows a stranger for the same and its first frame.
const CONNECT: Duration = limits::FIRST_FRAME;

/// What a backend is to every edge.
#[derive(Clone, Debug)]
pub struct Credentials {
    /// Its role.
    pub role: Role,
    /// Its name.
    pub name: BackendName,
    /// Its life.
    pub generation: Generation,
}

/// The kind of a connection to an edge.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The persistent one.
    Control,
    /// One that will carry a tunnel.
    Data,
}

impl Kind {
    const fn exporter_label(self) -> &'static [u8] {
        match self {
            Self::Control => exporter_label::CONTROL,
            Self::Data => exporter_label::DATA,
        }
    }

    const fn ours(self) -> Speaker {
        match self {
            Self::Control => Speaker::ControlBackend,
            Self::Data => Speaker::DataBackend,
        }
    }

    const fn theirs(self) -> Speaker {
        match self {
            Self::Control => Speaker::ControlEdge,
            Self::Data => Speaker::DataEdge,
        }
    }
}

/// Why a connection to an edge does not stand.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// TCP did not come about.
    #[error("cannot connect: {0}; check the address and firewall 1 (outbound to the edge's port)")]
    Tcp(io::Error),
    /// TLS did not.
    #[error("TLS failed: {0}; check the edge's pin and that this port is the edge's")]
    Tls(io::Error),
    /// Not within the deadline.
    #[error("no connection within {CONNECT:?}; check the address and firewall 1 (outbound to the edge's port)")]
    Timeout,
    /// The TLS library gave no exporter: not a state that a standing connection can be in.
    #[error("TLS gave no exporter: {0}")]
    Exporter(rustls::Error),
}

impl ConnectError {
    /// The fixed word in metrics.
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Tcp(_) => "tcp",
            Self::Tls(_) => "tls",
            Self::Timeout => "timeout",
            Self::Exporter(_) => "exporter",
        }
    }
}

/// The configuration cannot be used for TLS: a mistake of this program's tables, found at start.
#[derive(Debug, thiserror::Error)]
pub enum EdgeError {
    /// The profile does not work.
    #[error(transparent)]
    Tls(#[from] relay_trust::TlsConfigError),
}

/// One edge.
pub struct Edge {
    address: HostPort,
    label: String,
    tls: RwLock<TlsConfigs>,
    key: RwLock<Arc<SharedKey>>,
    connected: watch::Sender<bool>,
}

/// How TLS is spoken with one edge, by the kind of connection.
#[derive(Clone)]
struct TlsConfigs {
    control: Arc<ClientConfig>,
    data: Arc<ClientConfig>,
}

impl TlsConfigs {
    fn new(pin: Option<Pin>) -> Result<Self, EdgeError> {
        Ok(Self { control: tls(pin, alpn::CONTROL)?, data: tls(pin, alpn::DATA)? })
    }
}

/// A connection to an edge on which TLS stands.
pub struct Connection {
    /// The stream.
    pub tls: TlsStream<RecordIo<TcpStream>>,
    /// What binds a proof to it.
    pub exporter: Exporter,
}

impl Edge {
    /// An edge that is not connected yet.
    ///
    /// # Errors
    /// [`EdgeError`].
    pub fn new(config: &EdgeConfig) -> Result<Self, EdgeError> {
        Ok(Self {
            address: config.address.clone(),
            label: config.address.to_string(),
            tls: RwLock::new(TlsConfigs::new(config.pin)?),
            key: RwLock::new(Arc::clone(&config.key)),
            connected: watch::Sender::new(false),
        })
    }

    /// Its address, as logs and metrics call it.
    #[must_use]
    pub fn label(&self) -> &str {
        &self.label
    }

    /// Whether its control connection stands, to wait on.
    #[must_use]
    pub fn connected(&self) -> watch::Receiver<bool> {
        self.connected.subscribe()
    }

    /// Notes whether the control connection stands.
    pub fn set_connected(&self, connected: bool) {
        self.connected.send_replace(connected);
    }

    /// From the next connection on, proves with this key.
    pub fn replace_key(&self, key: Arc<SharedKey>) {
        *self.key.write().unwrap_or_else(PoisonError::into_inner) = key;
    }

    /// From the next connection on, takes no other certificate than this; with `None`, the shared key alone tells the edge.
    ///
    /// # Errors
    /// [`EdgeError`]; the old pin holds then.
    pub fn replace_pin(&self, pin: Option<Pin>) -> Result<(), EdgeError> {
        let configs = TlsConfigs::new(pin)?;
        *self.tls.write().unwrap_or_else(PoisonError::into_inner) = configs;
        Ok(())
    }

    fn key(&self) -> Arc<SharedKey> {
        Arc::clone(&self.key.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Our proof on a connection with this exporter.
    #[must_use]
    pub fn prove(&self, kind: Kind, exporter: &Exporter, me: &Credentials) -> [u8; 32] {
        self.key().mac(&proof::backhaul(kind.ours(), exporter, me.role, &me.name, me.generation))
    }

    /// Whether the edge's proof on a connection with this exporter holds.
    #[must_use]
    pub fn is_proved(&self, kind: Kind, exporter: &Exporter, me: &Credentials, proof: &[u8; 32]) -> bool {
        self.key().verify(&proof::backhaul(kind.theirs(), exporter, me.role, &me.name, me.generation), proof)
    }

    /// Connects, with one deadline over looking up, TCP and TLS.
    ///
    /// # Errors
    /// [`ConnectError`].
    pub async fn connect(&self, kind: Kind) -> Result<Connection, ConnectError> {
        match timeout(CONNECT, self.connect_unbounded(kind)).await {
            Ok(done) => done,
            Err(_) => Err(ConnectError::Timeout),
        }
    }

    async fn connect_unbounded(&self, kind: Kind) -> Result<Connection, ConnectError> {
        let stream = TcpStream::connect(self.address.as_pair()).await.map_err(ConnectError::Tcp)?;
        if let Err(error) = TcpOptions::default().apply(&stream) {
            tracing::debug!(edge = self.label, %error, "TCP options not set");
        }
        let name = ServerName::try_from(self.address.host().to_owned())
            .map_err(|error| ConnectError::Tls(io::Error::new(io::ErrorKind::InvalidInput, error)))?;
        let TlsConfigs { control, data } = self.tls.read().unwrap_or_else(PoisonError::into_inner).clone();
        let (config, stream) = match kind {
            Kind::Control => (control, RecordIo::unbounded(stream)),
            Kind::Data => (data, RecordIo::new(stream)),
        };
        let tls = TlsConnector::from(config).connect(name, stream).await.map_err(ConnectError::Tls)?;
        let exporter = tls
            .get_ref()
            .1
            .export_keying_material([0; 32], kind.exporter_label(), None)
            .map_err(ConnectError::Exporter)?;
        Ok(Connection { tls, exporter: Exporter(exporter) })
    }
}

fn tls(pin: Option<Pin>, alpn: &[u8]) -> Result<Arc<ClientConfig>, EdgeError> {
    let verifier = match pin.and_then(|pin| PinSet::new(vec![pin]).ok()) {
        Some(pins) => pinned_verifier(pins),
        None => shared_key_verifier(),
    };
    Ok(Arc::new(client_config(TlsProfile::BACKHAUL, verifier, None, alpn)?))
}
