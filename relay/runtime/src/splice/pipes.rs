//! What bytes are in while they are under way: a pipe where the kernel can splice, a buffer elsewhere.

use std::{
    io,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicUsize, Ordering},
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
    /// Pipes that are open, and how many may be.
    open: Arc<AtomicUsize>,
    open_max: AtomicUsize,
    /// The kernel will not splice: buffers from now on.
    forbidden: AtomicBool,
}

impl Pipes {
    /// Keeps at most `kept_max` unused pipes, of two descriptors each. How many are in use is bounded by the tunnels: two
    /// each at most, and only while bytes move; and by [`Self::bound`].
    #[must_use]
    pub fn new(kept_max: usize) -> Self {
        Self(Arc::new(Pool {
            idle: Mutex::new(Vec::new()),
            kept_max,
            open: Arc::default(),
            open_max: AtomicUsize::new(usize::MAX),
            forbidden: AtomicBool::new(false),
        }))
    }

    /// From now on opens no pipe beyond `open_max`: tunnels whose ends take nothing must not use up the descriptors that new
    /// connections need. Further tunnels are copied. Pipes that are open stay until they are empty.
    pub fn bound(&self, open_max: usize) {
        self.0.open_max.store(open_max, Ordering::Relaxed);
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
            if let Some(pipe) = kept.or_else(|| Pipe::open(self.place()?)) {
                return Vessel::Pipe(pipe);
            }
        }
        Vessel::Buffer { bytes: Vec::new(), start: 0 }
    }

    fn place(&self) -> Option<Place> {
        let max = self.0.open_max.load(Ordering::Relaxed);
        let took =
            self.0.open.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |open| (open < max).then_some(open + 1));
        took.ok().map(|_| Place(Arc::clone(&self.0.open)))
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

/// A pipe's place among those that may be open; given back when dropped.
#[derive(Debug)]
pub(super) struct Place(Arc<AtomicUsize>);

impl Drop for Place {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
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

    use super::{PIPE_BYTES, PIPE_BYTES_MIN, Place};

    /// Neither waiting for the pipe nor for the socket; pages are moved where the kernel can.
    const FLAGS: SpliceFlags = SpliceFlags::NONBLOCK.union(SpliceFlags::MOVE);

    #[derive(Debug)]
    pub(in super::super) struct Pipe {
        read: OwnedFd,
        write: OwnedFd,
        bytes: usize,
        _place: Place,
    }

    impl Pipe {
        /// `None` without descriptors or memory for one: a buffer will do.
        pub(super) fn open(place: Place) -> Option<Self> {
            let (read, write) = pipe_with(PipeFlags::NONBLOCK | PipeFlags::CLOEXEC).ok()?;
            // Past the user's bound on pipe pages the kernel refuses, or has already given less than its default.
            let bytes = fcntl_setpipe_size(&write, PIPE_BYTES).or_else(|_| fcntl_getpipe_size(&write)).ok()?;
            (bytes >= PIPE_BYTES_MIN).then_some(Self { read, write, bytes, _place: place })
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
    fn open(_place: Place) -> Option<Self> {
        None
    }

    fn fill(&self, _from: &TcpStream) -> io::Result<usize> {
        match *self {}
    }

    fn drain(&self, _to: &TcpStream, _held: usize) -> io::Result<usize> {
        match *self {}
    }
}
