use relay_trust::DeviceKey;
use rustls::pki_types::{PrivateKeyDer, pem::PemObject};

use super::*;
use crate::registry::{DeviceState, tests::fresh};

const NOW: UnixSeconds = UnixSeconds(1_800_000_000);
const ID: &str = "9d1f6e02b7c84a35b2e07d5c41f98a06";

/// The base64 of a new public key.
fn key() -> String {
    base64(&DeviceKey::generate().spki())
}

fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let word = chunk.iter().fold(0, |word, byte| word << 8 | u32::from(*byte)) << (8 * (3 - chunk.len()));
        for at in 0..4 {
            let digit = DIGITS[(word >> (18 - 6 * at)) as usize & 63];
            text.push(if at <= chunk.len() { char::from(digit) } else { '=' });
        }
    }
    text
}

fn mistakes(result: Result<usize, ImportError>) -> Vec<(u64, String)> {
    match result {
        Err(ImportError::Lines { listed, .. }) => {
            listed.into_iter().map(|LineError { line, error }| (line, error.to_string())).collect()
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn csv_in_any_column_order_with_pem_or_base64() {
    let (_folder, mut registry) = fresh();
    let pem = format!("-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----", key());
    let text = format!(
        "user,id,platform,public_key,name\nana@example.com,{ID},linux,{},\"host, first\"\nbo@example.com,3f5a,android,\"{pem}\",\n",
        key()
    );
    assert_eq!(import(&mut registry, text.as_bytes(), Format::Csv, NOW).unwrap(), 2);
    let device = registry.device(&format!("linux:{ID}")).unwrap();
    assert_eq!((device.name.as_str(), device.state), ("host, first", DeviceState::Active));
    assert!(registry.device("android:0000000000003f5a").is_ok());
}

#[test]
fn json_lines() {
    let (_folder, mut registry) = fresh();
    let line = |id: &str| {
        let key = key();
        format!("{{\"platform\":\"linux\",\"id\":\"{id}\",\"user\":\"ana@example.com\",\"public_key\":\"{key}\"}}\n")
    };
    let text = format!("{}\n{}", line(ID), line(&ID.replace('9', "8")));
    assert_eq!(import(&mut registry, text.as_bytes(), Format::JsonLines, NOW).unwrap(), 2);
}

#[test]
fn every_bad_line_is_named_and_none_is_imported() {
    let (_folder, mut registry) = fresh();
    let good = key();
    let p384 = {
        // A key of another kind: the file format is right, the curve is not.
        let mut spki = DeviceKey::generate().spki();
        spki[22] ^= 1;
        base64(&spki)
    };
    let text = format!(
        "platform,id,user,name,public_key\n\
         linux,{ID},ana@example.com,,{good}\n\
         beos,{ID},ana@example.com,,{good}\n\
         linux,XYZ,ana@example.com,,{good}\n\
         linux,{},nobody,,{good}\n\
         linux,{},ana@example.com,,????\n\
         linux,{},ana@example.com,,{p384}\n\
         linux,{ID},ana@example.com,,{good}\n\
         linux,too,few\n",
        ID.replace('9', "1"),
        ID.replace('9', "2"),
        ID.replace('9', "3"),
    );
    let mistakes = mistakes(import(&mut registry, text.as_bytes(), Format::Csv, NOW));
    let lines: Vec<u64> = mistakes.iter().map(|(line, _)| *line).collect();
    assert_eq!(lines, [3, 4, 5, 6, 7, 8, 9], "{mistakes:#?}");
    let words = ["beos", "32 lower-case", "address", "PEM", "P-256", "line 2", "columns"];
    for ((_, text), word) in mistakes.iter().zip(words) {
        assert!(text.contains(word), "{text} lacks {word}");
    }
    let mut devices = 0;
    registry
        .for_each_device(|_| {
            devices += 1;
            true
        })
        .unwrap();
    assert_eq!(devices, 0);
}

#[test]
fn devices_that_are_known_already_are_named_with_their_lines() {
    let (_folder, mut registry) = fresh();
    let line = |id: &str| format!("linux,{id},ana@example.com,{}\n", key());
    let header = "platform,id,user,public_key\n";
    let first = format!("{header}{}", line(ID));
    assert_eq!(import(&mut registry, first.as_bytes(), Format::Csv, NOW).unwrap(), 1);
    let second = format!("{header}{}{}", line(&ID.replace('9', "8")), line(ID));
    let mistakes = mistakes(import(&mut registry, second.as_bytes(), Format::Csv, NOW));
    assert_eq!(mistakes.len(), 1);
    assert_eq!(mistakes[0].0, 3);
    assert!(mistakes[0].1.contains("already in the registry"));
    assert!(registry.device(&format!("linux:{}", ID.replace('9', "8"))).is_err());
}

#[test]
fn broken_files_give_errors_not_panics() {
    let (_folder, mut registry) = fresh();
    for text in [&b"nonsense\nx\n"[..], b"platform,id,user,public_key,colour\na,b,c,d,e\n", b"\xff\xfe,\n\xff\n"] {
        assert!(!mistakes(import(&mut registry, text, Format::Csv, NOW)).is_empty());
    }
    for text in ["{", "[]", "{\"platform\":1}", "{\"colour\":\"red\"}", &"x".repeat(100_000)] {
        let mistakes = mistakes(import(&mut registry, text.as_bytes(), Format::JsonLines, NOW));
        assert_eq!(mistakes[0].0, 1);
    }
    assert_eq!(import(&mut registry, &b""[..], Format::Csv, NOW).unwrap(), 0);
}

#[test]
fn a_thousand_mistakes_are_counted_and_a_hundred_listed() {
    let text = format!("platform,id,user,public_key\n{}", "x,x,x,x\n".repeat(1_000));
    match parse(text.as_bytes(), Format::Csv) {
        Err(ImportError::Lines { listed, unlisted }) => assert_eq!((listed.len(), unlisted), (100, 900)),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_private_key_is_no_public_key() {
    let pem = DeviceKey::generate().to_pkcs8_pem();
    assert!(PrivateKeyDer::from_pem_slice(pem.as_bytes()).is_ok());
    assert_eq!(entry::public_key(&pem), Err(EntryError::NoKey));
}

#[test]
fn ids_are_judged_as_their_platforms_spell_them() {
    use relay_wire::Platform::{Android, Ios, Linux, MacOs, Windows, WindowsPhone};
    let upper = "4C4C4544-0042-3510-8052-B4C04F4A5931";
    let good = [
        (Windows, "4c4c4544-0042-3510-8052-b4c04f4a5931"),
        (MacOs, upper),
        (Ios, "6FB6DCDD-6CC1-46A7-B206-8AFAE050CE89"),
        (Linux, ID),
        (Android, "3f5a9c01d27be8"),
        (WindowsPhone, "N+DT4cTJOm+x8I6YmwKB6KbARII="),
    ];
    for (platform, text) in good {
        assert!(entry::device_id(platform, text).is_ok(), "{platform} {text}");
    }
    let bad = [
        (Windows, upper),
        (MacOs, "4c4c4544-0042-3510-8052-b4c04f4a5931"),
        (MacOs, "00000000-0000-0000-0000-000000000000"),
        (Windows, "ffffffff-ffff-ffff-ffff-ffffffffffff"),
        (Ios, upper),
        (Linux, "00000000000000000000000000000000"),
        (Android, "0"),
        (Android, "03f5a"),
        (Android, "9774d56d682e549c"),
        (Android, "12345678901234567"),
        (WindowsPhone, "N+DT4cTJOm+x8I6YmwKB6KbARII"),
        (WindowsPhone, "N+DT4cTJOm+x8I6YmwKB6KbARIJ="),
        (WindowsPhone, "AAAAAAAAAAAAAAAAAAAAAAAAAAA="),
        (Windows, ""),
    ];
    for (platform, text) in bad {
        assert!(entry::device_id(platform, text).is_err(), "{platform} {text}");
    }
}
