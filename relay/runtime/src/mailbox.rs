//! A bounded queue of commands for one connection: many senders, one receiver, nothing allocated while it is empty.
//!
//! Every connection has one, and at a hundred thousand idle connections a queue with a preallocated block each would be
//! the largest thing in memory. Here an empty mailbox is one small shared cell.

use std::{
    collections::VecDeque,
    fmt,
    future::poll_fn,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, Waker},
};

/// Why a command was not taken; it comes back.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum TrySendError<C> {
    /// The bound is reached: the connection does not keep up. Refuse the work now, do not wait.
    Full(C),
    /// The connection is over.
    Closed(C),
}

impl<C> TrySendError<C> {
    /// The command.
    pub fn into_inner(self) -> C {
        match self {
            Self::Full(command) | Self::Closed(command) => command,
        }
    }
}

// A command may hold a token, so it is never shown.
impl<C> fmt::Debug for TrySendError<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Full(_) => "Full(..)",
            Self::Closed(_) => "Closed(..)",
        })
    }
}

impl<C> fmt::Display for TrySendError<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Full(_) => "the connection's mailbox is full",
            Self::Closed(_) => "the connection is over",
        })
    }
}

impl<C> std::error::Error for TrySendError<C> {}

struct State<C> {
    queue: VecDeque<C>,
    waker: Option<Waker>,
    senders: u32,
    bound: u32,
    receiver_gone: bool,
}

type Shared<C> = Arc<Mutex<State<C>>>;

/// No code of ours panics while it holds the lock; if it did, the queue would still be whole.
fn lock<C>(shared: &Shared<C>) -> MutexGuard<'_, State<C>> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Puts commands into a mailbox. Cloning it copies a pointer.
pub struct Sender<C>(Shared<C>);

/// Takes commands out of a mailbox.
pub struct Receiver<C>(Shared<C>);

/// A mailbox for at most `bound` commands at a time (at least one).
#[must_use]
pub fn mailbox<C>(bound: u32) -> (Sender<C>, Receiver<C>) {
    let state = State { queue: VecDeque::new(), waker: None, senders: 1, bound: bound.max(1), receiver_gone: false };
    let shared = Arc::new(Mutex::new(state));
    (Sender(Arc::clone(&shared)), Receiver(shared))
}

impl<C> Sender<C> {
    /// Puts `command` in, without ever waiting.
    ///
    /// # Errors
    /// [`TrySendError::Full`] at the bound, [`TrySendError::Closed`] when the receiver is gone; the command comes back.
    pub fn try_send(&self, command: C) -> Result<(), TrySendError<C>> {
        let waker = {
            let mut state = lock(&self.0);
            if state.receiver_gone {
                return Err(TrySendError::Closed(command));
            }
            if state.queue.len() >= state.bound as usize {
                return Err(TrySendError::Full(command));
            }
            state.queue.push_back(command);
            state.waker.take()
        };
        if let Some(waker) = waker {
            waker.wake();
        }
        Ok(())
    }

    /// Whether the receiver is gone.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        lock(&self.0).receiver_gone
    }

    /// Whether both put commands into the same mailbox.
    #[must_use]
    pub fn same_mailbox(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl<C> Clone for Sender<C> {
    fn clone(&self) -> Self {
        lock(&self.0).senders += 1;
        Self(Arc::clone(&self.0))
    }
}

impl<C> Drop for Sender<C> {
    fn drop(&mut self) {
        let waker = {
            let mut state = lock(&self.0);
            state.senders -= 1;
            if state.senders == 0 { state.waker.take() } else { None }
        };
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}

impl<C> fmt::Debug for Sender<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sender(..)")
    }
}

impl<C> Receiver<C> {
    /// The next command; `None` when every sender is gone and nothing is left.
    pub async fn recv(&mut self) -> Option<C> {
        poll_fn(|cx| self.poll_recv(cx)).await
    }

    /// As [`Receiver::recv`], for a hand-written future.
    pub fn poll_recv(&mut self, cx: &mut Context<'_>) -> Poll<Option<C>> {
        let mut state = lock(&self.0);
        if let Some(command) = state.queue.pop_front() {
            return Poll::Ready(Some(command));
        }
        // The block goes back only when the queue has run dry: a burst pays for one.
        state.queue = VecDeque::new();
        if state.senders == 0 {
            return Poll::Ready(None);
        }
        if !state.waker.as_ref().is_some_and(|waker| waker.will_wake(cx.waker())) {
            state.waker = Some(cx.waker().clone());
        }
        Poll::Pending
    }

    /// The next command, if one is there.
    pub fn try_recv(&mut self) -> Option<C> {
        lock(&self.0).queue.pop_front()
    }

    /// Takes no more commands; those already in stay.
    pub fn close(&mut self) {
        lock(&self.0).receiver_gone = true;
    }
}

impl<C> Drop for Receiver<C> {
    fn drop(&mut self) {
        let queue = {
            let mut state = lock(&self.0);
            state.receiver_gone = true;
            state.waker = None;
            std::mem::take(&mut state.queue)
        };
        // Outside the lock: a command may itself hold a sender of this mailbox.
        drop(queue);
    }
}

impl<C> fmt::Debug for Receiver<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Receiver(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn keeps_order_and_bound() {
        let (sender, mut receiver) = mailbox(2);
        sender.try_send(1).unwrap();
        sender.clone().try_send(2).unwrap();
        assert_eq!(sender.try_send(3), Err(TrySendError::Full(3)));
        assert_eq!(receiver.recv().await, Some(1));
        sender.try_send(3).unwrap();
        drop(sender);
        assert_eq!(receiver.recv().await, Some(2));
        assert_eq!(receiver.recv().await, Some(3));
        assert_eq!(receiver.recv().await, None);
    }

    #[tokio::test]
    async fn a_waiting_receiver_wakes() {
        let (sender, mut receiver) = mailbox::<u8>(1);
        let (got, ()) = tokio::join!(receiver.recv(), async {
            tokio::task::yield_now().await;
            sender.try_send(7).unwrap();
        });
        assert_eq!(got, Some(7));
        let (got, ()) = tokio::join!(receiver.recv(), async move {
            tokio::task::yield_now().await;
            drop(sender);
        });
        assert_eq!(got, None);
    }

    #[tokio::test]
    async fn nothing_is_held_while_empty() {
        let (sender, mut receiver) = mailbox(64);
        assert_eq!(lock(&receiver.0).queue.capacity(), 0);
        for n in 0..64 {
            sender.try_send(n).unwrap();
        }
        while receiver.try_recv().is_some() {}
        let mut cx = Context::from_waker(Waker::noop());
        assert!(receiver.poll_recv(&mut cx).is_pending());
        assert_eq!(lock(&receiver.0).queue.capacity(), 0);
    }

    #[test]
    fn a_gone_receiver_refuses_and_drops() {
        struct Holder(#[allow(dead_code, reason = "held for its drop")] Option<Sender<Holder>>);
        let (sender, receiver) = mailbox(4);
        // A command that holds a sender of its own mailbox must not deadlock.
        sender.try_send(Holder(Some(sender.clone()))).unwrap();
        drop(receiver);
        assert!(sender.is_closed());
        assert!(matches!(sender.try_send(Holder(None)), Err(TrySendError::Closed(_))));
    }

    #[test]
    fn errors_do_not_show_the_command() {
        assert_eq!(format!("{:?}", TrySendError::Full("secret")), "Full(..)");
    }
}
