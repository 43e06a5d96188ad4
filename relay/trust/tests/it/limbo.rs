//! The published collection of odd certificate chains (C2SP/x509-limbo) against [`verify_server_chain`].
//!
//! The cases are not in this repository. `SALLYPORT_X509_LIMBO` names a folder with `limbo-subset.json` (or
//! `limbo-full.json`) in the collection's own form and `expectations.json`: per id the collection's expected result
//! (`limbo`), what rustls itself returned (`rustls_0_23_46`), and the class (`must`, `known-divergence` or `skip`).

use std::path::{Path, PathBuf};
use std::time::Duration;

use relay_trust::{Roots, verify_server_chain, verify_server_chain_with_crls};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, CertificateRevocationListDer, ServerName, UnixTime};
use serde_json::Value;

const VARIABLE: &str = "SALLYPORT_X509_LIMBO";

#[test]
fn chains_are_judged_as_rustls_judges_them() {
    let Some(folder) = std::env::var_os(VARIABLE).map(PathBuf::from) else {
        println!("x509-limbo: not run, because {VARIABLE} does not name the folder with the cases");
        return;
    };
    let full = folder.join("limbo-full.json");
    let cases = json(&if full.exists() { full } else { folder.join("limbo-subset.json") });
    let expectations = json(&folder.join("expectations.json"));
    let (mut must, mut divergent, mut skipped, mut wrong) = (0, 0, 0, Vec::new());
    for case in cases["testcases"].as_array().expect("testcases") {
        let id = case["id"].as_str().expect("an id");
        let expected = &expectations[id];
        let wanted = match expected["class"].as_str() {
            Some("must") => {
                must += 1;
                &expected["limbo"]
            }
            Some("known-divergence") => {
                divergent += 1;
                &expected["rustls_0_23_46"]
            }
            Some("skip") => {
                skipped += 1;
                continue;
            }
            // The BetterTLS name constraints are too many to be listed one by one: all of them must hold.
            _ if id.starts_with("bettertls::nameconstraints::") => {
                must += 1;
                &case["expected_result"]
            }
            other => panic!("{id}: class {other:?}"),
        };
        let got = verdict(case);
        if Some(got.0) != wanted.as_str() {
            wrong.push(format!("{id}: {} instead of {wanted}: {}", got.0, got.1));
        }
    }
    println!("x509-limbo: {must} must, {divergent} known divergences, {skipped} skipped, {} wrong", wrong.len());
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn json(path: &Path) -> Value {
    let text = std::fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_slice(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
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
