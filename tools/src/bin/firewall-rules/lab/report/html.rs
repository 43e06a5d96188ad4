//! The result as one page; nothing from outside.

use std::fmt::Write;

use tools::html::escape;

use super::{Report, picture, sections};

const STYLE: &str = include_str!("page.css");

/// The page.
pub fn render(report: &Report) -> String {
    let passed = report.passed();
    let mut page = String::new();
    // Writing to a string cannot fail, here and below.
    let _ = writeln!(
        page,
        "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\
         <title>firewall-rules lab: {title}</title><style>{STYLE}</style></head><body>\n\
         <h1>The firewall rules, in real packet filters</h1><p class=\"verdict {class}\">{sentence}.</p>",
        title = if passed { "as it must be" } else { "NOT as it must be" },
        class = if passed { "right" } else { "wrong" },
        sentence = escape(&report.sentence()),
    );
    problems(&mut page, report);
    page.push_str(&picture::topology(report));
    let _ = writeln!(
        page,
        "<p>Five network namespaces on one machine, real nftables in three of them, and the relay's own programs: one edge, one \
         master, two storage nodes and devices of all six platforms. The edge's admin address is bound to the DMZ on purpose. \
         The run took {:.0} seconds.</p>",
        report.seconds
    );
    claims(&mut page, report);
    matrix(&mut page, report);
    sections::render(&mut page, report);
    page.push_str("</body></html>\n");
    page
}

fn problems(page: &mut String, report: &Report) {
    let problems = report.problems();
    if problems.is_empty() {
        return;
    }
    page.push_str("<ul class=\"problems\">");
    for problem in &problems {
        let _ = writeln!(page, "<li>{}</li>", escape(problem));
    }
    page.push_str("</ul>\n");
}

/// What was to be shown, and with what it was.
fn claims(page: &mut String, report: &Report) {
    let matrix_problems = report.matrix.problems().len();
    let captured = || report.captured.with_own_rules.iter().chain(&report.captured.without_own_rules);
    let served: u64 = report.fleets.iter().map(|fleet| fleet.devices.saturating_sub(fleet.wrong)).sum();
    let devices: u64 = report.fleets.iter().map(|fleet| fleet.devices).sum();
    let census = &report.tunnels.census;
    let one_more = report.tunnels.steps.iter().all(|step| step.after == step.before + 1);
    let mut claims = vec![
        (
            report.control.failed.is_empty(),
            "Without rules, everything that is later silent answers",
            format!("{} probes, {} failed", report.control.probes, report.control.failed.len()),
        ),
        (
            report.fleets.iter().all(|fleet| fleet.passed),
            "Everything works with exactly the generated rules",
            format!("{served} of {devices} devices of six platforms served in {} fleets", report.fleets.len()),
        ),
        (
            matrix_problems == 0 && report.gaps.is_empty(),
            "Each rule taken out makes exactly the rows fail that need it, and nothing else",
            format!(
                "{} rules by {} rows: {} cells, {matrix_problems} wrong",
                report.matrix.lines.len().saturating_sub(1),
                report.matrix.rows.len(),
                report.matrix.cells()
            ),
        ),
        (
            !captured().any(super::super::attempts::Attempt::reached),
            "From the edge's host, root opens no connection, inward or outward",
            format!(
                "{} attempts over TCP, UDP and ICMP, half of them after the host's own rules were flushed",
                captured().count()
            ),
        ),
        (
            report.strangers.iter().all(|stranger| stranger.held_off(report.port)),
            "From the internet nothing but the port answers, also on the edge's admin address",
            format!(
                "{} TCP ports swept and {} other attempts: against firewall 2 alone, and against the edge host's own rules alone",
                report.strangers.iter().flat_map(|stranger| &stranger.sweep).map(|sweep| sweep.ports).sum::<u32>(),
                report.strangers.iter().map(|stranger| stranger.attempts.len()).sum::<usize>()
            ),
        ),
        (
            census.problems.is_empty()
                && one_more
                && report.tracked.iter().all(|tracking| tracking.problems.is_empty()),
            "Every connection between inside and DMZ was opened by the inside, and one more appears per tunnel",
            format!(
                "{} connections of the inside in ss, {} of other directions; {} tunnels counted",
                census.opened_in(super::Space::Inside),
                census.problems.len(),
                report.tunnels.steps.len()
            ),
        ),
    ];
    if let Some(calls) = &report.strace {
        claims.push((
            calls.connects_inet.is_empty() && calls.accepts > 0,
            "The edge calls connect on no IPv4 or IPv6 socket",
            format!("strace: {} accepted, {} connect", calls.accepts, calls.connects_inet.len()),
        ));
    }
    page.push_str("<h2>What was shown</h2><table class=\"claims\"><tbody>\n");
    for (right, claim, how) in claims {
        let (class, mark) = if right { ("right", "✓") } else { ("wrong", "✗") };
        let _ = writeln!(
            page,
            "<tr><td class=\"{class}\">{mark}</td><td>{claim}</td><td class=\"faint\">{}</td></tr>",
            escape(&how)
        );
    }
    page.push_str("</tbody></table>\n");
}

fn matrix(page: &mut String, report: &Report) {
    let matrix = &report.matrix;
    if matrix.lines.is_empty() {
        return;
    }
    page.push_str(
        "<h2>Each rule taken out in turn</h2><div class=\"legend\"><span><span class=\"key on\">+</span>works</span>\
         <span><span class=\"key taken\">×</span>stopped without this rule, as it must</span>\
         <span><span class=\"key never\">·</span>never works, as it must not</span>\
         <span><span class=\"key bad\">!</span>not as it must be</span></div>\
         <div class=\"wide\"><table class=\"matrix\"><thead><tr><th>without</th>",
    );
    for row in &matrix.rows {
        let _ = write!(page, "<th title=\"{}\"><span>{}</span></th>", escape(&row.what), escape(&row.short));
    }
    page.push_str("</tr></thead><tbody>\n");
    let mut place = None;
    for line in &matrix.lines {
        if line.place != place {
            place.clone_from(&line.place);
            let title = report.rules.iter().find(|loaded| Some(&loaded.place) == place.as_ref());
            let title = title.map_or("", |loaded| loaded.title.as_str());
            let columns = matrix.rows.len() + 1;
            let _ = writeln!(page, "<tr><th class=\"place\" colspan=\"{columns}\">{}</th></tr>", escape(title));
        }
        let name = line.rule.as_deref().unwrap_or("nothing: every rule is there");
        let statement = line.statement.as_deref().unwrap_or_default();
        let _ = write!(page, "<tr><th title=\"{}\">{}</th>", escape(statement), escape(name));
        for (cell, row) in line.cells.iter().zip(&matrix.rows) {
            let (class, mark) = match (cell.right(), cell.expected, row.works) {
                (false, _, _) => ("bad", "!"),
                (true, true, _) => ("on", "+"),
                (true, false, true) => ("taken", "×"),
                (true, false, false) => ("never", "·"),
            };
            let title = format!("{}: {}", row.what, cell.seen.how);
            let _ = write!(page, "<td class=\"{class}\" title=\"{}\">{mark}</td>", escape(&title));
        }
        page.push_str("</tr>\n");
    }
    page.push_str("</tbody></table></div>\n");
}
