//! Verdicts: what the evidence means. Independent of each other: none hides another.
//!
//! Each question has its own module and sees nothing of the others' answers. Dates are left out of the chain's verdict and
//! names of both, so that an expired certificate of a strange issuer for another name gets three answers.

mod chain;
mod name;
mod pin;
mod possession;
mod strength;
mod time;
mod tls;

use relay_trust::Roots;
use rustls_pki_types::{ServerName, UnixTime};
use serde::Serialize;

use crate::{
    codes::Code,
    evidence::{Certificate, Evidence},
    pins::Given,
};

pub use time::SECONDS_A_DAY;

/// How a question was answered. The order is that of weight.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub enum Level {
    /// Nobody asked it.
    NotAsked,
    /// As it should be.
    Ok,
    /// It works, and somebody should look.
    Warn,
    /// It is wrong.
    Fail,
}

impl Level {
    /// As reports write it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NotAsked => "not-asked",
            Self::Ok => "ok",
            Self::Warn => "warn",
            Self::Fail => "fail",
        }
    }
}

/// One thing about a server, with what to do about it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Finding {
    /// Its weight.
    pub level: Level,
    /// Its name; `fingerprint-check explain CODE` tells more.
    pub code: Code,
    /// What was seen, in a sentence without a full stop.
    pub text: String,
    /// What to do; `null`: nothing.
    pub remedy: Option<String>,
}

impl Finding {
    /// Nothing to do.
    pub fn ok(code: Code, text: impl Into<String>) -> Self {
        Self { level: Level::Ok, code, text: text.into(), remedy: None }
    }

    /// Nobody asked.
    pub fn not_asked(code: Code, text: impl Into<String>) -> Self {
        Self { level: Level::NotAsked, code, text: text.into(), remedy: None }
    }

    /// It works, and somebody should look.
    pub fn warn(code: Code, text: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { level: Level::Warn, code, text: text.into(), remedy: Some(remedy.into()) }
    }

    /// It is wrong.
    pub fn fail(code: Code, text: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { level: Level::Fail, code, text: text.into(), remedy: Some(remedy.into()) }
    }
}

/// The answer to one question: at least one finding.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Answer {
    /// The heaviest of its findings.
    pub level: Level,
    /// What was found; at least one.
    pub findings: Vec<Finding>,
}

impl From<Finding> for Answer {
    fn from(finding: Finding) -> Self {
        Self { level: finding.level, findings: vec![finding] }
    }
}

impl Answer {
    /// These findings, or this one where there are none.
    fn of(findings: Vec<Finding>, otherwise: impl FnOnce() -> Finding) -> Self {
        match findings.iter().map(|finding| finding.level).max() {
            Some(level) => Self { level, findings },
            None => otherwise().into(),
        }
    }

    /// The first finding that weighs [`Level::Fail`].
    pub fn failure(&self) -> Option<&Finding> {
        self.findings.iter().find(|finding| finding.level == Level::Fail)
    }
}

/// A set of roots and what people call it.
#[derive(Debug, Clone)]
pub struct NamedRoots {
    /// `system`, `mozilla`, or the path of a file.
    pub name: String,
    /// The roots.
    pub roots: Roots,
    /// Those that the user named in a file, to tell a root's fingerprint from a stranger's; empty for the stores.
    pub named: Vec<Certificate>,
}

/// What is asked about a server.
#[derive(Debug, Clone, Copy)]
pub struct Questions<'a> {
    /// The pins that clients have, at least one; `None`: not asked.
    pub pins: Option<&'a [Given]>,
    /// The sets of roots, each judged by itself; empty: not asked.
    pub roots: &'a [NamedRoots],
    /// The name that clients ask for; `None`: not asked.
    pub name: Option<&'a ServerName<'static>>,
    /// When: seconds since 1970.
    pub at: i64,
    /// Fewer days left than this are a warning.
    pub warn_days: u32,
    /// Fewer days left than this are a failure.
    pub crit_days: u32,
}

impl Questions<'_> {
    /// The time as the chain verifier takes it.
    fn unix_time(seconds: i64) -> UnixTime {
        UnixTime::since_unix_epoch(std::time::Duration::from_secs(u64::try_from(seconds).unwrap_or(0)))
    }
}

/// What one set of roots says to the chain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ChainAnswer {
    /// `system`, `mozilla`, or the path of a file.
    pub roots: String,
    /// The answer.
    #[serde(flatten)]
    pub answer: Answer,
}

/// A question and its answer.
#[derive(Debug, Clone, Copy)]
pub struct Question<'a> {
    /// `pin`, `chain`...
    pub name: &'static str,
    /// Which roots were asked; `None`: no question of roots.
    pub roots: Option<&'a str>,
    /// The answer.
    pub answer: &'a Answer,
}

impl std::fmt::Display for Question<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.roots {
            Some(roots) => write!(f, "{} ({roots})", self.name),
            None => f.write_str(self.name),
        }
    }
}

/// All answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Verdicts {
    /// Whether a pin names the server's own certificate.
    pub pin: Answer,
    /// Whether the server has the key of that certificate.
    pub possession: Answer,
    /// Whether each set of roots accepts the chain, apart from the dates of the server's own certificate and from names. At
    /// least one answer.
    pub chain: Vec<ChainAnswer>,
    /// Whether the certificate is for the name that clients ask for.
    pub name: Answer,
    /// Whether the certificate is valid, and for how long.
    pub time: Answer,
    /// Whether key and signature are strong.
    pub strength: Answer,
    /// What TLS agreed on.
    pub tls: Answer,
}

impl Verdicts {
    /// Why no set of roots accepts the chain; `None`: one does, or nobody asked.
    pub fn chain_refusal(&self) -> Option<&Finding> {
        if self.chain.iter().any(|one| one.answer.level < Level::Fail) {
            return None;
        }
        self.chain.iter().find_map(|one| one.answer.failure())
    }

    /// All answers; `chain` once for every set of roots.
    pub fn all(&self) -> Vec<Question<'_>> {
        let of = |name, answer| Question { name, roots: None, answer };
        let mut all = vec![of("pin", &self.pin), of("possession", &self.possession)];
        all.extend(self.chain.iter().map(|one| Question {
            name: "chain",
            roots: Some(&one.roots),
            answer: &one.answer,
        }));
        all.extend([of("name", &self.name), of("time", &self.time), of("strength", &self.strength)]);
        all.push(of("tls", &self.tls));
        all
    }

    /// The heaviest answer. Of the chain's the lightest counts: clients have one set of roots, or all of them.
    pub fn level(&self) -> Level {
        let others = [&self.pin, &self.possession, &self.name, &self.time, &self.strength, &self.tls];
        let chain = self.chain.iter().map(|one| one.answer.level).min().unwrap_or(Level::NotAsked);
        others.into_iter().map(|answer| answer.level).fold(chain, Level::max)
    }
}

/// Answers every question.
pub fn judge(evidence: &Evidence, questions: &Questions<'_>) -> Verdicts {
    let leaf = &evidence.chain.leaf;
    Verdicts {
        pin: pin::judge(&evidence.chain, questions.pins, questions.roots),
        possession: possession::judge(evidence.connection.as_ref()),
        chain: chain::judge(&evidence.chain, questions.roots, questions.at),
        name: name::judge(leaf, questions.name),
        time: time::judge(&evidence.chain, questions),
        strength: strength::judge(leaf),
        tls: tls::judge(evidence.connection.as_ref()),
    }
}
