//! FORMATS §1.

use super::{BCP, ESTIMATE_MAX, TIME, device, mass, node, user, wzone};
use crate::spec::row::{Kind, PathForm, Role, Row, Rule, When};

/// A required binary value of `bytes` bytes.
const fn binary(name: &'static str, bytes: usize) -> Row {
    Row::new(name, Kind::Binary, When::Required).length(bytes, bytes)
}

/// 100 ns since 1601-01-01 of a second since 1970-01-01.
const fn file_time(unix_seconds: u64) -> u64 {
    (unix_seconds + 11_644_473_600) * 10_000_000
}

/// The table.
pub(crate) const ROWS: &[Row] = &[
    binary("op", 2).role(Role::Operation).tag(0x01).rules(&[Rule::Range(1, 6)]),
    Row::text("machineGuid")
        .role(Role::Id)
        .tag(0x02)
        .length(36, 36)
        .patterns(&["[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"])
        .rules(&[Rule::Except(&["00000000-0000-0000-0000-000000000000", "ffffffff-ffff-ffff-ffff-ffffffffffff"])]),
    mass("MASS").tag(0x03),
    device("DEV").tag(0x04),
    user("USER").tag(0x05),
    Row::text("computerName")
        .tag(0x06)
        .length(1, 15)
        .patterns(&["[A-Za-z0-9!@#$%^&')(._{}~-]+"])
        .rules(&[Rule::ExceptPattern("\\..*"), Rule::ExceptPattern("[0-9]+")]),
    Row::text("osVersion")
        .tag(0x07)
        .length(8, 23)
        .patterns(&["(0|[1-9][0-9]{0,4})(\\.(0|[1-9][0-9]{0,4})){3}"])
        .rules(&[Rule::WindowsRelease])
        .examples(&["6.1.7601.24561", "6.2.9200.0", "6.3.9600.20000", "10.0.10240.0", "10.0.65535.65535"]),
    binary("arch", 2).tag(0x08).rules(&[Rule::OneOf(&[0, 9, 12])]),
    binary("appVersion", 8).tag(0x09).rules(&[Rule::MajorNotZero]),
    Row::text("locale").tag(0x0A).length(5, 84).patterns(BCP),
    wzone("timeZone").tag(0x0B),
    binary("sentAt", 8)
        .role(Role::SentAt)
        .tag(0x0C)
        .rules(&[Rule::Range(file_time(TIME.0), file_time(TIME.1 + 1) - 1)]),
    binary("nonce", 16).role(Role::Nonce).tag(0x0D).rules(&[Rule::NotAllZero]),
    binary("ifType", 4).tag(0x0E).rules(&[Rule::OneOf(&[6, 23, 71, 131, 243, 244])]),
    binary("power", 4).tag(0x0F).rules(&[Rule::PowerStatus]),
    node("node").tag(0x10),
    Row::new("path", Kind::Text, When::C2).tag(0x11).repeating().paths(PathForm::Windows).examples(&[
        "C:\\",
        "C:\\Users\\Ana\\Documents",
        "\\\\server\\share",
        "\\\\s\\h\\",
        "\\\\s\\h\\a.b",
        "\\\\?\\C:\\CON.txt",
        "\\\\?\\UNC\\nas01\\home$\\ana\\Größe",
    ]),
    binary("estimate", 8).role(Role::Estimate).tag(0x12).when(When::Optional).rules(&[Rule::Range(0, ESTIMATE_MAX)]),
];
