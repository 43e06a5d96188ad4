//! The report as JUnit XML: a trial that was not judged is skipped, a wrong one has failed.

use std::fmt::Write;

use super::{Report, TrialReport, escape};
use crate::judge::Verdict;

/// The XML.
pub fn render(report: &Report) -> String {
    let seconds = |milliseconds: u64| format!("{}.{:03}", milliseconds / 1000, milliseconds % 1000);
    let time: u64 = report.trials.iter().map(|trial| trial.milliseconds).sum();
    let mut out = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    // Writing to a string cannot fail, here and below.
    let _ = writeln!(
        out,
        "<testsuites><testsuite name=\"rogue-edge: {}\" tests=\"{}\" failures=\"{}\" skipped=\"{}\" errors=\"0\" time=\"{}\">",
        escape(&report.label),
        report.trials.len(),
        report.count(Verdict::Wrong),
        report.count(Verdict::NotJudged),
        seconds(time)
    );
    for trial in &report.trials {
        let _ = write!(
            out,
            "<testcase classname=\"rogue-edge.{}\" name=\"{}\" time=\"{}\">",
            escape(&report.label),
            trial.name,
            seconds(trial.milliseconds)
        );
        let how = format!("{}: {}", trial.judgement.outcome.as_str(), trial.judgement.how);
        match trial.judgement.verdict {
            Verdict::Right => {}
            Verdict::Wrong => {
                let _ = write!(out, "<failure message=\"{}\">{}</failure>", escape(&how), escape(&detail(trial)));
            }
            Verdict::NotJudged => {
                let _ = write!(out, "<skipped message=\"{}\"/>", escape(&how));
            }
        }
        let _ = write!(out, "<system-err>{}</system-err>", escape(&trial.stderr));
        out.push_str("</testcase>\n");
    }
    out.push_str("</testsuite></testsuites>\n");
    out
}

fn detail(trial: &TrialReport) -> String {
    format!(
        "presented: {}\na correct client {}\nthis one {}: {}\n{} bytes leaked, {} connections\n{} ({})\n",
        trial.presents,
        trial.correct,
        trial.judgement.outcome.as_str(),
        trial.judgement.how,
        trial.leaked_bytes,
        trial.connections,
        trial.mistake,
        trial.source
    )
}
