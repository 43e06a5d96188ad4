//! Both directions between a tunnel and an upstream, until both have ended, one has broken, or nothing moves any more.
//!
//! Half-close travels: TLS close_notify becomes a FIN to the upstream, the upstream's FIN becomes close_notify. What is cut
//! off stays cut off: a TLS stream that ends without close_notify resets the upstream, and an upstream that resets
//! makes the TLS stream end without close_notify, so that neither end takes a torn stream for a whole one.

use std::{future::poll_fn, io, pin::pin, task::Poll, time::Duration};

use relay_runtime::buffers::{Broken, Buffers, Direction};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    time::Instant,
};

use crate::metrics::Metrics;

/// How a copy ended.
#[derive(Debug)]
pub enum End {
    /// Both directions, with their ends of stream passed on.
    Finished,
    /// The device's side broke off.
    DeviceBroke(io::Error),
    /// The upstream's side broke off.
    UpstreamBroke(io::Error),
    /// No byte moved for the idle limit.
    Idle,
    /// The device was revoked.
    Revoked,
}

impl End {
    /// The fixed word in log and metric.
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Finished => "finished",
            Self::DeviceBroke(_) => "device-broke",
            Self::UpstreamBroke(_) => "upstream-broke",
            Self::Idle => "idle",
            Self::Revoked => "revoked",
        }
    }
}

/// Counts the bytes of a copy, also of one that is dropped half-way.
struct Counted<'a> {
    to_upstream: Direction,
    to_device: Direction,
    metrics: &'a Metrics,
}

impl Drop for Counted<'_> {
    fn drop(&mut self) {
        self.metrics.bytes_from_devices.inc_by(self.to_upstream.moved());
        self.metrics.bytes_to_devices.inc_by(self.to_device.moved());
    }
}

/// Copies between `device` and `upstream`. Ends as [`End::Idle`] when no byte has moved either way for `idle` (found after
/// at most twice that).
pub async fn both_ways<D, U>(
    device: &mut D,
    upstream: &mut U,
    buffers: &Buffers,
    metrics: &Metrics,
    idle: Duration,
) -> End
where
    D: AsyncRead + AsyncWrite + Unpin,
    U: AsyncRead + AsyncWrite + Unpin,
{
    let mut copy =
        Counted { to_upstream: Direction::new(buffers.clone()), to_device: Direction::new(buffers.clone()), metrics };
    let mut timer = pin!(tokio::time::sleep(idle));
    let mut moved_before = 0;
    let (mut up_done, mut down_done) = (false, false);
    poll_fn(|cx| {
        if !up_done {
            match copy.to_upstream.poll_copy(device, upstream, cx) {
                Poll::Ready(Ok(())) => up_done = true,
                Poll::Ready(Err(Broken::Reader(error))) => return Poll::Ready(End::DeviceBroke(error)),
                Poll::Ready(Err(Broken::Writer(error))) => return Poll::Ready(End::UpstreamBroke(error)),
                Poll::Pending => {}
            }
        }
        if !down_done {
            match copy.to_device.poll_copy(upstream, device, cx) {
                Poll::Ready(Ok(())) => down_done = true,
                Poll::Ready(Err(Broken::Reader(error))) => return Poll::Ready(End::UpstreamBroke(error)),
                Poll::Ready(Err(Broken::Writer(error))) => return Poll::Ready(End::DeviceBroke(error)),
                Poll::Pending => {}
            }
        }
        if up_done && down_done {
            return Poll::Ready(End::Finished);
        }
        while timer.as_mut().poll(cx).is_ready() {
            let moved = copy.to_upstream.moved() + copy.to_device.moved();
            if moved == moved_before {
                return Poll::Ready(End::Idle);
            }
            moved_before = moved;
            timer.as_mut().reset(Instant::now() + idle);
        }
        Poll::Pending
    })
    .await
}

#[cfg(test)]
mod tests;
