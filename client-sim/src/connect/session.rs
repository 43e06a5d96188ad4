//! The persistent connections of a forwarder, and the queue of requests that they share.
//!
//! Each session is one task: it connects, authenticates, pings as its platform does, and between pings takes requests for
//! tunnels from the queue. When its connection ends it comes back: 1 s, doubling to 5 min, with full jitter.

use std::{sync::Arc, time::Duration};

use relay_trust::random;
use relay_wire::{ids::BackendName, request::TransferKind};
use tokio::{
    sync::{Mutex, mpsc, oneshot, watch},
    time::{Instant, sleep},
};

use crate::{
    device::{Device, Failure, Granted, Link, Quiet, Step},
    fleet::ping_period,
};

/// The first wait before a reconnect; doubles.
const RECONNECT_FIRST: Duration = Duration::from_secs(1);
/// The longest wait before a reconnect.
const RECONNECT_MAX: Duration = Duration::from_secs(300);
/// How often a session pings whose platform does not: often enough that the edge does not let it go as idle.
const QUIET_MAX: Duration = Duration::from_secs(25 * 60);
/// Requests that wait for a session; a further one is refused at once.
pub const QUEUE: usize = 1024;

/// A request for a tunnel.
pub struct Job {
    reply: oneshot::Sender<Result<Granted, Failure>>,
}

/// Asks the sessions for tunnels. Clones share them.
#[derive(Clone)]
pub struct Requests {
    jobs: mpsc::Sender<Job>,
}

impl Requests {
    /// Asks for a tunnel to the node; waits as long as the caller does.
    ///
    /// # Errors
    /// What the relay said; [`Failure::Local`] if the queue is full or the sessions are over.
    pub async fn tunnel(&self) -> Result<Granted, Failure> {
        let (reply, answer) = oneshot::channel();
        self.jobs.try_send(Job { reply }).map_err(|error| {
            Failure::Local(match error {
                mpsc::error::TrySendError::Full(_) => format!("{QUEUE} requests wait for the edge already"),
                mpsc::error::TrySendError::Closed(_) => "the sessions are over".to_owned(),
            })
        })?;
        answer.await.unwrap_or(Err(Failure::Ended { step: Step::Request }))
    }
}

/// What all sessions of a forwarder share.
pub struct Sessions {
    /// The device.
    pub device: Arc<Device>,
    /// The storage node.
    pub node: BackendName,
    /// The paths that requests name.
    pub paths: Vec<Vec<u8>>,
    jobs: Mutex<mpsc::Receiver<Job>>,
    halted: watch::Sender<Option<Arc<Failure>>>,
}

impl Sessions {
    /// Sessions of `device`, and the way to ask them.
    #[must_use]
    pub fn new(device: Arc<Device>, node: BackendName, paths: Vec<Vec<u8>>) -> (Arc<Self>, Requests) {
        let (jobs, queue) = mpsc::channel(QUEUE);
        let sessions = Self { device, node, paths, jobs: Mutex::new(queue), halted: watch::Sender::new(None) };
        (Arc::new(sessions), Requests { jobs })
    }

    /// Waits until a session has halted; gives why.
    pub async fn halted(&self) -> Arc<Failure> {
        let mut halted = self.halted.subscribe();
        loop {
            if let Some(failure) = halted.borrow_and_update().clone() {
                return failure;
            }
            // The sender lives as long as `self`.
            let _ = halted.changed().await;
        }
    }

    /// Halts every session: also called when a tunnel finds a wrong peer.
    pub fn halt(&self, failure: Failure) {
        self.halted.send_if_modified(|halted| {
            let first = halted.is_none();
            if first {
                *halted = Some(Arc::new(failure));
            }
            first
        });
    }

    /// One session, for ever, or until one has halted.
    pub async fn run(self: Arc<Self>, number: u32) {
        let mut backoff = Backoff::default();
        loop {
            let wait = match self.session(number, &mut backoff).await {
                Ended::Draining(after) => {
                    tracing::info!(session = number, ?after, "the edge goes away");
                    after + jitter(RECONNECT_FIRST)
                }
                Ended::Lost => backoff.wait(),
                Ended::Failed(failure) if failure.halts() => {
                    tracing::error!(session = number, %failure, "halted");
                    return self.halt(failure);
                }
                Ended::Failed(failure) => {
                    // "Later" names the earliest moment; the spread on top keeps devices from coming back all at once.
                    let wait = failure.retry_after().unwrap_or_default() + backoff.wait();
                    tracing::warn!(session = number, %failure, retry_in = ?wait, "no session");
                    wait
                }
            };
            if self.halted.borrow().is_some() {
                return;
            }
            sleep(wait).await;
        }
    }

