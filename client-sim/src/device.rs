//! One device: what it is, what it was deployed with, and what it can do at a relay.
//!
//! ```text
//! connect ─ register ─ enrol tunnel ─┐   first contact, once
//! connect ─ auth ─ ping … ping       ├─ the persistent connection (`Link`)
//!             └ backup/restore/sync ─┴─ offer ─ tunnel ─ service
//! ```
//!
//! Used by the fleet, by the forwarder and by integration tests. Every wait in here has a deadline.

use std::{sync::Arc, time::Duration};

use relay_runtime::{
    buffers::{Buffers, ReadAhead},
    clock::Clock,
};
use relay_trust::{DeviceKey, Identity, MassSecret, PinSet, peer_spki, random, sha256};
use relay_wire::{
    builtin::{self, EnrolOrder, EnrolReceipt, Status},
    canonical,
    frame::reply::Offer,
    grant::Grant,
    ids::{BackendName, Exporter, Nonce, ServiceName},
    limits, proof,
    request::{Content, Operation, Proof, Request, TransferKind},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::{Instant, timeout, timeout_at},
};
use tokio_rustls::client::TlsStream;

use crate::{profiles::Persona, target::EdgeTarget};

pub mod dial;
mod failure;
pub mod link;
mod trust;
pub mod work;

#[cfg(test)]
mod tests;

pub use failure::{Failure, Step};
pub use link::{Answer, Link, Quiet};

/// The stream of a tunnel, once the service is at its other end.
pub type Tunnel = TlsStream<ReadAhead<TcpStream>>;

/// One device.
pub struct Device {
    persona: Persona,
    edge: Arc<EdgeTarget>,
    key: DeviceKey,
    identity: Identity,
    master_spki: Option<Vec<u8>>,
    clock: Clock,
}

/// How long the two parts of a connection took.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConnectTimes {
    /// TCP, name resolution included.
    pub connect: Duration,
    /// TLS.
    pub tls: Duration,
}

/// A tunnel that was offered and whose grant this device trusts.
pub struct Granted {
    offer: Offer,
    grant: Grant,
    edge: std::net::SocketAddr,
}

impl Granted {
    /// The master's word.
    #[must_use]
    pub const fn grant(&self) -> &Grant {
        &self.grant
    }
}

impl Device {
    /// A device with this key. `master_spki` is what it learned when it enrolled; without it, it can only register.
    ///
    /// # Errors
    /// [`Failure::Local`] if no client certificate can be made for the key.
    pub fn new(
        persona: Persona,
        edge: Arc<EdgeTarget>,
        key: DeviceKey,
        master_spki: Option<Vec<u8>>,
        clock: Clock,
    ) -> Result<Self, Failure> {
        let identity = Identity::from_device_key(&key).map_err(|error| Failure::Local(error.to_string()))?;
        Ok(Self { persona, edge, key, identity, master_spki, clock })
    }

    /// Who it is.
    #[must_use]
    pub const fn persona(&self) -> &Persona {
        &self.persona
    }

    /// Its key.
    #[must_use]
    pub const fn key(&self) -> &DeviceKey {
        &self.key
    }

    /// The public key of the master, learned when the device enrolled, or tried to.
    #[must_use]
    pub fn master_spki(&self) -> Option<&[u8]> {
        self.master_spki.as_deref()
    }

    /// What its tunnels read into.
    #[must_use]
    pub fn buffers(&self) -> &Buffers {
        &self.edge.buffers
    }

    /// Opens the persistent connection.
    ///
    /// # Errors
    /// [`Failure::Halted`] if the edge is not the pinned one: then nothing of a request has been sent.
    pub async fn connect(&self) -> Result<(Link, ConnectTimes), Failure> {
        let connection = dial::edge(&self.edge, self.persona.tls).await?;
        let times = ConnectTimes { connect: connection.connect_time, tls: connection.tls_time };
        Ok((Link::new(connection, self.clock), times))
    }

    /// The content of a request of this device, now, with a fresh nonce.
    ///
    /// The time is cut to what the platform's format can carry: the proof is made over what the other side will read.
    #[must_use]
    pub fn content(&self, operation: Operation, estimate: Option<u64>) -> Content {
        let sent_at = self.persona.sent_at(self.clock.wall());
        let nonce = loop {
            // All zero is no nonce; it comes once in 2^128, and must not be sent even then.
            if let Some(nonce) = Nonce::new(random()) {
                break nonce;
            }
        };
        self.persona.content(operation, sent_at, nonce, estimate)
    }

