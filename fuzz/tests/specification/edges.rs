//! The "Edges" of each format, and what was decided where the text leaves room.

use fuzz::spec::Platform;

use crate::examples::{body, verdict};

/// The verdict on a valid example in which the only `from` is `to`.
fn with(platform: Platform, example: &str, from: &str, to: &str) -> &'static str {
    let body = body(platform, example);
    let places: Vec<usize> = (0..body.len()).filter(|place| body[*place..].starts_with(from.as_bytes())).collect();
    let [place] = places[..] else { panic!("{platform:?} {example}: {from} is there {} times", places.len()) };
    verdict(platform, &[&body[..place], to.as_bytes(), &body[place + from.len()..]].concat())
}

/// Rows of (verdict, example, from, to).
type Edges<'a> = &'a [(&'a str, &'a str, &'a str, &'a str)];

fn hold(platform: Platform, edges: Edges<'_>) {
    for (expected, example, from, to) in edges {
        assert_eq!(with(platform, example, from, to), *expected, "{platform:?} {example}: {from} -> {to}");
    }
}

/// The verdict on `V3` with these texts as the whole list of paths.
fn paths(platform: Platform, given: &str, good: &[&str], bad: &[&str]) {
    for path in good {
        assert_eq!(with(platform, "V3", given, path), "ok", "{platform:?} {path}");
    }
    for path in bad {
        assert_eq!(with(platform, "V3", given, path), "E_PATH", "{platform:?} {path}");
    }
}

#[test]
fn macos() {
    let long = format!("<string>{}</string>", "\u{1F600}".repeat(63));
    let name = "<string>Ana’s MacBook Pro</string>";
    hold(
        Platform::MacOs,
        &[
            ("ok", "V1", "<true/>", "<true></true>"),
            ("ok", "V1", "<dict>", " \n<dict>\t\r"),
            ("ok", "V1", "</plist>", "</plist>\n"),
            ("ok", "V1", name, &long),
            ("ok", "V1", "<plist ", " \n<plist "),
            ("E_SYNTAX", "V1", "<true/>", "<true> </true>"),
            ("E_SYNTAX", "V1", "<true/>", "<true />"),
            ("E_SYNTAX", "V1", "<integer>64</integer>", "<real>64</real>"),
            ("E_SYNTAX", "V1", "<key>AppBuild</key>", "<key>A</key><dict/><key>AppBuild</key>"),
            ("E_SYNTAX", "V1", "1182", "&#49;182"),
            ("E_SYNTAX", "V1", "1182", "<![CDATA[1182]]>"),
            ("E_SYNTAX", "V1", "<dict>", "<dict>\u{A0}"),
            ("E_SYNTAX", "V1", "1182", "]]>"),
            ("E_ENCODING", "V1", "1182", "\u{1}"),
            ("E_ENCODING", "V1", "1182", "\u{FFFF}"),
            ("E_ENCODING", "V1", "<?xml", "\u{FEFF}<?xml"),
            ("E_FORMAT", "V1", "<true/>", "<string>true</string>"),
            ("E_FORMAT", "V1", "<string>Ping</string>", "<string></string>"),
            ("E_FORMAT", "V1", name, "<string>Ana\u{A0}</string>"),
            ("E_FORMAT", "V1", "2026-05-14", "2026-02-30"),
            ("E_LENGTH", "V1", "1182", ""),
            ("E_LENGTH", "V1", "<integer>64", "<integer>1000"),
            ("E_RANGE", "V1", "<integer>64", "<integer>101"),
            ("E_RANGE", "V1", "2026-05-14", "0000-05-14"),
            ("E_CONFLICT", "V1", "<key>BatteryPercent</key><integer>64</integer>", ""),
            ("E_CONFLICT", "V1", "<true/>", "<true/><key>Paths</key><array/>"),
            ("E_SYNTAX", "V1", "<true/>", "<true/><key>Paths</key><array><integer>1</integer></array>"),
            ("ok", "V1", "<data>eDd7", "<data>\n\t eD \rd7"),
            ("E_LENGTH", "V1", "<data>eDd7", "<data>e"),
            ("E_FORMAT", "V1", "XmQ==</data>", "XmR==</data>"),
        ],
    );
    paths(
        Platform::MacOs,
        "/Users/ana/Cafe\u{301}/notes:2026.txt",
        &["/", "/a:b"],
        &["/a/", "", "a", "//", "/a/.", "/\u{7F}"],
    );
}