    async fn session(&self, number: u32, backoff: &mut Backoff) -> Ended {
        let mut link = match self.device.connect().await {
            Ok((link, _)) => link,
            Err(failure) => return Ended::Failed(failure),
        };
        if let Err(failure) = self.device.authenticate(&mut link).await {
            let draining = link.draining();
            link.close().await;
            return draining.map_or(Ended::Failed(failure), Ended::Draining);
        }
        tracing::info!(session = number, edge = %link.address(), "session stands");
        backoff.reset();
        self.serve(&mut link).await
    }

    /// Takes requests from the queue and pings between them, until the connection ends.
    async fn serve(&self, link: &mut Link) -> Ended {
        let period = ping_period(self.device.persona().platform()).unwrap_or(QUIET_MAX);
        let mut next_ping = Instant::now() + period;
        loop {
            let job = tokio::select! {
                job = self.next_job() => job,
                quiet = link.quiet(next_ping.saturating_duration_since(Instant::now())) => match quiet {
                    Quiet::Elapsed => None,
                    Quiet::Draining(after) => return Ended::Draining(after),
                    Quiet::Ended => return Ended::Lost,
                },
            };
            let result = match job {
                Some(job) => self.ask(link, job).await,
                None => self.device.ping(link).await,
            };
            next_ping = Instant::now() + period;
            if let Some(after) = link.draining() {
                return Ended::Draining(after);
            }
            if let Err(failure) = result
                && ends_session(&failure)
            {
                return Ended::Failed(failure);
            }
        }
    }

    async fn next_job(&self) -> Option<Job> {
        let mut jobs = self.jobs.lock().await;
        loop {
            match jobs.recv().await {
                // Whoever asked has given up meanwhile.
                Some(job) if job.reply.is_closed() => {}
                Some(job) => return Some(job),
                // Nobody can ask any more: what is left to do is to ping.
                None => std::future::pending().await,
            }
        }
    }

    /// Does one request; gives back what it means for the session.
    async fn ask(&self, link: &mut Link, job: Job) -> Result<(), Failure> {
        let granted = self.device.request_tunnel(link, TransferKind::Sync, &self.node, self.paths.clone(), None).await;
        let (answer, session) = match granted {
            Err(failure) if ends_session(&failure) => (Err(Failure::Ended { step: Step::Request }), Err(failure)),
            other => (other, Ok(())),
        };
        // If nobody waits any more, the tunnel's token runs out by itself.
        let _ = job.reply.send(answer);
        session
    }
}

/// Why a session ended.
enum Ended {
    Draining(Duration),
    Lost,
    Failed(Failure),
}

/// Whether a failure says something about the connection, and not only about the request.
const fn ends_session(failure: &Failure) -> bool {
    match failure {
        Failure::Halted { .. }
        | Failure::Ended { .. }
        | Failure::Unreachable { .. }
        | Failure::Timeout { .. }
        | Failure::Violation { .. }
        | Failure::Tls { .. } => true,
        Failure::Refused { .. }
        | Failure::Later { .. }
        | Failure::Grant(_)
        | Failure::WrongBackend(_)
        | Failure::Service { .. }
        | Failure::Corrupt(_)
        | Failure::Local(_) => false,
    }
}

/// Full jitter: a time drawn evenly from zero to a bound that doubles.
#[derive(Debug)]
pub struct Backoff {
    bound: Duration,
}

impl Default for Backoff {
    fn default() -> Self {
        Self { bound: RECONNECT_FIRST }
    }
}

impl Backoff {
    /// The next wait.
    pub fn wait(&mut self) -> Duration {
        let wait = jitter(self.bound);
        self.bound = (self.bound * 2).min(RECONNECT_MAX);
        wait
    }

    /// Starts over, after a success.
    pub fn reset(&mut self) {
        *self = Self::default();
    }
}

/// A time drawn evenly from zero to `bound`.
fn jitter(bound: Duration) -> Duration {
    let fraction = f64::from(u32::from_be_bytes(random())) / f64::from(u32::MAX);
    bound.mul_f64(fraction)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_to_five_minutes_and_are_spread() {
        let mut backoff = Backoff::default();
        let mut bound = RECONNECT_FIRST;
        for _ in 0..20 {
            assert!(backoff.wait() <= bound);
            bound = (bound * 2).min(RECONNECT_MAX);
        }
        assert_eq!(backoff.bound, RECONNECT_MAX);
        backoff.reset();
        assert_eq!(backoff.bound, RECONNECT_FIRST);
        let sum: Duration = (0..1_000).map(|_| jitter(RECONNECT_MAX)).sum();
        assert!(sum > RECONNECT_MAX * 400 && sum < RECONNECT_MAX * 600, "{sum:?}");
    }
}
