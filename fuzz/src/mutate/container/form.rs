//! Android: pairs and what joins them.

use fastrand::Rng;

use super::{one_of, put, replace};

/// One change of a written body.
pub(super) fn change(body: &mut Vec<u8>, chance: &mut Rng) {
    let pairs: Vec<usize> = body.iter().enumerate().filter(|(_, byte)| **byte == b'&').map(|(at, _)| at).collect();
    let pair = chance.choice(&pairs).copied().unwrap_or(0);
    match chance.u8(..7) {
        0 => put(body, pair, 1, one_of(&[b"&&", b";", b"", b"&amp;", b"&=&", b"&x&", b"& ", b"&\n"], chance)),
        1 => replace(
            body,
            &[(b"=", b"=="), (b"=", b""), (b"=", b"%3D"), (b"=", b":"), (b"=", b"= "), (b"&", b"%26")],
            chance,
        ),
        2 => body.extend_from_slice(one_of(&[b"&", b"\n", b"&x=1", b"#", b"&op=ping", b"&uri=", b"&est=0"], chance)),
        3 => put(body, 0, 0, one_of(&[b"&", b"?", b"x=1&", b"\n"], chance)),
        4 => put(body, pair + 1, 1, &[body.get(pair + 1).copied().unwrap_or_default() ^ 0x20]),
        5 => put(
            body,
            pair + 1,
            0,
            one_of(
                &[
                    b"%6F",
                    b"_",
                    b"1",
                    b"abcdefghijklm=1&",
                    b"a=1&",
                    b"ab=1&",
                    b"abcdefghijkl=1&",
                    b"%61b=1&",
                    b"Ab=1&",
                    b"a1=2&",
                ],
                chance,
            ),
        ),
        _ => put(body, pair, 0, one_of(&[b"\x7f", b"\x80", b"\0", b" ", b"\t", b"\r", b"\"", b"<"], chance)),
    }
}
