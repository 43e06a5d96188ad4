//! SARIF 2.1.0 (OASIS): a result per warning and failure, with the codes as rules.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::{
    codes::{self, Code},
    record::{Record, Shown},
    verdict::{Finding, Level},
};

pub fn document(records: &[Record]) -> String {
    let results: Vec<Value> = records.iter().flat_map(results).collect();
    let document = json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": {
                "name": "fingerprint-check",
                "version": env!("CARGO_PKG_VERSION"),
                "rules": rules(),
            } },
            "results": results,
        }],
    });
    format!("{document:#}\n")
}

fn rules() -> Vec<Value> {
    codes::ALL
        .iter()
        .map(|explanation| {
            json!({
                "id": explanation.code,
                "shortDescription": { "text": explanation.title },
                "fullDescription": { "text": explanation.text },
            })
        })
        .collect()
}

fn results(record: &Record) -> Vec<Value> {
    let seen = match &record.shown {
        Shown::Failed { failure } => {
            let text = format!("{}: {}. Fix: {}.", record.target, failure.text, failure.remedy);
            return vec![result(record, failure.code, Level::Fail, &text, "connection")];
        }
        Shown::Seen(seen) => seen,
    };
    // The same finding of several platforms is one result.
    let mut by_platform: BTreeMap<(Code, &str), (&Finding, Vec<&str>)> = BTreeMap::new();
    for platform in &seen.platforms {
        for finding in platform.plain().filter(|finding| finding.level >= Level::Warn) {
            by_platform
                .entry((finding.code, &finding.text))
                .or_insert_with(|| (finding, Vec::new()))
                .1
                .push(platform.platform);
        }
    }
    let platforms = by_platform.into_values().map(|(finding, platforms)| (platforms.join(", "), finding));
    let verdicts = seen.verdicts.all().into_iter().flat_map(|question| {
        let heavy = question.answer.findings.iter().filter(|finding| finding.level >= Level::Warn);
        heavy.map(move |finding| (question.to_string(), finding))
    });
    verdicts
        .chain(platforms)
        .map(|(question, finding)| {
            let remedy = finding.remedy.as_ref().map_or_else(String::new, |remedy| format!(" Fix: {remedy}."));
            let text = format!("{}, {question}: {}.{remedy}", record.target, finding.text);
            result(record, finding.code, finding.level, &text, &question)
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
