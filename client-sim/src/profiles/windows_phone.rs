//! Windows Phone 8 and 8.1.

use relay_wire::{
    Profile,
    request::windows_phone::{self, Agent, DmVersion, Network, PowerSource},
};

use super::{BCP_TAGS, Chance, Made, WINDOWS_ZONES};

const PHONES: &[(&str, &str, DmVersion, &str)] = &[
    ("NOKIA", "RM-976_1001", DmVersion::V1_3, "8.10.14219.341"),
    ("NOKIA", "Lumia 630", DmVersion::V1_3, "8.10.12397.895"),
    ("Microsoft", "Lumia 640 (LTE)", DmVersion::V1_3, "8.10.15148.160"),
    ("HTC", "Windows Phone 8S by HTC", DmVersion::V1_2, "8.0.10328.78"),
    ("SAMSUNG", "GT-I8750", DmVersion::V1_2, "8.0.9903.10"),
];

pub(super) fn make(chance: &mut Chance) -> Made {
    let (manufacturer, model, dm_version, software_version) = chance.pick(PHONES);
    let agent = chance.pick(&[Agent::Foreground, Agent::Periodic, Agent::ResourceIntensive]);
    // The resource-intensive agent runs only on external power, nearly full, and not over a mobile network.
    let is_intensive = agent == Agent::ResourceIntensive;
    let networks =
        [Network::Wireless80211, Network::Ethernet, Network::MobileBroadbandGsm, Network::MobileBroadbandCdma];
    let profile = windows_phone::Profile {
        session_id: format!("{:X}", chance.below(0x1_0000)),
        message_id: u16::try_from(chance.below(999) + 1).unwrap_or(1),
        target: chance
            .pick(&["https://edge.example.com/edge/wp8", "https://relay.example.org:8443/edge/wp8"])
            .to_owned(),
        manufacturer: manufacturer.to_owned(),
        model: model.to_owned(),
        dm_version,
        language: chance.pick(BCP_TAGS).to_owned(),
        software_version: software_version.to_owned(),
        app_version: "4.7.0.1182".to_owned(),
        name: chance.pick(&["Windows Phone", "Ana's <phone> & más 📱"]).to_owned(),
        time_zone: chance.pick(WINDOWS_ZONES).to_owned(),
        network: chance.pick(if is_intensive { &networks[..2] } else { &networks[..] }),
        power_source: if is_intensive {
            PowerSource::External
        } else {
            chance.pick(&[PowerSource::External, PowerSource::Battery])
        },
        battery_percent: if is_intensive { 90 + chance.percent() / 10 } else { chance.percent() },
        agent,
    };
    let mut paths = vec!["isostore:/Shared/Notes & lists/a.txt".to_owned()];
    if chance.one_in(2) {
        paths.push("ms-appdata:///local/Größe/b.bin".to_owned());
    }
    let id = crate::hex::encode(&chance.bytes::<20>()).to_uppercase();
    Made { id, profile: Profile::WindowsPhone(profile), tls: "wp-8.1", paths }
}
