//! Shared secrets: 32 random bytes that never leave memory except into a file of mode 0600.

use std::path::Path;

use aws_lc_rs::hmac;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use crate::crypto::{random, sha256};
use crate::{files, hex};

pub use crate::files::SecretFileError;

/// The largest secret file that is read: one line of 64 digits, with room for a blank or a newline.
const MAX_SECRET_FILE: u64 = 4096;

/// Why a text is not a secret. It never quotes the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SecretError {
    /// Not 64 hexadecimal digits.
    #[error("a secret is one line of exactly 64 hexadecimal digits, not {characters} characters of this kind")]
    Malformed {
        /// How many characters were given.
        characters: usize,
    },
    /// All bytes equal: a placeholder somebody forgot to replace.
    #[error("this secret is a placeholder (all its bytes are equal); generate a random one")]
    Placeholder,
}

macro_rules! secret {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        ///
        /// It has no `Debug`, no `Clone` and no comparison, and is wiped from memory when dropped.
        #[derive(Zeroize, ZeroizeOnDrop)]
        pub struct $name([u8; 32]);

        impl $name {
            /// A new random one.
            #[must_use]
            pub fn generate() -> Self {
                Self(random())
            }

            /// Reads [`Self::to_hex`]; blanks around it are ignored, either case is read.
            ///
            /// # Errors
            /// [`SecretError`] for anything but 64 hexadecimal digits, and for a placeholder.
            pub fn from_hex(text: &str) -> Result<Self, SecretError> {
                from_hex(text).map(Self)
            }

            /// 64 lower-case hexadecimal digits, for the file that holds it.
            #[must_use]
            pub fn to_hex(&self) -> Zeroizing<String> {
                Zeroizing::new(hex::encode(&self.0))
            }

            /// HMAC-SHA256 (RFC 2104) of `message` with this key.
            #[must_use]
            pub fn mac(&self, message: &[u8]) -> [u8; 32] {
                let mut tag = [0; 32];
                tag.copy_from_slice(hmac::sign(&self.key(), message).as_ref());
                tag
            }

            /// Whether `tag` is [`Self::mac`] of `message`, compared in constant time.
            #[must_use]
            pub fn verify(&self, message: &[u8], tag: &[u8; 32]) -> bool {
                hmac::verify(&self.key(), message, tag).is_ok()
            }

            /// The first 8 hexadecimal digits of the key's SHA-256: names it in lists and logs without giving it away.
            #[must_use]
            pub fn fingerprint(&self) -> String {
                hex::encode(&sha256(&self.0)[..4])
            }

            /// Reads one from a file of mode 0600 or stricter.
            ///
            /// # Errors
            /// [`SecretFileError`], with the path and what to do.
            pub fn load(path: &Path) -> Result<Self, SecretFileError> {
                let text = read_secret_file(path)?;
                Self::from_hex(&text)
                    .map_err(|error| SecretFileError::Content { path: path.to_owned(), reason: error.to_string() })
            }

            fn key(&self) -> hmac::Key {
                hmac::Key::new(hmac::HMAC_SHA256, &self.0)
            }
        }
    };
}

secret! {
    /// The key that one backend and an edge share: 256 bits, proved over the TLS exporter by HMAC, never sent.
    SharedKey
}
secret! {
    /// A mass-deployment secret: lets a device that holds it register and enrol its own key. Checked by the master only.
    MassSecret
}

fn from_hex(text: &str) -> Result<[u8; 32], SecretError> {
    let text = text.trim();
    let bytes =
        hex::decode_32(text.as_bytes()).ok_or_else(|| SecretError::Malformed { characters: text.chars().count() })?;
    if bytes.iter().all(|byte| *byte == bytes[0]) { Err(SecretError::Placeholder) } else { Ok(bytes) }
}

/// The text of a secret file: a regular file of at most 4 KiB that nobody but its owner can read or write.
///
/// # Errors
/// [`SecretFileError`], with the path and what to do.
pub fn read_secret_file(path: &Path) -> Result<Zeroizing<String>, SecretFileError> {
    files::read_secret(path, MAX_SECRET_FILE)
}

/// Writes `text` to a new file of mode 0600; an existing one is never touched.
///
/// # Errors
/// [`SecretFileError`], with the path and what to do.
pub fn write_secret_file(path: &Path, text: &str) -> Result<(), SecretFileError> {
    files::write_new(path, text, files::SECRET_MODE, files::Owner::Process)
}

/// As [`write_secret_file`], for the one whose folder it is: a file that root makes there belongs to the folder's owner.
///
/// # Errors
/// As [`write_secret_file`].
pub fn write_secret_file_of_folder(path: &Path, text: &str) -> Result<(), SecretFileError> {
    files::write_new(path, text, files::SECRET_MODE, files::Owner::Folder)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hex_round_trip_and_refusals() {
        let key = SharedKey::generate();
        let text = key.to_hex();
        let again = SharedKey::from_hex(&format!(" {}\n", text.to_uppercase())).ok().unwrap();
        assert_eq!(*again.to_hex(), *text);
        assert_eq!(key.fingerprint().len(), 8);
        for wrong in ["", "00", &text[1..], &format!("{}0", *text), &text.replace(['0', '1', '2'], "x")] {
            assert!(matches!(SharedKey::from_hex(wrong), Err(SecretError::Malformed { .. })));
        }
        assert!(matches!(MassSecret::from_hex(&"00".repeat(32)), Err(SecretError::Placeholder)));
    }

    /// RFC 4231 test case 2 has a 4-byte key; with keys of 32 bytes, agreement with an HMAC written out by hand counts.
    #[test]
    fn mac_is_hmac_sha256() {
        let key = SharedKey::from_hex(&"000102030405060708090a0b0c0d0e0f".repeat(2)).ok().unwrap();
        let mut block = [0_u8; 64];
        block[..32].copy_from_slice(&key.0);
        let inner = sha256(&[&block.map(|b| b ^ 0x36)[..], b"message"].concat());
        let outer = sha256(&[&block.map(|b| b ^ 0x5c)[..], &inner].concat());
        let mut tag = key.mac(b"message");
        assert_eq!(tag, outer);
        assert!(key.verify(b"message", &tag));
        assert!(!key.verify(b"massage", &tag));
        tag[31] ^= 1;
        assert!(!key.verify(b"message", &tag));
        assert!(!SharedKey::generate().verify(b"message", &outer));
    }
}
