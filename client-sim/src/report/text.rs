//! The result of a run for a terminal.

use std::{fmt::Write, time::Duration};

use super::{Row, SHOWN, Summary};

/// The tables and the verdict.
#[must_use]
pub fn render(summary: &Summary) -> String {
    let mut out = String::new();
    let mut lines = vec![heading()];
    lines.extend(summary.rows.iter().map(cells));
    table(&mut out, &lines);
    out.push('\n');
    let mut lines = vec![["device", "expected", "observed", "devices", ""].map(str::to_owned).to_vec()];
    lines.extend(summary.matrix.iter().map(|cell| {
        let mark = if cell.expected == cell.observed { "" } else { "NOT AS EXPECTED" };
        vec![
            cell.part.to_owned(),
            cell.expected.to_owned(),
            cell.observed.to_owned(),
            cell.devices.to_string(),
            mark.to_owned(),
        ]
    }));
    table(&mut out, &lines);
    out.push('\n');
    surprises(&mut out, summary);
    figures(&mut out, summary);
    line(&mut out, &verdict(summary));
    out
}

/// One line per reason with the devices that had it: a wrong pin or an expired secret strikes all of them alike.
fn surprises(out: &mut String, summary: &Summary) {
    let mut groups: Vec<(&str, &str, &str, Vec<String>)> = Vec::new();
    for surprise in &summary.surprises {
        let device = format!("{} {}", surprise.platform, surprise.index);
        let same = |group: &&mut (&str, &str, &str, Vec<String>)| {
            (group.0, group.1, group.2) == (surprise.part, surprise.observed, surprise.reason.as_str())
        };
        match groups.iter_mut().find(same) {
            Some(group) => group.3.push(device),
            None => groups.push((surprise.part, surprise.observed, &surprise.reason, vec![device])),
        }
    }
    for (part, observed, reason, devices) in groups {
        let reason = reason.strip_prefix(observed).and_then(|rest| rest.strip_prefix(": ")).unwrap_or(reason);
        line(out, &format!("{part}, {observed}: {}: {reason}", devices.join(", ")));
    }
    let shown = u64::try_from(summary.surprises.len()).unwrap_or(u64::MAX);
    if summary.wrong > shown {
        line(out, &format!("and {} more devices, not listed", summary.wrong - shown));
    }
}

fn line(out: &mut String, text: &str) {
    out.push_str(text);
    out.push('\n');
}

fn heading() -> Vec<String> {
    let mut cells =
        vec!["platform".to_owned(), "served".to_owned(), "refused".to_owned(), "halted".to_owned(), "other".to_owned()];
    cells.extend(SHOWN.map(|phase| format!("{} p50/p99", phase.as_str())));
    cells
}

fn cells(row: &Row) -> Vec<String> {
    let mut cells = vec![row.platform.to_owned()];
    let named = ["served", "refused", "halted"];
    for name in named {
        let count = row.counts.iter().find(|count| count.outcome == name);
        cells.push(count.map_or_else(|| "0/0".to_owned(), |count| format!("{}/{}", count.observed, count.expected)));
    }
    let other: u64 =
        row.counts.iter().filter(|count| !named.contains(&count.outcome)).map(|count| count.observed).sum();
    cells.push(other.to_string());
    for phase in SHOWN {
        cells.push(row.phase(phase).map_or_else(
            || "-".to_owned(),
            |times| {
                let micros = |value| duration(Duration::from_micros(value));
                format!("{}/{}", micros(times.p50_us), micros(times.p99_us))
            },
        ));
    }
    cells
}

fn table(out: &mut String, lines: &[Vec<String>]) {
    let columns = lines.iter().map(Vec::len).max().unwrap_or(0);
    let width = |column: usize| lines.iter().filter_map(|cells| cells.get(column)).map(String::len).max().unwrap_or(0);
    let widths: Vec<usize> = (0..columns).map(width).collect();
    for cells in lines {
        let mut text = String::new();
        for (column, (cell, width)) in cells.iter().zip(&widths).enumerate() {
            // The name to the left, figures to the right. Writing to a string cannot fail.
            let _ = if column == 0 { write!(text, "{cell:<width$}") } else { write!(text, "  {cell:>width$}") };
        }
        line(out, text.trim_end());
    }
}

fn figures(out: &mut String, summary: &Summary) {
    let mut text = format!("{} devices in {:.1} s", summary.devices, summary.elapsed_s);
    if summary.bytes_checked > 0 {
        text.push_str(&format!(", {} moved, every byte checked by SHA-256", bytes(summary.bytes_checked)));
    }
    if summary.retries > 0 {
        text.push_str(&format!(", {} retries after \"later\"", summary.retries));
    }
    line(out, &text);
    if let Some(simulator) = summary.simulator_cpu_s {
        let relay = summary.relay_cpu_s.map_or_else(String::new, |relay| format!(", embedded relay {relay:.1} s"));
        line(out, &format!("processor time: simulator {simulator:.1} s{relay}; seed {}", summary.seed));
    }
    if let Some(held) = summary.held {
        let memory = held
            .resident_bytes
            .map_or_else(String::new, |resident| format!(", resident memory of this process {}", bytes(resident)));
        line(out, &format!("held {} devices for {:.0} s: {} lost{memory}", held.devices, held.seconds, held.lost));
    }
    if let Some(why) = &summary.bottleneck {
        line(out, &format!("the simulator may have been the bottleneck: {why}"));
    }
}

fn verdict(summary: &Summary) -> String {
    let lost = summary.held.map_or(0, |held| held.lost);
    if summary.passed {
        "PASSED: every device got what it should".to_owned()
    } else if summary.wrong > 0 {
        format!("FAILED: {} of {} devices did not get what they should", summary.wrong, summary.devices)
    } else if lost > 0 {
        format!("FAILED: {lost} devices lost their connection while they were held")
    } else {
        "FAILED: no device had an outcome".to_owned()
    }
}

/// A time with three digits and its unit.
#[must_use]
pub fn duration(time: Duration) -> String {
    let micros = time.as_secs_f64() * 1_000_000.0;
    let (value, unit) = match micros {
        value if value < 1_000.0 => (value, "us"),
        value if value < 1_000_000.0 => (value / 1_000.0, "ms"),
        value => (value / 1_000_000.0, "s"),
    };
    let digits = if value >= 100.0 || unit == "us" {
        0
    } else if value >= 10.0 {
        1
    } else {
        2
    };
    format!("{value:.digits$}{unit}")
}

/// A size with three digits and its unit.
#[must_use]
pub fn bytes(count: u64) -> String {
    #[allow(clippy::cast_precision_loss, reason = "three digits are shown")]
    let value = count as f64;
    for (unit, size) in [("GiB", 1_073_741_824.0), ("MiB", 1_048_576.0), ("KiB", 1_024.0)] {
        if value >= size {
            return format!("{:.2} {unit}", value / size);
        }
    }
    format!("{count} B")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_and_sizes_have_units() {
        assert_eq!(duration(Duration::from_micros(999)), "999us");
        assert_eq!(duration(Duration::from_micros(1_234)), "1.23ms");
        assert_eq!(duration(Duration::from_micros(12_340)), "12.3ms");
        assert_eq!(duration(Duration::from_millis(345)), "345ms");
        assert_eq!(duration(Duration::from_millis(2_500)), "2.50s");
        assert_eq!(bytes(17), "17 B");
        assert_eq!(bytes(1 << 20), "1.00 MiB");
    }
}
