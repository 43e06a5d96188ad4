//! SPEC §5.1: the validator's codes.

use core::fmt;

/// Why a request was refused. The order is the order of the checks: a smaller code wins.
///
/// The code goes to log and metric; the device hears only "refused".
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Code {
    /// The opening frame: magic, platform, version, flags, length or deadline. The connection closes without a reply.
    Frame,
    /// Bytes or values that are not in their encoding.
    Encoding,
    /// The container's grammar.
    Syntax,
    /// A name that the platform's table lacks.
    Unknown,
    /// A known name twice.
    Duplicate,
    /// A field before its place.
    Order,
    /// A required field is absent.
    Missing,
    /// A value's length.
    Length,
    /// A value's type, characters or pattern.
    Format,
    /// A value out of its range.
    Range,
    /// A path.
    Path,
    /// Fields that contradict each other.
    Conflict,
}

impl Code {
    /// Every code, for metrics and tables.
    pub const ALL: [Self; 12] = [
        Self::Frame,
        Self::Encoding,
        Self::Syntax,
        Self::Unknown,
        Self::Duplicate,
        Self::Order,
        Self::Missing,
        Self::Length,
        Self::Format,
        Self::Range,
        Self::Path,
        Self::Conflict,
    ];

    /// The code as FORMATS §0 spells it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Frame => "E_FRAME",
            Self::Encoding => "E_ENCODING",
            Self::Syntax => "E_SYNTAX",
            Self::Unknown => "E_UNKNOWN",
            Self::Duplicate => "E_DUPLICATE",
            Self::Order => "E_ORDER",
            Self::Missing => "E_MISSING",
            Self::Length => "E_LENGTH",
            Self::Format => "E_FORMAT",
            Self::Range => "E_RANGE",
            Self::Path => "E_PATH",
            Self::Conflict => "E_CONFLICT",
        }
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A refused request: the code, and the field it was found at where one can be named.
///
/// Never carries a value: what a stranger wrote does not reach a log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rejection {
    /// The code.
    pub code: Code,
    /// The field's name in the platform's table (`osVersion`, `HOSTNAME`), a rule (`C1`), or a place (`header`).
    pub field: &'static str,
}

impl Rejection {
    /// A refusal with `code` at `field`.
    #[must_use]
    pub const fn new(code: Code, field: &'static str) -> Self {
        Self { code, field }
    }
}

impl fmt::Display for Rejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at {}", self.code, self.field)
    }
}

impl core::error::Error for Rejection {}
