//! The data flow as a picture: zones side by side, every arrow from the one that opens the connection.

use std::{fmt::Write as _, net::SocketAddr};

use tools::html::escape;

use crate::needs::{AdminKind, Needs, Role, TimePlace};

/// Boxes in a column at most; of more, a last one says how many.
const BOXES_MAX: usize = 12;
/// Height of a line in a box, and what is above and below.
const LINE: usize = 18;
const PADDING: usize = 14;
/// Between two boxes.
const GAP: usize = 22;
/// Where boxes begin.
const TOP: usize = 96;

/// A zone's column, and where its boxes stand.
#[derive(Clone, Copy)]
struct Column {
    left: usize,
    width: usize,
}

const INTERNET: Column = Column { left: 20, width: 210 };
const DMZ: Column = Column { left: 390, width: 270 };
const INSIDE: Column = Column { left: 820, width: 260 };
const FIREWALL_2: usize = 294;
const FIREWALL_1: usize = 724;
const WIDTH: usize = 1100;

/// A box with its lines.
struct Shape {
    column: Column,
    class: &'static str,
    lines: Vec<String>,
    top: usize,
}

impl Shape {
    const fn height(&self) -> usize {
        self.lines.len() * LINE + 2 * PADDING
    }

    const fn middle(&self) -> usize {
        self.top + self.height() / 2
    }
}

/// The picture.
pub fn draw(needs: &Needs) -> String {
    let (mut internet, mut dmz, mut inside) = (outside(needs), edges(needs), backends(needs));
    let height =
        [&mut internet, &mut dmz, &mut inside].into_iter().map(|column| stack(column)).max().unwrap_or_default();
    for column in [&mut internet, &mut dmz, &mut inside] {
        centre(column, height);
    }
    let bottom = TOP + height + 24;
    let mut svg = String::new();
    // Writing to a string cannot fail, here and below.
    let _ = writeln!(
        svg,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {total}\" width=\"{WIDTH}\" height=\"{total}\" \
         role=\"img\" aria-label=\"Data flow of the relay: who opens connections to whom\">\n<style>{STYLE}</style>\n\
         <defs><marker id=\"head\" viewBox=\"0 0 10 10\" refX=\"9\" refY=\"5\" markerWidth=\"8\" markerHeight=\"8\" \
         orient=\"auto\"><path d=\"M0 0L10 5L0 10z\" class=\"head\"/></marker></defs>\n\
         <rect class=\"sheet\" width=\"{WIDTH}\" height=\"{total}\"/>",
        total = bottom + 58,
    );
    for (column, name) in [(INTERNET, "internet"), (DMZ, "DMZ"), (INSIDE, "inside")] {
        let (left, width) = (column.left - 12, column.width + 24);
        let _ = writeln!(
            svg,
            "<rect class=\"zone\" x=\"{left}\" y=\"52\" width=\"{width}\" height=\"{}\" rx=\"8\"/>\
             <text class=\"zonename\" x=\"{}\" y=\"78\">{name}</text>",
            bottom - 52,
            column.left + column.width / 2
        );
    }
    wall(&mut svg, FIREWALL_2, bottom, "firewall 2", &ports(needs.edges.iter().flat_map(|edge| &edge.public)));
    wall(&mut svg, FIREWALL_1, bottom, "firewall 1", &ports(needs.backends.iter().flat_map(|backend| &backend.dials)));
    arrows(&mut svg, needs, &internet, &dmz, &inside);
    for shape in internet.iter().chain(&dmz).chain(&inside) {
        boxed(&mut svg, shape);
    }
    let _ = writeln!(
        svg,
        "<text class=\"legend\" x=\"20\" y=\"{}\">An arrow begins at the one who opens the connection; answers take the same way \
         back. Dashed: optional. Everything else is dropped.</text>\n</svg>",
        bottom + 36
    );
    svg
}

fn outside(needs: &Needs) -> Vec<Shape> {
    let mut lines = vec!["devices".to_owned()];
    if needs.clients.iter().all(|network| network.is_any()) {
        lines.push("from anywhere".to_owned());
    } else {
        lines.extend(short(needs.clients.iter().map(ToString::to_string).collect(), 6));
    }
    let mut shapes = vec![Shape { column: INTERNET, class: "party", lines, top: 0 }];
    let servers = time_servers(needs, TimePlace::Internet);
    if !servers.is_empty() {
        shapes.push(Shape { column: INTERNET, class: "optional", lines: servers, top: 0 });
    }
    shapes
}

