//! FORMATS §5: the edge cases.

use relay_wire::Platform;

use crate::assert_verdicts;

const V1: &str = include_str!("../../vectors/android/V1.ok");
const V2: &str = include_str!("../../vectors/android/V2.ok");
const V3: &str = include_str!("../../vectors/android/V3.ok");

/// `body` with this raw value of `name`.
fn with(body: &str, name: &str, value: &str) -> String {
    let pair = |pair: &str| match pair.split_once('=') {
        Some((found, _)) if found == name => format!("{name}={value}"),
        _ => pair.to_owned(),
    };
    body.split('&').map(pair).collect::<Vec<_>>().join("&")
}

fn without(body: &str, name: &str) -> String {
    let prefix = format!("{name}=");
    body.split('&').filter(|pair| !pair.starts_with(&prefix)).collect::<Vec<_>>().join("&")
}

/// A value as `java.net.URLEncoder` writes it.
fn encode(text: &str) -> String {
    let byte = |byte: u8| match byte {
        b' ' => "+".to_owned(),
        b'.' | b'-' | b'*' | b'_' => char::from(byte).to_string(),
        byte if byte.is_ascii_alphanumeric() => char::from(byte).to_string(),
        byte => format!("%{byte:02X}"),
    };
    text.bytes().map(byte).collect()
}

fn with_uris(uris: &[&str]) -> String {
    let pairs: String = uris.iter().map(|uri| format!("&uri={}", encode(uri))).collect();
    without(V3, "uri").replace("&est=", &format!("{pairs}&est="))
}

