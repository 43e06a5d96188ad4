//! Sets of packets and places in rule sets, in words.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::{
    flatten::Location,
    space::{Dimension, ICMP, ICMPV6, Interval, NEW, Region, STATES, TCP, UDP},
};
use crate::network::Family;

/// A rule of the saved set.
pub fn location(at: &Location) -> String {
    match (&at.handle, &at.comment) {
        (None, _) => format!("the policy of {}", at.chain),
        (Some(handle), None) => format!("{}, handle {handle}", at.chain),
        (Some(handle), Some(comment)) => format!("{}, handle {handle} \"{comment}\"", at.chain),
    }
}

/// What a rule lets pass beyond what is needed, dimension by dimension.
pub fn wider(passing: &Region, needed: &Region, extra: &Region) -> Vec<String> {
    let new = |region: &Region| region.within(Dimension::State, &[Interval::only(NEW)]);
    // Who may open what is the question; that of packets in other states any may be needed hides the answer.
    let opens = !new(extra).is_empty();
    let (whole, part, over) =
        if opens { (new(passing), new(needed), new(extra)) } else { (passing.clone(), needed.clone(), extra.clone()) };
    let mut details: Vec<String> = Vec::new();
    let families: Vec<Family> = Family::ALL.into_iter().filter(|family| !over.of(*family).is_empty()).collect();
    for family in &families {
        let (whole, part) = (whole.of(*family), part.of(*family));
        if part.is_empty() {
            details.push(format!("of this nothing is needed: {}", packets(&whole)));
            continue;
        }
        let label = if families.len() > 1 { format!("{family} ") } else { String::new() };
        let differing: Vec<Dimension> =
            Dimension::ALL.into_iter().filter(|dimension| whole.sides(*dimension) != part.sides(*dimension)).collect();
        for dimension in &differing {
            // Answers are never new: where the states differ, the directions do.
            if *dimension == Dimension::Way && differing.contains(&Dimension::State) {
                continue;
            }
            let shown = |region: &Region| sides(*dimension, *family, &region.sides(*dimension));
            details.push(format!("{label}{}: {}; needed: {}", title(*dimension), shown(&whole), shown(&part)));
        }
    }
    let states = |region: &Region| sides(Dimension::State, Family::Ipv4, &region.sides(Dimension::State));
    if opens && extra.sides(Dimension::State) != [Interval::only(NEW)] {
        details.push(format!("state: {}; needed: {}", states(passing), states(needed)));
    }
    if details.is_empty() {
        details.push(format!("lets also pass {}", packets(extra)));
    }
    details
}

/// A set of packets, family by family.
pub fn packets(region: &Region) -> String {
    let of_family = |family: Family| {
        let part = region.of(family);
        if part.is_empty() {
            return None;
        }
        let mut words = vec![family.to_string()];
        let told = |dimension: &Dimension| !matches!(dimension, Dimension::Interface | Dimension::Way);
        for dimension in Dimension::ALL.into_iter().filter(told) {
            let values = part.sides(dimension);
            if values != [dimension.all(family)] {
                words.push(format!("{} {}", title(dimension), sides(dimension, family, &values)));
            }
        }
        if words.len() == 1 {
            words.push("whatever it is".to_owned());
        }
        Some(words.join(", "))
    };
    Family::ALL.into_iter().filter_map(of_family).collect::<Vec<_>>().join("; and ")
}

/// One packet of a set.
pub fn example(region: &Region) -> Option<String> {
    let best = region.blocks().iter().max_by_key(|block| {
        // What people know best.
        let has = |dimension, value| has(block.side(dimension), value);
        let ipv4 = block.family == Family::Ipv4;
        (has(Dimension::Interface, 1), has(Dimension::State, 0), has(Dimension::Protocol, TCP), ipv4)
    })?;
    let pick = |dimension: Dimension, favourite: u128| {
        let side = best.side(dimension);
        if has(side, favourite) { favourite } else { side.first }
    };
    let family = best.family;
    let protocol = pick(Dimension::Protocol, TCP);
    let host = |dimension: Dimension| {
        let whole = dimension.all(family);
        let side = best.side(dimension);
        // The first address of all is nobody's.
        let value = if side == whole {
            example_address(family)
        } else {
            side.first.max(u128::from(side.last > side.first && side.first == 0))
        };
        address(family, value)
    };
    let what = match protocol {
        TCP | UDP => format!(" port {}", pick(Dimension::Port, 22)),
        ICMP | ICMPV6 => format!(" type {}", pick(Dimension::IcmpType, 8)),
        _ => String::new(),
    };
    let loopback = if pick(Dimension::Interface, 1) == 0 { " on loopback" } else { "" };
    let state = usize::try_from(pick(Dimension::State, 0)).ok().and_then(|state| STATES.get(state)).copied();
    Some(format!(
        "{} from {} to {}{what}{loopback}, {}",
        protocol_name(protocol),
        host(Dimension::Source),
        host(Dimension::Destination),
        state.unwrap_or("new")
    ))
}

