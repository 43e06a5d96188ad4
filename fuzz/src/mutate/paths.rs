//! Paths of each platform: good ones at every bound, and near misses.

use super::{texts::oddities, values::Group};
use crate::doc::{Platform, escape::percent};

/// Good paths, plain.
pub(super) fn good(platform: Platform) -> Vec<Group> {
    match platform {
        Platform::Windows => windows_good(),
        Platform::MacOs | Platform::Linux => posix_good(platform),
        Platform::Ios => ios_good(),
        Platform::Android => android_good(),
        Platform::WindowsPhone => phone_good(),
    }
}

/// Near misses, plain.
pub(super) fn near(platform: Platform) -> Vec<Group> {
    let mut groups = match platform {
        Platform::Windows => windows_near(),
        Platform::MacOs | Platform::Linux => posix_near(platform),
        Platform::Ios => ios_near(),
        Platform::Android => android_near(),
        Platform::WindowsPhone => phone_near(),
    };
    let (root, separator) = root(platform);
    groups.push(oddities().iter().map(|odd| [root.as_bytes(), b"a", odd, b"b"].concat()).collect());
    groups.push(oddities().iter().map(|odd| [root.as_bytes(), odd].concat()).collect());
    groups.push(dots(root, separator));
    groups.push(vec![
        b"".to_vec(),
        b"/".to_vec(),
        b"\\".to_vec(),
        b"a".to_vec(),
        b".".to_vec(),
        b"..".to_vec(),
        b"//".to_vec(),
    ]);
    groups
}

/// What components may follow, and what joins them.
const fn root(platform: Platform) -> (&'static str, &'static str) {
    match platform {
        Platform::Windows => ("C:\\", "\\"),
        Platform::MacOs | Platform::Linux => ("/", "/"),
        Platform::Ios => ("file:Documents/", "/"),
        Platform::Android => ("/storage/emulated/0/", "/"),
        Platform::WindowsPhone => ("isostore:/", "/"),
    }
}

fn bytes<const N: usize>(texts: [&str; N]) -> Group {
    texts.iter().map(|text| text.as_bytes().to_vec()).collect()
}

/// Components that are dots, in every place, and ones that only look so.
fn dots(root: &str, separator: &str) -> Group {
    let mut group = Group::new();
    for component in
        [".", "..", "", "...", ". ", " .", ".. ", "..a", ".a", "a.", "a..", "%2e%2e", "\u{2024}\u{2024}", "..\0", "\t"]
    {
        group.push(format!("{root}{component}").into_bytes());
        group.push(format!("{root}a{separator}{component}").into_bytes());
        group.push(format!("{root}{component}{separator}a").into_bytes());
        group.push(format!("{root}a{separator}{component}{separator}b{separator}c").into_bytes());
    }
    group
}

/// `root` and components, `length` units in all, none over 255.
fn long(root: &str, separator: &str, unit: &str, length: usize) -> Vec<u8> {
    let mut path = root.to_owned();
    let size = |text: &str| if unit.is_ascii() || unit.len() != 3 { text.len() } else { text.chars().count() };
    let mut component = 0;
    while size(&path) < length {
        let left = length - size(&path);
        if component + unit.len() > 250 && left > 1 {
            path.push_str(separator);
            component = 0;
        } else if size(unit) <= left {
            path.push_str(unit);
            component += unit.len();
        } else {
            path.push('x');
            component += 1;
        }
    }
    path.into_bytes()
}

/// Components of these lengths in bytes, out of these characters.
fn wide(root: &str, lengths: &[usize]) -> Group {
    let mut group = Group::new();
    for length in lengths {
        group.push(format!("{root}{}", "c".repeat(*length)).into_bytes());
        group.push(format!("{root}{}{}", "\u{e9}".repeat(length / 2), "x".repeat(length % 2)).into_bytes());
        group.push(format!("{root}{}{}", "\u{1F600}".repeat(length / 4), "x".repeat(length % 4)).into_bytes());
        group.push(format!("{root}{}/z", "c".repeat(*length)).into_bytes());
    }
    group
}

