//! Canonical encodings: refused, or what the second decoder reads in them, accepted exactly if a body could say it.

use relay_wire::{Checked, Platform, Rejection, Request, canonical};

use crate::{
    finding,
    run::bounded,
    spec::{self, Meaning},
    validator::{self, Shown, VALIDATOR, first_difference, meaning},
};

mod long;
mod mutate;

pub use mutate::mutate;

const TARGET: &str = "canonical_agreement";
/// Bytes held at once for each byte of an encoding. The most is for empty paths, of 2 bytes each: a list of them, just doubled, takes 72
/// bytes for each, and the SyncML item that each becomes 75, in a body that has just been doubled.
const FACTOR: usize = 160;
/// And beside them.
const ALLOWANCE: usize = 8192;
/// The longest body.
const BODY: usize = 16384;

/// A canonical encoding is refused, or decodes to a request that its platform's format accepts with the same meaning, and encodes to the same bytes.
///
/// # Panics
/// When it does not hold: that is the finding.
pub fn oracle(data: &[u8]) {
    let judged = bounded(TARGET, data.len(), FACTOR, ALLOWANCE, || VALIDATOR.check_canonical(data));
    let expected = spec::canonical::decode(data);
    let decoded = canonical::decode(data).ok();
    if let Some(decoded) = &decoded {
        if canonical::encode(decoded).ok().as_deref() != Some(data) {
            finding(TARGET, "decodes, and encodes to other bytes", Shown(data));
        }
        let meaning = meaning::of(decoded);
        if let Some(expected) = &expected
            && meaning != *expected
        {
            let field = first_difference(&meaning, expected);
            finding(
                TARGET,
                format_args!("another value than encoded ({field})"),
                format_args!("{meaning:?}\n{expected:?}"),
            );
        }
        let body = decoded.to_body();
        if body.len() > BODY {
            return too_long(&judged, body.len());
        }
        same_as_body(&judged, decoded.platform(), &body, &meaning);
        // One encoding in about a hundred, always the same ones.
        if judged.is_ok() && data.iter().map(|byte| u32::from(*byte)).sum::<u32>().is_multiple_of(101) {
            long::judge(&meaning);
        }
    }
    let allowed = expected.as_ref().is_some_and(|meaning| spec::carried::judge(meaning).is_ok());
    match (&judged, allowed) {
        (Ok(_), false) => {
            let why = expected.map_or("malformed".to_owned(), |meaning| {
                spec::carried::judge(&meaning)
                    .err()
                    .map_or_else(String::new, |refusal| format!("{} ({})", refusal.code, refusal.field))
            });
            finding(TARGET, format_args!("accepted, the text says {why}"), Shown(data));
        }
        (Err(rejection), true) => {
            finding(TARGET, format_args!("refused with {rejection}, the text allows it"), Shown(data));
        }
        (Ok(judged), true) if Some(&**judged) != decoded.as_ref() => {
            finding(TARGET, "accepted as another request than decoded", Shown(data));
        }
        (Ok(_), true) | (Err(_), false) => {}
    }
}

/// What no body could bring, for it would be longer than one may be, is refused.
fn too_long(judged: &Result<Checked<Request>, Rejection>, length: usize) {
    let says = validator::verdict(judged);
    if says != "E_FRAME" {
        finding(TARGET, format_args!("relay-wire says {says} of a request whose body is too long"), length);
    }
}

/// The verdict is the text's on the body that the request becomes.
fn same_as_body(judged: &Result<Checked<Request>, Rejection>, platform: Platform, body: &[u8], meaning: &Meaning) {
    let says = validator::verdict(judged);
    let text = match spec::judge(meaning::platform(platform), body) {
        Err(refusal) => refusal.code,
        Ok(again) if again == *meaning => "ok",
        // A body that says something else than what it was made of.
        Ok(_) => "E_FRAME",
    };
    if says != text {
        finding(TARGET, format_args!("relay-wire says {says}, the text says {text} of the body"), Shown(body));
    }
}

/// The canonical encodings of the valid examples.
#[must_use]
pub fn seeds() -> Vec<Vec<u8>> {
    let bodies = [
        (Platform::Windows, validator::windows_seeds()),
        (Platform::MacOs, validator::macos_seeds()),
        (Platform::Linux, validator::linux_seeds()),
        (Platform::Ios, validator::ios_seeds()),
        (Platform::Android, validator::android_seeds()),
        (Platform::WindowsPhone, validator::windows_phone_seeds()),
    ];
    let encoded = |(platform, bodies): (Platform, Vec<Vec<u8>>)| {
        bodies.into_iter().filter_map(move |body| canonical::encode(&*VALIDATOR.check(platform, &body).ok()?).ok())
    };
    bodies.into_iter().flat_map(encoded).collect()
}
