//! What is said on standard error while trials run.

use std::io::{self, IsTerminal, Write};

use crate::{
    cli::ServeArgs,
    client::Facts,
    report::{TrialReport, text},
    trial::{Declared, Trial},
};

/// Says where the run is: one changing line on a terminal, a line per trial where somebody waits for a client, nothing else.
pub struct Progress {
    trials: usize,
    done: usize,
    terminal: bool,
    waiting: bool,
    verbose: bool,
}

impl Progress {
    /// For a run of so many trials.
    pub fn new(arguments: &ServeArgs, trials: usize) -> Self {
        Self {
            trials,
            done: 0,
            terminal: io::stderr().is_terminal(),
            waiting: arguments.command.is_empty(),
            verbose: arguments.verbose,
        }
    }

    /// What a client that comes by itself has to be told.
    pub fn handout(&self, told: &Facts, declared: Declared) {
        let mut lines =
            String::from("Tell the client this (pins as it takes them), then let it connect once for each trial:\n");
        let useful = ["address", "name", "roots", "cert", "pin-leaf", "pin-spki", "pin-curl"];
        for (name, value) in told.0.iter().filter(|(name, _)| useful.contains(name)) {
            lines.push_str(&format!("  {name:<9} {value}\n"));
        }
        if declared.pins == crate::trial::ClientPins::Leaf {
            lines.push_str(
                "A leaf pin fits the certificate of the control only: in the trials of chains and dates the pin alone tells.\n",
            );
        }
        say(&lines);
    }

    /// A trial begins.
    pub fn begin(&mut self, trial: &Trial) {
        self.done += 1;
        let place = format!("{}/{} {}", self.done, self.trials, trial.name);
        if self.waiting {
            say(&format!("{place}: waiting for the client\n"));
        } else if self.terminal && !self.verbose {
            say(&format!("\r\x1b[K{place}"));
        }
    }

    /// A trial is over.
    pub fn end(&self, trial: &TrialReport) {
        let judgement = &trial.judgement;
        if self.waiting || self.verbose {
            say(&format!(
                "{} {}: {}: {}\n",
                trial.name,
                text::verdict(judgement.verdict),
                judgement.outcome.as_str(),
                judgement.how
            ));
        }
        if self.verbose {
            for (stream, words) in [("stdout", &trial.stdout), ("stderr", &trial.stderr)] {
                for line in words.lines() {
                    say(&format!("    {stream}: {}\n", line.escape_debug()));
                }
            }
        }
    }

    /// All trials are over.
    pub fn finish(&self) {
        if self.terminal && !self.waiting && !self.verbose {
            say("\r\x1b[K");
        }
    }
}

fn say(text: &str) {
    // Nobody has to listen.
    let _ = io::stderr().write_all(text.as_bytes());
}
