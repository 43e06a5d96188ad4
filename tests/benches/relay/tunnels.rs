//! Tunnels opened: request, grant, offer, second connection, TLS end to end with client certificate, service joined.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use client_sim::{Failure, device::Tunnel};
use relay_wire::Platform;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    sync::mpsc,
    task::JoinSet,
    time::{sleep_until, timeout},
};

use crate::{
    Scale,
    bed::{Bed, Session, runtime},
    report::Report,
    usage::Meter,
};

/// Tunnels being opened at one time in the flood.
const IN_FLIGHT: u32 = 32;
/// Tunnels per second at the fixed rate.
const RATE: u32 = 100;
/// Devices for the fixed rate: each asks for one tunnel at a time.
const DEVICES: u32 = 64;
/// How long the end of a tunnel may take.
const CLOSING: Duration = Duration::from_secs(5);
const PART: &str = "tunnels";
const SERVICE: &str = "echo";

/// Opens tunnels as fast as it goes, then at a fixed rate.
pub fn measure(scale: &Scale, report: &mut Report) {
    let bed = Bed::start(DEVICES, &[]);
    let devices = runtime();
    if let Err(failure) = devices.block_on(both(&bed, scale, report)) {
        report.fail(format!("tunnels: {failure}"));
    }
}

async fn both(bed: &Bed, scale: &Scale, report: &mut Report) -> Result<(), Failure> {
    let mut sessions = Vec::new();
    for index in 0..DEVICES {
        let platform = Platform::ALL[index as usize % Platform::ALL.len()];
        sessions.push(bed.session(platform, index).await?);
    }
    let rest = sessions.split_off(IN_FLIGHT as usize);
    sessions.extend(rest);
    let sessions = flood(bed, sessions, scale.flood, report).await?;
    paced(sessions, scale.paced, report).await
}

/// `IN_FLIGHT` devices that open one tunnel after another.
#[allow(clippy::cast_precision_loss, reason = "counts far below 2^52")]
async fn flood(
    bed: &Bed,
    mut sessions: Vec<Session>,
    time: Duration,
    report: &mut Report,
) -> Result<Vec<Session>, Failure> {
    let mut resting = sessions.split_off(IN_FLIGHT as usize);
    let meter = Meter::start(&bed.ids());
    let until = Instant::now() + time;
    let mut working = JoinSet::new();
    for mut session in sessions {
        working.spawn(async move {
            let mut latencies = Vec::new();
            while Instant::now() < until {
                let started = Instant::now();
                let tunnel = session.open(SERVICE).await?;
                latencies.push(started.elapsed());
                close(tunnel).await;
            }
            Ok::<_, Failure>((session, latencies))
        });
    }
    let mut latencies = Vec::new();
    while let Some(done) = working.join_next().await {
        let (session, mine) = done.map_err(|error| Failure::Local(error.to_string()))??;
        resting.push(session);
        latencies.extend(mine);
    }
    let used = meter.stop();
    let opened = latencies.len() as f64;
    report.add(PART, format!("opened, {IN_FLIGHT} in flight"), opened / used.wall, "1/s");
    quantiles(report, &format!("{IN_FLIGHT} in flight"), latencies);
    for (name, cpu) in ["edge", "master", "node"].iter().zip(&used.cpu) {
        report.add(PART, format!("{name}: CPU per tunnel"), cpu / opened * 1e3, "ms");
    }
    report.add(PART, "devices: CPU per tunnel", used.own / opened * 1e3, "ms");
    Ok(resting)
}

/// `RATE` tunnels a second, each timed from the moment it should have started.
async fn paced(sessions: Vec<Session>, time: Duration, report: &mut Report) -> Result<(), Failure> {
    let (back, mut free) = mpsc::channel(sessions.len());
    for session in sessions {
        let _ = back.try_send(session);
    }
    let back = Arc::new(back);
    let start = tokio::time::Instant::now();
    let every = Duration::from_secs(1) / RATE;
    let mut working = JoinSet::new();
    for number in 0.. {
        let intended = start + every * number;
        if intended >= start + time {
            break;
        }
        sleep_until(intended).await;
        let Some(mut session) = free.recv().await else { break };
        let back = Arc::clone(&back);
        working.spawn(async move {
            let tunnel = session.open(SERVICE).await?;
            let latency = intended.elapsed();
            close(tunnel).await;
            let _ = back.try_send(session);
            Ok::<_, Failure>(latency)
        });
    }
    let mut latencies = Vec::new();
    while let Some(done) = working.join_next().await {
        latencies.push(done.map_err(|error| Failure::Local(error.to_string()))??);
    }
    quantiles(report, &format!("{RATE} per second"), latencies);
    Ok(())
}

/// Ends a tunnel as an honest device does.
async fn close(mut tunnel: Tunnel) {
    let end = async {
        tunnel.shutdown().await?;
        tunnel.read(&mut [0]).await
    };
    let _ = timeout(CLOSING, end).await;
}

fn quantiles(report: &mut Report, what: &str, mut latencies: Vec<Duration>) {
    latencies.sort_unstable();
    for percent in [50, 99] {
        if let Some(latency) = latencies.get(latencies.len() * percent / 100) {
            report.add(PART, format!("{what}: p{percent}"), latency.as_secs_f64() * 1e3, "ms");
        }
    }
}
