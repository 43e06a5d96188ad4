//! One edge's control connection: connect, prove, answer, dial, and come back when it ends.
//!
//! Everything that lives and dies with a control connection runs in the one task of its edge: the session, the pool that
//! decides when to dial, and the messenger of revocations. Data connections are tasks of their own, because a tunnel
//! outlives the control connection that brought it.

use std::{collections::VecDeque, io, sync::Arc, time::Duration};

use relay_runtime::{
    drain::{Phase, Watch},
    driver::{Owner, drive},
    mailbox::{Sender, TrySendError, mailbox},
    tasks::Spawner,
};
use relay_wire::{
    ids::Exporter,
    limits,
    session::control::{BackendCommand, BackendEvent, BackendSide, ControlClose},
};
use tokio::{
    sync::watch,
    time::{Instant, sleep},
};

use crate::{
    backoff::Backoff,
    config::PoolConfig,
    data::{self, Origin},
    edge::{ConnectError, Connection, Credentials, Edge, Kind},
    judge::Judge,
    metrics::GaugeGuard,
    pool::Pool,
    revocations::Revocations,
    tunnel::Host,
};

/// The first pause after a connection failed; it doubles up to the configured maximum.
const PAUSE_FIRST: Duration = Duration::from_millis(200);
/// A connection that stood this long was a good one: the next failure counts as the first.
const STOOD: Duration = Duration::from_secs(10);
/// Commands that wait for the session; answers do not go through here.
const MAILBOX: u32 = 1_024;
/// Revocations that are handed over at a time.
const REVOCATIONS: usize = 256;
/// How long the messenger waits when the mailbox is full.
const FULL: Duration = Duration::from_millis(50);
/// After `Leave`, how long the edge may still hand over what it was assigning.
const LEAVE_GRACE: Duration = Duration::from_secs(1);

/// Everything that a control connection needs.
pub struct Link {
    /// The edge.
    pub edge: Arc<Edge>,
    /// This backend.
    pub me: Credentials,
    /// Judges requests; a master has one.
    pub judge: Option<Arc<Judge>>,
    /// Devices that have ended.
    pub revocations: Arc<Revocations>,
    /// Where tunnels go.
    pub host: Arc<Host>,
    /// How many spares.
    pub pool: PoolConfig,
    /// The longest pause between two attempts.
    pub reconnect_max: Duration,
    /// Where data connections run.
    pub tasks: Spawner,
}

/// How one attempt ended, for log and metric.
enum Ending {
    NotConnected(ConnectError),
    Closed(ControlClose),
    Broken(io::Error),
}

impl Ending {
    const fn as_str(&self) -> &'static str {
        match self {
            Self::NotConnected(error) => error.as_str(),
            Self::Closed(ControlClose::Finished) => "closed-by-edge",
            Self::Closed(ControlClose::HandshakeTimeout) => "no-answer",
            Self::Closed(ControlClose::NotProved) => "edge-not-proved",
            Self::Closed(ControlClose::Violation(_)) => "violation",
            Self::Closed(ControlClose::Silent) => "silent",
            Self::Closed(ControlClose::Superseded) => "superseded",
            Self::Closed(ControlClose::Left) => "left",
            Self::Broken(_) => "broken",
        }
    }

    fn detail(&self) -> String {
        match self {
            Self::NotConnected(error) => error.to_string(),
            Self::Broken(error) => error.to_string(),
            Self::Closed(ControlClose::Violation(what)) => (*what).to_owned(),
            Self::Closed(ControlClose::Finished | ControlClose::HandshakeTimeout | ControlClose::NotProved) => {
                "if this repeats: does the edge know this name, role and key (`relay-edge key list`), and does no other \
                 process use them?"
                    .to_owned()
            }
            Self::Closed(ControlClose::Silent | ControlClose::Superseded | ControlClose::Left) => String::new(),
        }
    }
}

