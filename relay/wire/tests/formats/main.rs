//! The six formats through the crate's public door: golden vectors, the edge cases of FORMATS, properties.

mod examples;
mod vectors;
