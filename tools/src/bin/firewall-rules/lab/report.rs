//! The result: one record behind every form.

mod html;
mod picture;
mod sections;
mod text;

use std::path::Path;

use serde::Serialize;

use super::{
    attempts::{Attempt, Sweep},
    matrix::Matrix,
    plan::Plan,
    run,
    service::{Fleet, Step},
    sockets::{Calls, Census},
    topology::Space,
};
use crate::{error::Error, rules::Place};

/// The version of the record: raised when a field changes its meaning or goes.
pub const SCHEMA: u32 = 1;

/// A form of the result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// Tables for people.
    Text,
    /// One JSON object.
    Json,
    /// One self-contained page.
    Html,
}

impl Form {
    /// The form that a file's name asks for.
    #[must_use]
    pub fn of(path: &Path) -> Option<Self> {
        Some(match path.extension()?.to_str()? {
            "txt" => Self::Text,
            "json" => Self::Json,
            "html" => Self::Html,
            _ => return None,
        })
    }
}

/// The rules of one place, as they were loaded.
#[derive(Clone, Debug, Serialize)]
pub struct Loaded {
    /// Where.
    pub place: String,
    /// As a heading.
    pub title: String,
    /// Each rule.
    pub rules: Vec<LoadedRule>,
}

/// One of them.
#[derive(Clone, Debug, Serialize)]
pub struct LoadedRule {
    /// Its id.
    pub id: String,
    /// Its statement.
    pub statement: String,
    /// Why it is there.
    pub why: String,
}

impl Loaded {
    /// Of a place and its rules: id, statement, reason.
    pub fn new(place: &Place, rules: impl Iterator<Item = (String, String, String)>) -> Self {
        let rules = rules.map(|(id, statement, why)| LoadedRule { id, statement, why }).collect();
        Self { place: place.slug(), title: place.title(), rules }
    }
}

/// The probes without any rule.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Control {
    /// How many.
    pub probes: usize,
    /// Those that did not come through.
    pub failed: Vec<String>,
}

/// Tunnels and who opened which connection.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Tunnels {
    /// One tunnel after the other.
    pub steps: Vec<Step>,
    /// What `ss` listed in every namespace with all of them open.
    pub census: Census,
}

/// Attempts from the edge's host.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Captured {
    /// With its own rules.
    pub with_own_rules: Vec<Attempt>,
    /// After its root has flushed them.
    pub without_own_rules: Vec<Attempt>,
}

/// What strangers tried from the internet.
#[derive(Clone, Debug, Serialize)]
pub struct Stranger {
    /// Whose rules were loaded.
    pub guard: &'static str,
    /// Every TCP port of the edge.
    pub sweep: Vec<Sweep>,
    /// Everything else.
    pub attempts: Vec<Attempt>,
}

impl Stranger {
    /// Whether nothing but the edge's port answered.
    #[must_use]
    pub fn held_off(&self, port: u16) -> bool {
        self.sweep.iter().all(|sweep| sweep.only(port)) && !self.attempts.iter().any(Attempt::reached)
    }
}

/// What a firewall remembers of connections.
#[derive(Clone, Debug, Serialize)]
pub struct Tracking {
    /// Which firewall.
    pub place: Space,
    /// How many TCP connections; `None` where the kernel does not show them.
    pub connections: Option<usize>,
    /// Those that were opened in another direction than the design says.
    pub problems: Vec<String>,
}

/// The whole.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// The version of this record.
    pub schema: u32,
    /// The edge's port.
    pub port: u16,
    /// How long the run took.
    pub seconds: f64,
    /// What does not fit together between rules and rows.
    pub gaps: Vec<String>,
    /// The rules.
    pub rules: Vec<Loaded>,
    /// Without them.
    pub control: Control,
    /// Fleets under them; the last ones after the matrix.
    pub fleets: Vec<Fleet>,
    /// Tunnels.
    pub tunnels: Tunnels,
    /// From the edge's host.
    pub captured: Captured,
    /// From the internet, by what guards the edge.
    pub strangers: Vec<Stranger>,
    /// Rules by rows.
    pub matrix: Matrix,
    /// What the firewalls remember at the end.
    pub tracked: Vec<Tracking>,
    /// What strace saw of the edge, from its start to its end, if that was asked for.
    pub strace: Option<Calls>,
}

