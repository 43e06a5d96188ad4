//! How servers are reached, as options.

use std::time::Duration;

use clap::Args;
use rustls_pki_types::ServerName;

use super::{Proxy, Route, StartTls};
use crate::{
    cli::duration,
    error::Error,
    target::{Family, Target, server_name},
};

/// Options of every command that connects.
#[derive(Debug, Args)]
pub struct ConnectArgs {
    /// What the ClientHello names; `none`: nothing [default: the target's host, if it is a name].
    #[arg(long, value_name = "NAME|none", help_heading = "Connection")]
    sni: Option<String>,
    /// Begin in plaintext with this protocol.
    #[arg(long, value_enum, value_name = "PROTOCOL", help_heading = "Connection")]
    pub starttls: Option<StartTls>,
    #[arg(
        help = "Connect through a proxy: http://, socks5:// or socks5h://[USER:PASSWORD@]HOST:PORT",
        long,
        value_name = "URL",
        help_heading = "Connection"
    )]
    proxy: Option<Proxy>,
    /// Use IPv4 addresses only.
    #[arg(short = '4', long, conflicts_with = "ipv6", help_heading = "Connection")]
    ipv4: bool,
    /// Use IPv6 addresses only.
    #[arg(short = '6', long, help_heading = "Connection")]
    ipv6: bool,
    /// Until TCP connects.
    #[arg(long, value_name = "TIME", default_value = "5s", value_parser = duration, help_heading = "Connection")]
    connect_timeout: Duration,
    /// For everything that one try takes.
    #[arg(long, value_name = "TIME", default_value = "10s", value_parser = duration, help_heading = "Connection")]
    timeout: Duration,
}

/// The same, read and checked.
#[derive(Debug)]
pub struct Means {
    sni: Sni,
    proxy: Option<Proxy>,
    family: Family,
    connect_timeout: Duration,
    timeout: Duration,
}

/// What the ClientHello names.
#[derive(Debug)]
enum Sni {
    Host,
    None,
    Name(ServerName<'static>),
}

impl ConnectArgs {
    /// Reads them.
    ///
    /// # Errors
    /// [`Error::Usage`] for a name that TLS cannot send.
    pub fn read(&self) -> Result<Means, Error> {
        let sni = match self.sni.as_deref() {
            None => Sni::Host,
            Some("none") => Sni::None,
            Some(name) => match server_name(name) {
                Ok(name @ ServerName::DnsName(_)) => Sni::Name(name),
                Ok(_) => {
                    return Err(Error::Usage(format!(
                        "--sni {name:?}: TLS names no addresses there; give a DNS name or none"
                    )));
                }
                Err(reason) => return Err(Error::Usage(format!("--sni {reason}"))),
            },
        };
        let family = match (self.ipv4, self.ipv6) {
            (true, _) => Family::V4,
            (false, true) => Family::V6,
            (false, false) => Family::Any,
        };
        Ok(Means {
            sni,
            proxy: self.proxy.clone(),
            family,
            connect_timeout: self.connect_timeout,
            timeout: self.timeout,
        })
    }
}

impl Means {
    /// The way to a target whose host TLS calls `name`.
    pub fn route(&self, target: &Target, name: &ServerName<'static>) -> Route {
        let sni = match &self.sni {
            Sni::Host => Some(name).filter(|name| matches!(name, ServerName::DnsName(_))).cloned(),
            Sni::None => None,
            Sni::Name(name) => Some(name.clone()),
        };
        Route {
            host: target.host.clone(),
            port: target.port,
            starttls: target.starttls,
            sni,
            proxy: self.proxy.clone(),
            family: self.family,
            connect_timeout: self.connect_timeout,
            timeout: self.timeout,
        }
    }
}
