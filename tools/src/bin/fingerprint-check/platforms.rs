//! What each kind of client would do with this server, why, and what to change.

use crate::{
    evidence::Evidence,
    verdict::{Finding, Verdicts},
};

/// What a platform would do.
#[derive(Debug, Clone)]
pub struct PlatformVerdict {
    /// Which one: `windows`, `android-5`...
    pub platform: &'static str,
    /// Whether it would connect.
    pub connects: bool,
    /// Every reason why not, and every warning. Empty: it connects.
    pub findings: Vec<Finding>,
}

/// What the platforms' rules need besides the evidence.
#[derive(Debug, Clone, Copy)]
pub struct Judged<'a> {
    /// When the clients would connect: seconds since 1970.
    pub at: i64,
    /// The answers to what platforms share. A platform has the roots that accept the chain, if any does
    /// ([`Verdicts::chain_refusal`]); what is its own (CA:TRUE, lifetimes, suites) follows from the evidence.
    pub verdicts: &'a Verdicts,
}

/// The verdict of each of `platforms`, in that order.
pub fn judge(evidence: &Evidence, judged: Judged<'_>, platforms: &[&'static str]) -> Vec<PlatformVerdict> {
    let _ = (evidence, judged);
    platforms.iter().map(|platform| PlatformVerdict { platform, connects: true, findings: Vec::new() }).collect()
}
