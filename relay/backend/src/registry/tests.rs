use std::{
    fs,
    sync::{Arc, Barrier},
};

use relay_trust::{DeviceKey, MassSecret};
use relay_wire::{Platform, ids::DeviceId};

use super::{devices::EnrolRefusal, *};

const NOW: UnixSeconds = UnixSeconds(1_800_000_000);
const DAY: Duration = Duration::from_secs(86_400);

pub(super) fn new_device(id: &str) -> NewDevice {
    NewDevice {
        id: DeviceId::new(Platform::Android, id.to_owned()),
        user: "ana@example.com".to_owned(),
        name: String::new(),
        spki: DeviceKey::generate().spki(),
    }
}

pub(super) fn fresh() -> (tempfile::TempDir, Registry) {
    let folder = tempfile::tempdir().unwrap();
    let registry = Registry::create(&folder.path().join("registry.db")).unwrap();
    (folder, registry)
}

fn uses_left(registry: &Registry, label: &str) -> u64 {
    registry.secrets().unwrap().into_iter().find(|secret| secret.label == label).unwrap().uses_left
}

#[test]
fn a_new_file_is_private_and_opens_again() {
    let (folder, registry) = fresh();
    let path = folder.path().join("registry.db");
    drop(registry);
    assert!(matches!(Registry::create(&path), Err(RegistryError::Create { .. })));
    Registry::open(&path).unwrap();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        assert!(Registry::open(&path).err().unwrap().to_string().contains("chmod 600"));
    }
}

#[test]
fn files_that_are_no_registry_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("registry.db");
    assert!(matches!(Registry::open(&path), Err(RegistryError::Missing { .. })));
    relay_trust::write_secret_file(&path, "").unwrap();
    assert!(matches!(Registry::open(&path), Err(RegistryError::Empty { .. })));
    fs::remove_file(&path).unwrap();
    relay_trust::write_secret_file(&path, &"not a database ".repeat(100)).unwrap();
    assert!(matches!(Registry::open(&path), Err(RegistryError::Sqlite { .. })));
}

#[test]
fn a_later_schema_is_not_touched() {
    let (_folder, registry) = fresh();
    registry.connection.pragma_update(None, "user_version", 99).unwrap();
    let path = registry.path().to_owned();
    drop(registry);
    assert!(matches!(Registry::open(&path), Err(RegistryError::TooNew { found: 99, .. })));
}

#[test]
fn a_devices_life() {
    let (_folder, mut registry) = fresh();
    let device = new_device("3f5a9c01d27be8");
    let key = "android:003f5a9c01d27be8";
    let added = registry.add_device(&device, NOW).unwrap();
    assert_eq!((added.state, added.id.registry_key().as_str()), (DeviceState::Active, key));
    assert!(matches!(registry.add_device(&device, NOW), Err(RegistryError::DeviceExists(_))));

    // The other spelling of the same id is the same device.
    let padded = NewDevice { id: DeviceId::new(Platform::Android, "003f5a9c01d27be8".to_owned()), ..device.clone() };
    assert!(matches!(registry.add_device(&padded, NOW), Err(RegistryError::DeviceExists(_))));

    registry.revoke_device(key, NOW).unwrap();
    registry.revoke_device(key, NOW).unwrap();
    let revoked = registry.device(key).unwrap();
    assert_eq!((revoked.state, revoked.revoked_at), (DeviceState::Revoked, Some(NOW)));
    assert!(revoked.revision > added.revision);
    assert!(matches!(registry.add_device(&device, NOW), Err(RegistryError::DeviceExists(_))));

    registry.reset_device(key).unwrap();
    let reset = registry.device(key).unwrap();
    assert_eq!((reset.state, reset.spki, reset.revoked_at), (DeviceState::Reset, None, None));
    assert_eq!(registry.add_device(&padded, NOW).unwrap().state, DeviceState::Active);

    assert!(matches!(registry.revoke_device("linux:none", NOW), Err(RegistryError::UnknownDevice(_))));
    assert!(matches!(registry.reset_device("linux:none"), Err(RegistryError::UnknownDevice(_))));
}

#[test]
fn enrolment_checks_everything_and_takes_one_use() {
    let (_folder, mut registry) = fresh();
    let secret = MassSecret::generate();
    registry.add_secret("a", &secret, 2, DAY, NOW).unwrap();
    registry.add_secret("short", &MassSecret::generate(), 5, Duration::from_secs(60), NOW).unwrap();
    registry.add_secret("ended", &MassSecret::generate(), 5, DAY, NOW).unwrap();
    registry.revoke_secret("ended", NOW).unwrap();
    let device = new_device("1");

    let later = NOW.plus(Duration::from_secs(60));
    assert_eq!(registry.enrol("short", &device, later).unwrap(), Err(EnrolRefusal::SecretExpired));
    assert_eq!(registry.enrol("none", &device, NOW).unwrap(), Err(EnrolRefusal::UnknownSecret));
    assert_eq!(registry.enrol("ended", &device, NOW).unwrap(), Err(EnrolRefusal::UnknownSecret));
    assert!(registry.enrol("a", &device, NOW).unwrap().is_ok());
    assert_eq!(uses_left(&registry, "a"), 1);
    // A refusal costs no use.
    assert_eq!(registry.enrol("a", &new_device("1"), NOW).unwrap(), Err(EnrolRefusal::AlreadyEnrolled));
    registry.revoke_device("android:0000000000000001", NOW).unwrap();
    assert_eq!(registry.enrol("a", &new_device("1"), NOW).unwrap(), Err(EnrolRefusal::Revoked));
    assert_eq!(uses_left(&registry, "a"), 1);
    registry.reset_device("android:0000000000000001").unwrap();
    assert!(registry.enrol("a", &new_device("1"), NOW).unwrap().is_ok());
    assert_eq!(registry.enrol("a", &new_device("2"), NOW).unwrap(), Err(EnrolRefusal::SecretUsedUp));
}

