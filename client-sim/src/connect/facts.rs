//! What a device that runs on this machine can truthfully say about it.
//!
//! Only Linux tells enough in files; elsewhere, and where a fact does not fit the format, the generated one stays.

use std::fs;

use relay_wire::{
    Platform, Profile, Validator,
    ids::Nonce,
    request::{Operation, Proof, Request, linux},
    time::WallTime,
};

use crate::profiles::Persona;

/// A path for requests that fits the platform: what the services move is theirs to know, but a transfer names one.
#[must_use]
pub fn path(platform: Platform) -> String {
    let path = match platform {
        Platform::Windows => r"C:\Users",
        Platform::MacOs => "/Users",
        Platform::Linux => "/home",
        Platform::Ios => "file:Documents/Shared",
        Platform::Android => "/storage/emulated/0",
        Platform::WindowsPhone => "isostore:/Shared",
    };
    path.to_owned()
}

/// The persona with this machine's facts.
#[must_use]
pub fn of_this_machine(mut persona: Persona) -> Persona {
    let Profile::Linux(generated) = &persona.profile else { return persona };
    let mut profile = generated.clone();
    let mut try_fact = |change: &dyn Fn(&mut linux::Profile)| {
        let mut candidate = profile.clone();
        change(&mut candidate);
        if is_valid(&persona, &candidate) {
            profile = candidate;
        }
    };
    if let Some(name) = line_of("/proc/sys/kernel/hostname") {
        try_fact(&|profile| profile.host_name.clone_from(&name));
    }
    if let Some(kernel) = line_of("/proc/sys/kernel/osrelease") {
        try_fact(&|profile| profile.kernel.clone_from(&kernel));
    }
    let release = ["/etc/os-release", "/usr/lib/os-release"].into_iter().find_map(|path| fs::read_to_string(path).ok());
    let release = release.unwrap_or_default();
    if let Some(id) = value_of(&release, "ID") {
        try_fact(&|profile| {
            profile.os_id.clone_from(&id);
            profile.os_version_id = value_of(&release, "VERSION_ID");
        });
    }
    if let Some(arch) = arch() {
        try_fact(&|profile| profile.arch = arch);
    }
    try_fact(&|profile| profile.agent = env!("CARGO_PKG_VERSION").to_owned());
    try_fact(&|profile| profile.power = linux::Power::Unknown);
    persona.profile = Profile::Linux(profile);
    persona
}

fn line_of(path: &str) -> Option<String> {
    Some(fs::read_to_string(path).ok()?.trim_end().to_owned())
}

/// The value of a key of os-release(5), without its quotes.
fn value_of(release: &str, key: &str) -> Option<String> {
    let value = release.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix('='))?;
    Some(value.trim_matches(['"', '\'']).to_owned())
}

fn arch() -> Option<linux::Arch> {
    match std::env::consts::ARCH {
        "x86_64" => Some(linux::Arch::X86_64),
        "x86" => Some(linux::Arch::I686),
        "aarch64" => Some(linux::Arch::Aarch64),
        "arm" => Some(linux::Arch::Armv7l),
        "powerpc64" => Some(linux::Arch::Ppc64le),
        "s390x" => Some(linux::Arch::S390x),
        "riscv64" => Some(linux::Arch::Riscv64),
        _ => None,
    }
}

/// Whether a request with these facts passes the validator.
fn is_valid(persona: &Persona, profile: &linux::Profile) -> bool {
    let mut candidate = persona.clone();
    candidate.profile = Profile::Linux(profile.clone());
    let Some(nonce) = Nonce::new([1; 16]) else { return false };
    let content = candidate.content(Operation::Ping, WallTime::MIN, nonce, None);
    let body = Request { content, proof: Proof::Device([0; 64]) }.to_body();
    Validator::default().check(Platform::Linux, &body).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_machine_is_described_in_valid_words() {
        let persona = of_this_machine(Persona::generate(Platform::Linux, 0, 1));
        let Profile::Linux(profile) = &persona.profile else { panic!("another platform") };
        assert!(is_valid(&persona, profile));
        assert_eq!(profile.agent, env!("CARGO_PKG_VERSION"));
    }

    #[test]
    fn os_release_values_lose_their_quotes() {
        let release = "NAME=\"Debian\"\nVERSION_ID=\"12\"\nID=debian\n";
        assert_eq!(value_of(release, "VERSION_ID").as_deref(), Some("12"));
        assert_eq!(value_of(release, "ID").as_deref(), Some("debian"));
        assert_eq!(value_of(release, "VERSION"), None);
    }
}
