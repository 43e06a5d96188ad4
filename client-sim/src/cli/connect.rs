//! The options of `connect`.

use std::{net::SocketAddr, num::NonZeroU32, path::PathBuf};

use clap::Args;
use relay_wire::{Platform, ids::ServiceName};

use super::{DeploymentArgs, EdgeArgs, LogFormat};
use crate::connect::Forward;

const EXAMPLES: &str = "\
Examples:
  First start, with what the administrator handed out; the device enrols and remembers all of it in the folder:
    client-sim connect --state ~/.sallyport --edge edge.example.com:443 --pin spki:… --roots edge.crt \\
        --master-pin spki:… --mass-secret-file mass.secret --user ana@example.com --node node-a \\
        --listen 127.0.0.1:9000 --service web
  Every later start:
    client-sim connect --state ~/.sallyport --node node-a --listen 127.0.0.1:9000 --service web
  Several services:
    client-sim connect --state ~/.sallyport --node node-a --forward 127.0.0.1:9000=web --forward 127.0.0.1:5433=postgres
  After a halt, when a person has found out why the certificate was another one:
    client-sim connect --state ~/.sallyport --reset-halt
  After `relay-backend device reset`, to enrol again:
    client-sim connect --state ~/.sallyport --mass-secret-file mass.secret --listen 127.0.0.1:9000 --service web

Prints `listening on ADDRESS for SERVICE` on standard error for each service when it is ready.
Exit codes: 0 drained after SIGTERM or Ctrl-C; 1 failed; 2 wrong usage or state; 3 halted (wrong certificate).";

/// The options of `connect`.
#[derive(Args, Clone, Debug)]
#[command(after_help = EXAMPLES)]
pub struct ConnectArgs {
    /// The folder that holds this device's key, id, pins and edges (made at the first start).
    #[arg(long, value_name = "DIR")]
    pub state: PathBuf,
    /// The edge (needed at the first start; later it overrides what the state holds, and is remembered).
    #[command(flatten)]
    pub edge: EdgeArgs,
    /// The deployment (needed at the first start).
    #[command(flatten)]
    pub deployment: DeploymentArgs,
    /// A local address to listen on; pairs with the --service at the same place. Port 0: chosen by the system.
    #[arg(long, value_name = "ADDR:PORT")]
    pub listen: Vec<SocketAddr>,
    /// The service behind the --listen at the same place.
    #[arg(long, value_name = "NAME")]
    pub service: Vec<ServiceName>,
    /// A local address and its service in one.
    #[arg(long, value_name = "ADDR:PORT=SERVICE")]
    pub forward: Vec<Forward>,
    /// The platform whose format, TLS and habits this device has; fixed at the first start: win, mac, linux, ios,
    /// android or wp [default: linux].
    #[arg(long, value_name = "PLATFORM", value_parser = super::platform)]
    pub platform: Option<Platform>,
    /// Whose device it is, as `name@example.com`; needed to enrol.
    #[arg(long, value_name = "USER", value_parser = user)]
    pub user: Option<String>,
    /// The path that sync requests name, in the platform's own syntax [default: one that fits the platform].
    #[arg(long, value_name = "PATH")]
    pub path: Option<String>,
    /// Local connections at one time, over all services; further ones wait in the listen queue.
    #[arg(long, default_value = "1024", value_name = "N", value_parser = super::at_least_one)]
    pub connections_max: NonZeroU32,
    /// Sessions at the edge that ask for tunnels side by side.
    #[arg(long, default_value = "2", value_name = "N", value_parser = super::at_least_one)]
    pub sessions: NonZeroU32,
    /// Remove the halted marker from the state and exit.
    #[arg(long)]
    pub reset_halt: bool,
    /// The form of log lines on standard error.
    #[arg(long, value_enum, default_value_t)]
    pub log: LogFormat,
    /// Also log a line for each connection: bytes each way, times, how it ended.
    #[arg(long, short)]
    pub verbose: bool,
}

/// The shape of a user, so that a slip is named here: the edge refuses what breaks its grammar, and tells a stranger no reason.
fn user(text: &str) -> Result<String, String> {
    let well_formed = text.split_once('@').is_some_and(|(name, domain)| !name.is_empty() && domain.contains('.'));
    if well_formed && !text.contains(char::is_whitespace) {
        Ok(text.to_owned())
    } else {
        Err("write it as name@example.com".to_owned())
    }
}
