//! Command-line tools around the relay: what they share.

pub mod stop;

pub use relay_runtime::exit;
