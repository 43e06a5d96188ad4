//! The phases of a process, from running to stopped, and the signals that move it on.
//!
//! One value, watched by everyone: the accept loop, connections, the admin address and tests read the same phase.

use std::io;

use tokio::sync::watch;

/// Where a process is in its life. It only moves forward.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Phase {
    /// Serving.
    Running,
    /// Accepting nothing new; what runs may finish, to a deadline.
    Draining,
    /// Everything ends now.
    Stopped,
}

impl Phase {
    /// As metrics and status name it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Draining => "draining",
            Self::Stopped => "stopped",
        }
    }
}

/// How far reloads have come. Each has a number, from 1 on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ReloadProgress {
    /// The last that was asked for.
    pub asked: u64,
    /// The last that has ended; those before it have ended with it.
    pub ended: u64,
    /// Whether that one left everything as it was, because something in the files is bad.
    pub refused: bool,
}

/// Moves the phase on and asks for reloads. Clones are the same one.
#[derive(Clone, Debug)]
pub struct Drain {
    phase: watch::Sender<Phase>,
    reloads: watch::Sender<ReloadProgress>,
}

impl Default for Drain {
    fn default() -> Self {
        Self::new()
    }
}

impl Drain {
    /// A process that runs.
    #[must_use]
    pub fn new() -> Self {
        Self { phase: watch::Sender::new(Phase::Running), reloads: watch::Sender::new(ReloadProgress::default()) }
    }

    /// The phase now.
    #[must_use]
    pub fn phase(&self) -> Phase {
        *self.phase.borrow()
    }

    /// Begins draining, unless that or more has happened.
    pub fn drain(&self) {
        self.advance(Phase::Draining);
    }

    /// Stops at once.
    pub fn stop(&self) {
        self.advance(Phase::Stopped);
    }

    /// Asks for certificates, keys and other files to be read again.
    pub fn reload(&self) {
        self.reloads.send_modify(|progress| progress.asked += 1);
    }

    /// Sees the phase.
    #[must_use]
    pub fn watch(&self) -> Watch {
        Watch { phase: self.phase.subscribe(), _keep: self.clone() }
    }

    /// Sees requests to reload that come from now on.
    #[must_use]
    pub fn reloads(&self) -> Reloads {
        let progress = self.reloads.subscribe();
        let begun = progress.borrow().asked;
        Reloads { progress, begun, drain: self.clone() }
    }

    /// Sees how far reloads have come.
    #[must_use]
    pub fn reload_progress(&self) -> watch::Receiver<ReloadProgress> {
        self.reloads.subscribe()
    }

    fn advance(&self, to: Phase) {
        self.phase.send_if_modified(|phase| {
            let moves = to > *phase;
            if moves {
                *phase = to;
                tracing::info!(phase = to.as_str(), "phase");
            }
            moves
        });
    }
}

/// Sees the phase. Clones see it independently.
#[derive(Clone, Debug)]
pub struct Watch {
    phase: watch::Receiver<Phase>,
    /// The channel never closes under a watcher.
    _keep: Drain,
}

impl Watch {
    /// The phase now.
    #[must_use]
    pub fn phase(&self) -> Phase {
        *self.phase.borrow()
    }

    /// Waits until the process no longer takes anything new; at once if that is so.
    pub async fn draining(&mut self) {
        self.reached(Phase::Draining).await;
    }

    /// Waits until everything has to end; at once if that is so.
    pub async fn stopped(&mut self) {
        self.reached(Phase::Stopped).await;
    }

    async fn reached(&mut self, phase: Phase) {
        // It fails only when the sender is gone, and this holds one.
        let _ = self.phase.wait_for(|now| *now >= phase).await;
    }
}

/// Sees requests to reload.
#[derive(Clone, Debug)]
pub struct Reloads {
    progress: watch::Receiver<ReloadProgress>,
    /// The last that was begun here.
    begun: u64,
    drain: Drain,
}

impl Reloads {
    /// Waits for the next request. Several that came meanwhile are one.
    pub async fn next(&mut self) -> Reload {
        // It fails only when the sender is gone, and this holds one.
        let asked = self.progress.wait_for(|progress| progress.asked > self.begun).await.map(|progress| progress.asked);
        self.begun = asked.unwrap_or(self.begun);
        Reload { number: self.begun, refused: true, drain: self.drain.clone() }
    }
}

