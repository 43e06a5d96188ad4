//! Sets of packets, exactly: a packet is a point in a space of ten dimensions, and a set of packets a list of blocks in it.

use thiserror::Error;

use crate::{
    network::{Family, Network},
    rules::Direction,
};

/// Blocks of a region at most: a rule set that needs more is no rule set for a firewall of the relay.
const BLOCKS_MAX: usize = 20_000;

/// A rule set is too tangled to be compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("the rules cut each other into more than {BLOCKS_MAX} pieces; compare the relay's own table alone")]
pub struct TooTangled;

/// What rules tell packets apart by, besides the family.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dimension {
    /// 0: loopback; 1: any other. Of packets that come in or pass, where they come in; of others, where they go out.
    Interface,
    /// See [`STATES`].
    State,
    /// 0: as the connection was opened; 1: the answers.
    Way,
    /// The number of the protocol above IP.
    Protocol,
    /// The source's address.
    Source,
    /// The destination's address.
    Destination,
    /// The source's port.
    SourcePort,
    /// The destination's port.
    Port,
    /// The type of ICMP or ICMPv6.
    IcmpType,
    /// Time to live, or hop limit.
    Hops,
}

impl Dimension {
    /// All, in the order of a block's sides.
    pub const ALL: [Self; 10] = [
        Self::Interface,
        Self::State,
        Self::Way,
        Self::Protocol,
        Self::Source,
        Self::Destination,
        Self::SourcePort,
        Self::Port,
        Self::IcmpType,
        Self::Hops,
    ];

    const fn index(self) -> usize {
        self as usize
    }

    /// Everything in this dimension.
    pub const fn all(self, family: Family) -> Interval {
        let last = match self {
            Self::Interface | Self::Way => 1,
            Self::State => STATES.len() as u128 - 1,
            Self::Protocol | Self::IcmpType | Self::Hops => 255,
            Self::SourcePort | Self::Port => 65_535,
            Self::Source | Self::Destination => match family {
                Family::Ipv4 => u32::MAX as u128,
                Family::Ipv6 => u128::MAX,
            },
        };
        Interval { first: 0, last }
    }
}

/// The states that the kernel tells connections apart by, as the dimension numbers them.
pub const STATES: [&str; 5] = ["new", "established", "related", "invalid", "untracked"];
/// The number of `new`.
pub const NEW: u128 = 0;
/// The number of `established`.
pub const ESTABLISHED: u128 = 1;
/// The number of `related`.
pub const RELATED: u128 = 2;
/// ICMP's protocol number.
pub const ICMP: u128 = 1;
/// TCP's.
pub const TCP: u128 = 6;
/// UDP's.
pub const UDP: u128 = 17;
/// ICMPv6's.
pub const ICMPV6: u128 = 58;

/// Values from the first to the last, both of them included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Interval {
    /// The first.
    pub first: u128,
    /// The last, not before the first.
    pub last: u128,
}

impl Interval {
    /// One value.
    pub const fn only(value: u128) -> Self {
        Self { first: value, last: value }
    }

    /// The values of both.
    fn both(self, other: Self) -> Option<Self> {
        let both = Self { first: self.first.max(other.first), last: self.last.min(other.last) };
        (both.first <= both.last).then_some(both)
    }

    /// The addresses of a network.
    pub fn of(network: Network) -> Self {
        let (first, bits) = match network.address() {
            std::net::IpAddr::V4(address) => (u128::from(address.to_bits()), 32),
            std::net::IpAddr::V6(address) => (address.to_bits(), 128),
        };
        let host_bits = bits - u32::from(network.prefix());
        let size = 1_u128.checked_shl(host_bits).map_or(u128::MAX, |size| size - 1);
        Self { first, last: first | size }
    }

    /// What is left of `whole` without these.
    pub fn complement(intervals: &[Self], whole: Self) -> Vec<Self> {
        let mut left = vec![whole];
        for cut in intervals {
            left = left
                .into_iter()
                .flat_map(|piece| {
                    let Some(both) = piece.both(*cut) else { return vec![piece] };
                    let before = (piece.first < both.first).then(|| Self { first: piece.first, last: both.first - 1 });
                    let after = (both.last < piece.last).then(|| Self { first: both.last + 1, last: piece.last });
                    before.into_iter().chain(after).collect()
                })
                .collect();
        }
        left
    }
}

/// A product of intervals, one for each dimension.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Block {
    /// The family of its packets.
    pub family: Family,
    sides: [Interval; 10],
}

impl Block {
    /// Its values in a dimension.
    pub const fn side(&self, dimension: Dimension) -> Interval {
        self.sides[dimension.index()]
    }

    /// Whether they have a packet in common. Addresses and ports tell most rules apart: they are looked at first.
    fn meets(&self, other: &Self) -> bool {
        let apart = |place: usize| {
            let (own, other) = (self.sides[place], other.sides[place]);
            own.first > other.last || other.first > own.last
        };
        self.family == other.family
            && ![Dimension::Source, Dimension::Port, Dimension::Destination].iter().any(|side| apart(side.index()))
            && !(0..self.sides.len()).any(apart)
    }

    fn both(&self, other: &Self) -> Option<Self> {
        if !self.meets(other) {
            return None;
        }
        let mut both = *self;
        for (side, cut) in both.sides.iter_mut().zip(&other.sides) {
            *side = side.both(*cut)?;
        }
        Some(both)
    }

    /// What is left of it without `cut`, as at most two blocks for each dimension.
    fn without(&self, cut: &Self, left: &mut Vec<Self>) {
        let Some(both) = self.both(cut) else {
            left.push(*self);
            return;
        };
        let mut rest = *self;
        for place in 0..rest.sides.len() {
            let (side, taken) = (rest.sides[place], both.sides[place]);
            if side.first < taken.first {
                let mut before = rest;
                before.sides[place].last = taken.first - 1;
                left.push(before);
            }
            if taken.last < side.last {
                let mut after = rest;
                after.sides[place].first = taken.last + 1;
                left.push(after);
            }
            rest.sides[place] = taken;
        }
    }
}

