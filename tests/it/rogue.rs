//! The simulator's device against a hostile edge, as processes: on every platform and with both kinds of pin it is right in
//! every trial of `rogue-edge`.

use std::thread;

use relay_wire::Platform;
use tests::process::{binaries, run};

/// What the report of one run says; panics unless the device was right in every trial.
fn right_in_every_trial(platform: Platform, pin: &str) -> serde_json::Value {
    let device = binaries().join("client-sim");
    let name = platform.as_str();
    let options = ["serve", "--format", "json", "--timeout", "40s", "--"];
    let client =
        ["request", "send", "--edge", "{address}", "--server-name", "{name}", "--pin", pin, "--roots", "{roots}"];
    let rest = ["--platform", name, "--op", "ping"];
    let command = options.iter().copied().chain([device.to_str().unwrap()]).chain(client).chain(rest);
    let output = run("rogue-edge", command);
    let said = String::from_utf8_lossy(&output.stdout);
    let report: serde_json::Value = serde_json::from_str(&said)
        .unwrap_or_else(|error| panic!("{name} {pin}: {error}: {}", String::from_utf8_lossy(&output.stderr)));
    for trial in report["trials"].as_array().unwrap() {
        assert_eq!(trial["verdict"], "right", "{name} {pin}: {trial:#}");
        assert_eq!(trial["connections"], 1, "{name} {pin} came back: {trial:#}");
        assert!(trial["expected"] != "refuse" || trial["leaked_bytes"] == 0, "{name} {pin}: {trial:#}");
    }
    assert_eq!(output.status.code(), Some(0), "{name} {pin}");
    report
}

fn outcome<'a>(report: &'a serde_json::Value, name: &str) -> &'a serde_json::Value {
    let mut trials = report["trials"].as_array().unwrap().iter();
    trials.find(|trial| trial["name"] == name).unwrap_or_else(|| panic!("no trial {name}"))
}

#[test]
fn the_device_is_right_in_every_trial_on_every_platform() {
    let _ = binaries();
    let runs: Vec<_> = Platform::ALL
        .iter()
        .flat_map(|platform| ["{pin-leaf}", "{pin-spki}"].map(|pin| (*platform, pin)))
        .map(|(platform, pin)| (platform, pin, thread::spawn(move || right_in_every_trial(platform, pin))))
        .collect();
    for (platform, pin, run) in runs {
        let report = run.join().unwrap_or_else(|_| panic!("{} {pin}", platform.as_str()));
        assert!(report["trials"].as_array().unwrap().len() >= 41);
        // A wrong pin and missing possession halt the device: its exit code says so, not only its silence.
        for name in ["other-key", "possession", "pinned-appended", "changed-on-reconnect"] {
            assert_eq!(outcome(&report, name)["exit"], "exit 3", "{} {pin} {name}", platform.as_str());
        }
        let renewed = if pin == "{pin-leaf}" { "refused" } else { "accepted" };
        assert_eq!(outcome(&report, "same-key")["outcome"], renewed, "{} {pin}", platform.as_str());
    }
}
