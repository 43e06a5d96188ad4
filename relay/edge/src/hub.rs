//! What the connections of one edge share: who is here, what is asked, what is granted.
//!
//! Four tables, each behind its own short lock that is never held while waiting and never while another is taken:
//!
//! - [`backends`]: control connections, parked data connections and those who wait for one;
//! - [`asks`]: questions at the master that have no answer;
//! - [`sessions`]: device connections, and which device each belongs to;
//! - [`tunnels`]: tokens that may be used, and tunnels that run.
//!
//! **Which master is asked.** Normally one name has the role. Where several masters are connected, the one with the newest
//! generation (the one that started last) is asked, alone: asking several would let the slowest decide.

use std::{sync::Arc, time::Duration};

use relay_runtime::mailbox::Sender;
use relay_wire::{
    Checked, Operation, Request, canonical,
    frame::control::Verdict,
    ids::{BackendName, DeviceId, Exporter, RequestId},
    session::{
        control,
        device::{self, Answer, QuestionId},
    },
};
use tokio::time::Instant;

use crate::{config::Limits, metrics::Metrics};

pub mod asks;
pub mod backends;
pub mod sessions;
pub mod tunnels;

use asks::{Ask, Asks, Subject};
use backends::{Backends, LoginId, MasterLine};
use sessions::{SessionId, Sessions};
use tunnels::{Offer, Tunnels};

/// What a device is told to wait when the master or its node is away: long enough for a backend to come back.
const AWAY: Duration = Duration::from_secs(5);
/// What a device is told to wait when the edge or a mailbox is full: the load of this moment has passed then.
const BUSY: Duration = Duration::from_secs(2);

/// The shared state of one edge.
pub struct Hub {
    /// Backends.
    pub backends: Backends,
    /// Device connections.
    pub sessions: Sessions,
    /// Tokens and tunnels.
    pub tunnels: Tunnels,
    asks: Asks,
    metrics: Arc<Metrics>,
}

impl Hub {
    /// An empty hub.
    #[must_use]
    pub fn new(limits: &Limits, metrics: Arc<Metrics>) -> Arc<Self> {
        Arc::new(Self {
            backends: Backends::new(limits, Arc::clone(&metrics)),
            sessions: Sessions::new(limits.sessions_per_device),
            tunnels: Tunnels::new(limits, Arc::clone(&metrics)),
            asks: Asks::new(limits.pending_asks),
            metrics,
        })
    }

    /// Asks the master about a device's request; the answer comes by the session's mailbox. Called by the device's owner.
    ///
    /// # Errors
    /// How long the device shall wait before it asks again, where the master cannot be asked now.
    pub fn ask(
        &self,
        session: &SessionGuard,
        question: QuestionId,
        exporter: Exporter,
        request: &Checked<Request>,
    ) -> Result<RequestId, Duration> {
        let Some(master) = self.backends.master() else {
            self.metrics.ask("no-master");
            return Err(AWAY);
        };
        let Ok(encoded) = canonical::encode(request) else {
            // A checked request always fits: its body did, and that bounds every field.
            tracing::error!(operation = request.content.operation.name().as_str(), "canonical encoding does not fit");
            self.metrics.ask("failed");
            return Err(BUSY);
        };
        let ask = Ask {
            session: session.id,
            mailbox: session.mailbox.clone(),
            question,
            login: master.login,
            subject: subject(request, &master),
        };
        let Some(id) = self.asks.insert(ask) else {
            self.metrics.ask("overloaded");
            return Err(BUSY);
        };
        match master.mailbox.try_send(control::EdgeCommand::Ask { id, exporter, request: encoded }) {
            Ok(()) => Ok(id),
            Err(_) => {
                self.asks.remove(id);
                self.metrics.ask("overloaded");
                Err(BUSY)
            }
        }
    }

    /// The device's session no longer waits for this answer. Called by its owner.
    pub fn forget_ask(&self, id: RequestId, outcome: &'static str) {
        if self.asks.remove(id).is_some() {
            self.metrics.ask(outcome);
        }
    }

    /// The master answered. Called by the owner of its control connection, `login`.
    pub fn answer(&self, login: LoginId, id: RequestId, verdict: Verdict) {
        let Some(ask) = self.asks.remove_of(id, login) else {
            self.metrics.ask("unexpected");
            return;
        };
        let Ask { session, mailbox, question, subject, .. } = ask;
        let (outcome, answer) = self.answer_for(session, subject, verdict);
        self.metrics.ask(outcome);
        // A session that ended meanwhile has voided its tokens before this one was drawn.
        let unheard = mailbox.try_send(device::EdgeCommand::Answer { question, answer }).is_err();
        if unheard || !self.sessions.contains(session) {
            self.tunnels.void_session(session);
        }
    }

