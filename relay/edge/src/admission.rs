//! Who may enter: connections in all and per address, and how many of them may still be strangers.
//!
//! Everything here is decided before a byte is read, so that a refusal costs one accept and one close. What was admitted is
//! held by a [`Permit`]; dropping it gives the places back, so that no path can forget to.

use std::{
    collections::{HashMap, VecDeque},
    net::{IpAddr, Ipv6Addr},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// Places above the totals that only addresses of proved backends may take: a flood of strangers cannot keep a backend
/// from coming back. Worst case: this many connections more than configured.
const BACKEND_RESERVE: usize = 64;

/// Addresses of backends that are remembered, newest last. More backends than this only lose the privilege.
const BACKEND_ADDRESSES_MAX: usize = 256;

/// Addresses for which room is kept when a burst is over (about 40 bytes each).
const ADDRESSES_KEPT: usize = 1_024;

/// The bounds that [`Admission`] holds. Each is at least 1; the configuration has checked that.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AdmissionLimits {
    /// Connections in all.
    pub connections: usize,
    /// Connections of one address.
    pub connections_per_address: usize,
    /// Connections in all that have not proved anything yet.
    pub handshakes: usize,
    /// The same of one address.
    pub handshakes_per_address: usize,
    /// From this many unproved connections on, strangers are refused at random: none here, all at
    /// [`Self::handshakes`], in proportion between.
    pub early_refusal_from: usize,
}

/// Why a connection was not admitted; a label of a metric.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum NotAdmitted {
    /// Too many connections in all.
    Connections,
    /// Too many connections of this address.
    ConnectionsPerAddress,
    /// Too many unproved connections in all.
    Handshakes,
    /// Too many unproved connections of this address.
    HandshakesPerAddress,
    /// A stranger, refused at random because there are many unproved connections.
    EarlyRefusal,
}

impl NotAdmitted {
    /// Every reason, for metrics.
    pub const ALL: [Self; 5] = [
        Self::Connections,
        Self::ConnectionsPerAddress,
        Self::Handshakes,
        Self::HandshakesPerAddress,
        Self::EarlyRefusal,
    ];

    /// The reason as metrics and logs spell it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Connections => "connections",
            Self::ConnectionsPerAddress => "connections-per-address",
            Self::Handshakes => "handshakes",
            Self::HandshakesPerAddress => "handshakes-per-address",
            Self::EarlyRefusal => "early-refusal",
        }
    }
}

/// What counts as one address: an IPv4 address, or the /64 that one IPv6 subscriber gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Source(IpAddr);

impl Source {
    fn of(address: IpAddr) -> Self {
        match address.to_canonical() {
            IpAddr::V4(address) => Self(IpAddr::V4(address)),
            IpAddr::V6(address) => {
                let network = u128::from(address) & !u128::from(u64::MAX);
                Self(IpAddr::V6(Ipv6Addr::from(network)))
            }
        }
    }
}

#[derive(Clone, Copy, Debug, Default)]
struct Counts {
    connections: usize,
    handshakes: usize,
}

impl Counts {
    /// Whether a connection of this address has proved itself and still stands.
    const fn is_established(self) -> bool {
        self.connections > self.handshakes
    }
}

#[derive(Default)]
struct State {
    total: Counts,
    addresses: HashMap<Source, Counts>,
    backends: VecDeque<Source>,
}

/// The counts of everything that was admitted and has not ended.
pub struct Admission {
    limits: AdmissionLimits,
    state: Mutex<State>,
}

