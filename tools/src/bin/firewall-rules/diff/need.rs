//! A needed rule as the set of packets that it lets pass.

use super::space::{Dimension, ESTABLISHED, ICMP, ICMPV6, Interval, NEW, RELATED, Region, TCP, UDP};
use crate::{
    network::Family,
    rules::{Direction, Flow, Protocol, Rule, Traffic},
};

/// The packets that a rule lets pass.
pub fn region(rule: &Rule) -> Region {
    let all = Region::all(rule.direction, &Family::ALL);
    if rule.traffic == Traffic::Loopback {
        return all.within(Dimension::Interface, &[Interval::only(0)]);
    }
    // Loopback has its rule; the others are for the network.
    let all = all.within(Dimension::Interface, &[Interval::only(1)]);
    let inward = match rule.direction {
        Direction::Forward | Direction::Input => true,
        Direction::Output => false,
    };
    match &rule.traffic {
        Traffic::Loopback => all,
        Traffic::Established => {
            let established = all.within(Dimension::State, &[Interval::only(ESTABLISHED)]);
            if inward { established } else { established.within(Dimension::Way, &[Interval::only(1)]) }
        }
        Traffic::IcmpErrors { family } => {
            let errors = match family {
                Family::Ipv4 => icmp(&all, Family::Ipv4, &[3, 11, 12]),
                Family::Ipv6 => icmp(&all, Family::Ipv6, &[1, 2, 3, 4]),
            };
            errors.within(Dimension::State, &[Interval::only(RELATED)])
        }
        Traffic::NeighbourDiscovery => {
            let third = if inward { 134 } else { 133 };
            icmp(&all, Family::Ipv6, &[third, 135, 136]).within(Dimension::Hops, &[Interval::only(255)])
        }
        Traffic::MulticastListener => {
            let types: &[u128] = if inward { &[130] } else { &[131, 143] };
            icmp(&all, Family::Ipv6, types).within(Dimension::Hops, &[Interval::only(1)])
        }
        Traffic::New(flow) => opening(&all, flow, inward),
    }
}

fn icmp(all: &Region, family: Family, types: &[u128]) -> Region {
    let protocol = match family {
        Family::Ipv4 => ICMP,
        Family::Ipv6 => ICMPV6,
    };
    let types: Vec<Interval> = types.iter().copied().map(Interval::only).collect();
    all.of(family).within(Dimension::Protocol, &[Interval::only(protocol)]).within(Dimension::IcmpType, &types)
}

fn opening(all: &Region, flow: &Flow, inward: bool) -> Region {
    let protocol = match flow.protocol {
        Protocol::Tcp => TCP,
        Protocol::Udp => UDP,
    };
    let states: &[Interval] =
        if inward { &[Interval::only(NEW)] } else { &[Interval::only(NEW), Interval::only(ESTABLISHED)] };
    all.of(flow.family())
        .within(Dimension::Protocol, &[Interval::only(protocol)])
        .within(Dimension::Source, &[Interval::of(flow.source)])
        .within(Dimension::Destination, &[Interval::of(flow.destination)])
        .within(Dimension::Port, &[Interval::only(u128::from(flow.port))])
        .within(Dimension::State, states)
}

/// Packets that cannot be: an answer is never the first packet of a connection.
pub fn impossible(direction: Direction) -> Region {
    Region::all(direction, &Family::ALL)
        .within(Dimension::State, &[Interval::only(NEW)])
        .within(Dimension::Way, &[Interval::only(1)])
}
