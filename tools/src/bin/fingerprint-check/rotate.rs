//! `rotate`: whether clients survive the change from one certificate to the next.

use std::{fmt::Write as _, path::PathBuf};

use clap::Args;
use relay_trust::{Pin, PinKind};
use serde::Serialize;

use crate::{
    ask::{AskArgs, Asked},
    cli::{json, print},
    codes::Code,
    error::Error,
    evidence::{Certificate, Evidence, date},
    file,
    output::Format,
    pins::{Given, pin_of},
    platforms::PlatformVerdict,
    record::{Record, Shown},
    verdict::{Finding, Level},
};

/// Options of `rotate`.
#[derive(Debug, Args)]
#[command(after_help = concat!(
    "Examples:\n",
    "  fingerprint-check rotate --current edge.crt --next edge-2027.crt --pin deployed-pin --roots edge.crt\n",
    "  fingerprint-check rotate --current edge.crt --next edge-2027.crt --pin spki:…,spki:… --roots ca.crt --strict\n",
    "  fingerprint-check rotate --current edge.crt --next edge-2027.crt --name edge.example.org --format json\n",
    "\n",
    "Give with --pin every pin that clients have now, and with --roots the roots that they have now: that is what must hold\n",
    "on the day of the change. A backup pin is one that names neither certificate: that of a key in a safe place, for the day\n",
    "on which the key in use is lost.\n",
    "\n",
    "Exit codes:\n",
    "  0  every selected platform connects before and after the change\n",
    "  1  the pins that clients have do not name the next certificate (or the current one)\n",
    "  2  wrong usage; standard error says what to do\n",
    "  4  the pins fit, but a selected platform would be lost\n",
    "  5  warnings only, under --strict: no backup pin, a time in which neither is valid, names that vanish",
))]
pub struct RotateArgs {
    /// The certificate in use: PEM, DER or PKCS#7, with the intermediates that the server sends along.
    #[arg(long, value_name = "FILE")]
    current: PathBuf,
    /// The certificate that will take its place.
    #[arg(long, value_name = "FILE")]
    next: PathBuf,
    #[command(flatten)]
    ask: AskArgs,
}

/// What makes every client that has pins halt.
const UNPINNED: [Code; 2] = [Code::ROTATE_NEXT_UNPINNED, Code::ROTATE_CURRENT_UNPINNED];

/// What comes of a rotation; `--format json` prints it.
#[derive(Debug, Serialize)]
struct Rotation {
    current: CertificateRecord,
    next: CertificateRecord,
    /// What the two have in common, and what not.
    findings: Vec<Finding>,
    platforms: Vec<PlatformRotation>,
    exit_code: u8,
}

#[derive(Debug, Serialize)]
struct CertificateRecord {
    file: String,
    subject: String,
    key: String,
    leaf: String,
    spki: String,
    not_before: String,
    not_after: String,
}

/// One platform, before and after.
#[derive(Debug, Serialize)]
struct PlatformRotation {
    platform: &'static str,
    survives: bool,
    /// Pins apart.
    connects_now: bool,
    /// Pins apart.
    connects_next: bool,
    /// Why the next certificate is refused; where it is not, why the current one is.
    findings: Vec<Finding>,
}

/// Runs `rotate`; returns its exit code.
///
/// # Errors
/// [`Error`] for wrong usage, and files that cannot be read.
pub fn execute(arguments: &RotateArgs) -> Result<u8, Error> {
    let asked = arguments.ask.read()?;
    if ![Format::Text, Format::Json].contains(&asked.style.format) {
        return Err(Error::Usage("rotate has --format text and --format json; give one of these".to_owned()));
    }
    let read = |path: &PathBuf| Ok(Evidence { chain: file::chain(path)?, connection: None });
    let (current, next): (Evidence, Evidence) = (read(&arguments.current)?, read(&arguments.next)?);
    let findings = findings(&asked, &current.chain.leaf, &next.chain.leaf);
    // Pins are what the findings are about; the platforms are asked for everything else.
    let unpinned = findings.iter().any(|found| UNPINNED.contains(&found.code));
    let platforms = platforms(&asked, &current, &next, unpinned);
    let exit_code = exit_code(&findings, &platforms, asked.style.strict);
    let record = |path: &PathBuf, evidence: &Evidence| record(crate::input::name(path), &evidence.chain.leaf);
    let rotation = Rotation {
        current: record(&arguments.current, &current),
        next: record(&arguments.next, &next),
        findings,
        platforms,
        exit_code,
    };
    print(&if asked.style.format == Format::Json { json(&rotation)? } else { text(&rotation) })?;
    Ok(exit_code)
}

