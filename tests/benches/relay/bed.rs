//! The relay under measurement and devices that know it.

use std::{net::SocketAddr, str::FromStr, sync::Arc};

use client_sim::{
    Device, Failure,
    device::{Link, Tunnel},
    profiles::Persona,
    target::{EdgeAddress, EdgeTarget, Target, load_mass_secret, server_name},
};
use relay_runtime::{buffers::Buffers, clock::Clock, sandbox::Mode};
use relay_trust::{DeviceKey, PinSet, RootSource, Roots};
use relay_wire::{
    Platform,
    ids::{BackendName, ServiceName},
    request::TransferKind,
};
use tests::relay::{Options, Relay};

/// The storage node.
pub const NODE: &str = "node-a";

/// A relay and what a device is deployed with.
pub struct Bed {
    /// The three processes.
    pub relay: Relay,
    /// What devices know.
    pub target: Target,
}

impl Bed {
    /// Starts a relay that lets `devices` devices enrol; the node offers `services`.
    pub fn start(devices: u32, services: &[(&str, SocketAddr)]) -> Self {
        Self::confined(devices, services, Mode::default())
    }

    /// The same with every process in that sandbox.
    pub fn confined(devices: u32, services: &[(&str, SocketAddr)], sandbox: Mode) -> Self {
        let sandbox = Some(sandbox);
        let relay = Relay::start(&Options { nodes: &[NODE], services, sandbox, ..Options::default() });
        let secret = relay.mass_secret("bench", devices);
        let edge = EdgeTarget {
            edges: vec![EdgeAddress::from(relay.address)],
            server_name: server_name("localhost").expect("a name"),
            pins: PinSet::from_str(&relay.edge_pin).expect("a pin"),
            roots: Roots::load(&RootSource::File(relay.roots())).expect("the edge's certificate"),
            buffers: Buffers::default(),
        };
        let target = Target {
            edge,
            master_pins: PinSet::from_str(&relay.master_pin).expect("a pin"),
            mass_secret: Some(Arc::new(load_mass_secret(&secret).expect("a secret"))),
            node: BackendName::new(NODE).expect("a name"),
        };
        Self { relay, target }
    }

    /// The process ids of edge, master and node.
    pub fn ids(&self) -> [u32; 3] {
        [&self.relay.edge, &self.relay.master, &self.relay.nodes[0]].map(|part| part.process().id())
    }

    /// A device that is enrolled and authenticated.
    pub async fn session(&self, platform: Platform, index: u32) -> Result<Session, Failure> {
        let persona = Persona::generate(platform, index, 1);
        let edge = Arc::new(self.target.edge.clone());
        let mut device = Device::new(persona, edge, DeviceKey::generate(), None, Clock::system())?;
        let (mut link, _) = device.connect().await?;
        let secret = self.target.mass_secret.as_deref().ok_or_else(|| Failure::Local("no secret".into()))?;
        device.enrol(&mut link, secret, &self.target.master_pins).await?;
        device.authenticate(&mut link).await?;
        Ok(Session { device, link, node: self.target.node.clone() })
    }
}

/// A device with its persistent connection.
pub struct Session {
    device: Device,
    link: Link,
    node: BackendName,
}

impl Session {
    /// Asks for a tunnel, opens it, and has the backend join it to `service`.
    pub async fn open(&mut self, service: &str) -> Result<Tunnel, Failure> {
        let service = ServiceName::new(service).map_err(|error| Failure::Local(error.to_string()))?;
        let paths = self.device.persona().paths();
        let granted = self.device.request_tunnel(&mut self.link, TransferKind::Backup, &self.node, paths, None).await?;
        self.device.open(granted, &service).await
    }
}

/// Descriptors besides those of devices.
const RESERVE: u64 = 300;

/// Raises the bound on open files, which the processes of the relay inherit, and says if it is too low.
pub fn raise_descriptors(devices: u32) {
    match relay_runtime::resources::raise_descriptor_limit() {
        Ok(limit) if limit.now.is_some_and(|now| now < u64::from(devices) + RESERVE) => crate::say(&format!(
            "the limit of {} open files is too low for {devices} devices; raise it with `ulimit -n`",
            limit.now.unwrap_or_default()
        )),
        Ok(_) => {}
        Err(error) => crate::say(&format!("the limit of open files cannot be raised: {error}")),
    }
}

/// The runtime on which devices run.
pub fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime")
}
