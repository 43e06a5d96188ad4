//! The second validator: the six formats from the text of FORMATS alone, slow and obvious.
//!
//! It shares nothing with `relay-wire`, not even a base64 decoder, and works by another technique: tables of rows ([`rows`])
//! whose grammars are regular expressions copied from the text, read by one general judge.

use std::borrow::Cow;

mod android;
pub mod canonical;
pub mod carried;
mod fields;
mod ios;
mod json;
mod linux;
mod macos;
mod path;
mod row;
mod tables;
mod time;
mod value;
mod windows;
mod windows_phone;
mod xml;

pub use row::{Kind, PathForm, Role, Row, Rule, When, rows};

/// The platform of a body, numbered as in the opening frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Platform {
    /// FORMATS §1.
    Windows = 1,
    /// FORMATS §2.
    MacOs = 2,
    /// FORMATS §3.
    Linux = 3,
    /// FORMATS §4.
    Ios = 4,
    /// FORMATS §5.
    Android = 5,
    /// FORMATS §6.
    WindowsPhone = 6,
}

impl Platform {
    /// Every platform, in the order of their numbers.
    pub const ALL: [Self; 6] = [Self::Windows, Self::MacOs, Self::Linux, Self::Ios, Self::Android, Self::WindowsPhone];
}

/// A code as the text spells it: `E_PATH`.
pub type Code = &'static str;

/// Operations in the order of their numbers, from 1 on.
pub const OPERATIONS: [&str; 6] = ["register", "auth", "backup", "restore", "ping", "sync"];

/// Why a body is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The code.
    pub code: Code,
    /// The field or rule that was found wrong; `name` or `body` where there is none.
    pub field: &'static str,
}

const fn refusal(code: Code, field: &'static str) -> Refusal {
    Refusal { code, field }
}

/// All that a request says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Meaning {
    /// The platform.
    pub platform: Option<Platform>,
    /// One of [`OPERATIONS`].
    pub operation: &'static str,
    /// As the device spells it; Windows Phone: 40 hex digits.
    pub device_id: String,
    /// 32 bytes: MASS; 64 bytes: DEV.
    pub proof: Vec<u8>,
    /// USER.
    pub user: Option<String>,
    /// NODE.
    pub node: Option<String>,
    /// The paths, decoded.
    pub paths: Vec<Vec<u8>>,
    /// 100 ns since 1970-01-01T00:00:00Z.
    pub sent_at: u64,
    /// 16 bytes.
    pub nonce: Vec<u8>,
    /// EST.
    pub estimate: Option<u64>,
    /// The platform's facts that are there, by the names of their rows, in table order. Texts and words as spelled; numbers in decimal;
    /// booleans `true` and `false` (Android: 1 and 0). Windows: appVersion `major.minor.build.revision`, power four numbers. iOS:
    /// power.level in units of 10^-18, or -1.
    pub facts: Vec<(&'static str, String)>,
}

/// A value as its container gives it, escapes and entities resolved.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Value<'a> {
    Text(Cow<'a, str>),
    Bytes(Cow<'a, [u8]>),
    Number(Cow<'a, str>),
    Data(Cow<'a, str>),
    Date(Cow<'a, str>),
    Boolean(bool),
    List(Vec<Value<'a>>),
    /// Its members are fields of their own.
    Object,
    Null,
}

impl Value<'_> {
    fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text(text) | Self::Number(text) | Self::Data(text) | Self::Date(text) => Some(text),
            Self::Bytes(_) | Self::Boolean(_) | Self::List(_) | Self::Object | Self::Null => None,
        }
    }

    fn number(&self) -> Option<u64> {
        if let Self::Bytes(bytes) = self { Some(value::little_endian(bytes)) } else { self.as_text()?.parse().ok() }
    }

    fn paths(&self) -> Vec<Vec<u8>> {
        match self {
            Self::Bytes(bytes) => vec![bytes.to_vec()],
            Self::List(elements) => elements.iter().flat_map(Self::paths).collect(),
            Self::Text(text) | Self::Number(text) | Self::Data(text) | Self::Date(text) => {
                vec![text.as_bytes().to_vec()]
            }
            Self::Boolean(_) | Self::Object | Self::Null => Vec::new(),
        }
    }
}

/// The verdict on a body whose opening frame named `platform`.
///
/// # Errors
/// The first failure in the order of FORMATS §0.
pub fn judge(platform: Platform, body: &[u8]) -> Result<Meaning, Refusal> {
    if !(1..=16384).contains(&body.len()) {
        return Err(refusal("E_FRAME", "body"));
    }
    let fields = match platform {
        Platform::Windows => windows::fields(body),
        Platform::MacOs => macos::fields(body),
        Platform::Linux => linux::fields(body),
        Platform::Ios => ios::fields(body),
        Platform::Android => android::fields(body),
        Platform::WindowsPhone => windows_phone::fields(body),
    }?;
    fields.judge()?;
    let meaning = fields.meaning()?;
    conflicts(platform, &fields)?;
    Ok(meaning)
}

/// The cross-field rules of the platform's own.
fn conflicts(platform: Platform, fields: &fields::Fields<'_>) -> Result<(), Refusal> {
    match platform {
        Platform::Windows | Platform::Linux => Ok(()),
        Platform::MacOs => macos::conflicts(fields),
        Platform::Ios => ios::conflicts(fields),
        Platform::Android => android::conflicts(fields),
        Platform::WindowsPhone => windows_phone::conflicts(fields),
    }
}
