//! What the integration tests and benchmarks share: real processes, a relay made of them, upstreams, and a small HTTP reader.

pub mod http;
#[cfg(unix)]
pub mod manager;
pub mod peer;
pub mod process;
pub mod relay;
pub mod upstream;
