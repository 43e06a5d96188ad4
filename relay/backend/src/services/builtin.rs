//! `sink`, `source`, `echo`: for tests, fleets and a first look at a new node.

use std::{io, time::Duration};

use relay_runtime::buffers::Buffers;
use relay_wire::builtin::{Content, SinkReceipt, SourceOrder};
use sha2::{Digest, Sha256};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    time::timeout,
};

use super::{Means, TunnelStream, copy::End};

/// A buffer that goes back to its pool.
struct Held<'a> {
    bytes: Box<[u8]>,
    buffers: &'a Buffers,
}

impl<'a> Held<'a> {
    fn take(buffers: &'a Buffers) -> Self {
        Self { bytes: buffers.take(), buffers }
    }
}

impl Drop for Held<'_> {
    fn drop(&mut self) {
        self.buffers.give_back(std::mem::take(&mut self.bytes));
    }
}

/// One step of a service, which may wait for the device as long as the idle limit.
async fn step<T>(idle: Duration, step: impl Future<Output = io::Result<T>>) -> Result<T, End> {
    match timeout(idle, step).await {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(error)) => Err(End::DeviceBroke(error)),
        Err(_) => Err(End::Idle),
    }
}

fn end(result: Result<(), End>) -> End {
    match result {
        Ok(()) => End::Finished,
        Err(end) => end,
    }
}

/// Swallows all until end of stream, then answers with a [`SinkReceipt`].
pub async fn sink(tunnel: &mut TunnelStream, means: &Means) -> End {
    let swallow = async {
        let mut hash = Sha256::new();
        let mut bytes: u64 = 0;
        {
            let mut buffer = Held::take(&means.buffers);
            loop {
                let count = step(means.idle, tunnel.read(&mut buffer.bytes)).await?;
                if count == 0 {
                    break;
                }
                hash.update(&buffer.bytes[..count]);
                bytes += count as u64;
                means.metrics.bytes_from_devices.inc_by(count as u64);
            }
        }
        let receipt = SinkReceipt { bytes, sha256: hash.finalize().into() };
        step(means.idle, tunnel.write_all(&receipt.encode())).await
    };
    end(swallow.await)
}

/// Reads a [`SourceOrder`] and sends what its seed decides.
pub async fn source(tunnel: &mut TunnelStream, means: &Means) -> End {
    let send = async {
        let mut order = [0; SourceOrder::BYTES];
        step(means.idle, tunnel.read_exact(&mut order)).await?;
        let Some(order) = SourceOrder::decode(&order) else {
            let text = format!("an order for more than {} bytes", SourceOrder::BYTES_MAX);
            return Err(End::DeviceBroke(io::Error::new(io::ErrorKind::InvalidData, text)));
        };
        let mut content = Content::new(order.seed);
        let mut left = order.bytes;
        let mut buffer = Held::take(&means.buffers);
        while left > 0 {
            let part = usize::try_from(left).unwrap_or(usize::MAX).min(buffer.bytes.len());
            content.fill(&mut buffer.bytes[..part]);
            step(means.idle, tunnel.write_all(&buffer.bytes[..part])).await?;
            left -= part as u64;
            means.metrics.bytes_to_devices.inc_by(part as u64);
        }
        step(means.idle, tunnel.flush()).await
    };
    end(send.await)
}

/// Sends back what it gets.
pub async fn echo(tunnel: &mut TunnelStream, means: &Means) -> End {
    let send_back = async {
        loop {
            // Read with a small buffer, so that an echo that waits holds no large one.
            let mut buffer = [0; 4_096];
            let count = step(means.idle, tunnel.read(&mut buffer)).await?;
            if count == 0 {
                return Ok(());
            }
            means.metrics.bytes_from_devices.inc_by(count as u64);
            step(means.idle, tunnel.write_all(&buffer[..count])).await?;
            step(means.idle, tunnel.flush()).await?;
            means.metrics.bytes_to_devices.inc_by(count as u64);
        }
    };
    end(send_back.await)
}
