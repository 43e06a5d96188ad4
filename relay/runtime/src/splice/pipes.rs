//! What bytes are in while they are under way: a pipe where the kernel can splice, a buffer elsewhere.

use std::{
    io,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use tokio::net::TcpStream;

/// Bytes of a pipe: four times the kernel's default, beyond which a larger one gains nothing.
#[cfg(target_os = "linux")]
const PIPE_BYTES: usize = 256 * 1024;
/// Bytes below which a pipe that the kernel allows (there is a bound per user) is worse than a buffer.
#[cfg(target_os = "linux")]
const PIPE_BYTES_MIN: usize = 32 * 1024;
/// Bytes of a buffer where there is no pipe.
const BUFFER_BYTES: usize = 64 * 1024;

/// The pipes of one process, kept for the next tunnel that has bytes. Cloning it copies a pointer.
#[derive(Clone, Debug)]
pub struct Pipes(Arc<Pool>);

#[derive(Debug)]
struct Pool {
    idle: Mutex<Vec<Pipe>>,
    kept_max: usize,
    /// The kernel will not splice: buffers from now on.
    forbidden: AtomicBool,
}

impl Pipes {
    /// Keeps at most `kept_max` unused pipes, of two descriptors each. How many are in use is bounded by the tunnels: two
    /// each at most, and only while bytes move.
    #[must_use]
    pub fn new(kept_max: usize) -> Self {
        Self(Arc::new(Pool { idle: Mutex::new(Vec::new()), kept_max, forbidden: AtomicBool::new(false) }))
    }

    /// Never splices: copies through buffers, as on systems that cannot.
    #[must_use]
    pub fn copying() -> Self {
        let pipes = Self::new(0);
        pipes.forbid();
        pipes
    }

    /// How many unused pipes are kept now.
    #[must_use]
    pub fn kept(&self) -> usize {
        self.0.idle.lock().unwrap_or_else(PoisonError::into_inner).len()
    }

    pub(super) fn forbid(&self) {
        if !self.0.forbidden.swap(true, Ordering::Relaxed) {
            tracing::debug!("tunnels are copied, not spliced");
        }
    }

    pub(super) fn take(&self) -> Vessel {
        if !self.0.forbidden.load(Ordering::Relaxed) {
            let kept = self.0.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
            if let Some(pipe) = kept.or_else(Pipe::open) {
                return Vessel::Pipe(pipe);
            }
        }
        Vessel::Buffer { bytes: Vec::new(), start: 0 }
    }

    /// Takes an empty vessel back.
    pub(super) fn give(&self, vessel: Vessel) {
        if let Vessel::Pipe(pipe) = vessel {
            let mut idle = self.0.idle.lock().unwrap_or_else(PoisonError::into_inner);
            if idle.len() < self.0.kept_max {
                idle.push(pipe);
            }
        }
    }
}

/// Holds bytes between two sockets.
#[derive(Debug)]
pub(super) enum Vessel {
    /// In the kernel.
    Pipe(Pipe),
    /// In this process, from `start` on.
    Buffer { bytes: Vec<u8>, start: usize },
}

impl Vessel {
    /// Takes bytes from `from` into this vessel, which is empty; 0 is the end of input.
    pub(super) fn fill(&mut self, from: &TcpStream) -> io::Result<usize> {
        match self {
            Self::Pipe(pipe) => pipe.fill(from),
            Self::Buffer { bytes, start } => {
                bytes.resize(BUFFER_BYTES, 0);
                *start = 0;
                from.try_read(bytes)
            }
        }
    }

    /// Passes on some of the `held` bytes in this vessel.
    pub(super) fn drain(&mut self, to: &TcpStream, held: usize) -> io::Result<usize> {
        match self {
            Self::Pipe(pipe) => pipe.drain(to, held),
            Self::Buffer { bytes, start } => {
                let end = (*start + held).min(bytes.len());
                let written = to.try_write(&bytes[*start..end])?;
                *start += written;
                Ok(written)
            }
        }
    }

    /// Whether `error` says that the kernel cannot splice from this kind of socket at all.
    pub(super) fn cannot_fill(&self, error: &io::Error) -> bool {
        match self {
            Self::Pipe(_) => matches!(error.kind(), io::ErrorKind::InvalidInput | io::ErrorKind::Unsupported),
            Self::Buffer { .. } => false,
        }
    }
}

#[cfg(target_os = "linux")]
mod linux {
    use std::{io, os::fd::OwnedFd};

    use rustix::pipe::{PipeFlags, SpliceFlags, fcntl_getpipe_size, fcntl_setpipe_size, pipe_with, splice};
    use tokio::{io::Interest, net::TcpStream};

    use super::{PIPE_BYTES, PIPE_BYTES_MIN};

    /// Neither waiting for the pipe nor for the socket; pages are moved where the kernel can.
    const FLAGS: SpliceFlags = SpliceFlags::NONBLOCK.union(SpliceFlags::MOVE);

    #[derive(Debug)]
    pub(in super::super) struct Pipe {
        read: OwnedFd,
        write: OwnedFd,
        bytes: usize,
    }

    impl Pipe {
        /// `None` without descriptors or memory for one: a buffer will do.
        pub(super) fn open() -> Option<Self> {
            let (read, write) = pipe_with(PipeFlags::NONBLOCK | PipeFlags::CLOEXEC).ok()?;
            // Past the user's bound on pipe pages the kernel refuses, or has already given less than its default.
            let bytes = fcntl_setpipe_size(&write, PIPE_BYTES).or_else(|_| fcntl_getpipe_size(&write)).ok()?;
            (bytes >= PIPE_BYTES_MIN).then_some(Self { read, write, bytes })
        }

        pub(super) fn fill(&self, from: &TcpStream) -> io::Result<usize> {
            from.try_io(Interest::READABLE, || Ok(splice(from, None, &self.write, None, self.bytes, FLAGS)?))
        }

        pub(super) fn drain(&self, to: &TcpStream, held: usize) -> io::Result<usize> {
            to.try_io(Interest::WRITABLE, || Ok(splice(&self.read, None, to, None, held, FLAGS)?))
        }
    }
}

#[cfg(target_os = "linux")]
pub(super) use linux::Pipe;

/// Where there is no `splice(2)` there is no pipe.
#[cfg(not(target_os = "linux"))]
#[derive(Debug)]
pub(super) enum Pipe {}

#[cfg(not(target_os = "linux"))]
impl Pipe {
    fn open() -> Option<Self> {
        None
    }

    fn fill(&self, _from: &TcpStream) -> io::Result<usize> {
        match *self {}
    }

    fn drain(&self, _to: &TcpStream, _held: usize) -> io::Result<usize> {
        match *self {}
    }
}
