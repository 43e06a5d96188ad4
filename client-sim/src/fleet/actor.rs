//! What one device of the fleet does, by its part.

use std::{sync::Arc, time::Duration};

use relay_runtime::clock::Clock;
use relay_trust::{DeviceKey, MassSecret, Pin, PinKind, PinSet, random};
use relay_wire::{
    ids::{DeviceId, ServiceName},
    request::{Operation, TransferKind},
};
use tokio::time::{Instant, sleep};

use super::{Plan, ping_period};
use crate::{
    device::{Device, Failure, Link, Quiet, Step, work},
    profiles::Persona,
    record::{Phase, Recorder},
    schedule::{Arrival, Part},
    target::Target,
};

/// Times a device asks again after "later".
const RETRIES_MAX: u32 = 5;
/// The longest "later" that a device of a fleet waits for.
const LATER_MAX: Duration = Duration::from_secs(10);

/// One device of the fleet.
pub struct Actor {
    device: Device,
    target: Target,
    arrival: Arrival,
    seed: u64,
    bytes: u64,
    recorder: Arc<Recorder>,
}

impl Actor {
    /// The device of an arrival.
    ///
    /// # Errors
    /// [`Failure::Local`] if no client certificate can be made.
    pub fn new(plan: &Plan, arrival: Arrival, recorder: Arc<Recorder>, clock: Clock) -> Result<Self, Failure> {
        let mut target = plan.target.clone();
        if arrival.part == Part::WrongPin {
            target.edge.pins = PinSet::new(vec![Pin::new(PinKind::Leaf, random())])
                .map_err(|error| Failure::Local(error.to_string()))?;
        }
        let mut persona = Persona::generate(arrival.platform, arrival.index, plan.seed);
        if let Some(victim) = arrival.victim.and_then(|victim| plan.schedule.arrivals.get(victim)) {
            persona.id = Persona::generate(victim.platform, victim.index, plan.seed).id;
        }
        let content_seed =
            plan.seed ^ (u64::from(arrival.platform.number()) << 32 | u64::from(arrival.index)).rotate_left(17);
        let edge = Arc::new(target.edge.clone());
        let device = Device::new(persona, edge, DeviceKey::generate(), None, clock)?;
        Ok(Self { device, target, arrival, seed: content_seed, bytes: plan.bytes, recorder })
    }

    /// Does what the part asks for. An honest device gives its connection back, still open.
    ///
    /// # Errors
    /// What the device ran into; for all but honest devices that is what they are there for.
    pub async fn play(&mut self) -> Result<Option<Link>, Failure> {
        match self.arrival.part {
            Part::Honest => self.honest().await.map(Some),
            Part::WrongParameter => self.wrong_parameter().await,
            Part::StolenId => self.stolen_id().await,
            Part::UnknownSecret => {
                let mut link = self.connect().await?;
                let result = self.device.enrol(&mut link, &MassSecret::generate(), &self.target.master_pins).await;
                link.close().await;
                result.map(|()| None)
            }
            Part::WrongPin => {
                self.connect().await?.close().await;
                Ok(None)
            }
        }
    }

    fn time(&self, phase: Phase, started: Instant) {
        self.recorder.time(self.arrival.platform, phase, started.elapsed());
    }

    async fn connect(&self) -> Result<Link, Failure> {
        let (link, times) = self.device.connect().await?;
        self.recorder.time(self.arrival.platform, Phase::Connect, times.connect);
        self.recorder.time(self.arrival.platform, Phase::Tls, times.tls);
        Ok(link)
    }

    fn secret(&self) -> Result<Arc<MassSecret>, Failure> {
        self.target.mass_secret.clone().ok_or_else(|| Failure::Local("no mass-deployment secret is given".into()))
    }

    async fn honest(&mut self) -> Result<Link, Failure> {
        let secret = self.secret()?;
        let mut link = self.connect().await?;
        let mut retries = Retries::default();
        let started = Instant::now();
        loop {
            match self.device.enrol(&mut link, &secret, &self.target.master_pins).await {
                Ok(()) => break,
                Err(failure) => retries.wait(failure, &self.recorder).await?,
            }
        }
        self.time(Phase::Enrol, started);
        let started = Instant::now();
        loop {
            match self.device.authenticate(&mut link).await {
                Ok(()) => break,
                Err(failure) => retries.wait(failure, &self.recorder).await?,
            }
        }
        self.time(Phase::Auth, started);
        let started = Instant::now();
        self.device.ping(&mut link).await?;
        self.time(Phase::Ping, started);
        if self.bytes > 0 {
            self.transfer(&mut link, TransferKind::Backup, &mut retries).await?;
            self.transfer(&mut link, TransferKind::Restore, &mut retries).await?;
        }
        Ok(link)
    }

