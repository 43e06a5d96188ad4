//! What a simulated device does in a tunnel: backs up seeded content, restores it, and checks every byte.

use std::{io, time::Duration};

use relay_wire::builtin::{Content, SinkReceipt, SourceOrder};
use sha2::{Digest, Sha256};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    time::timeout,
};

use super::{Failure, Step, Tunnel};
use crate::hex;

/// How long a transfer may go without moving a byte.
pub const STALL: Duration = Duration::from_secs(30);
/// Bytes handed to TLS at a time: four records.
const CHUNK_BYTES: usize = 64 * 1024;

/// Sends `bytes` bytes of the content of `seed` to `sink` and compares its receipt with what was sent.
///
/// # Errors
/// [`Failure::Corrupt`] if the far end counted or hashed anything else; otherwise a matter of reach.
pub async fn backup(mut tunnel: Tunnel, seed: u64, bytes: u64) -> Result<(), Failure> {
    let mut content = Content::new(seed);
    let mut hash = Sha256::new();
    let mut chunk = vec![0; CHUNK_BYTES];
    let mut left = bytes;
    while left > 0 {
        let part = &mut chunk[..usize::try_from(left).unwrap_or(CHUNK_BYTES).min(CHUNK_BYTES)];
        content.fill(part);
        hash.update(&*part);
        moving(tunnel.write_all(part)).await?;
        left -= part.len() as u64;
    }
    moving(tunnel.flush()).await?;
    // Half-close: the receipt comes back on the other half.
    moving(tunnel.shutdown()).await?;
    let mut receipt = [0; SinkReceipt::BYTES];
    moving(tunnel.read_exact(&mut receipt)).await?;
    let receipt = SinkReceipt::decode(&receipt);
    let sent = SinkReceipt { bytes, sha256: hash.finalize().into() };
    if receipt == sent {
        Ok(())
    } else {
        Err(Failure::Corrupt(format!(
            "sent {} bytes with SHA-256 {}, the node received {} bytes with SHA-256 {}",
            sent.bytes,
            hex::encode(&sent.sha256),
            receipt.bytes,
            hex::encode(&receipt.sha256)
        )))
    }
}

/// Orders `bytes` bytes of the content of `seed` from `source` and compares what comes, to the end of the stream.
///
/// # Errors
/// [`Failure::Corrupt`] if fewer, more or other bytes come; otherwise a matter of reach.
pub async fn restore(mut tunnel: Tunnel, seed: u64, bytes: u64) -> Result<(), Failure> {
    moving(tunnel.write_all(&SourceOrder { seed, bytes }.encode())).await?;
    moving(tunnel.flush()).await?;
    let (mut received, mut expected) = (Sha256::new(), Sha256::new());
    let mut content = Content::new(seed);
    let mut chunk = vec![0; CHUNK_BYTES];
    let mut reference = vec![0; CHUNK_BYTES];
    let mut count = 0_u64;
    loop {
        let length = moving(tunnel.read(&mut chunk)).await?;
        if length == 0 {
            break;
        }
        count += length as u64;
        if count > bytes {
            return Err(Failure::Corrupt(format!("ordered {bytes} bytes, more than that came")));
        }
        content.fill(&mut reference[..length]);
        received.update(&chunk[..length]);
        expected.update(&reference[..length]);
    }
    let _ = timeout(STALL, tunnel.shutdown()).await;
    let (received, expected): ([u8; 32], [u8; 32]) = (received.finalize().into(), expected.finalize().into());
    if count != bytes {
        return Err(Failure::Corrupt(format!("ordered {bytes} bytes, {count} came before the end of the stream")));
    }
    if received != expected {
        return Err(Failure::Corrupt(format!(
            "ordered content with SHA-256 {}, received {}",
            hex::encode(&expected),
            hex::encode(&received)
        )));
    }
    Ok(())
}

/// Runs one read or write of a transfer under [`STALL`].
async fn moving<T>(step: impl Future<Output = io::Result<T>>) -> Result<T, Failure> {
    timeout(STALL, step).await.map_err(|_| Failure::Timeout { step: Step::Transfer, after: STALL })?.map_err(|source| {
        Failure::Unreachable { step: Step::Transfer, peer: "the backend in the tunnel".into(), source }
    })
}