fn windows_good() -> Vec<Group> {
    let x = |count: usize| "x".repeat(count);
    vec![
        bytes([
            "C:\\",
            "z:\\",
            "A:\\a",
            "a:\\a",
            "Z:\\b",
            "C:\\Users\\Ana\\Documents",
            "\\\\server\\share",
            "\\\\s\\h\\",
            "\\\\s\\h\\a.b",
            "\\\\?\\C:\\",
            "\\\\?\\z:\\a",
            "\\\\?\\UNC\\s\\h",
            "\\\\?\\UNC\\s\\h\\",
            "\\\\?\\UNC\\nas01\\home$\\ana\\Gr\u{f6}\u{df}e",
            "\\\\_-9\\h",
            "\\\\0.a_b-c.\\h",
        ]),
        bytes([
            "\\\\?\\C:\\CON",
            "\\\\?\\C:\\CON.txt",
            "\\\\?\\C:\\aux.c",
            "\\\\?\\C:\\a ",
            "\\\\?\\C:\\a.",
            "\\\\?\\C:\\...",
            "\\\\?\\C:\\ ",
            "\\\\?\\UNC\\s\\NUL\\nul",
            "C:\\CONX",
            "C:\\xCON",
            "C:\\COM0",
            "C:\\COM10",
            "C:\\LPT0.a",
            "C:\\COM",
            "C:\\NULL",
            "C:\\PRN1",
            "C:\\aCON.txt",
            "C:\\ CON",
            "C:\\.CON",
            "C:\\COM\u{2074}",
            "C:\\LPT\u{b9}0",
            "C:\\con_",
            "C:\\a b",
            "C:\\ a",
            "C:\\.a",
            "C:\\..a",
            "C:\\a.b.c",
            "C:\\\u{1F600}",
            "C:\\a\u{7f}",
            "C:\\\u{85}",
            "C:\\a\u{FEFF}",
            "C:\\a%b&c;d",
            "C:\\CON1",
            "C:\\CONIN$",
            "C:\\COM1x",
        ]),
        vec![
            format!("C:\\{}", x(255)).into_bytes(),
            format!("C:\\{}", x(254)).into_bytes(),
            long("C:\\", "\\", "y", 259),
            long("C:\\", "\\", "y", 258),
            long("\\\\?\\C:\\", "\\", "y", 1024),
            long("\\\\?\\C:\\", "\\", "y", 1023),
            long("\\\\?\\C:\\", "\\", "y", 260),
            long("\\\\?\\UNC\\s\\h\\", "\\", "y", 1024),
            long("C:\\", "\\", "\u{20ac}", 259),
            format!("C:\\{}x", "\u{1F600}".repeat(127)).into_bytes(),
            format!("\\\\{}\\h", x(63)).into_bytes(),
            format!("\\\\s\\{}", x(80)).into_bytes(),
            format!("\\\\?\\UNC\\{}\\{}\\a", x(63), x(80)).into_bytes(),
            long("\\\\s\\h\\", "\\", "y", 259),
            format!("\\\\s\\{}", "\u{1F600}".repeat(40)).into_bytes(),
            format!("\\\\{}\\{}\\", x(63), x(80)).into_bytes(),
        ],
    ]
}

