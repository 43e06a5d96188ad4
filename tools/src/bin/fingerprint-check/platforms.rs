//! What each kind of client would do with this server, why, and what to change.

use crate::{evidence::Evidence, verdict::Finding};

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

/// What the platforms' rules need besides the evidence: the answers to what they share.
#[derive(Debug, Clone, Copy)]
pub struct Judged<'a> {
    /// When the clients would connect: seconds since 1970.
    pub at: i64,
    /// Why no root set given accepts the chain; `None`: at least one does. Dates and names are not in it.
    pub chain: Option<&'a Finding>,
    /// Why the name is not one of the certificate's; `None`: it is, or nobody asked.
    pub name: Option<&'a Finding>,
    /// Why no pin matches; `None`: one does, or nobody asked.
    pub pin: Option<&'a Finding>,
}

/// The verdict of each of `platforms`, in that order.
pub fn judge(evidence: &Evidence, judged: Judged<'_>, platforms: &[&'static str]) -> Vec<PlatformVerdict> {
    let _ = (evidence, judged);
    platforms.iter().map(|platform| PlatformVerdict { platform, connects: true, findings: Vec::new() }).collect()
}
