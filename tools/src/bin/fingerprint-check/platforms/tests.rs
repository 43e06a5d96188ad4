//! Every rule that is marked tested, against the relay's verifier and the TLS stack of every platform; and the shape of all.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use rcgen::{
    BasicConstraints, CertificateParams, ExtendedKeyUsagePurpose, IsCa, KeyPair, KeyUsagePurpose, SignatureAlgorithm,
    date_time_ymd,
};
use relay_trust::{
    LastVerdict, Pin, PinKind, PinSet, Roots, client_config, edge_verifier, provider, server_config, sha256,
};
use rustls::{
    ClientConnection, NamedGroup, ProtocolVersion, ServerConnection, sign::CertifiedKey, time_provider::TimeProvider,
};
use rustls_pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, ServerName, UnixTime};

use super::{known::ALL as PLATFORMS, rules::ALL as RULES, *};
use crate::{
    evidence::{Chain, Connection, Possession},
    verdict::{NamedRoots, Questions},
};

const NAME: &str = "edge.example.org";
/// 2030-01-01, when all certificates of these tests are valid.
const AT: i64 = 1_893_456_000;

macro_rules! fixture {
    ($file:literal) => {
        include_bytes!(concat!("../../../../tests/fingerprint_check/certificates/", $file)).as_slice()
    };
}

/// A server's certificate with its key, where the server can use it.
struct Case {
    name: &'static str,
    leaf: CertificateDer<'static>,
    key: Option<PrivateKeyDer<'static>>,
    ems: bool,
}

fn params() -> CertificateParams {
    let mut params = CertificateParams::new(vec![NAME.to_owned()]).unwrap();
    params.not_before = date_time_ymd(2029, 6, 1);
    params.not_after = date_time_ymd(2031, 6, 1);
    params.is_ca = IsCa::ExplicitNoCa;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    params
}

fn made(
    name: &'static str,
    algorithm: &'static SignatureAlgorithm,
    change: impl FnOnce(&mut CertificateParams),
) -> Case {
    let mut params = params();
    change(&mut params);
    let key = KeyPair::generate_for(algorithm).unwrap();
    let leaf = params.self_signed(&key).unwrap().der().clone();
    Case { name, leaf, key: Some(PrivatePkcs8KeyDer::from(key.serialize_der()).into()), ems: true }
}

fn kept(name: &'static str, leaf: &'static [u8], key: Option<&'static [u8]>) -> Case {
    Case { name, leaf: leaf.into(), key: key.map(|key| PrivatePkcs8KeyDer::from(key).into()), ems: true }
}

fn cases() -> Vec<Case> {
    use rcgen::{PKCS_ECDSA_P256_SHA256 as P256, PKCS_ED25519, PKCS_RSA_SHA256};
    vec![
        made("P-256", &P256, |_| {}),
        made("P-384", &rcgen::PKCS_ECDSA_P384_SHA384, |_| {}),
        made("P-521", &rcgen::PKCS_ECDSA_P521_SHA512, |_| {}),
        made("Ed25519", &PKCS_ED25519, |_| {}),
        made("RSA-2048", &PKCS_RSA_SHA256, |_| {}),
        made("CA:TRUE", &P256, |params| params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained)),
        made("no basicConstraints", &P256, |params| params.is_ca = IsCa::NoCa),
        made("no EKU", &P256, |params| params.extended_key_usages.clear()),
        made("clientAuth", &P256, |params| params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth]),
        made("no names", &P256, |params| params.subject_alt_names.clear()),
        made("another name", &P256, |params| {
            params.subject_alt_names = vec![rcgen::SanType::DnsName("other.example.org".try_into().unwrap())];
        }),
        made("expired", &P256, |params| params.not_after = date_time_ymd(2029, 12, 31)),
        made("not yet", &P256, |params| params.not_before = date_time_ymd(2030, 1, 2)),
        kept("SHA-1", fixture!("sha1.der"), Some(fixture!("p256.key"))),
        kept("MD5", fixture!("md5.der"), Some(fixture!("rsa2048.key"))),
        kept("version 1", fixture!("version1.der"), Some(fixture!("p256.key"))),
        kept("RSA-1024", fixture!("rsa1024.der"), None),
        kept("Ed448", fixture!("ed448.der"), None),
        Case { ems: false, ..made("no extended master secret", &P256, |_| {}) },
    ]
}