impl Admission {
    /// Nothing admitted yet.
    #[must_use]
    pub fn new(limits: AdmissionLimits) -> Arc<Self> {
        Arc::new(Self { limits, state: Mutex::default() })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Admits a connection from `address`, unproved at first. `draw` gives a random number when one is needed.
    ///
    /// # Errors
    /// [`NotAdmitted`]: close the connection and count the reason.
    pub fn admit(self: &Arc<Self>, address: IpAddr, draw: impl FnOnce() -> u32) -> Result<Permit, NotAdmitted> {
        let source = Source::of(address);
        let limits = &self.limits;
        let mut state = self.state();
        let known = state.backends.contains(&source);
        let reserve = if known { BACKEND_RESERVE } else { 0 };
        let mine = state.addresses.get(&source).copied().unwrap_or_default();
        if state.total.connections >= limits.connections.saturating_add(reserve) {
            return Err(NotAdmitted::Connections);
        }
        if !known && mine.connections >= limits.connections_per_address {
            return Err(NotAdmitted::ConnectionsPerAddress);
        }
        if state.total.handshakes >= limits.handshakes.saturating_add(reserve) {
            return Err(NotAdmitted::Handshakes);
        }
        if mine.handshakes >= limits.handshakes_per_address {
            return Err(NotAdmitted::HandshakesPerAddress);
        }
        if !known && !mine.is_established() && refuse_early(limits, state.total.handshakes, draw) {
            return Err(NotAdmitted::EarlyRefusal);
        }
        state.total.connections += 1;
        state.total.handshakes += 1;
        let mine = state.addresses.entry(source).or_default();
        mine.connections += 1;
        mine.handshakes += 1;
        drop(state);
        Ok(Permit { admission: Arc::clone(self), source, pending: true })
    }

    /// Connections admitted now, and how many of them have not proved anything: for `/status`.
    #[must_use]
    pub fn in_use(&self) -> (usize, usize) {
        let total = self.state().total;
        (total.connections, total.handshakes)
    }
}

/// Whether a stranger is refused although there is a place: certain at the limit, never below the threshold.
fn refuse_early(limits: &AdmissionLimits, handshakes: usize, draw: impl FnOnce() -> u32) -> bool {
    let Some(above) = handshakes.checked_sub(limits.early_refusal_from) else { return false };
    let span = limits.handshakes.saturating_sub(limits.early_refusal_from).max(1);
    // 2^32 numbers onto `span` steps: the comparison stays in 128 bits, so nothing overflows.
    (u128::from(draw()) * span as u128) >> 32 < above as u128
}

/// A place among the admitted connections, given back when dropped. Held by the connection's task.
pub struct Permit {
    admission: Arc<Admission>,
    source: Source,
    pending: bool,
}

impl Permit {
    /// The peer has proved itself (or holds a token): its place among the unproved is free again.
    pub fn proved(&mut self) {
        if !std::mem::take(&mut self.pending) {
            return;
        }
        let mut state = self.admission.state();
        state.total.handshakes -= 1;
        if let Some(mine) = state.addresses.get_mut(&self.source) {
            mine.handshakes -= 1;
        }
    }

