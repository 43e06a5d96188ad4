//! SPEC §7.3: data connections at the edge, from their proof to the moment they are assigned to a tunnel.
//!
//! A parked connection is a task that waits in its session: if the backend closes it, or dies, the hub knows at once.

use std::sync::Arc;

use relay_runtime::{
    driver::{Owner, drive},
    handover::RecordIo,
    mailbox::mailbox,
};
use relay_wire::{
    ids::{BackendName, Exporter, Generation, Role},
    proof::exporter_label,
    session::data::{DataClose, EdgeCommand, EdgeEvent, EdgeSide},
};
use tokio::{net::TcpStream, sync::oneshot};
use tokio_rustls::server::TlsStream;

use crate::{
    hub::backends::Spare,
    keystore::{Claim, ConnectionKind},
    metrics::OpenGuard,
    shared::{Peer, Shared, exporter},
};

/// Commands for one data connection: its assignment, or its end.
const MAILBOX: u32 = 4;

/// A data connection's TLS: read record by record, so that nothing behind close_notify is swallowed.
pub type DataTls = TlsStream<RecordIo<TcpStream>>;

/// A data connection on which `Assign` was written; close_notify comes next.
pub struct Assigned {
    /// The connection.
    pub tls: Box<DataTls>,
    /// Its place among the admitted, and among the open: held as long as the tunnel lives.
    pub held: (Peer, OpenGuard),
}

/// Serves a data connection whose TLS stands, until it is assigned (then its stream goes to the tunnel) or ends.
pub async fn serve(shared: Arc<Shared>, mut tls: Box<DataTls>, peer: Peer, open: OpenGuard) -> Option<Box<DataTls>> {
    let exporter = exporter(tls.get_ref().1, exporter_label::DATA)?;
    let (sender, mut commands) = mailbox(MAILBOX);
    let (hand, stream) = oneshot::channel();
    let mut session = EdgeSide::new(peer.accepted);
    let clock = shared.clock;
    let remote = peer.remote;
    let spare = Some(Spare::new(sender, stream));
    let mut owner = DataOwner { shared, exporter, peer, spare, parked: None };
    let ended = drive(&mut *tls, &mut session, &mut commands, &mut owner, &clock).await;
    drop(owner.parked);
    match ended {
        Ok(DataClose::HandOver) => {
            // A tunnel that has gone meanwhile drops the stream, and with it the connection.
            let _ = hand.send(Assigned { tls, held: (owner.peer, open) });
            return None;
        }
        Ok(close) => tracing::debug!(%remote, reason = reason(close), "data connection ended unused"),
        Err(error) => tracing::debug!(%remote, %error, "data connection lost"),
    }
    Some(tls)
}

/// The reason as the log spells it.
const fn reason(close: DataClose) -> &'static str {
    match close {
        DataClose::Finished => "finished",
        DataClose::HandshakeTimeout => "handshake-timeout",
        DataClose::NotProved => "not-proved",
        DataClose::Violation(what) => what,
        DataClose::Left => "left",
        DataClose::HandOver => "hand-over",
    }
}

struct DataOwner {
    shared: Arc<Shared>,
    exporter: Exporter,
    peer: Peer,
    /// Until the proof holds; then the hub has it.
    spare: Option<Spare>,
    parked: Option<Parked>,
}

/// A place among the parked; given back when dropped.
struct Parked {
    shared: Arc<Shared>,
    name: BackendName,
    number: u64,
}

impl Drop for Parked {
    fn drop(&mut self) {
        self.shared.hub.backends.unpark(&self.name, self.number);
    }
}

impl DataOwner {
    fn refuse(&self, name: &BackendName, reason: &'static str) {
        self.shared.metrics.backend_refused(reason);
        tracing::warn!(remote = %self.peer.remote, backend = name.as_str(), reason, "data connection refused");
    }

    fn prove(
        &mut self,
        (role, name, generation): (Role, BackendName, Generation),
        proof: &[u8; 32],
        commands: &mut Vec<EdgeCommand>,
    ) {
        let claim = Claim { exporter: &self.exporter, role, name: &name, generation };
        let Some(proved) = self.shared.keys().prove(claim, ConnectionKind::Data, proof) else {
            self.refuse(&name, "data-not-proved");
            commands.push(EdgeCommand::Reject);
            return;
        };
        self.peer.permit.proved_backend();
        commands.push(EdgeCommand::Park { proof: proved.answer });
        let Some(spare) = self.spare.take() else { return };
        match self.shared.hub.backends.park(&name, role, generation, proved.key, spare) {
            Ok(number) => {
                // Keys that were exchanged since they were looked at have not seen this connection.
                if !self.shared.keys().holds(&name, role, proved.key) {
                    commands.push(EdgeCommand::Close);
                }
                self.parked = Some(Parked { shared: Arc::clone(&self.shared), name, number });
            }
            Err(reason) => {
                self.refuse(&name, reason.as_str());
                commands.push(EdgeCommand::Close);
            }
        }
    }
}

impl Owner<EdgeSide> for DataOwner {
    fn on_event(&mut self, event: EdgeEvent, commands: &mut Vec<EdgeCommand>) {
        match event {
            EdgeEvent::Prove { role, name, generation, proof } => {
                self.prove((role, name, generation), &proof, commands);
            }
        }
    }
}
