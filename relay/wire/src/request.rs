//! SPEC §5: the abstract request, and the six formats that carry it.
//!
//! One file per platform holds that platform's profile (its facts, typed), its parser and its emitter. Adding a platform is
//! one file and one variant; the compiler lists the rest.

use alloc::{string::String, vec::Vec};
use core::fmt;

use crate::{
    error::Rejection,
    ids::{BackendName, DeviceId, Nonce},
    time::WallTime,
    validator::Releases,
};

pub mod android;
mod cross;
pub mod fields;
mod grammar;
pub mod ios;
pub(crate) mod json;
pub mod linux;
pub mod macos;
pub mod windows;
pub mod windows_phone;
mod words;
pub(crate) mod xml;

pub use fields::{Field, Presence};
pub use grammar::ESTIMATE_MAX;

/// The platform of a device, numbered as in the opening frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Platform {
    /// Windows 7 to 11.
    Windows = 1,
    /// macOS 10.13 and later.
    MacOs = 2,
    /// Linux.
    Linux = 3,
    /// iOS and iPadOS.
    Ios = 4,
    /// Android 5 and later.
    Android = 5,
    /// Windows Phone 8 and 8.1.
    WindowsPhone = 6,
}

impl Platform {
    /// Every platform, in the order of their numbers.
    pub const ALL: [Self; 6] = [Self::Windows, Self::MacOs, Self::Linux, Self::Ios, Self::Android, Self::WindowsPhone];

    /// The platform's number in the opening frame.
    #[must_use]
    pub const fn number(self) -> u8 {
        self as u8
    }

    /// The platform with this number.
    #[must_use]
    pub fn from_number(number: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|platform| platform.number() == number)
    }

    /// The platform's short name in options, logs and the registry.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Windows => "windows",
            Self::MacOs => "macos",
            Self::Linux => "linux",
            Self::Ios => "ios",
            Self::Android => "android",
            Self::WindowsPhone => "wp",
        }
    }

    /// The platform of a name as people write it: [`Self::as_str`], or `win`, `mac`, `windows-phone`.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        match name {
            "win" => Some(Self::Windows),
            "mac" => Some(Self::MacOs),
            "windows-phone" | "windowsphone" => Some(Self::WindowsPhone),
            other => Self::ALL.into_iter().find(|platform| platform.as_str() == other),
        }
    }

    /// The platform's table of fields, in table order. What a format nests has a table of its own beside it.
    #[must_use]
    pub const fn fields(self) -> &'static [Field] {
        match self {
            Self::Windows => windows::FIELDS,
            Self::MacOs => macos::FIELDS,
            Self::Linux => linux::FIELDS,
            Self::Ios => ios::FIELDS,
            Self::Android => android::FIELDS,
            Self::WindowsPhone => windows_phone::FIELDS,
        }
    }

    /// How many paths a transfer from this platform may name (C2): desktops 64, phones 16.
    #[must_use]
    pub const fn paths_max(self) -> usize {
        match self {
            Self::Windows | Self::MacOs | Self::Linux => crate::limits::PATHS_DESKTOP_MAX,
            Self::Ios | Self::Android | Self::WindowsPhone => crate::limits::PATHS_PHONE_MAX,
        }
    }
}

impl fmt::Display for Platform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What a device asks for (shared grammar `op`, with what C1 and C2 tie to it).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Operation {
    /// First contact: to the master, then an `enrol` tunnel.
    Register {
        /// Whose device it is (shared grammar USER).
        user: String,
    },
    /// Later contacts: to the master.
    Auth,
    /// Keeps the connection; answered by the edge.
    Ping,
    /// Moves data: authorised by the master, leads to a tunnel.
    Transfer {
        /// Which way.
        kind: TransferKind,
        /// The storage node.
        node: BackendName,
        /// What: 1 to [`Platform::paths_max`] paths in the platform's own syntax. Bytes, because Linux paths are bytes.
        paths: Vec<Vec<u8>>,
    },
}

/// Which way a transfer moves data.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TransferKind {
    /// Device to node.
    Backup,
    /// Node to device.
    Restore,
    /// Both ways.
    Sync,
}

/// The name of an operation alone, for tables, logs and metrics.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum OperationName {
    /// `register`
    Register,
    /// `auth`
    Auth,
    /// `backup`
    Backup,
    /// `restore`
    Restore,
    /// `sync`
    Sync,
    /// `ping`
    Ping,
}

impl OperationName {
    /// Every operation.
    pub const ALL: [Self; 6] = [Self::Register, Self::Auth, Self::Backup, Self::Restore, Self::Sync, Self::Ping];

