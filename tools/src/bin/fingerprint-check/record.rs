//! The one record behind every format: what was seen of one target, and what it means.
//!
//! `tools/schema/fingerprint-check.json` is made of these types; a test keeps the two alike.

use std::time::Duration;

use relay_trust::{Pin, PinKind};
use serde::Serialize;

use crate::{
    codes::Code,
    connect::Failure,
    evidence::{Certificate, Connection, Evidence, KeyReading, rfc3339},
    platforms::PlatformVerdict,
    verdict::{Level, SECONDS_A_DAY, Verdicts},
};

/// The schema, as it is committed.
pub const SCHEMA: &str = include_str!("../../../schema/fingerprint-check.json");
/// The version of the record. It changes when a reader of the old one would be wrong about the new one.
const VERSION: u32 = 1;

/// What `--format json` prints.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(title = "fingerprint-check", rename = "Document"))]
pub struct Document<'a> {
    /// Of this form; 1.
    pub version: u32,
    /// How the targets did together.
    pub summary: Summary,
    /// One record per target, in the order given. `--format jsonl` prints one of them a line.
    pub targets: &'a [Record],
}

impl<'a> Document<'a> {
    /// Of these records.
    pub const fn new(targets: &'a [Record], summary: Summary) -> Self {
        Self { version: VERSION, summary, targets }
    }
}

/// One target.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Record {
    /// `HOST:PORT`, or the path of a file.
    pub target: String,
    /// The time for which it was judged (RFC 3339, UTC): now, or `--at`.
    pub judged_at: String,
    /// How often it was tried.
    pub attempts: u32,
    /// How long the last try took.
    pub milliseconds: u64,
    /// The result in one word.
    pub outcome: Outcome,
    /// What was seen.
    #[serde(flatten)]
    pub shown: Shown,
}

/// What was seen of a target.
#[derive(Debug, Clone, Serialize)]
#[serde(tag = "result", rename_all = "kebab-case")]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub enum Shown {
    /// Its certificate.
    Seen(Box<Seen>),
    /// Nothing that could be judged.
    Failed {
        /// Why.
        failure: FailureRecord,
    },
}

/// A target whose certificate was seen.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Seen {
    /// The connection; `null` for files.
    pub connection: Option<ConnectionRecord>,
    /// The server's own certificate.
    pub certificate: CertificateRecord,
    /// The other certificates that it presents, in its order, as far as they can be read.
    pub intermediates: Vec<CertificateRecord>,
    /// The answers, each independent of the others.
    pub verdicts: Verdicts,
    /// What each selected platform would do.
    pub platforms: Vec<PlatformVerdict>,
}

/// Why a target could not be judged.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct FailureRecord {
    /// Its name; `fingerprint-check explain CODE` tells more.
    pub code: Code,
    /// What was tried and what came of it.
    pub text: String,
    /// What to do.
    pub remedy: String,
}

/// What the connection showed.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ConnectionRecord {
    /// The address that was reached; `null` through a proxy.
    pub address: Option<String>,
    /// `TLS 1.2` or `TLS 1.3`.
    pub version: String,
    /// The cipher suite, as IANA names it.
    pub suite: Option<String>,
    /// The key exchange group.
    pub group: Option<String>,
    /// The scheme of the handshake signature.
    pub signature_scheme: Option<String>,
    /// Whether the extended master secret (RFC 7627) is in use; always under TLS 1.3.
    pub extended_master_secret: bool,
}

/// What a certificate says.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct CertificateRecord {
    /// Its pins; `fingerprint-check pins normalize` writes them in any spelling.
    pub pins: PinsRecord,
    /// Whom it is for.
    pub subject: String,
    /// Who issued it.
    pub issuer: String,
    /// Subject and issuer are the same.
    pub self_issued: bool,
    /// In hexadecimal.
    pub serial: String,
    /// The version of its form, 1 to 3.
    pub version: u32,
    /// DNS names and IP addresses.
    pub names: Vec<String>,
    /// The first second of its validity (RFC 3339, UTC).
    pub not_before: String,
    /// The last second of its validity (RFC 3339, UTC).
    pub not_after: String,
    /// Whole days from `judged_at` to `not_after`; negative: it has expired.
    pub days_left: i64,
    /// `ECDSA P-256`, `RSA-2048`...
    pub key: String,
    /// The hash under its issuer's signature.
    pub signature_hash: String,
    /// The CA of its basicConstraints; `null`: it has none.
    pub ca: Option<bool>,
    /// Whether its extended key usage lists serverAuth; `null`: it has none.
    pub server_auth: Option<bool>,
    /// Why clients cannot read it though it can be shown here, such as a version 1 certificate; `null`: they can.
    pub unreadable_for_clients: Option<String>,
}

