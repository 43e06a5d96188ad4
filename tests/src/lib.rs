//! What the integration tests and benchmarks share: real processes, a relay made of them, and a small HTTP reader.

pub mod http;
pub mod process;
pub mod relay;
