//! macOS 10.13 and later.

use relay_wire::{
    Profile,
    request::macos::{self, NetworkInterface},
};

use super::{APPLE_LOCALES, Chance, Made, ZONES};

/// Version, its build, and the TLS stack.
const RELEASES: &[(&str, &str, &str)] = &[
    ("10.13.6", "17G14042", "macos-10.13"),
    ("10.15.7", "19H2026", "macos"),
    ("11.7.10", "20G1427", "macos"),
    ("12.7.5", "21H1222", "macos"),
    ("13.6.7", "22G720", "macos"),
    ("14.5", "23F79", "macos"),
    ("15.1", "24B83", "macos"),
    ("26.0", "25A354", "macos"),
];

pub(super) fn make(chance: &mut Chance, local: &str) -> Made {
    let (os_version, build_version, tls) = chance.pick(RELEASES);
    let hardware = chance.pick(&["MacBookPro18,3", "MacBookAir10,1", "iMac19,1", "Macmini9,1", "Mac14,3", "MacPro7,1"]);
    let is_laptop = hardware.starts_with("MacBook");
    let on_battery = is_laptop && chance.one_in(2);
    let profile = macos::Profile {
        app_build: chance.pick(&["1182", "1182.4", "47.1.9"]).to_owned(),
        app_version: "4.7.0".to_owned(),
        battery_percent: is_laptop.then(|| chance.percent()),
        build_version: build_version.to_owned(),
        computer_name: format!("{local}’s {}", chance.pick(&["MacBook Pro", "Mac & <Büro>", "机器", "\"Build\" 🖥"])),
        hardware_model: hardware.to_owned(),
        local_host_name: format!("{}-mac", local.replace('.', "-")),
        locale: chance.pick(APPLE_LOCALES).to_owned(),
        network_interface: chance.pick(&[
            NetworkInterface::Wifi,
            NetworkInterface::WiredEthernet,
            NetworkInterface::Cellular,
            NetworkInterface::Other,
        ]),
        os_version: os_version.to_owned(),
        on_battery,
        time_zone: chance.pick(ZONES).to_owned(),
    };
    let mut paths = vec![format!("/Users/{local}/Documents")];
    if chance.one_in(3) {
        // One name in both normal forms: they are different paths, and stay what they are.
        paths.push(format!("/Users/{local}/Cafe\u{301}/notes:2026 <a&b>.txt"));
        paths.push(format!("/Users/{local}/Café"));
    }
    Made { id: chance.uuid().to_uppercase(), profile: Profile::MacOs(profile), tls, paths }
}