    /// A request with the DEV proof for the connection of `exporter`.
    ///
    /// # Errors
    /// [`Failure::Local`] if the content does not encode or the key cannot sign.
    pub fn signed(&self, exporter: &Exporter, content: Content) -> Result<Request, Failure> {
        let encoded = canonical::encode_content(&content).map_err(|error| Failure::Local(error.to_string()))?;
        let signature = self.key.sign(&proof::device_request(exporter, &encoded));
        Ok(Request { content, proof: Proof::Device(signature) })
    }

    /// A request with the MASS proof for the connection of `exporter`.
    ///
    /// # Errors
    /// [`Failure::Local`] if the content does not encode.
    pub fn introduced(exporter: &Exporter, content: Content, secret: &MassSecret) -> Result<Request, Failure> {
        let encoded = canonical::encode_content(&content).map_err(|error| Failure::Local(error.to_string()))?;
        let mac = secret.mac(&proof::mass_register(exporter, &encoded));
        Ok(Request { content, proof: Proof::Mass(mac) })
    }

    /// First contact: `register` with the mass-deployment secret, then this device's key into the master's registry through
    /// an `enrol` tunnel to the master, whom `master_pins` must know.
    ///
    /// # Errors
    /// [`Failure::Refused`] for an unknown secret or an id that is enrolled already; [`Failure::Halted`] if the
    /// backend in the tunnel is not the pinned master.
    pub async fn enrol(&mut self, link: &mut Link, secret: &MassSecret, master_pins: &PinSet) -> Result<(), Failure> {
        self.enrol_noting(link, secret, master_pins, |_| Ok(())).await
    }

    /// As [`Self::enrol`], and gives the master's public key (DER) to `note` before the master hears of this device's key: who
    /// has noted it, and is gone before the receipt comes, can ask later by [`Self::is_enrolled`].
    ///
    /// # Errors
    /// As [`Self::enrol`]; what `note` says, and then the master was not told.
    pub async fn enrol_noting(
        &mut self,
        link: &mut Link,
        secret: &MassSecret,
        master_pins: &PinSet,
        note: impl FnOnce(&[u8]) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        let content = self.content(Operation::Register { user: self.persona.user.clone() }, None);
        let request = Self::introduced(link.exporter(), content, secret)?;
        let offer = match link.request(Step::Register, self.persona.platform(), request.to_body()).await? {
            Answer::Tunnel(offer) => offer,
            Answer::Accepted => return Err(Failure::Violation { step: Step::Register, what: "no tunnel to enrol in" }),
        };
        let tunnel = dial::tunnel(
            link.address(),
            &self.edge.buffers,
            &offer.token,
            master_pins.clone(),
            &self.identity,
            self.persona.tls,
            Step::Enrol,
        );
        let tunnel = tunnel.await.map_err(trust::halt_on_wrong_master)?;
        // The pinned certificate is the master's, so its key is the one that signs grants.
        let spki = peer_spki(&tunnel.certificate).map_err(|error| Failure::Local(error.to_string()))?;
        trust::check_enrol_grant(&offer.grant, &tunnel.certificate, &spki, &self.persona.id, self.clock.wall())?;
        // Known from here on: if the receipt is lost, the device is enrolled and must be able to check grants.
        note(&spki)?;
        self.master_spki = Some(spki);
        let mut stream = tunnel.stream;
        let deadline = Instant::now() + limits::TUNNEL_HANDSHAKE;
        let service = trust::enrol_service()?;
        preface(&mut stream, &service, deadline, Step::Enrol).await?;
        let mac = secret.mac(&proof::mass_enrol(&tunnel.exporter, &self.persona.id, &self.key.spki()));
        let order = EnrolOrder { device_id: self.persona.id.clone(), proof: mac };
        let receipt = timeout_at(deadline + limits::ANSWER, async {
            stream.write_all(&order.encode()).await?;
            stream.flush().await?;
            stream.read_u8().await
        });
        let receipt = receipt
            .await
            .map_err(|_| Failure::Timeout { step: Step::Enrol, after: limits::TUNNEL_HANDSHAKE })?
            .map_err(|source| Failure::Unreachable { step: Step::Enrol, peer: "master".into(), source })?;
        let _ = timeout(limits::HAND_OVER, stream.shutdown()).await;
        match EnrolReceipt::from_number(receipt) {
            Some(EnrolReceipt::Enrolled) => Ok(()),
            Some(EnrolReceipt::Refused) => Err(Failure::Refused { step: Step::Enrol }),
            None => Err(Failure::Violation { step: Step::Enrol, what: "a receipt that is neither yes nor no" }),
        }
    }

    /// `auth`: binds the connection to this device.
    ///
    /// # Errors
    /// [`Failure::Refused`] if the master does not know the device or its key.
    pub async fn authenticate(&self, link: &mut Link) -> Result<(), Failure> {
        self.plain(link, Operation::Auth, Step::Authenticate).await
    }

