//! The command `fingerprint-check` as its users meet it.
//!
//! Texts are compared with files: `UPDATE_SNAPSHOTS=1 cargo test -p tools --test fingerprint_check` writes them anew.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod cases;
mod connections;
mod formats;
mod help;
mod kit;
mod lab;
mod offline;
mod peers;
mod schema;
mod servers;
mod verdicts;
