//! What a pin that does not match is the digest of.

use std::{slice, time::Duration};

use relay_trust::{Pin, PinKind, Roots, verify_path};
use rustls_pki_types::UnixTime;

use super::{
    Given,
    material::{self, CERTIFICATE, KEY, Material},
};
use crate::evidence::{Certificate, Chain};

/// Digits that may differ for a pin to be called mistyped.
const TYPOS_MAX: usize = 4;
/// Bytes of a digest that must agree for a pin to be called cut.
const CUT_MIN: usize = 8;

/// What is wrong with a pin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnosis {
    /// What the pin is, in a sentence without a full stop.
    pub text: String,
    /// What to do; `None`: what to do about every other certificate than the pinned one.
    pub remedy: Option<String>,
}

/// Whose certificate it is.
#[derive(Clone, Copy)]
enum Whose<'a> {
    Server,
    Issuer(&'a Certificate),
    Root(&'a Certificate),
    /// Sent along by the server, whose own certificate it is not seen to have issued: anybody can do that with anybody's.
    Appended(&'a Certificate),
    /// A root that the user named and that is not seen to have issued what the server presents: its own certificate of yesterday, say.
    OtherRoot(&'a Certificate),
}

impl Whose<'_> {
    fn of(self) -> String {
        match self {
            Self::Server => "of the server's certificate".to_owned(),
            Self::Issuer(certificate) => format!("of the issuer `{}` that the server presents", certificate.subject),
            Self::Root(certificate) => format!("of your root `{}`", certificate.subject),
            Self::Appended(certificate) => {
                format!(
                    "of `{}`, which the server sends along; nothing shows that it issued the server's own",
                    certificate.subject
                )
            }
            Self::OtherRoot(certificate) => {
                format!("of your root `{}`; nothing shows that it issued the server's own", certificate.subject)
            }
        }
    }
}

/// Why `given` does not match the server's own certificate: what it is the digest of, if anybody can tell. `None` for a
/// pin that does match, and for one that has nothing to do with these certificates.
///
/// `roots` are certificates that the user named as roots, for telling a root's fingerprint from a stranger's.
pub fn diagnose(given: &Given, chain: &Chain, roots: &[Certificate]) -> Option<Diagnosis> {
    let leaf = &chain.leaf;
    if let Given::Pin(pin) = given {
        if pin.matches_fingerprints(&leaf.fingerprints) {
            return None;
        }
        if let Some(diagnosis) = other_kind(pin, leaf) {
            return Some(diagnosis);
        }
    }
    let whose = std::iter::once((Whose::Server, leaf))
        .chain(chain.issuers.iter().map(|issuer| (Whose::Issuer(issuer), issuer)))
        .chain(roots.iter().map(|root| (Whose::Root(root), root)));
    for (whose, certificate) in whose {
        if let Some(diagnosis) = derived(given, whose, certificate, chain) {
            return Some(diagnosis);
        }
    }
    cut(given, leaf).or_else(|| mistyped(given, leaf))
}

/// Whether the key of `certificate` is behind the chain that the server presents. A name says nothing: whoever stands in
/// between sends the pinned certificate along, or copies its names, and must not be told that only the pin is wrong.
fn issued(certificate: &Certificate, chain: &Chain) -> bool {
    let leaf = &chain.leaf;
    let valid = UnixTime::since_unix_epoch(Duration::from_secs(u64::try_from(leaf.not_before).unwrap_or(0)));
    Roots::from_der(slice::from_ref(&certificate.der))
        .is_ok_and(|root| verify_path(&leaf.der, &chain.intermediates, &root, valid).is_ok())
}

fn pins_of(leaf: &Certificate) -> (Pin, Pin) {
    (Pin::new(PinKind::Leaf, leaf.fingerprints.leaf), Pin::new(PinKind::Spki, leaf.fingerprints.spki))
}

/// The right digest with the wrong kind.
fn other_kind(pin: &Pin, leaf: &Certificate) -> Option<Diagnosis> {
    let (of_certificate, of_key) = pins_of(leaf);
    let (text, right) = match pin.kind() {
        PinKind::Leaf if pin.digest() == of_key.digest() => {
            ("the pin is that of the server's public key (SPKI), but it is written as that of a certificate", of_key)
        }
        PinKind::Spki if pin.digest() == of_certificate.digest() => {
            ("the pin is that of the server's certificate, but it is written as that of a public key", of_certificate)
        }
        PinKind::Leaf | PinKind::Spki => return None,
    };
    Some(Diagnosis { text: text.to_owned(), remedy: Some(format!("write {right}")) })
}

/// The digest of something in or around a certificate.
fn derived(given: &Given, whose: Whose<'_>, certificate: &Certificate, chain: &Chain) -> Option<Diagnosis> {
    let wanted = given.digest();
    let (_, of_key) = pins_of(&chain.leaf);
    // Signatures are checked only once something was found.
    let whose = || match whose {
        Whose::Issuer(other) if !issued(other, chain) => Whose::Appended(other),
        Whose::Root(other) if !issued(other, chain) => Whose::OtherRoot(other),
        Whose::Server | Whose::Issuer(_) | Whose::Root(_) | Whose::Appended(_) | Whose::OtherRoot(_) => whose,
    };
    for Material { what, bytes } in material::of(certificate) {
        let Some((hash, digest)) = material::digest(&bytes, wanted.len()) else { break };
        if digest != wanted {
            continue;
        }
        let whose = whose();
        let text = match (what, whose) {
            (CERTIFICATE, _) => format!("the pin is the {hash} {}", whose.of()),
            (KEY, _) => format!("the pin is the {hash} of the public key {}", whose.of()),
            _ => format!("the pin is the {hash} of {what} {}", whose.of()),
        };
        let remedy = match whose {
            Whose::Server => {
                Some(format!("{}; write {of_key}, or make it by `fingerprint-check file CERT`", right(what, hash)))
            }
            Whose::Issuer(_) | Whose::Root(_) => Some(
                "a pin names the server's own certificate or its key, not who issued it; make it of the server's \
                 certificate by `fingerprint-check file CERT`"
                    .to_owned(),
            ),
            Whose::Appended(_) | Whose::OtherRoot(_) => None,
        };
        return Some(Diagnosis { text, remedy });
    }
    let alike = material::look_alikes(certificate).into_iter().find(|alike| alike.bytes == wanted)?;
    let whose = whose();
    let certain = !matches!(whose, Whose::Appended(_) | Whose::OtherRoot(_));
    Some(Diagnosis {
        text: format!("the pin is no fingerprint but {} {}", alike.what, whose.of()),
        remedy: certain.then(|| "make the pin of the certificate by `fingerprint-check file CERT`".to_owned()),
    })
}

/// What a pin is the digest of, where it is the digest of something else.
fn right(what: &str, hash: &str) -> String {
    if [CERTIFICATE, KEY].contains(&what) {
        format!("{hash} is not what pins are made with, SHA-256 is")
    } else {
        "a pin is the SHA-256 of the certificate, or of its public key, in DER".to_owned()
    }
}

/// The beginning of the right digest.
fn cut(given: &Given, leaf: &Certificate) -> Option<Diagnosis> {
    let Given::Other { digest, .. } = given else { return None };
    let (of_certificate, of_key) = pins_of(leaf);
    let right = [of_certificate, of_key]
        .into_iter()
        .find(|pin| digest.len() >= CUT_MIN && digest.len() < 32 && pin.digest().starts_with(digest))?;
    Some(Diagnosis {
        text: format!("the pin is the first {} of the 32 bytes of {right}", digest.len()),
        remedy: Some("a pin is compared whole; copy all of it from where it came from".to_owned()),
    })
}

/// The right digest but for a few digits.
fn mistyped(given: &Given, leaf: &Certificate) -> Option<Diagnosis> {
    let Given::Pin(pin) = given else { return None };
    let (of_certificate, of_key) = pins_of(leaf);
    let right = match pin.kind() {
        PinKind::Leaf => of_certificate,
        PinKind::Spki => of_key,
    };
    let (given, presented) = (material::hex(pin.digest()), material::hex(right.digest()));
    let places: Vec<usize> =
        (0..given.len()).filter(|place| given.as_bytes()[*place] != presented.as_bytes()[*place]).collect();
    let first = *places.first().filter(|_| places.len() <= TYPOS_MAX)?;
    Some(Diagnosis {
        text: format!(
            "the pin differs from {right} in {} of 64 hexadecimal digits, the first at digit {}",
            places.len(),
            first + 1
        ),
        remedy: Some(
            "copy the pin again from where it came from; do not take over what the server presents".to_owned(),
        ),
    })
}

#[cfg(test)]
mod tests {
    use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
    use relay_trust::Identity;
    use rustls_pki_types::CertificateDer;

    use super::*;

    fn chain(certificates: &[&CertificateDer<'static>]) -> Chain {
        Chain::read(certificates.iter().map(|der| (*der).clone()).collect()).unwrap()
    }

    fn made() -> CertificateDer<'static> {
        Identity::self_signed(&["edge.example.org".to_owned()], 30).unwrap().leaf().clone()
    }

    /// An authority and a server's certificate that it issued.
    fn made_by_an_authority() -> (CertificateDer<'static>, CertificateDer<'static>) {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        let server = CertificateParams::new(vec!["edge.example.org".to_owned()]).unwrap();
        let server = server.signed_by(&KeyPair::generate().unwrap(), &issuer).unwrap();
        (issuer.der().clone(), server.der().clone())
    }

    fn said(text: &str, chain: &Chain) -> String {
        let found = diagnose(&Given::read(text).unwrap(), chain, &[]);
        found.map_or_else(String::new, |found| format!("{}; {}", found.text, found.remedy.unwrap_or_default()))
    }

    #[test]
    fn a_pin_that_matches_and_one_of_a_stranger_need_no_diagnosis() {
        let chain = chain(&[&made()]);
        let (of_certificate, of_key) = pins_of(&chain.leaf);
        for pin in [of_certificate, of_key] {
            assert_eq!(said(&pin.to_string(), &chain), "");
        }
        assert_eq!(said(&"ab".repeat(32), &chain), "");
        assert_eq!(said(&"ab".repeat(20), &chain), "");
    }

    #[test]
    fn the_other_kind_is_told_with_the_right_spelling() {
        let chain = chain(&[&made()]);
        let (of_certificate, of_key) = pins_of(&chain.leaf);
        let digits = |pin: &Pin| material::hex(pin.digest());
        assert!(said(&digits(&of_key), &chain).ends_with(&format!("write {of_key}")));
        assert!(
            said(&format!("spki:{}", digits(&of_certificate)), &chain).ends_with(&format!("write {of_certificate}"))
        );
    }

    #[test]
    fn what_was_hashed_instead_is_named() {
        let (authority, der) = made_by_an_authority();
        let chain = chain(&[&der, &authority]);
        let leaf = &chain.leaf;
        let of = |bytes: &[u8], size| material::hex(&material::digest(bytes, size).unwrap().1);
        let pem = &material::of(leaf)[2].bytes;
        assert!(pem.starts_with(b"-----BEGIN CERTIFICATE"));
        for (pin, words) in [
            (of(&der, 20), "the pin is the SHA-1 of the server's certificate;"),
            (of(&der, 16), "the pin is the MD5 of the server's certificate;"),
            (of(&der, 64), "the pin is the SHA-512 of the server's certificate;"),
            (of(&leaf.spki, 20), "the SHA-1 of the public key of the server's certificate;"),
            (of(&leaf.spki[26..], 20), "the SHA-1 of the public key without the name of its algorithm of the server's"),
            (of(pem, 32), "the SHA-256 of the PEM text of the server's certificate;"),
            (of(pem, 20), "the SHA-1 of the PEM text"),
            (of(material::hex(&leaf.fingerprints.leaf).as_bytes(), 32), "the SHA-256 of the text of a fingerprint"),
            (of(&leaf.fingerprints.spki, 32), "the SHA-256 of the bytes of a fingerprint"),
            (material::hex(&chain.issuers[0].fingerprints.leaf), "the SHA-256 of the issuer `"),
            (material::hex(&chain.issuers[0].fingerprints.spki), "the SHA-256 of the public key of the issuer `"),
            (leaf.serial.replace(':', ""), "no fingerprint but the serial number"),
            (material::hex(&leaf.fingerprints.leaf[..20]), "the first 20 of the 32 bytes of leaf:"),
        ] {
            if Given::read(&pin).is_err() {
                // A random serial number now and then is shorter.
                continue;
            }
            let said = said(&pin, &chain);
            assert!(said.contains(words), "{words}: {said}");
        }
    }

    #[test]
    fn roots_that_the_user_named_are_recognised() {
        let (authority, server) = made_by_an_authority();
        let root = Certificate::read(authority).unwrap();
        let given = Given::read(&material::hex(&root.fingerprints.leaf)).unwrap();
        let found = diagnose(&given, &chain(&[&server]), slice::from_ref(&root)).unwrap();
        assert!(found.text.starts_with("the pin is the SHA-256 of your root `"), "{}", found.text);
        assert!(found.remedy.unwrap().contains("the server's own certificate"));
    }

    #[test]
    fn who_stands_in_between_does_not_turn_the_right_pin_into_a_wrong_one() {
        // The pinned certificate is its own root, as an edge's is. Another server presents another one, with and without the
        // pinned one behind it.
        let (pinned, other) = (made(), made());
        let root = Certificate::read(pinned.clone()).unwrap();
        for kind in [root.fingerprints.leaf, root.fingerprints.spki] {
            let given = Given::read(&material::hex(&kind)).unwrap();
            for (presented, roots) in [
                (chain(&[&other]), slice::from_ref(&root)),
                (chain(&[&other, &pinned]), slice::from_ref(&root)),
                (chain(&[&other, &pinned]), &[]),
            ] {
                let found = diagnose(&given, &presented, roots).unwrap();
                assert!(found.text.ends_with("; nothing shows that it issued the server's own"), "{}", found.text);
                assert_eq!(found.remedy, None);
            }
        }
    }

    #[test]
    fn a_slip_of_the_finger_is_told_without_offering_what_the_server_presents() {
        let chain = chain(&[&made()]);
        let digits = material::hex(&chain.leaf.fingerprints.leaf);
        let other = if digits.as_bytes()[7] == b'0' { "1" } else { "0" };
        let slipped = format!("{}{other}{}", &digits[..7], &digits[8..]);
        let said = said(&slipped, &chain);
        assert!(said.contains("in 1 of 64 hexadecimal digits, the first at digit 8"), "{said}");
        assert!(said.contains("do not take over"));
    }
}
