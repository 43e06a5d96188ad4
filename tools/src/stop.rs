//! Ctrl-C and SIGTERM: whoever works asks here whether to go on.

use std::{io, thread};

use relay_runtime::drain::{Drain, Phase, signals};

/// Whether somebody asked for the end. Clones are the same one.
#[derive(Clone, Debug, Default)]
pub struct Stop(Drain);

impl Stop {
    /// Requested by Ctrl-C (SIGINT) and SIGTERM. The second signal ends the process at once, with exit code 2.
    ///
    /// # Errors
    /// If no handler can be installed.
    pub fn on_signals() -> io::Result<Self> {
        let stop = Self::default();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build()?;
        let drain = stop.0.clone();
        // It lives as long as the process: signals can come until the end.
        thread::spawn(move || {
            runtime.block_on(async {
                let mut watch = drain.watch();
                tokio::select! {
                    // Without handlers a signal ends the process, and children end at their own limits.
                    _ = signals(drain) => {}
                    () = watch.stopped() => std::process::exit(i32::from(crate::exit::USAGE)),
                }
            });
        });
        Ok(stop)
    }

    /// Whether to end now.
    #[must_use]
    pub fn requested(&self) -> bool {
        self.0.phase() != Phase::Running
    }
}
