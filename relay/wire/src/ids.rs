//! SPEC §2.2: names and numbers that cross module walls, each a type of its own.

use alloc::{borrow::ToOwned, string::String};
use core::fmt;

use crate::request::Platform;

/// A text that is not a name of its kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InvalidName {
    /// What it should have been, with its grammar.
    pub expected: &'static str,
}

impl fmt::Display for InvalidName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "not {}", self.expected)
    }
}

impl core::error::Error for InvalidName {}

/// LABEL in lower case, 1..63 characters.
fn is_lower_label(text: &str) -> bool {
    let bytes = text.as_bytes();
    let edge = |b: Option<&u8>| b.is_some_and(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
    bytes.len() <= 63
        && edge(bytes.first())
        && edge(bytes.last())
        && bytes.iter().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || *b == b'-')
}

macro_rules! label_name {
    ($(#[$doc:meta])* $name:ident, $expected:literal) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(String);

        impl $name {
            /// Bytes of a name at most.
            pub const BYTES_MAX: usize = 63;

            /// The name in `text`: 1..63 characters, `[a-z0-9]([a-z0-9-]*[a-z0-9])?`.
            ///
            /// # Errors
            /// [`InvalidName`] if `text` is anything else.
            pub fn new(text: &str) -> Result<Self, InvalidName> {
                if is_lower_label(text) { Ok(Self(text.to_owned())) } else { Err(InvalidName { expected: $expected }) }
            }

            /// The name as text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl core::str::FromStr for $name {
            type Err = InvalidName;
            fn from_str(text: &str) -> Result<Self, InvalidName> {
                Self::new(text)
            }
        }
    };
}

label_name!(
    /// The name of a backend: of the master, or of a storage node (then what requests call NODE).
    BackendName,
    "a backend name (1 to 63 of a-z, 0-9 and inner hyphens)"
);
label_name!(
    /// The name of a service that a backend offers (`sink`, `rsync`, `postgres`).
    ServiceName,
    "a service name (1 to 63 of a-z, 0-9 and inner hyphens)"
);

/// What a backend is to the edge.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// Authenticates devices, keeps the registry, signs grants, serves `enrol`.
    Master,
    /// Serves backup, restore and sync.
    StorageNode,
}

impl Role {
    /// The role's number on the wire.
    #[must_use]
    pub const fn number(self) -> u8 {
        match self {
            Self::Master => 1,
            Self::StorageNode => 2,
        }
    }

    /// The role with this number on the wire.
    #[must_use]
    pub const fn from_number(number: u8) -> Option<Self> {
        match number {
            1 => Some(Self::Master),
            2 => Some(Self::StorageNode),
            _ => None,
        }
    }

    /// The role as configuration spells it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Master => "master",
            Self::StorageNode => "storage-node",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A device's identity: its platform and the identifier that the platform gave it, spelled as the device sent it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DeviceId {
    platform: Platform,
    text: String,
}

impl DeviceId {
    /// A device id from a text that the platform's parser has checked, or that the registry has stored.
    #[must_use]
    pub const fn new(platform: Platform, text: String) -> Self {
        Self { platform, text }
    }

    /// The platform.
    #[must_use]
    pub const fn platform(&self) -> Platform {
        self.platform
    }

    /// The identifier as the device spells it.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The one spelling under which a registry files this device: `platform:identifier`.
    ///
    /// Android drops leading zeros on some releases and keeps them on others, so there they are put back
    /// (FORMATS §5): both spellings are one device.
    #[must_use]
    pub fn registry_key(&self) -> String {
        match self.platform {
            Platform::Android => alloc::format!("{}:{:0>16}", self.platform.as_str(), self.text),
            Platform::Windows | Platform::MacOs | Platform::Linux | Platform::Ios | Platform::WindowsPhone => {
                alloc::format!("{}:{}", self.platform.as_str(), self.text)
            }
        }
    }
}

impl fmt::Display for DeviceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.platform, self.text)
    }
}

/// A request's nonce: 16 bytes, not all zero (shared grammar NONCE).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Nonce([u8; 16]);

impl Nonce {
    /// The nonce of these bytes; `None` if they are all zero.
    #[must_use]
    pub fn new(bytes: [u8; 16]) -> Option<Self> {
        (bytes != [0; 16]).then_some(Self(bytes))
    }

    /// The bytes.
    #[must_use]
    pub const fn bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

/// A one-use tunnel token (SPEC §7.2): 128 random bits. Whoever holds it may claim the tunnel once, so it has no `Debug`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Token([u8; 16]);

/// What stands behind a token in the server name of a tunnel's ClientHello.
pub const TUNNEL_SUFFIX: &str = ".tunnel.sallyport";

impl Token {
    /// The token of these bytes, which the caller drew at random.
    #[must_use]
    pub const fn new(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// The bytes.
    #[must_use]
    pub const fn bytes(&self) -> &[u8; 16] {
        &self.0
    }

    /// The server name that claims this tunnel: 32 lower-case hex digits and [`TUNNEL_SUFFIX`].
    #[must_use]
    pub fn server_name(&self) -> String {
        let mut name = String::with_capacity(32 + TUNNEL_SUFFIX.len());
        for byte in self.0 {
            for digit in [byte >> 4, byte & 15] {
                name.push(char::from(b"0123456789abcdef"[usize::from(digit)]));
            }
        }
        name.push_str(TUNNEL_SUFFIX);
        name
    }

    /// The token in a server name; `None` if it is not exactly of the form that [`Self::server_name`] writes.
    #[must_use]
    pub fn from_server_name(name: &str) -> Option<Self> {
        let digits = name.strip_suffix(TUNNEL_SUFFIX)?.as_bytes();
        let digits: &[u8; 32] = digits.try_into().ok()?;
        let value = |digit: u8| match digit {
            b'0'..=b'9' => Some(digit - b'0'),
            b'a'..=b'f' => Some(digit - b'a' + 10),
            _ => None,
        };
        let mut bytes = [0; 16];
        for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
            *byte = value(pair[0])? << 4 | value(pair[1])?;
        }
        Some(Self(bytes))
    }
}

/// 32 bytes of keying material exported from one TLS connection (RFC 5705, RFC 8446 section 7.5).
///
/// Not a secret of its own use: it binds a proof to that connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Exporter(pub [u8; 32]);

/// A number that orders the lives of one backend: a later life has a larger one (SPEC §6.3, takeover).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Generation(pub u64);

/// A number that joins a question on a control connection with its answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RequestId(pub u64);
