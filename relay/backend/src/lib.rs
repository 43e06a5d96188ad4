//! The relay process beside an inside server. It only dials out: a control connection to each edge, and data connections
//! that become tunnels to the services beside it.
//!
//! A master also authenticates devices ([`judge`]), keeps the [`registry`] and signs [`grants`]; a storage node verifies
//! them. Nothing here is global: several [`Backend`]s can live in one process.

mod backend;
pub mod backoff;
pub mod cli;
pub mod config;
mod control;
mod data;
mod edge;
pub mod error;
pub mod expiring;
pub mod grants;
mod init;
pub mod judge;
pub mod metrics;
mod pool;
pub mod registry;
mod reload;
pub mod revocations;
pub mod services;
mod status;
mod tunnel;

pub use backend::{Backend, Observer};
pub use config::Config;
pub use edge::EdgeError;
pub use error::Error;
pub use init::{InitOptions, InitReport, InvalidService, OfferedService, init};
pub use status::{CertificateStatus, EdgeStatus, RegistryStatus, Status};