fn record(file: String, leaf: &Certificate) -> CertificateRecord {
    CertificateRecord {
        file,
        subject: leaf.subject.clone(),
        key: leaf.key.to_string(),
        leaf: pin_of(leaf, PinKind::Leaf).to_string(),
        spki: pin_of(leaf, PinKind::Spki).to_string(),
        not_before: date(leaf.not_before),
        not_after: date(leaf.not_after),
    }
}

fn findings(asked: &Asked, current: &Certificate, next: &Certificate) -> Vec<Finding> {
    let mut found = vec![key(current, next)];
    found.extend(pins(asked.pins.as_deref(), current, next));
    found.extend(time(asked, current, next));
    found.extend(names(current, next));
    found
}

fn key(current: &Certificate, next: &Certificate) -> Finding {
    if current.fingerprints == next.fingerprints {
        return Finding::warn(
            Code::ROTATE_SAME,
            "both files hold the same certificate",
            "give the one in use with --current and the new one with --next",
        );
    }
    if current.spki == next.spki {
        Finding::ok(Code::ROTATE_SAME_KEY, "the key stays: SPKI pins hold, leaf pins do not")
    } else {
        Finding::ok(Code::ROTATE_OTHER_KEY, "the key changes: no pin of the current certificate holds for the next")
    }
}

/// What the deployed pins name.
fn pins(pins: Option<&[Given]>, current: &Certificate, next: &Certificate) -> Vec<Finding> {
    let Some(given) = pins else {
        let text = "no pin was given, so whether clients have one of the next certificate is open";
        return vec![Finding::not_asked(Code::PIN_NOT_ASKED, text)];
    };
    let pins: Vec<&Pin> = given
        .iter()
        .filter_map(|given| match given {
            Given::Pin(pin) => Some(pin),
            Given::Other { .. } => None,
        })
        .collect();
    let names = |certificate: &Certificate| pins.iter().any(|pin| pin.matches_fingerprints(&certificate.fingerprints));
    let advice = pin_of(next, PinKind::Spki);
    let mut found = Vec::new();
    if !names(current) {
        found.push(Finding::fail(
            Code::ROTATE_CURRENT_UNPINNED,
            "none of the pins names the current certificate, so these are not the pins that clients have",
            "give the pins that clients have now with --pin",
        ));
    }
    found.push(if names(next) {
        Finding::ok(Code::ROTATE_PINNED, "a pin that clients have names the next certificate")
    } else {
        Finding::fail(
            Code::ROTATE_NEXT_UNPINNED,
            "no pin that clients have names the next certificate: all of them would halt",
            format!("deploy {advice} to every client first, and change the certificate when all have it"),
        )
    });
    let spare = pins
        .iter()
        .any(|pin| !pin.matches_fingerprints(&current.fingerprints) && !pin.matches_fingerprints(&next.fingerprints));
    found.push(if spare {
        Finding::ok(Code::ROTATE_BACKUP, "there is a pin besides those of the two certificates, for a backup key")
    } else {
        Finding::warn(
            Code::ROTATE_NO_BACKUP,
            "there is no backup pin: if both keys are lost, no client can be reached again",
            "make a key, keep it offline, and deploy its pin (`pins generate`) together with the next one",
        )
    });
    found
}

/// Whether one of them is valid at any time from now to the next one's end.
fn time(asked: &Asked, current: &Certificate, next: &Certificate) -> Vec<Finding> {
    let mut found = Vec::new();
    if next.not_before > current.not_after {
        found.push(Finding::warn(
            Code::ROTATE_GAP,
            format!("neither is valid from {} to {}", date(current.not_after), date(next.not_before)),
            "reissue the next one with an earlier beginning",
        ));
    } else {
        let (from, to) = (next.not_before.max(current.not_before).max(asked.at), current.not_after.min(next.not_after));
        if from <= to {
            let text = format!("both are valid from {} to {}", date(from), date(to));
            found.push(Finding::ok(Code::ROTATE_OVERLAP, text));
        }
    }
    if next.not_after < current.not_after && next.fingerprints != current.fingerprints {
        found.push(Finding::warn(
            Code::ROTATE_ENDS_EARLIER,
            format!("the next one ends on {}, the current one on {}", date(next.not_after), date(current.not_after)),
            "check that --current and --next are not confused",
        ));
    }
    found
}

