//! FORMATS §3: the edge cases.

use relay_wire::Platform;

use crate::assert_verdicts;

const V1: &str = include_str!("../../vectors/linux/V1.ok");
const V3: &str = include_str!("../../vectors/linux/V3.ok");

/// `body` with this value of `key`, once.
fn with(body: &str, key: &str, value: &str) -> String {
    let line = |line: &str| match line.split_once('=') {
        Some((name, _)) if name == key => format!("{key}={value}\n"),
        _ => format!("{line}\n"),
    };
    body.lines().map(line).collect()
}

fn without(body: &str, key: &str) -> String {
    let prefix = format!("{key}=");
    body.lines().filter(|line| !line.starts_with(&prefix)).map(|line| format!("{line}\n")).collect()
}

/// V3 with these paths.
fn with_paths(paths: &[&str]) -> String {
    let lines: String = paths.iter().map(|path| format!("PATH={path}\n")).collect();
    without(V3, "PATH").replace("NODE=node-eu-02\n", &format!("NODE=node-eu-02\n{lines}"))
}

/// V1 with `line` behind the line of `key`.
fn after(key: &str, line: &str) -> String {
    let start = V1.find(&format!("\n{key}=")).expect("the key") + 1;
    let end = start + V1[start..].find('\n').expect("its line's end");
    format!("{}\n{line}{}", &V1[..end], &V1[end..])
}

