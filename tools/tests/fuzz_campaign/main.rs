//! The command `fuzz-campaign` as its users meet it.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod campaign;
mod coverage;
mod kit;
mod ledger;
mod mistakes;
