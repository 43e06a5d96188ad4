//! What the sandbox costs: the same work with it and without, in turns.

use std::time::Duration;

use client_sim::Failure;
use relay_runtime::sandbox::Mode;
use relay_wire::Platform;

use crate::{
    Scale,
    bed::{Bed, Session, runtime},
    load,
    report::Report,
    say,
    throughput::{Work, moved},
    usage::resident,
};

/// The row's part.
const PART: &str = "sandbox";
/// Turns of each, of which the median counts.
const ROUNDS: usize = 5;
/// Idle devices whose memory is compared: of the devices of part `idle`.
const DEVICES_SHARE: u32 = 10;
/// How long everything rests before memory is read.
const REST: Duration = Duration::from_secs(1);

struct Side {
    name: &'static str,
    bed: Bed,
    sessions: Vec<Session>,
    resident: f64,
    rates: Vec<f64>,
    costs: Vec<f64>,
}

/// Measures both sides.
pub fn measure(scale: &Scale, report: &mut Report) {
    let devices = runtime();
    let mut sides = Vec::new();
    for (name, mode) in [("without", Mode::Off), ("with", Mode::Prefer)] {
        let bed = Bed::confined(scale.devices, &[("drain", load::drain()), ("pour", load::pour())], mode);
        let missing = bed.relay.edge.status()["sandbox"]["layers"]
            .as_array()
            .map_or(0, |layers| layers.iter().filter(|held| held["holds"] != true && held["layer"] != "user").count());
        if missing > 0 {
            say(&format!("sandbox: this kernel cannot give {missing} of its layers"));
        }
        let resident = resident(&bed.relay.edge);
        sides.push(Side { name, bed, sessions: Vec::new(), resident, rates: Vec::new(), costs: Vec::new() });
    }
    let result: Result<(), Failure> = devices.block_on(async {
        for side in &mut sides {
            idle(side, (scale.devices / DEVICES_SHARE).max(1), report).await?;
        }
        for _ in 0..ROUNDS {
            for side in &mut sides {
                let (gigabytes, used) = moved(&side.bed, &mut side.sessions[..1], Work::Drain(scale.moving)).await?;
                side.rates.push(gigabytes / used.wall);
                side.costs.push(used.cpu[0] / gigabytes);
            }
            sides.reverse();
        }
        Ok(())
    });
    if let Err(failure) = result {
        report.fail(format!("sandbox: {failure}"));
        return;
    }
    sides.sort_by_key(|side| std::cmp::Reverse(side.name));
    for side in &mut sides {
        report.add(PART, format!("{}: device to upstream ×1", side.name), median(&mut side.rates), "GB/s");
        report.add(PART, format!("{}: device to upstream ×1: edge", side.name), median(&mut side.costs), "CPU-s/GB");
    }
}

/// The edge's memory, empty and with idle devices.
async fn idle(side: &mut Side, devices: u32, report: &mut Report) -> Result<(), Failure> {
    for index in 0..devices {
        let platform = Platform::ALL[index as usize % Platform::ALL.len()];
        side.sessions.push(side.bed.session(platform, index).await?);
    }
    tokio::time::sleep(REST).await;
    let held = resident(&side.bed.relay.edge);
    report.add(PART, format!("{}: edge, no device", side.name), side.resident / 1024.0, "KiB");
    report.add(PART, format!("{}: edge, {devices} idle devices", side.name), held / 1024.0, "KiB");
    Ok(())
}

fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}
