//! FORMATS §2.

use super::{LABEL, apple_locale, boolean, date_time, device, estimate, iana, mass, node, nonce_base64, user};
use crate::spec::row::{Kind, PathForm, Role, Row, Rule, When};

/// AppVersion here, app.version on iOS.
pub(super) const fn app_version(name: &'static str) -> Row {
    Row::text(name).length(5, 14).patterns(&["[1-9][0-9]{0,3}(\\.(0|[1-9][0-9]{0,2})){2}"])
}

/// BuildVersion here, system.build on iOS.
pub(super) const fn build_version(name: &'static str) -> Row {
    Row::text(name).length(4, 9).patterns(&["[12][0-9][A-Z][1-9][0-9]{0,4}[a-z]?"])
}

/// MessageType, in the order of [`super::OPS`].
pub(crate) const OPS: &[&str] = &["Register", "Authenticate", "Backup", "Restore", "Ping", "Sync"];

/// The table. White_Space and `\s` are the same set.
pub(crate) const ROWS: &[Row] = &[
    Row::text("AppBuild").length(1, 18).patterns(&["[1-9][0-9]{0,3}(\\.[0-9]{1,3}){0,2}"]),
    app_version("AppVersion"),
    Row::new("BatteryPercent", Kind::Number, When::Other)
        .length(1, 3)
        .patterns(&["0|[1-9][0-9]*"])
        .rules(&[Rule::Range(0, 100)]),
    build_version("BuildVersion").examples(&["23F79", "20G1427", "19H2026"]),
    Row::text("ComputerName")
        .length(1, 63)
        .patterns(&["[^\\x00-\\x1F\\x7F\\s]([^\\x00-\\x1F\\x7F]*[^\\x00-\\x1F\\x7F\\s])?"]),
    device("DeviceToken"),
    estimate("EstimatedBytes").kind(Kind::Number),
    Row::text("HardwareModel").length(6, 16).patterns(&[
        "(Mac|MacBook|MacBookPro|MacBookAir|iMac|iMacPro|Macmini|MacPro|VirtualMac)[1-9][0-9]?,[1-9][0-9]?",
    ]),
    Row::text("LocalHostName").length(1, 63).patterns(LABEL),
    apple_locale("Locale"),
    mass("MassToken"),
    Row::word("MessageType", OPS).role(Role::Operation),
    Row::word("NetworkInterface", &["wifi", "wiredEthernet", "cellular", "other"]),
    node("NodeID"),
    nonce_base64("Nonce").kind(Kind::Data),
    Row::text("OSVersion")
        .length(2, 8)
        .patterns(&["10\\.1[3-5](\\.[1-9])?", "(1[1-5]|2[6-9])(\\.(0|[1-9][0-9]?)){0,2}"])
        .examples(&["14.5", "11.7.10", "10.15.7"]),
    boolean("OnBattery"),
    Row::new("Paths", Kind::List, When::C2).paths(PathForm::MacOs).examples(&[
        "/",
        "/a",
        "/Users/ana/Caf\u{e9}/notes:2026.txt",
    ]),
    date_time("SentAt", 20, &["[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z"]).kind(Kind::Date),
    iana("TimeZone"),
    Row::text("UDID")
        .role(Role::Id)
        .length(36, 36)
        .patterns(&["[0-9A-F]{8}-[0-9A-F]{4}-[0-9A-F]{4}-[0-9A-F]{4}-[0-9A-F]{12}"])
        .rules(&[Rule::Except(&["00000000-0000-0000-0000-000000000000"])]),
    user("User"),
];
