//! Probes over UDP.

use std::{
    io,
    net::{SocketAddr, UdpSocket},
    time::{Duration, Instant},
};

use socket2::{Domain, Protocol, Socket, Type};

use super::{Answer, met, tcp::local};

/// A socket on an address that others may be bound to as well: probes to many hosts come from one port.
pub fn shared(address: SocketAddr) -> io::Result<UdpSocket> {
    let socket = Socket::new(Domain::for_address(address), Type::DGRAM, Some(Protocol::UDP))?;
    socket.set_reuse_address(true)?;
    socket.bind(&address.into())?;
    Ok(socket.into())
}

/// Sends `mark` and waits until it comes back.
pub fn echo(to: SocketAddr, from_port: Option<u16>, mark: u64, wait: Duration) -> Answer {
    let until = Instant::now() + wait;
    let socket = match shared(local(to, from_port.unwrap_or(0))) {
        Ok(socket) => socket,
        Err(error) => return Answer::Failed { reason: format!("bind a UDP socket: {error}") },
    };
    let sent = mark.to_be_bytes();
    if let Err(error) = socket.connect(to).and_then(|()| socket.send(&sent)) {
        return met(&error);
    }
    let mut buffer = [0; 64];
    loop {
        let left = until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Answer::Silent;
        }
        match socket.set_read_timeout(Some(left)).and_then(|()| socket.recv(&mut buffer)) {
            Ok(count) if buffer[..count] == sent => {
                return Answer::Open { detail: socket.local_addr().map(|from| from.to_string()).unwrap_or_default() };
            }
            Ok(_) => {}
            Err(error) => return met(&error),
        }
    }
}
