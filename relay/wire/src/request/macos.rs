//! FORMATS §2: macOS, an XML property list.

use alloc::string::String;

use super::{Field, OperationName, words::words};

mod emit;
mod parse;

pub(crate) use emit::{emit, read_profile, write_profile};
pub(crate) use parse::parse;

const PROLOG: &str = concat!(
    "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n",
    "<!DOCTYPE plist PUBLIC \"-//Apple//DTD PLIST 1.0//EN\" \"http://www.apple.com/DTDs/PropertyList-1.0.dtd\">\n"
);

/// The table of fields, in ascending order of their names.
pub const FIELDS: &[Field] = &[
    Field::required("AppBuild", "string: 1..18, [1-9][0-9]{0,3}(.[0-9]{1,3}){0,2}"),
    Field::required("AppVersion", "string: 5..14, [1-9][0-9]{0,3}(.(0|[1-9][0-9]{0,2})){2}"),
    Field::conditional("BatteryPercent", "with OnBattery", "integer: 1..3, 0|[1-9][0-9]*, <= 100"),
    Field::required("BuildVersion", "string: 4..9, [12][0-9][A-Z][1-9][0-9]{0,4}[a-z]?, the train of OSVersion"),
    Field::required("ComputerName", "string: 1..63 Unicode, no C0 or DEL, no white space at either end"),
    Field::conditional("DeviceToken", "C1", "string: DEV"),
    Field::optional("EstimatedBytes", "integer: EST"),
    Field::required("HardwareModel", "string: 6..16, a family of Macs, then N,N with N [1-9][0-9]?"),
    Field::required("LocalHostName", "string: 1..63, LABEL"),
    Field::required("Locale", "string: APPLELOC"),
    Field::conditional("MassToken", "C1", "string: MASS"),
    Field::required("MessageType", "string: Register, Authenticate, Backup, Restore, Sync or Ping"),
    Field::required("NetworkInterface", "string: wifi, wiredEthernet, cellular or other"),
    Field::conditional("NodeID", "C2", "string: NODE"),
    Field::required("Nonce", "data: NONCE in base64, white space dropped"),
    Field::required("OSVersion", "string: 2..8, 10.13 to 10.15, 11 to 15 or 26 to 29, with its updates"),
    Field::required("OnBattery", "true or false"),
    Field::conditional("Paths", "C2", "array of string: absolute POSIX paths of at most 1023 bytes"),
    Field::required("SentAt", "date: 20, YYYY-MM-DDThh:mm:ssZ, TIME"),
    Field::required("TimeZone", "string: IANA"),
    Field::required("UDID", "string: 36, upper-case hex 8-4-4-4-12, not all zero"),
    Field::conditional("User", "C1", "string: USER"),
];

/// The places of [`FIELDS`].
#[derive(Clone, Copy)]
enum Key {
    AppBuild,
    AppVersion,
    BatteryPercent,
    BuildVersion,
    ComputerName,
    DeviceToken,
    EstimatedBytes,
    HardwareModel,
    LocalHostName,
    Locale,
    MassToken,
    MessageType,
    NetworkInterface,
    NodeId,
    Nonce,
    OsVersion,
    OnBattery,
    Paths,
    SentAt,
    TimeZone,
    Udid,
    User,
}

impl Key {
    const fn name(self) -> &'static str {
        FIELDS[self as usize].name
    }
}

words! {
    /// `NetworkInterface`: what the request travels over.
    pub enum NetworkInterface {
        /// Wi-Fi.
        Wifi = "wifi",
        /// Ethernet.
        WiredEthernet = "wiredEthernet",
        /// A mobile network.
        Cellular = "cellular",
        /// Anything else.
        Other = "other",
    }
}

/// The platform's own facts; each text matches its row of [`FIELDS`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Profile {
    /// `AppBuild`: the agent's build (`CFBundleVersion`).
    pub app_build: String,
    /// `AppVersion`: the agent's version (`CFBundleShortVersionString`).
    pub app_version: String,
    /// `BatteryPercent`: charge, 0 to 100; always there on battery.
    pub battery_percent: Option<u8>,
    /// `BuildVersion`: the system's build (`23F79`).
    pub build_version: String,
    /// `ComputerName`: what the user calls the Mac.
    pub computer_name: String,
    /// `HardwareModel`: the model identifier (`MacBookPro18,3`).
    pub hardware_model: String,
    /// `LocalHostName`: the Bonjour name, a DNS label.
    pub local_host_name: String,
    /// `Locale`: Apple's locale identifier (`zh-Hans_CN`).
    pub locale: String,
    /// `NetworkInterface`.
    pub network_interface: NetworkInterface,
    /// `OSVersion`: the system's version (`14.5`).
    pub os_version: String,
    /// `OnBattery`.
    pub on_battery: bool,
    /// `TimeZone`: an IANA name.
    pub time_zone: String,
}

/// `MessageType`.
const fn spell(name: OperationName) -> &'static str {
    match name {
        OperationName::Register => "Register",
        OperationName::Auth => "Authenticate",
        OperationName::Backup => "Backup",
        OperationName::Restore => "Restore",
        OperationName::Sync => "Sync",
        OperationName::Ping => "Ping",
    }
}
