//! What a `relay-wire` request says, in the second validator's words.

use relay_wire::{
    Operation, Platform, Profile, Proof, Request,
    request::{TransferKind, android, ios, linux, macos, windows, windows_phone},
};

use crate::spec;

/// The platform, as the second validator has it.
#[must_use]
pub const fn platform(platform: Platform) -> spec::Platform {
    match platform {
        Platform::Windows => spec::Platform::Windows,
        Platform::MacOs => spec::Platform::MacOs,
        Platform::Linux => spec::Platform::Linux,
        Platform::Ios => spec::Platform::Ios,
        Platform::Android => spec::Platform::Android,
        Platform::WindowsPhone => spec::Platform::WindowsPhone,
    }
}

/// All that a request says. Every value is taken from its own field and spelled here, so that none is lost between two mistakes.
#[must_use]
pub fn of(request: &Request) -> spec::Meaning {
    let content = &request.content;
    let mut meaning = spec::Meaning {
        platform: Some(platform(content.device_id.platform())),
        device_id: content.device_id.text().to_owned(),
        proof: match &request.proof {
            Proof::Mass(proof) => proof.to_vec(),
            Proof::Device(proof) => proof.to_vec(),
        },
        sent_at: content.sent_at.ticks(),
        nonce: content.nonce.bytes().to_vec(),
        estimate: content.estimate,
        ..spec::Meaning::default()
    };
    meaning.operation = match &content.operation {
        Operation::Register { user } => {
            meaning.user = Some(user.clone());
            "register"
        }
        Operation::Auth => "auth",
        Operation::Ping => "ping",
        Operation::Transfer { kind, node, paths } => {
            meaning.node = Some(node.as_str().to_owned());
            meaning.paths.clone_from(paths);
            match kind {
                TransferKind::Backup => "backup",
                TransferKind::Restore => "restore",
                TransferKind::Sync => "sync",
            }
        }
    };
    meaning.facts = match &content.profile {
        Profile::Windows(profile) => windows(profile),
        Profile::MacOs(profile) => macos(profile),
        Profile::Linux(profile) => linux(profile),
        Profile::Ios(profile) => ios(profile),
        Profile::Android(profile) => android(profile),
        Profile::WindowsPhone(profile) => windows_phone(profile),
    };
    meaning
}

