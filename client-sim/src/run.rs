//! `run`: a fleet against a relay, and whether every device got what it should.

use std::{
    io::{self, Write},
    path::Path,
    sync::Arc,
    time::Duration,
};

use relay_runtime::resources::{self, DescriptorLimit};
use relay_trust::random;
use tokio::{
    net::TcpStream,
    runtime::Builder,
    time::{Instant, sleep, timeout_at},
};

use crate::{
    cli::{Format, RunArgs},
    cpu::Cpu,
    embedded::Embedded,
    error::Error,
    fleet::{Fleet, Plan},
    progress::Progress,
    record::Recorder,
    report::{self, Held, Summary},
    schedule::Schedule,
    target::{EdgeAddress, Target},
};

/// The pace at which devices arrive unless a ramp is given: two cores keep up with it, relay included.
const PACE: Duration = Duration::from_millis(25);
/// How long a real edge may take until it listens.
const REACH: Duration = Duration::from_secs(10);
/// Between two attempts to reach it.
const REACH_PAUSE: Duration = Duration::from_millis(100);
/// Descriptors that a device at work needs here: its connection, a tunnel; embedded, the other ends and the spliced pair.
const DESCRIPTORS_PER_DEVICE: u64 = 10;

/// Runs a fleet and prints the report.
///
/// # Errors
/// [`Error::Verdict`] if a device got something else than it should, after the report; other errors if the run could not
/// be made.
pub fn run(args: &RunArgs) -> Result<(), Error> {
    let embedded = args.edge.edges.is_empty();
    if embedded {
        embedded_alone(args)?;
    }
    if let Some(path) = &args.report {
        writable(path)?;
    }
    let seed = args.seed.unwrap_or_else(|| if embedded { 1 } else { u64::from_be_bytes(random()) });
    raise_descriptors(args);
    let devices = Builder::new_multi_thread()
        .enable_all()
        .thread_name("client-sim")
        .build()
        .map_err(|source| Error::System { action: "start the asynchronous runtime".into(), source })?;
    let summary = if embedded {
        let (relay, target) = Embedded::start(args.devices.get())?;
        let summary = devices.block_on(fleet(args, seed, target, true));
        relay.stop();
        summary
    } else {
        let target = Target::from_args(&args.edge, &args.deployment)?;
        devices.block_on(async {
            reach(&target.edge.edges).await?;
            Ok::<_, Error>(fleet(args, seed, target, false).await)
        })?
    };
    write_results(args, &summary)?;
    if summary.passed { Ok(()) } else { Err(Error::Verdict) }
}

/// Refuses options of a real relay without its address: a fleet against the embedded one would pass and say nothing about
/// the relay that was meant.
fn embedded_alone(args: &RunArgs) -> Result<(), Error> {
    let given = [
        ("--server-name", args.edge.server_name.is_some()),
        ("--pin", args.edge.pins.is_some()),
        ("--roots", args.edge.roots.is_some()),
        ("--master-pin", args.deployment.master_pins.is_some()),
        ("--mass-secret-file", args.deployment.mass_secret_file.is_some()),
        ("--node", args.deployment.node.is_some()),
    ];
    match given.into_iter().find(|(_, given)| *given) {
        None => Ok(()),
        Some((option, _)) => Err(Error::Usage(format!(
            "{option} describes a real relay, so --edge HOST:PORT is needed with it; without both, the relay is embedded"
        ))),
    }
}

/// Whether the page can be written at the end, asked before a run of minutes and not after it. What is there stays until then.
fn writable(path: &Path) -> Result<(), Error> {
    let opened = std::fs::OpenOptions::new().create(true).append(true).open(path);
    opened.map(drop).map_err(|source| Error::File { action: "write", path: path.to_owned(), source })
}

fn raise_descriptors(args: &RunArgs) {
    let at_work = if args.hold.is_some() { args.devices.get() } else { args.devices.get().min(args.concurrency.get()) };
    let wanted = u64::from(at_work) * DESCRIPTORS_PER_DEVICE;
    match resources::raise_descriptor_limit() {
        Ok(DescriptorLimit { now: Some(now), .. }) if now < wanted => say(&format!(
            "the limit of {now} open files may be too low for {at_work} devices at one time; raise it with `ulimit -n`"
        )),
        Ok(_) => {}
        Err(error) => say(&format!("the limit of open files could not be raised: {error}")),
    }
}

