//! Clients that are wrong in known ways: the command must find exactly that.

use std::collections::BTreeSet;

use crate::{
    faulty::WHICH,
    kit::{Outcome, Report, command, run},
};

/// Tries one of the clients of `faulty.rs`.
fn try_client(which: &str, options: &[&str]) -> (Outcome, Report) {
    let mut command = command();
    command.args(["serve", "--format", "json", "--timeout", "10s"]).args(options).arg("--");
    command.arg(std::env::current_exe().unwrap()).args(["--exact", "faulty::client", "--ignored", "--nocapture"]);
    command.env(WHICH, which);
    let outcome = run(command);
    let report = Report::of(&outcome);
    (outcome, report)
}

/// Every trial but those in which a client without a deadline of its own would make this test long.
fn wrong_in(which: &str, options: &[&str], wrong: &[&str]) -> Report {
    let (outcome, report) = try_client(which, options);
    assert_eq!(report.with("wrong"), wrong.iter().copied().collect::<BTreeSet<_>>(), "{which}: {}", outcome.stdout);
    assert_eq!(report.with("not-judged"), BTreeSet::new(), "{which}");
    assert_eq!(outcome.code, i32::from(!wrong.is_empty()), "{which}");
    report
}

const PINS: &[&str] = &["--client-pins", "spki"];

#[test]
fn the_relays_own_verifier_is_right_in_every_trial() {
    for (which, pins) in [("device-leaf", "leaf"), ("device-spki", "spki")] {
        let report = wrong_in(which, &["--client-pins", pins], &[]);
        assert!(report.0["trials"].as_array().unwrap().len() >= 41);
        for trial in report.0["trials"].as_array().unwrap() {
            assert!(trial["expected"] != "refuse" || trial["leaked_bytes"] == 0, "{trial}");
            assert_eq!((&trial["connections"], &trial["retries"]), (&1.into(), &0.into()), "{trial}");
        }
        assert_eq!(report.trial("same-key")["outcome"], if pins == "leaf" { "refused" } else { "accepted" });
        assert_eq!(report.trial("possession")["seen"][0]["alert"], "decrypt_error");
        assert_eq!(report.trial("control")["leaked_bytes"], 18);
    }
}

#[test]
fn a_client_that_asserts_signatures_is_found() {
    wrong_in("asserts-signatures", PINS, &["possession", "possession-tls12", "rsa-1024"]);
}

#[test]
fn a_client_that_looks_for_its_pin_anywhere_in_the_chain_is_found() {
    wrong_in("pin-anywhere", PINS, &["pinned-appended"]);
}

#[test]
fn a_client_that_forgets_its_pin_is_found() {
    let wrong = ["other-key", "pinned-appended", "changed-on-reconnect", "changed-on-resumption"];
    let report = wrong_in("chain-only", PINS, &wrong);
    assert_eq!(report.trial("other-key")["leaked_bytes"], 18);
    assert_eq!(report.trial("changed-on-reconnect")["seen"].as_array().unwrap().len(), 2);
}

#[test]
fn a_client_that_forgets_the_chain_is_found_and_one_that_never_claimed_to_check_it_is_right() {
    let wrong = [
        "pinned-key-unknown-root",
        "expired",
        "not-yet-valid",
        "wrong-name",
        "common-name-only",
        "nul-in-name",
        "ca-true",
        "client-usage-only",
        "sha1-signature",
        "md5-signature",
        "name-constraints",
        "path-length",
        "leaf-as-issuer",
        "bad-signature",
        "intermediate-missing",
    ];
    wrong_in("pin-only", PINS, &wrong);
    wrong_in("pin-only", &["--client-pins", "spki", "--client-chain", "ignored"], &[]);
}

#[test]
fn a_pin_that_is_looked_at_after_the_handshake_and_before_the_first_byte_is_right() {
    let report = wrong_in("checks-afterwards", &["--client-pins", "spki", "--trial", "other-key,expired"], &[]);
    let other = report.trial("other-key");
    assert_eq!((&other["outcome"], &other["seen"][0]["finished"]), (&"refused".into(), &true.into()), "{other}");
}

#[test]
fn a_client_that_says_nothing_is_judged_by_its_handshake() {
    let trials = ["--client-pins", "spki", "--trial", "other-key,same-key,bad-finished-tls13"];
    let report = wrong_in("silent", &trials, &[]);
    assert_eq!(report.trial("control")["leaked_bytes"], 0);
    assert_eq!(report.trial("same-key")["outcome"], "accepted");
}

#[test]
fn a_session_kept_from_the_right_server_does_not_excuse_from_checking() {
    let report = wrong_in(
        "resumes-blindly",
        &["--client-pins", "spki", "--trial", "changed-on-resumption"],
        &["changed-on-resumption"],
    );
    let seen = report.trial("changed-on-resumption")["seen"].as_array().unwrap().clone();
    assert_eq!((&seen[0]["genuine"], &seen[1]["genuine"]), (&true.into(), &false.into()));
    assert_eq!(seen.len(), 2, "it came back by itself: one run is enough");
}

#[test]
fn retries_are_counted() {
    let report = wrong_in("retries", &["--client-pins", "spki", "--trial", "other-key"], &[]);
    assert_eq!(report.trial("other-key")["connections"], 3);
    assert_eq!(report.trial("other-key")["retries"], 2);
}

#[test]
fn what_leaks_outside_tls_counts() {
    let report = wrong_in(
        "falls-back",
        &["--client-pins", "spki", "--trial", "plaintext,other-key"],
        &["plaintext", "other-key"],
    );
    let plaintext = report.trial("plaintext");
    assert_eq!((&plaintext["leaked_bytes"], &plaintext["connections"]), (&18.into(), &2.into()), "{plaintext}");
}

#[test]
fn a_client_that_refuses_everything_does_not_pass() {
    let (outcome, report) = try_client("refuses-everything", PINS);
    assert_eq!(outcome.code, 1, "{}", outcome.stdout);
    assert_eq!(report.with("wrong"), BTreeSet::from(["control"]));
    assert!(report.with("right").is_empty());
}

#[test]
fn a_client_without_a_deadline_goes_along() {
    let options = ["--client-pins", "spki", "--trial", "slow-handshake", "--timeout", "3s"];
    let mut command = command();
    command.args(["serve", "--format", "json"]).args(options).arg("--").arg(std::env::current_exe().unwrap());
    command.args(["--exact", "faulty::client", "--ignored", "--nocapture"]).env(WHICH, "without-a-deadline");
    let outcome = run(command);
    let report = Report::of(&outcome);
    assert_eq!((outcome.code, &report.trial("slow-handshake")["outcome"]), (1, &"went-along".into()));
}

#[test]
fn a_client_that_crashes_before_it_meets_what_is_wrong_is_not_called_right() {
    let (outcome, report) = try_client("crashes", &["--client-pins", "spki", "--trial", "other-key,expired,same-key"]);
    assert_eq!(report.with("right"), BTreeSet::from(["control"]), "{}", outcome.stdout);
    assert_eq!(report.with("wrong"), BTreeSet::from(["same-key"]), "{}", outcome.stdout);
    assert_eq!(report.with("not-judged"), BTreeSet::from(["expired", "other-key"]), "{}", outcome.stdout);
    let (outcome, _) = try_client("crashes", &["--client-pins", "spki", "--trial", "expired"]);
    assert_eq!(outcome.code, 3);
}
