//! One TCP connection with a deadline, and an eye on what passes outside the encryption.

use std::{
    io::{self, ErrorKind, Read, Write},
    net::TcpStream,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use crate::seen::{End, alert_name};

/// How often deadline and cancellation are looked at.
const TICK: Duration = Duration::from_millis(50);
const ALERT: u8 = 21;
/// The largest record (RFC 5246 section 6.2.3).
const RECORD_MAX: usize = (1 << 14) + 2048;

/// Bytes outside TLS that are kept.
const PLAIN_KEPT: usize = 256;

/// What a read brought.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Came {
    /// So many bytes.
    Bytes(usize),
    /// Nothing for as long as was asked.
    Quiet,
    /// The connection is over: the client closed or reset it, or the trial's time has passed.
    Gone(End),
}

/// The connection.
pub struct Wire {
    stream: TcpStream,
    until: Instant,
    cancel: Arc<AtomicBool>,
    tap: Tap,
    /// Bytes sent.
    pub sent: u64,
}

impl Wire {
    /// Of an accepted connection; `until` is its deadline, `cancel` ends it early.
    ///
    /// # Errors
    /// If the socket cannot be set up.
    pub fn new(stream: TcpStream, until: Instant, cancel: Arc<AtomicBool>) -> io::Result<Self> {
        stream.set_nonblocking(false)?;
        stream.set_nodelay(true)?;
        stream.set_write_timeout(Some(TICK))?;
        Ok(Self { stream, until, cancel, tap: Tap::default(), sent: 0 })
    }

    fn over(&self) -> bool {
        self.cancel.load(Ordering::Relaxed) || Instant::now() >= self.until
    }

    /// Reads what comes next, for at most `quiet` (`None`: until the deadline).
    pub fn read(&mut self, buffer: &mut [u8], quiet: Option<Duration>) -> Came {
        let patience = quiet.map(|quiet| Instant::now() + quiet);
        loop {
            if self.over() {
                return Came::Gone(End::Deadline);
            }
            let left = patience.map_or(TICK, |until| until.saturating_duration_since(Instant::now()).min(TICK));
            if left.is_zero() {
                return Came::Quiet;
            }
            if self.stream.set_read_timeout(Some(left)).is_err() {
                return Came::Gone(End::Reset);
            }
            match self.stream.read(buffer) {
                Ok(0) => return Came::Gone(End::Closed),
                Ok(count) => {
                    self.tap.look(&buffer[..count]);
                    return Came::Bytes(count);
                }
                Err(error) if passing(&error) => {}
                Err(_) => return Came::Gone(End::Reset),
            }
        }
    }

    /// Sends all of it; false if the client is gone or the time is over.
    pub fn write(&mut self, mut bytes: &[u8]) -> bool {
        while !bytes.is_empty() {
            if self.over() {
                return false;
            }
            match self.stream.write(bytes) {
                Ok(0) => return false,
                Ok(count) => {
                    self.sent += count as u64;
                    bytes = &bytes[count..];
                }
                Err(error) if passing(&error) => {}
                Err(_) => return false,
            }
        }
        true
    }

    /// The end of what the server has to say.
    pub fn finish(&self) {
        // The client may be gone already.
        let _ = self.stream.shutdown(std::net::Shutdown::Write);
    }

    /// The first alert that the client sent unencrypted.
    pub const fn plain_alert(&self) -> Option<&'static str> {
        self.tap.alert
    }

    /// The beginning of what came outside of TLS records, and how many bytes that was.
    pub fn take_plain(&mut self) -> (Vec<u8>, u64) {
        (std::mem::take(&mut self.tap.plain), std::mem::take(&mut self.tap.plain_bytes))
    }
}

/// Whether the same call may succeed in a moment.
fn passing(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut | ErrorKind::Interrupted)
}

/// Follows the records of a stream.
#[derive(Default)]
struct Tap {
    pending: Vec<u8>,
    /// How what comes outside of records begins: the stream has left TLS.
    plain: Vec<u8>,
    /// How much that is.
    plain_bytes: u64,
    left_tls: bool,
    alert: Option<&'static str>,
}

impl Tap {
    /// Counts, and keeps no more than is shown: a client may send for as long as it likes.
    fn outside(&mut self, bytes: &[u8]) {
        self.plain_bytes += bytes.len() as u64;
        self.plain.extend(bytes.iter().take(PLAIN_KEPT.saturating_sub(self.plain.len())));
    }

    fn look(&mut self, bytes: &[u8]) {
        if self.left_tls {
            self.outside(bytes);
            return;
        }
        self.pending.extend_from_slice(bytes);
        let mut at = 0;
        while let Some(header) = self.pending.get(at..at + 5) {
            let length = usize::from(u16::from_be_bytes([header[3], header[4]]));
            if !(20..=24).contains(&header[0]) || header[1] != 3 || length > RECORD_MAX {
                self.left_tls = true;
                break;
            }
            let Some(body) = self.pending.get(at + 5..at + 5 + length) else { break };
            // Encrypted ones are longer.
            if let (ALERT, [_, code]) = (header[0], body)
                && *code != 0
            {
                self.alert.get_or_insert(alert_name(*code));
            }
            at += 5 + length;
        }
        let rest = self.pending.split_off(at);
        if self.left_tls {
            self.outside(&rest);
            self.pending.clear();
        } else {
            self.pending = rest;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tap_finds_alerts_and_where_tls_ends() {
        let mut stream = vec![22, 3, 1, 0, 3, 1, 2, 3, ALERT, 3, 3, 0, 2, 2, 51];
        stream.extend(b"GET / HTTP/1.1\r\n");
        for step in [1, 2, 5, 100] {
            let mut tap = Tap::default();
            for chunk in stream.chunks(step) {
                tap.look(chunk);
            }
            assert_eq!((tap.alert, tap.plain.as_slice()), (Some("decrypt_error"), b"GET / HTTP/1.1\r\n".as_slice()));
        }
        let mut tap = Tap::default();
        tap.look(b"hi");
        assert!(tap.plain.is_empty() && tap.pending == b"hi");
        for _ in 0..100 {
            tap.look(&[b'x'; 1000]);
        }
        assert_eq!((tap.plain.len(), tap.plain_bytes), (PLAIN_KEPT, 100_002));
    }
}