fn windows_near() -> Vec<Group> {
    let x = |count: usize| "x".repeat(count);
    let mut reserved = Group::new();
    for name in
        ["CON", "PRN", "AUX", "NUL", "COM1", "COM9", "LPT1", "LPT9", "COM\u{b9}", "COM\u{b2}", "LPT\u{b3}", "LPT\u{b2}"]
    {
        for form in [
            "C:\\{}",
            "C:\\{}.txt",
            "C:\\a\\{}\\b",
            "C:\\{} .x",
            "\\\\s\\{}",
            "\\\\s\\h\\{}",
            "C:\\{}.a.b",
            "C:\\{}  .",
            "C:\\{}..x",
            "C:\\{}.",
            "C:\\{} ",
        ] {
            reserved.push(form.replace("{}", name).into_bytes());
            reserved.push(form.replace("{}", &name.to_ascii_lowercase()).into_bytes());
        }
    }
    let mut characters = Group::new();
    for odd in ["<", ">", ":", "\"", "/", "?", "*", "|", "\\", "\0", "\u{1}", "\u{1f}", "\t", " ", ".", "\u{7f}"] {
        for form in [
            "C:\\a{}",
            "C:\\{}a",
            "C:\\a{}b\\c",
            "\\\\s\\h{}x",
            "\\\\s{}x\\h",
            "\\\\?\\C:\\a{}",
            "\\\\?\\C:\\a{}\\b",
            "\\\\s\\h\\a{}",
            "\\\\?\\UNC\\s\\h{}",
        ] {
            characters.push(form.replace("{}", odd).into_bytes());
        }
    }
    vec![
        bytes([
            "C:",
            "C:a",
            "c:/",
            "C:\\\\",
            "C:\\a\\",
            "C:\\a\\\\b",
            "1:\\",
            "\u{e9}:\\",
            "CC:\\",
            "@:\\",
            "[:\\",
            "`:\\a",
            "{:\\",
            "\\",
            "\\\\",
            "\\\\s",
            "\\\\s\\",
            "\\\\s\\\\h",
            "\\\\s\\h\\\\",
            "\\\\s\\h\\a\\",
            "\\\\.\\C:\\",
            "\\\\.\\pipe\\a",
            "\\\\?\\",
            "\\\\?\\C:",
            "\\\\?\\C:a",
            "\\\\?\\unc\\s\\h",
            "\\\\?\\Unc\\s\\h",
            "\\\\?\\UNC\\",
            "\\\\?\\UNC\\s",
            "\\\\?\\UNC\\s\\",
            "\\\\?\\UNCs\\h",
            "\\\\?\\Volume{b75e2c83-0000-0000-0000-602f00000000}\\",
            "\\??\\C:\\",
            "\\\\?\\\\C:\\",
            "\\\\?\\C:\\\\a",
            "\\\\?\\C:\\a\\",
            "//s/h",
            "//?/C:/",
            "\\\\?/C:\\",
            "/C:\\",
            "\\C:\\",
            "\\\\?\\GLOBALROOT\\a",
            "\\\\?\\UNC\\s\\h\\\\",
            "\\\\?\\UNC\\s\\h\\a\\",
            "\\\\?\\C:\\.",
            "\\\\?\\C:\\..",
            "\\\\?\\C:\\a\\..\\b",
            "\\\\?\\C:\\a\\.\\b",
            "\\\\?\\UNC\\s\\..\\a",
            "\\\\?\\UNC\\..\\h",
            "\\\\s\\..\\a",
            "\\\\..\\h",
            "\\\\.\\h",
            "\\\\s\\.",
            "\\\\?\\UNC\\s\\h\\..",
            "\\\\?\\UNC\\s\\h\\a\\.",
            "\\\\?\\C:\\a/b",
            "\\\\?\\1:\\",
            " C:\\",
            "C:\\ \\a",
            "C:\\a \\b",
            "C:\\a.\\b",
            "C:\\a .",
            "file:///C:/",
            "\\\\-s\\h",
            "\\\\.s\\h",
            "\\\\s h\\h",
            "\\\\s\u{e9}\\h",
            "UNC\\s\\h",
            "\\\\?\\UNC\\.s\\h",
            "\\\\?\\UNC\\?\\C:\\",
            "\\\\s:1\\h",
            "\\\\s@SSL\\h",
            "\\\\?\\C:\\a:b",
            "C:\\a:b",
            "C:\\a::$DATA",
            "\\\\?\\A",
            "AB",
        ]),
        reserved,
        characters,
        vec![
            format!("C:\\{}", x(256)).into_bytes(),
            long("C:\\", "\\", "y", 260),
            long("C:\\", "\\", "y", 261),
            long("\\\\?\\C:\\", "\\", "y", 1025),
            long("\\\\?\\UNC\\s\\h\\", "\\", "y", 1025),
            long("C:\\", "\\", "\u{20ac}", 260),
            format!("C:\\{}", "\u{1F600}".repeat(128)).into_bytes(),
            format!("\\\\{}\\h", x(64)).into_bytes(),
            format!("\\\\s\\{}", x(81)).into_bytes(),
            format!("\\\\?\\UNC\\{}\\h", x(64)).into_bytes(),
            format!("\\\\?\\UNC\\s\\{}", x(81)).into_bytes(),
            long("\\\\s\\h\\", "\\", "y", 260),
            format!("\\\\s\\{}x", "\u{1F600}".repeat(40)).into_bytes(),
            format!("\\\\?\\C:\\{}", x(256)).into_bytes(),
            format!("\\\\?\\C:\\{}", "\u{1F600}".repeat(128)).into_bytes(),
            format!("\\\\?\\C:\\{}\\a", x(511)).into_bytes(),
        ],
    ]
}

