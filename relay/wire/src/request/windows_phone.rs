//! FORMATS §6: Windows Phone 8 and 8.1, SyncML 1.2 (OMA-DM) in XML.

use alloc::string::String;

use super::{Field, OperationName, words::words};

mod emit;
mod parse;

pub(crate) use emit::{emit, read_profile, write_profile};
pub(crate) use parse::parse;

/// The table of fields: those of the header, then the items of `Replace` by their LocURI.
pub const FIELDS: &[Field] = &[
    Field::required("SessionID", "1..4, [0-9A-F]+"),
    Field::required("MsgID", "1..3, [1-9][0-9]*"),
    Field::required("Target", "20..255, https://LABEL(.LABEL)+(:port)?/edge/wp8, port <= 65535"),
    Field::required("Source", "47, urn:wp:[0-9A-F]{40}"),
    Field::required("Cred", "base64 of proof:user, the proof MASS or DEV, the user USER or empty (C1)"),
    Field::required("./DevInfo/DevId", "28, base64 of 20 bytes, not all zero, those of Source"),
    Field::required("./DevInfo/Man", "1..64 of [A-Za-z0-9 ._&+-]"),
    Field::required("./DevInfo/Mod", "1..64 of [A-Za-z0-9 ._+()/-]"),
    Field::required("./DevInfo/DmV", "1.2 or 1.3"),
    Field::required("./DevInfo/Lang", "5..10, BCP"),
    Field::required("./DevDetail/SwV", "10..15, 8.0.(9ddd|10ddd).d{1,4} or 8.10.1[2-5]ddd.d{1,4}"),
    Field::required("./Edge/App", "7..23, four numbers, the first not 0, each <= 65535"),
    Field::required("./Edge/Name", "1..64 Unicode, no C0 or DEL"),
    Field::required("./Edge/Tz", "WZONE"),
    Field::required("./Edge/Net", "Wireless80211, Ethernet, MobileBroadbandGsm or MobileBroadbandCdma"),
    Field::required("./Edge/Power", "9..12, External:n or Battery:n, n 0 to 100"),
    Field::required("./Edge/Agent", "Foreground, Periodic or ResourceIntensive"),
    Field::required("./Edge/Sent", "28, YYYY-MM-DDThh:mm:ss.fffffffZ, TIME"),
    Field::required("./Edge/Nonce", "NONCE in base64"),
    Field::required("./Edge/Op", "Register, Auth, Backup, Restore, Sync or Ping"),
    Field::conditional("./Edge/Node", "C2", "NODE"),
    Field::conditional("./Edge/Item", "C2", "isostore:/ or ms-appdata:///local/, then components; <= 259 units")
        .repeating(),
    Field::optional("./Edge/Bytes", "EST"),
];

/// The places of [`FIELDS`].
#[derive(Clone, Copy)]
enum Key {
    SessionId,
    MsgId,
    Target,
    Source,
    Cred,
    DevId,
    Man,
    Mod,
    DmV,
    Lang,
    SwV,
    App,
    Name,
    Tz,
    Net,
    Power,
    Agent,
    Sent,
    Nonce,
    Op,
    Node,
    Item,
    Bytes,
}

impl Key {
    const fn name(self) -> &'static str {
        FIELDS[self as usize].name
    }
}

words! {
    /// `./DevInfo/DmV`: the version of the device management client.
    pub enum DmVersion {
        /// Windows Phone 8.
        V1_2 = "1.2",
        /// Windows Phone 8.1.
        V1_3 = "1.3",
    }
}

words! {
    /// `./Edge/Net`: what the request travels over, by the platform's `NetworkInterfaceType` names.
    pub enum Network {
        /// Wi-Fi.
        Wireless80211 = "Wireless80211",
        /// Ethernet, by the tool that joins a phone to a PC.
        Ethernet = "Ethernet",
        /// A GSM network.
        MobileBroadbandGsm = "MobileBroadbandGsm",
        /// A CDMA network.
        MobileBroadbandCdma = "MobileBroadbandCdma",
    }
}

words! {
    /// What `./Edge/Power` names before the colon.
    pub enum PowerSource {
        /// Charger or USB.
        External = "External",
        /// Battery.
        Battery = "Battery",
    }
}

words! {
    /// `./Edge/Agent`: which of the app's parts runs.
    pub enum Agent {
        /// The app itself.
        Foreground = "Foreground",
        /// The agent that runs every 30 minutes for 25 seconds.
        Periodic = "Periodic",
        /// The agent that runs on external power and a fast network only.
        ResourceIntensive = "ResourceIntensive",
    }
}

/// The platform's own facts; each text matches its row of [`FIELDS`]. `./DevInfo/DevId` and `Source` are the device id,
/// whose text is the 40 hex digits of `Source`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Profile {
    /// `SessionID`, hex digits as spelled.
    pub session_id: String,
    /// `MsgID`, 1 to 999.
    pub message_id: u16,
    /// `Target`: the edge's address as the device knows it.
    pub target: String,
    /// `./DevInfo/Man`.
    pub manufacturer: String,
    /// `./DevInfo/Mod`.
    pub model: String,
    /// `./DevInfo/DmV`.
    pub dm_version: DmVersion,
    /// `./DevInfo/Lang` (`en-US`).
    pub language: String,
    /// `./DevDetail/SwV`: the system's version (`8.10.14219.341`).
    pub software_version: String,
    /// `./Edge/App`: the app's version, four numbers.
    pub app_version: String,
    /// `./Edge/Name`: what the user calls the phone.
    pub name: String,
    /// `./Edge/Tz`: a Windows zone key.
    pub time_zone: String,
    /// `./Edge/Net`.
    pub network: Network,
    /// `./Edge/Power`, before the colon.
    pub power_source: PowerSource,
    /// `./Edge/Power`, behind the colon: charge, 0 to 100.
    pub battery_percent: u8,
    /// `./Edge/Agent`.
    pub agent: Agent,
}

/// What the body begins with, byte by byte.
const PROLOG: &str = "<?xml version=\"1.0\" encoding=\"utf-8\"?>";

/// The elements that never differ, in the order of their places; what stands between them is the header's fields.
mod fixed {
    pub(super) const ROOT: &str = "<SyncML xmlns=\"SYNCML:SYNCML1.2\">";
    pub(super) const VERSIONS: [&str; 2] = ["<VerDTD>1.2</VerDTD>", "<VerProto>DM/1.2</VerProto>"];
    pub(super) const META: [&str; 4] = [
        "<Meta>",
        "<Format xmlns=\"syncml:metinf\">b64</Format>",
        "<Type xmlns=\"syncml:metinf\">syncml:auth-basic</Type>",
        "</Meta>",
    ];
    pub(super) const COMMANDS: [&str; 7] =
        ["<SyncBody>", "<Alert>", "<CmdID>1</CmdID>", "<Data>1201</Data>", "</Alert>", "<Replace>", "<CmdID>2</CmdID>"];
}

/// `./Edge/Op`.
const fn spell(name: OperationName) -> &'static str {
    match name {
        OperationName::Register => "Register",
        OperationName::Auth => "Auth",
        OperationName::Backup => "Backup",
        OperationName::Restore => "Restore",
        OperationName::Sync => "Sync",
        OperationName::Ping => "Ping",
    }
}
