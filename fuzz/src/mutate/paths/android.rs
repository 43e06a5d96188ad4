//! FORMATS §5: media, trees, shared storage.

use super::{Group, list, long, texts, wide};
use crate::doc::escape::percent;

const TREE: &str = "content://com.android.externalstorage.documents/tree/";

/// A tree URI whose document is this path.
fn tree(volume: &str, path: &str) -> Vec<u8> {
    let mut uri = format!("{TREE}{volume}%3A").into_bytes();
    percent(
        path.as_bytes(),
        |byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~'),
        &mut uri,
    );
    uri
}

/// Good paths, plain.
pub(super) fn good() -> Vec<Group> {
    let mut media = Group::new();
    for volume in ["external", "external_primary", "1a2b-3c4d", "0000-ffff"] {
        for kind in ["images", "video", "audio", "downloads", "file"] {
            media.push(format!("content://media/{volume}/{kind}/media/18841").into_bytes());
            media.push(format!("content://media/{volume}/{kind}/1").into_bytes());
        }
    }
    media.push(b"content://media/external/file/9999999999999999999".to_vec());
    let trees = [
        "",
        "a",
        "DCIM/Camera",
        "caf\u{e9}",
        "Android",
        "Android/media",
        "android",
        "a b",
        "~",
        "%41",
        "Android/dat",
        "Android/datas/x",
        "x/Android/data",
        "Android/obbs",
        "a.b-c_d~e",
        "Android /data",
    ];
    let mut group: Group = trees.iter().map(|path| tree("primary", path)).collect();
    group.extend(["1A2B-3C4D", "0000-FFFF"].map(|volume| tree(volume, "DCIM")));
    let paths = list(
        "/storage/emulated/0 ¦ /storage/emulated/0/a ¦ /storage/emulated/10/a ¦ /storage/emulated/999/a ¦ \
             /storage/1A2B-3C4D ¦ /storage/1A2B-3C4D/Caf\u{e9} ¦ /storage/emulated/0/Android ¦ \
             /storage/emulated/0/Android/media/x ¦ /storage/emulated/0/DCIM/Camera/IMG 1.jpg ¦ \
             /storage/emulated/0/... ¦ /storage/emulated/0/a%b ¦ /storage/emulated/0/x/Android/data ¦ \
             /storage/emulated/0/Android/databases ¦ /storage/emulated/0/\u{FEFF} ¦ \
             /storage/emulated/0/a\u{85} ¦ /storage/emulated/0/Android/dat\u{e1} ¦ \
             /storage/emulated/0/\u{c4}ndroid/data ¦ /storage/emulated/0/Android/obb2",
    );
    let root = "/storage/emulated/0/";
    let longest_tree = |length: usize| {
        let fixed = tree("primary", "").len();
        // 250 units and an escaped separator of three.
        let mut path = String::new();
        let mut left = length - fixed;
        while left > 253 + 3 {
            path.push_str(&"t".repeat(250));
            path.push('/');
            left -= 253;
        }
        path.push_str(&"t".repeat(left));
        tree("primary", &path)
    };
    vec![
        media,
        group,
        paths,
        wide(root, &[1, 254, 255]),
        vec![
            long(root, "/", "y", 1023),
            long(root, "/", "y", 1022),
            long(root, "/", "\u{e9}", 1023),
            longest_tree(1024),
            longest_tree(1023),
        ],
        vec![
            tree("primary", &"t".repeat(255)),
            tree("primary", &"\u{e9}".repeat(127)),
            tree("primary", &"\u{1F600}".repeat(60)),
        ],
    ]
}