/// The longest path in bytes.
const fn posix_max(platform: Platform) -> usize {
    if matches!(platform, Platform::Linux) { 4095 } else { 1023 }
}

fn posix_good(platform: Platform) -> Vec<Group> {
    let max = posix_max(platform);
    let mut groups = vec![
        bytes([
            "/",
            "/a",
            "/home/ana/caf\u{e9}",
            "/Users/ana/Cafe\u{301}/notes:2026.txt",
            "/100% done",
            "/a b",
            "/\u{FEFF}",
            "/...",
            "/.a",
            "/..a",
            "/a./b..",
            "/ ",
            "/a\\b",
            "/%41",
            "/&<>\"'",
            "/\u{85}",
            "/a\u{FFFD}",
        ]),
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

fn posix_near(platform: Platform) -> Vec<Group> {
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

fn ios_good() -> Vec<Group> {
    let uuid = "B84E8479-475C-4727-A4A4-B77AA9980897";
    vec![
        bytes([
            "file:Documents/Reports/q2.pdf",
            "file:Library/a",
            "file:Documents/a",
            "file:Library/Caches2",
            "file:Library/caches",
            "file:Library/CachesX/a",
            "file:Library/a/Caches",
            "file:Documents/Caches/a",
            "file:Documents/Library/Caches",
            "file:Documents/...",
            "file:Documents/a:b",
            "file:Documents/caf\u{e9}\u{301}",
            "file:Documents/a\\b",
            "file:Documents/\u{FEFF}",
            "file:Documents/%2e%2e",
            "file:Documents/a\"b",
            "file:Library/Cache",
            "file:Library/Cachesa",
            "file:Library/ Caches",
            "file:Library/Caches ",
            "file:Documents/\u{85}",
        ]),
        vec![
            format!("photo:{uuid}/L0/001").into_bytes(),
            format!("photo:{uuid}/L0/000").into_bytes(),
            format!("photo:{uuid}/L0/999").into_bytes(),
            b"photo:00000000-0000-0000-0000-000000000000/L0/123".to_vec(),
        ],
        wide("file:Documents/", &[1, 254, 255]),
        vec![
            long("file:Documents/", "/", "y", 1023),
            long("file:Library/", "/", "y", 1022),
            long("file:Documents/", "/", "\u{e9}", 1023),
        ],
    ]
}

fn ios_near() -> Vec<Group> {
    let uuid = "B84E8479-475C-4727-A4A4-B77AA9980897";
    let photo = |text: &str| text.replace('U', uuid).into_bytes();
    vec![
        bytes([
            "file:Documents",
            "file:Documents/",
            "file:Library",
            "file:Library/",
            "file:Library/Caches",
            "file:Library/Caches/a",
            "file:Library/Caches/",
            "file:Library//Caches",
            "file:documents/a",
            "file:DOCUMENTS/a",
            "File:Documents/a",
            "file:/Documents/a",
            "file://Documents/a",
            "file:tmp/a",
            "file:Documentsx/a",
            "file:Documents\\a",
            "Documents/a",
            "file:",
            "file:Documents//a",
            "file:Documents/a/",
            "file:Documents/a\u{1}",
            "file:Documents/\u{7f}",
            "file:Documents/a\0",
            "file:Documents/../Library/Caches",
            "file:Library/./Caches",
            "file:Library/../Documents/a",
            "file: Documents/a",
            "file:Librar/a",
            "file:Library/Caches/a/b/c",
            "file:Document/a",
            "file:Documents/a\nb",
            "files:Documents/a",
            "file:/var/mobile/a",
        ]),
        [
            "photo:U/L0/01",
            "photo:U/L0/0001",
            "photo:U/L1/001",
            "photo:U/l0/001",
            "photo:U/L0/00a",
            "photo:U/L0/",
            "photo:U",
            "photo:U/L0/001/",
            "Photo:U/L0/001",
            "photo:U/L0/\u{ff11}23",
            "photo:/U/L0/001",
            "photo:U//L0/001",
            "photo:U/L0/001 ",
            "photo:U/L00/001",
            "photo:U/L0 /001",
        ]
        .map(photo)
        .to_vec(),
        vec![
            format!("photo:{}/L0/001", uuid.to_lowercase()).into_bytes(),
            format!("photo:{}/L0/001", &uuid[1..]).into_bytes(),
            format!("photo:{}/L0/001", uuid.replace('B', "G")).into_bytes(),
            format!("photo:{}/L0/001", uuid.replace('-', "")).into_bytes(),
            format!("photo:{}A/L0/001", uuid).into_bytes(),
            b"photo:B84E847-9475C-4727-A4A4-B77AA9980897/L0/001".to_vec(),
            b"photo:../L0/001".to_vec(),
        ],
        wide("file:Documents/", &[256, 257, 511]),
        vec![
            long("file:Documents/", "/", "y", 1024),
            long("file:Documents/", "/", "y", 1025),
            long("file:Documents/", "/", "\u{e9}", 1024),
        ],
    ]
}

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

fn android_good() -> Vec<Group> {
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
    let paths = bytes([
        "/storage/emulated/0",
        "/storage/emulated/0/a",
        "/storage/emulated/10/a",
        "/storage/emulated/999/a",
        "/storage/1A2B-3C4D",
        "/storage/1A2B-3C4D/Caf\u{e9}",
        "/storage/emulated/0/Android",
        "/storage/emulated/0/Android/media/x",
        "/storage/emulated/0/DCIM/Camera/IMG 1.jpg",
        "/storage/emulated/0/...",
        "/storage/emulated/0/a%b",
        "/storage/emulated/0/x/Android/data",
        "/storage/emulated/0/Android/databases",
        "/storage/emulated/0/\u{FEFF}",
        "/storage/emulated/0/a\u{85}",
        "/storage/emulated/0/Android/dat\u{e1}",
        "/storage/emulated/0/\u{c4}ndroid/data",
        "/storage/emulated/0/Android/obb2",
    ]);
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

fn android_near() -> Vec<Group> {
    let raw_tree = |text: &str| format!("{TREE}{text}").into_bytes();
    let media = bytes([
        "content://media/external/images/media/0",
        "content://media/external/images/media/01",
        "content://media/external/images/media/",
        "content://media/external/images/media",
        "content://media/external/images/18841/",
        "content://media/external/image/1",
        "content://media/internal/images/1",
        "content://media/External/images/1",
        "content://media/external/Images/1",
        "content://media/1A2B-3C4D/images/1",
        "content://media/1a2b3c4d/images/1",
        "content://media/1a2b-3c4/images/1",
        "content://media/external/images/media/10000000000000000000",
        "content://media/external/images/media/media/1",
        "content://media//external/images/1",
        "Content://media/external/images/1",
        "content:/media/external/images/1",
        "content://media/external/images/media/1a",
        "content://media/external_primary2/images/1",
        "content://media/external/files/1",
        "content://media/external/images/media/-1",
        "content://media/external/images/media/1?x",
        "content://media/external/images/../1",
        "content://medias/external/images/1",
        "content://media/g000-0000/file/1",
        "content://settings/secure/1",
        "content://media/external/images/media/99999999999999999999",
        "content://media/external/downloads/media/1/",
        "content://media/external/audio/media/18446744073709551617",
    ]);
    let trees = [
        "primary",
        "primary%3a",
        "primary:",
        "primary%3AA%2fB",
        "primary%3A%41",
        "primary%3AA/B",
        "primary%3A%2E%2E",
        "primary%3A.",
        "primary%3A..",
        "primary%3A..%2Fa",
        "primary%3Aa%2F..",
        "primary%3Aa%2F.",
        "primary%3A%2Fa",
        "primary%3Aa%2F",
        "primary%3Aa%2F%2Fb",
        "primary%3AAndroid%2Fdata",
        "primary%3Aandroid%2FDATA",
        "primary%3AAndroid%2Fobb%2Fx",
        "primary%3AANDROID%2Fobb",
        "primary%3AAndroid%2Fdata%2Forg.x",
        "Primary%3Aa",
        "home%3Aa",
        "1a2b-3c4d%3Aa",
        "1A2B3C4D%3Aa",
        "1A2B-3C4G%3Aa",
        "%3Aa",
        "primary%3Aa%3Ab",
        "primary%3Aa%00b",
        "primary%3Aa%2",
        "primary%3Aa%",
        "primary%3Aa%zz",
        "primary%3A%C3",
        "primary%3A%FF",
        "primary%3A%C0%AF",
        "primary%3A%ED%A0%80",
        "primary%3Aa+b",
        "primary%3Aa b",
        "primary%3Aa%22",
        "primary%3Aa%2A",
        "primary%3Aa%3C",
        "primary%3Aa%3E",
        "primary%3Aa%3F",
        "primary%3Aa%7C",
        "primary%3Aa%5C",
        "primary%3Aa%1F",
        "primary%3Aa%7F",
        "primary%3Aa%253A",
        "primary%3A%252E%252E",
        "primary%3Aa%7Eb",
        "primary%3A\u{e9}",
        "primary%3A%e9",
        "primary%3Aa%2Db",
        "primary%3AAndroid%2Fobb",
        "primary%3Aa/document/primary%3Aa",
        "primary%3Aa%2C",
        "1A2B-3C4D%3AAndroid%2Fdata",
        "1A2B-3C4D%3A..",
    ];
    let mut forbidden = Group::new();
    for odd in ["\"", "*", ":", "<", ">", "?", "|", "\\", "\0", "\u{1}", "\u{1f}", "\u{7f}", "\n"] {
        forbidden.push(format!("/storage/emulated/0/a{odd}b").into_bytes());
        forbidden.push(format!("/storage/emulated/0/a/{odd}").into_bytes());
        forbidden.push(format!("/storage/1A2B-3C4D/{odd}a/b").into_bytes());
        forbidden.push(tree("primary", &format!("a{odd}b")));
    }
    let storage = bytes([
        "/storage/emulated",
        "/storage/emulated/",
        "/storage/emulated/0/",
        "/storage/emulated/00/a",
        "/storage/emulated/01",
        "/storage/emulated/1000/a",
        "/storage/emulated/a/b",
        "/storage/emulated/-1/a",
        "/storage/1a2b-3c4d/a",
        "/storage/1A2B3C4D/a",
        "/storage/1A2B-3C4D/",
        "/storage/1A2B-3C4/a",
        "/storage/emulated/0//a",
        "/storage/emulated/0/a/",
        "/storage/emulated/0/a//b",
        "/storage/emulated/0/Android/data",
        "/storage/emulated/0/android/DATA/x",
        "/storage/emulated/0/Android/obb/x",
        "/storage/emulated/0/ANDROID/Obb",
        "/storage/1A2B-3C4D/Android/data/x",
        "/storage/self/primary/a",
        "/sdcard/a",
        "/data/data/com.example/a",
        "storage/emulated/0/a",
        "//storage/emulated/0/a",
        "/Storage/emulated/0/a",
        "/storage/emulated/0/../1/a",
        "/storage/emulated/0x/a",
        "/storage/emulated/ 0/a",
        "/storage/emulated/10/Android/data",
        "/storage/emulated/0/./Android/data",
        "/storage/emulated/0a",
        "/storage//emulated/0",
        "/storage/emulated/0 ",
        "/storage/emulated/+0/a",
        "/storage/1A2B-3C4G/a",
        "/storage/1A2B-3C4D5/a",
        "/storage/emulated/999/android/oBb/y",
    ]);
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
    vec![media, trees.map(raw_tree).to_vec(), forbidden, storage, wide(root, &[256, 257, 511]), too_long, wide_trees]
}

fn phone_good() -> Vec<Group> {
    let root = "ms-appdata:///local/";
    let x = |count: usize| "x".repeat(count);
    vec![
        bytes([
            "isostore:/a",
            "isostore:/Shared/Notes & lists/a.txt",
            "ms-appdata:///local/b/c",
            "isostore:/CONX",
            "isostore:/COM0",
            "isostore:/a b",
            "isostore:/.a",
            "isostore:/..a",
            "ms-appdata:///local/caf\u{e9}",
            "isostore:/ a",
            "isostore:/\u{1F600}",
            "isostore:/a\u{7f}",
            "isostore:/a\u{85}",
            "isostore:/NULL",
            "isostore:/a&b",
            "isostore:/LPT10",
            "isostore:/%41",
            "isostore:/a'b",
            "isostore:/aux_",
            "isostore:/xaux",
        ]),
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

fn phone_near() -> Vec<Group> {
    let x = |count: usize| "x".repeat(count);
    let mut reserved = Group::new();
    for name in ["CON", "PRN", "AUX", "NUL", "COM1", "COM9", "LPT1", "LPT9", "COM\u{b9}", "LPT\u{b3}", "COM\u{b2}"] {
        for form in [
            "isostore:/{}",
            "isostore:/{}.txt",
            "isostore:/a/{}/b",
            "ms-appdata:///local/{} .x",
            "isostore:/{}..",
            "isostore:/{}.a.b",
        ] {
            reserved.push(form.replace("{}", name).into_bytes());
            reserved.push(form.replace("{}", &name.to_ascii_lowercase()).into_bytes());
        }
    }
    let mut characters = Group::new();
    for odd in ["<", ">", ":", "\"", "/", "?", "*", "|", "\\", "\t", "\n", " ", ".", "\u{1}"] {
        characters.push(format!("isostore:/a{odd}").into_bytes());
        characters.push(format!("isostore:/a{odd}/b").into_bytes());
        characters.push(format!("ms-appdata:///local/{odd}a").into_bytes());
    }
    vec![
        bytes([
            "isostore:/",
            "isostore:",
            "isostore:a",
            "isostore://a",
            "isostore:///a",
            "Isostore:/a",
            "isostore:\\a",
            "ms-appdata:///local/",
            "ms-appdata:///local",
            "ms-appdata:///roaming/a",
            "ms-appdata:/local/a",
            "ms-appdata://local/a",
            "ms-appdata:///Local/a",
            "MS-APPDATA:///local/a",
            "ms-appdata:///localx/a",
            "isostore:/a//b",
            "isostore:/a/",
            "appdata:/a",
            "file:///a",
            "isostore:/C:\\a",
            "ms-appdata:///local//a",
            "ms-appdata:////local/a",
            "isostore:/a/b/",
            "/a",
            "isostor:/a",
            "ms-appdata:///temp/a",
            "isostore:/../a",
            "ms-appdata:///local/../roaming/a",
            " isostore:/a",
        ]),
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
