//! The golden vectors: every example of the text, with the verdict in the file's name.

use std::{fs, path::PathBuf};

use fuzz::{
    spec::{self, Platform},
    validator,
};

/// An example's name, its verdict and its body.
pub struct Example {
    pub name: String,
    pub verdict: String,
    pub body: Vec<u8>,
}

fn folder(platform: Platform) -> PathBuf {
    let name = match platform {
        Platform::Windows => "windows",
        Platform::MacOs => "macos",
        Platform::Linux => "linux",
        Platform::Ios => "ios",
        Platform::Android => "android",
        Platform::WindowsPhone => "wp",
    };
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../relay/wire/vectors").join(name)
}

pub fn examples(platform: Platform) -> Vec<Example> {
    let mut examples: Vec<Example> = fs::read_dir(folder(platform))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension != "canonical"))
        .map(|path| Example {
            name: path.file_stem().unwrap().to_str().unwrap().to_owned(),
            verdict: path.extension().unwrap().to_str().unwrap().to_owned(),
            body: fs::read(&path).unwrap(),
        })
        .collect();
    examples.sort_by(|left, right| left.name.cmp(&right.name));
    examples
}

/// The body of a valid example.
pub fn body(platform: Platform, name: &str) -> Vec<u8> {
    fs::read(folder(platform).join(name).with_extension("ok")).unwrap()
}

pub fn verdict(platform: Platform, body: &[u8]) -> &'static str {
    spec::judge(platform, body).map_or_else(|refusal| refusal.code, |_| "ok")
}

#[test]
fn every_example_has_its_verdict() {
    let mut seen = 0;
    for platform in Platform::ALL {
        for example in examples(platform) {
            assert_eq!(verdict(platform, &example.body), example.verdict, "{platform:?} {}", example.name);
            seen += 1;
        }
    }
    assert_eq!(seen, 48);
}

#[test]
fn valid_examples_have_their_canonical_encoding() {
    for platform in Platform::ALL {
        for name in ["V1", "V2", "V3"] {
            let meaning = spec::judge(platform, &body(platform, name)).unwrap();
            let expected = fs::read(folder(platform).join(name).with_extension("canonical")).unwrap();
            assert_eq!(spec::canonical::encode(&meaning), Some(expected), "{platform:?} {name}");
        }
    }
}

#[test]
fn the_oracles_hold_for_every_example() {
    let oracles = [
        validator::windows,
        validator::macos,
        validator::linux,
        validator::ios,
        validator::android,
        validator::windows_phone,
    ];
    for (platform, oracle) in Platform::ALL.into_iter().zip(oracles) {
        for example in examples(platform) {
            oracle(&example.body);
        }
    }
}
