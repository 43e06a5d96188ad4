//! `explain`: the data flow in words, and as a picture.

use std::fmt::Write as _;

use clap::{Args, ValueEnum};
use serde::Serialize;

use crate::{
    cli::{json, print, talk},
    error::Error,
    needs::{self, AdminKind, Backend, Needs, Role, Stated, TimePlace, arguments::NeedsArgs},
    network::Network,
    print::OUTPUT,
};

mod page;
mod picture;

/// Options of `explain`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  firewall-rules explain --edge 192.0.2.10 --master 10.0.0.11 --node 10.0.0.12
  firewall-rules explain --config edge.toml --config hq/backend.toml --master 10.0.0.11 --format svg > flow.svg
  firewall-rules explain --edge 192.0.2.10 --master 10.0.0.11 --node 10.0.0.12 --format html > flow.html

Exit codes:
  0  explained
  2  wrong usage, or a wrong configuration; standard error says what to do")]
pub struct ExplainArgs {
    #[command(flatten)]
    needs: NeedsArgs,
    /// The form: words, the picture, or both on a page.
    #[arg(long, value_enum, default_value_t, help_heading = OUTPUT)]
    format: ExplainFormat,
}

/// The forms.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum ExplainFormat {
    /// Words.
    #[default]
    Text,
    /// The picture.
    Svg,
    /// A page with the picture and the words.
    Html,
    /// The words as data.
    Json,
}

/// A part of the explanation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Section {
    /// Its heading.
    pub title: String,
    /// Its sentences, each of which stands for itself.
    pub points: Vec<String>,
}

/// Runs `explain`; returns its exit code.
///
/// # Errors
/// [`Error`] where the needs are not stated.
pub fn execute(arguments: &ExplainArgs) -> Result<u8, Error> {
    let Stated { needs, notes } = needs::combine(&arguments.needs)?;
    talk(&notes);
    let sections = sections(&needs);
    print(&match arguments.format {
        ExplainFormat::Text => text(&sections),
        ExplainFormat::Svg => picture::draw(&needs),
        ExplainFormat::Html => page::render(&needs, &sections),
        ExplainFormat::Json => json(&sections)?,
    })?;
    Ok(tools::exit::OK)
}

/// Columns of text.
const WIDTH: usize = 100;

fn text(sections: &[Section]) -> String {
    let mut text = String::new();
    for (place, section) in sections.iter().enumerate() {
        // Writing to a string cannot fail, here and below.
        let gap = if place == 0 { "" } else { "\n" };
        let _ = writeln!(text, "{gap}{}", section.title);
        for point in &section.points {
            let mut line = String::from("  -");
            for word in point.split_whitespace() {
                if line.len() + 1 + word.len() > WIDTH {
                    let _ = writeln!(text, "{line}");
                    line = String::from("   ");
                }
                line.push(' ');
                line.push_str(word);
            }
            let _ = writeln!(text, "{line}");
        }
    }
    text
}

/// The explanation.
pub fn sections(needs: &Needs) -> Vec<Section> {
    let mut sections = vec![who(needs), firewall_1(needs), firewall_2(needs), edge_host(needs)];
    if !needs.administration.is_empty() || !needs.time_servers.is_empty() {
        sections.push(optional(needs));
    }
    sections.push(Section {
        title: "Left out on purpose".to_owned(),
        points: vec![
            "Ping, DNS and DHCP: the relay needs none of them across a firewall. Give the edge host fixed addresses.".to_owned(),
            "What the firewalls themselves are reached by, and what backends reach inside: that is not the relay's to say. \
             Let no connection from the DMZ end at a firewall."
                .to_owned(),
            "Translated addresses: the rules hold the addresses that the packet filter sees, after destination NAT and \
             before source NAT."
                .to_owned(),
        ],
    });
    sections
}

fn who(needs: &Needs) -> Section {
    let edges = needs.edges.iter().map(|edge| {
        let endpoints: Vec<String> = edge.endpoints.iter().map(ToString::to_string).collect();
        format!("Edge {}, in the DMZ, at {}.", edge.name, endpoints.join(" and "))
    });
    let backends = needs.backends.iter().map(|backend| {
        let addresses: Vec<String> = backend.addresses.iter().map(ToString::to_string).collect();
        format!("{}, inside, from {}.", capital(&title(backend)), addresses.join(" and "))
    });
    let clients = format!("Devices, outside, from {}.", clients(needs));
    Section { title: "Who is where".to_owned(), points: edges.chain(backends).chain([clients]).collect() }
}

