//! Single matches of nftables' JSON, as values in a dimension.

use std::net::IpAddr;

use serde_json::Value;

use super::{
    saved::{Chain, Saved},
    space::{Dimension, ICMP, ICMPV6, Interval, Region, STATES, TCP, UDP},
};
use crate::network::{Family, Network};

/// What a match does to a set of packets.
#[derive(Debug)]
pub enum Matched {
    /// These are left.
    Left(Region),
    /// All are left as far as the comparison goes: it does not look at this. The text says at what.
    Narrowed(Region, String),
}

/// What a key looks at.
#[derive(Clone, Copy, Debug)]
enum Key {
    /// A dimension; of a protocol or family only, if these are given.
    Dimension { dimension: Dimension, protocol: Option<u128>, family: Option<Family> },
    /// The family itself.
    Family,
    /// An interface; whether it is the one that [`Dimension::Interface`] means.
    Interface { own: bool },
    /// TCP's flags.
    TcpFlags,
}

/// The packets of `region` for which `left op right` holds.
///
/// # Errors
/// What is not understood.
pub fn matched(region: &Region, expression: &Value, chain: &Chain, saved: &Saved) -> Result<Matched, String> {
    let operator = expression.get("op").and_then(Value::as_str).unwrap_or("==");
    let left = expression.get("left").ok_or("a match without a left side")?;
    let right = expression.get("right").ok_or("a match without a right side")?;
    let key = key(left, chain)?;
    let region = prerequisites(region, key);
    match key {
        Key::TcpFlags => Ok(Matched::Narrowed(region, "only with certain TCP flags".to_owned())),
        Key::Family => {
            let family = match right.as_str() {
                Some("ipv4" | "ip") => Family::Ipv4,
                Some("ipv6" | "ip6") => Family::Ipv6,
                _ => return Err(format!("the family {right}")),
            };
            let other = if family == Family::Ipv4 { Family::Ipv6 } else { Family::Ipv4 };
            Ok(Matched::Left(region.of(if operator == "!=" { other } else { family })))
        }
        Key::Interface { own } => Ok(interface(&region, own, operator, right)),
        Key::Dimension { dimension, .. } => {
            let mut left = Region::default();
            for family in Family::ALL {
                let part = region.of(family);
                if !part.is_empty() {
                    let values = values(operator, right, dimension, family, chain, saved)?;
                    left.extend(&part.within(dimension, &values)).map_err(|error| error.to_string())?;
                }
            }
            Ok(Matched::Left(left))
        }
    }
}

/// The packets of `region` whose key has one value, for verdict maps.
///
/// # Errors
/// What is not understood.
pub fn with_value(
    region: &Region,
    key_expression: &Value,
    value: &Value,
    chain: &Chain,
    saved: &Saved,
) -> Result<Matched, String> {
    let expression = serde_json::json!({ "op": "==", "left": key_expression, "right": value });
    matched(region, &expression, chain, saved)
}

/// A match on a field holds only for packets that have the field.
fn prerequisites(region: &Region, key: Key) -> Region {
    match key {
        Key::Dimension { protocol, family, .. } => {
            let of_family = family.map_or_else(|| region.clone(), |family| region.of(family));
            match protocol {
                Some(protocol) => of_family.within(Dimension::Protocol, &[Interval::only(protocol)]),
                None => of_family,
            }
        }
        Key::TcpFlags => region.within(Dimension::Protocol, &[Interval::only(TCP)]),
        Key::Family | Key::Interface { .. } => region.clone(),
    }
}

fn key(left: &Value, chain: &Chain) -> Result<Key, String> {
    let plain = |dimension| Key::Dimension { dimension, protocol: None, family: None };
    if let Some(payload) = left.get("payload") {
        return payload_key(payload);
    }
    if let Some(name) = left.pointer("/meta/key").and_then(Value::as_str) {
        let outward = chain.base.as_ref().is_some_and(|base| base.hook == "output");
        return match name {
            "l4proto" => Ok(plain(Dimension::Protocol)),
            "nfproto" | "protocol" => Ok(Key::Family),
            "iifname" | "iif" => Ok(Key::Interface { own: !outward }),
            "oifname" | "oif" => Ok(Key::Interface { own: outward }),
            other => Err(format!("meta {other}")),
        };
    }
    if let Some(ct) = left.get("ct") {
        return match (ct.get("key").and_then(Value::as_str), ct.get("dir")) {
            (Some("state"), None) => Ok(plain(Dimension::State)),
            (Some("direction"), None) => Ok(plain(Dimension::Way)),
            _ => Err(format!("ct {}", ct.get("key").and_then(Value::as_str).unwrap_or("?"))),
        };
    }
    let flags = left.pointer("/&/0/payload/field").and_then(Value::as_str) == Some("flags");
    if flags { Ok(Key::TcpFlags) } else { Err(shortened(left)) }
}

