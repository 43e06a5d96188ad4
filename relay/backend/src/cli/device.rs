//! `device add|import|list|revoke|reset`.

use std::{
    fs::File,
    io::{self, BufWriter, Read, Write},
    path::{Path, PathBuf},
};

use clap::{Args, Subcommand, ValueEnum};
use relay_wire::Platform;
use serde_json::{Value, json};

use super::{ConfigFile, Format, Output};
use crate::{
    config,
    error::Error,
    registry::{
        Device, DeviceState, Registry, UnixSeconds,
        entry::{self, EntryError},
        import,
    },
};

/// Bytes of a public key file at most.
const KEY_BYTES_MAX: u64 = 16_384;

#[derive(Debug, Subcommand)]
pub(super) enum DeviceCommand {
    /// Add one device with its public key
    Add(AddArgs),
    /// Add many devices from a file: all, or none if a line is wrong
    #[command(after_help = IMPORT_HELP)]
    Import(ImportArgs),
    /// Show the devices
    List(ListArgs),
    /// Refuse a device from now on, and end its sessions and tunnels within about a second
    Revoke(DeviceArgs),
    /// Forget a device's key, so that a mass secret may enrol it again
    Reset(DeviceArgs),
}

const IMPORT_HELP: &str = "\
CSV (with this header, columns in any order, name optional):
  platform,id,user,name,public_key
  linux,9d1f6e02b7c84a35b2e07d5c41f98a06,ana@example.com,build host,MFkwEwYHKoZIzj0CAQYI...

