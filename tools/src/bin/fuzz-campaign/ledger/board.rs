//! What a person sees while defects are hunted: a bar per job on a terminal, lines off it. All on standard error.

use std::{
    io::{self, IsTerminal, Write},
    time::Duration,
};

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::report::text::count;

/// How often a bar turns where nothing else moves it.
const TICK: Duration = Duration::from_millis(200);

/// Shows what each job does; jobs report here from their own threads.
pub struct Board {
    bars: Option<(MultiProgress, Vec<ProgressBar>)>,
}

impl Board {
    /// For so many jobs.
    pub fn new(jobs: usize) -> Self {
        if !io::stderr().is_terminal() {
            return Self { bars: None };
        }
        let group = MultiProgress::with_draw_target(ProgressDrawTarget::stderr_with_hz(5));
        let style = ProgressStyle::with_template("{spinner} {prefix:<34} {wide_msg} {elapsed}");
        let style = style.unwrap_or_else(|_| ProgressStyle::default_spinner());
        let bar = |_| group.add(ProgressBar::new_spinner().with_style(style.clone()));
        let bars = (0..jobs).map(bar).collect();
        Self { bars: Some((group, bars)) }
    }

    fn bar(&self, row: usize) -> Option<&ProgressBar> {
        self.bars.as_ref()?.1.get(row)
    }

    /// A job begins with a defect.
    pub fn begin(&self, row: usize, defect: &str) {
        if let Some(bar) = self.bar(row) {
            bar.reset_elapsed();
            bar.enable_steady_tick(TICK);
            bar.set_prefix(defect.to_owned());
        }
    }

    /// What it does now, where that takes long.
    pub fn doing(&self, row: usize, defect: &str, what: &str) {
        match self.bar(row) {
            Some(bar) => bar.set_message(what.to_owned()),
            None => tell(&format!("{defect}: {what}")),
        }
    }

    /// Executions of the hunt under way.
    pub fn executions(&self, row: usize, target: &str, executions: u64) {
        if let Some(bar) = self.bar(row) {
            bar.set_message(format!("{target}  {} executions", count(executions)));
        }
    }

    /// Something to keep: a hunt's or a defect's end.
    pub fn say(&self, line: &str) {
        match &self.bars {
            Some((group, _)) => {
                let _ = group.println(line);
            }
            None => tell(line),
        }
    }

    /// Lets the terminal go.
    pub fn finish(&self) {
        if let Some((_, bars)) = &self.bars {
            for bar in bars {
                bar.finish_and_clear();
            }
        }
    }
}

/// Nobody may be reading; the result goes to standard output.
fn tell(line: &str) {
    let _ = writeln!(io::stderr(), "{line}");
}