#[test]
fn linux() {
    let host = "web01.example.com";
    hold(
        Platform::Linux,
        &[
            ("E_SYNTAX", "V1", "\nEND\n", "\nEND"),
            ("E_SYNTAX", "V1", "POWER=ac\n", "POWER=ac\n\n"),
            ("E_SYNTAX", "V1", "POWER=ac\n", "POWER=a c\n"),
            ("E_SYNTAX", "V1", "ping", "PING"),
            ("E_FORMAT", "V1", "ping", "delete"),
            ("E_ENCODING", "V1", "POWER=ac", "POWER=\tac"),
            ("E_ENCODING", "V3", "PATH=/\n", "PATH=/%41\n"),
            ("E_ENCODING", "V3", "PATH=/\n", "PATH=/%e9\n"),
            ("E_ENCODING", "V3", "PATH=/\n", "PATH=/%2E%2E\n"),
            ("E_PATH", "V3", "PATH=/\n", "PATH=/%00\n"),
            ("E_PATH", "V3", "PATH=/\n", "PATH=/a/\n"),
            ("E_PATH", "V3", "PATH=/\n", "PATH=\n"),
            ("E_LENGTH", "V1", host, ""),
            ("ok", "V1", "ens3:ethernet:no", "w:wifi:no"),
            ("E_FORMAT", "V1", "AGENT=4.7.0", "AGENT=1.0.0-01"),
            ("E_FORMAT", "V1", "POWER=ac", "POWER=battery:101"),
            ("E_DUPLICATE", "V1", "HOSTNAME=", "MACHINE_ID=x\nMACHINE_ID=x\nHOSTNAME="),
            ("E_UNKNOWN", "V1", "HOSTNAME=", "HOST=x\nHOSTNAME="),
            ("ok", "V3", "PATH=/\n", "PATH=/%FF%25%0A\n"),
        ],
    );
}

