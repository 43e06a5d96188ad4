//! Hostile and frozen peers against real processes: no legitimate request fails or waits past its deadline, and the strangers are
//! gone after theirs.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU32, Ordering},
    },
    time::{Duration, Instant},
};

use client_sim::{
    Device, Failure,
    device::{Link, work},
    profiles::Persona,
    target::Target,
};
use relay_runtime::{clock::Clock, tasks::Tasks};
use relay_trust::DeviceKey;
use relay_wire::{Platform, request::TransferKind};
use tests::relay::Relay;
use tokio::sync::mpsc;

mod frozen;
mod garbage;
mod log;
mod strangers;

/// What a whole visit of a legitimate device may take beside any number of hostile peers: first contact, enrolment, `auth`, `ping`
/// and a backup. A few milliseconds of it are work; the rest is room for a busy machine.
const VISIT: Duration = Duration::from_secs(5);
/// What a backup of a visit carries.
const BYTES: u64 = 64 * 1024;
/// What a busy machine may add to a deadline.
const SLACK: Duration = Duration::from_secs(2);

/// A new device of this relay with a connection, enrolled and authenticated.
async fn enrolled(target: &Target) -> Result<(Device, Link), Failure> {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let index = NEXT.fetch_add(1, Ordering::Relaxed);
    let persona = Persona::generate(Platform::ALL[index as usize % Platform::ALL.len()], index, 11);
    let edge = Arc::new(target.edge.clone());
    let mut device = Device::new(persona, edge, DeviceKey::generate(), None, Clock::system())?;
    let (mut link, _) = device.connect().await?;
    let secret = target.mass_secret.as_deref().unwrap();
    device.enrol(&mut link, secret, &target.master_pins).await?;
    device.authenticate(&mut link).await?;
    Ok((device, link))
}

/// A backup to the node `node`: its request and its tunnel.
async fn back_up(device: &Device, link: &mut Link, node: &str) -> Result<(), Failure> {
    let (node, paths) = (node.parse().unwrap(), device.persona().paths());
    let granted = device.request_tunnel(link, TransferKind::Backup, &node, paths, Some(BYTES)).await?;
    let tunnel = device.open(granted, &"sink".parse().unwrap()).await?;
    work::backup(tunnel, 3, BYTES).await
}

/// Everything that a device comes for.
async fn visit(target: &Target) -> Result<(), Failure> {
    let (device, mut link) = enrolled(target).await?;
    device.ping(&mut link).await?;
    back_up(&device, &mut link, target.node.as_str()).await?;
    link.close().await;
    Ok(())
}

/// Legitimate devices that come one after another, several at a time, until it is over.
struct Legitimate {
    stop: Arc<AtomicBool>,
    visits: mpsc::UnboundedReceiver<Duration>,
    tasks: Tasks,
}

impl Legitimate {
    fn start(target: &Target, at_a_time: usize) -> Self {
        let (stop, tasks) = (Arc::new(AtomicBool::new(false)), Tasks::new());
        let (sender, visits) = mpsc::unbounded_channel();
        for _ in 0..at_a_time {
            let (stop, sender, target) = (Arc::clone(&stop), sender.clone(), target.clone());
            tasks.spawn("legitimate", async move {
                while !stop.load(Ordering::Relaxed) {
                    let started = Instant::now();
                    visit(&target).await.unwrap_or_else(|failure| panic!("a legitimate device failed: {failure}"));
                    sender.send(started.elapsed()).unwrap();
                }
            });
        }
        Self { stop, visits, tasks }
    }

    /// How many came, and how long the longest visit took. Each one went well.
    async fn finish(mut self) -> (usize, Duration) {
        self.stop.store(true, Ordering::Relaxed);
        let mut visits = Vec::new();
        while let Some(visit) = self.visits.recv().await {
            visits.push(visit);
        }
        assert_eq!(self.tasks.shutdown(VISIT).await, 0);
        let longest = visits.iter().max().copied().unwrap_or_default();
        assert!(longest < VISIT, "a legitimate visit took {longest:?}");
        (visits.len(), longest)
    }
}

/// Connections of strangers as the edge counts them.
fn unproved(relay: &Relay) -> u64 {
    relay.edge.status()["connections_unproved"].as_u64().unwrap()
}

/// No part has panicked, or called something an error.
fn all_is_well(relay: &Relay) {
    for part in [&relay.edge, &relay.master].into_iter().chain(&relay.nodes) {
        let log = part.log();
        assert!(!log.contains("panicked") && !log.contains("ERROR"), "{log}");
    }
}
