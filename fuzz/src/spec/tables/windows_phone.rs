//! FORMATS §6.

use super::{BCP, date_time, estimate, label, node, nonce_base64, wzone};
use crate::spec::row::{Kind, PathForm, Role, Row, Rule, When};

/// ./Edge/Op, in the order of [`super::OPS`].
pub(crate) const OPS: &[&str] = &["Register", "Auth", "Backup", "Restore", "Ping", "Sync"];

/// How many rows, from the first on, are header fields.
pub(crate) const HEADERS: usize = 5;

/// The tables: header fields, then items.
pub(crate) const ROWS: &[Row] = &[
    Row::text("SessionID").length(1, 4).patterns(&["[0-9A-F]+"]),
    Row::text("MsgID").length(1, 3).patterns(&["[1-9][0-9]*"]),
    Row::text("Target")
        .length(20, 255)
        .patterns(&[concat!("https://", label!(), "(\\.", label!(), ")+(:[1-9][0-9]{0,4})?/edge/wp8")])
        .rules(&[Rule::Port]),
    Row::text("Source").role(Role::Id).length(47, 47).patterns(&["urn:wp:[0-9A-F]{40}"]),
    Row::text("Cred").role(Role::Credentials).rules(&[Rule::Credentials]).examples(&[
        "RDEuVmZneTBXRW1IY2tFRG5yT1hDV05PSGp1cXVNZng1V2JmZ3RlR1dvbHllNHhId2hnSzJHNGlQd25PRGhOcUlqR2RaTTdrc3l4VmNPRGFRSWY5OFRNYXc6",
        "TTEuS29wSjRFQWVpdzJxZnpQQVJsVGVyM2NwanFtU1lXaFFNWGxJekxrbkFLazphbmEubG9wZXpAZXhhbXBsZS5jb20=",
    ]),
    // 20 bytes are 26 characters, one of which four bits count, and the padding.
    Row::text("./DevInfo/DevId").role(Role::Silent)
        .length(28, 28)
        .patterns(&["[A-Za-z0-9+/]{26}[AEIMQUYcgkosw048]="])
        .rules(&[Rule::Except(&["AAAAAAAAAAAAAAAAAAAAAAAAAAA="])]),
    Row::text("./DevInfo/Man").length(1, 64).patterns(&["[A-Za-z0-9 ._&+-]+"]),
    Row::text("./DevInfo/Mod").length(1, 64).patterns(&["[A-Za-z0-9 ._+()/-]+"]),
    Row::word("./DevInfo/DmV", &["1.2", "1.3"]),
    Row::text("./DevInfo/Lang").length(5, 10).patterns(BCP),
    Row::text("./DevDetail/SwV")
        .length(10, 15)
        .patterns(&["8\\.0\\.(9[0-9]{3}|10[0-9]{3})\\.[0-9]{1,4}", "8\\.10\\.1[2-5][0-9]{3}\\.[0-9]{1,4}"]),
    Row::text("./Edge/App")
        .length(7, 23)
        .patterns(&["[1-9][0-9]{0,4}(\\.(0|[1-9][0-9]{0,4})){3}"])
        .rules(&[Rule::EachAtMost(65535)]),
    Row::text("./Edge/Name").length(1, 64).patterns(&["[^\\x00-\\x1F\\x7F]+"]),
    wzone("./Edge/Tz"),
    Row::word("./Edge/Net", &["Wireless80211", "Ethernet", "MobileBroadbandGsm", "MobileBroadbandCdma"]),
    Row::text("./Edge/Power").length(9, 12).patterns(&["(External|Battery):(0|[1-9][0-9]?|100)"]),
    Row::word("./Edge/Agent", &["Foreground", "Periodic", "ResourceIntensive"]),
    date_time("./Edge/Sent", 28, &["[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\\.[0-9]{7}Z"]),
    nonce_base64("./Edge/Nonce"),
    Row::word("./Edge/Op", OPS).role(Role::Operation),
    node("./Edge/Node"),
    Row::new("./Edge/Item", Kind::Text, When::C2).repeating().paths(PathForm::WindowsPhone).examples(&[
        "isostore:/a",
        "isostore:/Shared/Notes & lists/a.txt",
        "ms-appdata:///local/b/c",
    ]),
    estimate("./Edge/Bytes"),
];