#[test]
fn ios() {
    let long = format!("0.{}", "6".repeat(19));
    hold(
        Platform::Ios,
        &[
            ("ok", "V1", "0.62", "1.0"),
            ("ok", "V1", "0.62", "-1.0"),
            ("ok", "V3", "73400320", "1125899906842624"),
            ("ok", "V1", "\"iPhone\"", "\"\\ud83d\\udcf1\""),
            ("ok", "V1", "{\"op\"", " \r\n\t{ \"op\""),
            ("E_FORMAT", "V1", "0.62", "1e0"),
            ("E_FORMAT", "V1", "0.62", "-0"),
            ("E_FORMAT", "V1", "0.62", "\"1\""),
            ("E_FORMAT", "V3", "73400320", "1.0"),
            ("E_FORMAT", "V3", "73400320", "-1"),
            ("E_FORMAT", "V1", "\"deviceToken\"", "\"user\":null,\"deviceToken\""),
            ("E_FORMAT", "V1", "{\"name\":\"iOS\",\"version\":\"17.5\",\"build\":\"21F79\"}", "5"),
            ("E_FORMAT", "V1", "\"ping\"", "[[[[[[[]]]]]]]"),
            ("E_SYNTAX", "V1", "\"ping\"", "[[[[[[[[]]]]]]]]"),
            ("E_SYNTAX", "V1", "\"iPhone\"", "\"\\ud83d\""),
            ("E_SYNTAX", "V1", "0.62", "01"),
            ("E_FORMAT", "V1", "\"iPhone\"", "\"\\u0000\""),
            ("E_RANGE", "V1", "0.62", "-0.5"),
            ("E_RANGE", "V1", "0.62", "1.000000000000000001"),
            ("E_LENGTH", "V1", "0.62", &long),
            ("E_LENGTH", "V3", "73400320", "10000000000000000"),
            ("E_DUPLICATE", "V1", "\"ping\"", "{\"a\":1,\"a\":2}"),
            ("E_DUPLICATE", "V1", "\"op\":\"ping\"", "\"op\":\"ping\",\"\\u006fp\":\"ping\""),
            ("E_UNKNOWN", "V1", "\"op\":\"ping\"", "\"op\":\"ping\",\"op\":\"ping\",\"x\":1"),
            ("E_UNKNOWN", "V1", "\"locale\"", "\"system\":{\"x\":1},\"locale\""),
            ("E_UNKNOWN", "V1", "\"op\":\"ping\"", "\"op\":\"ping\",\"system.name\":\"iOS\""),
            ("E_MISSING", "V1", "{\"name\":\"iOS\",\"version\":\"17.5\",\"build\":\"21F79\"}", "{}"),
            ("E_CONFLICT", "V1", "\"op\":\"ping\"", "\"op\":\"ping\",\"items\":[]"),
            ("E_FORMAT", "V3", "[\"file", "[1,\"file"),
        ],
    );
    assert_eq!(verdict(Platform::Ios, b"[]"), "E_SYNTAX");
    paths(
        Platform::Ios,
        "file:Documents/Reports/q2.pdf",
        &["file:Library/caches", "file:Library/Cachesx/a"],
        &[
            "file:Library/Caches",
            "file:Library/Caches/a",
            "file:Documents",
            "file:Documents//a",
            "photo:x",
            "file:Documents/..",
        ],
    );
}

#[test]
fn android() {
    hold(
        Platform::Android,
        &[
            ("E_SYNTAX", "V1", "78377b525757b494427f89014f97d799", "78377b525757b494427f89014f97d799&"),
            ("E_SYNTAX", "V1", "=shiba", "=a=b"),
            ("E_ENCODING", "V1", "78377b525757b494427f89014f97d799", "78377b525757b494427f89014f97d799\n"),
            ("E_ENCODING", "V1", "=shiba", "=%c3%a9"),
            ("E_ENCODING", "V1", "=shiba", "=%41"),
            ("E_ENCODING", "V1", "=shiba", "=%FF"),
            ("E_ENCODING", "V1", "=shiba", "=~"),
            ("E_FORMAT", "V1", "=shiba", "=%C3%A9"),
            ("E_FORMAT", "V1", "op=ping", "op="),
            ("E_FORMAT", "V1", "2024-05-05", "2024-02-30"),
            ("E_LENGTH", "V1", "=shiba", "="),
            ("E_LENGTH", "V1", "sdk=34", "sdk=100"),
            ("E_RANGE", "V1", "sdk=34", "sdk=20"),
            ("E_RANGE", "V1", "battery=91", "battery=101"),
            ("E_CONFLICT", "V1", "&patch=2024-05-05", ""),
            ("ok", "V1", "release=14&sdk=34", "release=17&sdk=37"),
        ],
    );
    let encoded = |path: &str| path.replace('%', "%25").replace(':', "%3A").replace('/', "%2F");
    let tree = |document: &str| encoded(&format!("content://com.android.externalstorage.documents/tree/{document}"));
    let given = "%2Fstorage%2Femulated%2F0%2FDCIM%2FCamera%2FIMG+1.jpg";
    paths(
        Platform::Android,
        given,
        &[&encoded("/storage/emulated/0"), &tree("primary%3A"), &encoded("/storage/1A2B-3C4D/a")],
        &[
            &encoded("/storage/emulated/0/"),
            &encoded("/storage/emulated/0/android/DATA/x"),
            &encoded("/storage/emulated/1000/a"),
            &tree("primary%3A%2E%2E"),
            &tree("primary%3AA%2F%2FB"),
            &tree("primary%3AAndroid%2Fdata"),
            &tree("primary%3A%41"),
            &tree("primary%3Aa%2fb"),
        ],
    );
}

