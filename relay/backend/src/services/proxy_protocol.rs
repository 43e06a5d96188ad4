//! PROXY protocol version 2, binary ("The PROXY protocol", HAProxy, section 2.2): tells the upstream who is at the other
//! end of the tunnel.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use relay_wire::frame::data::Remote;

const SIGNATURE: [u8; 12] = *b"\r\n\r\n\0\r\nQUIT\n";
/// Version 2, command PROXY.
const VERSION_AND_COMMAND: u8 = 0x21;
/// AF_INET, STREAM.
const TCP4: u8 = 0x11;
/// AF_INET6, STREAM.
const TCP6: u8 = 0x21;
/// The TLV that carries the device's registry key (`linux:0123...`): the first of those that the specification leaves to
/// applications (PP2_TYPE_MIN_CUSTOM).
pub const TLV_DEVICE: u8 = 0xe0;

/// The address of a [`Remote`] as the standard library writes it.
#[must_use]
pub fn remote_address(remote: &Remote) -> SocketAddr {
    SocketAddr::new(Ipv6Addr::from(remote.address).to_canonical(), remote.port)
}

/// The header for a connection that `remote` opened and that `upstream` receives, with the device's registry key.
///
/// Source and destination must be of one family: if they are not, both are written as IPv6, the IPv4 one mapped.
#[must_use]
pub fn header(remote: &Remote, upstream: SocketAddr, device: &str) -> Vec<u8> {
    let source = remote_address(remote);
    let mut addresses = Vec::with_capacity(36);
    let family = match (source.ip(), upstream.ip().to_canonical()) {
        (IpAddr::V4(from), IpAddr::V4(to)) => {
            addresses.extend_from_slice(&from.octets());
            addresses.extend_from_slice(&to.octets());
            TCP4
        }
        (from, to) => {
            addresses.extend_from_slice(&as_v6(from).octets());
            addresses.extend_from_slice(&as_v6(to).octets());
            TCP6
        }
    };
    addresses.extend_from_slice(&source.port().to_be_bytes());
    addresses.extend_from_slice(&upstream.port().to_be_bytes());
    // A registry key is a platform's name and an id of at most 255 bytes; nothing is cut here.
    let device = &device.as_bytes()[..device.len().min(1_024)];
    let device_length = u16::try_from(device.len()).unwrap_or(u16::MAX);
    let length = u16::try_from(addresses.len() + 3 + device.len()).unwrap_or(u16::MAX);
    let mut header = Vec::with_capacity(16 + usize::from(length));
    header.extend_from_slice(&SIGNATURE);
    header.extend_from_slice(&[VERSION_AND_COMMAND, family]);
    header.extend_from_slice(&length.to_be_bytes());
    header.extend_from_slice(&addresses);
    header.push(TLV_DEVICE);
    header.extend_from_slice(&device_length.to_be_bytes());
    header.extend_from_slice(device);
    header
}

const fn as_v6(address: IpAddr) -> Ipv6Addr {
    match address {
        IpAddr::V4(address) => address.to_ipv6_mapped(),
        IpAddr::V6(address) => address,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn remote(address: &str, port: u16) -> Remote {
        Remote { address: as_v6(address.parse().unwrap()).octets(), port }
    }

    /// Byte for byte as section 2.2 lays it out.
    #[test]
    fn ipv4() {
        let header = header(&remote("203.0.113.7", 51_234), "10.0.0.9:873".parse().unwrap(), "linux:ab");
        let expected: &[&[u8]] = &[
            b"\x0d\x0a\x0d\x0a\x00\x0d\x0a\x51\x55\x49\x54\x0a",
            b"\x21\x11\x00\x17",
            &[203, 0, 113, 7, 10, 0, 0, 9, 0xc8, 0x22, 0x03, 0x69],
            b"\xe0\x00\x08linux:ab",
        ];
        assert_eq!(header, expected.concat());
        assert_eq!(usize::from(u16::from_be_bytes([header[14], header[15]])), header.len() - 16);
    }

    #[test]
    fn ipv6() {
        let header = header(&remote("2001:db8::7", 1), "[::1]:2".parse().unwrap(), "");
        assert_eq!(header[12..16], [0x21, 0x21, 0, 39]);
        assert_eq!(header[16..32], "2001:db8::7".parse::<Ipv6Addr>().unwrap().octets());
        assert_eq!(header[32..48], Ipv6Addr::LOCALHOST.octets());
        assert_eq!(header[48..], [0, 1, 0, 2, 0xe0, 0, 0]);
    }

    #[test]
    fn two_families_become_ipv6() {
        let header = header(&remote("203.0.113.7", 1), "[2001:db8::9]:2".parse().unwrap(), "x");
        assert_eq!(header[13], TCP6);
        assert_eq!(header[16..32], "::ffff:203.0.113.7".parse::<Ipv6Addr>().unwrap().octets());
    }

    #[test]
    fn a_mapped_remote_reads_as_ipv4() {
        assert_eq!(remote_address(&remote("203.0.113.7", 9)).to_string(), "203.0.113.7:9");
    }
}
