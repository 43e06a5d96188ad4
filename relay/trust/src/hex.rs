//! Hexadecimal, as people paste it: both cases in, lower case out.

/// The lower-case hexadecimal of `bytes`.
pub(crate) fn encode(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        text.push(char::from(DIGITS[usize::from(byte >> 4)]));
        text.push(char::from(DIGITS[usize::from(byte & 15)]));
    }
    text
}

/// The upper-case hexadecimal of `bytes` with a colon between every two digits.
pub(crate) fn with_colons(bytes: &[u8]) -> String {
    let digits = encode(bytes).to_uppercase();
    let mut text = String::with_capacity(bytes.len() * 3);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && place % 2 == 0 {
            text.push(':');
        }
        text.push(digit);
    }
    text
}

/// Hexadecimal digits of any whole number of bytes.
pub(crate) fn decode(text: &[u8]) -> Option<Vec<u8>> {
    let (pairs, rest) = text.as_chunks::<2>();
    let bytes = pairs.iter().map(|pair| Some((digit(pair[0])? << 4) | digit(pair[1])?));
    rest.is_empty().then(|| bytes.collect()).flatten()
}

/// Exactly 64 hexadecimal digits as 32 bytes; anything else is `None`.
pub(crate) fn decode_32(text: &[u8]) -> Option<[u8; 32]> {
    if text.len() != 64 {
        return None;
    }
    let mut bytes = [0; 32];
    for (byte, pair) in bytes.iter_mut().zip(text.chunks_exact(2)) {
        *byte = (digit(pair[0])? << 4) | digit(pair[1])?;
    }
    Some(bytes)
}

/// `AA:BB:...` with a colon between every two digits, as digits alone; `None` where the colons are elsewhere.
pub(crate) fn without_colons(text: &str) -> Option<String> {
    let mut digits = String::with_capacity(text.len());
    for pair in text.split(':') {
        if pair.len() != 2 || !pair.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return None;
        }
        digits.push_str(pair);
    }
    Some(digits)
}

fn digit(byte: u8) -> Option<u8> {
    match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        b'A'..=b'F' => Some(byte - b'A' + 10),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn round_trip_in_both_cases() {
        let bytes: [u8; 32] = std::array::from_fn(|i| u8::try_from(i * 7).unwrap());
        let text = encode(&bytes);
        assert_eq!(decode_32(text.as_bytes()), Some(bytes));
        assert_eq!(decode_32(text.to_uppercase().as_bytes()), Some(bytes));
        assert_eq!(decode_32(&text.as_bytes()[1..]), None);
        assert_eq!(decode_32(text.replace('0', "g").as_bytes()), None);
    }

    #[test]
    fn colons_stand_between_pairs_only() {
        assert_eq!(without_colons("AA:0b"), Some("AA0b".to_owned()));
        for wrong in ["AA:", ":AA", "A:AB", "AAB:B", "AA::BB", "AA:xx"] {
            assert_eq!(without_colons(wrong), None, "{wrong}");
        }
    }
}