#[test]
fn windows_phone() {
    let cred = "RDEuVmZneTBXRW1IY2tFRG5yT1hDV05PSGp1cXVNZng1V2JmZ3RlR1dvbHllNHhId2hnSzJHNGlQd25PRGhOcUlqR2RaTTdrc3l4VmNPRGFRSWY5OFRNYXc6";
    let uncoloned = &cred[..cred.len() - 4].to_owned();
    let user = data_encoding::BASE64.decode(cred.as_bytes()).unwrap();
    let user = data_encoding::BASE64.encode(&[&user, &b"ana.lopez@example.com"[..]].concat());
    let item = |name: &str| format!("<Item><Source><LocURI>./DevInfo/{name}</LocURI></Source><Data>x</Data></Item>");
    let man = "<Item><Source><LocURI>./DevInfo/Man</LocURI>";
    let repeated = item("DevId") + man;
    let early = item("Mod") + man;
    hold(
        Platform::WindowsPhone,
        &[
            ("ok", "V1", "<Final/>", "<Final></Final>"),
            ("ok", "V1", "example.com/edge", "example.com:65535/edge"),
            ("E_SYNTAX", "V1", "<Final/>", "<Final> </Final>"),
            ("E_SYNTAX", "V1", "1201", "1200"),
            ("E_LENGTH", "V1", "<MsgID>1<", "<MsgID>1000<"),
            ("E_LENGTH", "V1", cred, "eDo="),
            ("E_LENGTH", "V1", cred, "Og=="),
            ("E_FORMAT", "V1", cred, ""),
            ("E_FORMAT", "V1", "NHhId2hnSzJHNGlQ", "AAAAAAAAAAAAAAA="),
            ("E_FORMAT", "V1", "<MsgID>1<", "<MsgID>0<"),
            ("E_FORMAT", "V1", "1.3", "1.4"),
            ("E_FORMAT", "V1", cred, uncoloned),
            ("E_RANGE", "V1", "example.com/edge", "example.com:65536/edge"),
            ("E_RANGE", "V1", "4.7.0.1182", "65536.0.0.0"),
            ("E_CONFLICT", "V1", cred, &user),
            ("E_DUPLICATE", "V1", man, &repeated),
            ("E_DUPLICATE", "V1", man, &early),
            ("E_ORDER", "V1", "./DevInfo/DmV", "./Edge/Node"),
            ("E_SYNTAX", "V1", "</Replace>", "<Item/></Replace>"),
            ("E_LENGTH", "V1", "en-US", "zh-Hans-CNN"),
            ("E_FORMAT", "V1", "N+DT4cTJOm+x8I6YmwKB6KbARII=", "N+DT4cTJOm+x8I6YmwKB6KbARIIA"),
            ("E_FORMAT", "V1", "N+DT4cTJOm+x8I6YmwKB6KbARII=", "N+DT4cTJOm+x8I6YmwKB6KbARI=="),
            ("E_UNKNOWN", "V1", "./DevInfo/Man", "Cred"),
        ],
    );
    paths(
        Platform::WindowsPhone,
        "isostore:/Shared/Notes &amp; lists/a.txt",
        &["isostore:/a", "ms-appdata:///local/a"],
        &["isostore:/aux.c", "isostore:/", "isostore:/a/", "isostore:/a\\b", "/a"],
    );
}

/// A Windows body of these fields.
fn windows_body(fields: &[(u16, Vec<u8>)]) -> Vec<u8> {
    let mut body = u16::try_from(fields.len()).unwrap().to_le_bytes().to_vec();
    for (tag, value) in fields {
        body.extend(tag.to_le_bytes());
        body.extend(u16::try_from(value.len()).unwrap().to_le_bytes());
        body.extend(value);
    }
    body
}

