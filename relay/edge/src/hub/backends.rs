//! Backends: their control connections, their parked data connections, and the tunnels that wait for one.
//!
//! SPEC §6.3, takeover: while a control connection stands, a login of the same name and an older generation is refused; one of
//! the same or a newer generation takes its place. A newer one also closes the parked data connections of the older life.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::SystemTime,
};

use relay_runtime::mailbox::Sender;
use relay_wire::{
    frame::data::Remote,
    grant::SignedGrant,
    ids::{BackendName, Generation, Role},
    session::{control, data},
};
use tokio::sync::oneshot;

use crate::{config::Limits, data::Assigned, keystore::KeyId, metrics::Metrics};

/// The number of one control connection, never used twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LoginId(u64);

/// A newer life of this backend is connected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OlderGeneration;

/// Why a data connection is not parked; a label of a metric.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotParked {
    /// Its backend has no control connection of the same generation.
    NoControl,
    /// Enough are parked.
    Full,
}

impl NotParked {
    /// The reason as metrics spell it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NoControl => "data-without-control",
            Self::Full => "spares-full",
        }
    }
}

/// The way to the master that is asked now.
pub struct MasterLine {
    /// Its name.
    pub name: BackendName,
    /// Its control connection.
    pub login: LoginId,
    /// That connection's mailbox.
    pub mailbox: Sender<control::EdgeCommand>,
}

/// A parked data connection: a task waits in its session. Dropping this closes the connection unused.
pub struct Spare {
    commands: Sender<data::EdgeCommand>,
    stream: Option<oneshot::Receiver<Assigned>>,
}

impl Spare {
    /// A spare whose task takes `commands` and gives its stream through `stream` once it is assigned.
    #[must_use]
    pub const fn new(commands: Sender<data::EdgeCommand>, stream: oneshot::Receiver<Assigned>) -> Self {
        Self { commands, stream: Some(stream) }
    }

    /// Assigns the connection to a tunnel: its stream, `Assign` being the last that was written; `None` if the connection
    /// turned out to be dead.
    pub async fn assign(mut self, grant: SignedGrant, remote: Remote) -> Option<Assigned> {
        let stream = self.stream.take()?;
        self.commands.try_send(data::EdgeCommand::Assign { grant, remote }).ok()?;
        stream.await.ok()
    }
}

impl Drop for Spare {
    fn drop(&mut self) {
        if self.stream.is_some() {
            let _ = self.commands.try_send(data::EdgeCommand::Close);
        }
    }
}

/// What a tunnel gets when it wants a data connection.
pub enum Wanted {
    /// This one.
    Spare(Spare),
    /// One was asked for; wait for it here.
    Wait(oneshot::Receiver<Spare>),
    /// Too many wait already.
    Busy,
    /// The backend is not connected.
    Away,
}

struct Control {
    login: LoginId,
    /// With which it was proved: the connection ends when that is no key of the backend any more.
    key: KeyId,
    mailbox: Sender<control::EdgeCommand>,
    since: SystemTime,
    leaving: bool,
}

struct Backend {
    role: Role,
    generation: Generation,
    control: Option<Control>,
    /// First come, first used: the oldest is the one whose death shows first.
    spares: BTreeMap<u64, (KeyId, Spare)>,
    waiting: VecDeque<oneshot::Sender<Spare>>,
}

impl Backend {
    /// The control connection, if tunnels and questions may be sent there.
    fn open_control(&self) -> Option<&Control> {
        self.control.as_ref().filter(|control| !control.leaving)
    }
}

#[derive(Default)]
struct State {
    next: u64,
    backends: BTreeMap<BackendName, Backend>,
}

/// A backend as `/status` shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BackendStatus {
    /// Its name.
    pub name: BackendName,
    /// Its role.
    pub role: Role,
    /// Its life.
    pub generation: Generation,
    /// Since when its control connection stands; `None` if it does not.
    pub since: Option<SystemTime>,
    /// Whether it said that it goes away.
    pub leaving: bool,
    /// Parked data connections.
    pub spares: usize,
    /// Tunnels that wait for one.
    pub waiting: usize,
}

/// The table of backends.
pub struct Backends {
    spares_max: usize,
    waiting_max: usize,
    metrics: Arc<Metrics>,
    state: Mutex<State>,
}

