//! The result for a terminal.

use std::fmt::Write;

use super::{super::attempts::Attempt, Report, ports};

const GREEN: &str = "\x1b[32m";
const RED: &str = "\x1b[31m";
const PLAIN: &str = "\x1b[0m";
/// Problems that are written out.
const PROBLEMS: usize = 40;

/// The whole.
pub fn render(report: &Report, colour: bool) -> String {
    let mut out = String::new();
    // Writing to a string cannot fail, here and below.
    let rules: usize = report.rules.iter().map(|loaded| loaded.rules.len()).sum();
    let _ = writeln!(
        out,
        "Five network namespaces, default drop, {rules} generated rules; the edge listens on port {}.\n",
        report.port
    );
    let _ = writeln!(
        out,
        "Without rules    {} probes, of which {} came through: every later silence is the filters' doing",
        report.control.probes,
        report.control.probes - report.control.failed.len()
    );
    at_work(&mut out, report);
    attempts(&mut out, report);
    matrix(&mut out, report);
    let problems = report.problems();
    for problem in problems.iter().take(PROBLEMS) {
        let _ = writeln!(out, "\nNOT AS IT MUST BE: {problem}");
    }
    if problems.len() > PROBLEMS {
        let _ = writeln!(out, "\nand {} more", problems.len() - PROBLEMS);
    }
    let paint = if problems.is_empty() { GREEN } else { RED };
    let (before, after) = if colour { (paint, PLAIN) } else { ("", "") };
    let _ = writeln!(out, "\n{before}{}.{after} {:.0} s.", report.sentence(), report.seconds);
    out
}

fn at_work(out: &mut String, report: &Report) {
    for fleet in &report.fleets {
        let _ = writeln!(
            out,
            "At work          {} devices of six platforms over {}, backends over {}, {}: {} served, {} bytes checked, {:.1} s",
            fleet.devices,
            fleet.devices_over,
            fleet.backends_over,
            fleet.node.name(),
            fleet.devices.saturating_sub(fleet.wrong),
            fleet.bytes_checked,
            fleet.seconds
        );
    }
    for step in &report.tunnels.steps {
        let _ = writeln!(
            out,
            "Tunnel           {:<8} over {} to {}: connections opened by the inside {} -> {}",
            step.platform,
            step.over,
            step.node.name(),
            step.before,
            step.after
        );
    }
    let census = &report.tunnels.census;
    let inside = census.connections.iter().filter(|connection| connection.from.space() == super::Space::Inside).count();
    let _ = writeln!(
        out,
        "Sockets          ss in five namespaces: {inside} connections opened by the inside, {} by devices, {} otherwise",
        census.connections.len() - inside,
        census.problems.len()
    );
    for tracking in &report.tracked {
        let seen = tracking.connections.map_or_else(
            || "the kernel does not show its records".to_owned(),
            |count| format!("{count} connections on record, {} in another direction", tracking.problems.len()),
        );
        let _ = writeln!(out, "Record           {}: {seen}", tracking.place.title());
    }
    if let Some(calls) = &report.strace {
        let _ = writeln!(
            out,
            "strace           the edge called accept4 {} times; connect {} times on IPv4 or IPv6 sockets, {} on others",
            calls.accepts,
            calls.connects_inet.len(),
            calls.connects_others.len()
        );
    }
}

fn attempts(out: &mut String, report: &Report) {
    let mut line = |what: &str, attempts: &[Attempt]| {
        let reached = attempts.iter().filter(|attempt| attempt.reached()).count();
        let _ = writeln!(out, "{what} {} attempts, {reached} reached anybody", attempts.len());
    };
    line("Captured edge    root on its host:", &report.captured.with_own_rules);
    line("                 after flushing its own rules:", &report.captured.without_own_rules);
    for stranger in &report.strangers {
        line(&format!("Stranger         against {}:", stranger.guard), &stranger.attempts);
    }
    for stranger in &report.strangers {
        for sweep in &stranger.sweep {
            let (open, refused) = (ports(&sweep.open), ports(&sweep.refused));
            let _ = writeln!(
                out,
                "Sweep            {} ports of {} against {}: open {open}; refused {refused}; silent {}",
                sweep.ports, sweep.address, stranger.guard, sweep.silent
            );
        }
    }
}

/// Rules by rows, the rows by number: the terminal is narrow.
fn matrix(out: &mut String, report: &Report) {
    let matrix = &report.matrix;
    if matrix.lines.is_empty() {
        return;
    }
    out.push_str("\nWhat is tried:\n");
    for (number, row) in matrix.rows.iter().enumerate() {
        let _ = writeln!(out, "  {:>2} {} {}", number + 1, if row.works { "works" } else { "never" }, row.what);
    }
    out.push_str(
        "\nEach rule taken out in turn:  + works   x stopped, as it must   . never works   ! not as it must be\n\n",
    );
    let name = |line: &super::super::matrix::Line| match (&line.place, &line.rule) {
        (Some(place), Some(rule)) => format!("{place}  {rule}"),
        _ => "every rule is there".to_owned(),
    };
    let width = matrix.lines.iter().map(|line| name(line).len()).max().unwrap_or_default();
    let digits = |digit: fn(usize) -> usize| -> String {
        (1..=matrix.rows.len()).map(|number| format!("{}", digit(number))).collect()
    };
    let _ = writeln!(out, "{:width$}  {}", "", digits(|number| number / 10));
    let _ = writeln!(out, "{:width$}  {}", "", digits(|number| number % 10));
    for line in &matrix.lines {
        let marks: String = line
            .cells
            .iter()
            .zip(&matrix.rows)
            .map(|(cell, row)| match (cell.right(), cell.expected, row.works) {
                (false, _, _) => '!',
                (true, true, _) => '+',
                (true, false, true) => 'x',
                (true, false, false) => '.',
            })
            .collect();
        let _ = writeln!(out, "{:width$}  {marks}", name(line));
    }
    let wrong = matrix.problems().len();
    let _ = writeln!(out, "\n{} cells, {wrong} not as they must be.", matrix.cells());
}
