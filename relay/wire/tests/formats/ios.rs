//! FORMATS §4: the edge cases of iOS.

use relay_wire::{
    Code::{self, *},
    Platform, Profile,
    request::ios::BatteryLevel,
};

use crate::examples::{self, change};

const OP: &str = "\"op\":\"ping\"";

fn text(example: &str) -> String {
    String::from_utf8(examples::body(Platform::Ios, example)).expect("UTF-8")
}

fn code(body: impl AsRef<[u8]>) -> Option<Code> {
    examples::code(Platform::Ios, body.as_ref())
}

/// The verdict on V1 with one change.
fn with(from: &str, to: &str) -> Option<Code> {
    code(change(text("V1").as_bytes(), from, to))
}

/// The verdict on V1 with `members` added at the end of the root.
fn and(members: &str) -> Option<Code> {
    code(format!("{},{members}}}", text("V1").strip_suffix('}').expect("an object")))
}

/// The verdict on V3 with these items.
fn items(items: &str) -> Option<Code> {
    code(change(
        text("V3").as_bytes(),
        "\"file:Documents/Reports/q2.pdf\",\"photo:B84E8479-475C-4727-A4A4-B77AA9980897/L0/001\"",
        items,
    ))
}

fn item(item: &str) -> Option<Code> {
    items(&format!("\"{item}\""))
}

fn level(spelling: &str) -> Option<Code> {
    with("0.62", spelling)
}

fn estimate(spelling: &str) -> Option<Code> {
    code(change(text("V3").as_bytes(), "73400320", spelling))
}

#[test]
fn valid() {
    assert_eq!(level("1.0"), None);
    assert_eq!(level("0.0"), None);
    assert_eq!(level("-1.0"), None);
    assert_eq!(estimate("1125899906842624"), None);
    assert_eq!(estimate("0"), None);
    assert_eq!(with("\"iPhone\"", "\"\\ud83d\\udcf1\""), None);
    assert_eq!(with("\"iPhone\"", "\"\\u00e9\\/\\\"\\\\\""), None);
    assert_eq!(with("\"iPhone\"", &format!("\"{}\"", "\u{1F600}".repeat(64))), None);
    assert_eq!(with("\"iPhone\"", &format!("\"{}\"", "\\ud83d\\udcf1".repeat(64))), None);
    assert_eq!(with("\"iPhone\"", "\"\u{FEFF}\u{FFFF}\u{85}\""), None);
    assert_eq!(code(format!(" \t\r\n{} \n", text("V1"))), None);
    assert_eq!(with(OP, " \"op\" :\n\"ping\" "), None);
    assert_eq!(with(OP, "\"\\u006f\\u0070\":\"\\u0070ing\""), None);
    assert_eq!(with("{\"name\":\"iOS\",", "{ \"\\u006eame\" : \"iOS\" , "), None);
    assert_eq!(and("\"estBytes\":1"), None);
}

#[test]
fn container() {
    for body in ["[]", "{", "", " ", "null", "\"op\"", "{}{}", "{\"op\":\"ping\"", "{op:\"ping\"}", "{} x"] {
        assert_eq!(code(body), Some(if body.is_empty() { Frame } else { Syntax }), "{body:?}");
    }
    for (from, to) in [
        (OP, "\"op\":[[[[[[[[]]]]]]]]"),
        (OP, "\"op\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{}}}}}}}}"),
        (OP, "\"op\":\"\\ud83d\""),
        (OP, "\"op\":\"\\udcf1\""),
        (OP, "\"\\ud83d\":1"),
        (OP, "\"op\":\"pi\nng\""),
        (OP, "\"op\":\"pi\u{0}ng\""),
        (OP, "\"op\":'ping'"),
        (OP, "\"op\":NaN"),
        (OP, "\"op\":Infinity"),
        (OP, "\"op\":\"\\x70ing\""),
        (OP, "\"op\":\"ping\","),
        (OP, "\"op\" \"ping\""),
        ("0.62", "01"),
        ("0.62", ".62"),
        ("0.62", "1."),
        ("0.62", "+1"),
        ("0.62", "1e"),
        ("0.62", "-"),
        ("{\"name\"", "{,\"name\""),
    ] {
        assert_eq!(with(from, to), Some(Syntax), "{from} -> {to}");
    }
    // A number's grammar is RFC 8259's here and the row's later.
    assert_eq!(and("\"x\":[01]"), Some(Syntax));
    assert_eq!(and("\"x\":[1e400]"), Some(Unknown));
}

