//! The commands that need no server, and the store of what is trusted.

use std::{collections::BTreeSet, fs, os::unix::fs::PermissionsExt, path::Path};

use serde_json::Value;

use crate::{
    kit::{AT, certificate, folder, run, run_with, settled, snapshot},
    servers::{Server, Tls, serve},
};

/// Runs a command that must end with this code and say nothing on standard error.
fn succeeds(arguments: &[&str], code: i32) -> String {
    let outcome = run(arguments);
    assert_eq!((outcome.code, outcome.stderr.as_str()), (code, ""), "{arguments:?}: {}", outcome.stdout);
    outcome.stdout
}

fn json(arguments: &[&str], code: i32) -> Value {
    let text = succeeds(&[arguments, &["--format", "json"]].concat(), code);
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{arguments:?}: {error}: {text}"))
}

#[test]
fn a_certificate_is_the_same_in_every_encoding() {
    let pins = |file: &str| {
        let seen = json(&["file", file, "--roots", "certificates/root.pem", "--at", AT], 0);
        let target = &seen["targets"][0];
        assert_eq!(
            target["intermediates"].as_array().unwrap().len(),
            if file.ends_with("p7b") { 2 } else { 1 },
            "{file}"
        );
        target["certificate"].clone()
    };
    let of_pem = pins("certificates/chain.pem");
    assert_eq!(of_pem["subject"], "CN=chain");
    // A set without order, and the server's own comes last in the file.
    assert_eq!(pins("certificates/chain.p7b"), of_pem);
    let pinned = ["file", "certificates/chain.pem", "--roots", "certificates/root.pem", "--at", AT, "--pin"];
    json(&[&pinned[..], &["certificates/chain.p7b"]].concat(), 0);
    let bytes = fs::read(certificate("chain.p7b")).unwrap();
    let base64 = base64_lines(&bytes);
    let text = format!("-----BEGIN PKCS7-----\n{base64}-----END PKCS7-----\n");
    let outcome = run_with(&["file", "-", "--roots", "certificates/root.pem", "--at", AT, "--format", "json"], &text);
    let seen: Value = serde_json::from_str(&outcome.stdout).unwrap();
    assert_eq!(seen["targets"][0]["certificate"], of_pem);
    // The certificate alone needs an intermediate that nobody sends.
    let lone = fs::read_to_string(certificate("chain.pem")).unwrap();
    let lone = lone.split_inclusive("-----END CERTIFICATE-----\n").next().unwrap();
    let outcome = run_with(&["file", "-", "--roots", "certificates/root.pem", "--at", AT], lone);
    assert_eq!(outcome.code, 4);
    assert!(outcome.stdout.contains("FC-CHAIN-INCOMPLETE"), "{}", outcome.stdout);
}

fn base64_lines(bytes: &[u8]) -> String {
    use base64::Engine;
    bytes.chunks(48).map(|line| base64::engine::general_purpose::STANDARD.encode(line) + "\n").collect()
}

#[test]
fn every_spelling_is_written_and_read_as_the_same_pin() {
    let file = "certificates/ca-false.pem";
    let canonical = succeeds(&["pins", "generate", file, "--spelling", "canonical"], 0);
    let [leaf, spki]: [&str; 2] = canonical.lines().collect::<Vec<_>>().try_into().unwrap();
    let all = json(&["pins", "generate", file], 0);
    let mut names = BTreeSet::new();
    for (pin, expected) in all.as_array().unwrap().iter().zip([leaf, spki]) {
        assert_eq!(pin["pin"], expected);
        for spelling in pin["spellings"].as_array().unwrap() {
            let (name, text) = (spelling["spelling"].as_str().unwrap(), spelling["text"].as_str().unwrap());
            names.insert(name.to_owned());
            assert_eq!(succeeds(&["pins", "normalize", text], 0).trim_end(), expected, "{name}: {text}");
            assert_eq!(succeeds(&["pins", "normalize", text, "--spelling", name], 0).trim_end(), text);
        }
    }
    assert_eq!(names.len(), 13, "{names:?}");
    snapshot("pins-generate.txt", &succeeds(&["pins", "generate", file], 0));
    // A list as people keep them, in mixed spellings.
    let digits = &leaf["leaf:".len()..];
    let list = format!("# edges\n\n{spki}, {}\n3 0 1 {digits};\n", digits.to_uppercase());
    let outcome = run_with(&["pins", "normalize", "-f", "-"], &list);
    assert_eq!(outcome.stdout, format!("{spki}\n{leaf}\n{leaf}\n"), "{}", outcome.stderr);
    assert_eq!(run_with(&["pins", "diff", "-", file], &list).code, 0);
}