    /// Whether an earlier [`Self::enrol`] of this device did register its key and only the receipt was lost: the master then
    /// refuses to register it again, and accepts its own proof.
    ///
    /// # Errors
    /// Whatever kept the master from saying yes or no.
    pub async fn is_enrolled(&self) -> Result<bool, Failure> {
        if self.master_spki.is_none() {
            return Ok(false);
        }
        let (mut link, _) = self.connect().await?;
        let result = self.authenticate(&mut link).await;
        link.close().await;
        match result {
            Ok(()) => Ok(true),
            Err(Failure::Refused { .. }) => Ok(false),
            Err(failure) => Err(failure),
        }
    }

    /// `ping`: keeps the connection.
    ///
    /// # Errors
    /// As [`Link::request`].
    pub async fn ping(&self, link: &mut Link) -> Result<(), Failure> {
        self.plain(link, Operation::Ping, Step::Ping).await
    }

    async fn plain(&self, link: &mut Link, operation: Operation, step: Step) -> Result<(), Failure> {
        let request = self.signed(link.exporter(), self.content(operation, None))?;
        match link.request(step, self.persona.platform(), request.to_body()).await? {
            Answer::Accepted => Ok(()),
            Answer::Tunnel(_) => Err(Failure::Violation { step, what: "a tunnel that was not asked for" }),
        }
    }

    /// `backup`, `restore` or `sync`: asks for a tunnel to `node` and checks the grant that comes with the offer.
    ///
    /// # Errors
    /// [`Failure::Refused`] and [`Failure::Later`] as the relay says; [`Failure::Grant`] if the grant is not the
    /// master's, or not for this device, key, operation and node.
    pub async fn request_tunnel(
        &self,
        link: &mut Link,
        kind: TransferKind,
        node: &BackendName,
        paths: Vec<Vec<u8>>,
        estimate: Option<u64>,
    ) -> Result<Granted, Failure> {
        let operation = Operation::Transfer { kind, node: node.clone(), paths };
        let name = operation.name();
        let request = self.signed(link.exporter(), self.content(operation, estimate))?;
        let offer = match link.request(Step::Request, self.persona.platform(), request.to_body()).await? {
            Answer::Tunnel(offer) => offer,
            Answer::Accepted => return Err(Failure::Violation { step: Step::Request, what: "no tunnel was offered" }),
        };
        let master = self.master_spki.as_deref().ok_or(Failure::Grant("this device has not enrolled"))?;
        let expected = trust::Expected {
            device_id: &self.persona.id,
            key: sha256(&self.key.spki()),
            operation: name,
            node,
            now: self.clock.wall(),
        };
        let grant = trust::check_grant(&offer.grant, master, &expected)?;
        Ok(Granted { offer, grant, edge: link.address() })
    }

    /// Opens the offered tunnel and asks the backend for `service`.
    ///
    /// # Errors
    /// [`Failure::WrongBackend`] if the backend is not the one that the grant names; [`Failure::Service`] if it does
    /// not join the tunnel to the service.
    pub async fn open(&self, granted: Granted, service: &ServiceName) -> Result<Tunnel, Failure> {
        let pins = trust::node_pins(&granted.grant)?;
        let Granted { offer, edge, .. } = granted;
        let connection =
            dial::tunnel(edge, &self.edge.buffers, &offer.token, pins, &self.identity, self.persona.tls, Step::Tunnel)
                .await?;
        let mut stream = connection.stream;
        let deadline = Instant::now() + limits::TUNNEL_HANDSHAKE;
        preface(&mut stream, service, deadline, Step::Tunnel).await?;
        Ok(stream)
    }
}

/// Names the service and waits for the backend's status.
async fn preface(stream: &mut Tunnel, service: &ServiceName, deadline: Instant, step: Step) -> Result<(), Failure> {
    let status = timeout_at(deadline, async {
        stream.write_all(&builtin::preface(service)).await?;
        stream.flush().await?;
        stream.read_u8().await
    });
    let status = status
        .await
        .map_err(|_| Failure::Timeout { step, after: limits::TUNNEL_HANDSHAKE })?
        .map_err(|source| Failure::Unreachable { step, peer: "the backend in the tunnel".into(), source })?;
    match Status::from_number(status) {
        Some(Status::Ready) => Ok(()),
        Some(status @ (Status::NotAllowed | Status::Unreachable)) => {
            Err(Failure::Service { service: service.clone(), status })
        }
        None => Err(Failure::Violation { step, what: "an unknown status byte" }),
    }
}
