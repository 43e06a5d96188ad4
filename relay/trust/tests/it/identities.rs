//! Identities: made, written, loaded, and the administrator's usual mistakes.

use std::path::{Path, PathBuf};
use std::time::Duration;

use rcgen::{BasicConstraints, ExtendedKeyUsagePurpose, IsCa, KeyPair, PKCS_ECDSA_P256_SHA256};
use relay_trust::{
    Finding, Identity, IdentityError, PemError, RootSource, Roots, RootsError, SecretFileError, verify_p256,
    verify_server_chain, write_secret_file,
};
use rustls_pki_types::{ServerName, UnixTime};
use x509_parser::prelude::{FromDer, GeneralName, X509Certificate};

use crate::make::{params, pem, self_signed, write_pem};

struct Files {
    _folder: tempfile::TempDir,
    chain: PathBuf,
    key: PathBuf,
}

impl Files {
    fn new(chain: &str, key: &str) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let (chain_path, key_path) = (folder.path().join("edge.crt"), folder.path().join("edge.key"));
        std::fs::write(&chain_path, chain).expect("written");
        write_secret_file(&key_path, key).expect("written");
        Self { _folder: folder, chain: chain_path, key: key_path }
    }

    fn load(&self) -> Result<Identity, IdentityError> {
        Identity::load(&self.chain, &self.key)
    }

    fn error(&self) -> IdentityError {
        match self.load() {
            Ok(_) => panic!("loaded"),
            Err(error) => error,
        }
    }
}

fn names(list: &[&str]) -> Vec<String> {
    list.iter().map(|name| (*name).to_owned()).collect()
}

fn issue(list: &[&str], days: u32) -> Result<Identity, IdentityError> {
    Identity::self_signed(&names(list), days)
}

fn refusal(list: &[&str], days: u32) -> IdentityError {
    match issue(list, days) {
        Ok(_) => panic!("{list:?} was accepted"),
        Err(error) => error,
    }
}

#[test]
fn the_default_certificate_is_what_all_platforms_take() {
    let identity = issue(&["Edge.Example.org", "*.example.org", "192.0.2.7", "2001:db8::7"], 825).unwrap();
    let (_, certificate) = X509Certificate::from_der(identity.leaf()).unwrap();
    let san = certificate.subject_alternative_name().unwrap().unwrap();
    let expected = [
        GeneralName::DNSName("edge.example.org"),
        GeneralName::DNSName("*.example.org"),
        GeneralName::IPAddress(&[192, 0, 2, 7]),
        GeneralName::IPAddress(&[0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 7]),
    ];
    assert_eq!(san.value.general_names, expected);
    assert!(!certificate.basic_constraints().unwrap().unwrap().value.ca);
    assert!(certificate.extended_key_usage().unwrap().unwrap().value.server_auth);
    assert!(certificate.key_usage().unwrap().unwrap().value.digital_signature());
    let validity = certificate.validity();
    let days = (validity.not_after.timestamp() - validity.not_before.timestamp() + 1) / 86_400;
    assert_eq!(days, 825);
    let serial = certificate.raw_serial();
    assert!(serial.len() == 16 && serial[0] & 0x80 == 0 && serial[0] != 0, "{serial:02x?}");
    assert_eq!(identity.spki().len(), 91, "P-256");
    assert_eq!(identity.warnings(), Vec::<String>::new());

    let again = issue(&["edge.example.org"], 825).unwrap();
    assert_ne!(again.fingerprints(), identity.fingerprints());
    assert_ne!(X509Certificate::from_der(again.leaf()).unwrap().1.raw_serial(), serial);
}

#[test]
fn the_default_certificate_is_its_own_root() {
    let identity = issue(&["edge.example.org", "192.0.2.7"], 30).unwrap();
    let roots = Roots::from_der(&[identity.leaf().clone()]).unwrap();
    for name in ["edge.example.org", "192.0.2.7"] {
        let name = ServerName::try_from(name).unwrap();
        verify_server_chain(identity.leaf(), &[], &roots, &name, UnixTime::now()).unwrap();
    }
}

#[test]
fn names_and_days_are_checked() {
    assert!(matches!(refusal(&[], 30), IdentityError::NoNames));
    let long = "a".repeat(254);
    for bad in ["", "https://edge", "edge:7443", "a b", "1.2.3", "1.2.3.4.5", "edge.", "*", "*.*.org", "é.org", &long]
    {
        assert!(matches!(refusal(&[bad], 30), IdentityError::BadName { .. }), "{bad}");
    }
    let many: Vec<String> = (0..101).map(|i| format!("n{i}.example.org")).collect();
    assert!(matches!(Identity::self_signed(&many, 30), Err(IdentityError::TooManyNames { count: 101, .. })));
    for days in [0, 826, u32::MAX] {
        assert!(matches!(refusal(&["edge"], days), IdentityError::BadDays { .. }), "{days}");
    }
    for days in [1, 825] {
        assert!(issue(&["edge"], days).is_ok());
    }
}

