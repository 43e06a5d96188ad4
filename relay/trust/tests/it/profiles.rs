//! The table of TLS profiles: that each says what it should, and that each reaches an edge.

use std::sync::Arc;

use relay_trust::tls::TlsVersion;
use relay_trust::{Identity, TlsProfile, client_config, server_config, shared_key_verifier};
use rustls::{CipherSuite, NamedGroup, ProtocolVersion};

use crate::handshake::run;
use crate::make::{params, self_signed};

const NAME: &str = "edge.example.org";
const ALPN: &[u8] = b"sallyport/device";

#[test]
fn every_profile_reaches_the_default_certificate() {
    let identity = Identity::self_signed(&[NAME.to_owned()], 30).expect("an identity");
    for profile in TlsProfile::ALL {
        let client = client_config(profile, shared_key_verifier(), None, ALPN).expect("a client");
        let outcome = run(client, server_config(&identity, Some(ALPN)), NAME);
        outcome.assert_accepted();
        let expected = if profile.versions.contains(&TlsVersion::Tls13) {
            ProtocolVersion::TLSv1_3
        } else {
            ProtocolVersion::TLSv1_2
        };
        assert_eq!(outcome.version, Some(expected), "{}", profile.name);
        assert!(profile.suites.contains(&outcome.suite.expect("a suite")), "{}", profile.name);
    }
}

#[test]
fn every_entry_of_the_table_is_one_that_rustls_has() {
    for profile in TlsProfile::ALL {
        let provider = profile.provider();
        let suites: Vec<CipherSuite> = provider.cipher_suites.iter().map(|suite| suite.suite()).collect();
        assert_eq!(suites, profile.suites, "{}", profile.name);
        let groups: Vec<NamedGroup> = provider.kx_groups.iter().map(|group| group.name()).collect();
        assert_eq!(groups, profile.groups, "{}", profile.name);
        assert_eq!(profile.versions().len(), profile.versions.len());
        assert!(!profile.source.is_empty());
        assert!(Arc::ptr_eq(&provider, &profile.provider()), "made once");
        assert!(std::ptr::eq(TlsProfile::by_name(profile.name).expect("found by name"), profile), "{}", profile.name);
    }
}

#[test]
fn every_platform_has_a_profile() {
    for (platform, name) in [
        ("windows", "windows-11"),
        ("macos", "macos"),
        ("linux", "linux"),
        ("ios", "ios"),
        ("android", "android-10"),
        ("wp", "wp-8.1"),
    ] {
        assert_eq!(TlsProfile::default_for(platform).map(|profile| profile.name), Some(name));
    }
    assert!(TlsProfile::default_for("amiga").is_none());
    assert!(TlsProfile::by_name("amiga").is_none());
}

#[test]
fn windows_phone_offers_one_suite_and_one_curve() {
    let profile = TlsProfile::by_name("wp-8.1").expect("a profile");
    assert_eq!(profile.suites, [CipherSuite::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256]);
    assert_eq!(profile.groups, [NamedGroup::secp256r1]);
    assert_eq!(profile.versions, [TlsVersion::Tls12]);
}

/// Why the default certificate is ECDSA: with an RSA one these platforms get no connection.
#[test]
fn an_rsa_certificate_shuts_out_the_old_windows_platforms() {
    let rsa = self_signed(&params(NAME), &rcgen::PKCS_RSA_SHA256);
    for profile in TlsProfile::ALL {
        let client = client_config(profile, shared_key_verifier(), None, ALPN).expect("a client");
        let outcome = run(client, server_config(rsa.certified(), Some(ALPN)), NAME);
        if ["wp-8.1", "windows-8.1", "windows-7"].contains(&profile.name) {
            assert_eq!(outcome.received, b"", "{}", profile.name);
            assert!(outcome.server_error.is_some(), "{}", profile.name);
        } else {
            outcome.assert_accepted();
        }
    }
}

#[test]
fn without_alpn_any_client_completes_the_handshake() {
    let identity = Identity::self_signed(&[NAME.to_owned()], 30).expect("an identity");
    let profile = TlsProfile::by_name("linux").expect("a profile");
    let mut client = client_config(profile, shared_key_verifier(), None, ALPN).expect("a client");
    client.alpn_protocols = Vec::new();
    let outcome = run(client, server_config(&identity, None), NAME);
    outcome.assert_accepted();
    assert_eq!(outcome.alpn, None);
}
