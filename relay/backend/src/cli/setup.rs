//! `init`, `check`, `fingerprint`.

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use relay_runtime::{config::HostPort, exit, sandbox::SandboxError};
use relay_trust::{Pin, PinKind, fingerprints};
use relay_wire::ids::{BackendName, Role};
use serde_json::json;

use super::Output;
use crate::{
    config::{self, Config},
    error::Error,
    init::{InitOptions, InitReport, OfferedService},
};

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum RoleArg {
    /// Authenticates devices and keeps their registry; one of them
    Master,
    /// Carries tunnels to its services; any number of them
    StorageNode,
}

#[derive(Debug, Args)]
pub(super) struct InitArgs {
    /// What the backend is to be
    #[arg(long, value_enum)]
    role: RoleArg,
    /// Its name: 1 to 63 of a-z, 0-9 and inner hyphens
    #[arg(long)]
    name: BackendName,
    /// The folder; made if it is not there. Nothing in it is overwritten
    #[arg(long)]
    dir: PathBuf,
    /// The edge, HOST:PORT
    #[arg(long)]
    edge: HostPort,
    /// The edge's pin, as `relay-edge fingerprint` prints it, or its certificate file
    #[arg(long, value_name = "PIN|FILE", value_parser = Pin::from_argument)]
    edge_pin: Option<Pin>,
    /// The master's certificate (its backend.crt); a storage node needs it
    #[arg(long, value_name = "FILE")]
    master_cert: Option<PathBuf>,
    /// Where a master's registry shall lie, in a folder that is there [default: beside the configuration]
    #[arg(long, value_name = "FILE")]
    registry: Option<PathBuf>,
    /// An upstream that it offers: the name that devices ask for, and where the server listens; give it again for more
    #[arg(long = "service", value_name = "NAME=tcp://HOST:PORT")]
    services: Vec<OfferedService>,
}

pub(super) fn init(output: &Output, args: InitArgs) -> Result<(), Error> {
    let role = match args.role {
        RoleArg::Master => Role::Master,
        RoleArg::StorageNode => Role::StorageNode,
    };
    let options = InitOptions {
        role,
        name: args.name,
        dir: args.dir,
        edge: args.edge,
        edge_pin: args.edge_pin,
        master_certificate: args.master_cert,
        registry: args.registry,
        services: args.services,
    };
    let report = crate::init::init(&options)?;
    output.write(&describe(&report, role), || json!(report))
}

fn describe(report: &InitReport, role: Role) -> String {
    let config = report.config.display();
    let mut text = format!(
        "made {config}\n\nAt the edge, with a copy of {} (mode 0600):\n  {}\n",
        report.shared_key.display(),
        report.edge_command
    );
    match (role, &report.node_lines) {
        (Role::StorageNode, Some(lines)) => {
            let name = lines.lines().find_map(|line| line.strip_prefix("name = ")).unwrap_or_default().replace('"', "");
            text.push_str(&format!(
                "\nAt the master, in its configuration, or by the command below (then SIGHUP):\n{}  relay-backend node add \
                 --config MASTER.toml --name {name} --pin {}\n",
                indent(lines),
                report.pin
            ));
        }
        (Role::Master | Role::StorageNode, _) => {
            text.push_str(&format!(
                "\nStorage nodes need this certificate (--master-cert):\n  {}\n\nDevices need this pin of it (master pin):\n  \
                 {}\n",
                report.certificate.display(),
                report.pin
            ));
        }
    }
    text.push_str(&format!(
        "\nThen here:\n  relay-backend check --config {config}\n  relay-backend run --config {config}\n"
    ));
    text
}

fn indent(lines: &str) -> String {
    lines.lines().map(|line| format!("  {line}\n")).collect()
}

/// The exit code; mistakes are the result, not an error.
pub(super) fn check(output: &Output, file: &Path, print: bool) -> Result<u8, Error> {
    // Where the file is, so that what is printed can be read from anywhere.
    let place = std::path::absolute(file).unwrap_or_else(|_| file.to_owned());
    let checked = Config::load(if print { &place } else { file });
    match checked {
        Ok(config) if print => printed(output, &config),
        Ok(config) => {
            let warnings = warnings(&config);
            let mut text = String::new();
            for warning in &warnings {
                text.push_str(&format!("warning: {warning}\n"));
            }
            let (name, role) = (&config.name, config.role());
            text.push_str(&format!("{}: good ({role} {name}, {} edge(s))\n", file.display(), config.edges.len()));
            output.write(&text, || json!({ "ok": true, "problems": [], "warnings": warnings }))?;
            Ok(exit::OK)
        }
        Err(problems) => {
            let count = problems.iter().count();
            let text = format!("{problems}\n{}: {count} problem(s)\n", file.display());
            output.write(&text, || json!({ "ok": false, "problems": problems.to_json(), "warnings": [] }))?;
            Ok(exit::USAGE)
        }
    }
}

/// What an administrator should know, beside mistakes.
fn warnings(config: &Config) -> Vec<String> {
    let mut warnings = config.identity.warnings();
    warnings.extend(config.user.as_ref().and_then(|user| user.trouble()));
    warnings
}

/// Enters the sandbox as `run` does, and tries it. What goes through is an error, after the list is on standard error.
pub(super) fn check_sandbox(output: &Output, file: &Path) -> Result<(), Error> {
    let trial = Config::load(file)?.policy().try_out()?;
    // What a reload reads must still be there.
    Config::load(file)?;
    match trial.leaks() {
        0 => output.write(&format!("{trial} Every file can still be read.\n"), || json!(trial)),
        leaks => {
            eprintln!("{trial}");
            Err(SandboxError::Leaks(leaks).into())
        }
    }
}

/// The configuration that is in effect; warnings are comments behind it.
fn printed(output: &Output, config: &Config) -> Result<u8, Error> {
    let (settings, warnings) = (config.settings(), warnings(config));
    let line = |warning: &String| format!("# warning: {}\n", warning.replace(char::is_control, " "));
    let text = format!(
        "# The configuration that is in effect: every setting, and every path in full.\n{}{}",
        settings.print()?,
        warnings.iter().map(line).collect::<String>()
    );
    let json = settings.to_json()?;
    output.write(&text, || json!({ "ok": true, "problems": [], "warnings": warnings, "config": json }))?;
    Ok(exit::OK)
}

pub(super) fn fingerprint(output: &Output, file: &Path) -> Result<(), Error> {
    let certificate = config::public_files(file)?.certificate;
    let (leaf, spki) = pins(&certificate)?;
    let text = format!("{spki}\n{leaf}\n");
    output.write(&text, || json!({ "certificate": certificate, "spki": spki.to_string(), "leaf": leaf.to_string() }))
}

/// The pins of a certificate file, leaf first.
pub(super) fn pins(certificate: &Path) -> Result<(Pin, Pin), Error> {
    use rustls::pki_types::{CertificateDer, pem::PemObject};
    let unreadable = |problem: String| Error::Option {
        option: "certificate.chain",
        value: certificate.display().to_string(),
        problem,
        remedy: "name a PEM file with the certificate of this backend",
    };
    let der = CertificateDer::from_pem_file(certificate).map_err(|error| unreadable(error.to_string()))?;
    let prints = fingerprints(&der).map_err(|error| unreadable(error.to_string()))?;
    Ok((Pin::new(PinKind::Leaf, prints.leaf), Pin::new(PinKind::Spki, prints.spki)))
}
