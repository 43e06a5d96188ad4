//! The command line: what can be asked for, with examples in every help text.

use std::{net::SocketAddr, path::PathBuf, time::Duration};

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::{
    error::Error,
    report::Format,
    trial::{ClientChain, ClientPins, Trial},
};

/// The exit codes of every command, as `--help` prints them.
pub const EXIT_CODES: &str = "\
Exit codes:
  0  the client was right in every trial
  1  it was wrong in at least one
  2  wrong usage, or the trials could not be run; standard error says what to do
  3  it was right wherever it could be judged, but some trials could not be staged, did not see it, or were interrupted";

const SERVE_EXAMPLES: &str = "\
Examples:
  curl with an SPKI pin and its own roots:
    rogue-edge serve -- curl -sS --max-time 10 --cacert {roots} --pinnedpubkey {pin-curl} \\
        https://{name}:{port}/
  One trial, and what the client says in it:
    rogue-edge serve --trial possession --verbose -- \\
        openssl s_client -connect {address} -CAfile {roots}
  A program that reads the environment (ROGUE_ADDRESS, ROGUE_NAME, ROGUE_ROOTS, ...):
    rogue-edge serve --client-pins spki -- ./my-client-test.sh
  The simulator's device:
    rogue-edge serve -- client-sim request send --edge {address} --server-name {name} \\
        --pin {pin-spki} --roots {roots} --platform ios --op ping
  A client that comes by itself, from another machine; its pins and roots are printed first:
    rogue-edge serve --listen 0.0.0.0:8443 --name backup.example.com --client-pins spki \\
        --timeout 10m --dir handout
  A client that knows a real server already:
    rogue-edge serve --pin-of edge.crt --pin-key edge.key --report report.html \\
        -- ./my-client {address}

Placeholders in COMMAND, each also an environment variable (ROGUE_PIN_SPKI for {pin-spki}):
  {address} {host} {port}      where the server listens
  {name}                       the name that the client must ask for, and check
  {roots}                      the PEM file of the roots that it must trust
  {cert}                       the PEM file of the certificate that it knows
  {pin-leaf} {pin-spki}        its pins as this project writes them: leaf:HEX, spki:HEX
  {pin-curl}                   the SPKI pin as curl writes it: sha256//BASE64
  {leaf-sha256} {spki-sha256}  the same as bare hexadecimal digits
  {trial}                      the name of the trial
  {dir}                        a folder for what the client remembers during the run

\"Accepted\" means that the client sent application data; or completed the handshake and then
waited for the server; or completed it and left just as it leaves the right server. The control,
which always runs first, shows which of these it does. docs/rogue-edge.md has it in full.";

/// Tries a TLS client: presents one bad server after another, and reports which of them it refused.
#[derive(Debug, Parser)]
#[command(name = "rogue-edge", version, after_help = EXIT_CODES)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run a client against every trial, or wait for one to come.
    Serve(Box<ServeArgs>),
    /// List the trials.
    Trials(TrialsArgs),
    /// Say all about one trial.
    Explain(ExplainArgs),
    /// Join JSON reports to one table: who failed which trial.
    Table(TableArgs),
}

/// The options of `serve`.
#[derive(Args, Debug)]
#[command(after_help = SERVE_EXAMPLES)]
pub struct ServeArgs {
    /// The trials to run; several by commas or repeated [default: all]. The control always runs, first.
    #[arg(long = "trial", value_name = "NAME", value_delimiter = ',', value_parser = trial)]
    pub trials: Vec<&'static Trial>,
    /// Where to listen. Port 0: chosen by the system.
    #[arg(long, value_name = "ADDR:PORT", default_value = "127.0.0.1:0", value_parser = address)]
    pub listen: SocketAddr,
    /// The name that the client asks for and must check [default: the first in --pin-of, else localhost].
    #[arg(long, value_name = "NAME")]
    pub name: Option<String>,
    /// The certificate that the client knows already, with its chain, in PEM [default: one made for the run].
    #[arg(long, value_name = "CERT")]
    pub pin_of: Option<PathBuf>,
    /// The key of --pin-of, in PEM; without it the trials that need the key are left out, the control among them.
    #[arg(long, value_name = "KEY", requires = "pin_of")]
    pub pin_key: Option<PathBuf>,
    /// What the client pins [default: as the placeholders in COMMAND say].
    #[arg(long, value_enum, value_name = "KIND")]
    pub client_pins: Option<ClientPins>,
    /// Whether the client claims to check the chain to a root, dates and name.
    #[arg(long, value_enum, value_name = "WHETHER", default_value = "checked")]
    pub client_chain: ClientChain,
    /// How long one run of the client may take; without COMMAND, how long to wait for a client in each trial.
    #[arg(long, value_name = "TIME", default_value = "30s", value_parser = duration)]
    pub timeout: Duration,
    /// The form of the report on standard output.
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
    /// Write the report into a file too, in the form of its ending: .txt, .json, .xml (JUnit) or .html. Repeats.
    #[arg(long = "report", value_name = "FILE", value_parser = report_file)]
    pub reports: Vec<(PathBuf, Format)>,
    /// What the report calls the client [default: the program].
    #[arg(long, value_name = "TEXT")]
    pub label: Option<String>,
    /// The folder for what the client is handed (roots.pem, cert.pem); it is made, and stays [default: one that goes].
    #[arg(long, value_name = "DIR")]
    pub dir: Option<PathBuf>,
    /// Show what the client writes in each trial.
    #[arg(long, short)]
    pub verbose: bool,
    /// The client and its arguments, run once per trial [default: wait for a client to come].
    #[arg(last = true, value_name = "COMMAND")]
    pub command: Vec<String>,
}

