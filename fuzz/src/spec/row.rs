//! A row of a platform's table, as data.

use super::{Code, Platform, tables};

/// When a field is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When {
    /// Always (`req`); absent: `E_MISSING`.
    Required,
    /// As the device likes (`opt`).
    Optional,
    /// As C1 says; otherwise `E_CONFLICT`.
    C1,
    /// As C2 says; otherwise `E_CONFLICT`.
    C2,
    /// As a rule of the platform's own says; otherwise `E_CONFLICT`.
    Other,
}

/// What a value is in its container; JSON and plist know types, and another one is `E_FORMAT`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Text; with a plist `string`, with JSON a string.
    Text,
    /// Bytes (Windows); a number in them is little-endian. `Row::length` counts bytes.
    Binary,
    /// A number in its spelling: plist `integer`, JSON number.
    Number,
    /// plist `data`.
    Data,
    /// plist `date`.
    Date,
    /// `true` or `false`.
    Boolean,
    /// A list of texts; [`Row::path`] judges each.
    List,
    /// A JSON object, whose members are the rows behind it (`system`, then `system.name`).
    Object,
}

/// What a value says in the abstract request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// What is asked for.
    Operation,
    /// Who asks.
    Id,
    /// MASS or DEV.
    Proof,
    /// USER.
    User,
    /// Proof and user in one (Windows Phone).
    Credentials,
    /// TIME.
    SentAt,
    /// NONCE.
    Nonce,
    /// NODE.
    Node,
    /// One path, or all of them.
    Path,
    /// EST.
    Estimate,
    /// A fact of the platform's own.
    Fact,
    /// Nothing that another value does not say.
    Silent,
}

/// What is judged of a value behind its length and its patterns. The first that fails gives the code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rule {
    /// Values excluded one by one (`E_FORMAT`).
    Except(&'static [&'static str]),
    /// Values excluded by a pattern (`E_FORMAT`).
    ExceptPattern(&'static str),
    /// Bytes that are not all zero (`E_FORMAT`).
    NotAllZero,
    /// The number, decimal in a text and little-endian in bytes, is in this range, ends included (`E_RANGE`).
    Range(u64, u64),
    /// The number in these bytes is one of these (`E_RANGE`).
    OneOf(&'static [u64]),
    /// The value matches this pattern (`E_RANGE`).
    Within(&'static str),
    /// Every number of a dotted list is at most this (`E_RANGE`).
    EachAtMost(u64),
    /// `YYYY-MM-DD`, or that and `Thh:mm:ss`, in front: a day of the Gregorian calendar and a time of day (`E_FORMAT`).
    Calendar,
    /// The date in front, as text, is in this range, its end excluded (`E_RANGE`).
    Days(&'static str, &'static str),
    /// A Windows version that may connect (`E_RANGE`).
    WindowsRelease,
    /// The third and fourth byte, `major`, are not 0 (`E_RANGE`).
    MajorNotZero,
    /// Four bytes as `SYSTEM_POWER_STATUS` (`E_RANGE`).
    PowerStatus,
    /// The port, if there is one, is at most 65535 (`E_RANGE`).
    Port,
    /// Base64 of ASCII `proof:user`, judged as MASS or DEV, then USER.
    Credentials,
}

/// Whose paths.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PathForm {
    /// Drive or share, with or without the prefix.
    Windows,
    /// Absolute, text.
    MacOs,
    /// Absolute, bytes.
    Linux,
    /// `file:` or `photo:`.
    Ios,
    /// `content://` or `/storage/`.
    Android,
    /// `isostore:/` or `ms-appdata:///local/`.
    WindowsPhone,
}

/// One row of a platform's table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Row {
    /// As on the wire. Windows: the name in the table (`machineGuid`). JSON members: `system.version`. Linux's first line: `op`.
    /// Windows Phone: header fields by their element (`Target`, `Source`, and `Cred` for its Data), items by their LocURI.
    pub name: &'static str,
    /// Windows: the tag. Else 0.
    pub tag: u16,
    /// The value's type.
    pub kind: Kind,
    /// What it says.
    pub role: Role,
    /// When the field is there.
    pub when: When,
    /// Whether it may be there more than once.
    pub repeats: bool,
    /// How long the value may be: characters, or bytes of a [`Kind::Binary`] (`E_LENGTH`).
    pub length: Option<(usize, usize)>,
    /// Regular expressions of which the whole value must match one (`E_FORMAT`). None: anything.
    pub patterns: &'static [&'static str],
    /// Words of which the value must be one (`E_FORMAT`). None: anything. The order is that of SPEC 5.3.4.
    pub words: &'static [&'static str],
    /// What else is judged, in order.
    pub rules: &'static [Rule],
    /// The value (or each element) is a path: nothing but this is judged, and only `E_PATH` comes of it.
    pub path: Option<PathForm>,
    /// Good values, where patterns do not say what is good.
    pub examples: &'static [&'static str],
}

