use relay_wire::{
    Validator,
    ids::{BackendName, Nonce},
    request::{Operation, Proof, Request, TransferKind},
    time::WallTime,
};

use super::*;
use crate::profiles::Persona;

fn backup(platform: Platform) -> Vec<u8> {
    let persona = Persona::generate(platform, 3, 5);
    let operation = Operation::Transfer {
        kind: TransferKind::Backup,
        node: BackendName::new("node-a").unwrap(),
        paths: [persona.paths(), persona.paths()].concat(),
    };
    let content = persona.content(
        operation,
        persona.sent_at(WallTime::from_ticks(17_787_510_000_000_000)),
        Nonce::new([9; 16]).unwrap(),
        Some(4096),
    );
    Request { content, proof: Proof::Device([1; 64]) }.to_body()
}

#[test]
fn every_field_of_every_platform_is_found() {
    for (platform, names) in [
        (Platform::Windows, &["op", "machineGuid", "DEV", "computerName", "node", "path", "path[1]", "estimate"][..]),
        (Platform::MacOs, &["AppBuild", "DeviceToken", "OnBattery", "Paths", "Paths[1]", "UDID"]),
        (Platform::Linux, &["op", "MACHINE_ID", "NET", "PATH", "PATH[1]", "ESTIMATE"]),
        (Platform::Ios, &["op", "idfv", "system.version", "net.expensive", "power.level", "items", "items[1]"]),
        (Platform::Android, &["op", "android_id", "uri", "uri[1]", "est"]),
        (Platform::WindowsPhone, &["SessionID", "Target", "Source", "Cred", "./DevInfo/DevId", "./Edge/Item[1]"]),
    ] {
        let body = backup(platform);
        let found = fields(platform, &body);
        for name in names {
            assert!(found.iter().any(|field| field.name == *name), "{platform} {name}: {found:?}");
        }
        assert!(found.is_sorted_by_key(|field| field.offset), "{platform}");
    }
}

#[test]
fn a_value_put_back_changes_nothing_and_the_body_stays_valid() {
    let validator = Validator::default();
    for platform in Platform::ALL {
        let body = backup(platform);
        for field in fields(platform, &body) {
            let same = replace(platform, &body, &field.name, Value::Text(&field.value));
            let same = same.unwrap_or_else(|error| panic!("{platform} {}: {error}", field.name));
            assert_eq!(
                validator.check(platform, &same).map(|checked| checked.into_inner()),
                validator.check(platform, &body).map(|checked| checked.into_inner()),
                "{platform} {}",
                field.name
            );
        }
    }
}

#[test]
fn raw_values_and_unknown_names() {
    let body = backup(Platform::Linux);
    let changed = replace(Platform::Linux, &body, "HOSTNAME", Value::Raw(b"\xff")).unwrap();
    assert!(changed.windows(11).any(|window| window == b"HOSTNAME=\xff\n"));
    let error = replace(Platform::Linux, &body, "hostname", Value::Text("x")).unwrap_err();
    assert!(error.contains("HOSTNAME"), "{error}");
}

#[test]
fn broken_bodies_do_not_break_the_reader() {
    for platform in Platform::ALL {
        let body = backup(platform);
        for end in 0..body.len() {
            let _ = fields(platform, &body[..end]);
        }
        for at in 0..body.len() {
            let mut broken = body.clone();
            broken[at] ^= 0xff;
            let _ = fields(platform, &broken);
        }
    }
}
