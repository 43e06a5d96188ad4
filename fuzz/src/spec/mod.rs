//! The second validator: the six formats from the text of FORMATS alone, slow and obvious.
//!
//! It shares nothing with `relay-wire`, not even a base64 decoder, and works by another technique: tables of rows ([`rows`])
//! whose grammars are regular expressions copied from the text, read by one general judge.

mod row;
mod tables;

pub use row::{Kind, PathForm, Row, Rule, When, rows};

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