fn time_servers(needs: &Needs, place: TimePlace) -> Vec<String> {
    let servers: Vec<String> = needs
        .time_servers
        .iter()
        .filter(|server| server.place == place)
        .map(|server| server.address.to_string())
        .collect();
    if servers.is_empty() {
        return servers;
    }
    ["time server (optional)".to_owned()].into_iter().chain(short(servers, 4)).collect()
}

fn edges(needs: &Needs) -> Vec<Shape> {
    let mut shapes: Vec<Shape> = needs
        .edges
        .iter()
        .take(BOXES_MAX)
        .map(|edge| {
            let mut lines = vec![edge.name.to_string()];
            lines.extend(short(edge.endpoints.iter().map(ToString::to_string).collect(), 6));
            let none = if needs.time_servers.is_empty() {
                "opens no connection"
            } else {
                "asks for the time, opens nothing else"
            };
            lines.push(none.to_owned());
            Shape { column: DMZ, class: "edge", lines, top: 0 }
        })
        .collect();
    shapes.extend(more(DMZ, needs.edges.len(), "edges"));
    let servers = time_servers(needs, TimePlace::Dmz);
    if !servers.is_empty() {
        shapes.push(Shape { column: DMZ, class: "optional", lines: servers, top: 0 });
    }
    shapes
}

fn backends(needs: &Needs) -> Vec<Shape> {
    let mut shapes: Vec<Shape> = needs
        .backends
        .iter()
        .take(BOXES_MAX)
        .map(|backend| {
            let role = match backend.role {
                Role::Master => "master",
                Role::StorageNode => "storage node",
            };
            let first =
                if backend.name.as_str() == role { role.to_owned() } else { format!("{role} {}", backend.name) };
            let mut lines = vec![first];
            lines.extend(short(backend.addresses.iter().map(ToString::to_string).collect(), 4));
            Shape { column: INSIDE, class: "party", lines, top: 0 }
        })
        .collect();
    shapes.extend(more(INSIDE, needs.backends.len(), "backends"));
    if !needs.administration.is_empty() {
        let mut lines = vec!["administration (optional)".to_owned()];
        let needs = needs.administration.iter().map(|need| match need.kind {
            AdminKind::Ssh => format!("SSH from {}", need.from),
            AdminKind::Monitoring => format!("monitoring from {}", need.from),
        });
        let mut named: Vec<String> = Vec::new();
        for line in needs {
            if !named.contains(&line) {
                named.push(line);
            }
        }
        lines.extend(short(named, 6));
        shapes.push(Shape { column: INSIDE, class: "optional", lines, top: 0 });
    }
    shapes
}

/// A box for those that have none.
fn more(column: Column, count: usize, what: &str) -> Option<Shape> {
    let lines = vec![format!("and {} more {what}", count.saturating_sub(BOXES_MAX))];
    (count > BOXES_MAX).then_some(Shape { column, class: "party", lines, top: 0 })
}

/// The first lines, and how many there are besides.
fn short(mut lines: Vec<String>, most: usize) -> Vec<String> {
    if lines.len() > most {
        let rest = lines.len() - (most - 1);
        lines.truncate(most - 1);
        lines.push(format!("and {rest} more"));
    }
    lines
}

/// Puts boxes below each other; returns their height.
fn stack(shapes: &mut [Shape]) -> usize {
    let mut top = TOP;
    for shape in shapes.iter_mut() {
        shape.top = top;
        top += shape.height() + GAP;
    }
    top - TOP
}

fn centre(shapes: &mut [Shape], height: usize) {
    let own: usize = shapes.iter().map(|shape| shape.height() + GAP).sum();
    for shape in shapes {
        shape.top += (height - own) / 2;
    }
}

fn ports<'a>(endpoints: impl Iterator<Item = &'a SocketAddr>) -> String {
    let mut ports: Vec<u16> = endpoints.map(SocketAddr::port).collect();
    ports.sort_unstable();
    ports.dedup();
    let shown: Vec<String> = ports.iter().take(4).map(ToString::to_string).collect();
    let rest = if ports.len() > 4 { ", ..." } else { "" };
    format!("TCP {}{rest}", shown.join(", "))
}

