//! FORMATS §6: the app's folder.

use super::{Group, list, long, reserved, texts};

/// Good paths, plain.
pub(super) fn good() -> Vec<Group> {
    let root = "ms-appdata:///local/";
    let x = |count: usize| "x".repeat(count);
    vec![
        list(
            "isostore:/a ¦ isostore:/Shared/Notes & lists/a.txt ¦ ms-appdata:///local/b/c ¦ isostore:/CONX ¦ \
             isostore:/COM0 ¦ isostore:/a b ¦ isostore:/.a ¦ isostore:/..a ¦ ms-appdata:///local/caf\u{e9} ¦ \
             isostore:/ a ¦ isostore:/\u{1F600} ¦ isostore:/a\u{7f} ¦ isostore:/a\u{85} ¦ isostore:/NULL ¦ \
             isostore:/a&b ¦ isostore:/LPT10 ¦ isostore:/%41 ¦ isostore:/a'b ¦ isostore:/aux_ ¦ isostore:/xaux",
        ),
        vec![
            format!("isostore:/{}", x(248)).into_bytes(),
            format!("isostore:/{}", x(247)).into_bytes(),
            long("isostore:/", "/", "y", 259),
            long("isostore:/", "/", "y", 258),
            long(root, "/", "y", 259),
            long("isostore:/", "/", "\u{20ac}", 259),
            format!("isostore:/{}", "\u{1F600}".repeat(124)).into_bytes(),
            format!("isostore:/{}/a", x(200)).into_bytes(),
        ],
    ]
}

/// Near misses, plain.
pub(super) fn near() -> Vec<Group> {
    let x = |count: usize| "x".repeat(count);
    let forms = texts(
        "isostore:/{} ¦ isostore:/{}.txt ¦ isostore:/a/{}/b ¦ ms-appdata:///local/{} .x ¦ isostore:/{}.. ¦ isostore:/{}.a.b ¦ \
         ms-appdata:///local/a/{}",
    );
    let reserved = reserved(forms);
    let mut characters = Group::new();
    for odd in ["<", ">", ":", "\"", "/", "?", "*", "|", "\\", "\t", "\n", " ", ".", "\u{1}"] {
        characters.push(format!("isostore:/a{odd}").into_bytes());
        characters.push(format!("isostore:/a{odd}/b").into_bytes());
        characters.push(format!("ms-appdata:///local/{odd}a").into_bytes());
    }
    vec![
        list(
            "isostore:/ ¦ isostore: ¦ isostore:a ¦ isostore://a ¦ isostore:///a ¦ Isostore:/a ¦ isostore:\\a ¦ \
             ms-appdata:///local/ ¦ ms-appdata:///local ¦ ms-appdata:///roaming/a ¦ ms-appdata:/local/a ¦ \
             ms-appdata://local/a ¦ ms-appdata:///Local/a ¦ MS-APPDATA:///local/a ¦ ms-appdata:///localx/a ¦ \
             isostore:/a//b ¦ isostore:/a/ ¦ appdata:/a ¦ file:///a ¦ isostore:/C:\\a ¦ \
             ms-appdata:///local//a ¦ ms-appdata:////local/a ¦ isostore:/a/b/ ¦ /a ¦ isostor:/a ¦ \
             ms-appdata:///temp/a ¦ isostore:/../a ¦ ms-appdata:///local/../roaming/a ¦  isostore:/a",
        ),
        reserved,
        characters,
        vec![
            long("isostore:/", "/", "y", 260),
            long("isostore:/", "/", "y", 261),
            long("ms-appdata:///local/", "/", "y", 260),
            long("isostore:/", "/", "\u{20ac}", 260),
            format!("isostore:/{}", x(249)).into_bytes(),
            format!("isostore:/{}", "\u{1F600}".repeat(125)).into_bytes(),
            format!("isostore:/{}", x(256)).into_bytes(),
            format!("isostore:/{}x", "\u{1F600}".repeat(124)).into_bytes(),
        ],
    ]
}