impl Backends {
    /// An empty table.
    #[must_use]
    pub fn new(limits: &Limits, metrics: Arc<Metrics>) -> Self {
        Self {
            spares_max: limits.spares_per_backend,
            waiting_max: limits.tunnels_waiting_per_backend,
            metrics,
            state: Mutex::default(),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A control connection whose proof holds takes its backend's place. Call [`Self::logout`] when it ends.
    ///
    /// # Errors
    /// [`OlderGeneration`] if a newer life of the backend is connected.
    pub fn login(
        &self,
        name: &BackendName,
        role: Role,
        generation: Generation,
        key: KeyId,
        mailbox: Sender<control::EdgeCommand>,
    ) -> Result<LoginId, OlderGeneration> {
        let mut state = self.state();
        state.next += 1;
        let login = LoginId(state.next);
        let backend = state.backends.entry(name.clone()).or_insert_with(|| Backend {
            role,
            generation,
            control: None,
            spares: BTreeMap::new(),
            waiting: VecDeque::new(),
        });
        if backend.control.is_some() && generation < backend.generation {
            return Err(OlderGeneration);
        }
        backend.waiting.retain(|tunnel| !tunnel.is_closed());
        if let Some(waiting) = u16::try_from(backend.waiting.len()).ok().filter(|waiting| *waiting > 0) {
            // They were asked of the connection that this one replaces, and may never have been heard of.
            let _ = mailbox.try_send(control::EdgeCommand::Dial(waiting));
        }
        let control = Control { login, key, mailbox, since: SystemTime::now(), leaving: false };
        let old = backend.control.replace(control);
        backend.role = role;
        let stale =
            if backend.generation == generation { BTreeMap::new() } else { std::mem::take(&mut backend.spares) };
        backend.generation = generation;
        let spares = backend.spares.len();
        drop(state);
        drop(stale);
        if let Some(old) = old {
            let _ = old.mailbox.try_send(control::EdgeCommand::Supersede);
        }
        self.metrics.control_up(name);
        self.metrics.spares(name, spares);
        Ok(login)
    }

    /// A control connection ended. What is parked stays usable for tunnels that were already granted.
    pub fn logout(&self, name: &BackendName, login: LoginId) {
        let mut state = self.state();
        let Some(backend) = state.backends.get_mut(name) else { return };
        if backend.control.as_ref().is_none_or(|control| control.login != login) {
            return;
        }
        backend.control = None;
        state.forget_if_gone(name);
        drop(state);
        self.metrics.control_down(name);
    }

    /// The backend goes away: nothing new to it.
    pub fn leaving(&self, name: &BackendName, login: LoginId) {
        let mut state = self.state();
        let control = state.backends.get_mut(name).and_then(|backend| backend.control.as_mut());
        if let Some(control) = control.filter(|control| control.login == login) {
            control.leaving = true;
        }
    }

    /// Ends the control and parked data connections that were proved with a key which `keep` does not hold; returns whose
    /// control connections those were.
    pub fn retain(&self, keep: impl Fn(&BackendName, Role, KeyId) -> bool) -> Vec<BackendName> {
        let mut ended = Vec::new();
        let mut closed = Vec::new();
        let mut spares = Vec::new();
        let mut state = self.state();
        for (name, backend) in &mut state.backends {
            let role = backend.role;
            let (kept, gone): (BTreeMap<_, _>, BTreeMap<_, _>) =
                std::mem::take(&mut backend.spares).into_iter().partition(|(_, (key, _))| keep(name, role, *key));
            backend.spares = kept;
            if !gone.is_empty() {
                spares.push((name.clone(), backend.spares.len()));
                closed.push(gone);
            }
            if let Some(control) = backend.control.as_mut().filter(|control| !keep(name, role, control.key)) {
                // Nothing more to it, even if it cannot be told now because it takes nothing: then it ends by itself.
                control.leaving = true;
                let _ = control.mailbox.try_send(control::EdgeCommand::Supersede);
                ended.push(name.clone());
            }
        }
        drop(state);
        drop(closed);
        for (name, spares) in spares {
            self.metrics.spares(&name, spares);
        }
        ended
    }

    /// Tells every backend that the edge goes away.
    pub fn leave(&self) {
        for backend in self.state().backends.values() {
            if let Some(control) = &backend.control {
                let _ = control.mailbox.try_send(control::EdgeCommand::Leave);
            }
        }
    }

    /// The master to ask: of those that are connected and stay, the one that started last.
    #[must_use]
    pub fn master(&self) -> Option<MasterLine> {
        let state = self.state();
        let masters = state.backends.iter().filter(|(_, backend)| backend.role == Role::Master);
        let (name, _, control) = masters
            .filter_map(|(name, backend)| Some((name, backend.generation, backend.open_control()?)))
            .max_by_key(|(_, generation, _)| *generation)?;
        Some(MasterLine { name: name.clone(), login: control.login, mailbox: control.mailbox.clone() })
    }

    /// Whether a master could be asked.
    #[must_use]
    pub fn has_master(&self) -> bool {
        self.master().is_some()
    }

    /// Whether tunnels can be sent to this backend.
    #[must_use]
    pub fn is_connected(&self, name: &BackendName) -> bool {
        self.state().backends.get(name).is_some_and(|backend| backend.open_control().is_some())
    }

    /// Parks a data connection, or gives it to the tunnel that has waited longest. The number is for [`Self::unpark`].
    ///
    /// # Errors
    /// [`NotParked`]; the connection is closed.
    pub fn park(
        &self,
        name: &BackendName,
        role: Role,
        generation: Generation,
        key: KeyId,
        mut spare: Spare,
    ) -> Result<u64, NotParked> {
        let mut state = self.state();
        state.next += 1;
        let number = state.next;
        let backend = state.backend_of(name, role, generation)?;
        while let Some(tunnel) = backend.waiting.pop_front() {
            match tunnel.send(spare) {
                Ok(()) => return Ok(number),
                Err(back) => spare = back,
            }
        }
        if backend.spares.len() >= self.spares_max {
            return Err(NotParked::Full);
        }
        backend.spares.insert(number, (key, spare));
        let spares = backend.spares.len();
        drop(state);
        self.metrics.spares(name, spares);
        Ok(number)
    }

    /// A data connection's task ended: it is no spare any more, if it still was one.
    pub fn unpark(&self, name: &BackendName, number: u64) {
        let mut state = self.state();
        let Some(backend) = state.backends.get_mut(name) else { return };
        let Some(spare) = backend.spares.remove(&number) else { return };
        let spares = backend.spares.len();
        state.forget_if_gone(name);
        drop(state);
        drop(spare);
        self.metrics.spares(name, spares);
    }

    /// A data connection for a tunnel: the one parked longest, else the next that the backend opens.
    #[must_use]
    pub fn want(&self, name: &BackendName) -> Wanted {
        let mut state = self.state();
        let Some(backend) = state.backends.get_mut(name) else { return Wanted::Away };
        if let Some((_, (_, spare))) = backend.spares.pop_first() {
            let spares = backend.spares.len();
            state.forget_if_gone(name);
            drop(state);
            self.metrics.spares(name, spares);
            return Wanted::Spare(spare);
        }
        if backend.open_control().is_none() {
            return Wanted::Away;
        }
        if backend.waiting.len() >= self.waiting_max {
            backend.waiting.retain(|tunnel| !tunnel.is_closed());
            if backend.waiting.len() >= self.waiting_max {
                return Wanted::Busy;
            }
        }
        let Some(control) = backend.open_control() else { return Wanted::Away };
        if control.mailbox.try_send(control::EdgeCommand::Dial(1)).is_err() {
            return Wanted::Busy;
        }
        let (tunnel, spare) = oneshot::channel();
        backend.waiting.push_back(tunnel);
        Wanted::Wait(spare)
    }

    /// Every backend that has a connection.
    #[must_use]
    pub fn status(&self) -> Vec<BackendStatus> {
        let state = self.state();
        let status = |(name, backend): (&BackendName, &Backend)| BackendStatus {
            name: name.clone(),
            role: backend.role,
            generation: backend.generation,
            since: backend.control.as_ref().map(|control| control.since),
            leaving: backend.control.as_ref().is_some_and(|control| control.leaving),
            spares: backend.spares.len(),
            waiting: backend.waiting.iter().filter(|tunnel| !tunnel.is_closed()).count(),
        };
        state.backends.iter().map(status).collect()
    }
}

impl State {
    /// The backend whose control connection stands and has this role and generation.
    fn backend_of(
        &mut self,
        name: &BackendName,
        role: Role,
        generation: Generation,
    ) -> Result<&mut Backend, NotParked> {
        self.backends
            .get_mut(name)
            .filter(|backend| backend.open_control().is_some())
            .filter(|backend| (backend.role, backend.generation) == (role, generation))
            .ok_or(NotParked::NoControl)
    }

    /// Forgets a backend of which nothing is left.
    fn forget_if_gone(&mut self, name: &BackendName) {
        let gone =
            self.backends.get(name).is_some_and(|backend| backend.control.is_none() && backend.spares.is_empty());
        if gone {
            self.backends.remove(name);
        }
    }
}