#[test]
fn what_is_written_is_loaded_again() {
    let folder = tempfile::tempdir().unwrap();
    let (chain, key) = (folder.path().join("edge.crt"), folder.path().join("edge.key"));
    let identity = issue(&["edge.example.org"], 825).unwrap();
    identity.write(&chain, &key).unwrap();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o7777;
        assert_eq!((mode(&chain), mode(&key)), (0o644, 0o600));
    }
    let again = Identity::load(&chain, &key).unwrap();
    assert_eq!(again.fingerprints(), identity.fingerprints());
    let signature = again.sign(b"grant").unwrap();
    assert!(verify_p256(&identity.spki(), b"grant", &signature));

    // Nothing is overwritten, and nothing is left half done.
    let other = folder.path().join("other.key");
    assert!(matches!(identity.write(&chain, &other), Err(SecretFileError::Exists { .. })));
    assert!(!other.exists());
    assert!(matches!(identity.write(&folder.path().join("other.crt"), &key), Err(SecretFileError::Exists { .. })));
    assert_eq!(Identity::load(&chain, &key).unwrap().fingerprints(), identity.fingerprints());
}

#[test]
fn keys_in_every_usual_encoding_are_loaded() {
    use aws_lc_rs::encoding::AsDer;
    let made = self_signed(&params("edge"), &PKCS_ECDSA_P256_SHA256);
    let pair = aws_lc_rs::signature::EcdsaKeyPair::from_pkcs8(
        &aws_lc_rs::signature::ECDSA_P256_SHA256_FIXED_SIGNING,
        made.key.serialized_der(),
    )
    .unwrap();
    let sec1 = pair.private_key().as_der().unwrap();
    let chain = pem("CERTIFICATE", made.leaf());
    for key in [made.key.serialize_pem(), pem("EC PRIVATE KEY", sec1.as_ref())] {
        // openssl writes the curve before the key, and people leave comments.
        let key =
            format!("a comment\n-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n{key}");
        let identity = Files::new(&chain, &key).load().unwrap();
        assert!(verify_p256(&identity.spki(), b"x", &identity.sign(b"x").unwrap()));
        let again = Files::new(&identity.chain_pem(), &identity.key_pem()).load().unwrap();
        assert_eq!(again.fingerprints(), identity.fingerprints());
    }

    let rsa = self_signed(&params("edge"), &rcgen::PKCS_RSA_SHA256);
    // Of PKCS#8 for an RSA key of 2048 bits the first 26 bytes are frame, the rest is PKCS#1.
    let pkcs1 = pem("RSA PRIVATE KEY", &rsa.key.serialized_der()[26..]);
    for key in [rsa.key.serialize_pem(), pkcs1] {
        let identity = Files::new(&pem("CERTIFICATE", rsa.leaf()), &key).load().unwrap();
        assert!(
            identity.findings(UnixTime::now()).iter().any(|finding| matches!(finding, Finding::Rsa { bits: 2048 }))
        );
        assert!(matches!(identity.sign(b"x"), Err(IdentityError::NotP256)));
        assert!(matches!(identity.reissue(&names(&["edge"]), 30), Err(IdentityError::NotP256)));
        let again = Files::new(&identity.chain_pem(), &identity.key_pem()).load().unwrap();
        assert_eq!(again.fingerprints(), identity.fingerprints());
    }
}

#[test]
fn a_key_of_another_certificate_is_named_as_such() {
    let (one, other) = (issue(&["edge"], 30).unwrap(), issue(&["edge"], 30).unwrap());
    let error = Files::new(&one.chain_pem(), &other.key_pem()).error();
    assert!(matches!(error, IdentityError::Mismatch { .. }));
    let text = error.to_string();
    assert!(text.contains("does not belong") && text.contains("edge.key") && text.contains("edge.crt"), "{text}");
    // The chain in the wrong order is the same mistake.
    let swapped = format!("{}{}", other.chain_pem(), one.chain_pem());
    assert!(matches!(Files::new(&swapped, &one.key_pem()).error(), IdentityError::Mismatch { .. }));
    let ordered = format!("{}{}", one.chain_pem(), other.chain_pem());
    assert_eq!(Files::new(&ordered, &one.key_pem()).load().unwrap().chain().len(), 2);
}

fn pem_error(files: &Files) -> PemError {
    let error = files.error();
    let IdentityError::Pem { source, .. } = error else { panic!("{error}") };
    source
}

