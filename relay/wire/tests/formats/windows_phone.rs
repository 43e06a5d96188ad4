//! FORMATS §6: the edge cases of Windows Phone.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use relay_wire::{
    Code::{self, *},
    Platform,
};

use crate::examples::{self, change};

const DEVICE: &str = "D1.Vfgy0WEmHckEDnrOXCWNOHjuquMfx5WbfgteGWolye4xHwhgK2G4iPwnODhNqIjGdZM7ksyxVcODaQIf98TMaw";
const MASS: &str = "M1.KopJ4EAeiw2qfzPARlTer3cpjqmSYWhQMXlIzLknAKk";
const USER: &str = "ana.lopez@example.com";

fn text(example: &str) -> String {
    String::from_utf8(examples::body(Platform::WindowsPhone, example)).expect("UTF-8")
}

fn code(body: impl AsRef<[u8]>) -> Option<Code> {
    examples::code(Platform::WindowsPhone, body.as_ref())
}

/// The verdict on V1 with one change.
fn with(from: &str, to: &str) -> Option<Code> {
    code(change(text("V1").as_bytes(), from, to))
}

fn element(uri: &str, data: &str) -> String {
    format!("<Item><Source><LocURI>{uri}</LocURI></Source><Data>{data}</Data></Item>")
}

/// `body` with the item `uri` replaced.
fn set(body: &str, uri: &str, items: &str) -> String {
    let start = body.find(&format!("<Item><Source><LocURI>{uri}<")).expect("the item");
    let end = start + body[start..].find("</Item>").expect("its end") + "</Item>".len();
    format!("{}{items}{}", &body[..start], &body[end..])
}

/// The verdict on V1 with other Data of the item `uri`.
fn data(uri: &str, data: &str) -> Option<Code> {
    code(set(&text("V1"), uri, &element(uri, data)))
}

/// The verdict on V3 with these items.
fn paths(paths: &[&str]) -> Option<Code> {
    let items: String = paths.iter().map(|path| element("./Edge/Item", path)).collect();
    code(set(&text("V3"), "./Edge/Item", &items))
}

/// `body` with other Cred Data.
fn credentials(body: &str, data: &str) -> String {
    let start = body.find("<Data>").expect("Cred") + "<Data>".len();
    let end = start + body[start..].find('<').expect("its end");
    format!("{}{data}{}", &body[..start], &body[end..])
}

/// The verdict on V1 with this pair in Cred.
fn pair(pair: &str) -> Option<Code> {
    code(credentials(&text("V1"), &STANDARD.encode(pair)))
}

#[test]
fn valid() {
    assert_eq!(with("<Final/>", "<Final></Final>"), None);
    assert_eq!(with("edge.example.com/", "edge.example.com:65535/"), None);
    assert_eq!(with("?><SyncML", "?> \r\n\t<SyncML"), None);
    assert_eq!(with("<SyncHdr>", "\n <SyncHdr>\n "), None);
    assert_eq!(with("<Target>", "<Target> "), None);
    assert_eq!(with("<Final/>", " <Final/> "), None);
    assert_eq!(code(text("V1") + "\n"), None);
    assert_eq!(with("<SessionID>1F<", "<SessionID>001F<"), None);
    assert_eq!(with("<MsgID>1<", "<MsgID>999<"), None);
    assert_eq!(data("./Edge/Name", &"\u{1F600}".repeat(64)), None);
    assert_eq!(data("./Edge/Power", "Battery:0"), None);
    assert_eq!(data("./Edge/Power", "External:100"), None);
    assert_eq!(data("./Edge/Op", "Auth"), None);
    assert_eq!(data("./DevInfo/Man", "A &amp; B"), None);
}