fn payload_key(payload: &Value) -> Result<Key, String> {
    let part = |name: &str| payload.get(name).and_then(Value::as_str).unwrap_or_default();
    let of_family = |dimension, family| Key::Dimension { dimension, protocol: None, family: Some(family) };
    let of_protocol = |dimension, protocol| Key::Dimension { dimension, protocol: Some(protocol), family: None };
    let icmp = |protocol, family| Key::Dimension {
        dimension: Dimension::IcmpType,
        protocol: Some(protocol),
        family: Some(family),
    };
    Ok(match (part("protocol"), part("field")) {
        ("ip", "saddr") => of_family(Dimension::Source, Family::Ipv4),
        ("ip", "daddr") => of_family(Dimension::Destination, Family::Ipv4),
        ("ip", "protocol") => of_family(Dimension::Protocol, Family::Ipv4),
        ("ip", "ttl") => of_family(Dimension::Hops, Family::Ipv4),
        ("ip6", "saddr") => of_family(Dimension::Source, Family::Ipv6),
        ("ip6", "daddr") => of_family(Dimension::Destination, Family::Ipv6),
        ("ip6", "nexthdr") => of_family(Dimension::Protocol, Family::Ipv6),
        ("ip6", "hoplimit") => of_family(Dimension::Hops, Family::Ipv6),
        ("tcp", "sport") => of_protocol(Dimension::SourcePort, TCP),
        ("tcp", "dport") => of_protocol(Dimension::Port, TCP),
        ("tcp", "flags") => Key::TcpFlags,
        ("udp", "sport") => of_protocol(Dimension::SourcePort, UDP),
        ("udp", "dport") => of_protocol(Dimension::Port, UDP),
        ("th", "sport") => Key::Dimension { dimension: Dimension::SourcePort, protocol: None, family: None },
        ("th", "dport") => Key::Dimension { dimension: Dimension::Port, protocol: None, family: None },
        ("icmp", "type") => icmp(ICMP, Family::Ipv4),
        ("icmpv6", "type") => icmp(ICMPV6, Family::Ipv6),
        (protocol, field) => return Err(format!("{protocol} {field}")),
    })
}

/// Loopback is told apart from the others; the others are taken to be the right ones.
fn interface(region: &Region, own: bool, operator: &str, right: &Value) -> Matched {
    let name = right.as_str().map_or_else(|| shortened(right), ToOwned::to_owned);
    let loopback = name == "lo";
    let unlike = operator == "!=";
    if own && loopback {
        return Matched::Left(region.within(Dimension::Interface, &[Interval::only(u128::from(unlike))]));
    }
    let word = if unlike { "not on" } else { "only on" };
    let others =
        if own && !unlike { region.within(Dimension::Interface, &[Interval::only(1)]) } else { region.clone() };
    Matched::Narrowed(others, format!("{word} the interface {name}"))
}

/// The values for which `op right` holds.
fn values(
    operator: &str,
    right: &Value,
    dimension: Dimension,
    family: Family,
    chain: &Chain,
    saved: &Saved,
) -> Result<Vec<Interval>, String> {
    let whole = dimension.all(family);
    let named = |value: &Value| intervals(value, dimension, family, chain, saved);
    let bound = || {
        let values = named(right)?;
        values.first().copied().ok_or_else(|| "a comparison with nothing".to_owned())
    };
    Ok(match operator {
        "==" | "in" => named(right)?,
        "!=" => Interval::complement(&named(right)?, whole),
        "<" => Interval::complement(&[Interval { first: bound()?.first, last: whole.last }], whole),
        "<=" => vec![Interval { first: 0, last: bound()?.last }],
        ">" => Interval::complement(&[Interval { first: 0, last: bound()?.last }], whole),
        ">=" => vec![Interval { first: bound()?.first, last: whole.last }],
        other => return Err(format!("the operator {other}")),
    })
}

