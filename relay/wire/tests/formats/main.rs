//! The six formats through the crate's public door: golden vectors, the edge cases of FORMATS, properties.

mod examples;
mod ios;
mod macos;
mod vectors;
mod windows_phone;
