//! Fields that a rule of the platform couples: moved together to another good pair, or one of them to where the other ends.

use fastrand::Rng;

use super::identities::base64;
use crate::doc::{Document, Platform, escape, slots, table::row};

/// Sets the row `name` to a plain value.
fn put(document: &mut Document<'_>, name: &str, plain: &str) {
    let slot = row(document.platform, name);
    document.set(slot, escape::wire(slots(document.platform)[slot].wire, plain.as_bytes()));
}

fn drop_row(document: &mut Document<'_>, name: &str) {
    document.clear(row(document.platform, name));
}

fn one_of<'a>(of: &[&'a str], chance: &mut Rng) -> &'a str {
    of[chance.usize(..of.len())]
}

/// Whether this row is coupled with another: alone it is rarely moved to another good place.
#[must_use]
pub fn is_coupled(name: &str) -> bool {
    const COUPLED: [&str; 16] = [
        "OSVersion",
        "BuildVersion",
        "OnBattery",
        "BatteryPercent",
        "system.name",
        "system.version",
        "system.build",
        "model",
        "release",
        "sdk",
        "patch",
        "./DevInfo/DevId",
        "Source",
        "./Edge/Agent",
        "./Edge/Power",
        "./Edge/Net",
    ];
    COUPLED.contains(&name)
}

/// Moves one couple of fields to good values. Whether the platform has one.
pub fn good(document: &mut Document<'_>, chance: &mut Rng) -> bool {
    match document.platform {
        Platform::Windows | Platform::Linux => return false,
        Platform::MacOs if chance.bool() => {
            let on_battery = chance.bool();
            put(document, "OnBattery", if on_battery { "true" } else { "false" });
            if on_battery || chance.bool() {
                put(document, "BatteryPercent", one_of(&["0", "1", "9", "10", "64", "99", "100"], chance));
            } else {
                drop_row(document, "BatteryPercent");
            }
        }
        Platform::MacOs => {
            let (version, train) = macos_version(chance);
            put(document, "OSVersion", &version);
            put(document, "BuildVersion", &build(train, chance));
        }
        Platform::Ios => {
            let (major, version) = ios_version(chance);
            let family = one_of(&["iPhone", "iPad", "iPod"], chance);
            let is_ipados = family == "iPad" && major >= 13 && chance.u8(..4) > 0;
            put(document, "system.name", if is_ipados { "iPadOS" } else { "iOS" });
            put(document, "system.version", &version);
            put(document, "system.build", &build(ios_train(major), chance));
            put(document, "model", &format!("{family}{},{}", chance.u8(1..=99), chance.u8(1..=99)));
        }
        Platform::Android => {
            let (sdk, release) = android_pair(chance);
            android(document, sdk, release, sdk >= 23, chance);
        }
        Platform::WindowsPhone if chance.bool() => {
            let id: [u8; 20] = std::array::from_fn(|_| chance.u8(..));
            device_id(document, &id, &id);
        }
        Platform::WindowsPhone => {
            let agent = one_of(&["Foreground", "Periodic", "ResourceIntensive"], chance);
            let (source, percent, net) = if agent == "ResourceIntensive" {
                ("External", one_of(&["90", "91", "99", "100"], chance), one_of(&["Wireless80211", "Ethernet"], chance))
            } else {
                (one_of(&["External", "Battery"], chance), one_of(PERCENTS, chance), one_of(NETS, chance))
            };
            put(document, "./Edge/Agent", agent);
            put(document, "./Edge/Power", &format!("{source}:{percent}"));
            put(document, "./Edge/Net", net);
        }
    }
    true
}

const PERCENTS: &[&str] = &["0", "9", "10", "50", "89", "90", "91", "99", "100"];
const NETS: &[&str] = &["Wireless80211", "Ethernet", "MobileBroadbandGsm", "MobileBroadbandCdma"];

/// Moves one couple to where its rule ends, or tears it apart. Whether the platform has one.
pub fn near(document: &mut Document<'_>, chance: &mut Rng) -> bool {
    match document.platform {
        Platform::Windows | Platform::Linux => return false,
        Platform::MacOs => near_macos(document, chance),
        Platform::Ios => near_ios(document, chance),
        Platform::Android => near_android(document, chance),
        Platform::WindowsPhone => near_phone(document, chance),
    }
    true
}

