//! FORMATS §2 and §3: absolute paths.

use super::{Group, list, long, wide};
use crate::doc::Platform;

/// The longest path in bytes.
const fn posix_max(platform: Platform) -> usize {
    if matches!(platform, Platform::Linux) { 4095 } else { 1023 }
}

/// Good paths, plain.
pub(super) fn good(platform: Platform) -> Vec<Group> {
    let max = posix_max(platform);
    let mut groups = vec![
        list(
            "/ ¦ /a ¦ /home/ana/caf\u{e9} ¦ /Users/ana/Cafe\u{301}/notes:2026.txt ¦ /100% done ¦ /a b ¦ \
             /\u{FEFF} ¦ /... ¦ /.a ¦ /..a ¦ /a./b.. ¦ /  ¦ /a\\b ¦ /%41 ¦ /&<>\"' ¦ /\u{85} ¦ /a\u{FFFD}",
        ),
        wide("/", &[1, 254, 255]),
        vec![long("/", "/", "y", max), long("/", "/", "y", max - 1), long("/", "/", "\u{e9}", max)],
    ];
    if platform == Platform::Linux {
        let raw: [&[u8]; 10] = [
            b"/caf\xE9",
            b"/\xFF\xFE",
            b"/\x01\x1f\x7f",
            b"/a\nb",
            b"/\xC0\xAF",
            b"/\xED\xA0\x80",
            b"/%",
            b"/\t",
            b"/ !~",
            b"/\x80\x21\x7E\x20",
        ];
        groups.push(raw.map(<[u8]>::to_vec).to_vec());
    }
    groups
}

/// Near misses, plain.
pub(super) fn near(platform: Platform) -> Vec<Group> {
    let max = posix_max(platform);
    let raw: [&[u8]; 14] = [
        b"/\0", b"/a\0b", b"/\x01", b"/\x1f", b"/\x7f", b"/a\n", b"/a/\0/b", b"a/b", b"~/a", b"//a", b"/a//b", b"/a/",
        b"/a/b/", b" /a",
    ];
    vec![
        raw.map(<[u8]>::to_vec).to_vec(),
        wide("/", &[256, 257, 511]),
        vec![
            long("/", "/", "y", max + 1),
            long("/", "/", "y", max + 2),
            long("/", "/", "\u{e9}", max + 1),
            long("/", "/", "y", 1024),
            long("/", "/", "y", 4096),
        ],
    ]
}
