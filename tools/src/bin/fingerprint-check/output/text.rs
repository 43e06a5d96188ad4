//! For people.

use std::fmt::Write as _;

use crate::{
    platforms::PlatformVerdict,
    record::{CertificateRecord, ConnectionRecord, Outcome, Record, Seen, Shown, Summary},
    verdict::{Finding, Level, Question},
};

const GREEN: &str = "32";
const YELLOW: &str = "33";
const RED: &str = "31";
const BOLD: &str = "1";
const DIM: &str = "2";

/// Widths of the first two columns.
const LABEL: usize = 12;
const WORD: usize = 9;

struct Page {
    text: String,
    colour: bool,
}

pub fn record(record: &Record, colour: bool) -> String {
    let mut page = Page { text: String::new(), colour };
    let (word, paint) = match record.outcome {
        Outcome::Connects => ("every platform connects", GREEN),
        Outcome::Warnings => ("every platform connects, with warnings", YELLOW),
        Outcome::Refused => ("a platform refuses", RED),
        Outcome::Unreachable => ("unreachable", RED),
        Outcome::Unproved => ("identity not proved", RED),
    };
    let heading = format!("{}: {}\n", page.painted(BOLD, &record.target), page.painted(paint, word));
    page.text.push_str(&heading);
    match &record.shown {
        Shown::Seen(seen) => page.seen(seen),
        Shown::Failed { failure } => {
            page.line("connection", Some(Level::Fail), &failure.text, failure.code.as_str());
            page.fix(Some(&failure.remedy));
        }
    }
    page.text
}

pub fn summary(summary: &Summary) -> String {
    let counts = [
        (summary.connects, "connect"),
        (summary.warnings, "with warnings"),
        (summary.refused, "refused"),
        (summary.unreachable, "unreachable"),
        (summary.unproved, "not proved"),
    ];
    let counted: Vec<String> =
        counts.iter().filter(|(count, _)| *count > 0).map(|(count, what)| format!("{count} {what}")).collect();
    format!("\n{} targets: {}\n", summary.targets, counted.join(", "))
}

impl Page {
    fn painted(&self, paint: &str, text: &str) -> String {
        if self.colour { format!("\x1b[{paint}m{text}\x1b[0m") } else { text.to_owned() }
    }

    fn seen(&mut self, seen: &Seen) {
        self.certificate(&seen.certificate);
        if let Some(connection) = &seen.connection {
            let text = agreed(connection);
            self.line("connection", None, &text, "");
        }
        let questions = seen.verdicts.all();
        for question in &questions {
            self.answer(question);
        }
        for platform in &seen.platforms {
            self.platform(platform, &questions);
        }
    }

    fn certificate(&mut self, certificate: &CertificateRecord) {
        let issuer = if certificate.self_issued {
            "self-signed".to_owned()
        } else {
            format!("issued by {}", certificate.issuer)
        };
        self.line("certificate", None, &format!("{}, {}, {issuer}", certificate.subject, certificate.key), "");
        self.line("", None, &certificate.pins.leaf, "");
        self.line("", None, &certificate.pins.spki, "");
    }

    fn answer(&mut self, question: &Question<'_>) {
        for (place, finding) in question.answer.findings.iter().enumerate() {
            let label = if place == 0 { question.name } else { "" };
            let text = match question.roots {
                Some(roots) => format!("{roots}: {}", finding.text),
                None => finding.text.clone(),
            };
            let code = if finding.level >= Level::Warn { finding.code.as_str() } else { "" };
            self.line(label, Some(finding.level), &text, code);
            self.fix(finding.remedy.as_deref());
        }
    }

    /// What the verdicts have said already is named by its code alone.
    fn platform(&mut self, platform: &PlatformVerdict, verdicts: &[Question<'_>]) {
        let (word, paint) = match (platform.connects, platform.findings.is_empty()) {
            (true, true) => ("connects", GREEN),
            (true, false) => ("connects", YELLOW),
            (false, _) => ("refuses", RED),
        };
        let said = |finding: &Finding| {
            verdicts.iter().any(|question| question.answer.findings.iter().any(|known| known.text == finding.text))
        };
        let known: Vec<&str> =
            platform.plain().filter(|finding| said(finding)).map(|finding| finding.code.as_str()).collect();
        let own: Vec<&Finding> = platform.plain().filter(|finding| !said(finding)).collect();
        let mut word = Some((word, paint));
        let mut label = platform.platform;
        if !known.is_empty() || own.is_empty() {
            self.row(label, word.take(), "", &known.join(" "));
            label = "";
        }
        for finding in own {
            self.row(label, word.take(), &finding.text, finding.code.as_str());
            self.fix(finding.remedy.as_deref());
            label = "";
        }
    }

    fn line(&mut self, label: &str, level: Option<Level>, text: &str, code: &str) {
        let word = level.map(|level| match level {
            Level::Ok => ("ok", GREEN),
            Level::Warn => ("warning", YELLOW),
            Level::Fail => ("FAIL", RED),
            Level::NotAsked => ("not asked", DIM),
        });
        self.row(label, word, text, code);
    }

    fn row(&mut self, label: &str, word: Option<(&str, &str)>, text: &str, code: &str) {
        let word = match word {
            Some((word, paint)) => self.painted(paint, word) + &" ".repeat(WORD.saturating_sub(word.len())),
            None => " ".repeat(WORD),
        };
        let gap = if text.is_empty() { "" } else { "  " };
        let code = if code.is_empty() { String::new() } else { self.painted(DIM, &format!("{gap}[{code}]")) };
        let line = format!("  {label:LABEL$} {word} {text}{code}");
        let _ = writeln!(self.text, "{}", line.trim_end());
    }

    fn fix(&mut self, remedy: Option<&str>) {
        if let Some(remedy) = remedy {
            let _ = writeln!(self.text, "  {:LABEL$} {:WORD$} fix: {remedy}", "", "");
        }
    }
}

fn agreed(connection: &ConnectionRecord) -> String {
    let ConnectionRecord { address, version, suite, group, signature_scheme, .. } = connection;
    let parts = [address.as_deref(), Some(version), suite.as_deref(), group.as_deref(), signature_scheme.as_deref()];
    parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
}
