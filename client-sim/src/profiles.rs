//! Simulated devices: from a platform, a number and a seed comes a whole device, always the same one.
//!
//! The facts vary as real fleets do (releases old and new, laptops on battery, phones abroad), within what the formats allow:
//! a test holds every platform to that for a thousand seeds.

use rand_chacha::ChaCha8Rng;
use rand_core::{RngCore, SeedableRng};
use relay_trust::TlsProfile;
use relay_wire::{
    Platform, Profile,
    ids::{DeviceId, Nonce},
    request::{Content, Operation},
    time::WallTime,
};

mod android;
mod ios;
mod linux;
mod macos;
mod windows;
mod windows_phone;

/// One simulated device.
#[derive(Clone, Debug)]
pub struct Persona {
    /// Its identity.
    pub id: DeviceId,
    /// Whose device it is.
    pub user: String,
    /// The facts it states about itself.
    pub profile: Profile,
    /// How its TLS stack speaks.
    pub tls: &'static TlsProfile,
    /// What it backs up, in the platform's own syntax.
    paths: Vec<String>,
}

/// What a platform's generator makes.
struct Made {
    id: String,
    profile: Profile,
    tls: &'static str,
    paths: Vec<String>,
}

impl Persona {
    /// The device number `index` of `platform` under `seed`.
    #[must_use]
    pub fn generate(platform: Platform, index: u32, seed: u64) -> Self {
        let mut key = [0; 32];
        key[..8].copy_from_slice(&seed.to_be_bytes());
        key[8] = platform.number();
        key[9..13].copy_from_slice(&index.to_be_bytes());
        let mut chance = Chance(ChaCha8Rng::from_seed(key));
        let local = format!("{}.{}", chance.pick(GIVEN_NAMES), chance.pick(FAMILY_NAMES));
        let user = format!("{local}{index}@{}", chance.pick(DOMAINS));
        let made = match platform {
            Platform::Windows => windows::make(&mut chance, index, &local),
            Platform::MacOs => macos::make(&mut chance, &local),
            Platform::Linux => linux::make(&mut chance, index, &local),
            Platform::Ios => ios::make(&mut chance, &local),
            Platform::Android => android::make(&mut chance),
            Platform::WindowsPhone => windows_phone::make(&mut chance),
        };
        let tls = TlsProfile::by_name(made.tls).or_else(|| TlsProfile::default_for(platform.as_str()));
        Self {
            id: DeviceId::new(platform, made.id),
            user,
            profile: made.profile,
            // Every platform has a default; the first profile of the table only quiets the type.
            tls: tls.unwrap_or(&TlsProfile::ALL[0]),
            paths: made.paths,
        }
    }

    /// The platform.
    #[must_use]
    pub const fn platform(&self) -> Platform {
        self.profile.platform()
    }

    /// What the device backs up.
    #[must_use]
    pub fn paths(&self) -> Vec<Vec<u8>> {
        self.paths.iter().map(|path| path.clone().into_bytes()).collect()
    }

    /// Gives the device other paths, unchecked, in its platform's own syntax.
    pub fn set_paths(&mut self, paths: Vec<String>) {
        self.paths = paths;
    }

    /// `time` cut to what the platform's format can carry, so that both ends prove over the same value.
    #[must_use]
    pub const fn sent_at(&self, time: WallTime) -> WallTime {
        let unit = match self.platform() {
            Platform::Windows | Platform::WindowsPhone => 1,
            Platform::Ios | Platform::Android => WallTime::TICKS_PER_SECOND / 1_000,
            Platform::MacOs | Platform::Linux => WallTime::TICKS_PER_SECOND,
        };
        WallTime::from_ticks(time.ticks() / unit * unit)
    }

    /// The content of a request of this device.
    #[must_use]
    pub fn content(&self, operation: Operation, sent_at: WallTime, nonce: Nonce, estimate: Option<u64>) -> Content {
        Content { device_id: self.id.clone(), operation, sent_at, nonce, estimate, profile: self.profile.clone() }
    }
}

const GIVEN_NAMES: &[&str] =
    &["ana", "bilal", "chen", "dagny", "emeka", "fatma", "goran", "hana", "ivo", "jun", "kira", "liam", "mei", "noor"];
const FAMILY_NAMES: &[&str] =
    &["abe", "berg", "costa", "diaz", "eze", "fox", "garcia", "horvat", "ito", "jansen", "khan", "lopez", "muller"];
const DOMAINS: &[&str] = &["example.com", "example.org", "fleet.example.net", "eu.example.co.uk"];
const ZONES: &[&str] = &[
    "Europe/Madrid",
    "Europe/Berlin",
    "America/New_York",
    "America/Argentina/Buenos_Aires",
    "Asia/Shanghai",
    "Asia/Kolkata",
    "Etc/UTC",
    "Australia/Lord_Howe",
    "Etc/GMT+5",
];
const WINDOWS_ZONES: &[&str] = &[
    "W. Europe Standard Time",
    "Eastern Standard Time",
    "UTC-11",
    "UTC",
    "China Standard Time",
    "India Standard Time",
    "Central America Standard Time",
];
const APPLE_LOCALES: &[&str] =
    &["es_ES", "en_GB", "en_US", "zh-Hans_CN", "de_DE", "pt_BR", "sr-Latn_RS", "en_US@calendar=gregorian"];
