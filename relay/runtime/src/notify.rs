//! What a service manager is told: ready, reloading, stopping, one line of figures, and that the runtime still turns.
//!
//! The protocol is sd_notify(3): datagrams of `NAME=value` lines to the socket that `NOTIFY_SOCKET` names, a path or an
//! abstract name (`@...`). The socket is connected once, by [`Notifier::from_env`], before the sandbox forbids that; from
//! then on only `send` is needed. Without `NOTIFY_SOCKET` nothing is sent and nothing is needed.

use std::{
    ffi::OsStr,
    fmt, io,
    path::PathBuf,
    time::{Duration, Instant},
};

use tokio::time::{MissedTickBehavior, interval, timeout};

use crate::{
    drain::{Drain, Phase, ReloadProgress},
    tasks::Tasks,
};

/// Between two lines of figures, and the longest time between two signs of life.
const TICK: Duration = Duration::from_secs(2);
/// The least time that is asked for while the process drains.
const EXTENSION_MIN: Duration = Duration::from_secs(5);
/// How long one message may wait for a place in the manager's queue; it is left out then.
const SEND_DEADLINE: Duration = Duration::from_secs(1);
/// The longest line of figures, in characters.
const STATUS_CHARS_MAX: usize = 300;
/// The shortest watchdog time that is believed: half of it must be long enough to send a message.
const WATCHDOG_MIN: Duration = Duration::from_millis(10);

/// Why a service manager cannot be told anything.
#[derive(Debug, thiserror::Error)]
pub enum NotifyError {
    /// The socket does not answer.
    #[error("cannot connect to NOTIFY_SOCKET {}: {source}; unset it where no service manager listens", address.display())]
    Connect {
        /// What the variable says.
        address: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// The variable names neither a path nor an abstract socket.
    #[error("NOTIFY_SOCKET {} is neither an absolute path nor an abstract name (@...)", .0.display())]
    Address(PathBuf),
}

/// A connection to the service manager, or none.
#[derive(Debug, Default)]
pub struct Notifier {
    #[cfg(unix)]
    socket: Option<std::os::unix::net::UnixDatagram>,
    watchdog: Option<Duration>,
}

impl Notifier {
    /// Nobody is told anything.
    #[must_use]
    pub fn absent() -> Self {
        Self::default()
    }

    /// Connects to the manager that the environment names; [`Self::absent`] if it names none. Call it before the sandbox
    /// is entered.
    ///
    /// # Errors
    /// [`NotifyError`]: the process works without its manager, so warn and go on with [`Self::absent`].
    pub fn from_env() -> Result<Self, NotifyError> {
        let Some(address) = std::env::var_os("NOTIFY_SOCKET").filter(|address| !address.is_empty()) else {
            return Ok(Self::absent());
        };
        let variable = |name| std::env::var(name).ok();
        let (usec, pid) = (variable("WATCHDOG_USEC"), variable("WATCHDOG_PID"));
        Self::connect(&address, watchdog(usec.as_deref(), pid.as_deref(), std::process::id()))
    }

    /// As [`Self::from_env`] for a process that goes on in either case, with the error for its log.
    #[must_use]
    pub fn of_process() -> (Self, Option<NotifyError>) {
        match Self::from_env() {
            Ok(notifier) => (notifier, None),
            Err(error) => (Self::absent(), Some(error)),
        }
    }

    /// Connects to the manager at `address`, which wants a sign of life within every `watchdog`.
    ///
    /// # Errors
    /// [`NotifyError`].
    #[cfg(unix)]
    pub fn connect(address: &OsStr, watchdog: Option<Duration>) -> Result<Self, NotifyError> {
        use std::os::unix::{ffi::OsStrExt as _, net::UnixDatagram};

        let failed = |source| NotifyError::Connect { address: address.into(), source };
        let socket = UnixDatagram::unbound().map_err(failed)?;
        match address.as_bytes() {
            [b'/', ..] => socket.connect(address).map_err(failed)?,
            #[cfg(target_os = "linux")]
            [b'@', name @ ..] if !name.is_empty() => {
                use std::os::{linux::net::SocketAddrExt as _, unix::net::SocketAddr};
                let name = SocketAddr::from_abstract_name(name).map_err(failed)?;
                socket.connect_addr(&name).map_err(failed)?;
            }
            _ => return Err(NotifyError::Address(address.into())),
        }
        socket.set_nonblocking(true).map_err(failed)?;
        Ok(Self { socket: Some(socket), watchdog })
    }

    /// There are no such sockets here.
    ///
    /// # Errors
    /// [`NotifyError::Address`].
    #[cfg(not(unix))]
    pub fn connect(address: &OsStr, _watchdog: Option<Duration>) -> Result<Self, NotifyError> {
        Err(NotifyError::Address(address.into()))
    }

    /// Whether somebody is told.
    #[must_use]
    pub fn is_present(&self) -> bool {
        #[cfg(unix)]
        return self.socket.is_some();
        #[cfg(not(unix))]
        false
    }

