//! FORMATS §2: the edge cases of macOS.

use relay_wire::{
    Code::{self, *},
    Operation, Platform, Profile,
};

use crate::examples::{self, change};

const PING: &str = "V1";
const BACKUP: &str = "V3";

fn text(example: &str) -> String {
    String::from_utf8(examples::body(Platform::MacOs, example)).expect("UTF-8")
}

fn code(body: impl AsRef<[u8]>) -> Option<Code> {
    examples::code(Platform::MacOs, body.as_ref())
}

/// The verdict on an example with one change.
fn with(example: &str, from: &str, to: &str) -> Option<Code> {
    code(change(text(example).as_bytes(), from, to))
}

/// The verdict on V1 with the element of `key` replaced; an empty `element` drops the key too.
fn value(key: &str, element: &str) -> Option<Code> {
    set(&text(PING), key, element)
}

fn set(body: &str, key: &str, element: &str) -> Option<Code> {
    let start = body.find(&format!("<key>{key}</key>")).expect("the key");
    let next =
        body[start + 5..].find("<key>").map_or_else(|| body.find("</dict>").expect("the end"), |at| start + 5 + at);
    let pair = if element.is_empty() { String::new() } else { format!("<key>{key}</key>{element}") };
    code(format!("{}{pair}{}", &body[..start], &body[next..]))
}

fn string(key: &str, text: &str) -> Option<Code> {
    value(key, &format!("<string>{text}</string>"))
}

/// The verdict on V3 with these paths.
fn paths(paths: &[&str]) -> Option<Code> {
    let list: String = paths.iter().map(|path| format!("<string>{path}</string>")).collect();
    set(&text(BACKUP), "Paths", &format!("<array>{list}</array>"))
}

#[test]
fn valid() {
    assert_eq!(value("OnBattery", "<true></true>"), None);
    assert_eq!(with(PING, "<dict>", " \t\r\n<dict>\n "), None);
    assert_eq!(code(text(PING) + "\n"), None);
    assert_eq!(code(text(PING) + " \r\t\n"), None);
    assert_eq!(string("ComputerName", &"\u{1F600}".repeat(63)), None);
    assert_eq!(paths(&["/"]), None);
    assert_eq!(with(PING, "<plist version", "\n <plist version"), None);
    assert_eq!(string("ComputerName", "a\u{FEFF}&lt;&gt;&amp;&quot;&apos;]]&gt;"), None);
    assert_eq!(with(PING, "<data>eDd7UldX", "<data>\n\t eDd7\r\nUldX"), None);
    assert_eq!(string("OSVersion", "14"), None);
    assert_eq!(string("OSVersion", "14.0.99"), None);
    assert_eq!(value("BatteryPercent", "<integer>0</integer>"), None);
    assert_eq!(value("BatteryPercent", "<integer>100</integer>"), None);
    assert_eq!(string("Locale", "zh-Hans_CN@calendar=gregorian;currency=EUR"), None);
    assert_eq!(string("Locale", "es_419"), None);
}

#[test]
fn container() {
    for (from, to) in [
        ("<true/>", "<true> </true>"),
        ("<true/>", "<true />"),
        ("<true/>", "<true></false>"),
        ("<integer>64</integer>", "<real>64</real>"),
        ("<integer>64</integer>", "<dict/>"),
        ("<integer>64</integer>", "<array><integer>64</integer></array>"),
        ("<integer>64</integer>", ""),
        ("<integer>64</integer>", "<integer>6<!-- -->4</integer>"),
        ("1182", "&#49;"),
        ("1182", "<![CDATA[1182]]>"),
        ("1182", "]]>"),
        ("1182", "&nbsp;"),
        ("1182", "&"),
        ("<dict>", "<dict>\u{A0}"),
        ("<dict>", "<dict>x"),
        ("<dict>", "<dict><!-- -->"),
        ("<dict>", "<dict id=\"1\">"),
        ("<dict>", "<dict></dict><dict>"),
        ("</dict></plist>", "</dict></plist>x"),
        ("</dict></plist>", "</dict></plist><plist/>"),
        ("</dict></plist>", "</dict>"),
        ("</dict></plist>", "</plist></dict>"),
        ("<plist version=\"1.0\">", "<plist>"),
        ("<plist version=\"1.0\">", "<plist version='1.0'>"),
        ("<plist version=\"1.0\">", "<plist  version=\"1.0\">"),
        ("<plist version=\"1.0\">", "<plist version=\"1.1\">"),
        ("<?xml", " <?xml"),
        ("UTF-8", "utf-8"),
        ("?>\n", "?>\r\n"),
        ("?>\n", "?>"),
        (".dtd\">\n", ".dtd\">"),
        (".dtd\">", ".dtd\"[]>"),
        ("<key>UDID</key>", "<key>UDID</key><key>UDID</key>"),
        ("<key>UDID</key>", ""),
    ] {
        assert_eq!(with(PING, from, to), Some(Syntax), "{from} -> {to}");
    }
    assert_eq!(code(""), Some(Frame));
    assert_eq!(code(" "), Some(Syntax));
    // The container's grammar comes before the names: what stands at an unknown key must be well-formed too.
    assert_eq!(with(PING, "<dict>", "<dict><key>A</key><real>1</real>"), Some(Syntax));
    assert_eq!(with(PING, "<dict>", "<dict><key>A</key><array/>"), Some(Unknown));
}