const fn has(side: Interval, value: u128) -> bool {
    side.first <= value && value <= side.last
}

/// An address of the documentation's networks.
fn example_address(family: Family) -> u128 {
    match family {
        Family::Ipv4 => u128::from(Ipv4Addr::new(203, 0, 113, 7).to_bits()),
        Family::Ipv6 => Ipv6Addr::new(0x2001, 0xdb8, 0xffff, 0, 0, 0, 0, 7).to_bits(),
    }
}

/// Intervals of a dimension: a few in full, of many the first and last value.
fn sides(dimension: Dimension, family: Family, values: &[Interval]) -> String {
    match (values.first(), values.last()) {
        (Some(first), Some(last)) if values.len() > SHOWN_MAX => {
            side(dimension, family, Interval { first: first.first, last: last.last }) + ", in parts"
        }
        _ => values.iter().map(|one| side(dimension, family, *one)).collect::<Vec<_>>().join(", "),
    }
}

/// Intervals that are shown one by one at most.
const SHOWN_MAX: usize = 6;

const fn title(dimension: Dimension) -> &'static str {
    match dimension {
        Dimension::Interface => "interface",
        Dimension::State => "state",
        Dimension::Way => "direction",
        Dimension::Protocol => "protocol",
        Dimension::Source => "from",
        Dimension::Destination => "to",
        Dimension::SourcePort => "source port",
        Dimension::Port => "port",
        Dimension::IcmpType => "ICMP type",
        Dimension::Hops => "hop limit",
    }
}

/// Values in a dimension.
fn side(dimension: Dimension, family: Family, values: Interval) -> String {
    if values == dimension.all(family) {
        return "any".to_owned();
    }
    match dimension {
        Dimension::Interface => (if values.first == 0 { "loopback" } else { "the network" }).to_owned(),
        Dimension::State => {
            let within = (0_u128..).zip(STATES).filter(|(number, _)| has(values, *number)).map(|(_, name)| name);
            within.collect::<Vec<_>>().join(", ")
        }
        Dimension::Way => (if values.first == 0 { "as the connection was opened" } else { "answers" }).to_owned(),
        Dimension::Protocol if values.first == values.last => protocol_name(values.first),
        Dimension::Source | Dimension::Destination => addresses(family, values),
        Dimension::Protocol | Dimension::SourcePort | Dimension::Port | Dimension::IcmpType | Dimension::Hops => {
            if values.first == values.last {
                values.first.to_string()
            } else {
                format!("{}-{}", values.first, values.last)
            }
        }
    }
}

fn protocol_name(number: u128) -> String {
    match number {
        ICMP => "ICMP".to_owned(),
        TCP => "TCP".to_owned(),
        UDP => "UDP".to_owned(),
        ICMPV6 => "ICMPv6".to_owned(),
        other => format!("protocol {other}"),
    }
}

/// A network where the addresses are one.
fn addresses(family: Family, values: Interval) -> String {
    let size = values.last - values.first;
    let aligned = size.checked_add(1).is_some_and(u128::is_power_of_two) && values.first & size == 0;
    if size == 0 {
        address(family, values.first).to_string()
    } else if aligned {
        format!("{}/{}", address(family, values.first), u32::from(family.bits()) - size.count_ones())
    } else {
        format!("{}-{}", address(family, values.first), address(family, values.last))
    }
}

fn address(family: Family, value: u128) -> IpAddr {
    match family {
        Family::Ipv4 => IpAddr::V4(Ipv4Addr::from_bits(u32::try_from(value).unwrap_or(u32::MAX))),
        Family::Ipv6 => IpAddr::V6(Ipv6Addr::from_bits(value)),
    }
}
