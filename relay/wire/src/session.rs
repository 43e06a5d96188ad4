//! SPEC §9: connections as state machines.
//!
//! # Calling contract
//! A [`Session`] is fed by its owner (the driver in `relay-runtime`, or a test with a virtual clock):
//!
//! 1. call one of `handle_input`, `handle_end`, `handle_timeout`, or a command of the concrete type;
//! 2. then call [`Session::poll_output`] until it returns [`Output::Wait`], doing what each output says, in order;
//! 3. wait for input, a command, or the time in [`Output::Wait`], whichever is first; go to 1.
//!
//! After [`Output::Close`] the session is over: everything sent before it is flushed, the connection is closed, and every
//! later call does nothing and yields [`Output::Close`] again.
//!
//! `handle_input` takes at most what the session can hold now and says how much that was: not taking all is the
//! back-pressure; the owner offers the rest again after the next command or timeout that [`Session::wants_input`] follows.

use alloc::vec::Vec;

use crate::time::Timestamp;

pub mod control;
pub mod data;
mod deframer;
pub mod device;
mod outbox;
#[cfg(test)]
mod tests;

use outbox::Outbox;

/// What a session wants its owner to do.
#[derive(Debug, PartialEq, Eq)]
pub enum Output<E, C> {
    /// Write these bytes to the peer.
    Send(Vec<u8>),
    /// Something happened that the owner must act on.
    Event(E),
    /// The session is over, for this reason; flush and close.
    Close(C),
    /// Nothing more to do until input, a command, or this time (`None`: no deadline).
    Wait(Option<Timestamp>),
}

/// One side of one connection.
pub trait Session {
    /// What the owner must act on.
    type Event;
    /// What the owner tells the session, between inputs.
    type Command;
    /// Why it ended.
    type Close;

    /// Bytes came; returns how many were taken.
    fn handle_input(&mut self, bytes: &[u8], now: Timestamp) -> usize;
    /// The peer will send nothing more.
    fn handle_end(&mut self, now: Timestamp);
    /// The time of the last [`Output::Wait`] has come (a call too early does nothing).
    fn handle_timeout(&mut self, now: Timestamp);
    /// The owner says something.
    fn handle_command(&mut self, command: Self::Command, now: Timestamp);
    /// What to do next.
    fn poll_output(&mut self) -> Output<Self::Event, Self::Close>;
    /// Whether more input would be taken now.
    fn wants_input(&self) -> bool;
}
