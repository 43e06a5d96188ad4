//! Values as people write them.

use std::{
    fmt,
    net::{IpAddr, SocketAddr},
    str::FromStr,
    time::Duration,
};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// A value that a configuration may hold as text.
pub trait Setting: FromStr {
    /// What to write instead of a wrong one, with an example.
    const REMEDY: &'static str;
}

/// Why a text is not the value it should be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ValueError {
    /// Not a duration.
    #[error("not a duration ({0})")]
    Duration(String),
    /// Not a size.
    #[error("not a size")]
    Size,
    /// More bytes than can be counted.
    #[error("too large")]
    TooLarge,
    /// Not an address to listen on.
    #[error("not an IP address with a port")]
    Listen,
    /// Not a host with a port.
    #[error("not a host with a port")]
    HostPort,
    /// A host name with a character, a label or a length that none has.
    #[error("not a host name")]
    HostName,
    /// Port 0 cannot be dialled.
    #[error("port 0 cannot be dialled")]
    PortZero,
}

macro_rules! text_serde {
    ($type:ty) => {
        impl Setting for $type {
            const REMEDY: &'static str = Self::WRITE;
        }
        impl Serialize for $type {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }
        impl<'de> Deserialize<'de> for $type {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = String::deserialize(deserializer)?;
                text.parse().map_err(|error| de::Error::custom(format!("{text:?} is {error}; {}", Self::WRITE)))
            }
        }
    };
}

/// A duration: `500ms`, `10s`, `5m`, `2h 30m`, `7d`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct HumanDuration(pub Duration);

impl HumanDuration {
    const WRITE: &str = "write a number with its unit, for example \"500ms\", \"10s\", \"5m\" or \"7d\"";
}

text_serde!(HumanDuration);

impl FromStr for HumanDuration {
    type Err = ValueError;
    fn from_str(text: &str) -> Result<Self, ValueError> {
        humantime::parse_duration(text).map(Self).map_err(|error| ValueError::Duration(error.to_string()))
    }
}

impl fmt::Display for HumanDuration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        humantime::format_duration(self.0).fmt(f)
    }
}

/// A number of bytes: `65536`, `64KiB`, `1 MiB`, `2GiB`, or in powers of ten `64kB`, `1MB`, `2GB`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ByteSize(pub u64);

impl ByteSize {
    const WRITE: &str = "write a whole number with its unit, for example \"64KiB\", \"1MiB\" or \"2GiB\"";
    const UNITS: [(&'static str, u64); 9] = [
        ("GiB", 1 << 30),
        ("MiB", 1 << 20),
        ("KiB", 1 << 10),
        ("GB", 1_000_000_000),
        ("MB", 1_000_000),
        ("kB", 1_000),
        ("KB", 1_000),
        ("B", 1),
        ("", 1),
    ];
}

text_serde!(ByteSize);

impl FromStr for ByteSize {
    type Err = ValueError;
    fn from_str(text: &str) -> Result<Self, ValueError> {
        let text = text.trim();
        let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
        let (number, unit) = text.split_at(digits);
        let unit = unit.trim_start();
        let (_, factor) = Self::UNITS.iter().find(|(name, _)| *name == unit).ok_or(ValueError::Size)?;
        if number.is_empty() {
            return Err(ValueError::Size);
        }
        // Only digits are left, so what fails is the size of the number.
        let number: u64 = number.parse().map_err(|_| ValueError::TooLarge)?;
        number.checked_mul(*factor).map(Self).ok_or(ValueError::TooLarge)
    }
}

impl fmt::Display for ByteSize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (unit, factor) in &Self::UNITS[..3] {
            if self.0 >= *factor && self.0.is_multiple_of(*factor) {
                return write!(f, "{}{unit}", self.0 / factor);
            }
        }
        write!(f, "{}B", self.0)
    }
}

/// An address to listen on: `0.0.0.0:443`, `[::]:443`, `127.0.0.1:0` (a port chosen by the system).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ListenAddr(pub SocketAddr);

impl ListenAddr {
    const WRITE: &str = "write IP:PORT, for example \"0.0.0.0:443\" or \"[::]:443\"";
}

text_serde!(ListenAddr);

impl FromStr for ListenAddr {
    type Err = ValueError;
    fn from_str(text: &str) -> Result<Self, ValueError> {
        text.parse().map(Self).map_err(|_| ValueError::Listen)
    }
}

impl fmt::Display for ListenAddr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A host name or IP address with a port: `edge.example.org:443`, `192.0.2.7:443`, `[2001:db8::7]:443`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HostPort {
    host: String,
    port: u16,
}

impl HostPort {
    const WRITE: &str =
        "write HOST:PORT, for example \"edge.example.org:443\", \"192.0.2.7:443\" or \"[2001:db8::7]:443\"";

    /// The host: a name, or an IP address without brackets.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The port, never 0.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// As tokio's `connect` and `lookup_host` take it.
    #[must_use]
    pub fn as_pair(&self) -> (&str, u16) {
        (&self.host, self.port)
    }
}

impl From<SocketAddr> for HostPort {
    fn from(address: SocketAddr) -> Self {
        Self { host: address.ip().to_string(), port: address.port() }
    }
}

text_serde!(HostPort);

impl FromStr for HostPort {
    type Err = ValueError;
    fn from_str(text: &str) -> Result<Self, ValueError> {
        let (host, port) = text.rsplit_once(':').ok_or(ValueError::HostPort)?;
        if port.is_empty() || !port.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(ValueError::HostPort);
        }
        let port: u16 = port.parse().map_err(|_| ValueError::HostPort)?;
        let host = match host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            Some(inner) => inner.parse::<std::net::Ipv6Addr>().map_err(|_| ValueError::HostPort)?.to_string(),
            None if host.contains(':') => return Err(ValueError::HostPort),
            None if host.parse::<IpAddr>().is_ok() || is_host_name(host) => host.to_owned(),
            None => return Err(ValueError::HostName),
        };
        if port == 0 {
            return Err(ValueError::PortZero);
        }
        Ok(Self { host, port })
    }
}

impl fmt::Display for HostPort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.host.contains(':') {
            write!(f, "[{}]:{}", self.host, self.port)
        } else {
            write!(f, "{}:{}", self.host, self.port)
        }
    }
}

/// RFC 1123, section 2.1, with the underscore that container networks use; a name of digits and dots alone is a
/// mistyped address.
fn is_host_name(name: &str) -> bool {
    let name = name.strip_suffix('.').unwrap_or(name);
    name.len() <= 253
        && name.bytes().any(|byte| byte.is_ascii_alphabetic())
        && name.split('.').all(|label| {
            (1..=63).contains(&label.len())
                && !label.starts_with('-')
                && !label.ends_with('-')
                && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
        })
}