/// A set of packets.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Region {
    blocks: Vec<Block>,
}

impl Region {
    /// Every packet of these families that a chain in this direction can see.
    pub fn all(direction: Direction, families: &[Family]) -> Self {
        let blocks = families
            .iter()
            .map(|family| Block { family: *family, sides: Dimension::ALL.map(|dimension| dimension.all(*family)) });
        let all = Self { blocks: blocks.collect() };
        match direction {
            // What passes through a router is on no loopback.
            Direction::Forward => all.within(Dimension::Interface, &[Interval::only(1)]),
            Direction::Input | Direction::Output => all,
        }
    }

    /// Its blocks; they may overlap.
    pub fn blocks(&self) -> &[Block] {
        &self.blocks
    }

    /// Whether there is no packet in it.
    pub const fn is_empty(&self) -> bool {
        self.blocks.is_empty()
    }

    /// Its packets of a family.
    pub fn of(&self, family: Family) -> Self {
        Self { blocks: self.blocks.iter().filter(|block| block.family == family).copied().collect() }
    }

    /// Its packets that have one of these values in a dimension.
    pub fn within(&self, dimension: Dimension, values: &[Interval]) -> Self {
        let mut blocks = Vec::new();
        for block in &self.blocks {
            for interval in values {
                if let Some(both) = block.side(dimension).both(*interval) {
                    let mut narrowed = *block;
                    narrowed.sides[dimension.index()] = both;
                    blocks.push(narrowed);
                }
            }
        }
        Self { blocks }
    }

    /// The packets of both.
    ///
    /// # Errors
    /// [`TooTangled`]
    pub fn both(&self, other: &Self) -> Result<Self, TooTangled> {
        let mut blocks = Vec::new();
        for block in &self.blocks {
            blocks.extend(other.blocks.iter().filter_map(|cut| block.both(cut)));
            bounded(&blocks)?;
        }
        Ok(Self { blocks })
    }

    /// Its packets that are not in `other`.
    ///
    /// # Errors
    /// [`TooTangled`]
    pub fn without(&self, other: &Self) -> Result<Self, TooTangled> {
        let mut left = self.clone();
        left.remove(other)?;
        Ok(left)
    }

    /// Takes the packets of `other` out of it.
    ///
    /// # Errors
    /// [`TooTangled`]
    pub fn remove(&mut self, other: &Self) -> Result<(), TooTangled> {
        for cut in &other.blocks {
            if !self.blocks.iter().any(|block| block.meets(cut)) {
                continue;
            }
            let mut next = Vec::with_capacity(self.blocks.len());
            for block in &self.blocks {
                block.without(cut, &mut next);
            }
            bounded(&next)?;
            self.blocks = next;
        }
        Ok(())
    }

    /// The packets of either.
    ///
    /// # Errors
    /// [`TooTangled`]
    pub fn extend(&mut self, other: &Self) -> Result<(), TooTangled> {
        self.blocks.extend(&other.blocks);
        bounded(&self.blocks)
    }

    /// The values of a dimension that its packets have, as intervals apart from each other.
    pub fn sides(&self, dimension: Dimension) -> Vec<Interval> {
        let mut sides: Vec<Interval> = self.blocks.iter().map(|block| block.side(dimension)).collect();
        sides.sort_by_key(|side| (side.first, side.last));
        let mut merged: Vec<Interval> = Vec::new();
        for side in sides {
            match merged.last_mut() {
                Some(last) if side.first <= last.last.saturating_add(1) => last.last = last.last.max(side.last),
                _ => merged.push(side),
            }
        }
        merged
    }
}

const fn bounded(blocks: &[Block]) -> Result<(), TooTangled> {
    if blocks.len() > BLOCKS_MAX { Err(TooTangled) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ports(first: u128, last: u128) -> Region {
        Region::all(Direction::Input, &Family::ALL).within(Dimension::Port, &[Interval { first, last }])
    }

    #[test]
    fn what_is_cut_out_is_gone_and_the_rest_is_there() {
        let all = Region::all(Direction::Input, &Family::ALL);
        let rest = all.without(&ports(10, 20)).unwrap();
        assert!(rest.both(&ports(10, 20)).unwrap().is_empty());
        assert!(ports(0, 9).without(&rest).unwrap().is_empty());
        assert!(ports(21, 65_535).without(&rest).unwrap().is_empty());
        assert!(all.without(&rest).unwrap().without(&ports(10, 20)).unwrap().is_empty());
        assert!(ports(10, 20).without(&all).unwrap().is_empty());
    }

    #[test]
    fn intervals_and_their_complements() {
        let whole = Interval { first: 0, last: 255 };
        assert_eq!(Interval::complement(&[], whole), [whole]);
        assert_eq!(Interval::complement(&[whole], whole), []);
        let middle = [Interval { first: 5, last: 9 }, Interval::only(7), Interval::only(255)];
        assert_eq!(
            Interval::complement(&middle, whole),
            [Interval { first: 0, last: 4 }, Interval { first: 10, last: 254 }]
        );
        let network = |text: &str| Interval::of(text.parse().unwrap());
        assert_eq!(network("0.0.0.0/0"), Interval { first: 0, last: u128::from(u32::MAX) });
        assert_eq!(network("::/0"), Interval { first: 0, last: u128::MAX });
        assert_eq!(network("10.0.0.0/30"), Interval { first: 0x0a00_0000, last: 0x0a00_0003 });
    }
}
