//! The container: what stands around and between the fields, changed on the written body.

use fastrand::Rng;

use crate::doc::Platform;

/// One change of `body`.
pub fn change(platform: Platform, body: &mut Vec<u8>, chance: &mut Rng) {
    match chance.u8(..5) {
        0 => ends(body, chance),
        _ => match platform {
            Platform::Windows => windows(body, chance),
            Platform::MacOs | Platform::WindowsPhone => markup(body, chance),
            Platform::Linux => lines(body, chance),
            Platform::Ios => json(body, chance),
            Platform::Android => form(body, chance),
        },
    }
}

/// White space where the format allows it, so that the body means the same; only some formats have any.
pub fn space(platform: Platform, body: &mut Vec<u8>, chance: &mut Rng) {
    let space: &[u8] = [&b" "[..], b"\n", b"\t", b"\r\n", b"  \n\t"][chance.usize(..5)];
    let places = match platform {
        Platform::MacOs | Platform::WindowsPhone => gaps(body),
        Platform::Ios => structural(body),
        Platform::Windows | Platform::Linux | Platform::Android => return,
    };
    if let Some(at) = chance.choice(places) {
        put(body, at, 0, space);
    }
}

fn put(body: &mut Vec<u8>, at: usize, taken: usize, bytes: &[u8]) {
    let at = at.min(body.len());
    let end = (at + taken).min(body.len());
    body.splice(at..end, bytes.iter().copied());
}

fn one_of<'a>(of: &[&'a [u8]], chance: &mut Rng) -> &'a [u8] {
    of[chance.usize(..of.len())]
}

/// More or fewer bytes at either end.
fn ends(body: &mut Vec<u8>, chance: &mut Rng) {
    match chance.u8(..6) {
        0 => body.truncate(body.len().saturating_sub(1 + chance.usize(..3))),
        1 => body.truncate(chance.usize(..=body.len())),
        2 => body.extend_from_slice(one_of(
            &[b"\n", b" ", b"\0", b"\r\n", b"x", b"\t", b"&", b"<", b"{}", b"END\n", b"\xEF\xBB\xBF"],
            chance,
        )),
        3 => put(body, 0, 0, one_of(&[b"\xEF\xBB\xBF", b" ", b"\n", b"\0", b"\xFF\xFE", b"x", b"\t"], chance)),
        4 => put(body, 0, 1, b""),
        _ => {
            let from = body.len().saturating_sub(1 + chance.usize(..40));
            let tail = body[from..].to_vec();
            body.extend_from_slice(&tail);
        }
    }
}

/// The places of the length of each field.
fn lengths(body: &[u8]) -> Vec<usize> {
    let mut places = Vec::new();
    let mut at = 2;
    while let Some([_, _, low, high]) = body.get(at..at + 4) {
        places.push(at + 2);
        at += 4 + usize::from(u16::from_le_bytes([*low, *high]));
    }
    places
}

fn windows(body: &mut Vec<u8>, chance: &mut Rng) {
    let places = lengths(body);
    let last = places.last().copied().unwrap_or(0);
    let any = chance.choice(&places).copied().unwrap_or(0);
    let (at, step) = match chance.u8(..8) {
        // The count: one off, and off by what a narrow counter would not see.
        0 => (0, [1, u16::MAX, 256, 0x8000, 2][chance.usize(..5)]),
        1 => (any, [1, u16::MAX, 2, u16::MAX - 1, 256, 0x8000, 4][chance.usize(..7)]),
        // The last value shorter than said, longer than said, and bytes behind it.
        2 => (last, [1, u16::MAX, 2, 256, 0x8000][chance.usize(..5)]),
        3 => return body.extend_from_slice(&[0; 4][..chance.usize(1..=4)]),
        4 => return put(body, any.saturating_sub(2), 0, &[0x13, 0, 0, 0]),
        5 => return body.truncate(last + chance.usize(..3)),
        6 => return put(body, any + 2, 2, b""),
        _ => return put(body, any, 2, b"\xFF\xFF"),
    };
    if let Some([low, high]) = body.get(at..at + 2).map(|pair| [pair[0], pair[1]]) {
        let changed = u16::from_le_bytes([low, high]).wrapping_add(step).to_le_bytes();
        put(body, at, 2, &changed);
    }
}

/// Places directly behind a `>` or before a `<`.
fn gaps(body: &[u8]) -> Vec<usize> {
    // Where a tag follows a tag: white space is free there unless the element holds text.
    body.windows(2).enumerate().filter(|(_, pair)| pair == b"><").map(|(at, _)| at + 1).collect()
}

