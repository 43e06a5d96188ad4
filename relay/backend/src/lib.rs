//! The relay process beside an inside server, which only dials out.

pub mod buffers;
pub mod expiring;
pub mod grants;
pub mod judge;
pub mod metrics;
pub mod registry;
pub mod revocations;
pub mod services;
