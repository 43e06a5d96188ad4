//! Host names: what the user says they mean, or what the system's resolver says when it is asked to be.

use std::{
    collections::BTreeMap,
    net::{IpAddr, ToSocketAddrs},
    sync::mpsc,
    thread,
    time::Duration,
};

use super::arguments::usable;

/// How long the system's resolver may take.
const DEADLINE: Duration = Duration::from_secs(10);

/// The addresses of host names.
#[derive(Debug, Default)]
pub struct Hosts {
    known: BTreeMap<String, Vec<IpAddr>>,
    /// Whether the system's resolver may be asked.
    resolve: bool,
}

impl Hosts {
    /// What the user said, and whether the system may be asked for the rest.
    pub const fn new(known: BTreeMap<String, Vec<IpAddr>>, resolve: bool) -> Self {
        Self { known, resolve }
    }

    /// The addresses of a host; what the resolver said goes onto `notes`.
    ///
    /// # Errors
    /// What to do about a name without an address.
    pub fn addresses(&mut self, host: &str, notes: &mut Vec<String>) -> Result<Vec<IpAddr>, String> {
        if let Ok(address) = host.parse::<IpAddr>() {
            return usable(address).map(|address| vec![address]);
        }
        if let Some(addresses) = self.known.get(host) {
            return Ok(addresses.clone());
        }
        if !self.resolve {
            return Err(format!(
                "{host} is a name, and packet filters take addresses; say which it has with --edge {host}=IP, or let it be \
                 looked up now with --resolve"
            ));
        }
        let addresses = ask(host)?;
        let shown: Vec<String> = addresses.iter().map(ToString::to_string).collect();
        notes.push(format!("{host} is {} now; the rules do not follow when that changes", shown.join(", ")));
        self.known.insert(host.to_owned(), addresses.clone());
        Ok(addresses)
    }
}

/// Asks the system's resolver.
fn ask(host: &str) -> Result<Vec<IpAddr>, String> {
    let (sender, receiver) = mpsc::channel();
    let asked = host.to_owned();
    // The resolver cannot be interrupted: it is left behind in its thread, and ends with the process.
    thread::spawn(move || {
        let answer =
            (asked.as_str(), 0).to_socket_addrs().map(|found| found.map(|at| at.ip().to_canonical()).collect());
        let _ = sender.send(answer);
    });
    let mut addresses: Vec<IpAddr> = match receiver.recv_timeout(DEADLINE) {
        Ok(Ok(addresses)) => addresses,
        Ok(Err(error)) => return Err(format!("--resolve: {host} has no address: {error}; give --edge {host}=IP")),
        Err(_) => {
            let seconds = DEADLINE.as_secs();
            return Err(format!("--resolve: no answer about {host} for {seconds} seconds; give --edge {host}=IP"));
        }
    };
    addresses.sort_unstable();
    addresses.dedup();
    let usable = addresses.into_iter().map(usable).collect::<Result<Vec<_>, _>>();
    usable.map_err(|problem| format!("--resolve: {host} is {problem}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_looked_up_when_asked_for_and_never_loopback() {
        let mut notes = Vec::new();
        let known = BTreeMap::from([("edge.test".to_owned(), vec![IpAddr::from([192, 0, 2, 10])])]);
        let mut hosts = Hosts::new(known, false);
        assert_eq!(hosts.addresses("edge.test", &mut notes), Ok(vec![IpAddr::from([192, 0, 2, 10])]));
        assert!(hosts.addresses("localhost", &mut notes).unwrap_err().contains("--resolve"));
        let problem = Hosts::new(BTreeMap::new(), true).addresses("localhost", &mut notes).unwrap_err();
        assert!(problem.contains("loopback"), "{problem}");
        assert!(Hosts::new(BTreeMap::new(), true).addresses("127.0.0.1", &mut notes).unwrap_err().contains("loopback"));
    }
}
