//! The fleet: every device of a schedule, each a task of its own, under a bound on how many are at work.

use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use relay_runtime::{clock::Clock, tasks::Tasks};
use relay_wire::Platform;
use tokio::{
    sync::{Semaphore, watch},
    time::{Instant, sleep_until, timeout},
};

use crate::{
    device::{Failure, Link},
    record::{Outcome, Phase, Recorder},
    schedule::{Arrival, Part, Schedule},
    target::Target,
};

mod actor;

pub use actor::Actor;

/// How long a thief waits for its victim to be enrolled.
const VICTIM: Duration = Duration::from_secs(120);
/// How long the devices may take to close their connections at the end.
const FAREWELL: Duration = Duration::from_secs(10);

/// What a fleet does.
pub struct Plan {
    /// Who arrives when.
    pub schedule: Schedule,
    /// Where.
    pub target: Target,
    /// Decides devices and contents.
    pub seed: u64,
    /// Bytes that each device backs up and restores; 0: no transfer.
    pub bytes: u64,
    /// Devices at work at one time.
    pub concurrency: usize,
    /// Whether served devices stay connected until [`Fleet::release`].
    pub hold: bool,
}

/// What all devices of a run share.
struct Shared {
    plan: Plan,
    recorder: Arc<Recorder>,
    clock: Clock,
    turns: Semaphore,
    /// Honest devices whose id a thief waits for, by their place in the schedule: whether they are done.
    victims: HashMap<usize, watch::Sender<bool>>,
    released: watch::Sender<bool>,
    holding: AtomicU64,
    lost: AtomicU64,
    done: watch::Sender<u64>,
}

/// A fleet at work.
pub struct Fleet {
    shared: Arc<Shared>,
    tasks: Tasks,
}

impl Fleet {
    /// Sends the devices on their way; they arrive as the schedule says from now on.
    #[must_use]
    pub fn start(plan: Plan, recorder: Arc<Recorder>) -> Self {
        let thieves = plan.schedule.arrivals.iter().filter_map(|arrival| arrival.victim);
        let victims = thieves.map(|victim| (victim, watch::Sender::new(false))).collect();
        let shared = Arc::new(Shared {
            turns: Semaphore::new(plan.concurrency),
            plan,
            recorder,
            clock: Clock::system(),
            victims,
            released: watch::Sender::new(false),
            holding: AtomicU64::new(0),
            lost: AtomicU64::new(0),
            done: watch::Sender::new(0),
        });
        let tasks = Tasks::new();
        let (spawner, all) = (tasks.spawner(), Arc::clone(&shared));
        tasks.spawn("arrivals", async move {
            let start = Instant::now();
            for place in 0..all.plan.schedule.arrivals.len() {
                let intended = start + all.plan.schedule.arrivals[place].at;
                sleep_until(intended).await;
                spawner.spawn("device", device(Arc::clone(&all), place, intended));
            }
        });
        Self { shared, tasks }
    }

    /// Waits until every device has its outcome. Each step of a device has a deadline, so this ends.
    pub async fn all_done(&self) {
        let devices = self.shared.plan.schedule.arrivals.len() as u64;
        let mut done = self.shared.done.subscribe();
        // The sender lives in `shared`, so this cannot fail.
        let _ = done.wait_for(|done| *done >= devices).await;
    }

    /// Devices that are connected and idle.
    #[must_use]
    pub fn holding(&self) -> u64 {
        self.shared.holding.load(Ordering::Relaxed)
    }

    /// Devices that lost their connection while they were idle.
    #[must_use]
    pub fn lost(&self) -> u64 {
        self.shared.lost.load(Ordering::Relaxed)
    }

    /// Ends the hold and waits for every connection to be closed.
    pub async fn release(self) {
        self.shared.released.send_replace(true);
        self.tasks.shutdown(FAREWELL).await;
    }
}