/// The values that a right side names.
fn intervals(
    value: &Value,
    dimension: Dimension,
    family: Family,
    chain: &Chain,
    saved: &Saved,
) -> Result<Vec<Interval>, String> {
    let inner = |value: &Value| intervals(value, dimension, family, chain, saved);
    let all = |list: &[Value]| list.iter().map(inner).collect::<Result<Vec<_>, _>>().map(|found| found.concat());
    match value {
        Value::Array(list) => all(list),
        Value::String(name) if name.starts_with('@') => match saved.set(chain, &name[1..]) {
            // A set in another's terms would loop; nftables has none.
            Some(elements) if !elements.iter().any(Value::is_array) => {
                let plain = |one: &&Value| !one.as_str().is_some_and(|text| text.starts_with('@'));
                elements.iter().filter(plain).map(inner).collect::<Result<Vec<_>, _>>().map(|found| found.concat())
            }
            Some(_) | None => Err(format!("the set {name}")),
        },
        Value::String(text) => scalar(text, dimension, family).map(|value| vec![Interval::only(value)]),
        Value::Number(number) => {
            let value = number.as_u64().ok_or_else(|| format!("the number {number}"))?;
            Ok(vec![Interval::only(u128::from(value))])
        }
        Value::Object(object) => {
            if let Some(list) = object.get("set").and_then(Value::as_array) {
                return all(list);
            }
            if let Some(element) = value.pointer("/elem/val") {
                return inner(element);
            }
            if let Some([first, last]) = object.get("range").and_then(Value::as_array).map(Vec::as_slice) {
                let one = |value: &Value| inner(value)?.first().copied().ok_or_else(|| "an empty range".to_owned());
                let (first, last) = (one(first)?.first, one(last)?.last);
                return if first <= last { Ok(vec![Interval { first, last }]) } else { Err(shortened(value)) };
            }
            if let Some(prefix) = object.get("prefix") {
                return prefix_of(prefix).map(|network| vec![Interval::of(network)]);
            }
            Err(shortened(value))
        }
        Value::Null | Value::Bool(_) => Err(shortened(value)),
    }
}

fn prefix_of(prefix: &Value) -> Result<Network, String> {
    let address = prefix.get("addr").and_then(Value::as_str).unwrap_or_default();
    let length = prefix.get("len").and_then(Value::as_u64).unwrap_or(u64::MAX);
    format!("{address}/{length}").parse().map_err(|_| shortened(prefix))
}

fn scalar(text: &str, dimension: Dimension, family: Family) -> Result<u128, String> {
    let unknown = || format!("the value {text}");
    let listed = |names: &[(&str, u128)]| names.iter().find(|(name, _)| *name == text).map(|(_, value)| *value);
    let value = match dimension {
        Dimension::Source | Dimension::Destination => match (text.parse::<IpAddr>(), family) {
            (Ok(IpAddr::V4(address)), Family::Ipv4) => Some(u128::from(address.to_bits())),
            (Ok(IpAddr::V6(address)), Family::Ipv6) => Some(address.to_bits()),
            _ => None,
        },
        Dimension::State => (0_u128..).zip(STATES).find(|(_, name)| *name == text).map(|(number, _)| number),
        Dimension::Way => listed(&[("original", 0), ("reply", 1)]),
        Dimension::Protocol => {
            listed(&[("icmp", ICMP), ("tcp", TCP), ("udp", UDP), ("ipv6-icmp", ICMPV6), ("icmpv6", ICMPV6)])
        }
        Dimension::IcmpType => match family {
            Family::Ipv4 => listed(ICMP_TYPES),
            Family::Ipv6 => listed(ICMPV6_TYPES),
        },
        Dimension::Interface | Dimension::SourcePort | Dimension::Port | Dimension::Hops => None,
    };
    value.or_else(|| text.parse().ok()).ok_or_else(unknown)
}

/// nftables' names for ICMP's types.
const ICMP_TYPES: &[(&str, u128)] = &[
    ("echo-reply", 0),
    ("destination-unreachable", 3),
    ("source-quench", 4),
    ("redirect", 5),
    ("echo-request", 8),
    ("router-advertisement", 9),
    ("router-solicitation", 10),
    ("time-exceeded", 11),
    ("parameter-problem", 12),
    ("timestamp-request", 13),
    ("timestamp-reply", 14),
    ("info-request", 15),
    ("info-reply", 16),
    ("address-mask-request", 17),
    ("address-mask-reply", 18),
];
/// nftables' names for ICMPv6's types.
const ICMPV6_TYPES: &[(&str, u128)] = &[
    ("destination-unreachable", 1),
    ("packet-too-big", 2),
    ("time-exceeded", 3),
    ("parameter-problem", 4),
    ("echo-request", 128),
    ("echo-reply", 129),
    ("mld-listener-query", 130),
    ("mld-listener-report", 131),
    ("mld-listener-done", 132),
    ("mld-listener-reduction", 132),
    ("nd-router-solicit", 133),
    ("nd-router-advert", 134),
    ("nd-neighbor-solicit", 135),
    ("nd-neighbor-advert", 136),
    ("nd-redirect", 137),
    ("router-renumbering", 138),
    ("ind-neighbor-solicit", 141),
    ("ind-neighbor-advert", 142),
    ("mld2-listener-report", 143),
];

/// JSON for a message, cut where it is long.
fn shortened(value: &Value) -> String {
    let text = value.to_string();
    match text.char_indices().nth(60) {
        Some((end, _)) => format!("{}...", &text[..end]),
        None => text,
    }
}
