//! The forms of the report, and the table of several.

use std::fs;

use crate::{
    faulty::WHICH,
    kit::{command, run, run_with},
};

#[test]
fn one_run_gives_every_form() {
    let place = tempfile::tempdir().unwrap();
    let path = |name: &str| place.path().join(name).to_str().unwrap().to_owned();
    let mut command = command();
    command.args(["serve", "--trial", "other-key,expired", "--label", "a <client>", "--client-pins", "spki"]);
    for name in ["r.txt", "r.json", "r.xml", "r.html"] {
        command.args(["--report", &path(name)]);
    }
    command.arg("--").arg(std::env::current_exe().unwrap());
    command.args(["--exact", "faulty::client", "--ignored", "--nocapture"]).env(WHICH, "chain-only");
    let outcome = run(command);
    assert_eq!(outcome.code, 1, "{outcome:?}");
    assert!(
        outcome.stdout.contains("a <client>: right in 2 of 3 trials, wrong in 1; 18 bytes went to"),
        "{}",
        outcome.stdout
    );
    assert!(!outcome.stdout.contains('\x1b'), "no colours off a terminal");
    assert_eq!(fs::read_to_string(path("r.txt")).unwrap(), outcome.stdout);
    let xml = fs::read_to_string(path("r.xml")).unwrap();
    assert!(xml.contains("tests=\"3\" failures=\"1\" skipped=\"0\"") && xml.contains("a &lt;client&gt;"), "{xml}");
    let page = fs::read_to_string(path("r.html")).unwrap();
    assert!(page.contains("a &lt;client&gt; against a rogue edge") && page.contains("GET / HTTP/1.0"), "{page}");
    assert!(!page.contains("http://") && !page.contains("https://") && !page.contains("src="), "nothing from outside");
    let table = run_with(&["table", &path("r.json"), &path("r.json")]);
    assert_eq!(table.code, 0);
    assert!(table.stdout.starts_with("| trial | a <client> | a <client> |\n|---|---|---|\n"), "{}", table.stdout);
    assert!(table.stdout.contains("| `other-key` | **accepted, 18 B** | **accepted, 18 B** |"), "{}", table.stdout);
    assert!(table.stdout.contains("| `expired` | refused | refused |"), "{}", table.stdout);
}

#[test]
fn the_given_certificate_is_what_the_client_knows() {
    let place = tempfile::tempdir().unwrap();
    let (certificate, key) = (place.path().join("edge.crt"), place.path().join("edge.key"));
    let identity = relay_trust::Identity::self_signed(&["edge.example.com".to_owned()], 30).unwrap();
    identity.write(&certificate, &key).unwrap();
    let client = std::env::current_exe().unwrap();
    let run_it = |with_key: bool| {
        let mut command = command();
        command.args(["serve", "--client-pins", "leaf", "--format", "json", "--pin-of"]).arg(&certificate);
        if with_key {
            command.arg("--pin-key").arg(&key);
        }
        command.arg("--").arg(&client).args(["--exact", "faulty::client", "--ignored", "--nocapture"]);
        command.env(WHICH, "device-leaf");
        run(command)
    };
    let outcome = run_it(true);
    let report = crate::kit::Report::of(&outcome);
    assert!(report.with("wrong").is_empty(), "{}", outcome.stdout);
    assert_eq!(report.trial("control")["seen"][0]["hello"]["server_name"], "edge.example.com");
    assert_eq!(report.with("not-judged"), ["intermediate-missing"].into(), "a self-signed certificate has none");
    assert_eq!(outcome.code, 3);
    // Without the key nobody can be the right server: what is left are those who have no key either.
    let outcome = run_it(false);
    let report = crate::kit::Report::of(&outcome);
    assert_eq!(outcome.code, 3, "{}", outcome.stdout);
    for name in ["control", "expired", "same-key", "bad-finished-tls13"] {
        assert_eq!(report.trial(name)["outcome"], "left-out", "{name}");
    }
    for name in ["possession", "other-key", "pinned-appended", "self-signed", "plaintext", "huge-chain", "tls10-only"] {
        assert_eq!(report.trial(name)["verdict"], "right", "{name}");
    }
}
