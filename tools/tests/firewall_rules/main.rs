//! The command `firewall-rules` as its users meet it.
//!
//! Texts are compared with files: `UPDATE_SNAPSHOTS=1 cargo test -p tools --test firewall_rules` writes them anew.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod cases;
mod diffs;
mod formats;
mod help;
mod kit;
mod kubernetes;
mod lab;
mod parsers;
