//! Command-line tools around the relay: what they share.

pub mod exit;
