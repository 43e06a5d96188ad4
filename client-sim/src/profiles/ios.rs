//! iOS and iPadOS.

use relay_wire::{
    Profile,
    request::ios::{self, BatteryLevel, NetType, PowerState, SystemName},
};

use super::{APPLE_LOCALES, Chance, Made, ZONES};

/// Version, its build, and the TLS stack (1.3 came with 12.2).
const RELEASES: &[(&str, &str, &str)] = &[
    ("12.1", "16B92", "ios-12.1"),
    ("12.5.7", "16H81", "ios"),
    ("15.8.2", "19H384", "ios"),
    ("16.7.8", "20H343", "ios"),
    ("17.5", "21F79", "ios"),
    ("18.1", "22B83", "ios"),
    ("26.0", "23A341", "ios"),
];

pub(super) fn make(chance: &mut Chance, local: &str) -> Made {
    let (version, build, tls) = chance.pick(RELEASES);
    let is_pad = chance.one_in(3);
    // Before 13 the iPad ran iOS.
    let is_pad_os = is_pad && !version.starts_with("12.");
    let (state, level) = match chance.below(4) {
        0 => (PowerState::Unknown, BatteryLevel::Unknown),
        1 => (PowerState::Full, BatteryLevel::Charge(BatteryLevel::FULL)),
        other => (
            if other == 2 { PowerState::Charging } else { PowerState::Unplugged },
            BatteryLevel::Charge(BatteryLevel::FULL / 100 * u64::from(chance.percent())),
        ),
    };
    let net_type = chance.pick(&[NetType::Wifi, NetType::Cellular, NetType::WiredEthernet]);
    let profile = ios::Profile {
        device_name: chance.pick(&["iPhone", "Sala de juntas 📱", "Ana \"X\" \\ Ž", "iPad"]).to_owned(),
        model: chance.pick(if is_pad { &["iPad13,1", "iPad7,5"] } else { &["iPhone15,2", "iPhone7,2"] }).to_owned(),
        system_name: if is_pad_os { SystemName::IpadOs } else { SystemName::Ios },
        system_version: version.to_owned(),
        system_build: build.to_owned(),
        app_bundle: "org.example.edgebackup".to_owned(),
        app_version: "4.7.0".to_owned(),
        app_build: chance.pick(&["1182", "1182.4.1"]).to_owned(),
        locale: chance.pick(APPLE_LOCALES).to_owned(),
        time_zone: chance.pick(ZONES).to_owned(),
        net_type,
        net_expensive: net_type == NetType::Cellular,
        net_constrained: chance.one_in(5),
        power_state: state,
        power_level: level,
        low_power: chance.one_in(5),
    };
    let mut paths = vec![format!("file:Documents/{local}/q2.pdf")];
    if chance.one_in(2) {
        paths.push(format!("photo:{}/L0/001", chance.uuid().to_uppercase()));
        paths.push("file:Library/Notes/größe 📎.txt".to_owned());
    }
    Made { id: chance.uuid().to_uppercase(), profile: Profile::Ios(profile), tls, paths }
}
