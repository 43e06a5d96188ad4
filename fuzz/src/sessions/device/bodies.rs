//! Request bodies in six formats, made from golden vectors by replacing the operation, the device id and the nonce in their text.

use std::sync::LazyLock;

/// The operations of §2.2.2, in this order.
pub(crate) const OPERATIONS: [&str; 6] = ["register", "auth", "backup", "restore", "ping", "sync"];
/// Spellings of device ids: the first two are other devices; on Android the third is the first without its leading zeros.
pub(crate) const IDS: usize = 5;

macro_rules! vectors {
    ($($platform:literal: $($refused:literal)*;)*) => {
        /// For each platform: ping, register, backup; and what is refused.
        const VECTORS: [([&[u8]; 3], [&[u8]; 5]); 6] = [$((
            [
                include_bytes!(concat!("../../../../relay/wire/vectors/", $platform, "/V1.ok")),
                include_bytes!(concat!("../../../../relay/wire/vectors/", $platform, "/V2.ok")),
                include_bytes!(concat!("../../../../relay/wire/vectors/", $platform, "/V3.ok")),
            ],
            [$(include_bytes!(concat!("../../../../relay/wire/vectors/", $platform, "/", $refused))),*],
        )),*];
    };
}

vectors! {
    "windows": "I1.E_LENGTH" "I2.E_ORDER" "I3.E_ENCODING" "I4.E_PATH" "I5.E_CONFLICT";
    "macos": "I1.E_SYNTAX" "I2.E_FORMAT" "I3.E_CONFLICT" "I4.E_ORDER" "I5.E_PATH";
    "linux": "I1.E_SYNTAX" "I2.E_FORMAT" "I3.E_LENGTH" "I4.E_ENCODING" "I5.E_RANGE";
    "ios": "I1.E_DUPLICATE" "I2.E_PATH" "I3.E_RANGE" "I4.E_FORMAT" "I5.E_UNKNOWN";
    "android": "I1.E_CONFLICT" "I2.E_ENCODING" "I3.E_FORMAT" "I4.E_PATH" "I5.E_MISSING";
    "wp": "I1.E_LENGTH" "I2.E_FORMAT" "I3.E_FORMAT" "I4.E_CONFLICT" "I5.E_SYNTAX";
}

/// The nonce of all vectors.
const NONCE: [u8; 16] =
    [0x78, 0x37, 0x7b, 0x52, 0x57, 0x57, 0xb4, 0x94, 0x42, 0x7f, 0x89, 0x01, 0x4f, 0x97, 0xd7, 0x99];

/// The device ids of the vectors, as they are spelled there, and what they are replaced by.
const ID_TEXTS: [(&[&str], [&str; IDS]); 6] = [
    (
        &["6f1c2b8e-93d4-4a57-b0c1-5e7d2f9a8b34"],
        [
            "6f1c2b8e-93d4-4a57-b0c1-5e7d2f9a8b34",
            "6f1c2b8e-93d4-4a57-b0c1-5e7d2f9a8b35",
            "7f1c2b8e-93d4-4a57-b0c1-5e7d2f9a8b34",
            "6f1c2b8e-93d4-4a57-b0c2-5e7d2f9a8b34",
            "6f1c2b8e-93d4-4a57-b0c1-5e7d2f9a8b43",
        ],
    ),
    (
        &["4C4C4544-0042-3510-8052-B4C04F4A5931"],
        [
            "4C4C4544-0042-3510-8052-B4C04F4A5931",
            "4C4C4544-0042-3510-8052-B4C04F4A5932",
            "5C4C4544-0042-3510-8052-B4C04F4A5931",
            "4C4C4544-0042-3510-8053-B4C04F4A5931",
            "4C4C4544-0042-3510-8052-B4C04F4A5913",
        ],
    ),
    (
        &["9d1f6e02b7c84a35b2e07d5c41f98a06"],
        [
            "9d1f6e02b7c84a35b2e07d5c41f98a06",
            "9d1f6e02b7c84a35b2e07d5c41f98a07",
            "0d1f6e02b7c84a35b2e07d5c41f98a06",
            "9d1f6e02b7c84a35b2e17d5c41f98a06",
            "9d1f6e02b7c84a35b2e07d5c41f98a60",
        ],
    ),
    (
        &["6FB6DCDD-6CC1-46A7-B206-8AFAE050CE89"],
        [
            "6FB6DCDD-6CC1-46A7-B206-8AFAE050CE89",
            "6FB6DCDD-6CC1-46A7-B206-8AFAE050CE88",
            "7FB6DCDD-6CC1-46A7-B206-8AFAE050CE89",
            "6FB6DCDD-6CC1-46A7-B207-8AFAE050CE89",
            "6FB6DCDD-6CC1-46A7-B206-8AFAE050CE98",
        ],
    ),
    (
        &["3f5a9c01d27be864", "b2f90d4e71c3a8"],
        ["00c1d27be8643f5a", "00c1d27be8643f5b", "c1d27be8643f5a", "1c1d27be8643f5a", "c1d27be8643f5a00"],
    ),
    (
        &["37E0D3E1C4C93A6FB1F08E989B0281E8A6C04482"],
        [
            "37E0D3E1C4C93A6FB1F08E989B0281E8A6C04482",
            "37E0D3E1C4C93A6FB1F08E989B0281E8A6C04483",
            "47E0D3E1C4C93A6FB1F08E989B0281E8A6C04482",
            "37E0D3E1C4C93A6FB1F18E989B0281E8A6C04482",
            "37E0D3E1C4C93A6FB1F08E989B0281E8A6C04428",
        ],
    ),
];