#[test]
fn trust_on_first_use_is_strict() {
    let store = tempfile::tempdir().unwrap();
    let path = store.path().join("new/trust");
    let path = path.to_str().unwrap();
    let server = Server::tls("ca-false");
    let target = format!("localhost:{}", server.port);
    let with = |arguments: &[&str]| {
        let words: Vec<&str> = arguments.iter().copied().chain(["--store", path]).collect();
        run(&words)
    };
    let check = || with(&["trust", "check", &target, "-4", "--at", AT]);
    assert_eq!(check().code, 1, "not in the store");
    let added = with(&["trust", "add", &target, "-4", "--at", AT, "--source", "console of edge 1"]);
    assert_eq!((added.code, added.stderr.as_str()), (0, ""));
    let ports = [(server.port, "PORT")];
    snapshot("trust-list.txt", &settled(&with(&["trust", "list", "--at", AT]).stdout, &ports));
    assert_eq!(fs::metadata(path).unwrap().permissions().mode() & 0o7777, 0o600);
    let checked = check();
    assert_eq!(checked.code, 0, "{}", checked.stdout);
    assert!(checked.stdout.contains(": trusted: spki:"), "{}", checked.stdout);
    // In the last second of the certificate it still counts, in the next it does not.
    let at = |time: &str| with(&["trust", "check", &target, "--from", "certificates/ca-false.pem", "--at", time]).code;
    assert_eq!((at("2027-10-31T23:59:59Z"), at("2027-11-01")), (0, 1));

    // Another certificate at the same name: nothing changes by itself.
    let other = ["trust", "add", &target, "--from", "certificates/chain.pem", "--at", AT];
    let refused = with(&other);
    assert_eq!((refused.code, refused.stdout.as_str()), (1, ""));
    assert!(refused.stderr.contains("nothing was changed") && refused.stderr.contains("console of edge 1"));
    assert_eq!(with(&[&other[..], &["--also"]].concat()).code, 0);
    assert_eq!(with(&["trust", "check", &target, "--from", "certificates/chain.pem", "--at", AT]).code, 0);
    let list = with(&["trust", "list", "--format", "json", "--at", AT]);
    let list: Value = serde_json::from_str(&list.stdout).unwrap();
    assert_eq!(list.as_array().unwrap().len(), 2);
    assert_eq!(list[1]["source"], "file certificates/chain.pem");
    assert_eq!(with(&["trust", "remove", &target]).code, 0);
    assert_eq!(check().code, 1, "nothing is left");
}

#[test]
fn nobody_is_trusted_who_does_not_prove_the_key() {
    let store = tempfile::tempdir().unwrap();
    let path = store.path().join("trust");
    let path = path.to_str().unwrap();
    // The public certificate of one, and the key of another.
    let config = Tls::of("expired").presenting(crate::servers::chain("ca-false.pem")).config();
    let server = Server::of(move |stream| serve(stream, &config));
    let target = format!("localhost:{}", server.port);
    let added = run(&["trust", "add", &target, "-4", "--at", AT, "--store", path]);
    assert_eq!((added.code, added.stdout.as_str()), (1, ""));
    assert!(added.stderr.contains("did not prove that it has its key"), "{}", added.stderr);
    assert!(!Path::new(path).exists(), "nothing was written");
    // Nor if its certificate is in the store.
    assert_eq!(
        run(&["trust", "add", &target, "--from", "certificates/ca-false.pem", "--at", AT, "--store", path]).code,
        0
    );
    let checked = run(&["trust", "check", "--all", "-4", "--at", AT, "--store", path, "--format", "json"]);
    assert_eq!(checked.code, 1);
    let checked: Value = serde_json::from_str(&checked.stdout).unwrap();
    assert_eq!((&checked[0]["state"], &checked[0]["trusted"]), (&Value::from("not-proved"), &Value::from(false)));
}

