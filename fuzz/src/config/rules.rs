//! A plain reading of a configuration's TOML: what must be refused.

use std::{collections::BTreeSet, net::SocketAddr, sync::LazyLock, time::Duration};

use regex::Regex;
use toml::{Table, Value};

use super::{known, known::Known};

/// What is wrong.
pub(super) struct Fault {
    /// The rule.
    pub(super) class: String,
    /// The key and its value.
    pub(super) detail: String,
}

pub(super) fn fault(class: impl Into<String>, detail: impl Into<String>) -> Option<Fault> {
    Some(Fault { class: class.into(), detail: detail.into() })
}

const DAY: Duration = Duration::from_secs(86_400);

/// The value at a path with dots.
pub(super) fn at<'a>(table: &'a Table, path: &str) -> Option<&'a Value> {
    let (first, rest) = path.split_once('.').map_or((path, None), |(first, rest)| (first, Some(rest)));
    match (table.get(first)?, rest) {
        (value, None) => Some(value),
        (Value::Table(table), Some(rest)) => at(table, rest),
        (_, Some(_)) => None,
    }
}

pub(super) fn text<'a>(table: &'a Table, path: &str) -> Option<&'a str> {
    at(table, path)?.as_str()
}

pub(super) fn rows<'a>(table: &'a Table, path: &str) -> impl Iterator<Item = &'a Table> {
    at(table, path).and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_table)
}

/// A key that no example has; what is offered in `[services]` is named freely.
fn unknown(table: &Table, known: &Known) -> Option<Fault> {
    let mut keys = BTreeSet::new();
    known::paths("", &Value::Table(table.clone()), &mut keys);
    let free = |key: &str| match key.strip_prefix("services.").map(|rest| rest.rsplit_once('.')) {
        Some(Some((_, option))) => ["target", "proxy_protocol", "connect_timeout"].contains(&option),
        Some(None) => true,
        None => false,
    };
    // A name in quotation marks may hold a dot.
    let strange =
        keys.into_iter().find(|key| !known.keys.contains(key) && !free(key) && !key.starts_with("services."))?;
    fault("an unknown key", strange)
}

/// Durations of one number, which need no library to read.
pub(super) fn simple(text: &str) -> Option<Duration> {
    static SIMPLE: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new("^([0-9]{1,9})(ms|s|m|h|d)$").ok());
    let found = SIMPLE.as_ref()?.captures(text)?;
    let number: u64 = found[1].parse().ok()?;
    Some(match &found[2] {
        "ms" => Duration::from_millis(number),
        "s" => Duration::from_secs(number),
        "m" => Duration::from_secs(number * 60),
        "h" => Duration::from_secs(number * 3600),
        _ => DAY * u32::try_from(number).ok()?,
    })
}

fn duration(table: &Table, path: &str, range: std::ops::RangeInclusive<Duration>) -> Option<Fault> {
    let given = text(table, path)?;
    let span = simple(given)?;
    if range.contains(&span) { None } else { fault(format!("{path} out of range"), given) }
}

fn releases(table: &Table) -> Option<Fault> {
    for name in ["windows", "macos", "ios", "android"] {
        let path = format!("releases.{name}");
        let Some(list) = at(table, &path).and_then(Value::as_array) else { continue };
        if list.is_empty() || list.len() > 1_024 {
            return fault(format!("{path} has too few or too many rows"), list.len().to_string());
        }
        for (row, key) in rows(table, &path).flat_map(|row| ["builds", "majors", "minors"].map(|key| (row, key))) {
            if let Some([first, last]) = row.get(key).and_then(Value::as_array).map(Vec::as_slice)
                && first.as_integer() > last.as_integer()
            {
                return fault(format!("{path}: {key} end before they begin"), format!("{first} {last}"));
            }
        }
    }
    None
}

/// Why an edge must not take this configuration.
pub(super) fn edge(table: &Table) -> Option<Fault> {
    let limit = |name: &str| {
        let path = format!("limits.{name}");
        at(table, &path).or_else(|| at(&known::EDGE.example, &path)).and_then(Value::as_integer).unwrap_or_default()
    };
    for (name, (first, last)) in known::RANGES.iter() {
        if !(*first..=*last).contains(&limit(name)) {
            return fault(format!("limits.{name} out of range"), limit(name).to_string());
        }
    }
    if limit("early_refusal_from") > limit("handshakes") || limit("handshakes") > limit("connections") {
        return fault("limits that contradict each other", "");
    }
    let listen: Vec<&str> = match at(table, "listen") {
        Some(list) => list.as_array().into_iter().flatten().filter_map(Value::as_str).collect(),
        None => vec!["0.0.0.0:8443"],
    };
    let addresses: Vec<SocketAddr> = listen.iter().filter_map(|text| text.parse().ok()).collect();
    let fixed: Vec<_> = addresses.iter().filter(|address| address.port() != 0).collect();
    if listen.is_empty() || listen.len() > 16 || addresses.len() != listen.len() {
        return fault("listen has no address, too many, or none", listen.join(" "));
    }
    if fixed.iter().collect::<BTreeSet<_>>().len() != fixed.len() {
        return fault("listen has an address twice", listen.join(" "));
    }
    let admin: Option<SocketAddr> = text(table, "admin").unwrap_or("127.0.0.1:9443").parse().ok();
    if admin.is_some_and(|admin| fixed.contains(&&admin)) || admin.is_none() && text(table, "admin") != Some("off") {
        return fault("admin is no address, or one of listen", format!("{admin:?}"));
    }
    log(table)
        .or_else(|| confinement(table))
        .or_else(|| releases(table))
        .or_else(|| unknown(table, &known::EDGE))
        .or_else(|| duration(table, "drain.deadline", Duration::ZERO..=DAY))
        .or_else(|| duration(table, "drain.retry_after", Duration::ZERO..=Duration::from_secs(3600)))
}

