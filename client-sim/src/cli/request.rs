//! The options of `request`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use relay_wire::{Platform, ids::BackendName, request::OperationName};

use super::EdgeArgs;

const BUILD_EXAMPLES: &str = "\
Examples:
  client-sim request build --platform linux --op ping --format text
  client-sim request build --platform win --op backup --node node-a --path 'C:\\Users\\Ana' --format explain
  client-sim request build --platform ios --op ping --field power.level=1.01 | client-sim request check --platform ios
  client-sim request build --platform mac --op register --user ana@example.com --mass-secret-file mass.secret

A proof is made over the TLS connection that carries it, so one that is built here is made over an exporter of 32 zero
bytes: right in form, worth nothing to a master. `request send` makes the real one.";

const SEND_EXAMPLES: &str = "\
Examples:
  client-sim request send --edge 127.0.0.1:4433 --pin spki:… --roots edge.crt --platform linux --op ping
  client-sim request send --edge 127.0.0.1:4433 --pin spki:… --roots edge.crt --platform linux --op register \\
      --user ana@example.com --mass-secret-file mass.secret
  client-sim request send --edge 127.0.0.1:4433 --pin spki:… --roots edge.crt --platform wp --body 3c53796e…

Exit codes: 0 accepted, or a tunnel was offered; 1 refused, later, or no reply; 2 wrong usage; 3 halted (wrong certificate).";

const CHECK_EXAMPLES: &str = "\
Examples:
  client-sim request check --platform linux bodies.hex
  generate-bodies | client-sim request check --platform android --explain
  client-sim request check --frame frames.hex

One line of hex is one body; an empty line is an empty body. One line comes back for each: `ok` or the code.
Exit codes: 0 every line was judged, whatever the verdicts; 1 with --fail and a refused line; 2 a line that is not hex.";

/// The options of `request`.
#[derive(Args, Clone, Debug)]
pub struct RequestArgs {
    /// What to do with a request.
    #[command(subcommand)]
    pub command: RequestCommand,
}

/// What `request` does.
#[derive(Clone, Debug, Subcommand)]
pub enum RequestCommand {
    /// Print one request of a simulated device.
    Build(Box<BuildArgs>),
    /// Send one request to an edge and print its reply.
    Send(Box<SendArgs>),
    /// Judge request bodies as the edge does.
    Check(CheckArgs),
}

/// An operation as an option.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum OperationArg {
    /// First contact.
    Register,
    /// Later contacts.
    Auth,
    /// Keep the connection.
    Ping,
    /// Device to node.
    Backup,
    /// Node to device.
    Restore,
    /// Both ways.
    Sync,
}

impl OperationArg {
    /// The operation.
    #[must_use]
    pub const fn name(self) -> OperationName {
        match self {
            Self::Register => OperationName::Register,
            Self::Auth => OperationName::Auth,
            Self::Ping => OperationName::Ping,
            Self::Backup => OperationName::Backup,
            Self::Restore => OperationName::Restore,
            Self::Sync => OperationName::Sync,
        }
    }
}