#[test]
fn container() {
    for (from, to) in [
        ("<Final/>", "<Final> </Final>"),
        ("<Final/>", "<Final />"),
        ("<Final/>", ""),
        ("<Final/>", "<Final/><Final/>"),
        ("<Data>1201<", "<Data>1200<"),
        ("<Data>1201<", "<Data> 1201<"),
        ("<CmdID>2<", "<CmdID>3<"),
        ("<CmdID>2</CmdID>", "<CmdID>2</CmdID><!-- -->"),
        ("<CmdID>2</CmdID>", "<CmdID>2</CmdID>x"),
        ("<CmdID>2</CmdID>", "<CmdID>2</CmdID>\u{A0}"),
        ("<CmdID>2</CmdID>", "<CmdID>2</CmdID><Item/>"),
        ("<VerDTD>1.2<", "<VerDTD>1.1<"),
        ("<VerDTD>1.2</VerDTD><VerProto>DM/1.2</VerProto>", "<VerProto>DM/1.2</VerProto><VerDTD>1.2</VerDTD>"),
        ("DM/1.2", "DM/1.1"),
        ("b64", "B64"),
        ("<Format xmlns=\"syncml:metinf\">", "<Format>"),
        ("<Format xmlns=\"syncml:metinf\">", "<Format  xmlns=\"syncml:metinf\">"),
        ("<Format xmlns=\"syncml:metinf\">", "<Format xmlns='syncml:metinf'>"),
        ("syncml:auth-basic", "syncml:auth-md5"),
        ("<SyncML xmlns=\"SYNCML:SYNCML1.2\">", "<SyncML>"),
        ("SYNCML:SYNCML1.2", "SYNCML:SYNCML1.1"),
        ("<MsgID>1</MsgID>", ""),
        ("<MsgID>1</MsgID>", "<MsgID>1</MsgID><MsgID>1</MsgID>"),
        ("<MsgID>1</MsgID>", "<MsgID><a/></MsgID>"),
        ("<MsgID>1</MsgID>", "<MsgID x=\"1\">1</MsgID>"),
        ("<MsgID>1</MsgID>", "<MsgID>&#49;</MsgID>"),
        ("utf-8", "UTF-8"),
        ("<?xml", "\n<?xml"),
        ("?><SyncML", "?><!DOCTYPE SyncML><SyncML"),
        ("?><SyncML", "?><?a?><SyncML"),
        ("<Data>NOKIA</Data>", "<Data><![CDATA[NOKIA]]></Data>"),
        ("<Data>NOKIA</Data>", "<Data>NOK]]>IA</Data>"),
        ("<Data>NOKIA</Data>", ""),
        ("<Data>NOKIA</Data>", "<Data>NOKIA</Data><Data>NOKIA</Data>"),
        ("</SyncML>", "</SyncML><a/>"),
        ("</SyncML>", ""),
        ("</Replace>", "</Replace><Replace></Replace>"),
    ] {
        assert_eq!(with(from, to), Some(Syntax), "{from} -> {to}");
    }
    assert_eq!(with("NOKIA", "\u{1}"), Some(Encoding));
    assert_eq!(with("NOKIA", "\u{FFFE}"), Some(Encoding));
    assert_eq!(code("\u{FEFF}".to_owned() + &text("V1")), Some(Encoding));
    // No item at all is a container in order, from which every required field is absent.
    let (start, end) = (text("V1").find("<Item>").unwrap(), text("V1").find("</Replace>").unwrap());
    assert_eq!(code(format!("{}{}", &text("V1")[..start], &text("V1")[end..])), Some(Missing));
}

#[test]
fn items() {
    let man = element("./DevInfo/Man", "NOKIA");
    let id = element("./DevInfo/DevId", "N+DT4cTJOm+x8I6YmwKB6KbARII=");
    let without_id = set(&text("V1"), "./DevInfo/DevId", "");
    assert_eq!(code(set(&without_id, "./DevInfo/Man", &format!("{man}{id}{id}"))), Some(Duplicate));
    assert_eq!(code(set(&without_id, "./DevInfo/Man", &format!("{man}{id}"))), Some(Order));
    assert_eq!(code(set(&text("V1"), "./DevInfo/Man", &format!("{man}{man}"))), Some(Duplicate));
    assert_eq!(code(set(&text("V1"), "./DevInfo/Man", "")), Some(Missing));
    for name in ["./DevInfo/man", " ./DevInfo/Man", "DevInfo/Man", "", "Cred", "SessionID", "./Edge/Items"] {
        assert_eq!(with("<LocURI>./DevInfo/Man<", &format!("<LocURI>{name}<")), Some(Unknown), "{name:?}");
    }
    assert_eq!(with("<LocURI>./DevInfo/Man</LocURI>", "<LocURI/>"), Some(Unknown));
    // Paths repeat, next to each other.
    let path = element("./Edge/Item", "isostore:/a");
    assert_eq!(code(set(&text("V3"), "./Edge/Bytes", &format!("{}{path}", element("./Edge/Bytes", "1")))), Some(Order));
    assert_eq!(code(set(&text("V3"), "./Edge/Node", &format!("{path}{}", element("./Edge/Node", "n")))), Some(Order));
}