type Facts = Vec<(&'static str, String)>;

fn windows(profile: &windows::Profile) -> Facts {
    let windows::Version { major, minor, build, revision } = profile.app_version;
    let os = profile.os_version;
    let arch = match profile.arch {
        windows::Arch::X86 => "0",
        windows::Arch::X64 => "9",
        windows::Arch::Arm64 => "12",
    };
    let interface = match profile.interface {
        windows::Interface::Ethernet => "6",
        windows::Interface::Ppp => "23",
        windows::Interface::Wifi => "71",
        windows::Interface::Tunnel => "131",
        windows::Interface::WwanGsm => "243",
        windows::Interface::WwanCdma => "244",
    };
    let power = &profile.power;
    let mains = match power.mains {
        windows::Mains::Offline => 0,
        windows::Mains::Online => 1,
        windows::Mains::Unknown => 255,
    };
    let percent = power.percent.unwrap_or(255);
    vec![
        ("computerName", profile.computer_name.clone()),
        ("osVersion", format!("{}.{}.{}.{}", os.major, os.minor, os.build, os.revision)),
        ("arch", arch.to_owned()),
        ("appVersion", format!("{major}.{minor}.{build}.{revision}")),
        ("locale", profile.locale.clone()),
        ("timeZone", profile.time_zone.clone()),
        ("ifType", interface.to_owned()),
        ("power", format!("{mains} {} {percent} {}", power.battery_flags, u8::from(power.saver))),
    ]
}

fn macos(profile: &macos::Profile) -> Facts {
    let interface = match profile.network_interface {
        macos::NetworkInterface::Wifi => "wifi",
        macos::NetworkInterface::WiredEthernet => "wiredEthernet",
        macos::NetworkInterface::Cellular => "cellular",
        macos::NetworkInterface::Other => "other",
    };
    let mut facts = vec![("AppBuild", profile.app_build.clone()), ("AppVersion", profile.app_version.clone())];
    facts.extend(profile.battery_percent.map(|percent| ("BatteryPercent", percent.to_string())));
    facts.extend([
        ("BuildVersion", profile.build_version.clone()),
        ("ComputerName", profile.computer_name.clone()),
        ("HardwareModel", profile.hardware_model.clone()),
        ("LocalHostName", profile.local_host_name.clone()),
        ("Locale", profile.locale.clone()),
        ("NetworkInterface", interface.to_owned()),
        ("OSVersion", profile.os_version.clone()),
        ("OnBattery", profile.on_battery.to_string()),
        ("TimeZone", profile.time_zone.clone()),
    ]);
    facts
}

fn linux(profile: &linux::Profile) -> Facts {
    let arch = match profile.arch {
        linux::Arch::X86_64 => "x86_64",
        linux::Arch::I686 => "i686",
        linux::Arch::Aarch64 => "aarch64",
        linux::Arch::Armv7l => "armv7l",
        linux::Arch::Ppc64le => "ppc64le",
        linux::Arch::S390x => "s390x",
        linux::Arch::Riscv64 => "riscv64",
    };
    let link = match profile.net.kind {
        linux::Link::Ethernet => "ethernet",
        linux::Link::Wifi => "wifi",
        linux::Link::Wwan => "wwan",
        linux::Link::Tunnel => "tunnel",
    };
    let metered = match profile.net.metered {
        linux::Metered::Yes => "yes",
        linux::Metered::No => "no",
        linux::Metered::GuessYes => "guess-yes",
        linux::Metered::GuessNo => "guess-no",
        linux::Metered::Unknown => "unknown",
    };
    let power = match profile.power {
        linux::Power::Ac => "ac".to_owned(),
        linux::Power::Unknown => "unknown".to_owned(),
        linux::Power::Battery(percent) => format!("battery:{percent}"),
    };
    let mut facts = vec![("HOSTNAME", profile.host_name.clone()), ("OS_ID", profile.os_id.clone())];
    facts.extend(profile.os_version_id.clone().map(|version| ("OS_VERSION_ID", version)));
    facts.extend([
        ("KERNEL", profile.kernel.clone()),
        ("ARCH", arch.to_owned()),
        ("AGENT", profile.agent.clone()),
        ("LANG", profile.lang.clone()),
        ("TZ", profile.time_zone.clone()),
        ("NET", format!("{}:{link}:{metered}", profile.net.interface)),
        ("POWER", power),
    ]);
    facts
}

fn ios(profile: &ios::Profile) -> Facts {
    let system = match profile.system_name {
        ios::SystemName::Ios => "iOS",
        ios::SystemName::IpadOs => "iPadOS",
    };
    let net = match profile.net_type {
        ios::NetType::Wifi => "wifi",
        ios::NetType::Cellular => "cellular",
        ios::NetType::WiredEthernet => "wiredEthernet",
    };
    let state = match profile.power_state {
        ios::PowerState::Unknown => "unknown",
        ios::PowerState::Unplugged => "unplugged",
        ios::PowerState::Charging => "charging",
        ios::PowerState::Full => "full",
    };
    let level = match profile.power_level {
        ios::BatteryLevel::Unknown => "-1".to_owned(),
        ios::BatteryLevel::Charge(units) => units.to_string(),
    };
    vec![
        ("deviceName", profile.device_name.clone()),
        ("model", profile.model.clone()),
        ("system.name", system.to_owned()),
        ("system.version", profile.system_version.clone()),
        ("system.build", profile.system_build.clone()),
        ("app.bundle", profile.app_bundle.clone()),
        ("app.version", profile.app_version.clone()),
        ("app.build", profile.app_build.clone()),
        ("locale", profile.locale.clone()),
        ("timeZone", profile.time_zone.clone()),
        ("net.type", net.to_owned()),
        ("net.expensive", profile.net_expensive.to_string()),
        ("net.constrained", profile.net_constrained.to_string()),
        ("power.state", state.to_owned()),
        ("power.level", level),
        ("power.lowPower", profile.low_power.to_string()),
    ]
}

fn android(profile: &android::Profile) -> Facts {
    let net = match profile.net {
        android::Net::Wifi => "wifi",
        android::Net::Cellular => "cellular",
        android::Net::Ethernet => "ethernet",
        android::Net::Vpn => "vpn",
    };
    let mut facts = vec![
        ("manufacturer", profile.manufacturer.clone()),
        ("model", profile.model.clone()),
        ("device", profile.device.clone()),
        ("release", profile.release.clone()),
        ("sdk", profile.sdk.to_string()),
    ];
    facts.extend(profile.patch.clone().map(|patch| ("patch", patch)));
    facts.extend([
        ("build", profile.build.clone()),
        ("app_id", profile.app_id.clone()),
        ("app_version", profile.app_version.clone()),
        ("app_code", profile.app_code.to_string()),
        ("lang", profile.lang.clone()),
        ("tz", profile.time_zone.clone()),
        ("net", net.to_owned()),
        ("metered", u8::from(profile.metered).to_string()),
        ("charging", u8::from(profile.charging).to_string()),
        ("battery", profile.battery.to_string()),
    ]);
    facts
}

fn windows_phone(profile: &windows_phone::Profile) -> Facts {
    let dm_version = match profile.dm_version {
        windows_phone::DmVersion::V1_2 => "1.2",
        windows_phone::DmVersion::V1_3 => "1.3",
    };
    let network = match profile.network {
        windows_phone::Network::Wireless80211 => "Wireless80211",
        windows_phone::Network::Ethernet => "Ethernet",
        windows_phone::Network::MobileBroadbandGsm => "MobileBroadbandGsm",
        windows_phone::Network::MobileBroadbandCdma => "MobileBroadbandCdma",
    };
    let source = match profile.power_source {
        windows_phone::PowerSource::External => "External",
        windows_phone::PowerSource::Battery => "Battery",
    };
    let agent = match profile.agent {
        windows_phone::Agent::Foreground => "Foreground",
        windows_phone::Agent::Periodic => "Periodic",
        windows_phone::Agent::ResourceIntensive => "ResourceIntensive",
    };
    vec![
        ("SessionID", profile.session_id.clone()),
        ("MsgID", profile.message_id.to_string()),
        ("Target", profile.target.clone()),
        ("./DevInfo/Man", profile.manufacturer.clone()),
        ("./DevInfo/Mod", profile.model.clone()),
        ("./DevInfo/DmV", dm_version.to_owned()),
        ("./DevInfo/Lang", profile.language.clone()),
        ("./DevDetail/SwV", profile.software_version.clone()),
        ("./Edge/App", profile.app_version.clone()),
        ("./Edge/Name", profile.name.clone()),
        ("./Edge/Tz", profile.time_zone.clone()),
        ("./Edge/Net", network.to_owned()),
        ("./Edge/Power", format!("{source}:{}", profile.battery_percent)),
        ("./Edge/Agent", agent.to_owned()),
    ]
}
