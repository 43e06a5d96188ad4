//! `host`: one server, or thousands.

mod list;
mod progress;

use std::{collections::BTreeMap, io::Write, num::NonZeroUsize, path::PathBuf, sync::Arc, time::Duration};

use clap::Args;
use relay_runtime::resources::raise_descriptor_limit;
use tokio::{
    task::JoinSet,
    time::{Instant, timeout},
};
use tools::stop::Stop;

use crate::{
    ask::{AskArgs, Asked},
    cli::print,
    connect::{ConnectArgs, Means, look},
    error::Error,
    host::{list::Entry, progress::Progress},
    output::Writer,
    record::Record,
};

/// Records that are done may wait for so many earlier ones that are not.
const WINDOW: usize = 4096;
/// How often signals are looked for.
const TICK: Duration = Duration::from_millis(100);
/// Before the second try; doubled before each further one.
const FIRST_PAUSE: Duration = Duration::from_millis(250);
/// Between tries at most.
const PAUSE_MAX: Duration = Duration::from_secs(10);

/// Options of `host`.
#[derive(Debug, Args)]
#[command(after_help = concat!(
    "Examples:\n",
    "  fingerprint-check host edge.example.org:8443 --pin edge.crt --roots edge.crt\n",
    "  fingerprint-check host www.example.org --pin \"sha256//$PIN\" --roots mozilla --roots system\n",
    "  fingerprint-check host 192.0.2.7:8443 --name edge.example.org --sni none --platform ios,android\n",
    "  fingerprint-check host smtp://mail.example.org:587 postgres://db.example.org --roots mozilla\n",
    "  fingerprint-check host -f targets.txt --concurrency 256 --retries 2 --format jsonl\n",
    "  fingerprint-check host edge.example.org:8443 --format nagios --warn-days 21 --crit-days 5\n",
    "\n",
    "A list (-f) has one target per line, behind it the pins of that target alone, separated by commas.\n",
    "--pin is for the lines that have none. Empty lines and lines that begin with # do not count.\n\n",
    crate::exit_codes!(),
))]
pub struct HostArgs {
    #[arg(
        value_name = "TARGET",
        help = "HOST, HOST:PORT or [IPV6]:PORT; without a port, 443. A scheme (smtp://, imap://, ldap://, postgres://, \
                mysql://) stands for --starttls and its usual port"
    )]
    targets: Vec<String>,
    /// Read targets from a file; `-`: standard input.
    #[arg(short = 'f', long, value_name = "FILE|-")]
    file: Option<PathBuf>,
    #[command(flatten)]
    ask: AskArgs,
    /// Do not show progress on standard error.
    #[arg(short, long, help_heading = "Output")]
    quiet: bool,
    #[command(flatten)]
    connect: ConnectArgs,
    /// Try again so many times if a target is not reached. Never after a certificate was seen.
    #[arg(long, value_name = "TIMES", default_value_t = 0, value_parser = clap::value_parser!(u32).range(0..=20), help_heading = "Connection")]
    retries: u32,
    /// Targets at once.
    #[arg(long, value_name = "COUNT", default_value = "64", value_parser = concurrency, help_heading = "Connection")]
    concurrency: NonZeroUsize,
}

fn concurrency(text: &str) -> Result<NonZeroUsize, String> {
    let parsed = text.parse::<usize>().ok().filter(|count| *count <= 10_000).and_then(NonZeroUsize::new);
    parsed.ok_or_else(|| "give a whole number from 1 to 10000".to_owned())
}

/// Runs `host`; returns its exit code.
///
/// # Errors
/// [`Error`] for wrong usage.
pub fn execute(arguments: &HostArgs) -> Result<u8, Error> {
    let entries = list::read(&arguments.targets, arguments.file.as_deref(), arguments.connect.starttls)?;
    let (asked, means) = (arguments.ask.read()?, arguments.connect.read()?);
    let looking = Arc::new(Looking { asked, means, retries: arguments.retries });
    // Where the bound on descriptors stays low, connections fail by name; most lists are short.
    let _ = raise_descriptor_limit();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let runtime = runtime.map_err(|source| Error::System { action: "start threads", source })?;
    let progress = Progress::new(entries.len(), arguments.quiet);
    let stop = Stop::on_signals().map_err(|source| Error::System { action: "listen for signals", source })?;
    let code = runtime.block_on(all(looking, entries, arguments.concurrency.get(), (&progress, &stop)));
    progress.finish();
    // A resolver that still waits would hold the program up.
    runtime.shutdown_background();
    code
}

struct Looking {
    asked: Asked,
    means: Means,
    retries: u32,
}

impl Looking {
    /// One target: tried until its certificate is seen, or trying again is of no use.
    async fn at(&self, entry: &Entry) -> Record {
        let route = self.means.route(&entry.target, &entry.name);
        let mut pause = FIRST_PAUSE;
        for attempt in 1.. {
            let started = Instant::now();
            let outcome = look(&route).await;
            let took = started.elapsed();
            match outcome {
                Ok(evidence) => {
                    let pins = entry.pins.as_deref().or(self.asked.pins.as_deref());
                    let name = self.asked.name.as_ref().unwrap_or(&entry.name);
                    let record = self.asked.judge(entry.target.to_string(), &evidence, pins, Some(name));
                    return record.after(attempt, took);
                }
                Err(failure) if failure.transient && attempt <= self.retries => {
                    tokio::time::sleep(pause).await;
                    pause = PAUSE_MAX.min(pause * 2);
                }
                Err(failure) => {
                    return Record::failed(entry.target.to_string(), self.asked.at, failure).after(attempt, took);
                }
            }
        }
        unreachable!("the loop ends by returning")
    }
}

/// All targets, so many at once; records are written in the order of the list. A signal ends it with those that are done.
async fn all(
    looking: Arc<Looking>,
    entries: Vec<Entry>,
    concurrency: usize,
    (progress, stop): (&Progress, &Stop),
) -> Result<u8, Error> {
    let mut writer = Writer::new(looking.asked.style);
    print(&writer.begin())?;
    let entries = Arc::new(entries);
    let mut running = JoinSet::new();
    let mut done: BTreeMap<usize, Record> = BTreeMap::new();
    let (mut next, mut due) = (0, 0);
    loop {
        while next < entries.len() && running.len() < concurrency && next - due < WINDOW {
            let (looking, entries) = (Arc::clone(&looking), Arc::clone(&entries));
            running.spawn(async move { (next, looking.at(&entries[next]).await) });
            next += 1;
        }
        let Ok(ended) = timeout(TICK, running.join_next()).await else {
            if stop.requested() {
                break;
            }
            continue;
        };
        let Some(ended) = ended else { break };
        let (place, record) = ended.map_err(|error| Error::Defect(error.to_string()))?;
        progress.count(record.outcome);
        done.insert(place, record);
        while let Some(record) = done.remove(&due) {
            let text = writer.record(record);
            progress.aside(|| print(&text))?;
            due += 1;
        }
        if stop.requested() {
            break;
        }
    }
    progress.finish();
    let left_out = entries.len() - due - done.len();
    for record in done.into_values() {
        print(&writer.record(record))?;
    }
    print(&writer.end())?;
    if left_out == 0 {
        return Ok(writer.exit_code());
    }
    let _ = writeln!(
        std::io::stderr(),
        "fingerprint-check: ended by a signal; {left_out} of {} targets were not looked at",
        entries.len()
    );
    Ok(writer.interrupted())
}