#[test]
fn bytes() {
    for bad in ["\u{1}", "\0", "\u{FFFE}", "\u{FFFF}", "\u{B}"] {
        assert_eq!(with(PING, "1182", bad), Some(Encoding), "{bad:?}");
    }
    assert_eq!(code("\u{FEFF}".to_owned() + &text(PING)), Some(Encoding));
    assert_eq!(
        code(
            change(text(PING).as_bytes(), "1182", "\u{80}")
                .iter()
                .copied()
                .filter(|byte| *byte != 0xC2)
                .collect::<Vec<_>>()
        ),
        Some(Encoding)
    );
    // Bytes come before everything else, wherever they stand.
    assert_eq!(code(format!("<html>{}", '\u{1}')), Some(Encoding));
}

#[test]
fn names() {
    let pair = "<key>AppBuild</key><string>1182</string>";
    let last = "</dict></plist>";
    assert_eq!(with(PING, last, &format!("{pair}{last}")), Some(Duplicate));
    assert_eq!(with(PING, pair, &format!("{pair}{pair}")), Some(Duplicate));
    assert_eq!(with(PING, last, &format!("{pair}<key>appBuild</key><string/>{last}")), Some(Unknown));
    for name in [" AppBuild", "AppBuild ", "appbuild", "", "AppBuild&amp;", "\u{FEFF}AppBuild"] {
        assert_eq!(with(PING, "<key>AppBuild<", &format!("<key>{name}<")), Some(Unknown), "{name:?}");
    }
    assert_eq!(with(PING, "<key>AppBuild</key>", "<key/>"), Some(Unknown));
    assert_eq!(code(change(&change(text(PING).as_bytes(), pair, ""), last, &format!("{pair}{last}"))), Some(Order));
    for key in ["AppBuild", "OnBattery", "UDID", "Nonce", "MessageType"] {
        assert_eq!(value(key, ""), Some(Missing), "{key}");
    }
    assert_eq!(
        code(format!("{}<plist version=\"1.0\"><dict/></plist>", &text(PING)[..text(PING).find("<plist v").unwrap()])),
        Some(Missing)
    );
    // Order before presence, presence before values.
    let swapped =
        change(&change(text(PING).as_bytes(), pair, ""), "<key>UDID</key>", "<key>User</key><string/><key>UDID</key>");
    assert_eq!(code(swapped), Some(Order));
}

#[test]
fn types_before_values() {
    assert_eq!(string("OnBattery", "true"), Some(Format));
    assert_eq!(value("AppBuild", "<integer>1182</integer>"), Some(Format));
    assert_eq!(value("AppBuild", "<integer/>"), Some(Format));
    assert_eq!(value("AppBuild", "<true/>"), Some(Format));
    assert_eq!(value("AppBuild", "<array/>"), Some(Format));
    assert_eq!(string("BatteryPercent", "64"), Some(Format));
    assert_eq!(string("Nonce", "eDd7UldXtJRCf4kBT5fXmQ=="), Some(Format));
    assert_eq!(string("SentAt", "2026-05-14T09:30:00Z"), Some(Format));
    assert_eq!(set(&text(BACKUP), "Paths", "<string>/</string>"), Some(Format));
    assert_eq!(set(&text(BACKUP), "Paths", "<true/>"), Some(Format));
}

