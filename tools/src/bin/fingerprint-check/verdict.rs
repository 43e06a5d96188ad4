//! Verdicts: what the evidence means. Independent of each other: none hides another.

use serde::Serialize;

use crate::codes::Code;

/// How a question was answered. The order is that of weight.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
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

/// One answer, with what to do about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// Its weight.
    pub level: Level,
    /// Its name.
    pub code: Code,
    /// What was seen, in a sentence without a full stop.
    pub text: String,
    /// What to do; `None` where there is nothing to do.
    pub remedy: Option<String>,
}
