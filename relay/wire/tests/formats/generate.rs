//! Requests that the validator accepts, drawn at random: macOS, iOS and Windows Phone.

use proptest::{collection::vec, option, prelude::*, sample::select};
use relay_wire::{
    Content, Operation, Platform, Profile, Proof, Request,
    ids::{BackendName, DeviceId, Nonce},
    request::{ESTIMATE_MAX, TransferKind, ios, macos, windows_phone},
    time::WallTime,
};

/// A request of any of the three platforms.
pub fn requests() -> impl Strategy<Value = Request> {
    prop_oneof![macos_requests(), ios_requests(), windows_phone_requests()]
}

fn uuid(version_4: bool) -> impl Strategy<Value = String> {
    if version_4 {
        "[0-9A-F]{8}-[0-9A-F]{4}-4[0-9A-F]{3}-[89AB][0-9A-F]{3}-[0-9A-F]{12}".boxed()
    } else {
        "[1-9A-F][0-9A-F]{7}(-[0-9A-F]{4}){3}-[0-9A-F]{12}".boxed()
    }
}

/// Text that a user may have typed: no C0, DEL or what XML cannot carry, no white space at the ends.
fn free_text(max: usize) -> impl Strategy<Value = String> {
    let wanted = |c: &char| !matches!(c, '\0'..='\x1F' | '\x7F' | '\u{FFFE}' | '\u{FFFF}');
    let character =
        prop_oneof![select(vec!['&', '<', '>', '"', '\'', ']', '\\', '/', ' ', 'é', '\u{301}', '📱']), any::<char>()];
    vec(character.prop_filter("a character that every format carries", wanted), 1..=max)
        .prop_map(|characters| characters.into_iter().collect::<String>().trim().to_owned())
        .prop_filter("not empty", |text| !text.is_empty())
}

fn user() -> impl Strategy<Value = String> {
    "[A-Za-z0-9._%+'-]{1,20}@[a-z0-9]([a-z0-9-]{0,5}[a-z0-9])?(\\.[a-z0-9]{1,5}){0,2}\\.[a-z]{2,6}"
}

/// An operation with its proof. `path` draws a path of the platform.
fn asked(path: BoxedStrategy<String>, paths_max: usize) -> impl Strategy<Value = (Operation, Proof)> {
    let device = (any::<[u8; 32]>(), any::<[u8; 32]>()).prop_map(|(r, s)| {
        let mut proof = [0; 64];
        proof[..32].copy_from_slice(&r);
        proof[32..].copy_from_slice(&s);
        Proof::Device(proof)
    });
    let node = "[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?".prop_map(|name| BackendName::new(&name).expect("a label"));
    let kind = select(vec![TransferKind::Backup, TransferKind::Restore, TransferKind::Sync]);
    let paths = vec(path.prop_map(String::into_bytes), 1..=paths_max);
    let transfer = (kind, node, paths).prop_map(|(kind, node, paths)| Operation::Transfer { kind, node, paths });
    prop_oneof![
        (user(), any::<[u8; 32]>()).prop_map(|(user, proof)| (Operation::Register { user }, Proof::Mass(proof))),
        (prop_oneof![Just(Operation::Auth), Just(Operation::Ping), transfer], device),
    ]
}

/// A request of `profile`, at a time in whole multiples of `unit` ticks.
fn request(
    platform: Platform,
    id: BoxedStrategy<String>,
    profile: BoxedStrategy<Profile>,
    path: BoxedStrategy<String>,
    unit: u64,
) -> BoxedStrategy<Request> {
    let time =
        (WallTime::MIN.ticks()..WallTime::END.ticks()).prop_map(move |ticks| WallTime::from_ticks(ticks / unit * unit));
    let nonce = any::<[u8; 16]>().prop_filter_map("not all zero", Nonce::new);
    let estimate = option::of(0..=ESTIMATE_MAX);
    (id, asked(path, platform.paths_max()), time, nonce, estimate, profile)
        .prop_map(move |(id, (operation, proof), sent_at, nonce, estimate, profile)| Request {
            content: Content { device_id: DeviceId::new(platform, id), operation, sent_at, nonce, estimate, profile },
            proof,
        })
        .boxed()
}

fn app_version() -> impl Strategy<Value = String> {
    "[1-9][0-9]{0,3}\\.(0|[1-9][0-9]{0,2})\\.(0|[1-9][0-9]{0,2})"
}