fn wall(svg: &mut String, left: usize, bottom: usize, name: &str, ports: &str) {
    let middle = left + 16;
    let _ = writeln!(
        svg,
        "<rect class=\"wall\" x=\"{left}\" y=\"52\" width=\"32\" height=\"{}\" rx=\"4\"/><text class=\"wallname\" x=\"{middle}\" \
         y=\"24\">{name}</text><text class=\"port\" x=\"{middle}\" y=\"42\">{}</text>",
        bottom - 52,
        escape(ports)
    );
}

fn arrows(svg: &mut String, needs: &Needs, internet: &[Shape], dmz: &[Shape], inside: &[Shape]) {
    let (from_left, to_left) = (INTERNET.left + INTERNET.width, DMZ.left);
    let (from_right, to_right) = (INSIDE.left, DMZ.left + DMZ.width);
    let shown = dmz.iter().zip(needs.edges.iter().take(BOXES_MAX));
    for (place, (edge, need)) in shown.enumerate() {
        if let Some(devices) = internet.first().filter(|_| !need.public.is_empty()) {
            arrow(svg, "relay", (from_left, spread(devices, place, needs.edges.len())), (to_left, edge.middle()));
        }
        for (backend, from) in needs.backends.iter().take(BOXES_MAX).zip(inside) {
            if backend.dials.iter().any(|to| need.endpoints.contains(to)) {
                arrow(svg, "relay", (from_right, from.middle()), (to_right, edge.middle()));
            }
        }
        for shape in inside.iter().filter(|shape| shape.class == "optional") {
            arrow(svg, "dashed", (from_right, shape.middle()), (to_right, edge.middle() + 12));
        }
        for shape in internet.iter().filter(|shape| shape.class == "optional") {
            arrow(svg, "dashed", (to_left, edge.middle() + 12), (from_left, shape.middle()));
        }
        for shape in dmz.iter().filter(|shape| shape.class == "optional") {
            let middle = DMZ.left + 40;
            arrow(svg, "dashed", (middle, edge.top + edge.height()), (middle, shape.top));
        }
    }
}

/// Where an arrow begins, of several from one box.
const fn spread(shape: &Shape, place: usize, count: usize) -> usize {
    let count = if count > BOXES_MAX { BOXES_MAX } else { count };
    shape.top + shape.height() * (place + 1) / (count + 1)
}

fn arrow(svg: &mut String, class: &str, from: (usize, usize), to: (usize, usize)) {
    let _ = writeln!(
        svg,
        "<line class=\"{class}\" x1=\"{}\" y1=\"{}\" x2=\"{}\" y2=\"{}\" marker-end=\"url(#head)\"/>",
        from.0, from.1, to.0, to.1
    );
}

fn boxed(svg: &mut String, shape: &Shape) {
    let Column { left, width } = shape.column;
    let _ = write!(
        svg,
        "<rect class=\"box {}\" x=\"{left}\" y=\"{}\" width=\"{width}\" height=\"{}\" rx=\"6\"/>",
        shape.class,
        shape.top,
        shape.height()
    );
    for (place, line) in shape.lines.iter().enumerate() {
        let class = if place == 0 { "name" } else { "line" };
        let y = shape.top + PADDING + LINE * place + 13;
        let _ = write!(svg, "<text class=\"{class}\" x=\"{}\" y=\"{y}\">{}</text>", left + 12, escape(line));
    }
    svg.push('\n');
}

const STYLE: &str = "\
text{font:14px system-ui,sans-serif;fill:#1b2733}\
.sheet{fill:#fff}.zone{fill:#f3f6f9;stroke:#d5dde5}.zonename{text-anchor:middle;fill:#5a6b7b;font-size:13px}\
.wall{fill:#c2573f}.wallname{text-anchor:middle;font-weight:600}.port{text-anchor:middle;font-size:12px;fill:#5a6b7b}\
.box{fill:#fff;stroke:#5a6b7b}.edge{stroke:#1f6f5c;stroke-width:2}.optional{stroke-dasharray:5 4}\
.name{font-weight:600}.line{font-size:13px}.legend{font-size:13px;fill:#5a6b7b}\
.relay{stroke:#1f6f5c;stroke-width:2}.dashed{stroke:#8a6d1c;stroke-width:1.5;stroke-dasharray:6 5}.head{fill:#33424f}";
