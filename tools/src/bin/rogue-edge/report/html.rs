//! The report as one page, with everything that was seen; nothing from outside.

use std::fmt::Write;

use super::{Overall, Report, TrialReport, escape, text};
use crate::{
    judge::Verdict,
    seen::{End, Seen},
    trial::{ClientChain, ClientPins},
};

const STYLE: &str = include_str!("page.css");
/// Wrong answers of which all is shown without asking.
const OPENED: usize = 3;

/// The page.
pub fn render(report: &Report) -> String {
    let class = match report.overall() {
        Overall::Right => "right",
        Overall::Wrong => "wrong",
        Overall::Incomplete => "open",
    };
    let mut page = String::new();
    // Writing to a string cannot fail, here and below.
    let _ = writeln!(
        page,
        "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\
         <title>rogue-edge: {label}</title><style>{STYLE}</style></head><body>\n\
         <h1>{label} against a rogue edge</h1><p class=\"verdict {class}\">{sentence}.</p>",
        label = escape(&report.label),
        sentence = escape(&report.sentence())
    );
    if !report.command.is_empty() {
        let _ = writeln!(page, "<pre class=\"command\">{}</pre>", escape(&report.command.join(" ")));
    }
    let pins = match report.declared.pins {
        ClientPins::Leaf => "the certificate (leaf pin)",
        ClientPins::Spki => "the key (SPKI pin)",
        ClientPins::None => "nothing",
    };
    let chain = match report.declared.chain {
        ClientChain::Checked => "checks chain, dates and name",
        ClientChain::Ignored => "ignores chain, dates and name",
    };
    let _ = writeln!(
        page,
        "<p>It claims: pins {pins}; {chain}. Select a trial to see what was presented and what passed.</p>\n\
         <div class=\"wide\"><div class=\"trials\" role=\"table\"><div class=\"row head\" role=\"row\"><span></span>\
         <span>trial</span><span>expected</span><span>outcome</span><span class=\"figure\">bytes read</span>\
         <span class=\"figure\">connections</span><span>command</span></div>"
    );
    // A few wrong answers are shown at once; of many, the list comes first.
    let opened = report.count(Verdict::Wrong) <= OPENED;
    for trial in &report.trials {
        row(&mut page, trial, opened);
    }
    page.push_str("</div></div></body></html>\n");
    page
}

const fn mark(verdict: Verdict) -> (&'static str, &'static str) {
    match verdict {
        Verdict::Right => ("right", "✓"),
        Verdict::Wrong => ("wrong", "✗"),
        Verdict::NotJudged => ("open", "–"),
    }
}

fn row(page: &mut String, trial: &TrialReport, opened: bool) {
    let judgement = &trial.judgement;
    let (class, mark) = mark(judgement.verdict);
    let open = if opened && judgement.verdict == Verdict::Wrong { " open" } else { "" };
    let exit = trial.exit.map_or_else(|| "–".to_owned(), |exit| exit.to_string());
    let note = judgement.note.as_ref().map(|note| format!("<small>{}</small>", escape(note))).unwrap_or_default();
    let _ = writeln!(
        page,
        "<details{open}><summary class=\"row {class}\"><span class=\"mark\" title=\"{verdict}\">{mark}</span>\
         <span class=\"name\">{name}</span><span>{expected}</span><span>{outcome}: {how}{note}</span>\
         <span class=\"figure\">{leaked}</span><span class=\"figure\">{connections}</span><span>{exit}</span></summary>",
        verdict = text::verdict(judgement.verdict),
        name = escape(trial.name),
        expected = text::expected(judgement.expected),
        outcome = judgement.outcome.as_str(),
        how = escape(&judgement.how),
        leaked = trial.leaked_bytes,
        connections = trial.connections,
        exit = escape(&exit),
    );
    let _ = writeln!(
        page,
        "<div class=\"detail\"><dl><dt>The server presents</dt><dd>{}.</dd><dt>A correct client</dt><dd>{}.</dd>\
         <dt>It reproduces</dt><dd>{} <span class=\"source\">({})</span></dd></dl>",
        escape(trial.presents),
        escape(trial.correct),
        escape(trial.mistake),
        escape(trial.source)
    );
    connections(page, &trial.seen);
    for (stream, words) in [("standard output", &trial.stdout), ("standard error", &trial.stderr)] {
        if !words.trim().is_empty() {
            let _ = writeln!(page, "<h3>The client on {stream}</h3><pre>{}</pre>", escape(words.trim_end()));
        }
    }
    page.push_str("</div></details>\n");
}

fn connections(page: &mut String, seen: &[Seen]) {
    if seen.is_empty() {
        return;
    }
    page.push_str(
        "<table><thead><tr><th>connection</th><th>offered</th><th>spoken</th><th>reached</th><th>ended by</th>\
         <th>sent to it</th><th>came from it</th><th>time</th></tr></thead><tbody>",
    );
    for seen in seen {
        let offered = seen.hello.as_ref().map_or_else(
            || "no ClientHello".to_owned(),
            |hello| {
                let name = hello.server_name.as_deref().unwrap_or("no name");
                let resumes = if hello.resumption { "; resumption" } else { "" };
                let alpn = if hello.alpn.is_empty() { String::new() } else { format!("; {}", hello.alpn.join(", ")) };
                format!("{name}; {}{alpn}{resumes}", hello.versions.join(", "))
            },
        );
        let who = if seen.genuine { " (right server)" } else { "" };
        let ended = match (seen.alert, seen.end) {
            (Some(alert), _) => format!("alert {alert}"),
            (None, End::CloseNotify) => "the client: close_notify".to_owned(),
            (None, End::Closed) => "the client: closed".to_owned(),
            (None, End::Reset) => "the client: reset".to_owned(),
            (None, End::ByServer) => seen.server.clone().unwrap_or_else(|| "the server".to_owned()),
            (None, End::Deadline) => "the deadline".to_owned(),
        };
        let came =
            if seen.leaked() == 0 { "0 bytes".to_owned() } else { format!("{} bytes: {}", seen.leaked(), seen.begins) };
        let cells = [
            format!("{}{who}", seen.number),
            offered,
            seen.version.unwrap_or("–").to_owned(),
            seen.reached().as_str().to_owned(),
            ended,
            format!("{} bytes", seen.sent_bytes),
            came,
            format!("{} ms", seen.milliseconds),
        ];
        let cells: Vec<String> = cells.iter().map(|cell| format!("<td>{}</td>", escape(cell))).collect();
        let _ = write!(page, "<tr>{}</tr>", cells.concat());
    }
    page.push_str("</tbody></table>\n");
}