#[test]
fn bytes() {
    assert_eq!(code("\u{FEFF}".to_owned() + &text("V1")), Some(Encoding));
    for bad in [&b"\xE9"[..], b"\xC0\x80", b"\xED\xA0\x80", b"\xF4\x90\x80\x80", b"\xFF"] {
        let body = [b"[", bad, b"]"].concat();
        assert_eq!(code(body), Some(Encoding), "{bad:?}");
    }
}

#[test]
fn names() {
    assert_eq!(and("\"op\":\"backup\""), Some(Duplicate));
    assert_eq!(and("\"op\":\"backup\",\"x\":1"), Some(Unknown));
    assert_eq!(and("\"\\u006fp\":\"backup\""), Some(Duplicate));
    assert_eq!(with(OP, "\"op\":{\"a\":1,\"a\":2}"), Some(Duplicate));
    assert_eq!(with(OP, "\"op\":[[{\"a\":1,\"b\":{},\"\\u0061\":2}]]"), Some(Duplicate));
    assert_eq!(with(OP, "\"op\":{\"a\":1,\"a\":2},\"x\":1"), Some(Unknown));
    assert_eq!(with(OP, "\"op\":{\"a\":1}"), Some(Format));
    assert_eq!(and("\"x\":{\"a\":1,\"a\":2}"), Some(Unknown));
    assert_eq!(with("\"name\":\"iOS\"", "\"name\":\"iOS\",\"name\":\"iOS\""), Some(Duplicate));
    assert_eq!(with("\"name\":\"iOS\"", "\"name\":\"iOS\",\"nam\":1"), Some(Unknown));
    assert_eq!(with("\"name\":\"iOS\"", "\"name\":{\"a\":1,\"a\":1}"), Some(Duplicate));
    // Known in one object is unknown in another.
    assert_eq!(and("\"name\":\"iOS\""), Some(Unknown));
    assert_eq!(with("\"name\":\"iOS\"", "\"name\":\"iOS\",\"op\":1"), Some(Unknown));
    // Every occurrence of `system` is looked into for unknown names; a second one is a repeated name.
    assert_eq!(and("\"system\":{\"x\":1}"), Some(Unknown));
    assert_eq!(and("\"system\":{}"), Some(Duplicate));
    assert_eq!(and("\"system\":5"), Some(Duplicate));
    // Objects in a list are not the object, whatever its name.
    assert_eq!(
        with("\"net\":{\"type\":\"cellular\",\"expensive\":true,\"constrained\":false}", "\"net\":[{\"x\":1}]"),
        Some(Format)
    );
    assert_eq!(
        with("\"net\":{\"type\":\"cellular\",\"expensive\":true,\"constrained\":false}", "\"net\":[{\"x\":1,\"x\":2}]"),
        Some(Duplicate)
    );
    for name in ["Op", "op ", "\u{FEFF}op", "", "o\\u0000p"] {
        assert_eq!(and(&format!("\"{name}\":1")), Some(Unknown), "{name:?}");
    }
}

#[test]
fn presence() {
    assert_eq!(code("{}"), Some(Missing));
    assert_eq!(with("\"op\":\"ping\",", ""), Some(Missing));
    assert_eq!(with("{\"name\":\"iOS\",\"version\":\"17.5\",\"build\":\"21F79\"}", "{}"), Some(Missing));
    assert_eq!(with("\"name\":\"iOS\",", ""), Some(Missing));
    assert_eq!(with(",\"lowPower\":false", ""), Some(Missing));
    // A group that is no object has no members to miss: its type is judged at its turn, after what is missing elsewhere.
    assert_eq!(with("{\"name\":\"iOS\",\"version\":\"17.5\",\"build\":\"21F79\"}", "5"), Some(Format));
    let bare = change(text("V1").as_bytes(), "{\"name\":\"iOS\",\"version\":\"17.5\",\"build\":\"21F79\"}", "5");
    assert_eq!(code(change(&bare, ",\"lowPower\":false", "")), Some(Missing));
    assert_eq!(code(change(&bare, "\"op\":\"ping\",", "")), Some(Missing));
    // Null is there.
    assert_eq!(with(OP, "\"op\":null"), Some(Format));
    assert_eq!(and("\"user\":null"), Some(Format));
    assert_eq!(and("\"items\":null"), Some(Format));
    assert_eq!(and("\"estBytes\":null"), Some(Format));
}