#[test]
fn header() {
    for (from, to, code) in [
        ("<MsgID>1<", "<MsgID>1000<", Length),
        ("<MsgID>1<", "<MsgID><", Length),
        ("<MsgID>1<", "<MsgID>0<", Format),
        ("<MsgID>1<", "<MsgID>01<", Format),
        ("<MsgID>1<", "<MsgID> 1<", Format),
        ("<SessionID>1F<", "<SessionID><", Length),
        ("<SessionID>1F<", "<SessionID>1f<", Format),
        ("<SessionID>1F<", "<SessionID>0001F<", Length),
        ("edge.example.com/", "edge.example.com:65536/", Range),
        ("edge.example.com/", "edge.example.com:0/", Format),
        ("edge.example.com/", "edge.example.com:0443/", Format),
        ("edge.example.com/", "edge.example.com:100000/", Format),
        ("edge.example.com/", "edge.example.com:/", Format),
        ("edge.example.com/", "edge.example.com:443:443/", Format),
        ("edge.example.com/", "localhostxxx/", Format),
        ("edge.example.com/", "edge..example.com/", Format),
        ("edge.example.com/", "edge_a.example.com/", Format),
        ("edge.example.com/", "edge.example.com./", Format),
        ("https://", "http://", Format),
        ("/edge/wp8", "/edge/wp8/", Format),
        ("/edge/wp8", "/edge/WP8", Format),
        ("https://edge.example.com/edge/wp8", "https://a.b/edge/wp", Length),
        ("urn:wp:37E0", "urn:wp:37e0", Format),
        ("urn:wp:37E0", "urn:WP:37E0", Format),
        ("urn:wp:37E0", "urn:wp:7E0", Length),
        ("urn:wp:37E0", "urn:wp:37E1", Conflict),
    ] {
        assert_eq!(with(from, to), Some(code), "{from} -> {to}");
    }
    // The header's fields come before the items', and one after another.
    assert_eq!(code(change(&change(text("V1").as_bytes(), "<MsgID>1<", "<MsgID>0<"), "NOKIA", "")), Some(Format));
    assert_eq!(
        code(credentials(&String::from_utf8(change(text("V1").as_bytes(), "urn:wp:", "urn:wp")).unwrap(), "!")),
        Some(Length)
    );
}

#[test]
fn cred() {
    assert_eq!(pair(&format!("{DEVICE}:")), None);
    assert_eq!(pair(DEVICE), Some(Format));
    assert_eq!(pair("x:"), Some(Length));
    assert_eq!(pair(":"), Some(Length));
    assert_eq!(pair(""), Some(Format));
    assert_eq!(pair("M1.:"), Some(Length));
    assert_eq!(pair(&format!("{}:", DEVICE.replace("D1.", "D2."))), Some(Format));
    assert_eq!(pair(&format!("{DEVICE}:{USER}")), Some(Conflict));
    assert_eq!(pair(&format!("{MASS}:{USER}")), Some(Conflict));
    assert_eq!(pair(&format!("{MASS}:")), Some(Conflict));
    assert_eq!(pair(&format!("{DEVICE}:a")), Some(Length));
    assert_eq!(pair(&format!("{DEVICE}:ana@example")), Some(Format));
    assert_eq!(pair(&format!("{DEVICE}::{USER}")), Some(Format));
    assert_eq!(pair("é:"), Some(Format));
    // The proof before the user.
    assert_eq!(pair(&format!("{}:a", DEVICE.replace("D1.", "D2."))), Some(Format));
    let cred = |data: &str| code(credentials(&text("V1"), data));
    assert_eq!(cred(""), Some(Format));
    let good = STANDARD.encode(format!("{DEVICE}:"));
    assert_eq!(cred(&good), None);
    assert_eq!(cred(&format!("{good}=")), Some(Format));
    assert_eq!(cred(&format!(" {good}")), Some(Format));
    assert_eq!(cred(&format!("{}\n{}", &good[..8], &good[8..])), Some(Format));
    assert_eq!(cred(&STANDARD.encode(format!("{DEVICE}:{USER}x")).replace('=', "")), Some(Format));
    assert_eq!(cred(&format!("{}-", &good[..good.len() - 1])), Some(Format));
    let registered = |pair: &str| code(credentials(&text("V2"), &STANDARD.encode(pair)));
    assert_eq!(registered(&format!("{MASS}:{USER}")), None);
    assert_eq!(registered(&format!("{MASS}:")), Some(Conflict));
    assert_eq!(registered(&format!("{DEVICE}:{USER}")), Some(Conflict));
}