#[test]
fn a_rotation_with_everything_deployed_survives() {
    let (current, next) = ("certificates/ca-false.pem", "certificates/chain.pem");
    let roots = ["--roots", current, "--roots", "certificates/root.pem"];
    let backup = format!("{current},{next},spki:{}", "ab".repeat(32));
    let arguments =
        [&["rotate", "--current", current, "--next", next, "--at", AT, "--strict", "--pin", &backup], &roots[..]];
    let rotation = json(&arguments.concat(), 0);
    assert_eq!(rotation["platforms"].as_array().unwrap().len(), 6);
    assert!(rotation["platforms"].as_array().unwrap().iter().all(|platform| platform["survives"] == true));
    // Without the backup pin it is a warning.
    let pins = format!("{current},{next}");
    let arguments =
        [&["rotate", "--current", current, "--next", next, "--at", AT, "--strict", "--pin", &pins], &roots[..]];
    assert!(succeeds(&arguments.concat(), 5).contains("FC-ROTATE-NO-BACKUP"));
}

#[test]
fn pages_and_completions_are_of_every_command() {
    let made = tempfile::tempdir().unwrap();
    succeeds(&["man", "--dir", made.path().to_str().unwrap()], 0);
    let mut pages: Vec<String> =
        fs::read_dir(made.path()).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    pages.sort();
    let helps = fs::read_dir(folder().join("snapshots/help")).unwrap().count();
    assert_eq!(pages.len(), helps, "a page for every help text: {pages:?}");
    let page = fs::read_to_string(made.path().join("fingerprint-check-pins-diff.1")).unwrap();
    assert!(page.contains(".SH NAME") && page.contains("Exit codes"), "{page}");
    assert!(succeeds(&["man"], 0).contains(".TH fingerprint-check 1"));
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = succeeds(&["completions", shell], 0);
        for word in ["normalize", "trust", "starttls"] {
            assert!(script.contains(word), "{shell} does not know {word}");
        }
    }
}

#[test]
fn every_code_and_every_platform_is_explained() {
    let list = succeeds(&["explain"], 0);
    assert!(list.lines().count() > 60);
    for line in list.lines() {
        let code = line.split_whitespace().next().unwrap();
        let text = succeeds(&["explain", code], 0);
        assert!(text.starts_with(&format!("{code}: ")) && text.lines().count() > 2, "{text}");
    }
    snapshot("platforms.txt", &succeeds(&["platforms"], 0));
    for platform in json(&["platforms"], 0).as_array().unwrap() {
        assert!(!platform["suites"].as_array().unwrap().is_empty());
        for rule in platform["rules"].as_array().unwrap() {
            assert!(["tested", "documented"].contains(&rule["basis"].as_str().unwrap()));
        }
    }
}

#[cfg(unix)]
#[test]
fn an_argument_that_is_no_text_is_wrong_usage() {
    use std::os::unix::ffi::OsStrExt;
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_fingerprint-check"));
    let output = command.arg("file").arg(std::ffi::OsStr::from_bytes(b"no\xff.crt")).output().unwrap();
    assert_eq!(output.status.code(), Some(2), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn a_list_without_targets_is_wrong_usage_beside_others_too() {
    let outcome = crate::kit::run_with(&["host", "127.0.0.1:1", "-f", "-"], "# nothing\n");
    assert_eq!(outcome.code, 2, "{outcome:?}");
    assert!(outcome.stderr.contains("lists no target"), "{outcome:?}");
}

#[test]
fn repeated_targets_are_different_metrics() {
    let outcome = run(&["host", "127.0.0.1:1", "127.0.0.1:1", "--format", "prometheus"]);
    let samples: Vec<&str> = outcome.stdout.lines().filter_map(|line| line.split_once("} ")).map(|it| it.0).collect();
    let unique: std::collections::BTreeSet<&str> = samples.iter().copied().collect();
    assert!(!samples.is_empty() && unique.len() == samples.len(), "{samples:?}");
}
