//! A device meets servers, honest and hostile. Every hostile case names the verdict and shows that the server got nothing.

use std::sync::Arc;

use rcgen::{BasicConstraints, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair, PKCS_ECDSA_P256_SHA256, PKCS_ED25519};
use relay_trust::{
    ChainError, Identity, LastVerdict, Pin, PinKind, PinSet, Roots, TlsProfile, Verdict, client_config, edge_verifier,
    pinned_verifier, refusal, server_config, shared_key_verifier,
};
use rustls::sign::CertifiedKey;
use rustls_pki_types::CertificateDer;

use crate::handshake::{Outcome, run, run_shared};
use crate::make::{DaysFromNow, issued, params, self_signed, with_key};

const NAME: &str = "edge.example.org";
const ALPN: &[u8] = b"sallyport/device";
/// Every case runs under both protocol versions: the proof of possession is another message in each.
const PROFILES: [&str; 2] = ["tls12-only", "tls13-only"];

fn leaf_pin(certificate: &CertificateDer<'_>) -> PinSet {
    PinSet::from(Pin::new(PinKind::Leaf, relay_trust::sha256(certificate)))
}

fn honest() -> Identity {
    Identity::self_signed(&[NAME.to_owned()], 30).expect("an identity")
}

struct Case {
    pins: PinSet,
    roots: Option<Roots>,
    presented: Arc<CertifiedKey>,
    name: &'static str,
    days: u64,
}

impl Case {
    /// The honest server, pinned and its own root, as the device meets it; each test changes what it is about.
    fn new(identity: &Identity) -> Self {
        Self {
            pins: leaf_pin(identity.leaf()),
            roots: Some(Roots::from_der(&[identity.leaf().clone()]).expect("a root")),
            presented: identity.certified_key(),
            name: NAME,
            days: 0,
        }
    }

    fn run(&self, profile: &str) -> (Verdict, Outcome) {
        let reason = LastVerdict::new();
        let verifier = edge_verifier(self.pins.clone(), self.roots.clone(), Arc::clone(&reason));
        let profile = TlsProfile::by_name(profile).expect("a profile");
        let mut client = client_config(profile, verifier, None, ALPN).expect("a client");
        client.time_provider = Arc::new(DaysFromNow(self.days));
        let outcome = run(client, server_config(Arc::clone(&self.presented), Some(ALPN)), self.name);
        (reason.get(), outcome)
    }

    fn assert_refused(&self, check: impl Fn(&Verdict) -> bool, halts: bool) {
        for profile in PROFILES {
            let (verdict, outcome) = self.run(profile);
            assert!(check(&verdict), "{profile}: {verdict:?}");
            assert_eq!(verdict.halts(), halts, "{profile}: {verdict:?}");
            assert!(verdict.refuses());
            outcome.assert_client_refused();
        }
    }

    fn assert_accepted(&self) {
        for profile in PROFILES {
            let (verdict, outcome) = self.run(profile);
            assert_eq!(verdict, Verdict::Accepted, "{profile}");
            assert!(!verdict.halts() && !verdict.refuses());
            outcome.assert_accepted();
        }
    }
}

#[test]
fn the_pinned_self_signed_server_is_accepted() {
    Case::new(&honest()).assert_accepted();
}

#[test]
fn an_address_is_a_name_too() {
    let identity = Identity::self_signed(&["192.0.2.7".to_owned(), "2001:db8::7".to_owned()], 30).expect("an identity");
    for name in ["192.0.2.7", "2001:db8::7"] {
        let mut case = Case::new(&identity);
        case.name = name;
        case.assert_accepted();
    }
    let mut case = Case::new(&identity);
    case.name = "192.0.2.8";
    case.assert_refused(|verdict| matches!(verdict, Verdict::Chain(ChainError::WrongName { .. })), false);
}

