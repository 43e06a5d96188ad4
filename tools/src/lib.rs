//! Command-line tools around the relay: what they share.

pub mod html;
pub mod stdout;
pub mod stop;

pub use relay_runtime::exit;
