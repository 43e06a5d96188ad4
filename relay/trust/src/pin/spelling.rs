//! The spellings of a pin that people and programs use, in and out.

use std::fmt;
use std::str::FromStr;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};

use super::error::{printable, shortened};
use super::{OtherHash, Pin, PinError, PinKind, PinMistake};
use crate::hex;

/// A way to write a pin. What is written is read again as the same pin.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Spelling {
    /// `leaf:HEX`, `spki:HEX`: this project's own.
    Canonical,
    /// 64 digits, lower case.
    Hex,
    /// 64 digits, upper case.
    HexUpper,
    /// 32 pairs of digits with colons between them, upper case, as browsers show a certificate's fingerprint.
    Colons,
    /// `sha256 Fingerprint=AA:BB:...`, the line that `openssl x509 -fingerprint -sha256` prints.
    OpenSsl,
    /// `SHA256: AA:BB:...`, the line that Java's `keytool` prints.
    Keytool,
    /// `sha256//BASE64`: curl `--pinnedpubkey`.
    Curl,
    /// `sha256/BASE64`: OkHttp's `CertificatePinner`.
    OkHttp,
    /// `pin-sha256="BASE64"`: HTTP public key pinning (RFC 7469).
    Hpkp,
    /// `pin-sha256:BASE64`: `gnutls-cli` and `certtool`.
    GnuTls,
    /// The base64 alone: Android's network security configuration, iOS' `NSPinnedLeafIdentities`.
    Base64,
    /// `3 1 1 HEX` or `3 0 1 HEX`: the data of a TLSA record (RFC 6698).
    Tlsa,
    /// `SHA256:BASE64` without padding, as OpenSSH writes digests.
    Ssh,
}

impl Spelling {
    /// All of them.
    pub const ALL: [Self; 13] = [
        Self::Canonical,
        Self::Hex,
        Self::HexUpper,
        Self::Colons,
        Self::OpenSsl,
        Self::Keytool,
        Self::Curl,
        Self::OkHttp,
        Self::Hpkp,
        Self::GnuTls,
        Self::Base64,
        Self::Tlsa,
        Self::Ssh,
    ];

    /// Its name in options and reports.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Canonical => "canonical",
            Self::Hex => "hex",
            Self::HexUpper => "hex-upper",
            Self::Colons => "colons",
            Self::OpenSsl => "openssl",
            Self::Keytool => "keytool",
            Self::Curl => "curl",
            Self::OkHttp => "okhttp",
            Self::Hpkp => "hpkp",
            Self::GnuTls => "gnutls",
            Self::Base64 => "base64",
            Self::Tlsa => "tlsa",
            Self::Ssh => "ssh",
        }
    }

    /// Who reads or writes it.
    #[must_use]
    pub const fn used_by(self) -> &'static str {
        match self {
            Self::Canonical => "this project",
            Self::Hex | Self::HexUpper | Self::Colons => "browsers",
            Self::OpenSsl => "openssl x509 -fingerprint -sha256",
            Self::Keytool => "Java keytool -list -v",
            Self::Curl => "curl --pinnedpubkey",
            Self::OkHttp => "OkHttp CertificatePinner",
            Self::Hpkp => "HTTP public key pinning (RFC 7469)",
            Self::GnuTls => "gnutls-cli, certtool",
            Self::Base64 => "Android network security configuration, iOS NSPinnedLeafIdentities",
            Self::Tlsa => "DANE TLSA records (RFC 6698)",
            Self::Ssh => "OpenSSH's way to write a digest",
        }
    }

    /// The spelling of that name.
    #[must_use]
    pub fn by_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|spelling| spelling.name() == name)
    }

    /// Whether it can say that a pin is of this kind. Most are read as one kind and cannot say the other.
    #[must_use]
    pub const fn says(self, kind: PinKind) -> bool {
        match self {
            Self::Canonical | Self::Tlsa => true,
            Self::Hex | Self::HexUpper | Self::Colons | Self::OpenSsl | Self::Keytool => matches!(kind, PinKind::Leaf),
            Self::Curl | Self::OkHttp | Self::Hpkp | Self::GnuTls | Self::Base64 | Self::Ssh => {
                matches!(kind, PinKind::Spki)
            }
        }
    }

    /// The pin in this spelling; `None` where it cannot say the pin's kind.
    #[must_use]
    pub fn write(self, pin: &Pin) -> Option<String> {
        if !self.says(pin.kind) {
            return None;
        }
        let digest = &pin.digest;
        let base64 = || STANDARD.encode(digest);
        Some(match self {
            Self::Canonical => pin.to_string(),
            Self::Hex => hex::encode(digest),
            Self::HexUpper => hex::encode(digest).to_uppercase(),
            Self::Colons => hex::with_colons(digest),
            Self::OpenSsl => format!("sha256 Fingerprint={}", hex::with_colons(digest)),
            Self::Keytool => format!("SHA256: {}", hex::with_colons(digest)),
            Self::Curl => format!("sha256//{}", base64()),
            Self::OkHttp => format!("sha256/{}", base64()),
            Self::Hpkp => format!("pin-sha256=\"{}\"", base64()),
            Self::GnuTls => format!("pin-sha256:{}", base64()),
            Self::Base64 => base64(),
            Self::Tlsa => {
                let selector = match pin.kind {
                    PinKind::Leaf => 0,
                    PinKind::Spki => 1,
                };
                format!("3 {selector} 1 {}", hex::encode(digest))
            }
            Self::Ssh => format!("SHA256:{}", STANDARD_NO_PAD.encode(digest)),
        })
    }
}