fn windows_fields(example: &str) -> Vec<(u16, Vec<u8>)> {
    let body = body(Platform::Windows, example);
    let mut rest = &body[2..];
    let mut fields = Vec::new();
    while let [tag, _, low, high, behind @ ..] = rest {
        let (value, behind) = behind.split_at(usize::from(u16::from_le_bytes([*low, *high])));
        fields.push((u16::from(*tag), value.to_vec()));
        rest = behind;
    }
    fields
}

fn utf16(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_le_bytes).collect()
}

#[test]
fn windows() {
    let ping = windows_fields("V1");
    let set = |tag: u16, value: Vec<u8>| {
        let mut fields = ping.clone();
        fields.iter_mut().find(|field| field.0 == tag).unwrap().1 = value;
        verdict(Platform::Windows, &windows_body(&fields))
    };
    assert_eq!(verdict(Platform::Windows, &[0]), "E_SYNTAX");
    assert_eq!(set(6, vec![b'a', 0, b'b']), "E_ENCODING");
    assert_eq!(set(6, utf16("\u{FEFF}a")), "E_ENCODING");
    assert_eq!(set(6, utf16("")), "E_LENGTH");
    assert_eq!(set(6, utf16("123")), "E_FORMAT");
    assert_eq!(set(6, utf16(".a")), "E_FORMAT");
    assert_eq!(set(1, vec![7, 0]), "E_RANGE");
    assert_eq!(set(1, vec![7]), "E_LENGTH");
    assert_eq!(set(4, utf16(&"D".repeat(46))), "E_LENGTH");
    assert_eq!(set(1, vec![6, 0]), "E_CONFLICT");
    assert_eq!(set(7, utf16("10.0.10239.1")), "E_RANGE");
    assert_eq!(set(15, vec![0, 1, 101, 0]), "E_RANGE");
    let mut fields = ping.clone();
    fields.extend([(0x0C, vec![0; 8]), (0x09, vec![0; 8]), (0x0C, vec![0; 8])]);
    assert_eq!(verdict(Platform::Windows, &windows_body(&fields)), "E_DUPLICATE");
    let mut long = windows_body(&ping);
    long.push(0);
    assert_eq!(verdict(Platform::Windows, &long), "E_SYNTAX");
}

#[test]
fn windows_paths() {
    let backup = windows_fields("V3");
    let with_paths = |paths: &[&str]| {
        let mut fields = backup.clone();
        fields.retain(|field| field.0 != 0x11);
        let place = fields.iter().position(|field| field.0 == 0x12).unwrap();
        fields.splice(place..place, paths.iter().map(|path| (0x11, utf16(path))));
        verdict(Platform::Windows, &windows_body(&fields))
    };
    for path in [r"C:\", r"\\s\h", r"\\s\h\", r"\\?\C:\CON.txt", r"\\?\C:\a.", r"\\?\UNC\s\h\", r"C:\CONx"] {
        assert_eq!(with_paths(&[path]), "ok", "{path}");
    }
    let bad = [
        r"C:\a\",
        r"C:\aux .c",
        r"\\?\unc\s\h",
        "",
        r"C:x",
        r"C:/x",
        r"\\.\C:\",
        r"\\?\C:\a\\b",
        r"C:\COM¹.x",
        r"\\?\Volume{1}\",
        r"C:\a.",
    ];
    for path in bad {
        assert_eq!(with_paths(&[path]), "E_PATH", "{path}");
    }
    assert_eq!(with_paths(&[r"C:\"; 64]), "ok");
    assert_eq!(with_paths(&[r"C:\"; 65]), "E_CONFLICT");
    let mut ping = windows_fields("V1");
    ping.push((0x11, utf16(r"C:\..")));
    assert_eq!(verdict(Platform::Windows, &windows_body(&ping)), "E_PATH");
}
