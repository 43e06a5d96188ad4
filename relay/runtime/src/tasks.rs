//! Who owns a task: the only place that spawns one.
//!
//! A task belongs to a group; the group's end is the task's end. Nothing is ever detached, so a dropped [`Tasks`] leaves
//! no connection behind, and a process that returns from its `run` has stopped everything it started.

use std::{
    collections::HashMap,
    future::Future,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
    task::{Context, Poll},
    time::Duration,
};

use tokio::{sync::Notify, task::AbortHandle, time::Instant};

/// How long [`Tasks::shutdown`] waits for aborted tasks to be gone: an abort takes effect at the task's next await.
const ABORT_WAIT: Duration = Duration::from_secs(2);

#[derive(Default)]
struct State {
    /// `None` between the entry and the spawn: a task may end before its handle is known.
    running: HashMap<u64, Option<AbortHandle>>,
    next: u64,
    /// No more tasks.
    closed: bool,
    /// Every task is to end now.
    aborted: bool,
}

#[derive(Default)]
struct Group {
    state: Mutex<State>,
    empty: Notify,
}

impl Group {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn abort_all(&self) {
        let handles: Vec<AbortHandle> = {
            let mut state = self.lock();
            state.closed = true;
            state.aborted = true;
            state.running.values().flatten().cloned().collect()
        };
        for handle in handles {
            handle.abort();
        }
    }

    fn leave(&self, id: u64) {
        let mut state = self.lock();
        let handle = state.running.remove(&id);
        // After a burst the table is given back.
        if state.running.capacity() > 1024 && state.running.len() < state.running.capacity() / 8 {
            state.running.shrink_to_fit();
        }
        let empty = state.running.is_empty();
        drop(state);
        drop(handle);
        if empty {
            self.empty.notify_waiters();
        }
    }
}

/// Leaves the group when the task ends in whichever way, and reports a panic.
struct Membership {
    group: Weak<Group>,
    id: u64,
    name: &'static str,
    /// The task is inside its poll: a drop now means that it panicked.
    polling: bool,
}

impl Drop for Membership {
    fn drop(&mut self) {
        if self.polling {
            tracing::error!(task = self.name, "task panicked; this is a bug in the relay, please report it");
        }
        if let Some(group) = self.group.upgrade() {
            group.leave(self.id);
        }
    }
}

pin_project_lite::pin_project! {
    /// A task's future beside its membership. An `async` block around the future would keep room for it twice.
    struct Member<F> {
        #[pin]
        future: F,
        membership: Membership,
    }
}

impl<F: Future<Output = ()>> Future for Member<F> {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = self.project();
        this.membership.polling = true;
        let polled = this.future.poll(cx);
        this.membership.polling = false;
        polled
    }
}

/// A group of tasks; dropping it aborts them.
#[derive(Default)]
pub struct Tasks {
    group: Arc<Group>,
}

/// Adds tasks to a [`Tasks`] group without owning it. Cloning it copies a pointer.
#[derive(Clone)]
pub struct Spawner {
    group: Weak<Group>,
}

/// One task of a group. Dropping it does nothing: the group owns the task.
#[derive(Debug)]
pub struct Task(Option<AbortHandle>);

impl Task {
    /// Ends the task at its next await.
    pub fn abort(&self) {
        if let Some(handle) = &self.0 {
            handle.abort();
        }
    }

    /// Whether it has ended.
    #[must_use]
    pub fn is_finished(&self) -> bool {
        self.0.as_ref().is_none_or(AbortHandle::is_finished)
    }
}

impl Tasks {
    /// An empty group.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// A handle that adds tasks to this group.
    #[must_use]
    pub fn spawner(&self) -> Spawner {
        Spawner { group: Arc::downgrade(&self.group) }
    }

    /// Starts a task in this group, inside a tokio runtime. `name` is what a log calls it.
    pub fn spawn(&self, name: &'static str, future: impl Future<Output = ()> + Send + 'static) -> Task {
        spawn(&self.group, name, future)
    }

    /// How many are running.
    #[must_use]
    pub fn running(&self) -> usize {
        self.group.lock().running.len()
    }

    /// Waits until none is running; more may still be added.
    pub async fn idle(&self) {
        loop {
            let notified = self.group.empty.notified();
            tokio::pin!(notified);
            notified.as_mut().enable();
            if self.group.lock().running.is_empty() {
                return;
            }
            notified.await;
        }
    }

