//! The six formats through the crate's public door: golden vectors, the edge cases of FORMATS, properties.

mod examples;
mod generate;
mod ios;
mod macos;
mod properties;
mod vectors;
mod windows_phone;