impl Row {
    pub(super) const fn new(name: &'static str, kind: Kind, when: When) -> Self {
        Self {
            name,
            tag: 0,
            kind,
            role: Role::Fact,
            when,
            repeats: false,
            length: None,
            patterns: &[],
            words: &[],
            rules: &[],
            path: None,
            examples: &[],
        }
    }

    /// A required text.
    pub(super) const fn text(name: &'static str) -> Self {
        Self::new(name, Kind::Text, When::Required)
    }

    /// A required text out of a list of words.
    pub(super) const fn word(name: &'static str, words: &'static [&'static str]) -> Self {
        Self { words, ..Self::text(name) }
    }

    pub(super) const fn when(self, when: When) -> Self {
        Self { when, ..self }
    }

    pub(super) const fn kind(self, kind: Kind) -> Self {
        Self { kind, ..self }
    }

    pub(super) const fn tag(self, tag: u16) -> Self {
        Self { tag, ..self }
    }

    pub(super) const fn length(self, min: usize, max: usize) -> Self {
        Self { length: Some((min, max)), ..self }
    }

    pub(super) const fn patterns(self, patterns: &'static [&'static str]) -> Self {
        Self { patterns, ..self }
    }

    pub(super) const fn rules(self, rules: &'static [Rule]) -> Self {
        Self { rules, ..self }
    }

    pub(super) const fn role(self, role: Role) -> Self {
        Self { role, ..self }
    }

    pub(super) const fn paths(self, form: PathForm) -> Self {
        Self { path: Some(form), role: Role::Path, ..self }
    }

    pub(super) const fn repeating(self) -> Self {
        Self { repeats: true, ..self }
    }

    pub(super) const fn examples(self, examples: &'static [&'static str]) -> Self {
        Self { examples, ..self }
    }
}

impl Rule {
    /// The code of a value that breaks it; [`Self::Credentials`] has more than this one.
    #[must_use]
    pub const fn code(&self) -> Code {
        match self {
            Self::Except(_) | Self::ExceptPattern(_) | Self::NotAllZero | Self::Calendar | Self::Credentials => {
                "E_FORMAT"
            }
            Self::Range(..)
            | Self::OneOf(_)
            | Self::Within(_)
            | Self::EachAtMost(_)
            | Self::Days(..)
            | Self::WindowsRelease
            | Self::MajorNotZero
            | Self::PowerStatus
            | Self::Port => "E_RANGE",
        }
    }
}

/// The place of the row that `is` the one, looked for first at and behind `near`: fields mostly come in table order.
pub(super) fn place(table: &[Row], near: usize, is: impl Fn(&Row) -> bool) -> Option<usize> {
    let near = near.min(table.len());
    let behind = table[near..].iter().position(&is).map(|place| near + place);
    behind.or_else(|| table[..near].iter().position(&is))
}

/// The platform's table, in table order.
#[must_use]
pub const fn rows(platform: Platform) -> &'static [Row] {
    match platform {
        Platform::Windows => tables::windows::ROWS,
        Platform::MacOs => tables::macos::ROWS,
        Platform::Linux => tables::linux::ROWS,
        Platform::Ios => tables::ios::ROWS,
        Platform::Android => tables::android::ROWS,
        Platform::WindowsPhone => tables::windows_phone::ROWS,
    }
}