    /// What the session hears, and the word for the metric.
    fn answer_for(&self, session: SessionId, subject: Subject, verdict: Verdict) -> (&'static str, Answer) {
        match (verdict, subject) {
            (Verdict::Refused, _) => ("refused", Answer::Refused),
            (Verdict::Later(wait), _) => ("later", Answer::Later(wait)),
            (Verdict::Accepted, Subject::Session { device }) => {
                // Before the session hears of it: a revocation right behind the verdict must find the session.
                for old in self.sessions.bind(session, &device) {
                    let _ = old.try_send(device::EdgeCommand::Drain(AWAY));
                }
                ("accepted", Answer::Accepted)
            }
            (Verdict::Granted(grant), Subject::Tunnel { device, node }) => {
                if !self.backends.is_connected(&node) {
                    return ("node-away", Answer::Later(AWAY));
                }
                let offer = Offer { session, device, node, grant: grant.clone() };
                match self.tunnels.offer(offer, Instant::now()) {
                    Ok(token) => ("granted", Answer::Granted { grant, token }),
                    Err(full) => (full.as_str(), Answer::Later(BUSY)),
                }
            }
            (Verdict::Accepted, Subject::Tunnel { .. }) | (Verdict::Granted(_), Subject::Session { .. }) => {
                tracing::error!("the master's verdict does not fit the request: refused; check both sides' versions");
                ("unfit", Answer::Refused)
            }
        }
    }

    /// A control connection ended: whoever waited for its answer hears "later" now.
    pub fn control_lost(&self, login: LoginId) {
        for ask in self.asks.take_of(login) {
            self.metrics.ask("master-lost");
            let answer = Answer::Later(AWAY);
            let _ = ask.mailbox.try_send(device::EdgeCommand::Answer { question: ask.question, answer });
        }
    }

    /// The master revoked a device: its sessions, tokens and tunnels end.
    pub fn revoke(&self, device: &DeviceId) {
        self.metrics.revocation();
        let key = device.registry_key();
        for mailbox in self.sessions.of_device(&key) {
            let _ = mailbox.try_send(device::EdgeCommand::Revoke);
        }
        self.tunnels.revoke(&key);
    }

    /// A device's session ended: what hung on it is void.
    fn session_ended(&self, session: SessionId) {
        self.sessions.remove(session);
        self.tunnels.void_session(session);
    }

    /// Registers a device's session; it ends when the guard is dropped.
    #[must_use]
    pub fn open_session(self: &Arc<Self>, mailbox: Sender<device::EdgeCommand>) -> SessionGuard {
        let id = self.sessions.insert(mailbox.clone());
        SessionGuard { hub: Arc::clone(self), id, mailbox }
    }

    /// The edge drains: every control and device connection is told. `retry_after` is a floor: each device gets a time
    /// of its own between it and twice as much, so that they do not come back at once.
    pub fn drain(&self, retry_after: Duration) {
        self.backends.leave();
        self.sessions.drain(retry_after);
    }

    /// Drops what has expired. The server calls it about once a second.
    pub fn tidy(&self, now: Instant) {
        self.tunnels.expire(now);
    }

    /// Questions without an answer, for `/status`.
    #[must_use]
    pub fn asks_pending(&self) -> usize {
        self.asks.len()
    }
}

/// What the answer to this request will be about.
fn subject(request: &Request, master: &MasterLine) -> Subject {
    let device = request.content.device_id.clone();
    match &request.content.operation {
        Operation::Auth | Operation::Ping => Subject::Session { device },
        // The enrol tunnel of a registration leads to the master itself.
        Operation::Register { .. } => Subject::Tunnel { device, node: master.name.clone() },
        Operation::Transfer { node, .. } => Subject::Tunnel { device, node: BackendName::clone(node) },
    }
}

/// A device's session in the hub; dropping it removes the session and voids its tokens.
pub struct SessionGuard {
    hub: Arc<Hub>,
    id: SessionId,
    mailbox: Sender<device::EdgeCommand>,
}

impl SessionGuard {
    /// The session's number.
    #[must_use]
    pub const fn id(&self) -> SessionId {
        self.id
    }

    /// The hub.
    #[must_use]
    pub fn hub(&self) -> &Arc<Hub> {
        &self.hub
    }

    /// The session's own mailbox.
    #[must_use]
    pub const fn mailbox(&self) -> &Sender<device::EdgeCommand> {
        &self.mailbox
    }
}

impl Drop for SessionGuard {
    fn drop(&mut self) {
        self.hub.session_ended(self.id);
    }
}