#[test]
fn types() {
    assert_eq!(with(OP, "\"op\":[[[[[[[]]]]]]]"), Some(Format));
    assert_eq!(level("\"1\""), Some(Format));
    assert_eq!(level("true"), Some(Format));
    assert_eq!(with("\"expensive\":true", "\"expensive\":\"true\""), Some(Format));
    assert_eq!(with("\"expensive\":true", "\"expensive\":1"), Some(Format));
    assert_eq!(with("\"build\":\"1182\"", "\"build\":1182"), Some(Format));
    assert_eq!(estimate("\"73400320\""), Some(Format));
    // Types of all elements before the value of one; a type before a later field's length.
    assert_eq!(items("\"\",5"), Some(Format));
    assert_eq!(items("\"file:Documents/a\",null"), Some(Format));
    assert_eq!(items("[\"file:Documents/a\"]"), Some(Format));
    assert_eq!(and("\"items\":{}"), Some(Format));
    // Members are judged at their object's row: model before system, system before locale.
    let both = |model: &str, version: &str| {
        let body = change(text("V1").as_bytes(), "\"iPhone15,2\"", model);
        code(change(&body, "\"17.5\"", version))
    };
    assert_eq!(both("\"\"", "5"), Some(Length));
    assert_eq!(both("5", "\"\""), Some(Format));
    assert_eq!(both("\"iPhone15,2\"", "\"\""), Some(Length));
    assert_eq!(code(change(&change(text("V1").as_bytes(), "\"17.5\"", "5"), "\"en_GB\"", "\"\"")), Some(Format));
    assert_eq!(code(change(&change(text("V1").as_bytes(), "\"en_GB\"", "5"), "\"cellular\"", "\"\"")), Some(Format));
}

#[test]
fn values() {
    for (from, to, code) in [
        (OP, "\"op\":\"\"", Format),
        (OP, "\"op\":\"Ping\"", Format),
        (OP, "\"op\":\"ping \"", Format),
        ("6FB6DCDD-6CC1-46A7-B206-8AFAE050CE89", "6fb6dcdd-6cc1-46a7-b206-8afae050ce89", Format),
        ("6FB6DCDD-6CC1-46A7-B206-8AFAE050CE89", "6FB6DCDD-6CC1-46A7-C206-8AFAE050CE89", Format),
        ("6FB6DCDD-6CC1-46A7-B206-8AFAE050CE89", "6FB6DCDD-6CC1-16A7-B206-8AFAE050CE89", Format),
        ("6FB6DCDD-6CC1-46A7-B206-8AFAE050CE89", "6FB6DCDD6CC146A7B2068AFAE050CE89", Length),
        ("\"iPhone\"", "\"\\u0000\"", Format),
        ("\"iPhone\"", "\"\\n\"", Format),
        ("\"iPhone\"", "\"\u{7F}\"", Format),
        ("\"iPhone\"", "\"\"", Length),
        ("iPhone15,2", "iPhone15,0", Format),
        ("iPhone15,2", "iPhone015,2", Format),
        ("iPhone15,2", "iPhone15,2,", Format),
        ("iPhone15,2", "iPhone15,200", Length),
        ("\"iOS\"", "\"ios\"", Format),
        ("17.5", "8.4", Format),
        ("17.5", "19.0", Format),
        ("17.5", "17.05", Format),
        ("17.5", "17.5.1.1", Format),
        ("17.5", "17.100.1", Format),
        ("17.5", "30", Format),
        ("17.5", "017", Format),
        ("17.5", "", Length),
        ("17.5", "17.5.100.1", Length),
        ("17.5", "16.5", Conflict),
        ("21F79", "20F79", Conflict),
        ("21F79", "21F", Length),
        ("21F79", "21F0", Format),
        ("\"iOS\"", "\"iPadOS\"", Conflict),
        ("org.example.edgebackup", "org", Format),
        ("org.example.edgebackup", "og", Length),
        ("org.example.edgebackup", "org.", Format),
        ("org.example.edgebackup", "org..a", Format),
        ("org.example.edgebackup", "1org.a", Format),
        ("org.example.edgebackup", "-org.a", Format),
        ("org.example.edgebackup", "org.a_b", Format),
        ("4.7.0", "4.7", Length),
        ("\"1182\"", "\"1234567890\"", Format),
        ("en_GB", "en-GB", Format),
        ("Europe/London", "Europe//London", Format),
        ("\"cellular\"", "\"other\"", Format),
        ("\"unplugged\"", "\"\"", Format),
        ("09:30:00.125Z", "09:30:00Z", Length),
        ("09:30:00.125Z", "09:30:00,125Z", Format),
        ("2026-05-14", "2027-02-29", Format),
        ("2026-05-14", "2100-01-01", Range),
        ("eDd7UldXtJRCf4kBT5fXmQ==", "eDd7UldXtJRCf4kBT5fXmQ", Length),
        ("eDd7UldXtJRCf4kBT5fXmQ==", "eDd7UldXtJRCf4kBT5fXmQ= ", Format),
    ] {
        assert_eq!(with(from, to), Some(code), "{from} -> {to}");
    }
}