const BCP_TAGS: &[&str] = &["de-DE", "en-US", "en-GB", "pt-BR", "zh-CN", "es-419", "sr-RS", "fr-CA"];

/// Seeded chance with the few draws that the generators need.
struct Chance(ChaCha8Rng);

impl Chance {
    fn below(&mut self, bound: u32) -> u32 {
        self.0.next_u32() % bound.max(1)
    }

    fn one_in(&mut self, many: u32) -> bool {
        self.below(many) == 0
    }

    /// A number of `0..=100`.
    fn percent(&mut self) -> u8 {
        u8::try_from(self.below(101)).unwrap_or(100)
    }

    fn pick<T: Copy>(&mut self, choices: &[T]) -> T {
        let place = self.below(u32::try_from(choices.len()).unwrap_or(1));
        choices[usize::try_from(place).unwrap_or(0)]
    }

    fn bytes<const N: usize>(&mut self) -> [u8; N] {
        let mut bytes = [0; N];
        self.0.fill_bytes(&mut bytes);
        bytes
    }

    /// A random (version 4) UUID in lower case.
    fn uuid(&mut self) -> String {
        let mut bytes = self.bytes::<16>();
        bytes[6] = bytes[6] & 0x0f | 0x40;
        bytes[8] = bytes[8] & 0x3f | 0x80;
        let hex = crate::hex::encode(&bytes);
        format!("{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..])
    }
}

#[cfg(test)]
mod tests {
    use relay_wire::{
        Validator,
        ids::BackendName,
        request::{Proof, Request, TransferKind},
    };

    use super::*;

    const SEEDS: u64 = 1_000;

    fn requests(persona: &Persona, seed: u64) -> Vec<Request> {
        let now = persona.sent_at(WallTime::from_ticks(17_787_510_001_234_567 + seed));
        let nonce = Nonce::new([7; 16]).unwrap();
        let node = BackendName::new("node-a").unwrap();
        let transfer = |kind| Operation::Transfer { kind, node: node.clone(), paths: persona.paths() };
        let with =
            |operation, estimate, proof| Request { content: persona.content(operation, now, nonce, estimate), proof };
        vec![
            with(Operation::Register { user: persona.user.clone() }, None, Proof::Mass([5; 32])),
            with(Operation::Auth, None, Proof::Device([6; 64])),
            with(Operation::Ping, None, Proof::Device([6; 64])),
            with(transfer(TransferKind::Backup), Some(1 << 20), Proof::Device([6; 64])),
            with(transfer(TransferKind::Restore), Some(0), Proof::Device([6; 64])),
            with(transfer(TransferKind::Sync), None, Proof::Device([6; 64])),
        ]
    }

    fn every_request_is_valid_and_means_what_was_meant(platform: Platform) {
        let validator = Validator::default();
        for seed in 0..SEEDS {
            let persona = Persona::generate(platform, u32::try_from(seed % 300).unwrap(), seed);
            for request in requests(&persona, seed) {
                let body = request.to_body();
                match validator.check(platform, &body) {
                    Ok(checked) => assert_eq!(*checked, request, "seed {seed}"),
                    Err(rejection) => {
                        panic!("seed {seed}: {rejection}: {:?}: {}", request, String::from_utf8_lossy(&body))
                    }
                }
            }
        }
    }

    #[test]
    fn windows_devices_are_valid() {
        every_request_is_valid_and_means_what_was_meant(Platform::Windows);
    }

    #[test]
    fn macos_devices_are_valid() {
        every_request_is_valid_and_means_what_was_meant(Platform::MacOs);
    }

    #[test]
    fn linux_devices_are_valid() {
        every_request_is_valid_and_means_what_was_meant(Platform::Linux);
    }

    #[test]
    fn ios_devices_are_valid() {
        every_request_is_valid_and_means_what_was_meant(Platform::Ios);
    }

    #[test]
    fn android_devices_are_valid() {
        every_request_is_valid_and_means_what_was_meant(Platform::Android);
    }

    #[test]
    fn windows_phone_devices_are_valid() {
        every_request_is_valid_and_means_what_was_meant(Platform::WindowsPhone);
    }

    #[test]
    fn a_device_is_always_the_same_and_never_another() {
        let mut ids = std::collections::HashSet::new();
        for platform in Platform::ALL {
            for index in 0..500 {
                let persona = Persona::generate(platform, index, 9);
                assert_eq!(persona.id, Persona::generate(platform, index, 9).id);
                assert!(ids.insert(persona.id.registry_key()), "{platform} {index}");
            }
        }
    }

    #[test]
    fn every_platform_uses_every_stack_it_has() {
        for (platform, names) in [
            (Platform::Windows, &["windows-11", "windows-10", "windows-8.1", "windows-7"][..]),
            (Platform::MacOs, &["macos", "macos-10.13"]),
            (Platform::Linux, &["linux"]),
            (Platform::Ios, &["ios", "ios-12.1"]),
            (Platform::Android, &["android-10", "android-5"]),
            (Platform::WindowsPhone, &["wp-8.1"]),
        ] {
            let seen: std::collections::BTreeSet<&str> =
                (0..200).map(|index| Persona::generate(platform, index, 1).tls.name).collect();
            assert_eq!(seen, names.iter().copied().collect(), "{platform}");
        }
    }
}