impl Link {
    /// Keeps the control connection until the process drains.
    pub async fn run(self, mut phase: Watch) {
        let mut backoff = Backoff::new(PAUSE_FIRST, self.reconnect_max);
        let mut told = Told::default();
        let label = self.edge.label().to_owned();
        self.host.metrics().edge(&label);
        loop {
            let mut proved_at = None;
            let ending = tokio::select! {
                ending = self.attempt(&mut told, &mut proved_at, phase.clone()) => ending,
                () = drained_while_connecting(&self.edge, phase.clone()) => return,
            };
            let how = ending.as_str();
            self.host.metrics().control_ended(&label, how);
            if phase.phase() != Phase::Running {
                tracing::info!(edge = label, how, "left");
                return;
            }
            // Time spent on connecting does not count: an edge behind a black hole must not look like a good one.
            if proved_at.is_some_and(|at: Instant| at.elapsed() >= STOOD) {
                backoff.reset();
            }
            let pause = backoff.pause();
            tracing::warn!(edge = label, how, detail = ending.detail(), retry_in = ?pause, "not connected to the edge");
            tokio::select! {
                () = sleep(pause) => {}
                () = phase.draining() => return,
            }
        }
    }

    async fn attempt(&self, told: &mut Told, proved_at: &mut Option<Instant>, phase: Watch) -> Ending {
        let Connection { mut tls, exporter } = match self.edge.connect(Kind::Control).await {
            Ok(connection) => connection,
            Err(error) => return Ending::NotConnected(error),
        };
        let me = &self.me;
        let clock = self.host.clock();
        let proof = self.edge.prove(Kind::Control, &exporter, me);
        let mut session = BackendSide::new(me.role, me.name.clone(), me.generation, proof, clock.now());
        let (commands, mut mailbox) = mailbox(MAILBOX);
        let (pool, pooled) = watch::channel(None);
        let (end, ended) = watch::channel(false);
        let mut owner = Standing { link: self, exporter, pool, gauge: None, proved_at };
        let closed = {
            let driving = drive(&mut tls, &mut session, &mut mailbox, &mut owner, &clock);
            tokio::select! {
                closed = driving => closed,
                () = self.dial_spares(pooled.clone(), ended) => Ok(ControlClose::Left),
                () = self.tell_revocations(pooled, &commands, told) => Ok(ControlClose::Left),
                () = leave(phase, &commands) => Ok(ControlClose::Left),
            }
        };
        told.connection_ended();
        self.edge.set_connected(false);
        drop(owner);
        // Spares end now; tunnels run on.
        end.send_replace(true);
        match closed {
            Ok(close) => Ending::Closed(close),
            Err(error) => Ending::Broken(error),
        }
    }

    /// Starts data connections as the pool wants them, once there is one.
    async fn dial_spares(&self, mut pooled: watch::Receiver<Option<Pool>>, ended: watch::Receiver<bool>) {
        let pool = match pooled.wait_for(Option::is_some).await {
            Ok(pool) => pool.clone(),
            Err(_) => None,
        };
        let Some(pool) = pool else { return std::future::pending().await };
        loop {
            let slot = pool.next().await;
            let origin = Origin {
                edge: Arc::clone(&self.edge),
                me: self.me.clone(),
                ended: ended.clone(),
                host: Arc::clone(&self.host),
            };
            self.tasks.spawn("data connection", data::run(origin, slot, self.pool.rotate));
        }
    }

    /// Tells the edge of every device that has ended, in order, once the connection stands; a master only.
    async fn tell_revocations(
        &self,
        mut pooled: watch::Receiver<Option<Pool>>,
        commands: &Sender<BackendCommand>,
        told: &mut Told,
    ) {
        if self.judge.is_none() || pooled.wait_for(Option::is_some).await.is_err() {
            return std::future::pending().await;
        }
        let mut newest = self.revocations.watch();
        loop {
            for (number, device_id) in self.revocations.after(told.newest, REVOCATIONS) {
                let mut command = BackendCommand::Revoke(device_id);
                while let Err(refused) = commands.try_send(command) {
                    if matches!(refused, TrySendError::Closed(_)) {
                        return std::future::pending().await;
                    }
                    command = refused.into_inner();
                    sleep(FULL).await;
                }
                told.sent(number);
            }
            let seen = told.newest;
            if newest.wait_for(|newest| *newest > seen).await.is_err() {
                return std::future::pending().await;
            }
        }
    }
}