    async fn transfer(&self, link: &mut Link, kind: TransferKind, retries: &mut Retries) -> Result<(), Failure> {
        let service = match kind {
            TransferKind::Backup => "sink",
            TransferKind::Restore | TransferKind::Sync => "source",
        };
        let service = ServiceName::new(service).map_err(|error| Failure::Local(error.to_string()))?;
        let started = Instant::now();
        let tunnel = loop {
            let paths = self.device.persona().paths();
            let granted = self.device.request_tunnel(link, kind, &self.target.node, paths, Some(self.bytes)).await;
            match granted {
                Ok(granted) => break self.device.open(granted, &service).await?,
                Err(failure) => retries.wait(failure, &self.recorder).await?,
            }
        };
        self.time(Phase::Tunnel, started);
        let started = Instant::now();
        match kind {
            TransferKind::Backup => work::backup(tunnel, self.seed, self.bytes).await?,
            TransferKind::Restore | TransferKind::Sync => work::restore(tunnel, self.seed, self.bytes).await?,
        }
        self.time(Phase::Transfer, started);
        self.recorder.moved(self.bytes);
        Ok(())
    }

    /// A `register` with a good proof and one value that its format does not allow: only the validator can refuse it.
    async fn wrong_parameter(&mut self) -> Result<Option<Link>, Failure> {
        let secret = self.secret()?;
        let mut link = self.connect().await?;
        let user = self.device.persona().user.clone();
        let content = match self.arrival.index % 3 {
            0 => self.device.content(Operation::Register { user: "no-address".into() }, None),
            1 => self.device.content(Operation::Register { user }, Some((1 << 50) + 1)),
            _ => {
                let mut content = self.device.content(Operation::Register { user }, None);
                content.device_id = DeviceId::new(self.arrival.platform, "not-an-id".into());
                content
            }
        };
        let request = Device::introduced(link.exporter(), content, &secret)?;
        let result = link.request(Step::Register, self.arrival.platform, request.to_body()).await;
        link.close().await;
        result.map(|_| None)
    }

    /// The id of an enrolled device, first with another key, then with a good secret as if it were new. Served if either
    /// is let in.
    async fn stolen_id(&mut self) -> Result<Option<Link>, Failure> {
        let secret = self.secret()?;
        let mut link = self.connect().await?;
        match self.device.authenticate(&mut link).await {
            Err(Failure::Refused { .. }) => {}
            Ok(()) => return Ok(None),
            Err(failure) => return Err(failure),
        }
        link.close().await;
        // A stranger that was refused once is let go, so this takes a connection of its own.
        let mut link = self.connect().await?;
        let result = self.device.enrol(&mut link, &secret, &self.target.master_pins).await;
        link.close().await;
        result.map(|()| None)
    }

    /// Keeps the connection as the platform does; ends only when the connection does.
    pub async fn idle(&self, link: &mut Link) {
        loop {
            let period = ping_period(self.arrival.platform);
            match link.quiet(period.unwrap_or(Duration::from_secs(24 * 3600))).await {
                Quiet::Elapsed if period.is_none() => {}
                Quiet::Elapsed => {
                    if self.device.ping(link).await.is_err() {
                        return;
                    }
                }
                Quiet::Draining(_) | Quiet::Ended => return,
            }
        }
    }
}

/// Asks again after "later", a bounded number of times.
#[derive(Default)]
struct Retries {
    used: u32,
}

impl Retries {
    async fn wait(&mut self, failure: Failure, recorder: &Recorder) -> Result<(), Failure> {
        match failure.retry_after() {
            Some(after) if self.used < RETRIES_MAX => {
                self.used += 1;
                recorder.retried();
                sleep(after.min(LATER_MAX)).await;
                Ok(())
            }
            Some(_) | None => Err(failure),
        }
    }
}