/// The pins of a certificate.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct PinsRecord {
    /// `leaf:` and the SHA-256 of the certificate.
    pub leaf: String,
    /// `spki:` and the SHA-256 of its public key.
    pub spki: String,
}

/// The result in one word. The order is that of weight: of several targets the heaviest counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub enum Outcome {
    /// Every selected platform connects.
    Connects,
    /// The same, and there is something to look at.
    Warnings,
    /// The pin matches or none was given, but a selected platform refuses.
    Refused,
    /// No certificate was seen.
    Unreachable,
    /// A pin does not match, or the server did not prove that it has its key.
    Unproved,
}

impl Outcome {
    /// As reports write it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Connects => "connects",
            Self::Warnings => "warnings",
            Self::Refused => "refused",
            Self::Unreachable => "unreachable",
            Self::Unproved => "unproved",
        }
    }

    /// The program's exit code.
    pub const fn exit_code(self, strict: bool) -> u8 {
        match self {
            Self::Connects => 0,
            Self::Warnings if strict => 5,
            Self::Warnings => 0,
            Self::Refused => 4,
            Self::Unreachable => 3,
            Self::Unproved => 1,
        }
    }
}

impl Record {
    /// Of a target whose certificate was seen.
    pub fn seen(target: String, at: i64, evidence: &Evidence, judged: (Verdicts, Vec<PlatformVerdict>)) -> Self {
        let (verdicts, platforms) = judged;
        let outcome = outcome(&verdicts, &platforms);
        let shown = Shown::Seen(Box::new(Seen {
            connection: evidence.connection.as_ref().map(connection),
            certificate: certificate(&evidence.chain.leaf, at),
            intermediates: evidence.chain.issuers.iter().map(|issuer| certificate(issuer, at)).collect(),
            verdicts,
            platforms,
        }));
        Self { target, judged_at: rfc3339(at), attempts: 1, milliseconds: 0, outcome, shown }
    }

    /// Of a target that could not be judged.
    pub fn failed(target: String, at: i64, failure: Failure) -> Self {
        let unreadable = [Code::CERTIFICATE_NONE, Code::CERTIFICATE_UNREADABLE, Code::CERTIFICATE_AMBIGUOUS];
        let outcome = if unreadable.contains(&failure.code) { Outcome::Unproved } else { Outcome::Unreachable };
        let Failure { code, text, remedy, .. } = failure;
        let shown = Shown::Failed { failure: FailureRecord { code, text, remedy } };
        Self { target, judged_at: rfc3339(at), attempts: 1, milliseconds: 0, outcome, shown }
    }

    /// The same, after so many tries, the last of which took so long.
    pub fn after(self, attempts: u32, took: Duration) -> Self {
        Self { attempts, milliseconds: u64::try_from(took.as_millis()).unwrap_or(u64::MAX), ..self }
    }
}

fn outcome(verdicts: &Verdicts, platforms: &[PlatformVerdict]) -> Outcome {
    if verdicts.pin.level == Level::Fail || verdicts.possession.level == Level::Fail {
        return Outcome::Unproved;
    }
    if platforms.iter().any(|platform| !platform.connects) {
        return Outcome::Refused;
    }
    let advised = platforms.iter().flat_map(PlatformVerdict::plain).any(|finding| finding.level >= Level::Warn);
    if advised || verdicts.level() >= Level::Warn { Outcome::Warnings } else { Outcome::Connects }
}

fn connection(connection: &Connection) -> ConnectionRecord {
    let tls = &connection.tls;
    ConnectionRecord {
        address: connection.address.map(|address| address.to_string()),
        version: tls.version_name(),
        suite: tls.suite_name(),
        group: tls.group.map(|group| format!("{group:?}")),
        signature_scheme: tls.scheme.map(|scheme| format!("{scheme:?}")),
        extended_master_secret: tls.extended_master_secret,
    }
}

