//! Android 5 and later.

use relay_wire::{
    Profile,
    request::android::{self, Net},
};

use super::{Chance, Made, ZONES};

/// Manufacturer, model, device, release, API level, security patch, build.
type Phone = (&'static str, &'static str, &'static str, &'static str, u8, Option<&'static str>, &'static str);

const DEVICES: &[Phone] = &[
    ("Google", "Pixel 8", "shiba", "14", 34, Some("2024-05-05"), "AP1A.240505.005"),
    ("Google", "Pixel 9", "tokay", "16", 36, Some("2025-09-05"), "BP3A.250905.014"),
    ("samsung", "SM-G960F", "starlte", "10", 29, Some("2022-03-01"), "QP1A.190711.020"),
    ("LGE", "Nexus 5", "hammerhead", "5.1.1", 22, None, "LMY48M"),
    ("Xiaomi", "Redmi Note 4", "mido", "7.0", 24, Some("2018-04-01"), "NRD90M"),
    ("motorola", "moto g(6)", "ali", "9", 28, Some("2020-06-01"), "PPS29.55-37-7-7"),
    ("OnePlus", "CPH2449", "OP594DL1", "13", 33, Some("2023-11-05"), "TP1A.220905.001"),
];

const LANGUAGES: &[&str] = &["en-US", "de-DE", "fr", "sr-Latn-RS", "es-419", "hi-IN"];

pub(super) fn make(chance: &mut Chance) -> Made {
    let (manufacturer, model, device, release, sdk, patch, build) = chance.pick(DEVICES);
    let net = chance.pick(&[Net::Wifi, Net::Cellular, Net::Ethernet, Net::Vpn]);
    let profile = android::Profile {
        manufacturer: manufacturer.to_owned(),
        model: model.to_owned(),
        device: device.to_owned(),
        release: release.to_owned(),
        sdk,
        patch: patch.map(str::to_owned),
        build: build.to_owned(),
        app_id: "org.example.edgebackup".to_owned(),
        app_version: chance.pick(&["4.7.0", "4.8.0-beta.2+77"]).to_owned(),
        app_code: 40_700,
        lang: chance.pick(LANGUAGES).to_owned(),
        time_zone: chance.pick(ZONES).to_owned(),
        net,
        metered: net == Net::Cellular,
        charging: chance.one_in(3),
        battery: chance.percent(),
    };
    let mut paths = vec![format!("/storage/emulated/0/DCIM/Camera/IMG {}.jpg", chance.below(10_000))];
    if chance.one_in(2) {
        paths.push(format!("content://media/external/images/media/{}", chance.below(1_000_000) + 1));
        paths.push(
            "content://com.android.externalstorage.documents/tree/primary%3ADocuments%2FGr%C3%B6%C3%9Fe".to_owned(),
        );
    }
    let tls = if sdk >= 29 { "android-10" } else { "android-5" };
    Made { id: android_id(chance), profile: Profile::Android(profile), tls, paths }
}

/// 64 bits as hex. Some releases drop leading zeros, so one device in eight has one, and half of these have dropped it.
fn android_id(chance: &mut Chance) -> String {
    let [first, rest @ ..] = chance.bytes::<8>();
    let first = if chance.one_in(8) { first & 0x0f | 1 } else { first | 0x10 };
    let id = crate::hex::encode(&[&[first], &rest[..]].concat());
    if chance.one_in(2) { id.trim_start_matches('0').to_owned() } else { id }
}
