//! A whole edge on loopback, with hand-made devices and backends.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]
#![allow(clippy::wildcard_enum_match_arm, reason = "a test names the one variant it expects")]

mod backends;
mod kit;
mod life;
mod strangers;
mod tunnels;