fn assert_bodies(cases: &[(&str, &str, &'static str)]) {
    let case = |(name, body, code): &(&str, &str, &'static str)| ((*name).to_owned(), body.as_bytes().to_vec(), *code);
    assert_verdicts(Platform::Linux, cases.iter().map(case));
}

fn assert_values(key: &str, cases: &[(&str, &'static str)]) {
    let case = |(value, code): &(&str, &'static str)| (format!("{key}={value}"), with(V1, key, value).into(), *code);
    assert_verdicts(Platform::Linux, cases.iter().map(case));
}

fn assert_paths(cases: &[(&str, &'static str)]) {
    let case = |(path, code): &(&str, &'static str)| (format!("PATH={path}"), with_paths(&[path]).into(), *code);
    assert_verdicts(Platform::Linux, cases.iter().map(case));
}

#[test]
fn container() {
    assert_bodies(&[
        ("no LF at the end", &V1[..V1.len() - 1], "E_SYNTAX"),
        ("two LF at the end", &format!("{V1}\n"), "E_SYNTAX"),
        ("an empty line", &V1.replace("ARCH", "\nARCH"), "E_SYNTAX"),
        ("a space in a value", &with(V1, "KERNEL", "6.8 0"), "E_SYNTAX"),
        ("a space in a path", &with_paths(&["/a b"]), "E_SYNTAX"),
        ("op PING", &V1.replace(" ping", " PING"), "E_SYNTAX"),
        ("op of 17 letters", &V1.replace(" ping", " aaaaaaaaaaaaaaaaa"), "E_SYNTAX"),
        ("op of 16 letters", &V1.replace(" ping", " aaaaaaaaaaaaaaaa"), "E_FORMAT"),
        ("op delete", &V1.replace(" ping", " delete"), "E_FORMAT"),
        ("no op", &V1.replace(" ping", " "), "E_SYNTAX"),
        ("two spaces", &V1.replace(" ping", "  ping"), "E_SYNTAX"),
        ("a space behind op", &V1.replace(" ping", " ping "), "E_SYNTAX"),
        ("version 2", &V1.replace("AGENT/1", "AGENT/2"), "E_SYNTAX"),
        ("no END", &V1.replace("END\n", ""), "E_SYNTAX"),
        ("END in the middle", &V1.replace("ARCH", "END\nARCH"), "E_SYNTAX"),
        ("END behind a value", &V1.replace("\nEND\n", "END\n"), "E_SYNTAX"),
        ("a TAB", &with(V1, "KERNEL", "6.8\t0"), "E_ENCODING"),
        ("DEL", &with(V1, "KERNEL", "6.8\x7F"), "E_ENCODING"),
        ("a TAB and no LF", "\t", "E_ENCODING"),
        ("an umlaut", &with(V1, "OS_ID", "ü"), "E_ENCODING"),
        ("CR LF", &V1.replace('\n', "\r\n"), "E_SYNTAX"),
        ("only END", "END\n", "E_SYNTAX"),
        ("only LF", "\n", "E_SYNTAX"),
        ("a greeting alone", "EDGE-AGENT/1 ping\n", "E_SYNTAX"),
        ("no fields", "EDGE-AGENT/1 ping\nEND\n", "E_MISSING"),
        ("a key of one letter", &after("NONCE", "A=1"), "E_SYNTAX"),
        ("a key of 17 letters", &after("NONCE", "AAAAAAAAAAAAAAAAA=1"), "E_SYNTAX"),
        ("a key in lower case", &after("NONCE", "node=1"), "E_SYNTAX"),
        ("a line without =", &after("NONCE", "NODE"), "E_SYNTAX"),
    ]);
}

#[test]
fn steps() {
    assert_bodies(&[
        ("a bad escape before an unknown key", &after("NONCE", "PATH=%41\nFOO=1"), "E_ENCODING"),
        ("an escape in another value is a character", &with(V1, "OS_ID", "%41"), "E_FORMAT"),
        ("an unknown key before a duplicate", &after("NONCE", "NONCE=1\nFOO=1\nFOO=1"), "E_UNKNOWN"),
        ("DEVICE_TOKEN, MACHINE_ID, MACHINE_ID", &after("DEVICE_TOKEN", "MACHINE_ID=1"), "E_DUPLICATE"),
        ("disorder before missing", &without(&after("NONCE", "MASS_TOKEN=1"), "TZ"), "E_ORDER"),
        ("missing", &without(V1, "TZ"), "E_MISSING"),
        ("missing before op", &without(V1, "TZ").replace(" ping", " delete"), "E_MISSING"),
        ("op before the id", &with(V1, "MACHINE_ID", "").replace(" ping", " delete"), "E_FORMAT"),
        ("length of the id", &with(V1, "MACHINE_ID", ""), "E_LENGTH"),
        ("no OS_VERSION_ID", &without(V1, "OS_VERSION_ID"), "ok"),
        ("no proof", &without(V1, "DEVICE_TOKEN"), "E_CONFLICT"),
        ("a node under ping", &after("NONCE", "NODE=a"), "E_CONFLICT"),
        ("an estimate under ping", &after("NONCE", "ESTIMATE=0"), "ok"),
        ("paths apart", &V3.replace("ESTIMATE", "NODE"), "E_DUPLICATE"),
    ]);
}

#[test]
fn identity() {
    assert_values("MACHINE_ID", &[("9d1f6e02b7c83a35b2e07d5c41f98a06", "E_FORMAT"), ("9d1f", "E_LENGTH")]);
    assert_values("MACHINE_ID", &[("9d1f6e02b7c84a35c2e07d5c41f98a06", "E_FORMAT")]);
    assert_values("MACHINE_ID", &[("9D1F6E02B7C84A35B2E07D5C41F98A06", "E_FORMAT")]);
    assert_values(
        "HOSTNAME",
        &[
            ("", "E_LENGTH"),
            ("a", "ok"),
            ("a..b", "E_FORMAT"),
            ("a.", "E_FORMAT"),
            ("-a", "E_FORMAT"),
            ("a-", "E_FORMAT"),
            ("a_b", "E_FORMAT"),
            (&"a".repeat(63), "ok"),
            (&"a".repeat(64), "E_FORMAT"),
            (&format!("{}.a", "a".repeat(62)), "ok"),
            (&format!("{}.a", "a".repeat(63)), "E_LENGTH"),
        ],
    );
    assert_values("OS_ID", &[("", "E_LENGTH"), ("Ubuntu", "E_FORMAT"), (&"a".repeat(33), "E_LENGTH")]);
    assert_values("OS_VERSION_ID", &[("", "E_LENGTH"), ("9.4", "ok"), ("9/4", "E_FORMAT")]);
}

#[test]
fn versions() {
    assert_values(
        "KERNEL",
        &[
            ("6.8", "ok"),
            ("6.8.0.1", "ok"),
            ("6.8.0.1.2", "E_FORMAT"),
            ("1.2.3", "E_FORMAT"),
            ("6.1234", "E_FORMAT"),
            ("6.", "E_LENGTH"),
            ("6..1", "E_FORMAT"),
            ("6.8-", "ok"),
            ("6.8.-x", "E_FORMAT"),
            ("6.8+x/y", "E_FORMAT"),
            ("6.8~rc1", "ok"),
            ("6.8x", "E_FORMAT"),
            ("10.8", "E_FORMAT"),
        ],
    );
    assert_values(
        "AGENT",
        &[
            ("1.0.0-01", "E_FORMAT"),
            ("1.0.0-0", "ok"),
            ("1.0.0-0a1", "ok"),
            ("1.0.0-a.01", "E_FORMAT"),
            ("1.0.0+01", "ok"),
            ("1.0.0-", "E_FORMAT"),
            ("1.0.0+", "E_FORMAT"),
            ("1.0.0-a..b", "E_FORMAT"),
            ("1.0.0-a+b+c", "E_FORMAT"),
            ("1.0.0+a-b", "ok"),
            ("1.0.0--", "ok"),
            ("01.0.0", "E_FORMAT"),
            ("1.0.0.0", "E_FORMAT"),
            ("99999.99999.99999", "ok"),
            ("100000.0.0", "E_FORMAT"),
            ("1.0", "E_LENGTH"),
            (&format!("1.0.0-{}", "a".repeat(59)), "E_LENGTH"),
        ],
    );
}

#[test]
fn surroundings() {
    assert_values("ARCH", &[("riscv64", "ok"), ("", "E_FORMAT"), ("X86_64", "E_FORMAT")]);
    assert_values(
        "LANG",
        &[
            ("C", "ok"),
            ("POSIX", "ok"),
            ("C.utf8", "ok"),
            ("C.utf-8", "E_FORMAT"),
            ("", "E_LENGTH"),
            ("en", "E_FORMAT"),
            ("ast_ES.UTF-8@euro", "ok"),
            ("en_US.", "E_FORMAT"),
            ("en_US@", "E_FORMAT"),
            ("en_US@euro.UTF-8", "E_FORMAT"),
            ("en_419", "E_FORMAT"),
            (&format!("en_US.{}@{}", "a".repeat(16), "b".repeat(16)), "ok"),
            (&format!("en_US.{}", "a".repeat(17)), "E_FORMAT"),
            (&"a".repeat(41), "E_LENGTH"),
        ],
    );
    assert_values(
        "TZ",
        &[
            ("UTC", "ok"),
            ("UT", "E_LENGTH"),
            ("America/Argentina/Buenos_Aires", "ok"),
            ("a/b/c/d", "E_FORMAT"),
            ("Etc/", "E_FORMAT"),
            ("/Etc", "E_FORMAT"),
            ("Etc//UTC", "E_FORMAT"),
            ("Etc/GMT+1", "ok"),
            ("1tc", "E_FORMAT"),
            ("Etc/-1", "ok"),
        ],
    );
    assert_values(
        "NET",
        &[
            ("w:wifi:no", "ok"),
            (":wifi:yes", "E_FORMAT"),
            ("w:wifi:nox", "E_FORMAT"),
            ("w:wifi:no:", "E_FORMAT"),
            ("w/0:wifi:no", "E_FORMAT"),
            ("abcdefghijklmno:ethernet:guess-yes", "ok"),
            ("abcdefghijklmnop:ethernet:guess-yes", "E_FORMAT"),
            ("wifi:no", "E_LENGTH"),
            ("!:wwan:unknown", "ok"),
        ],
    );
    assert_values(
        "POWER",
        &[
            ("battery:101", "E_FORMAT"),
            ("battery:100", "ok"),
            ("battery:0", "ok"),
            ("battery:00", "E_FORMAT"),
            ("battery:", "E_FORMAT"),
            ("battery:1000", "E_LENGTH"),
            ("a", "E_LENGTH"),
            ("AC", "E_FORMAT"),
        ],
    );
    assert_values(
        "SENT",
        &[
            ("1325376000", "ok"),
            ("1325375999", "E_RANGE"),
            ("4102444799", "ok"),
            ("4102444800", "E_RANGE"),
            ("0325376000", "E_FORMAT"),
            ("+325376000", "E_FORMAT"),
            ("999999999", "E_LENGTH"),
        ],
    );
    let zeros = "0".repeat(32);
    assert_values("NONCE", &[(&zeros, "E_FORMAT"), (&"A".repeat(32), "E_FORMAT"), (&"a".repeat(31), "E_LENGTH")]);
}

#[test]
fn paths() {
    assert_paths(&[
        ("/%41", "E_ENCODING"),
        ("/%e9", "E_ENCODING"),
        ("/%E9", "ok"),
        ("/%2E%2E", "E_ENCODING"),
        ("/%25", "ok"),
        ("/%20", "ok"),
        ("/%7F", "ok"),
        ("/%0A", "ok"),
        ("/%", "E_ENCODING"),
        ("/%2", "E_ENCODING"),
        ("/%2F", "E_ENCODING"),
        ("/%00", "E_PATH"),
        ("/a/", "E_PATH"),
        ("", "E_PATH"),
        ("/", "ok"),
        ("//", "E_PATH"),
        ("/a//b", "E_PATH"),
        ("a", "E_PATH"),
        ("/..", "E_PATH"),
        ("/a/./b", "E_PATH"),
        ("/...", "ok"),
        (&format!("/{}", "a".repeat(255)), "ok"),
        (&format!("/{}", "a".repeat(256)), "E_PATH"),
        (&format!("/{}", "%FF".repeat(255)), "ok"),
    ]);
    let long = |bytes: usize| {
        let mut path = "/a".repeat(bytes / 2 - 1);
        path.push('/');
        path + &"b".repeat(1 + bytes % 2)
    };
    assert_eq!(long(4095).len(), 4095);
    assert_paths(&[(&long(4095), "ok"), (&long(4096), "E_PATH")]);
    assert_bodies(&[
        ("64 paths", &with_paths(&["/"; 64]), "ok"),
        ("65 paths", &with_paths(&["/"; 65]), "E_CONFLICT"),
        ("no path", &with_paths(&[]), "E_CONFLICT"),
        ("a bad path under ping", &after("NONCE", "PATH=/.."), "E_PATH"),
        ("estimate with a leading zero", &with(V3, "ESTIMATE", "01"), "E_FORMAT"),
        ("estimate of 2^50", &with(V3, "ESTIMATE", "1125899906842624"), "ok"),
        ("estimate of 17 digits", &with(V3, "ESTIMATE", "10000000000000000"), "E_LENGTH"),
        ("no estimate", &without(V3, "ESTIMATE"), "ok"),
        ("a negative estimate", &with(V3, "ESTIMATE", "-1"), "E_FORMAT"),
        ("an empty estimate", &with(V3, "ESTIMATE", ""), "E_LENGTH"),
    ]);
}
