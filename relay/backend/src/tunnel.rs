//! A tunnel at its backend: from an assigned data connection to a service.
//!
//! In this order, so that nothing is spent on what is not allowed: the grant, a place, the hand-over, TLS with exactly the
//! device key that the grant names, the preface, the scope. Every refusal is one log line and one metric.

use std::{
    io,
    sync::{Arc, PoisonError},
    time::Duration,
};

use relay_runtime::{
    buffers::{Buffers, ReadAhead},
    clock::Clock,
    tls::ReloadableIdentity,
};
use relay_trust::{ExpectedKey, ServerIdentity, peer_spki, tunnel_server_config};
use relay_wire::{
    builtin::{self, Status},
    frame::data::Remote,
    grant::{DeviceKey, Grant, SignedGrant},
    ids::{Exporter, ServiceName},
    limits,
    proof::exporter_label,
};
use rustls::server::ResolvesServerCert;
use tokio::{
    io::AsyncReadExt,
    net::TcpStream,
    sync::{OwnedSemaphorePermit, Semaphore},
    time::timeout,
};
use tokio_rustls::TlsAcceptor;

use crate::{
    grants::Verifier,
    metrics::Metrics,
    registry::thread::RegistryHandle,
    services::{
        self, Means, Peer, Service, Services, TunnelStream, copy::End, proxy_protocol::remote_address, upstream,
    },
};

mod refusal;
mod running;

use refusal::Refusal;
use running::Running;

/// What a host is made from.
pub struct HostParts {
    /// Verifies grants.
    pub verifier: Verifier,
    /// What devices see.
    pub identity: Arc<ReloadableIdentity>,
    /// What is offered.
    pub services: Services,
    /// For `enrol`; the master has one.
    pub registry: Option<RegistryHandle>,
    /// Counts.
    pub metrics: Metrics,
    /// The backend's clock.
    pub clock: Clock,
    /// Tunnels at a time.
    pub tunnels_max: u32,
    /// No byte either way for this long ends a tunnel.
    pub idle: Duration,
}

/// Takes tunnels. One for all edges of a backend.
pub struct Host {
    verifier: Verifier,
    identity: Arc<ReloadableIdentity>,
    services: std::sync::RwLock<Arc<Services>>,
    registry: Option<RegistryHandle>,
    means: Means,
    clock: Clock,
    places: Arc<Semaphore>,
    tunnels_max: usize,
    running: Running,
}

impl Host {
    /// A host without tunnels.
    #[must_use]
    pub fn new(parts: HostParts) -> Self {
        let tunnels_max = usize::try_from(parts.tunnels_max).unwrap_or(usize::MAX).min(Semaphore::MAX_PERMITS);
        Self {
            verifier: parts.verifier,
            identity: parts.identity,
            services: std::sync::RwLock::new(Arc::new(parts.services)),
            registry: parts.registry,
            means: Means { buffers: Buffers::default(), metrics: parts.metrics, idle: parts.idle },
            clock: parts.clock,
            places: Arc::new(Semaphore::new(tunnels_max)),
            tunnels_max,
            running: Running::default(),
        }
    }

    /// Counts.
    #[must_use]
    pub const fn metrics(&self) -> &Metrics {
        &self.means.metrics
    }

    /// The backend's clock.
    #[must_use]
    pub const fn clock(&self) -> Clock {
        self.clock
    }

    /// Tunnels under way.
    #[must_use]
    pub fn tunnels(&self) -> usize {
        self.tunnels_max - self.places.available_permits()
    }