/// A macOS version, and the train of its builds.
fn macos_version(chance: &mut Rng) -> (String, u8) {
    if chance.u8(..3) == 0 {
        let minor = chance.u8(13..=15);
        let patch = chance.u8(..=9);
        let version = if patch == 0 { format!("10.{minor}") } else { format!("10.{minor}.{patch}") };
        return (version, minor + 4);
    }
    let major = [11, 12, 13, 14, 15, 26, 27, 28, 29][chance.usize(..9)];
    (with_updates(major, chance), if major < 26 { major + 9 } else { major - 1 })
}

fn with_updates(major: u8, chance: &mut Rng) -> String {
    let number = |chance: &mut Rng| [0, 1, 7, 9, 10, 99][chance.usize(..6)];
    match chance.u8(..3) {
        0 => major.to_string(),
        1 => format!("{major}.{}", number(chance)),
        _ => format!("{major}.{}.{}", number(chance), number(chance)),
    }
}

fn ios_version(chance: &mut Rng) -> (u8, String) {
    let major = [9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 26, 27, 28, 29][chance.usize(..14)];
    (major, with_updates(major, chance))
}

const fn ios_train(major: u8) -> u8 {
    if major < 26 { major + 4 } else { major - 3 }
}

fn build(train: u8, chance: &mut Rng) -> String {
    let letter = char::from(b'A' + chance.u8(..26));
    let suffix = ["", "", "a", "z"][chance.usize(..4)];
    let count = [1, 9, 10, 79, 999, 5_000, 99_999][chance.usize(..7)];
    format!("{train}{letter}{count}{suffix}")
}

fn near_macos(document: &mut Document<'_>, chance: &mut Rng) {
    let (version, train) = macos_version(chance);
    let step = [1, 255, 10, 246][chance.usize(..4)];
    match chance.u8(..6) {
        0 => {
            put(document, "OnBattery", "true");
            drop_row(document, "BatteryPercent");
        }
        1 => put(document, "OSVersion", &version),
        2 => put(document, "BuildVersion", &build(train, chance)),
        3 => {
            put(document, "OSVersion", &version);
            put(document, "BuildVersion", &build(train.wrapping_add(step), chance));
        }
        4 => {
            // Versions that the text has not, with the train that a careless rule would give them.
            let (version, train) = [
                ("10.12", 16),
                ("10.16", 20),
                ("16", 25),
                ("25", 24),
                ("30", 29),
                ("10", 14),
                ("10.15.10", 19),
                ("10.13.0", 17),
                ("9", 18),
                ("11.100", 20),
                ("11.0.0.0", 20),
                ("14.05", 23),
                ("10.9", 13),
                ("19", 28),
                ("20", 29),
                ("10.14.", 18),
                ("11.", 20),
            ][chance.usize(..17)];
            put(document, "OSVersion", version);
            put(document, "BuildVersion", &build(train, chance));
        }
        _ => {
            put(document, "OnBattery", one_of(&["true", "false"], chance));
            put(document, "BatteryPercent", one_of(&["101", "100", "0", "00", "255", "256", "999", ""], chance));
        }
    }
}

fn near_ios(document: &mut Document<'_>, chance: &mut Rng) {
    let (major, version) = ios_version(chance);
    let families = ["iPhone", "iPad", "iPod"];
    let family = one_of(&families, chance);
    match chance.u8(..6) {
        0 => put(document, "system.version", &version),
        1 => put(document, "system.build", &build(ios_train(major), chance)),
        2 => {
            put(document, "system.version", &version);
            let step = [1, 255, 2, 254, 5, 7][chance.usize(..6)];
            put(document, "system.build", &build(ios_train(major).wrapping_add(step), chance));
        }
        3 => {
            // Around the first version of iPadOS.
            let major = [11, 12, 13, 14][chance.usize(..4)];
            put(document, "system.name", "iPadOS");
            put(document, "system.version", &with_updates(major, chance));
            put(document, "system.build", &build(ios_train(major), chance));
            put(document, "model", &format!("{family}8,1"));
        }
        4 => {
            let (version, train) = [
                ("8", 12),
                ("19", 23),
                ("25", 22),
                ("30", 27),
                ("9.100", 13),
                ("17.05", 21),
                ("18.0.0.0", 22),
                ("20", 24),
                ("7.1", 11),
            ][chance.usize(..9)];
            put(document, "system.version", version);
            put(document, "system.build", &build(train, chance));
        }
        _ => {
            put(document, "system.name", one_of(&["iOS", "iPadOS"], chance));
            put(document, "model", &format!("{family}{},{}", chance.u8(1..=99), chance.u8(1..=9)));
        }
    }
}