    /// Tells the manager that the process is ready, and then everything that happens to `drain`, for ever. `figures` says
    /// in one line how things are. It is asked again before every sign of life, so it should touch what the process cannot
    /// work without: a lock that is never given back silences the watchdog then, as a runtime does whose threads are stuck.
    ///
    /// Await it inside a tokio runtime beside the work, when everything is bound. The talking is done by a task of the
    /// runtime's own threads, where the work is done too: the thread that awaits this would go on when they are stuck.
    pub async fn run(self, drain: Drain, figures: impl Fn() -> String + Send + Sync + 'static) {
        let tasks = Tasks::new();
        #[cfg(unix)]
        if let Some(socket) = self.socket {
            match tokio::net::UnixDatagram::from_std(socket) {
                Ok(socket) => {
                    let service = Service { socket, watchdog: self.watchdog, last: String::new() };
                    tasks.spawn("service manager", service.run(drain, figures));
                }
                Err(error) => tracing::warn!(%error, "the service manager cannot be told anything"),
            }
        }
        #[cfg(not(unix))]
        let _ = (self.watchdog, drain, figures);
        std::future::pending::<()>().await;
        drop(tasks);
    }
}

/// The time within which the manager wants a sign of life of the process `own`.
fn watchdog(usec: Option<&str>, pid: Option<&str>, own: u32) -> Option<Duration> {
    let meant = pid.is_none_or(|pid| pid.parse() == Ok(own));
    let time = Duration::from_micros(usec?.parse().ok()?);
    (meant && time >= WATCHDOG_MIN).then_some(time)
}

/// One line of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Line {
    Ready,
    Reloading,
    /// When the reload began, on CLOCK_MONOTONIC: the manager tells an old answer from a new one by it.
    MonotonicUsec(u64),
    Stopping,
    Status(String),
    Watchdog,
    /// The time that a stop may take anew from now, until the next such line.
    ExtendTimeoutUsec(u128),
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ready => f.write_str("READY=1"),
            Self::Reloading => f.write_str("RELOADING=1"),
            Self::MonotonicUsec(usec) => write!(f, "MONOTONIC_USEC={usec}"),
            Self::Stopping => f.write_str("STOPPING=1"),
            Self::Status(text) => write!(f, "STATUS={text}"),
            Self::Watchdog => f.write_str("WATCHDOG=1"),
            Self::ExtendTimeoutUsec(usec) => write!(f, "EXTEND_TIMEOUT_USEC={usec}"),
        }
    }
}

/// Microseconds on CLOCK_MONOTONIC, the clock that the manager compares with.
#[cfg(unix)]
fn monotonic_usec() -> u64 {
    let now = rustix::time::clock_gettime(rustix::time::ClockId::Monotonic);
    let (seconds, nanos) = (u64::try_from(now.tv_sec).unwrap_or(0), u64::try_from(now.tv_nsec).unwrap_or(0));
    seconds.saturating_mul(1_000_000).saturating_add(nanos / 1_000)
}

#[cfg(unix)]
struct Service {
    socket: tokio::net::UnixDatagram,
    watchdog: Option<Duration>,
    /// The line of figures that was sent last.
    last: String,
}

#[cfg(unix)]
impl Service {
    async fn run(mut self, drain: Drain, figures: impl Fn() -> String + Send + Sync) {
        let (mut phase, mut progress) = (drain.watch(), drain.reload_progress());
        let mut reload = *progress.borrow_and_update();
        let period = self.watchdog.map_or(TICK, |time| (time / 2).min(TICK));
        let mut ticks = interval(period);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        // The first tick is now: a sign of life comes with the news that the process is ready.
        let mut stopping = false;
        self.tell(vec![Line::Ready]).await;
        loop {
            tokio::select! {
                biased;
                () = phase.draining(), if !stopping => {
                    stopping = true;
                    self.tell(vec![Line::Stopping]).await;
                }
                changed = progress.changed() => {
                    if changed.is_err() {
                        return;
                    }
                    let now = *progress.borrow_and_update();
                    self.reload(reload, now).await;
                    reload = now;
                }
                _ = ticks.tick() => {
                    let mut lines = self.status(words(drain.phase(), reload, &figures()));
                    if self.watchdog.is_some() {
                        lines.push(Line::Watchdog);
                    }
                    if stopping {
                        // How long tunnels may take is the configuration's to say, not the unit's.
                        lines.push(Line::ExtendTimeoutUsec((period * 3).max(EXTENSION_MIN).as_micros()));
                    }
                    self.tell(lines).await;
                }
            }
        }
    }

    /// A reload was asked for, or has ended. One that ended before this is heard of is told in two messages all the same:
    /// the manager waits for both.
    async fn reload(&mut self, before: ReloadProgress, now: ReloadProgress) {
        if now.asked > before.asked {
            self.tell(vec![Line::Reloading, Line::MonotonicUsec(monotonic_usec())]).await;
        }
        if now.ended >= now.asked && now.ended > before.ended {
            self.tell(vec![Line::Ready]).await;
        }
    }

    /// The line of figures, if it is another than before.
    fn status(&mut self, text: String) -> Vec<Line> {
        if text == self.last {
            return Vec::new();
        }
        self.last.clone_from(&text);
        vec![Line::Status(text)]
    }

    async fn tell(&self, lines: Vec<Line>) {
        if lines.is_empty() {
            return;
        }
        let message = lines.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n");
        let started = Instant::now();
        match timeout(SEND_DEADLINE, self.socket.send(message.as_bytes())).await {
            Ok(Ok(_)) => tracing::trace!(message, "told the service manager"),
            Ok(Err(error)) => tracing::warn!(%error, ?lines, "the service manager did not take a message"),
            Err(_) => tracing::warn!(waited = ?started.elapsed(), ?lines, "the service manager's queue is full"),
        }
    }
}

/// The phase, what became of the last reload if that is bad news, and the figures, in one line.
#[cfg(unix)]
fn words(phase: Phase, reload: ReloadProgress, figures: &str) -> String {
    let refused = if reload.refused { "the last reload was refused, see the log; " } else { "" };
    let line = format!("{}: {refused}{figures}", phase.as_str());
    line.chars().map(|c| if c.is_control() { ' ' } else { c }).take(STATUS_CHARS_MAX).collect()
}

#[cfg(target_os = "linux")]
#[cfg(test)]
mod tests;
