//! A report as a table, and figures as people read them.

use std::fmt::Write;

use super::{Report, TargetReport};

/// `1234567` as `1,234,567`.
pub fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// `1 target`, `2 targets`.
pub fn things(number: usize, thing: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{} {thing}{plural}", count(number as u64))
}

/// A rate without a fraction.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a rate for people; rates are positive")]
pub fn rate(rate: f64) -> String {
    count(rate.round() as u64)
}

/// Seconds as `0.4 s`, `42 s`, `7 min 5 s`, `3 h 12 min`.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "times are positive and far below 2^64")]
pub fn seconds(seconds: f64) -> String {
    let whole = seconds.round() as u64;
    match whole {
        0..10 => format!("{seconds:.1} s"),
        10..120 => format!("{whole} s"),
        120..7200 => format!("{} min {} s", whole / 60, whole % 60),
        _ => format!("{} h {} min", whole / 3600, whole % 3600 / 60),
    }
}

/// When the last new edge came.
pub fn last_edge(target: &TargetReport) -> String {
    target.last_edge_seconds.map_or_else(|| "-".to_owned(), |at| format!("at {}", seconds(at)))
}

/// How it ended, with its note.
pub fn status(target: &TargetReport) -> String {
    let status = target.status.as_str();
    if target.note.is_empty() { status.to_owned() } else { format!("{status}: {}", plain(&target.note)) }
}

/// Text as a terminal may show it: findings and other people's reports hold what would move its cursor.
pub fn plain(text: &str) -> String {
    text.chars().map(|character| if character.is_control() { '\u{FFFD}' } else { character }).collect()
}

/// One sentence on the whole.
pub fn verdict(report: &Report) -> String {
    let findings =
        if report.findings.is_empty() { "No finding".to_owned() } else { things(report.findings.len(), "finding") };
    let incomplete = if report.complete { "" } else { "; not every target ran to its end" };
    let targets = things(report.targets.len(), "target");
    format!("{findings} in {} executions of {targets}{incomplete}", count(report.executions()))
}

/// The report for a terminal.
pub fn render(report: &Report) -> String {
    let mut out = String::new();
    let header = ["target", "executions", "per second", "edges", "features", "corpus", "last new edge", "findings"];
    let mut rows = vec![header.map(str::to_owned)];
    for target in &report.targets {
        let findings =
            report.findings.iter().filter(|finding| finding.seen.iter().any(|seen| seen.target == target.name)).count();
        rows.push([
            plain(&target.name),
            count(target.figures.executions),
            rate(target.rate()),
            count(target.figures.edges),
            count(target.figures.features),
            count(target.figures.corpus),
            last_edge(target),
            count(findings as u64),
        ]);
    }
    let widths: [usize; 8] =
        std::array::from_fn(|column| rows.iter().map(|row| row[column].len()).max().unwrap_or_default());
    // Writing to a string cannot fail.
    for (number, row) in rows.iter().enumerate() {
        let _ = write!(out, "{:<width$}", row[0], width = widths[0]);
        for (cell, width) in row.iter().zip(widths).skip(1) {
            let _ = write!(out, "  {cell:>width$}");
        }
        match number.checked_sub(1).map(|place| &report.targets[place]) {
            Some(target) if target.status != super::Status::Done => {
                let _ = writeln!(out, "  {}", status(target));
            }
            Some(_) | None => out.push('\n'),
        }
    }
    for (number, finding) in report.findings.iter().enumerate() {
        let _ = writeln!(out, "\nFinding {}: {}", number + 1, plain(&finding.class));
        for line in finding.detail.lines().take(6) {
            let _ = writeln!(out, "    {}", plain(line));
        }
        for seen in &finding.seen {
            let _ = writeln!(
                out,
                "  {} after {} executions ({}), {} of {} bytes\n    {}",
                plain(&seen.target),
                count(seen.executions),
                seconds(seen.seconds),
                seen.size,
                seen.original_size,
                plain(&seen.command)
            );
        }
    }
    let _ = writeln!(out, "\n{}.", verdict(report));
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_grouped_and_times_short() {
        assert_eq!([count(0), count(999), count(1000), count(1_234_567)], ["0", "999", "1,000", "1,234,567"]);
        assert_eq!(
            [seconds(0.44), seconds(42.4), seconds(425.0), seconds(11_520.0)],
            ["0.4 s", "42 s", "7 min 5 s", "3 h 12 min"]
        );
    }
}