const ANDROID: [(u8, &str); 23] = [
    (21, "5.0"),
    (21, "5.0.1"),
    (21, "5.0.2"),
    (22, "5.1"),
    (22, "5.1.1"),
    (23, "6.0"),
    (23, "6.0.1"),
    (24, "7.0"),
    (25, "7.1"),
    (25, "7.1.1"),
    (25, "7.1.2"),
    (26, "8.0.0"),
    (27, "8.1.0"),
    (28, "9"),
    (29, "10"),
    (30, "11"),
    (31, "12"),
    (32, "12"),
    (33, "13"),
    (34, "14"),
    (35, "15"),
    (36, "16"),
    (37, "17"),
];

fn android_pair(chance: &mut Rng) -> (u8, &'static str) {
    if chance.u8(..6) == 0 {
        return (chance.u8(37..=99), one_of(&["17", "18", "99", "1", "9.9.9", "16", "10", "5.0"], chance));
    }
    ANDROID[chance.usize(..ANDROID.len())]
}

fn android(document: &mut Document<'_>, sdk: u8, release: &str, has_patch: bool, chance: &mut Rng) {
    put(document, "sdk", &sdk.to_string());
    put(document, "release", release);
    if has_patch {
        put(document, "patch", one_of(&["2015-08-01", "2024-02-29", "2099-12-31", "2022-03-01"], chance));
    } else {
        drop_row(document, "patch");
    }
}

fn near_android(document: &mut Document<'_>, chance: &mut Rng) {
    let (sdk, release) = android_pair(chance);
    match chance.u8(..6) {
        0 => put(document, "sdk", &sdk.to_string()),
        1 => put(document, "release", release),
        2 => {
            let sdk = [sdk - 1, sdk + 1][chance.usize(..2)];
            android(document, sdk, release, sdk >= 23, chance);
        }
        3 => android(document, sdk, release, sdk < 23, chance),
        4 => {
            let (sdk, release) = [
                (21, "5.0.0"),
                (21, "5.0.3"),
                (22, "5.1.2"),
                (22, "5.1.0"),
                (23, "6.0.2"),
                (23, "6.1"),
                (24, "7.0.0"),
                (25, "7.1.3"),
                (26, "8.0"),
                (27, "8.1"),
                (28, "9.0"),
                (29, "10.0"),
                (31, "12.0"),
                (32, "12.1"),
                (33, "12"),
                (36, "17"),
                (20, "4.4"),
                (19, "4.4"),
                (36, "16.1"),
                (28, "8.1"),
                (20, "5.0"),
                (35, "16"),
                (30, "12"),
                (99, "0"),
                (37, "01"),
            ][chance.usize(..25)];
            android(document, sdk, release, chance.bool(), chance);
        }
        _ => android(document, chance.u8(21..=38), ANDROID[chance.usize(..ANDROID.len())].1, chance.bool(), chance),
    }
}

fn device_id(document: &mut Document<'_>, in_source: &[u8], in_item: &[u8]) {
    let hex: String = in_source.iter().map(|byte| format!("{byte:02X}")).collect();
    put(document, "Source", &format!("urn:wp:{hex}"));
    put(document, "./DevInfo/DevId", &base64(in_item));
}

fn near_phone(document: &mut Document<'_>, chance: &mut Rng) {
    if chance.bool() {
        put(
            document,
            "./Edge/Agent",
            one_of(&["ResourceIntensive", "ResourceIntensive", "Periodic", "Foreground"], chance),
        );
        put(
            document,
            "./Edge/Power",
            &format!("{}:{}", one_of(&["External", "Battery"], chance), one_of(PERCENTS, chance)),
        );
        put(document, "./Edge/Net", one_of(NETS, chance));
        return;
    }
    let mut id: [u8; 20] = std::array::from_fn(|_| chance.u8(..));
    let mut other = id;
    match chance.u8(..6) {
        0 => other[0] ^= 1 << chance.u8(..8),
        1 => other[19] ^= 1 << chance.u8(..8),
        2 => other[chance.usize(..20)] ^= 1 << chance.u8(..8),
        3 => other.reverse(),
        4 => (id, other) = ([0; 20], [0; 20]),
        _ => other.rotate_left(1),
    }
    device_id(document, &id, &other);
}
