//! Reading a ClientHello (RFC 8446 section 4.1.2): what reports show, and what the hand-made servers need.

use crate::seen::Offer;

/// The largest ClientHello that is read; real ones are below 4 KiB.
pub const BYTES_MAX: usize = 64 * 1024;
const RECORD_HEADER: usize = 5;
const HANDSHAKE: u8 = 22;
const CLIENT_HELLO: u8 = 1;

mod extension {
    pub const SERVER_NAME: u16 = 0;
    pub const ALPN: u16 = 16;
    pub const EXTENDED_MASTER_SECRET: u16 = 23;
    pub const SESSION_TICKET: u16 = 35;
    pub const PRE_SHARED_KEY: u16 = 41;
    pub const SUPPORTED_VERSIONS: u16 = 43;
    pub const RENEGOTIATION_INFO: u16 = 0xff01;
}

/// The signalling suite that stands for an empty renegotiation_info (RFC 5746 section 3.3).
const RENEGOTIATION_SUITE: u16 = 0x00ff;

/// What a ClientHello says.
#[derive(Clone, Debug, Default)]
pub struct ClientHello {
    /// The version field, which is the highest one offered up to TLS 1.2.
    pub version: u16,
    /// The client's random bytes.
    pub random: [u8; 32],
    /// The session id.
    pub session_id: Vec<u8>,
    /// The suites, in the client's order.
    pub suites: Vec<u16>,
    /// The protocols, as they came.
    pub alpn: Vec<Vec<u8>>,
    /// It knows the extended master secret.
    pub extended_master_secret: bool,
    /// It wants to hear that renegotiation is secure.
    pub renegotiation_info: bool,
    /// What reports show.
    pub offer: Offer,
    /// The handshake message, header included: transcripts begin with it.
    pub message: Vec<u8>,
}

/// What the first bytes of a connection are.
pub enum First {
    /// Not enough yet.
    Part,
    /// A ClientHello.
    Hello(Box<ClientHello>),
    /// Something else.
    Other,
}

/// Reads the start of a connection.
pub fn first(bytes: &[u8]) -> First {
    if bytes.first().is_some_and(|byte| *byte != HANDSHAKE) || bytes.len() > BYTES_MAX {
        return First::Other;
    }
    let mut message = Vec::new();
    let mut rest = bytes;
    loop {
        let Some(header) = rest.get(..RECORD_HEADER) else { return First::Part };
        let length = usize::from(u16::from_be_bytes([header[3], header[4]]));
        if header[0] != HANDSHAKE || header[1] != 3 || length == 0 {
            return First::Other;
        }
        let Some(body) = rest.get(RECORD_HEADER..RECORD_HEADER + length) else { return First::Part };
        message.extend_from_slice(body);
        rest = &rest[RECORD_HEADER + length..];
        if message.len() < 4 {
            continue;
        }
        let length = usize::from(message[1]) << 16 | usize::from(message[2]) << 8 | usize::from(message[3]);
        if message[0] != CLIENT_HELLO || length > BYTES_MAX {
            return First::Other;
        }
        if message.len() >= 4 + length {
            message.truncate(4 + length);
            return parse(message).map_or(First::Other, |hello| First::Hello(Box::new(hello)));
        }
    }
}

/// Takes bytes from the front.
struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (head, tail) = self.0.split_at_checked(count)?;
        self.0 = tail;
        Some(head)
    }

    fn u8(&mut self) -> Option<u8> {
        Some(self.take(1)?[0])
    }

    fn u16(&mut self) -> Option<u16> {
        let bytes = self.take(2)?;
        Some(u16::from_be_bytes([bytes[0], bytes[1]]))
    }

    /// A list with its length in one byte before it.
    fn short(&mut self) -> Option<Reader<'a>> {
        let length = self.u8()?;
        self.take(length.into()).map(Reader)
    }

    /// A list with its length in two bytes before it.
    fn long(&mut self) -> Option<Reader<'a>> {
        let length = self.u16()?;
        self.take(length.into()).map(Reader)
    }
}

