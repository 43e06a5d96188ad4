//! The abstract request in each format, by the loose documents' writers.

use std::{borrow::Cow, sync::LazyLock};

use super::request::{Abstract, TICKS};
use crate::{
    doc::{Document, Platform, Wire, escape, slots, table::path_slot, template},
    mutate::{
        identities::base64,
        operation::{self, roles},
    },
};

/// What a device of each platform says of itself, whatever it asks for.
const FACTS: [&[(&str, &str)]; 6] = [
    &[
        ("computerName", "LT-0417"),
        ("osVersion", "10.0.22631.3593"),
        ("arch", "\t\0"),
        ("appVersion", "\u{7}\0\u{4}\0\u{9}\0\0\0"),
        ("locale", "de-DE"),
        ("timeZone", "W. Europe Standard Time"),
        ("ifType", "G\0\0\0"),
        ("power", "\0\u{1}S\0"),
    ],
    &[
        ("AppBuild", "1182"),
        ("AppVersion", "4.7.0"),
        ("BatteryPercent", "64"),
        ("BuildVersion", "23F79"),
        ("ComputerName", "Ana\u{2019}s MacBook Pro & \u{1F4BB}"),
        ("HardwareModel", "MacBookPro18,3"),
        ("LocalHostName", "Anas-MacBook-Pro"),
        ("Locale", "es_ES"),
        ("NetworkInterface", "wifi"),
        ("OSVersion", "14.5"),
        ("OnBattery", "true"),
        ("TimeZone", "Europe/Madrid"),
    ],
    &[
        ("HOSTNAME", "web01.example.com"),
        ("OS_ID", "ubuntu"),
        ("OS_VERSION_ID", "24.04"),
        ("KERNEL", "6.8.0-31-generic"),
        ("ARCH", "x86_64"),
        ("AGENT", "4.7.0"),
        ("LANG", "en_US.UTF-8"),
        ("TZ", "Etc/UTC"),
        ("NET", "ens3:ethernet:no"),
        ("POWER", "ac"),
    ],
    &[
        ("deviceName", "Sala \"de\" juntas \u{1F4F1}"),
        ("model", "iPhone15,2"),
        ("system.name", "iOS"),
        ("system.version", "17.5"),
        ("system.build", "21F79"),
        ("app.bundle", "org.example.edgebackup"),
        ("app.version", "4.7.0"),
        ("app.build", "1182"),
        ("locale", "en_GB"),
        ("timeZone", "Europe/London"),
        ("net.type", "cellular"),
        ("net.expensive", "true"),
        ("net.constrained", "false"),
        ("power.state", "unplugged"),
        ("power.level", "0.62"),
        ("power.lowPower", "false"),
    ],
    &[
        ("manufacturer", "Google"),
        ("model", "Pixel 8"),
        ("device", "shiba"),
        ("release", "14"),
        ("sdk", "34"),
        ("patch", "2024-05-05"),
        ("build", "AP1A.240505.005"),
        ("app_id", "org.example.edgebackup"),
        ("app_version", "4.7.0"),
        ("app_code", "40700"),
        ("lang", "en-US"),
        ("tz", "America/New_York"),
        ("net", "wifi"),
        ("metered", "0"),
        ("charging", "1"),
        ("battery", "91"),
    ],
    &[
        ("SessionID", "1F"),
        ("MsgID", "1"),
        ("Target", "https://edge.example.com/edge/wp8"),
        ("./DevInfo/Man", "NOKIA"),
        ("./DevInfo/Mod", "RM-976_1001"),
        ("./DevInfo/DmV", "1.3"),
        ("./DevInfo/Lang", "en-US"),
        ("./DevDetail/SwV", "8.10.14219.341"),
        ("./Edge/App", "4.7.0.1182"),
        ("./Edge/Name", "Windows Phone"),
        ("./Edge/Tz", "Eastern Standard Time"),
        ("./Edge/Net", "MobileBroadbandGsm"),
        ("./Edge/Power", "Battery:71"),
        ("./Edge/Agent", "Periodic"),
    ],
];