#[test]
fn values() {
    for (key, bad, code) in [
        ("AppBuild", "", Length),
        ("AppBuild", "1234.123.123.12345", Format),
        ("AppBuild", "1234.123.123.123456", Length),
        ("AppBuild", "0", Format),
        ("AppBuild", "12345", Format),
        ("AppBuild", "1.", Format),
        ("AppBuild", "1.1234", Format),
        ("AppBuild", " 1182", Format),
        ("AppVersion", "4.7", Length),
        ("AppVersion", "4.07.0", Format),
        ("AppVersion", "0.7.0", Format),
        ("AppVersion", "4.7.0.0", Format),
        ("BuildVersion", "23F", Length),
        ("BuildVersion", "23f79", Format),
        ("BuildVersion", "33F79", Format),
        ("BuildVersion", "23F079", Format),
        ("BuildVersion", "23F123456", Format),
        ("BuildVersion", "23F79A", Format),
        ("BuildVersion", "22F79", Conflict),
        ("ComputerName", "", Length),
        ("ComputerName", "a\u{A0}", Format),
        ("ComputerName", "\u{2003}a", Format),
        ("ComputerName", "a\tb", Format),
        ("ComputerName", "a\u{7F}b", Format),
        ("DeviceToken", "D1.", Length),
        ("HardwareModel", "Mac1,", Length),
        ("HardwareModel", "Macbook1,1", Format),
        ("HardwareModel", "MacBookPro18,0", Format),
        ("HardwareModel", "MacBookPro018,3", Format),
        ("HardwareModel", "MacBookPro118,3", Format),
        ("HardwareModel", "iPhone1,1", Format),
        ("LocalHostName", "", Length),
        ("LocalHostName", "-a", Format),
        ("LocalHostName", "a.local", Format),
        ("Locale", "es-ES", Format),
        ("Locale", "es_", Length),
        ("Locale", "es_ES@", Format),
        ("Locale", "es_ES@currency=EUR;", Format),
        ("MessageType", "", Format),
        ("MessageType", "ping", Format),
        ("MessageType", "Auth", Format),
        ("NetworkInterface", "Wifi", Format),
        ("OSVersion", "1", Length),
        ("OSVersion", "16.0", Format),
        ("OSVersion", "14.05", Format),
        ("OSVersion", "14.5.1.1", Format),
        ("OSVersion", "14.100", Format),
        ("OSVersion", "14.", Format),
        ("OSVersion", "10.12", Format),
        ("OSVersion", "10.15.0", Format),
        ("OSVersion", "10.15.10", Format),
        ("OSVersion", "10", Format),
        ("OSVersion", "30.0", Format),
        ("OSVersion", "15.0", Conflict),
        ("TimeZone", "UT", Length),
        ("TimeZone", "/Madrid", Format),
        ("UDID", "4C4C4544-0042-3510-8052-B4C04F4A593", Length),
        ("UDID", "00000000-0000-0000-0000-000000000000", Format),
    ] {
        assert_eq!(string(key, bad), Some(code), "{key} {bad:?}");
    }
    for (key, bad, code) in [
        ("BatteryPercent", "<integer>1000</integer>", Length),
        ("BatteryPercent", "<integer/>", Length),
        ("BatteryPercent", "<integer>101</integer>", Range),
        ("BatteryPercent", "<integer>064</integer>", Format),
        ("BatteryPercent", "<integer>-1</integer>", Format),
        ("BatteryPercent", "<integer> 6</integer>", Format),
        ("BatteryPercent", "", Conflict),
        ("Nonce", "<data/>", Length),
        ("Nonce", "<data>AAAAAAAAAAAAAAAAAAAAAA==</data>", Format),
        ("Nonce", "<data>eDd7UldXtJRCf4kBT5fXmR==</data>", Format),
        ("Nonce", "<data>eDd7UldXtJRCf4kBT5fXm===</data>", Format),
        ("Nonce", "<data>eDd7UldXtJRCf4kBT5fXmQAA</data>", Format),
        ("Nonce", "<data>eDd7UldXtJRCf4kBT5fXmQ</data>", Length),
        ("Nonce", "<data>eDd7UldXtJRCf4kBT5fX\u{A0}Q==</data>", Format),
        ("SentAt", "<date>2026-02-30T09:30:00Z</date>", Format),
        ("SentAt", "<date>2026-02-30T09:30:60Z</date>", Format),
        ("SentAt", "<date>2026-05-14t09:30:00Z</date>", Format),
        ("SentAt", "<date>2026-05-14T24:00:00Z</date>", Format),
        ("SentAt", "<date>2026-05-14T09:30:00.1Z</date>", Length),
        ("SentAt", "<date>0000-01-01T00:00:00Z</date>", Range),
        ("SentAt", "<date>2011-12-31T23:59:59Z</date>", Range),
        ("SentAt", "<date>2100-01-01T00:00:00Z</date>", Range),
        ("SentAt", "<date>0000-00-01T00:00:00Z</date>", Format),
    ] {
        assert_eq!(value(key, bad), Some(code), "{key} {bad:?}");
    }
}

