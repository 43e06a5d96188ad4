//! Linux: servers, notebooks and small boards.

use relay_wire::{
    Profile,
    request::linux::{self, Arch, Link, Metered, Net, Power},
};

use super::{Chance, Made, ZONES};

/// `ID`, `VERSION_ID`, kernel.
const SYSTEMS: &[(&str, Option<&str>, &str)] = &[
    ("ubuntu", Some("24.04"), "6.8.0-31-generic"),
    ("debian", Some("12"), "6.1.0-21-amd64"),
    ("rhel", Some("9.4"), "5.14.0-427.13.1.el9_4.x86_64"),
    ("arch", None, "6.9.1-arch1-1"),
    ("alpine", Some("3.20.0"), "6.6.31-0-lts"),
    ("opensuse-leap", Some("15.6"), "6.4.0-150600.21-default"),
    ("raspbian", Some("11"), "5.15.84-v7+"),
];

pub(super) fn make(chance: &mut Chance, index: u32, local: &str) -> Made {
    let (os_id, version, kernel) = chance.pick(SYSTEMS);
    let (kind, interface, power) = match chance.below(4) {
        0 => (Link::Wifi, "wlp3s0", Power::Battery(chance.percent())),
        1 => (Link::Ethernet, "ens3", Power::Unknown),
        2 => (Link::Ethernet, "bond0.120", Power::Ac),
        _ => (chance.pick(&[Link::Wwan, Link::Tunnel]), "wwan0", Power::Ac),
    };
    let metered = [Metered::Yes, Metered::No, Metered::GuessYes, Metered::GuessNo, Metered::Unknown];
    let profile = linux::Profile {
        host_name: format!(
            "{}{:02}{}",
            chance.pick(&["web", "db", "nb-"]),
            index % 100,
            chance.pick(&["", ".example.com"])
        ),
        os_id: os_id.to_owned(),
        os_version_id: version.map(str::to_owned),
        kernel: kernel.to_owned(),
        arch: chance.pick(&[Arch::X86_64, Arch::Aarch64, Arch::Armv7l, Arch::Riscv64, Arch::Ppc64le, Arch::S390x]),
        agent: chance.pick(&["4.7.0", "4.8.0-rc.1+g3f2a9c1", "10.0.1+deb12"]).to_owned(),
        lang: chance.pick(&["en_US.UTF-8", "C.UTF-8", "POSIX", "fr_FR@euro", "de_DE.ISO-8859-15@euro"]).to_owned(),
        time_zone: chance.pick(ZONES).to_owned(),
        net: Net { interface: interface.to_owned(), kind, metered: chance.pick(&metered) },
        power,
    };
    let mut paths = vec![format!("/home/{local}")];
    if chance.one_in(3) {
        paths.push(format!("/home/{local}/100% done/Größe\n.txt"));
        paths.push("/".to_owned());
    }
    Made { id: chance.uuid().replace('-', ""), profile: Profile::Linux(profile), tls: "linux", paths }
}