/// A body with the facts alone.
fn facts(platform: Platform) -> &'static [u8] {
    static BODIES: LazyLock<[Vec<u8>; 6]> = LazyLock::new(|| {
        Platform::ALL.map(|platform| {
            let mut document = template::blank(platform);
            for (name, plain) in FACTS[platform as usize - 1] {
                let slot = crate::doc::table::row(platform, name);
                document.set(slot, escape::wire(slots(platform)[slot].wire, plain.as_bytes()));
            }
            document.encode()
        })
    });
    &BODIES[platform as usize - 1]
}

/// Sets a row to a plain value.
pub(super) fn put(document: &mut Document<'_>, slot: usize, plain: &[u8]) {
    let wire = slots(document.platform)[slot].wire;
    document.set(slot, escape::wire(wire, plain));
}

/// The request's body, as a document whose fields can be changed.
pub(super) fn document(platform: Platform, request: &Abstract) -> Document<'static> {
    let mut document = Document::decode(platform, facts(platform));
    let roles = roles(platform);
    document.set(roles.op, operation::value_of(platform, request.operation));
    let id = device_id(platform, &request.id);
    if platform == Platform::WindowsPhone {
        put(&mut document, crate::doc::table::row(platform, "Source"), format!("urn:wp:{id}").as_bytes());
        put(&mut document, roles.id, base64(&request.id).as_bytes());
        document.set(roles.mass, credentials(request));
    } else {
        put(&mut document, roles.id, id.as_bytes());
        if request.is_register() {
            put(&mut document, roles.mass, mass(&request.mass).as_bytes());
            put(&mut document, roles.user, request.user.as_bytes());
        } else {
            put(&mut document, roles.device, device(&request.device).as_bytes());
        }
    }
    put(&mut document, roles.nonce, &nonce(platform, &request.nonce));
    put(&mut document, roles.sent, &time(platform, request.time));
    if let Some(estimate) = request.estimate {
        put(&mut document, roles.estimate, &number(platform, estimate));
    }
    if request.is_transfer() {
        put(&mut document, roles.node, request.node.as_bytes());
        set_paths(&mut document, &request.paths.iter().map(|parts| path(platform, parts)).collect::<Vec<_>>());
    }
    document
}

/// Replaces all paths by these plain ones.
pub(super) fn set_paths(document: &mut Document<'_>, paths: &[Vec<u8>]) {
    let wire: Wire = slots(document.platform)[path_slot(document.platform)].wire;
    let written: Vec<Cow<'_, [u8]>> = paths.iter().map(|plain| Cow::Owned(escape::wire_path(wire, plain))).collect();
    document.set_paths(&written);
}

/// `Cred` of SyncML.
fn credentials(request: &Abstract) -> Vec<u8> {
    let proof = if request.is_register() { mass(&request.mass) } else { device(&request.device) };
    operation::credentials(&proof, if request.is_register() { &request.user } else { "" })
}

/// MASS.
pub(super) fn mass(proof: &[u8; 32]) -> String {
    format!("M1.{}", base64_url(proof))
}

/// DEV.
pub(super) fn device(proof: &[u8; 64]) -> String {
    format!("D1.{}", base64_url(proof))
}

fn base64_url(bytes: &[u8]) -> String {
    base64(bytes).trim_end_matches('=').replace('+', "-").replace('/', "_")
}

/// Hex digits in lower case.
fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        for digit in [byte >> 4, byte & 15] {
            text.push(char::from(b"0123456789abcdef"[usize::from(digit)]));
        }
        text
    })
}

/// The identifier of a device of this platform.
pub(super) fn device_id(platform: Platform, id: &[u8; 20]) -> String {
    let mut bytes = *id;
    // Neither all zero nor all one.
    bytes[0] = bytes[0] & 0x7F | 1;
    let grouped = |digits: &str| {
        format!("{}-{}-{}-{}-{}", &digits[..8], &digits[8..12], &digits[12..16], &digits[16..20], &digits[20..32])
    };
    let versioned = || {
        let mut bytes = bytes;
        bytes[6] = bytes[6] & 0x0F | 0x40;
        bytes[8] = bytes[8] & 0x3F | 0x80;
        hex(&bytes[..16])
    };
    match platform {
        Platform::Windows => grouped(&hex(&bytes)),
        Platform::MacOs => grouped(&hex(&bytes)).to_uppercase(),
        Platform::Linux => versioned(),
        Platform::Ios => grouped(&versioned()).to_uppercase(),
        Platform::Android => hex(&bytes[..8]),
        Platform::WindowsPhone => hex(id).to_uppercase(),
    }
}

