//! Every format, of the same three targets.

use crate::{
    kit::{AT, Outcome, run, settled, snapshot},
    schema,
    servers::{Server, closed_port},
};

const FORMATS: [(&str, &str); 8] = [
    ("text", "txt"),
    ("json", "json"),
    ("jsonl", "jsonl"),
    ("csv", "csv"),
    ("junit", "xml"),
    ("sarif", "sarif"),
    ("nagios", "txt"),
    ("prometheus", "prom"),
];

/// One that connects, one with another certificate, one that is not there.
struct Three {
    right: Server,
    wrong: Server,
    closed: u16,
}

impl Three {
    fn new() -> Self {
        Self { right: Server::tls("ca-false"), wrong: Server::tls("ca-true"), closed: closed_port() }
    }

    fn run(&self, format: &str) -> (Outcome, String) {
        let targets = [self.right.address(), self.wrong.address(), format!("127.0.0.1:{}", self.closed)];
        let mut arguments = vec!["host"];
        arguments.extend(targets.iter().map(String::as_str));
        let pin = "certificates/ca-false.pem";
        arguments.extend(["--pin", pin, "--roots", pin, "--at", AT, "--platform", "windows,ios", "--format", format]);
        let outcome = run(&arguments);
        assert_eq!(outcome.stderr, "", "{format}");
        let ports = [(self.right.port, "RIGHT"), (self.wrong.port, "WRONG"), (self.closed, "CLOSED")];
        let text = settled(&outcome.stdout, &ports);
        (outcome, text)
    }
}

#[test]
fn each_format_is_as_it_was() {
    let three = Three::new();
    for (format, ending) in FORMATS {
        let (outcome, text) = three.run(format);
        assert_eq!(outcome.code, if format == "nagios" { 2 } else { 1 }, "{format}");
        snapshot(&format!("formats/{format}.{ending}"), &text);
    }
}

#[test]
fn json_is_of_the_printed_schema() {
    let printed = run(&["--print-schema"]);
    assert_eq!(printed.code, 0);
    let schema: serde_json::Value = serde_json::from_str(&printed.stdout).unwrap();
    let three = Three::new();
    let (whole, _) = three.run("json");
    let document: serde_json::Value = serde_json::from_str(&whole.stdout).unwrap();
    schema::check(&schema, &schema, &document);
    let (lines, _) = three.run("jsonl");
    assert_eq!(lines.stdout.lines().count(), 3);
    for line in lines.stdout.lines() {
        schema::check(&schema, &schema["$defs"]["Record"], &serde_json::from_str(line).unwrap());
    }
    assert_eq!(document["summary"]["exit_code"], 1);
    assert_eq!(document["targets"].as_array().unwrap().len(), 3);
}

#[test]
fn nagios_has_its_own_exit_codes() {
    let server = Server::tls("ca-false");
    let target = server.address();
    let root = "certificates/ca-false.pem";
    let with = |more: &[&str]| {
        let common = ["host", &target, "--roots", root, "--platform", "linux", "--format", "nagios"];
        let outcome = run(&[&common, more].concat());
        (outcome.code, outcome.stdout)
    };
    let (code, text) = with(&["--at", AT]);
    assert_eq!((code, text.split(' ').nth(1)), (0, Some("OK")), "{text}");
    let (code, text) = with(&["--at", "2027-12-15"]);
    assert_eq!((code, text.split(' ').nth(1)), (1, Some("WARNING")), "{text}");
    let (code, text) = with(&["--at", "2027-12-30"]);
    assert_eq!((code, text.split(' ').nth(1)), (2, Some("CRITICAL")), "{text}");
    assert_eq!(run(&["host", "--format", "nagios"]).code, 3);
    assert_eq!(run(&["host", "x", "--format=nagios", "--at", "never"]).code, 3);
}

#[test]
fn results_come_in_the_order_of_the_list() {
    let slow = Server::of(|stream| {
        // Closed after a moment, as an overloaded server would.
        std::thread::sleep(std::time::Duration::from_millis(300));
        drop(stream);
    });
    let quick = Server::tls("ca-false");
    let (first, second) = (slow.address(), quick.address());
    let root = "certificates/ca-false.pem";
    let outcome = run(&["host", &first, &second, "--roots", root, "--at", AT, "--format", "csv"]);
    let targets: Vec<&str> = outcome.stdout.lines().skip(1).filter_map(|line| line.split(',').next()).collect();
    assert_eq!(targets, [&first, &second]);
}

#[test]
fn one_set_of_roots_that_accepts_is_enough_in_every_format() {
    let server = Server::tls("ca-false");
    let target = server.address();
    let two = ["--roots", "certificates/root.pem", "--roots", "certificates/ca-false.pem"];
    for (format, wrong) in [("junit", "<failure"), ("sarif", "\"error\""), ("nagios", "CRITICAL"), ("csv", ",fail,")] {
        let common = ["host", &target, "--at", AT, "--platform", "linux", "--format", format];
        let outcome = run(&[&common[..], &two].concat());
        assert_eq!(outcome.code, 0, "{format}: {}", outcome.stdout);
        assert!(!outcome.stdout.contains(wrong), "{format}: {}", outcome.stdout);
    }
}