fn apple_locale() -> impl Strategy<Value = String> {
    "[a-z]{2,3}(-[A-Z][a-z]{3})?_([A-Z]{2}|[0-9]{3})(@[a-z]{1,8}=[A-Za-z0-9]{1,8}(;[a-z]{1,8}=[A-Za-z0-9]{1,8})?)?"
}

fn iana() -> impl Strategy<Value = String> {
    "[A-Za-z][A-Za-z0-9_+-]{2,10}(/[A-Za-z0-9_+-]{1,10}){0,2}"
}

fn build(train: u8) -> impl Strategy<Value = String> {
    "[A-Z][1-9][0-9]{0,4}[a-z]?".prop_map(move |rest| format!("{train}{rest}"))
}

fn components(component: &'static str) -> impl Strategy<Value = String> {
    vec(component, 1..6)
        .prop_filter("no dots", |parts| parts.iter().all(|part| part != "." && part != ".."))
        .prop_map(|parts| parts.join("/"))
}

fn macos_system() -> impl Strategy<Value = (String, String)> {
    let old = (13_u8..=15, option::of(1_u8..=9)).prop_flat_map(|(minor, patch)| {
        let version = format!("10.{minor}{}", patch.map_or_else(String::new, |patch| format!(".{patch}")));
        (Just(version), build(minor + 4))
    });
    let new =
        (select(vec![11_u8, 12, 13, 14, 15, 26, 27, 28, 29]), vec(0_u8..=99, 0..=2)).prop_flat_map(|(major, rest)| {
            let version = rest.iter().fold(major.to_string(), |version, number| format!("{version}.{number}"));
            (Just(version), build(if major < 26 { major + 9 } else { major - 1 }))
        });
    prop_oneof![old, new]
}

fn macos_requests() -> BoxedStrategy<Request> {
    let families = "(Mac|MacBook|MacBookPro|MacBookAir|iMac|iMacPro|Macmini|MacPro|VirtualMac)[1-9][0-9]?,[1-9][0-9]?";
    let profile = (
        ("[1-9][0-9]{0,3}(\\.[0-9]{1,3}){0,2}", app_version(), option::of(0_u8..=100), any::<bool>()),
        (macos_system(), free_text(63), families, "[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?"),
        (apple_locale(), select(macos::NetworkInterface::ALL), iana()),
    );
    let profile = profile.prop_map(|(app, machine, place)| {
        let (app_build, app_version, percent, on_battery) = app;
        let ((os_version, build_version), computer_name, hardware_model, local_host_name) = machine;
        let (locale, network_interface, time_zone) = place;
        Profile::MacOs(macos::Profile {
            app_build,
            app_version,
            battery_percent: percent.or(on_battery.then_some(50)),
            build_version,
            computer_name,
            hardware_model,
            local_host_name,
            locale,
            network_interface,
            os_version,
            on_battery,
            time_zone,
        })
    });
    let path = prop_oneof![
        Just("/".to_owned()),
        components("[A-Za-z0-9 .:é\u{301}&<>*-]{1,20}").prop_map(|path| format!("/{path}"))
    ];
    request(Platform::MacOs, uuid(false).boxed(), profile.boxed(), path.boxed(), 10_000_000)
}

fn ios_system() -> impl Strategy<Value = (String, ios::SystemName, String, String)> {
    let majors = (9_u8..=18).chain(26..=29).collect::<Vec<_>>();
    let family = select(vec!["iPhone", "iPad", "iPod"]);
    (family, "[1-9][0-9]?,[1-9][0-9]?", select(majors), vec(0_u8..=99, 0..=2), any::<bool>()).prop_flat_map(
        |(family, numbers, major, rest, wants_ipados)| {
            let version = rest.iter().fold(major.to_string(), |version, number| format!("{version}.{number}"));
            let is_ipados = wants_ipados && family == "iPad" && major >= 13;
            let name = if is_ipados { ios::SystemName::IpadOs } else { ios::SystemName::Ios };
            (
                Just(format!("{family}{numbers}")),
                Just(name),
                Just(version),
                build(if major < 26 { major + 4 } else { major - 3 }),
            )
        },
    )
}

