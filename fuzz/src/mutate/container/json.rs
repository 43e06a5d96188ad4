//! iOS: white space, brackets, members.

use fastrand::Rng;

use super::{one_of, put, replace};

/// Places outside of texts where white space may stand.
pub(super) fn structural(body: &[u8]) -> Vec<usize> {
    let (mut places, mut in_text, mut at) = (vec![0, body.len()], false, 0);
    while let Some(byte) = body.get(at) {
        match byte {
            b'\\' if in_text => at += 1,
            b'"' => in_text = !in_text,
            b'{' | b'}' | b'[' | b']' | b',' | b':' if !in_text => places.extend([at, at + 1]),
            _ => {}
        }
        at += 1;
    }
    places
}

/// One change of a written body.
pub(super) fn change(body: &mut Vec<u8>, chance: &mut Rng) {
    let places = structural(body);
    let place = chance.choice(&places).copied().unwrap_or(0);
    match chance.u8(..9) {
        0 => put(body, place, 0, one_of(&[b" ", b"\n", b"\t", b"\r"], chance)),
        1 => put(
            body,
            place,
            0,
            one_of(&[b"\x0b", b"\x0c", b"\xC2\xA0", b"/**/", b"//\n", b"\xEF\xBB\xBF", b"\0", b"\xE2\x80\xA8"], chance),
        ),
        2 => put(body, place, 0, one_of(&[b",", b":", b"{", b"}", b"[", b"]", b"\"", b"x", b"null", b",,"], chance)),
        3 => put(body, place, 1, b""),
        4 => replace(
            body,
            &[
                (b"}", b",}"),
                (b"{", b"{,"),
                (b"]", b",]"),
                (b":", b"::"),
                (b"\":", b"\"="),
                (b"\"", b"'"),
                (b"}", b"}}"),
                (b"{", b"["),
            ],
            chance,
        ),
        5 => {
            *body = match chance.u8(..3) {
                0 => [b"[", body.as_slice(), b"]"].concat(),
                1 => [body.as_slice(), body.as_slice()].concat(),
                _ => [b"{\"x\":", body.as_slice(), b"}"].concat(),
            }
        }
        6 => {
            // A new member, with a name that is there already at this or another depth.
            let member = one_of(
                &[
                    b"\"op\":\"ping\",",
                    b"\"x\":{\"a\":1,\"a\":1},",
                    b"\"name\":\"iOS\",",
                    b"\"\":0,",
                    b"\"x\":[[[[[[[]]]]]]],",
                    b"\"x\":[[[[[[[[]]]]]]]],",
                    b"\"version\":\"1\",",
                    b"\"constrained\":true,",
                ],
                chance,
            );
            let opening: Vec<usize> =
                body.iter().enumerate().filter(|(_, byte)| **byte == b'{').map(|(at, _)| at + 1).collect();
            let at = chance.choice(&opening).copied().unwrap_or(0);
            put(body, at, 0, member);
        }
        7 => replace(
            body,
            &[
                (b"true", b"True"),
                (b"false", b"null"),
                (b"true", b"1"),
                (b"false", b"\"false\""),
                (b"true", b"tru"),
                (b"null", b"nul"),
                (b"true", b"truee"),
            ],
            chance,
        ),
        _ => put(body, place, 0, one_of(&[b"\"x\":1,", b",\"x\":1", b"\"op\":null,", b"{}", b"[]"], chance)),
    }
}