#[test]
fn a_man_in_the_middle_with_another_certificate_halts_the_device() {
    let (identity, attacker) = (honest(), honest());
    let mut case = Case::new(&identity);
    case.presented = attacker.certified_key();
    // Even when its root is trusted: the pin decides first.
    case.roots = Some(Roots::from_der(&[identity.leaf().clone(), attacker.leaf().clone()]).expect("roots"));
    let expected = Verdict::PinMismatch { presented: attacker.fingerprints() };
    case.assert_refused(|verdict| *verdict == expected, true);
}

#[test]
fn the_right_certificate_without_its_key_halts_the_device() {
    let identity = honest();
    let stranger = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).expect("a key");
    let mut case = Case::new(&identity);
    case.presented = with_key(identity.chain().to_vec(), &stranger);
    case.assert_refused(|verdict| *verdict == Verdict::Possession, true);
}

#[test]
fn the_right_certificate_with_a_key_of_another_kind_halts_the_device() {
    let identity = honest();
    for algorithm in [&rcgen::PKCS_ED25519, &rcgen::PKCS_ECDSA_P384_SHA384, &rcgen::PKCS_RSA_SHA256] {
        let stranger = KeyPair::generate_for(algorithm).expect("a key");
        let mut case = Case::new(&identity);
        case.presented = with_key(identity.chain().to_vec(), &stranger);
        // Under TLS 1.2 the suite names the kind of key, so an RSA signature for an ECDSA certificate fits none.
        for profile in PROFILES {
            let (verdict, outcome) = case.run(profile);
            assert_ne!(verdict, Verdict::Accepted, "{profile}");
            outcome.assert_client_refused();
        }
        let (verdict, _) = case.run("tls13-only");
        assert_eq!(verdict, Verdict::Possession);
    }
}

#[test]
fn the_pinned_certificate_behind_another_leaf_halts_the_device() {
    let (identity, attacker) = (honest(), self_signed(&params(NAME), &PKCS_ECDSA_P256_SHA256));
    let mut case = Case::new(&identity);
    case.presented = with_key(vec![attacker.leaf().clone(), identity.leaf().clone()], &attacker.key);
    case.assert_refused(|verdict| matches!(verdict, Verdict::PinMismatch { .. }), true);
}

#[test]
fn the_pin_of_the_issuer_is_not_the_pin_of_the_server() {
    let (root, server) = issued(&params(NAME));
    let mut case = Case::new(&honest());
    case.pins = leaf_pin(&root);
    case.roots = Some(Roots::from_der(&[root]).expect("a root"));
    case.presented = server.certified();
    case.assert_refused(|verdict| matches!(verdict, Verdict::PinMismatch { .. }), true);
}

#[test]
fn a_certificate_from_an_authority_is_accepted_by_pin_and_chain() {
    let (root, server) = issued(&params(NAME));
    let mut case = Case::new(&honest());
    case.pins = leaf_pin(server.leaf());
    case.roots = Some(Roots::from_der(&[root]).expect("a root"));
    case.presented = server.certified();
    case.assert_accepted();
}

#[test]
fn a_digest_of_the_other_kind_does_not_match() {
    let identity = honest();
    let fingerprints = identity.fingerprints();
    let mut case = Case::new(&identity);
    case.pins =
        PinSet::new(vec![Pin::new(PinKind::Spki, fingerprints.leaf), Pin::new(PinKind::Leaf, fingerprints.spki)])
            .expect("pins");
    case.assert_refused(|verdict| matches!(verdict, Verdict::PinMismatch { .. }), true);
}