#[derive(Debug)]
struct Clock;

impl TimeProvider for Clock {
    fn current_time(&self) -> Option<UnixTime> {
        Some(unix(AT))
    }
}

fn unix(seconds: i64) -> UnixTime {
    UnixTime::since_unix_epoch(Duration::from_secs(u64::try_from(seconds).unwrap()))
}

fn name() -> ServerName<'static> {
    NAME.try_into().unwrap()
}

/// Whether a device of the platform, which has the pin of the certificate and trusts it as a root, connects.
fn connects(case: &Case, platform: &Platform) -> bool {
    // Pinned by its digest as anybody would compute it: webpki does not read all of these.
    let pins: PinSet = Pin::new(PinKind::Leaf, sha256(&case.leaf)).into();
    let Ok(roots) = Roots::from_der(std::slice::from_ref(&case.leaf)) else { return false };
    let verifier = edge_verifier(pins, Some(roots), LastVerdict::new());
    let Some(key) = &case.key else {
        return verifier.verify_server_cert(&case.leaf, &[], &name(), &[], unix(AT)).is_ok();
    };
    let signing = provider().key_provider.load_private_key(key.clone_key()).unwrap();
    let server = server_config(Arc::new(CertifiedKey::new(vec![case.leaf.clone()], signing)), None);
    let mut client = client_config(platform.profile(), verifier, None, b"x").unwrap();
    client.alpn_protocols.clear();
    client.time_provider = Arc::new(Clock);
    let mut client = ClientConnection::new(Arc::new(client), name()).unwrap();
    let mut server = ServerConnection::new(Arc::new(server)).unwrap();
    // rustls always offers it; a server that does not know it is one that passes over the extension's number.
    shake_hands(&mut client, &mut server, !case.ems)
}

/// Both ends, in memory.
fn shake_hands(client: &mut ClientConnection, server: &mut ServerConnection, hide_ems: bool) -> bool {
    for _ in 0..10 {
        let mut bytes = Vec::new();
        while client.wants_write() {
            client.write_tls(&mut bytes).unwrap();
        }
        if hide_ems {
            hide(&mut bytes);
        }
        let mut unread = bytes.as_slice();
        while !unread.is_empty() {
            server.read_tls(&mut unread).unwrap();
            if server.process_new_packets().is_err() {
                return false;
            }
        }
        let mut bytes = Vec::new();
        while server.wants_write() {
            server.write_tls(&mut bytes).unwrap();
        }
        let mut unread = bytes.as_slice();
        while !unread.is_empty() {
            client.read_tls(&mut unread).unwrap();
            if client.process_new_packets().is_err() {
                return false;
            }
        }
        if !client.is_handshaking() && !server.is_handshaking() {
            return true;
        }
    }
    false
}

/// The extension extended_master_secret (23, empty) under a number that nobody knows.
fn hide(bytes: &mut [u8]) {
    if let Some(place) = bytes.windows(4).position(|window| window == [0, 23, 0, 0]) {
        bytes[place] = 0x7a;
        bytes[place + 1] = 0x7b;
    }
}

/// What `fingerprint-check` would have seen of that server.
fn evidence(case: &Case, tls: Tls) -> Evidence {
    let chain = Chain::read(vec![case.leaf.clone()]).unwrap();
    Evidence { chain, connection: Some(Connection { address: None, tls, possession: Possession::Proved }) }
}

