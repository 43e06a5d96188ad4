//! What a ServerHello says that rustls does not tell: a reader for its first bytes, which are never encrypted.

/// Whether these bytes begin as TLS does: a handshake or an alert record of version 3.x.
pub fn is_tls(first: &[u8]) -> bool {
    matches!(first, [0x15 | 0x16, 3, ..])
}

/// Whether the ServerHello of TLS 1.2 in these bytes has the extension `extended_master_secret` (RFC 7627).
pub fn extended_master_secret(first: &[u8]) -> bool {
    extensions(first).is_some_and(|extensions| has(extensions, 23))
}

/// The extensions of a ServerHello that lies in one record, behind warnings such as that the name is unknown.
fn extensions(mut first: &[u8]) -> Option<&[u8]> {
    while let [0x15, 3, _, high, low, rest @ ..] = first {
        first = rest.get(usize::from(u16::from_be_bytes([*high, *low]))..)?;
    }
    // Record: type, version, length. Handshake: type 2, length. ServerHello: version, random, session id, suite, compression.
    let (record, body) = first.split_at_checked(5)?;
    let (message, hello) = body.split_at_checked(4)?;
    if record[0] != 0x16 || message[0] != 2 {
        return None;
    }
    let (length, rest) = hello.get(2 + 32..)?.split_first()?;
    let rest = rest.get(usize::from(*length) + 2 + 1..)?;
    let (length, extensions) = rest.split_at_checked(2)?;
    extensions.get(..usize::from(u16::from_be_bytes([length[0], length[1]])))
}

fn has(mut extensions: &[u8], wanted: u16) -> bool {
    while let [t0, t1, l0, l1, rest @ ..] = extensions {
        if u16::from_be_bytes([*t0, *t1]) == wanted {
            return true;
        }
        let Some(next) = rest.get(usize::from(u16::from_be_bytes([*l0, *l1]))..) else { return false };
        extensions = next;
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hello(extensions: &[u8]) -> Vec<u8> {
        let mut bytes = vec![0x16, 3, 3, 0, 0, 2, 0, 0, 0, 3, 3];
        bytes.extend([7; 32]);
        bytes.extend([1, 9, 0xc0, 0x2b, 0]);
        bytes.extend(u16::try_from(extensions.len()).unwrap().to_be_bytes());
        bytes.extend(extensions);
        bytes
    }

    #[test]
    fn the_extension_is_found_where_it_is() {
        assert!(extended_master_secret(&hello(&[0xff, 1, 0, 1, 0, 0, 23, 0, 0])));
        assert!(!extended_master_secret(&hello(&[0xff, 1, 0, 1, 0])));
        assert!(!extended_master_secret(&hello(&[])));
        let warned = [&[0x15, 3, 3, 0, 2, 1, 112][..], &hello(&[0, 23, 0, 0])].concat();
        assert!(extended_master_secret(&warned) && !extended_master_secret(&warned[..6]));
        let whole = hello(&[0xff, 1, 0, 1, 0, 0, 23, 0, 0]);
        for cut in 0..whole.len() {
            assert!(!extended_master_secret(&whole[..cut]), "{cut}");
        }
    }
}
