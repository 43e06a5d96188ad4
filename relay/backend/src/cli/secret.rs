//! `secret add|list|revoke`.

use std::{num::NonZeroU32, path::PathBuf};

use clap::{Args, Subcommand};
use relay_runtime::config::HumanDuration;
use relay_trust::{MassSecret, write_secret_file};
use serde_json::json;

use super::{ConfigFile, Output, setup};
use crate::{
    config,
    error::Error,
    registry::{Registry, SecretInfo, UnixSeconds},
};

/// A label is for people and logs.
const LABEL_CHARS_MAX: usize = 64;

#[derive(Debug, Subcommand)]
pub(super) enum SecretCommand {
    /// Make a secret that lets new devices register and enrol their keys
    Add(AddArgs),
    /// Show the secrets, never their bytes
    List(ConfigFile),
    /// End a secret at once; what it has enrolled stays enrolled
    Revoke(RevokeArgs),
}

#[derive(Debug, Args)]
pub(super) struct AddArgs {
    #[command(flatten)]
    config: ConfigFile,
    /// How many devices it may enrol
    #[arg(long, value_parser = at_least_one)]
    uses: NonZeroU32,
    /// How long it may, for example 7d or 12h
    #[arg(long)]
    expires: HumanDuration,
    /// The new file for it, written with mode 0600; part of the devices' deployment package
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// What to call it in lists and logs; by default the first digits of its SHA-256
    #[arg(long)]
    label: Option<String>,
}

#[derive(Debug, Args)]
pub(super) struct RevokeArgs {
    #[command(flatten)]
    config: ConfigFile,
    /// Its label, as `secret list` shows it
    label: String,
}

/// A number that is not zero.
fn at_least_one(text: &str) -> Result<NonZeroU32, String> {
    text.parse().map_err(|_| "give a whole number, at least 1".to_owned())
}

pub(super) fn run(output: &Output, command: SecretCommand) -> Result<(), Error> {
    match command {
        SecretCommand::Add(args) => add(output, args),
        SecretCommand::List(config) => list(output, &config),
        SecretCommand::Revoke(args) => {
            let label = args.label;
            open(&args.config)?.revoke_secret(&label, UnixSeconds::now())?;
            output.write(&format!("{label} is revoked\n"), || json!({ "label": label, "status": "revoked" }))
        }
    }
}

fn open(config: &ConfigFile) -> Result<Registry, Error> {
    Ok(Registry::open(&config::registry_path(&config.config)?)?)
}

fn add(output: &Output, args: AddArgs) -> Result<(), Error> {
    let files = config::public_files(&args.config.config)?;
    let (_, pin) = setup::pins(&files.certificate)?;
    let secret = MassSecret::generate();
    let label = args.label.unwrap_or_else(|| secret.fingerprint());
    if label.is_empty() || label.chars().count() > LABEL_CHARS_MAX || label.chars().any(char::is_control) {
        return Err(Error::Option {
            option: "--label",
            value: label,
            problem: format!("not 1 to {LABEL_CHARS_MAX} printable characters"),
            remedy: "choose a label such as \"autumn-laptops\"",
        });
    }
    if args.expires.0.is_zero() {
        return Err(Error::Option {
            option: "--expires",
            value: "0s".to_owned(),
            problem: "it would be over at once".to_owned(),
            remedy: "give a time such as 7d",
        });
    }
    let mut registry = open(&args.config)?;
    // The file first: a secret that is live but was never written down would be lost.
    write_secret_file(&args.out, &format!("{}\n", *secret.to_hex()))?;
    let now = UnixSeconds::now();
    if let Err(error) = registry.add_secret(&label, &secret, u64::from(args.uses.get()), args.expires.0, now) {
        let _ = std::fs::remove_file(&args.out);
        return Err(error.into());
    }
    let expires_at = now.plus(args.expires.0);
    let text = format!(
        "made {} ({label}: {} device(s), until {expires_at})\n\nDevices need it with this master pin:\n  {pin}\n",
        args.out.display(),
        args.uses
    );
    output.write(&text, || {
        json!({
            "label": label,
            "file": args.out,
            "uses": args.uses,
            "expires_at": expires_at.to_string(),
            "master_pin": pin.to_string(),
        })
    })
}

fn list(output: &Output, config: &ConfigFile) -> Result<(), Error> {
    let secrets = open(config)?.secrets()?;
    let now = UnixSeconds::now();
    let mut text = String::from("STATUS   USES LEFT    EXPIRES               LABEL\n");
    for secret in &secrets {
        let uses = format!("{}/{}", secret.uses_left, secret.uses);
        let state = secret.state(now).as_str();
        text.push_str(&format!("{state:<8} {uses:<12} {:<21} {}\n", secret.expires_at.to_string(), secret.label));
    }
    let describe = |secret: &SecretInfo| {
        json!({
            "label": secret.label,
            "status": secret.state(now).as_str(),
            "created_at": secret.created_at.to_string(),
            "expires_at": secret.expires_at.to_string(),
            "uses": secret.uses,
            "uses_left": secret.uses_left,
        })
    };
    output.write(&text, || secrets.iter().map(describe).collect())
}
