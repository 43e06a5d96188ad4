//! The rows of the six tables ([`crate::spec::rows`]) as the loose documents see them: place, and how a value is written.

use std::{borrow::Cow, sync::LazyLock};

use super::Platform;
use crate::spec::{Kind, rows};

/// How a value of a row is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wire {
    /// Windows: bytes.
    Binary,
    /// Windows: UTF-16LE.
    Text16,
    /// Property list: an element of this name with text.
    Element(&'static str),
    /// Property list: `true` or `false`.
    Flag,
    /// Property list: an array of strings.
    Array,
    /// Linux: characters.
    Line,
    /// Linux: percent-coded bytes.
    Percent,
    /// JSON: a string.
    Quoted,
    /// JSON: a number, a boolean.
    Literal,
    /// JSON: an object whose members have rows of their own.
    Object,
    /// JSON: a list of strings.
    List,
    /// Android: form-coded text.
    Form,
    /// SyncML: text within the header.
    Header,
    /// SyncML: an element `Data`.
    Data,
}

impl Wire {
    /// How one element of a list is written; what is no list is one itself.
    #[must_use]
    pub const fn element(self) -> Self {
        match self {
            Self::Array => Self::Element("string"),
            Self::List => Self::Quoted,
            Self::Binary
            | Self::Text16
            | Self::Element(_)
            | Self::Flag
            | Self::Line
            | Self::Percent
            | Self::Quoted
            | Self::Literal
            | Self::Object
            | Self::Form
            | Self::Header
            | Self::Data => self,
        }
    }
}

/// One row.
#[derive(Clone, Copy, Debug)]
pub struct Slot {
    /// The name of [`crate::spec::Row`].
    pub name: &'static str,
    /// How its value is written.
    pub wire: Wire,
    /// The row of the object it is in.
    pub parent: Option<usize>,
}

/// How many rows of the SyncML table are fields of the header.
pub const HEADER_FIELDS: usize = 5;

fn build(platform: Platform) -> Vec<Slot> {
    let rows = rows(platform);
    let parent = |name: &str| {
        let (object, _) = name.split_once('.').filter(|_| platform == Platform::Ios)?;
        rows.iter().position(|row| row.name == object)
    };
    let slot = |(at, row): (usize, &crate::spec::Row)| Slot {
        name: row.name,
        wire: wire(platform, at, row.kind, row.path.is_some()),
        parent: parent(row.name),
    };
    rows.iter().enumerate().map(slot).collect()
}

const fn wire(platform: Platform, at: usize, kind: Kind, is_path: bool) -> Wire {
    match (platform, kind) {
        (Platform::Windows, Kind::Binary) => Wire::Binary,
        (Platform::Windows, _) => Wire::Text16,
        (Platform::MacOs, Kind::Number) => Wire::Element("integer"),
        (Platform::MacOs, Kind::Data) => Wire::Element("data"),
        (Platform::MacOs, Kind::Date) => Wire::Element("date"),
        (Platform::MacOs, Kind::Boolean) => Wire::Flag,
        (Platform::MacOs, Kind::List) => Wire::Array,
        (Platform::MacOs, _) => Wire::Element("string"),
        (Platform::Linux, _) if is_path => Wire::Percent,
        (Platform::Linux, _) => Wire::Line,
        (Platform::Ios, Kind::Number | Kind::Boolean) => Wire::Literal,
        (Platform::Ios, Kind::Object) => Wire::Object,
        (Platform::Ios, Kind::List) => Wire::List,
        (Platform::Ios, _) => Wire::Quoted,
        (Platform::Android, _) => Wire::Form,
        (Platform::WindowsPhone, _) if at < HEADER_FIELDS => Wire::Header,
        (Platform::WindowsPhone, _) => Wire::Data,
    }
}

/// The rows of a platform, in table order.
#[must_use]
pub fn slots(platform: Platform) -> &'static [Slot] {
    static SLOTS: LazyLock<[Vec<Slot>; 6]> = LazyLock::new(|| Platform::ALL.map(build));
    &SLOTS[platform as usize - 1]
}

/// The row of the paths.
#[must_use]
pub const fn path_slot(platform: Platform) -> usize {
    match platform {
        Platform::Windows => 16,
        Platform::MacOs => 17,
        Platform::Linux => 18,
        Platform::Ios => 28,
        Platform::Android => 24,
        Platform::WindowsPhone => 21,
    }
}

/// The row with this name. `near` is where to look first: fields mostly come in table order.
#[must_use]
pub fn slot_of(platform: Platform, name: &[u8], near: usize) -> Option<usize> {
    let slots = slots(platform);
    let (before, behind) = slots.split_at(near.min(slots.len()));
    let behind = behind.iter().position(|slot| slot.name.as_bytes() == name).map(|at| at + before.len());
    behind.or_else(|| before.iter().position(|slot| slot.name.as_bytes() == name))
}

/// The row with this name.
///
/// # Panics
/// If the table has no such row: the caller names one of the text.
#[must_use]
pub fn row(platform: Platform, name: &str) -> usize {
    slot_of(platform, name.as_bytes(), 0).unwrap_or_else(|| panic!("{platform:?} has no row {name}"))
}

/// The name of a row as [`super::Field::name`] has it.
#[must_use]
pub fn wire_name(platform: Platform, slot: usize) -> Cow<'static, [u8]> {
    let name = slots(platform).get(slot).map_or("", |slot| slot.name);
    match platform {
        Platform::Windows => Cow::Owned(u16::try_from(slot + 1).unwrap_or(u16::MAX).to_le_bytes().to_vec()),
        Platform::Ios => Cow::Borrowed(name.rsplit('.').next().unwrap_or(name).as_bytes()),
        Platform::MacOs | Platform::Linux | Platform::Android | Platform::WindowsPhone => {
            Cow::Borrowed(name.as_bytes())
        }
    }
}
