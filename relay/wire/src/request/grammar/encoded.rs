//! Hex, Base64 (RFC 4648) and percent, each read in its one canonical form; nonces and proofs.

use alloc::{string::String, vec::Vec};

use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};

use super::{format, length};
use crate::{error::Code, ids::Nonce};

const MASS_PREFIX: &str = "M1.";
const DEVICE_PREFIX: &str = "D1.";
const LOWER_HEX: &[u8; 16] = b"0123456789abcdef";
const UPPER_HEX: &[u8; 16] = b"0123456789ABCDEF";

/// What a byte that is not of the alphabet stands for in a table of [`values`].
const FOREIGN: u8 = 0xFF;
const BASE64: [u8; 256] = values(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/");
const BASE64_URL: [u8; 256] = values(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_");
const HEX_LOWER: [u8; 256] = values(LOWER_HEX);
const HEX_UPPER: [u8; 256] = values(UPPER_HEX);

#[allow(clippy::cast_possible_truncation, reason = "an alphabet has at most 64 characters")]
const fn values(alphabet: &[u8]) -> [u8; 256] {
    let mut table = [FOREIGN; 256];
    let mut at = 0;
    while at < alphabet.len() {
        table[alphabet[at] as usize] = at as u8;
        at += 1;
    }
    table
}

/// Fills `out` from Base64 characters without padding: exactly as many as `out` needs, unused bits zero.
fn base64_into(characters: &[u8], table: &[u8; 256], out: &mut [u8]) -> bool {
    if characters.len() != (out.len() * 8).div_ceil(6) {
        return false;
    }
    let mut foreign = 0;
    let mut unused = 0;
    for (group, bytes) in characters.chunks(4).zip(out.chunks_mut(3)) {
        let mut bits = 0;
        for at in 0..4 {
            let value = group.get(at).map_or(0, |character| table[usize::from(*character)]);
            foreign |= value & 0xC0;
            bits = bits << 6 | u32::from(value & 0x3F);
        }
        let [_, whole @ ..] = bits.to_be_bytes();
        for (at, value) in whole.into_iter().enumerate() {
            match bytes.get_mut(at) {
                Some(byte) => *byte = value,
                None => unused |= value,
            }
        }
    }
    foreign == 0 && unused == 0
}

/// Padded, canonical Base64 of exactly 16 bytes, not all zero (NONCE in base64): 24 characters.
pub(crate) fn nonce_base64(text: &str) -> Result<Nonce, Code> {
    length(text, 24, 24)?;
    let mut bytes = [0; 16];
    let characters = text.as_bytes().strip_suffix(b"==").ok_or(Code::Format)?;
    format(base64_into(characters, &BASE64, &mut bytes))?;
    Nonce::new(bytes).ok_or(Code::Format)
}

/// Padded, canonical Base64 of exactly 20 bytes, not all zero (Windows Phone's `DevId`): 28 characters.
pub(crate) fn base64_20(text: &str) -> Result<[u8; 20], Code> {
    length(text, 28, 28)?;
    let mut bytes = [0; 20];
    let characters = text.as_bytes().strip_suffix(b"=").ok_or(Code::Format)?;
    format(base64_into(characters, &BASE64, &mut bytes) && bytes != [0; 20])?;
    Ok(bytes)
}

/// NONCE in hex: 32, lower case, not all zero.
pub(crate) fn nonce_hex(text: &str) -> Result<Nonce, Code> {
    length(text, 32, 32)?;
    let bytes = hex_lower(text.as_bytes()).ok_or(Code::Format)?;
    Nonce::new(bytes).ok_or(Code::Format)
}

/// Exactly `N` bytes in lower-case hex.
pub(crate) fn hex_lower<const N: usize>(digits: &[u8]) -> Option<[u8; N]> {
    if digits.len() != 2 * N {
        return None;
    }
    let mut bytes = [0; N];
    let mut foreign = 0;
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
        let (high, low) = (HEX_LOWER[usize::from(pair[0])], HEX_LOWER[usize::from(pair[1])]);
        foreign |= (high | low) & 0xF0;
        *byte = high << 4 | low & 0x0F;
    }
    (foreign == 0).then_some(bytes)
}

/// MASS: 46, `M1.` and 43 characters of canonical base64url.
pub(crate) fn mass_proof(text: &str) -> Result<[u8; 32], Code> {
    proof(text, MASS_PREFIX, 46)
}

/// DEV: 89, `D1.` and 86 characters of canonical base64url.
pub(crate) fn device_proof(text: &str) -> Result<[u8; 64], Code> {
    proof(text, DEVICE_PREFIX, 89)
}

fn proof<const N: usize>(text: &str, prefix: &str, characters: usize) -> Result<[u8; N], Code> {
    length(text, characters, characters)?;
    let encoded = text.strip_prefix(prefix).ok_or(Code::Format)?;
    let mut bytes = [0; N];
    format(base64_into(encoded.as_bytes(), &BASE64_URL, &mut bytes))?;
    Ok(bytes)
}

/// Appends MASS.
pub(crate) fn push_mass_proof(proof: &[u8; 32], out: &mut String) {
    out.push_str(MASS_PREFIX);
    URL_SAFE_NO_PAD.encode_string(proof, out);
}

/// Appends DEV.
pub(crate) fn push_device_proof(proof: &[u8; 64], out: &mut String) {
    out.push_str(DEVICE_PREFIX);
    URL_SAFE_NO_PAD.encode_string(proof, out);
}

/// MASS as a text of its own.
pub(crate) fn mass_text(proof: &[u8; 32]) -> String {
    let mut text = String::with_capacity(46);
    push_mass_proof(proof, &mut text);
    text
}

/// DEV as a text of its own.
pub(crate) fn device_text(proof: &[u8; 64]) -> String {
    let mut text = String::with_capacity(89);
    push_device_proof(proof, &mut text);
    text
}

/// Appends padded Base64.
pub(crate) fn push_base64(bytes: &[u8], out: &mut String) {
    STANDARD.encode_string(bytes, out);
}

/// Appends lower-case hex.
pub(crate) fn push_hex_lower(bytes: &[u8], out: &mut String) {
    let digits = bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    out.extend(digits.map(|digit| char::from(LOWER_HEX[usize::from(digit)])));
}

/// Lower-case hex as a text of its own.
pub(crate) fn hex_text(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(2 * bytes.len());
    push_hex_lower(bytes, &mut text);
    text
}

/// The byte that two upper-case hex digits, those behind a `%`, stand for.
pub(crate) fn percent_value(digits: &[u8]) -> Option<u8> {
    let [high, low] = digits else { return None };
    let (high, low) = (HEX_UPPER[usize::from(*high)], HEX_UPPER[usize::from(*low)]);
    ((high | low) & 0xF0 == 0).then_some(high << 4 | low)
}

/// Appends `%XX`, upper case.
pub(crate) fn push_percent(byte: u8, out: &mut Vec<u8>) {
    out.extend_from_slice(&[b'%', UPPER_HEX[usize::from(byte >> 4)], UPPER_HEX[usize::from(byte & 15)]]);
}