#[test]
fn paths_of_a_backup() {
    assert_eq!(paths(&["/a:b", "/.../..a", "/é", "/a\u{A0}b", "/ "]), None);
    assert_eq!(paths(&[&format!("/{}", "a".repeat(255))]), None);
    for bad in ["", "a", "/a/", "//", "/a//b", "/.", "/..", "/a/./b", "/a/../b", "/a\nb", "/a\u{7F}", " /a"] {
        assert_eq!(paths(&[bad]), Some(Path), "{bad:?}");
        assert_eq!(paths(&["/a", bad]), Some(Path), "{bad:?}");
    }
    assert_eq!(paths(&[&format!("/{}", "é".repeat(128))]), Some(Path));
    let deep = |bytes: usize| "/a".repeat(bytes / 2 - 1) + "/" + &"a".repeat(bytes % 2 + 1);
    assert_eq!((deep(1_023).len(), paths(&[&deep(1_023)])), (1_023, None));
    assert_eq!((deep(1_024).len(), paths(&[&deep(1_024)])), (1_024, Some(Path)));
}

#[test]
fn cross_fields() {
    assert_eq!(paths(&[]), Some(Conflict));
    assert_eq!(paths(&["/a"; 64]), None);
    assert_eq!(paths(&["/a"; 65]), Some(Conflict));
    // P is judged last: a bad path among too many is still a bad path.
    assert_eq!(paths(&[&["/a"; 65][..], &["a"]].concat()), Some(Path));
    assert_eq!(with(PING, "<key>SentAt", "<key>Paths</key><array/><key>SentAt"), Some(Conflict));
    assert_eq!(with(PING, "<key>Nonce<", "<key>NodeID</key><string>n</string><key>Nonce<"), Some(Conflict));
    assert_eq!(set(&text(BACKUP), "NodeID", ""), Some(Conflict));
    assert_eq!(set(&text(BACKUP), "NodeID", "<string>Node</string>"), Some(Format));
    assert_eq!(set(&text("V2"), "User", ""), Some(Conflict));
    assert_eq!(set(&text("V2"), "MassToken", ""), Some(Conflict));
    assert_eq!(set(&text("V2"), "MessageType", "<string>Authenticate</string>"), Some(Conflict));
    assert_eq!(string("MessageType", "Authenticate"), None);
    assert_eq!(string("MessageType", "Sync"), Some(Conflict));
    assert_eq!(with(PING, "</dict>", "<key>User</key><string>ana.lopez@example.com</string></dict>"), Some(Conflict));
    assert_eq!(set(&text(BACKUP), "EstimatedBytes", "<integer>1125899906842624</integer>"), None);
    assert_eq!(set(&text(BACKUP), "EstimatedBytes", "<integer>1125899906842625</integer>"), Some(Range));
    assert_eq!(set(&text(BACKUP), "EstimatedBytes", "<integer>10000000000000000</integer>"), Some(Length));
}

#[test]
fn what_passes_is_not_rewritten() {
    let request = examples::check(Platform::MacOs, text(BACKUP).as_bytes()).expect("V3");
    let Operation::Transfer { paths, .. } = request.content.operation else { panic!("a transfer") };
    assert_eq!(paths, ["/Users/ana/Cafe\u{301}/notes:2026.txt".as_bytes(), "/Users/ana/Café".as_bytes()]);
    let Profile::MacOs(profile) = request.content.profile else { panic!("macOS") };
    assert_eq!((profile.os_version.as_str(), profile.battery_percent), ("10.15.7", None));
}

/// What a peer can pile up is bounded by the body and costs time in proportion to it.
#[test]
fn piles() {
    let head = &text(PING)[..text(PING).find("<plist v").expect("the root")];
    let fill = |piece: &str| piece.repeat((16_384 - head.len() - 64) / piece.len());
    for pile in [fill("<a>"), fill("<dict>"), fill("&amp;"), fill("<array>"), fill("<"), fill("<key/><true/>")] {
        let body = format!("{head}<plist version=\"1.0\"><dict>{pile}");
        assert_eq!(code(&body), Some(Syntax), "{}", &pile[..8]);
    }
    assert_eq!(string("ComputerName", &fill("&amp;")[..10_000]), Some(Length));
    assert_eq!(
        code(format!("{head}<plist version=\"1.0\"><dict>{}</dict></plist>", fill("<key/><true/>"))),
        Some(Unknown)
    );
    assert_eq!(paths(&vec!["/"; 800]), Some(Conflict));
}