fn markup(body: &mut Vec<u8>, chance: &mut Rng) {
    let gaps = gaps(body);
    let gap = chance.choice(&gaps).copied().unwrap_or(body.len());
    let tags: Vec<usize> = body.iter().enumerate().filter(|(_, byte)| **byte == b'<').map(|(at, _)| at).collect();
    let tag = chance.choice(&tags).copied().unwrap_or(0);
    let tag_end = body[tag..].iter().position(|byte| *byte == b'>').map_or(body.len(), |at| tag + at);
    match chance.u8(..16) {
        0 => put(
            body,
            gap,
            0,
            one_of(&[b"<!-- note -->", b"<!---->", b"<?x?>", b"<![CDATA[]]>", b"<![CDATA[ ]]>"], chance),
        ),
        1 => put(
            body,
            gap,
            0,
            one_of(
                &[b"x", b"\xC2\xA0", b"\xC2\x85", b"\x0b", b"&#32;", b"&amp;", b"\xE2\x80\xA8", b"\xEF\xBB\xBF"],
                chance,
            ),
        ),
        2 => put(body, tag_end, 0, one_of(&[b" ", b"\n", b" x=\"\"", b"/", b" xml:space=\"preserve\""], chance)),
        3 => put(body, tag + 1, 0, one_of(&[b" ", b"x", b"/", b"a:", b"!"], chance)),
        4 => put(body, tag, tag_end + 1 - tag, b""),
        5 => {
            let again = body[tag..(tag_end + 1).min(body.len())].to_vec();
            put(body, tag, 0, &again);
        }
        6 => put(body, tag + 1, 1, &[body.get(tag + 1).copied().unwrap_or_default() ^ 0x20]),
        7 => prolog(body, chance),
        8 => swap_elements(body, &tags, chance),
        9 => replace(
            body,
            &[
                (b"/>", b" />"),
                (b"<true/>", b"<true></true>"),
                (b"<Final/>", b"<Final></Final>"),
                (b"<Final/>", b"<Final> </Final>"),
                (b"<true/>", b"<true> </true>"),
                (b"<Final/>", b""),
                (b"<Final/>", b"<Final/><Final/>"),
            ],
            chance,
        ),
        10 => replace(
            body,
            &[
                (b"<dict>", b"<dict><dict>"),
                (b"</dict>", b"</dict></dict>"),
                (b"</dict>", b"</dict><dict/>"),
                (b"<array>", b"<array><string/>"),
                (b"</plist>", b"</plist><plist version=\"1.0\"/>"),
                (b"version=\"1.0\"><", b"version=\"1.1\"><"),
            ],
            chance,
        ),
        11 => replace(
            body,
            &[
                (b">1.2<", b">1.1<"),
                (b">DM/1.2<", b">DM/1.1<"),
                (b">b64<", b">B64<"),
                (b">1201<", b">1200<"),
                (b"<CmdID>2<", b"<CmdID>3<"),
                (b"<CmdID>1<", b"<CmdID>01<"),
                (b">1201<", b"> 1201<"),
                (b"syncml:metinf", b"syncml:metinfo"),
                (b"auth-basic", b"auth-md5"),
            ],
            chance,
        ),
        12 => replace(
            body,
            &[
                (b"<Target>", b"<Target> "),
                (b"<Source><LocURI>", b"<Source><LocName/><LocURI>"),
                (b"<Meta>", b"<Meta/><Meta>"),
                (b"SYNCML1.2", b"SYNCML1.1"),
                (b"<Alert>", b"<Alert/><Alert>"),
                (b"</SyncHdr>", b"</SyncHdr><SyncHdr/>"),
            ],
            chance,
        ),
        13 => replace(
            body,
            &[
                (b"xmlns=\"", b"xmlns='"),
                (b" xmlns=", b"  xmlns="),
                (b" xmlns=", b" xmlns ="),
                (b" xmlns=\"syncml:metinf\"", b""),
                (b" version=\"1.0\">", b">"),
                (b"<plist version", b"<plist  version"),
            ],
            chance,
        ),
        14 => put(
            body,
            gap,
            0,
            one_of(
                &[
                    b"<key>",
                    b"<x/>",
                    b"</dict>",
                    b"<Item/>",
                    b"<Item></Item>",
                    b"<string>x</string>",
                    b"<true/>",
                    b"<Data/>",
                ],
                chance,
            ),
        ),
        _ => put(body, tag_end, 1, b""),
    }
}

/// Replaces the first place of one of these, or the last.
fn replace(body: &mut Vec<u8>, pairs: &[(&[u8], &[u8])], chance: &mut Rng) {
    let (from, to) = pairs[chance.usize(..pairs.len())];
    let at = if chance.bool() { crate::doc::find(body, from, 0) } else { crate::doc::rfind(body, from) };
    if let Some(at) = at {
        put(body, at, from.len(), to);
    }
}