fn certificate(certificate: &Certificate, at: i64) -> CertificateRecord {
    let pin = |kind, digest| Pin::new(kind, digest).to_string();
    CertificateRecord {
        pins: PinsRecord {
            leaf: pin(PinKind::Leaf, certificate.fingerprints.leaf),
            spki: pin(PinKind::Spki, certificate.fingerprints.spki),
        },
        subject: certificate.subject.clone(),
        issuer: certificate.issuer.clone(),
        self_issued: certificate.self_issued,
        serial: certificate.serial.clone(),
        version: certificate.version,
        names: certificate.names.clone(),
        not_before: rfc3339(certificate.not_before),
        not_after: rfc3339(certificate.not_after),
        days_left: (certificate.not_after - at).div_euclid(SECONDS_A_DAY),
        key: certificate.key.to_string(),
        signature_hash: certificate.signature_hash.to_string(),
        ca: certificate.ca,
        server_auth: certificate.server_auth,
        unreadable_for_clients: match &certificate.key_reading {
            KeyReading::Agreed => None,
            KeyReading::OneReader(reason) => Some(reason.clone()),
        },
    }
}

/// How several targets did together.
#[derive(Debug, Clone, Copy, Default, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Summary {
    /// All of them.
    pub targets: u64,
    /// Every selected platform connects, nothing to look at.
    pub connects: u64,
    /// Every selected platform connects, something to look at.
    pub warnings: u64,
    /// A selected platform refuses.
    pub refused: u64,
    /// No certificate was seen.
    pub unreachable: u64,
    /// A pin does not match, or the server did not prove that it has its key.
    pub unproved: u64,
    /// The exit code.
    pub exit_code: u8,
}

impl Summary {
    /// Counts one more.
    pub const fn add(&mut self, outcome: Outcome, strict: bool) {
        self.targets += 1;
        let (count, code) = (self.count(outcome), outcome.exit_code(strict));
        *count += 1;
        if heavier(code, self.exit_code) {
            self.exit_code = code;
        }
    }

    const fn count(&mut self, outcome: Outcome) -> &mut u64 {
        match outcome {
            Outcome::Connects => &mut self.connects,
            Outcome::Warnings => &mut self.warnings,
            Outcome::Refused => &mut self.refused,
            Outcome::Unreachable => &mut self.unreachable,
            Outcome::Unproved => &mut self.unproved,
        }
    }
}

/// Whether one exit code counts more than another: 1, then 3, 4, 5, 0.
const fn heavier(code: u8, than: u8) -> bool {
    const fn weight(code: u8) -> u8 {
        match code {
            1 => 4,
            3 => 3,
            4 => 2,
            5 => 1,
            _ => 0,
        }
    }
    weight(code) > weight(than)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `UPDATE_SNAPSHOTS=1 cargo test -p tools --bin fingerprint-check` writes it anew.
    #[test]
    fn the_committed_schema_is_that_of_these_types() {
        let generated = schemars::schema_for!(Document<'_>);
        let text = serde_json::to_string_pretty(&generated).unwrap() + "\n";
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/schema/fingerprint-check.json");
        if std::env::var_os("UPDATE_SNAPSHOTS").is_some() {
            std::fs::write(path, &text).unwrap();
        }
        assert!(
            std::fs::read_to_string(path).unwrap() == text,
            "{path} is not up to date: run with UPDATE_SNAPSHOTS=1"
        );
    }

    #[test]
    fn the_worst_target_counts() {
        let mut summary = Summary::default();
        for (outcome, code) in [
            (Outcome::Connects, 0),
            (Outcome::Warnings, 5),
            (Outcome::Refused, 4),
            (Outcome::Warnings, 4),
            (Outcome::Unreachable, 3),
            (Outcome::Unproved, 1),
            (Outcome::Unreachable, 1),
        ] {
            summary.add(outcome, true);
            assert_eq!(summary.exit_code, code, "{outcome:?}");
        }
        assert_eq!((summary.targets, summary.unreachable), (7, 2));
    }
}
