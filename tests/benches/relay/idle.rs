//! Memory of an edge that holds idle devices of all six platforms, each enrolled, authenticated and connected.

use std::{sync::Arc, time::Duration};

use client_sim::{
    fleet::{Fleet, Plan},
    record::Recorder,
    report::{Run, Summary},
    schedule::{Part, Schedule},
};
use relay_runtime::resources;
use tests::process::wait_until;

use crate::{
    Scale,
    bed::{Bed, runtime},
    report::Report,
    say,
    usage::{Meter, resident},
};

/// Devices at work at one time while they enrol.
const CONCURRENCY: usize = 64;
/// How long everything rests before memory is read.
const REST: Duration = Duration::from_secs(2);
const PART: &str = "idle";

/// Holds `scale.devices` devices.
#[allow(clippy::cast_precision_loss, reason = "counts and bytes far below 2^52")]
pub fn measure(scale: &Scale, report: &mut Report) {
    let bed = Bed::start(scale.devices, &[]);
    let edge = &bed.relay.edge;
    let (edge_before, own_before) = (resident(edge), resources::resident_bytes().unwrap_or_default() as f64);
    let meter = Meter::start(&bed.ids());
    let recorder = Arc::new(Recorder::default());
    let plan = Plan {
        schedule: honest(scale.devices),
        target: bed.target.clone(),
        seed: 1,
        bytes: 0,
        concurrency: CONCURRENCY,
        hold: true,
    };
    let devices = runtime();
    let fleet = devices.block_on(async {
        let fleet = Fleet::start(plan, Arc::clone(&recorder));
        fleet.all_done().await;
        fleet
    });
    let used = meter.stop();
    say(&format!("{} devices are held", fleet.holding()));
    std::thread::sleep(REST);
    let (held, lost) = (fleet.holding() as f64, fleet.lost());
    let (edge_held, own_held) = (resident(edge), resources::resident_bytes().unwrap_or_default() as f64);
    devices.block_on(fleet.release());
    let run = Run { seed: 1, embedded: false, elapsed: Duration::ZERO, lag: Duration::ZERO, cpu: None, held: None };
    let summary = Summary::new(&recorder.finish(), run);
    if summary.wrong > 0 || lost > 0 {
        let first = summary.surprises.first().map(|surprise| format!("{surprise:?}"));
        report.fail(format!("idle: {} devices got something else, {lost} lost: {first:?}", summary.wrong));
    }
    wait_until("every device has left", || edge.metric("sallyport_edge_devices", &[]) == 0.0);
    std::thread::sleep(REST);
    report.add(PART, "devices held, all platforms", held, "devices");
    report.add(PART, "devices lost or treated wrongly", summary.wrong as f64 + lost as f64, "devices");
    report.add(PART, "edge: resident before", edge_before / 1024.0, "KiB");
    report.add(PART, "edge: resident, devices held", edge_held / 1024.0, "KiB");
    report.add(PART, "edge: resident after they left", resident(edge) / 1024.0, "KiB");
    report.add(PART, "edge: per idle device", (edge_held - edge_before) / held / 1024.0, "KiB");
    report.add(PART, "simulator: per idle device", (own_held - own_before) / held / 1024.0, "KiB");
    report.add(PART, "devices enrolled and authenticated", f64::from(scale.devices) / used.wall, "1/s");
    for (name, cpu) in ["edge", "master", "node"].iter().zip(&used.cpu) {
        let each = cpu / f64::from(scale.devices) * 1e3;
        report.add(PART, format!("{name}: CPU per device enrolled and authenticated"), each, "ms");
    }
}

/// Devices of all platforms that all want to stay; a fleet's faulty ones would not.
fn honest(devices: u32) -> Schedule {
    let mut schedule = Schedule::new(1, devices, Duration::ZERO);
    for arrival in &mut schedule.arrivals {
        (arrival.part, arrival.victim) = (Part::Honest, None);
    }
    schedule
}