fn prolog(body: &mut Vec<u8>, chance: &mut Rng) {
    replace(
        body,
        &[
            (b"UTF-8", b"utf-8"),
            (b"utf-8", b"UTF-8"),
            (b"UTF-8", b"UTF-16"),
            (b"?>", b" ?>"),
            (b"?>", b" standalone=\"yes\"?>"),
            (b"<?xml", b"<?XML"),
            (b"\"1.0\" encoding", b"'1.0' encoding"),
            (b"?>\n", b"?>"),
            (b"?>", b"?>\n"),
            (b"?>\n", b"?>\r\n"),
            (b".dtd\">", b".dtd\" [<!ENTITY x \"y\">]>"),
            (b".dtd\">\n", b".dtd\">"),
            (b"http:", b"https:"),
            (b"<!DOCTYPE", b"<!doctype"),
            (b"?>", b"?><!DOCTYPE SyncML>"),
            (b"?>", b"?><!-- -->"),
            (b"?>", b"?><?x?>"),
            (b"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n", b""),
            (b"?>", b"?> "),
            (b"PropertyList-1.0", b"PropertyList-1.1"),
            (b".dtd\">", b".dtd\">\n"),
            (b"<?xml version=\"1.0\" encoding=\"utf-8\"?>", b""),
            (b"\"1.0\"", b"\"1.1\""),
        ],
        chance,
    );
}

/// Swaps what stands between three tags by chance: elements out of order.
fn swap_elements(body: &mut [u8], tags: &[usize], chance: &mut Rng) {
    if tags.len() < 4 {
        return;
    }
    let first = chance.usize(..tags.len() - 2);
    let (start, middle, end) = (tags[first], tags[first + 1], tags[first + 2]);
    body[start..end].rotate_left(middle - start);
}

fn lines(body: &mut Vec<u8>, chance: &mut Rng) {
    let ends: Vec<usize> = body.iter().enumerate().filter(|(_, byte)| **byte == b'\n').map(|(at, _)| at).collect();
    let end = chance.choice(&ends).copied().unwrap_or(body.len());
    match chance.u8(..10) {
        0 => put(body, end, 0, b"\r"),
        1 => put(body, end, 1, one_of(&[b"\n\n", b"\r", b"", b"\n \n", b"\\n", b"\x0b", b" \n"], chance)),
        2 => replace(
            body,
            &[
                (b"EDGE-AGENT/1 ", b"EDGE-AGENT/1"),
                (b"EDGE-AGENT/1 ", b"EDGE-AGENT/1  "),
                (b"EDGE-AGENT/1", b"EDGE-AGENT/2"),
                (b"EDGE-AGENT/1", b"edge-agent/1"),
                (b"EDGE-AGENT/1", b"EDGE-AGENT/01"),
                (b"EDGE-AGENT/1", b"EDGE-AGENT/1.0"),
                (b"EDGE-AGENT/1 ", b"EDGE-AGENT/1\t"),
            ],
            chance,
        ),
        3 => replace(
            body,
            &[
                (b"\nEND\n", b"\nEND"),
                (b"\nEND\n", b"\n"),
                (b"\nEND\n", b"\nEND\nEND\n"),
                (b"\nEND\n", b"\nend\n"),
                (b"\nEND\n", b"\nEND \n"),
                (b"\nEND\n", b"\nEND=\n"),
                (b"\nEND\n", b"\nENDX\n"),
                (b"\nEND\n", b"END\n"),
                (b"\nEND\n", b"\n\nEND\n"),
                (b"\nEND\n", b"\nEND\n\n"),
            ],
            chance,
        ),
        4 => replace(
            body,
            &[(b"=", b" = "), (b"=", b""), (b"=", b"=="), (b"=", b":"), (b"_", b"-"), (b"=", b" ="), (b"=", b"= ")],
            chance,
        ),
        5 => put(
            body,
            end + 1,
            0,
            one_of(
                &[
                    b"END\n",
                    b"# x\n",
                    b"\n",
                    b"X=\n",
                    b"A=1\n",
                    b"ABCDEFGHIJKLMNOPQ=1\n",
                    b"AB=\n",
                    b"=1\n",
                    b"A1=2\n",
                    b"ABCDEFGHIJKLMNOP=1\n",
                    b"ab=1\n",
                    b"\t",
                ],
                chance,
            ),
        ),
        6 => put(body, end, 0, one_of(&[b" ", b"\t", b"\x7f", b"\x80", b"\0", b"\xC3\xA9", b"\x0c"], chance)),
        7 => {
            // Upper case, digits, and 16 and 17 letters in the first line.
            let word = one_of(
                &[
                    b"PING",
                    b"ping1",
                    b"abcdefghijklmnop",
                    b"abcdefghijklmnopq",
                    b"",
                    b"p ing",
                    b"Ping",
                    b"delete",
                    b"ping ",
                ],
                chance,
            );
            let line = ends.first().copied().unwrap_or(body.len());
            let start = 13.min(line);
            put(body, start, line - start, word);
        }
        8 => put(body, end + 1, 1, &[body.get(end + 1).copied().unwrap_or_default() ^ 0x20]),
        _ => put(body, end + 1, 1, b""),
    }
}

/// Places outside of texts where white space may stand.
fn structural(body: &[u8]) -> Vec<usize> {
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

fn json(body: &mut Vec<u8>, chance: &mut Rng) {
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

fn form(body: &mut Vec<u8>, chance: &mut Rng) {
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