#[test]
fn wrong_files_are_named() {
    let identity = issue(&["edge"], 30).unwrap();
    let (chain, key) = (identity.chain_pem(), identity.key_pem());
    assert_eq!(pem_error(&Files::new(&key, &key)), PemError::KeyForCertificate);
    assert_eq!(pem_error(&Files::new(&format!("{chain}{}", *key), &key)), PemError::KeyForCertificate);
    assert_eq!(pem_error(&Files::new(&chain, &chain)), PemError::CertificateForKey);
    assert_eq!(pem_error(&Files::new(&chain, &format!("{0}{0}", *key))), PemError::SeveralKeys);
    assert!(matches!(pem_error(&Files::new("", &key)), PemError::Nothing { .. }));
    assert!(matches!(pem_error(&Files::new(&chain, "")), PemError::Nothing { .. }));
    assert!(matches!(pem_error(&Files::new("hello", &key)), PemError::Nothing { .. }));
    assert!(matches!(pem_error(&Files::new(&chain[..chain.len() - 30], &key)), PemError::Damaged(_)));
    assert!(matches!(pem_error(&Files::new(&chain.repeat(17), &key)), PemError::TooMany { .. }));
    let request = pem("CERTIFICATE REQUEST", b"x");
    assert!(matches!(pem_error(&Files::new(&request, &key)), PemError::OtherKind { .. }));
    assert!(matches!(pem_error(&Files::new(&chain, &request)), PemError::OtherKind { .. }));
    for encrypted in [
        pem("ENCRYPTED PRIVATE KEY", b"x"),
        "-----BEGIN EC PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-256-CBC,00\n\nAAAA\n-----END EC PRIVATE KEY-----\n".to_owned(),
    ] {
        let error = pem_error(&Files::new(&chain, &encrypted));
        assert_eq!(error, PemError::Encrypted);
        assert!(error.to_string().contains("-nocrypt"));
    }

    let files = Files::new("", &key);
    std::fs::write(&files.chain, identity.leaf()).unwrap();
    assert_eq!(pem_error(&files), PemError::Der { tool: "x509" });
    std::fs::write(&files.chain, pem("CERTIFICATE", b"not DER")).unwrap();
    assert!(matches!(files.error(), IdentityError::Certificate { index: 1, .. }));
    std::fs::write(&files.chain, vec![b'a'; 300 << 10]).unwrap();
    assert!(matches!(files.error(), IdentityError::File(SecretFileError::TooLarge { .. })));
    std::fs::remove_file(&files.chain).unwrap();
    let text = files.error().to_string();
    assert!(text.contains("edge.crt") && text.contains("cannot read"), "{text}");

    let damaged = key.replace("PRIVATE KEY-----\nM", "PRIVATE KEY-----\n*");
    let error = Files::new(&chain, &damaged).error().to_string();
    assert!(!error.contains(&damaged[40..60]), "the key is quoted: {error}");
    let junk = pem("PRIVATE KEY", b"junk");
    assert!(matches!(Files::new(&chain, &junk).error(), IdentityError::Key { .. }));
}

#[cfg(unix)]
#[test]
fn a_key_that_others_can_read_is_refused() {
    use std::os::unix::fs::PermissionsExt;
    let identity = issue(&["edge"], 30).unwrap();
    let files = Files::new(&identity.chain_pem(), &identity.key_pem());
    for mode in [0o640, 0o644, 0o604] {
        std::fs::set_permissions(&files.key, std::fs::Permissions::from_mode(mode)).unwrap();
        let error = files.error();
        assert!(matches!(error, IdentityError::File(SecretFileError::TooOpen { .. })), "{mode:o}");
        assert!(error.to_string().contains("chmod 600"), "{error}");
    }
}

#[test]
fn findings_say_what_devices_will_refuse() {
    let identity = issue(&["edge"], 100).unwrap();
    let at = |days: u64| UnixTime::since_unix_epoch(Duration::from_secs(UnixTime::now().as_secs() + days * 86_400));
    assert!(identity.findings(at(1)).is_empty());
    assert!(matches!(identity.findings(at(80))[..], [Finding::ExpiresSoon { days: 19 }]));
    assert!(matches!(identity.findings(at(110))[..], [Finding::Expired { days: 10 }]));
    let past = UnixTime::since_unix_epoch(Duration::from_secs(0));
    assert!(matches!(identity.findings(past)[..], [Finding::NotYetValid { .. }]));

    let mut odd = params("edge");
    odd.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    odd.subject_alt_names = Vec::new();
    odd.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    let found = self_signed(&odd, &PKCS_ECDSA_P256_SHA256).identity().findings(at(0));
    assert!(found.contains(&Finding::CaTrue) && found.contains(&Finding::NoNames), "{found:?}");
    assert!(found.contains(&Finding::NotForServers), "{found:?}");
    assert!(found.iter().any(|finding| matches!(finding, Finding::LivesTooLong { .. })), "{found:?}");
    assert!(found[0].devices_refuse() && !found[found.len() - 1].devices_refuse());
    assert!(found.iter().any(|finding| finding.to_string().contains("CA:FALSE")));
}

