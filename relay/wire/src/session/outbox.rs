//! What a session has to say and its owner has not yet taken.

use alloc::{collections::VecDeque, vec::Vec};

use super::Output;

/// Sends and events, in order. Holds no memory while empty.
///
/// It is bounded by what goes in between two polls: a session puts in a fixed number of items for each frame taken and
/// for each command, and its owner polls it empty after every call.
pub(super) struct Outbox<E> {
    items: VecDeque<Item<E>>,
}

enum Item<E> {
    Send(Vec<u8>),
    Event(E),
}

impl<E> Outbox<E> {
    pub(super) const fn new() -> Self {
        Self { items: VecDeque::new() }
    }

    pub(super) fn send(&mut self, bytes: Vec<u8>) {
        self.items.push_back(Item::Send(bytes));
    }

    pub(super) fn event(&mut self, event: E) {
        self.items.push_back(Item::Event(event));
    }

    /// The next item, or what `idle` says when there is none.
    pub(super) fn next<C>(&mut self, idle: impl FnOnce() -> Output<E, C>) -> Output<E, C> {
        match self.items.pop_front() {
            Some(item) => {
                if self.items.is_empty() {
                    self.items = VecDeque::new();
                }
                match item {
                    Item::Send(bytes) => Output::Send(bytes),
                    Item::Event(event) => Output::Event(event),
                }
            }
            None => idle(),
        }
    }
}