/// The owner of a control session: what stands while it does.
struct Standing<'a> {
    link: &'a Link,
    exporter: Exporter,
    pool: watch::Sender<Option<Pool>>,
    gauge: Option<GaugeGuard>,
    proved_at: &'a mut Option<Instant>,
}

impl Owner<BackendSide> for Standing<'_> {
    fn on_event(&mut self, event: BackendEvent, commands: &mut Vec<BackendCommand>) {
        let link = self.link;
        match event {
            BackendEvent::Prove(welcome) => {
                if !link.edge.is_proved(Kind::Control, &self.exporter, &link.me, &welcome.proof) {
                    tracing::error!(
                        edge = link.edge.label(),
                        "the edge does not prove the shared key: is it the right edge?"
                    );
                    commands.push(BackendCommand::Distrust);
                    return;
                }
                commands.push(BackendCommand::Trust);
                *self.proved_at = Some(Instant::now());
                self.gauge = Some(link.host.metrics().connected(link.edge.label()));
                self.pool.send_replace(Some(Pool::new(link.pool, welcome.spares_max)));
                link.edge.set_connected(true);
                tracing::info!(edge = link.edge.label(), spares_max = welcome.spares_max, "connected to the edge");
            }
            BackendEvent::Ask { id, exporter, request } => {
                let Some(judge) = &link.judge else { return };
                let verdict = judge.judge(&exporter, &request, link.host.clock().wall());
                commands.push(BackendCommand::Answer { id, verdict });
            }
            BackendEvent::Dial(count) => {
                if let Some(pool) = self.pool.borrow().as_ref() {
                    pool.ask(count);
                }
            }
            BackendEvent::Leaving => {
                tracing::info!(edge = link.edge.label(), "the edge is going away; connecting again when it has closed");
            }
        }
    }
}

/// When the process drains: says so, leaves the edge a moment for what it was assigning, and closes. Ends only if the
/// session does not close even then.
async fn leave(mut phase: Watch, commands: &Sender<BackendCommand>) {
    phase.draining().await;
    let _ = commands.try_send(BackendCommand::Leave);
    sleep(LEAVE_GRACE).await;
    let _ = commands.try_send(BackendCommand::Close);
    sleep(LEAVE_GRACE).await;
}

/// Which revocations an edge has been told of, over all its connections.
///
/// There is no receipt for one. But an edge that does not hear from us closes within [`limits::HEARTBEAT_SILENCE`], so
/// what was sent twice that long before a connection ended has arrived; what was sent later is sent again on the next.
#[derive(Default)]
struct Told {
    newest: u64,
    /// Sent on this connection, not yet known to have arrived.
    unsure: VecDeque<(Instant, u64)>,
}

impl Told {
    fn sent(&mut self, number: u64) {
        let now = Instant::now();
        while self.unsure.front().is_some_and(|(at, _)| *at + limits::HEARTBEAT_SILENCE * 2 < now) {
            self.unsure.pop_front();
        }
        self.unsure.push_back((now, number));
        self.newest = number;
    }

    fn connection_ended(&mut self) {
        let now = Instant::now();
        let first_unsure = self.unsure.iter().find(|(at, _)| *at + limits::HEARTBEAT_SILENCE * 2 >= now);
        if let Some((_, number)) = first_unsure {
            self.newest = number - 1;
        }
        self.unsure.clear();
    }
}

/// Ready when the process drains while there is nothing to take leave of.
async fn drained_while_connecting(edge: &Edge, mut phase: Watch) {
    phase.draining().await;
    if *edge.connected().borrow() {
        std::future::pending::<()>().await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn what_may_not_have_arrived_is_told_again() {
        let mut told = Told::default();
        told.sent(1);
        tokio::time::advance(limits::HEARTBEAT_SILENCE * 3).await;
        told.sent(2);
        told.sent(3);
        told.connection_ended();
        assert_eq!(told.newest, 1);
        told.sent(2);
        told.sent(3);
        tokio::time::advance(limits::HEARTBEAT_SILENCE * 3).await;
        told.connection_ended();
        assert_eq!(told.newest, 3);
        told.connection_ended();
        assert_eq!(told.newest, 3);
    }
}