#[test]
fn values() {
    for (uri, bad, code) in [
        ("./DevInfo/DevId", "", Length),
        ("./DevInfo/DevId", "AAAAAAAAAAAAAAAAAAAAAAAAAAA=", Format),
        ("./DevInfo/DevId", "N+DT4cTJOm+x8I6YmwKB6KbARI==", Format),
        ("./DevInfo/DevId", "N-DT4cTJOm-x8I6YmwKB6KbARII=", Format),
        ("./DevInfo/DevId", "N+DT4cTJOm+x8I6YmwKB6KbARIJ=", Format),
        ("./DevInfo/DevId", "N+DT4cTJOm+x8I6YmwKB6KbARIE=", Conflict),
        ("./DevInfo/DevId", "A+DT4cTJOm+x8I6YmwKB6KbARII=", Conflict),
        ("./DevInfo/Man", "", Length),
        ("./DevInfo/Man", "a/b", Format),
        ("./DevInfo/Man", "é", Format),
        ("./DevInfo/Mod", "a&amp;b", Format),
        ("./DevInfo/DmV", "1.4", Format),
        ("./DevInfo/DmV", "", Format),
        ("./DevInfo/Lang", "en_US", Format),
        ("./DevInfo/Lang", "en", Length),
        ("./DevInfo/Lang", "abc-Abcd-AB", Length),
        ("./DevDetail/SwV", "8.0.9123.", Length),
        ("./DevDetail/SwV", "8.0.99123.1", Format),
        ("./DevDetail/SwV", "8.0.11123.1", Format),
        ("./DevDetail/SwV", "8.1.14219.341", Format),
        ("./DevDetail/SwV", "8.10.16219.341", Format),
        ("./DevDetail/SwV", "8.10.1421.341", Format),
        ("./DevDetail/SwV", "8.10.14219.34112", Length),
        ("./DevDetail/SwV", "8.0.9123.12345", Format),
        ("./Edge/App", "65536.0.0.0", Range),
        ("./Edge/App", "1.0.0.99999", Range),
        ("./Edge/App", "0.0.0.0", Format),
        ("./Edge/App", "1.00.0.0", Format),
        ("./Edge/App", "1.0.0", Length),
        ("./Edge/App", "1.0.000", Format),
        ("./Edge/App", "1.0.0.0.0", Format),
        ("./Edge/App", "65536.0.0.x", Format),
        ("./Edge/Name", "", Length),
        ("./Edge/Name", "a\tb", Format),
        ("./Edge/Name", "a\u{7F}", Format),
        ("./Edge/Tz", "UT", Length),
        ("./Edge/Tz", "eastern", Format),
        ("./Edge/Tz", "Eastern  Time", Format),
        ("./Edge/Net", "wifi", Format),
        ("./Edge/Power", "Battery:", Length),
        ("./Edge/Power", "Battery:071", Format),
        ("./Edge/Power", "Battery:101", Format),
        ("./Edge/Power", "External:1000", Length),
        ("./Edge/Power", "battery:71", Format),
        ("./Edge/Agent", "periodic", Format),
        ("./Edge/Agent", "ResourceIntensive", Conflict),
        ("./Edge/Sent", "2026-05-14T09:30:00.125Z", Length),
        ("./Edge/Sent", "2026-05-14T09:30:00.125000aZ", Format),
        ("./Edge/Sent", "2026-13-14T09:30:00.1250000Z", Format),
        ("./Edge/Sent", "2011-12-31T23:59:59.9999999Z", Range),
        ("./Edge/Nonce", "AAAAAAAAAAAAAAAAAAAAAA==", Format),
        ("./Edge/Op", "ping", Format),
        ("./Edge/Op", "", Format),
        ("./Edge/Op", "Authenticate", Format),
        ("./Edge/Op", "Register", Conflict),
        ("./Edge/Op", "Backup", Conflict),
    ] {
        assert_eq!(data(uri, bad), Some(code), "{uri} {bad:?}");
    }
}

