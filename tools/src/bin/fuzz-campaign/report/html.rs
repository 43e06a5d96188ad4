//! A report as one page: tables, and curves as inline SVG; nothing from outside.

use std::fmt::Write;

use tools::html::escape;

use super::{Curve, Finding, Report, Status, TargetReport, text};

const STYLE: &str = include_str!("page.css");
const SCRIPT: &str = include_str!("page.js");
/// A curve's picture.
const WIDTH: f64 = 320.0;
const HEIGHT: f64 = 130.0;
/// Room for the figures at its sides.
const LEFT: f64 = 44.0;
const BELOW: f64 = 18.0;
const ABOVE: f64 = 8.0;

/// The page.
pub fn render(report: &Report) -> String {
    let verdict = text::verdict(report);
    let class = match (report.findings.is_empty(), report.complete) {
        (true, true) => "passed",
        (true, false) => "partial",
        (false, true | false) => "failed",
    };
    let mut page = String::new();
    // Writing to a string cannot fail, here and below.
    let _ = writeln!(
        page,
        "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\
         <title>Fuzz campaign: {title}</title><style>{STYLE}</style></head><body>\n\
         <h1>Fuzz campaign</h1><p class=\"verdict {class}\">{title}</p>",
        title = escape(&verdict)
    );
    manifests(&mut page, report);
    findings(&mut page, report);
    targets(&mut page, report);
    page.push_str("<h2>Edges over time</h2><div class=\"curves\">\n");
    for target in report.targets.iter().filter(|target| target.curves.iter().any(|curve| curve.points.len() > 1)) {
        curves(&mut page, target);
    }
    let _ = writeln!(page, "</div>\n<script>{SCRIPT}</script></body></html>");
    page
}

fn manifests(page: &mut String, report: &Report) {
    for manifest in &report.manifests {
        let mut facts = vec![
            format!("{}, {} long, {} at once", manifest.started, text::seconds(manifest.seconds), manifest.jobs),
            format!("seed {}", manifest.seed),
        ];
        facts.extend(manifest.shard.iter().map(|shard| format!("shard {shard}")));
        facts.push(format!("revision {}", manifest.revision.as_deref().unwrap_or("unknown")));
        facts.push(format!("sanitizer {}", manifest.sanitizer.as_str()));
        facts.push(format!("{}, {}", manifest.toolchain, manifest.cargo_fuzz));
        facts.push(format!("{}, {} cores", manifest.machine, manifest.cores));
        let facts: Vec<String> = facts.iter().map(|fact| format!("<li>{}</li>", escape(fact))).collect();
        let command = escape(&manifest.command_line.join(" "));
        let _ = writeln!(page, "<ul class=\"facts\">{}</ul><pre>{command}</pre>", facts.concat());
    }
}

fn findings(page: &mut String, report: &Report) {
    if report.findings.is_empty() {
        return;
    }
    page.push_str(
        "<h2>Findings</h2><div class=\"wide\"><table><thead><tr><th>class</th><th>seen by</th><th>executions</th>\
         <th>bytes</th><th>shown again by</th></tr></thead><tbody>\n",
    );
    for finding in &report.findings {
        finding_rows(page, finding);
    }
    page.push_str("</tbody></table></div>\n");
}

fn finding_rows(page: &mut String, finding: &Finding) {
    for (number, seen) in finding.seen.iter().enumerate() {
        page.push_str("<tr>");
        if number == 0 {
            let _ = write!(
                page,
                "<td class=\"class\" rowspan=\"{}\"><b>{}</b><details><summary>detail</summary><pre>{}</pre></details></td>",
                finding.seen.len(),
                escape(&finding.class),
                escape(&finding.detail)
            );
        }
        let input = match &seen.input {
            Some(path) => format!("<a href=\"{}\">{}</a>", escape(path), seen.size),
            None => seen.size.to_string(),
        };
        let _ = writeln!(
            page,
            "<td>{}</td><td class=\"figure\">{}</td><td class=\"figure\">{input} of {}</td><td><code>{}</code></td></tr>",
            escape(&seen.target),
            text::count(seen.executions),
            seen.original_size,
            escape(&seen.command)
        );
    }
}

