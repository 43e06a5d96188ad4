//! Through a proxy: HTTP `CONNECT` (RFC 9110 section 9.3.6) and SOCKS5 (RFC 1928, 1929).

use std::{
    fmt,
    net::{IpAddr, SocketAddr},
    str::FromStr,
};

use base64::{Engine, engine::general_purpose::STANDARD};
use tokio::{io::AsyncWriteExt, net::TcpStream};

use super::{
    Failure, said,
    wire::{exactly, line, nonsense, some},
};
use crate::{
    codes::Code,
    target::{Host, host_and_port},
};

/// A proxy as it was given. Its password is never printed.
#[derive(Clone, PartialEq, Eq)]
pub struct Proxy {
    /// How it is spoken to.
    pub scheme: ProxyScheme,
    /// Whether it looks names up, instead of this machine.
    pub resolves: bool,
    /// Where it is.
    pub host: Host,
    /// Its port.
    pub port: u16,
    credentials: Option<(String, String)>,
}

/// How a proxy is spoken to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProxyScheme {
    /// HTTP `CONNECT`, in plaintext to the proxy.
    Http,
    /// SOCKS5.
    Socks5,
}

impl fmt::Display for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = match (self.scheme, self.resolves) {
            (ProxyScheme::Http, _) => "http",
            (ProxyScheme::Socks5, true) => "socks5h",
            (ProxyScheme::Socks5, false) => "socks5",
        };
        write!(f, "{scheme}://{}:{}", self.host, self.port)
    }
}

impl fmt::Debug for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Proxy {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = "give http://[USER:PASSWORD@]HOST:PORT, socks5://HOST:PORT, or socks5h://HOST:PORT to let the proxy look \
                     names up";
        let (scheme, rest) = text.split_once("://").ok_or(wrong)?;
        let (scheme, resolves, default_port) = match scheme.to_ascii_lowercase().as_str() {
            "http" => (ProxyScheme::Http, true, 3128),
            "socks5" => (ProxyScheme::Socks5, false, 1080),
            "socks5h" => (ProxyScheme::Socks5, true, 1080),
            "https" => return Err(format!("a proxy that is itself spoken to in TLS is not supported; {wrong}")),
            _ => return Err(wrong.to_owned()),
        };
        let rest = rest.trim_end_matches('/');
        let (credentials, place) = match rest.rsplit_once('@') {
            Some((credentials, place)) => (Some(user_and_password(credentials)?), place),
            None => (None, rest),
        };
        // The place alone is quoted in a message, not the password before it.
        let (host, port) = host_and_port(place, place).map_err(|_| wrong)?;
        host.server_name().map_err(|_| wrong)?;
        Ok(Self { scheme, resolves, host, port: port.unwrap_or(default_port), credentials })
    }
}

/// `USER:PASSWORD` with percent escapes.
fn user_and_password(text: &str) -> Result<(String, String), String> {
    let wrong =
        "the proxy's user and password must be USER:PASSWORD, special characters as %XX, 255 bytes each at most";
    let (user, password) = text.split_once(':').unwrap_or((text, ""));
    match (unescaped(user), unescaped(password)) {
        (Some(user), Some(password)) if !user.is_empty() && user.len() < 256 && password.len() < 256 => {
            Ok((user, password))
        }
        _ => Err(wrong.to_owned()),
    }
}

fn unescaped(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        (bytes, rest) = if *first == b'%' {
            let digits = std::str::from_utf8(tail.get(..2)?).ok()?;
            bytes.push(u8::from_str_radix(digits, 16).ok()?);
            (bytes, &tail[2..])
        } else {
            bytes.push(*first);
            (bytes, tail)
        };
    }
    String::from_utf8(bytes).ok().filter(|text| !text.chars().any(char::is_control))
}

/// Asks the proxy for a connection to `host`, or to `address` where this machine looked it up.
pub async fn connect(
    stream: &mut TcpStream,
    proxy: &Proxy,
    host: &Host,
    port: u16,
    address: Option<SocketAddr>,
) -> Result<(), Failure> {
    let host = match address {
        Some(address) if !proxy.resolves => &Host::Address(address.ip()),
        _ => host,
    };
    match proxy.scheme {
        ProxyScheme::Http => http(stream, proxy, host, port).await,
        ProxyScheme::Socks5 => socks5(stream, proxy, host, port).await,
    }
}

async fn say(stream: &mut TcpStream, proxy: &Proxy, bytes: &[u8]) -> Result<(), Failure> {
    stream.write_all(bytes).await.map_err(|error| {
        Failure::transient(
            Code::PROXY,
            format!("proxy {proxy}: {}", said(&error)),
            "check the address given with --proxy",
        )
    })
}

fn declined(proxy: &Proxy, reason: &str, remedy: &str) -> Failure {
    Failure::lasting(Code::PROXY, format!("proxy {proxy}: {reason}"), remedy)
}

/// Header lines of an answer at most.
const HEADERS_MAX: usize = 100;