/// A body and where its nonce stands.
struct Template {
    bytes: Vec<u8>,
    nonce_at: usize,
}

static TEMPLATES: LazyLock<Vec<Template>> = LazyLock::new(|| {
    let each = |platform: u8| {
        (0..OPERATIONS.len()).flat_map(move |operation| (0..IDS).map(move |id| template(platform, operation, id)))
    };
    (1..=6).flat_map(each).collect()
});

/// A nonce of a number in 1..=255; two of them share all but one byte, the first or the last.
pub(crate) fn nonce(number: u8) -> [u8; 16] {
    let mut nonce = [0x11; 16];
    nonce[if number.is_multiple_of(2) { 15 } else { 0 }] = number;
    nonce
}

/// A valid body; the platform is 1..=6, the other numbers are places in their lists.
pub(crate) fn valid(platform: u8, operation: usize, id: usize, number: u8) -> Vec<u8> {
    let place = (usize::from(platform) - 1) * OPERATIONS.len() * IDS + operation * IDS + id;
    let template = &TEMPLATES[place];
    let mut body = template.bytes.clone();
    let spelled = spell(platform, nonce(number));
    body[template.nonce_at..template.nonce_at + spelled.len()].copy_from_slice(&spelled);
    body
}

/// A body longer than any other here, with blanks behind it: three of the formats allow them. The longest is as long as a body may be.
pub(crate) fn long(platform: u8, operation: usize, number: u8, which: usize) -> Vec<u8> {
    const LENGTHS: [usize; 6] = [4_084, 4_097, 8_193, 12_000, 16_383, 16_384];
    let mut body = valid(platform, operation, 0, number);
    body.resize(LENGTHS[which % LENGTHS.len()], b' ');
    body
}

/// A body that is refused, with a code of its own.
pub(crate) fn refused(platform: u8, which: usize) -> &'static [u8] {
    VECTORS[usize::from(platform) - 1].1[which % 5]
}

/// The nonce as the format spells it.
fn spell(platform: u8, nonce: [u8; 16]) -> Vec<u8> {
    match platform {
        1 => nonce.to_vec(),
        3 | 5 => hex(&nonce).into_bytes(),
        _ => base64(&nonce).into_bytes(),
    }
}

fn hex(bytes: &[u8]) -> String {
    let digit = |value: u8| char::from(b"0123456789abcdef"[usize::from(value)]);
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}

/// RFC 4648, section 4.
fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for three in bytes.chunks(3) {
        let group = three.iter().fold(0_usize, |sum, byte| sum << 8 | usize::from(*byte)) << (8 * (3 - three.len()));
        for place in 0..4 {
            let digit = char::from(DIGITS[group >> (18 - 6 * place) & 63]);
            text.push(if place <= three.len() { digit } else { '=' });
        }
    }
    text
}

