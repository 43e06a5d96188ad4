//! FORMATS §3.

use super::{OPS, TIME, device, estimate, iana, label, mass, node, nonce_hex, user};
use crate::spec::row::{Kind, PathForm, Role, Row, Rule, When};

/// The table. `op` stands in the first line.
pub(crate) const ROWS: &[Row] = &[
    Row::word("op", OPS).role(Role::Operation),
    Row::text("MACHINE_ID").role(Role::Id).length(32, 32).patterns(&["[0-9a-f]{12}4[0-9a-f]{3}[89ab][0-9a-f]{15}"]),
    mass("MASS_TOKEN"),
    device("DEVICE_TOKEN"),
    user("USER"),
    Row::text("HOSTNAME").length(1, 64).patterns(&[concat!(label!(), "(\\.", label!(), ")*")]),
    Row::text("OS_ID").length(1, 32).patterns(&["[a-z0-9._-]+"]),
    Row::text("OS_VERSION_ID").when(When::Optional).length(1, 32).patterns(&["[a-z0-9._-]+"]),
    Row::text("KERNEL").length(3, 64).patterns(&["[2-9]\\.[0-9]{1,3}(\\.[0-9]{1,3}){0,2}([+~_-][A-Za-z0-9.+~_-]*)?"]),
    Row::word("ARCH", &["x86_64", "i686", "aarch64", "armv7l", "ppc64le", "s390x", "riscv64"]),
    // The expression that Semantic Versioning 2.0.0 suggests, its three numbers bounded.
    Row::text("AGENT").length(5, 64).patterns(&[concat!(
        "(0|[1-9][0-9]{0,4})\\.(0|[1-9][0-9]{0,4})\\.(0|[1-9][0-9]{0,4})",
        "(-((0|[1-9][0-9]*|[0-9]*[a-zA-Z-][0-9a-zA-Z-]*)(\\.(0|[1-9][0-9]*|[0-9]*[a-zA-Z-][0-9a-zA-Z-]*))*))?",
        "(\\+([0-9a-zA-Z-]+(\\.[0-9a-zA-Z-]+)*))?"
    )]),
    Row::text("LANG").length(1, 40).patterns(&[
        "C",
        "POSIX",
        "C\\.UTF-8",
        "C\\.utf8",
        "[a-z]{2,3}_[A-Z]{2}(\\.[A-Za-z0-9-]{1,16})?(@[a-z]{1,16})?",
    ]),
    iana("TZ"),
    Row::text("NET").length(9, 40).patterns(&[concat!(
        "[\\x21-\\x2E\\x30-\\x39\\x3B-\\x7E]{1,15}",
        ":(ethernet|wifi|wwan|tunnel):(yes|no|guess-yes|guess-no|unknown)"
    )]),
    Row::text("POWER").length(2, 11).patterns(&["ac", "unknown", "battery:(0|[1-9][0-9]?|100)"]),
    Row::text("SENT")
        .role(Role::SentAt)
        .length(10, 10)
        .patterns(&["[1-9][0-9]{9}"])
        .rules(&[Rule::Range(TIME.0, TIME.1)]),
    nonce_hex("NONCE"),
    node("NODE"),
    // The examples are decoded: `%` and bytes outside 0x21..0x7E travel as `%XX`.
    Row::new("PATH", Kind::Text, When::C2).repeating().paths(PathForm::Linux).examples(&[
        "/",
        "/home/ana/caf\u{e9}",
        "/home/ana/100% done",
    ]),
    estimate("ESTIMATE"),
];