async fn http(stream: &mut TcpStream, proxy: &Proxy, host: &Host, port: u16) -> Result<(), Failure> {
    let mut request = format!("CONNECT {host}:{port} HTTP/1.1\r\nHost: {host}:{port}\r\n");
    if let Some((user, password)) = &proxy.credentials {
        let basic = STANDARD.encode(format!("{user}:{password}"));
        request.push_str(&format!("Proxy-Authorization: Basic {basic}\r\n"));
    }
    request.push_str("\r\n");
    say(stream, proxy, request.as_bytes()).await?;
    let what = format!("proxy {proxy}");
    let status = line(stream, Code::PROXY, &what).await?;
    let code = status.strip_prefix("HTTP/1.").and_then(|rest| rest.split(' ').nth(1)).unwrap_or_default();
    match code {
        "200" => {}
        "407" => return Err(declined(proxy, &status, "give http://USER:PASSWORD@HOST:PORT with --proxy")),
        code if code.len() == 3 => {
            return Err(declined(proxy, &status, "ask whoever runs the proxy whether it may connect there"));
        }
        _ => return Err(nonsense(Code::PROXY, format!("{what}: {status:?} is not HTTP"))),
    }
    for _ in 0..HEADERS_MAX {
        if line(stream, Code::PROXY, &what).await?.is_empty() {
            return Ok(());
        }
    }
    Err(nonsense(Code::PROXY, format!("{what}: more than {HEADERS_MAX} header lines")))
}

async fn socks5(stream: &mut TcpStream, proxy: &Proxy, host: &Host, port: u16) -> Result<(), Failure> {
    let what = format!("proxy {proxy}");
    let methods: &[u8] = if proxy.credentials.is_some() { &[5, 2, 0, 2] } else { &[5, 1, 0] };
    say(stream, proxy, methods).await?;
    match exactly::<2>(stream, Code::PROXY, &what).await? {
        [5, 0] => {}
        [5, 2] => authenticate(stream, proxy, &what).await?,
        [5, 0xff] => {
            let remedy = "give socks5://USER:PASSWORD@HOST:PORT with --proxy";
            return Err(declined(proxy, "it asks for a user and a password", remedy));
        }
        _ => return Err(nonsense(Code::PROXY, format!("{what}: this is not SOCKS5"))),
    }
    let mut request = vec![5, 1, 0];
    match host {
        Host::Address(IpAddr::V4(address)) => {
            request.push(1);
            request.extend(address.octets());
        }
        Host::Address(IpAddr::V6(address)) => {
            request.push(4);
            request.extend(address.octets());
        }
        Host::Name(name) => {
            let length = u8::try_from(name.len()).map_err(|_| {
                declined(proxy, "a name of more than 255 bytes cannot be asked for", "give its address instead")
            })?;
            request.extend([3, length]);
            request.extend(name.as_bytes());
        }
    }
    request.extend(port.to_be_bytes());
    say(stream, proxy, &request).await?;
    answered(stream, proxy, &what).await
}

async fn authenticate(stream: &mut TcpStream, proxy: &Proxy, what: &str) -> Result<(), Failure> {
    let Some((user, password)) = &proxy.credentials else {
        return Err(nonsense(Code::PROXY, format!("{what}: it asks for what was not offered")));
    };
    let length = |text: &str| u8::try_from(text.len()).unwrap_or(u8::MAX);
    let mut request = vec![1, length(user)];
    request.extend(user.as_bytes());
    request.push(length(password));
    request.extend(password.as_bytes());
    say(stream, proxy, &request).await?;
    match exactly::<2>(stream, Code::PROXY, what).await? {
        [1, 0] => Ok(()),
        _ => Err(declined(proxy, "it does not accept the user and password", "correct them in --proxy")),
    }
}

async fn answered(stream: &mut TcpStream, proxy: &Proxy, what: &str) -> Result<(), Failure> {
    let [version, result, _, kind] = exactly::<4>(stream, Code::PROXY, what).await?;
    if version != 5 {
        return Err(nonsense(Code::PROXY, format!("{what}: this is not SOCKS5")));
    }
    if result != 0 {
        let reason = match result {
            2 => "it is not allowed to connect there",
            3 => "the network cannot be reached",
            4 => "the host cannot be reached",
            5 => "the connection was refused",
            6 => "the connection took too long",
            8 => "it has no such kind of address",
            _ => "it failed to connect",
        };
        return Err(declined(proxy, reason, "check the target, and what the proxy may reach"));
    }
    // The address that it bound, and a port.
    let rest = match kind {
        1 => 4,
        4 => 16,
        3 => usize::from(exactly::<1>(stream, Code::PROXY, what).await?[0]),
        _ => return Err(nonsense(Code::PROXY, format!("{what}: this is not SOCKS5"))),
    };
    some(stream, rest + 2, Code::PROXY, what).await.map(|_| ())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings() {
        for (text, shown) in [
            ("http://proxy.example.org", "http://proxy.example.org:3128"),
            ("socks5://[::1]:9050", "socks5://[::1]:9050"),
            ("SOCKS5H://user:p%40ss@10.0.0.1", "socks5h://10.0.0.1:1080"),
        ] {
            let proxy: Proxy = text.parse().unwrap();
            assert_eq!(proxy.to_string(), shown);
        }
        let proxy: Proxy = "http://u:p%40s%3As@h:1".parse().unwrap();
        assert_eq!(proxy.credentials, Some(("u".to_owned(), "p@s:s".to_owned())));
        for text in ["proxy:3128", "ftp://x", "https://x:1", "http://", "http://u:%zz@h:1", "http://:p@h:1"] {
            assert!(text.parse::<Proxy>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_password_is_not_in_a_message() {
        let error = "http://user:secret@bad host:1".parse::<Proxy>().unwrap_err();
        assert!(!error.contains("secret"), "{error}");
    }
}