fn log(table: &Table) -> Option<Fault> {
    let format = text(table, "log.format")?;
    if ["text", "json"].contains(&format) { None } else { fault("log.format is neither text nor json", format) }
}

/// The sandbox, and whom the process becomes.
fn confinement(table: &Table) -> Option<Fault> {
    if let Some(mode) = text(table, "sandbox").filter(|mode| !["require", "prefer", "off"].contains(mode)) {
        return fault("sandbox is none of its words", mode);
    }
    let user = text(table, "user")?;
    let ends =
        |found: char| found == ':' || found == '/' || found == ',' || found.is_whitespace() || found.is_control();
    if (1..=32).contains(&user.len()) && !user.chars().any(ends) { None } else { fault("user is no account", user) }
}

/// Why a backend must not take this configuration.
pub(super) fn backend(table: &Table, master: bool) -> Option<Fault> {
    if text(table, "role") != Some(if master { "master" } else { "storage-node" }) {
        return fault("another role", format!("{:?}", table.get("role")));
    }
    let edges: Vec<&str> = rows(table, "edge").filter_map(|edge| text(edge, "address")).collect();
    if edges.is_empty() || edges.iter().collect::<BTreeSet<_>>().len() != edges.len() {
        return fault("no edge, or one twice", edges.join(" "));
    }
    let nodes: Vec<&str> = rows(table, "node").filter_map(|node| text(node, "name")).collect();
    if nodes.iter().collect::<BTreeSet<_>>().len() != nodes.len() {
        return fault("a node twice", nodes.join(" "));
    }
    if let Some(name) = nodes.iter().copied().chain(text(table, "name")).find(|name| !is_name(name)) {
        return fault("a name that is none", name);
    }
    let pins = rows(table, "edge").chain(rows(table, "node")).filter_map(|row| text(row, "pin"));
    if let Some(pin) = pins.into_iter().find(|pin| crate::pins::read(pin).is_none()) {
        return fault("a pin that is none", pin);
    }
    let (min, max) =
        (at(table, "pool.min").and_then(Value::as_integer), at(table, "pool.max").and_then(Value::as_integer));
    if min.zip(max.or(Some(64))).is_some_and(|(min, max)| min > max) {
        return fault("pool.min above pool.max", format!("{min:?} {max:?}"));
    }
    if at(table, "limits.tunnels").and_then(Value::as_integer) == Some(0) {
        return fault("no tunnels", "");
    }
    let positive = Duration::from_nanos(1)..=DAY * 365;
    let spans =
        ["pool.rotate", "limits.tunnel_idle", "limits.reconnect_max", "limits.drain", "clock_skew", "grant_lifetime"];
    spans
        .iter()
        .find_map(|path| duration(table, path, positive.clone()))
        .or_else(|| log(table))
        .or_else(|| confinement(table))
        .or_else(|| releases(table))
        .or_else(|| unknown(table, if master { &known::MASTER } else { &known::NODE }))
        .or_else(|| services(table, master))
}

/// 1 to 63 of a-z, 0-9 and inner hyphens.
fn is_name(name: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let inner = name.bytes().all(|byte| plain(byte) || byte == b'-');
    inner && (1..=63).contains(&name.len()) && !name.starts_with('-') && !name.ends_with('-')
}

fn services(table: &Table, master: bool) -> Option<Fault> {
    for (name, service) in at(table, "services").and_then(Value::as_table).into_iter().flatten() {
        let built_in = ["sink", "source", "echo", "enrol"].contains(&name.as_str());
        let upstream = service.as_str().or_else(|| service.as_table().and_then(|service| text(service, "target")));
        let refused = match upstream {
            Some(target) => built_in || !target.starts_with("tcp://") || target.ends_with(":0"),
            None => !built_in || name == "enrol" && !master,
        };
        if refused {
            return fault("a service that cannot be", format!("{name} {service}"));
        }
        let limit = Duration::from_nanos(1)..=Duration::from_secs(10);
        if let Some(wrong) = service.as_table().and_then(|service| duration(service, "connect_timeout", limit)) {
            return Some(wrong);
        }
    }
    let scopes = at(table, "policy").and_then(Value::as_table).into_iter().flatten();
    for (kind, scope) in scopes {
        let list = scope.as_array().map(|list| list.iter().filter_map(Value::as_str).collect::<Vec<_>>());
        let refused = match list {
            Some(list) => list.is_empty() || list.contains(&"enrol"),
            None => scope.as_str() != Some("any"),
        };
        if refused {
            return fault("a policy that cannot be", format!("{kind} {scope}"));
        }
    }
    None
}