#[test]
fn numbers() {
    for (spelling, code) in [
        ("1e0", Format),
        ("-0", Format),
        ("-0.0", Format),
        ("-0.5", Range),
        ("1.000000000000000001", Range),
        ("1.01", Range),
        ("0.0000000000000000001", Length),
        ("9.9999999999999999999", Length),
        ("1e00000000000000000000", Length),
    ] {
        assert_eq!(level(spelling), Some(code), "{spelling}");
    }
    for (spelling, code) in [
        ("1.0", Format),
        ("-1", Format),
        ("1e3", Format),
        ("-0", Format),
        ("10000000000000000", Length),
        ("1125899906842625", Range),
        ("9999999999999999", Range),
    ] {
        assert_eq!(estimate(spelling), Some(code), "{spelling}");
    }
}

#[test]
fn levels_are_exact() {
    for (spelling, expected) in [
        ("0.620", BatteryLevel::Charge(620_000_000_000_000_000)),
        ("0.000000000000000001", BatteryLevel::Charge(1)),
        ("0.999999999999999999", BatteryLevel::Charge(BatteryLevel::FULL - 1)),
        ("-1.00", BatteryLevel::Unknown),
    ] {
        let body = change(text("V1").as_bytes(), "0.62", spelling);
        let request = examples::check(Platform::Ios, &body).expect("valid");
        let again = examples::check(Platform::Ios, &request.to_body()).expect("valid again");
        assert_eq!(request, again);
        let Profile::Ios(profile) = request.content.profile else { panic!("iOS") };
        assert_eq!(profile.power_level, expected, "{spelling}");
    }
}

#[test]
fn systems() {
    let system = |model: &str, name: &str, version: &str, build: &str| {
        let body = change(text("V1").as_bytes(), "iPhone15,2", model);
        let body = change(
            &body,
            "\"iOS\",\"version\":\"17.5\",\"build\":\"21F79\"",
            &format!("\"{name}\",\"version\":\"{version}\",\"build\":\"{build}\""),
        );
        code(body)
    };
    assert_eq!(system("iPad13,1", "iPadOS", "13.0", "17A1"), None);
    assert_eq!(system("iPad13,1", "iPadOS", "12.5", "16A1"), Some(Conflict));
    assert_eq!(system("iPad13,1", "iOS", "12.5", "16A1"), None);
    assert_eq!(system("iPad13,1", "iOS", "17", "21A1"), None);
    assert_eq!(system("iPod9,1", "iPadOS", "15", "19A1"), Some(Conflict));
    assert_eq!(system("iPod9,1", "iOS", "15.0.0", "19A1"), None);
    assert_eq!(system("iPhone9,1", "iOS", "9", "13A1"), None);
    assert_eq!(system("iPhone9,1", "iOS", "18.6", "22G1a"), None);
    assert_eq!(system("iPhone9,1", "iOS", "26.1", "23B1"), None);
    assert_eq!(system("iPhone9,1", "iOS", "26.1", "25B1"), Some(Conflict));
}

