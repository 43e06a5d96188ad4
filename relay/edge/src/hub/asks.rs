//! Questions at the master. Each has one place in a bounded table until its answer, its session's end, or the end of the
//! control connection it went out on.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use relay_runtime::mailbox::Sender;
use relay_wire::{
    ids::{BackendName, DeviceId, RequestId},
    session::device::{EdgeCommand, QuestionId},
};

use super::{backends::LoginId, sessions::SessionId};

/// What a question is about, as far as the edge must know when the answer comes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Subject {
    /// `auth`: an acceptance binds the session to this device.
    Session {
        /// The device.
        device: DeviceId,
    },
    /// `register` or a transfer: a grant leads to a tunnel to this backend.
    Tunnel {
        /// The device.
        device: DeviceId,
        /// The backend.
        node: BackendName,
    },
}

/// A question without an answer.
pub struct Ask {
    /// The session that asked.
    pub session: SessionId,
    /// Where the answer goes.
    pub mailbox: Sender<EdgeCommand>,
    /// The session's own number for the question.
    pub question: QuestionId,
    /// The control connection that must answer; no other may.
    pub login: LoginId,
    /// What it is about.
    pub subject: Subject,
}

#[derive(Default)]
struct State {
    next: u64,
    pending: HashMap<RequestId, Ask>,
}

/// The table of questions.
pub struct Asks {
    max: usize,
    state: Mutex<State>,
}

impl Asks {
    /// An empty table for at most `max` questions (about 300 bytes each).
    #[must_use]
    pub fn new(max: usize) -> Self {
        Self { max, state: Mutex::default() }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a place; `None` if there is none.
    pub fn insert(&self, ask: Ask) -> Option<RequestId> {
        let mut state = self.state();
        if state.pending.len() >= self.max {
            return None;
        }
        state.next += 1;
        let id = RequestId(state.next);
        state.pending.insert(id, ask);
        Some(id)
    }

    /// Removes a question.
    pub fn remove(&self, id: RequestId) -> Option<Ask> {
        self.state().pending.remove(&id)
    }

    /// Removes a question if it was put to this control connection.
    pub fn remove_of(&self, id: RequestId, login: LoginId) -> Option<Ask> {
        let mut state = self.state();
        if state.pending.get(&id)?.login == login { state.pending.remove(&id) } else { None }
    }

    /// Removes all questions that were put to this control connection.
    #[must_use]
    pub fn take_of(&self, login: LoginId) -> Vec<Ask> {
        let mut state = self.state();
        let ids: Vec<_> = state.pending.iter().filter(|(_, ask)| ask.login == login).map(|(id, _)| *id).collect();
        ids.into_iter().filter_map(|id| state.pending.remove(&id)).collect()
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.state().pending.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}
