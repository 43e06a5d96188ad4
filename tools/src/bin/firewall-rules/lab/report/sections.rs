//! The page's further parts: what stands behind each claim.

use std::{fmt::Write, net::IpAddr};

use tools::html::escape;

use super::{super::attempts::Attempt, Report, Space, ports};

/// All of them.
pub fn render(page: &mut String, report: &Report) {
    at_work(page, report);
    connections(page, report);
    grid(page, "From the edge's host, as root", "its own rules loaded", &report.captured.with_own_rules);
    grid(page, "", "after root flushed its own rules: the two firewalls alone", &report.captured.without_own_rules);
    sweeps(page, report);
    for stranger in &report.strangers {
        grid(page, "", &format!("everything else, against {}", stranger.guard), &stranger.attempts);
    }
    rules(page, report);
}

/// A table: headings, then rows; figures to the right where a heading says so.
fn table(page: &mut String, headings: &[&str], rows: &[Vec<String>]) {
    page.push_str("<div class=\"wide\"><table><thead><tr>");
    let class = |heading: &str| if heading.starts_with('#') { " class=\"figure\"" } else { "" };
    for heading in headings {
        // Writing to a string cannot fail, here and below.
        let _ = write!(page, "<th{}>{}</th>", class(heading), escape(heading.trim_start_matches('#')));
    }
    page.push_str("</tr></thead><tbody>\n");
    for row in rows {
        page.push_str("<tr>");
        for (heading, cell) in headings.iter().zip(row) {
            let _ = write!(page, "<td{}>{}</td>", class(heading), escape(cell));
        }
        page.push_str("</tr>\n");
    }
    page.push_str("</tbody></table></div>\n");
}

fn at_work(page: &mut String, report: &Report) {
    page.push_str("<h2>The relay at work under the rules</h2>\n");
    let fleets: Vec<Vec<String>> = report
        .fleets
        .iter()
        .map(|fleet| {
            vec![
                fleet.devices_over.to_string(),
                fleet.backends_over.to_string(),
                fleet.node.name().to_owned(),
                fleet.devices.to_string(),
                fleet.devices.saturating_sub(fleet.wrong).to_string(),
                fleet.bytes_checked.to_string(),
                format!("{:.1}", fleet.seconds),
            ]
        })
        .collect();
    let headings = ["devices over", "backends over", "node", "#devices", "#served", "#bytes checked", "#seconds"];
    table(page, &headings, &fleets);
    page.push_str("<p class=\"faint\">The last ones ran after the matrix, with every rule back.</p>\n");
}

fn connections(page: &mut String, report: &Report) {
    page.push_str(
        "<h2>Who opened which connection</h2><p>Tunnels were opened one after the other, one device of each platform, and the \
         connections that the inside has opened to the edge were counted with <code>ss</code> before and after.</p>\n",
    );
    let steps: Vec<Vec<String>> = report
        .tunnels
        .steps
        .iter()
        .map(|step| {
            let over = step.over.to_string();
            let node = step.node.name().to_owned();
            vec![step.platform.to_owned(), over, node, step.before.to_string(), step.after.to_string()]
        })
        .collect();
    table(page, &["platform", "over", "node", "#before", "#after"], &steps);
    let census = &report.tunnels.census;
    let _ = writeln!(
        page,
        "<p>With all of them open: {} connections opened by the inside, {} by devices, {} in any other direction.</p>",
        census.opened_in(Space::Inside),
        census.opened_in(Space::Internet),
        census.problems.len()
    );
    for tracking in &report.tracked {
        let place = tracking.place.title();
        let _ = match tracking.connections {
            Some(count) => writeln!(
                page,
                "<p>On record at {place} at the end (conntrack): {count} TCP connections of the last minutes, {} of them opened in \
                 another direction than the design says.</p>",
                tracking.problems.len()
            ),
            None => writeln!(page, "<p>This kernel does not show what {place} keeps on record.</p>"),
        };
    }
    let listed: Vec<Vec<String>> = census
        .connections
        .iter()
        .map(|one| {
            let (from, to) = (one.from.name().to_owned(), one.to.name().to_owned());
            vec![from, one.from_address.to_string(), to, one.to_address.to_string()]
        })
        .collect();
    let _ = write!(page, "<details><summary>all {} connections</summary>", listed.len());
    table(page, &["opened by", "from", "called", "at"], &listed);
    page.push_str("</details>\n");
}

