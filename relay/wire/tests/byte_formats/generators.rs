//! Valid requests, drawn from the grammars as FORMATS writes them.

use proptest::{collection::vec, option, prelude::*, sample::select};
use relay_wire::{
    Content, Operation, Platform, Profile, Proof, Request,
    ids::{BackendName, DeviceId, Nonce},
    request::{TransferKind, android, linux, windows},
    time::WallTime,
};

const USER: &str =
    "[A-Za-z0-9._%+'-]{1,20}@[A-Za-z0-9]([A-Za-z0-9-]{0,5}[A-Za-z0-9])?(\\.[A-Za-z0-9]){0,3}\\.[A-Za-z]{2,9}";
const IANA: &str = "[A-Za-z][A-Za-z0-9_+-]{2,15}(/[A-Za-z0-9_+-]{1,15}){0,2}";
const NODE: &str = "[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?";
/// TIME, in seconds.
const SENT: std::ops::Range<u64> = 1_325_376_000..4_102_444_800;

/// Any request of the three platforms.
pub fn request() -> impl Strategy<Value = Request> {
    prop_oneof![windows(), linux(), android()]
}

/// `unit`: ticks in the smallest part of time that the platform's format carries.
fn join(
    platform: Platform,
    id: impl Strategy<Value = String>,
    path: impl Strategy<Value = Vec<u8>>,
    unit: u64,
    profile: impl Strategy<Value = Profile>,
) -> impl Strategy<Value = Request> {
    let sent_at = (SENT, 0..WallTime::TICKS_PER_SECOND)
        .prop_map(move |(s, part)| WallTime::from_ticks(s * WallTime::TICKS_PER_SECOND + part / unit * unit));
    let nonce = any::<[u8; 16]>().prop_filter_map("all zero", Nonce::new);
    let estimate = option::of(0..=relay_wire::request::ESTIMATE_MAX);
    (id, operation(platform, path), sent_at, nonce, estimate, profile).prop_map(
        move |(id, (operation, proof), sent_at, nonce, estimate, profile)| {
            let device_id = DeviceId::new(platform, id);
            Request { content: Content { device_id, operation, sent_at, nonce, estimate, profile }, proof }
        },
    )
}

fn operation(platform: Platform, path: impl Strategy<Value = Vec<u8>>) -> impl Strategy<Value = (Operation, Proof)> {
    let mass = any::<[u8; 32]>().prop_map(Proof::Mass);
    let device = || vec(any::<u8>(), 64).prop_map(|bytes| Proof::Device(bytes.try_into().expect("64 bytes")));
    let kind = select(vec![TransferKind::Backup, TransferKind::Restore, TransferKind::Sync]);
    let paths = vec(path, 1..=platform.paths_max().min(6));
    let transfer = (kind, NODE, paths).prop_map(|(kind, node, paths)| Operation::Transfer {
        kind,
        node: BackendName::new(&node).expect("NODE"),
        paths,
    });
    prop_oneof![
        (USER.prop_map(|user| Operation::Register { user }), mass),
        (prop_oneof![Just(Operation::Auth), Just(Operation::Ping)], device()),
        (transfer, device()),
    ]
}

fn bytes(text: &'static str) -> impl Strategy<Value = Vec<u8>> {
    text.prop_map(String::into_bytes)
}

