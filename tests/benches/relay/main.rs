//! What the relay costs: edge, master and storage node as three release processes on loopback, devices in this process.
//!
//! `cargo bench -p tests --bench relay`, with `-- --quick` (a few seconds for each part), `-- --only NAME` (`idle`,
//! `tunnels`, `throughput`, `sandbox`, `peers`), `-- --devices N`, `-- --format json`. Talk goes to standard error, the figures to
//! standard output; exit code 1 if anything failed that must not.
//!
//! Costs are seconds of processor time as the system counts them for each process: they hold on a busy machine, where rates
//! and latencies do not. Devices, services and the relay share the machine's cores, so rates are those of all of them together.

use std::{
    io::{self, Write},
    process::ExitCode,
    time::{Duration, Instant},
};

mod bed;
mod idle;
mod load;
mod peers;
mod report;
mod sandbox;
mod throughput;
mod tunnels;
mod usage;

use report::Report;

const USAGE: &str = "\
usage: cargo bench -p tests --bench relay -- [--quick] [--only idle|tunnels|throughput|sandbox|peers] [--devices N] [--format text|json]";

/// What is asked for.
struct Options {
    quick: bool,
    only: Option<String>,
    devices: Option<u32>,
    json: bool,
}

/// How much of everything.
pub struct Scale {
    /// Devices held idle.
    pub devices: u32,
    /// How long one throughput measurement moves bytes.
    pub moving: Duration,
    /// Bytes ordered from `source`, which cannot be bounded in time.
    pub source_bytes: u64,
    /// How long tunnels are opened as fast as they can be.
    pub flood: Duration,
    /// How long tunnels are opened at a fixed rate.
    pub paced: Duration,
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let [peer, kind, target] = &arguments[..]
        && peer == peers::PEER
    {
        return peers::serve(kind, target);
    }
    if !arguments.iter().any(|argument| argument == "--bench") {
        say("this measures; run it with `cargo bench -p tests --bench relay`");
        return ExitCode::SUCCESS;
    }
    let options = match parse(&arguments) {
        Ok(options) => options,
        Err(wrong) => {
            say(&format!("{wrong}\n{USAGE}"));
            return ExitCode::from(2);
        }
    };
    run(&options)
}

fn parse(arguments: &[String]) -> Result<Options, String> {
    let mut options = Options { quick: false, only: None, devices: None, json: false };
    let mut arguments = arguments.iter();
    while let Some(argument) = arguments.next() {
        let mut value = || arguments.next().ok_or(format!("{argument} needs a value"));
        match argument.as_str() {
            "--bench" => {}
            "--quick" => options.quick = true,
            "--only" => match value()?.as_str() {
                part if PARTS.iter().any(|(name, _)| *name == part) => options.only = Some(part.to_owned()),
                other => return Err(format!("there is no part {other:?}")),
            },
            "--devices" => {
                options.devices = Some(value()?.parse().map_err(|error| format!("--devices: {error}"))?);
            }
            "--format" => options.json = value()? == "json",
            other => return Err(format!("{other:?} is no option")),
        }
    }
    Ok(options)
}

type Part = fn(&Scale, &mut Report);

const PARTS: [(&str, Part); 5] = [
    ("idle", idle::measure),
    ("tunnels", tunnels::measure),
    ("throughput", throughput::measure),
    ("sandbox", sandbox::measure),
    ("peers", peers::measure),
];

fn run(options: &Options) -> ExitCode {
    let scale = if options.quick {
        Scale {
            devices: options.devices.unwrap_or(500),
            moving: Duration::from_secs(1),
            source_bytes: 64 << 20,
            flood: Duration::from_secs(2),
            paced: Duration::from_secs(2),
        }
    } else {
        Scale {
            devices: options.devices.unwrap_or(5_000),
            moving: Duration::from_secs(4),
            source_bytes: 1 << 30,
            flood: Duration::from_secs(8),
            paced: Duration::from_secs(10),
        }
    };
    bed::raise_descriptors(scale.devices);
    let mut report = Report::new();
    for (name, part) in PARTS {
        if options.only.as_deref().is_none_or(|only| only == name) {
            let started = Instant::now();
            say(&format!("{name}: …"));
            part(&scale, &mut report);
            say(&format!("{name}: done in {:.1} s", started.elapsed().as_secs_f64()));
        }
    }
    let mut output = io::stdout().lock();
    let written = output.write_all(if options.json { report.json() } else { report.text() }.as_bytes());
    if written.and_then(|()| output.flush()).is_err() || report.failed() {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    }
}

/// Talk, which nobody has to hear.
pub fn say(line: &str) {
    let _ = writeln!(io::stderr(), "{line}");
}