#[test]
fn resource_intensive_agents() {
    let with = |uri: &str, value: &str| code(set(&text("V3"), uri, &element(uri, value)));
    assert_eq!(with("./Edge/Power", "External:90"), None);
    assert_eq!(with("./Edge/Power", "External:89"), Some(Conflict));
    assert_eq!(with("./Edge/Power", "Battery:96"), Some(Conflict));
    assert_eq!(with("./Edge/Net", "Ethernet"), None);
    assert_eq!(with("./Edge/Net", "MobileBroadbandCdma"), Some(Conflict));
}

#[test]
fn paths_of_a_backup() {
    for good in [
        "isostore:/a",
        "ms-appdata:///local/a/b.txt",
        "isostore:/com0",
        "isostore:/COM10",
        "isostore:/a.aux",
        "isostore:/ a",
        "isostore:/.a",
        "isostore:/...a",
        "isostore:/\u{1F600}",
        "isostore:/a&amp;b",
    ] {
        assert_eq!(paths(&[good]), None, "{good}");
    }
    for bad in [
        "",
        "isostore:/",
        "ms-appdata:///local/",
        "ms-appdata:///local",
        "ms-appdata:///roaming/a",
        "isostore:a",
        "Isostore:/a",
        "isostore://a",
        "isostore:/a/",
        "isostore:/a//b",
        "isostore:/.",
        "isostore:/..",
        "isostore:/a/../b",
        "isostore:/a.",
        "isostore:/a /b",
        "isostore:/aux.c",
        "isostore:/AUX .c",
        "isostore:/a/nul",
        "isostore:/COM1",
        "isostore:/lpt².x",
        "isostore:/a:b",
        "isostore:/a\\b",
        "isostore:/a|b",
        "isostore:/a?",
        "isostore:/a*",
        "isostore:/a&lt;",
        "isostore:/a&quot;",
        "isostore:/a\tb",
        "/a",
        "C:\\a",
    ] {
        assert_eq!(paths(&[bad]), Some(Path), "{bad}");
    }
    // 259 units in all; a character beyond U+FFFF is two.
    let long = |units: usize| format!("isostore:/{}/{}", "a".repeat(100), "b".repeat(units - 111));
    assert_eq!(paths(&[&long(259)]), None);
    assert_eq!(paths(&[&long(260)]), Some(Path));
    let wide = |count: usize| format!("isostore:/{}/{}", "\u{1F600}".repeat(100), "\u{1F600}".repeat(count));
    assert_eq!(paths(&[&wide(24)]), None);
    assert_eq!(paths(&[&wide(25)]), Some(Path));
    assert_eq!(paths(&["isostore:/a"; 16]), None);
    assert_eq!(paths(&["isostore:/a"; 17]), Some(Conflict));
    assert_eq!(paths(&[&["isostore:/a"; 17][..], &["x"]].concat()), Some(Path));
    assert_eq!(paths(&[]), Some(Conflict));
    assert_eq!(code(set(&text("V3"), "./Edge/Node", "")), Some(Conflict));
    assert_eq!(code(set(&text("V3"), "./Edge/Node", &element("./Edge/Node", "N"))), Some(Format));
    assert_eq!(code(set(&text("V3"), "./Edge/Bytes", &element("./Edge/Bytes", "01"))), Some(Format));
    assert_eq!(code(set(&text("V3"), "./Edge/Bytes", &element("./Edge/Bytes", "1125899906842625"))), Some(Range));
    assert_eq!(code(set(&text("V3"), "./Edge/Bytes", "")), None);
}
