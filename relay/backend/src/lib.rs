//! The relay process beside an inside server, which only dials out.

pub mod backoff;
pub mod buffers;
pub mod config;
pub mod data;
pub mod edge;
pub mod expiring;
pub mod grants;
pub mod judge;
pub mod metrics;
pub mod pool;
pub mod registry;
pub mod revocations;
pub mod services;
pub mod tunnel;
