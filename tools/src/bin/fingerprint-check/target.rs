//! What a target is: `HOST`, `HOST:PORT`, `[IPV6]:PORT`, or a URL whose scheme names the protocol before TLS.

use std::{fmt, net::IpAddr};

use clap::ValueEnum;
use rustls_pki_types::ServerName;

use crate::{ask::quoted, connect::StartTls};

/// A host to connect to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Host {
    /// A DNS name.
    Name(String),
    /// An address.
    Address(IpAddr),
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => f.write_str(name),
            Self::Address(IpAddr::V6(address)) => write!(f, "[{address}]"),
            Self::Address(IpAddr::V4(address)) => address.fmt(f),
        }
    }
}

impl Host {
    /// As TLS names it.
    ///
    /// # Errors
    /// What is wrong with it as a DNS name.
    pub fn server_name(&self) -> Result<ServerName<'static>, String> {
        match self {
            Self::Address(address) => Ok((*address).into()),
            Self::Name(name) => server_name(name),
        }
    }
}

/// A DNS name or an IP address, as TLS names it.
///
/// # Errors
/// What is accepted.
pub fn server_name(text: &str) -> Result<ServerName<'static>, String> {
    let plain = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(text);
    // A trailing dot is DNS's way to say that a name is complete; certificates do not have it.
    let plain = plain.strip_suffix('.').unwrap_or(plain);
    ServerName::try_from(plain.to_owned()).map_err(|_| {
        let shown = quoted(text);
        if text.is_ascii() {
            format!("\"{shown}\" is neither a DNS name nor an IP address")
        } else {
            format!("\"{shown}\" is not ASCII; write the name as DNS has it, beginning with xn--")
        }
    })
}

/// Which addresses of a name may be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Family {
    /// All.
    #[default]
    Any,
    /// IPv4.
    V4,
    /// IPv6.
    V6,
}

impl Family {
    /// Whether this address may be used.
    pub const fn admits(self, address: IpAddr) -> bool {
        match self {
            Self::Any => true,
            Self::V4 => address.is_ipv4(),
            Self::V6 => address.is_ipv6(),
        }
    }

    /// As messages name it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Any => "IP",
            Self::V4 => "IPv4",
            Self::V6 => "IPv6",
        }
    }
}

/// A target as it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// The host.
    pub host: Host,
    /// The port.
    pub port: u16,
    /// What its scheme asks for before TLS.
    pub starttls: Option<StartTls>,
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.host, self.port)
    }
}

/// Bytes of a target at most; a DNS name has 253.
const LENGTH_MAX: usize = 4096;

/// Schemes with TLS from the first byte, and their ports.
const DIRECT: &[(&str, u16)] =
    &[("https", 443), ("tls", 443), ("smtps", 465), ("imaps", 993), ("pop3s", 995), ("ldaps", 636)];

impl Target {
    /// Reads a target. `starttls` is what the command line asks for; a scheme in the target that asks for something else is
    /// an error.
    ///
    /// # Errors
    /// What is accepted instead.
    pub fn parse(text: &str, starttls: Option<StartTls>) -> Result<Self, String> {
        if text.len() > LENGTH_MAX {
            return Err(format!("\"{}\" is too long for a target; give HOST:PORT, one a line", quoted(text)));
        }
        let (scheme, rest) = match text.split_once("://") {
            Some((scheme, rest)) => (Some(scheme.to_ascii_lowercase()), rest.split(['/', '?']).next().unwrap_or(rest)),
            None => (None, text),
        };
        let (starttls, default_port) = match scheme.as_deref() {
            None => (starttls, starttls.map_or(443, StartTls::port)),
            Some(scheme) => by_scheme(scheme, starttls, text)?,
        };
        let (host, port) = host_and_port(rest, text)?;
        let target = Self { host, port: port.unwrap_or(default_port), starttls };
        target.host.server_name().map_err(|reason| format!("target {reason}"))?;
        Ok(target)
    }
}