    /// Takes no more tasks, waits up to `deadline` for those that run, then aborts the rest; returns how many that were.
    pub async fn shutdown(self, deadline: Duration) -> usize {
        self.group.lock().closed = true;
        if tokio::time::timeout_at(Instant::now() + deadline, self.idle()).await.is_ok() {
            return 0;
        }
        let left = self.running();
        self.group.abort_all();
        if tokio::time::timeout(ABORT_WAIT, self.idle()).await.is_err() {
            tracing::error!(tasks = self.running(), "aborted tasks do not end; they block without awaiting");
        }
        left
    }
}

impl Drop for Tasks {
    fn drop(&mut self) {
        self.group.abort_all();
    }
}

impl std::fmt::Debug for Tasks {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tasks").field("running", &self.running()).finish()
    }
}

impl Spawner {
    /// As [`Tasks::spawn`]; if the group takes no more, the future is dropped without having run.
    pub fn spawn(&self, name: &'static str, future: impl Future<Output = ()> + Send + 'static) -> Task {
        match self.group.upgrade() {
            Some(group) => spawn(&group, name, future),
            None => Task(None),
        }
    }
}

impl std::fmt::Debug for Spawner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Spawner(..)")
    }
}

fn spawn(group: &Arc<Group>, name: &'static str, future: impl Future<Output = ()> + Send + 'static) -> Task {
    let id = {
        let mut state = group.lock();
        if state.closed {
            return Task(None);
        }
        let id = state.next;
        state.next += 1;
        state.running.insert(id, None);
        id
    };
    let membership = Membership { group: Arc::downgrade(group), id, name, polling: false };
    // The lock is not held here: a runtime that is shutting down drops the future at once, and with it the membership.
    #[allow(clippy::disallowed_methods, reason = "this is the one place that spawns; the group owns the task")]
    let handle = tokio::spawn(Member { future, membership }).abort_handle();
    let abort_now = {
        let mut state = group.lock();
        if let Some(slot) = state.running.get_mut(&id) {
            *slot = Some(handle.clone());
        }
        state.aborted
    };
    if abort_now {
        handle.abort();
    }
    Task(Some(handle))
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, Ordering};

    use super::*;

    struct Flag(Arc<AtomicBool>);
    impl Drop for Flag {
        fn drop(&mut self) {
            self.0.store(true, Ordering::SeqCst);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn shutdown_waits_and_then_aborts() {
        let tasks = Tasks::new();
        tasks.spawn("short", tokio::time::sleep(Duration::from_secs(1)));
        assert_eq!(tasks.shutdown(Duration::from_secs(5)).await, 0);

        let tasks = Tasks::new();
        let gone = Arc::new(AtomicBool::new(false));
        let flag = Flag(Arc::clone(&gone));
        tasks.spawn("endless", async move {
            let _flag = flag;
            std::future::pending::<()>().await;
        });
        let spawner = tasks.spawner();
        assert_eq!(tasks.shutdown(Duration::from_secs(5)).await, 1);
        assert!(gone.load(Ordering::SeqCst));
        assert!(spawner.spawn("late", std::future::pending()).is_finished());
    }

    #[tokio::test]
    async fn drop_aborts() {
        let tasks = Tasks::new();
        let gone = Arc::new(AtomicBool::new(false));
        let flag = Flag(Arc::clone(&gone));
        let task = tasks.spawn("endless", async move {
            let _flag = flag;
            std::future::pending::<()>().await;
        });
        tokio::task::yield_now().await;
        drop(tasks);
        while !task.is_finished() {
            tokio::task::yield_now().await;
        }
        assert!(gone.load(Ordering::SeqCst));
    }

    #[tokio::test]
    async fn a_panic_leaves_the_group_whole() {
        let tasks = Tasks::new();
        tasks.spawn("bad", async { panic!("expected in this test") });
        tasks.idle().await;
        assert_eq!(tasks.running(), 0);
        tasks.spawn("good", async {});
        assert_eq!(tasks.shutdown(Duration::from_secs(5)).await, 0);
    }

    #[test]
    fn a_stopped_runtime_does_not_deadlock() {
        let tasks = Tasks::new();
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let handle = runtime.handle().clone();
        drop(runtime);
        let _inside = handle.enter();
        tasks.spawn("never", std::future::pending());
        assert_eq!(tasks.running(), 0);
    }
}
