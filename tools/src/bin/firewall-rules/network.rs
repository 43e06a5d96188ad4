//! Addresses and networks as packet filters take them.

use std::{
    fmt,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    str::FromStr,
};

use serde::{Serialize, Serializer};
use thiserror::Error;

/// The version of the Internet Protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Family {
    /// IPv4.
    Ipv4,
    /// IPv6.
    Ipv6,
}

impl Family {
    /// Both, in the order of output.
    pub const ALL: [Self; 2] = [Self::Ipv4, Self::Ipv6];

    /// The family of an address.
    pub const fn of(address: IpAddr) -> Self {
        match address {
            IpAddr::V4(_) => Self::Ipv4,
            IpAddr::V6(_) => Self::Ipv6,
        }
    }

    /// Bits of an address.
    pub const fn bits(self) -> u8 {
        match self {
            Self::Ipv4 => 32,
            Self::Ipv6 => 128,
        }
    }

    /// As people write it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ipv4 => "IPv4",
            Self::Ipv6 => "IPv6",
        }
    }
}

impl fmt::Display for Family {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A network: an address whose host bits are zero, and the length of its prefix.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Network {
    address: IpAddr,
    prefix: u8,
}

/// Why a text is no network.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum NetworkError {
    /// Neither an address nor a network.
    #[error("not an address or network; write for example 192.0.2.0/24, 192.0.2.7 or 2001:db8::/32")]
    Syntax,
    /// The prefix is longer than an address.
    #[error("a prefix of {prefix} bits, but an {family} address has {}", family.bits())]
    Prefix {
        /// What was written.
        prefix: u32,
        /// Of the address before it.
        family: Family,
    },
    /// The address names a host in the network.
    #[error("the address has bits beyond its prefix; write {network} for the network, or {address} for the host")]
    HostBits {
        /// The network that the address lies in.
        network: Network,
        /// The address alone.
        address: IpAddr,
    },
}

impl Network {
    /// One address.
    pub const fn host(address: IpAddr) -> Self {
        Self { address, prefix: Family::of(address).bits() }
    }

    /// Every address of a family.
    pub const fn any(family: Family) -> Self {
        let address = match family {
            Family::Ipv4 => IpAddr::V4(Ipv4Addr::UNSPECIFIED),
            Family::Ipv6 => IpAddr::V6(Ipv6Addr::UNSPECIFIED),
        };
        Self { address, prefix: 0 }
    }

    /// The family.
    pub const fn family(self) -> Family {
        Family::of(self.address)
    }

    /// The first address.
    pub const fn address(self) -> IpAddr {
        self.address
    }

    /// Bits of the prefix.
    pub const fn prefix(self) -> u8 {
        self.prefix
    }

    /// Whether it is every address of its family.
    pub const fn is_any(self) -> bool {
        self.prefix == 0
    }

    /// Whether it is a single address.
    pub const fn is_host(self) -> bool {
        self.prefix == self.family().bits()
    }

    /// Whether all of `other` lies in it.
    pub fn contains(self, other: Self) -> bool {
        self.family() == other.family()
            && self.prefix <= other.prefix
            && masked(other.address, self.prefix) == self.address
    }

    /// With its prefix, also where it is a single address.
    pub fn cidr(self) -> String {
        format!("{}/{}", self.address, self.prefix)
    }
}

/// The address with all bits behind the prefix cleared.
fn masked(address: IpAddr, prefix: u8) -> IpAddr {
    match address {
        IpAddr::V4(address) => {
            let mask = u32::MAX.checked_shl(32 - u32::from(prefix.min(32))).unwrap_or(0);
            IpAddr::V4(Ipv4Addr::from_bits(address.to_bits() & mask))
        }
        IpAddr::V6(address) => {
            let mask = u128::MAX.checked_shl(128 - u32::from(prefix.min(128))).unwrap_or(0);
            IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & mask))
        }
    }
}

impl FromStr for Network {
    type Err = NetworkError;

    fn from_str(text: &str) -> Result<Self, NetworkError> {
        let (address, prefix) = match text.split_once('/') {
            Some((address, prefix)) => (address, Some(prefix)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().map_err(|_| NetworkError::Syntax)?;
        let family = Family::of(address);
        let Some(prefix) = prefix else { return Ok(Self::host(address)) };
        if prefix.is_empty() || prefix.len() > 3 || !prefix.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(NetworkError::Syntax);
        }
        let bits: u32 = prefix.parse().map_err(|_| NetworkError::Syntax)?;
        let prefix = u8::try_from(bits).ok().filter(|bits| *bits <= family.bits());
        let prefix = prefix.ok_or(NetworkError::Prefix { prefix: bits, family })?;
        let network = Self { address: masked(address, prefix), prefix };
        if network.address == address { Ok(network) } else { Err(NetworkError::HostBits { network, address }) }
    }
}

impl fmt::Display for Network {
    /// A single address without its prefix, as people and packet filters write it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_host() { self.address.fmt(f) } else { write!(f, "{}/{}", self.address, self.prefix) }
    }
}

impl Serialize for Network {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn networks_are_read_and_written() {
        for text in ["0.0.0.0/0", "::/0", "192.0.2.0/24", "192.0.2.7", "2001:db8::/32", "2001:db8::7"] {
            assert_eq!(text.parse::<Network>().unwrap().to_string(), text);
        }
        assert_eq!("192.0.2.7/32".parse::<Network>().unwrap().to_string(), "192.0.2.7");
        for text in ["", "/", "192.0.2.0/", "192.0.2.0/+8", "192.0.2.0/033a", "example.org", "192.0.2"] {
            assert_eq!(text.parse::<Network>(), Err(NetworkError::Syntax), "{text}");
        }
        assert!(matches!("192.0.2.0/33".parse::<Network>(), Err(NetworkError::Prefix { prefix: 33, .. })));
        assert!(matches!("192.0.2.7/24".parse::<Network>(), Err(NetworkError::HostBits { .. })));
    }

    #[test]
    fn a_network_contains_its_parts() {
        let network = |text: &str| text.parse::<Network>().unwrap();
        assert!(network("10.0.0.0/8").contains(network("10.1.0.0/16")));
        assert!(network("0.0.0.0/0").contains(network("10.1.2.3")));
        assert!(!network("10.1.0.0/16").contains(network("10.0.0.0/8")));
        assert!(!network("0.0.0.0/0").contains(network("::/0")));
        assert!(network("2001:db8::/32").contains(network("2001:db8:1::/48")));
    }
}