/// The nonce, plain.
pub(super) fn nonce(platform: Platform, nonce: &[u8]) -> Vec<u8> {
    match platform {
        Platform::Windows => nonce.to_vec(),
        Platform::Linux | Platform::Android => hex(nonce).into_bytes(),
        Platform::MacOs | Platform::Ios | Platform::WindowsPhone => base64(nonce).into_bytes(),
    }
}

/// A number, plain: u64 on Windows, else decimal.
pub(super) fn number(platform: Platform, number: u64) -> Vec<u8> {
    if platform == Platform::Windows { number.to_le_bytes().to_vec() } else { number.to_string().into_bytes() }
}

/// Ticks in the finest unit of time that a format writes.
pub(super) const fn time_unit(platform: Platform) -> u64 {
    match platform {
        Platform::Windows | Platform::WindowsPhone => 1,
        Platform::Ios | Platform::Android => TICKS / 1000,
        Platform::MacOs | Platform::Linux => TICKS,
    }
}

/// A time in ticks since 1970, plain.
pub(super) fn time(platform: Platform, ticks: u64) -> Vec<u8> {
    /// Ticks from 1601 to 1970.
    const FILE_TIME: u64 = 11_644_473_600 * TICKS;
    let (seconds, rest) = (ticks / TICKS, ticks % TICKS);
    let text = match platform {
        Platform::Windows => return (ticks + FILE_TIME).to_le_bytes().to_vec(),
        Platform::Linux => seconds.to_string(),
        Platform::Android => (ticks / (TICKS / 1000)).to_string(),
        Platform::MacOs => format!("{}Z", date_time(seconds)),
        Platform::Ios => format!("{}.{:03}Z", date_time(seconds), rest / (TICKS / 1000)),
        Platform::WindowsPhone => format!("{}.{rest:07}Z", date_time(seconds)),
    };
    text.into_bytes()
}

/// `YYYY-MM-DDThh:mm:ss` of seconds since 1970, counting the days of years and months one by one.
fn date_time(seconds: u64) -> String {
    let is_leap = |year: u64| year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    let (mut days, time) = (seconds / 86_400, seconds % 86_400);
    let mut year = 1970;
    while days >= 365 + u64::from(is_leap(year)) {
        days -= 365 + u64::from(is_leap(year));
        year += 1;
    }
    let mut month = 0;
    let lengths = [31, 28 + u64::from(is_leap(year)), 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    while days >= lengths[month] {
        days -= lengths[month];
        month += 1;
    }
    format!("{year:04}-{:02}-{:02}T{:02}:{:02}:{:02}", month + 1, days + 1, time / 3600, time / 60 % 60, time % 60)
}

/// The root of a path, and what joins its components.
pub(super) fn root(platform: Platform, choice: u8) -> (&'static str, char) {
    let one_of = |roots: &[&'static str]| roots[usize::from(choice) % roots.len()];
    match platform {
        Platform::Windows => (one_of(&["C:\\", "\\\\srv\\h$\\", "\\\\?\\d:\\", "\\\\?\\UNC\\srv\\h\\"]), '\\'),
        Platform::MacOs | Platform::Linux => ("/", '/'),
        Platform::Ios => (one_of(&["file:Documents/", "file:Library/"]), '/'),
        Platform::Android => (one_of(&["/storage/emulated/0/", "/storage/1A2B-3C4D/"]), '/'),
        Platform::WindowsPhone => (one_of(&["isostore:/", "ms-appdata:///local/"]), '/'),
    }
}

/// A path, plain.
pub(super) fn path(platform: Platform, (choice, components): &(u8, Vec<String>)) -> Vec<u8> {
    let (root, separator) = root(platform, *choice);
    format!("{root}{}", components.join(&separator.to_string())).into_bytes()
}
