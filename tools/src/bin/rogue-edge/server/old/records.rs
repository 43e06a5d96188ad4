//! Records of TLS 1.0 and 1.1 (RFC 2246 section 6.2, RFC 4346 section 6.2.3.2).

use std::time::Duration;

use aws_lc_rs::cipher::{
    AES_128, AES_256, DecryptingKey, DecryptionContext, EncryptingKey, EncryptionContext, UnboundCipherKey,
};
use sha1::Sha1;

use super::{
    OldVersion,
    keys::{BLOCK, Half, MAC, hmac},
};
use crate::{
    seen::End,
    server::wire::{Came, Wire},
};

pub const CHANGE_CIPHER_SPEC: u8 = 20;
pub const ALERT: u8 = 21;
pub const HANDSHAKE: u8 = 22;
pub const APPLICATION_DATA: u8 = 23;
const HEADER: usize = 5;
/// The largest fragment with what encryption adds.
const FRAGMENT_MAX: usize = (1 << 14) + 2048;

/// What came.
pub enum Heard {
    /// A record: its type and its content.
    Record(u8, Vec<u8>),
    /// Bytes that are no record, or one that was changed.
    Senseless(&'static str),
    /// No record for as long as was asked.
    Quiet,
    /// The connection is over.
    Gone(End),
}

/// The record layer of one connection.
pub struct Records<'a> {
    wire: &'a mut Wire,
    version: OldVersion,
    pending: Vec<u8>,
    reading: Option<Half>,
    writing: Option<Half>,
}

impl<'a> Records<'a> {
    /// Unencrypted.
    pub fn new(wire: &'a mut Wire, version: OldVersion) -> Self {
        Self { wire, version, pending: Vec::new(), reading: None, writing: None }
    }

    /// Takes what was read before, and passes over the records of its first `message` bytes of handshake.
    pub fn skip(&mut self, received: &[u8], message: usize) {
        let mut rest = received;
        let mut left = message;
        while left > 0 {
            let Some(header) = rest.get(..HEADER) else { return };
            let length = usize::from(u16::from_be_bytes([header[3], header[4]]));
            let Some(after) = rest.get(HEADER + length..) else { return };
            left = left.saturating_sub(length);
            rest = after;
        }
        self.pending = rest.to_vec();
    }

    /// From the next record on, the client encrypts.
    pub fn decrypt_with(&mut self, half: Half) {
        self.reading = Some(half);
    }

    /// From the next record on, the server encrypts.
    pub fn encrypt_with(&mut self, half: Half) {
        self.writing = Some(half);
    }

    /// The next record.
    pub fn next(&mut self, quiet: Option<Duration>) -> Heard {
        loop {
            if let Some(header) = self.pending.get(..HEADER) {
                let (kind, length) = (header[0], usize::from(u16::from_be_bytes([header[3], header[4]])));
                if header[1] != 3 || length > FRAGMENT_MAX {
                    return Heard::Senseless("what came is no TLS record");
                }
                if self.pending.len() >= HEADER + length {
                    let rest = self.pending.split_off(HEADER + length);
                    let record = std::mem::replace(&mut self.pending, rest);
                    return self.open(kind, record[HEADER..].to_vec());
                }
            }
            let mut buffer = [0; 16 * 1024];
            match self.wire.read(&mut buffer, quiet) {
                Came::Bytes(count) => self.pending.extend_from_slice(&buffer[..count]),
                Came::Quiet => return Heard::Quiet,
                Came::Gone(end) => return Heard::Gone(end),
            }
        }
    }

    fn open(&mut self, kind: u8, fragment: Vec<u8>) -> Heard {
        let Some(half) = &mut self.reading else { return Heard::Record(kind, fragment) };
        match decrypt(half, self.version, kind, fragment) {
            Some(content) => Heard::Record(kind, content),
            None => Heard::Senseless("a record does not decrypt"),
        }
    }

    /// Sends one record; false if the client is gone.
    pub fn send(&mut self, kind: u8, content: &[u8]) -> bool {
        let fragment = match &mut self.writing {
            None => Some(content.to_vec()),
            Some(half) => encrypt(half, self.version, kind, content),
        };
        let Some(fragment) = fragment else { return false };
        let Ok(length) = u16::try_from(fragment.len()) else { return false };
        let [high, low] = self.version.number().to_be_bytes();
        let [long, short] = length.to_be_bytes();
        self.wire.write(&[&[kind, high, low, long, short], fragment.as_slice()].concat())
    }
}

