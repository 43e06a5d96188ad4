//! FORMATS §4.

use super::{
    OPS, apple_locale, boolean, date_time, device, estimate, iana,
    macos::{app_version, build_version},
    mass, node, nonce_base64, user,
};
use crate::spec::row::{Kind, PathForm, Role, Row, Rule, When};

const fn object(name: &'static str) -> Row {
    Row::new(name, Kind::Object, When::Required).role(Role::Silent)
}

/// The table, the members of an object behind it.
pub(crate) const ROWS: &[Row] = &[
    Row::word("op", OPS).role(Role::Operation),
    Row::text("idfv")
        .role(Role::Id)
        .length(36, 36)
        .patterns(&["[0-9A-F]{8}-[0-9A-F]{4}-4[0-9A-F]{3}-[89AB][0-9A-F]{3}-[0-9A-F]{12}"]),
    mass("massToken"),
    device("deviceToken"),
    user("user"),
    Row::text("deviceName").length(1, 64).patterns(&["[^\\x00-\\x1F\\x7F]+"]),
    Row::text("model").length(7, 11).patterns(&["(iPhone|iPad|iPod)[1-9][0-9]?,[1-9][0-9]?"]),
    object("system"),
    Row::word("system.name", &["iOS", "iPadOS"]),
    Row::text("system.version")
        .length(1, 8)
        .patterns(&["(9|1[0-8]|2[6-9])(\\.(0|[1-9][0-9]?)){0,2}"])
        .examples(&["17.5", "16.7.8", "12.5.7"]),
    build_version("system.build").examples(&["21F79", "20H343", "16H81"]),
    object("app"),
    Row::text("app.bundle").length(3, 155).patterns(&["[A-Za-z][A-Za-z0-9-]*(\\.[A-Za-z0-9-]+)+"]),
    app_version("app.version"),
    Row::text("app.build").length(1, 18).patterns(&["[1-9][0-9]{0,8}(\\.[0-9]{1,3}){0,2}"]),
    apple_locale("locale"),
    iana("timeZone"),
    object("net"),
    Row::word("net.type", &["wifi", "cellular", "wiredEthernet"]),
    boolean("net.expensive"),
    boolean("net.constrained"),
    object("power"),
    Row::word("power.state", &["unknown", "unplugged", "charging", "full"]),
    Row::new("power.level", Kind::Number, When::Required)
        .length(1, 20)
        .patterns(&["-?(0|[1-9][0-9]*)(\\.[0-9]+)?"])
        .rules(&[Rule::ExceptPattern("-0(\\.0+)?"), Rule::Within("0(\\.[0-9]+)?|1(\\.0+)?|-1(\\.0+)?")]),
    boolean("power.lowPower"),
    date_time("sentAt", 24, &["[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\\.[0-9]{3}Z"]),
    nonce_base64("nonce"),
    node("node"),
    Row::new("items", Kind::List, When::C2).paths(PathForm::Ios).examples(&[
        "file:Documents/Reports/q2.pdf",
        "file:Library/a",
        "photo:B84E8479-475C-4727-A4A4-B77AA9980897/L0/001",
    ]),
    estimate("estBytes").kind(Kind::Number),
];
