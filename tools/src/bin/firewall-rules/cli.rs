//! The command line: what can be asked for, with examples in every help text.

use std::io::{self, Write};

use clap::{Parser, Subcommand, ValueEnum};
use serde::Serialize;

use crate::error::Error;

/// Prints the rules that the relay needs of firewall 1 (inside to DMZ), of firewall 2 (internet to DMZ) and of the edge host: what
/// must pass, and nothing else.
#[derive(Debug, Parser)]
#[command(
    name = "firewall-rules",
    version,
    arg_required_else_help = true,
    args_conflicts_with_subcommands = true,
    after_help = "\
Examples:
  firewall-rules --edge 192.0.2.10 --port 8443 --master 10.0.0.11 --node 10.0.0.12 --node 10.0.0.13
  firewall-rules --config edge.toml --config hq/backend.toml --config node-a/backend.toml \\
      --edge edge.example.org=192.0.2.10,2001:db8::10 --master 10.0.0.11,2001:db8:1::11 --node 10.0.0.12
  firewall-rules --edge 192.0.2.10 --master 10.0.0.11 --node 10.0.0.12 --place firewall-1 > firewall-1.nft
  firewall-rules --edge a=192.0.2.10 --edge b=192.0.2.20 --master 10.0.0.11 --node 10.0.0.12 --format iptables --dir rules

Exit codes:
  0  the rules are printed
  2  wrong usage, or a wrong configuration; standard error says what to do"
)]
pub struct Cli {
    /// What to do instead of printing rules.
    #[command(subcommand)]
    pub command: Option<Command>,
    /// What to print.
    #[command(flatten)]
    pub print: crate::print::PrintArgs,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Show that the rules hold: the relay between real packet filters, each rule taken out in turn (Linux, root).
    Lab(crate::lab::LabArgs),
    /// Tell who opens connections to whom, in words and as a picture.
    Explain(Box<crate::explain::ExplainArgs>),
    /// Compare a saved rule set with what is needed: missing, superfluous, wider.
    Diff(Box<crate::diff::DiffArgs>),
    /// Write completions for a shell.
    Completions(crate::made::CompletionsArgs),
    /// Write the manual's pages.
    Man(crate::made::ManArgs),
    /// Acts inside one of the lab's namespaces.
    #[command(hide = true)]
    LabAgent,
    /// Starts a process of the lab's inside one of its namespaces.
    #[command(hide = true)]
    LabExec(crate::lab::exec::ExecArgs),
}

/// The form of a result that is no rules.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Form {
    /// For people.
    #[default]
    Text,
    /// JSON.
    Json,
}

/// A value as JSON, indented, with a line feed behind it.
///
/// # Errors
/// [`Error::Defect`]: these values can all be written.
pub fn json(value: &impl Serialize) -> Result<String, Error> {
    let text = serde_json::to_string_pretty(value).map_err(|error| Error::Defect(error.to_string()))?;
    Ok(text + "\n")
}

/// Writes a result to standard output. A reader that has seen enough (`| head`) is no failure.
///
/// # Errors
/// If it cannot be written.
pub fn print(text: &str) -> Result<(), Error> {
    tools::stdout::print(text).map_err(|source| Error::System { action: "write to standard output", source })
}

/// Writes remarks to standard error.
pub fn talk(notes: &[String]) {
    for note in notes {
        // Whoever reads standard error may be gone.
        let _ = writeln!(io::stderr(), "firewall-rules: note: {note}");
    }
}
