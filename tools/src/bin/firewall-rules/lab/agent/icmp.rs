//! ICMP (RFC 792), ICMPv6 (RFC 4443) and multicast listener discovery (RFC 3810) on raw sockets, so that no program for it is
//! needed.

use std::{
    io::{self, Read},
    net::{IpAddr, Ipv6Addr, SocketAddr, UdpSocket},
    time::{Duration, Instant},
};

use socket2::{Domain, Protocol, Socket, Type};

use super::{Answer, met};

/// The two messages that are looked at, and where a message begins in what a raw socket gives.
#[derive(Clone, Copy)]
pub enum Icmp {
    /// For IPv4: the IP header comes first.
    V4,
    /// For IPv6: the message alone.
    V6,
}

/// Type, code, checksum, identifier, sequence number.
const HEADER: usize = 8;
/// ICMP: destination unreachable.
const UNREACHABLE: u8 = 3;
/// Of that: fragmentation needed.
const NEEDS_FRAGMENTS: u8 = 4;
/// ICMPv6: packet too big.
const TOO_BIG: u8 = 2;
/// What an error says that fits.
const FITS: u16 = 1400;
/// What an error quotes: an IP header and the first eight bytes of TCP, which are the ports and the number.
const QUOTED_V4: usize = 20 + 8;
/// The same of IPv6.
const QUOTED_V6: usize = 40 + 8;
const TCP: u8 = 6;
/// ICMPv6: multicast listener query.
const LISTENER_QUERY: u8 = 130;
/// ICMPv6: version 2 multicast listener report.
const LISTENER_REPORT: u8 = 143;
/// The lab's groups: ff12:: and 64 bits.
const GROUPS: u128 = 0xff12 << 112;
/// Who is asked: all nodes of the link.
const ALL_NODES: Ipv6Addr = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 1);
/// Who is told: all routers that understand version 2.
const REPORTS: Ipv6Addr = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 0x16);

impl Icmp {
    const fn request(self) -> u8 {
        match self {
            Self::V4 => 8,
            Self::V6 => 128,
        }
    }

    const fn reply(self) -> u8 {
        match self {
            Self::V4 => 0,
            Self::V6 => 129,
        }
    }

    /// A raw socket; needs root.
    pub fn socket(self) -> io::Result<Socket> {
        match self {
            Self::V4 => Socket::new(Domain::IPV4, Type::RAW, Some(Protocol::ICMPV4)),
            Self::V6 => Socket::new(Domain::IPV6, Type::RAW, Some(Protocol::ICMPV6)),
        }
    }

    /// The ICMP message in what a raw socket gave.
    fn message(self, packet: &[u8]) -> Option<&[u8]> {
        match self {
            Self::V4 => packet.get(usize::from(packet.first()? & 15) * 4..),
            Self::V6 => Some(packet),
        }
    }

    /// Whether this is the reply to the request with this mark.
    fn replied(self, packet: &[u8], mark: u64) -> bool {
        let message = self.message(packet).unwrap_or_default();
        message.first() == Some(&self.reply()) && number(message, HEADER) == Some(mark)
    }

    /// The mark of a message that an agent sent: an echo request, an error, a query.
    pub fn mark(self, packet: &[u8]) -> Option<u64> {
        let message = self.message(packet)?;
        let kind = *message.first()?;
        match self {
            _ if kind == self.request() => number(message, HEADER),
            Self::V4 if kind == UNREACHABLE => number(message, HEADER + QUOTED_V4),
            Self::V6 if kind == TOO_BIG => number(message, HEADER + QUOTED_V6),
            Self::V6 if kind == LISTENER_QUERY => group_mark(message, HEADER),
            // The first group of the first record (RFC 3810, 5.2).
            Self::V6 if kind == LISTENER_REPORT => group_mark(message, HEADER + 4),
            Self::V4 | Self::V6 => None,
        }
    }

    fn write(self, mark: u64) -> [u8; HEADER + 8] {
        let mut message = [0; HEADER + 8];
        message[0] = self.request();
        // Any identifier does: replies are told apart by the mark.
        message[4..6].copy_from_slice(&[0x5a, 0x11]);
        message[HEADER..].copy_from_slice(&mark.to_be_bytes());
        self.seal(&mut message);
        message
    }

    /// Fills in the checksum; that of ICMPv6, which needs addresses, is the kernel's.
    fn seal(self, message: &mut [u8]) {
        if matches!(self, Self::V4) {
            let sum = checksum(message);
            message[2..4].copy_from_slice(&sum.to_be_bytes());
        }
    }
}

fn number(bytes: &[u8], at: usize) -> Option<u64> {
    bytes.get(at..at + 8)?.try_into().ok().map(u64::from_be_bytes)
}

/// A group of this lab's: transient, of one link's scope, with the mark as its end.
fn group(mark: u64) -> Ipv6Addr {
    Ipv6Addr::from_bits(GROUPS | u128::from(mark))
}

fn group_mark(message: &[u8], at: usize) -> Option<u64> {
    let address = u128::from_be_bytes(message.get(at..at + 16)?.try_into().ok()?);
    u64::try_from(address ^ GROUPS).ok()
}

/// RFC 1071.
fn checksum(bytes: &[u8]) -> u16 {
    let mut sum: u32 =
        bytes.chunks(2).map(|pair| u32::from(pair[0]) << 8 | pair.get(1).map_or(0, |&low| u32::from(low))).sum();
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    !u16::try_from(sum).unwrap_or(u16::MAX)
}

