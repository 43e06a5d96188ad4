//! One connection to one server: TCP, a proxy, STARTTLS, TLS; and nothing is sent after the handshake but its end.

mod args;
mod hello;
mod possession;
mod proxy;
mod starttls;
mod tls;
mod wire;

use std::{io, net::SocketAddr, time::Duration};

use rustls_pki_types::ServerName;
use tokio::{
    net::{TcpStream, lookup_host},
    time::{Instant, timeout_at},
};

use crate::{
    codes::Code,
    evidence::{Evidence, Unreadable},
    target::{Family, Host},
};

pub use args::{ConnectArgs, Means};
pub use proxy::Proxy;
pub use starttls::StartTls;

/// How a server is reached.
#[derive(Debug, Clone)]
pub struct Route {
    /// The host.
    pub host: Host,
    /// Its port.
    pub port: u16,
    /// What is spoken before TLS.
    pub starttls: Option<StartTls>,
    /// What the ClientHello names; `None`: no name is sent.
    pub sni: Option<ServerName<'static>>,
    /// Through whom.
    pub proxy: Option<Proxy>,
    /// Which addresses of a name may be used.
    pub family: Family,
    /// Until TCP connects, for all addresses together.
    pub connect_timeout: Duration,
    /// For everything.
    pub timeout: Duration,
}

/// Why there is no evidence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// Its name.
    pub code: Code,
    /// What was tried and what came of it.
    pub text: String,
    /// What to do.
    pub remedy: String,
    /// Whether trying again may help.
    pub transient: bool,
}

impl Failure {
    fn lasting(code: Code, text: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { code, text: text.into(), remedy: remedy.into(), transient: false }
    }

    fn transient(code: Code, text: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { transient: true, ..Self::lasting(code, text, remedy) }
    }
}

impl From<Unreadable> for Failure {
    fn from(unreadable: Unreadable) -> Self {
        let (code, remedy) = match &unreadable {
            Unreadable::Nothing => (Code::CERTIFICATE_NONE, "configure a certificate at the server"),
            Unreadable::Malformed(_) => (Code::CERTIFICATE_UNREADABLE, "reissue it with a current tool"),
            Unreadable::Ambiguous => (Code::CERTIFICATE_AMBIGUOUS, "do not use it; reissue it"),
        };
        Self::lasting(code, unreadable.to_string(), remedy)
    }
}

/// Looks at a server once.
///
/// # Errors
/// [`Failure`]: it was not reached, or no TLS connection came about, or its certificate cannot be read.
pub async fn look(route: &Route) -> Result<Evidence, Failure> {
    let deadline = Instant::now() + route.timeout;
    let (mut stream, address) = connected(route, deadline).await?;
    let before = async {
        if let Some(proxy) = &route.proxy {
            proxy::connect(&mut stream, proxy, &route.host, route.port, address).await?;
        }
        match route.starttls {
            Some(protocol) => starttls::negotiate(&mut stream, protocol).await,
            None => Ok(()),
        }
    };
    timeout_at(deadline, before).await.unwrap_or_else(|_| Err(too_slow()))?;
    // The handshake has the deadline itself, so that what was seen before it is not lost.
    let seen = tls::handshake(&mut stream, route.sni.clone(), deadline).await?;
    seen.evidence(if route.proxy.is_some() { None } else { address })
}

/// TCP connected, and then nothing more.
fn too_slow() -> Failure {
    Failure::transient(
        Code::TIMEOUT,
        "TCP connected, but the server or proxy took longer than --timeout with what comes next",
        "check that a TLS server listens there, or allow it more time with --timeout",
    )
}

async fn connected(route: &Route, deadline: Instant) -> Result<(TcpStream, Option<SocketAddr>), Failure> {
    let until = deadline.min(Instant::now() + route.connect_timeout);
    timeout_at(until, reach(route)).await.unwrap_or_else(|_| {
        let allowed = humantime::format_duration(route.connect_timeout.min(route.timeout));
        Err(Failure::transient(
            Code::TIMEOUT,
            format!("no TCP connection within {allowed}"),
            "check the address and the firewalls in between, or allow more time with --connect-timeout",
        ))
    })
}

/// TCP to the server, or to the proxy. The address is the server's; `None` where the proxy looks its name up.
async fn reach(route: &Route) -> Result<(TcpStream, Option<SocketAddr>), Failure> {
    let Some(proxy) = &route.proxy else {
        let addresses = resolve(&route.host, route.port, route.family).await?;
        let (stream, address) = first_of(&addresses).await?;
        return Ok((stream, Some(address)));
    };
    let target = match (&route.host, proxy.resolves) {
        (Host::Name(_), true) => None,
        (Host::Name(_) | Host::Address(_), _) => resolve(&route.host, route.port, route.family).await?.first().copied(),
    };
    let of_proxy = |failure: Failure| Failure {
        code: Code::PROXY,
        text: format!("proxy {proxy}: {}", failure.text),
        remedy: "check the address given with --proxy".to_owned(),
        transient: failure.transient,
    };
    let addresses = resolve(&proxy.host, proxy.port, Family::Any).await.map_err(of_proxy)?;
    let (stream, _) = first_of(&addresses).await.map_err(of_proxy)?;
    Ok((stream, target))
}

async fn resolve(host: &Host, port: u16, family: Family) -> Result<Vec<SocketAddr>, Failure> {
    let name = match host {
        Host::Address(address) => return Ok(vec![SocketAddr::new(*address, port)]),
        Host::Name(name) => name,
    };
    let found = lookup_host((name.as_str(), port)).await.map_err(|error| {
        Failure::transient(
            Code::NAME_UNKNOWN,
            format!("the name {name} cannot be resolved: {}", said(&error)),
            "check the spelling, and that this machine's DNS knows it",
        )
    })?;
    let mut addresses: Vec<SocketAddr> = Vec::new();
    for address in found.filter(|address| family.admits(address.ip())).take(ADDRESSES_MAX) {
        if !addresses.contains(&address) {
            addresses.push(address);
        }
    }
    if addresses.is_empty() {
        return Err(Failure::lasting(
            Code::NAME_UNKNOWN,
            format!("the name {name} has no {} address", family.as_str()),
            "leave -4 or -6 out, or add the address to its DNS",
        ));
    }
    Ok(addresses)
}

/// Addresses of one name that are tried.
const ADDRESSES_MAX: usize = 16;

/// The first address that accepts, in the order of the resolver.
async fn first_of(addresses: &[SocketAddr]) -> Result<(TcpStream, SocketAddr), Failure> {
    let mut last = None;
    for address in addresses {
        match TcpStream::connect(address).await {
            Ok(stream) => {
                // The handshake is a few small writes that wait for answers.
                let _ = stream.set_nodelay(true);
                return Ok((stream, *address));
            }
            Err(error) => last = Some(refused(*address, &error)),
        }
    }
    Err(last.unwrap_or_else(|| {
        Failure::lasting(Code::NAME_UNKNOWN, "there is no address to connect to", "give a host or an address")
    }))
}

fn refused(address: SocketAddr, error: &io::Error) -> Failure {
    let text = format!("cannot connect to {address}: {}", said(error));
    if error.kind() == io::ErrorKind::ConnectionRefused {
        Failure::transient(Code::REFUSED, text, "check that the server runs and listens on that port")
    } else {
        Failure::transient(Code::NETWORK, text, "check the address, the route to it and the firewalls in between")
    }
}

/// What the operating system said, without its number.
fn said(error: &io::Error) -> String {
    let text = error.to_string();
    text.split(" (os error").next().unwrap_or(&text).to_lowercase()
}
