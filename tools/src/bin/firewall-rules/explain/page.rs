//! The explanation as a page; nothing from outside.

use std::fmt::Write as _;

use tools::html::escape;

use super::{Section, picture::draw};
use crate::{
    needs::Needs,
    rules::{self, RuleSet, Traffic},
};

const STYLE: &str = "\
body{font:16px/1.5 system-ui,sans-serif;color:#1b2733;max-width:1120px;margin:2rem auto;padding:0 1rem}\
h1{font-size:1.6rem}h2{font-size:1.15rem;margin-top:2rem}svg{max-width:100%;height:auto}\
table{border-collapse:collapse;width:100%;font-size:.9rem}th,td{text-align:left;padding:.35rem .6rem;border-bottom:1px solid #d5dde5;\
vertical-align:top}code{font-size:.85rem}.wide{overflow-x:auto}tr.support td{color:#5a6b7b}";

/// The page.
pub fn render(needs: &Needs, sections: &[Section]) -> String {
    let mut page = format!(
        "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\
         <title>Firewall rules of the relay</title><style>{STYLE}</style></head><body>\n\
         <h1>What the firewalls let pass</h1>\n<div class=\"wide\">{}</div>\n",
        draw(needs)
    );
    for section in sections {
        // Writing to a string cannot fail, here and below.
        let _ = writeln!(page, "<h2>{}</h2><ul>", escape(&section.title));
        for point in &section.points {
            let _ = writeln!(page, "<li>{}</li>", escape(point));
        }
        page.push_str("</ul>\n");
    }
    for set in rules::all(needs) {
        table(&mut page, &set);
    }
    page.push_str("</body></html>\n");
    page
}

fn table(page: &mut String, set: &RuleSet) {
    let _ = writeln!(
        page,
        "<h2>Rules of {}</h2><div class=\"wide\"><table><thead><tr><th>rule</th><th>lets pass</th><th>why</th></tr></thead><tbody>",
        escape(&set.place.title())
    );
    for rule in &set.rules {
        let class = if matches!(rule.traffic, Traffic::New(_)) { "flow" } else { "support" };
        let _ = writeln!(
            page,
            "<tr class=\"{class}\"><td><code>{}</code></td><td>{}</td><td>{}</td></tr>",
            escape(rule.id.as_str()),
            escape(&passes(&rule.traffic)),
            escape(&rule.why)
        );
    }
    page.push_str("<tr><td></td><td>nothing else: dropped</td><td></td></tr></tbody></table></div>\n");
}

fn passes(traffic: &Traffic) -> String {
    match traffic {
        Traffic::Loopback => "everything within this host".to_owned(),
        Traffic::Established => "packets of connections that were let in".to_owned(),
        Traffic::IcmpErrors { family } => format!("{family} errors about such connections"),
        Traffic::NeighbourDiscovery => "IPv6 neighbour discovery on this link".to_owned(),
        Traffic::MulticastListener => "IPv6 multicast listener discovery on this link".to_owned(),
        Traffic::New(flow) => {
            let from = if flow.source.is_any() { format!("any {}", flow.family()) } else { flow.source.to_string() };
            let protocol = flow.protocol.as_str().to_ascii_uppercase();
            format!("new {protocol} connections from {from} to {} port {}", flow.destination, flow.port)
        }
    }
}
