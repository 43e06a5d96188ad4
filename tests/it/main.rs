//! Integration tests: real processes and real peers, on loopback, ports from the system.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]
#![allow(clippy::wildcard_enum_match_arm, reason = "a test names the one variant it expects")]

mod alerts;
mod captured;
mod cli;
mod corpus;
mod forwarder;
mod hostile;
mod kit;
mod limits;
mod middle;
mod processes;
mod recovery;
mod registry;
mod requests;
mod rogue;
#[cfg(target_os = "linux")]
mod sandbox;
mod service_manager;
mod tls;
