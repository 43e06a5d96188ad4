//! Oracles as plain functions of bytes: fuzz targets, tests and campaigns share them. `fuzz/targets.toml` lists the targets.
//!
//! [`targets`] names an oracle for each; [`run`] is what stands between the fuzzer and an oracle; `spec` is the second validator,
//! written from the text of the formats alone, which shares nothing with `relay-wire`.

pub mod canonical;
#[cfg(feature = "trust")]
pub mod certificates;
#[cfg(test)]
mod churn;
#[cfg(feature = "relay")]
pub mod config;
pub mod corpus;
pub mod delivery;
pub mod dictionary;
pub mod doc;
pub mod frames;
#[cfg(feature = "relay")]
pub mod handover;
#[cfg(feature = "relay")]
pub mod hello;
pub mod mutate;
#[cfg(feature = "trust")]
pub mod pins;
pub mod run;
pub mod seeds;
pub mod sessions;
pub mod six_formats;
pub mod spec;
#[cfg(feature = "trust")]
pub mod store;
pub mod targets;
pub mod validator;

pub use run::{Target, finding};
