use super::*;

fn name(text: &str) -> BackendName {
    BackendName::new(text).unwrap()
}

fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o700)).unwrap();
    }
    folder
}

fn hex(first: u8) -> String {
    let mut text = format!("{first:02x}");
    text.push_str(&"5a".repeat(31));
    text
}

fn key(first: u8) -> SharedKey {
    SharedKey::from_hex(&hex(first)).unwrap_or_else(|error| panic!("{error}"))
}

fn problems(folder: &Path) -> String {
    let problems = KeyStore::load(folder).err().expect("the store is refused");
    problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

#[test]
fn either_active_key_proves_and_only_for_its_name_role_and_connection() {
    let folder = folder();
    add(folder.path(), &name("m"), Role::Master, key(1)).unwrap();
    add(folder.path(), &name("m"), Role::Master, key(2)).unwrap();
    add(folder.path(), &name("n"), Role::StorageNode, key(3)).unwrap();
    let store = KeyStore::load(folder.path()).ok().unwrap();
    let exporter = Exporter([7; 32]);
    let generation = Generation(9);
    let m = name("m");
    let claim = Claim { exporter: &exporter, role: Role::Master, name: &m, generation };
    for first in [1, 2] {
        let proof = key(first).mac(&claim.message(Speaker::ControlBackend));
        let proved = store.prove(claim, ConnectionKind::Control, &proof).unwrap();
        assert!(key(first).verify(&claim.message(Speaker::ControlEdge), &proved.answer));
        assert!(store.holds(&m, Role::Master, proved.key));
        assert!(!store.holds(&name("n"), Role::StorageNode, proved.key), "a key of another backend");
        assert!(store.prove(claim, ConnectionKind::Data, &proof).is_none());
        let other = Exporter([8; 32]);
        assert!(store.prove(Claim { exporter: &other, ..claim }, ConnectionKind::Control, &proof).is_none());
    }
    let proof = key(3).mac(&claim.message(Speaker::ControlBackend));
    assert!(store.prove(claim, ConnectionKind::Control, &proof).is_none(), "another backend's key");
    let claim = Claim { role: Role::StorageNode, ..claim };
    let proof = key(1).mac(&claim.message(Speaker::ControlBackend));
    assert!(store.prove(claim, ConnectionKind::Control, &proof).is_none(), "another role");
    let nobody = name("nobody");
    let claim = Claim { name: &nobody, ..claim };
    assert!(store.prove(claim, ConnectionKind::Control, &proof).is_none(), "an unknown name");
}

#[test]
fn keys_rotate_and_go() {
    let folder = folder();
    let m = name("m");
    add(folder.path(), &m, Role::Master, key(1)).unwrap();
    add(folder.path(), &m, Role::Master, key(2)).unwrap();
    let third = add(folder.path(), &m, Role::Master, key(3)).unwrap_err().to_string();
    assert!(third.contains(&format!("key remove --name m --fingerprint {}", key(1).fingerprint())), "{third}");
    assert!(add(folder.path(), &m, Role::StorageNode, key(3)).unwrap_err().to_string().contains("known as master"));
    let shared = add(folder.path(), &name("n"), Role::StorageNode, key(2)).unwrap_err().to_string();
    assert!(shared.contains("every backend has its own"), "{shared}");
    remove(folder.path(), &m, &key(1).fingerprint()).unwrap();
    assert!(remove(folder.path(), &m, &key(1).fingerprint()).unwrap_err().to_string().contains("key list"));
    let lines = KeyStore::load(folder.path()).ok().unwrap().list();
    assert_eq!(lines[0].fingerprints, [key(2).fingerprint()]);
    remove(folder.path(), &m, &key(2).fingerprint()).unwrap();
    assert!(KeyStore::load(folder.path()).ok().unwrap().list().is_empty());
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn every_mistake_is_reported_and_no_key_is_shown() {
    let folder = folder();
    let put = |file: &str, text: &str| relay_trust::write_secret_file(&folder.path().join(file), text).unwrap();
    put("Bad.toml", "");
    put("a.toml", &format!("role = \"boss\"\nkeys = [\"{}\"]", hex(1)));
    put("b.toml", "role = \"master\"\nkeys = []");
    put("c.toml", &format!("role = \"master\"\nkeys = [\"{}\"]\nextra = 1", hex(1)));
    put("d.toml", &format!("role = \"master\"\nkeys = [\"{}\" \"{}\"]", hex(1), hex(2)));
    put("e.toml", &format!("role = \"master\"\nkeys = [\"{}\"]", &hex(1)[1..]));
    put("README", "not read");
    let text = problems(folder.path());
    for part in ["Bad.toml", "a.toml", "b.toml", "c.toml", "d.toml", "e.toml", "key 1 of `keys`"] {
        assert!(text.contains(part), "{part} in {text}");
    }
    assert!(!text.contains("README"));
    assert!(!text.contains("5a5a5a"), "{text}");
}

#[cfg(unix)]
#[test]
fn files_that_others_can_read_are_refused() {
    use std::os::unix::fs::PermissionsExt;
    let folder = folder();
    let path = add(folder.path(), &name("m"), Role::Master, key(1)).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
    assert!(problems(folder.path()).contains("chmod 600"));
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o777)).unwrap();
    assert!(problems(folder.path()).contains("chmod 700"));
}