/// Attempts as addresses by means.
fn grid(page: &mut String, title: &str, subtitle: &str, attempts: &[Attempt]) {
    if attempts.is_empty() {
        return;
    }
    if !title.is_empty() {
        let _ = writeln!(page, "<h2>{}</h2>", escape(title));
    }
    if !subtitle.is_empty() {
        let _ = writeln!(page, "<h3>{}</h3>", escape(subtitle));
    }
    let mut means: Vec<String> = Vec::new();
    let mut addresses: Vec<(IpAddr, &'static str)> = Vec::new();
    for attempt in attempts {
        if !means.contains(&attempt.means.shown()) {
            means.push(attempt.means.shown());
        }
        if !addresses.iter().any(|(address, _)| *address == attempt.address) {
            addresses.push((attempt.address, attempt.host.name()));
        }
    }
    page.push_str("<div class=\"wide\"><table class=\"grid\"><thead><tr><th>host</th><th>address</th>");
    for means in &means {
        let _ = write!(page, "<th>{}</th>", escape(means));
    }
    page.push_str("</tr></thead><tbody>\n");
    for (address, name) in addresses {
        let _ = write!(page, "<tr><td>{}</td><td class=\"mono\">{address}</td>", escape(name));
        for means in &means {
            let found = attempts.iter().find(|one| one.address == address && one.means.shown() == *means);
            let _ = match found {
                None => write!(page, "<td class=\"faint\">in the sweep</td>"),
                Some(one) => {
                    let class = if one.reached() { "reached" } else { "shut" };
                    // What barred it is in the way of reading; it is said when asked for.
                    let word = one.seen.how.split(':').next().unwrap_or_default();
                    write!(page, "<td class=\"{class}\" title=\"{}\">{}</td>", escape(&one.seen.how), escape(word))
                }
            };
        }
        page.push_str("</tr>\n");
    }
    page.push_str("</tbody></table></div>\n");
}

fn sweeps(page: &mut String, report: &Report) {
    page.push_str(
        "<h2>From the internet</h2><p>Firewall 2 and the edge's host guard the same port, so each was tried without the \
         other.</p><h3>every TCP port of the edge</h3>\n",
    );
    let mut rows = Vec::new();
    for stranger in &report.strangers {
        for sweep in &stranger.sweep {
            let (open, refused) = (ports(&sweep.open), ports(&sweep.refused));
            let (all, silent) = (sweep.ports.to_string(), sweep.silent.to_string());
            rows.push(vec![stranger.guard.to_owned(), sweep.address.to_string(), all, open, refused, silent]);
        }
    }
    table(page, &["against", "address", "#ports", "open", "refused", "#silent"], &rows);
}

fn rules(page: &mut String, report: &Report) {
    page.push_str("<h2>The rules</h2>\n");
    for loaded in &report.rules {
        let _ = write!(page, "<details><summary>{} ({} rules)</summary>", escape(&loaded.title), loaded.rules.len());
        let rows: Vec<Vec<String>> =
            loaded.rules.iter().map(|rule| vec![rule.id.clone(), rule.statement.clone(), rule.why.clone()]).collect();
        table(page, &["id", "statement", "why"], &rows);
        page.push_str("</details>\n");
    }
    let _ = writeln!(
        page,
        "<details><summary>the firewalls' own protection, which is not generated</summary><pre>{}</pre></details>",
        escape(super::super::world::FIREWALL_ITSELF)
    );
}
