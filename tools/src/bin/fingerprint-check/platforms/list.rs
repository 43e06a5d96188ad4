//! `platforms`: which there are, what their TLS stacks offer, and what each refuses.

use std::fmt::Write as _;

use clap::Args;
use relay_trust::tls::TlsVersion;
use serde::Serialize;

use super::{
    Basis, basis_of,
    known::{ALL, Platform},
    rules::{self, Rule, Scope},
};
use crate::{
    cli::{Form, json, print},
    codes::Code,
    error::Error,
    verdict::Level,
};

/// Options of `platforms`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  fingerprint-check platforms
  fingerprint-check platforms wp-8.1 ios
  fingerprint-check platforms --format json

Tested: this project ran it, the verifier of its clients with the TLS stack of that platform. Documented: what follows from
its maker's words or from a published capture of its ClientHello.

Exit codes:
  0  done
  2  wrong usage")]
pub struct PlatformsArgs {
    /// Names; without one, all.
    #[arg(value_name = "NAME")]
    names: Vec<String>,
    /// The form of the result.
    #[arg(long, value_enum, default_value_t)]
    format: Form,
}

/// A platform, for machines.
#[derive(Debug, Serialize)]
struct PlatformRecord {
    name: &'static str,
    family: &'static str,
    title: &'static str,
    versions: Vec<&'static str>,
    suites: Vec<String>,
    groups: Vec<String>,
    basis: Basis,
    source: &'static str,
    note: Option<&'static str>,
    rules: Vec<RuleRecord>,
}

/// A rule, for machines.
#[derive(Debug, Clone, Serialize)]
pub struct RuleRecord {
    /// The code of its findings.
    pub code: Code,
    /// Whom it concerns.
    pub platforms: Vec<&'static str>,
    /// When it speaks.
    pub when: String,
    /// `refuses` or `may refuse`.
    pub effect: &'static str,
    /// What to do.
    pub remedy: &'static str,
    /// How it is known.
    pub basis: Basis,
    /// Where it is known from.
    pub source: &'static str,
}

impl From<&Rule> for RuleRecord {
    fn from(rule: &Rule) -> Self {
        Self {
            code: rule.code,
            platforms: match rule.scope {
                Scope::All if rule.is_everybodys() => vec!["all"],
                Scope::All => {
                    ALL.iter().filter(|platform| rule.shuts_out_rsa(platform)).map(|platform| platform.name).collect()
                }
                Scope::These(names) => names.to_vec(),
            },
            when: rule.condition.to_string(),
            effect: if rule.level == Level::Fail { "refuses" } else { "may refuse" },
            remedy: rule.remedy,
            basis: rule.basis,
            source: rule.source,
        }
    }
}

/// The rules whose findings carry this code.
pub fn rules_of(code: Code) -> Vec<RuleRecord> {
    rules::ALL.iter().filter(|rule| rule.code == code).map(RuleRecord::from).collect()
}

/// Runs `platforms`; returns its exit code.
///
/// # Errors
/// [`Error::Usage`] for a name that is unknown.
pub fn execute(arguments: &PlatformsArgs) -> Result<u8, Error> {
    let mut chosen: Vec<&Platform> = Vec::new();
    for name in &arguments.names {
        let before = chosen.len();
        let fits = |platform: &&Platform| platform.name == name || platform.family == name;
        chosen.extend(ALL.iter().filter(fits));
        if chosen.len() == before {
            return Err(Error::Usage(unknown(name)));
        }
    }
    if arguments.names.is_empty() {
        chosen = ALL.iter().collect();
    }
    let text = match arguments.format {
        Form::Json => json(&chosen.iter().map(|platform| record(platform)).collect::<Vec<_>>())?,
        Form::Text => text(&chosen),
    };
    print(&text)?;
    Ok(tools::exit::OK)
}

/// That there is no such platform, and which there are.
pub fn unknown(name: &str) -> String {
    let families = super::names();
    let releases: Vec<&str> =
        ALL.iter().map(|platform| platform.name).filter(|release| !families.contains(release)).collect();
    format!(
        "there is no platform {name:?}; the platforms are {}, and of single releases {}",
        families.join(", "),
        releases.join(", ")
    )
}

fn record(platform: &Platform) -> PlatformRecord {
    let profile = platform.profile();
    PlatformRecord {
        name: platform.name,
        family: platform.family,
        title: platform.title,
        versions: versions(platform),
        suites: profile.suites.iter().map(|suite| format!("{suite:?}")).collect(),
        groups: profile.groups.iter().map(|group| format!("{group:?}")).collect(),
        basis: basis_of(profile),
        source: profile.source,
        note: Some(platform.note).filter(|note| !note.is_empty()),
        rules: rules::ALL.iter().filter(|rule| rule.concerns(platform)).map(RuleRecord::from).collect(),
    }
}

fn versions(platform: &Platform) -> Vec<&'static str> {
    let name = |version: &TlsVersion| match version {
        TlsVersion::Tls12 => "TLS 1.2",
        TlsVersion::Tls13 => "TLS 1.3",
    };
    platform.profile().versions.iter().map(name).collect()
}

fn text(chosen: &[&Platform]) -> String {
    let mut text = String::new();
    let mut line = |words: String| {
        text.push_str(words.trim_end());
        text.push('\n');
    };
    for platform in chosen {
        let profile = platform.profile();
        let current = if super::known::by_name(platform.family).is_some_and(|first| first.name == platform.name) {
            format!(" (the current release of `{}`)", platform.family)
        } else {
            String::new()
        };
        line(format!("{}: {}{current}", platform.name, platform.title));
        line(format!(
            "  {}; suites: {}; groups: {}",
            versions(platform).join(", "),
            profile.suites.len(),
            profile.groups.iter().map(|group| format!("{group:?}")).collect::<Vec<_>>().join(", ")
        ));
        line(format!("  {}: {}", basis_of(profile).as_str(), profile.source));
        if !platform.note.is_empty() {
            line(format!("  note: {}", platform.note));
        }
        for rule in rules::ALL.iter().filter(|rule| rule.scope != Scope::All && rule.concerns(platform)) {
            line(said(rule));
        }
        // Whom the scope does not name but the condition concerns.
        for rule in rules::ALL.iter().filter(|rule| rule.shuts_out_rsa(platform)) {
            line(said(rule));
        }
        line(String::new());
    }
    line("every platform".to_owned());
    for rule in rules::ALL.iter().filter(|rule| rule.is_everybodys()) {
        line(said(rule));
    }
    text
}

fn said(rule: &Rule) -> String {
    let record = RuleRecord::from(rule);
    let mut text = String::new();
    let _ = writeln!(text, "  {} {}: {}", record.effect, record.when, record.remedy);
    let _ = write!(text, "    {} {}: {}", record.code, record.basis.as_str(), record.source);
    text
}
