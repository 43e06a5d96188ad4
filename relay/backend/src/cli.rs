//! The command line. Results go to standard output, talk to standard error.

use std::{
    io::{self, Write},
    path::{Path, PathBuf},
    process::ExitCode,
};

use clap::{Args, Parser, Subcommand, ValueEnum};
use relay_runtime::{
    drain::{Drain, signals},
    exit,
    notify::Notifier,
    resources, telemetry,
};

use crate::{backend::Backend, config::Config, error::Error};

mod device;
mod node;
mod secret;
mod setup;

const AFTER_HELP: &str = "\
Examples:
  relay-backend init --role master --name hq --dir /etc/sallyport/hq --edge edge.example.org:443
  relay-backend init --role storage-node --name node-a --dir /etc/sallyport/node-a --edge edge.example.org:443 \\
      --edge-pin edge.crt --master-cert hq.crt --service rsync=tcp://127.0.0.1:873
  relay-backend check --config /etc/sallyport/hq/backend.toml
  relay-backend check --config /etc/sallyport/hq/backend.toml --print > everything.toml
  relay-backend run --config /etc/sallyport/hq/backend.toml
  relay-backend secret add --config backend.toml --uses 500 --expires 7d --out fleet.secret
  relay-backend device revoke --config backend.toml linux:9d1f6e02b7c84a35b2e07d5c41f98a06

Signals of `run`:
  SIGTERM, SIGINT   leave the edges, let tunnels finish up to limits.drain, exit with 0; a second one stops at once
  SIGHUP            read configuration, certificate and keys again; what is bad is refused and the old stays

Readiness (/readyz): at least one edge is connected and, at a master, the registry works; /status shows every edge.

Under a service manager `run` says when it runs, reloads and stops, how things are, and that it lives (NOTIFY_SOCKET, WATCHDOG_USEC).

Exit codes:
  0  done
  1  failed at run time (the registry is busy, a file cannot be written)
  2  the command line, the configuration or a file that was given is wrong";

/// The backend of the Sallyport relay: beside an inside server, and it only dials out
#[derive(Debug, Parser)]
#[command(name = "relay-backend", version, after_help = AFTER_HELP)]
pub struct Cli {
    /// How results are written to standard output
    #[arg(long, global = true, value_enum, default_value = "text")]
    format: Format,
    #[command(subcommand)]
    command: Command,
}

/// The form of results.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people
    Text,
    /// For programs
    Json,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Make a folder with a commented configuration, certificate, keys and (master) registry
    Init(setup::InitArgs),
    /// Run until a signal ends it
    Run(ConfigFile),
    /// Check the configuration and every file it names; report all mistakes at once
    Check {
        #[command(flatten)]
        config: ConfigFile,
        /// Print the configuration that is in effect, every setting and every path in full, as TOML that `run` takes
        #[arg(long, conflicts_with = "sandbox")]
        print: bool,
        /// Enter the sandbox as `run` does, try what it forbids, and show what the kernel says; exit code 1 if anything goes
        /// through
        #[arg(long)]
        sandbox: bool,
    },
    /// Show the pins of the certificate: devices need the master's, the master its nodes'
    Fingerprint(ConfigFile),
    /// The devices in a master's registry; works while the master runs
    #[command(subcommand)]
    Device(device::DeviceCommand),
    /// The mass-deployment secrets in a master's registry; works while the master runs
    #[command(subcommand)]
    Secret(secret::SecretCommand),
    /// The storage nodes in a master's configuration
    #[command(subcommand)]
    Node(node::NodeCommand),
}

#[derive(Debug, Args)]
struct ConfigFile {
    /// The configuration file
    #[arg(long, default_value = "backend.toml", value_name = "FILE")]
    config: PathBuf,
}

/// Where results go.
struct Output {
    format: Format,
}

impl Output {
    /// Writes a result: `text` for people, `json` for programs. A reader that has gone is no error.
    fn write(&self, text: &str, json: impl FnOnce() -> serde_json::Value) -> Result<(), Error> {
        let result = match self.format {
            Format::Text => text.to_owned(),
            Format::Json => format!("{:#}\n", json()),
        };
        self.raw(&result)
    }

    fn raw(&self, text: &str) -> Result<(), Error> {
        let mut out = io::stdout().lock();
        match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
            Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(Error::System(error)),
            Ok(()) | Err(_) => Ok(()),
        }
    }
}

/// Runs a command; the exit code says how it went.
#[must_use]
pub fn main(cli: Cli) -> ExitCode {
    let output = Output { format: cli.format };
    let done = match cli.command {
        Command::Init(args) => setup::init(&output, args),
        Command::Run(ConfigFile { config }) => run(&config),
        Command::Check { config: ConfigFile { config }, sandbox: true, .. } => setup::check_sandbox(&output, &config),
        Command::Check { config: ConfigFile { config }, print, sandbox: false } => {
            return check_code(setup::check(&output, &config, print));
        }
        Command::Fingerprint(ConfigFile { config }) => setup::fingerprint(&output, &config),
        Command::Device(command) => device::run(&output, command),
        Command::Secret(command) => secret::run(&output, command),
        Command::Node(command) => node::run(&output, command),
    };
    match done {
        Ok(()) => ExitCode::from(exit::OK),
        Err(error) => fail(&error),
    }
}

fn check_code(checked: Result<u8, Error>) -> ExitCode {
    match checked {
        Ok(code) => ExitCode::from(code),
        Err(error) => fail(&error),
    }
}

fn fail(error: &Error) -> ExitCode {
    // If standard error is gone as well there is nobody to tell; the code still does.
    let _ = writeln!(io::stderr(), "error: {error}");
    ExitCode::from(error.exit_code())
}

/// First what needs rights: files and the address. Then the sandbox, before there is a second thread. Then everything else,
/// inside it.
fn run(file: &Path) -> Result<(), Error> {
    let config = Config::load(file)?;
    let admin = Backend::bind(&config)?;
    let (notifier, untold) = Notifier::of_process();
    let sandbox = config.policy().enter()?;
    let logging = telemetry::init(config.log_format, &config.log_filter);
    if let Err(error) = &logging {
        let _ = writeln!(io::stderr(), "warning: no logs: {error}");
    }
    if let Some(error) = untold {
        tracing::warn!(%error, "the service manager is told nothing");
    }
    for warning in config.identity.warnings() {
        tracing::warn!(warning, "certificate");
    }
    if let Err(error) = resources::raise_descriptor_limit() {
        tracing::warn!(%error, "the limit on open descriptors stays as it is");
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(Error::System)?;
    sandbox.log();
    runtime.block_on(async {
        let backend = Backend::serve(config, admin, sandbox)?;
        let drain = Drain::new();
        tracing::info!(
            name = %backend.observer().status().name,
            admin = backend.admin_addr().map(tracing::field::display),
            "running"
        );
        let observer = backend.observer();
        tokio::select! {
            // Signals are taken before the manager hears that the backend is ready.
            biased;
            failed = signals(drain.clone()) => failed.map_err(Error::System),
            () = backend.run(drain.clone()) => Ok(()),
            // It has no end of its own.
            () = notifier.run(drain, move || observer.figures()) => Ok(()),
        }
    })
}
