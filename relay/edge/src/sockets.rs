//! The addresses of an edge: bound by itself, or handed over by a service manager that has bound them.

use std::{
    collections::BTreeSet,
    net::{SocketAddr, TcpListener},
};

use relay_runtime::{
    activation::Passed,
    admin::Admin,
    listen::{BoundSocket, ListenError, TcpOptions},
};

use crate::{config::Config, error::EdgeError};

/// The name by which the admin address is handed over (`FileDescriptorName=` of its socket unit). All others, whatever
/// their names, are addresses where devices and backends connect.
pub const ADMIN: &str = "admin";

/// The addresses of an edge, bound before its process gives up binding.
#[derive(Debug)]
pub struct Sockets {
    pub(crate) listeners: Vec<BoundSocket>,
    pub(crate) admin: Option<BoundSocket>,
}

impl Sockets {
    /// Binds every address of the configuration.
    ///
    /// # Errors
    /// [`EdgeError::Listen`]: the address that cannot be bound.
    pub fn bind(config: &Config) -> Result<Self, EdgeError> {
        Ok(Self { listeners: bind(config)?, admin: config.admin.map(Admin::socket).transpose()? })
    }

    /// Takes the sockets that were handed over in place of `listen`, and in place of `admin`, and binds what was not.
    ///
    /// # Errors
    /// [`EdgeError`]: an address that cannot be bound; or sockets of other ports than the configuration has, because what
    /// else reads it (`firewall-rules`, `check`) would then speak of another edge.
    pub fn take(config: &Config, passed: Vec<Passed>) -> Result<Self, EdgeError> {
        let (admin, listen): (Vec<_>, Vec<_>) = passed.into_iter().partition(|passed| passed.name == ADMIN);
        let listeners = adopt(listen)?;
        let admin = adopt(admin)?;
        same_ports("listen", &config.listen, &listeners)?;
        same_ports("admin", config.admin.as_slice(), &admin)?;
        Ok(Self {
            listeners: if listeners.is_empty() { bind(config)? } else { listeners },
            admin: match admin.into_iter().next() {
                Some(admin) => Some(admin),
                None => config.admin.map(Admin::socket).transpose()?,
            },
        })
    }
}

fn bind(config: &Config) -> Result<Vec<BoundSocket>, EdgeError> {
    let bind = |address: &SocketAddr| BoundSocket::bind(*address, TcpOptions::default());
    Ok(config.listen.iter().map(bind).collect::<Result<_, _>>()?)
}

fn adopt(passed: Vec<Passed>) -> Result<Vec<BoundSocket>, ListenError> {
    let listeners = passed.into_iter().map(|passed| passed.listener);
    listeners.map(|listener: TcpListener| BoundSocket::adopt(listener, TcpOptions::default())).collect()
}

/// What was handed over, if anything, has the ports of the configuration; port 0 there stands for any.
fn same_ports(setting: &'static str, configured: &[SocketAddr], passed: &[BoundSocket]) -> Result<(), EdgeError> {
    let passed: BTreeSet<u16> = passed.iter().map(|socket| socket.address().port()).collect();
    let configured: BTreeSet<u16> = configured.iter().map(SocketAddr::port).collect();
    if passed.is_empty() || passed == configured || configured.contains(&0) {
        return Ok(());
    }
    let listed = |ports: BTreeSet<u16>| match ports.is_empty() {
        true => "none".to_owned(),
        false => ports.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "),
    };
    Err(EdgeError::Ports { setting, passed: listed(passed), configured: listed(configured) })
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn passed(name: &str) -> Passed {
        Passed { name: name.to_owned(), listener: TcpListener::bind(("127.0.0.1", 0)).unwrap() }
    }

    fn config(listen: &[SocketAddr], admin: Option<SocketAddr>) -> Config {
        Config { listen: listen.to_vec(), admin, ..Config::defaults(Path::new("")) }
    }

    #[test]
    fn what_was_handed_over_takes_the_place_of_binding() {
        let any: SocketAddr = "127.0.0.1:0".parse().unwrap();
        let (first, admin, second) = (passed("sallyport-edge.socket"), passed(ADMIN), passed("listen"));
        let address = |passed: &Passed| passed.listener.local_addr().unwrap();
        let (ports, admin_port) = ([address(&first), address(&second)], address(&admin));
        // The addresses of the configuration are taken, so binding would fail.
        let sockets = Sockets::take(&config(&ports, Some(admin_port)), vec![first, admin, second]).unwrap();
        assert_eq!(sockets.listeners.iter().map(BoundSocket::address).collect::<Vec<_>>(), ports);
        assert_eq!(sockets.admin.unwrap().address(), admin_port);

        let only = passed("listen");
        let port = address(&only);
        let sockets = Sockets::take(&config(&[port], Some(any)), vec![only]).unwrap();
        assert_eq!(sockets.listeners[0].address(), port);
        assert!(sockets.admin.is_some(), "bound, because it was not handed over");

        let sockets = Sockets::take(&config(&[any], None), Vec::new()).unwrap();
        assert_ne!(sockets.listeners[0].local_addr().unwrap().port(), 0);
        assert!(sockets.admin.is_none());
    }

    #[test]
    fn other_ports_than_the_configurations_are_refused() {
        let other: SocketAddr = "127.0.0.1:1".parse().unwrap();
        let error = Sockets::take(&config(&[other], None), vec![passed("listen")]).unwrap_err();
        assert!(error.to_string().contains("`listen` says 1"), "{error}");
        let any: SocketAddr = "127.0.0.1:0".parse().unwrap();
        let error = Sockets::take(&config(&[any], None), vec![passed("listen"), passed(ADMIN)]).unwrap_err();
        assert!(error.to_string().contains("`admin` says none"), "{error}");
    }
}
