//! One data connection: dialled, proved, parked, and then either closed or handed over to a tunnel.

use std::{sync::Arc, time::Duration};

use relay_runtime::{
    driver::{Owner, drive},
    handover::hand_over,
    mailbox::mailbox,
};
use relay_wire::{
    frame::data::Remote,
    grant::SignedGrant,
    session::data::{BackendCommand, BackendEvent, BackendSide, DataClose},
};
use tokio::{sync::watch, time::sleep};

use crate::{
    edge::{Connection, Credentials, Edge, Kind},
    metrics::GaugeGuard,
    pool::Slot,
    tunnel::Host,
};

/// What a data connection belongs to.
#[derive(Clone)]
pub struct Origin {
    /// The edge.
    pub edge: Arc<Edge>,
    /// This backend.
    pub me: Credentials,
    /// Turns true when the control connection has ended: spares end with it, tunnels do not.
    pub ended: watch::Receiver<bool>,
    /// Where tunnels go.
    pub host: Arc<Host>,
}

struct Spare<'a> {
    origin: &'a Origin,
    exporter: relay_wire::ids::Exporter,
    slot: Option<Slot>,
    gauge: Option<GaugeGuard>,
    assigned: Option<(SignedGrant, Remote)>,
}

impl Owner<BackendSide> for Spare<'_> {
    fn on_event(&mut self, event: BackendEvent, commands: &mut Vec<BackendCommand>) {
        match event {
            BackendEvent::Prove { proof } => {
                let edge = &self.origin.edge;
                if !edge.is_proved(Kind::Data, &self.exporter, &self.origin.me, &proof) {
                    commands.push(BackendCommand::Distrust);
                    return;
                }
                commands.push(BackendCommand::Trust);
                if let Some(slot) = &mut self.slot {
                    slot.parked();
                }
                self.gauge = Some(self.origin.host.metrics().parked(edge.label()));
            }
            BackendEvent::Assigned { grant, remote } => {
                // It is a spare no longer: the pool replaces it while this one is handed over.
                self.slot = None;
                self.gauge = None;
                self.assigned = Some((grant, remote));
            }
        }
    }
}

/// Runs one data connection from dialling to the end of its tunnel.
pub async fn run(origin: Origin, slot: Slot, rotate: Duration) {
    let edge = Arc::clone(&origin.edge);
    let mut ended = origin.ended.clone();
    let connected = tokio::select! {
        connected = edge.connect(Kind::Data) => connected,
        () = until(&mut ended) => return,
    };
    let Connection { mut tls, exporter } = match connected {
        Ok(connection) => connection,
        Err(error) => {
            tracing::debug!(edge = edge.label(), %error, "data connection failed");
            origin.host.metrics().dialled(edge.label(), error.as_str());
            slot.failed();
            return;
        }
    };
    let me = &origin.me;
    let clock = origin.host.clock();
    let proof = edge.prove(Kind::Data, &exporter, me);
    let mut session = BackendSide::new(me.role, me.name.clone(), me.generation, proof, clock.now());
    let (commands, mut mailbox) = mailbox(2);
    let mut owner = Spare { origin: &origin, exporter, slot: Some(slot), gauge: None, assigned: None };
    let close = {
        let driving = drive(&mut tls, &mut session, &mut mailbox, &mut owner, &clock);
        tokio::pin!(driving);
        tokio::select! {
            close = &mut driving => close,
            () = async { tokio::select! { () = until(&mut ended) => {}, () = sleep(jittered(rotate)) => {} } } => {
                // If the edge has just assigned it, the assignment is in the socket and this close comes too late for it.
                let _ = commands.try_send(BackendCommand::Close);
                driving.await
            }
        }
    };
    let Spare { slot, gauge, assigned, .. } = owner;
    drop(gauge);
    let (word, failed) = match &close {
        Ok(DataClose::HandOver) => ("assigned", false),
        Ok(DataClose::Left) => ("left", false),
        Ok(DataClose::Finished) => ("closed-by-edge", false),
        Ok(DataClose::HandshakeTimeout) => ("no-answer", true),
        Ok(DataClose::NotProved) => ("edge-not-proved", true),
        Ok(DataClose::Violation(_)) => ("violation", true),
        Err(_) => ("io", true),
    };
    origin.host.metrics().dialled(edge.label(), word);
    if failed {
        tracing::debug!(edge = edge.label(), reason = word, ?close, "data connection ended");
    }
    match slot {
        // Also one that the edge closed before it parked it: dialling again at once would only be refused again.
        Some(slot) if failed || word == "closed-by-edge" => slot.failed(),
        Some(_) | None => {}
    }
    let (Ok(DataClose::HandOver), Some((grant, remote))) = (close, assigned) else { return };
    // Boxed, so that a spare does not keep room for all that a tunnel needs.
    Box::pin(origin.host.accept(&grant, remote, hand_over(tls))).await;
}

/// Waits until the control connection has ended.
async fn until(ended: &mut watch::Receiver<bool>) {
    // An error means that its sender is gone, and that is an end as well.
    let _ = ended.wait_for(|ended| *ended).await;
}

/// Up to a fifth earlier, so that spares which were dialled together are not replaced together.
fn jittered(rotate: Duration) -> Duration {
    let fifth = u64::try_from((rotate / 5).as_nanos()).unwrap_or(u64::MAX);
    rotate.saturating_sub(Duration::from_nanos(u64::from_be_bytes(relay_trust::random()) % fifth.max(1)))
}
