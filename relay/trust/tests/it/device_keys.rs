//! A backend meets devices in tunnels, honest and hostile.

use std::sync::Arc;

use rcgen::{KeyPair, PKCS_ECDSA_P256_SHA256};
use relay_trust::{
    DeviceKey, ExpectedKey, Identity, Pin, PinKind, PinSet, TlsProfile, client_config, device_key_verifier,
    pinned_verifier, sha256, tunnel_server_config,
};
use rustls::client::ResolvesClientCert;
use rustls::sign::{CertifiedKey, Signer, SigningKey, SingleCertAndKey};
use rustls::{ClientConfig, Error, SignatureAlgorithm, SignatureScheme};
use rustls_pki_types::{CertificateDer, UnixTime};

use crate::handshake::{Outcome, run};
use crate::make::{params, self_signed, with_key};

const NAME: &str = "0123456789abcdef0123456789abcdef.tunnel.sallyport";
const ALPN: &[u8] = b"sallyport/tunnel";
const PROFILES: [&str; 2] = ["tls12-only", "tls13-only"];

fn node() -> Identity {
    Identity::self_signed(&["node.example.org".to_owned()], 30).expect("an identity")
}

fn client(profile: &str, node: &Identity, device: Option<&Identity>) -> ClientConfig {
    let pins = PinSet::from(Pin::new(PinKind::Leaf, node.fingerprints().leaf));
    let profile = TlsProfile::by_name(profile).expect("a profile");
    client_config(profile, pinned_verifier(pins), device, ALPN).expect("a client")
}

fn tunnel(profile: &str, device: Option<&Identity>, expected: ExpectedKey) -> Outcome {
    let node = node();
    run(client(profile, &node, device), tunnel_server_config(&node, expected), NAME)
}

fn spki_of(identity: &Identity) -> ExpectedKey {
    ExpectedKey::Spki(sha256(&identity.spki()))
}

#[test]
fn the_key_in_the_grant_is_accepted() {
    let key = DeviceKey::generate();
    let device = Identity::from_device_key(&key).expect("a certificate");
    assert_eq!(device.spki(), key.spki());
    for profile in PROFILES {
        let outcome = tunnel(profile, Some(&device), ExpectedKey::Spki(sha256(&key.spki())));
        outcome.assert_accepted();
        assert_eq!(outcome.alpn.as_deref(), Some(ALPN));
        tunnel(profile, Some(&device), ExpectedKey::AnyP256).assert_accepted();
    }
}

#[test]
fn another_key_is_refused() {
    let (device, stranger) = (Identity::device("device").expect("one"), Identity::device("device").expect("another"));
    for profile in PROFILES {
        let outcome = tunnel(profile, Some(&stranger), spki_of(&device));
        outcome.assert_server_refused();
        assert!(format!("{:?}", outcome.server_error).contains("OtherKey"), "{:?}", outcome.server_error);
    }
}

#[test]
fn no_certificate_is_refused() {
    for profile in PROFILES {
        let outcome = tunnel(profile, None, ExpectedKey::AnyP256);
        outcome.assert_server_refused();
        assert_eq!(outcome.server_error, Some(Error::NoCertificatesPresented));
    }
}

#[test]
fn a_stolen_certificate_without_its_key_is_refused() {
    let device = Identity::device("device").expect("a device");
    let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).expect("a key");
    let node = node();
    for profile in PROFILES {
        for expected in [ExpectedKey::AnyP256, spki_of(&device)] {
            let mut client = client(profile, &node, Some(&device));
            let thief = with_key(device.chain().to_vec(), &key);
            client.client_auth_cert_resolver = Arc::new(SingleCertAndKey::from(thief));
            run(client, tunnel_server_config(&node, expected), NAME).assert_server_refused();
        }
    }
}

#[test]
fn keys_of_other_kinds_are_refused() {
    for algorithm in [&rcgen::PKCS_ED25519, &rcgen::PKCS_ECDSA_P384_SHA384, &rcgen::PKCS_RSA_SHA256] {
        let made = self_signed(&params("device"), algorithm);
        let identity = made.identity();
        for profile in PROFILES {
            for expected in [ExpectedKey::AnyP256, spki_of(&identity)] {
                // An honest client has no signature to offer.
                let outcome = tunnel(profile, Some(&identity), expected);
                outcome.assert_server_refused();

                // A hostile one presents the certificate all the same, and signs with its own key.
                let node = node();
                let mut client = client(profile, &node, Some(&identity));
                client.client_auth_cert_resolver = Arc::new(Insistent(made.certified()));
                let outcome = run(client, tunnel_server_config(&node, expected), NAME);
                outcome.assert_server_refused();
                assert!(format!("{:?}", outcome.server_error).contains("NotP256"), "{:?}", outcome.server_error);
            }
        }
    }
}

#[test]
fn bytes_that_are_no_certificate_are_refused() {
    let verifier = device_key_verifier(ExpectedKey::AnyP256);
    let device = Identity::device("device").expect("a device");
    assert!(verifier.verify_client_cert(device.leaf(), &[], UnixTime::now()).is_ok());
    let cut = CertificateDer::from(device.leaf()[..100].to_vec());
    let longer = CertificateDer::from([device.leaf().as_ref(), b"x"].concat());
    for junk in [CertificateDer::from(Vec::new()), cut, longer] {
        assert!(verifier.verify_client_cert(&junk, &[], UnixTime::now()).is_err());
    }
    assert!(verifier.offer_client_auth() && verifier.client_auth_mandatory());
    assert_eq!(verifier.supported_verify_schemes(), [SignatureScheme::ECDSA_NISTP256_SHA256]);
}

/// The certificate's dates are the device's own word, so they count for nothing; its clock may be wrong.
#[test]
fn the_dates_of_a_device_certificate_do_not_matter() {
    let mut old = params("device");
    old.not_before = rcgen::date_time_ymd(1999, 1, 1);
    old.not_after = rcgen::date_time_ymd(2000, 1, 1);
    let device = self_signed(&old, &PKCS_ECDSA_P256_SHA256).identity();
    for profile in PROFILES {
        tunnel(profile, Some(&device), spki_of(&device)).assert_accepted();
    }
}

/// Presents its certificate whatever schemes the server allows, and claims the allowed one for its signature.
#[derive(Debug)]
struct Insistent(Arc<CertifiedKey>);

impl ResolvesClientCert for Insistent {
    fn resolve(&self, _hints: &[&[u8]], _schemes: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        let key = Arc::new(Mislabelled(Arc::clone(&self.0)));
        Some(Arc::new(CertifiedKey::new(self.0.cert.clone(), key)))
    }

    fn has_certs(&self) -> bool {
        true
    }
}

#[derive(Debug)]
struct Mislabelled(Arc<CertifiedKey>);

impl SigningKey for Mislabelled {
    fn choose_scheme(&self, _offered: &[SignatureScheme]) -> Option<Box<dyn Signer>> {
        Some(Box::new(Self(Arc::clone(&self.0))))
    }

    fn algorithm(&self) -> SignatureAlgorithm {
        SignatureAlgorithm::ECDSA
    }
}

impl Signer for Mislabelled {
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, Error> {
        let own = [SignatureScheme::ED25519, SignatureScheme::ECDSA_NISTP384_SHA384, SignatureScheme::RSA_PSS_SHA256];
        self.0.key.choose_scheme(&own).ok_or(Error::DecryptError)?.sign(message)
    }

    fn scheme(&self) -> SignatureScheme {
        SignatureScheme::ECDSA_NISTP256_SHA256
    }
}
