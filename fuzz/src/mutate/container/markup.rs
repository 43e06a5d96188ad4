//! macOS and Windows Phone: tags, prolog, what stands between elements.

use fastrand::Rng;

use super::{one_of, put, replace};

/// Places directly behind a `>` or before a `<`.
pub(super) fn gaps(body: &[u8]) -> Vec<usize> {
    // Where a tag follows a tag: white space is free there unless the element holds text.
    body.windows(2).enumerate().filter(|(_, pair)| pair == b"><").map(|(at, _)| at + 1).collect()
}

/// One change of a written body.
pub(super) fn change(body: &mut Vec<u8>, chance: &mut Rng) {
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