#[test]
fn an_spki_pin_survives_a_reissue_and_a_leaf_pin_does_not() {
    let first = honest();
    let second = first.reissue(&[NAME.to_owned()], 60).expect("a reissue");
    assert_ne!(first.fingerprints().leaf, second.fingerprints().leaf);
    let mut case = Case::new(&second);
    case.pins = PinSet::from(Pin::new(PinKind::Spki, first.fingerprints().spki));
    case.assert_accepted();
    case.pins = leaf_pin(first.leaf());
    case.assert_refused(|verdict| matches!(verdict, Verdict::PinMismatch { .. }), true);
    // During a change both are pinned.
    case.pins =
        PinSet::new(leaf_pin(first.leaf()).iter().chain(&leaf_pin(second.leaf())).copied().collect()).expect("pins");
    case.assert_accepted();
}

#[test]
fn an_expired_or_early_certificate_is_refused_without_a_halt() {
    let identity = honest();
    let mut case = Case::new(&identity);
    case.days = 31;
    case.assert_refused(|verdict| matches!(verdict, Verdict::Chain(ChainError::Expired { .. })), false);

    let mut early = params(NAME);
    early.not_before = rcgen::date_time_ymd(2090, 1, 1);
    let early = self_signed(&early, &PKCS_ECDSA_P256_SHA256).identity();
    let case = Case::new(&early);
    case.assert_refused(|verdict| matches!(verdict, Verdict::Chain(ChainError::NotYetValid { .. })), false);
}

#[test]
fn another_name_is_refused_and_both_names_are_told() {
    let mut case = Case::new(&honest());
    case.name = "other.example.org";
    case.assert_refused(
        |verdict| {
            let text = verdict.to_string();
            matches!(verdict, Verdict::Chain(ChainError::WrongName { .. }))
                && text.contains("other.example.org")
                && text.contains(NAME)
        },
        false,
    );
}

#[test]
fn an_untrusted_issuer_is_refused_although_the_pin_is_right() {
    let identity = honest();
    let mut case = Case::new(&identity);
    let stranger = Identity::self_signed(&["stranger.example.org".to_owned()], 30).expect("an identity");
    case.roots = Some(Roots::from_der(&[stranger.leaf().clone()]).expect("a root"));
    case.assert_refused(|verdict| matches!(verdict, Verdict::Chain(ChainError::UnknownIssuer)), false);
    // A root of the same name with another key: an old self-signed certificate, for instance.
    case.roots = Some(Roots::from_der(&[honest().leaf().clone()]).expect("a root"));
    case.assert_refused(|verdict| matches!(verdict, Verdict::Chain(ChainError::BadSignature)), false);
    // The same with a key of another kind: what `system` finds for "localhost" on a machine with Debian's ssl-cert.
    let mut namesake = params(NAME);
    namesake.distinguished_name.push(DnType::CommonName, NAME);
    let other = self_signed(&namesake, &PKCS_ED25519);
    case.roots = Some(Roots::from_der(&[other.leaf().clone()]).expect("a root"));
    case.assert_refused(|verdict| matches!(verdict, Verdict::Chain(ChainError::BadSignature)), false);
    // Without roots the pin alone decides.
    case.roots = None;
    case.days = 10_000;
    case.assert_accepted();
}

#[test]
fn a_certificate_with_ca_true_is_refused_with_the_remedy() {
    let mut authority = params(NAME);
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let made = self_signed(&authority, &PKCS_ECDSA_P256_SHA256);
    let case = Case::new(&made.identity());
    case.assert_refused(
        |verdict| {
            matches!(verdict, Verdict::Chain(ChainError::CaAsServer))
                && verdict.to_string().contains("reissue with CA:FALSE")
        },
        false,
    );
}

#[test]
fn a_certificate_for_clients_is_no_server_certificate() {
    let mut client = params(NAME);
    client.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    let case = Case::new(&self_signed(&client, &PKCS_ECDSA_P256_SHA256).identity());
    case.assert_refused(|verdict| matches!(verdict, Verdict::Chain(ChainError::WrongPurpose)), false);
}