/// The options of `trials`.
#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  rogue-edge trials\n  rogue-edge trials --format json | jq -r '.[].name'")]
pub struct TrialsArgs {
    /// The form of the list.
    #[arg(long, value_enum, default_value_t)]
    pub format: ListFormat,
}

/// A form of the list of trials.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum ListFormat {
    /// One line each.
    #[default]
    Text,
    /// One JSON array.
    Json,
    /// A table for a document.
    Markdown,
}

/// The options of `explain`.
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  rogue-edge explain pinned-appended")]
pub struct ExplainArgs {
    /// The trial.
    #[arg(value_name = "TRIAL", value_parser = trial)]
    pub trial: &'static Trial,
}

/// The options of `table`.
#[derive(Args, Debug)]
#[command(
    after_help = "Example:\n  rogue-edge serve --report curl.json -- curl ...; rogue-edge table curl.json openssl.json > table.md"
)]
pub struct TableArgs {
    /// Reports that `serve --report FILE.json` wrote, one column each.
    #[arg(value_name = "REPORT", required = true)]
    pub reports: Vec<PathBuf>,
}

/// A trial by its name.
fn trial(name: &str) -> Result<&'static Trial, String> {
    Trial::by_name(name).ok_or_else(|| {
        let near: Vec<&str> = crate::trial::all().map(|trial| trial.name).filter(|known| alike(name, known)).collect();
        let hint = if near.is_empty() { String::new() } else { format!("; did you mean {}?", near.join(", ")) };
        format!("there is no such trial; `rogue-edge trials` lists them{hint}")
    })
}

/// Whether somebody who wrote `name` may have meant `known`.
fn alike(name: &str, known: &str) -> bool {
    let part = name.len() > 3 && known.contains(name);
    part || distance(name.as_bytes(), known.as_bytes()) <= 2
}

/// How many letters must be changed, put in or taken out (Levenshtein).
fn distance(left: &[u8], right: &[u8]) -> usize {
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (place, letter) in left.iter().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], place + 1);
        for (column, other) in right.iter().enumerate() {
            let changed = diagonal + usize::from(letter != other);
            diagonal = row[column + 1];
            row[column + 1] = changed.min(diagonal + 1).min(row[column] + 1);
        }
    }
    row[right.len()]
}

/// An address to listen on.
fn address(text: &str) -> Result<SocketAddr, String> {
    text.parse()
        .map_err(|_| "give an IP address and a port, such as 127.0.0.1:0, 0.0.0.0:8443 or [::1]:8443".to_owned())
}

/// A duration that is not zero.
fn duration(text: &str) -> Result<Duration, String> {
    let parsed = humantime::parse_duration(text).ok().filter(|duration| !duration.is_zero());
    parsed.ok_or_else(|| "give a duration such as 5s, 30s or 10m".to_owned())
}

/// A file whose ending names a form.
fn report_file(text: &str) -> Result<(PathBuf, Format), String> {
    let path = PathBuf::from(text);
    let format = Format::of(&path).ok_or_else(|| "the ending must be .txt, .json, .xml (JUnit) or .html".to_owned())?;
    // Found out before the trials have run.
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    if folder.is_some_and(|folder| !folder.is_dir()) {
        return Err("there is no such folder; make it first".to_owned());
    }
    Ok((path, format))
}

/// Writes a result to standard output. A reader that has seen enough (`| head`) is no failure.
///
/// # Errors
/// If it cannot be written.
pub fn print(text: &str) -> Result<(), Error> {
    tools::stdout::print(text).map_err(|source| Error::System { action: "write to standard output".to_owned(), source })
}
