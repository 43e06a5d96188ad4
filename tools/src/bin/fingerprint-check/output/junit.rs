//! JUnit's XML: a test suite per target, a test per verdict and platform.

use std::fmt::Write as _;

use crate::{
    record::{Record, Shown},
    verdict::{Finding, Level},
};

/// One test.
struct Case<'a> {
    name: String,
    skipped: bool,
    failures: Vec<(&'a str, String)>,
    says: Vec<String>,
}

pub fn document(records: &[Record]) -> String {
    let suites: Vec<(&Record, Vec<Case<'_>>)> = records.iter().map(|record| (record, cases(record))).collect();
    let tests: usize = suites.iter().map(|(_, cases)| cases.len()).sum();
    let failures: usize = suites.iter().map(|(_, cases)| failed(cases)).sum();
    let mut text = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
         <testsuites name=\"fingerprint-check\" tests=\"{tests}\" failures=\"{failures}\">\n"
    );
    for (record, cases) in &suites {
        suite(&mut text, record, cases);
    }
    text + "</testsuites>\n"
}

fn failed(cases: &[Case<'_>]) -> usize {
    cases.iter().filter(|case| !case.failures.is_empty()).count()
}

fn suite(text: &mut String, record: &Record, cases: &[Case<'_>]) {
    let skipped = cases.iter().filter(|case| case.skipped).count();
    let target = escaped(&record.target);
    let seconds = format!("{}.{:03}", record.milliseconds / 1000, record.milliseconds % 1000);
    let _ = writeln!(
        text,
        "  <testsuite name=\"{target}\" tests=\"{}\" failures=\"{}\" skipped=\"{skipped}\" time=\"{seconds}\" \
         timestamp=\"{}\">",
        cases.len(),
        failed(cases),
        record.judged_at.trim_end_matches('Z'),
    );
    for case in cases {
        let _ = write!(text, "    <testcase classname=\"{target}\" name=\"{}\"", escaped(&case.name));
        if case.failures.is_empty() && case.says.is_empty() && !case.skipped {
            text.push_str("/>\n");
            continue;
        }
        text.push_str(">\n");
        if case.skipped {
            text.push_str("      <skipped/>\n");
        }
        for (code, message) in &case.failures {
            let _ = writeln!(text, "      <failure type=\"{code}\" message=\"{}\"/>", escaped(message));
        }
        for line in &case.says {
            let _ = writeln!(text, "      <system-out>{}</system-out>", escaped(line));
        }
        text.push_str("    </testcase>\n");
    }
    text.push_str("  </testsuite>\n");
}

fn cases(record: &Record) -> Vec<Case<'_>> {
    let seen = match &record.shown {
        Shown::Seen(seen) => seen,
        Shown::Failed { failure } => {
            let message = format!("{}; {}", failure.text, failure.remedy);
            let failures = vec![(failure.code.as_str(), message)];
            return vec![Case { name: "connection".to_owned(), skipped: false, failures, says: Vec::new() }];
        }
    };
    // One set of roots that accepts the chain is enough: what others say then is no failure.
    let accepted = seen.verdicts.chain_refusal().is_none();
    let verdicts = seen.verdicts.all().into_iter().map(move |question| {
        let findings = &question.answer.findings;
        let failures = messages(findings);
        let (failures, says) = if accepted && question.roots.is_some() {
            (Vec::new(), failures.into_iter().map(|(_, message)| message).collect())
        } else {
            (failures, advice(findings))
        };
        Case { name: question.to_string(), skipped: question.answer.level == Level::NotAsked, failures, says }
    });
    let platforms = seen.platforms.iter().map(|platform| Case {
        name: format!("platform {}", platform.platform),
        skipped: false,
        failures: if platform.connects { Vec::new() } else { messages(platform.plain()) },
        says: advice(platform.plain()),
    });
    verdicts.chain(platforms).collect()
}

fn messages<'a>(findings: impl IntoIterator<Item = &'a Finding>) -> Vec<(&'a str, String)> {
    let wrong = findings.into_iter().filter(|finding| finding.level == Level::Fail);
    wrong
        .map(|finding| {
            let remedy = finding.remedy.as_ref().map_or_else(String::new, |remedy| format!("; {remedy}"));
            (finding.code.as_str(), format!("{}{remedy}", finding.text))
        })
        .collect()
}

fn advice<'a>(findings: impl IntoIterator<Item = &'a Finding>) -> Vec<String> {
    findings.into_iter().filter(|finding| finding.level == Level::Warn).map(|finding| finding.text.clone()).collect()
}

/// For text and for attributes in double quotes. Characters that XML 1.0 does not have become a question mark.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\u{fffe}' | '\u{ffff}' => escaped.push('?'),
            other if other.is_control() => escaped.push('?'),
            other => escaped.push(other),
        }
    }
    escaped
}