fn targets(page: &mut String, report: &Report) {
    page.push_str(
        "<h2>Targets</h2><div class=\"wide\"><table><thead><tr><th>target</th><th>executions</th><th>per second</th>\
         <th>edges</th><th>features</th><th>seeds</th><th>corpus</th><th>last new edge</th><th>restarts</th>\
         <th>findings</th><th>ended</th></tr></thead><tbody>\n",
    );
    for target in &report.targets {
        let findings =
            report.findings.iter().filter(|finding| finding.seen.iter().any(|seen| seen.target == target.name)).count();
        let figures = [
            text::count(target.figures.executions),
            text::rate(target.rate()),
            text::count(target.figures.edges),
            text::count(target.figures.features),
            text::count(target.seeds),
            text::count(target.figures.corpus),
            text::last_edge(target),
            target.restarts.to_string(),
        ];
        let cells: Vec<String> =
            figures.iter().map(|figure| format!("<td class=\"figure\">{}</td>", escape(figure))).collect();
        let bad = if target.status == Status::Done { "" } else { " class=\"bad\"" };
        let found = if findings == 0 { "figure" } else { "figure bad" };
        let _ = writeln!(
            page,
            "<tr><td title=\"{}\">{}</td>{}<td class=\"{found}\">{findings}</td><td{bad}>{}</td></tr>",
            escape(&target.property),
            escape(&target.name),
            cells.concat(),
            escape(&text::status(target))
        );
    }
    page.push_str("</tbody></table></div>\n");
}

/// The range that curves span, never empty.
struct Range {
    seconds: f64,
    least: f64,
    most: f64,
}

#[allow(clippy::cast_precision_loss, reason = "a place on a screen")]
fn edges(number: u64) -> f64 {
    number as f64
}

impl Range {
    fn of(curves: &[Curve]) -> Self {
        let points = || curves.iter().flat_map(|curve| &curve.points);
        let most = points().map(|point| point.figures.edges).max().unwrap_or_default().max(1);
        let least = points().map(|point| point.figures.edges).min().unwrap_or_default();
        // A flat curve lies in the middle, not on an edge of the picture.
        let (least, most) = if least == most { (least.saturating_sub(1), most + 1) } else { (least, most) };
        let seconds = points().map(|point| point.at).fold(0.1, f64::max);
        Self { seconds, least: edges(least), most: edges(most) }
    }

    fn x(&self, at: f64) -> f64 {
        LEFT + at / self.seconds * (WIDTH - LEFT - 6.0)
    }

    fn y(&self, number: f64) -> f64 {
        ABOVE + (self.most - number) / (self.most - self.least) * (HEIGHT - ABOVE - BELOW)
    }
}

/// One picture: a target's curves, as steps; the script shows the figures under the pointer.
fn curves(page: &mut String, target: &TargetReport) {
    let range = Range::of(&target.curves);
    let mut shapes = String::new();
    for number in [range.least, range.most] {
        let y = range.y(number);
        let _ = write!(
            shapes,
            "<line class=\"grid\" x1=\"{LEFT}\" x2=\"{WIDTH}\" y1=\"{y:.1}\" y2=\"{y:.1}\"/>\
             <text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{number}</text>",
            LEFT - 6.0,
            y + 4.0
        );
    }
    let base = HEIGHT - 4.0;
    let _ = write!(
        shapes,
        "<text x=\"{LEFT}\" y=\"{base}\">0</text><text x=\"{WIDTH}\" y=\"{base}\" text-anchor=\"end\">{}</text>",
        text::seconds(range.seconds)
    );
    let mut data = Vec::new();
    for (number, curve) in target.curves.iter().enumerate() {
        let mut path = String::new();
        for point in &curve.points {
            let (x, y) = (range.x(point.at), range.y(edges(point.figures.edges)));
            let _ = if path.is_empty() { write!(path, "M{x:.1} {y:.1}") } else { write!(path, "H{x:.1}V{y:.1}") };
            let figures = point.figures;
            data.push(format!(
                "[{x:.1},{y:.1},{:.1},{},{},{}]",
                point.at, figures.edges, figures.executions, figures.corpus
            ));
        }
        let _ = write!(shapes, "<path class=\"curve c{}\" d=\"{path}\"/>", number % 6);
    }
    let _ = writeln!(
        page,
        "<figure><figcaption>{}<span>{} edges</span></figcaption>\
         <svg role=\"img\" aria-label=\"edges of {} over time\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" data-points=\"[{}]\">\
         {shapes}<circle class=\"here\" r=\"3\" visibility=\"hidden\"/></svg><output>&nbsp;</output></figure>",
        escape(&target.name),
        text::count(target.figures.edges),
        escape(&target.name),
        data.join(",")
    );
}
