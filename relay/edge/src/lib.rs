//! The edge: the one server in the DMZ. It listens on one port, judges every request before anything moves inward, and
//! joins devices' tunnels to backends without being able to read them. It never opens a connection, to anyone.
//!
//! From the outside in:
//!
//! - [`config`], [`setup`], [`cli`]: what an operator writes and runs.
//! - [`sockets`], [`server`]: an [`Edge`] is bound, run and drained; [`status`] is what its admin address says.
//! - [`admission`]: who may enter; [`route`]: what the ClientHello decides.
//! - [`device`], [`control`], [`data`], [`tunnel`]: one module for each kind of connection.
//! - [`hub`]: what they share; [`keystore`]: by which keys backends are known; [`metrics`]: what is counted.
//!
//! For use in another process: [`Config`], [`Edge::bind`], [`Edge::local_addr`], [`Edge::run`].

pub mod admission;
pub mod cli;
pub mod config;
pub mod control;
pub mod data;
pub mod device;
pub mod error;
pub mod hub;
pub mod keystore;
pub mod metrics;
pub mod route;
pub mod server;
pub mod setup;
pub mod shared;
pub mod sockets;
pub mod status;
pub mod tunnel;

pub use config::Config;
pub use error::EdgeError;
pub use server::Edge;
