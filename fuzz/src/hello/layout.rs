//! A ClientHello read and written by hand: TLS records (RFC 8446, section 5.1), the message (section 4.1.2), ALPN (RFC 7301) and
//! the server name (RFC 6066).

/// Bytes of a record's header.
pub(crate) const HEADER: usize = 5;
/// Bytes that the edge takes of a ClientHello at most: one full record.
pub(crate) const TAKEN_MAX: usize = 16_384 + HEADER;

pub(crate) const SERVER_NAME: u16 = 0;
pub(crate) const SIGNATURE_ALGORITHMS: u16 = 13;
pub(crate) const ALPN: u16 = 16;

/// What the edge must make of the bytes that came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Read {
    /// More is needed; so many bytes may be taken at once.
    Part {
        wants: usize,
    },
    /// No TLS, seen at this byte.
    NotTls {
        at: usize,
    },
    TooLarge,
    /// Records with this message; nothing behind this many bytes may be taken.
    Message {
        message: Vec<u8>,
        end: usize,
    },
}

/// Takes records off the stream until they hold one handshake message.
pub(crate) fn read(stream: &[u8]) -> Read {
    let mut message = Vec::new();
    let mut start = 0;
    loop {
        if start + HEADER > TAKEN_MAX {
            return Read::TooLarge;
        }
        let record = &stream[start..];
        for (place, byte) in record.iter().take(HEADER + 1).enumerate() {
            let good = match place {
                0 => *byte == 22,
                1 => *byte == 3,
                2 => *byte <= 3,
                HEADER => start > 0 || *byte == 1,
                _ => true,
            };
            // The body's first byte is judged when its header was.
            let known = place < HEADER || header_is_good(record, start).is_none();
            if !good && known {
                return Read::NotTls { at: start + place };
            }
        }
        let Some(header) = record.get(..HEADER) else { return Read::Part { wants: HEADER - record.len() } };
        if let Some(wrong) = header_is_good(record, start) {
            return wrong;
        }
        let length = usize::from(header[3]) << 8 | usize::from(header[4]);
        let Some(body) = record.get(HEADER..HEADER + length) else {
            return Read::Part { wants: HEADER + length - record.len() };
        };
        message.extend_from_slice(body);
        start += HEADER + length;
        // RFC 8446, section 4: type u8, length u24.
        if let [_, high, middle, low, ..] = message[..] {
            let body = usize::from(high) << 16 | usize::from(middle) << 8 | usize::from(low);
            // So much can never come; TLS libraries refuse it at once.
            if message.len() >= 4 + body || body > 0xffff {
                return Read::Message { message, end: start };
            }
        }
    }
}

/// What is wrong with a record's length, if it has come.
fn header_is_good(record: &[u8], start: usize) -> Option<Read> {
    let (high, low) = (*record.get(3)?, *record.get(4)?);
    let length = usize::from(high) << 8 | usize::from(low);
    if start + HEADER + length > TAKEN_MAX {
        Some(Read::TooLarge)
    } else {
        (length == 0).then_some(Read::NotTls { at: start + 4 })
    }
}

/// What is read of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Message {
    pub(crate) version: [u8; 2],
    pub(crate) random: [u8; 32],
    pub(crate) session: Vec<u8>,
    pub(crate) suites: Vec<u8>,
    pub(crate) compressions: Vec<u8>,
    /// `None`: a message may end before them (TLS 1.2).
    pub(crate) extensions: Option<Vec<(u16, Vec<u8>)>>,
}

fn cut<'a>(rest: &mut &'a [u8], count: usize) -> Option<&'a [u8]> {
    let (head, tail) = (rest.get(..count)?, rest.get(count..)?);
    *rest = tail;
    Some(head)
}

fn number(rest: &mut &[u8], bytes: usize) -> Option<usize> {
    Some(cut(rest, bytes)?.iter().fold(0, |sum, byte| sum << 8 | usize::from(*byte)))
}

fn sized<'a>(rest: &mut &'a [u8], bytes: usize) -> Option<&'a [u8]> {
    let length = number(rest, bytes)?;
    cut(rest, length)
}

