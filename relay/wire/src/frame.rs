//! SPEC §4.1, §6.2, §7.3: what travels on each kind of connection.

pub mod control;
pub mod data;
mod envelope;
pub mod opening;
pub mod reply;

#[cfg(test)]
mod tests;
