//! FORMATS §1, §3 and §5: the three formats in which one request has exactly one body. Edge cases as FORMATS lists them,
//! and properties over generated requests.

mod android;
mod generators;
mod linux;
mod properties;
mod windows;

use relay_wire::{Code, Platform, Validator};

/// What the validator with the default releases says of a body: `ok`, or the code.
fn verdict(platform: Platform, body: &[u8]) -> &'static str {
    Validator::default().check(platform, body).map_or_else(|rejection| rejection.code.as_str(), |_| "ok")
}

/// Asserts the verdict of every case, and shows all that are wrong at once.
fn assert_verdicts(platform: Platform, cases: impl IntoIterator<Item = (String, Vec<u8>, &'static str)>) {
    let mut wrong = Vec::new();
    for (name, body, expected) in cases {
        assert!(expected == "ok" || Code::ALL.iter().any(|code| code.as_str() == expected), "{expected}");
        let verdict = verdict(platform, &body);
        if verdict != expected {
            wrong.push(format!("{name}: {verdict}, not {expected}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