    /// What is offered now.
    #[must_use]
    pub fn services(&self) -> Arc<Services> {
        Arc::clone(&self.services.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// From the next tunnel on, offers these.
    pub fn replace_services(&self, services: Services) {
        *self.services.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(services);
    }

    /// From the next tunnel on, only grants signed with this key count.
    pub fn replace_master(&self, spki: Vec<u8>) {
        self.verifier.replace_master(spki);
    }

    /// Ends the tunnels of a device whose standing has ended.
    pub fn end_device(&self, registry_key: &str) {
        let tunnels = self.running.end(registry_key);
        if tunnels > 0 {
            tracing::info!(device = registry_key, tunnels, "tunnels of a revoked device ended");
        }
    }

    /// Takes an assigned data connection to its end. `hand_over` yields its TCP connection once both sides have ended TLS.
    pub async fn accept(
        &self,
        signed: &SignedGrant,
        remote: Remote,
        hand_over: impl Future<Output = io::Result<TcpStream>>,
    ) {
        let address = remote_address(&remote);
        let grant = match self.verifier.verify(signed, self.clock.wall()) {
            Ok(grant) => grant,
            Err(refusal) => {
                let reason = refusal.as_str();
                tracing::warn!(reason, remote = %address, "tunnel refused");
                self.metrics().tunnel_refused(reason);
                return;
            }
        };
        let device = grant.device_id.registry_key();
        if let Err(refusal) = self.carry(grant, remote, hand_over).await {
            let (reason, detail) = (refusal.as_str(), refusal.detail());
            tracing::info!(reason, detail, device, remote = %address, "tunnel refused");
            self.metrics().tunnel_refused(reason);
        }
    }

    async fn carry(
        &self,
        grant: Grant,
        remote: Remote,
        hand_over: impl Future<Output = io::Result<TcpStream>>,
    ) -> Result<(), Refusal> {
        let _permit: OwnedSemaphorePermit =
            Arc::clone(&self.places).try_acquire_owned().map_err(|_| Refusal::TunnelLimit)?;
        let (_place, mut ended) = self.running.enter(grant.device_id.registry_key());
        let tcp = hand_over.await.map_err(Refusal::HandOver)?;
        // Boxed, as below: a tunnel that stands keeps no room for the steps of its opening.
        let opening = timeout(limits::TUNNEL_HANDSHAKE, Box::pin(self.open(tcp, grant, remote)));
        let (mut tunnel, peer, service) = tokio::select! {
            opened = opening => opened.map_err(|_| Refusal::Timeout)??,
            _ = &mut ended => return Err(Refusal::Revoked),
        };
        let served = tokio::select! {
            served = self.serve(&mut tunnel, &peer, service) => served,
            _ = &mut ended => Ok(End::Revoked),
        };
        if !matches!(served, Ok(End::Finished)) {
            services::abort(&tunnel);
        }
        served.map(|_| ())
    }

    /// TLS and the preface.
    async fn open(
        &self,
        tcp: TcpStream,
        grant: Grant,
        remote: Remote,
    ) -> Result<(TunnelStream, Peer, ServiceName), Refusal> {
        let expected = match grant.device_key {
            DeviceKey::ToBeEnrolled => ExpectedKey::AnyP256,
            DeviceKey::Spki(digest) => ExpectedKey::Spki(digest),
        };
        let identity: Arc<dyn ResolvesServerCert> = Arc::clone(&self.identity) as _;
        let config = tunnel_server_config(ServerIdentity::from(identity), expected);
        let stream = ReadAhead::new(tcp, self.means.buffers.clone());
        let mut tunnel = TlsAcceptor::from(Arc::new(config)).accept(stream).await.map_err(refusal::of_handshake)?;
        let (exporter, spki) = {
            let tls = tunnel.get_ref().1;
            let exporter = tls.export_keying_material([0; 32], exporter_label::TUNNEL, None);
            let spki = tls.peer_certificates().and_then(<[_]>::first).and_then(|leaf| peer_spki(leaf).ok());
            match (exporter, spki) {
                (Ok(exporter), Some(spki)) => (Exporter(exporter), spki),
                (Err(error), _) => return Err(Refusal::Handshake(io::Error::other(error))),
                (Ok(_), None) => return Err(Refusal::WrongKey(io::ErrorKind::InvalidData.into())),
            }
        };
        let service = read_preface(&mut tunnel).await?;
        Ok((tunnel, Peer { grant, remote, exporter, spki }, service))
    }

    async fn serve(&self, tunnel: &mut TunnelStream, peer: &Peer, name: ServiceName) -> Result<End, Refusal> {
        let services = self.services();
        let service = services.get(&name).filter(|_| peer.grant.services.allows(&name));
        let Some(service) = service else {
            Box::pin(self.answer(tunnel, Status::NotAllowed)).await;
            return Err(Refusal::NotAllowed(name));
        };
        let connected = match service {
            Service::Tcp(target) => match upstream::connect(target, peer).await {
                Ok(stream) => Some(stream),
                Err(error) => {
                    Box::pin(self.answer(tunnel, Status::Unreachable)).await;
                    return Err(Refusal::Unreachable(name, error));
                }
            },
            Service::Sink | Service::Source | Service::Echo | Service::Enrol => None,
        };
        tracing::debug!(device = %peer.grant.device_id, remote = %peer.address(), service = %name, "tunnel open");
        let guard = self.metrics().tunnel_opened(name.as_str());
        let end = match connected {
            Some(stream) => upstream::carry(tunnel, stream, &self.means).await,
            None => Box::pin(self.serve_built_in(tunnel, peer, service)).await,
        };
        match &end {
            End::DeviceBroke(error) | End::UpstreamBroke(error) => {
                tracing::debug!(device = %peer.grant.device_id, service = %name, end = end.as_str(), %error, "tunnel broken");
            }
            End::Finished | End::Idle | End::Revoked => {
                tracing::debug!(device = %peer.grant.device_id, service = %name, end = end.as_str(), "tunnel ended");
            }
        }
        guard.ended(end.as_str());
        Ok(end)
    }

    async fn serve_built_in(&self, tunnel: &mut TunnelStream, peer: &Peer, service: &Service) -> End {
        if let Err(error) = services::say(tunnel, Status::Ready).await {
            return End::DeviceBroke(error);
        }
        let end = match (service, &self.registry) {
            (Service::Sink, _) => services::sink(tunnel, &self.means).await,
            (Service::Source, _) => services::source(tunnel, &self.means).await,
            (Service::Echo, _) => services::echo(tunnel, &self.means).await,
            (Service::Enrol, Some(registry)) => {
                services::enrol::enrol(tunnel, peer, registry, &self.means, self.clock.wall()).await
            }
            // Only a master's configuration offers `enrol`, and a master has a registry.
            (Service::Enrol | Service::Tcp(_), _) => End::Idle,
        };
        if matches!(end, End::Finished) {
            services::finish(tunnel).await;
        }
        end
    }

    async fn answer(&self, tunnel: &mut TunnelStream, status: Status) {
        let answering = async {
            if services::say(tunnel, status).await.is_ok() {
                services::finish(tunnel).await;
            }
        };
        let _ = timeout(limits::TUNNEL_HANDSHAKE, answering).await;
    }
}

/// Reads the preface and not a byte more: what stands behind it belongs to the service.
async fn read_preface(tunnel: &mut TunnelStream) -> Result<ServiceName, Refusal> {
    let mut bytes = [0; builtin::PREFACE_BYTES_MAX];
    tunnel.read_exact(&mut bytes[..2]).await.map_err(Refusal::Gone)?;
    builtin::decode_preface(&bytes[..2]).map_err(|_| Refusal::BadPreface)?;
    let length = 2 + usize::from(bytes[1]);
    let rest = bytes.get_mut(2..length).ok_or(Refusal::BadPreface)?;
    tunnel.read_exact(rest).await.map_err(Refusal::Gone)?;
    match builtin::decode_preface(&bytes[..length]) {
        Ok(Some((service, _))) => Ok(service),
        Ok(None) | Err(_) => Err(Refusal::BadPreface),
    }
}