/// Near misses, plain.
pub(super) fn near() -> Vec<Group> {
    let raw_tree = |text: &str| format!("{TREE}{text}").into_bytes();
    let media = list(
        "content://media/external/images/media/0 ¦ content://media/external/images/media/01 ¦ \
             content://media/external/images/media/ ¦ content://media/external/images/media ¦ \
             content://media/external/images/18841/ ¦ content://media/external/image/1 ¦ \
             content://media/internal/images/1 ¦ content://media/External/images/1 ¦ \
             content://media/external/Images/1 ¦ content://media/1A2B-3C4D/images/1 ¦ \
             content://media/1a2b3c4d/images/1 ¦ content://media/1a2b-3c4/images/1 ¦ \
             content://media/external/images/media/10000000000000000000 ¦ \
             content://media/external/images/media/media/1 ¦ content://media//external/images/1 ¦ \
             Content://media/external/images/1 ¦ content:/media/external/images/1 ¦ \
             content://media/external/images/media/1a ¦ content://media/external_primary2/images/1 ¦ \
             content://media/external/files/1 ¦ content://media/external/images/media/-1 ¦ \
             content://media/external/images/media/1?x ¦ content://media/external/images/../1 ¦ \
             content://medias/external/images/1 ¦ content://media/g000-0000/file/1 ¦ \
             content://settings/secure/1 ¦ content://media/external/images/media/99999999999999999999 ¦ \
             content://media/external/downloads/media/1/ ¦ \
             content://media/external/audio/media/18446744073709551617",
    );
    let trees = texts(
        "primary ¦ primary%3a ¦ primary: ¦ primary%3AA%2fB ¦ primary%3A%41 ¦ primary%3AA/B ¦ primary%3A%2E%2E ¦ \
         primary%3A. ¦ primary%3A.. ¦ primary%3A..%2Fa ¦ primary%3Aa%2F.. ¦ primary%3Aa%2F. ¦ primary%3A%2Fa ¦ \
         primary%3Aa%2F ¦ primary%3Aa%2F%2Fb ¦ primary%3AAndroid%2Fdata ¦ primary%3Aandroid%2FDATA ¦ \
         primary%3AAndroid%2Fobb%2Fx ¦ primary%3AANDROID%2Fobb ¦ primary%3AAndroid%2Fdata%2Forg.x ¦ \
         Primary%3Aa ¦ home%3Aa ¦ 1a2b-3c4d%3Aa ¦ 1A2B3C4D%3Aa ¦ 1A2B-3C4G%3Aa ¦ %3Aa ¦ primary%3Aa%3Ab ¦ \
         primary%3Aa%00b ¦ primary%3Aa%2 ¦ primary%3Aa% ¦ primary%3Aa%zz ¦ primary%3A%C3 ¦ primary%3A%FF ¦ \
         primary%3A%C0%AF ¦ primary%3A%ED%A0%80 ¦ primary%3Aa+b ¦ primary%3Aa b ¦ primary%3Aa%22 ¦ \
         primary%3Aa%2A ¦ primary%3Aa%3C ¦ primary%3Aa%3E ¦ primary%3Aa%3F ¦ primary%3Aa%7C ¦ primary%3Aa%5C ¦ \
         primary%3Aa%1F ¦ primary%3Aa%7F ¦ primary%3Aa%253A ¦ primary%3A%252E%252E ¦ primary%3Aa%7Eb ¦ \
         primary%3A\u{e9} ¦ primary%3A%e9 ¦ primary%3Aa%2Db ¦ primary%3AAndroid%2Fobb ¦ \
         primary%3Aa/document/primary%3Aa ¦ primary%3Aa%2C ¦ 1A2B-3C4D%3AAndroid%2Fdata ¦ 1A2B-3C4D%3A..",
    );
    let mut forbidden = Group::new();
    for odd in ["\"", "*", ":", "<", ">", "?", "|", "\\", "\0", "\u{1}", "\u{1f}", "\u{7f}", "\n"] {
        forbidden.push(format!("/storage/emulated/0/a{odd}b").into_bytes());
        forbidden.push(format!("/storage/emulated/0/a/{odd}").into_bytes());
        forbidden.push(format!("/storage/1A2B-3C4D/{odd}a/b").into_bytes());
        forbidden.push(tree("primary", &format!("a{odd}b")));
    }
    let storage = list(
        "/storage/emulated ¦ /storage/emulated/ ¦ /storage/emulated/0/ ¦ /storage/emulated/00/a ¦ \
             /storage/emulated/01 ¦ /storage/emulated/1000/a ¦ /storage/emulated/a/b ¦ /storage/emulated/-1/a ¦ \
             /storage/1a2b-3c4d/a ¦ /storage/1A2B3C4D/a ¦ /storage/1A2B-3C4D/ ¦ /storage/1A2B-3C4/a ¦ \
             /storage/emulated/0//a ¦ /storage/emulated/0/a/ ¦ /storage/emulated/0/a//b ¦ \
             /storage/emulated/0/Android/data ¦ /storage/emulated/0/android/DATA/x ¦ \
             /storage/emulated/0/Android/obb/x ¦ /storage/emulated/0/ANDROID/Obb ¦ \
             /storage/1A2B-3C4D/Android/data/x ¦ /storage/self/primary/a ¦ /sdcard/a ¦ \
             /data/data/com.example/a ¦ storage/emulated/0/a ¦ //storage/emulated/0/a ¦ /Storage/emulated/0/a ¦ \
             /storage/emulated/0/../1/a ¦ /storage/emulated/0x/a ¦ /storage/emulated/ 0/a ¦ \
             /storage/emulated/10/Android/data ¦ /storage/emulated/0/./Android/data ¦ /storage/emulated/0a ¦ \
             /storage//emulated/0 ¦ /storage/emulated/0  ¦ /storage/emulated/+0/a ¦ /storage/1A2B-3C4G/a ¦ \
             /storage/1A2B-3C4D5/a ¦ /storage/emulated/999/android/oBb/y",
    );
    let root = "/storage/emulated/0/";
    let mut too_long = vec![
        long(root, "/", "y", 1024),
        long(root, "/", "y", 1025),
        long(root, "/", "\u{e9}", 1024),
        long(root, "/", "\u{e9}", 1025),
    ];
    for extra in 0..3 {
        let mut path = "t".repeat(250);
        while tree("primary", &path).len() < 1025 + extra {
            path.push_str(if path.rsplit('/').next().is_some_and(|last| last.len() > 240) { "/" } else { "t" });
        }
        too_long.push(tree("primary", &path));
    }
    let wide_trees = vec![
        tree("primary", &"t".repeat(256)),
        tree("primary", &"\u{e9}".repeat(128)),
        tree("primary", &format!("a/{}", "t".repeat(256))),
    ];
    vec![media, trees.map(raw_tree).collect(), forbidden, storage, wide(root, &[256, 257, 511]), too_long, wide_trees]
}
