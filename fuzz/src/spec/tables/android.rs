//! FORMATS §5.

use super::{OPS, TIME, device, estimate, iana, mass, node, nonce_hex, user};
use crate::spec::row::{Kind, PathForm, Role, Row, Rule, When};

/// manufacturer, model, device
const fn hardware(name: &'static str) -> Row {
    Row::text(name).length(1, 64).patterns(&["[\\x20-\\x7E]*[\\x21-\\x7E]"])
}

/// The table; grammars are of decoded values.
pub(crate) const ROWS: &[Row] = &[
    Row::word("op", OPS).role(Role::Operation),
    Row::text("android_id")
        .role(Role::Id)
        .length(1, 16)
        .patterns(&["[1-9a-f][0-9a-f]{0,15}", "0[0-9a-f]{15}"])
        .rules(&[Rule::Except(&["0000000000000000", "9774d56d682e549c"])]),
    mass("mass_token"),
    device("device_token"),
    user("user"),
    hardware("manufacturer"),
    hardware("model"),
    hardware("device"),
    Row::text("release")
        .length(1, 5)
        .patterns(&["[1-9][0-9]?(\\.[0-9]){0,2}"])
        .examples(&["14", "10", "5.1.1", "6.0", "8.0.0"]),
    Row::text("sdk")
        .length(2, 2)
        .patterns(&["[1-9][0-9]"])
        .rules(&[Rule::Range(21, 99)])
        .examples(&["34", "29", "22", "23", "26"]),
    Row::text("patch")
        .when(When::Other)
        .length(10, 10)
        .patterns(&["[0-9]{4}-[0-9]{2}-[0-9]{2}"])
        .rules(&[Rule::Calendar, Rule::Days("2015-08-01", "2100-01-01")]),
    Row::text("build").length(3, 32).patterns(&["[A-Za-z0-9._-]+"]),
    Row::text("app_id").length(3, 128).patterns(&["[A-Za-z][A-Za-z0-9_]*(\\.[A-Za-z][A-Za-z0-9_]*)+"]),
    Row::text("app_version").length(1, 32).patterns(&["[0-9A-Za-z][0-9A-Za-z._+-]*"]),
    Row::text("app_code").length(1, 10).patterns(&["[1-9][0-9]*"]).rules(&[Rule::Range(1, 2_100_000_000)]),
    Row::text("lang").length(2, 35).patterns(&["[a-z]{2,3}(-[A-Z][a-z]{3})?(-([A-Z]{2}|[0-9]{3}))?"]),
    iana("tz"),
    Row::word("net", &["wifi", "cellular", "ethernet", "vpn"]),
    Row::word("metered", &["0", "1"]),
    Row::word("charging", &["0", "1"]),
    Row::text("battery").length(1, 3).patterns(&["0|[1-9][0-9]*"]).rules(&[Rule::Range(0, 100)]),
    Row::text("sent")
        .role(Role::SentAt)
        .length(13, 13)
        .patterns(&["[1-9][0-9]{12}"])
        .rules(&[Rule::Range(TIME.0 * 1000, TIME.1 * 1000 + 999)]),
    nonce_hex("nonce"),
    node("node"),
    Row::new("uri", Kind::Text, When::C2).repeating().paths(PathForm::Android).examples(&[
        "content://media/external/images/media/18841",
        "content://media/1a2b-3c4d/file/1",
        "content://com.android.externalstorage.documents/tree/primary%3A",
        "content://com.android.externalstorage.documents/tree/1A2B-3C4D%3ADCIM%2FCamera",
        "/storage/emulated/0",
        "/storage/emulated/0/DCIM/Camera/IMG 1.jpg",
        "/storage/1A2B-3C4D/Caf\u{e9}",
    ]),
    estimate("est"),
];