fn assert_bodies(cases: &[(&str, &str, &'static str)]) {
    let case = |(name, body, code): &(&str, &str, &'static str)| ((*name).to_owned(), body.as_bytes().to_vec(), *code);
    assert_verdicts(Platform::Android, cases.iter().map(case));
}

fn assert_values(name: &str, cases: &[(&str, &'static str)]) {
    let case = |(value, code): &(&str, &'static str)| (format!("{name}={value}"), with(V1, name, value).into(), *code);
    assert_verdicts(Platform::Android, cases.iter().map(case));
}

fn assert_uris(cases: &[(&str, &'static str)]) {
    let case = |(uri, code): &(&str, &'static str)| (format!("uri {uri}"), with_uris(&[uri]).into(), *code);
    assert_verdicts(Platform::Android, cases.iter().map(case));
}

#[test]
fn container() {
    assert_bodies(&[
        ("a & at the end", &format!("{V1}&"), "E_SYNTAX"),
        ("a & at the beginning", &format!("&{V1}"), "E_SYNTAX"),
        ("two & together", &V1.replace("&sdk", "&&sdk"), "E_SYNTAX"),
        ("a value with =", &with(V1, "device", "a=b"), "E_SYNTAX"),
        ("a name without =", &format!("{V1}&est"), "E_SYNTAX"),
        ("a name in capitals", &format!("{V1}&EST=1"), "E_SYNTAX"),
        ("a name of one letter", &format!("{V1}&a=1"), "E_SYNTAX"),
        ("a name of 13 letters", &format!("{V1}&aaaaaaaaaaaaa=1"), "E_SYNTAX"),
        ("an escape in a name", &format!("{V1}&e%73t=1"), "E_SYNTAX"),
        ("only &", "&", "E_SYNTAX"),
        ("LF at the end", &format!("{V1}\n"), "E_ENCODING"),
        ("a raw space", &with(V1, "model", "Pixel 8"), "E_ENCODING"),
        ("a raw umlaut", &with(V1, "model", "ü"), "E_ENCODING"),
    ]);
}

#[test]
fn value_encoding() {
    assert_values(
        "device",
        &[
            ("%c3%a9", "E_ENCODING"),
            ("%41", "E_ENCODING"),
            ("%FF", "E_ENCODING"),
            ("~", "E_ENCODING"),
            ("%7E", "ok"),
            ("%20", "E_ENCODING"),
            ("a+b", "ok"),
            ("%2B", "ok"),
            ("%", "E_ENCODING"),
            ("%C", "E_ENCODING"),
            ("a%4", "E_ENCODING"),
            ("a/b", "E_ENCODING"),
            ("%C3%A9", "E_FORMAT"),
            ("%C3", "E_ENCODING"),
            ("%ED%A0%80", "E_ENCODING"),
            ("%C0%AF", "E_ENCODING"),
            ("%F4%90%80%80", "E_ENCODING"),
            ("%00", "E_FORMAT"),
            ("%7F", "E_FORMAT"),
            ("+a", "ok"),
            ("a+", "E_FORMAT"),
            ("", "E_LENGTH"),
            ("*", "ok"),
        ],
    );
    let euros = "%E2%82%AC";
    assert_values("device", &[(&euros.repeat(64), "E_FORMAT"), (&euros.repeat(65), "E_LENGTH")]);
}

#[test]
fn steps() {
    assert_bodies(&[
        ("a bad value before an unknown name", &format!("{V1}&foo=%41"), "E_ENCODING"),
        ("an unknown name before a duplicate", &format!("{V1}&nonce=1&foo=1"), "E_UNKNOWN"),
        ("a duplicate before disorder", &format!("{V1}&op=ping"), "E_DUPLICATE"),
        ("disorder before missing", &without(&format!("{V1}&user=a"), "tz"), "E_ORDER"),
        ("missing before format", &without(&with(V1, "op", ""), "tz"), "E_MISSING"),
        ("op empty", &with(V1, "op", ""), "E_FORMAT"),
        ("a uri before a conflict", &format!("{V1}&uri=x"), "E_PATH"),
        ("a good uri under ping", &format!("{V1}&uri=%2Fstorage%2Femulated%2F0"), "E_CONFLICT"),
        ("an estimate under ping", &format!("{V1}&est=0"), "ok"),
        ("a user under ping", &V1.replace("&manufacturer", "&user=a%40b.c.de&manufacturer"), "E_CONFLICT"),
        ("a register without a user", &without(V2, "user"), "E_CONFLICT"),
        ("16 uris", &with_uris(&["/storage/emulated/0"; 16]), "ok"),
        ("17 uris", &with_uris(&["/storage/emulated/0"; 17]), "E_CONFLICT"),
        ("no uri", &with_uris(&[]), "E_CONFLICT"),
    ]);
}

#[test]
fn identity() {
    assert_values(
        "android_id",
        &[
            ("1", "ok"),
            ("0", "E_FORMAT"),
            ("01", "E_FORMAT"),
            ("0000000000000001", "ok"),
            ("000000000000001", "E_FORMAT"),
            ("0000000000000000", "E_FORMAT"),
            ("9774d56d682e549d", "ok"),
            ("F", "E_FORMAT"),
            ("00000000000000001", "E_LENGTH"),
            ("", "E_LENGTH"),
        ],
    );
    assert_values("app_id", &[("a.b", "ok"), ("a", "E_LENGTH"), ("abc", "E_FORMAT"), ("a.1b", "E_FORMAT")]);
    assert_values("app_id", &[("a..b", "E_FORMAT"), ("a.b.", "E_FORMAT"), ("A_1.B_2", "ok"), ("_a.b", "E_FORMAT")]);
    assert_values("app_version", &[("", "E_LENGTH"), ("-1", "E_FORMAT"), ("v1%2B2-3_4.5", "ok")]);
    assert_values(
        "app_code",
        &[
            ("0", "E_FORMAT"),
            ("1", "ok"),
            ("01", "E_FORMAT"),
            ("2100000000", "ok"),
            ("2100000001", "E_RANGE"),
            ("9999999999", "E_RANGE"),
            ("10000000000", "E_LENGTH"),
        ],
    );
    assert_values("build", &[("AB", "E_LENGTH"), ("A.B", "ok"), ("A+B", "E_FORMAT")]);
}

#[test]
fn releases() {
    let pair = |release: &str, sdk: &str| with(&with(V1, "release", release), "sdk", sdk);
    assert_bodies(&[
        ("17 on 37", &pair("17", "37"), "ok"),
        ("1 on 99", &pair("1", "99"), "ok"),
        ("16 on 36", &pair("16", "36"), "ok"),
        ("17 on 36", &pair("17", "36"), "E_CONFLICT"),
        ("12 on 31", &pair("12", "31"), "ok"),
        ("12 on 32", &pair("12", "32"), "ok"),
        ("8.0.0 on 26", &pair("8.0.0", "26"), "ok"),
        ("8.0 on 26", &pair("8.0", "26"), "E_CONFLICT"),
        ("6.0.1 on 23", &pair("6.0.1", "23"), "ok"),
        ("5.1.1 on 22 with a patch date", &pair("5.1.1", "22"), "E_CONFLICT"),
        ("5.1.1 on 22 without", &without(&pair("5.1.1", "22"), "patch"), "ok"),
        ("no patch date", &without(V1, "patch"), "E_CONFLICT"),
    ]);
    assert_values("release", &[("14.", "E_FORMAT"), ("014", "E_FORMAT"), ("", "E_LENGTH"), ("14.0.0", "E_LENGTH")]);
    assert_values("release", &[("140", "E_FORMAT"), ("4.10", "E_FORMAT"), ("14.0.", "E_FORMAT"), ("0", "E_FORMAT")]);
    assert_values("sdk", &[("20", "E_RANGE"), ("100", "E_LENGTH"), ("09", "E_FORMAT"), ("3x", "E_FORMAT")]);
    assert_values(
        "patch",
        &[
            ("2024-02-30", "E_FORMAT"),
            ("2024-02-29", "ok"),
            ("2023-02-29", "E_FORMAT"),
            ("2024-00-01", "E_FORMAT"),
            ("2024-13-01", "E_FORMAT"),
            ("2024-04-31", "E_FORMAT"),
            ("2024-05-00", "E_FORMAT"),
            ("2015-07-31", "E_RANGE"),
            ("2015-08-01", "ok"),
            ("2099-12-31", "ok"),
            ("2100-01-01", "E_RANGE"),
            ("0000-01-01", "E_RANGE"),
            ("0000-02-29", "E_RANGE"),
            ("1900-02-29", "E_FORMAT"),
            ("2024-5-05", "E_LENGTH"),
            ("2024%2F05%2F05", "E_FORMAT"),
        ],
    );
}

#[test]
fn surroundings() {
    assert_values("lang", &[("en", "ok"), ("eng-Latn", "ok"), ("en-419", "ok"), ("e", "E_LENGTH"), ("EN", "E_FORMAT")]);
    assert_values("lang", &[("en-", "E_FORMAT"), ("en-latn", "E_FORMAT"), ("en-Latn-RS-x", "E_FORMAT")]);
    assert_values("net", &[("vpn", "ok"), ("", "E_FORMAT"), ("WIFI", "E_FORMAT")]);
    assert_values("metered", &[("1", "ok"), ("", "E_FORMAT"), ("2", "E_FORMAT"), ("01", "E_FORMAT")]);
    assert_values(
        "battery",
        &[("0", "ok"), ("100", "ok"), ("101", "E_RANGE"), ("00", "E_FORMAT"), ("1000", "E_LENGTH"), ("", "E_LENGTH")],
    );
    assert_values(
        "sent",
        &[
            ("1325376000000", "ok"),
            ("1325375999999", "E_RANGE"),
            ("4102444799999", "ok"),
            ("4102444800000", "E_RANGE"),
            ("9999999999999", "E_RANGE"),
            ("0325376000000", "E_FORMAT"),
            ("132537600000", "E_LENGTH"),
        ],
    );
}

#[test]
fn media() {
    assert_uris(&[
        ("content://media/external/images/media/1", "ok"),
        ("content://media/external/file/1", "ok"),
        ("content://media/external_primary/downloads/9999999999999999999", "ok"),
        ("content://media/external/file/10000000000000000000", "E_PATH"),
        ("content://media/1a2b-3c4d/audio/media/7", "ok"),
        ("content://media/1A2B-3C4D/audio/media/7", "E_PATH"),
        ("content://media/internal/images/media/1", "E_PATH"),
        ("content://media/external/images/media/0", "E_PATH"),
        ("content://media/external/images/media/media/1", "E_PATH"),
        ("content://media/external/images/", "E_PATH"),
        ("content://media/external/images/media/", "E_PATH"),
        ("content://media/external/images/1?x", "E_PATH"),
        ("", "E_PATH"),
    ]);
}

#[test]
fn trees() {
    let tree = |rest: &str| format!("content://com.android.externalstorage.documents/tree/{rest}");
    assert_uris(&[
        (&tree("primary%3A"), "ok"),
        (&tree("primary%3AMy%20Files%2Fa.txt"), "ok"),
        (&tree("1A2B-3C4D%3ADCIM"), "ok"),
        (&tree("1a2b-3c4d%3ADCIM"), "E_PATH"),
        (&tree("home%3A"), "E_PATH"),
        (&tree("primary:"), "E_PATH"),
        (&tree("primary%3a"), "E_PATH"),
        (&tree("primary%3A%2E%2E"), "E_PATH"),
        (&tree("primary%3A.."), "E_PATH"),
        (&tree("primary%3AA%2F%2FB"), "E_PATH"),
        (&tree("primary%3AA%2F"), "E_PATH"),
        (&tree("primary%3A%2FA"), "E_PATH"),
        (&tree("primary%3AA/B"), "E_PATH"),
        (&tree("primary%3AA%3AB"), "E_PATH"),
        (&tree("primary%3A%41"), "E_PATH"),
        (&tree("primary%3A%7E"), "E_PATH"),
        (&tree("primary%3A~"), "ok"),
        (&tree("primary%3A%C3%A9"), "ok"),
        (&tree("primary%3A%C3"), "E_PATH"),
        (&tree("primary%3Aé"), "E_PATH"),
        (&tree("primary%3AAndroid%2Fdata"), "E_PATH"),
        (&tree("primary%3AAndroid"), "ok"),
        (&tree("primary%3AAndroid%2Fmedia"), "ok"),
        (&tree("primary%3AA%2FAndroid%2Fdata"), "ok"),
    ]);
    let parts = |bytes: usize| tree(&format!("primary%3A{}", "a%2F".repeat((bytes - 63) / 4)));
    let long = |bytes: usize| {
        let head = parts(bytes - 9);
        let rest = bytes - head.len();
        head + &"b".repeat(rest)
    };
    assert_eq!(long(1024).len(), 1024);
    assert_uris(&[(&long(1024), "ok"), (&long(1025), "E_PATH")]);
}

#[test]
fn shared_storage() {
    assert_uris(&[
        ("/storage/emulated/0", "ok"),
        ("/storage/emulated/0/", "E_PATH"),
        ("/storage/emulated/", "E_PATH"),
        ("/storage/emulated", "E_PATH"),
        ("/storage/emulated/999/a", "ok"),
        ("/storage/emulated/1000/a", "E_PATH"),
        ("/storage/emulated/00/a", "E_PATH"),
        ("/storage/self/primary", "E_PATH"),
        ("/storage/1A2B-3C4D", "ok"),
        ("/storage/1A2B-3C4D/a", "ok"),
        ("/storage/1a2b-3c4d/a", "E_PATH"),
        ("/storage/emulated/0/android/DATA/x", "E_PATH"),
        ("/storage/emulated/0/Android/obb", "E_PATH"),
        ("/storage/emulated/0/Android/database", "ok"),
        ("/storage/emulated/0/a/../b", "E_PATH"),
        ("/storage/emulated/0/a//b", "E_PATH"),
        ("/storage/emulated/0/é%41 x", "ok"),
        ("/storage/emulated/0/a:b", "E_PATH"),
        ("/storage/emulated/0/a\tb", "E_PATH"),
        ("/storage/emulated/0/a\u{7F}b", "E_PATH"),
        ("/data/data/x", "E_PATH"),
        (&format!("/storage/emulated/0/{}", "é".repeat(127)), "ok"),
        (&format!("/storage/emulated/0/{}", "é".repeat(128)), "E_PATH"),
    ]);
    let long = |bytes: usize| {
        let head = format!("/storage/emulated/0{}", "/a".repeat((bytes - 21) / 2));
        let rest = bytes - head.len() - 1;
        format!("{head}/{}", "b".repeat(rest))
    };
    assert_eq!(long(1023).len(), 1023);
    assert_uris(&[(&long(1023), "ok"), (&long(1024), "E_PATH")]);
}
