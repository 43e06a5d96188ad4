//! The hostile server: one listener for the whole run, what it does changes from trial to trial.

mod hello;
mod old;
mod raw;
mod seams;
mod tls;
mod wire;

use std::{
    io::{self, ErrorKind},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicU32, Ordering},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustls::sign::SigningKey;
use rustls_pki_types::CertificateDer;

use crate::{
    error::Error,
    seen::Seen,
    world::{Staged, rsa_keys::RsaKey},
};

use hello::First;
use wire::{Came, Wire};

/// Connections at one time; further ones are counted and closed.
const AT_ONCE: u32 = 64;
/// Connections that one trial records.
const RECORDED: usize = 1000;
/// How often the listener looks whether to go on.
const TICK: Timespec = Timespec { tv_sec: 0, tv_nsec: 20_000_000 };
/// How long connections may last after the client's command has ended.
const LEAVING: Duration = Duration::from_secs(3);

/// What the server does with a connection.
pub enum Act {
    /// TLS 1.2 or 1.3.
    Tls(Tls),
    /// TLS 1.0 or 1.1.
    Old(Old),
    /// Answers in plain text.
    Plaintext,
    /// Sends a Certificate message of 16 MiB.
    HugeChain,
}

/// TLS 1.2 or 1.3 by rustls.
pub struct Tls {
    /// What it presents.
    pub chain: Vec<CertificateDer<'static>>,
    /// What it signs with, whether it belongs to the chain or not.
    pub key: Arc<dyn SigningKey>,
    /// The versions it speaks.
    pub versions: Versions,
    /// What is wrong with its cryptography.
    pub seam: Seam,
    /// It gives out session tickets.
    pub tickets: bool,
    /// It sends one byte at a time.
    pub slow: bool,
}

impl Tls {
    /// A sound server with this certificate and this key.
    #[must_use]
    pub fn new(chain: Vec<CertificateDer<'static>>, key: Arc<dyn SigningKey>) -> Self {
        Self { chain, key, versions: Versions::Both, seam: Seam::Sound, tickets: false, slow: false }
    }

    /// The same with other versions.
    #[must_use]
    pub fn with(self, versions: Versions) -> Self {
        Self { versions, ..self }
    }
}

/// Which versions a server speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Versions {
    /// 1.2 and 1.3.
    Both,
    /// 1.2 only.
    Only12,
    /// 1.3 only.
    Only13,
}

/// Where a server's cryptography is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Seam {
    /// Nowhere.
    Sound,
    /// Its Finished does not fit the handshake.
    BadFinished,
    /// Its random says that it could do TLS 1.3.
    DowngradeMarker,
}

/// TLS 1.0 or 1.1, by hand.
pub struct Old {
    /// Which one.
    pub version: OldVersion,
    /// What it presents.
    pub chain: Vec<CertificateDer<'static>>,
    /// The key of that.
    pub key: Arc<RsaKey>,
}

/// A version that must not be used any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OldVersion {
    /// RFC 2246.
    Tls10,
    /// RFC 4346.
    Tls11,
}

/// One trial on the wire.
struct Stage {
    first: Option<Act>,
    act: Act,
    until: Instant,
    cancel: Arc<AtomicBool>,
    /// The client has accepted the right server: from here on it meets the other one.
    turned: AtomicBool,
    begun: AtomicU32,
    active: AtomicU32,
    seen: Mutex<Vec<Seen>>,
    tls: tls::Prepared,
}

/// The listener. Dropping it ends everything.
pub struct Server {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
    /// Where it listens.
    pub address: SocketAddr,
}