impl Message {
    /// The fields of a handshake message; `None` if its lengths do not fit into each other.
    pub(crate) fn parse(message: &[u8]) -> Option<Self> {
        let mut rest = message;
        if number(&mut rest, 1)? != 1 {
            return None;
        }
        let mut body = sized(&mut rest, 3).filter(|_| rest.is_empty())?;
        let rest = &mut body;
        let version = [number(rest, 1)?, number(rest, 1)?].map(|byte| u8::try_from(byte).unwrap_or(0));
        let random = *cut(rest, 32)?.first_chunk()?;
        let session = sized(rest, 1)?.to_vec();
        let suites = sized(rest, 2)?.to_vec();
        let compressions = sized(rest, 1)?.to_vec();
        let mut hello = Self { version, random, session, suites, compressions, extensions: None };
        if !rest.is_empty() {
            let mut list = sized(rest, 2).filter(|_| rest.is_empty())?;
            let mut extensions = Vec::new();
            while !list.is_empty() {
                let kind = u16::try_from(number(&mut list, 2)?).ok()?;
                extensions.push((kind, sized(&mut list, 2)?.to_vec()));
            }
            hello.extensions = Some(extensions);
        }
        Some(hello)
    }

    /// The message's bytes.
    pub(crate) fn write(&self) -> Vec<u8> {
        let mut body = [&self.version[..], &self.random].concat();
        put(&self.session, 1, &mut body);
        put(&self.suites, 2, &mut body);
        put(&self.compressions, 1, &mut body);
        if let Some(extensions) = &self.extensions {
            let mut list = Vec::new();
            for (kind, bytes) in extensions {
                list.extend(kind.to_be_bytes());
                put(bytes, 2, &mut list);
            }
            put(&list, 2, &mut body);
        }
        let mut message = vec![1];
        put(&body, 3, &mut message);
        message
    }

    /// The body of an extension; of several the first.
    pub(crate) fn extension(&self, kind: u16) -> Option<&[u8]> {
        let extensions = self.extensions.as_deref().unwrap_or(&[]);
        extensions.iter().find(|(known, _)| *known == kind).map(|(_, bytes)| bytes.as_slice())
    }
}

/// A length of so many bytes, and the bytes.
pub(crate) fn put(bytes: &[u8], length: usize, out: &mut Vec<u8>) {
    out.extend_from_slice(&(bytes.len() as u64).to_be_bytes()[8 - length..]);
    out.extend_from_slice(bytes);
}

/// RFC 7301: the names of an ALPN extension, none of them empty.
pub(crate) fn protocols(mut extension: &[u8]) -> Option<Vec<Vec<u8>>> {
    let mut list = sized(&mut extension, 2).filter(|list| extension.is_empty() && !list.is_empty())?;
    let mut names = Vec::new();
    while !list.is_empty() {
        names.push(sized(&mut list, 1).filter(|name| !name.is_empty())?.to_vec());
    }
    Some(names)
}

/// RFC 6066, section 3: the one host name of a server name extension. Behind it may stand a name of another type, of which
/// nobody knows how long it is.
pub(crate) fn host_name(mut extension: &[u8]) -> Option<Vec<u8>> {
    let mut list = sized(&mut extension, 2).filter(|_| extension.is_empty())?;
    let kind = number(&mut list, 1)?;
    let name = sized(&mut list, 2).filter(|name| !name.is_empty())?;
    (kind == 0 && list.first() != Some(&0)).then(|| name.to_vec())
}

/// An ALPN extension with these names.
pub(crate) fn alpn(names: &[&[u8]]) -> Vec<u8> {
    let (mut list, mut extension) = (Vec::new(), Vec::new());
    for name in names {
        put(name, 1, &mut list);
    }
    put(&list, 2, &mut extension);
    extension
}

/// A server name extension with this host name.
pub(crate) fn server_name(name: &[u8]) -> Vec<u8> {
    let (mut list, mut extension) = (vec![0], Vec::new());
    put(name, 2, &mut list);
    put(&list, 2, &mut extension);
    extension
}

/// The message in records with bodies of at most `size` bytes.
pub(crate) fn records(message: &[u8], version: u8, size: usize) -> Vec<u8> {
    let mut stream = Vec::new();
    for body in message.chunks(size.max(1)) {
        stream.extend([22, 3, version]);
        put(body, 2, &mut stream);
    }
    stream
}
