//! The validator against the second one, format by format: the same verdict, code and meaning; what is accepted survives its own
//! format and the canonical encoding; memory stays within its bound.

use std::sync::LazyLock;

use relay_wire::{Checked, Platform, Rejection, Request, Validator, canonical};

use crate::{
    finding,
    run::bounded,
    spec::{self, Meaning, Refusal},
};

pub mod meaning;

/// Bytes that the validator may hold at once for each byte of a body. The most is for a JSON object of short names: 4 bytes for each, of
/// which it has at least 5, in a list that has just been doubled.
pub const FACTOR: usize = 3;
/// And beside them, for what does not grow with the body: a list of P paths, just doubled.
pub const ALLOWANCE: usize = 4096;

/// The validator with the tables of the text.
pub static VALIDATOR: LazyLock<Validator> = LazyLock::new(Validator::default);

macro_rules! platforms {
    ($($(#[$doc:meta])* $oracle:ident, $seeds:ident, $platform:ident, $folder:literal;)+) => {$(
        $(#[$doc])*
        ///
        /// # Panics
        /// When it does not hold: that is the finding.
        pub fn $oracle(data: &[u8]) {
            agree(concat!($folder, "_specification"), Platform::$platform, data);
        }

        /// The text's own examples and what our writers made of them.
        #[must_use]
        pub fn $seeds() -> Vec<Vec<u8>> {
            crate::seeds::specification(spec::Platform::$platform)
        }
    )+};
}

platforms! {
    /// Windows bodies: the validators agree.
    windows, windows_seeds, Windows, "windows";
    /// macOS bodies: the validators agree.
    macos, macos_seeds, MacOs, "macos";
    /// Linux bodies: the validators agree.
    linux, linux_seeds, Linux, "linux";
    /// iOS bodies: the validators agree.
    ios, ios_seeds, Ios, "ios";
    /// Android bodies: the validators agree.
    android, android_seeds, Android, "android";
    /// Windows Phone bodies: the validators agree.
    windows_phone, windows_phone_seeds, WindowsPhone, "wp";
}

/// The oracle of the six targets, which are named after it.
pub fn agree(target: &str, platform: Platform, body: &[u8]) {
    long(target, platform, body);
    let judged = bounded(target, body.len(), FACTOR, ALLOWANCE, || VALIDATOR.check(platform, body));
    let expected = spec::judge(meaning::platform(platform), body);
    let (judged, expected) = match (judged, expected) {
        (Ok(judged), Ok(expected)) => (judged, expected),
        (Err(judged), Err(expected)) if judged.code.as_str() == expected.code => return,
        (judged, expected) => return disagreement(target, &judged, &expected, body),
    };
    same_meaning(target, "the body", &judged, &expected, body);
    survives(target, platform, &judged, &expected, body);
}

/// Now and then: the body with blanks behind it, as long as a body may be, and one byte longer.
fn long(target: &str, platform: Platform, body: &[u8]) {
    const BODY: usize = 16384;
    let sum: u32 = body.iter().map(|byte| u32::from(*byte)).sum();
    // One body in about a thousand, always the same ones.
    if !sum.is_multiple_of(1009) || body.len() > BODY {
        return;
    }
    for length in [BODY, BODY + 1] {
        let mut long = body.to_vec();
        long.resize(length, b' ');
        let judged = VALIDATOR.check(platform, &long);
        let expected = spec::judge(meaning::platform(platform), &long);
        let says = verdict(&judged);
        let text = expected.as_ref().map_or_else(|refusal| refusal.code, |_| "ok");
        if says != text {
            finding(
                target,
                format_args!("relay-wire says {says}, the text says {text} (a body of {length})"),
                Shown(body),
            );
        }
    }
}

/// Tells that the verdicts differ: both codes, and the field where there is one to name.
fn disagreement(
    target: &str,
    judged: &Result<Checked<Request>, Rejection>,
    expected: &Result<Meaning, Refusal>,
    body: &[u8],
) {
    let says = verdict(judged);
    let text = expected.as_ref().map_or_else(|refusal| refusal.code, |_| "ok");
    let field = match (judged, expected) {
        (_, Err(refusal)) => refusal.field,
        (Err(rejection), Ok(_)) => rejection.field,
        (Ok(_), Ok(_)) => "",
    };
    // Steps that look at all names at once: whichever name it is, it is one defect.
    let names = ["E_UNKNOWN", "E_DUPLICATE", "E_ORDER", "E_MISSING"];
    let field = if names.contains(&text) { "names" } else { field };
    finding(target, format_args!("relay-wire says {says}, the text says {text} ({field})"), Shown(body));
}

/// Every value that the request carries is the value in the body.
fn same_meaning(target: &str, what: &str, request: &Request, expected: &Meaning, body: &[u8]) {
    let meaning = meaning::of(request);
    if meaning == *expected {
        return;
    }
    let field = first_difference(&meaning, expected);
    finding(
        target,
        format_args!("another value than in {what} ({field})"),
        format_args!("{meaning:?}\nwhere the text has\n{expected:?}\n{}", Shown(body)),
    );
}

/// The name of the first value in which two meanings differ.
#[must_use]
pub fn first_difference(left: &Meaning, right: &Meaning) -> &'static str {
    let values = [
        ("platform", left.platform == right.platform),
        ("operation", left.operation == right.operation),
        ("device id", left.device_id == right.device_id),
        ("proof", left.proof == right.proof),
        ("user", left.user == right.user),
        ("node", left.node == right.node),
        ("paths", left.paths == right.paths),
        ("sent at", left.sent_at == right.sent_at),
        ("nonce", left.nonce == right.nonce),
        ("estimate", left.estimate == right.estimate),
    ];
    let fact = || left.facts.iter().zip(&right.facts).find(|(left, right)| left != right).map(|(left, _)| left.0);
    values.iter().find(|(_, same)| !same).map(|(name, _)| *name).or_else(fact).unwrap_or("facts")
}

/// What is accepted, written in its own format and in the canonical encoding, is the same request again.
fn survives(target: &str, platform: Platform, judged: &Checked<Request>, expected: &Meaning, body: &[u8]) {
    let own = judged.to_body();
    let one_spelling = match platform {
        Platform::Windows | Platform::Linux | Platform::Android => true,
        Platform::MacOs | Platform::Ios | Platform::WindowsPhone => false,
    };
    if one_spelling {
        if own != body {
            finding(target, "written again it has other bytes", format_args!("{}\n{}", Shown(&own), Shown(body)));
        }
    } else {
        match spec::judge(meaning::platform(platform), &own) {
            Err(Refusal { code, field }) => {
                finding(target, format_args!("written again the text says {code} ({field})"), Shown(&own));
            }
            Ok(again) if again != *expected => {
                let field = first_difference(&again, expected);
                finding(target, format_args!("written again it has another value ({field})"), Shown(&own));
            }
            Ok(_) => {}
        }
    }
    let Ok(encoded) = canonical::encode(judged) else {
        return finding(target, "accepted, and has no canonical encoding", Shown(body));
    };
    if spec::canonical::encode(expected).as_ref() != Some(&encoded) {
        finding(target, "another canonical encoding than the text's", Shown(&encoded));
    }
    let content = canonical::encode_content(&judged.content);
    // What a proof is made over is all but the kind and the bytes of the proof.
    if content.ok().as_deref() != encoded.get(..encoded.len() - 1 - expected.proof.len()) {
        finding(target, "another content than the request's", Shown(&encoded));
    }
    let zeros = if platform == Platform::Android { 16 } else { 0 };
    let key = format!("{}:{:0>zeros$}", platform.as_str(), expected.device_id);
    if judged.content.device_id.registry_key() != key {
        finding(target, "another key in the registry", key);
    }
    // The judge of a canonical encoding writes the body again and judges it: this covers the way through the own format too.
    match VALIDATOR.check_canonical(&encoded) {
        Err(Rejection { code, field }) => {
            finding(target, format_args!("refused as canonical encoding: {code} ({field})"), Shown(&encoded));
        }
        Ok(again) if again != *judged => {
            finding(target, "another request out of the canonical encoding", format_args!("{again:?}\n{judged:?}"));
        }
        Ok(_) => {}
    }
}

/// Bytes as people can read them.
pub struct Shown<'a>(pub &'a [u8]);

impl std::fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.0.escape_ascii())
    }
}

/// The code, as the second validator spells it; `ok` if there is none.
#[must_use]
pub fn verdict<T>(judged: &Result<T, Rejection>) -> &'static str {
    judged.as_ref().map_or_else(|rejection| rejection.code.as_str(), |_| "ok")
}