fn names(current: &Certificate, next: &Certificate) -> Option<Finding> {
    let lost: Vec<&str> =
        current.names.iter().filter(|name| !next.names.contains(name)).take(5).map(String::as_str).collect();
    (!lost.is_empty()).then(|| {
        Finding::warn(
            Code::ROTATE_NAMES,
            format!("the next certificate is no longer for {}", lost.join(", ")),
            "reissue it with these names, unless no client asks for them any more",
        )
    })
}

fn platforms(asked: &Asked, current: &Evidence, next: &Evidence, unpinned: bool) -> Vec<PlatformRotation> {
    let judged = |evidence: &Evidence| {
        // The next one's beginning, where that is still to come: nobody is asked to connect before.
        let leaf = &evidence.chain.leaf;
        let at = if leaf.not_before <= leaf.not_after { asked.at.max(leaf.not_before) } else { asked.at };
        let record = asked.judge_at(String::new(), evidence, None, asked.name.as_ref(), at);
        of_record(record)
    };
    let (now, then) = (judged(current), judged(next));
    now.into_iter()
        .zip(then)
        .map(|(now, then)| {
            let refusing = if then.connects { now.findings } else { then.findings };
            PlatformRotation {
                platform: now.platform,
                survives: now.connects && then.connects && !unpinned,
                connects_now: now.connects,
                connects_next: then.connects,
                findings: refusing
                    .into_iter()
                    .map(|found| found.finding)
                    .filter(|found| found.level >= Level::Warn)
                    .collect(),
            }
        })
        .collect()
}

fn of_record(record: Record) -> Vec<PlatformVerdict> {
    match record.shown {
        Shown::Seen(seen) => seen.platforms,
        Shown::Failed { .. } => Vec::new(),
    }
}

fn exit_code(findings: &[Finding], platforms: &[PlatformRotation], strict: bool) -> u8 {
    if findings.iter().any(|found| UNPINNED.contains(&found.code)) {
        return 1;
    }
    let lost = platforms.iter().any(|platform| !platform.survives);
    if lost || findings.iter().any(|found| found.level == Level::Fail) {
        return 4;
    }
    let warned = findings.iter().chain(platforms.iter().flat_map(|platform| &platform.findings));
    if strict && warned.into_iter().any(|found| found.level == Level::Warn) { 5 } else { 0 }
}

fn text(rotation: &Rotation) -> String {
    let mut text = String::new();
    for (label, one) in [("current", &rotation.current), ("next", &rotation.next)] {
        let CertificateRecord { file, subject, key, leaf, spki, not_before, not_after } = one;
        let _ = writeln!(text, "{label:8} {file}: {subject}, {key}, {not_before} to {not_after}");
        let _ = writeln!(text, "         {leaf}\n         {spki}");
    }
    for found in &rotation.findings {
        let word = match found.level {
            Level::Ok => "ok",
            Level::Warn => "warning",
            Level::Fail => "FAIL",
            Level::NotAsked => "not asked",
        };
        said(&mut text, word, found);
    }
    let everywhere = |found: &Finding| rotation.platforms.iter().all(|platform| platform.findings.contains(found));
    for found in rotation.platforms.first().iter().flat_map(|first| &first.findings).filter(|found| everywhere(found)) {
        said(&mut text, if found.level == Level::Fail { "refused" } else { "warning" }, found);
    }
    for platform in &rotation.platforms {
        let word = match (platform.survives, platform.connects_now, platform.connects_next) {
            (true, ..) => "survives",
            (false, true, true) => "LOST (pin)",
            (false, true, false) => "LOST",
            (false, false, true) => "gained",
            (false, false, false) => "refuses both",
        };
        let _ = writeln!(text, "{:12} {word}", platform.platform);
        for found in platform.findings.iter().filter(|found| !everywhere(found)) {
            said(&mut text, "", found);
        }
    }
    text
}

fn said(text: &mut String, word: &str, found: &Finding) {
    let code = if found.level >= Level::Warn { format!("  [{}]", found.code) } else { String::new() };
    let _ = writeln!(text, "  {word:10} {}{code}", found.text);
    if let Some(remedy) = &found.remedy {
        let _ = writeln!(text, "             fix: {remedy}");
    }
}