impl fmt::Display for Spelling {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The characters of base64 that 32 bytes take, with their padding.
const BASE64_LENGTH: usize = 44;

impl FromStr for Pin {
    type Err = PinError;

    fn from_str(text: &str) -> Result<Self, PinError> {
        let text = text.trim();
        if text.is_empty() {
            return Err(PinError::Empty);
        }
        read(text).map_err(|refusal| refusal.of(text))
    }
}

/// Why a text is no pin, before the text is put beside it.
enum Refusal {
    Mistake(PinMistake),
    OtherHash(OtherHash, Vec<u8>),
    UnknownKind,
}

impl Refusal {
    fn of(self, text: &str) -> PinError {
        let text = shortened(text);
        match self {
            Self::Mistake(mistake) => PinError::Malformed { text, mistake },
            Self::OtherHash(hash, digest) => PinError::OtherHash { text, hash, digest },
            Self::UnknownKind => PinError::UnknownKind { text },
        }
    }
}

impl From<PinMistake> for Refusal {
    fn from(mistake: PinMistake) -> Self {
        Self::Mistake(mistake)
    }
}

fn read(text: &str) -> Result<Pin, Refusal> {
    if let Some(invisible) = text.chars().find(|c| is_invisible(*c)) {
        return Err(PinMistake::Invisible(invisible.into()).into());
    }
    // 44 characters of base64 are a key's pin whatever they begin with.
    if is_whole(text) && text.bytes().all(is_base64) {
        return of_base64(text);
    }
    if let Some(words) = tlsa_words(text) {
        return of_tlsa(words);
    }
    if let Some(base64) = strip(text, "pin-sha256=") {
        return match base64.strip_prefix('"') {
            Some(quoted) => of_base64(quoted.strip_suffix('"').ok_or(PinMistake::Quote)?),
            None => of_base64(base64),
        };
    }
    if let Some(base64) = strip(text, "pin-sha256:") {
        return of_base64(base64);
    }
    if let Some(base64) = strip(text, "sha256/") {
        // A second slash is curl's, unless 44 characters begin with it: one pin in 64 begins with a slash.
        let base64 = base64.strip_prefix('/').filter(|_| !is_whole(base64)).unwrap_or(base64);
        return of_base64(base64);
    }
    if let Some(digits) = strip(text, "sha256 fingerprint=") {
        return of_hex(PinKind::Leaf, digits);
    }
    if let Some(value) = strip(text, "sha256:") {
        let value = value.trim_start();
        // OpenSSH writes 43 characters of base64; keytool and GnuTLS write digits, and those have other lengths.
        return if value.len() == BASE64_LENGTH - 1 && !value.contains(':') {
            of_base64(&format!("{value}="))
        } else {
            of_hex(PinKind::Leaf, value)
        };
    }
    if let Some(digits) = strip(text, "leaf:") {
        return of_hex(PinKind::Leaf, digits);
    }
    if let Some(value) = strip(text, "spki:") {
        // No hexadecimal spelling has 44 characters.
        return if value.len() == BASE64_LENGTH { of_base64(value) } else { of_hex(PinKind::Spki, value) };
    }
    if let Some((hash, value)) = labelled(text) {
        return Err(match decoded(value).filter(|digest| digest.len() == hash.size()) {
            Some(digest) => Refusal::OtherHash(hash, digest),
            None => PinMistake::Label(hash).into(),
        });
    }
    if let Some((kind, _)) = text.split_once(':')
        && !kind.bytes().all(|byte| byte.is_ascii_hexdigit())
    {
        return Err(Refusal::UnknownKind);
    }
    of_hex(PinKind::Leaf, text)
}

/// Marks that no screen shows. The certificate dialog of Windows puts one before the thumbprint that people copy.
pub(super) const fn is_invisible(c: char) -> bool {
    matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}' | '\u{feff}')
}

/// As long as the base64 of 32 bytes, and padded.
fn is_whole(base64: &str) -> bool {
    base64.len() == BASE64_LENGTH && base64.ends_with('=')
}

const fn is_base64(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=')
}

fn strip<'a>(text: &'a str, prefix: &str) -> Option<&'a str> {
    let head = text.get(..prefix.len())?;
    head.eq_ignore_ascii_case(prefix).then(|| &text[prefix.len()..])
}