fn parse(message: Vec<u8>) -> Option<ClientHello> {
    let mut hello = ClientHello::default();
    let mut reader = Reader(&message[4..]);
    hello.version = reader.u16()?;
    hello.random.copy_from_slice(reader.take(32)?);
    hello.session_id = reader.short()?.0.to_vec();
    let mut suites = reader.long()?;
    while let Some(suite) = suites.u16() {
        hello.suites.push(suite);
    }
    let _compression = reader.short()?;
    hello.renegotiation_info = hello.suites.contains(&RENEGOTIATION_SUITE);
    if !reader.0.is_empty() {
        let mut extensions = reader.long()?;
        while !extensions.0.is_empty() {
            let kind = extensions.u16()?;
            read_extension(&mut hello, kind, extensions.long()?)?;
        }
    }
    if hello.offer.versions.is_empty() {
        // Whoever names one offers all below it; only the highest is certain.
        hello.offer.versions = vec![version_name(hello.version)];
    }
    hello.message = message;
    Some(hello)
}

fn read_extension(hello: &mut ClientHello, kind: u16, mut body: Reader<'_>) -> Option<()> {
    match kind {
        extension::SERVER_NAME => {
            let mut list = body.long()?;
            if list.u8()? == 0 {
                hello.offer.server_name = Some(String::from_utf8_lossy(list.long()?.0).into_owned());
            }
        }
        extension::ALPN => {
            let mut list = body.long()?;
            while !list.0.is_empty() {
                let protocol = list.short()?.0;
                hello.alpn.push(protocol.to_vec());
                hello.offer.alpn.push(String::from_utf8_lossy(protocol).into_owned());
            }
        }
        extension::SUPPORTED_VERSIONS => {
            let mut list = body.short()?;
            while let Some(version) = list.u16() {
                // Values like 0x?a?a are noise on purpose (RFC 8701).
                if version & 0x0f0f != 0x0a0a {
                    hello.offer.versions.push(version_name(version));
                }
            }
        }
        extension::SESSION_TICKET => hello.offer.resumption |= !body.0.is_empty(),
        extension::PRE_SHARED_KEY => hello.offer.resumption = true,
        extension::EXTENDED_MASTER_SECRET => hello.extended_master_secret = true,
        extension::RENEGOTIATION_INFO => hello.renegotiation_info = true,
        _ => {}
    }
    Some(())
}

/// A version's name.
#[must_use]
pub const fn version_name(version: u16) -> &'static str {
    match version {
        0x0300 => "SSL 3.0",
        0x0301 => "TLS 1.0",
        0x0302 => "TLS 1.1",
        0x0303 => "TLS 1.2",
        0x0304 => "TLS 1.3",
        _ => "an unknown version",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hello_of_rustls() -> Vec<u8> {
        let config = rustls::ClientConfig::builder_with_provider(relay_trust::provider())
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(rustls::RootCertStore::empty())
            .with_no_client_auth();
        let mut config = config;
        config.alpn_protocols = vec![b"one".to_vec(), b"two".to_vec()];
        let mut client = rustls::ClientConnection::new(config.into(), "localhost".try_into().unwrap()).unwrap();
        let mut bytes = Vec::new();
        client.write_tls(&mut bytes).unwrap();
        bytes
    }

    #[test]
    fn a_hello_is_read_once_it_is_whole() {
        let bytes = hello_of_rustls();
        for cut in 1..bytes.len() {
            assert!(matches!(first(&bytes[..cut]), First::Part), "{cut}");
        }
        let First::Hello(hello) = first(&bytes) else { panic!("no hello") };
        assert_eq!(hello.offer.server_name.as_deref(), Some("localhost"));
        assert_eq!(hello.offer.alpn, ["one", "two"]);
        assert_eq!(hello.offer.versions, ["TLS 1.3", "TLS 1.2"]);
        assert!(hello.extended_master_secret && !hello.offer.resumption);
        assert!(matches!(first(b"GET / HTTP/1.1"), First::Other));
    }

    #[test]
    fn no_byte_of_a_hello_leads_to_a_panic() {
        let bytes = hello_of_rustls();
        for place in 0..bytes.len() {
            for value in [0, 1, 0x7f, 0xff] {
                let mut changed = bytes.clone();
                changed[place] = value;
                let _ = first(&changed);
            }
        }
    }
}
