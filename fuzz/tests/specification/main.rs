//! The second validator holds the examples and edge cases of FORMATS, agrees with the validator, and is independent of it.

mod agreement;
mod edges;
mod examples;
mod independence;