fn ios_requests() -> BoxedStrategy<Request> {
    let level = prop_oneof![
        Just(ios::BatteryLevel::Unknown),
        (0..=ios::BatteryLevel::FULL).prop_map(ios::BatteryLevel::Charge),
        (0..=100_u64).prop_map(|percent| ios::BatteryLevel::Charge(percent * (ios::BatteryLevel::FULL / 100))),
    ];
    let bundle = "[A-Za-z][A-Za-z0-9-]{0,10}(\\.[A-Za-z0-9-]{1,10}){1,3}";
    let profile = (
        (free_text(64), ios_system(), bundle, app_version(), "[1-9][0-9]{0,8}(\\.[0-9]{1,3}){0,2}"),
        (apple_locale(), iana(), select(ios::NetType::ALL), any::<bool>(), any::<bool>()),
        (select(ios::PowerState::ALL), level, any::<bool>()),
    );
    let profile = profile.prop_map(|(device, place, power)| {
        let (device_name, (model, system_name, system_version, system_build), app_bundle, app_version, app_build) =
            device;
        let (locale, time_zone, net_type, net_expensive, net_constrained) = place;
        let (power_state, power_level, low_power) = power;
        Profile::Ios(ios::Profile {
            device_name,
            model,
            system_name,
            system_version,
            system_build,
            app_bundle,
            app_version,
            app_build,
            locale,
            time_zone,
            net_type,
            net_expensive,
            net_constrained,
            power_state,
            power_level,
            low_power,
        })
    });
    let file = components("[A-Za-z0-9 .:é\"\\\\*-]{1,20}").prop_map(|path| format!("file:Documents/{path}"));
    let photo = (uuid(false), "[0-9]{3}").prop_map(|(uuid, number)| format!("photo:{uuid}/L0/{number}"));
    let path = prop_oneof![file, photo];
    request(Platform::Ios, uuid(true).boxed(), profile.boxed(), path.boxed(), 10_000)
}

fn windows_phone_requests() -> BoxedStrategy<Request> {
    let versions = "8\\.0\\.(9[0-9]{3}|10[0-9]{3})\\.[0-9]{1,4}|8\\.10\\.1[2-5][0-9]{3}\\.[0-9]{1,4}";
    let target = "https://[a-z0-9]{1,20}(\\.[a-z0-9]{1,10}){1,3}(:[1-9][0-9]{0,3})?/edge/wp8";
    let profile = (
        ("[0-9A-F]{1,4}", 1_u16..=999, target, "[A-Za-z0-9 ._&+-]{1,64}", "[A-Za-z0-9 ._+()/-]{1,64}"),
        (
            select(windows_phone::DmVersion::ALL),
            "[a-z]{2}-[A-Z][a-z]{3}-[A-Z]{2}|[a-z]{2,3}-([A-Z]{2}|[0-9]{3})",
            versions,
        ),
        (
            "[1-9][0-9]{0,3}(\\.(0|[1-9][0-9]{0,3})){3}",
            free_text(64),
            "[A-Z][A-Za-z0-9.()+-]{2,10}( [A-Za-z0-9.()+-]{1,10}){0,3}",
        ),
        (
            select(windows_phone::Network::ALL),
            select(windows_phone::PowerSource::ALL),
            0_u8..=100,
            select(windows_phone::Agent::ALL),
        ),
    );
    let profile = profile.prop_map(|(header, device, app, state)| {
        let (session_id, message_id, target, manufacturer, model) = header;
        let (dm_version, language, software_version) = device;
        let (app_version, name, time_zone) = app;
        let (network, power_source, battery_percent, agent) = state;
        let is_ready = power_source == windows_phone::PowerSource::External
            && battery_percent >= 90
            && matches!(network, windows_phone::Network::Wireless80211 | windows_phone::Network::Ethernet);
        let agent = if is_ready { agent } else { windows_phone::Agent::Periodic };
        Profile::WindowsPhone(windows_phone::Profile {
            session_id,
            message_id,
            target,
            manufacturer,
            model,
            dm_version,
            language,
            software_version,
            app_version,
            name,
            time_zone,
            network,
            power_source,
            battery_percent,
            agent,
        })
    });
    let root = select(vec!["isostore:/", "ms-appdata:///local/"]);
    // Names that begin with an underscore are no devices.
    let path = (root, components("_[A-Za-z0-9 .&é-]{0,15}[a-z]")).prop_map(|(root, path)| format!("{root}{path}"));
    request(Platform::WindowsPhone, "[1-9A-F][0-9A-F]{39}".boxed(), profile.boxed(), path.boxed(), 1)
}
