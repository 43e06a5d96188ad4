//! The second validator holds the examples and edge cases of FORMATS, agrees with the validator, and is independent of it.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod agreement;
mod edges;
mod examples;
mod independence;