/// One device, from its intended start to the end of its hold.
async fn device(shared: Arc<Shared>, place: usize, intended: Instant) {
    let arrival = shared.plan.schedule.arrivals[place];
    let finished = Finished { shared: &shared, place };
    if let Some(victim) = arrival.victim.and_then(|victim| shared.victims.get(&victim)) {
        // If the victim never comes, the thief finds its id free and the run fails on that, as it should.
        let _ = timeout(VICTIM, victim.subscribe().wait_for(|done| *done)).await;
    }
    // The semaphore is never closed.
    let Ok(turn) = shared.turns.acquire().await else { return };
    let started = Instant::now();
    let actor = Actor::new(&shared.plan, arrival, Arc::clone(&shared.recorder), shared.clock);
    let result = match actor {
        Ok(mut actor) => actor.play().await.map(|link| (actor, link)),
        Err(failure) => Err(failure),
    };
    drop(turn);
    report(&shared, arrival, intended, started, &result);
    let Ok((actor, Some(link))) = result else { return };
    if shared.plan.hold {
        // Counted before the device counts as done, so that whoever waits for the last one sees all that are held.
        shared.holding.fetch_add(1, Ordering::Relaxed);
        drop(finished);
        stay(&shared, &actor, link).await;
    } else {
        drop(finished);
        link.close().await;
    }
}

/// Tells those who wait that a device has its outcome, in whichever way its task ends.
struct Finished<'a> {
    shared: &'a Shared,
    place: usize,
}

impl Drop for Finished<'_> {
    fn drop(&mut self) {
        if let Some(victim) = self.shared.victims.get(&self.place) {
            victim.send_replace(true);
        }
        self.shared.done.send_modify(|done| *done += 1);
    }
}

fn report(
    shared: &Shared,
    arrival: Arrival,
    intended: Instant,
    started: Instant,
    result: &Result<(Actor, Option<Link>), Failure>,
) {
    let Arrival { platform, index, part, .. } = arrival;
    let recorder = &shared.recorder;
    if part != Part::StolenId {
        // A thief waits for its victim, which says nothing about the simulator.
        recorder.time(platform, Phase::Wait, started - intended);
    }
    if result.is_ok() && part == Part::Honest {
        recorder.time(platform, Phase::Total, started.elapsed());
        recorder.time(platform, Phase::TotalIntended, intended.elapsed());
    }
    match result {
        Ok(_) => recorder.outcome(platform, index, part, Outcome::Served, "it was let through"),
        Err(failure) => recorder.outcome(platform, index, part, outcome(failure), &failure.to_string()),
    }
}

/// What a failure is in the report.
const fn outcome(failure: &Failure) -> Outcome {
    match failure {
        Failure::Halted { .. } => Outcome::Halted,
        Failure::Refused { .. } | Failure::Service { .. } => Outcome::Refused,
        Failure::Later { .. } => Outcome::Later,
        Failure::Timeout { .. } => Outcome::Timeout,
        Failure::Unreachable { .. } | Failure::Ended { .. } | Failure::Tls { .. } | Failure::Local(_) => {
            Outcome::Unreachable
        }
        Failure::Violation { .. } | Failure::Grant(_) | Failure::WrongBackend(_) => Outcome::Violation,
        Failure::Corrupt(_) => Outcome::Corrupt,
    }
}

/// Stays connected, as the platform does, until the run ends.
async fn stay(shared: &Shared, actor: &Actor, mut link: Link) {
    let mut released = shared.released.subscribe();
    let kept = tokio::select! {
        _ = released.wait_for(|released| *released) => true,
        () = actor.idle(&mut link) => false,
    };
    shared.holding.fetch_sub(1, Ordering::Relaxed);
    if kept {
        link.close().await;
    } else {
        shared.lost.fetch_add(1, Ordering::Relaxed);
    }
}

/// How often an idle device of this platform pings (FORMATS §7).
#[must_use]
pub const fn ping_period(platform: Platform) -> Option<Duration> {
    match platform {
        Platform::Windows | Platform::MacOs | Platform::Linux => Some(Duration::from_secs(60)),
        // No socket survives suspension; while one is held without work, nothing is sent.
        Platform::Ios => None,
        Platform::Android => Some(Duration::from_secs(15 * 60)),
        Platform::WindowsPhone => Some(Duration::from_secs(30 * 60)),
    }
}