fn template(platform: u8, operation: usize, id: usize) -> Template {
    let ([ping, register, backup], _) = VECTORS[usize::from(platform) - 1];
    let (from, was) = match OPERATIONS[operation] {
        "register" => (register, "register"),
        "auth" | "ping" => (ping, "ping"),
        _ => (backup, "backup"),
    };
    let mut bytes = with_operation(platform, from.to_vec(), was, operation);
    let (known, spelled) = ID_TEXTS[usize::from(platform) - 1];
    for old in known {
        bytes = replace(&bytes, &id_text(platform, old), &id_text(platform, spelled[id]));
        if platform == 6 {
            bytes = replace(&bytes, base64(&unhex(old)).as_bytes(), base64(&unhex(spelled[id])).as_bytes());
        }
    }
    let spelled = spell(platform, NONCE);
    let nonce_at = bytes.windows(spelled.len()).position(|window| window == spelled).unwrap_or(0);
    Template { bytes, nonce_at }
}

/// The body with another operation in the place of `was`.
fn with_operation(platform: u8, mut bytes: Vec<u8>, was: &str, operation: usize) -> Vec<u8> {
    let capital = |word: &str| match (platform, word) {
        (2, "auth") => "Authenticate".to_owned(),
        _ => word[..1].to_uppercase() + &word[1..],
    };
    let becomes = OPERATIONS[operation];
    match platform {
        // The count, then the tag 1 of two bytes.
        1 => {
            bytes[6] = u8::try_from(operation + 1).unwrap_or(0);
            bytes
        }
        2 | 6 => {
            let (open, close) = if platform == 2 { ("<string>", "</string>") } else { ("<Data>", "</Data>") };
            let tagged = |word: &str| format!("{open}{}{close}", capital(word)).into_bytes();
            replace(&bytes, &tagged(was), &tagged(becomes))
        }
        3 => replace(&bytes, format!("/1 {was}\n").as_bytes(), format!("/1 {becomes}\n").as_bytes()),
        4 => replace(&bytes, format!("\"op\":\"{was}\"").as_bytes(), format!("\"op\":\"{becomes}\"").as_bytes()),
        _ => replace(&bytes, format!("op={was}&").as_bytes(), format!("op={becomes}&").as_bytes()),
    }
}

fn id_text(platform: u8, id: &str) -> Vec<u8> {
    if platform == 1 { id.encode_utf16().flat_map(u16::to_le_bytes).collect() } else { id.as_bytes().to_vec() }
}

fn unhex(text: &str) -> Vec<u8> {
    (0..text.len() / 2).filter_map(|place| u8::from_str_radix(&text[2 * place..2 * place + 2], 16).ok()).collect()
}

/// The bytes with the first `old` in them replaced.
fn replace(bytes: &[u8], old: &[u8], new: &[u8]) -> Vec<u8> {
    match bytes.windows(old.len()).position(|window| window == old) {
        Some(place) => [&bytes[..place], new, &bytes[place + old.len()..]].concat(),
        None => bytes.to_vec(),
    }
}

#[cfg(test)]
mod tests {
    use relay_wire::{Platform, Validator};

    use super::*;

    #[test]
    fn every_body_is_what_it_is_called() {
        let validator = Validator::default();
        for platform in 1..=6_u8 {
            let named = Platform::from_number(platform).unwrap();
            for (place, operation) in OPERATIONS.iter().enumerate() {
                for id in 0..IDS {
                    for number in [1, 2, 20, 255] {
                        let body = valid(platform, place, id, number);
                        let request = validator
                            .check(named, &body)
                            .unwrap_or_else(|rejection| panic!("{named} {operation} {id}: {rejection}"));
                        assert_eq!(request.content.operation.name().as_str(), *operation);
                        assert_eq!(request.content.device_id.text(), ID_TEXTS[usize::from(platform) - 1].1[id]);
                        assert_eq!(*request.content.nonce.bytes(), nonce(number));
                    }
                }
            }
            for which in 0..5 {
                assert!(validator.check(named, refused(platform, which)).is_err());
            }
        }
    }
}