/// Sends an echo request and waits for its reply.
pub fn echo(to: IpAddr, mark: u64, wait: Duration) -> Answer {
    let until = Instant::now() + wait;
    let icmp = match to {
        IpAddr::V4(_) => Icmp::V4,
        IpAddr::V6(_) => Icmp::V6,
    };
    let mut socket = match icmp.socket() {
        Ok(socket) => socket,
        Err(error) => return Answer::Failed { reason: format!("open a raw socket: {error}") },
    };
    if let Err(error) = socket.send_to(&icmp.write(mark), &SocketAddr::new(to, 0).into()) {
        return met(&error);
    }
    let mut buffer = [0; 2048];
    loop {
        let left = until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Answer::Silent;
        }
        match socket.set_read_timeout(Some(left)).and_then(|()| socket.read(&mut buffer)) {
            Ok(count) if icmp.replied(&buffer[..count], mark) => {
                return Answer::Open { detail: "echo reply".to_owned() };
            }
            Ok(_) => {}
            Err(error) => return met(&error),
        }
    }
}

/// Tells `from` that a packet of its to `to` was too big.
pub fn too_big(from: SocketAddr, to: SocketAddr, mark: u64) -> Answer {
    let mut message = vec![0; HEADER];
    let icmp = match (from.ip(), to.ip()) {
        (IpAddr::V4(source), IpAddr::V4(destination)) => {
            (message[0], message[1]) = (UNREACHABLE, NEEDS_FRAGMENTS);
            message[6..8].copy_from_slice(&FITS.to_be_bytes());
            let mut header = [0; 20];
            header[0] = 0x45;
            header[2..4].copy_from_slice(&(FITS + 100).to_be_bytes());
            (header[8], header[9]) = (64, TCP);
            header[12..16].copy_from_slice(&source.octets());
            header[16..20].copy_from_slice(&destination.octets());
            let sum = checksum(&header);
            header[10..12].copy_from_slice(&sum.to_be_bytes());
            message.extend(header);
            Icmp::V4
        }
        (IpAddr::V6(source), IpAddr::V6(destination)) => {
            message[0] = TOO_BIG;
            message[4..8].copy_from_slice(&u32::from(FITS).to_be_bytes());
            let mut header = [0; 40];
            header[0] = 0x60;
            header[4..6].copy_from_slice(&(FITS + 100).to_be_bytes());
            (header[6], header[7]) = (TCP, 64);
            header[8..24].copy_from_slice(&source.octets());
            header[24..40].copy_from_slice(&destination.octets());
            message.extend(header);
            Icmp::V6
        }
        _ => return Answer::Failed { reason: "an error about a packet of two protocols".to_owned() },
    };
    message.extend(from.port().to_be_bytes());
    message.extend(to.port().to_be_bytes());
    message.extend([0; 4]);
    message.extend(mark.to_be_bytes());
    icmp.seal(&mut message);
    let sent = icmp.socket().and_then(|socket| socket.send_to(&message, &SocketAddr::new(from.ip(), 0).into()));
    sent.map_or_else(|error| met(&error), |_| Answer::Done)
}

fn index(interface: &str) -> io::Result<u32> {
    let text = std::fs::read_to_string(format!("/sys/class/net/{interface}/ifindex"))?;
    text.trim().parse().map_err(io::Error::other)
}

/// Joins the group of a mark; the host reports it for as long as the socket lives.
pub fn join(interface: &str, mark: u64) -> io::Result<UdpSocket> {
    let socket = UdpSocket::bind((Ipv6Addr::UNSPECIFIED, 0))?;
    socket.join_multicast_v6(&group(mark), index(interface)?)?;
    Ok(socket)
}

/// A raw socket to which listener reports are delivered.
pub fn reports(interface: &str) -> io::Result<Socket> {
    let socket = Icmp::V6.socket()?;
    socket.join_multicast_v6(&REPORTS, index(interface)?)?;
    Ok(socket)
}

/// Asks who listens to the group of a mark.
pub fn query(interface: &str, mark: u64) -> Answer {
    let mut message = vec![0; HEADER];
    message[0] = LISTENER_QUERY;
    // How long an answer may take, in milliseconds.
    message[4..6].copy_from_slice(&1000_u16.to_be_bytes());
    message.extend(group(mark).octets());
    let sent = index(interface).and_then(|index| {
        let socket = Icmp::V6.socket()?;
        socket.set_multicast_hops_v6(1)?;
        socket.set_multicast_if_v6(index)?;
        socket.send_to(&message, &SocketAddr::from((ALL_NODES, 0)).into())
    });
    sent.map_or_else(|error| met(&error), |_| Answer::Done)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_an_agent_sends_is_recognised_and_everything_else_is_not() {
        const MARK: u64 = 0x0102_0304_0506_0708;
        let message = Icmp::V4.write(MARK);
        assert_eq!(checksum(&message), 0, "a message with its checksum sums up to nothing");
        let mut packet = vec![0x45; 20];
        packet.extend(message);
        assert_eq!(Icmp::V4.mark(&packet), Some(MARK));
        assert_eq!(Icmp::V6.mark(&Icmp::V6.write(MARK)), Some(MARK));
        assert!(!Icmp::V4.replied(&packet, MARK));
        let mut query = vec![0; HEADER];
        query[0] = LISTENER_QUERY;
        query.extend(group(MARK).octets());
        assert_eq!(Icmp::V6.mark(&query), Some(MARK));
        query[HEADER] = 0xfe;
        assert_eq!(Icmp::V6.mark(&query), None, "another group");
        // Whatever a raw socket gives must not end the process.
        for length in 0..packet.len() {
            assert_eq!(Icmp::V4.mark(&packet[..length]), None);
            let _ = Icmp::V6.mark(&query[..length.min(query.len())]);
        }
    }
}