/// What follows the label of another hash: `sha1/`, `SHA1 Fingerprint=`, `MD5:`.
fn labelled(text: &str) -> Option<(OtherHash, &str)> {
    OtherHash::ALL.into_iter().find_map(|hash| {
        let rest = strip(text, hash.label())?;
        let value = ["//", "/", ":", " fingerprint="].into_iter().find_map(|between| strip(rest, between))?;
        Some((hash, value.trim_start()))
    })
}

/// Bytes in hexadecimal, with colons or without, or in base64.
fn decoded(value: &str) -> Option<Vec<u8>> {
    let plain = if value.contains(':') { hex::without_colons(value) } else { Some(value.to_owned()) };
    plain.and_then(|digits| hex::decode(digits.as_bytes())).or_else(|| STANDARD.decode(value).ok())
}

fn of_hex(kind: PinKind, digits: &str) -> Result<Pin, Refusal> {
    let plain = if digits.contains(':') { hex::without_colons(digits) } else { Some(digits.to_owned()) };
    let Some(plain) = plain else {
        let odd = digits.chars().find(|c| *c != ':' && !c.is_ascii_hexdigit());
        return Err(odd.map_or(PinMistake::Colons, |c| PinMistake::NotHex(printable(c))).into());
    };
    if let Some(digest) = hex::decode_32(plain.as_bytes()) {
        return Ok(Pin::new(kind, digest));
    }
    if let Some(c) = plain.chars().find(|c| !c.is_ascii_hexdigit()) {
        let base64 = plain.len() == BASE64_LENGTH && plain.bytes().all(is_base64);
        return Err(if base64 { PinMistake::Base64ForHex } else { PinMistake::NotHex(printable(c)) }.into());
    }
    match (hex::decode(plain.as_bytes()), OtherHash::of_size(plain.len() / 2)) {
        (Some(digest), Some(hash)) => Err(Refusal::OtherHash(hash, digest)),
        _ => Err(PinMistake::HexLength(plain.len()).into()),
    }
}

/// The pin of a key in base64: the one encoding of 32 bytes with the standard alphabet and padding.
fn of_base64(text: &str) -> Result<Pin, Refusal> {
    let decoded = STANDARD.decode(text).ok();
    if let Some(digest) = decoded.as_deref().and_then(|bytes| bytes.try_into().ok()) {
        return Ok(Pin::new(PinKind::Spki, digest));
    }
    let hexadecimal = text.len() >= 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b':');
    Err(if hexadecimal {
        PinMistake::HexForBase64
    } else if text.contains(['-', '_']) {
        PinMistake::UrlSafe
    } else if let Some(c) = text.chars().find(|c| !c.is_ascii() || !is_base64(*c as u8)) {
        PinMistake::NotBase64(printable(c))
    } else if text.len() == BASE64_LENGTH - 1 {
        PinMistake::Unpadded
    } else if text.find('=') == Some(BASE64_LENGTH - 1) && text.len() == BASE64_LENGTH {
        PinMistake::SpareBits
    } else {
        PinMistake::Base64Length(text.trim_end_matches('=').len() * 3 / 4)
    }
    .into())
}

/// The data of a TLSA record: behind the word `TLSA`, which stands among the first four, or from the beginning if that is
/// three numbers.
fn tlsa_words(text: &str) -> Option<std::iter::Skip<std::str::SplitWhitespace<'_>>> {
    let words = text.split_whitespace();
    let skip = match words.clone().take(4).position(|word| word.eq_ignore_ascii_case("tlsa")) {
        Some(place) => place + 1,
        None => 0,
    };
    let data = words.skip(skip);
    let numbers = data.clone().take(3).filter(|word| word.len() == 1 && word.as_bytes()[0].is_ascii_digit()).count();
    (skip > 0 || numbers == 3).then_some(data)
}

/// `USAGE SELECTOR MATCHING HEX`, the digits in one piece or in several, as RFC 6698 section 2.2 allows.
fn of_tlsa<'a>(mut words: impl Iterator<Item = &'a str>) -> Result<Pin, Refusal> {
    let mut next = || words.next().ok_or(PinMistake::Tlsa);
    let (usage, selector, matching) = (next()?, next()?, next()?);
    let kind = match (usage, selector) {
        ("1" | "3", "0") => PinKind::Leaf,
        ("1" | "3", "1") => PinKind::Spki,
        ("0" | "2", _) => return Err(PinMistake::TlsaIssuer.into()),
        _ => return Err(PinMistake::Tlsa.into()),
    };
    match matching {
        "0" => return Err(PinMistake::TlsaFull.into()),
        "1" | "2" => {}
        _ => return Err(PinMistake::Tlsa.into()),
    }
    let digits: String = words.collect();
    if digits.contains(':') {
        return Err(PinMistake::Colons.into());
    }
    let pin = of_hex(kind, &digits);
    match (matching, &pin) {
        // A SHA-256 that is said to be a SHA-512.
        ("2", Ok(_)) => Err(PinMistake::Tlsa.into()),
        _ => pin,
    }
}
