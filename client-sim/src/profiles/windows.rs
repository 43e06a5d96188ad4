//! Windows 7 to 11: laptops, towers and kiosks.

use relay_wire::{
    Profile,
    request::windows::{self, Arch, Interface, Mains, Power, Version},
};

use super::{BCP_TAGS, Chance, Made, WINDOWS_ZONES};

/// Version, the largest fourth number of it that is drawn, and the TLS stack.
const RELEASES: &[(u16, u16, u16, u16, &str)] = &[
    (6, 1, 7601, 27_000, "windows-7"),
    (6, 3, 9600, 22_000, "windows-8.1"),
    (10, 0, 17_763, 6_000, "windows-10"),
    (10, 0, 19_045, 5_500, "windows-10"),
    (10, 0, 22_631, 4_500, "windows-11"),
    (10, 0, 26_100, 2_700, "windows-11"),
    (10, 0, 26_200, 7_000, "windows-11"),
];

pub(super) fn make(chance: &mut Chance, index: u32, local: &str) -> Made {
    let (major, minor, build, revisions, tls) = chance.pick(RELEASES);
    let revision = u16::try_from(chance.below(u32::from(revisions))).unwrap_or(0);
    let prefix = chance.pick(&["LT-", "DESKTOP-", "KIOSK~", "W_", "PC("]);
    let is_laptop = chance.one_in(2);
    let power = if is_laptop {
        let on_mains = chance.one_in(2);
        Power {
            mains: if on_mains { Mains::Online } else { Mains::Offline },
            battery_flags: if on_mains { 8 } else { 1 },
            percent: Some(chance.percent()),
            saver: !on_mains && chance.one_in(4),
        }
    } else {
        Power { mains: Mains::Online, battery_flags: 128, percent: None, saver: false }
    };
    let interface = if is_laptop {
        chance.pick(&[Interface::Wifi, Interface::Ethernet, Interface::WwanGsm, Interface::Tunnel])
    } else {
        Interface::Ethernet
    };
    let profile = windows::Profile {
        computer_name: format!("{prefix}{:04}", index % 10_000),
        os_version: Version { major, minor, build, revision },
        arch: if build >= 22_000 {
            chance.pick(&[Arch::X64, Arch::Arm64])
        } else {
            chance.pick(&[Arch::X86, Arch::X64])
        },
        app_version: Version { major: 4, minor: 7, build: chance.pick(&[0, 1]), revision: 1_182 },
        locale: chance.pick(BCP_TAGS).to_owned(),
        time_zone: chance.pick(WINDOWS_ZONES).to_owned(),
        interface,
        power,
    };
    let mut paths = vec![format!(r"C:\Users\{local}\Documents")];
    if chance.one_in(3) {
        paths.push(r"\\?\D:\src\aux.c".to_owned());
        paths.push(format!(r"\\nas01\home$\{local}\Größe 🗂"));
    }
    Made { id: chance.uuid(), profile: Profile::Windows(profile), tls, paths }
}