#[test]
fn bytes_that_are_no_certificate_halt_the_device() {
    let identity = honest();
    let junk = [
        CertificateDer::from(b"not a certificate".to_vec()),
        CertificateDer::from([identity.leaf().as_ref(), &[0]].concat()),
        CertificateDer::from(identity.leaf()[..identity.leaf().len() - 1].to_vec()),
    ];
    for certificate in junk {
        let mut case = Case::new(&identity);
        // Even when somebody pinned exactly these bytes.
        case.pins = leaf_pin(&certificate);
        let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).expect("a key");
        case.presented = with_key(vec![certificate], &key);
        case.assert_refused(|verdict| matches!(verdict, Verdict::Unreadable(_)), true);
    }
}

#[test]
fn a_connection_that_ends_early_says_nothing_about_the_server() {
    let reason = LastVerdict::new();
    assert_eq!(reason.get(), Verdict::NotReached);
    assert!(!reason.halts());

    // No protocol in common: refused before a certificate is sent.
    let identity = honest();
    let verifier = edge_verifier(leaf_pin(identity.leaf()), None, Arc::clone(&reason));
    let client =
        client_config(TlsProfile::by_name("linux").expect("a profile"), verifier, None, ALPN).expect("a client");
    let outcome = run(client, server_config(&identity, Some(b"sallyport/control")), NAME);
    outcome.assert_client_refused();
    assert_eq!(reason.get(), Verdict::NotReached);
}

#[test]
fn a_pinned_server_is_known_by_its_pin_alone() {
    let (identity, attacker) = (honest(), honest());
    for profile in PROFILES.map(|name| TlsProfile::by_name(name).expect("a profile")) {
        let verifier = || pinned_verifier(leaf_pin(identity.leaf()));
        let client = || client_config(profile, verifier(), None, ALPN).expect("a client");
        run(client(), server_config(&identity, Some(ALPN)), "any.name.will.do").assert_accepted();

        let outcome = run(client(), server_config(&attacker, Some(ALPN)), NAME);
        outcome.assert_client_refused();
        let verdict = outcome.client_error.as_ref().and_then(refusal).expect("a verdict in the error");
        assert_eq!(*verdict, Verdict::PinMismatch { presented: attacker.fingerprints() });

        let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).expect("a key");
        let thief = with_key(identity.chain().to_vec(), &key);
        run(client(), server_config(thief, Some(ALPN)), NAME).assert_client_refused();
    }
}

#[test]
fn without_a_pin_possession_is_still_proved() {
    let identity = honest();
    let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).expect("a key");
    for profile in PROFILES.map(|name| TlsProfile::by_name(name).expect("a profile")) {
        let client = || client_config(profile, shared_key_verifier(), None, ALPN).expect("a client");
        run(client(), server_config(&identity, Some(ALPN)), NAME).assert_accepted();
        let thief = with_key(identity.chain().to_vec(), &key);
        run(client(), server_config(thief, Some(ALPN)), NAME).assert_client_refused();
        let junk = with_key(vec![CertificateDer::from(b"junk".to_vec())], &key);
        run(client(), server_config(junk, Some(ALPN)), NAME).assert_client_refused();
    }
}

#[test]
fn no_session_is_ever_resumed() {
    let identity = honest();
    let server = Arc::new(server_config(&identity, Some(ALPN)));
    for profile in PROFILES.map(|name| TlsProfile::by_name(name).expect("a profile")) {
        let reason = LastVerdict::new();
        let verifier = edge_verifier(leaf_pin(identity.leaf()), None, Arc::clone(&reason));
        let mut client = client_config(profile, verifier, None, ALPN).expect("a client");
        // A client that would resume if it could.
        client.resumption = rustls::client::Resumption::default();
        let client = Arc::new(client);
        run_shared(&client, &server, NAME).assert_accepted();
        let thief = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).expect("a key");
        let thief = Arc::new(server_config(with_key(identity.chain().to_vec(), &thief), Some(ALPN)));
        run_shared(&client, &thief, NAME).assert_client_refused();
        assert_eq!(reason.get(), Verdict::Possession);
    }
}
