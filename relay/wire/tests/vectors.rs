//! The golden vectors: every example of FORMATS, as files in `vectors/`.

mod common;

use relay_wire::{Platform, Validator, canonical};

/// FORMATS §1 to §6: the verdict of every example is the one stated; what passes keeps its meaning through every
/// encoding that the relay has for it.
#[test]
fn every_vector_gets_its_verdict() {
    let validator = Validator::default();
    let mut problems = Vec::new();
    for vector in common::all() {
        let name = vector.path.display();
        let judged = validator.check(vector.platform, &vector.body);
        let verdict = judged.as_ref().map(|_| ()).map_err(|rejection| rejection.code);
        if verdict != vector.verdict {
            problems.push(format!("{name}: expected {:?}, got {judged:?}", vector.verdict));
            continue;
        }
        let Ok(checked) = judged else { continue };
        let request = checked.clone().into_inner();

        let body = request.to_body();
        let again = validator.check(vector.platform, &body);
        if again.as_deref() != Ok(&request) {
            problems.push(format!("{name}: emitted and parsed again: {again:?}"));
        }
        let bytes_are_canonical =
            matches!(vector.platform, Platform::Windows | Platform::Linux | Platform::Android);
        if bytes_are_canonical && body != vector.body {
            problems.push(format!("{name}: emitted as {}", common::hex(&body)));
        }

        let encoded = canonical::encode(&request).unwrap();
        if canonical::decode(&encoded).as_ref() != Ok(&request) {
            problems.push(format!("{name}: the canonical encoding decodes to something else"));
        }
        if validator.check_canonical(&encoded).as_ref() != Ok(&checked) {
            problems.push(format!("{name}: {:?} for the canonical encoding", validator.check_canonical(&encoded)));
        }
        if vector.canonical.is_some_and(|expected| expected != encoded) {
            problems.push(format!("{name}: canonical encoding is {}", common::hex(&encoded)));
        }
    }
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}

/// Three valid and five invalid examples for each platform.
#[test]
fn every_example_has_its_vector() {
    for platform in Platform::ALL {
        for name in ["v1", "v2", "v3", "i1", "i2", "i3", "i4", "i5"] {
            let vector = common::vector(platform, name);
            assert_eq!(vector.verdict.is_ok(), name.starts_with('v'), "{}", vector.path.display());
        }
    }
}
