//! One direction of a tunnel.

use std::{
    io,
    net::Shutdown,
    sync::atomic::{AtomicU64, Ordering},
    task::{Context, Poll, ready},
};

use socket2::SockRef;
use tokio::net::TcpStream;

use super::pipes::{Pipes, Vessel};

/// Bytes moved in one wake; then other tunnels have their turn.
const BYTES_PER_WAKE: usize = 1024 * 1024;

pub(super) enum FlowError {
    Reading(io::Error),
    Writing(io::Error),
}

/// It fills its vessel only when that is empty: a refusal to fill then means that the socket has nothing, and never that
/// the pipe is full, which the kernel does not tell apart.
#[derive(Default)]
pub(super) struct Flow {
    vessel: Option<Vessel>,
    /// Bytes in the vessel.
    held: usize,
    /// The source has ended.
    end: bool,
    /// The end has been passed on.
    done: bool,
    moved: u64,
}

impl Flow {
    /// Bytes passed on.
    pub(super) fn moved(&self) -> u64 {
        self.moved
    }

    /// Whether bytes wait for the destination.
    pub(super) fn is_blocked(&self) -> bool {
        self.held > 0
    }

    #[cfg(test)]
    pub(super) fn holds_vessel(&self) -> bool {
        self.vessel.is_some()
    }

    /// Moves what can be moved; ready when the end has been passed on.
    pub(super) fn poll(
        &mut self,
        cx: &mut Context<'_>,
        from: &TcpStream,
        to: &TcpStream,
        pipes: &Pipes,
        meter: &AtomicU64,
    ) -> Poll<Result<(), FlowError>> {
        let mut allowance = BYTES_PER_WAKE;
        while !self.done {
            if self.held > 0 {
                ready!(to.poll_write_ready(cx)).map_err(FlowError::Writing)?;
                let drained = self.drain(to).map_err(FlowError::Writing)?;
                allowance = allowance.saturating_sub(drained);
                meter.fetch_add(drained as u64, Ordering::Relaxed);
            } else if self.end {
                self.done = true;
                match SockRef::from(to).shutdown(Shutdown::Write) {
                    Ok(()) => {}
                    // The destination has closed both ways already; its own flow says how.
                    Err(error) if error.kind() == io::ErrorKind::NotConnected => {}
                    Err(error) => return Poll::Ready(Err(FlowError::Writing(error))),
                }
            } else if allowance == 0 {
                cx.waker().wake_by_ref();
                return Poll::Pending;
            } else {
                match from.poll_read_ready(cx) {
                    Poll::Ready(ready) => ready.map_err(FlowError::Reading)?,
                    Poll::Pending => {
                        self.give_back(pipes);
                        return Poll::Pending;
                    }
                }
                self.fill(from, pipes).map_err(FlowError::Reading)?;
            }
        }
        self.give_back(pipes);
        Poll::Ready(Ok(()))
    }

    fn fill(&mut self, from: &TcpStream, pipes: &Pipes) -> io::Result<()> {
        let vessel = self.vessel.get_or_insert_with(|| pipes.take());
        match vessel.fill(from) {
            Ok(0) => self.end = true,
            Ok(n) => self.held = n,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(error) if vessel.cannot_fill(&error) => {
                pipes.forbid();
                self.vessel = None;
            }
            Err(error) => return Err(error),
        }
        Ok(())
    }

    fn drain(&mut self, to: &TcpStream) -> io::Result<usize> {
        let Some(vessel) = &mut self.vessel else {
            return Ok(0);
        };
        match vessel.drain(to, self.held) {
            Ok(0) => Err(io::ErrorKind::WriteZero.into()),
            Ok(n) => {
                self.held -= n.min(self.held);
                self.moved += n as u64;
                Ok(n)
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(0),
            Err(error) => Err(error),
        }
    }

    fn give_back(&mut self, pipes: &Pipes) {
        if self.held == 0
            && let Some(vessel) = self.vessel.take()
        {
            pipes.give(vessel);
        }
    }
}
