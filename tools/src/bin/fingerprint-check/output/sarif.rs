//! SARIF 2.1.0 (OASIS): a result per warning and failure, with the codes as rules.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::{
    codes::{self, Code},
    record::{Record, Seen, Shown},
    verdict::{Finding, Level},
};

pub fn document(records: &[Record]) -> String {
    let results: Vec<(Code, Value)> = records.iter().flat_map(results).collect();
    let used: BTreeSet<Code> = results.iter().map(|(code, _)| *code).collect();
    let document = json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": {
                "name": "fingerprint-check",
                "version": env!("CARGO_PKG_VERSION"),
                "rules": rules(&used),
            } },
            "results": results.into_iter().map(|(_, result)| result).collect::<Vec<_>>(),
        }],
    });
    format!("{document:#}\n")
}

/// The codes that results have.
fn rules(used: &BTreeSet<Code>) -> Vec<Value> {
    let explanations = codes::ALL.iter().filter(|explanation| used.contains(&explanation.code));
    explanations
        .map(|explanation| {
            json!({
                "id": explanation.code,
                "shortDescription": { "text": explanation.title },
                "fullDescription": { "text": explanation.text },
            })
        })
        .collect()
}

fn results(record: &Record) -> Vec<(Code, Value)> {
    match &record.shown {
        Shown::Failed { failure } => {
            let text = format!("{}: {}. Fix: {}.", record.target, failure.text, failure.remedy);
            vec![(failure.code, result(record, failure.code, Level::Fail, &text, "connection"))]
        }
        Shown::Seen(seen) => of_seen(record, seen),
    }
}

fn of_seen(record: &Record, seen: &Seen) -> Vec<(Code, Value)> {
    let accepted = seen.verdicts.chain_refusal().is_none();
    let mut told: Vec<(String, Level, &Finding)> = Vec::new();
    for question in seen.verdicts.all() {
        for finding in question.answer.findings.iter().filter(|finding| finding.level >= Level::Warn) {
            // One set of roots that accepts the chain is enough.
            let level = if accepted && question.roots.is_some() { Level::Ok } else { finding.level };
            told.push((question.to_string(), level, finding));
        }
    }
    // What the verdicts have said is not said again, and the same finding of several platforms is one result.
    let mut of_platforms: Vec<(Vec<&str>, &Finding)> = Vec::new();
    for platform in &seen.platforms {
        for finding in platform.plain().filter(|finding| finding.level >= Level::Warn) {
            if told.iter().any(|(_, _, known)| known.text == finding.text) {
                continue;
            }
            match of_platforms.iter_mut().find(|(_, known)| *known == finding) {
                Some((platforms, _)) => platforms.push(platform.platform),
                None => of_platforms.push((vec![platform.platform], finding)),
            }
        }
    }
    told.extend(of_platforms.into_iter().map(|(platforms, finding)| (platforms.join(", "), finding.level, finding)));
    told.into_iter()
        .map(|(question, level, finding)| {
            let remedy = finding.remedy.as_ref().map_or_else(String::new, |remedy| format!(" Fix: {remedy}."));
            let text = format!("{}, {question}: {}.{remedy}", record.target, finding.text);
            (finding.code, result(record, finding.code, level, &text, &question))
        })
        .collect()
}

fn result(record: &Record, code: Code, level: Level, text: &str, question: &str) -> Value {
    let level = match level {
        Level::Fail => "error",
        Level::Warn => "warning",
        Level::Ok | Level::NotAsked => "note",
    };
    json!({
        "ruleId": code,
        "level": level,
        "message": { "text": text },
        "locations": [{
            "physicalLocation": { "artifactLocation": { "uri": format!("tls://{}", record.target) } },
            "logicalLocations": [{ "fullyQualifiedName": format!("{}/{question}", record.target) }],
        }],
    })
}
