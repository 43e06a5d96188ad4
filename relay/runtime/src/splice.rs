//! The tunnel pump: two TCP connections joined, bytes moved by the kernel.
//!
//! On Linux each direction goes through a pipe with `splice(2)`, so that a byte is never copied into this process;
//! elsewhere, and where the kernel refuses, through a buffer. A pipe or buffer is held only while bytes are under way: an
//! idle tunnel holds none.
//!
//! A tunnel ends cleanly in one way only: both sides sent FIN and everything before it was passed on. In every other case
//! (an error on either side, a stall, this future dropped) both connections are reset, so that what was cut off is never
//! mistaken for what ended.

use std::{
    future::{Future, poll_fn},
    io,
    pin::{Pin, pin},
    sync::atomic::{AtomicU64, Ordering},
    task::{Context, Poll},
    time::Duration,
};

use socket2::SockRef;
use tokio::{
    net::TcpStream,
    time::{Instant, Sleep, sleep_until},
};

mod flow;
mod pipes;
#[cfg(test)]
mod tests;

use flow::{Flow, FlowError};
pub use pipes::Pipes;

/// Bytes that went through a tunnel.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Moved {
    /// From the first connection to the second.
    pub a_to_b: u64,
    /// From the second connection to the first.
    pub b_to_a: u64,
}

/// Counts bytes while they move. One may serve many tunnels.
#[derive(Debug, Default)]
pub struct Meter {
    a_to_b: AtomicU64,
    b_to_a: AtomicU64,
}

impl Meter {
    /// At zero.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// What has been passed on so far.
    #[must_use]
    pub fn read(&self) -> Moved {
        Moved { a_to_b: self.a_to_b.load(Ordering::Relaxed), b_to_a: self.b_to_a.load(Ordering::Relaxed) }
    }
}

/// One end of a tunnel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// The first connection.
    A,
    /// The second connection.
    B,
}

impl std::fmt::Display for Side {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::A => "first",
            Self::B => "second",
        })
    }
}

/// Why a tunnel was cut off. Both connections have been reset.
#[derive(Debug, thiserror::Error)]
#[error("the tunnel's {side} connection: {source}")]
pub struct RelayError {
    /// The end at fault.
    pub side: Side,
    /// What had been passed on until then.
    pub moved: Moved,
    /// What happened: `TimedOut` if that end took nothing for as long as a stall may last.
    pub source: io::Error,
}

/// Joins two connections until both have ended.
///
/// An end of input on one side is passed on as a half-close; the other direction goes on. `stall` is how long an end may
/// take nothing while bytes wait for it; an idle tunnel is never stalled, its dead peers are found by TCP keep-alives.
/// Dropping the future resets both connections.
///
/// # Errors
/// [`RelayError`] when either connection failed or stalled.
pub async fn relay(
    a: TcpStream,
    b: TcpStream,
    pipes: &Pipes,
    meter: &Meter,
    stall: Option<Duration>,
) -> Result<Moved, RelayError> {
    let mut tunnel = Tunnel { ends: Ends { a, b, clean: false }, a_to_b: Flow::default(), b_to_a: Flow::default() };
    let mut timer = pin!(sleep_until(Instant::now()));
    let mut stalled = [None; 2];
    let done = poll_fn(|cx| {
        let polled = tunnel.poll(cx, pipes, meter);
        match (polled, stall) {
            (Poll::Pending, Some(stall)) => tunnel.poll_stall(cx, stall, &mut stalled, timer.as_mut()),
            (polled, _) => polled,
        }
    })
    .await;
    let moved = tunnel.moved();
    match done {
        Ok(()) => {
            tunnel.ends.clean = true;
            Ok(moved)
        }
        Err((side, source)) => Err(RelayError { side, moved, source }),
    }
}

/// Both connections; reset when dropped unless the tunnel ended cleanly.
struct Ends {
    a: TcpStream,
    b: TcpStream,
    clean: bool,
}

impl Drop for Ends {
    fn drop(&mut self) {
        if !self.clean {
            reset_on_close(&self.a);
            reset_on_close(&self.b);
        }
    }
}

/// Makes the coming close of `stream` a reset: what is unsent is discarded, and the peer sees an error, never an end.
pub fn reset_on_close(stream: &TcpStream) {
    // It fails only on a connection that is already gone.
    let _ = SockRef::from(stream).set_linger(Some(Duration::ZERO));
}

struct Tunnel {
    ends: Ends,
    a_to_b: Flow,
    b_to_a: Flow,
}

/// Since when which flow has not moved, and what it had moved then.
type Stall = Option<(Instant, u64)>;

impl Tunnel {
    fn moved(&self) -> Moved {
        Moved { a_to_b: self.a_to_b.moved(), b_to_a: self.b_to_a.moved() }
    }

    fn poll(&mut self, cx: &mut Context<'_>, pipes: &Pipes, meter: &Meter) -> Poll<Result<(), (Side, io::Error)>> {
        let Ends { a, b, .. } = &self.ends;
        let there = self.a_to_b.poll(cx, a, b, pipes, &meter.a_to_b).map_err(|error| match error {
            FlowError::Reading(error) => (Side::A, error),
            FlowError::Writing(error) => (Side::B, error),
        })?;
        let back = self.b_to_a.poll(cx, b, a, pipes, &meter.b_to_a).map_err(|error| match error {
            FlowError::Reading(error) => (Side::B, error),
            FlowError::Writing(error) => (Side::A, error),
        })?;
        if there.is_ready() && back.is_ready() { Poll::Ready(Ok(())) } else { Poll::Pending }
    }

    /// Ready, with an error, when an end has taken nothing for `stall` while bytes waited for it.
    fn poll_stall(
        &self,
        cx: &mut Context<'_>,
        stall: Duration,
        stalled: &mut [Stall; 2],
        mut timer: Pin<&mut Sleep>,
    ) -> Poll<Result<(), (Side, io::Error)>> {
        let now = Instant::now();
        let mut first: Option<(Instant, Side)> = None;
        for (slot, flow, side) in [(0, &self.a_to_b, Side::B), (1, &self.b_to_a, Side::A)] {
            stalled[slot] = match (flow.is_blocked(), stalled[slot]) {
                (false, _) => None,
                (true, Some((until, moved))) if moved == flow.moved() => Some((until, moved)),
                (true, _) => Some((now + stall, flow.moved())),
            };
            if let Some((until, _)) = stalled[slot] {
                first = Some(first.map_or((until, side), |best| if until < best.0 { (until, side) } else { best }));
            }
        }
        let Some((until, side)) = first else {
            return Poll::Pending;
        };
        if timer.deadline() != until {
            timer.as_mut().reset(until);
        }
        if timer.poll(cx).is_pending() {
            return Poll::Pending;
        }
        let text = format!("it takes nothing that is sent to it for {stall:?}");
        Poll::Ready(Err((side, io::Error::new(io::ErrorKind::TimedOut, text))))
    }
}
