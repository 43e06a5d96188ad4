//! Metrics in the text format of Prometheus, for the node exporter's textfile collector.

use std::{collections::BTreeMap, fmt::Write as _};

use crate::{
    record::{Record, Seen, Shown},
    verdict::Level,
};

pub fn metrics(records: &[Record], strict: bool) -> String {
    let mut text = String::new();
    family(&mut text, "up", "Whether the certificate was seen.", records, |record| {
        let seen = matches!(record.shown, Shown::Seen(_));
        vec![(String::new(), i64::from(seen).to_string())]
    });
    family(&mut text, "exit_code", "The exit code of this target alone.", records, |record| {
        vec![(String::new(), record.outcome.exit_code(strict).to_string())]
    });
    family(&mut text, "duration_seconds", "How long the last try took.", records, |record| {
        vec![(String::new(), format!("{}.{:03}", record.milliseconds / 1000, record.milliseconds % 1000))]
    });
    family(&mut text, "days_left", "Whole days until the certificate expires.", records, |record| {
        of_seen(record, |seen| vec![(String::new(), seen.certificate.days_left.to_string())])
    });
    let levels = "Verdicts that were asked for: 0 ok, 1 warning, 2 failure.";
    family(&mut text, "verdict", levels, records, |record| of_seen(record, verdicts));
    family(&mut text, "platform_connects", "Whether the platform would connect.", records, |record| {
        of_seen(record, |seen| {
            let one = |platform: &crate::platforms::PlatformVerdict| {
                (format!(",platform=\"{}\"", platform.platform), i64::from(platform.connects).to_string())
            };
            seen.platforms.iter().map(one).collect()
        })
    });
    text
}

/// Labels besides the target, and a value.
type Sample = (String, String);

fn of_seen(record: &Record, samples: impl FnOnce(&Seen) -> Vec<Sample>) -> Vec<Sample> {
    match &record.shown {
        Shown::Seen(seen) => samples(seen),
        Shown::Failed { .. } => Vec::new(),
    }
}

fn verdicts(seen: &Seen) -> Vec<Sample> {
    let value = |level: Level| match level {
        Level::NotAsked => None,
        Level::Ok => Some("0"),
        Level::Warn => Some("1"),
        Level::Fail => Some("2"),
    };
    let all = seen.verdicts.all().into_iter().filter_map(|question| {
        let roots = question.roots.map_or_else(String::new, |roots| format!(",roots=\"{}\"", escaped(roots)));
        Some((format!(",verdict=\"{}\"{roots}", question.name), value(question.answer.level)?.to_owned()))
    });
    all.collect()
}

fn family(text: &mut String, name: &str, help: &str, records: &[Record], samples: impl Fn(&Record) -> Vec<Sample>) {
    let _ = writeln!(text, "# HELP fingerprint_check_{name} {help}\n# TYPE fingerprint_check_{name} gauge");
    // A collector throws the whole file away for one sample that comes twice.
    let mut known: BTreeMap<String, u32> = BTreeMap::new();
    for record in records {
        for (labels, value) in samples(record) {
            let labels = format!("target=\"{}\"{labels}", escaped(&record.target));
            let count = known.entry(labels.clone()).or_default();
            *count += 1;
            let again = if *count > 1 { format!(",again=\"{count}\"") } else { String::new() };
            let _ = writeln!(text, "fingerprint_check_{name}{{{labels}{again}}} {value}");
        }
    }
}

fn escaped(label: &str) -> String {
    label.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}
