//! The topology, drawn: five namespaces, what may pass between them, and what was stopped where.

use std::fmt::Write;

use tools::html::escape;

use super::{super::topology::Host, Report};
use crate::network::Family;

const WIDTH: u32 = 1200;
const HEIGHT: u32 = 440;
/// The upper edge and the height of a zone.
const TOP: u32 = 34;
const TALL: u32 = 340;

/// As SVG, coloured by the page.
pub fn topology(report: &Report) -> String {
    let mut svg = String::new();
    // Writing to a string cannot fail, here and below.
    let _ = writeln!(
        svg,
        "<svg viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\" aria-label=\"The internet, firewall 2, the DMZ with the edge, \
         firewall 1 and the inside: devices and backends open connections to the edge, and the edge opens none\"><defs>\
         <marker id=\"go\" viewBox=\"0 0 8 8\" refX=\"7\" refY=\"4\" markerWidth=\"8\" markerHeight=\"8\" orient=\"auto\">\
         <path d=\"M0 0L8 4L0 8z\" class=\"good\"/></marker></defs>"
    );
    zone(&mut svg, 5, 250, "internet", "203.0.113.0/24, 2001:db8:1::/64");
    zone(&mut svg, 455, 280, "DMZ", "192.0.2.0/24, 2001:db8:2::/64");
    zone(&mut svg, 935, 260, "inside", "10.20.0.0/24, fd00:20::/64");
    wall(&mut svg, 315, "firewall 2", Host::Firewall2);
    wall(&mut svg, 795, "firewall 1", Host::Firewall1);
    for (from, to) in [(255, 315), (395, 455), (735, 795), (875, 935)] {
        let _ = writeln!(svg, "<path class=\"cable\" d=\"M{from} 92H{to}\"/>");
    }
    host(
        &mut svg,
        (20, 120, 215),
        "devices",
        &["Windows, macOS, Linux, iOS,".to_owned(), "Android, Windows Phone".to_owned(), addresses(Host::Devices)],
    );
    let port = report.port;
    let listens = format!("listens on port {port}; opens nothing");
    host(&mut svg, (475, 150, 230), "edge", &[listens, addresses(Host::Edge)]);
    for (y, host_, title) in [(110, Host::Master, "master"), (180, Host::NodeA, "node-a"), (250, Host::NodeB, "node-b")]
    {
        host(&mut svg, (960, y, 210), title, &[addresses(host_)]);
        let _ = writeln!(svg, "<path class=\"open\" marker-end=\"url(#go)\" d=\"M960 {}L705 182\"/>", y + 24);
    }
    let _ = writeln!(svg, "<path class=\"open\" marker-end=\"url(#go)\" d=\"M235 160H475\"/>");
    let _ = writeln!(svg, "<text x=\"397\" y=\"152\" class=\"good\">port {port}</text>");
    let _ = writeln!(svg, "<text x=\"728\" y=\"158\" class=\"good\">port {port}</text>");
    stopped(&mut svg, report);
    svg.push_str("</svg>\n");
    svg
}

/// What was tried and ended at a wall.
fn stopped(svg: &mut String, report: &Report) {
    let captured = || report.captured.with_own_rules.iter().chain(&report.captured.without_own_rules);
    let reached = captured().filter(|attempt| attempt.reached()).count();
    let (captured, reached) = (captured().count(), if reached == 0 { "none".to_owned() } else { reached.to_string() });
    for (path, cross) in [("M690 300H795", 795), ("M500 300H395", 395), ("M130 325H315", 315)] {
        let _ = writeln!(svg, "<path class=\"shut\" d=\"{path}\"/>");
        let y = if cross == 315 { 325 } else { 300 };
        let (left, right) = (cross - 7, cross + 7);
        let _ = writeln!(
            svg,
            "<path class=\"cross\" d=\"M{left} {}L{right} {}M{left} {}L{right} {}\"/>",
            y - 7,
            y + 7,
            y + 7,
            y - 7
        );
    }
    let _ = writeln!(
        svg,
        "<text x=\"595\" y=\"296\" text-anchor=\"middle\" class=\"bad\">root on the edge's host</text>\
         <text x=\"595\" y=\"312\" text-anchor=\"middle\" class=\"small\">{captured} attempts, {reached} reached anybody</text>\
         <text x=\"130\" y=\"318\" text-anchor=\"middle\" class=\"bad\">strangers</text>\
         <text x=\"130\" y=\"345\" text-anchor=\"middle\" class=\"small\">every port but {}</text>\
         <text x=\"600\" y=\"{}\" text-anchor=\"middle\" class=\"small\">Each firewall: default drop, and the generated rules. \
         Green: opened from the arrow's beginning. Red: stopped at the cross.</text>",
        report.port,
        HEIGHT - 18
    );
}

fn zone(svg: &mut String, x: u32, width: u32, name: &str, networks: &str) {
    let _ = writeln!(
        svg,
        "<rect class=\"zone\" x=\"{x}\" y=\"{TOP}\" width=\"{width}\" height=\"{TALL}\" rx=\"8\"/>\
         <text class=\"name\" x=\"{0}\" y=\"{1}\">{name}</text><text class=\"small\" x=\"{0}\" y=\"{2}\">{networks}</text>",
        x + 14,
        TOP + 22,
        TOP + 39
    );
}

/// A firewall: bricks, with its addresses below.
fn wall(svg: &mut String, x: u32, name: &str, host: Host) {
    for row in 0..TALL / 20 {
        let shift = if row.is_multiple_of(2) { 0 } else { 20 };
        for brick in 0..2 {
            let width = 40 - if brick == 1 { shift } else { 0 };
            let _ = writeln!(
                svg,
                "<rect class=\"wall\" x=\"{}\" y=\"{}\" width=\"{}\" height=\"20\"/>",
                x + brick * 40 + if brick == 1 { shift } else { 0 },
                TOP + row * 20,
                if brick == 0 { 40 + shift } else { width }
            );
        }
    }
    let _ =
        writeln!(svg, "<text class=\"name\" x=\"{}\" y=\"{}\" text-anchor=\"middle\">{name}</text>", x + 40, TOP - 10);
    for (line, family) in [(0, Family::Ipv4), (16, Family::Ipv6)] {
        let _ = writeln!(
            svg,
            "<text class=\"small\" x=\"{}\" y=\"{}\" text-anchor=\"middle\">{}</text>",
            x + 40,
            TOP + TALL + 16 + line,
            host.address(family)
        );
    }
}

fn host(svg: &mut String, (x, y, width): (u32, u32, u32), name: &str, lines: &[String]) {
    let height = 28 + 16 * u32::try_from(lines.len()).unwrap_or_default();
    let _ = writeln!(
        svg,
        "<rect class=\"host\" x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\" rx=\"5\"/>\
         <text class=\"name\" x=\"{}\" y=\"{}\">{name}</text>",
        x + 10,
        y + 19
    );
    for (number, line) in (1..).zip(lines) {
        let _ = writeln!(
            svg,
            "<text class=\"small\" x=\"{}\" y=\"{}\">{}</text>",
            x + 10,
            y + 19 + number * 16,
            escape(line)
        );
    }
}

fn addresses(host: Host) -> String {
    Family::ALL.map(|family| host.address(family).to_string()).join(", ")
}