/// What a request says.
#[derive(Args, Clone, Debug, Default)]
pub struct BodyArgs {
    /// The operation.
    #[arg(long, value_enum)]
    pub op: Option<OperationArg>,
    /// Which simulated device of the platform speaks: its id and facts follow from this and --seed.
    #[arg(long, default_value_t = 0, value_name = "N")]
    pub index: u32,
    /// Decides the simulated devices.
    #[arg(long, default_value_t = 1, value_name = "N")]
    pub seed: u64,
    /// Another device id, spelled as the platform spells it.
    #[arg(long, value_name = "ID")]
    pub id: Option<String>,
    /// The user of `register`.
    #[arg(long, value_name = "USER")]
    pub user: Option<String>,
    /// The storage node of a transfer.
    #[arg(long, value_name = "NAME")]
    pub node: Option<BackendName>,
    /// A path of a transfer; repeats.
    #[arg(long = "path", value_name = "PATH")]
    pub paths: Vec<String>,
    /// The bytes that a transfer is expected to move.
    #[arg(long, value_name = "BYTES")]
    pub estimate: Option<u64>,
    /// The time it was sent, in seconds since 1970 [default: now].
    #[arg(long, value_name = "SECONDS")]
    pub sent_at: Option<u64>,
    /// The nonce, 32 hex digits [default: random].
    #[arg(long, value_name = "HEX")]
    pub nonce: Option<String>,
    /// Put another value into a field, named as `--format explain` shows it; nothing is checked. Repeats.
    #[arg(long = "field", value_name = "NAME=VALUE")]
    pub fields: Vec<String>,
    /// The same with the raw bytes of the value, as hex. Repeats.
    #[arg(long = "field-hex", value_name = "NAME=HEX")]
    pub fields_hex: Vec<String>,
    /// Makes the MASS proof of `register` [default: a secret drawn at random].
    #[arg(long, value_name = "FILE")]
    pub mass_secret_file: Option<PathBuf>,
    /// Makes the DEV proof of all else: a device's key, PKCS#8 PEM, mode 0600 [default: a key drawn at random].
    #[arg(long, value_name = "FILE")]
    pub key_file: Option<PathBuf>,
}

/// The form of a built request.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum BuildFormat {
    /// The body as one line of hex, as `request check` reads it.
    #[default]
    Hex,
    /// The body as it is (Windows: as hex, since it is binary).
    Text,
    /// One JSON object with platform, operation, hex and fields.
    Json,
    /// Field by field: offset, name, value.
    Explain,
}

/// The options of `request build`.
#[derive(Args, Clone, Debug)]
#[command(after_help = BUILD_EXAMPLES)]
pub struct BuildArgs {
    /// The platform: win, mac, linux, ios, android or wp.
    #[arg(long, value_name = "PLATFORM", value_parser = super::platform)]
    pub platform: Platform,
    /// What it says.
    #[command(flatten)]
    pub body: BodyArgs,
    /// How to print it.
    #[arg(long, value_enum, default_value_t)]
    pub format: BuildFormat,
    /// Put the opening frame's header in front.
    #[arg(long)]
    pub frame: bool,
}

/// The options of `request send`.
#[derive(Args, Clone, Debug)]
#[command(after_help = SEND_EXAMPLES)]
pub struct SendArgs {
    /// The edge.
    #[command(flatten)]
    pub edge: EdgeArgs,
    /// The platform: win, mac, linux, ios, android or wp.
    #[arg(long, value_name = "PLATFORM", value_parser = super::platform)]
    pub platform: Platform,
    /// What it says.
    #[command(flatten)]
    pub request: BodyArgs,
    /// A body as hex instead, sent as it is; `-` reads one line from standard input.
    #[arg(long, value_name = "HEX|-", conflicts_with = "op")]
    pub body: Option<String>,
    /// The form of the reply on standard output.
    #[arg(long, value_enum, default_value_t)]
    pub format: super::Format,
}

/// The options of `request check`.
#[derive(Args, Clone, Debug)]
#[command(after_help = CHECK_EXAMPLES)]
pub struct CheckArgs {
    /// The platform whose format the bodies are in (with --frame: which the headers must name).
    #[arg(long, value_name = "PLATFORM", value_parser = super::platform, required_unless_present = "frame")]
    pub platform: Option<Platform>,
    /// Each line is an opening frame's header and its body.
    #[arg(long)]
    pub frame: bool,
    /// Name the field after the code.
    #[arg(long)]
    pub explain: bool,
    /// Exit with 1 if any line was refused.
    #[arg(long)]
    pub fail: bool,
    /// Where the lines are; `-` is standard input.
    #[arg(default_value = "-", value_name = "FILE")]
    pub file: PathBuf,
}
