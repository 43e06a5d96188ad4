//! Command-line tools around the relay: what they share.

pub use relay_runtime::exit;