/// Certificates that one library reads and another does not: what devices will refuse is found before they do.
#[test]
fn findings_cover_what_readers_differ_about() {
    let find = |params: &rcgen::CertificateParams| {
        let made = self_signed(params, &PKCS_ECDSA_P256_SHA256);
        Finding::of(made.leaf(), UnixTime::now())
    };
    let mut mail_only = params("edge");
    mail_only.subject_alt_names = vec![rcgen::SanType::Rfc822Name("a@example.org".try_into().expect("an address"))];
    assert!(find(&mail_only).contains(&Finding::NoNames), "an address for mail is no name of a server");

    // SEQUENCE { BOOLEAN TRUE, NULL }: webpki sees an authority, x509-parser nothing at all.
    let mut odd = params("edge");
    odd.is_ca = IsCa::NoCa;
    odd.custom_extensions =
        vec![rcgen::CustomExtension::from_oid_content(&[2, 5, 29, 19], vec![0x30, 5, 1, 1, 0xff, 5, 0])];
    let found = find(&odd);
    assert!(found.contains(&Finding::Unreadable { extension: "basicConstraints" }), "{found:?}");

    // A length in two bytes where one is enough: only webpki minds, and it is what devices have.
    let der = self_signed(&params("edge"), &PKCS_ECDSA_P256_SHA256).leaf().to_vec();
    let place = der.windows(2).position(|window| window == [0x17, 13]).expect("a UTCTime");
    let mut long = der.clone();
    long.splice(place..place + 2, [0x17, 0x81, 13]);
    // One byte more in everything around it: validity, what is signed, the certificate.
    long[place - 1] += 1;
    for head in [0, 4] {
        let length = u16::from_be_bytes([long[head + 2], long[head + 3]]) + 1;
        long[head + 2..head + 4].copy_from_slice(&length.to_be_bytes());
    }
    let found = Finding::of(&long.into(), UnixTime::now());
    assert!(found.iter().any(|finding| matches!(finding, Finding::Refused { .. })), "{found:?}");
}

#[test]
fn roots_come_from_files_and_lists() {
    let identity = issue(&["edge"], 30).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("roots.pem");
    write_pem(&path, identity.chain());
    assert_eq!(Roots::load(&RootSource::File(path.clone())).unwrap().count(), 1);
    // One that cannot be read is left out, none left is an error.
    let junk = pem("CERTIFICATE", b"junk");
    std::fs::write(&path, format!("{}{junk}", identity.chain_pem())).unwrap();
    assert_eq!(Roots::load(&RootSource::File(path.clone())).unwrap().count(), 1);
    std::fs::write(&path, &junk).unwrap();
    assert!(matches!(Roots::load(&RootSource::File(path.clone())), Err(RootsError::Empty { .. })));
    std::fs::write(&path, "hello").unwrap();
    assert!(matches!(Roots::load(&RootSource::File(path.clone())), Err(RootsError::Pem { .. })));
    std::fs::write(&path, &*identity.key_pem()).unwrap();
    let error = Roots::load(&RootSource::File(path)).unwrap_err().to_string();
    assert!(error.contains("private key, not a certificate"), "{error}");
    let absent = folder.path().join("absent");
    assert!(matches!(Roots::load(&RootSource::File(absent)), Err(RootsError::File(_))));
    assert!(matches!(Roots::from_der(&[]), Err(RootsError::Empty { .. })));
    assert!(Roots::load(&RootSource::Mozilla).unwrap().count() > 50);
    for (text, source) in [("system", RootSource::System), ("mozilla", RootSource::Mozilla)] {
        assert_eq!(text.parse::<RootSource>().unwrap(), source);
        assert_eq!(source.to_string(), text);
    }
}

#[test]
fn a_device_certificate_is_for_clients() {
    for name in ["device-1", "", &"x".repeat(500), "a\u{0}b\n"] {
        let identity = Identity::device(name).unwrap();
        let (_, certificate) = X509Certificate::from_der(identity.leaf()).unwrap();
        assert!(certificate.extended_key_usage().unwrap().unwrap().value.client_auth);
        assert!(!certificate.is_ca());
    }
    let other = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).unwrap();
    assert_ne!(Identity::device("d").unwrap().key_pem().as_str(), other.serialize_pem());
}
