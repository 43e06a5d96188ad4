//! The command `rogue-edge` as its users meet it, against clients that are wrong in known ways.
//!
//! Texts are compared with files: `UPDATE_SNAPSHOTS=1 cargo test -p tools --test rogue_edge` writes them anew.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod cases;
mod clients;
mod faulty;
mod formats;
mod help;
mod kit;
mod waiting;