JSON lines, one object a line with the same fields:
  {\"platform\":\"linux\",\"id\":\"9d1f...\",\"user\":\"ana@example.com\",\"public_key\":\"MFkw...\"}

public_key is the P-256 SubjectPublicKeyInfo in base64, or PEM.";

#[derive(Debug, Args)]
pub(super) struct AddArgs {
    #[command(flatten)]
    config: ConfigFile,
    /// windows, macos, linux, ios, android or wp
    #[arg(long)]
    platform: String,
    /// The device's id as its platform spells it
    #[arg(long)]
    id: String,
    /// Whose device it is, such as ana@example.com
    #[arg(long)]
    user: String,
    /// What people call it
    #[arg(long, default_value = "")]
    name: String,
    /// A PEM file with its public key (ECDSA P-256)
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum ImportFormat {
    /// CSV with a header line
    Csv,
    /// One JSON object a line
    Jsonl,
}

#[derive(Debug, Args)]
pub(super) struct ImportArgs {
    #[command(flatten)]
    config: ConfigFile,
    /// The file; `-` is standard input
    file: PathBuf,
    /// The file's form; by default told from its name, and CSV on standard input
    #[arg(long, value_enum)]
    input: Option<ImportFormat>,
}

#[derive(Debug, Args)]
pub(super) struct ListArgs {
    #[command(flatten)]
    config: ConfigFile,
    /// Only these
    #[arg(long, value_parser = ["active", "revoked", "reset"])]
    status: Option<String>,
}

#[derive(Debug, Args)]
pub(super) struct DeviceArgs {
    #[command(flatten)]
    config: ConfigFile,
    /// The device as `device list` shows it, PLATFORM:ID
    device: String,
}

pub(super) fn run(output: &Output, command: DeviceCommand) -> Result<(), Error> {
    match command {
        DeviceCommand::Add(args) => add(output, &args),
        DeviceCommand::Import(args) => import_file(output, &args),
        DeviceCommand::List(args) => list(output, &args),
        DeviceCommand::Revoke(args) => {
            let key = registry_key(&args.device)?;
            open(&args.config)?.revoke_device(&key, UnixSeconds::now())?;
            output.write(&format!("{key} is revoked\n"), || json!({ "device": key, "status": "revoked" }))
        }
        DeviceCommand::Reset(args) => {
            let key = registry_key(&args.device)?;
            open(&args.config)?.reset_device(&key)?;
            output.write(&format!("{key} may enrol again\n"), || json!({ "device": key, "status": "reset" }))
        }
    }
}

fn open(config: &ConfigFile) -> Result<Registry, Error> {
    Ok(Registry::open(&config::registry_path(&config.config)?)?)
}

/// The registry key of `PLATFORM:ID`.
fn registry_key(text: &str) -> Result<String, Error> {
    let (platform, id) = text.split_once(':').unwrap_or((text, ""));
    let known = Platform::from_name(platform).ok_or_else(|| EntryError::Platform(platform.to_owned()))?;
    Ok(entry::device_id(known, id)?.registry_key())
}

fn add(output: &Output, args: &AddArgs) -> Result<(), Error> {
    let failed = |source| Error::File { operation: "read", path: args.key.clone(), source };
    let mut pem = String::new();
    File::open(&args.key).map_err(failed)?.take(KEY_BYTES_MAX).read_to_string(&mut pem).map_err(failed)?;
    let device = entry::device(&args.platform, &args.id, &args.user, &args.name, &pem)?;
    let device = open(&args.config)?.add_device(&device, UnixSeconds::now())?;
    output.write(&format!("{} is active\n", device.id.registry_key()), || describe(&device))
}

fn import_file(output: &Output, args: &ImportArgs) -> Result<(), Error> {
    let is_stdin = args.file == Path::new("-");
    let format = match args.input {
        Some(ImportFormat::Csv) => import::Format::Csv,
        Some(ImportFormat::Jsonl) => import::Format::JsonLines,
        None => match args.file.extension().and_then(|extension| extension.to_str()) {
            Some("json" | "jsonl" | "ndjson") => import::Format::JsonLines,
            Some(_) | None => import::Format::Csv,
        },
    };
    let reader: Box<dyn Read> = if is_stdin {
        Box::new(io::stdin().lock())
    } else {
        let path = args.file.clone();
        Box::new(File::open(&args.file).map_err(|source| Error::File { operation: "read", path, source })?)
    };
    let mut registry = open(&args.config)?;
    let count = import::import(&mut registry, reader, format, UnixSeconds::now())?;
    output.write(&format!("{count} device(s) added\n"), || json!({ "added": count }))
}

fn list(output: &Output, args: &ListArgs) -> Result<(), Error> {
    let registry = open(&args.config)?;
    let wanted = |device: &Device| args.status.as_deref().is_none_or(|status| device.state.as_str() == status);
    let mut out = BufWriter::new(io::stdout().lock());
    let mut failed = None;
    let mut first = true;
    let mut line = |text: &str| match out.write_all(text.as_bytes()) {
        Ok(()) => true,
        Err(error) => {
            failed = Some(error);
            false
        }
    };
    line(match output.format {
        Format::Text => "STATUS   ENROLLED              LAST SEEN             DEVICE  USER  NAME\n",
        Format::Json => "[",
    });
    registry.for_each_device(|device| {
        if !wanted(&device) {
            return true;
        }
        let separator = if std::mem::take(&mut first) { "\n" } else { ",\n" };
        match output.format {
            Format::Text => line(&row(&device)),
            Format::Json => line(&format!("{separator}{}", describe(&device))),
        }
    })?;
    if output.format == Format::Json {
        line("\n]\n");
    }
    match failed.or(out.flush().err()) {
        Some(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(Error::System(error)),
        Some(_) | None => Ok(()),
    }
}

fn row(device: &Device) -> String {
    let time = |at: Option<UnixSeconds>| at.map_or_else(|| "-".to_owned(), |at| at.to_string());
    format!(
        "{:<8} {:<21} {:<21} {}  {}  {}\n",
        device.state.as_str(),
        time(device.enrolled_at),
        time(device.last_seen_at),
        device.id.registry_key(),
        device.user,
        device.name
    )
}

fn describe(device: &Device) -> Value {
    let time = |at: Option<UnixSeconds>| at.map(|at| at.to_string());
    json!({
        "device": device.id.registry_key(),
        "platform": device.id.platform().as_str(),
        "id": device.id.text(),
        "user": device.user,
        "name": device.name,
        "status": device.state.as_str(),
        "may_enrol": device.state == DeviceState::Reset,
        "key": device.spki.as_deref().map(|spki| {
            relay_trust::Pin::new(relay_trust::PinKind::Spki, relay_trust::sha256(spki)).to_string()
        }),
        "enrolled_at": time(device.enrolled_at),
        "revoked_at": time(device.revoked_at),
        "last_seen_at": time(device.last_seen_at),
    })
}