#[test]
fn item_paths() {
    for good in [
        "file:Documents/a",
        "file:Library/a",
        "file:Library/CachesX",
        "file:Library/caches/a",
        "file:Documents/Caches/a",
        "file:Library/a/Caches",
        "file:Documents/...",
        "file:Documents/\\u00e9 :*?",
        "photo:00000000-0000-0000-0000-000000000000/L0/000",
    ] {
        assert_eq!(item(good), None, "{good}");
    }
    for bad in [
        "",
        "file:",
        "file:Documents",
        "file:Documents/",
        "file:Library/Caches",
        "file:Library/Caches/a",
        "file:Documents//a",
        "file:/Documents/a",
        "file:documents/a",
        "file:tmp/a",
        "file:Documents/..",
        "file:Documents/./a",
        "file:Documents/../Library/a",
        "file:Documents/a/",
        "file:Documents/\\u0000",
        "file:Documents/a\u{7F}",
        "FILE:Documents/a",
        "Documents/a",
        "photo:b84e8479-475c-4727-a4a4-b77aa9980897/L0/001",
        "photo:B84E8479-475C-4727-A4A4-B77AA9980897/L0/01",
        "photo:B84E8479-475C-4727-A4A4-B77AA9980897/L0/0011",
        "photo:B84E8479-475C-4727-A4A4-B77AA9980897/L1/001",
        "photo:B84E8479-475C-4727-A4A4-B77AA9980897",
        "photo:",
        "photo:ééééééééééééééééééé/L0/001",
    ] {
        assert_eq!(item(bad), Some(Path), "{bad}");
    }
    assert_eq!(item(&format!("file:Documents/{}", "a".repeat(255))), None);
    assert_eq!(item(&format!("file:Documents/{}", "a".repeat(256))), Some(Path));
    let deep =
        |bytes: usize| format!("file:Documents{}/{}", "/a".repeat((bytes - 16) / 2), "a".repeat((bytes - 16) % 2 + 1));
    assert_eq!((deep(1_023).len(), item(&deep(1_023))), (1_023, None));
    assert_eq!((deep(1_024).len(), item(&deep(1_024))), (1_024, Some(Path)));
}

#[test]
fn cross_fields() {
    assert_eq!(and("\"items\":[]"), Some(Conflict));
    assert_eq!(items(""), Some(Conflict));
    assert_eq!(items(&["\"file:Documents/a\""; 16].join(",")), None);
    assert_eq!(items(&["\"file:Documents/a\""; 17].join(",")), Some(Conflict));
    assert_eq!(items(&(["\"file:Documents/a\""; 17].join(",") + ",\"x\"")), Some(Path));
    assert_eq!(and("\"node\":\"n\""), Some(Conflict));
    assert_eq!(and("\"user\":\"ana.lopez@example.com\""), Some(Conflict));
    assert_eq!(with(OP, "\"op\":\"register\""), Some(Conflict));
    assert_eq!(with(OP, "\"op\":\"auth\""), None);
    assert_eq!(with(OP, "\"op\":\"sync\""), Some(Conflict));
}

/// What a peer can pile up is bounded by the body.
#[test]
fn piles() {
    for (open, expected) in [("[", Syntax), ("{\"a\":", Syntax), ("\"", Syntax), ("\\u0061", Syntax)] {
        let pile = open.repeat(16_000 / open.len());
        assert_eq!(code(format!("{{\"op\":{pile}")), Some(expected));
        assert_eq!(code(&pile), Some(Syntax));
    }
    let names: String = (0..1_500).map(|number| format!("\"{number}\":0,")).collect();
    assert_eq!(with(OP, &format!("\"op\":{{{names}\"x\":0}}")), Some(Format));
    assert_eq!(with(OP, &format!("\"op\":{{{names}\"0\":0}}")), Some(Duplicate));
    let flat = format!("{{{}\"op\":0}}", "\"a\":0,".repeat(2_500));
    assert_eq!(code(flat), Some(Unknown));
    assert_eq!(items(&"\"\",".repeat(5_000)[..14_999]), Some(Path));
}