    /// The peer is a backend that proved itself: from now on its address is known.
    pub fn proved_backend(&mut self) {
        self.proved();
        let mut state = self.admission.state();
        if state.backends.back() == Some(&self.source) {
            return;
        }
        let source = self.source;
        state.backends.retain(|other| *other != source);
        if state.backends.len() >= BACKEND_ADDRESSES_MAX {
            state.backends.pop_front();
        }
        state.backends.push_back(source);
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        self.proved();
        let mut state = self.admission.state();
        state.total.connections -= 1;
        if let Some(mine) = state.addresses.get_mut(&self.source) {
            mine.connections -= 1;
            if mine.connections == 0 {
                state.addresses.remove(&self.source);
                // Memory goes back after a burst; the map is never kept at its largest size.
                if state.addresses.capacity() > ADDRESSES_KEPT && state.addresses.len() * 4 < state.addresses.capacity()
                {
                    let keep = state.addresses.len() * 2;
                    state.addresses.shrink_to(keep);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    const LIMITS: AdmissionLimits = AdmissionLimits {
        connections: 6,
        connections_per_address: 4,
        handshakes: 4,
        handshakes_per_address: 2,
        early_refusal_from: 4,
    };

    fn address(last: u8) -> IpAddr {
        IpAddr::V4(Ipv4Addr::new(192, 0, 2, last))
    }

    fn never() -> u32 {
        panic!("no random number is needed below the threshold")
    }

    fn refusal(result: Result<Permit, NotAdmitted>) -> Option<NotAdmitted> {
        result.err()
    }

    #[test]
    fn handshakes_are_bounded_per_address_and_given_back_when_proved() {
        let admission = Admission::new(LIMITS);
        let mut first = admission.admit(address(1), never).unwrap();
        let _second = admission.admit(address(1), never).unwrap();
        assert_eq!(refusal(admission.admit(address(1), never)), Some(NotAdmitted::HandshakesPerAddress));
        first.proved();
        first.proved();
        let _third = admission.admit(address(1), never).unwrap();
        assert_eq!(admission.in_use(), (3, 2));
    }

    #[test]
    fn connections_are_bounded_per_address_and_in_all() {
        let admission = Admission::new(LIMITS);
        let mut permits = Vec::new();
        for last in [1, 1, 1, 1, 2, 2] {
            let mut permit = admission.admit(address(last), never).unwrap();
            permit.proved();
            permits.push(permit);
            if permits.len() == 4 {
                assert_eq!(refusal(admission.admit(address(1), never)), Some(NotAdmitted::ConnectionsPerAddress));
            }
        }
        assert_eq!(refusal(admission.admit(address(3), never)), Some(NotAdmitted::Connections));
        permits.clear();
        assert_eq!(admission.in_use(), (0, 0));
        assert!(admission.state().addresses.is_empty());
    }

    #[test]
    fn handshakes_are_bounded_in_all() {
        let admission = Admission::new(LIMITS);
        let _held: Vec<_> = [1, 1, 2, 2].map(|last| admission.admit(address(last), never).unwrap()).into();
        assert_eq!(refusal(admission.admit(address(3), never)), Some(NotAdmitted::Handshakes));
    }

    #[test]
    fn strangers_are_refused_in_proportion_and_known_addresses_never() {
        let limits = AdmissionLimits { handshakes: 12, early_refusal_from: 2, connections: 100, ..LIMITS };
        let admission = Admission::new(limits);
        let mut established = admission.admit(address(1), never).unwrap();
        established.proved();
        let mut backend = admission.admit(address(2), never).unwrap();
        backend.proved_backend();
        // 7 unproved: half way between 2 and 12, so the lower half of the random numbers refuses.
        let _held: Vec<_> = (10..17).map(|last| admission.admit(address(last), || u32::MAX).unwrap()).collect();
        assert_eq!(refusal(admission.admit(address(20), || u32::MAX / 2)), Some(NotAdmitted::EarlyRefusal));
        assert_eq!(refusal(admission.admit(address(20), || u32::MAX / 2 + 1)), None);
        assert_eq!(refusal(admission.admit(address(1), never)), None);
        assert_eq!(refusal(admission.admit(address(2), never)), None);
    }

    #[test]
    fn a_backend_comes_in_when_strangers_hold_every_place() {
        let admission = Admission::new(LIMITS);
        let mut backend = admission.admit(address(9), never).unwrap();
        backend.proved_backend();
        drop(backend);
        let _held: Vec<_> = [1, 1, 2, 2].map(|last| admission.admit(address(last), never).unwrap()).into();
        assert_eq!(refusal(admission.admit(address(3), never)), Some(NotAdmitted::Handshakes));
        assert_eq!(refusal(admission.admit(address(9), never)), None);
    }

    #[test]
    fn one_ipv6_subscriber_is_one_address() {
        let admission = Admission::new(LIMITS);
        let own = |text: &str| text.parse::<IpAddr>().unwrap();
        let _a = admission.admit(own("2001:db8:0:1::1"), never).unwrap();
        let _b = admission.admit(own("2001:db8:0:1:ffff::2"), never).unwrap();
        assert_eq!(refusal(admission.admit(own("2001:db8:0:1::3"), never)), Some(NotAdmitted::HandshakesPerAddress));
        assert_eq!(Source::of(own("::ffff:192.0.2.1")), Source::of(address(1)));
    }
}
