//! Every golden vector, and every piece of one, goes through a document unchanged.

use super::*;

/// Each platform's golden vectors, with their names.
fn vectors(platform: Platform) -> Vec<(String, Vec<u8>)> {
    let folder = match platform {
        Platform::Windows => "windows",
        Platform::MacOs => "macos",
        Platform::Linux => "linux",
        Platform::Ios => "ios",
        Platform::Android => "android",
        Platform::WindowsPhone => "wp",
    };
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../relay/wire/vectors").join(folder);
    let files = std::fs::read_dir(path).expect("the golden vectors").map(|entry| entry.expect("an entry").path());
    let mut bodies: Vec<_> = files
        .filter(|path| path.extension().is_some_and(|extension| extension != "canonical"))
        .map(|path| (path.display().to_string(), std::fs::read(&path).expect("a vector")))
        .collect();
    bodies.sort();
    bodies
}

#[test]
fn an_unchanged_document_is_written_as_it_stood() {
    for platform in Platform::ALL {
        for (name, body) in vectors(platform) {
            for end in (0..=body.len()).step_by(3) {
                let cut = &body[..end];
                assert_eq!(Document::decode(platform, cut).encode(), cut, "{name} cut at {end}");
            }
            for at in (0..body.len()).step_by(7) {
                for byte in [0, b' ', b'<', b'"', b'&', b',', b'}', b'\n', 0xFF] {
                    let mut changed = body.clone();
                    changed[at] = byte;
                    assert_eq!(Document::decode(platform, &changed).encode(), changed, "{name}, {byte} at {at}");
                }
            }
        }
    }
}

#[test]
fn a_good_body_is_written_anew_from_its_plain_values() {
    for platform in Platform::ALL {
        for (name, body) in vectors(platform).into_iter().filter(|(name, _)| name.ends_with(".ok")) {
            let document = Document::decode(platform, &body);
            let mut anew = template::blank(platform);
            for (slot, row) in slots(platform).iter().enumerate() {
                let is_path = slot == table::path_slot(platform);
                let skip = is_path || row.wire == Wire::Object;
                if let Some(value) = document.get(slot).filter(|_| !skip) {
                    anew.set(slot, escape::wire(row.wire, &escape::plain(row.wire, &value)));
                }
                let paths = document.paths();
                if is_path && !paths.is_empty() {
                    let again = |path: &Cow<'_, [u8]>| {
                        Cow::Owned(escape::wire_path(row.wire, &escape::plain(row.wire.element(), path)))
                    };
                    anew.set_paths(&paths.iter().map(again).collect::<Vec<_>>());
                }
            }
            let anew = anew.encode();
            // In JSON the order is free; the vectors have one of their own.
            if platform == Platform::Ios {
                assert_eq!(anew.len(), body.len(), "{name}");
            } else {
                assert_eq!(String::from_utf8_lossy(&anew), String::from_utf8_lossy(&body), "{name}");
            }
        }
    }
}