fn by_scheme(scheme: &str, asked: Option<StartTls>, text: &str) -> Result<(Option<StartTls>, u16), String> {
    let protocol = StartTls::value_variants().iter().copied().find(|protocol| protocol.scheme() == scheme);
    let direct = DIRECT.iter().find(|(name, _)| *name == scheme);
    match (protocol, direct, asked) {
        (Some(protocol), _, Some(asked)) if protocol != asked => {
            Err(format!("target {text:?} and --starttls {} ask for different protocols; leave one out", asked.scheme()))
        }
        (Some(protocol), ..) => Ok((Some(protocol), protocol.port())),
        (None, Some(_), Some(asked)) => Err(format!(
            "target {text:?} has TLS from the first byte, --starttls {} does not; leave one out",
            asked.scheme()
        )),
        (None, Some((_, port)), None) => Ok((None, *port)),
        (None, None, _) => Err(format!(
            "target {text:?} has an unknown scheme; give HOST:PORT, https://, or one of smtp://, imap://, ldap://, \
             postgres://, mysql:// for STARTTLS"
        )),
    }
}

/// A host with or without a port. An IPv6 address may stand without brackets if no port follows.
pub fn host_and_port(text: &str, whole: &str) -> Result<(Host, Option<u16>), String> {
    let malformed =
        || format!("{whole:?} is no target; give HOST, HOST:PORT or [IPV6]:PORT, such as edge.example.org:8443");
    if let Ok(address) = text.parse::<IpAddr>() {
        return Ok((Host::Address(address), None));
    }
    let (host, port) = if let Some(rest) = text.strip_prefix('[') {
        let (address, port) = rest.split_once(']').ok_or_else(malformed)?;
        let address: std::net::Ipv6Addr = address.parse().map_err(|_| malformed())?;
        let port = if port.is_empty() { None } else { Some(port.strip_prefix(':').ok_or_else(malformed)?) };
        (Host::Address(IpAddr::V6(address)), port)
    } else {
        let (host, port) = text.split_once(':').map_or((text, None), |(host, port)| (host, Some(port)));
        let host = host.parse().map_or_else(|_| Host::Name(host.to_owned()), Host::Address);
        (host, port)
    };
    let port = match port {
        None => None,
        Some(port) => Some(
            port.parse::<u16>()
                .ok()
                .filter(|port| *port != 0)
                .ok_or_else(|| format!("{whole:?}: the port must be a number from 1 to 65535"))?,
        ),
    };
    if matches!(&host, Host::Name(name) if name.is_empty() || name.contains(':')) {
        return Err(malformed());
    }
    Ok((host, port))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> String {
        Target::parse(text, None).map_or_else(|error| error, |target| format!("{target} {:?}", target.starttls))
    }

    #[test]
    fn spellings() {
        assert_eq!(shown("edge.example.org"), "edge.example.org:443 None");
        assert_eq!(shown("edge.example.org:8443"), "edge.example.org:8443 None");
        assert_eq!(shown("https://edge.example.org/path?x"), "edge.example.org:443 None");
        assert_eq!(shown("192.0.2.7:8443"), "192.0.2.7:8443 None");
        assert_eq!(shown("2001:db8::7"), "[2001:db8::7]:443 None");
        assert_eq!(shown("[2001:db8::7]:8443"), "[2001:db8::7]:8443 None");
        assert_eq!(shown("SMTP://mail.example.org"), "mail.example.org:25 Some(Smtp)");
        assert_eq!(shown("postgres://db"), "db:5432 Some(Postgres)");
    }

    #[test]
    fn what_is_no_target_says_what_is() {
        for (text, words) in [
            ("", "HOST:PORT"),
            (":443", "HOST:PORT"),
            ("edge:", "1 to 65535"),
            ("edge:0", "1 to 65535"),
            ("edge:65536", "1 to 65535"),
            ("[edge]:1", "[IPV6]:PORT"),
            ("[::1", "[IPV6]:PORT"),
            ("gopher://edge", "unknown scheme"),
            ("a b", "neither a DNS name"),
            ("bücher.example", "xn--"),
        ] {
            let error = Target::parse(text, None).unwrap_err();
            assert!(error.contains(words), "{text}: {error}");
        }
        assert!(Target::parse("https://x", Some(StartTls::Smtp)).unwrap_err().contains("leave one out"));
        assert!(Target::parse("imap://x", Some(StartTls::Smtp)).unwrap_err().contains("leave one out"));
    }
}