struct Shared {
    listener: TcpListener,
    stage: Mutex<Option<Arc<Stage>>>,
    stop: AtomicBool,
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Server {
    /// Listens.
    ///
    /// # Errors
    /// If the address cannot be had.
    pub fn bind(address: SocketAddr) -> Result<Self, Error> {
        let failed = |source: io::Error| {
            let remedy = "give another --listen; port 0 is one that the system chooses";
            Error::Usage(format!("cannot listen on {address}: {source}; {remedy}"))
        };
        let listener = TcpListener::bind(address).map_err(failed)?;
        listener.set_nonblocking(true).map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        let shared = Arc::new(Shared { listener, stage: Mutex::new(None), stop: AtomicBool::new(false) });
        let accepting = Arc::clone(&shared);
        let thread = thread::Builder::new()
            .name("listener".to_owned())
            .spawn(move || accepting.run())
            .map_err(|source| Error::System { action: "start a thread".to_owned(), source })?;
        Ok(Self { shared, thread: Some(thread), address })
    }

    /// Begins a trial: connections that come from now on belong to it.
    ///
    /// # Errors
    /// If TLS cannot be set up.
    pub fn begin(&self, staged: Staged, until: Instant) -> Result<(), Error> {
        let tls = tls::Prepared::default();
        let stage = Stage {
            first: staged.first,
            act: staged.act,
            until,
            cancel: Arc::default(),
            turned: AtomicBool::new(false),
            begun: AtomicU32::new(0),
            active: AtomicU32::new(0),
            seen: Mutex::default(),
            tls,
        };
        *locked(&self.shared.stage) = Some(Arc::new(stage));
        Ok(())
    }

    fn stage(&self) -> Option<Arc<Stage>> {
        locked(&self.shared.stage).clone()
    }

    /// Connections of the trial that are over, and those under way.
    #[must_use]
    pub fn connections(&self) -> (usize, u32) {
        self.stage().map_or((0, 0), |stage| (locked(&stage.seen).len(), stage.active.load(Ordering::SeqCst)))
    }

    /// Whether a connection of the trial has met the hostile half and is over.
    #[must_use]
    pub fn met(&self) -> bool {
        self.stage().is_some_and(|stage| locked(&stage.seen).iter().any(|seen| !seen.genuine))
    }

    /// Ends the trial once its connections are over, and returns them.
    pub fn end(&self) -> Vec<Seen> {
        // What the command has opened last may still wait to be accepted.
        self.shared.accept();
        let Some(stage) = locked(&self.shared.stage).take() else { return Vec::new() };
        let idle = || stage.active.load(Ordering::SeqCst) == 0;
        let patience = Instant::now() + LEAVING;
        while !idle() && Instant::now() < patience {
            thread::sleep(Duration::from_millis(2));
        }
        stage.cancel.store(true, Ordering::SeqCst);
        let patience = Instant::now() + LEAVING;
        while !idle() && Instant::now() < patience {
            thread::sleep(Duration::from_millis(2));
        }
        let mut seen = std::mem::take(&mut *locked(&stage.seen));
        seen.sort_by_key(|seen| seen.number);
        seen
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.shared.stop.store(true, Ordering::SeqCst);
        if let Some(stage) = self.stage() {
            stage.cancel.store(true, Ordering::SeqCst);
        }
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl Shared {
    fn run(&self) {
        while !self.stop.load(Ordering::SeqCst) {
            let mut interest = [PollFd::new(&self.listener, PollFlags::IN)];
            let _ = poll(&mut interest, Some(&TICK));
            self.accept();
        }
    }

    /// Takes every connection that waits.
    fn accept(&self) {
        loop {
            match self.listener.accept() {
                Ok((stream, _)) => self.serve(stream),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                // Nothing waits; or the process is out of something, and the next turn may be luckier.
                Err(_) => return,
            }
        }
    }

    fn serve(&self, stream: TcpStream) {
        // Held until the connection is counted: whoever ends the trial sees it.
        let stage = locked(&self.stage);
        let Some(stage) = stage.as_ref() else { return };
        let number = stage.begun.fetch_add(1, Ordering::SeqCst).saturating_add(1);
        // Turned away before the server changed, it has not met the other one.
        let genuine = stage.is_genuine();
        if stage.active.fetch_add(1, Ordering::SeqCst) >= AT_ONCE {
            let server = Some("too many connections at once".to_owned());
            stage.leave(Seen { number, genuine, server, ..Seen::default() });
            return;
        }
        let serving = Arc::clone(stage);
        let spawned = thread::Builder::new().name("connection".to_owned()).spawn(move || serving.serve(stream, number));
        if let Err(error) = spawned {
            stage.leave(Seen { number, genuine, server: Some(format!("no thread: {error}")), ..Seen::default() });
        }
    }
}

impl Stage {
    /// Whether clients still meet the right server, which changes later.
    fn is_genuine(&self) -> bool {
        self.first.is_some() && !self.turned.load(Ordering::SeqCst)
    }

    /// A connection is over.
    fn leave(&self, seen: Seen) {
        let mut all = locked(&self.seen);
        if all.len() < RECORDED {
            all.push(seen);
        }
        self.active.fetch_sub(1, Ordering::SeqCst);
    }

    fn serve(&self, stream: TcpStream, number: u32) {
        let began = Instant::now();
        let first = self.first.as_ref().filter(|_| self.is_genuine());
        let mut seen = Seen { number, genuine: first.is_some(), ..Seen::default() };
        if let Ok(mut wire) = Wire::new(stream, self.until, Arc::clone(&self.cancel)) {
            self.meet(&mut wire, first.unwrap_or(&self.act), &mut seen);
            let (beginning, count) = wire.take_plain();
            seen.plain(&beginning, count);
            seen.alert = seen.alert.or(wire.plain_alert());
            seen.sent_bytes = wire.sent;
        }
        seen.milliseconds = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.leave(seen);
    }

    fn meet(&self, wire: &mut Wire, act: &Act, seen: &mut Seen) {
        let mut received = Vec::new();
        let hello = loop {
            match hello::first(&received) {
                First::Hello(hello) => break hello,
                First::Other => {
                    seen.end = raw::listen(wire);
                    return;
                }
                First::Part => {}
            }
            let mut buffer = [0; 16 * 1024];
            match wire.read(&mut buffer, None) {
                Came::Bytes(count) => received.extend_from_slice(&buffer[..count]),
                Came::Quiet => {}
                Came::Gone(end) => {
                    seen.end = end;
                    return;
                }
            }
        };
        seen.hello = Some(hello.offer.clone());
        match act {
            Act::Tls(tls) => {
                let turned = || self.turned.store(true, Ordering::SeqCst);
                tls::serve(wire, tls, &self.tls, &hello, &received, seen, &turned);
            }
            Act::Old(old) => old::serve(wire, old, &hello, &received, seen),
            Act::Plaintext => raw::plaintext(wire, seen),
            Act::HugeChain => raw::huge_chain(wire, &hello, seen),
        }
    }
}