    /// The name in lower case, as four of the six formats spell it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Register => "register",
            Self::Auth => "auth",
            Self::Backup => "backup",
            Self::Restore => "restore",
            Self::Sync => "sync",
            Self::Ping => "ping",
        }
    }

    /// The kind of transfer that this is, if it is one.
    #[must_use]
    pub const fn transfer_kind(self) -> Option<TransferKind> {
        match self {
            Self::Backup => Some(TransferKind::Backup),
            Self::Restore => Some(TransferKind::Restore),
            Self::Sync => Some(TransferKind::Sync),
            Self::Register | Self::Auth | Self::Ping => None,
        }
    }
}

impl Operation {
    /// The operation's name.
    #[must_use]
    pub const fn name(&self) -> OperationName {
        match self {
            Self::Register { .. } => OperationName::Register,
            Self::Auth => OperationName::Auth,
            Self::Ping => OperationName::Ping,
            Self::Transfer { kind: TransferKind::Backup, .. } => OperationName::Backup,
            Self::Transfer { kind: TransferKind::Restore, .. } => OperationName::Restore,
            Self::Transfer { kind: TransferKind::Sync, .. } => OperationName::Sync,
        }
    }
}

/// The proof that a request carries (never a secret).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Proof {
    /// HMAC-SHA256 keyed with a mass-deployment secret: first contact.
    Mass([u8; 32]),
    /// ECDSA P-256 (r,s) by the device key: every later request.
    Device([u8; 64]),
}

/// All of a request but its proof: what a proof is made over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Content {
    /// Who asks. Its platform is the platform of [`Self::profile`].
    pub device_id: DeviceId,
    /// For what.
    pub operation: Operation,
    /// When the device sent it, by its own clock.
    pub sent_at: WallTime,
    /// What makes it different from every other request.
    pub nonce: Nonce,
    /// Bytes that the device expects to move (shared grammar EST), if it says so. Allowed with every operation.
    pub estimate: Option<u64>,
    /// The platform's own facts.
    pub profile: Profile,
}

/// The facts about itself that a device of each platform states.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Profile {
    /// FORMATS §1.
    Windows(windows::Profile),
    /// FORMATS §2.
    MacOs(macos::Profile),
    /// FORMATS §3.
    Linux(linux::Profile),
    /// FORMATS §4.
    Ios(ios::Profile),
    /// FORMATS §5.
    Android(android::Profile),
    /// FORMATS §6.
    WindowsPhone(windows_phone::Profile),
}

impl Profile {
    /// The platform these facts belong to.
    #[must_use]
    pub const fn platform(&self) -> Platform {
        match self {
            Self::Windows(_) => Platform::Windows,
            Self::MacOs(_) => Platform::MacOs,
            Self::Linux(_) => Platform::Linux,
            Self::Ios(_) => Platform::Ios,
            Self::Android(_) => Platform::Android,
            Self::WindowsPhone(_) => Platform::WindowsPhone,
        }
    }
}

/// A request: its content and its proof.
///
/// One that came from outside is worth nothing until a [`crate::Validator`] has made it [`crate::Checked`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// What is asked, and by whom.
    pub content: Content,
    /// MASS with `register`, DEV with everything else (C1).
    pub proof: Proof,
}

impl Request {
    /// The platform.
    #[must_use]
    pub const fn platform(&self) -> Platform {
        self.content.profile.platform()
    }

    /// The request as a body in its platform's format, without the opening frame.
    ///
    /// Emission does not validate: a request that breaks a rule gives a body that the validator refuses, which is what
    /// a simulator of faulty devices wants.
    #[must_use]
    pub fn to_body(&self) -> Vec<u8> {
        match &self.content.profile {
            Profile::Windows(profile) => windows::emit(self, profile),
            Profile::MacOs(profile) => macos::emit(self, profile),
            Profile::Linux(profile) => linux::emit(self, profile),
            Profile::Ios(profile) => ios::emit(self, profile),
            Profile::Android(profile) => android::emit(self, profile),
            Profile::WindowsPhone(profile) => windows_phone::emit(self, profile),
        }
    }
}

/// Parses and checks a body (the frame is judged already); [`crate::Validator`] is the only caller.
pub(crate) fn parse(platform: Platform, body: &[u8], releases: &Releases) -> Result<Request, Rejection> {
    match platform {
        Platform::Windows => windows::parse(body, releases),
        Platform::MacOs => macos::parse(body, releases),
        Platform::Linux => linux::parse(body),
        Platform::Ios => ios::parse(body, releases),
        Platform::Android => android::parse(body, releases),
        Platform::WindowsPhone => windows_phone::parse(body),
    }
}