fn mac(half: &Half, version: OldVersion, kind: u8, content: &[u8]) -> Option<Vec<u8>> {
    let length = u16::try_from(content.len()).ok()?.to_be_bytes();
    let head = [half.sequence.to_be_bytes().as_slice(), &[kind], &version.number().to_be_bytes(), &length].concat();
    Some(hmac::<Sha1>(&half.mac_key, &[&head, content]))
}

fn cipher(half: &Half) -> Option<UnboundCipherKey> {
    let algorithm = if half.key.len() == 16 { &AES_128 } else { &AES_256 };
    UnboundCipherKey::new(algorithm, &half.key).ok()
}

fn last_block(bytes: &[u8]) -> Option<[u8; BLOCK]> {
    bytes.last_chunk::<BLOCK>().copied()
}

fn decrypt(half: &mut Half, version: OldVersion, kind: u8, mut fragment: Vec<u8>) -> Option<Vec<u8>> {
    let vector = match version {
        OldVersion::Tls10 => std::mem::replace(&mut half.vector, last_block(&fragment)?),
        OldVersion::Tls11 => {
            let rest = fragment.split_off_checked(BLOCK)?;
            std::mem::replace(&mut fragment, rest).try_into().ok()?
        }
    };
    let key = DecryptingKey::cbc(cipher(half)?).ok()?;
    let plain = key.decrypt(&mut fragment, DecryptionContext::Iv128(vector.into())).ok()?;
    // This server holds no secret that the time it takes could give away.
    let padding = usize::from(*plain.last()?) + 1;
    let content = plain.len().checked_sub(padding)?.checked_sub(MAC)?;
    let right = mac(half, version, kind, &plain[..content])?;
    if plain[content..content + MAC] != right {
        return None;
    }
    half.sequence += 1;
    Some(plain[..content].to_vec())
}

#[allow(clippy::cast_possible_truncation, reason = "padding is shorter than a block")]
fn encrypt(half: &mut Half, version: OldVersion, kind: u8, content: &[u8]) -> Option<Vec<u8>> {
    let mut plain = [content, mac(half, version, kind, content)?.as_slice()].concat();
    let padding = BLOCK - 1 - plain.len() % BLOCK;
    plain.extend(std::iter::repeat_n(padding as u8, padding + 1));
    let vector = match version {
        OldVersion::Tls10 => half.vector,
        OldVersion::Tls11 => relay_trust::random(),
    };
    let key = EncryptingKey::cbc(cipher(half)?).ok()?;
    key.less_safe_encrypt(&mut plain, EncryptionContext::Iv128(vector.into())).ok()?;
    half.sequence += 1;
    Some(match version {
        OldVersion::Tls10 => {
            half.vector = last_block(&plain)?;
            plain
        }
        OldVersion::Tls11 => [vector.as_slice(), &plain].concat(),
    })
}

/// [`Vec::split_off`] that does not panic.
trait SplitOff: Sized {
    fn split_off_checked(&mut self, at: usize) -> Option<Self>;
}

impl SplitOff for Vec<u8> {
    fn split_off_checked(&mut self, at: usize) -> Option<Self> {
        (at <= self.len()).then(|| self.split_off(at))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn half(key: usize) -> Half {
        Half { mac_key: vec![1; MAC], key: vec![2; key], vector: [3; BLOCK], sequence: 0 }
    }

    #[test]
    fn what_one_side_encrypts_the_other_decrypts_and_nothing_else() {
        for version in [OldVersion::Tls10, OldVersion::Tls11] {
            for key in [16, 32] {
                let (mut writing, mut reading) = (half(key), half(key));
                for length in [0, 1, 11, 12, 15, 16, 100, 1000] {
                    let content = vec![7; length];
                    let sealed = encrypt(&mut writing, version, APPLICATION_DATA, &content).unwrap();
                    assert_eq!(decrypt(&mut reading, version, APPLICATION_DATA, sealed.clone()), Some(content));
                    assert_eq!(decrypt(&mut half(key), version, HANDSHAKE, sealed), None, "another type");
                }
            }
            for short in 0..BLOCK {
                assert_eq!(decrypt(&mut half(16), version, ALERT, vec![0; short]), None);
            }
        }
    }
}
