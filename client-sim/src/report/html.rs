//! The result of a run as one page: tables, bars and plots as inline SVG, nothing from outside.

use std::fmt::Write;

use super::{PhaseSummary, Row, SHOWN, Summary, text};

const STYLE: &str = "\
body{font:15px/1.45 system-ui,sans-serif;margin:2rem auto;max-width:72rem;padding:0 1rem;color:#1b1f24;background:#fff}
h1{font-size:1.5rem}h2{font-size:1.15rem;margin-top:2rem}
.verdict{padding:.6rem 1rem;border-radius:.4rem;color:#fff;font-weight:600}.passed{background:#1a7f37}.failed{background:#b42318}
table{border-collapse:collapse;margin:.6rem 0}th,td{padding:.25rem .7rem;text-align:right;border-bottom:1px solid #d0d7de}
th:first-child,td:first-child{text-align:left}.bad{color:#b42318;font-weight:600}svg{max-width:100%;height:auto}
svg text{font:12px system-ui,sans-serif;fill:#1b1f24}";
const P50: &str = "#2f6fdb";
const P99: &str = "#b9cff5";
const BAR_WIDTH: f64 = 520.0;
const BAR_HEIGHT: f64 = 18.0;

/// The page.
#[must_use]
pub fn render(summary: &Summary) -> String {
    let mut page = String::new();
    let (class, verdict) = if summary.passed {
        ("passed", "Passed: every device got what it should".to_owned())
    } else {
        ("failed", format!("Failed: {} of {} devices did not get what they should", summary.wrong, summary.devices))
    };
    push(
        &mut page,
        &format!(
            "<!DOCTYPE html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>Fleet run, seed {}</title><style>{STYLE}</style></head><body>",
            summary.seed
        ),
    );
    push(&mut page, &format!("<h1>Fleet run</h1><p class=\"verdict {class}\">{}</p>", escape(&verdict)));
    facts(&mut page, summary);
    counts(&mut page, &summary.rows);
    matrix(&mut page, summary);
    for phase in SHOWN {
        let rows: Vec<(&str, &PhaseSummary)> =
            summary.rows.iter().filter_map(|row| Some((row.platform, row.phase(phase)?))).collect();
        if !rows.is_empty() {
            push(&mut page, &format!("<h2>{}: p50 (dark) and p99 (light)</h2>", escape(phase.as_str())));
            bars(&mut page, &rows);
        }
    }
    surprises(&mut page, summary);
    push(&mut page, "</body></html>\n");
    page
}

fn push(page: &mut String, html: &str) {
    page.push_str(html);
}

/// Text as HTML shows it, in elements and in quoted attributes.
fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            other => out.push(other),
        }
    }
    out
}

fn facts(page: &mut String, summary: &Summary) {
    let mut facts = vec![
        format!("{} devices in {:.1} s, seed {}", summary.devices, summary.elapsed_s, summary.seed),
        format!("{} moved, every byte checked by SHA-256", text::bytes(summary.bytes_checked)),
        format!("{} retries after \"later\"", summary.retries),
    ];
    if let Some(simulator) = summary.simulator_cpu_s {
        let relay = summary.relay_cpu_s.map_or_else(String::new, |relay| format!(", embedded relay {relay:.1} s"));
        facts.push(format!("processor time: simulator {simulator:.1} s{relay}"));
    }
    if let Some(held) = summary.held {
        let memory = held.resident_bytes.map_or_else(String::new, |bytes| format!(", {} resident", text::bytes(bytes)));
        facts.push(format!("held {} devices for {:.0} s: {} lost{memory}", held.devices, held.seconds, held.lost));
    }
    facts.extend(summary.bottleneck.iter().map(|why| format!("the simulator may have been the bottleneck: {why}")));
    push(page, "<ul>");
    for fact in facts {
        push(page, &format!("<li>{}</li>", escape(&fact)));
    }
    push(page, "</ul>");
}

fn counts(page: &mut String, rows: &[Row]) {
    push(page, "<h2>Devices by platform, observed of expected</h2><table><tr><th>platform</th><th>outcomes</th></tr>");
    for row in rows {
        let cells: Vec<String> = row
            .counts
            .iter()
            .map(|count| {
                let class = if count.observed == count.expected { "" } else { " class=\"bad\"" };
                format!("<span{class}>{} {}/{}</span>", escape(count.outcome), count.observed, count.expected)
            })
            .collect();
        push(page, &format!("<tr><td>{}</td><td>{}</td></tr>", escape(row.platform), cells.join(", ")));
    }
    push(page, "</table>");
}

fn matrix(page: &mut String, summary: &Summary) {
    push(
        page,
        "<h2>Expected and observed</h2><table><tr><th>device</th><th>expected</th><th>observed</th><th>devices</th></tr>",
    );
    for cell in &summary.matrix {
        let class = if cell.expected == cell.observed { "" } else { " class=\"bad\"" };
        push(
            page,
            &format!(
                "<tr{class}><td>{}</td><td>{}</td><td>{}</td><td>{}</td></tr>",
                escape(cell.part),
                escape(cell.expected),
                escape(cell.observed),
                cell.devices
            ),
        );
    }
    push(page, "</table>");
}

/// One bar per platform: p50 over p99, to one scale.
fn bars(page: &mut String, rows: &[(&str, &PhaseSummary)]) {
    let longest = rows.iter().map(|(_, times)| times.p99_us).max().unwrap_or(1).max(1);
    #[allow(clippy::cast_precision_loss, reason = "a length on a screen")]
    let width = |micros: u64| (micros as f64 / longest as f64 * BAR_WIDTH).max(1.0);
    let mut y = 0.0;
    let mut shapes = String::new();
    for (platform, times) in rows {
        let label = |micros| text::duration(std::time::Duration::from_micros(micros));
        // Writing to a string cannot fail.
        let _ = write!(
            shapes,
            "<text x=\"0\" y=\"{base}\">{name}</text>\
             <rect x=\"80\" y=\"{y}\" width=\"{p99:.1}\" height=\"{BAR_HEIGHT}\" fill=\"{P99}\"/>\
             <rect x=\"80\" y=\"{y}\" width=\"{p50:.1}\" height=\"{BAR_HEIGHT}\" fill=\"{P50}\"/>\
             <text x=\"{end:.1}\" y=\"{base}\">{figures}</text>",
            base = y + BAR_HEIGHT - 5.0,
            name = escape(platform),
            p99 = width(times.p99_us),
            p50 = width(times.p50_us),
            end = 88.0 + width(times.p99_us),
            figures = escape(&format!("{} / {}", label(times.p50_us), label(times.p99_us))),
        );
        y += BAR_HEIGHT + 6.0;
    }
    push(page, &format!("<svg role=\"img\" viewBox=\"0 0 760 {y}\" width=\"760\" height=\"{y}\">{shapes}</svg>"));
}

fn surprises(page: &mut String, summary: &Summary) {
    if summary.surprises.is_empty() {
        return;
    }
    push(page, "<h2>Devices that did not get what they should (the first ones)</h2><ul>");
    for surprise in &summary.surprises {
        let text = format!(
            "{} {} ({}) was {}: {}",
            surprise.platform, surprise.index, surprise.part, surprise.observed, surprise.reason
        );
        push(page, &format!("<li>{}</li>", escape(&text)));
    }
    push(page, "</ul>");
}
