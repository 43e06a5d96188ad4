//! `firewall-rules lab`: the generated rules in real packet filters, with the real relay between them.

pub mod agent;
mod agents;
mod attempts;
mod error;
pub mod exec;
mod matrix;
mod namespaces;
mod plan;
mod processes;
mod program;
mod progress;
mod report;
mod requirements;
mod rows;
mod run;
mod service;
mod sockets;
mod topology;
mod world;

use std::{
    fs,
    io::{self, IsTerminal, Write},
    path::{Path, PathBuf},
};

use clap::{Args, ValueEnum};
use tools::{exit, stop::Stop};

use self::{error::LabError, report::Form};
use crate::{error::Error, network::Network};

/// The environment cannot have what the lab is made of.
const UNSUPPORTED: u8 = 3;

const HELP: &str = "\
Examples:
  sudo firewall-rules lab                          build it, show it, remove it; about a minute and a half
  sudo firewall-rules lab --out lab-report         the same, and page, JSON, text, rules and logs in a folder
  sudo firewall-rules lab --strace                 also count the edge's calls of connect
  sudo firewall-rules lab --clients 0.0.0.0/0,::/0 with the rules for devices anywhere
  firewall-rules lab --plan                        what would be tried; needs no root
  sudo firewall-rules lab --clean                  remove what killed runs have left

It needs Linux, root, the programs ip, nft and ss (Debian: apt-get install iproute2 nftables), and the
binaries relay-edge, relay-backend and client-sim beside this one. All traffic stays in five network
namespaces of its own; the host's interfaces, routes and rules are never touched.

Exit codes:
  0  everything was seen as it must be
  1  something was not; the report says what
  2  wrong usage, something is missing, or it was interrupted; standard error says what to do
  3  this environment cannot have network namespaces or packet filters: nothing was tried";

/// Options of the lab.
#[derive(Args, Debug)]
#[command(after_help = HELP)]
pub struct LabArgs {
    /// The edge's port.
    #[arg(long, value_name = "PORT", default_value_t = 8443, value_parser = port)]
    port: u16,
    /// The networks that devices come from, as for the rules [default: those of the lab's own devices, so that every
    /// rule has one row].
    #[arg(long, value_name = "NETWORK,...", value_delimiter = ',')]
    clients: Vec<Network>,
    /// Devices of each fleet, over the six platforms in equal parts.
    #[arg(long, value_name = "N", default_value_t = 12, value_parser = clap::value_parser!(u32).range(6..=600))]
    devices: u32,
    /// Run the edge under strace, and count its calls of connect.
    #[arg(long)]
    strace: bool,
    /// The form of the result on standard output.
    #[arg(long, value_enum, default_value_t)]
    format: OutputForm,
    /// Write the result into a file too, in the form of its ending: .txt, .json or .html. Repeats.
    #[arg(long = "report", value_name = "FILE", value_parser = report_file)]
    reports: Vec<(PathBuf, Form)>,
    /// Write the result in every form, the rules that were loaded, and the logs of all processes into this folder.
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// The folder of relay-edge, relay-backend and client-sim [default: this program's own].
    #[arg(long, value_name = "DIR")]
    binaries: Option<PathBuf>,
    /// Print what would be tried and what must be seen, and do nothing.
    #[arg(long, conflicts_with = "clean")]
    plan: bool,
    /// Remove what runs that were killed have left, and do nothing else.
    #[arg(long)]
    clean: bool,
}

/// A form on standard output.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum OutputForm {
    /// Tables for people.
    #[default]
    Text,
    /// One JSON object.
    Json,
}

/// The edge's port: one that nothing else in the lab has.
fn port(text: &str) -> Result<u16, String> {
    let port: u16 = text.parse().ok().filter(|port| *port > 0).ok_or("give a port between 1 and 65535")?;
    let taken = [rows::SSH_PORT, rows::WEB_PORT, rows::ADMIN_PORT].into_iter().chain(world::UDP_PORTS);
    if taken.into_iter().any(|other| other == port) {
        return Err(format!("the lab has something else on port {port}; give another one"));
    }
    Ok(port)
}

/// A file whose ending names a form, in a folder that exists: found out before the lab has run.
fn report_file(text: &str) -> Result<(PathBuf, Form), String> {
    let path = PathBuf::from(text);
    let form = Form::of(&path).ok_or("the ending must be .txt, .json or .html")?;
    match path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        Some(folder) if !folder.is_dir() => Err("there is no such folder; make it first".to_owned()),
        _ => Ok((path, form)),
    }
}

/// Does what was asked; gives the exit code.
///
/// # Errors
/// If a report cannot be written.
pub fn execute(arguments: &LabArgs) -> Result<u8, Error> {
    let outcome = if arguments.plan {
        plan(arguments)
    } else if arguments.clean {
        clean()
    } else {
        return show(arguments);
    };
    Ok(outcome.map_or_else(|error| complain(&error), |()| exit::OK))
}

/// Says why there is no result; gives the exit code.
fn complain(error: &LabError) -> u8 {
    // Whoever reads standard error may be gone.
    let _ = writeln!(io::stderr(), "firewall-rules lab: {error}");
    match error {
        LabError::Unsupported(_) => UNSUPPORTED,
        LabError::Missing(_) | LabError::Failed { .. } | LabError::Stopped => exit::USAGE,
    }
}

fn plan(arguments: &LabArgs) -> Result<(), LabError> {
    let plan = plan::Plan::new(arguments.port, &arguments.clients)?;
    let text = match arguments.format {
        OutputForm::Text => plan.text(),
        OutputForm::Json => plan.json(),
    };
    crate::cli::print(&text).map_err(|error| LabError::failed("print the plan", error))
}

fn clean() -> Result<(), LabError> {
    requirements::root_and_programs(false)?;
    let cleaned = namespaces::clean(&Stop::default())?;
    let _ = writeln!(io::stderr(), "removed {} namespaces and {} folders", cleaned.namespaces, cleaned.folders);
    Ok(())
}

fn show(arguments: &LabArgs) -> Result<u8, Error> {
    if let Some(folder) = &arguments.out {
        fs::create_dir_all(folder).map_err(Error::file("create", folder))?;
    }
    let report = match run::run(arguments) {
        Ok(report) => report,
        Err(error) => return Ok(complain(&error)),
    };
    let colour = io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
    let form = match arguments.format {
        OutputForm::Text => Form::Text,
        OutputForm::Json => Form::Json,
    };
    // The result is printed first: a file that cannot be written must not cost it.
    crate::cli::print(&report.render(form, colour)?)?;
    let write = |path: &Path, form| fs::write(path, report.render(form, false)?).map_err(Error::file("write", path));
    for (path, form) in &arguments.reports {
        write(path, *form)?;
    }
    if let Some(folder) = &arguments.out {
        for (name, form) in [("report.txt", Form::Text), ("report.json", Form::Json), ("report.html", Form::Html)] {
            write(&folder.join(name), form)?;
        }
    }
    Ok(if report.passed() { exit::OK } else { exit::FAILED })
}
