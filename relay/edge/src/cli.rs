//! The command line of `relay-edge`. Results go to standard output, everything else to standard error.

use std::{
    io::{self, Write},
    net::SocketAddr,
    path::PathBuf,
    process::ExitCode,
};

use clap::{Parser, Subcommand, ValueEnum};
use relay_runtime::{
    activation,
    config::{Problems, load_toml},
    drain, exit,
    notify::Notifier,
    sandbox::SandboxError,
    telemetry,
};
use relay_trust::{SharedKey, write_secret_file};
use relay_wire::ids::{BackendName, Role};
use serde_json::{Value, json};

use crate::{
    Config, Edge,
    config::RawConfig,
    error::{CommandError, EdgeError},
    keystore::{self, KeyStore},
    server::Material,
    setup::{self, Init, Pins},
    sockets::Sockets,
};

const AFTER_HELP: &str = "\
Examples:
  relay-edge init --dir /etc/sallyport --name edge.example.org
  relay-edge key add --config /etc/sallyport/edge.toml --name hq --role master --key-file hq.key
  relay-edge check --config /etc/sallyport/edge.toml
  relay-edge check --config /etc/sallyport/edge.toml --print > everything.toml
  relay-edge run --config /etc/sallyport/edge.toml

Signals of `run`:
  SIGTERM, SIGINT   drain: accept nothing new, let tunnels finish, exit with 0; a second one stops at once
  SIGHUP            read certificate and backend keys again; what is bad is refused and the old stays

Under a service manager `run` takes listening sockets that it is handed (LISTEN_FDS: one named \"admin\" for `admin`, all others for
`listen`), and says when it is ready, reloads and stops, how things are, and that it lives (NOTIFY_SOCKET, WATCHDOG_USEC).

Exit codes:
  0  done
  1  failed at run time (an address is taken, a file cannot be written)
  2  the command line, the configuration or a file it names is wrong";

/// The edge of the Sallyport relay: the one server in the DMZ, which never opens a connection.
#[derive(Debug, Parser)]
#[command(name = "relay-edge", version, after_help = AFTER_HELP)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
    /// How results are written to standard output
    #[arg(long, global = true, value_enum, default_value = "text")]
    format: Format,
}

/// The form of results.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people
    Text,
    /// One JSON object
    Json,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Make a folder with a commented configuration, a certificate with its key, and an empty folder of backend keys
    Init {
        /// The folder; made if it is not there. Nothing in it is overwritten
        #[arg(long)]
        dir: PathBuf,
        /// Where the edge listens, IP:PORT
        #[arg(long)]
        listen: Option<SocketAddr>,
        /// A DNS name or IP address by which devices and backends reach the edge; give it again for more
        #[arg(long)]
        name: Vec<String>,
    },
    /// Run the edge until a signal ends it
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
    /// Show the certificate's fingerprints in the spellings that pins are given in
    Fingerprint(ConfigFile),
    /// The shared keys by which backends are known
    #[command(subcommand)]
    Key(KeyCommand),
}

#[derive(Debug, clap::Args)]
struct ConfigFile {
    /// The configuration file
    #[arg(long)]
    config: PathBuf,
}

#[derive(Debug, Subcommand)]
enum KeyCommand {
    /// Add a backend, or a second key of one while the first is being replaced
    Add {
        #[command(flatten)]
        config: ConfigFile,
        /// The backend's name: 1 to 63 of a-z, 0-9 and inner hyphens
        #[arg(long)]
        name: BackendName,
        /// What the backend is
        #[arg(long, value_enum)]
        role: RoleName,
        /// The key that `relay-backend init` has made: one line of 64 hexadecimal digits, mode 0600. Without it a key is made
        #[arg(long)]
        key_file: Option<PathBuf>,
    },
    /// Remove a key of a backend; with its last key the backend is gone
    Remove {
        #[command(flatten)]
        config: ConfigFile,
        /// The backend's name
        #[arg(long)]
        name: BackendName,
        /// Which key, as `key list` shows it
        #[arg(long)]
        fingerprint: String,
    },
    /// Show backends, roles and key fingerprints; never a key
    List(ConfigFile),
}

/// A role as the command line spells it.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum RoleName {
    /// Authenticates devices, keeps the registry, signs grants
    Master,
    /// Serves backup, restore and sync
    StorageNode,
}

impl From<RoleName> for Role {
    fn from(role: RoleName) -> Self {
        match role {
            RoleName::Master => Self::Master,
            RoleName::StorageNode => Self::StorageNode,
        }
    }
}

/// What a command has to say on standard output.
struct Answer {
    text: String,
    json: Value,
}