/// A request from Windows.
pub fn windows() -> impl Strategy<Value = Request> {
    let id = "[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{11}7";
    // Units beyond ASCII and pairs of them; names that Win32 reserves cannot be drawn.
    let component = "[A-Za-z0-9 _$ß日😀]{0,9}[b-z_ß日😀]x";
    let path = (select(vec![r"C:\", r"\\srv-1\share\", r"\\?\D:\", r"\\?\UNC\s\h$\"]), vec(component, 0..4))
        .prop_map(|(root, components)| format!("{root}{}", components.join("\\")).into_bytes());
    join(Platform::Windows, id, path, 1, windows_profile())
}

fn windows_profile() -> impl Strategy<Value = Profile> {
    let version = |major: u16| {
        any::<[u16; 4]>().prop_map(move |[first, minor, build, revision]| windows::Version {
            major: first.max(major),
            minor,
            build,
            revision,
        })
    };
    let os_version =
        (select(vec![(6, 1, 7601), (6, 2, 9200), (6, 3, 9600), (10, 0, 10240), (10, 0, 65535)]), any::<u16>())
            .prop_map(|((major, minor, build), revision)| windows::Version { major, minor, build, revision });
    let power = (
        select(windows::Mains::ALL.to_vec()),
        prop_oneof![Just(255), (0..16_u8, any::<bool>()).prop_map(|(low, high)| low | u8::from(high) << 7)],
        option::of(0..=100_u8),
        any::<bool>(),
    )
        .prop_map(|(mains, battery_flags, percent, saver)| windows::Power { mains, battery_flags, percent, saver });
    (
        "[A-Z0-9!@#$%^&')(._{}~-]{0,14}[A-Z~]".prop_map(|name| name.trim_start_matches('.').to_owned()),
        os_version,
        select(windows::Arch::ALL.to_vec()),
        version(1),
        "[a-z]{2,3}(-[A-Z][a-z]{3})?-([A-Z]{2}|[0-9]{3})",
        "[A-Z][A-Za-z0-9.()+-]{2,9}( [A-Za-z0-9.()+-]{1,9}){0,4}",
        select(windows::Interface::ALL.to_vec()),
        power,
    )
        .prop_map(|(computer_name, os_version, arch, app_version, locale, time_zone, interface, power)| {
            let profile =
                windows::Profile { computer_name, os_version, arch, app_version, locale, time_zone, interface, power };
            Profile::Windows(profile)
        })
}

/// A request from Linux.
pub fn linux() -> impl Strategy<Value = Request> {
    let component = vec(any::<u8>().prop_map(|byte| if matches!(byte, 0 | b'/') { b'x' } else { byte }), 3..30);
    let path = vec(component, 0..5).prop_map(|components| {
        let joined: Vec<u8> = components.iter().flat_map(|part| [b"/", &part[..]].concat()).collect();
        if joined.is_empty() { b"/".to_vec() } else { joined }
    });
    join(
        Platform::Linux,
        "[0-9a-f]{12}4[0-9a-f]{3}[89ab][0-9a-f]{15}",
        path,
        WallTime::TICKS_PER_SECOND,
        linux_profile(),
    )
}

fn linux_profile() -> impl Strategy<Value = Profile> {
    let net = ("[!-.0-9;-~]{1,15}", select(linux::Link::ALL), select(linux::Metered::ALL))
        .prop_map(|(interface, kind, metered)| linux::Net { interface, kind, metered });
    let power =
        prop_oneof![Just(linux::Power::Ac), Just(linux::Power::Unknown), (0..=100_u8).prop_map(linux::Power::Battery)];
    let number = "(0|[1-9][0-9]{0,4})";
    let agent = format!("{number}\\.{number}\\.{number}(-[a-z][0-9A-Za-z-]{{0,9}}(\\.0)?)?(\\+[0-9a-z]{{1,9}})?");
    (
        "[A-Za-z0-9]([A-Za-z0-9-]{0,20}[A-Za-z0-9])?(\\.[a-z]{1,9}){0,3}",
        "[a-z0-9._-]{1,32}",
        option::of("[a-z0-9._-]{1,32}"),
        "[2-9](\\.[0-9]{1,3}){1,3}([+~_-][A-Za-z0-9.+~_-]{0,40})?",
        select(linux::Arch::ALL),
        proptest::string::string_regex(&agent).expect("a regular expression"),
        "(C|POSIX|C\\.UTF-8|C\\.utf8|[a-z]{2,3}_[A-Z]{2}(\\.[A-Za-z0-9-]{1,16})?(@[a-z]{1,16})?)",
        IANA,
        net,
        power,
    )
        .prop_map(|(host_name, os_id, os_version_id, kernel, arch, agent, lang, time_zone, net, power)| {
            let profile =
                linux::Profile { host_name, os_id, os_version_id, kernel, arch, agent, lang, time_zone, net, power };
            Profile::Linux(profile)
        })
}

/// A request from Android.
pub fn android() -> impl Strategy<Value = Request> {
    let path = prop_oneof![
        bytes(
            "content://media/(external|external_primary|[0-9a-f]{4}-[0-9a-f]{4})/(images|file)(/media)?/[1-9][0-9]{0,18}"
        ),
        bytes(
            "content://com\\.android\\.externalstorage\\.documents/tree/(primary|[0-9A-F]{4}-[0-9A-F]{4})%3A([b-z~]{1,9}(%2F(%C3%A9|%20){1,4}){0,2})?"
        ),
        bytes("/storage/(emulated/(0|[1-9][0-9]{0,2})|[0-9A-F]{4}-[0-9A-F]{4})(/[b-zB-Z +%&=~é日😀]{1,20}){0,4}"),
    ];
    let id = "([1-9a-f][0-9a-f]{0,14}|0[0-9a-f]{14}1)";
    join(Platform::Android, id, path, WallTime::TICKS_PER_SECOND / 1_000, android_profile())
}

fn android_profile() -> impl Strategy<Value = Profile> {
    let release = prop_oneof![
        select(vec![("5.0.2", 21), ("5.1", 22)]).prop_map(|pair| (pair, None)),
        (
            select(vec![("6.0", 23), ("7.1.2", 25), ("9", 28), ("12", 32), ("16", 36), ("17.1", 50)]),
            "20[2-9][0-9]-(0[1-9]|1[0-2])-(0[1-9]|1[0-9]|2[0-8])"
        )
            .prop_map(|(pair, patch)| (pair, Some(patch))),
    ];
    let hardware = || "[ -~]{0,62}[!-~]";
    let device = (hardware(), hardware(), hardware(), release, "[A-Za-z0-9._-]{3,32}");
    let app = (
        "[A-Za-z][A-Za-z0-9_]{0,20}(\\.[A-Za-z][A-Za-z0-9_]{0,20}){1,4}",
        "[0-9A-Za-z][0-9A-Za-z._+-]{0,31}",
        1..=2_100_000_000_u32,
    );
    let place = ("[a-z]{2,3}(-[A-Z][a-z]{3})?(-([A-Z]{2}|[0-9]{3}))?", IANA);
    (device, app, place, (select(android::Net::ALL), any::<bool>(), any::<bool>(), 0..=100_u8)).prop_map(
        |(device, (app_id, app_version, app_code), (lang, time_zone), (net, metered, charging, battery))| {
            let (manufacturer, model, device, ((release, sdk), patch), build) = device;
            let profile = android::Profile {
                manufacturer,
                model,
                device,
                release: release.to_owned(),
                sdk,
                patch,
                build,
                app_id,
                app_version,
                app_code,
                lang,
                time_zone,
                net,
                metered,
                charging,
                battery,
            };
            Profile::Android(profile)
        },
    )
}
