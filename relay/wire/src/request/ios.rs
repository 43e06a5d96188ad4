//! FORMATS §4: iOS and iPadOS, a JSON object.

use alloc::string::String;

use super::{Field, words::words};

mod emit;
mod level;
mod parse;

pub(crate) use emit::{emit, read_profile, write_profile};
pub use level::BatteryLevel;
pub(crate) use parse::parse;

/// The table of the root's fields. The members of `system`, `app`, `net` and `power` have tables of their own.
pub const FIELDS: &[Field] = &[
    Field::required("op", "op, lower case"),
    Field::required("idfv", "36, upper-case hex 8-4-4-4-12, version 4"),
    Field::conditional("massToken", "C1", "MASS"),
    Field::conditional("deviceToken", "C1", "DEV"),
    Field::conditional("user", "C1", "USER"),
    Field::required("deviceName", "1..64 Unicode, no C0 or DEL"),
    Field::required("model", "7..11, iPhone, iPad or iPod, then N,N with N [1-9][0-9]?"),
    Field::required("system", "an object: name, version, build"),
    Field::required("app", "an object: bundle, version, build"),
    Field::required("locale", "APPLELOC"),
    Field::required("timeZone", "IANA"),
    Field::required("net", "an object: type, expensive, constrained"),
    Field::required("power", "an object: state, level, lowPower"),
    Field::required("sentAt", "24, YYYY-MM-DDThh:mm:ss.mmmZ, TIME"),
    Field::required("nonce", "NONCE in base64"),
    Field::conditional("node", "C2", "NODE"),
    Field::conditional("items", "C2", "a list of file:Documents/..., file:Library/... or photo:UUID/L0/ddd"),
    Field::optional("estBytes", "number: EST"),
];

/// The members of `system`.
pub const SYSTEM_FIELDS: &[Field] = &[
    Field::required("name", "iOS or iPadOS"),
    Field::required("version", "1..8, 9 to 18 or 26 to 29, with its updates"),
    Field::required("build", "4..9, [12][0-9][A-Z][1-9][0-9]{0,4}[a-z]?, the train of version"),
];

/// The members of `app`.
pub const APP_FIELDS: &[Field] = &[
    Field::required("bundle", "3..155, [A-Za-z][A-Za-z0-9-]*(.[A-Za-z0-9-]+)+"),
    Field::required("version", "5..14, [1-9][0-9]{0,3}(.(0|[1-9][0-9]{0,2})){2}"),
    Field::required("build", "1..18, [1-9][0-9]{0,8}(.[0-9]{1,3}){0,2}"),
];

/// The members of `net`.
pub const NET_FIELDS: &[Field] = &[
    Field::required("type", "wifi, cellular or wiredEthernet"),
    Field::required("expensive", "boolean"),
    Field::required("constrained", "boolean"),
];

/// The members of `power`.
pub const POWER_FIELDS: &[Field] = &[
    Field::required("state", "unknown, unplugged, charging or full"),
    Field::required("level", "number: 1..20, no exponent, no minus zero, exactly 0..1 or -1"),
    Field::required("lowPower", "boolean"),
];

/// Every value that is judged, in the order of its turn: the place in [`Values`] and the name for a refusal.
#[derive(Clone, Copy)]
enum Key {
    Op,
    Idfv,
    MassToken,
    DeviceToken,
    User,
    DeviceName,
    Model,
    System,
    App,
    Locale,
    TimeZone,
    Net,
    Power,
    SentAt,
    Nonce,
    Node,
    Items,
    EstBytes,
    SystemName,
    SystemVersion,
    SystemBuild,
    AppBundle,
    AppVersion,
    AppBuild,
    NetType,
    NetExpensive,
    NetConstrained,
    PowerState,
    PowerLevel,
    PowerLowPower,
}

const NESTED: [&str; 12] = [
    "system.name",
    "system.version",
    "system.build",
    "app.bundle",
    "app.version",
    "app.build",
    "net.type",
    "net.expensive",
    "net.constrained",
    "power.state",
    "power.level",
    "power.lowPower",
];

impl Key {
    const fn name(self) -> &'static str {
        let place = self as usize;
        if place < FIELDS.len() { FIELDS[place].name } else { NESTED[place - FIELDS.len()] }
    }
}

/// The table of the object that belongs at the root's `place`, and the place of its first member.
const fn group(place: usize) -> Option<(&'static [Field], usize)> {
    const SYSTEM: usize = Key::System as usize;
    const APP: usize = Key::App as usize;
    const NET: usize = Key::Net as usize;
    const POWER: usize = Key::Power as usize;
    match place {
        SYSTEM => Some((SYSTEM_FIELDS, Key::SystemName as usize)),
        APP => Some((APP_FIELDS, Key::AppBundle as usize)),
        NET => Some((NET_FIELDS, Key::NetType as usize)),
        POWER => Some((POWER_FIELDS, Key::PowerState as usize)),
        _ => None,
    }
}

words! {
    /// `system.name`.
    pub enum SystemName {
        /// iOS; an iPad may say so too.
        Ios = "iOS",
        /// iPadOS, from 13 and on an iPad only.
        IpadOs = "iPadOS",
    }
}

words! {
    /// `net.type`: what the request travels over.
    pub enum NetType {
        /// Wi-Fi.
        Wifi = "wifi",
        /// A mobile network.
        Cellular = "cellular",
        /// Ethernet, by an adapter.
        WiredEthernet = "wiredEthernet",
    }
}

words! {
    /// `power.state`: `UIDevice.BatteryState`.
    pub enum PowerState {
        /// Not known.
        Unknown = "unknown",
        /// On battery.
        Unplugged = "unplugged",
        /// Charging.
        Charging = "charging",
        /// Plugged in and full.
        Full = "full",
    }
}

/// The platform's own facts; each text matches its row of the tables.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Profile {
    /// `deviceName`: `UIDevice.name`.
    pub device_name: String,
    /// `model`: the model identifier (`iPhone15,2`).
    pub model: String,
    /// `system.name`.
    pub system_name: SystemName,
    /// `system.version` (`17.5`).
    pub system_version: String,
    /// `system.build` (`21F79`).
    pub system_build: String,
    /// `app.bundle`: the app's bundle identifier.
    pub app_bundle: String,
    /// `app.version`: `CFBundleShortVersionString`.
    pub app_version: String,
    /// `app.build`: `CFBundleVersion`.
    pub app_build: String,
    /// `locale`: Apple's locale identifier (`en_GB`).
    pub locale: String,
    /// `timeZone`: an IANA name.
    pub time_zone: String,
    /// `net.type`.
    pub net_type: NetType,
    /// `net.expensive`: `NWPath.isExpensive`.
    pub net_expensive: bool,
    /// `net.constrained`: `NWPath.isConstrained`, Low Data Mode.
    pub net_constrained: bool,
    /// `power.state`.
    pub power_state: PowerState,
    /// `power.level`.
    pub power_level: BatteryLevel,
    /// `power.lowPower`: Low Power Mode.
    pub low_power: bool,
}