/// Runs a command; the process ends with what this returns.
#[must_use]
pub fn execute(cli: Cli) -> ExitCode {
    let Cli { command, format } = cli;
    match answer(command).and_then(|answer| print(format, answer)) {
        Ok(()) => ExitCode::from(exit::OK),
        Err(error) => {
            let json = match (&error, format) {
                (CommandError::Edge(EdgeError::Config(problems)), Format::Json) => Some(problems.to_json()),
                (_, Format::Text | Format::Json) => None,
            };
            match json {
                Some(problems) => {
                    let text = String::new();
                    let _ = print(format, Some(Answer { text, json: json!({ "problems": problems }) }));
                }
                None => eprintln!("relay-edge: {}", error.to_string().replace('\n', "\nrelay-edge: ")),
            }
            error.exit_code()
        }
    }
}

fn print(format: Format, answer: Option<Answer>) -> Result<(), CommandError> {
    let Some(answer) = answer else { return Ok(()) };
    let text = match format {
        Format::Text => answer.text,
        Format::Json => format!("{:#}\n", answer.json),
    };
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        // Whoever reads has read enough.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        done => done.map_err(CommandError::Output),
    }
}

fn answer(command: Command) -> Result<Option<Answer>, CommandError> {
    match command {
        Command::Init { dir, listen, name } => init(Init { folder: dir, listen, names: name }).map(Some),
        Command::Run(file) => run(&file).map(|()| None),
        Command::Check { config, sandbox: true, .. } => check_sandbox(&config).map(Some),
        Command::Check { config, print, sandbox: false } => check(&config, print).map(Some),
        Command::Fingerprint(file) => fingerprint(&file).map(Some),
        Command::Key(KeyCommand::Add { config, name, role, key_file }) => {
            key_add(&config, &name, role.into(), key_file).map(Some)
        }
        Command::Key(KeyCommand::Remove { config, name, fingerprint }) => {
            let folder = Config::load(&config.config)?.keys;
            keystore::remove(&folder, &name, &fingerprint)?;
            Ok(Some(Answer {
                text: format!("removed the key {fingerprint} of {name}; a running edge takes it over at SIGHUP\n"),
                json: json!({ "name": name.as_str(), "removed": fingerprint }),
            }))
        }
        Command::Key(KeyCommand::List(file)) => key_list(&file).map(Some),
    }
}

fn pins_text(pins: &Pins) -> String {
    let Pins { leaf, spki, openssl, curl, okhttp } = pins;
    format!(
        "  certificate      {leaf}\n  certificate key  {spki}\n  openssl, browser {openssl}\n  curl             {curl}\n  \
         okhttp           {okhttp}\n"
    )
}

fn init(order: Init) -> Result<Answer, CommandError> {
    let local_only = order.names.is_empty();
    let made = setup::init(&order)?;
    let config = made.config.display();
    let mut text = format!(
        "made {config}\nmade {}\nmade {} (mode 0600)\nmade {} (mode 0700)\n\nPins of this edge, for devices and backends:\n{}\n\
         Next:\n  relay-edge key add --config {config} --name MASTER --role master --key-file FILE\n  relay-edge check --config \
         {config}\n  relay-edge run --config {config}\n",
        made.certificate.display(),
        made.key.display(),
        made.keys.display(),
        pins_text(&made.pins),
    );
    if local_only {
        text.push_str(
            "\nThe certificate names this machine only (localhost); give --name for others to reach it by.\n",
        );
    }
    Ok(Answer { text, json: json!(made) })
}

fn check(file: &ConfigFile, print: bool) -> Result<Answer, CommandError> {
    let mut problems = Problems::new();
    let raw = load_toml::<RawConfig>(&file.config)?;
    // Where the file is, so that what is printed can be read from anywhere.
    let place = std::path::absolute(&file.config).unwrap_or_else(|_| file.config.clone());
    let config = Config::resolve(raw, if print { &place } else { &file.config }, &mut problems);
    let mut warnings = match Material::load(&config) {
        Ok(material) => material.warnings(),
        Err(more) => {
            problems.extend(more);
            Vec::new()
        }
    };
    problems.into_result(())?;
    warnings.extend(config.user.as_ref().and_then(|user| user.trouble()));
    let mut json = json!({ "problems": [], "warnings": warnings });
    let text = if print {
        json["config"] = json!(RawConfig::from(&config));
        format!("# The configuration that is in effect: every setting, and every path in full.\n{}", config.print()?)
    } else {
        format!("{}: in order\n", file.config.display())
    };
    // In front of a configuration they are comments.
    let mark = if print { "# warning" } else { "warning" };
    let line = |warning: &String| format!("{mark}: {}\n", warning.replace(char::is_control, " "));
    let warnings: String = warnings.iter().map(line).collect();
    Ok(Answer { text: text + &warnings, json })
}