/// The record as JSON has it.
#[derive(Serialize)]
struct Judged<'a> {
    passed: bool,
    problems: Vec<String>,
    #[serde(flatten)]
    report: &'a Report,
}

impl Report {
    /// Before anything is tried.
    #[must_use]
    pub fn new(plan: &Plan) -> Self {
        Self {
            schema: SCHEMA,
            port: plan.port,
            seconds: 0.0,
            gaps: plan.gaps.clone(),
            rules: plan.sets.iter().map(run::loaded).collect(),
            control: Control::default(),
            fleets: Vec::new(),
            tunnels: Tunnels::default(),
            captured: Captured::default(),
            strangers: Vec::new(),
            matrix: Matrix::default(),
            tracked: Vec::new(),
            strace: None,
        }
    }

    /// A sentence for each thing that is not as it must be, part by part.
    #[must_use]
    pub fn problems(&self) -> Vec<String> {
        let mut problems = self.gaps.clone();
        problems.extend(
            self.control.failed.iter().map(|what| format!("without any rule, this did not come through: {what}")),
        );
        problems.extend(self.fleets.iter().filter(|fleet| !fleet.passed).map(|fleet| {
            format!(
                "{} of {} devices over {} did not get what they should",
                fleet.wrong, fleet.devices, fleet.devices_over
            )
        }));
        problems.extend(self.tunnels.census.problems.iter().cloned());
        problems.extend(self.tunnels.steps.iter().filter(|step| step.after != step.before + 1).map(|step| {
            format!(
                "a tunnel of the {} device took the inside's connections from {} to {}",
                step.platform, step.before, step.after
            )
        }));
        let from_edge = [&self.captured.with_own_rules, &self.captured.without_own_rules];
        for attempt in from_edge.into_iter().flatten().filter(|attempt| attempt.reached()) {
            problems.push(format!("the edge's host reached somebody: {}", attempt.shown()));
        }
        for stranger in &self.strangers {
            let guard = stranger.guard;
            let reached = stranger.attempts.iter().filter(|attempt| attempt.reached());
            problems.extend(
                reached.map(|attempt| format!("under {guard}, a stranger reached somebody: {}", attempt.shown())),
            );
            problems.extend(stranger.sweep.iter().filter(|sweep| !sweep.only(self.port)).map(|sweep| {
                let (open, refused) = (ports(&sweep.open), ports(&sweep.refused));
                format!("under {guard}, of {} these ports open: {open}; and these refuse: {refused}", sweep.address)
            }));
        }
        problems.extend(self.matrix.problems());
        problems.extend(self.tracked.iter().flat_map(|tracking| tracking.problems.iter().cloned()));
        if let Some(calls) = &self.strace {
            problems.extend(calls.connects_inet.iter().map(|call| format!("the edge called connect: {call}")));
            if calls.accepts == 0 {
                problems.push("strace saw the edge accept nothing, so it did not see the edge".to_owned());
            }
        }
        problems
    }

    /// Whether everything was seen as it must be.
    #[must_use]
    pub fn passed(&self) -> bool {
        self.problems().is_empty()
    }

    /// One sentence on the whole.
    #[must_use]
    pub fn sentence(&self) -> String {
        let rules: usize = self.rules.iter().map(|loaded| loaded.rules.len()).sum();
        match self.problems().len() {
            0 => format!(
                "It works with exactly these {rules} rules, each of them is needed, and nothing opens a connection inward"
            ),
            1 => "One thing is not as it must be".to_owned(),
            several => format!("{several} things are not as they must be"),
        }
    }

    /// In the form asked for.
    ///
    /// # Errors
    /// If JSON cannot be made of it.
    pub fn render(&self, form: Form, colour: bool) -> Result<String, Error> {
        let judged = || Judged { passed: self.passed(), problems: self.problems(), report: self };
        Ok(match form {
            Form::Text => text::render(self, colour),
            Form::Html => html::render(self),
            Form::Json => {
                let made = serde_json::to_string_pretty(&judged()).map_err(|error| Error::Defect(error.to_string()));
                made? + "\n"
            }
        })
    }
}

/// Ports as a list, the rest of a long one as a number.
fn ports(ports: &[u16]) -> String {
    const SHOWN: usize = 12;
    let shown: Vec<String> = ports.iter().take(SHOWN).map(u16::to_string).collect();
    match ports.len().saturating_sub(SHOWN) {
        _ if ports.is_empty() => "none".to_owned(),
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}

#[cfg(test)]
mod tests;
