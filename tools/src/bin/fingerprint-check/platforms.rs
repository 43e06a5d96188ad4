//! What each kind of client would do with this server, why, and what to change.
//!
//! Platforms and rules are data: [`known`] lists the platforms with their TLS stacks, [`rules`] what each of them refuses and
//! how that is known. What is marked tested is held against the relay's verifier and those stacks by the tests below.

mod known;
mod list;
mod rules;
#[cfg(test)]
mod tests;

use std::ops::Deref;

use relay_trust::TlsProfile;
use rustls::{CipherSuite, ProtocolVersion};
use serde::Serialize;

use known::Platform;

use crate::{
    codes::Code,
    evidence::{Certificate, Evidence, Key, Tls},
    verdict::{Finding, Level, Verdicts},
};

pub use known::{find, names};
pub use list::{PlatformsArgs, RuleRecord, execute, rules_of, unknown};
pub use rules::Basis;

/// What a platform would do.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct PlatformVerdict {
    /// Which one: `windows`, `android-5`...
    pub platform: &'static str,
    /// Whether it would connect.
    pub connects: bool,
    /// Every reason why not, every warning, and what this connection did not show.
    pub findings: Vec<PlatformFinding>,
}

impl PlatformVerdict {
    /// The findings without how they are known.
    pub fn plain(&self) -> impl Iterator<Item = &Finding> {
        self.findings.iter().map(Deref::deref)
    }
}

/// A finding, and how it is known.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct PlatformFinding {
    /// The finding.
    #[serde(flatten)]
    pub finding: Finding,
    /// Whether it was tested, or follows from a document.
    pub basis: Basis,
    /// Where it is known from.
    pub source: &'static str,
}

impl Deref for PlatformFinding {
    type Target = Finding;

    fn deref(&self) -> &Finding {
        &self.finding
    }
}

/// What the platforms' rules need besides the evidence.
#[derive(Debug, Clone, Copy)]
pub struct Judged<'a> {
    /// The answers to what platforms share. A platform has the roots that accept the chain, if any does
    /// ([`Verdicts::chain_refusal`]); what is its own (CA:TRUE, lifetimes, suites) follows from the evidence.
    pub verdicts: &'a Verdicts,
}

/// The verdict of each of `platforms`, in that order.
pub fn judge(evidence: &Evidence, judged: Judged<'_>, platforms: &[&'static str]) -> Vec<PlatformVerdict> {
    let found = |name: &&'static str| Some((*name, known::by_name(name)?));
    platforms.iter().filter_map(found).map(|(name, platform)| one(evidence, judged, platform, name)).collect()
}

fn one(evidence: &Evidence, judged: Judged<'_>, platform: &Platform, name: &'static str) -> PlatformVerdict {
    let mut findings = shared(judged.verdicts);
    for rule in rules::ALL.iter().filter(|rule| rule.concerns(platform)) {
        // What a verdict has said already is not said twice.
        if !findings.iter().any(|known| known.code == rule.code)
            && let Some(finding) = rule.judge(evidence, platform)
        {
            findings.push(finding);
        }
    }
    let connects = findings.iter().all(|finding| finding.level < Level::Fail);
    if connects && let Some(tls) = evidence.connection.as_ref().map(|connection| &connection.tls) {
        findings.extend(unseen(tls, &evidence.chain.leaf, platform));
    }
    PlatformVerdict { platform: name, connects, findings }
}

/// How what every client of the relay refuses is known.
const VERIFIER: &str = "the verifier of every client of the relay (relay/trust)";

/// What every platform refuses: the verdicts that end a connection.
fn shared(verdicts: &Verdicts) -> Vec<PlatformFinding> {
    let expired = [Code::TIME_EXPIRED, Code::TIME_NOT_YET];
    let ended = verdicts.time.findings.iter().filter(|finding| expired.contains(&finding.code));
    let weak = verdicts.possession.findings.iter().filter(|finding| finding.code == Code::POSSESSION_WEAK);
    let failed = [&verdicts.pin, &verdicts.possession, &verdicts.name, &verdicts.tls]
        .into_iter()
        .filter_map(|answer| answer.failure());
    failed
        .chain(verdicts.chain_refusal())
        .chain(ended)
        .chain(weak)
        .map(|finding| PlatformFinding {
            finding: Finding { level: Level::Fail, ..finding.clone() },
            basis: Basis::Tested,
            source: VERIFIER,
        })
        .collect()
}

/// What the platform would have asked of the server and this connection did not: one connection shows one version, one
/// suite and one group.
fn unseen(tls: &Tls, leaf: &Certificate, platform: &Platform) -> Option<PlatformFinding> {
    let profile = platform.profile();
    let suite_seen = tls.suite.is_some_and(|suite| profile.suites.contains(&suite));
    let group_seen = tls.group.is_none_or(|group| profile.groups.contains(&group));
    if suite_seen && group_seen {
        return None;
    }
    let version = if profile.suites.iter().any(|suite| is_tls13(*suite)) { "TLS 1.2 or 1.3" } else { "TLS 1.2" };
    let suites: Vec<String> =
        profile.suites.iter().filter(|suite| fits(**suite, &leaf.key)).map(|suite| format!("{suite:?}")).collect();
    let groups: Vec<String> = profile.groups.iter().map(|group| format!("{group:?}")).collect();
    Some(PlatformFinding {
        finding: Finding::not_asked(
            Code::PLATFORM_NOT_SEEN,
            format!(
                "if the server also speaks {version} with {} on {}, which this connection did not show",
                listed(&suites),
                listed(&groups)
            ),
        ),
        basis: basis_of(profile),
        source: profile.source,
    })
}

/// At most three, and how many more.
fn listed(names: &[String]) -> String {
    match names {
        [first, second, third, rest @ ..] if !rest.is_empty() => {
            format!("{first}, {second}, {third} or {} more", rest.len())
        }
        names => names.join(" or "),
    }
}

/// How a TLS stack is known, in the words of rules.
const fn basis_of(profile: &TlsProfile) -> Basis {
    match profile.evidence {
        relay_trust::Evidence::Tested => Basis::Tested,
        relay_trust::Evidence::Documented => Basis::Documented,
    }
}

fn is_tls13(suite: CipherSuite) -> bool {
    matches!(
        suite,
        CipherSuite::TLS13_AES_128_GCM_SHA256
            | CipherSuite::TLS13_AES_256_GCM_SHA384
            | CipherSuite::TLS13_CHACHA20_POLY1305_SHA256
    )
}

/// Whether a server with this key can choose this suite.
fn fits(suite: CipherSuite, key: &Key) -> bool {
    let ecdsa = matches!(
        suite,
        CipherSuite::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256
            | CipherSuite::TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384
            | CipherSuite::TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256
    );
    is_tls13(suite) || ecdsa != matches!(key, Key::Rsa { .. })
}

/// Whether a connection of this version used the extended master secret, where there is one.
fn lacks_extended_master_secret(tls: &Tls) -> bool {
    tls.version == ProtocolVersion::TLSv1_2 && tls.ended.is_none() && !tls.extended_master_secret
}
