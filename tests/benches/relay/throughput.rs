//! Bytes through tunnels: rate, and processor time per gigabyte of edge and node.

use std::time::Duration;

use client_sim::{Failure, device::Tunnel};
use relay_wire::{
    Platform,
    builtin::{SinkReceipt, SourceOrder},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    task::JoinSet,
};

use crate::{
    Scale,
    bed::{Bed, Session, runtime},
    load,
    report::Report,
    usage::{Meter, Used},
};

/// The row's part.
pub const PART: &str = "throughput";
/// Tunnels at one time, in turn.
const TUNNELS: [u32; 2] = [1, 8];

/// What moves the bytes of one tunnel.
#[derive(Clone, Copy)]
pub enum Work {
    /// To an upstream that takes all, for so long.
    Drain(Duration),
    /// From an upstream that gives without end, for so long.
    Pour(Duration),
    /// To the built-in `sink`, for so long.
    Sink(Duration),
    /// So many bytes from the built-in `source`.
    Source(u64),
}

impl Work {
    const fn service(self) -> &'static str {
        match self {
            Self::Drain(_) => "drain",
            Self::Pour(_) => "pour",
            Self::Sink(_) => "sink",
            Self::Source(_) => "source",
        }
    }

    /// As the rows name it.
    const fn name(self) -> &'static str {
        match self {
            Self::Drain(_) => "device to upstream",
            Self::Pour(_) => "upstream to device",
            Self::Sink(_) => "device to `sink` (node hashes)",
            Self::Source(_) => "`source` to device (node makes content)",
        }
    }

    async fn move_bytes(self, mut tunnel: Tunnel) -> Result<u64, Failure> {
        let moved = match self {
            Self::Drain(time) => load::up(tunnel, time).await,
            Self::Pour(time) => load::down(tunnel, time).await,
            Self::Sink(time) => {
                let sent = load::write_for(&mut tunnel, time).await.map_err(local)?;
                let mut receipt = [0; SinkReceipt::BYTES];
                tunnel.read_exact(&mut receipt).await.map_err(local)?;
                let received = SinkReceipt::decode(&receipt).bytes;
                if received == sent {
                    Ok(sent)
                } else {
                    return Err(Failure::Corrupt(format!("{sent} sent, {received} came")));
                }
            }
            Self::Source(bytes) => {
                let order = SourceOrder { seed: 1, bytes }.encode();
                tunnel.write_all(&order).await.map_err(local)?;
                let received = load::down(tunnel, Duration::from_secs(3600)).await.map_err(local)?;
                if received == bytes {
                    Ok(bytes)
                } else {
                    return Err(Failure::Corrupt(format!("{bytes} ordered, {received} came")));
                }
            }
        };
        moved.map_err(local)
    }
}

fn local(error: std::io::Error) -> Failure {
    Failure::Local(format!("moving bytes: {error}"))
}

/// Moves bytes through one tunnel of each session; gigabytes, and what edge and node used for them.
#[allow(clippy::cast_precision_loss, reason = "bytes far below 2^52")]
pub async fn moved(bed: &Bed, sessions: &mut [Session], work: Work) -> Result<(f64, Used), Failure> {
    let mut tunnels = Vec::new();
    for session in sessions {
        tunnels.push(session.open(work.service()).await?);
    }
    let [edge, _, node] = bed.ids();
    let meter = Meter::start(&[edge, node]);
    let mut moving: JoinSet<_> = tunnels.into_iter().map(|tunnel| work.move_bytes(tunnel)).collect();
    let mut bytes = 0;
    while let Some(done) = moving.join_next().await {
        bytes += done.map_err(|error| Failure::Local(error.to_string()))??;
    }
    Ok((bytes as f64 / 1e9, meter.stop()))
}

/// Measures every kind of transfer.
pub fn measure(scale: &Scale, report: &mut Report) {
    let most = TUNNELS[TUNNELS.len() - 1];
    let bed = Bed::start(most, &[("drain", load::drain()), ("pour", load::pour())]);
    let devices = runtime();
    let result: Result<(), Failure> = devices.block_on(async {
        let mut sessions = Vec::new();
        for index in 0..most {
            sessions.push(bed.session(Platform::Linux, index).await?);
        }
        for tunnels in TUNNELS {
            for work in [Work::Drain(scale.moving), Work::Pour(scale.moving)] {
                row(&bed, &mut sessions[..tunnels as usize], work, report).await?;
            }
        }
        for work in [Work::Sink(scale.moving), Work::Source(scale.source_bytes)] {
            row(&bed, &mut sessions[..1], work, report).await?;
        }
        Ok(())
    });
    if let Err(failure) = result {
        report.fail(format!("throughput: {failure}"));
    }
}

async fn row(bed: &Bed, sessions: &mut [Session], work: Work, report: &mut Report) -> Result<(), Failure> {
    let (gigabytes, used) = moved(bed, sessions, work).await?;
    let what = format!("{} ×{}", work.name(), sessions.len());
    report.add(PART, what.clone(), gigabytes / used.wall, "GB/s");
    report.add(PART, format!("{what}: edge"), used.cpu[0] / gigabytes, "CPU-s/GB");
    report.add(PART, format!("{what}: node"), used.cpu[1] / gigabytes, "CPU-s/GB");
    report.add(PART, format!("{what}: edge and node"), (used.cpu[0] + used.cpu[1]) / gigabytes, "CPU-s/GB");
    report.add(PART, format!("{what}: device and upstream"), used.own / gigabytes, "CPU-s/GB");
    Ok(())
}
