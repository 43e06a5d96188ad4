//! From the texts of a command line or an import file to a device that may be added: one set of rules for both.

use std::collections::BTreeMap;

use relay_wire::{Platform, ids::DeviceId};
use rustls::pki_types::{SubjectPublicKeyInfoDer, pem::PemObject};

use super::devices::NewDevice;

/// What stands before the point in the SubjectPublicKeyInfo of every P-256 key (RFC 5480): two sequences, id-ecPublicKey,
/// prime256v1, and a bit string that begins with an uncompressed point.
const P256_SPKI_PREFIX: [u8; 27] = [
    0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce,
    0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00, 0x04,
];
const P256_SPKI_BYTES: usize = P256_SPKI_PREFIX.len() + 64;
/// As the shared grammar USER.
const USER_BYTES_MAX: usize = 254;
/// A name is for people; this is more than any screen shows.
const NAME_BYTES_MAX: usize = 255;

/// What is wrong with a device's description; each says what it should have been.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EntryError {
    /// No such platform.
    #[error("platform {0:?} is none of windows, macos, linux, ios, android, wp")]
    Platform(String),
    /// Not how this platform spells an id.
    #[error("id {text:?} is not how {platform} spells one: {expected}")]
    Id {
        /// What was given.
        text: String,
        /// The platform.
        platform: Platform,
        /// The grammar.
        expected: &'static str,
    },
    /// Not a user.
    #[error("user {0:?} is not an address of 6 to 254 characters such as ana@example.com")]
    User(String),
    /// Not a name.
    #[error("the name is longer than {NAME_BYTES_MAX} bytes or holds control characters")]
    Name,
    /// Not a public key.
    #[error("the public key is not a PEM \"PUBLIC KEY\" (or its base64 alone)")]
    NoKey,
    /// A key of another kind.
    #[error("the public key is not ECDSA P-256; make one with `openssl ecparam -name prime256v1 -genkey`")]
    NotP256,
    /// Neither a field of the format nor empty.
    #[error("unknown column {0:?}; the columns are platform, id, user, name, public_key")]
    Column(String),
    /// A column that must be there.
    #[error("{0} is missing")]
    MissingColumn(&'static str),
    /// The same device again.
    #[error("the device {0} stands on line {1} already")]
    Repeated(String, u64),
    /// Not the file's syntax.
    #[error("{0}")]
    Syntax(String),
}

/// An id that many devices of one maker had.
const SHARED_ANDROID_ID: &str = "9774d56d682e549c";

/// The identity `text` on `platform`, if that is how the platform spells one: the rules by which the validator judges
/// requests (FORMATS §1 to §6), so that no device is added which could never be let in.
///
/// # Errors
/// [`EntryError::Id`].
pub fn device_id(platform: Platform, text: &str) -> Result<DeviceId, EntryError> {
    let bytes = text.as_bytes();
    let not_only = |digit: u8| bytes.iter().any(|found| !matches!(*found, b'-') && *found != digit);
    let (good, expected) = match platform {
        Platform::Windows => (
            is_uuid(text, is_lower_hex) && not_only(b'0') && not_only(b'f'),
            "the MachineGuid, a lower-case UUID without braces",
        ),
        Platform::MacOs => (is_uuid(text, is_upper_hex) && not_only(b'0'), "the IOPlatformUUID, an upper-case UUID"),
        Platform::Linux => (
            bytes.len() == 32
                && bytes.iter().copied().all(is_lower_hex)
                && bytes[12] == b'4'
                && matches!(bytes[16], b'8' | b'9' | b'a' | b'b'),
            "the application's machine id, 32 lower-case hex digits with the bits of a version-4 UUID",
        ),
        Platform::Ios => (
            is_uuid(text, is_upper_hex) && bytes[14] == b'4' && matches!(bytes[19], b'8' | b'9' | b'A' | b'B'),
            "the identifierForVendor, an upper-case version-4 UUID",
        ),
        Platform::Android => (
            (1..=16).contains(&bytes.len())
                && bytes.iter().copied().all(is_lower_hex)
                && (bytes.len() == 16 || bytes[0] != b'0')
                && not_only(b'0')
                && text != SHARED_ANDROID_ID,
            "the ANDROID_ID, 1 to 16 lower-case hex digits",
        ),
        Platform::WindowsPhone => (
            bytes.len() == 28
                && bytes[27] == b'='
                && bytes[..27].iter().all(|c| c.is_ascii_alphanumeric() || matches!(c, b'+' | b'/'))
                && b"AEIMQUYcgkosw048".contains(&bytes[26])
                && bytes[..27].iter().any(|c| *c != b'A'),
            "the DeviceUniqueId, 20 bytes in base64 (28 characters)",
        ),
    };
    if good {
        Ok(DeviceId::new(platform, text.to_owned()))
    } else {
        Err(EntryError::Id { text: text.to_owned(), platform, expected })
    }
}