/// Talk goes to standard error, and it does not matter if nobody listens.
fn say(line: &str) {
    let _ = writeln!(io::stderr(), "{line}");
}

/// Waits until an edge listens, so that a fleet may be started in the same breath as the edge: the answer to a fleet of devices
/// that reach nobody would say nothing about the relay.
async fn reach(edges: &[EdgeAddress]) -> Result<(), Error> {
    let deadline = Instant::now() + REACH;
    let mut told = false;
    loop {
        let mut failed = None;
        for edge in edges {
            match timeout_at(deadline, TcpStream::connect((edge.host(), edge.port()))).await {
                Ok(Ok(_)) => return Ok(()),
                Ok(Err(error)) => failed = Some(error),
                Err(_) => failed = Some(io::ErrorKind::TimedOut.into()),
            }
        }
        let source = failed.unwrap_or_else(|| io::ErrorKind::InvalidInput.into());
        if Instant::now() + REACH_PAUSE >= deadline {
            let edges: Vec<_> = edges.iter().map(ToString::to_string).collect();
            let action =
                format!("reach the edge {} within {REACH:?}; is it running, and the address right", edges.join(", "));
            return Err(Error::System { action, source });
        }
        if !told {
            say(&format!("the edge is out of reach ({source}); trying again for {REACH:?}"));
            told = true;
        }
        sleep(REACH_PAUSE).await;
    }
}

async fn fleet(args: &RunArgs, seed: u64, target: Target, embedded: bool) -> Summary {
    let count = args.devices.get();
    let ramp = args.ramp.unwrap_or(PACE * count);
    let schedule = Schedule::new(seed, count, ramp);
    let recorder = Arc::new(Recorder::default());
    let mut progress = Progress::new(Arc::clone(&recorder), &schedule);
    let edges: Vec<String> = target.edge.edges.iter().map(ToString::to_string).collect();
    let edges = if embedded {
        format!("a relay embedded in this process (pid {}), edge {}", std::process::id(), edges.join(", "))
    } else {
        edges.join(", ")
    };
    progress.say(&format!("{count} devices over {ramp:?} against {edges}; seed {seed}"));
    let plan = Plan {
        schedule,
        target,
        seed,
        bytes: args.bytes,
        concurrency: usize::try_from(args.concurrency.get()).unwrap_or(usize::MAX >> 4),
        hold: args.hold.is_some(),
    };
    let (started, cpu) = (Instant::now(), Cpu::now());
    let fleet = Fleet::start(plan, Arc::clone(&recorder));
    let mut lag = Duration::ZERO;
    tokio::select! {
        () = fleet.all_done() => {}
        () = progress.show(&mut lag) => {}
    }
    progress.finish();
    let elapsed = started.elapsed();
    let cpu = Cpu::now().zip(cpu).map(|(now, before)| now.since(before));
    let held = match args.hold {
        None => None,
        Some(time) => Some(hold(&fleet, &progress, time).await),
    };
    fleet.release().await;
    Summary::new(&recorder.finish(), report::Run { seed, embedded, elapsed, lag, cpu, held })
}

/// Keeps the served devices connected and idle.
async fn hold(fleet: &Fleet, progress: &Progress, time: Duration) -> Held {
    let devices = fleet.holding();
    progress.say(&format!(
        "holding {devices} connections for {} (pid {})",
        humantime::format_duration(time),
        std::process::id()
    ));
    sleep(time).await;
    Held { time, devices, lost: fleet.lost(), resident_bytes: resources::resident_bytes() }
}

fn write_results(args: &RunArgs, summary: &Summary) -> Result<(), Error> {
    let text = match args.format {
        Format::Text => report::text::render(summary),
        Format::Json => report::json::render(summary)?,
    };
    let mut output = io::stdout().lock();
    output.write_all(text.as_bytes()).and_then(|()| output.flush()).map_err(Error::Output)?;
    args.report.as_deref().map_or(Ok(()), |path| write_page(path, summary))
}

fn write_page(path: &Path, summary: &Summary) -> Result<(), Error> {
    std::fs::write(path, report::html::render(summary)).map_err(|source| Error::File {
        action: "write",
        path: path.to_owned(),
        source,
    })
}
