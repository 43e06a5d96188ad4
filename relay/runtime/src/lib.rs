//! The I/O side shared by edge and backend: everything that touches a socket, a clock, a signal or a file of settings.
//!
//! The protocol is `relay-wire`'s and knows none of these; identity and trust are `relay-trust`'s. This crate joins them
//! to the operating system, once, so that both binaries wait, bound, drain and report in the same way.
//!
//! - [`clock`], [`mailbox`], [`driver`]: one connection, one state machine, one loop.
//! - [`tasks`]: who owns a task.
//! - [`listen`], [`tls`]: connections come in, and the ClientHello decides.
//! - [`buffers`]: bytes on their way through TLS, in large steps and without memory for what is idle.
//! - [`handover`], [`splice`]: a data connection leaves TLS and becomes a tunnel.
//! - [`drain`], [`admin`], [`telemetry`], [`resources`], [`config`]: the process and its operator.
//! - [`notify`], [`activation`]: the process and the service manager that started it.

pub mod activation;
pub mod admin;
pub mod buffers;
pub mod clock;
pub mod config;
pub mod drain;
pub mod driver;
pub mod exit;
pub mod handover;
pub mod listen;
pub mod mailbox;
pub mod notify;
pub mod resources;
pub mod sandbox;
pub mod splice;
pub mod tasks;
pub mod telemetry;
pub mod tls;

#[cfg(test)]
mod test_tls;
