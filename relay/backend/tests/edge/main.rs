//! A backend against a hand-made edge: the sessions of relay-wire and the driver of relay-runtime, nothing else of the
//! project's edge. What the backend does on its sockets is what is tested.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod harness;

mod master;
mod spares;
mod tunnels;
