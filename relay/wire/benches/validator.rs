//! How many requests one core judges: every format, bodies that pass and bodies that are refused.
//!
//! `cargo bench -p relay-wire`; `-- --quick` for a tenth of the time, `-- --format json` for machines. The bodies are the
//! golden vectors: `V*` pass, `I*` are refused. A figure is the median of several rounds, in time of this process on the
//! processor where the system tells it, so that a busy machine does not spoil it.
#![allow(clippy::print_stdout, reason = "the figures are the result")]

use std::{fs, hint::black_box, path::Path, time::Duration};

use relay_wire::{Platform, Validator};

/// Rounds of which the median counts.
const ROUNDS: usize = 9;
/// How long one round shall last.
const ROUND: Duration = Duration::from_millis(40);
/// The same with `--quick`.
const ROUND_QUICK: Duration = Duration::from_millis(4);

/// One row of the result.
struct Row {
    platform: Platform,
    what: &'static str,
    bodies: usize,
    bytes: usize,
    ns: f64,
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if !arguments.iter().any(|argument| argument == "--bench") {
        println!("this measures; run it with `cargo bench -p relay-wire`");
        return;
    }
    let quick = arguments.iter().any(|argument| argument == "--quick");
    let json = arguments.windows(2).any(|pair| pair[0] == "--format" && pair[1] == "json");
    let rows: Vec<Row> = Platform::ALL
        .into_iter()
        .flat_map(|platform| [("accepted", 'V'), ("refused", 'I')].map(|(what, start)| (platform, what, start)))
        .map(|(platform, what, start)| {
            let bodies = bodies(platform, start);
            let ns = measure(platform, &bodies, if quick { ROUND_QUICK } else { ROUND });
            let bytes = bodies.iter().map(Vec::len).sum::<usize>() / bodies.len();
            Row { platform, what, bodies: bodies.len(), bytes, ns }
        })
        .collect();
    if json { print_json(&rows) } else { print_table(&rows) }
}

/// The golden vectors of a platform whose names start with `start`.
fn bodies(platform: Platform, start: char) -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("vectors").join(platform.as_str());
    let mut files: Vec<_> = fs::read_dir(&folder)
        .unwrap_or_else(|error| panic!("{}: {error}", folder.display()))
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .filter(|name| name.starts_with(start) && !name.ends_with(".canonical"))
        .collect();
    files.sort();
    let bodies: Vec<Vec<u8>> = files.iter().map(|name| fs::read(folder.join(name)).expect("a listed file")).collect();
    assert!(!bodies.is_empty(), "{}: no vectors", folder.display());
    for body in &bodies {
        assert_eq!(Validator::default().check(platform, body).is_ok(), start == 'V', "{platform}");
    }
    bodies
}

/// Nanoseconds per request: the median over rounds.
#[allow(clippy::cast_precision_loss, reason = "counts far below 2^52")]
fn measure(platform: Platform, bodies: &[Vec<u8>], round: Duration) -> f64 {
    let validator = Validator::default();
    let run = |passes: u32| {
        let started = now();
        for _ in 0..passes {
            for body in bodies {
                let _ = black_box(validator.check(platform, black_box(body)));
            }
        }
        now().saturating_sub(started)
    };
    // Finds out how many passes fill a round, and warms the caches.
    let mut passes = 16;
    while run(passes) < round / 4 {
        passes *= 2;
    }
    passes *= 4;
    let mut times: Vec<Duration> = (0..ROUNDS).map(|_| run(passes)).collect();
    times.sort();
    times[ROUNDS / 2].as_nanos() as f64 / (f64::from(passes) * bodies.len() as f64)
}

/// Time that the calling thread has spent on the processor; elsewhere than on Linux, time.
fn now() -> Duration {
    #[cfg(target_os = "linux")]
    {
        let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
        let (seconds, nanos) = (u64::try_from(time.tv_sec), u32::try_from(time.tv_nsec));
        Duration::new(seconds.unwrap_or_default(), nanos.unwrap_or_default())
    }
    #[cfg(not(target_os = "linux"))]
    {
        static START: std::sync::OnceLock<std::time::Instant> = std::sync::OnceLock::new();
        START.get_or_init(std::time::Instant::now).elapsed()
    }
}

fn print_table(rows: &[Row]) {
    println!("platform       bodies            bytes each    ns/request    requests/s per core");
    for Row { platform, what, bodies, bytes, ns } in rows {
        let (name, each) = (platform.as_str(), format!("{bodies} {what}"));
        println!("{name:<14} {each:<17} {bytes:>10} {ns:>13.0} {:>22.0}", 1e9 / ns);
    }
}

fn print_json(rows: &[Row]) {
    let rows: Vec<String> = rows
        .iter()
        .map(|Row { platform, what, bodies, bytes, ns }| {
            let platform = platform.as_str();
            let per_second = 1e9 / ns;
            format!(
                r#"{{"platform":"{platform}","bodies":"{what}","count":{bodies},"bytes_mean":{bytes},"ns_per_request":{ns:.1},"requests_per_second_per_core":{per_second:.0}}}"#
            )
        })
        .collect();
    println!("[{}]", rows.join(",\n "));
}
