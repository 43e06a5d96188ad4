//! A connection to each port of an address.

use std::{
    io,
    net::{IpAddr, SocketAddr},
    ops::RangeInclusive,
    time::{Duration, Instant},
};

use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    process::{Resource, getrlimit},
};
use socket2::{Domain, Protocol, Socket, Type};

use super::{Answer, met};

/// Connections at one time.
const AT_ONCE: u64 = 8192;
/// Descriptors that the rest of the process may need.
const OTHERS: u64 = 256;

struct Found {
    open: Vec<u16>,
    refused: Vec<u16>,
    silent: u32,
    barred: u32,
}

impl Found {
    fn add(&mut self, port: u16, answer: &Answer) {
        match answer {
            Answer::Open { .. } => self.open.push(port),
            Answer::Refused => self.refused.push(port),
            Answer::Silent => self.silent += 1,
            Answer::Barred { .. }
            | Answer::Wrong { .. }
            | Answer::Failed { .. }
            | Answer::Done
            | Answer::Page { .. }
            | Answer::Swept { .. }
            | Answer::Marks { .. }
            | Answer::Lines { .. } => self.barred += 1,
        }
    }
}

/// Tries every port, thousands at a time; each has `wait` to answer.
pub fn sweep(to: IpAddr, ports: RangeInclusive<u16>, wait: Duration) -> Answer {
    let limit = getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX);
    let at_once = usize::try_from(AT_ONCE.min(limit.saturating_sub(OTHERS)).max(16)).unwrap_or(16);
    let mut found = Found { open: Vec::new(), refused: Vec::new(), silent: 0, barred: 0 };
    let mut ports = ports.peekable();
    while ports.peek().is_some() {
        let batch: Vec<u16> = ports.by_ref().take(at_once).collect();
        if let Err(error) = try_batch(to, &batch, wait, &mut found) {
            return Answer::Failed { reason: format!("sweep {to}: {error}") };
        }
    }
    found.open.sort_unstable();
    found.refused.sort_unstable();
    Answer::Swept { open: found.open, refused: found.refused, silent: found.silent, barred: found.barred }
}

fn try_batch(to: IpAddr, ports: &[u16], wait: Duration, found: &mut Found) -> io::Result<()> {
    let mut waiting = Vec::with_capacity(ports.len());
    for &port in ports {
        let address = SocketAddr::new(to, port);
        let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
        socket.set_nonblocking(true)?;
        // Nothing is left of a connection that opens: sockets are listed later.
        socket.set_linger(Some(Duration::ZERO))?;
        match socket.connect(&address.into()) {
            Ok(()) => found.add(port, &Answer::Open { detail: String::new() }),
            // EINPROGRESS has no name in the standard library.
            Err(error) if error.raw_os_error() == Some(rustix::io::Errno::INPROGRESS.raw_os_error()) => {
                waiting.push((port, socket));
            }
            Err(error) => found.add(port, &met(&error)),
        }
    }
    // Counted from when the last one was sent off.
    let until = Instant::now() + wait;
    while !waiting.is_empty() {
        let left = until.saturating_duration_since(Instant::now());
        let mut ready: Vec<PollFd<'_>> =
            waiting.iter().map(|(_, socket)| PollFd::new(socket, PollFlags::OUT)).collect();
        let time = Timespec {
            tv_sec: i64::try_from(left.as_secs()).unwrap_or(i64::MAX),
            tv_nsec: i64::from(left.subsec_nanos()),
        };
        match poll(&mut ready, Some(&time)) {
            Err(rustix::io::Errno::INTR) => continue,
            Err(error) => return Err(error.into()),
            Ok(_) => {}
        }
        let over: Vec<bool> = ready.iter().map(|ready| !ready.revents().is_empty()).collect();
        drop(ready);
        let mut over = over.into_iter();
        waiting.retain(|(port, socket)| {
            if !over.next().unwrap_or(false) {
                return true;
            }
            match socket.take_error() {
                Ok(None) => found.add(*port, &Answer::Open { detail: String::new() }),
                Ok(Some(error)) | Err(error) => found.add(*port, &met(&error)),
            }
            false
        });
        if left.is_zero() {
            for (port, _) in waiting.drain(..) {
                found.add(port, &Answer::Silent);
            }
        }
    }
    Ok(())
}
