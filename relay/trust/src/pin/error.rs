//! Why a text is no pin, each with what to do.

use std::fmt;

/// Why a text is not a pin.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PinError {
    /// Nothing between the commas, or an empty text.
    #[error("a pin is empty; write leaf:HEX or spki:HEX (`relay-edge fingerprint` prints both)")]
    Empty,
    /// A fingerprint by another hash.
    #[error(
        "the pin `{text}` looks like {hash} fingerprint, which is not accepted; take the SHA-256 (`relay-edge \
         fingerprint`, or `openssl x509 -noout -fingerprint -sha256 -in FILE`)"
    )]
    OtherHash {
        /// What was given, shortened.
        text: String,
        /// Which hash has digests of this length, or is named.
        hash: OtherHash,
        /// The digest that was given, for telling the user what it is the digest of.
        digest: Vec<u8>,
    },
    /// Not 32 bytes in a known spelling.
    #[error("the pin `{text}` is not a SHA-256: {mistake}")]
    Malformed {
        /// What was given, shortened.
        text: String,
        /// What is wrong with it.
        mistake: PinMistake,
    },
    /// A word before the colon that is no spelling's.
    #[error("the pin `{text}` begins with an unknown kind; the kinds are `leaf:` (certificate) and `spki:` (its key)")]
    UnknownKind {
        /// What was given, shortened.
        text: String,
    },
    /// More pins than a set holds.
    #[error(
        "{count} pins are more than {}; give the pins of the edges in use and their successors only",
        super::MAX_PINS
    )]
    TooMany {
        /// How many were given.
        count: usize,
    },
}

/// What is wrong with the digits of a pin.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PinMistake {
    /// Another number of digits.
    #[error("it has {0} hexadecimal digits where 64 are needed; copy all of it")]
    HexLength(usize),
    /// A character that is no digit.
    #[error("`{0}` is not a hexadecimal digit; write exactly 64 of them, or 32 pairs with colons between")]
    NotHex(char),
    /// Colons, but not between every two digits.
    #[error("its colons are not between every two digits; leave all of them out, or write AA:BB:CC…")]
    Colons,
    /// Base64 where the spelling has digits.
    #[error(
        "this spelling takes 64 hexadecimal digits and this is base64; if it is the pin of a key, write spki:BASE64"
    )]
    Base64ForHex,
    /// Digits where the spelling has base64.
    #[error("this spelling takes 44 characters of base64 and these are hexadecimal digits; write spki:HEX or leaf:HEX")]
    HexForBase64,
    /// Base64 of another number of bytes.
    #[error("its base64 holds {0} bytes where 32 are needed: 44 characters, the last of them `=`")]
    Base64Length(usize),
    /// A character that base64 has not.
    #[error("`{0}` is not a character of base64")]
    NotBase64(char),
    /// The alphabet for URLs.
    #[error("it is written in base64 for URLs; put `+` for `-` and `/` for `_`")]
    UrlSafe,
    /// No padding.
    #[error("the `=` at its end is missing")]
    Unpadded,
    /// Not what an encoder writes.
    #[error("its last character before the `=` holds bits that no encoder writes, so it was altered; copy it again")]
    SpareBits,
    /// A quote at one end only.
    #[error("its closing quotation mark is missing")]
    Quote,
    /// A character that cannot be seen.
    #[error(
        "it contains an invisible character (U+{0:04X}), which came with it when it was copied; remove it, or type the pin"
    )]
    Invisible(u32),
    /// The label of another hash before something that is no digest of that hash.
    #[error("{} is neither accepted nor a digest of that length; take the SHA-256", .0.label())]
    Label(OtherHash),
    /// A TLSA record that names an issuer.
    #[error("TLSA usages 0 and 2 name an issuer, and a pin names the server's own certificate; take 3 1 1 or 3 0 1")]
    TlsaIssuer,
    /// A TLSA record that holds the whole certificate or key.
    #[error("TLSA matching type 0 holds the whole certificate or key; take 3 1 1 or 3 0 1 with the SHA-256 of it")]
    TlsaFull,
    /// A TLSA record that cannot be used otherwise.
    #[error("as a TLSA record it must be `3 1 1` (key) or `3 0 1` (certificate) followed by 64 hexadecimal digits")]
    Tlsa,
}

/// A hash that pins are not made with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum OtherHash {
    /// 16 bytes.
    Md5,
    /// 20 bytes.
    Sha1,
    /// 48 bytes.
    Sha384,
    /// 64 bytes.
    Sha512,
}

impl OtherHash {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Md5, Self::Sha1, Self::Sha384, Self::Sha512];

    /// The length of its digests, bytes.
    #[must_use]
    pub const fn size(self) -> usize {
        match self {
            Self::Md5 => 16,
            Self::Sha1 => 20,
            Self::Sha384 => 48,
            Self::Sha512 => 64,
        }
    }

    /// The word before its digests, as tools write it in lower case.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Md5 => "md5",
            Self::Sha1 => "sha1",
            Self::Sha384 => "sha384",
            Self::Sha512 => "sha512",
        }
    }

    /// Its name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Md5 => "MD5",
            Self::Sha1 => "SHA-1",
            Self::Sha384 => "SHA-384",
            Self::Sha512 => "SHA-512",
        }
    }

    pub(super) fn of_size(bytes: usize) -> Option<Self> {
        Self::ALL.into_iter().find(|hash| hash.size() == bytes)
    }
}

/// The name with its article: `an MD5`, `a SHA-1`.
impl fmt::Display for OtherHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let article = match self {
            Self::Md5 => "an",
            Self::Sha1 | Self::Sha384 | Self::Sha512 => "a",
        };
        write!(f, "{article} {}", self.name())
    }
}

/// At most 100 characters of a text that a person gave, printable only.
pub(super) fn shortened(text: &str) -> String {
    text.chars().take(100).map(printable).collect()
}

/// The character, or a question mark for one that a terminal would obey or not show.
pub(super) fn printable(c: char) -> char {
    if c.is_control() || super::spelling::is_invisible(c) { '?' } else { c }
}
