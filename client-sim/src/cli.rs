//! The command line: what can be asked for, with examples in every help text.

use std::{num::NonZeroU32, path::PathBuf};

use clap::{Args, Parser, Subcommand, ValueEnum};
use relay_trust::{PinSet, RootSource};
use relay_wire::{Platform, ids::BackendName};

use crate::{error::EXIT_CODES, target::EdgeAddress};

mod connect;
mod request;
mod run;

pub use connect::ConnectArgs;
pub use request::{BodyArgs, BuildArgs, BuildFormat, CheckArgs, OperationArg, RequestArgs, RequestCommand, SendArgs};
pub use run::{Format, RunArgs};

/// Simulated and real devices for a Sallyport relay.
#[derive(Debug, Parser)]
#[command(name = "client-sim", version, about, after_help = EXIT_CODES)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run a fleet of simulated devices, by default against a relay embedded in this process.
    Run(Box<RunArgs>),
    /// Forward local TCP connections through the relay: one enrolled device, each connection a tunnel.
    Connect(Box<ConnectArgs>),
    /// Build, send or check one request: curl for this protocol.
    Request(Box<RequestArgs>),
}

/// Which edge, and by what to know it.
#[derive(Args, Clone, Debug, Default)]
pub struct EdgeArgs {
    /// The edge's address; several, by commas or repeated, are tried in order.
    #[arg(long = "edge", value_name = "HOST:PORT", value_delimiter = ',')]
    pub edges: Vec<EdgeAddress>,
    /// The name that the edge's certificate must carry [default: the host of the first --edge].
    #[arg(long, value_name = "NAME")]
    pub server_name: Option<String>,
    /// The edge's certificate pins, as `relay-edge fingerprint` prints them: `spki:HEX`, `leaf:HEX`, `sha256//BASE64`; or
    /// its certificate file.
    #[arg(long = "pin", value_name = "PIN|FILE[,...]", value_parser = PinSet::from_argument)]
    pub pins: Option<PinSet>,
    /// The roots that the edge's chain must lead to: `system`, `mozilla`, or a PEM file (a self-signed edge
    /// certificate may be its own root).
    #[arg(long, value_name = "FILE|system|mozilla")]
    pub roots: Option<RootSource>,
}

/// What a device gets with its deployment, besides the edge.
#[derive(Args, Clone, Debug, Default)]
pub struct DeploymentArgs {
    /// The master's certificate pins, as `relay-backend init --role master` prints them; or its certificate file.
    #[arg(long = "master-pin", value_name = "PIN|FILE[,...]", value_parser = PinSet::from_argument)]
    pub master_pins: Option<PinSet>,
    /// A file with the mass-deployment secret (mode 0600), as `relay-backend secret add` writes it.
    #[arg(long, value_name = "FILE")]
    pub mass_secret_file: Option<PathBuf>,
    /// The storage node.
    #[arg(long, value_name = "NAME")]
    pub node: Option<BackendName>,
}

/// A platform as people name it.
///
/// # Errors
/// A text that lists the names.
pub fn platform(name: &str) -> Result<Platform, String> {
    Platform::from_name(name)
        .ok_or_else(|| "give win or windows, mac or macos, linux, ios, android, wp or windows-phone".to_owned())
}

/// A number that is not zero.
fn at_least_one(text: &str) -> Result<NonZeroU32, String> {
    text.parse().map_err(|_| "give a whole number, at least 1".to_owned())
}

/// How output on standard output is formatted where it is text or JSON.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// One JSON object per line.
    Json,
}