fn tls(version: ProtocolVersion, ems: bool) -> Tls {
    let suite = if version == ProtocolVersion::TLSv1_3 {
        CipherSuite::TLS13_AES_128_GCM_SHA256
    } else {
        CipherSuite::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256
    };
    let group = Some(NamedGroup::secp256r1);
    Tls { version, suite: Some(suite), group, scheme: None, extended_master_secret: ems, ended: None }
}

fn judged(case: &Case, tls: Tls, asked: bool, platform: &Platform) -> PlatformVerdict {
    let evidence = evidence(case, tls);
    let roots = Roots::from_der(std::slice::from_ref(&case.leaf));
    let named = |roots| NamedRoots { name: "own".to_owned(), roots, named: Vec::new() };
    let roots: Vec<NamedRoots> = roots.map(named).into_iter().collect();
    let name = name();
    let questions = Questions {
        pins: None,
        roots: if asked { &roots } else { &[] },
        name: asked.then_some(&name),
        at: AT,
        warn_days: 30,
        crit_days: 7,
    };
    let verdicts = crate::verdict::judge(&evidence, &questions);
    let mut all = judge(&evidence, Judged { verdicts: &verdicts }, &[platform.name]);
    all.remove(0)
}

/// Only what is marked tested counts: the documented rules are those of systems that are not here.
fn tested_refusals(verdict: &PlatformVerdict) -> Vec<Code> {
    let tested = verdict.findings.iter().filter(|found| found.basis == Basis::Tested && found.level == Level::Fail);
    tested.map(|found| found.code).collect()
}

#[test]
fn what_is_marked_tested_is_what_a_device_of_that_platform_does() {
    let mut spoke = BTreeSet::new();
    for case in cases() {
        for platform in PLATFORMS {
            let tls13 = platform.profile().versions.len() == 2;
            let version = if tls13 { ProtocolVersion::TLSv1_3 } else { ProtocolVersion::TLSv1_2 };
            if !case.ems && tls13 {
                continue;
            }
            let does = connects(&case, platform);
            let verdict = judged(&case, tls(version, case.ems || tls13), true, platform);
            let refusals = tested_refusals(&verdict);
            assert_eq!(refusals.is_empty(), does, "{} on {}: {refusals:?}", case.name, platform.name);
            // The rules alone, without verdicts that say the same.
            let alone = judged(&case, tls(version, case.ems || tls13), false, platform);
            spoke.extend(tested_refusals(&alone));
        }
    }
    for rule in RULES.iter().filter(|rule| rule.basis == Basis::Tested) {
        assert!(spoke.contains(&rule.code), "{} is marked tested, and no case of this test makes it speak", rule.code);
    }
}

#[test]
fn an_rsa_key_shuts_out_what_came_before_windows_10() {
    let case = made("RSA", &rcgen::PKCS_RSA_SHA256, |_| {});
    let refusing: Vec<&str> = PLATFORMS
        .iter()
        .filter(|platform| !judged(&case, tls(ProtocolVersion::TLSv1_3, true), true, platform).connects)
        .map(|platform| platform.name)
        .collect();
    assert_eq!(refusing, ["windows-8.1", "windows-7", "wp-8.1"]);
    let verdict = judged(&case, tls(ProtocolVersion::TLSv1_3, true), true, known::by_name("wp").unwrap());
    let [finding] = verdict.findings.as_slice() else { panic!("{verdict:?}") };
    assert_eq!(finding.text, "the key is RSA, and Windows Phone 8.1 has no ECDHE-RSA-GCM");
    assert_eq!(finding.remedy.as_deref(), Some("use ECDSA P-256"));
}

