//! The I/O side shared by edge and backend: everything that touches a socket, a clock, a signal or a file of settings.
//!
//! The protocol is `relay-wire`'s and knows none of these; identity and trust are `relay-trust`'s. This crate joins them
//! to the operating system, once, so that both binaries wait, bound, drain and report in the same way.

pub mod clock;
pub mod config;
pub mod driver;
pub mod handover;
pub mod mailbox;
pub mod tasks;