fn clients(needs: &Needs) -> String {
    if needs.clients.iter().all(|network| network.is_any()) {
        return "anywhere".to_owned();
    }
    needs.clients.iter().map(Network::to_string).collect::<Vec<_>>().join(", ")
}

fn title(backend: &Backend) -> String {
    match backend.role {
        Role::Master => format!("master {}", backend.name),
        Role::StorageNode => format!("storage node {}", backend.name),
    }
}

fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

fn firewall_1(needs: &Needs) -> Section {
    let mut points: Vec<String> = needs
        .backends
        .iter()
        .map(|backend| {
            let to: Vec<String> = backend.dials.iter().map(ToString::to_string).collect();
            format!(
                "{} opens TCP connections to {}: one control connection that stays open, and data connections, each of which \
                 becomes one tunnel.",
                capital(&title(backend)),
                to.join(" and ")
            )
        })
        .collect();
    points.push(
        "Nothing inward: the edge cannot open a connection to the inside. What it has for a backend, it sends on a connection \
         that the backend opened."
            .to_owned(),
    );
    Section { title: "Firewall 1, between the inside and the DMZ".to_owned(), points }
}

fn firewall_2(needs: &Needs) -> Section {
    let asks = needs.time_servers.iter().any(|server| server.place == TimePlace::Internet);
    let public: Vec<String> = needs.edges.iter().flat_map(|edge| &edge.public).map(ToString::to_string).collect();
    Section {
        title: "Firewall 2, between the DMZ and the internet".to_owned(),
        points: vec![
            format!(
                "Devices open TCP connections from {} to {}: one that stays open for their requests, and one for each tunnel.",
                clients(needs),
                public.join(" and ")
            ),
            if asks {
                "Nothing outward but the question for the time, see below."
            } else {
                "Nothing outward: the edge cannot open a connection to the internet."
            }
            .to_owned(),
        ],
    }
}

fn edge_host(needs: &Needs) -> Section {
    let mut points = vec![
        if needs.administration.is_empty() {
            "The edge's port is open to devices and backends, and no other is open."
        } else {
            "The edge's port is open to devices and backends; besides it only what is optional, see below."
        }
        .to_owned(),
        if needs.time_servers.is_empty() {
            "Packets leave only as answers on connections that others opened. Not even a connection that was there before the \
             rules may go on, if this host opened it."
        } else {
            "Packets leave only as answers on connections that others opened, and to ask for the time, see below."
        }
        .to_owned(),
        "The admin address and local checks use loopback, which is open within the host.".to_owned(),
    ];
    if needs.uses(crate::network::Family::Ipv6) {
        points.push(
            "IPv6 needs more than IPv4: neighbour discovery takes the place of ARP and is ICMPv6 itself, with a hop limit of 255 \
             so that it comes from this link only; and switches pass it on only to hosts that report their multicast groups."
                .to_owned(),
        );
    }
    points.push(
        "ICMP errors about these connections pass everywhere: without \"packet too big\" a tunnel over a narrow link hangs at \
         its first large packet."
            .to_owned(),
    );
    Section { title: "The edge host itself".to_owned(), points }
}

fn optional(needs: &Needs) -> Section {
    let administration = needs.administration.iter().map(|need| match need.kind {
        AdminKind::Ssh => {
            format!("Administrators log in from {} at {}, through firewall 1.", need.from, need.to)
        }
        AdminKind::Monitoring => {
            format!("Monitoring reads metrics and status from {} at {}, through firewall 1.", need.from, need.to)
        }
    });
    let time = needs.time_servers.iter().map(|server| {
        let place = match server.place {
            TimePlace::Dmz => "in the DMZ",
            TimePlace::Internet => "behind firewall 2",
        };
        format!("The edge hosts ask the time server {} {place} (UDP 123): all that they ever open.", server.address)
    });
    Section {
        title: "Optional: needed by those who look after the edge hosts, not by the relay".to_owned(),
        points: administration.chain(time).collect(),
    }
}
