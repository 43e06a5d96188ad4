//! A bar on standard error while several targets are looked at, on a terminal only.

use std::sync::atomic::{AtomicU64, Ordering};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::record::Outcome;

/// The bar; without a terminal it shows nothing.
pub struct Progress {
    bar: ProgressBar,
    wrong: AtomicU64,
}

impl Progress {
    /// For so many targets; hidden for one, and where `quiet` asks for it.
    pub fn new(targets: usize, quiet: bool) -> Self {
        let target = if quiet || targets < 2 { ProgressDrawTarget::hidden() } else { ProgressDrawTarget::stderr() };
        let style = ProgressStyle::with_template("[{bar:40}] {pos}/{len} targets {elapsed_precise}, left {eta}{msg}")
            .unwrap_or_else(|_| ProgressStyle::default_bar())
            .progress_chars("=> ");
        let bar = ProgressBar::with_draw_target(Some(targets as u64), target).with_style(style);
        Self { bar, wrong: AtomicU64::new(0) }
    }

    /// One more is done.
    pub fn count(&self, outcome: Outcome) {
        if outcome > Outcome::Warnings {
            let wrong = self.wrong.fetch_add(1, Ordering::Relaxed) + 1;
            self.bar.set_message(format!(", {wrong} not as it should be"));
        }
        self.bar.inc(1);
    }

    /// Writes something while the bar is out of the way.
    pub fn aside<T>(&self, write: impl FnOnce() -> T) -> T {
        self.bar.suspend(write)
    }

    /// Takes the bar away.
    pub fn finish(&self) {
        self.bar.finish_and_clear();
    }
}