/// A reload under way. It has ended when this is dropped, and was refused unless [`Reload::done`] said otherwise.
#[must_use = "dropping it ends the reload"]
#[derive(Debug)]
pub struct Reload {
    number: u64,
    refused: bool,
    drain: Drain,
}

impl Reload {
    /// What was read counts from now on.
    pub fn done(mut self) {
        self.refused = false;
    }
}

impl Drop for Reload {
    fn drop(&mut self) {
        let (number, refused) = (self.number, self.refused);
        self.drain.reloads.send_if_modified(|progress| {
            let later = number > progress.ended;
            if later {
                (progress.ended, progress.refused) = (number, refused);
            }
            later
        });
    }
}

/// Turns the process's signals into phases, for ever: SIGTERM and SIGINT drain, and stop the second time; SIGHUP asks for
/// a reload. Elsewhere than on Unix, Ctrl-C stands for both of the first.
///
/// Run it in one task of the process, besides the work.
///
/// # Errors
/// If a handler cannot be installed.
#[cfg(unix)]
pub async fn signals(drain: Drain) -> io::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};

    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut hangup = signal(SignalKind::hangup())?;
    loop {
        let name = tokio::select! {
            _ = terminate.recv() => "SIGTERM",
            _ = interrupt.recv() => "SIGINT",
            _ = hangup.recv() => {
                tracing::info!(signal = "SIGHUP", "reload");
                drain.reload();
                continue;
            }
        };
        end(&drain, name);
    }
}

/// As on Unix, with Ctrl-C alone.
///
/// # Errors
/// If a handler cannot be installed.
#[cfg(not(unix))]
pub async fn signals(drain: Drain) -> io::Result<()> {
    loop {
        tokio::signal::ctrl_c().await?;
        end(&drain, "Ctrl-C");
    }
}

fn end(drain: &Drain, signal: &'static str) {
    match drain.phase() {
        Phase::Running => {
            tracing::info!(signal, "draining; a second signal stops at once");
            drain.drain();
        }
        Phase::Draining | Phase::Stopped => {
            tracing::warn!(signal, "stopping at once");
            drain.stop();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn phases_only_move_forward() {
        let drain = Drain::new();
        let mut watch = drain.watch();
        assert_eq!(watch.phase(), Phase::Running);
        drain.drain();
        watch.draining().await;
        drain.stop();
        drain.drain();
        watch.stopped().await;
        watch.draining().await;
        assert_eq!((drain.phase(), watch.phase()), (Phase::Stopped, Phase::Stopped));
    }

    #[tokio::test]
    async fn waiters_wake() {
        let drain = Drain::new();
        let mut watch = drain.watch();
        let mut reloads = drain.reloads();
        tokio::join!(
            async {
                reloads.next().await.done();
                watch.draining().await;
            },
            async {
                tokio::task::yield_now().await;
                drain.reload();
                tokio::task::yield_now().await;
                drain.drain();
            }
        );
    }

    #[tokio::test]
    async fn a_reload_ends_once_and_says_how() {
        let drain = Drain::new();
        drain.reload();
        let mut reloads = drain.reloads();
        let mut progress = drain.reload_progress();
        let mut now = || *progress.borrow_and_update();
        // Only what is asked for from now on.
        drain.reload();
        drain.reload();
        let first = reloads.next().await;
        drain.reload();
        first.done();
        assert_eq!(now(), ReloadProgress { asked: 4, ended: 3, refused: false });
        drop(reloads.next().await);
        assert_eq!(now(), ReloadProgress { asked: 4, ended: 4, refused: true });
        // Of two that serve one process, the first to end is the one that counts.
        let mut other = drain.reloads();
        drain.reload();
        let (one, two) = tokio::join!(reloads.next(), other.next());
        one.done();
        drop(two);
        assert_eq!(now(), ReloadProgress { asked: 5, ended: 5, refused: false });
    }

    #[tokio::test]
    async fn a_signal_drains_and_a_second_one_stops() {
        let drain = Drain::new();
        end(&drain, "SIGTERM");
        assert_eq!(drain.phase(), Phase::Draining);
        end(&drain, "SIGTERM");
        assert_eq!(drain.phase(), Phase::Stopped);
    }
}
