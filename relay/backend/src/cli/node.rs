//! `node add|list`.

use std::{
    fs::{self, OpenOptions},
    io::Write,
    path::Path,
};

use clap::{Args, Subcommand};
use relay_runtime::config::Problems;
use relay_trust::Pin;
use relay_wire::ids::BackendName;
use serde_json::json;

use super::{ConfigFile, Output};
use crate::{config::Config, error::Error};

#[derive(Debug, Subcommand)]
pub(super) enum NodeCommand {
    /// Append a storage node to the master's configuration; a running master takes it over at SIGHUP
    Add(AddArgs),
    /// Show the storage nodes
    List(ConfigFile),
}

#[derive(Debug, Args)]
pub(super) struct AddArgs {
    #[command(flatten)]
    config: ConfigFile,
    /// The node's name
    #[arg(long)]
    name: BackendName,
    /// The node's pin, as its `init` or `fingerprint` prints it, or its certificate file
    #[arg(long, value_name = "PIN|FILE", value_parser = Pin::from_argument)]
    pin: Pin,
}

pub(super) fn run(output: &Output, command: NodeCommand) -> Result<(), Error> {
    match command {
        NodeCommand::Add(args) => add(output, &args),
        NodeCommand::List(config) => list(output, &config.config),
    }
}

fn nodes(file: &Path) -> Result<Vec<(BackendName, Pin)>, Error> {
    let config = Config::load(file)?;
    match config.master() {
        Some(master) => Ok(master.nodes.clone()),
        None => {
            Err(Problems::one("role", "a storage node knows no other nodes", "use the master's configuration").into())
        }
    }
}

fn add(output: &Output, args: &AddArgs) -> Result<(), Error> {
    let file = &args.config.config;
    if nodes(file)?.iter().any(|(name, _)| *name == args.name) {
        return Err(Error::Option {
            option: "--name",
            value: args.name.to_string(),
            problem: "the configuration names this node already".to_owned(),
            remedy: "correct its pin there",
        });
    }
    // A table at the end of the file belongs to nothing before it, whatever the file looks like.
    let lines = format!("\n[[node]]\nname = \"{}\"\npin = \"{}\"\n", args.name, args.pin);
    let failed = |source| Error::File { operation: "write", path: file.clone(), source };
    let before = fs::read(file).map_err(failed)?;
    let append = || {
        let mut opened = OpenOptions::new().append(true).open(file)?;
        opened.write_all(lines.as_bytes())?;
        opened.sync_all()
    };
    append().map_err(|source| {
        // A full disk may have taken half a table, and the configuration would not be read again.
        let _ = OpenOptions::new().write(true).open(file).and_then(|opened| opened.set_len(before.len() as u64));
        failed(source)
    })?;
    if let Err(error) = nodes(file) {
        // Only a file that changed under our hands comes here; what stood in it is put back.
        fs::write(file, before).map_err(failed)?;
        return Err(error);
    }
    let (name, pin) = (args.name.to_string(), args.pin.to_string());
    output.write(&format!("{name} added to {}\n", file.display()), || json!({ "name": name, "pin": pin }))
}

fn list(output: &Output, file: &Path) -> Result<(), Error> {
    let nodes = nodes(file)?;
    let text: String = nodes.iter().map(|(name, pin)| format!("{name}  {pin}\n")).collect();
    output.write(&text, || {
        nodes.iter().map(|(name, pin)| json!({ "name": name.to_string(), "pin": pin.to_string() })).collect()
    })
}