/// The SubjectPublicKeyInfo (DER) of a P-256 public key given as PEM, or as the base64 inside it.
///
/// # Errors
/// [`EntryError::NoKey`], [`EntryError::NotP256`].
pub fn public_key(text: &str) -> Result<Vec<u8>, EntryError> {
    let text = text.trim();
    let pem = if text.starts_with("-----BEGIN") {
        text.to_owned()
    } else {
        format!("-----BEGIN PUBLIC KEY-----\n{text}\n-----END PUBLIC KEY-----\n")
    };
    let spki = SubjectPublicKeyInfoDer::from_pem_slice(pem.as_bytes()).map_err(|_| EntryError::NoKey)?;
    if is_p256(&spki) { Ok(spki.to_vec()) } else { Err(EntryError::NotP256) }
}

/// Whether these bytes are the SubjectPublicKeyInfo of a P-256 key with an uncompressed point, as certificates carry it.
#[must_use]
pub fn is_p256(spki: &[u8]) -> bool {
    spki.len() == P256_SPKI_BYTES && spki.starts_with(&P256_SPKI_PREFIX)
}

/// A device from its texts.
///
/// # Errors
/// [`EntryError`] for the first that is wrong.
pub fn device(platform: &str, id: &str, user: &str, name: &str, key: &str) -> Result<NewDevice, EntryError> {
    let platform = Platform::from_name(platform).ok_or_else(|| EntryError::Platform(platform.to_owned()))?;
    let id = device_id(platform, id)?;
    if !is_user(user) {
        return Err(EntryError::User(user.to_owned()));
    }
    if name.len() > NAME_BYTES_MAX || name.chars().any(char::is_control) {
        return Err(EntryError::Name);
    }
    Ok(NewDevice { id, user: user.to_owned(), name: name.to_owned(), spki: public_key(key)? })
}

/// A device from named fields, as the lines of an import file give them.
///
/// # Errors
/// [`EntryError`]; an unknown field is one.
pub fn device_from_fields(mut fields: BTreeMap<String, String>) -> Result<NewDevice, EntryError> {
    let mut take = |field: &'static str| fields.remove(field).ok_or(EntryError::MissingColumn(field));
    let (platform, id, user, key) = (take("platform")?, take("id")?, take("user")?, take("public_key")?);
    let name = fields.remove("name").unwrap_or_default();
    match fields.into_keys().next() {
        Some(unknown) => Err(EntryError::Column(unknown)),
        None => device(&platform, &id, &user, &name, &key),
    }
}

/// The shared grammar USER.
fn is_user(text: &str) -> bool {
    let Some((local, domain)) = text.split_once('@') else { return false };
    let is_local = |c: u8| c.is_ascii_alphanumeric() || matches!(c, b'.' | b'_' | b'%' | b'+' | b'\'' | b'-');
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|c| c.is_ascii_alphanumeric() || c == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    let Some((labels, top)) = domain.rsplit_once('.') else { return false };
    (6..=USER_BYTES_MAX).contains(&text.len())
        && (1..=64).contains(&local.len())
        && local.bytes().all(is_local)
        && labels.split('.').all(is_label)
        && (2..=63).contains(&top.len())
        && top.bytes().all(|c| c.is_ascii_alphabetic())
}

const fn is_lower_hex(digit: u8) -> bool {
    matches!(digit, b'0'..=b'9' | b'a'..=b'f')
}

const fn is_upper_hex(digit: u8) -> bool {
    matches!(digit, b'0'..=b'9' | b'A'..=b'F')
}

fn is_uuid(text: &str, digit: fn(u8) -> bool) -> bool {
    text.len() == 36
        && text.bytes().enumerate().all(|(at, c)| if matches!(at, 8 | 13 | 18 | 23) { c == b'-' } else { digit(c) })
}