fn fingerprint(file: &ConfigFile) -> Result<Answer, CommandError> {
    let files = Config::load(&file.config)?.certificate;
    let identity = relay_trust::Identity::load(&files.chain, &files.key)?;
    let pins = Pins::new(&identity.fingerprints());
    Ok(Answer { text: pins_text(&pins), json: json!(pins) })
}

fn key_add(
    file: &ConfigFile,
    name: &BackendName,
    role: Role,
    key_file: Option<PathBuf>,
) -> Result<Answer, CommandError> {
    let folder = Config::load(&file.config)?.keys;
    let (key, made) = match key_file {
        Some(path) => (SharedKey::load(&path)?, None),
        None => {
            let key = SharedKey::generate();
            let path = folder.join(format!("{name}.key"));
            let mut line = key.to_hex();
            line.push('\n');
            write_secret_file(&path, &line)?;
            (key, Some(path))
        }
    };
    let fingerprint = key.fingerprint();
    let stored = keystore::add(&folder, name, role, key).inspect_err(|_| {
        if let Some(path) = &made {
            // Best effort: the error that matters is the one being reported.
            let _ = std::fs::remove_file(path);
        }
    })?;
    let mut text = format!("added the key {fingerprint} of {role} {name} to {}\n", stored.display());
    if let Some(path) = &made {
        text.push_str(&format!(
            "made {} (mode 0600): move it to the backend, as the file that its `key` names, and leave no copy here\n",
            path.display()
        ));
    }
    text.push_str("a running edge takes it over at SIGHUP\n");
    let json = json!({
        "name": name.as_str(), "role": role.as_str(), "fingerprint": fingerprint, "stored": stored, "key_file": made,
    });
    Ok(Answer { text, json })
}

fn key_list(file: &ConfigFile) -> Result<Answer, CommandError> {
    let lines = KeyStore::load(&Config::load(&file.config)?.keys)?.list();
    let mut text = String::new();
    for line in &lines {
        text.push_str(&format!("{:<24} {:<13} {}\n", line.name, line.role, line.fingerprints.join(" ")));
    }
    if lines.is_empty() {
        text.push_str("no backends; add one with `relay-edge key add`\n");
    }
    Ok(Answer { text, json: json!({ "backends": lines }) })
}

/// Enters the sandbox as `run` does, and tries it. What goes through is an error, after the list is on standard error.
fn check_sandbox(file: &ConfigFile) -> Result<Answer, CommandError> {
    let config = Config::load(&file.config)?;
    let trial = config.policy().try_out()?;
    // What a reload reads must still be there.
    Material::load(&config)?;
    match trial.leaks() {
        0 => Ok(Answer { text: format!("{trial} Certificate and keys can still be read.\n"), json: json!(trial) }),
        leaks => {
            eprintln!("{trial}");
            Err(SandboxError::Leaks(leaks).into())
        }
    }
}

/// First what needs rights: addresses. Then the sandbox, before there is a second thread. Then everything else, inside it.
fn run(file: &ConfigFile) -> Result<(), CommandError> {
    let config = Config::load(&file.config)?;
    let sockets = Sockets::take(&config, activation::take().map_err(EdgeError::from)?)?;
    let (notifier, untold) = Notifier::of_process();
    let sandbox = config.policy().enter()?;
    let _logging = telemetry::init(config.log.format, &config.log.level)
        .map_err(|error| Problems::one("log.level", error.to_string(), "write a level, for example \"info\""))?;
    let process = |operation| move |source| CommandError::Process { operation, source };
    let runtime =
        tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(process("start the runtime"))?;
    sandbox.log();
    if let Some(error) = untold {
        tracing::warn!(%error, "the service manager is told nothing");
    }
    runtime.block_on(async {
        let edge = Edge::serve(config, sockets, sandbox)?;
        let drain = drain::Drain::new();
        if let Some(admin) = edge.admin_addr() {
            tracing::info!(%admin, "admin address");
        }
        let figures = edge.figures();
        tokio::select! {
            // Signals are taken before the log says that the edge runs.
            biased;
            ended = drain::signals(drain.clone()) => ended.map_err(process("take signals")),
            () = edge.run(drain.clone()) => Ok(()),
            // Ready when signals are taken and connections accepted; it has no end of its own.
            () = notifier.run(drain, figures) => Ok(()),
        }
    })
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_consistent_and_documents_its_exit_codes() {
        Cli::command().debug_assert();
        let help = Cli::command().render_help().to_string();
        for part in ["Examples:", "Exit codes:", "SIGHUP", "fingerprint"] {
            assert!(help.contains(part), "{part}");
        }
    }
}
