//! The published collection of odd certificate chains (C2SP/x509-limbo) against [`verify_server_chain`].
//!
//! The cases are not in this repository. `SALLYPORT_X509_LIMBO` names a folder with `limbo-subset.json`, `limbo-full.json` or
//! `limbo-full.json.xz` in the collection's own form, and `expectations.json`: per id the collection's expected result
//! (`limbo`), what rustls itself returned (`rustls_0_23_46`), and the class (`must`, `known-divergence` or `skip`). Both files
//! are judged if both are there. `.ci/run` sets the variable where it finds the folder.

use std::collections::BTreeSet;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use relay_trust::{Roots, verify_server_chain, verify_server_chain_with_crls};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, CertificateRevocationListDer, ServerName, UnixTime};
use serde_json::Value;

const VARIABLE: &str = "SALLYPORT_X509_LIMBO";

/// Past the test harness, which shows what a test prints only if it fails.
fn say(text: &str) {
    // Whoever reads standard error may be gone.
    let _ = writeln!(std::io::stderr(), "x509-limbo: {text}");
}

#[test]
fn chains_are_judged_as_the_collection_says() {
    let Some(folder) = std::env::var_os(VARIABLE).map(PathBuf::from) else {
        say(&format!("NOT RUN: {VARIABLE} does not name the folder with the cases"));
        return;
    };
    let expectations = json(&read(&folder.join("expectations.json")));
    let mut found = 0;
    for name in ["limbo-subset.json", "limbo-full.json", "limbo-full.json.xz"] {
        let path = folder.join(name);
        if !path.exists() || (name.ends_with(".xz") && folder.join("limbo-full.json").exists()) {
            continue;
        }
        found += 1;
        let text = if name.ends_with(".xz") { unpacked(&path) } else { Some(read(&path)) };
        let Some(text) = text else {
            say(&format!("{name} NOT RUN: there is no program `xz` to unpack it"));
            continue;
        };
        let started = Instant::now();
        let count = Count::of(&json(&text), &expectations);
        let Count { must, divergent, skipped, wrong } = &count;
        let took = started.elapsed().as_secs_f64();
        say(&format!("{name}: {must} must, {divergent} known divergences, {skipped} skipped, {took:.1} s"));
        assert!(wrong.is_empty(), "{name}:\n{}", wrong.join("\n"));
        assert!(*must > 200 && *divergent > 0, "{name}: hardly any case was judged");
    }
    assert!(
        found > 0,
        "{VARIABLE}: there is neither limbo-subset.json nor limbo-full.json(.xz) in {}",
        folder.display()
    );
}

/// What came of one file.
#[derive(Default)]
struct Count {
    must: usize,
    divergent: usize,
    skipped: usize,
    wrong: Vec<String>,
}

impl Count {
    fn of(cases: &Value, expectations: &Value) -> Self {
        let mut count = Self::default();
        let mut left: BTreeSet<&str> =
            expectations.as_object().expect("an object").keys().map(String::as_str).collect();
        for case in cases["testcases"].as_array().expect("testcases") {
            let id = case["id"].as_str().expect("an id");
            left.remove(id);
            let expected = &expectations[id];
            let class = expected["class"].as_str();
            if (class == Some("skip")) != cannot_be_asked(case) {
                count.wrong.push(format!("{id}: class {class:?}, and the case says otherwise"));
            }
            let (wanted, hint) = match class {
                Some("must") => (&expected["limbo"], ""),
                Some("known-divergence") => (
                    &expected["rustls_0_23_46"],
                    " (a known divergence that changed: look why, then correct expectations.json)",
                ),
                Some("skip") => {
                    count.skipped += 1;
                    continue;
                }
                // The BetterTLS name constraints are too many to be listed one by one: all of them must hold.
                _ if id.starts_with("bettertls::nameconstraints::") => (&case["expected_result"], ""),
                other => panic!("{id}: class {other:?}"),
            };
            *if hint.is_empty() { &mut count.must } else { &mut count.divergent } += 1;
            let (got, why) = verdict(case);
            if Some(got) != wanted.as_str() {
                count.wrong.push(format!("{id}: {got} instead of {wanted}{hint}: {why}"));
            }
        }
        count.wrong.extend(left.iter().map(|id| format!("{id}: expected, and not among the cases")));
        count
    }
}

/// What a verifier of servers without such settings cannot be asked.
fn cannot_be_asked(case: &Value) -> bool {
    let has = |field: &str| case[field].as_array().is_some_and(|list| !list.is_empty());
    let depth = |feature: &Value| feature == "max-chain-depth";
    case["validation_kind"] != "SERVER"
        || case["features"].as_array().is_some_and(|features| features.iter().any(depth))
        || has("signature_algorithms")
        || has("key_usage")
        || case["expected_peer_name"].is_null()
}

fn read(path: &Path) -> Vec<u8> {
    std::fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The content of an xz file; `None` where there is nobody to unpack it.
fn unpacked(path: &Path) -> Option<Vec<u8>> {
    let command = Command::new("xz").arg("-dc").arg(path).stdin(Stdio::null()).stderr(Stdio::inherit()).output();
    let output = command.ok()?;
    assert!(output.status.success(), "xz -dc {}: {}", path.display(), output.status);
    Some(output.stdout)
}

fn json(text: &[u8]) -> Value {
    serde_json::from_slice(text).unwrap_or_else(|error| panic!("not JSON: {error}"))
}

fn certificate(pem: &Value) -> CertificateDer<'static> {
    CertificateDer::from_pem_slice(pem.as_str().expect("PEM").as_bytes()).expect("PEM")
}

fn certificates(list: &Value) -> Vec<CertificateDer<'static>> {
    list.as_array().expect("a list").iter().map(certificate).collect()
}

fn crls(list: &Value) -> Vec<CertificateRevocationListDer<'static>> {
    let read = |pem: &Value| CertificateRevocationListDer::from_pem_slice(pem.as_str().expect("PEM").as_bytes());
    list.as_array().expect("a list").iter().map(|pem| read(pem).expect("PEM")).collect()
}

fn verdict(case: &Value) -> (&'static str, String) {
    let judged = (|| {
        let roots = Roots::from_der(&certificates(&case["trusted_certs"])).map_err(|error| error.to_string())?;
        let name = case["expected_peer_name"]["value"].as_str().unwrap_or_default();
        let name = ServerName::try_from(name).map_err(|error| error.to_string())?;
        let at = case["validation_time_unix"]
            .as_u64()
            .map_or_else(UnixTime::now, |seconds| UnixTime::since_unix_epoch(Duration::from_secs(seconds)));
        let leaf = certificate(&case["peer_certificate"]);
        let intermediates = certificates(&case["untrusted_intermediates"]);
        let crls = crls(&case["crls"]);
        if crls.is_empty() {
            verify_server_chain(&leaf, &intermediates, &roots, &name, at)
        } else {
            verify_server_chain_with_crls(&leaf, &intermediates, &roots, &name, at, &crls)
        }
        .map_err(|error| error.to_string())
    })();
    match judged {
        Ok(()) => ("SUCCESS", String::new()),
        Err(reason) => ("FAILURE", reason),
    }
}
