//! Simulated and real devices for a Sallyport relay.
//!
//! | module | what it is |
//! |---|---|
//! | [`device`] | one device: connect, enrol, authenticate, tunnels; what everything else here is made of |
//! | [`profiles`] | devices of the six platforms, made from a seed |
//! | [`fleet`], [`schedule`], [`record`], [`report`] | `run`: many devices, what is expected of each, what was seen |
//! | [`connect`] | `connect`: local ports through the relay to services |
//! | [`request`] | `request`: one request built, explained, sent or checked |

#[cfg(not(unix))]
compile_error!("client-sim is for Unix: it relies on file modes to keep keys private");

pub mod cli;
pub mod connect;
pub mod cpu;
pub mod device;
pub mod embedded;
pub mod error;
pub mod fleet;
pub mod hex;
pub mod profiles;
pub mod progress;
pub mod record;
pub mod report;
pub mod request;
pub mod run;
pub mod schedule;
pub mod target;

pub use device::{Device, Failure};
pub use error::Error;

use cli::{Cli, Command};

/// Runs a command.
///
/// # Errors
/// Why it did not succeed; [`Error::exit_code`] has the exit code.
pub fn execute(cli: Cli) -> Result<(), Error> {
    match cli.command {
        Command::Run(args) => run::run(&args),
        Command::Connect(args) => connect::run(*args),
        Command::Request(args) => request::run(*args),
    }
}