#[test]
fn documented_rules_speak_for_their_platforms_only() {
    let long = |params: &mut CertificateParams| params.not_after = date_time_ymd(2033, 6, 1);
    let algorithm = &rcgen::PKCS_ECDSA_P256_SHA256;
    for (case, code, platforms) in [
        (made("long", algorithm, long), Code::PLATFORM_LIFETIME, vec!["macos", "ios"]),
        (made("no EKU", algorithm, |p| p.extended_key_usages.clear()), Code::PLATFORM_NO_PURPOSE, vec!["macos", "ios"]),
        (
            made("Ed25519", &rcgen::PKCS_ED25519, |_| {}),
            Code::PLATFORM_KEY,
            PLATFORMS.iter().map(|platform| platform.name).filter(|name| *name != "linux").collect(),
        ),
        (
            made("P-521", &rcgen::PKCS_ECDSA_P521_SHA512, |_| {}),
            Code::PLATFORM_KEY,
            vec!["macos", "macos-10.13", "ios", "ios-12.1", "android-10"],
        ),
    ] {
        for platform in PLATFORMS {
            let verdict = judged(&case, tls(ProtocolVersion::TLSv1_2, true), true, platform);
            let speaks = verdict.findings.iter().any(|found| found.code == code && found.basis == Basis::Documented);
            assert_eq!(speaks, platforms.contains(&platform.name), "{} on {}", case.name, platform.name);
            assert_eq!(verdict.connects, !speaks, "{} on {}", case.name, platform.name);
        }
    }
    // 825 days to the second, and a certificate from before Apple's rules.
    let exact = |params: &mut CertificateParams| {
        params.not_before = date_time_ymd(2029, 1, 1);
        params.not_after = date_time_ymd(2029, 1, 1) + Duration::from_secs(825 * 86_400 - 1);
    };
    let old = |params: &mut CertificateParams| {
        params.not_before = date_time_ymd(2019, 6, 30);
        params.not_after = date_time_ymd(2040, 1, 1);
        params.extended_key_usages.clear();
    };
    for case in [made("825 days", algorithm, exact), made("from before", algorithm, old)] {
        for platform in PLATFORMS {
            assert!(judged(&case, tls(ProtocolVersion::TLSv1_2, true), true, platform).connects, "{}", case.name);
        }
    }
}

#[test]
fn what_was_not_shown_is_said_and_weighs_nothing() {
    let case = made("P-256", &rcgen::PKCS_ECDSA_P256_SHA256, |_| {});
    let of = |version, platform: &str| judged(&case, tls(version, true), true, known::by_name(platform).unwrap());
    let verdict = of(ProtocolVersion::TLSv1_3, "wp");
    let [finding] = verdict.findings.as_slice() else { panic!("{verdict:?}") };
    assert!(verdict.connects && finding.level == Level::NotAsked && finding.code == Code::PLATFORM_NOT_SEEN);
    let words = "if the server also speaks TLS 1.2 with TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256 on secp256r1";
    assert!(finding.text.starts_with(words), "{}", finding.text);
    assert!(of(ProtocolVersion::TLSv1_2, "wp").findings.is_empty());
    assert!(of(ProtocolVersion::TLSv1_3, "windows").findings.is_empty());
}

#[test]
fn the_tables_are_whole() {
    for platform in PLATFORMS {
        assert!(relay_trust::TlsProfile::by_name(platform.name).is_some(), "{} has no TLS stack", platform.name);
        assert_eq!(find(platform.name), Some(platform.name));
        assert!(known::FAMILIES.contains(&platform.family));
    }
    for family in known::FAMILIES {
        let first = known::by_name(family).unwrap();
        assert_eq!(first.family, family);
        let current = relay_trust::TlsProfile::default_for(family).unwrap();
        assert_eq!(first.profile().name, current.name, "{family}");
    }
    assert!(find("amiga").is_none());
    for rule in RULES {
        assert!(crate::codes::find(rule.code.as_str()).is_some());
        assert!(!rule.source.is_empty() && !rule.remedy.is_empty());
        if rule.basis == Basis::Documented {
            assert!(rule.source.starts_with("https://"), "{}: a document has an address", rule.code);
        }
        if let rules::Scope::These(names) = rule.scope {
            assert!(names.iter().all(|name| PLATFORMS.iter().any(|platform| platform.name == *name)), "{}", rule.code);
        }
    }
}