/// SPEC §8.4: inserting the device and taking one use of the secret is one step.
#[test]
fn of_many_that_race_for_the_last_use_exactly_one_wins() {
    let (_folder, mut registry) = fresh();
    registry.add_secret("last", &MassSecret::generate(), 1, DAY, NOW).unwrap();
    let path = registry.path().to_owned();
    let barrier = Arc::new(Barrier::new(8));
    let racers: Vec<_> = (1..=8)
        .map(|n| {
            let (path, barrier) = (path.clone(), Arc::clone(&barrier));
            std::thread::spawn(move || {
                let mut registry = Registry::open(&path).unwrap();
                barrier.wait();
                registry.enrol("last", &new_device(&n.to_string()), NOW).unwrap().is_ok()
            })
        })
        .collect();
    let won = racers.into_iter().map(|racer| racer.join().unwrap()).filter(|won| *won).count();
    assert_eq!(won, 1);
    assert_eq!(uses_left(&registry, "last"), 0);
    let mut devices = 0;
    registry
        .for_each_device(|_| {
            devices += 1;
            true
        })
        .unwrap();
    assert_eq!(devices, 1);
}

#[test]
fn a_row_of_enrolments_is_judged_one_after_the_other() {
    let (_folder, mut registry) = fresh();
    registry.add_secret("two", &MassSecret::generate(), 2, DAY, NOW).unwrap();
    let devices = ["1", "2", "1", "3"].map(new_device);
    let orders: Vec<_> = devices.iter().map(|device| ("two", device)).collect();
    let outcomes = registry.enrol_all(&orders, NOW).unwrap();
    let refused = [EnrolRefusal::SecretUsedUp; 2];
    assert_eq!(outcomes, [Ok(()), Ok(()), Err(refused[0]), Err(refused[1])]);
    assert_eq!(uses_left(&registry, "two"), 0);
}

#[test]
fn of_many_that_race_for_one_id_exactly_one_wins() {
    let (_folder, mut registry) = fresh();
    registry.add_secret("many", &MassSecret::generate(), 100, DAY, NOW).unwrap();
    let path = registry.path().to_owned();
    let racers: Vec<_> = (0..6)
        .map(|_| {
            let path = path.clone();
            std::thread::spawn(move || {
                Registry::open(&path).unwrap().enrol("many", &new_device("77"), NOW).unwrap().is_ok()
            })
        })
        .collect();
    assert_eq!(racers.into_iter().map(|racer| racer.join().unwrap()).filter(|won| *won).count(), 1);
    assert_eq!(uses_left(&registry, "many"), 99);
}

#[test]
fn secrets_are_bounded_named_once_and_wiped_when_revoked() {
    let (_folder, mut registry) = fresh();
    let secret = MassSecret::generate();
    registry.add_secret("a", &secret, 1, DAY, NOW).unwrap();
    assert!(matches!(registry.add_secret("a", &secret, 1, DAY, NOW), Err(RegistryError::SecretExists(_))));
    for n in 1..SECRETS_LIVE_MAX {
        registry.add_secret(&n.to_string(), &MassSecret::generate(), 1, DAY, NOW).unwrap();
    }
    let one_more = registry.add_secret("more", &MassSecret::generate(), 1, DAY, NOW);
    assert!(matches!(one_more, Err(RegistryError::TooManySecrets)));
    registry.revoke_secret("a", NOW).unwrap();
    registry.add_secret("more", &MassSecret::generate(), 1, DAY, NOW).unwrap();
    assert!(matches!(registry.revoke_secret("none", NOW), Err(RegistryError::UnknownSecret(_))));
    let states: Vec<_> = registry.secrets().unwrap().iter().map(|secret| secret.state(NOW)).collect();
    assert_eq!(states.iter().filter(|state| **state == SecretState::Revoked).count(), 1);

    let hex = secret.to_hex().to_string();
    let path = registry.path().to_owned();
    drop(registry);
    for file in fs::read_dir(path.parent().unwrap()).unwrap() {
        let bytes = fs::read(file.unwrap().path()).unwrap();
        assert!(!bytes.windows(hex.len()).any(|window| window == hex.as_bytes()), "the revoked secret is still there");
    }
}

#[test]
fn another_connections_commit_is_noticed() {
    let (_folder, registry) = fresh();
    let mut other = Registry::open(registry.path()).unwrap();
    let before = registry.data_version().unwrap();
    assert_eq!(registry.data_version().unwrap(), before);
    other.add_device(&new_device("1"), NOW).unwrap();
    assert_ne!(registry.data_version().unwrap(), before);
    let mut changed = Vec::new();
    registry.for_each_changed(0, |device| changed.push(device.id.text().to_owned())).unwrap();
    assert_eq!(changed, ["1"]);
}

#[test]
fn being_seen_is_no_change_that_others_must_hear_of() {
    let (_folder, mut registry) = fresh();
    let added = registry.add_device(&new_device("1"), NOW).unwrap();
    let key = added.id.registry_key();
    registry.note_seen(&[(key.clone(), NOW), ("linux:gone".to_owned(), NOW)]).unwrap();
    let seen = registry.device(&key).unwrap();
    assert_eq!((seen.last_seen_at, seen.revision), (Some(NOW), added.revision));
}
